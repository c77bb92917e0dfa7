"""The appstore listener against shops that answer as the App Store's review feeds do."""

import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from xml.sax.saxutils import escape

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from listening import NOW, listen, posts, visit
from pydantic import ValidationError
from stub_server import Answer, Request, serve

from listeners import appstore
from listeners.feed import FeedFormatChanged, FeedUnavailable
from listeners.post import to_page

T = int(NOW.timestamp())
SIZE = 5


@pytest.fixture(autouse=True)
def _small_pages(monkeypatch):
    """The real ones have 50 reviews, which take a while to parse."""
    monkeypatch.setattr(appstore, "REVIEWS_A_PAGE", SIZE)


@dataclass
class Review:
    number: int
    at: int
    text: str = "The Acme app is slow"
    title: str = "Slow"
    rating: str = "2"
    author: str = "<author><name>Ann</name><uri>https://itunes.apple.com/us/reviews/id77</uri></author>"

    @property
    def xml(self) -> str:
        changed = datetime.fromtimestamp(self.at, UTC).isoformat()
        return (
            f"<entry><id>{self.number}</id><title>{escape(self.title)}</title>"
            f'<content type="text">{escape(self.text)}</content>'
            "<im:voteSum>3</im:voteSum><im:voteCount>4</im:voteCount>"
            f"<im:rating>{self.rating}</im:rating><updated>{changed}</updated><im:version>9.1</im:version>{self.author}"
            '<link rel="related" href="https://itunes.apple.com/us/review?id=1&amp;type=Purple%20Software"/>'
            f'<content type="html">{escape(f"<table><tr><td>{self.text}</td></tr></table>")}</content></entry>'
        )


APP = "<entry><title>Acme</title><im:name>Acme</im:name><im:price>Get</im:price></entry>"


@dataclass
class Shops:
    """Reviews by country; which pages come empty, and which countries fail."""

    reviews: dict[str, list[Review]]
    silent: bool = False
    ends_at: int = 99
    failing: frozenset[str] = frozenset()
    asked: list[tuple[str, int]] = field(default_factory=list)

    def __call__(self, request: Request) -> Answer:
        found = re.fullmatch(r"/(\w\w)/rss/customerreviews/page=(\d+)/id=1/sortby=mostrecent/xml", request.path)
        assert found
        country, number = found[1], int(found[2])
        self.asked.append((country, number))
        assert 1 <= number <= 10
        if country in self.failing:
            return Answer(status=404)
        newest = sorted(self.reviews.get(country, ()), key=lambda review: (-review.at, -review.number))
        page = [] if self.silent or number >= self.ends_at else newest[(number - 1) * SIZE : number * SIZE]
        return feed(*(review.xml for review in page))


def feed(*entries: str) -> Answer:
    opening = (
        '<feed xmlns:im="http://itunes.apple.com/rss" xmlns="http://www.w3.org/2005/Atom" xml:lang="en"><id>x</id>'
    )
    return Answer(f'<?xml version="1.0" encoding="utf-8"?>\n{opening}{"".join(entries)}</feed>'.encode())


def options(url: str, *countries: str) -> appstore.Options:
    return appstore.Options(id="app", source="appstore", url=url, apps=("1",), countries=countries or ("us",))


def ids(pages) -> set[int]:
    return {int(post["post_id"].removeprefix("appstore:")) for post in posts(pages)}


async def test_a_review_becomes_a_post():
    text = "I <3 this & that\nbut Acme is slow"
    async with serve(Shops({"us": [Review(7, T - 60, text, "Slow &amp; old")]})) as stub:
        [post] = posts(await listen(appstore, options(stub.url)))
    assert (post["post_id"], post["kind"], post["title"]) == ("appstore:7", "review", "Slow &amp; old")
    assert post["text"] == text
    assert post["url"] == "https://itunes.apple.com/us/review?id=1&type=Purple%20Software"
    assert post["published_at"] == datetime.fromtimestamp(T - 60, UTC)
    assert post["author"] == visit(options("http://x")).pseudonym("77")
    assert (post["rating"], post["likes"], post["language"], post["consent"]) == (0.25, 3, None, "none_stated")
    assert (post["parent_id"], post["edited_at"], post["replies"], post["deleted"]) == (None, None, None, False)


