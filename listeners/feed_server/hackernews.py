"""A forum as Hacker News Search (Algolia) serves it: /search_by_date, /search and /items/ID; and its items in Firebase.

Source: hn.algolia.com/api, and replies recorded from it; github.com/HackerNews/API for /hn/v0/item/ID.json. Limits, as
there: at most 1000 hits a page and in all per query; pages beyond that come back empty and say nbHits 0
(algolia/hn-search#230).
"""

import operator
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from listeners.feed_server.markup import forum_html
from listeners.feed_server.posts import WorldPost
from listeners.feed_server.world import World

MAX_HITS = 1_000  # per page, and per query in all
DEFAULT_HITS = 20
FIRST_ID = 45_000_000

_FILTER = re.compile(r"^(created_at_i|points|num_comments|story_id|parent_id)(<=|>=|!=|=|<|>)(-?\d+)$")
_COMPARE = {
    "<=": operator.le,
    ">=": operator.ge,
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    ">": operator.gt,
}
_WORD = re.compile(r"\w+")


class BadQuery(ValueError):
    """The query is not one Algolia understands; the message is the answer's."""


def routes(world: World, clock: Callable[[], datetime]) -> list[Route]:
    """Return the routes under /hn/api/v1."""

    def by_date(request: Request) -> Response:
        return _search(world, clock(), request, by_date=True)

    def by_points(request: Request) -> Response:
        return _search(world, clock(), request, by_date=False)

    def item(request: Request) -> Response:
        now = clock()
        wanted = int(request.path_params["id"]) - FIRST_ID
        post = world.posts[wanted] if 0 <= wanted < len(world.posts) else None
        if post is None or post.place != "hackernews" or post.published_at > now:
            return JSONResponse({"status": 404, "error": "Not Found"}, 404)
        return JSONResponse(_tree(world, post, now))

    def stored_item(request: Request) -> Response:
        now = clock()
        number = int(request.path_params["id"])
        wanted = number - FIRST_ID
        post = world.posts[wanted] if 0 <= wanted < len(world.posts) else None
        if post is None or post.place != "hackernews" or post.published_at > now:
            return JSONResponse(None)
        kind = "story" if post.title is not None else "comment"
        return JSONResponse(
            {"id": number, "type": kind, "by": post.author.name, "time": int(post.published_at.timestamp())}
        )

    return [
        Route("/hn/v0/item/{id:int}.json", stored_item),
        Route("/hn/api/v1/search_by_date", by_date),
        Route("/hn/api/v1/search", by_points),
        Route("/hn/api/v1/items/{id:int}", item),
    ]


def kept(world: World, now: datetime, server: str) -> set[str]:
    """Return the post_ids that a listener which has read everything by then holds as standing."""
    return {f"hackernews:{object_id(post)}" for post in world.visible(now, "hackernews")}


def object_id(post: WorldPost) -> str:
    """Return the post's id at the forum."""
    return str(FIRST_ID + post.id)


def hit(world: World, post: WorldPost, now: datetime) -> dict[str, Any]:
    """Return the post as a search hit, story or comment."""
    is_story = post.title is not None
    story = post if is_story or post.root is None else world.posts[post.root]
    tags = ["story" if is_story else "comment", f"author_{post.author.name}", f"story_{object_id(story)}"]
    if is_story and (post.title or "").startswith(("Ask HN", "Show HN")):
        tags.append("ask_hn" if (post.title or "").startswith("Ask") else "show_hn")
    text = forum_html(post.text) if post.text else None
    children = [FIRST_ID + answer.id for answer in world.answers(post, now)]
    common = {
        "created_at": post.published_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "created_at_i": int(post.published_at.timestamp()),
        "author": post.author.name,
        "objectID": object_id(post),
        "updated_at": now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "_tags": tags,
        "_highlightResult": {"author": {"value": post.author.name, "matchLevel": "none", "matchedWords": []}},
        **({"children": children} if children else {}),
    }
    if is_story:
        return common | {
            "title": post.title,
            "url": post.link,
            "story_text": text,
            "comment_text": None,
            "points": 1 + post.likes,
            "num_comments": _thread_size(world, post, now),
            "parent_id": None,
            "story_id": FIRST_ID + post.id,
            "story_title": None,
            "story_url": None,
        }
    return common | {
        "title": None,
        "url": None,
        "story_text": None,
        "comment_text": text,
        "points": None,
        "num_comments": None,
        "parent_id": FIRST_ID + post.parent if post.parent is not None else None,
        "story_id": FIRST_ID + story.id,
        "story_title": story.title,
        "story_url": story.link,
    }


