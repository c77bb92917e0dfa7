"""The configuration that listens to the built-in feed server."""

from importlib.resources import files


def demo_config(server: str) -> str:
    """Return the text of a listening.toml for the server at this base URL."""
    text = files("listeners.feed_server").joinpath("listening.toml").read_text(encoding="utf-8")
    return text.replace("{server}", server.rstrip("/"))
