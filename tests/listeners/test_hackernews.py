"""The hackernews listener against an archive that answers as the search API documents."""

import json
import re
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from listening import NOW, listen, posts, visit
from pydantic import ValidationError
from stub_server import Answer, Request, serve

from listeners import hackernews
from listeners.feed import FeedFormatChanged
from listeners.intervals import Interval, merged, without
from listeners.post import to_page

T = int(NOW.timestamp())


def comment(number: int, at: int, text: str = "the router of Acme is slow", **more) -> dict:
    return {
        "objectID": str(number), "created_at_i": at, "created_at": "2026-11-20T00:00:00Z", "author": "ann",
        "comment_text": text, "story_id": 1, "parent_id": 1, "points": None, "num_comments": None,
        "_tags": ["comment", "author_ann", "story_1"], **more,
    }  # fmt: skip


def story(number: int, at: int, **more) -> dict:
    return {
        "objectID": str(number), "created_at_i": at, "author": "bob", "title": "Acme opens its firmware",
        "url": "https://acme.example/firmware", "story_text": None, "points": 12, "num_comments": 3,
        "_tags": ["story", "author_bob", f"story_{number}"], **more,
    }  # fmt: skip


class Archive:
    """Items, and how many of them one search gives at most. Searches beyond `answers` find nothing."""

    def __init__(self, items: list[dict], most: int = 1000) -> None:
        self.items = items
        self.most = most
        self.silent = False

    def __call__(self, request: Request) -> Answer:
        assert request.path == "/api/v1/search_by_date"
        low, high = map(int, re.findall(r"created_at_i[<>]=(\d+)", request.query["numericFilters"]))
        words = request.query["query"].lower().split()
        found = [
            item
            for item in self.items
            if low <= item["created_at_i"] <= high
            and all(word in (item.get("comment_text") or item.get("title") or "").lower() for word in words)
        ]
        found.sort(key=lambda item: (-item["created_at_i"], item["objectID"]))
        size = min(int(request.query["hitsPerPage"]), self.most)
        hits, total = ([], 0) if self.silent else (found[:size], len(found))
        return Answer(json.dumps({"hits": hits, "nbHits": total, "page": 0, "hitsPerPage": size}).encode())


def options(url: str, **more) -> hackernews.Options:
    return hackernews.Options(id="hn", source="hackernews", url=f"{url}/api/v1", **more)


async def test_a_comment_becomes_a_post():
    text = 'I&#x27;d avoid <i>Acme</i>.<p>See <a href="https:&#x2F;&#x2F;acme.example&#x2F;status">the status page</a>'
    async with serve(Archive([comment(7, T - 60, text)])) as stub:
        [post] = posts(await listen(hackernews, options(stub.url)))
    assert post["text"] == "I'd avoid Acme.\nSee the status page (https://acme.example/status)"
    assert (post["post_id"], post["kind"], post["title"]) == ("hackernews:7", "comment", None)
    assert (post["parent_id"], post["root_id"]) == ("hackernews:1", "hackernews:1")
    assert post["url"] == "https://news.ycombinator.com/item?id=7"
    assert post["published_at"] == datetime.fromtimestamp(T - 60, UTC)
    assert post["author"] == visit(options("http://x")).pseudonym("ann")


async def test_a_story_shows_its_link_as_a_reader_sees_the_site():
    ask_hn = {"title": "Ask HN: Acme &amp; me?", "story_text": "What <b>now</b>?", "url": None}
    archive = Archive([story(8, T - 60), story(9, T - 50, **ask_hn, _tags=["story", "ask_hn"])])
    async with serve(archive) as stub:
        ask, linked = posts(await listen(hackernews, options(stub.url)))
    assert (linked["title"], linked["text"]) == ("Acme opens its firmware", "https://acme.example/firmware")
    assert (linked["likes"], linked["replies"], linked["root_id"]) == (12, 3, None)
    assert (ask["title"], ask["text"], ask["kind"]) == ("Ask HN: Acme & me?", "What now?", "question")


