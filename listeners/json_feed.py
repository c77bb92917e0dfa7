"""JSON Feed 1 and 1.1 (jsonfeed.org/version/1.1) as the entries that rss.py makes posts of."""

from typing import Any

from listeners import json_text
from listeners.entry import Entry
from listeners.post import moment


class NotAFeed(ValueError):
    """The JSON is no feed; the message says why."""


def parse(text: str) -> tuple[list[Any], str | None]:
    """Return the items of a JSON Feed as they are, and its language. Raises NotAFeed."""
    try:
        feed = json_text.parse(text)
    except (ValueError, RecursionError) as error:
        raise NotAFeed(f"not JSON: {str(error)[:100]}") from error
    if not isinstance(feed, dict) or "jsonfeed.org/version/" not in str(feed.get("version")):
        raise NotAFeed("JSON, but no JSON Feed: `version` is not https://jsonfeed.org/version/...")
    items = feed.get("items")
    if not isinstance(items, list):
        raise NotAFeed(f"`items` of the JSON Feed is {type(items).__name__}, not a list")
    return items, feed.get("language")


def entry(item: Any) -> Entry:
    """Return an item as an entry. Raises TypeError where it is no object or a text is none."""
    if not isinstance(item, dict):
        raise TypeError(f"an item is {type(item).__name__}, not an object")
    html, plain = _text(item, "content_html"), _text(item, "content_text")
    guid = item.get("id")
    return Entry(
        guid=None if guid is None or isinstance(guid, bool) else str(guid),  # 1.1: "may be a number": as text
        link=_text(item, "url") or _text(item, "external_url"),
        title=_text(item, "title"),
        title_is_html=False,
        text=html or plain or _text(item, "summary") or "",
        text_is_html=bool(html),
        author=_author(item),
        published_at=moment(item.get("date_published")),
        updated_at=moment(item.get("date_modified")),
        language=item.get("language"),
    )


def _text(item: dict[str, Any], key: str) -> str | None:
    value = item.get(key)
    if value is not None and not isinstance(value, str):
        raise TypeError(f"{key!r} is {type(value).__name__}, not text")
    return value


def _author(item: dict[str, Any]) -> str | None:
    """The first author's name, or address where there is no name; 1.0 has `author`, 1.1 `authors`."""
    listed = item.get("authors")
    authors = listed if isinstance(listed, list) else [item.get("author")]
    first = authors[0] if authors else None
    if not isinstance(first, dict):
        return None
    name = first.get("name") or first.get("url")
    return name if isinstance(name, str) else None
