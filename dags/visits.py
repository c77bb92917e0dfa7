"""Many feeds visited side by side in one process, each visit one row of `visits` whatever becomes of it."""

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute

from dags.feed_state import fingerprints, load_state, unseen
from dags.intake import Intake, LakeUnwritable
from dags.polling import LastVisit, last_visits, plan
from dags.settings import CollectSettings
from dags.tombstones import tombstones
from listeners.feed import (
    NAMES_NO_BRAND,
    FeedError,
    FeedFormatChanged,
    FeedOptions,
    FeedUnavailable,
    Page,
    TakenDown,
    Visit,
)
from listeners.http import FeedClient, PoliteClient
from listeners.pseudonym import pseudonym
from listeners.registry import load, network_of
from warehouse.lake import Lake
from warehouse.storage import OutOfReach
from warehouse.tables import VISITS, conform

pc: Any = pyarrow.compute  # its functions are made at import, where no type checker sees them

log = logging.getLogger(__name__)

SIDE_BY_SIDE = 100  # feeds at a time: more gains nothing in one process

TOLD = 1_000  # characters of an error that are kept

# A source that changed its format shows as items that cannot be read; one odd item in a hundred is daily life.
REJECTS_AT_LEAST = 5
REJECTS_SHARE = 0.2  # of all items of a visit so far; from there on the visit has failed

Window = tuple[datetime, datetime]
Reading = Callable[[Visit], AsyncIterator[Page]]


@dataclass(frozen=True)
class Visitor:
    """What all visits of a run share. names_a_brand takes a title and a text; clock gives UTC.

    environment: where the secrets are that feeds name.
    """

    lake: Lake
    settings: CollectSettings
    author_key: bytes
    names_a_brand: Callable[[str | None, str], bool]
    clock: Callable[[], datetime]
    run_id: str
    environment: Mapping[str, str] = field(repr=False)

    async def visit_all(
        self,
        feeds: Sequence[FeedOptions],
        *,
        window: Window | None = None,
        readings: Mapping[str, Reading] | None = None,
        on_visit: Callable[[dict], None],
    ) -> list[dict[str, Any]]:
        """Visit every feed once, store what it gave, and return the rows of `visits` in the order of `feeds`.

        window: read that stretch of history instead of going on from the cursor, which stays where it is. readings:
        read this of a feed instead, by its id; likewise.
        Raises LakeUnwritable or OutOfReach; a feed that fails is a row with its reason. Where the run is broken off,
        what was visited is stored all the same.
        """
        intake = Intake(self.lake, self.run_id, self.author_key)
        last = last_visits(self.lake, self.clock())
        rows: dict[str, dict[str, Any]] = {}
        places = asyncio.Semaphore(SIDE_BY_SIDE)
        options = {"allow_hosts": frozenset(self.settings.allow_hosts), "contact": self.settings.contact}

        async def visit(feed: FeedOptions) -> None:
            async with places:
                asking = client.visit(feed.id, feed.redirect_hosts)
                row = await self._visit(feed, asking, intake, last.get(feed.id), window, (readings or {}).get(feed.id))
            rows[feed.id] = row
            on_visit(row)

        fault = None
        try:
            async with PoliteClient(**options) as client, asyncio.TaskGroup() as visits:
                for feed in feeds:
                    visits.create_task(visit(feed))
        except* (LakeUnwritable, OutOfReach) as errors:
            fault = errors.exceptions[0]  # raised here it would come in a group of its own
        finally:
            intake.flush()
            self._record(list(rows.values()))
        if fault is not None:
            raise fault
        return [rows[feed.id] for feed in feeds]

    def _record(self, rows: list[dict[str, Any]]) -> None:
        if not rows:
            return
        told = conform(pa.RecordBatch.from_pylist(rows, schema=VISITS), VISITS)
        try:
            self.lake.append(told, VISITS, self.run_id)
        except OSError as error:
            raise LakeUnwritable(f"the lake cannot be written: {error}") from error

    async def _visit(
        self,
        feed: FeedOptions,
        client: FeedClient,
        intake: Intake,
        last: LastVisit | None,
        window: Window | None,
        reading: Reading | None,
    ) -> dict[str, Any]:
        aside = window is not None or reading is not None
        started_at = self.clock()
        state = remembered = load_state(self.lake, feed)
        tally = _Tally()
        visit = Visit(
            feed=feed,
            client=client,
            cursor=None if aside else state.cursor,
            started_at=started_at,
            pseudonym=pseudonym(self.author_key, network_of(feed.source)),
            consent=self.settings.consent,
            window=window,
            secrets=feed.secrets_in(self.environment),
            wanted=(lambda title, text: True) if keeps_all(feed) else self.names_a_brand,
        )
        outcome, error, retry_at = None, None, None
        try:
            async for page in (reading or load(feed.source).pages)(visit):
                standing, taken_down = _parted(page)
                new = unseen(standing, state.seen)
                kept = _kept(new, feed, self.names_a_brand)
                posts = intake.forgotten.without(kept)
                fresh = fingerprints(posts)
                tally.add(page, standing.num_rows, new=new.num_rows, kept=kept.num_rows, stored=posts.num_rows)
                unreadable = tally.unreadable(feed.id)
                if fresh or not (aside or unreadable or page.cursor == state.cursor):
                    cursor = state.cursor if aside or unreadable else page.cursor
                    state = state.model_copy(update={"cursor": cursor, "seen": {**state.seen, **fresh}})
                intake.reject(feed, page.rejected, started_at)
                if posts.num_rows or state is not remembered:  # a quiet feed costs no write
                    intake.add(feed, posts, state)
                if taken_down.posts or taken_down.authors:
                    gone = tombstones(self.lake, intake.held, feed, taken_down, started_at)
                    state = state.model_copy(update={"seen": {**state.seen, **fingerprints(gone)}})
                    tally.stored += gone.num_rows
                    intake.add(feed, gone, state)
                if unreadable:
                    raise unreadable
        except FeedError as failure:
            outcome, error = failure.outcome, str(failure)
            retry_at = failure.retry_at if isinstance(failure, FeedUnavailable) else None
        except (LakeUnwritable, OutOfReach):  # the lake's, no feed's
            raise
        except Exception as bug:  # one listener's mistake must not stop the other feeds
            log.exception("%s: the %s listener failed", feed.id, feed.source)
            outcome, error = "failed", f"{feed.id}: {type(bug).__name__}: {bug}"
        outcome = outcome or tally.outcome
        planned = None
        if not aside:
            bounds = self._bounds(feed)
            planned = plan(outcome, started_at, last, bounds, rest=tally.rest, retry_at=retry_at)
        return {
            "feed": feed.id,
            "source": feed.source,
            "started_at": started_at,
            "finished_at": max(self.clock(), started_at),
            "outcome": outcome,
            "posts": tally.stored,
            "left_out": sorted(tally.left_out.items()),
            "requests": client.requests,
            "bytes": client.bytes,
            "error": _storable(error or tally.capped or tally.suspect),
            "next_visit_at": planned.next_visit_at if planned else None,
            "waiting_for": planned.waiting_for if planned else None,
            "failing_since": planned.failing_since if planned else None,
            "notes": sorted(tally.notes.items()) or None,
        }

    def _bounds(self, feed: FeedOptions) -> tuple[timedelta, timedelta]:
        shortest, longest = feed.poll_minutes or self.settings.poll_minutes
        return timedelta(minutes=shortest), timedelta(minutes=longest)


