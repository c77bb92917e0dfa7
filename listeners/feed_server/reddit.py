"""Subreddits: /reddit/api/v1/access_token, /reddit/search, /reddit/r/NAME/new and /comments, /reddit/api/info.

Source: reddit.com/dev/api, the OAuth2 page of reddit-archive/reddit's wiki, and recorded replies. The threads of the
world's technology forum stand here in two subreddits. Limits, as there: 100 items a page, 25 unless asked for; 1,000 a
listing and 250 a search; an `after` that is not in the listing ends it; 1,000 requests in ten minutes, then 429 as a
web page. Any id and secret are good for a token, which lasts a day.

Some posts are taken down 30 hours after they came, all of them three days before the world ends or earlier. They then
vanish from the listings (a search still shows those that moderators removed), and /api/info shows them without their
words, or, of some comments, nothing at all.
"""

import base64
import binascii
import math
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from listeners.feed_server.budget import Budget
from listeners.feed_server.markup import paragraphs
from listeners.feed_server.posts import WorldPost
from listeners.feed_server.world import World

SUBREDDITS = ("broadband", "consumers")
FIRST_ID = 70_000_000
MAX_ITEMS, DEFAULT_ITEMS = 100, 25
LISTED, FOUND = 1_000, 250
WINDOW = 600  # seconds
LIMITS = ((1_000, WINDOW),)
TOKEN_LASTS = timedelta(days=1)
TAKEN_DOWN_AFTER = timedelta(hours=30)
KNOWN_BY_THE_END = timedelta(days=3)
Clock = Callable[[], datetime]

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_SLOW_DOWN = "<!doctype html><html><head><title>Too Many Requests</title></head><body><h1>whoa there</h1></body></html>"


def routes(world: World, clock: Clock, *, now: Clock) -> list[Route]:
    """Return the routes under /reddit. now: the clock of tokens and limits."""
    budget, show = Budget(*LIMITS, now=now), Subreddits(world)
    tokens: dict[str, datetime] = {}

    async def token(request: Request) -> Response:
        if not _application(request):
            return JSONResponse({"message": "Unauthorized", "error": 401}, 401)
        if parse_qs((await request.body()).decode()).get("grant_type") != ["client_credentials"]:
            return JSONResponse({"error": "unsupported_grant_type"}, 400)
        given = f"{len(tokens):08d}-a-token"
        tokens[given] = now() + TOKEN_LASTS
        lasts = int(TOKEN_LASTS.total_seconds())
        return JSONResponse({"access_token": given, "token_type": "bearer", "expires_in": lasts, "scope": "*"})

    def allowed(answer: Callable[[Request], Response]) -> Callable[[Request], Response]:
        def within(request: Request) -> Response:
            address = request.client.host if request.client else ""
            wait = budget.spend(address)
            left = {
                "x-ratelimit-used": str(LIMITS[0][0] - budget.left(address)),
                "x-ratelimit-remaining": f"{budget.left(address)}.0",
                "x-ratelimit-reset": str(math.ceil(WINDOW - now().timestamp() % WINDOW)),
            }
            if wait:
                return HTMLResponse(_SLOW_DOWN, 429, left)
            given = request.headers.get("authorization", "").removeprefix("Bearer ")
            if tokens.get(given, now()) <= now():
                return JSONResponse({"message": "Unauthorized", "error": 401}, 401, left)
            reply = answer(request)
            reply.headers.update(left)
            return reply

        return within

    def search(request: Request) -> Response:
        words = request.query_params.get("q", "").lower().split()
        posts = [
            post
            for post in show.listed(clock(), None, comments=False, removed=True)
            if all(word in f"{post.title} {post.text} {post.link or ''}".lower() for word in words)
        ]
        return _page(request, show, posts[:FOUND], clock())

    def listing(request: Request, *, comments: bool) -> Response:
        name = request.path_params["name"].lower()
        if name not in SUBREDDITS:
            return JSONResponse({"reason": "banned", "message": "Not Found", "error": 404}, 404)
        return _page(request, show, show.listed(clock(), name, comments=comments)[:LISTED], clock())

    def info(request: Request) -> Response:
        names = request.query_params.get("id", "").split(",")[:MAX_ITEMS]
        known = [post for name in names if (post := show.known(name, clock()))]
        return JSONResponse(_listing([show.thing(post, clock()) for post in known], None))

    return [
        Route("/reddit/api/v1/access_token", token, methods=["POST"]),
        Route("/reddit/search", allowed(search)),
        Route("/reddit/r/{name}/new", allowed(lambda request: listing(request, comments=False))),
        Route("/reddit/r/{name}/comments", allowed(lambda request: listing(request, comments=True))),
        Route("/reddit/api/info", allowed(info)),
    ]


def kept(world: World, now: datetime, server: str) -> set[str]:
    """Return the post_ids that a listener which has read everything by then holds as standing.

    It learns within 24 hours of what was taken down.
    """
    posts = Subreddits(world).posts
    return {
        f"reddit:{fullname(post)}"
        for post in posts
        if post.published_at <= now and not is_down(world, post, now) and not (post.title and post.author.refuses)
    }


