"""A Discourse forum: /posts.json, /posts/ID.json, /search.json and /t/TOPIC/NUMBER.json.

Source: docs.discourse.org, the controllers and serializers of discourse/discourse, and replies recorded from it.
Limits, as there: 50 posts a page, 200 requests a minute and 50 in 10 seconds by address, then 429; a search gives 10
pages of 50, one post a topic, and refuses further pages.

What is not listed in the world is hidden here: there, but without its words. What is private is not shown.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit
from zlib import crc32

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from listeners.feed_server.budget import Budget
from listeners.feed_server.markup import paragraphs
from listeners.feed_server.posts import WorldPost
from listeners.feed_server.world import World

PAGE = 50
LAST_PAGE = 10  # of a search
AROUND = 20  # posts of a topic in one answer
FIRST_ID = 1_000
FIRST_TOPIC = 100
LIMITS = ((200, 60), (50, 10))  # requests, seconds
Clock = Callable[[], datetime]

_DATED = re.compile(r"(before|after):(\d{4}-\d{2}-\d{2})")
_WORD = re.compile(r"\w+")


def routes(world: World, clock: Clock, *, now: Clock, limits: Sequence[tuple[int, int]] = LIMITS) -> list[Route]:
    """Return the routes under /discourse. now: the clock of the limits."""
    budget = Budget(*limits, now=now)
    forum = Forum(world)

    def limited(answer: Callable[[Request], Response]) -> Callable[[Request], Response]:
        def within(request: Request) -> Response:
            wait = budget.spend(request.client.host if request.client else "")
            if wait:
                return _too_many(wait)
            return answer(request)

        return within

    def latest(request: Request) -> Response:
        before = request.query_params.get("before", "")
        newest = int(before) if before.isdecimal() else None
        shown = [post for post in forum.posts(clock()) if newest is None or post_id(post) <= newest]
        page = [forum.post(post, clock()) | forum.topic(post) for post in shown[::-1][:PAGE]]
        return JSONResponse({"latest_posts": page})

    def search(request: Request) -> Response:
        page = request.query_params.get("page", "1")
        if not page.isdecimal() or int(page) > LAST_PAGE:
            return _invalid("page parameter must not be greater than 10")
        return JSONResponse(forum.found(request.query_params.get("q", ""), max(1, int(page)), clock()))

    def topic(request: Request) -> Response:
        posts = forum.thread(request.path_params["topic"], clock())
        if not posts:
            gone = {"errors": ["The requested URL or resource could not be found."], "error_type": "not_found"}
            return JSONResponse(gone, 404)
        number = request.path_params.get("number", 1)
        place = next((n for n, post in enumerate(posts) if forum.number(post) >= number), len(posts) - 1)
        start = max(0, min(place - AROUND // 2, len(posts) - AROUND))
        body = {
            "post_stream": {
                "posts": [forum.post(post, clock()) for post in posts[start : start + AROUND]],
                "stream": [post_id(post) for post in posts],
            },
            "id": topic_id(posts[0]),
            "title": posts[0].title,
            "slug": slug(posts[0]),
            "posts_count": len(posts),
            "created_at": _iso(posts[0].published_at),
        }
        return JSONResponse(body)

    def one(request: Request) -> Response:
        there = (post for post in forum.posts(clock()) if post_id(post) == request.path_params["id"])
        found = next(there, None)
        if found is None:
            gone = {"errors": ["The requested URL or resource could not be found."], "error_type": "not_found"}
            return JSONResponse(gone, 404)
        return JSONResponse(forum.post(found, clock()))

    return [
        Route("/discourse/posts.json", limited(latest)),
        Route("/discourse/posts/{id:int}.json", limited(one)),
        Route("/discourse/search.json", limited(search)),
        Route("/discourse/t/{topic:int}/{number:int}.json", limited(topic)),
        Route("/discourse/t/{topic:int}.json", limited(topic)),
    ]


def kept(world: World, now: datetime, server: str) -> set[str]:
    """Return the post_ids that a listener which has read everything by then holds as standing."""
    forum = f"{urlsplit(server).netloc}/discourse"
    posts = (post for post in world.visible(now, "discourse") if post.visibility == "public")
    return {f"discourse:{forum}:{post_id(post)}" for post in posts}


def post_id(post: WorldPost) -> int:
    """Return the post's id at the forum."""
    return FIRST_ID + post.id


def topic_id(post: WorldPost) -> int:
    """Return the id of the topic a post is in."""
    return FIRST_TOPIC + (post.root if post.root is not None else post.id)


def slug(first: WorldPost) -> str:
    """Return what a topic is called in addresses."""
    return "-".join(_WORD.findall((first.title or "").lower()))[:60]


