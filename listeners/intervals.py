"""Stretches of a source still to be read, both ends included: epoch seconds, or ids that only grow. All pure."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple


class Interval(NamedTuple):
    """From `start` to `end`, both included."""

    start: int
    end: int


@dataclass
class Progress:
    """What is read of one source, and what is not. read_to: the newest second or id, None before the first visit."""

    read_to: int | None = None
    to_read: list[Interval] = field(default_factory=list)

    def begin(self, newest: int) -> None:
        """Add what came since the last visit, the last second or id of that included: it was not over."""
        self.to_read = merged([*self.to_read, Interval(min(self.read_to or 0, newest), newest)])
        self.read_to = max(newest, self.read_to or 0)

    def plan(self, *, again: int) -> list[Interval]:
        """Return what to ask for, in order: the newest, what is left from before, and what is to be read again.

        again: how far below the newest stretch posts may still have changed.
        """
        newest, *older = self.to_read
        changeable = max(0, newest.start - again)
        if not older:
            return [Interval(changeable, newest.end)]
        return [newest, *older, *merged([Interval(changeable, newest.start - 1)])]

    def have_read(self, asked: Interval, rest: Interval | None) -> None:
        """Take off what was asked for, save the rest below."""
        self.to_read = without(self.to_read, Interval(rest.end + 1 if rest else asked.start, asked.end))


def merged(intervals: Iterable[Interval]) -> list[Interval]:
    """Return the same stretches as intervals that share none, the newest first; neighbours stay apart."""
    joined: list[Interval] = []
    for interval in sorted(interval for interval in intervals if interval.start <= interval.end):
        if joined and interval.start <= joined[-1].end:
            joined[-1] = Interval(joined[-1].start, max(joined[-1].end, interval.end))
        else:
            joined.append(interval)
    return joined[::-1]


def without(intervals: Iterable[Interval], read: Interval) -> list[Interval]:
    """Return the intervals less one stretch, in the same order."""
    left: list[Interval] = []
    for interval in intervals:
        above = Interval(max(interval.start, read.end + 1), interval.end)
        below = Interval(interval.start, min(interval.end, read.start - 1))
        kept = [interval] if read.start > read.end else list(dict.fromkeys((above, below)))
        left += [part for part in kept if part.start <= part.end]
    return left