@pytest.mark.parametrize(("stars", "rating"), [("1", 0.0), ("3", 0.5), ("5", 1.0)])
async def test_stars_become_a_rating_from_0_to_1(stars, rating):
    async with serve(Shops({"us": [Review(7, T - 60, rating=stars)]})) as stub:
        [post] = posts(await listen(appstore, options(stub.url)))
    assert post["rating"] == rating


async def test_the_app_itself_is_no_review():
    async with serve(lambda request: feed(APP, Review(1, T - 5).xml) if "page=1/" in request.path else feed()) as stub:
        pages = await listen(appstore, options(stub.url))
    assert ids(pages) == {1}
    assert not [page.rejected for page in pages if page.rejected]


async def test_a_review_of_html_alone_is_what_a_reader_sees():
    entry = (
        "<entry><id>3</id><title>T</title><im:rating>5</im:rating>"
        '<content type="html">&lt;b&gt;Fine&lt;/b&gt;</content></entry>'
    )
    async with serve(lambda request: feed(entry) if "page=1/" in request.path else feed()) as stub:
        [post] = posts(await listen(appstore, options(stub.url)))
    assert post["text"] == "Fine"


async def test_a_second_visit_brings_nothing_new_and_reads_one_page_more_than_it_must():
    shops = Shops({"us": [Review(n, T - 100 * n) for n in range(1, 29)]})
    async with serve(shops) as stub:
        first = await listen(appstore, options(stub.url))
        shops.asked.clear()
        second = await listen(appstore, options(stub.url), cursor=first[-1].cursor)
    assert ids(first) == set(range(1, 29))
    assert ids(second) <= ids(first)
    assert shops.asked == [("us", 1), ("us", 2)]
    assert second[-1].cursor == first[-1].cursor
    assert not any(page.capped or page.suspect for page in first + second)


async def test_what_is_new_edited_or_late_is_found():
    reviews = [Review(n, T - 1000 - 10 * n) for n in range(1, 24)]
    async with serve(Shops({"us": reviews})) as stub:
        first = await listen(appstore, options(stub.url))
        reviews += [Review(1000 + n, T + n) for n in range(12)]  # three pages of new ones
        reviews[16].text, reviews[16].at = "edited: Acme mended it", T + 500
        reviews.append(Review(5000, T - 1015, "held back for a while"))
        later = NOW + timedelta(hours=1)
        second = await listen(appstore, options(stub.url), cursor=first[-1].cursor, started_at=later)
    found = {post["post_id"]: post["text"] for post in posts(second)}
    assert ids(second) >= {*range(1000, 1012), 5000}
    assert found["appstore:17"] == "edited: Acme mended it"
    versions = {post["version"] for post in posts(first + second) if post["post_id"] == "appstore:17"}
    assert len(versions) == 2


async def test_more_reviews_behind_than_can_be_had_is_said():
    reviews = [Review(n, T - 10 * n) for n in range(1, 71)]
    async with serve(Shops({"us": reviews})) as stub:
        first = await listen(appstore, options(stub.url))
        quiet = await listen(appstore, options(stub.url), cursor=first[-1].cursor)
        reviews += [Review(1000 + n, T + n) for n in range(1, 60)]
        later = NOW + timedelta(hours=1)
        second = await listen(appstore, options(stub.url), cursor=quiet[-1].cursor, started_at=later)
    said = ["app 1 in us: no more than the 50 newest reviews can be had"]
    assert [page.capped for page in first if page.capped] == said
    assert [page.capped for page in quiet if page.capped] == []
    assert [page.capped for page in second if page.capped] == said
    assert len(ids(first)) == len(ids(second)) == 50


