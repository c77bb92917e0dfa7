"""Tests that share a published lake: each tells what is said of a brand of its own, then asks of it."""

from collections.abc import Callable, Generator
from typing import Any

from warehouse_rows import Pairs

Telling = Callable[[str], Generator[Pairs, Callable[..., list[dict[str, Any]]], None]]


def together(telling: Telling) -> Callable[..., None]:
    """Make a test of a generator: given its brand's name it yields what is said of it, is sent `ask`, and goes on."""

    def test(finish: Callable[[str], None]) -> None:
        finish(telling.__name__)

    test.__name__, test.__doc__ = telling.__name__, telling.__doc__
    vars(test)["telling"] = telling
    return test


def tellings(module: object) -> dict[str, Telling]:
    """Return what the tests of a module are made of that are `together`, by the name of the test."""
    return {
        name: vars(one)["telling"] for name, one in vars(module).items() if "telling" in getattr(one, "__dict__", ())
    }
