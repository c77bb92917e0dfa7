"""How many requests each address has left, in windows of time that all begin together."""

import math
from collections.abc import Callable
from datetime import datetime


class Budget:
    """At most so many requests in each window and from each address. limits: (requests, seconds of the window)."""

    def __init__(self, *limits: tuple[int, int], now: Callable[[], datetime]) -> None:
        self._limits, self._now = limits, now
        self._used: dict[tuple[str, int, int], int] = {}

    def spend(self, address: str) -> int:
        """Count a request; return the seconds until it may be sent again, 0 if it may be answered."""
        at = self._now().timestamp()
        wait = 0
        present = {seconds: int(at // seconds) for _, seconds in self._limits}
        self._used = {key: used for key, used in self._used.items() if key[2] == present[key[1]]}
        for most, seconds in self._limits:
            key = (address, seconds, present[seconds])
            self._used[key] = self._used.get(key, 0) + 1
            if self._used[key] > most:
                wait = max(wait, math.ceil((present[seconds] + 1) * seconds - at))
        return wait

    def left(self, address: str) -> int:
        """Return how many requests the tightest window still has."""
        at = self._now().timestamp()
        used = (self._used.get((address, seconds, int(at // seconds)), 0) for _, seconds in self._limits)
        return max(0, min(most - spent for (most, _), spent in zip(self._limits, used, strict=True)))