@pytest.mark.parametrize("killed_after", [2, 5])
async def test_nothing_is_lost_wherever_a_visit_breaks_off(killed_after):
    shops = Shops({
        "us": [Review(n, T - 7 * n) for n in range(1, 27)],
        "gb": [Review(n, T - 5 * n) for n in range(1001, 1012)],
    })  # fmt: skip
    found, cursor = set(), None
    async with serve(shops) as stub:
        for number in range(8 if killed_after > 2 else 16):
            started_at = NOW + timedelta(minutes=number)
            pages = await listen(appstore, options(stub.url, "us", "gb"), cursor=cursor, started_at=started_at)
            shops.reviews["us"].append(Review(5000 + number, T + 60 * number))
            for page in pages[:killed_after]:
                found |= ids([page])
                cursor = page.cursor
                assert not page.suspect
        last = await listen(appstore, options(stub.url, "us", "gb"), cursor=cursor, started_at=NOW + timedelta(days=1))
    assert found | ids(last) == {review.number for country in shops.reviews.values() for review in country}


async def test_reviews_deleted_while_a_visit_was_broken_off_hide_no_others():
    shops = Shops({"us": [Review(n, T - 7 * n) for n in range(1, 27)]})
    async with serve(shops) as stub:
        first = (await listen(appstore, options(stub.url)))[:3]
        del shops.reviews["us"][1:5]
        second = await listen(appstore, options(stub.url), cursor=first[-1].cursor)
    assert ids(first + second) == set(range(1, 27))


async def test_an_empty_country_is_empty_and_one_that_had_reviews_is_suspect():
    shops = Shops({"us": [Review(n, T - 60 * n) for n in range(7)], "gb": []})
    async with serve(shops) as stub:
        first = await listen(appstore, options(stub.url, "us", "gb"))
        shops.silent = True
        second = await listen(appstore, options(stub.url, "us", "gb"), cursor=first[-1].cursor)
        shops.silent = False
        shops.reviews["us"].append(Review(999, T + 60))
        later = NOW + timedelta(hours=1)
        third = await listen(appstore, options(stub.url, "us", "gb"), cursor=second[-1].cursor, started_at=later)
    assert not any(page.suspect for page in first)
    assert [page.suspect for page in second] == ["app 1 in us: no reviews on page 1, and that is not believed", None]
    assert {page.cursor for page in second} == {first[-1].cursor}
    assert 999 in ids(third)


async def test_a_list_that_ends_below_a_full_page_is_believed_when_it_does_so_again():
    shops = Shops({"us": [Review(n, T - 60 * n) for n in range(28)]}, ends_at=3)
    async with serve(shops) as stub:
        first = await listen(appstore, options(stub.url))
        assert first[-1].suspect == "app 1 in us: no reviews on page 3, and that is not believed"
        shops.silent = True
        second = await listen(appstore, options(stub.url), cursor=first[-1].cursor)
        assert second[-1].suspect
        assert second[-1].cursor == first[-1].cursor
        shops.silent, shops.ends_at = False, 99
        third = await listen(appstore, options(stub.url), cursor=second[-1].cursor)
        assert ids(first + third) == set(range(28))
        shops.reviews["us"] = shops.reviews["us"][:10]
        fourth = await listen(appstore, options(stub.url))
        fifth = await listen(appstore, options(stub.url), cursor=fourth[-1].cursor)
    assert fourth[-1].suspect
    assert not any(page.suspect for page in fifth)


async def test_a_country_that_fails_does_not_stop_the_others_and_all_that_fail_do():
    shops = Shops({"us": [Review(1, T - 5)], "gb": [Review(2, T - 5)]}, failing=frozenset({"us"}))
    async with serve(shops) as stub:
        pages = await listen(appstore, options(stub.url, "us", "gb"))
        assert ids(pages) == {2}
        assert "404" in (pages[-1].suspect or "")
        shops.failing = frozenset({"us", "gb"})
        with pytest.raises(FeedUnavailable, match="404"):
            await listen(appstore, options(stub.url, "us", "gb"), cursor=pages[-1].cursor)