async def test_a_first_visit_takes_everything_beyond_the_cap_of_one_search():
    items = [comment(n, T - 7 * n) for n in range(1, 96)]
    async with serve(Archive(items, most=10)) as stub:
        pages = await listen(hackernews, options(stub.url))
    found = [post["post_id"] for post in posts(pages)]
    assert sorted(found) == sorted(f"hackernews:{n}" for n in range(1, 96))
    assert all(page.capped is None for page in pages)
    assert pages[0].posts["post_id"][0].as_py() == "hackernews:1"  # the newest first


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 40), max_size=60), st.integers(3, 9), st.integers(2, 4))
async def test_nothing_is_lost_whatever_the_times_and_wherever_a_visit_breaks_off(ages, most, max_requests):
    """Only what lies beyond the cap within one second may be missing, and that is said."""
    items = [comment(n, T - age) for n, age in enumerate(ages)]
    found, said, cursor = set(), [], None
    async with serve(Archive(items, most)) as stub:
        for number in range(200):
            if len(found) == len(items):
                break
            pages = await listen(
                hackernews,
                options(stub.url, max_requests=max_requests),
                cursor=cursor,
                started_at=NOW + timedelta(seconds=number),
            )
            for page in pages[: 1 + number % 3]:  # killed after so many stored pages
                found |= {post["post_id"] for post in posts([page])}
                cursor = page.cursor
                said += [page.capped] if page.capped and "may hold more" in page.capped else []
    missing = {f"hackernews:{n}" for n in range(len(ages))} - found
    assert not missing or said
    crowded = {f"hackernews:{n}" for n in range(len(ages)) if ages.count(ages[n]) >= most}
    assert missing <= crowded


async def test_a_second_that_holds_more_than_can_be_had_is_passed_and_said():
    items = [comment(n, T - 100) for n in range(25)] + [comment(99, T - 200)]
    async with serve(Archive(items, most=10)) as stub:
        pages = await listen(hackernews, options(stub.url))
    assert len(posts(pages)) == 11
    assert [page.capped for page in pages if page.capped] == [
        f"second {T - 100} may hold more than the 10 hits that can be had of it"
    ]


async def test_the_next_visit_reads_the_last_two_hours_again():
    archive = Archive([comment(1, T - 3 * 3600), comment(2, T - 3600)])
    async with serve(archive) as stub:
        first = await listen(hackernews, options(stub.url))
        archive.items[1]["comment_text"] = "edited: it is fine now"
        archive.items.append(comment(3, T + 1800))
        later = NOW + timedelta(hours=1)
        second = await listen(hackernews, options(stub.url), cursor=first[-1].cursor, started_at=later)
    assert [post["text"] for post in posts(second)] == ["the router of Acme is slow", "edited: it is fine now"]
    assert len({post["version"] for post in posts(first + second) if post["post_id"] == "hackernews:2"}) == 2


async def test_an_empty_success_loses_nothing():
    archive = Archive([comment(n, T - 100 * n) for n in range(50)], most=10)
    async with serve(archive) as stub:
        archive.silent = True
        pages = await listen(hackernews, options(stub.url))
        assert posts(pages) == []
        archive.silent = False
        pages = await listen(
            hackernews, options(stub.url), cursor=pages[-1].cursor, started_at=NOW + timedelta(hours=9)
        )
    assert len(posts(pages)) == 50


async def test_a_quiet_search_costs_one_request_a_visit_for_ever():
    async with serve(Archive([])) as stub:
        cursor = None
        for hour in range(10):
            pages = await listen(hackernews, options(stub.url), cursor=cursor, started_at=NOW + timedelta(hours=hour))
            cursor = pages[-1].cursor
    assert len(stub.requests) == 10


async def test_a_visit_that_used_up_its_requests_says_so_and_goes_on():
    items = [comment(n, T - 100 * n) for n in range(1, 51)]
    async with serve(Archive(items, most=10)) as stub:
        first = await listen(hackernews, options(stub.url, max_requests=2))
        assert first[-1].capped == "2 searches used up; the rest is read from the next visit on"
        assert len(stub.requests) == 2
        second = await listen(hackernews, options(stub.url), cursor=first[-1].cursor)
    assert {post["post_id"] for post in posts(first + second)} == {f"hackernews:{n}" for n in range(1, 51)}


async def test_what_is_new_comes_before_what_is_left_from_before():
    archive = Archive([comment(n, T - 86400 - 100 * n) for n in range(40)], most=10)
    async with serve(archive) as stub:
        first = await listen(hackernews, options(stub.url, max_requests=2))
        archive.items.append(comment(1000, T + 86000))
        later = NOW + timedelta(days=1)
        second = await listen(hackernews, options(stub.url), cursor=first[-1].cursor, started_at=later)
    assert posts(second)[0]["post_id"] == "hackernews:1000"


async def test_a_window_gives_that_stretch_of_the_past_and_no_more():
    items = [comment(n, T - 3600 * n) for n in range(1, 30)]
    window = (NOW - timedelta(hours=20), NOW - timedelta(hours=10))
    async with serve(Archive(items, most=4)) as stub:
        pages = await listen(hackernews, options(stub.url), window=window)
        cut = await listen(hackernews, options(stub.url, max_requests=2), window=window)
    assert [post["post_id"] for post in posts(pages)] == [f"hackernews:{n}" for n in range(11, 21)]
    assert cut[-1].capped == "2 searches used up; take a shorter stretch for the rest"


