"""Posts of Reddit that were kept, asked about once a day: the part of reddit.py that finds what was taken down.

Source: GET {url}/api/info?id=FULLNAMES, reddit.com/dev/api (2026-11), 100 a request.
Who stores what was deleted must delete it too (Reddit's Data API terms). Deleted and removed posts are tombstones where
a listing shows them, but most vanish from it. So the last 1,000 posts that were kept are asked about once in 24 hours,
which costs ten requests, and finds edits as well; what is not there any more was taken down. Together with them goes
one that was just seen: an answer that lacks it as well, or knows of none, is not believed before it was so for 24
hours. What is older than the last 1,000 is asked about no more.
"""

from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

from listeners.feed import FeedBlocked, Page, Visit
from listeners.post import empty_page
from listeners.reddit_api import ITEMS_A_PAGE, Api, refusal, shown_in
from listeners.reddit_item import name_of, names_of, post_id, refuses

WATCHED = 1_000  # posts that are asked about
ASK_AGAIN = 24 * 3600  # seconds after which a post is asked about again; the terms grant 48 hours
AT_ONCE = ITEMS_A_PAGE - 1  # and the one that was just seen


class Watch(NamedTuple):
    """A post to ask about: when it was published, and when it was last seen to be there; epoch seconds."""

    published: int
    seen: int


@dataclass
class Kept:
    """The posts to ask about, by fullname.

    doubt_since: when the API first knew nothing of them, if that was so ever since. witness: an item that was just
    shown.
    """

    watched: dict[str, Watch]
    doubt_since: int | None = None
    witness: str | None = None

    def due(self, now: int) -> list[str]:
        """Return the posts to ask about now, those that waited longest first."""
        known = sorted(self.watched.items(), key=lambda one: one[1].seen)
        return [name for name, watch in known if now - watch.seen >= ASK_AGAIN]

    def took(self, visit: Visit, items: list[Any], page: Page, gone: Iterable[str]) -> frozenset[str]:
        """Note a page that items made, and which fullnames are no more. Return the post_ids that were taken down."""
        refusing = [name for item in items if (name := name_of(item)) in self.watched and refuses(item["data"])]
        down = {post_id(name) for name in [*gone, *refusing]}
        columns = ("post_id", "deleted", "title", "text", "published_at")
        for identity, deleted, title, text, at in zip(*(page.posts[name].to_pylist() for name in columns), strict=True):
            name = identity.removeprefix("reddit:")
            if deleted:
                down.add(identity)
            else:
                self.witness = name
                if visit.wanted(title, text):
                    self.watched[name] = Watch(int(at.timestamp()), int(visit.started_at.timestamp()))
        for identity in down:
            self.watched.pop(identity.removeprefix("reddit:"), None)
        newest = sorted(self.watched.items(), key=lambda one: one[1].published, reverse=True)
        self.watched = dict(newest[:WATCHED])
        return frozenset(down)

    def state(self) -> list[Any]:
        """Return it for a cursor."""
        return [[[name, *watch] for name, watch in self.watched.items()], self.doubt_since]

    @classmethod
    def of(cls, state: Any) -> "Kept":
        """Return it from a cursor. Raises TypeError or ValueError where it is none."""
        watched, doubt_since = state
        known = {str(name): Watch(int(published), int(seen)) for name, published, seen in watched}
        return cls(known, None if doubt_since is None else int(doubt_since))


async def asked_about(
    kept: Kept, api: Api, page_of: Callable[[list[Any], list[str]], Page], cursor: Callable[[], str]
) -> AsyncIterator[Page]:
    """Yield pages of posts that were kept, as they stand now.

    page_of: makes a page of items and of the fullnames of such as are no more. cursor: gives the feed's.
    """
    now = int(api.visit.started_at.timestamp())
    due = kept.due(now)
    chunks = [due[start : start + AT_ONCE] for start in range(0, len(due), AT_ONCE)]
    doubted: list[list[str]] = []
    while chunks and api.budget.may_ask():
        asked = chunks.pop(0)
        names = [*asked, kept.witness] if kept.witness else asked
        reply = await api.ask("/api/info", {"id": ",".join(names)})
        if reply.status != 200:
            raise FeedBlocked(api.visit.feed.id, f"/api/info: {refusal(reply)}")
        there = shown_in(reply).items
        found = set(names_of(there))
        if kept.witness in found if kept.witness else found:
            kept.doubt_since = None
        elif kept.doubt_since is None or now - kept.doubt_since < ASK_AGAIN:
            doubted.append(asked)
            kept.doubt_since = kept.doubt_since or now
            yield empty_page(cursor(), suspect=f"/api/info knows {len(found)} of {len(names)} kept posts")
            continue
        for name in found & set(asked):
            kept.watched[name] = kept.watched[name]._replace(seen=now)
        yield page_of(there, [name for name in asked if name not in found])
        if kept.witness and doubted:
            chunks, doubted = [*chunks, *doubted], []