async def test_a_review_of_the_future_does_not_make_all_others_old():
    reviews = [Review(n, T - 10 * n) for n in range(1, 11)] + [Review(999, T + 10**7)]
    async with serve(Shops({"us": reviews})) as stub:
        first = await listen(appstore, options(stub.url))
        reviews += [Review(2000 + n, T + n) for n in range(15)]
        later = NOW + timedelta(hours=1)
        second = await listen(appstore, options(stub.url), cursor=first[-1].cursor, started_at=later)
    assert ids(second) >= set(range(2000, 2015))


async def test_with_opt_in_nothing_is_stored():
    async with serve(Shops({"us": [Review(1, T - 5)]})) as stub:
        pages = await listen(appstore, options(stub.url), consent="opt_in")
    assert posts(pages) == []
    assert pages[0].left_out == {"not_opted_in": 1}


async def test_a_bad_review_is_rejected_and_the_others_are_kept():
    bad = [
        Review(1, T - 5, rating="6").xml,
        Review(2, T - 6, rating="").xml,
        Review(3, T - 7).xml.replace("<id>3</id>", "<id>three</id>"),
        re.sub(r"<content.*?</content>", "", Review(4, T - 8).xml),
    ]
    async with serve(lambda request: feed(*bad, Review(9, T - 9).xml) if "page=1/" in request.path else feed()) as stub:
        pages = await listen(appstore, options(stub.url))
    assert ids(pages) == {9}
    assert len(pages[0].rejected) == 4


@pytest.mark.parametrize(
    "body",
    ["", "{}", "oops", "<a/>", "<!DOCTYPE feed [<!ENTITY a 'b'>"],
)
async def test_what_is_no_feed_is_a_change_of_format(body):
    async with serve(lambda _: Answer(body.encode())) as stub:
        with pytest.raises(FeedFormatChanged, match="app: http"):
            await listen(appstore, options(stub.url))


@pytest.mark.parametrize(
    "cursor",
    ["", "[]", "null", "not json", '{"url": 1}', '{"url": "URL", "shops": {"1/us": [[], "x", 3]}}',
     '{"url": "URL", "shops": {"1/us": 5}}', '{"url": "URL", "shops": 5}'],
)  # fmt: skip
async def test_a_cursor_that_cannot_be_read_begins_anew(cursor):
    async with serve(Shops({"us": [Review(1, T - 1)]})) as stub:
        assert ids(await listen(appstore, options(stub.url), cursor=cursor.replace("URL", stub.url))) == {1}


def test_apps_are_numbers_and_countries_two_letters():
    with pytest.raises(ValidationError, match="'acme' is none"):
        appstore.Options(id="a", source="appstore", apps=("acme",), countries=("us",))
    with pytest.raises(ValidationError, match="unlike 'usa'"):
        appstore.Options(id="a", source="appstore", apps=("1",), countries=("usa",))
    assert appstore.Options(id="a", source="appstore", apps=("1",), countries=("US",)).countries == ("us",)


WHOLE = {
    "id": "http://x/7", "im_rating": "4", "im_votesum": "3", "title_detail": {"type": "text/plain", "value": "Slow"},
    "content": [{"type": "text/plain", "value": "It is slow"}], "updated_parsed": None,
    "author_detail": {"name": "Ann", "href": "https://itunes.apple.com/us/reviews/id77"},
    "links": [{"rel": "related", "href": "https://itunes.apple.com/us/review?id=1"}],
}  # fmt: skip
VALUES = st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.text(), max_size=2)
VALUES |= st.dictionaries(st.sampled_from(["type", "value", "href", "name"]), VALUES, max_size=2)


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.dictionaries(st.sampled_from(sorted(WHOLE)), VALUES | st.lists(VALUES, max_size=2)))
def test_any_entry_is_a_post_or_rejected(changes):
    where = visit(options("http://x"))
    page = to_page(where, [{**WHOLE, **changes}], lambda item: appstore.to_post(item, where), cursor=None)
    assert page.posts.num_rows + len(page.rejected) == 1


def test_the_cursor_is_small():
    feed_options = appstore.Options(id="a", source="appstore", apps=("1",), countries=("us",))
    progress = appstore.read_cursor(None, feed_options)
    assert json.loads(appstore.write_cursor(progress, feed_options)) == {"url": feed_options.url, "shops": {}}
