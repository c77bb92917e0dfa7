"""What a listener is given and what it gives: feeds, pages and the errors of a visit.

A listener is one module per source with two names:

    class Options(FeedOptions)      the keys it takes in a [[feed]] table of listening.toml
    async def pages(visit: Visit) -> AsyncIterator[Page]

It yields pages in any order; whoever reads stores a page's posts and then its cursor. What a listener
cannot read it rejects item by item; what breaks the whole visit it raises.
"""

from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal, Protocol
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

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


Phrase = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Phrases = Annotated[tuple[Phrase, ...], BeforeValidator(_as_list)]  # one phrase may stand without its brackets
WebAddress = Annotated[str, AfterValidator(_web_address)]

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


@dataclass(frozen=True)
class Page:
    """Posts that belong together, and where to go on once they are stored.

    posts: a POSTS batch that conforms; empty if the feed had nothing new.
    cursor: opaque text of the source, never read by anyone else; None means begin anew.
    rejected: items that could not become posts; left_out: posts not stored, counted by reason.
    unchanged: the server said nothing changed (304). capped: what could not be had, or None.
    """

    posts: "pa.RecordBatch"
    cursor: str | None
    rejected: tuple["Rejected", ...] = ()
    left_out: Mapping[str, int] = field(default_factory=Counter)
    unchanged: bool = False
    capped: str | None = None


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
    by the variable's name; one that is not set is not there.
    """

    feed: Any  # the source's Options
    client: "FeedClient"
    cursor: str | None
    started_at: datetime
    pseudonym: Pseudonym
    consent: Literal["opt_out", "opt_in"] = "opt_out"
    window: tuple[datetime, datetime] | None = None
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)


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
