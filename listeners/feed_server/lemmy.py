"""A Lemmy instance of version 0.19: /api/v3/post/list, /api/v3/comment/list and /api/v3/resolve_object.

Source: the API's types and views in LemmyNet/lemmy 0.19. Limits, as there: 50 a page, 10 unless asked for; posts go on
from `next_page`, comments from page numbers. Featured posts stand on top of every first page.

What is not listed in the world was removed here: a view without its words, and none by itself. What is private is not
shown.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from zlib import crc32

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from listeners.feed_server.budget import Budget
from listeners.feed_server.people import HOME, Author
from listeners.feed_server.posts import WorldPost
from listeners.feed_server.world import World

BURROW = "burrow.example"  # the instance this server plays
COMMUNITIES = ("broadband", "consumers")
MAX_PAGE = 50
DEFAULT_PAGE = 10
FIRST_ID = 500
LIMITS = ((999, 600),)  # requests, seconds: as delivered for messages read
Clock = Callable[[], datetime]


class BadRequest(ValueError):
    """What the API refuses; the message is its name for it."""

    status = 400


class NotFound(BadRequest):
    """What the database knows to be gone."""

    status = 404


def routes(world: World, clock: Clock, *, now: Clock) -> list[Route]:
    """Return the routes under /lemmy. now: the clock of the limits."""
    budget = Budget(*LIMITS, now=now)
    show = Views(world)

    def limited(answer: Callable[[Request], dict[str, Any]]) -> Callable[[Request], Response]:
        def within(request: Request) -> Response:
            if budget.spend(request.client.host if request.client else ""):
                return JSONResponse({"error": "rate_limit_error"}, 429)
            try:
                return JSONResponse(answer(request))
            except BadRequest as refused:
                return JSONResponse({"error": str(refused)}, refused.status)

        return within

    def posts(request: Request) -> dict[str, Any]:
        listed = show.listed(clock(), request.query_params.get("community_name"), comments=False)
        listed.sort(key=lambda post: (show.is_featured(post), post.id), reverse=True)
        size, offset = _page(request.query_params)
        if cursor := request.query_params.get("page_cursor"):
            offset = 1 + show.place_of(cursor, listed)
        page = listed[offset : offset + size]
        further = f"P{local_id(page[-1]):x}" if page else None
        return {"posts": [show.post_view(post, clock()) for post in page], "next_page": further}

    def comments(request: Request) -> dict[str, Any]:
        listed = show.listed(clock(), request.query_params.get("community_name"), comments=True)[::-1]
        size, offset = _page(request.query_params)
        return {"comments": [show.comment_view(post, clock()) for post in listed[offset : offset + size]]}

    def resolve(request: Request) -> dict[str, Any]:
        post = show.find(request.query_params.get("q", ""), clock())
        if post.title is None:
            return {"comment": show.comment_view(post, clock())}
        return {"post": show.post_view(post, clock())}

    return [
        Route("/lemmy/api/v3/post/list", limited(posts)),
        Route("/lemmy/api/v3/comment/list", limited(comments)),
        Route("/lemmy/api/v3/resolve_object", limited(resolve)),
    ]


def kept(world: World, now: datetime, server: str) -> set[str]:
    """Return the post_ids that a listener which has read everything by then holds as standing.

    Who refuses says so in the bio: Lemmy has no flag for it.
    """
    posts = (post for post in world.visible(now, "lemmy") if post.visibility == "public")
    return {f"lemmy:{ap_id(post)}" for post in posts if not replace(post.author, noindex=False).refuses}


def local_id(post: WorldPost) -> int:
    """Return the number of a post or comment on this instance."""
    return FIRST_ID + post.id


def ap_id(post: WorldPost) -> str:
    """Return the address that all instances know it by."""
    return f"https://{_home(post.author)}/{'comment' if post.title is None else 'post'}/{local_id(post)}"


class Views:
    """World posts as PostView and CommentView."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._posts = [post for post in world.visible(world.until, "lemmy") if post.visibility != "private"]
        self._featured = next((post.id for post in self._posts if post.title is not None), None)

    def listed(self, now: datetime, community: str | None, *, comments: bool) -> list[WorldPost]:
        """Return the posts or comments of a community, or of all, by then, the oldest first. Raises BadRequest."""
        if community is not None and community.removesuffix(f"@{BURROW}") not in COMMUNITIES:
            raise BadRequest("couldnt_find_community")
        return [
            post
            for post in self._posts
            if post.published_at <= now
            and (post.title is None) == comments
            and (community is None or self._community(post) == community.removesuffix(f"@{BURROW}"))
        ]

    def find(self, address: str, now: datetime) -> WorldPost:
        """Return the post or comment of an ap_id. Raises NotFound where it was removed, BadRequest for any other."""
        found = next((post for post in self._posts if post.published_at <= now and ap_id(post) == address), None)
        if found is None:
            raise BadRequest("couldnt_find_object")
        if found.visibility == "unlisted":
            raise NotFound("couldnt_find_object")
        return found

    def is_featured(self, post: WorldPost) -> bool:
        """Return whether the post is kept on top."""
        return post.id == self._featured

    def place_of(self, cursor: str, listed: list[WorldPost]) -> int:
        """Return where in the list the post of a cursor stands. Raises BadRequest."""
        for place, post in enumerate(listed):
            if cursor == f"P{local_id(post):x}":
                return place
        raise BadRequest("couldnt_get_posts")

    def post_view(self, post: WorldPost, now: datetime) -> dict[str, Any]:
        """Return a post with what the API tells beside it."""
        answers = self._thread(post, now)
        return {
            "post": self._post(post, now),
            "creator": _person(post.author),
            "community": self._community_view(post),
            "creator_banned_from_community": False,
            "counts": {
                "post_id": local_id(post),
                "comments": len(answers),
                "score": 1 + post.likes,
                "upvotes": 1 + post.likes,
                "downvotes": 0,
                "published": _iso(post.published_at),
                "newest_comment_time": _iso(max([post.published_at, *(answer.published_at for answer in answers)])),
            },
            "subscribed": "NotSubscribed",
            "saved": False,
            "read": False,
            "creator_blocked": False,
            "unread_comments": len(answers),
        }

    def comment_view(self, post: WorldPost, now: datetime) -> dict[str, Any]:
        """Return a comment with what the API tells beside it."""
        root = self._world.posts[post.root or 0]
        removed, edited_at = post.visibility == "unlisted", post.edited_at(now)
        told = {
            "id": local_id(post),
            "creator_id": _person(post.author)["id"],
            "post_id": local_id(root),
            "content": "" if removed else post.text_at(now),
            "removed": removed,
            "published": _iso(post.published_at),
            "deleted": False,
            "ap_id": ap_id(post),
            "local": _home(post.author) == BURROW,
            "path": ".".join(["0", *(str(local_id(elder)) for elder in self._elders(post)), str(local_id(post))]),
            "distinguished": False,
            "language_id": 37,
        }
        return {
            "comment": told | ({"updated": _iso(edited_at)} if edited_at else {}),
            "creator": _person(post.author),
            "post": self._post(root, now),
            "community": self._community_view(root),
            "counts": {
                "comment_id": local_id(post),
                "score": 1 + post.likes,
                "upvotes": 1 + post.likes,
                "downvotes": 0,
                "published": _iso(post.published_at),
                "child_count": len(self._world.answers(post, now)),
            },
            "creator_banned_from_community": False,
            "subscribed": "NotSubscribed",
            "saved": False,
            "creator_blocked": False,
        }

    def _post(self, post: WorldPost, now: datetime) -> dict[str, Any]:
        removed, edited_at = post.visibility == "unlisted", post.edited_at(now)
        told = {
            "id": local_id(post),
            "name": "removed" if removed else post.title,
            "creator_id": _person(post.author)["id"],
            "community_id": 1 + COMMUNITIES.index(self._community(post)),
            "removed": removed,
            "locked": False,
            "published": _iso(post.published_at),
            "deleted": False,
            "nsfw": False,
            "ap_id": ap_id(post),
            "local": _home(post.author) == BURROW,
            "language_id": 37,
            "featured_community": False,
            "featured_local": self.is_featured(post),
        }
        told |= {"body": post.text_at(now)} if post.text and not removed else {}
        told |= {"url": post.link} if post.link and not removed else {}
        return told | ({"updated": _iso(edited_at)} if edited_at else {})

    def _community(self, post: WorldPost) -> str:
        return COMMUNITIES[(post.root if post.root is not None else post.id) % 3 == 0]

    def _community_view(self, post: WorldPost) -> dict[str, Any]:
        name = self._community(post)
        return {
            "id": 1 + COMMUNITIES.index(name),
            "name": name,
            "title": name.title(),
            "removed": False,
            "published": _iso(self._world.posts[0].published_at),
            "deleted": False,
            "nsfw": False,
            "actor_id": f"https://{BURROW}/c/{name}",
            "local": True,
            "hidden": False,
            "posting_restricted_to_mods": False,
            "instance_id": 1,
            "visibility": "Public",
        }

    def _elders(self, post: WorldPost) -> list[WorldPost]:
        """The comments above a comment, the eldest first."""
        elders: list[WorldPost] = []
        while post.parent is not None and post.parent != post.root:
            post = self._world.posts[post.parent]
            elders.insert(0, post)
        return elders

    def _thread(self, post: WorldPost, now: datetime) -> list[WorldPost]:
        answers = self._world.answers(post, now)
        return answers + [below for answer in answers for below in self._thread(answer, now)]


def _home(author: Author) -> str:
    return BURROW if author.home == HOME else author.home


def _person(author: Author) -> dict[str, Any]:
    return {
        "id": crc32(author.name.encode()) % 10**6,
        "name": author.name,
        "display_name": author.display_name,
        "banned": False,
        "published": _iso(author.joined),
        "actor_id": f"https://{_home(author)}/u/{author.name}",
        "bio": author.note,
        "local": _home(author) == BURROW,
        "deleted": False,
        "bot_account": False,
        "instance_id": 1,
    }


def _page(query: Any) -> tuple[int, int]:
    """How many, and from which on. Raises BadRequest."""
    limit, page = query.get("limit", str(DEFAULT_PAGE)), query.get("page", "1")
    if not limit.isdecimal() or not 1 <= int(limit) <= MAX_PAGE or not page.isdecimal() or int(page) < 1:
        raise BadRequest("couldnt_get_posts")
    return int(limit), (int(page) - 1) * int(limit)


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
