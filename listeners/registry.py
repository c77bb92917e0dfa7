"""The sources there are. A new one is a module with `Options` and `pages` (feed.py) and one line here."""

from importlib import import_module
from typing import cast

from listeners.feed import Listener

SOURCES = {  # source -> module
    "hackernews": "listeners.hackernews",
    "mastodon": "listeners.mastodon",
    "rss": "listeners.rss",
}


class UnknownSource(ValueError):
    """No listener has that name; the message lists those there are."""


def load(source: str) -> Listener:
    """Return the listener of a source, importing its module. Raises UnknownSource."""
    if source not in SOURCES:
        raise UnknownSource(f"unknown source {source!r}; there are {', '.join(sorted(SOURCES))}")
    return cast(Listener, import_module(SOURCES[source]))


def has_history(source: str) -> bool:
    """Return whether a backfill can read any stretch of this source's past (`Visit.window`)."""
    return getattr(load(source), "HAS_HISTORY", False)
