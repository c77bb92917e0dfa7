"""The configurations that listen to the built-in feed server."""

import tomllib
from importlib.resources import files
from typing import Any


def demo_config(server: str) -> str:
    """Return the text of a listening.toml for the server at this base URL."""
    return _at(server, _text("listening.toml"))


def every_source(server: str) -> str:
    """Return the text of a listening.toml that reads every source the server at this base URL plays, and keeps all."""
    brands, _, _ = _text("listening.toml").partition("[[feed]]")
    return _at(server, brands + _text("every_source.toml"))


def feeds(server: str, source: str) -> list[dict[str, Any]]:
    """Return the [[feed]] tables of a source in every_source(server)."""
    return [feed for feed in tomllib.loads(every_source(server))["feed"] if feed["source"] == source]


def _at(server: str, text: str) -> str:
    server = server.rstrip("/")
    return text.replace("{server}", server).replace("{stream}", f"ws{server.removeprefix('http')}")


def _text(name: str) -> str:
    return files("listeners.feed_server").joinpath(name).read_text(encoding="utf-8")
