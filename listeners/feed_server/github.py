"""GitHub's issue search: /search/issues over one repository; and its issues by number.

Source: docs.github.com/rest/search, and replies recorded from it. Limits, as there: 10 searches a minute without a
token and 30 with one, 100 issues a page, 1,000 a query; a query must say is:issue.

What is not listed in the world was opened by a bot here. What is private is not shown.
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from zlib import crc32

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from listeners.feed_server.budget import Budget
from listeners.feed_server.posts import WorldPost
from listeners.feed_server.world import World

REPOSITORY = "carriers/known-issues"
MAX_PAGE = 100
DEFAULT_PAGE = 30
MAX_FOUND = 1000
A_MINUTE, A_MINUTE_WITH_TOKEN = 10, 30
FIRST_ID = 2_500_000_000
Clock = Callable[[], datetime]

_PART = re.compile(r'"([^"]*)"|(\w+):(\S+)|(\S+)')


class Invalid(ValueError):
    """What the search refuses; the message is its words for it."""


def routes(world: World, clock: Clock, *, now: Clock) -> list[Route]:
    """Return the routes under /github. now: the clock of the limits."""
    without, with_token = Budget((A_MINUTE, 60), now=now), Budget((A_MINUTE_WITH_TOKEN, 60), now=now)

    def search(request: Request) -> Response:
        address = request.client.host if request.client else ""
        named = "authorization" in request.headers
        budget, most = (with_token, A_MINUTE_WITH_TOKEN) if named else (without, A_MINUTE)
        wait = budget.spend(address)
        headers = {
            "X-RateLimit-Limit": str(most),
            "X-RateLimit-Remaining": str(budget.left(address)),
            "X-RateLimit-Reset": str((int(now().timestamp()) // 60 + 1) * 60),
            "X-RateLimit-Resource": "search",
        }
        if wait:
            return JSONResponse({"message": f"API rate limit exceeded for {address}."}, 403, headers)
        try:
            return JSONResponse(_found(world, clock(), request.query_params), headers=headers)
        except Invalid as refused:
            return JSONResponse({"message": str(refused), "status": "422"}, 422, headers)

    def one(request: Request) -> Response:
        there = (
            post for post in _issues(world, clock()) if issue(post, clock())["number"] == request.path_params["number"]
        )
        found = next(there, None)
        if found is None:
            return JSONResponse({"message": "Not Found", "status": "404"}, 404)
        return JSONResponse(issue(found, clock()))

    return [
        Route("/github/search/issues", search),
        Route(f"/github/repos/{REPOSITORY}/issues/{{number:int}}", one),
    ]


def kept(world: World, now: datetime, server: str) -> set[str]:
    """Return the post_ids that a listener which has read everything by then holds as standing."""
    return {f"github:{issue_id(post)}" for post in _issues(world, now) if not _is_by_a_bot(post)}


def issue_id(post: WorldPost) -> int:
    """Return the issue's id."""
    return FIRST_ID + post.id


def issue(post: WorldPost, now: datetime) -> dict[str, Any]:
    """Return the issue as it is at that time, as the search shows it."""
    edited_at = post.edited_at(now)
    number = post.id + 1
    login = f"{post.author.name}-bot" if _is_by_a_bot(post) else post.author.name
    return {
        "url": f"https://api.github.com/repos/{REPOSITORY}/issues/{number}",
        "repository_url": f"https://api.github.com/repos/{REPOSITORY}",
        "html_url": f"https://github.com/{REPOSITORY}/issues/{number}",
        "id": issue_id(post),
        "node_id": f"I_kw{issue_id(post):x}",
        "number": number,
        "title": post.title,
        "user": {"login": login, "id": crc32(login.encode()), "type": "Bot" if _is_by_a_bot(post) else "User"},
        "labels": [],
        "state": "open",
        "state_reason": None,
        "locked": False,
        "comments": post.likes // 3,
        "created_at": _iso(post.published_at),
        "updated_at": _iso(edited_at or post.published_at),
        "closed_at": None,
        "author_association": "NONE",
        "body": post.text_at(now),
        "reactions": {"total_count": post.likes, "+1": post.likes, "-1": 0, "laugh": 0, "heart": 0},
        "score": 1.0,
    }


def _issues(world: World, now: datetime) -> list[WorldPost]:
    return [post for post in world.visible(now, "stackexchange") if post.visibility != "private"]


def _is_by_a_bot(post: WorldPost) -> bool:
    return post.visibility == "unlisted"


def _found(world: World, now: datetime, query: Mapping[str, str]) -> dict[str, Any]:
    """A page of what a search finds. Raises Invalid."""
    words, qualifiers = _read(query.get("q", ""))
    if "issue" not in qualifiers.get("is", ()):
        raise Invalid("Query must include 'is:issue' or 'is:pull-request'")
    size, page = _whole(query, "per_page", DEFAULT_PAGE), _whole(query, "page", 1)
    size = min(size, MAX_PAGE)
    if (page - 1) * size >= MAX_FOUND:
        raise Invalid("Only the first 1000 search results are available")
    owner = REPOSITORY.partition("/")[0]
    here = all(name == REPOSITORY for name in qualifiers.get("repo", ())) and all(
        name == owner for name in (*qualifiers.get("org", ()), *qualifiers.get("user", ()))
    )
    found = []
    for post in _issues(world, now) if here else []:
        shown = issue(post, now)
        said = f"{shown['title']} {shown['body']}".lower()
        times = [(shown[f"{by}_at"], span) for by in ("created", "updated") for span in qualifiers.get(by, ())]
        if all(word in said for word in words) and all(_is_within(at, span) for at, span in times):
            found.append(shown)
    by = f"{query['sort']}_at" if query.get("sort") in ("created", "updated") else "id"
    found.sort(key=lambda shown: (shown[by], shown["id"]), reverse=query.get("order", "desc") == "desc")
    first = (page - 1) * size
    shown = found[first : min(first + size, MAX_FOUND)]
    return {"total_count": len(found), "incomplete_results": False, "items": shown}


def _read(question: str) -> tuple[list[str], dict[str, list[str]]]:
    """The words and phrases of a question, and its qualifiers."""
    words: list[str] = []
    qualifiers: dict[str, list[str]] = {}
    for phrase, name, value, word in _PART.findall(question):
        if name:
            qualifiers.setdefault(name, []).append(value)
        elif said := (phrase or word).strip().lower():
            words.append(said)
    return words, qualifiers


def _is_within(at: str, span: str) -> bool:
    """Whether a time is within START..END, either of which may be *."""
    start, _, end = span.partition("..")
    return (start == "*" or start <= at) and (end in ("", "*") or at <= end)


def _whole(query: Mapping[str, str], name: str, default: int) -> int:
    value = query.get(name, "")
    return int(value) if value.isdecimal() and int(value) else default


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
