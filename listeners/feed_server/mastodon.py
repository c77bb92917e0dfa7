"""A Mastodon instance: /api/v2/instance, /api/v1/timelines/tag/TAG and /public, /api/v1/statuses/ID.

Source: docs.joinmastodon.org/methods/timelines and /entities/Status (4.5), and replies recorded from two instances.
Limits, as there: 40 statuses a page, 300 requests per 5 minutes and address, told in X-RateLimit-*.

max_id and since_id give the newest page on that side; min_id gives the page right after it. All answer newest first.
"""

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from listeners.feed_server import config
from listeners.feed_server.answers import conditional
from listeners.feed_server.markup import hashtags, names, paragraphs, toot_html
from listeners.feed_server.people import HOME, Author
from listeners.feed_server.posts import WorldPost
from listeners.feed_server.world import World

MAX_PAGE = 40
DEFAULT_PAGE = 20
WINDOW = timedelta(minutes=5)  # of the rate limit
Clock = Callable[[], datetime]


class Budget:
    """Requests each address has left in the present 5 minutes."""

    def __init__(self, limit: int, now: Clock) -> None:
        self.limit, self.now = limit, now
        self._used: dict[tuple[str, int], int] = {}

    def spend(self, address: str) -> tuple[bool, dict[str, str]]:
        """Return whether the request may be answered, and the headers that tell how things stand."""
        window = int(self.now().timestamp() // WINDOW.total_seconds())
        used = self._used.get((address, window), 0) + 1
        self._used = {(who, when): n for (who, when), n in self._used.items() if when == window}
        self._used[address, window] = used
        reset = datetime.fromtimestamp((window + 1) * WINDOW.total_seconds(), UTC)
        headers = {
            "X-RateLimit-Limit": str(self.limit),
            "X-RateLimit-Remaining": str(max(0, self.limit - used)),
            "X-RateLimit-Reset": reset.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        }
        return used <= self.limit, headers


def routes(world: World, clock: Clock, *, limit: int, now: Clock, access: str = "public") -> list[Route]:
    """Return the routes under /mastodon.

    limit: requests per 5 minutes and address by the clock `now`. access: what timelines_access says: public,
    authenticated or disabled; the timelines answer accordingly.
    """
    budget = Budget(limit, now)
    show = Statuses(world)

    def within_budget(answer: Callable[[Request, dict[str, str]], Response]) -> Callable[[Request], Response]:
        def limited(request: Request) -> Response:
            allowed, headers = budget.spend(request.client.host if request.client else "")
            if not allowed:
                return JSONResponse({"error": "Too many requests"}, 429, headers)
            return answer(request, headers)

        return limited

    def instance(request: Request, headers: dict[str, str]) -> Response:
        return JSONResponse(_instance(world, clock(), access), headers=headers)

    def timeline(request: Request, headers: dict[str, str], statuses: Sequence[WorldPost]) -> Response:
        if access == "authenticated":
            return JSONResponse({"error": "This method requires an authenticated user"}, 422, headers)
        query = request.query_params
        try:
            page = _page([] if access == "disabled" else statuses, query)
        except ValueError as error:
            return JSONResponse({"error": f"Validation failed: {error}"}, 422, headers)
        at = clock()
        body = json.dumps([show.status(post, at) for post in page], ensure_ascii=False).encode()
        link = _links(request, page)
        return conditional(
            request,
            body,
            "application/json; charset=utf-8",
            modified=None,
            max_age=15,
            weak=True,
            headers=headers | link,
        )

    def tag(request: Request, headers: dict[str, str]) -> Response:
        at, wanted = clock(), request.path_params["tag"].lower()
        everything = _listed(world, at, request)
        return timeline(request, headers, [post for post in everything if wanted in show.tags(post)])

    def public(request: Request, headers: dict[str, str]) -> Response:
        at = clock()
        return timeline(request, headers, [post for post in _listed(world, at, request) if post.parent is None])

    def status(request: Request, headers: dict[str, str]) -> Response:
        found = show.by_id.get(request.path_params["id"])
        if found is None or found.published_at > clock() or found.visibility == "private":
            return JSONResponse({"error": "Record not found"}, 404, headers)
        return JSONResponse(show.status(found, clock()), headers=headers)

    return [
        Route("/mastodon/api/v2/instance", within_budget(instance)),
        Route("/mastodon/api/v1/timelines/tag/{tag}", within_budget(tag)),
        Route("/mastodon/api/v1/timelines/public", within_budget(public)),
        Route("/mastodon/api/v1/statuses/{id}", within_budget(status)),
    ]


def kept(world: World, now: datetime, server: str) -> set[str]:
    """Return the post_ids that a listener which has read everything by then holds as standing.

    It reads the tags that config.every_source names, and sees no post without one of them.
    """
    wanted = {tag for feed in config.feeds(server, "mastodon") for tag in feed["tags"]}
    posts = (post for post in world.visible(now, "mastodon") if wanted.intersection(hashtags(post.text)))
    return {f"mastodon:{status_uri(post)}" for post in posts if post.is_for_listeners}


def status_id(post: WorldPost) -> str:
    """Return the post's id at the instance: milliseconds since 1970 and 16 bits more, so it sorts by time."""
    return str((int(post.published_at.timestamp() * 1000) << 16) + (post.id & 0xFFFF))


def status_uri(post: WorldPost) -> str:
    """Return the id of the post that all instances share."""
    return f"https://{post.author.home}/users/{post.author.name}/statuses/{status_id(post)}"


class Statuses:
    """World posts as Mastodon's Status entities."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._posts = world.visible(world.until, "mastodon")
        self._authors = {post.author.name: post.author for post in self._posts}
        self._tags = {post.id: tuple(hashtags(post.text)) for post in self._posts}
        self.by_id = {status_id(post): post for post in self._posts}

    def tags(self, post: WorldPost) -> tuple[str, ...]:
        """Return the post's hashtags in lower case."""
        return self._tags[post.id]

    def status(self, post: WorldPost, now: datetime, *, quoted: bool = False) -> dict[str, Any]:
        """Return the post as it is at that time. A status that is itself quoted shows no quote of its own."""
        text = post.text_at(now)
        parent = self._world.posts[post.parent] if post.parent is not None else None
        native = status_id(post)
        edited_at = post.edited_at(now)
        quote = None
        if post.quotes is not None:
            original = self._world.posts[post.quotes]
            quote = {"state": "accepted"}
            quote |= (
                {"quoted_status_id": status_id(original)}
                if quoted
                else {"quoted_status": self.status(original, now, quoted=True)}
            )
        named = [self._authors[name] for name in names(text) if name in self._authors]
        return {
            "id": native,
            "created_at": _iso(post.published_at),
            "in_reply_to_id": status_id(parent) if parent else None,
            "in_reply_to_account_id": _account_id(parent.author) if parent else None,
            "sensitive": bool(post.spoiler),
            "spoiler_text": post.spoiler,
            "visibility": post.visibility,
            "language": post.language,
            "uri": status_uri(post),
            "url": f"https://{post.author.home}/@{post.author.name}/{native}",
            "replies_count": len(self._world.answers(post, now)),
            "reblogs_count": post.shares,
            "favourites_count": post.likes,
            "quotes_count": 0,
            "edited_at": _iso(edited_at) if edited_at else None,
            "content": toot_html(text, post.author.home, self._home_of),
            "filtered": [],
            "reblog": None,
            "application": {"name": "Web", "website": None} if post.author.home == HOME else None,
            "account": account(post.author, now),
            "media_attachments": [],
            "mentions": [
                {
                    "id": _account_id(author),
                    "username": author.name,
                    "url": f"https://{author.home}/@{author.name}",
                    "acct": _acct(author),
                }
                for author in named
            ],
            "tags": [{"name": tag, "url": f"https://{HOME}/tags/{quote_tag(tag)}"} for tag in hashtags(text)],
            "emojis": [],
            "quote": quote,
            "quote_approval": {"automatic": ["public"], "manual": [], "current_user": "denied"},
            "card": None,
            "poll": None,
        }

    def _home_of(self, name: str) -> str | None:
        author = self._authors.get(name)
        return author.home if author else HOME if name in ("telvane", "bluefin") else None


def account(author: Author, now: datetime) -> dict[str, Any]:
    """Return the author as Mastodon's Account entity."""
    picture = f"https://{HOME}/avatars/original/missing.png"
    return {
        "id": _account_id(author),
        "username": author.name,
        "acct": _acct(author),
        "display_name": author.display_name,
        "locked": False,
        "bot": False,
        "discoverable": not author.noindex,
        "indexable": author.indexable,
        "group": False,
        "created_at": author.joined.strftime("%Y-%m-%dT00:00:00.000Z"),
        "note": paragraphs(author.note) if author.note else "",
        "url": f"https://{author.home}/@{author.name}",
        "uri": f"https://{author.home}/users/{author.name}",
        "avatar": picture,
        "avatar_static": picture,
        "header": picture,
        "header_static": picture,
        "followers_count": author.followers,
        "following_count": 20 + author.followers // 3,
        "statuses_count": 5 + author.followers * 2,
        "last_status_at": now.strftime("%Y-%m-%d"),
        "hide_collections": None,
        "noindex": author.noindex,
        "emojis": [],
        "roles": [],
        "fields": [],
    }


def quote_tag(tag: str) -> str:
    """Return the hashtag as it stands in an address."""
    return quote(tag, safe="")


def _listed(world: World, at: datetime, request: Request) -> list[WorldPost]:
    query = request.query_params
    posts: list[WorldPost] = list(world.visible(at, "mastodon"))
    if query.get("local", "").lower() in ("true", "1"):
        posts = [post for post in posts if post.author.home == HOME]
    if query.get("remote", "").lower() in ("true", "1"):
        posts = [post for post in posts if post.author.home != HOME]
    if query.get("only_media", "").lower() in ("true", "1"):
        posts = []
    return posts


def _page(posts: Sequence[WorldPost], query: Any) -> list[WorldPost]:
    """The page the query asks for, newest first. Raises ValueError for a number that is none."""
    limit = min(max(int(query.get("limit", DEFAULT_PAGE)), 1), MAX_PAGE)
    bounds = {name: int(query[name]) for name in ("max_id", "since_id", "min_id") if query.get(name)}
    low = max(bounds.get("since_id", -1), bounds.get("min_id", -1))
    high = bounds.get("max_id", 1 << 80)
    inside = [post for post in posts if low < int(status_id(post)) < high]
    page = inside[:limit] if "min_id" in bounds else inside[-limit:]
    return page[::-1]


def _links(request: Request, page: list[WorldPost]) -> dict[str, str]:
    if not page:
        return {}
    kept = {name: value for name, value in request.query_params.items() if name not in ("max_id", "since_id", "min_id")}
    here = str(request.url.replace(query=""))
    older = urlencode(kept | {"max_id": status_id(page[-1])})
    newer = urlencode(kept | {"min_id": status_id(page[0])})
    return {"Link": f'<{here}?{older}>; rel="next", <{here}?{newer}>; rel="prev"'}


def _instance(world: World, now: datetime, access: str) -> dict[str, Any]:
    feeds = {"local": access, "remote": access}
    return {
        "domain": HOME,
        "title": "Mouse",
        "version": "4.5.2",
        "source_url": "https://github.com/mastodon/mastodon",
        "description": "A small instance that exists only on your machine.",
        "usage": {"users": {"active_month": len({post.author.name for post in world.visible(now, "mastodon")})}},
        "thumbnail": {"url": f"https://{HOME}/thumbnail.png"},
        "languages": ["en"],
        "configuration": {
            "urls": {"streaming": f"wss://{HOME}"},
            "statuses": {"max_characters": 500, "max_media_attachments": 4, "characters_reserved_per_url": 23},
            "timelines_access": {"live_feeds": feeds, "hashtag_feeds": feeds, "trending_link_feeds": feeds},
        },
        "registrations": {"enabled": False, "approval_required": False, "message": None, "url": None},
        "api_versions": {"mastodon": 7},
        "contact": {"email": f"admin@{HOME}", "account": None},
        "rules": [],
    }


def _acct(author: Author) -> str:
    return author.name if author.home == HOME else f"{author.name}@{author.home}"


def _account_id(author: Author) -> str:
    return str((int(author.joined.timestamp() * 1000) << 16) + sum(author.name.encode()) % 65536)


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"
