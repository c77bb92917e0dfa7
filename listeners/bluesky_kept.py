"""Kept posts of Bluesky asked for again, whichever way they came.

Source: GET app.bsky.feed.getPosts?uris=...&uris=..., where profiles are to be had (bluesky-social/atproto lexicons,
2026-11). No token. Limits: 25 posts a request; 3,000 requests per 5 minutes and address. What it does not return is
gone, be it deleted, taken down, or its account closed. What it returns comes with counts, which the stream never tells.
"""

from collections.abc import AsyncIterator, Sequence
from urllib.parse import urlencode, urljoin

from listeners.feed import FeedFormatChanged, Page, Visit
from listeners.post import to_page
from listeners.standing import Kept, told

KEPT_A_REQUEST = 25


async def standing(visit: Visit, kept: Sequence[Kept]) -> AsyncIterator[Page]:
    """Yield the kept posts as they are now, and which of them are gone. Raises as FeedClient.get does."""
    from listeners.bluesky_authors import Authors
    from listeners.bluesky_record import author_of
    from listeners.bluesky_search import post_id_of, to_post

    authors, url = Authors(visit, visit.feed.profiles_url), urljoin(visit.feed.profiles_url, "app.bsky.feed.getPosts")
    for start in range(0, len(kept), KEPT_A_REQUEST):
        asked = {one.post_id for one in kept[start : start + KEPT_A_REQUEST]}
        uris = sorted(post_id.removeprefix("bluesky:") for post_id in asked)
        reply = await visit.client.get(f"{url}?{urlencode([('uris', uri) for uri in uris])}")
        answer = reply.json()
        posts = answer.get("posts") if isinstance(answer, dict) else None
        if not isinstance(posts, list):
            raise FeedFormatChanged(visit.feed.id, f"{url}: JSON without a list `posts`")
        there = {found for post in posts if (found := post_id_of(post)) is not None}
        await authors.meet(map(author_of, there))
        page = to_page(visit, posts, lambda post: to_post(post, visit, authors), cursor=visit.cursor)
        yield told(visit, len(asked), asked - there, page)
