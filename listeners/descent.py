"""How far a list is read that can only be had from its newest item down, a page at a time. Pure.

Such a list knows no "since": App Store reviews, the comments of a video. It is read until a page shows nothing that
is not older than what was the newest when the last reading began; that page is the overlap in which items are found
that came late. Items are told apart by their times and not by their ids: one that is edited, deleted or pinned to the
top then neither ends a reading too early nor keeps it from ending.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Self


@dataclass
class Descent:
    """What is read of one list. Times are epoch seconds by the source's clock, by which it sorts.

    read_to: of the newest item when the last reading that came to its end began; None before the first.
    top: the same of the reading under way. at: the page it goes on with; None where none is under way.
    """

    read_to: int | None = None
    top: int | None = None
    at: int | str | None = None

    def overlaps(self, times: Collection[int]) -> bool:
        """Return whether a page reaches what was read before, so that nothing new can be below it."""
        return self.read_to is not None and any(time <= self.read_to for time in times)

    def is_old(self, times: Collection[int]) -> bool:
        """Return whether a page holds nothing but what was read before. One without any time tells nothing."""
        return self.read_to is not None and bool(times) and max(times) < self.read_to

    def begin(self, times: Collection[int]) -> None:
        """Note the first page of a reading."""
        self.top = max(times, default=None)

    def finish(self) -> None:
        """Note that the reading under way came to its end."""
        self.read_to = max((time for time in (self.read_to, self.top) if time is not None), default=None)
        self.top = self.at = None

    def state(self) -> list[int | str | None]:
        """Return it for a cursor."""
        return [self.read_to, self.top, self.at]

    @classmethod
    def of(cls, state: object) -> Self:
        """Return it from a cursor; one that cannot be read begins anew."""
        match state:
            case [int() | None as read_to, int() | None as top, int() | str() | None as at]:
                return cls(read_to, top, at)
        return cls()
