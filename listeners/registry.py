"""The sources there are. A new one is a module with `Options` and `pages` (feed.py) and one line here."""

from collections.abc import AsyncIterator, Callable, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, cast

from listeners.feed import Listener, Page, Visit

if TYPE_CHECKING:  # it costs the command line's start the import of Arrow
    from listeners.standing import Kept

SOURCES = {  # source -> module
    "appstore": "listeners.appstore",
    "bluesky": "listeners.bluesky",
    "bluesky_search": "listeners.bluesky_search",
    "devto": "listeners.devto",
    "discourse": "listeners.discourse",
    "files": "listeners.files",
    "gdelt": "listeners.gdelt",
    "github": "listeners.github",
    "hackernews": "listeners.hackernews",
    "lemmy": "listeners.lemmy",
    "lobsters": "listeners.lobsters",
    "mastodon": "listeners.mastodon",
    "reddit": "listeners.reddit",
    "rss": "listeners.rss",
    "stackexchange": "listeners.stackexchange",
    "youtube": "listeners.youtube",
}


class UnknownSource(ValueError):
    """No listener has that name; the message lists those there are."""


def load(source: str) -> Listener:
    """Return the listener of a source, importing its module. Raises UnknownSource."""
    if source not in SOURCES:
        raise UnknownSource(f"unknown source {source!r}; there are {', '.join(sorted(SOURCES))}")
    return cast(Listener, import_module(SOURCES[source]))


def network_of(source: str) -> str:
    """Return whose accounts and ids a source reads: its own, unless it is another way into one that has a source."""
    return getattr(load(source), "NETWORK", source)


def has_history(source: str) -> bool:
    """Return whether a backfill can read any stretch of this source's past (`Visit.window`)."""
    return getattr(load(source), "HAS_HISTORY", False)


def standing_of(source: str) -> "Callable[[Visit, Sequence[Kept]], AsyncIterator[Page]] | None":
    """Return what asks a source whether kept posts still stand (standing.py), None where it cannot be asked."""
    return getattr(load(source), "standing", None)


def kept_a_request(source: str) -> int:
    """Return how many kept posts one request asks for."""
    return getattr(load(source), "KEPT_A_REQUEST", 1)