async def test_an_item_that_two_phrases_find_comes_once():
    items = [comment(1, T - 1, "acme and globex"), comment(2, T - 2, "acme"), comment(3, T - 3, "globex")]
    async with serve(Archive(items)) as stub:
        pages = await listen(hackernews, options(stub.url, query=("acme", "globex")))
    assert sorted(post["post_id"] for post in posts(pages)) == ["hackernews:1", "hackernews:2", "hackernews:3"]


async def test_a_new_phrase_begins_at_the_beginning_and_the_old_one_goes_on():
    items = [comment(1, T - 86400, "acme"), comment(2, T - 86400, "globex")]
    async with serve(Archive(items)) as stub:
        first = await listen(hackernews, options(stub.url, query=("acme",)))
        both = options(stub.url, query=("acme", "globex"))
        second = await listen(hackernews, both, cursor=first[-1].cursor)
    assert [post["post_id"] for post in posts(first)] == ["hackernews:1"]
    assert [post["post_id"] for post in posts(second)] == ["hackernews:2"]


async def test_a_bad_hit_is_rejected_and_the_others_are_kept():
    bad = [
        comment(1, T - 5, comment_text=None),
        {"created_at_i": T - 6, "comment_text": "x"},
        "a string",
        comment(4, T - 7) | {"objectID": None},
    ]

    def answer(_):
        return Answer(json.dumps({"hits": [*bad, comment(9, T - 9)], "nbHits": 5}).encode())

    async with serve(answer) as stub:
        pages = await listen(hackernews, options(stub.url))
    assert [post["post_id"] for post in posts(pages)] == ["hackernews:9"]
    assert len(pages[0].rejected) == 4


def test_too_few_searches_to_ever_get_on_are_refused():
    with pytest.raises(ValidationError, match="at least 6 for 3 phrases"):
        options("http://x", query=("a", "b", "c"), max_requests=5)


@pytest.mark.parametrize("body", ["[]", '{"hits": 1}', '{"hits": []}', '{"message": "limit"}', "null", "oops"])
async def test_what_is_no_search_result_is_a_change_of_format(body):
    async with serve(lambda _: Answer(body.encode())) as stub:
        with pytest.raises(FeedFormatChanged, match="hn: http"):
            await listen(hackernews, options(stub.url))


async def test_a_server_that_ignores_the_times_asked_for_does_not_keep_us_for_ever():
    body = json.dumps({"hits": [comment(1, T + 10**6)], "nbHits": 5000}).encode()
    async with serve(lambda _: Answer(body)) as stub:
        with pytest.raises(FeedFormatChanged, match="none of them from"):
            await listen(hackernews, options(stub.url))


@pytest.mark.parametrize("cursor", ["", "{}", "null", "[]", "not json", '{"url": 1, "queries": {"": 3}}'])
async def test_a_cursor_that_cannot_be_read_begins_anew(cursor):
    async with serve(Archive([comment(1, T - 1)])) as stub:
        assert len(posts(await listen(hackernews, options(stub.url), cursor=cursor))) == 1


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=8))
def test_merged_intervals_hold_the_same_seconds(pairs):
    given_intervals = [Interval(*pair) for pair in pairs]
    kept = merged(given_intervals)
    assert {s for i in given_intervals for s in range(i.start, i.end + 1)} == {
        s for i in kept for s in range(i.start, i.end + 1)
    }
    assert all(older.end < newer.start for newer, older in pairwise(kept))


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=8), st.integers(0, 60), st.integers(0, 60))
def test_what_was_read_is_taken_off_and_nothing_else(pairs, start, end):
    before = merged([Interval(*pair) for pair in pairs])
    after = without(before, Interval(start, end))
    assert {s for i in after for s in range(i.start, i.end + 1)} == {
        s for i in before for s in range(i.start, i.end + 1)
    } - set(range(start, end + 1))


VALUES = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.text(), max_size=2)


@given(st.dictionaries(st.sampled_from(sorted({*comment(1, T), *story(1, T)})), VALUES), st.booleans())
def test_any_hit_is_a_post_or_rejected(changes, of_story):
    where = visit(options("http://x"))
    hit = {**(story(1, T) if of_story else comment(1, T)), **changes}
    page = to_page(where, [hit], lambda item: hackernews.to_post(item, where), cursor=None)
    assert page.posts.num_rows + len(page.rejected) == 1
