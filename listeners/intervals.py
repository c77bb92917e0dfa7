"""Stretches of time still to be read, as whole epoch seconds, both ends included. All pure."""

from collections.abc import Iterable
from typing import NamedTuple


class Interval(NamedTuple):
    """From `start` to `end`, both included."""

    start: int
    end: int


def merged(intervals: Iterable[Interval]) -> list[Interval]:
    """Return the same seconds as intervals that share none, the newest first; neighbours stay apart."""
    joined: list[Interval] = []
    for interval in sorted(interval for interval in intervals if interval.start <= interval.end):
        if joined and interval.start <= joined[-1].end:
            joined[-1] = Interval(joined[-1].start, max(joined[-1].end, interval.end))
        else:
            joined.append(interval)
    return joined[::-1]


def without(intervals: Iterable[Interval], read: Interval) -> list[Interval]:
    """Return the intervals less the seconds of one, in the same order."""
    left: list[Interval] = []
    for interval in intervals:
        above = Interval(max(interval.start, read.end + 1), interval.end)
        below = Interval(interval.start, min(interval.end, read.start - 1))
        kept = [interval] if read.start > read.end else list(dict.fromkeys((above, below)))
        left += [part for part in kept if part.start <= part.end]
    return left
