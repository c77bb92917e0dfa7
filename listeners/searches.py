"""Searches that are read by stretches of time, the newest first: what is still to be read of each.

An answer shows only so many hits. So a search is asked for a stretch of time, and then for what lies below, down to and
including the second of the oldest hit: some of that second may not have been shown.

The cursor holds the stretches still to be read of each search. It moves with every page, so a visit that is killed, or
that has used up its requests, is taken up where it stopped. A stretch counts as read only when an answer brought its
last hit: an answer without hits moves nothing (FAULTS 7). The stretch then grows with the next visit, which costs no
further request. What is new comes first, then what was left, then what may have changed since it was read.
"""

import json
from collections.abc import AsyncIterator, Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Generic, Self, TypeVar

from listeners.budget import Budget
from listeners.feed import CURSOR_FAULTS, FeedFormatChanged, Page, Visit
from listeners.intervals import Interval, Progress, merged
from listeners.post import empty_page
from listeners.turns import in_turn

Search = TypeVar("Search", bound=Hashable)  # what is searched for: a text, or a tuple of texts


@dataclass
class Searches(Generic[Search]):
    """What one visit knows of a feed's searches. seen: names of hits, each of which comes once however often found."""

    visit: Visit
    place: Sequence[str]
    progress: dict[Search, Progress]
    budget: Budget
    seen: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, visit: Visit, searches: Iterable[Search], place: Sequence[str], *, earliest: int = 0) -> Self:
        """Return what is to be read in a visit: what was left and what is new, or the visit's window.

        place: where the searches are made; elsewhere they begin at the beginning. earliest: no hit is older.
        """
        progress = read_cursor(None if visit.window else visit.cursor, searches, place)
        for done in progress.values():
            if visit.window:
                start, end = (int(at.timestamp()) for at in visit.window)
                done.to_read = merged([Interval(max(earliest, start), end - 1)])
            else:
                done.begin(int(visit.started_at.timestamp()))
        return cls(visit, place, progress, Budget(visit))

    def plan(self, search: Search, *, again: int) -> list[Interval]:
        """Return what to ask for, in order. again: how many seconds below what is new hits may have changed."""
        done = self.progress[search]
        return list(done.to_read) if self.visit.window else done.plan(again=again)

    async def pages(self, of_search: Callable[[Search], AsyncIterator[Page]]) -> AsyncIterator[Page]:
        """Yield the pages of the searches in turn, and last what is left of them for want of requests, if it is."""
        async for page in in_turn(map(of_search, self.progress)):
            yield page
        if self.budget.cut_short and any(done.to_read for done in self.progress.values()):
            yield empty_page(self.cursor(), capped=self.budget.said("searches used up"))

    def cursor(self) -> str:
        """Return how far all of them are read, as text."""
        return write_cursor(self.progress, self.place)


@dataclass(frozen=True)
class Step:
    """What one answer tells: the part of its interval still to be read (None: all read), and what cannot be had."""

    rest: Interval | None
    lost: str | None = None


def next_step(feed_id: str, asked: Interval, times: list[int | None], *, more: bool) -> Step:
    """Return what to read next after hits for an interval, by their times; more: whether it holds others.

    Raises FeedFormatChanged where none lies within the interval, since then nothing would ever end.
    """
    within = [at for at in times if at is not None and asked.start <= at <= asked.end]
    if not within:
        raise FeedFormatChanged(feed_id, f"{len(times)} hits, and none of them from {asked.start} to {asked.end}")
    oldest = min(within)
    if not more:
        return Step(None)
    if oldest < asked.end:
        return Step(Interval(asked.start, oldest))
    lost = f"second {oldest} may hold more than the {len(times)} hits that can be had of it"
    return Step(Interval(asked.start, oldest - 1) if oldest > asked.start else None, lost)


def read_cursor(cursor: str | None, searches: Iterable[Search], place: Sequence[str]) -> dict[Search, Progress]:
    """Return the progress per search. One that is new, or was made at another place, begins at the beginning."""
    try:
        saved = json.loads(cursor or "{}")
        known = {
            str(search): Progress(int(read_to), [Interval(int(start), int(end)) for start, end in to_read])
            for search, (read_to, to_read) in (saved["searches"] if saved.get("place") == list(place) else {}).items()
        }
    except CURSOR_FAULTS:
        known = {}
    return {search: known.get(json.dumps(search), Progress()) for search in searches}


def write_cursor(progress: dict[Search, Progress], place: Sequence[str]) -> str:
    """Return the progress as text."""
    searches = {json.dumps(search): [done.read_to, done.to_read] for search, done in progress.items()}
    return json.dumps({"place": list(place), "searches": searches})
