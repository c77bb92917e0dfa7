"""A Stack Exchange site: /2.3/search/advanced and /2.3/questions/IDS.

Source: api.stackexchange.com/docs (2.3). Limits, as there: 100 questions a page, 300 requests a day and address without
a key and 10,000 with one, told as quota_remaining in every answer; pages beyond 25 need a key. Always gzip.
"""

import gzip
import html
import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from zlib import crc32

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from listeners.feed_server.budget import Budget
from listeners.feed_server.markup import paragraphs
from listeners.feed_server.people import Author
from listeners.feed_server.posts import WorldPost
from listeners.feed_server.world import World

SITE = "telecom"
MAX_PAGE = 100
DEFAULT_PAGE = 30
LAST_PAGE = 25  # without a key
DAY = 86_400  # seconds
QUOTA, QUOTA_WITH_KEY = 300, 10_000
FIRST_ID = 20_000
DATES = {"activity": "last_activity_date", "creation": "creation_date"}
Clock = Callable[[], datetime]

_WORD = re.compile(r"\w+")


class BadRequest(Exception):
    """What the API refuses: its number, its name and its words for it."""

    def __init__(self, number: int, name: str, message: str) -> None:
        self.body = {"error_id": number, "error_name": name, "error_message": message}
        super().__init__(message)


def routes(world: World, clock: Clock, *, now: Clock, quota: int = QUOTA) -> list[Route]:
    """Return the routes under /stackexchange. quota: requests a day without a key, by the clock `now`."""
    without, with_key = Budget((quota, DAY), now=now), Budget((QUOTA_WITH_KEY, DAY), now=now)

    def answered(request: Request, found_for: Callable[[Request], tuple[list[dict[str, Any]], bool]]) -> Response:
        address = request.client.host if request.client else ""
        budget, most = (with_key, QUOTA_WITH_KEY) if "key" in request.query_params else (without, quota)
        try:
            if wait := budget.spend(address):
                said = f"too many requests from this IP, more requests available in {wait} seconds"
                raise BadRequest(502, "throttle_violation", said)
            found, more = found_for(request)
        except BadRequest as refused:
            return _gzipped(refused.body, 400)
        shown = {"items": found, "has_more": more, "quota_max": most, "quota_remaining": budget.left(address)}
        return _gzipped(shown)

    def search(request: Request) -> Response:
        return answered(request, lambda request: _found(world, clock(), request.query_params))

    def by_ids(request: Request) -> Response:
        return answered(request, lambda request: (_named(world, clock(), request), False))

    return [
        Route("/stackexchange/2.3/search/advanced", search),
        Route("/stackexchange/2.3/questions/{ids}", by_ids),
    ]


def kept(world: World, now: datetime, server: str) -> set[str]:
    """Return the post_ids that a listener which has read everything by then holds as standing.

    It searches for all brands, and each question names one.
    """
    return {f"stackexchange:{SITE}:{question_id(post)}" for post in world.visible(now, "stackexchange")}


def question_id(post: WorldPost) -> int:
    """Return the question's number on its site."""
    return FIRST_ID + post.id


def question(post: WorldPost, now: datetime, *, with_body: bool) -> dict[str, Any]:
    """Return the question as it is at that time, of the filter `default` or `withbody`."""
    edited_at = post.edited_at(now)
    number, author = question_id(post), post.author
    shown = {
        "tags": ["broadband", *(name.lower() for name in post.truth.sentiments)],
        "owner": {
            "account_id": 70_000 + _number(author),
            "reputation": 1 + author.followers,
            "user_id": 100 + _number(author),
            "user_type": "registered",
            "display_name": html.escape(author.display_name),
            "link": f"https://{SITE}.example/users/{100 + _number(author)}",
        },
        "is_answered": post.likes > 4,
        "view_count": 12 + post.likes * 17,
        "answer_count": post.likes // 3,
        "score": post.likes - 1,
        "last_activity_date": int((edited_at or post.published_at).timestamp()),
        "creation_date": int(post.published_at.timestamp()),
        "question_id": number,
        "content_license": "CC BY-SA 4.0",
        "link": f"https://{SITE}.example/questions/{number}",
        "title": html.escape(post.title or "").replace("&#x27;", "&#39;"),
    }
    shown |= {"last_edit_date": int(edited_at.timestamp())} if edited_at else {}
    return shown | ({"body": paragraphs(post.text_at(now))} if with_body else {})


def _number(author: Author) -> int:
    return crc32(author.name.encode()) % 10**7


def _named(world: World, now: datetime, request: Request) -> list[dict[str, Any]]:
    """The questions of these ids, of those that are there. Raises BadRequest."""
    ids = request.path_params["ids"].split(";")
    if len(ids) > MAX_PAGE or not all(number.isdecimal() for number in ids):
        raise BadRequest(400, "bad_parameter", "ids")
    with_body = request.query_params.get("filter") == "withbody"
    there = (question(post, now, with_body=with_body) for post in world.visible(now, "stackexchange"))
    return [shown for shown in there if str(shown["question_id"]) in ids]


def _found(world: World, now: datetime, query: Mapping[str, str]) -> tuple[list[dict[str, Any]], bool]:
    """A page of what a search finds, and whether there is more. Raises BadRequest."""
    if query.get("site") != SITE:
        raise BadRequest(400, "bad_parameter", f"No site found for name `{query.get('site', '')}`")
    sort, order = query.get("sort", "activity"), query.get("order", "desc")
    if sort not in DATES or order not in ("asc", "desc"):
        raise BadRequest(400, "bad_parameter", "sort" if sort not in DATES else "order")
    page, size = _whole(query, "page", 1), _whole(query, "pagesize", DEFAULT_PAGE)
    if page < 1 or not 0 <= size <= MAX_PAGE:
        raise BadRequest(400, "bad_parameter", "page" if page < 1 else "pagesize")
    if page > LAST_PAGE and "key" not in query:
        raise BadRequest(403, "access_denied", "page above 25 requires access token or app key")
    words = _WORD.findall(query.get("q", "").lower())
    with_body = query.get("filter") == "withbody"
    found = []
    for post in world.visible(now, "stackexchange"):
        shown = question(post, now, with_body=with_body)
        inside = _whole(query, "fromdate", 0) <= shown["creation_date"] <= _whole(query, "todate", 1 << 40)
        sorted_in = _whole(query, "min", 0) <= shown[DATES[sort]] <= _whole(query, "max", 1 << 40)
        said = f"{post.title} {post.text_at(now)}".lower()
        if inside and sorted_in and all(word in said for word in words):
            found.append(shown)
    found.sort(key=lambda shown: (shown[DATES[sort]], shown["question_id"]), reverse=order == "desc")
    first = (page - 1) * size
    return found[first : first + size], len(found) > first + size


def _whole(query: Mapping[str, str], name: str, default: int) -> int:
    value = query.get(name)
    if value is None:
        return default
    if not value.isdecimal():
        raise BadRequest(400, "bad_parameter", name)
    return int(value)


def _gzipped(body: dict[str, Any], status: int = 200) -> Response:
    headers = {"Content-Type": "application/json; charset=utf-8", "Content-Encoding": "gzip"}
    return Response(gzip.compress(json.dumps(body).encode(), mtime=0), status, headers)
