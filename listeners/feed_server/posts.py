"""What exists in the world: posts, and the truth about each, which no feed tells and tests may compare with."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from listeners.feed_server.people import Author

Place = Literal[
    "mastodon", "hackernews", "discourse", "lemmy", "stackexchange", "courier", "herald", "blog", "reviews"
]  # fmt: skip
Visibility = Literal["public", "unlisted", "private"]


@dataclass(frozen=True)
class Truth:
    """What a post means, in the words of LABELS.

    sentiments: brand -> -1, 0 or 1; empty where no brand is meant, though a word may look like one.
    experience: first_hand, second_hand, opinion or unknown.
    switch: (from, to, status), sides unnamed are None.
    event: the planted event it belongs to: storm, launch, giveaway or auction.
    copy_of: id of the post whose text this repeats on purpose.
    """

    sentiments: Mapping[str, int] = field(default_factory=dict)
    aspects: tuple[str, ...] = ()
    experience: str = "unknown"
    switch: tuple[str | None, str | None, str] | None = None
    event: str | None = None
    copy_of: int | None = None


@dataclass(frozen=True)
class WorldPost:
    """One post. Text is plain: a blank line parts paragraphs, links, #tags and @names stand as a reader sees them.

    id: position in time within the world. parent, root: ids of what it answers and of the thread's first post.
    quotes: id of the post it quotes. rating: stars, 1 to 5.
    edited: when the text was changed, and the text from then on.
    """

    id: int
    place: Place
    author: Author
    published_at: datetime
    text: str
    truth: Truth
    title: str | None = None
    link: str | None = None
    language: str | None = "en"
    parent: int | None = None
    root: int | None = None
    quotes: int | None = None
    likes: int = 0
    shares: int = 0
    rating: int | None = None
    spoiler: str = ""
    visibility: Visibility = "public"
    edited: tuple[datetime, str] | None = None

    def edited_at(self, now: datetime) -> datetime | None:
        """Return when the text shown at that time was last changed; None if it is as first published."""
        return self.edited[0] if self.edited and self.edited[0] <= now else None

    def text_at(self, now: datetime) -> str:
        """Return the text as it stands at that time."""
        return self.edited[1] if self.edited and self.edited[0] <= now else self.text

    @property
    def is_for_listeners(self) -> bool:
        """Whether a listener with the consent rule opt_out may store it."""
        return self.visibility == "public" and not self.author.refuses
