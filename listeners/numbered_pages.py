"""Lists served by page number, the newest first: which times are still to be read, and on which page they stand by now.

New items push the others to later pages, and what is taken down lets them move up. So a page number is but a hint: a
list is taken up on the page where it was left, or on an earlier one that reaches above what is to be read.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

STRETCHES = 8  # kept; older ones are joined, which costs reading something again

Fetch = Callable[[int], Awaitable[list[Any] | None]]  # number of a page, from 1 -> its items; None: not to be asked now


@dataclass(eq=False)  # each is itself
class Stretch:
    """Times still to be read, epoch seconds, from `end` down to `start`, both included.

    page: where to look for `end`. all_read: whether nothing is left of it.
    """

    start: int
    end: int
    page: int = 1
    all_read: bool = False


@dataclass
class Progress:
    """How far a list is read. read_to: the newest time seen, None before the first visit."""

    read_to: int | None = None
    stretches: list[Stretch] = field(default_factory=list)

    def begin(self, now: int) -> Stretch:
        """Return what came since the last visit; it is not noted yet."""
        return Stretch(min(self.read_to or 0, now), now)

    def note(self, stretch: Stretch, newest: int | None) -> None:
        """Keep a stretch as the newest to be read; newest: the time of its newest item, if that is known."""
        self.read_to = max(self.read_to or 0, min(newest or 0, stretch.end))
        self.stretches.insert(0, stretch)
        while len(self.stretches) > STRETCHES:
            older = self.stretches.pop()
            self.stretches[-1].start = min(older.start, self.stretches[-1].start)

    def drop_read(self) -> None:
        """Forget the stretches that are read to their end."""
        self.stretches = [stretch for stretch in self.stretches if not stretch.all_read]

    def written(self) -> list[Any]:
        """Return the progress as a list for JSON."""
        return [self.read_to, [[stretch.start, stretch.end, stretch.page] for stretch in self.stretches]]

    @classmethod
    def read(cls, written: Any) -> "Progress":
        """Return the progress that was written. Raises TypeError or ValueError where it is none."""
        read_to, stretches = written
        kept = [Stretch(int(start), int(end), max(1, int(page))) for start, end, page in stretches]
        return cls(None if read_to is None else int(read_to), kept)


async def walk(stretch: Stretch, fetch: Fetch, when: Callable[[Any], int | None]) -> AsyncIterator[list[Any]]:
    """Yield the items of a stretch, and those without a time, page by page, the newest first, until all are read.

    when: an item's time, None if it has none. Whoever has dealt with an item lowers the stretch's `end` to its time;
    `page` moves by itself. An empty page ends the list, unless it is the first: that is not believed. So does a page
    that is the one before over again.
    """
    newest = stretch.end
    page = stretch.page
    items = await fetch(page)
    while items is not None and page > 1 and max(_times(items, when), default=-1) < newest:
        page -= 1
        items = await fetch(page)
    before: list[Any] = []
    while items is not None:
        stretch.page = page
        if not items or items == before:
            stretch.all_read = page > 1
            return
        yield [item for item in items if (at := when(item)) is None or stretch.start <= at <= newest]
        if min(_times(items, when), default=stretch.start) < stretch.start:
            stretch.all_read = True
            return
        before, page = items, page + 1
        items = await fetch(page)


def _times(items: list[Any], when: Callable[[Any], int | None]) -> list[int]:
    return [at for item in items if (at := when(item)) is not None]