def fullname(post: WorldPost) -> str:
    """Return what a post (t3_) or comment (t1_) is called."""
    number, digits = FIRST_ID + post.id, ""
    while number:
        number, digit = divmod(number, 36)
        digits = _DIGITS[digit] + digits
    return f"t{1 if post.title is None else 3}_{digits}"


def is_down(world: World, post: WorldPost, now: datetime) -> bool:
    """Return whether a post is taken down by then."""
    at = post.published_at + TAKEN_DOWN_AFTER
    return post.id % 17 == 5 and at <= min(now, world.until - KNOWN_BY_THE_END)


class Subreddits:
    """World posts as Reddit's things."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.posts = [post for post in world.visible(world.until, "hackernews") if post.visibility == "public"]
        self._by_name = {fullname(post): post for post in self.posts}

    def listed(self, now: datetime, subreddit: str | None, *, comments: bool, removed: bool = False) -> list[WorldPost]:
        """Return the posts or comments of one subreddit, or of all, the newest first.

        removed: with those that moderators took down.
        """
        return [
            post
            for post in reversed(self.posts)
            if post.published_at <= now
            and (post.title is None) == comments
            and subreddit in (None, self._subreddit(post))
            and (not is_down(self._world, post, now) or (removed and post.id % 2))
        ]

    def known(self, name: str, now: datetime) -> WorldPost | None:
        """Return what has that name, if /api/info shows it."""
        post = self._by_name.get(name)
        if post is None or post.published_at > now:
            return None
        vanished = post.title is None and post.id % 3 == 0 and is_down(self._world, post, now)
        return None if vanished else post

    def thing(self, post: WorldPost, now: datetime) -> dict[str, Any]:
        """Return a post or comment as the API shows it."""
        subreddit, down = self._subreddit(post), is_down(self._world, post, now)
        words = ("[removed]" if post.id % 2 else "[deleted]") if down else post.text
        story = post if post.root is None else self._world.posts[post.root]
        permalink = f"/r/{subreddit}/comments/{fullname(story)[3:]}/{_slug(story)}/"
        common = {
            "name": fullname(post),
            "id": fullname(post)[3:],
            "subreddit": subreddit,
            "subreddit_name_prefixed": f"r/{subreddit}",
            "author": "[deleted]" if down else post.author.name,
            "created_utc": post.published_at.timestamp(),
            "edited": False,
            "score": 1 + post.likes,
            "stickied": False,
            "over_18": False,
            "locked": False,
            "distinguished": None,
        }
        html = f'<div class="md">{paragraphs(words)}</div>' if words else None
        if post.title is None:
            return {
                "kind": "t1",
                "data": common
                | {
                    "body": words,
                    "body_html": html,
                    "parent_id": fullname(self._world.posts[post.parent if post.parent is not None else story.id]),
                    "link_id": fullname(story),
                    "permalink": f"{permalink}{fullname(post)[3:]}/",
                    "replies": "",
                },
            }
        return {
            "kind": "t3",
            "data": common
            | {
                "title": post.title,
                "selftext": words,
                "selftext_html": html,
                "is_self": post.link is None,
                "url": post.link or f"https://www.reddit.com{permalink}",
                "permalink": permalink,
                "num_comments": len(self._world.answers(post, now)),
                "num_crossposts": 0,
                "removed_by_category": ("moderator" if post.id % 2 else "deleted") if down else None,
                "is_robot_indexable": not down and not post.author.refuses,
            },
        }

    def _subreddit(self, post: WorldPost) -> str:
        return SUBREDDITS[(post.root if post.root is not None else post.id) % 3 == 0]


def _page(request: Request, show: Subreddits, posts: Sequence[WorldPost], now: datetime) -> Response:
    """A page of a listing; what is not in it is no place to go on from."""
    asked, after = request.query_params.get("limit", ""), request.query_params.get("after")
    size = min(int(asked), MAX_ITEMS) if asked.isdecimal() and int(asked) else DEFAULT_ITEMS
    start = 0
    if after:
        names = [fullname(post) for post in posts]
        start = names.index(after) + 1 if after in names else len(posts)
    page = posts[start : start + size]
    further = fullname(page[-1]) if page and start + size < len(posts) else None
    return JSONResponse(_listing([show.thing(post, now) for post in page], further))


def _listing(things: list[dict[str, Any]], after: str | None) -> dict[str, Any]:
    data = {"after": after, "before": None, "dist": len(things), "modhash": "", "children": things}
    return {"kind": "Listing", "data": data}


def _application(request: Request) -> bool:
    """Whether an application names itself, by id and secret."""
    scheme, _, pair = request.headers.get("authorization", "").partition(" ")
    try:
        name, _, secret = base64.b64decode(pair, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return False
    return scheme == "Basic" and bool(name and secret)


def _slug(story: WorldPost) -> str:
    return "_".join((story.title or "").lower().split())[:50]