def _search(world: World, now: datetime, request: Request, *, by_date: bool) -> Response:
    query = request.query_params
    try:
        page = _whole(query.get("page", "0"), "page")
        per_page = min(_whole(query.get("hitsPerPage", str(DEFAULT_HITS)), "hitsPerPage"), MAX_HITS)
        conditions = [_condition(part) for part in query.get("numericFilters", "").split(",") if part.strip()]
        groups = tag_groups(query.get("tags", ""))
    except BadQuery as error:
        return JSONResponse({"message": str(error), "status": 400}, 400)
    words = _WORD.findall(query.get("query", "").lower())
    found: list[WorldPost] = []
    for post in world.visible(now, "hackernews"):
        if words and not _says(_searched(world, post), words):
            continue
        if (groups or conditions) and not _passes(hit(world, post, now), groups, conditions):
            continue
        found.append(post)
    key = (lambda post: (post.published_at, post.id)) if by_date else (lambda post: (post.likes, post.id))
    found.sort(key=key, reverse=True)
    first = page * per_page
    shown: Sequence[WorldPost] = found[:MAX_HITS][first : first + per_page]
    beyond = first >= MAX_HITS
    body = {
        "hits": [hit(world, post, now) for post in shown],
        "nbHits": 0 if beyond else len(found),
        "page": page,
        "nbPages": 0 if beyond or not per_page else -(-min(len(found), MAX_HITS) // per_page),
        "hitsPerPage": per_page,
        "exhaustiveNbHits": True,
        "exhaustiveTypo": True,
        "query": query.get("query", ""),
        "params": str(query),
        "processingTimeMS": 3,
    }
    return JSONResponse(body)


def tag_groups(tags: str) -> list[frozenset[str]]:
    """Return what a `tags` parameter asks for: every group must be met, each by one of its tags.

    "story,author_x" asks for both, "(story,comment)" for either.
    """
    groups = []
    for group, single in re.findall(r"\(([^()]*)\)|([^(),]+)", tags):
        wanted = frozenset(tag.strip() for tag in (group or single).split(",") if tag.strip())
        if wanted:
            groups.append(wanted)
    return groups


def _condition(text: str) -> tuple[str, Callable[[Any, Any], bool], int]:
    found = _FILTER.match(text.replace(" ", ""))
    if not found:
        raise BadQuery(f"invalid numeric filter: {text}")
    return found[1], _COMPARE[found[2]], int(found[3])


def _passes(found: dict[str, Any], groups: list[frozenset[str]], conditions: list[tuple]) -> bool:
    tags = set(found["_tags"])
    return all(tags & group for group in groups) and all(
        found[name] is not None and compare(found[name], value) for name, compare, value in conditions
    )


def _searched(world: World, post: WorldPost) -> str:
    story = world.posts[post.root].title if post.root is not None else ""
    return f"{post.title or ''} {post.text} {post.link or ''} {post.author.name} {story}".lower()


def _says(text: str, words: list[str]) -> bool:
    """Whether every word begins a word of the text; Algolia is as generous and more."""
    there = _WORD.findall(text)
    return all(any(known.startswith(word) for known in there) for word in words)


def _whole(text: str, name: str) -> int:
    if not text.isdigit():
        raise BadQuery(f"invalid value for {name}: {text}")
    return int(text)


def _thread_size(world: World, post: WorldPost, now: datetime) -> int:
    answers = world.answers(post, now)
    return len(answers) + sum(_thread_size(world, answer, now) for answer in answers)


def _tree(world: World, post: WorldPost, now: datetime) -> dict[str, Any]:
    shown = hit(world, post, now)
    return {
        "id": FIRST_ID + post.id,
        "created_at": shown["created_at"],
        "created_at_i": shown["created_at_i"],
        "type": "story" if post.title is not None else "comment",
        "author": post.author.name,
        "title": post.title,
        "url": shown["url"],
        "text": shown["story_text"] or shown["comment_text"],
        "points": shown["points"],
        "parent_id": shown["parent_id"],
        "story_id": shown["story_id"],
        "options": [],
        "children": [_tree(world, answer, now) for answer in world.answers(post, now)],
    }
