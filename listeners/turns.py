"""Several async generators read side by side, one item of each in turn, so that none keeps the others waiting."""

from collections.abc import AsyncIterator, Iterable
from typing import TypeVar

Item = TypeVar("Item")


async def in_turn(sources: Iterable[AsyncIterator[Item]]) -> AsyncIterator[Item]:
    """Yield the first item of each, then the second of each, and so on until all have ended."""
    running = list(sources)
    while running:
        for source in list(running):
            try:
                yield await anext(source)
            except StopAsyncIteration:
                running.remove(source)
