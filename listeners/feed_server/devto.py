"""A Forem community: /api/articles/latest, /api/articles/ID, /api/comments and /api/comments/ID_CODE.

Source: the controllers and views of forem/forem, version 1 of its API. Limits, as there: 1,000 articles a page and 30
unless asked for, 1,000 pages; 3 requests a second and 30 a minute, which are kept only where they are asked for: hosts
of ours are spared the pace that the listener keeps elsewhere, and would run into them.

The articles are the stories of the world's forum of engineers. A comment that is not listed in the world was deleted
here: there, but without its words. What is private, and all below it, is not shown.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit
from zlib import crc32

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from listeners.feed_server.budget import Budget
from listeners.feed_server.markup import paragraphs
from listeners.feed_server.people import Author
from listeners.feed_server.posts import WorldPost
from listeners.feed_server.world import World

MAX_PAGE = 1000
DEFAULT_PAGE = 30
THREADS = 50  # of comments a page, unless asked for
LAST_PAGE = 1000
FIRST_ID = 1_900_000
LIMITS = ((3, 1), (30, 60))  # requests, seconds
Clock = Callable[[], datetime]


def routes(world: World, clock: Clock, *, now: Clock, limits: Sequence[tuple[int, int]] = ()) -> list[Route]:
    """Return the routes under /devto. limits: LIMITS or none, by the clock `now`."""
    budget = Budget(*limits, now=now)
    community = Community(world)

    def limited(answer: Callable[[Request], Any]) -> Callable[[Request], Response]:
        def within(request: Request) -> Response:
            if limits and (wait := budget.spend(request.client.host if request.client else "")):
                return Response("Retry later\n", 429, {"Retry-After": str(wait)}, "text/plain")
            answered = answer(request)
            return JSONResponse({"error": "not found", "status": 404}, 404) if answered is None else answered

        return within

    def latest(request: Request) -> Response:
        page, size = _whole(request.query_params, "page", 1), _whole(request.query_params, "per_page", DEFAULT_PAGE)
        if page > LAST_PAGE:
            return JSONResponse({"error": "unauthorized", "status": 401}, 401)
        size = min(size, MAX_PAGE)
        articles = community.articles(clock())[::-1][(page - 1) * size : page * size]
        return JSONResponse([community.article(post, clock()) for post in articles])

    def article(request: Request) -> Response | None:
        post = community.find(request.path_params["id"], clock())
        if post is None:
            return None
        body = {"body_html": paragraphs(community.text(post)), "body_markdown": community.text(post)}
        return JSONResponse(community.article(post, clock()) | body)

    def comments(request: Request) -> Response | None:
        wanted = request.query_params.get("a_id", "")
        post = community.find(int(wanted) if wanted.isdecimal() else 0, clock())
        if post is None:
            return None
        page, size = _whole(request.query_params, "page", 1), _whole(request.query_params, "per_page", THREADS)
        threads = community.threads(post, clock())[(page - 1) * size : page * size]
        return JSONResponse(threads)

    def comment(request: Request) -> Response | None:
        thread = community.thread(request.path_params["code"], clock())
        return None if thread is None else JSONResponse(thread)

    return [
        Route("/devto/api/articles/latest", limited(latest)),
        Route("/devto/api/articles/{id:int}", limited(article)),
        Route("/devto/api/comments", limited(comments)),
        Route("/devto/api/comments/{code}", limited(comment)),
    ]


def kept(world: World, now: datetime, server: str) -> set[str]:
    """Return the post_ids that a listener which has read everything by then holds as standing."""
    community, name = Community(world), f"devto:{urlsplit(server).netloc}/devto"
    articles = community.articles(now)
    comments = (answer for article in articles for answer in community.below(article, now) if not _is_deleted(answer))
    return {f"{name}:{article_id(article)}" for article in articles} | {
        f"{name}:comment/{code(comment)}" for comment in comments
    }


def article_id(post: WorldPost) -> int:
    """Return an article's number."""
    return FIRST_ID + post.id


