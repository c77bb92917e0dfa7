"""Reviews of apps in Apple's App Store, per app and country.

Source: GET {url}/CC/rss/customerreviews/page=N/id=APP/sortby=mostrecent/xml, Atom with an `im:` namespace; recorded
replies, and what others found out (2026-11): Apple documents none of it. No authentication. The JSON of the same name
gives no dates (facundoolano/app-store-scraper#50), hence XML.
Limits: 50 reviews a page and 10 pages, that is all (facundoolano/app-store-scraper#5): what is more than 500 reviews
behind at a visit cannot be had, which is said. No headers tell a budget.
An edit keeps the review's id and changes `updated`, the only date there is: published_at is that of the last change.
A review is given as text and as a table of HTML, of which the text counts. im:version, the app's, has no column.
xml:lang is the shop's language, not the review's. Deletions are not told. Accounts are customer numbers, the same in
all countries, as in the address of a customer's reviews.

Servers give some addresses feeds without reviews (qiaomu-app-review-insights PR 1), and a country that had reviews has
them still: an empty first page is then suspect, and the cursor stays. So it does where the list seems to end below a
full page, until a later visit finds that end too. The cursor holds a `Descent` per app and country.
"""

import json
import re
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

from pydantic import Field, field_validator

from listeners.consent import without_opt_in
from listeners.descent import Descent
from listeners.feed import CURSOR_FAULTS, FeedOptions, Page, Phrases, Visit, WebAddress
from listeners.feed_document import document_of
from listeners.places import one_by_one
from listeners.plain_text import clean, from_html
from listeners.post import CLOCK_SKEW, empty_page, row, text_of, to_page
from listeners.rss import xml_entry

PAGES = 10  # all there are of an app in a country
REVIEWS_A_PAGE = 50

_NUMBER = re.compile(r"(\d{1,30})$")  # the parser takes an id for an address and puts the feed's before it
_CUSTOMER = re.compile(r"/id(\d{1,30})$")


class Options(FeedOptions):
    """The keys of an appstore feed in listening.toml."""

    url: WebAddress = Field(default="https://itunes.apple.com", description="address of the App Store")
    apps: Phrases = Field(min_length=1, description="numbers of apps, as after `id` in an app's address, as text")
    countries: Phrases = Field(min_length=1, description="countries by their two letters: us, gb, ...")

    @field_validator("apps")
    @classmethod
    def _are_numbers(cls, apps: tuple[str, ...]) -> tuple[str, ...]:
        if wrong := [app for app in apps if not re.fullmatch(r"[0-9]{1,20}", app)]:
            raise ValueError(f"an app has a number, and {wrong[0]!r} is none")
        return apps

    @field_validator("countries")
    @classmethod
    def _are_countries(cls, countries: tuple[str, ...]) -> tuple[str, ...]:
        if wrong := [country for country in countries if not re.fullmatch(r"[A-Za-z]{2}", country)]:
            raise ValueError(f"a country has two letters, unlike {wrong[0]!r}")
        return tuple(country.lower() for country in countries)


Shop = tuple[str, str]  # app, country


async def pages(visit: Visit) -> AsyncIterator[Page]:
    """Yield reviews, the newest first in each country; one that fails does not stop the others.

    Raises as FeedClient.get does where all of them fail; FeedFormatChanged where no answer is a feed.
    """
    progress = read_cursor(visit.cursor, visit.feed)
    shops = (_reviews(visit, shop, progress) for shop in progress)
    async for page in one_by_one(shops, lambda: write_cursor(progress, visit.feed)):
        yield page


async def _reviews(visit: Visit, shop: Shop, progress: dict[Shop, Descent]) -> AsyncIterator[Page]:
    """The pages of one shop: what is left of a reading that broke off, then from the top."""
    done = progress[shop]
    if isinstance(done.at, int):  # a page earlier: reviews deleted in between have moved the others up
        async for page in _down(visit, shop, progress, first=max(2, min(done.at, PAGES) - 1), ended_at=done.at):
            yield page
        if done.at is not None:
            return
    async for page in _down(visit, shop, progress, first=1, ended_at=None):
        yield page


