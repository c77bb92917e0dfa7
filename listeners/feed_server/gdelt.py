"""The two newspapers as GDELT's files show them: /gdelt/gdeltv2/lastupdate.txt and YYYYMMDDHHMMSS.gkg.csv.zip.

Source: the codebook of the Global Knowledge Graph 2.1. Every fifteen minutes a file of what was published since the one
before: 27 columns, those filled that a reader of titles needs. The files begin a day before the world ends, as the
real ones begin in 2015; there are translated ones too, without any article.
"""

import hashlib
import html
import io
import zipfile
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from listeners.feed_server.posts import WorldPost
from listeners.feed_server.world import World

EVERY = timedelta(minutes=15)
BEGINS = timedelta(days=1)  # before the world ends
COLUMNS = 27

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def routes(world: World, clock: Callable[[], datetime]) -> list[Route]:
    """Return the routes under /gdelt/gdeltv2."""

    def latest(request: Request) -> Response:
        kind = ".translation" if "translation" in request.url.path else ""
        at = newest(clock())
        body = archive(at, [] if kind else _articles(world, at), kind)
        digest = hashlib.md5(body, usedforsecurity=False).hexdigest()
        place = f"http://data.gdeltproject.org/gdeltv2/{at:%Y%m%d%H%M%S}{kind}"
        lines = [
            f"1 {'0' * 32} {place}.export.CSV.zip",
            f"1 {'0' * 32} {place}.mentions.CSV.zip",
            f"{len(body)} {digest} {place}.gkg.csv.zip",
        ]
        return PlainTextResponse("\n".join(lines) + "\n")

    def file(request: Request) -> Response:
        stamp, _, kind = request.path_params["stamp"].partition(".")
        at = _moment(stamp)
        exists = at is not None and at == newest(at) and world.until - BEGINS < at <= newest(clock())
        if at is None or not exists or kind not in ("", "translation"):
            return PlainTextResponse("<Code>NoSuchKey</Code>", 404)
        kind = f".{kind}" if kind else ""
        return Response(archive(at, [] if kind else _articles(world, at), kind), media_type="application/zip")

    return [
        Route("/gdelt/gdeltv2/lastupdate.txt", latest),
        Route("/gdelt/gdeltv2/lastupdate-translation.txt", latest),
        Route("/gdelt/gdeltv2/{stamp}.gkg.csv.zip", file),
    ]


def kept(world: World, now: datetime, server: str) -> set[str]:
    """Return the post_ids of what a listener holds that has read everything up to now."""
    articles = world.visible(newest(now), "courier", "herald")
    first = newest(world.until - BEGINS)
    return {f"gdelt:{address(post).partition('//')[2]}" for post in articles if post.published_at > first}


def newest(now: datetime) -> datetime:
    """Return the time of the newest file."""
    return now - (now - _EPOCH) % EVERY


def address(post: WorldPost) -> str:
    """Return where the newspaper has the article."""
    return f"https://{post.place}.example/{post.published_at:%Y/%m/%d}/{post.id}"


def archive(at: datetime, articles: Sequence[WorldPost], kind: str = "") -> bytes:
    """Return a file of articles, packed."""
    lines = "".join("\t".join(columns(at, number, post)) + "\n" for number, post in enumerate(articles))
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as file:
        name = zipfile.ZipInfo(f"{at:%Y%m%d%H%M%S}{kind}.gkg.csv", at.timetuple()[:6])
        file.writestr(name, lines)
    return packed.getvalue()


def columns(at: datetime, number: int, post: WorldPost) -> list[str]:
    """Return an article as a line's columns."""
    stamp = f"{at:%Y%m%d%H%M%S}"
    title = html.escape(post.title or "").replace("&#x27;", "&#x2019;")
    author = html.escape(post.author.display_name)
    names = ";".join(f"{name},{place}" for place, name in enumerate(post.truth.sentiments))
    filled = {
        0: f"{stamp}-{number}",
        1: stamp,
        2: "1",
        3: f"{post.place}.example",
        4: f"{address(post)}?utm_source=wire",
        14: names,
        15: "0,0,0,0,0,0,0",
        26: f"<PAGE_AUTHORS>{author}</PAGE_AUTHORS><PAGE_TITLE>{title}</PAGE_TITLE>",
    }
    return [filled.get(column, "") for column in range(COLUMNS)]


def _articles(world: World, at: datetime) -> list[WorldPost]:
    """What was published in the fifteen minutes up to then."""
    found = world.visible(at, "courier", "herald")
    return [post for post in found if post.published_at > at - EVERY]


def _moment(stamp: str) -> datetime | None:
    try:
        return datetime.strptime(stamp, "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return None
