"""A row of a company's file as a post: the part of files.py that reads its values.

Texts with HTML in them become what a reader sees. Dates are ISO 8601, RFC 2822, 2026/11/20, 20.11.2026 or epoch seconds
or milliseconds; those without a zone are in `time_zone`. A row without text and title is left out ("no text"). Nobody
states consent in such files: with opt_in none of them is stored.
"""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, tzinfo
from email.utils import parsedate_to_datetime
from typing import Any
from zoneinfo import ZoneInfo

from listeners.consent import without_opt_in
from listeners.feed import Visit
from listeners.plain_text import clean, from_html
from listeners.post import UNDATED_BEFORE, LeftOut, as_received, moment, row

# What a column can be, besides what row() makes of it by itself.
OURS = (
    "id", "text", "title", "author", "published_at", "edited_at", "url", "rating", "language", "kind", "likes",
    "replies", "shares", "views",
)  # fmt: skip
KINDS = ("post", "comment", "review", "article", "video", "question")

_MARKUP = re.compile(r"(?i)</?(?:p|br|div|span|a|b|i|em|strong|ul|ol|li|table|html|body)\b[^<>]*>")
_NUMBER = re.compile(r"-?\d{1,15}([.,]\d{1,15})?")
_DAY_FIRST = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})(.*)", re.DOTALL)
_SLASHED = re.compile(r"(\d{4})/(\d{1,2})/(\d{1,2})(.*)", re.DOTALL)
_MILLISECONDS_FROM = 10**11  # as seconds, that is the year 5138


def to_post(cells: Mapping[str, Any], visit: Visit, fallback: str) -> dict[str, Any]:
    """Return a row of a file, by our names, as a row of posts. fallback: what it is known by where it has no id.

    Raises LeftOut where there is nothing to read; TypeError or ValueError where a value is not what it should be.
    """
    feed = visit.feed
    consent = without_opt_in(visit)
    title, text = _words(cells, "title"), _words(cells, "text")
    if not (title or text):
        raise LeftOut("no text")
    zone = ZoneInfo(feed.time_zone)
    author, kind = _name(cells, "author"), str(cells.get("kind") or "").strip().lower()
    return row(
        visit,
        post_id=post_id(feed.id, _name(cells, "id") or fallback),
        kind=kind if kind in KINDS else "review" if feed.rating_scale else "post",
        url=cells.get("url"),
        title=title or None,
        text=text,
        language=cells.get("language"),
        account=f"{feed.id}/{author}" if author else None,
        published_at=_moment(cells, "published_at", zone),
        edited_at=_moment(cells, "edited_at", zone),
        likes=_whole(cells.get("likes")),
        replies=_whole(cells.get("replies")),
        shares=_whole(cells.get("shares")),
        views=_whole(cells.get("views")),
        rating=_rating(cells.get("rating"), feed.rating_scale) if feed.rating_scale else None,
        consent=consent,
    )


def post_id(feed_id: str, name: str) -> str:
    """Return a row's post_id; its id is unique within its feed."""
    return f"files:{feed_id}:{name}"


def _words(cells: Mapping[str, Any], ours: str) -> str:
    value = cells.get(ours)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise TypeError(f"{ours} is {type(value).__name__}, not text")
    return from_html(value) if _MARKUP.search(value) else clean(value)


def _name(cells: Mapping[str, Any], ours: str) -> str:
    value = cells.get(ours)
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise TypeError(f"{ours} is {type(value).__name__}, neither text nor a whole number")
    return str(value).strip()


def _whole(value: object) -> object:
    """A count as a whole number; what is none, row() makes nothing of."""
    number = _number(value)
    return int(number) if number is not None and number.is_integer() else None


def _number(value: object) -> float | None:
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        return float(value.strip().replace(",", "."))
    if isinstance(value, bool) or not hasattr(value, "__float__"):
        return None
    return float(value)  # type: ignore[arg-type]  int, float, Decimal


def _rating(value: object, scale: tuple[float, float]) -> float | None:
    """A rating on the scale, from 0 to 1. Raises ValueError where it is not on it."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    lowest, highest = scale
    number = _number(value)
    if number is None or not lowest <= number <= highest:
        raise ValueError(f"rating is {as_received(value)[:40]}, not a number from {lowest:g} to {highest:g}")
    return (number - lowest) / (highest - lowest)


def _moment(cells: Mapping[str, Any], ours: str, zone: tzinfo) -> datetime | None:
    """A date as UTC time. Raises ValueError where it is none that can be read."""
    value = cells.get(ours)
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    found = _date(value, zone)
    if found is None:
        raise ValueError(f"{ours} is {as_received(value)[:40]}, no date as in 2026-11-20 14:30")
    return (found.replace(tzinfo=zone) if found.tzinfo is None else found).astimezone(UTC)


def _date(value: object, zone: tzinfo) -> datetime | None:
    """A date with or without a zone, or None for anything else."""
    if isinstance(value, datetime):
        return value
    if isinstance(value, date):
        return datetime.combine(value, time(), zone)
    text = value.strip() if isinstance(value, str) else ""
    number = None if re.fullmatch(r"\d{8}", text) else _number(value)  # 20261120 is a day
    if number is not None:
        number = number / 1000 if number >= _MILLISECONDS_FROM else number
        return moment(number) if number >= UNDATED_BEFORE.timestamp() else None
    if found := _DAY_FIRST.fullmatch(text):
        text = f"{found[3]}-{found[2]:0>2}-{found[1]:0>2}{found[4]}"
    elif found := _SLASHED.fullmatch(text):
        text = f"{found[1]}-{found[2]:0>2}-{found[3]:0>2}{found[4]}"
    for read in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            return read(re.sub(r"(?<=\d) ?UTC$", "+00:00", text))
        except (ValueError, TypeError, IndexError, OverflowError):
            continue
    return None
