"""What a listener is given and what it gives: feeds, pages and the errors of a visit.

A listener is one module per source with two names:

    class Options(FeedOptions)      the keys it takes in a [[feed]] table of listening.toml
    async def pages(visit: Visit) -> AsyncIterator[Page]

It yields pages in any order; whoever reads stores a page's posts and then its cursor. What a listener
cannot read it rejects item by item; what breaks the whole visit it raises.
"""

import re
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any, Literal, Protocol
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PositiveInt, StringConstraints

if TYPE_CHECKING:  # the command line reads Options at every start, and pyarrow takes a third of a second
    import pyarrow as pa

    from listeners.http import FeedClient


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _web_address(url: str) -> str:
    parts = urlsplit(url)
    whole = parts.scheme in ("http", "https") and parts.hostname and not any(map(str.isspace, url))
    if not whole or parts.port == 0:  # reading `port` raises ValueError where it is none
        raise ValueError("an address begins with https:// or http:// and names a host")
    return url


def _host(name: str) -> str:
    if not re.fullmatch(r"[^\s/:@*]+", name):
        raise ValueError(f"the name of a host is due, as in feeds.example.com, not {name!r}")
    return name.lower().rstrip(".")


def _time_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ValueError, OSError, KeyError) as error:  # ZoneInfoNotFoundError is a KeyError
        raise ValueError("no such time zone; one is called Europe/Berlin, another UTC") from error
    return name


def _in_order(minutes: tuple[int, int]) -> tuple[int, int]:
    if not minutes[0] <= minutes[1] <= 24 * 60:
        raise ValueError("two numbers of minutes are due, the shorter first, at most 1440")
    return minutes


Phrase = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Phrases = Annotated[tuple[Phrase, ...], BeforeValidator(_as_list)]  # one phrase may stand without its brackets
WebAddress = Annotated[str, AfterValidator(_web_address)]
Hosts = Annotated[tuple[Annotated[Phrase, AfterValidator(_host)], ...], BeforeValidator(_as_list)]
TimeZone = Annotated[Phrase, AfterValidator(_time_zone)]  # of the IANA database
PollMinutes = Annotated[tuple[PositiveInt, PositiveInt], AfterValidator(_in_order)]

# What reading a cursor may raise that is none of ours: it is then as if there were none, and the feed begins anew
CURSOR_FAULTS = (
    ValueError, TypeError, KeyError, AttributeError, IndexError, OverflowError, RecursionError
)  # fmt: skip

NAMES_NO_BRAND = "names no brand"  # why a post is left out

Pseudonym = Callable[[str], str]  # account name, unique within the source -> the author's keyed hash


class FeedOptions(BaseModel):
    """The keys every [[feed]] takes; a source adds its own by subclassing. Unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._:@-]{0,99}$", description="ours, stable: it names cursors and files"
    )
    source: str = Field(description="the kind of feed")
    keep: Literal["matches", "all"] = Field(default="matches", description="store only posts that name a brand, or all")
    about: str | None = Field(default=None, description="the brand every post here is about")
    poll_minutes: PollMinutes | None = Field(
        default=None, description="[shortest, longest] pause between two visits, as [collect] has it unless given"
    )

    redirect_hosts: Hosts = Field(
        default=(), description="hosts, besides those of its own site, that its redirects may end on"
    )

    def secrets_in(self, environment: Mapping[str, str]) -> dict[str, str]:
        """Return what the variables hold that its *_env keys name, by the variable's name; without those not set."""
        names = [value for key, value in self if key.endswith("_env") and isinstance(value, str)]
        return {name: environment[name] for name in names if environment.get(name)}


