"""Kept posts and comments of a Lemmy instance asked for again.

Source: GET {url}/api/v3/resolve_object?q=AP_ID, join-lemmy.org/api and crates/apub/src/api of LemmyNet/lemmy 0.18 and
0.19 (2026-11). No token: without one the instance looks into its own database and nowhere else. Limits: one a request.
What was deleted by its author, or removed by a moderator, answers 404 couldnt_find_object, or says so itself. The same
word with 400 means that the instance has no such row: an admin purged it, it never had one (the feed had another
instance's address before), or its database failed. So it is believed of what is the instance's own, told twice.
"""

from collections.abc import AsyncIterator, Sequence
from urllib.parse import urlsplit

from listeners.feed import Page, Visit
from listeners.standing import Kept, asked_each

_NOT_FOUND = frozenset({"couldnt_find_object", "couldnt_find_post", "couldnt_find_comment", "not_found"})


async def standing(visit: Visit, kept: Sequence[Kept]) -> AsyncIterator[Page]:
    """Yield which of the kept posts are gone. Raises as FeedClient.get does; FeedBlocked where it is private now."""

    async def is_gone(post_id: str) -> bool | None:
        return await _is_gone(visit, post_id.removeprefix("lemmy:"))

    if kept:
        async for page in asked_each(visit, [one.post_id for one in kept], is_gone):
            yield page


async def _is_gone(visit: Visit, ap_id: str, *, is_told_again: bool = False) -> bool | None:
    """Whether what has an ap_id is gone; None where the answer does not tell."""
    from listeners import lemmy

    feed = visit.feed
    url = f"{feed.url.rstrip('/')}/api/v3/resolve_object"
    reply = await visit.client.get(url, {"q": ap_id}, answers=frozenset({400, 404}))
    if reply.status >= 400:
        error = lemmy.error_in(reply)
        if error is None or error in (*lemmy.LIMITED, *lemmy.PRIVATE):
            raise lemmy.refusal(feed.id, reply)
        if error not in _NOT_FOUND:
            return None
        if reply.status == 404 or is_told_again:
            return True
        is_own = urlsplit(ap_id).netloc == urlsplit(feed.url).netloc
        return await _is_gone(visit, ap_id, is_told_again=True) if is_own else None
    answer = reply.json()
    found = [about for kind in ("post", "comment") if (about := lemmy.about_in(lemmy.about_in(answer, kind), kind))]
    shown = [lemmy.is_gone(about) for about in found if about.get("ap_id") == ap_id]
    return shown[0] if shown else None
