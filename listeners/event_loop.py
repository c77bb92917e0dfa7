"""The event loop that a run of visits turns on."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

Result = TypeVar("Result")


def run(coroutine: Coroutine[Any, Any, Result]) -> Result:
    """Return what the coroutine returns.

    uvloop's loop (https://uvloop.readthedocs.io) rather than asyncio's, to which each of a thousand small answers costs
    more CPU. The Runner is asyncio's, so that Ctrl-C cancels visits and lets them close.
    """
    import uvloop  # DAG files import this module, and need no loop

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(coroutine)
