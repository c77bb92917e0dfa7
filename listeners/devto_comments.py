"""The part of devto.py that reads the comments on an article: trees of them.

Source: GET {url}/api/comments?a_id=ID, developers.forem.com/api and the controllers and views of forem/forem (2026-11).
Limits: 100 threads a page; older versions answer every page with all there is.
Comments have no counts and no time of an edit. A deleted one stays in the tree as "[deleted]" while somebody answered
it, and becomes a tombstone; otherwise it just vanishes.
"""

from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import quote

from listeners.consent import without_opt_in
from listeners.feed import FeedFormatChanged, Visit
from listeners.plain_text import from_html
from listeners.post import row, site_name, text_of
from listeners.reply import Reply

COMMENTS_A_PAGE = 100  # threads
MOST_PAGES = 20  # of one article

Answer = tuple[Any, str | None]  # a comment, and the code of the one it answers
Get = Callable[[str, dict[str, str | int]], Awaitable[Reply]]  # a path and parameters -> the answer, 404 among them


async def comments(get: Get, number: str, count: int) -> list[Answer]:
    """Return the comments of an article by its number; count: how many there are at least.

    Raises as `get` does; FeedFormatChanged where an answer is no list of comments.
    """
    found: dict[object, Answer] = {}
    for page in range(1, MOST_PAGES + 1):
        reply = await get("comments", {"a_id": number, "page": page, "per_page": COMMENTS_A_PAGE})
        threads = reply.json() if reply.status != 404 else []  # the article went meanwhile
        if not isinstance(threads, list):
            raise FeedFormatChanged(reply.feed, f"{reply.url}: {type(threads).__name__}, no list of comments")
        before = len(found)
        for comment, answers in flattened(threads):
            code = comment.get("id_code") if isinstance(comment, dict) else None
            found.setdefault(code if isinstance(code, str) else f"{page}/{len(found)}", (comment, answers))
        standing = sum(isinstance(comment, dict) and bool(comment.get("user")) for comment, _ in found.values())
        if len(found) == before or standing >= count:
            break
    return list(found.values())


def flattened(threads: list[Any]) -> list[Answer]:
    """Return the comments of trees, without what is below them."""
    found: list[Answer] = []
    waiting: list[Answer] = [(comment, None) for comment in reversed(threads)]
    while waiting:
        comment, answers = waiting.pop()
        if isinstance(comment, dict):
            below, code = comment.get("children"), comment.get("id_code")
            comment = {name: value for name, value in comment.items() if name != "children"}
            if isinstance(below, list):
                parent = code if isinstance(code, str) else answers
                waiting += [(child, parent) for child in reversed(below)]
        found.append((comment, answers))
    return found


def to_post(comment: Answer, article: str, visit: Visit) -> dict[str, Any]:
    """Return a comment as a row of posts; one whose author the API does not name any more is a tombstone.

    article: the post_id of the one it is under. Raises LeftOut where consent is lacking; KeyError, TypeError or
    ValueError where it lacks what it must have.
    """
    about, answers = comment
    code = text_of(about, "id_code")
    if not code.strip():
        raise ValueError("'id_code' is empty")
    consent = without_opt_in(visit)
    name, site = site_name(visit.feed.url), visit.feed.url.rstrip("/")
    user = about["user"]
    deleted = user == {}  # deleted by its author or hidden by the article's, which reads "[deleted]" and the like
    username = None if deleted else text_of(user, "username")
    return row(
        visit,
        post_id=post_id(name, code),
        kind="comment",
        url=f"{site}/{quote(username)}/comment/{quote(code)}" if username else None,
        text="" if deleted else from_html(text_of(about, "body_html")),
        account=f"{username.lower()}@{name}" if username else None,
        published_at=about.get("created_at"),
        deleted=deleted,
        parent_id=post_id(name, answers) if answers else article,
        root_id=article,
        consent=consent,
    )


def post_id(community: str, code: str) -> str:
    """Return a comment's post_id."""
    return f"devto:{community}:comment/{code}"