def code(post: WorldPost) -> str:
    """Return what a comment is called in addresses."""
    return f"{FIRST_ID + post.id:x}"


class Community:
    """World posts as Forem's views show them."""

    def __init__(self, world: World) -> None:
        self._world = world

    def articles(self, now: datetime) -> list[WorldPost]:
        """Return what was published by then, oldest first."""
        posts = self._world.visible(now, "hackernews")
        return [post for post in posts if post.title is not None and post.visibility != "private"]

    def find(self, number: int, now: datetime) -> WorldPost | None:
        """Return the article of a number, or None if there is none by then."""
        return next((post for post in self.articles(now) if article_id(post) == number), None)

    def text(self, post: WorldPost) -> str:
        """Return an article's text, with its link where it has one."""
        return "\n\n".join(part for part in (post.text, post.link) if part)

    def answers(self, post: WorldPost, now: datetime) -> list[WorldPost]:
        """Return the answers to a post that are shown."""
        return [answer for answer in self._world.answers(post, now) if answer.visibility != "private"]

    def below(self, post: WorldPost, now: datetime) -> list[WorldPost]:
        """Return all that is shown below a post."""
        answers = self.answers(post, now)
        return answers + [lower for answer in answers for lower in self.below(answer, now)]

    def article(self, post: WorldPost, now: datetime) -> dict[str, Any]:
        """Return an article as the list has it."""
        comments = [comment for comment in self.below(post, now) if not _is_deleted(comment)]
        slug = "-".join("".join(c if c.isalnum() else " " for c in (post.title or "").lower()).split())[:60]
        path = f"/{post.author.name}/{slug}-{article_id(post):x}"
        return {
            "type_of": "article",
            "id": article_id(post),
            "title": post.title,
            "description": self.text(post).split("\n")[0][:100],
            "slug": path.rpartition("/")[2],
            "path": path,
            "url": f"https://devto.example{path}",
            "comments_count": len(comments),
            "public_reactions_count": post.likes,
            "positive_reactions_count": post.likes,
            "language": post.language,
            "published_timestamp": _iso(post.published_at),
            "created_at": _iso(post.published_at),
            "edited_at": None,
            "published_at": _iso(post.published_at),
            "last_comment_at": _iso(max([post.published_at, *(comment.published_at for comment in comments)])),
            "reading_time_minutes": 1,
            "tag_list": ["telecoms", *(name.lower() for name in post.truth.sentiments)],
            "user": _user(post.author),
        }

    def threads(self, post: WorldPost, now: datetime) -> list[dict[str, Any]]:
        """Return the comments on a post, each with those below it."""
        return [self._thread(answer, now) for answer in self.answers(post, now)]

    def thread(self, wanted: str, now: datetime) -> dict[str, Any] | None:
        """Return the comment of a code with those below it, or None if there is none by then."""
        below = (comment for article in self.articles(now) for comment in self.below(article, now))
        return next((self._thread(comment, now) for comment in below if code(comment) == wanted), None)

    def _thread(self, comment: WorldPost, now: datetime) -> dict[str, Any]:
        return {
            "type_of": "comment",
            "id_code": code(comment),
            "created_at": _iso(comment.published_at),
            "body_html": "<p>[deleted]</p>" if _is_deleted(comment) else paragraphs(comment.text),
            "user": {} if _is_deleted(comment) else _user(comment.author),
            "children": self.threads(comment, now),
        }


def _is_deleted(comment: WorldPost) -> bool:
    return comment.visibility == "unlisted"


def _user(author: Author) -> dict[str, Any]:
    return {"name": author.display_name, "username": author.name, "user_id": crc32(author.name.encode()) % 10**6}


def _whole(query: Mapping[str, str], name: str, default: int) -> int:
    value = query.get(name, "")
    return int(value) if value.isdecimal() and int(value) else default


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
