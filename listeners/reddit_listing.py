"""How far the listings of Reddit are read: the part of reddit.py that knows what is left of each. Pure.

Listings go on from the fullname of an item, which ends them where that item was deleted meanwhile; so several are kept,
and what is read is known by time.
"""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

STRETCHES = 8  # kept per listing; older ones are joined, which costs reading something again
ANCHORS = 4  # items to go on from, should some of them be deleted


class Listing(NamedTuple):
    """One listing. kind: search, new or comments. name: the phrase, or the subreddit."""

    kind: str
    name: str

    def __str__(self) -> str:
        return f"the search for {self.name!r}" if self.kind == "search" else f"r/{self.name}/{self.kind}"


@dataclass(eq=False)  # each is itself
class Stretch:
    """Published times still to be read of one listing, epoch seconds: from `end` down to `start`.

    depth: how many items of the listing come before. anchors: items to go on from, the best first; none for its
    beginning.
    """

    start: int
    end: int
    depth: int = 0
    anchors: list[str] = field(default_factory=list)


@dataclass
class Progress:
    """How far one listing is read. read_to: the newest time seen, None before the first visit."""

    read_to: int | None = None
    stretches: list[Stretch] = field(default_factory=list)

    def begin(self, newest: int) -> Stretch:
        """Add what came since the last visit; newest: the time of the newest item."""
        stretch = Stretch(min(self.read_to or 0, newest), newest)
        self.read_to = max(self.read_to or 0, newest)
        self.stretches.insert(0, stretch)
        while len(self.stretches) > STRETCHES:
            older = self.stretches.pop()
            self.stretches[-1].start = min(older.start, self.stretches[-1].start)
        return stretch

    def state(self) -> list[Any]:
        """Return it for a cursor."""
        return [self.read_to, [[one.start, one.end, one.depth, one.anchors] for one in self.stretches]]

    @classmethod
    def of(cls, state: Any) -> "Progress":
        """Return it from a cursor. Raises TypeError or ValueError where it is none."""
        read_to, stretches = state
        kept = [
            Stretch(int(start), int(end), int(depth), [str(anchor) for anchor in anchors])
            for start, end, depth, anchors in stretches
        ]
        return cls(None if read_to is None else int(read_to), kept)
