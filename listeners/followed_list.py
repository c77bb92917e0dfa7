"""Lists by page number whose items are followed for three days: what devto.py and lobsters.py have in common.

What is new is read first, then what was left by the visits before, then the last three days again, for what was edited,
commented or liked since (numbered_pages.py). What was kept and is not listed any more is asked for by itself.

The cursor holds the times still to be read and what is known of the last three days. It moves with every item, so a
visit that is killed, or has used up its requests, is taken up where it stopped. An empty first page moves nothing
(FAULTS 7).
"""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Self

from listeners.budget import Budget
from listeners.feed import CURSOR_FAULTS, Page, TakenDown, Visit
from listeners.numbered_pages import Progress, Stretch
from listeners.post import empty_page

WATCHED = 72 * 3600  # seconds in which an item's edits, comments and counts are followed


@dataclass
class FollowedList:
    """What one visit to a feed with `url` and `tags` knows of its list.

    known: of the last three days, by name: when an item was published, and what else its source tells changes by.
    looked_over: when they were last gone over from the newest down. seen: the names that this visit's lists showed.
    """

    visit: Visit
    budget: Budget
    done: Progress
    known: dict[str, list[Any]]
    looked_over: int
    seen: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, visit: Visit) -> Self:
        """Return what the visit's cursor tells. With other tags or another URL all begins anew."""
        feed, budget = visit.feed, Budget(visit)
        try:
            saved = json.loads(visit.cursor or "{}")
            if saved.get("url") == feed.url and saved.get("tags") == list(feed.tags):
                known = {str(name): [int(known[0]), *known[1:]] for name, known in saved["known"].items()}
                return cls(visit, budget, Progress.read(saved["done"]), known, int(saved["looked_over"]))
        except CURSOR_FAULTS:
            pass
        return cls(visit, budget, Progress(), {}, int(visit.started_at.timestamp()))

    def cursor(self) -> str:
        """Return it as text; what is too old to be looked over is forgotten, but for the second to go on from."""
        ends = {stretch.end for stretch in self.done.stretches}
        kept = {name: what for name, what in self.known.items() if what[0] >= self.since or what[0] in ends}
        place = {"url": self.visit.feed.url, "tags": list(self.visit.feed.tags)}
        return json.dumps({**place, "done": self.done.written(), "looked_over": self.looked_over, "known": kept})

    @property
    def since(self) -> int:
        """From when on what was read is looked over again: however rare visits are, each of it for three days."""
        return self.looked_over - WATCHED

    async def pages(
        self,
        read: Callable[[Stretch, bool], AsyncIterator[Page]],
        missing: Callable[[str], Awaitable[Page | None]],
    ) -> AsyncIterator[Page]:
        """Yield the pages of all that is to be read.

        read: gives those of a stretch, which is told to have been read before or not. missing: gives the tombstone of
        an item that is not listed any more, if it was kept and is gone.
        """
        left, now = list(self.done.stretches), int(self.visit.started_at.timestamp())
        new = self.done.begin(now)
        for stretch in (new, *left):
            async for page in read(stretch, False):
                yield page
        watched = Stretch(self.since, new.start, new.page, all_read=self.since >= new.start)
        if new.all_read and not watched.all_read:
            async for page in read(watched, True):
                yield page
            recent = [name for name, known in self.known.items() if known[0] >= watched.start]
            for name in recent if watched.all_read else ():
                if name not in self.seen and (tombstone := await missing(name)) is not None:
                    yield tombstone
        if new.all_read and watched.all_read and not self.budget.cut_short:
            self.looked_over = now
            yield empty_page(self.cursor())

    def tombstone(self, name: str, post_id: str) -> Page:
        """Return the page that says an item is gone."""
        self.known.pop(name, None)
        return empty_page(self.cursor(), taken_down=TakenDown(posts=frozenset({post_id})))