async def _down(
    visit: Visit, shop: Shop, progress: dict[Shop, Descent], *, first: int, ended_at: int | None
) -> AsyncIterator[Page]:
    """The pages from one on, down to what was read before. ended_at: the page at which a visit before broke off."""
    done, (app, country) = progress[shop], shop
    where, times, size = f"app {app} in {country}", [], 0
    for number in range(first, PAGES + 1):
        reviews = await _page(visit, shop, number)
        if not reviews:
            if number == 1:
                is_the_end = done == Descent()
            elif ended_at is not None and number <= ended_at:
                is_the_end = bool(await _page(visit, shop, 1))  # else it is us whom the server shows nothing
            else:
                is_the_end = 0 < size < REVIEWS_A_PAGE or done.overlaps(times)
            if not is_the_end:
                said = f"{where}: no reviews on page {number}, and that is not believed"
                yield empty_page(write_cursor(progress, visit.feed), suspect=said)
                return
            break
        times, size = _times(reviews, visit.started_at), len(reviews)
        if number == 1:
            done.begin(times)
        lost = None
        if number == PAGES and not done.overlaps(times):
            lost = f"{where}: no more than the {PAGES * REVIEWS_A_PAGE} newest reviews can be had"
        is_last = number == PAGES or done.is_old(times)
        if is_last:
            done.finish()
        else:
            done.at = number + 1
        cursor = write_cursor(progress, visit.feed)
        yield to_page(visit, reviews, lambda review: to_post(review, visit), cursor=cursor, capped=lost)
        if is_last:
            return
    done.finish()
    yield empty_page(write_cursor(progress, visit.feed))


def to_post(review: dict[str, Any], visit: Visit) -> dict[str, Any]:
    """Return a review as a row of posts.

    Raises LeftOut where consent is lacking; KeyError, TypeError or ValueError where it lacks what it must have.
    """
    number, stars = _NUMBER.search(text_of(review, "id").strip()), text_of(review, "im_rating").strip()
    if number is None:
        raise ValueError(f"'id' is {review['id'][:60]!r}, which is no number")
    if stars not in ("1", "2", "3", "4", "5"):
        raise ValueError(f"'im_rating' is {stars[:20]!r}, not 1 to 5")
    links = [link.get("href") for link in review.get("links") or [] if link.get("rel") == "related"]
    detail = review.get("author_detail") or {}
    customer = _CUSTOMER.search(detail.get("href") or "")
    return row(
        visit,
        post_id=f"appstore:{number[1]}",
        kind="review",
        url=links[0] if links else None,
        title=_words(review.get("title_detail") or {}),
        text=_words(_text_of(review)),
        account=customer[1] if customer else detail.get("name") or None,
        published_at=xml_entry(review).updated_at,
        likes=_votes(review.get("im_votesum")),
        rating=(int(stars) - 1) / 4,
        consent=without_opt_in(visit),
    )


def read_cursor(cursor: str | None, feed: Options) -> dict[Shop, Descent]:
    """Return what is read per app and country. One that is new, or whose place changed, begins at the beginning."""
    try:
        saved = json.loads(cursor or "{}")
        shops = saved["shops"] if saved.get("url") == feed.url else {}
        known = {name: Descent.of(state) for name, state in shops.items()}
    except CURSOR_FAULTS:
        known = {}
    shops = [(app, country) for app in feed.apps for country in feed.countries]
    return {shop: known.get("/".join(shop), Descent()) for shop in shops}


def write_cursor(progress: dict[Shop, Descent], feed: Options) -> str:
    """Return it as text."""
    shops = {"/".join(shop): done.state() for shop, done in progress.items() if done != Descent()}
    return json.dumps({"url": feed.url, "shops": shops})


async def _page(visit: Visit, shop: Shop, number: int) -> list[dict[str, Any]]:
    """The reviews of one page. Its first entry may be the app itself, which has a name and a price."""
    app, country = shop
    place = f"{visit.feed.url.rstrip('/')}/{country}/rss/customerreviews"
    reply = await visit.client.get(f"{place}/page={number}/id={app}/sortby=mostrecent/xml", expect="feed")
    document = await document_of(reply)
    return [entry for entry in document.items if "im_name" not in entry]


def _text_of(review: dict[str, Any]) -> dict[str, Any]:
    """The review's text among its contents. feedparser may take text for HTML, but it keeps their order."""
    contents = review["content"]
    plain = [content for content in contents if content.get("type") == "text/plain"]
    return (plain or contents)[0]


def _words(detail: dict[str, Any]) -> str:
    value = detail.get("value") or ""
    return clean(value) if detail.get("type") == "text/plain" else from_html(value)


def _times(reviews: list[dict[str, Any]], now: datetime) -> list[int]:
    """When the reviews were changed; times that are yet to come would make everything else old."""
    changed = [at for review in reviews if (at := _time(review)) is not None and at <= now + CLOCK_SKEW]
    return [int(at.timestamp()) for at in changed]


def _time(review: dict[str, Any]) -> datetime | None:
    try:
        return xml_entry(review).updated_at
    except (KeyError, TypeError, ValueError, AttributeError):
        return None  # it will be rejected with its reason


def _votes(value: object) -> int | None:
    return int(value) if isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,18}", value) else None