@dataclass(frozen=True)
class Page:
    """Posts that belong together, and where to go on once they are stored.

    posts: a POSTS batch that conforms; empty if the feed had nothing new.
    cursor: opaque text of the source, never read by anyone else; None means begin anew.
    rejected: items that could not become posts; left_out: posts not stored, counted by reason.
    unchanged: the server said nothing changed (304). capped: what could not be had, or None.
    taken_down: posts that went, known only by name: those that are stored get a tombstone.
    suspect: why an answer that holds nothing is not believed, or None; its cursor is the one before.
    rest: how long the feed itself asks to be left alone, or None if it does not say.
    notes: what was put right in the answer, or is doubted, counted by kind: "date not believed", "charset cp1252", ...
    """

    posts: "pa.RecordBatch"
    cursor: str | None
    rejected: tuple["Rejected", ...] = ()
    left_out: Mapping[str, int] = field(default_factory=Counter)
    unchanged: bool = False
    capped: str | None = None
    taken_down: "TakenDown | None" = None
    suspect: str | None = None
    rest: timedelta | None = None
    notes: Mapping[str, int] = field(default_factory=Counter)


@dataclass(frozen=True)
class TakenDown:
    """What its author or the source took down: posts by post_id, and authors, by pseudonym, with all their posts.

    A tombstone has no text, title or author; whoever asks for what is not stored changes nothing.
    """

    posts: frozenset[str] = frozenset()
    authors: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Rejected:
    """An item as received and why it could not become a post."""

    reason: str
    item: str


@dataclass(frozen=True)
class Visit:
    """One attempt to read one feed: everything a listener needs, so that it reaches for nothing else.

    cursor: as the last stored page gave it; None on the first visit. started_at: UTC; every post of
    the visit gets it as fetched_at. consent: "opt_out" leaves out explicit refusals, "opt_in" all who
    did not opt in. window: a backfill, read posts published in [from, to) and nothing else; only given to
    listeners with HAS_HISTORY. secrets: the values of the environment variables that the feed's *_env keys name,
    by the variable's name; one that is not set is not there. wanted: whether a post of that title and text will be
    stored, for sources whose every post is too many to make a row of: what it refuses is left out as NAMES_NO_BRAND.
    """

    feed: Any  # the source's Options
    client: "FeedClient"
    cursor: str | None
    started_at: datetime
    pseudonym: Pseudonym
    consent: Literal["opt_out", "opt_in"] = "opt_out"
    window: tuple[datetime, datetime] | None = None
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    wanted: Callable[[str | None, str], bool] = lambda title, text: True

    def secret(self, key: str) -> str | None:
        """Return what the variable holds that a *_env key of the feed names, or None where it names none.

        Raises FeedBlocked where the variable is not set.
        """
        variable = getattr(self.feed, key)
        if variable is not None and not self.secrets.get(variable):
            raise FeedBlocked(self.feed.id, f"{key} names the environment variable {variable}, which is not set")
        return self.secrets[variable] if variable is not None else None


class Listener(Protocol):
    """The shape of a listener module."""

    @property
    def Options(self) -> type[FeedOptions]: ...  # noqa: N802 a class; read only, so that a subclass of FeedOptions fits

    def pages(self, visit: Visit) -> AsyncIterator[Page]: ...


class FeedError(Exception):
    """A visit ended early. `outcome` is what `visits` records; the message says feed, found and expected."""

    outcome: str = "failed"

    def __init__(self, feed: str, message: str) -> None:
        self.feed = feed
        super().__init__(f"{feed}: {message}")


class FeedUnavailable(FeedError):
    """No answer, or one that says come back later: the next run tries again, not before `retry_at` if given."""

    def __init__(self, feed: str, message: str, retry_at: datetime | None = None) -> None:
        self.retry_at = retry_at
        super().__init__(feed, message)


class FeedBlocked(FeedError):
    """The server refuses us, by status or with a page for people where data is due; a retry at once will not help."""

    outcome = "blocked"


class FeedGone(FeedError):
    """The server says the feed is gone for good (410): take it out of listening.toml."""

    outcome = "gone"


class FeedFormatChanged(FeedError):
    """The answer is not what the source documents; the listener must be mended, a retry does not help."""