class Forum:
    """World posts as Discourse's serializers show them."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._threads: dict[int, list[WorldPost]] = defaultdict(list)
        for post in world.visible(world.until, "discourse"):
            self._threads[topic_id(post)].append(post)
        self._numbers = {post.id: n for posts in self._threads.values() for n, post in enumerate(posts, 1)}

    def posts(self, now: datetime) -> list[WorldPost]:
        """Return what strangers see by then, oldest first."""
        return [post for post in self._world.visible(now, "discourse") if post.visibility != "private"]

    def thread(self, topic: int, now: datetime) -> list[WorldPost]:
        """Return the posts of a topic by then, in order."""
        there = self._threads.get(topic, [])
        return [post for post in there if post.published_at <= now and post.visibility != "private"]

    def number(self, post: WorldPost) -> int:
        """Return the post's place in its topic, from 1."""
        return self._numbers[post.id]

    def topic(self, post: WorldPost) -> dict[str, Any]:
        """Return what the list of posts says of a post's topic."""
        first = self._threads[topic_id(post)][0]
        title = first.title or ""
        return {"topic_title": title, "topic_html_title": title, "category_id": 4}

    def post(self, post: WorldPost, now: datetime) -> dict[str, Any]:
        """Return the post as it is at that time."""
        hidden, edited_at = post.visibility == "unlisted", post.edited_at(now)
        cooked = "<p>This post was flagged by the community and is temporarily hidden.</p>"
        parent = self._world.posts[post.parent] if post.parent is not None else None
        answers = self.number(parent) if parent is not None and parent.parent is not None else None
        return {
            "id": post_id(post),
            "name": post.author.display_name,
            "username": post.author.name,
            "avatar_template": f"/letter_avatar_proxy/v4/letter/{post.author.name[0]}/3bc359/{{size}}.png",
            "created_at": _iso(post.published_at),
            "cooked": cooked if hidden else paragraphs(post.text_at(now)),
            "cooked_hidden": hidden,
            "post_number": self.number(post),
            "post_type": 1,
            "posts_count": len(self.thread(topic_id(post), now)),
            "updated_at": _iso(edited_at or post.published_at),
            "reply_count": len(self._world.answers(post, now)),
            "reply_to_post_number": answers,
            "quote_count": 0,
            "incoming_link_count": 0,
            "reads": 3 + post.likes * 4,
            "score": round(0.6 + post.likes * 15, 1),
            "yours": False,
            "topic_id": topic_id(post),
            "topic_slug": slug(self._threads[topic_id(post)][0]),
            "version": 2 if edited_at else 1,
            "actions_summary": [{"id": 2, "count": post.likes}] if post.likes else [],
            "moderator": False,
            "admin": False,
            "staff": False,
            "user_id": crc32(post.author.name.encode()) % 10**6,
            "hidden": hidden,
            "trust_level": 1,
            "deleted_at": None,
            "user_deleted": False,
            "edit_reason": None,
            "wiki": False,
        }

    def found(self, query: str, page: int, now: datetime) -> dict[str, Any]:
        """Return the answer to a search: the newest post of each topic that says the words, the newest first."""
        bounds = {name: datetime.fromisoformat(day).replace(tzinfo=UTC) for name, day in _DATED.findall(query)}
        words = _WORD.findall(re.sub(r"\S+:\S+", "", query).lower())
        newest: dict[int, WorldPost] = {}
        for post in self.posts(now):
            if "before" in bounds and post.published_at >= bounds["before"]:
                continue
            if "after" in bounds and post.published_at <= bounds["after"]:
                continue
            said = f"{post.title or ''} {'' if post.visibility == 'unlisted' else post.text_at(now)}".lower()
            if all(word in said for word in words):
                newest[topic_id(post)] = post
        found = sorted(newest.values(), key=lambda post: post.id, reverse=True)
        shown = found[(page - 1) * PAGE : page * PAGE]
        posts = [
            {
                "id": post_id(post),
                "name": post.author.display_name,
                "username": post.author.name,
                "created_at": _iso(post.published_at),
                "like_count": post.likes,
                "blurb": post.text_at(now)[:300],
                "post_number": self.number(post),
                "topic_id": topic_id(post),
            }
            for post in shown
        ]
        firsts = [self._threads[topic_id(post)][0] for post in shown]
        return {
            "posts": posts,
            "topics": [{"id": topic_id(first), "title": first.title, "slug": slug(first)} for first in firsts],
            "users": [],
            "categories": [],
            "grouped_search_result": {
                "more_posts": None,
                "more_full_page_results": True if len(found) > page * PAGE else None,
                "term": query,
                "post_ids": [post["id"] for post in posts],
                "error": None,
            },
        }


def _too_many(wait: int) -> Response:
    said = f"You’ve performed this action too many times. Please wait {wait} seconds before trying again."
    body = {"errors": [said], "error_type": "rate_limit", "extras": {"wait_seconds": wait, "time_left": f"{wait}s"}}
    return JSONResponse(body, 429, {"Retry-After": str(wait)})


def _invalid(said: str) -> Response:
    return JSONResponse({"errors": [f"You supplied invalid parameters to the request: {said}"]}, 400)


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"
