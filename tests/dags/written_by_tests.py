"""What tests of the stages write: an RSS feed, a listening.toml."""

import json
from pathlib import Path

from dags.settings import Settings, load_settings


def rss(*items: tuple[str, str]) -> bytes:
    """An RSS feed of (guid, text) items."""
    entries = "".join(
        f"<item><guid>{guid}</guid><title>{text}</title><pubDate>Fri, 20 Nov 2026 10:00:00 GMT</pubDate></item>"
        for guid, text in items
    )
    return f'<?xml version="1.0"?><rss version="2.0"><channel><title>t</title>{entries}</channel></rss>'.encode()


def toml_of(feeds: dict[str, str], *, brand: str = "Acme", more: str = "") -> str:
    """A listening.toml with one brand and RSS feeds by id and URL."""
    tables = "".join(f'\n[[feed]]\nid = "{name}"\nsource = "rss"\nurl = "{url}"\n' for name, url in feeds.items())
    return f'[[brand]]\nname = {json.dumps(brand)}\nowners = {{ default = "care" }}\n{tables}\n' + (
        f'[collect]\nallow_hosts = ["127.0.0.1"]\n{more}'
    )


def settings_in(folder: Path, toml: str, **variables: str) -> Settings:
    """Write a listening.toml into a folder and return its settings, with a lake in that folder."""
    file = folder / "listening.toml"
    file.write_text(toml, encoding="utf-8")
    return load_settings({"WOM_CONFIG": str(file), "WOM_LAKE": str(folder / "lake"), **variables})
