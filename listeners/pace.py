"""Whose turn it is: how many requests run at once, in all and per host, and how far apart they start."""

import asyncio
import math
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

UNANSWERED_AT_MOST = 3  # questions in a row given up, then a host's other feeds need not wait for it too
LEFT_ALONE = 900.0  # seconds

Sleep = Callable[[float], Awaitable[object]]


class _Host:
    def __init__(self, connections: int) -> None:
        self.slots = asyncio.Semaphore(connections)
        self.free_at = 0.0  # no request starts before
        self.held_until = 0.0  # the server asked for quiet until then
        self.unanswered = 0  # questions in a row that were given up


class Pace:
    """The turns of one process. A host is its name and port; one that is `spared` knows no limit but `connections`.

    interval: seconds between the starts of two requests to a host. connections: at once, in all;
    per_host: at once, to one host.
    """

    def __init__(
        self,
        *,
        connections: int,
        per_host: int,
        interval: float,
        sleep: Sleep = asyncio.sleep,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._all = asyncio.Semaphore(connections)
        self._per_host = per_host
        self._interval = interval
        self._sleep = sleep
        self._monotonic = monotonic
        self._hosts: dict[str, _Host] = {}

    @asynccontextmanager
    async def turn(self, host: str, *, spared: bool, patience: float = math.inf) -> AsyncIterator[float]:
        """Wait for a turn at a host and keep it for the block, which is told 0.

        Where the host is to be left alone for longer than `patience`, at once or while others had their turns, the
        block is told for how many seconds, and has no turn.
        """
        if spared:
            async with self._all:
                yield 0.0
            return
        state = self._state(host)
        async with state.slots:
            start = max(self._monotonic(), state.free_at)
            state.free_at = start + self._interval
            while (start := max(start, state.held_until)) > (now := self._monotonic()):
                if state.held_until - now > patience:
                    yield state.held_until - now
                    return
                state.free_at = max(state.free_at, start + self._interval)
                await self._sleep(start - now)
            async with self._all:
                yield 0.0

    def hold(self, host: str, seconds: float) -> None:
        """Let no request to the host start for this long: one feed was told to wait, and that means all of them."""
        state = self._state(host)
        state.held_until = max(state.held_until, self._monotonic() + seconds)

    def answered(self, host: str) -> None:
        """Note that the host gave an answer, whatever it says."""
        self._state(host).unanswered = 0

    def gave_up(self, host: str) -> None:
        """Note that a question was given up after all attempts; after several in a row the host is left alone."""
        state = self._state(host)
        state.unanswered += 1
        if state.unanswered >= UNANSWERED_AT_MOST:
            self.hold(host, LEFT_ALONE)

    def held(self, host: str) -> float:
        """Return for how many seconds the host asked for quiet; 0 if it did not."""
        return max(0.0, self._state(host).held_until - self._monotonic())

    def _state(self, host: str) -> _Host:
        return self._hosts.setdefault(host, _Host(self._per_host))
