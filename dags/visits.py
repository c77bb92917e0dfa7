"""Many feeds visited side by side in one process, each visit one row of `visits` whatever becomes of it."""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pyarrow as pa

from dags.feed_state import load_state, unseen
from dags.intake import Intake, LakeUnwritable
from dags.settings import CollectSettings
from listeners.feed import FeedError, FeedOptions, FeedUnavailable, Page, Visit
from listeners.http import FeedClient, PoliteClient
from listeners.pseudonym import pseudonym
from listeners.registry import load
from warehouse.lake import Lake
from warehouse.tables import POSTS, VISITS, conform, empty

log = logging.getLogger(__name__)

SIDE_BY_SIDE = 100  # feeds at a time: more gains nothing in one process

TOLD = 1_000  # characters of an error that are kept

Window = tuple[datetime, datetime]


@dataclass(frozen=True)
class Visitor:
    """What all visits of a run share. names_a_brand takes a title and a text; clock gives UTC."""

    lake: Lake
    settings: CollectSettings
    author_key: bytes
    names_a_brand: Callable[[str | None, str], bool]
    clock: Callable[[], datetime]
    run_id: str

    async def visit_all(
        self, feeds: Sequence[FeedOptions], *, window: Window | None = None, on_visit: Callable[[dict], None]
    ) -> list[dict[str, Any]]:
        """Visit every feed once, store what it gave, and return the rows of `visits` in the order of `feeds`.

        window: read that stretch of history instead of going on from the cursor, which stays where it is.
        Raises LakeUnwritable; a feed that fails is a row with its reason.
        """
        intake = Intake(self.lake, self.run_id)
        places = asyncio.Semaphore(SIDE_BY_SIDE)
        options = {"allow_hosts": frozenset(self.settings.allow_hosts), "contact": self.settings.contact}

        async def visit(feed: FeedOptions) -> dict[str, Any]:
            async with places:
                row = await self._visit(feed, client.visit(feed.id), intake, window)
            on_visit(row)
            return row

        async with PoliteClient(**options) as client:
            rows = await asyncio.gather(*map(visit, feeds))
        intake.flush()
        if rows:
            told = conform(pa.RecordBatch.from_pylist(rows, schema=VISITS), VISITS)
            try:
                self.lake.append(told, VISITS, self.run_id)
            except OSError as error:
                raise LakeUnwritable(f"the lake cannot be written: {error}") from error
        return rows

    async def _visit(
        self, feed: FeedOptions, client: FeedClient, intake: Intake, window: Window | None
    ) -> dict[str, Any]:
        started_at = self.clock()
        remembered = load_state(self.lake, feed)
        state = remembered.model_copy(update={"not_before": None})
        tally = _Tally()
        visit = Visit(
            feed=feed,
            client=client,
            cursor=None if window else state.cursor,
            started_at=started_at,
            pseudonym=pseudonym(self.author_key, feed.source),
            consent=self.settings.consent,
            window=window,
        )
        outcome, error = None, None
        try:
            async for page in load(feed.source).pages(visit):
                kept = _kept(page.posts, feed, self.names_a_brand)
                posts, fresh = unseen(kept, state.seen)
                tally.add(page, kept=kept.num_rows, stored=posts.num_rows)
                cursor = state.cursor if window else page.cursor
                state = state.model_copy(update={"cursor": cursor, "seen": {**state.seen, **fresh}})
                intake.reject(feed, page.rejected, started_at)
                if posts.num_rows or state != remembered:  # a quiet feed costs no write
                    intake.add(feed, posts, state)
        except FeedError as failure:
            outcome, error = failure.outcome, str(failure)
            if isinstance(failure, FeedUnavailable) and failure.retry_at:
                intake.add(feed, empty(POSTS), state.model_copy(update={"not_before": failure.retry_at}))
        except LakeUnwritable:
            raise
        except Exception as bug:  # one listener's mistake must not stop the other feeds
            log.exception("%s: the %s listener failed", feed.id, feed.source)
            outcome, error = "failed", f"{feed.id}: {type(bug).__name__}: {bug}"
        return {
            "feed": feed.id,
            "source": feed.source,
            "started_at": started_at,
            "finished_at": max(self.clock(), started_at),
            "outcome": outcome or tally.outcome,
            "posts": tally.stored,
            "left_out": sorted(tally.left_out.items()),
            "requests": client.requests,
            "bytes": client.bytes,
            "error": _storable(error or tally.capped),
        }


@dataclass
class _Tally:
    """What one visit has met so far."""

    stored: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    pages: int = 0
    unchanged: int = 0
    capped: str | None = None

    def add(self, page: Page, *, kept: int, stored: int) -> None:
        self.stored += stored
        self.left_out.update(page.left_out)
        ours = {
            "rejected": len(page.rejected),
            "names no brand": page.posts.num_rows - kept,
            "already stored": kept - stored,
        }
        self.left_out.update({reason: posts for reason, posts in ours.items() if posts})
        self.pages += 1
        self.unchanged += page.unchanged
        self.capped = page.capped or self.capped

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


def _kept(posts: pa.RecordBatch, feed: FeedOptions, names_a_brand: Callable[[str | None, str], bool]) -> pa.RecordBatch:
    """Return the posts the feed's `keep` asks for; where a feed is about a brand, every post is a mention."""
    if feed.keep == "all" or feed.about or not posts.num_rows:
        return posts
    titles, texts = posts.column("title").to_pylist(), posts.column("text").to_pylist()
    return posts.filter(pa.array(map(names_a_brand, titles, texts), type=pa.bool_()))
