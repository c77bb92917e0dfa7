"""Reviews as the App Store's feed shows them: /appstore/CC/rss/customerreviews/page=N/id=APP/sortby=mostrecent/xml.

The world's reviews are of one app, in the shops of two countries, at times with the app itself as the first entry.
Limits, as there: 50 reviews a page, 10 pages; a page further on is refused, an app that is unknown has no reviews.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta, timezone
from xml.sax.saxutils import escape
from zlib import crc32

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from listeners.feed_server.posts import WorldPost
from listeners.feed_server.world import World

APP = 1_500_000_001
COUNTRIES = ("gb", "ie")
PAGES, REVIEWS_A_PAGE = 10, 50
FIRST_ID = 14_000_000_000

_CUPERTINO = timezone(-timedelta(hours=7))  # offsets are kept, as there


def routes(world: World, clock: Callable[[], datetime]) -> list[Route]:
    """Return the routes under /appstore."""

    def reviews(request: Request) -> Response:
        country, number, app = (request.path_params[name] for name in ("country", "page", "app"))
        if not 1 <= number <= PAGES:
            return Response("CustomerReviews RSS page depth is limited to 10", 400)
        found = [] if app != APP else list(reversed(_reviews(world, clock(), country)))
        page = found[(number - 1) * REVIEWS_A_PAGE : number * REVIEWS_A_PAGE]
        body = feed(country, number, page, with_app=number == 1 and bool(page) and country == COUNTRIES[0])
        return Response(body, media_type="text/xml; charset=UTF-8")

    path = "/appstore/{country}/rss/customerreviews/page={page:int}/id={app:int}/sortby=mostrecent/xml"
    return [Route(path, reviews)]


def kept(world: World, now: datetime, server: str) -> set[str]:
    """Return the post_ids of what a listener holds that has read everything up to now."""
    return {f"appstore:{FIRST_ID + post.id}" for country in COUNTRIES for post in _reviews(world, now, country)}


def feed(country: str, number: int, reviews: Sequence[WorldPost], *, with_app: bool) -> bytes:
    """Return the document of one page of reviews, in the given order."""
    place = f"https://itunes.apple.com/{country}"
    about = """
<entry>
<title>Switchboard: broadband and mobile</title>
<im:name>Switchboard</im:name>
<im:price amount="0.00000" currency="GBP">Get</im:price>
</entry>"""
    entries = "".join(_entry(place, review) for review in reviews)
    return f"""<?xml version="1.0" encoding="utf-8"?>
<feed xmlns:im="http://itunes.apple.com/rss" xmlns="http://www.w3.org/2005/Atom" xml:lang="en">
<id>{place}/rss/customerreviews/page={number}/id={APP}/sortby=mostrecent/xml</id>
<title>iTunes Store: Customer Reviews</title>
<link rel="self" href="{place}/rss/customerreviews/page={number}/id={APP}/sortby=mostrecent/xml"/>
<link rel="next" href="{place}/rss/customerreviews/page={number + 1}/id={APP}/sortby=mostrecent/xml"/>
<author><name>iTunes Store</name><uri>http://www.apple.com/itunes/</uri></author>{about if with_app else ""}{entries}
</feed>
""".encode()


def _entry(place: str, review: WorldPost) -> str:
    text, customer = escape(review.text), crc32(review.author.name.encode())
    table = escape(f'<table border="0"><tr><td><font size="2"><br/>{text}</font></td></tr></table>')
    return f"""
<entry>
<id>{FIRST_ID + review.id}</id>
<title>{escape(review.title or "")}</title>
<content type="text">{text}</content>
<im:contentType term="Application" label="Application"/>
<im:voteSum>{review.likes}</im:voteSum>
<im:voteCount>{review.likes + 1}</im:voteCount>
<im:rating>{review.rating}</im:rating>
<updated>{review.published_at.astimezone(_CUPERTINO).isoformat(timespec="seconds")}</updated>
<im:version>9.{review.id // 500}</im:version>
<author><name>{escape(review.author.display_name)}</name><uri>{place}/reviews/id{customer}</uri></author>
<link rel="related" href="{place}/review?id={APP}&amp;type=Purple%20Software"/>
<content type="html">{table}</content>
</entry>"""


def _reviews(world: World, now: datetime, country: str) -> list[WorldPost]:
    """The reviews written in a country, the oldest first: two thirds of them in the first."""
    there = [post for post in world.visible(now, "reviews") if post.rating is not None]
    return [post for post in there if COUNTRIES[post.id % 3 == 0] == country]
