"""A site that runs the software of Lobsters: /newest/page/N.json, /t/TAGS.json, /s/ID.json, and a robots.txt.

Source: the controllers and models of lobsters/lobsters. Limits, as there: 25 stories a page; 4 requests a second and 30
a minute, which are kept only where they are asked for: hosts of ours are spared the pace that the listener keeps
elsewhere, and would run into them. robots.txt, which is the whole server's, keeps all bots out of this site.

The stories are those of the world's forum of engineers. A comment that is not listed in the world was deleted here:
there, but without its words. What is private, and all below it, is not shown.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta, timezone
from typing import Any
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from listeners.feed_server.budget import Budget
from listeners.feed_server.markup import paragraphs
from listeners.feed_server.posts import WorldPost
from listeners.feed_server.world import World

PAGE = 25
LIMITS = ((4, 1), (30, 60), (100, 600), (400, 3600))  # requests, seconds
ROBOTS = "User-agent: *\nCrawl-delay: 1\nDisallow: /lobsters/\n"
CHICAGO = timezone(timedelta(hours=-6))  # where the site's clock stands
Clock = Callable[[], datetime]


def routes(world: World, clock: Clock, *, now: Clock, limits: Sequence[tuple[int, int]] = ()) -> list[Route]:
    """Return /robots.txt and the routes under /lobsters. limits: LIMITS or none, by the clock `now`."""
    budget = Budget(*limits, now=now)
    site = Site(world)

    def limited(answer: Callable[[Request], Any]) -> Callable[[Request], Response]:
        def within(request: Request) -> Response:
            if limits and (wait := budget.spend(request.client.host if request.client else "")):
                return PlainTextResponse("Throttled, sleep(1) between hits\n", 429, {"Retry-After": str(wait)})
            answered = answer(request)
            return JSONResponse({"error": "not found"}, 404) if answered is None else JSONResponse(answered)

        return within

    def newest(request: Request) -> list[dict[str, Any]]:
        return site.page(site.stories(clock()), request.path_params.get("page", 1), clock())

    def tagged(request: Request) -> list[dict[str, Any]] | None:
        tags = set(request.path_params["tags"].split(","))
        stories = site.stories(clock())
        if not tags <= {tag for story in stories for tag in _tags(story)}:
            return None
        page = request.query_params.get("page", "1")
        wanted = [story for story in stories if tags & set(_tags(story))]
        return site.page(wanted, int(page) if page.isdecimal() and int(page) else 1, clock())

    def story(request: Request) -> dict[str, Any] | None:
        found = next((post for post in site.stories(clock()) if short_id(post) == request.path_params["id"]), None)
        return None if found is None else site.story(found, clock()) | {"comments": site.comments(found, clock())}

    return [
        Route("/robots.txt", lambda _: PlainTextResponse(ROBOTS)),
        Route("/lobsters/newest.json", limited(newest)),
        Route("/lobsters/newest/page/{page:int}.json", limited(newest)),
        Route("/lobsters/t/{tags}.json", limited(tagged)),
        Route("/lobsters/s/{id}.json", limited(story)),
    ]


def kept(world: World, now: datetime, server: str) -> set[str]:
    """Return the post_ids that a listener which has read everything by then holds as standing."""
    site, name = Site(world), f"lobsters:{urlsplit(server).netloc}/lobsters"
    stories = site.stories(now)
    comments = (comment for story in stories for _, comment in site.below(story, now) if not _is_deleted(comment))
    return {f"{name}:{short_id(story)}" for story in stories} | {
        f"{name}:comment/{short_id(comment)}" for comment in comments
    }


def short_id(post: WorldPost) -> str:
    """Return what a story or comment is called in addresses."""
    return f"{post.id + 46_656:x}"


class Site:
    """World posts as the software's models show them."""

    def __init__(self, world: World) -> None:
        self._world = world

    def stories(self, now: datetime) -> list[WorldPost]:
        """Return the stories by then, the newest first."""
        posts = self._world.visible(now, "hackernews")
        return [post for post in posts if post.title is not None and post.visibility != "private"][::-1]

    def page(self, stories: list[WorldPost], page: int, now: datetime) -> list[dict[str, Any]]:
        """Return a page of stories as a list shows them."""
        return [self.story(story, now) for story in stories[(page - 1) * PAGE : page * PAGE]]

    def below(self, post: WorldPost, now: datetime, depth: int = 0) -> list[tuple[int, WorldPost]]:
        """Return the comments below a post that are shown, in the order of the threads, with their depth."""
        shown = []
        for answer in self._world.answers(post, now):
            if answer.visibility != "private":
                shown += [(depth, answer), *self.below(answer, now, depth + 1)]
        return shown

    def story(self, post: WorldPost, now: datetime) -> dict[str, Any]:
        """Return a story as a list shows it."""
        address = f"https://lobsters.example/s/{short_id(post)}"
        return {
            "short_id": short_id(post),
            "short_id_url": address,
            "created_at": _iso(post.published_at),
            "title": post.title,
            "url": post.link or "",
            "score": 1 + post.likes,
            "flags": 0,
            "comment_count": sum(not _is_deleted(comment) for _, comment in self.below(post, now)),
            "description": paragraphs(post.text) if post.text else "",
            "description_plain": post.text,
            "comments_url": address,
            "submitter_user": post.author.name,
            "user_is_author": False,
            "tags": _tags(post),
        }

    def comments(self, post: WorldPost, now: datetime) -> list[dict[str, Any]]:
        """Return the comments on a story."""
        return [
            {
                "short_id": short_id(comment),
                "short_id_url": f"https://lobsters.example/c/{short_id(comment)}",
                "created_at": _iso(comment.published_at),
                "last_edited_at": _iso(comment.published_at),
                "is_deleted": _is_deleted(comment),
                "is_moderated": False,
                "score": 1 + comment.likes,
                "flags": 0,
                "parent_comment": None if depth == 0 else short_id(self._world.posts[comment.parent or 0]),
                "comment": "<em>Comment removed by author</em>" if _is_deleted(comment) else paragraphs(comment.text),
                "comment_plain": "Comment removed by author" if _is_deleted(comment) else comment.text,
                "url": f"https://lobsters.example/c/{short_id(comment)}",
                "depth": depth,
                "commenting_user": comment.author.name,
            }
            for depth, comment in self.below(post, now)
        ]


def _is_deleted(comment: WorldPost) -> bool:
    return comment.visibility == "unlisted"


def _tags(post: WorldPost) -> list[str]:
    return ["ask"] if (post.title or "").startswith("Ask") else ["networking"] if post.id % 3 else ["networking", "law"]


def _iso(at: datetime) -> str:
    return at.astimezone(CHICAGO).isoformat(timespec="milliseconds")
