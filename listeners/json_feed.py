"""JSON Feed 1 and 1.1 (jsonfeed.org/version/1.1) as the entries that rss.py makes posts of."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from listeners import json_text
from listeners.entry import Entry, Part, everything_said, longest
from listeners.post import moment


class NotAFeed(ValueError):
    """The JSON is no feed; the message says why."""


def parse(text: str) -> tuple[list[Any], str | None, str | None]:
    """Return the items of a JSON Feed as they are, its language, and who wrote what names no author.

    Raises NotAFeed.
    """
    try:
        feed = json_text.parse(text)
    except (ValueError, RecursionError) as error:
        raise NotAFeed(f"not JSON: {str(error)[:100]}") from error
    if not isinstance(feed, dict) or "jsonfeed.org/version/" not in str(feed.get("version")):
        raise NotAFeed("JSON, but no JSON Feed: `version` is not https://jsonfeed.org/version/...")
    items = feed.get("items")
    if not isinstance(items, list):
        raise NotAFeed(f"`items` of the JSON Feed is {type(items).__name__}, not a list")
    return items, feed.get("language"), _author(feed)


def entry(item: Any) -> Entry:
    """Return an item as an entry. Raises TypeError where it is no object or a text is none."""
    if not isinstance(item, dict):
        raise TypeError(f"an item is {type(item).__name__}, not an object")
    html, plain, summary = (_text(item, key) or "" for key in ("content_html", "content_text", "summary"))
    guid, link = item.get("id"), _text(item, "url") or _text(item, "external_url")
    text = longest((Part(html, True), Part(plain, False))) if html or plain else Part(summary, False)
    title, dated = _text(item, "title"), item.get("date_published")
    published_at = _date(dated)
    return Entry(
        guid=None if guid is None or isinstance(guid, bool) else str(guid),  # 1.1: "may be a number": as text
        link=link,
        title=title,
        title_is_html=False,
        text=text.value,
        text_is_html=text.is_html,
        author=_author(item),
        published_at=published_at,
        updated_at=_date(item.get("date_modified")),
        language=item.get("language"),
        base=link,
        media=_media(item),
        said="" if guid or link or title or text.value else everything_said(item),
        dated="" if published_at or dated is None else str(dated),
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


def _media(item: dict[str, Any]) -> str | None:
    """The address of the first attachment, else of the picture."""
    listed = item.get("attachments")
    files = [file.get("url") for file in listed if isinstance(file, dict)] if isinstance(listed, list) else []
    return next((file for file in (*files, item.get("image"), item.get("banner_image")) if isinstance(file, str)), None)


def _date(value: object) -> datetime | None:
    """A date as the format has it (RFC 3339), or as makers of RSS write it all the same."""
    found = moment(value)
    if found is None and isinstance(value, str):
        try:
            found = parsedate_to_datetime(value)
        except (ValueError, TypeError, IndexError, OverflowError):
            return None
        found = found.replace(tzinfo=UTC) if found.tzinfo is None else found
    try:
        return found.astimezone(UTC) if found else None
    except (ValueError, OverflowError):
        return None