@dataclass
class _Tally:
    """What one visit has met so far."""

    stored: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    notes: Counter[str] = field(default_factory=Counter)
    pages: int = 0
    unchanged: int = 0
    rejected: int = 0
    why_rejected: str = ""
    items: int = 0
    capped: str | None = None
    suspect: str | None = None
    rest: timedelta | None = None

    def add(self, page: Page, standing: int, *, new: int, kept: int, stored: int) -> None:
        self.stored += stored
        self.left_out.update(page.left_out)
        self.notes.update(page.notes)
        ours = {
            "rejected": len(page.rejected),
            NAMES_NO_BRAND: new - kept,
            "forgotten": kept - stored,
            "already stored": standing - new,
        }
        self.left_out.update({reason: posts for reason, posts in ours.items() if posts})
        self.pages += 1
        self.unchanged += page.unchanged
        self.rejected += len(page.rejected)
        self.why_rejected = self.why_rejected or (page.rejected[0].reason if page.rejected else "")
        self.items += page.posts.num_rows + sum(page.left_out.values()) + len(page.rejected)
        self.capped = page.capped or self.capped
        self.suspect = page.suspect or self.suspect
        self.rest = page.rest or self.rest

    def unreadable(self, feed_id: str) -> FeedFormatChanged | None:
        """Return the error of a visit of whose items too many could not become posts, or None."""
        if self.rejected < REJECTS_AT_LEAST or self.rejected < REJECTS_SHARE * self.items:
            return None
        said = f"{self.rejected} of {self.items} items cannot be read (see rejects), as one {self.why_rejected}"
        return FeedFormatChanged(feed_id, said)

    @property
    def outcome(self) -> str:
        """Return the outcome of a visit that came to its end."""
        if self.capped:
            return "capped"
        if self.stored:
            return "new"
        return "unchanged" if self.pages and self.pages == self.unchanged else "empty"


def _storable(told: str | None) -> str | None:
    """Return what went wrong without what Arrow refuses: messages quote what servers sent."""
    return told and told[:TOLD].encode(errors="backslashreplace").decode()


def _parted(page: Page) -> tuple[pa.RecordBatch, TakenDown]:
    """Return a page's posts that stand, and what is gone: a tombstone names no brand, and is kept for what was kept."""
    deleted, gone = page.posts.column("deleted"), page.taken_down or TakenDown()
    if not pc.any(deleted).as_py():
        return page.posts, gone
    named = page.posts.filter(deleted).column("post_id").to_pylist()
    return page.posts.filter(pc.invert(deleted)), TakenDown(gone.posts | set(named), gone.authors)


def keeps_all(feed: FeedOptions) -> bool:
    """Return whether posts are stored that name no brand; where a feed is about one, every post is a mention of it."""
    return feed.keep == "all" or feed.about is not None


def _kept(posts: pa.RecordBatch, feed: FeedOptions, names_a_brand: Callable[[str | None, str], bool]) -> pa.RecordBatch:
    """Return the posts the feed's `keep` asks for."""
    if keeps_all(feed) or not posts.num_rows:
        return posts
    titles, texts = posts.column("title").to_pylist(), posts.column("text").to_pylist()
    return posts.filter(pa.array(map(names_a_brand, titles, texts), type=pa.bool_()))
