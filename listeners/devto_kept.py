"""Kept articles and comments of dev.to or another Forem community asked for again.

Source: GET {url}/api/articles/ID and /api/comments/ID_CODE, developers.forem.com/api and the controllers and views of
forem/forem (2026-11). No authentication. Limits: one a request, at the pace of devto.py; a comment comes with what is
below it. An article that is deleted or not published any more, and a comment that is deleted, answer 404; a comment
that somebody answered before, or that the article's author hid, stays as "[deleted]" or the like, without its author.
"""

from collections.abc import AsyncIterator, Sequence

from listeners.feed import FeedFormatChanged, Page, Visit
from listeners.post import site_name
from listeners.reply import Reply
from listeners.standing import Kept, asked_each


async def standing(visit: Visit, kept: Sequence[Kept]) -> AsyncIterator[Page]:
    """Yield which of the kept articles and comments are gone. Raises as FeedClient.get does."""
    from listeners.devto import APART

    base, community = visit.feed.url.rstrip("/"), f"devto:{site_name(visit.feed.url)}:"

    async def is_gone(post_id: str) -> bool | None:
        kind, _, code = post_id.removeprefix(community).rpartition("/")
        url = f"{base}/api/{'comments' if kind else 'articles'}/{code}"
        reply = await visit.client.get(url, answers=frozenset({404}))
        visit.client.hold(url, APART)
        return _is_gone(reply, code, is_comment=bool(kind))

    own = [one.post_id for one in kept if one.post_id.startswith(community)]  # the address may have been another's
    if own:
        async for page in asked_each(visit, own, is_gone):
            yield page


def _is_gone(reply: Reply, code: str, *, is_comment: bool) -> bool | None:
    """Whether an answer says that an article or comment is gone; None where it tells of something else."""
    try:
        told = reply.json()
    except FeedFormatChanged:  # a page for people, which tells nothing
        return None
    if not isinstance(told, dict):
        return None
    if reply.status == 404:
        return True if "error" in told else None
    if told.get("id_code" if is_comment else "id") != (code if is_comment else int(code)):
        return None
    return is_comment and told.get("user") == {}
