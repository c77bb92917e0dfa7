"""An entry of a feed, whichever of the three formats it came in."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Entry:
    """What RSS, Atom and JSON Feed entries have in common; None where the entry does not say.

    text and title may be HTML, as flagged. author is a name, or an address where there is none.
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
