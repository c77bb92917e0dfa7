"""How many requests one visit to a feed makes: the rest is left for the next one, and this one says so."""

from dataclasses import dataclass

from listeners.feed import Visit


@dataclass
class Budget:
    """The requests of a visit to a feed with `max_requests`.

    reserved: how many of them are kept back for what comes later in the visit. cut_short: whether one was missing.
    """

    visit: Visit
    reserved: int = 0
    spent: int = 0
    cut_short: bool = False

    def may_ask(self) -> bool:
        """Return whether a request is left; if not, the visit is cut short."""
        left = self.spent < self.visit.feed.max_requests - self.reserved
        self.cut_short |= not left
        return left

    def said(self, what: str = "requests used up") -> str:
        """Return what a visit that was cut short says of it, as the `capped` of its last page."""
        when = "take a shorter stretch for the rest" if self.visit.window else "the rest is read from the next visit on"
        return f"{self.spent} {what}; {when}"
