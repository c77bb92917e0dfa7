"""News, blogs and reviews as RSS 2.0, Atom (RFC 4287) and JSON Feed 1.1.

Each shows only its newest items, as such feeds do; what has left the window is not deleted, it just cannot be had.
"""

import hashlib
import html
import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from email.utils import format_datetime
from xml.sax.saxutils import escape

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from listeners.feed_server import config
from listeners.feed_server.answers import conditional
from listeners.feed_server.markup import paragraphs
from listeners.feed_server.posts import Place, WorldPost
from listeners.feed_server.world import World

NEWS_ITEMS = 60
BLOG_ITEMS = 50
REVIEW_ITEMS = 400  # longer than most, so that a first visit finds some history
PLACES: dict[str, Place] = {
    "/rss/courier.xml": "courier", "/rss/herald.xml": "herald", "/atom/blog.xml": "blog",
    "/jsonfeed/reviews.json": "reviews",
}  # fmt: skip
_STARS = "★★★★★☆☆☆☆☆"


def routes(world: World, clock: Callable[[], datetime]) -> list[Route]:
    """Return /rss/courier.xml, /rss/herald.xml, /atom/blog.xml and /jsonfeed/reviews.json."""

    def courier(request: Request) -> Response:
        posts = _newest(world, clock(), "courier", NEWS_ITEMS)
        body = rss_document("The Harwick Courier", "https://courier.example", posts)
        return conditional(request, body, "application/rss+xml; charset=utf-8", modified=_changed(posts), max_age=300)

    def herald(request: Request) -> Response:
        posts = _newest(world, clock(), "herald", NEWS_ITEMS)
        body = rss_document("Eastmere Herald", "https://herald.example", posts)
        return conditional(request, body, "text/xml; charset=utf-8", modified=_changed(posts), max_age=300)

    def blog(request: Request) -> Response:
        posts = _newest(world, clock(), "blog", BLOG_ITEMS)
        body = atom_document(posts)
        return conditional(
            request, body, "application/atom+xml; charset=utf-8", modified=_changed(posts), max_age=900, weak=True
        )

    def reviews(request: Request) -> Response:
        posts = _newest(world, clock(), "reviews", REVIEW_ITEMS)
        body = json_feed(posts)
        return conditional(request, body, "application/feed+json", modified=_changed(posts), max_age=120)

    return [
        Route("/rss/courier.xml", courier),
        Route("/rss/herald.xml", herald),
        Route("/atom/blog.xml", blog),
        Route("/jsonfeed/reviews.json", reviews),
    ]


def kept(world: World, now: datetime, server: str) -> set[str]:
    """Return the post_ids that a listener holds as standing which has come by before anything left a window.

    All that was published by then: what leaves a window stands, and one who comes too late never learns of it.
    """
    return {
        f"rss:{feed['id']}:{_known_by(guid(post))}"
        for feed in config.feeds(server, "rss")
        for post in world.visible(now, PLACES[feed["url"].removeprefix(server.rstrip("/"))])
    }


def guid(post: WorldPost) -> str:
    """Return what an item is known by in its feed."""
    if post.place == "blog":
        return f"tag:counterclerk.example,2024:post-{post.id}"
    return f"https://starred.example/r/{post.id}" if post.place == "reviews" else f"{post.place}.example-{post.id}"


def rss_document(title: str, site: str, posts: Sequence[WorldPost]) -> bytes:
    """Return an RSS 2.0 document of the posts, in the given order: headline and first paragraph each."""
    built = f"<lastBuildDate>{_rfc822(posts[0].published_at)}</lastBuildDate>" if posts else ""
    items = "".join(
        f"""
    <item>
      <title>{escape(post.title or "")}</title>
      <link>{site}/{post.published_at:%Y/%m/%d}/{post.id}</link>
      <guid isPermaLink="false">{guid(post)}</guid>
      <pubDate>{_rfc822(post.published_at)}</pubDate>
      <dc:creator>{escape(post.author.display_name)}</dc:creator>
      <category>Consumer</category>
      <description><![CDATA[{paragraphs(post.text)}]]></description>
    </item>"""
        for post in posts
    )
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:atom="http://www.w3.org/2005/Atom">
  <channel>
    <title>{escape(title)}</title>
    <link>{site}</link>
    <description>News from Harwick, Eastmere and around</description>
    <language>en</language>
    <ttl>5</ttl>
    <atom:link href="{site}/feed.xml" rel="self" type="application/rss+xml"/>
    {built}{items}
  </channel>
</rss>
""".encode()


def atom_document(posts: Sequence[WorldPost]) -> bytes:
    """Return an Atom document of the posts, in the given order, with their whole text as HTML."""
    site = "https://counterclerk.example"
    updated = _rfc3339(posts[0].published_at) if posts else "1970-01-01T00:00:00Z"
    entries = "".join(
        f"""
  <entry>
    <id>{guid(post)}</id>
    <title type="html">{escape(html.escape(post.title or "", quote=False))}</title>
    <link rel="alternate" type="text/html" href="{site}/{post.published_at:%Y/%m}/post-{post.id}"/>
    <published>{_rfc3339(post.published_at)}</published>
    <updated>{_rfc3339(post.published_at)}</updated>
    <author><name>{escape(post.author.display_name)}</name><uri>{site}/by/{post.author.name}</uri></author>
    <content type="html">{escape(paragraphs(post.text))}</content>
  </entry>"""
        for post in posts
    )
    return f"""<?xml version="1.0" encoding="utf-8"?>
<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="en">
  <id>tag:counterclerk.example,2024:feed</id>
  <title>Counter Clerk: consumer notes</title>
  <link rel="self" href="{site}/feed.atom"/>
  <link rel="alternate" href="{site}/"/>
  <updated>{updated}</updated>{entries}
</feed>
""".encode()


def json_feed(posts: Sequence[WorldPost]) -> bytes:
    """Return a JSON Feed of the posts, in the given order: reviews with stars in the title and in `_review`."""
    site = "https://starred.example"
    items = [
        {
            "id": guid(post),
            "url": guid(post),
            "title": f"{_stars(post.rating)} {post.title or ''}".strip(),
            "content_html": paragraphs(post.text),
            "date_published": _rfc3339(post.published_at),
            "authors": [{"name": post.author.display_name, "url": f"{site}/u/{post.author.name}"}],
            "language": "en",
            "tags": ["broadband", *(name.lower() for name in post.truth.sentiments)],
            "_review": {"about": f"{site}/about#review", "rating": post.rating, "best": 5, "worst": 1},
        }
        for post in posts
    ]
    feed = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": "Starred: broadband and mobile reviews",
        "home_page_url": site,
        "feed_url": f"{site}/feed.json",
        "language": "en",
        "items": items,
    }
    return json.dumps(feed, ensure_ascii=False).encode()


def _known_by(guid: str) -> str:
    """How listeners/rss.py names an entry: http and https are one."""
    return hashlib.sha256(guid.removeprefix("https:").encode()).hexdigest()[:24]


def _newest(world: World, now: datetime, place, count: int) -> list[WorldPost]:
    return list(reversed(world.visible(now, place)[-count:]))


def _changed(posts: Sequence[WorldPost]) -> datetime | None:
    return posts[0].published_at if posts else None


def _stars(rating: int | None) -> str:
    return _STARS[5 - rating : 10 - rating] if rating else ""


def _rfc822(at: datetime) -> str:
    return format_datetime(at.astimezone(UTC), usegmt=True)


def _rfc3339(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
