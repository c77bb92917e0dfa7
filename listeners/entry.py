"""An entry of a feed, whichever of the three formats it came in."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

_TAG = re.compile(r"<[^<>]*>")
_VIDEO = re.compile(r"(?i)https?://(?:www\.)?(?:youtube\.com/(?:watch|shorts)|youtu\.be/|vimeo\.com/\d)")
_SAYS_NOTHING = frozenset({"type", "rel", "language", "base", "guidislink"})  # feedparser's, of elements that are empty


@dataclass(frozen=True)
class Entry:
    """What RSS, Atom and JSON Feed entries have in common; None where the entry does not say.

    text and title may be HTML, as flagged. author is a name, or an address where there is none. base: what relative
    links of the text are relative to. media: address of the recording, picture or video that the entry is about.
    said: whatever else an entry tells that has neither guid, link, title nor text; else empty. dated: the words it has
    for its date, where they tell none; else empty.
    """

    guid: str | None
    link: str | None
    title: str | None
    title_is_html: bool
    text: str
    text_is_html: bool
    author: str | None
    published_at: datetime | None
    updated_at: datetime | None
    language: object = None
    is_video: bool = False
    views: object = None
    replies: object = None
    base: str | None = None
    media: str | None = None
    said: str = ""
    dated: str = ""

    @property
    def is_empty(self) -> bool:
        """Return whether the entry holds nothing whatever."""
        told = (self.guid, self.link, self.title, self.text, self.author, self.published_at, self.media, self.said)
        return not any(part.strip() if isinstance(part, str) else part for part in told)


class Part(NamedTuple):
    """One of the texts an entry comes with."""

    value: str
    is_html: bool
    language: object = None
    base: str | None = None


def longest(parts: Iterable[Part]) -> Part:
    """Return the part with the most to read, tags not counted; the first of several, an empty one if there is none."""
    found = [part for part in parts if part.value]
    if len(found) < 2:
        return found[0] if found else Part("", False)
    return max(found, key=lambda part: len(_TAG.sub("", part.value)) if part.is_html else len(part.value))


def is_video(link: str | None) -> bool:
    """Return whether a link leads to where nothing but videos are."""
    return bool(link and _VIDEO.match(link))


def number(value: object) -> int | None:
    """Return a count as feeds write them, or None."""
    return int(value) if isinstance(value, str) and re.fullmatch(r"\s*\d{1,18}\s*", value) else None


def everything_said(item: object) -> str:
    """Return all texts and numbers in an item, in an order of their own: what tells items apart that have no name."""
    said: list[str] = []
    left = [item]
    while left:
        value = left.pop()
        if isinstance(value, dict):
            left.extend(part for key, part in value.items() if key not in _SAYS_NOTHING)
        elif isinstance(value, list | tuple):
            left.extend(value)
        elif value and isinstance(value, str | int | float):
            said.append(str(value).strip())
    return " ".join(sorted(filter(None, said)))
