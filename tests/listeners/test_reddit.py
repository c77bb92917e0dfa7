"""The reddit listener against an API that answers as Reddit's documents."""

import json
from base64 import b64encode
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from listening import NOW, listen, posts, visit
from pydantic import ValidationError
from stub_server import Answer, Request, serve

from listeners import reddit, reddit_item, reddit_kept
from listeners.feed import FeedBlocked, FeedFormatChanged, FeedUnavailable, Page
from listeners.feed_server import build_app, config, make_world
from listeners.feed_server import reddit as reddit_server
from listeners.feed_server import serve as serve_world
from listeners.post import to_page

T = int(NOW.timestamp())
SECRETS = {"REDDIT_ID": "an-id", "REDDIT_SECRET": "a very secret secret"}
TOKEN_PATH = "/api/v1/access_token"


def link(number: int, at: float, **more: Any) -> dict[str, Any]:
    told = {
        "name": f"t3_{number:04d}", "title": f"Post {number}", "selftext": "the router is slow", "is_self": True,
        "selftext_html": '<!-- SC_OFF --><div class="md"><p>the router is slow</p>\n</div><!-- SC_ON -->',
        "url": f"https://www.reddit.com/r/telecoms/comments/{number:04d}/post/", "author": "ann_b",
        "permalink": f"/r/telecoms/comments/{number:04d}/post/", "created_utc": float(at), "edited": False,
        "score": 12, "num_comments": 3, "num_crossposts": 1, "stickied": False, "over_18": False,
        "removed_by_category": None, "is_robot_indexable": True,
    }  # fmt: skip
    return {"kind": "t3", "data": told | more}


def comment(number: int, at: float, **more: Any) -> dict[str, Any]:
    told = {
        "name": f"t1_{number:04d}", "body": "mine too", "body_html": '<div class="md"><p>mine too</p></div>',
        "author": "bob", "permalink": f"/r/telecoms/comments/0001/post/{number:04d}/", "created_utc": float(at),
        "edited": False, "score": -2, "link_id": "t3_0001", "parent_id": "t1_0009", "stickied": False,
    }  # fmt: skip
    return {"kind": "t1", "data": told | more}


def gone(item: dict[str, Any], word: str = "[removed]") -> dict[str, Any]:
    """The item as /api/info shows it once it was taken down."""
    if item["kind"] == "t1":
        return {
            "kind": "t1",
            "data": item["data"] | {"body": word, "body_html": f"<p>{word}</p>", "author": "[deleted]"},
        }
    down = {
        "selftext": word,
        "selftext_html": f"<p>{word}</p>",
        "author": "[deleted]",
        "removed_by_category": "deleted",
    }
    return {"kind": "t3", "data": item["data"] | down}


@dataclass
class Reddit:
    """An API with listings by path, and what /api/info knows besides what is listed."""

    listings: dict[str, list[dict[str, Any]]]
    info: dict[str, dict[str, Any] | None] = field(default_factory=dict)  # None: it says nothing of it
    size: int = 100
    most: int = 1000
    tokens: int = 0
    refused: frozenset[str] = frozenset()
    refusal: Answer = field(default_factory=lambda: Answer(b'{"reason": "private", "error": 403}', 403))
    asked: list[str] = field(default_factory=list)

    def __call__(self, request: Request) -> Answer:
        if request.path == TOKEN_PATH:
            self.tokens += 1
            assert request.headers["authorization"] == f"Basic {b64encode(b'an-id:a very secret secret').decode()}"
            return Answer(json.dumps({"access_token": f"token-{self.tokens}", "expires_in": 86400}).encode())
        assert request.query["raw_json"] == "1"
        if request.headers["authorization"] != f"Bearer token-{self.tokens}":
            return Answer(b'{"message": "Unauthorized", "error": 401}', 401)
        if request.path in self.refused:
            return self.refusal
        if request.path == "/api/info":
            names = request.query["id"].split(",")
            assert len(names) <= 100
            self.asked += names
            listed = {item["data"]["name"]: item for items in self.listings.values() for item in items}
            return page([item for name in names if (item := self.info.get(name, listed.get(name)))], None)
        items = self.listings.get(request.path, [])
        items = sorted(items, key=lambda item: -item["data"]["created_utc"])[: self.most]
        names, after = [item["data"]["name"] for item in items], request.query.get("after")
        start = 0 if after is None else names.index(after) + 1 if after in names else len(items)
        size = min(int(request.query["limit"]), self.size)
        shown = items[start : start + size]
        return page(shown, shown[-1]["data"]["name"] if start + size < len(items) else None)


def page(items: list[dict[str, Any]], after: str | None) -> Answer:
    return Answer(json.dumps({"kind": "Listing", "data": {"children": items, "after": after, "before": None}}).encode())


def options(url: str, **more: Any) -> reddit.Options:
    keys = {"client_id_env": "REDDIT_ID", "client_secret_env": "REDDIT_SECRET", "subreddits": ["telecoms"], **more}
    return reddit.Options(id="r", source="reddit", url=url, token_url=f"{url}{TOKEN_PATH}", **keys)


async def hear(url: str, cursor: str | None = None, *, hours: float = 0, keys: Any = None, **more: Any) -> list[Page]:
    """All pages of a visit so many hours later."""
    at = NOW + timedelta(hours=hours)
    return await listen(
        reddit, options(url, **(keys or {})), cursor=cursor, started_at=at, **{"secrets": SECRETS, **more}
    )


def new(*items: dict[str, Any], comments: list[dict[str, Any]] | None = None, **more: Any) -> Reddit:
    return Reddit({"/r/telecoms/new": list(items), "/r/telecoms/comments": comments or []}, **more)


async def test_a_post_becomes_a_post_with_every_column_right():
    html = '<div class="md"><p>Its <del>speed</del> &gt; 5, see <a href="https://acme.example/x">this</a>.</p></div>'
    item = link(1, T - 3600.5, selftext_html=html, edited=float(T - 60), crosspost_parent="t3_0zz", over_18=True)
    async with serve(new(item)) as stub:
        [post] = posts(await hear(stub.url))
    assert (post["post_id"], post["kind"], post["title"]) == ("reddit:t3_0001", "post", "Post 1")
    assert post["text"] == "Its speed > 5, see this (https://acme.example/x)."
    assert post["url"] == "https://www.reddit.com/r/telecoms/comments/0001/post/"
    assert post["published_at"] == datetime.fromtimestamp(T - 3600.5, UTC)
    assert post["edited_at"] == datetime.fromtimestamp(T - 60, UTC)
    assert (post["likes"], post["replies"], post["shares"], post["views"]) == (12, 3, 1, None)
    assert (post["parent_id"], post["root_id"], post["quoted_id"]) == (None, None, "reddit:t3_0zz")
    assert post["author"] == visit(options("http://x")).pseudonym("ann_b")
    assert (post["deleted"], post["consent"], post["language"], post["rating"]) == (False, "none_stated", None, None)


async def test_a_comment_knows_what_it_answers_and_a_link_stands_in_the_text():
    shared = link(2, T - 60, is_self=False, selftext="", selftext_html=None, url="https://acme.example/news")
    nobody = link(3, T - 50, selftext_html=None, selftext="**bold**", author="[deleted]", edited=True)
    async with serve(new(shared, nobody, comments=[comment(7, T - 30)])) as stub:
        by_id = {post["post_id"]: post for post in posts(await hear(stub.url))}
    answer = by_id["reddit:t1_0007"]
    assert (answer["kind"], answer["title"], answer["text"], answer["likes"]) == ("comment", None, "mine too", -2)
    assert (answer["parent_id"], answer["root_id"]) == ("reddit:t1_0009", "reddit:t3_0001")
    assert by_id["reddit:t3_0002"]["text"] == "https://acme.example/news"
    assert (by_id["reddit:t3_0003"]["author"], by_id["reddit:t3_0003"]["text"]) == (None, "bold")
    assert by_id["reddit:t3_0003"]["edited_at"] is None


async def test_a_search_asks_for_posts_of_a_phrase_the_newest_first():
    keys = {"subreddits": [], "query": ["Acme One", "acme"]}
    api = Reddit({"/search": [link(1, T - 60)]})
    async with serve(api) as stub:
        found = posts(await hear(stub.url, keys=keys))
    assert [post["post_id"] for post in found] == ["reddit:t3_0001"]  # though two phrases find it
    asked = [request.query for request in stub.requests if request.path == "/search"]
    assert [query["q"] for query in asked] == ["Acme One", "acme"]
    assert {(query["sort"], query["type"], query["limit"]) for query in asked} == {("new", "link", "100")}


async def test_a_first_visit_reads_a_listing_to_its_end_and_the_second_brings_only_what_is_new():
    api = new(*(link(n, T - 3 * 3600 - 60 * n) for n in range(250)), size=100)
    async with serve(api) as stub:
        first = await hear(stub.url)
        assert len({post["post_id"] for post in posts(first)}) == 250
        assert all(page.capped is None for page in first)
        second = await hear(stub.url, first[-1].cursor)
        api.listings["/r/telecoms/new"] += [link(900, T + 60), link(901, T - 4 * 3600)]  # which came late
        third = await hear(stub.url, second[-1].cursor, hours=1)
    repeated = {(post["post_id"], post["version"]) for post in posts(first)}
    assert {(post["post_id"], post["version"]) for post in posts(second)} <= repeated
    assert {post["post_id"] for post in posts(third)} - {post for post, _ in repeated} == {
        "reddit:t3_0900",
        "reddit:t3_0901",
    }


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.integers(0, 400), min_size=1, max_size=16), st.integers(3, 5))
async def test_nothing_is_lost_wherever_a_visit_breaks_off(ages, size):
    items = [link(n, T - 60 * age) for n, age in enumerate(ages)]
    api = new(*items, comments=[comment(n, T - 97 * age) for n, age in enumerate(ages)], size=size)
    found, cursor = set(), None
    async with serve(api) as stub:
        for number in range(60):
            pages = await hear(stub.url, cursor, hours=number / 60, keys={"max_requests": 8 + number % 3})
            for stored in pages[: 1 + number % 4]:  # killed after so many stored pages
                found |= {post["post_id"] for post in posts([stored])}
                cursor = stored.cursor
            if number == 5:
                api.listings["/r/telecoms/new"].append(link(999, T + 300))
            if number > 5 and len(found) == 2 * len(ages) + 1:
                break
    assert len(found) == 2 * len(ages) + 1


async def test_a_post_to_go_on_from_that_was_deleted_costs_nothing_but_a_request():
    api = new(*(link(n, T - 3 * 3600 - 60 * n) for n in range(90)), size=10)
    async with serve(api) as stub:
        first = await hear(stub.url, keys={"max_requests": 8, "subreddits": "telecoms"})
        read = {post["post_id"] for post in posts(first)}
        assert "used up; the rest is read from the next visit on" in (first[-1].capped or "")
        left = json.loads(first[-1].cursor or "")["listings"][0][2][1][0]
        anchors = set(left[3])
        listing = api.listings["/r/telecoms/new"]
        for lost in (anchors - {left[3][-1]}, anchors):  # all but one; then all, and the listing begins anew
            api.listings["/r/telecoms/new"] = [item for item in listing if item["data"]["name"] not in lost]
            second = await hear(stub.url, first[-1].cursor)
            assert len(read | {post["post_id"] for post in posts(second)}) == 90


async def test_the_end_of_what_can_be_had_is_said(monkeypatch):
    monkeypatch.setitem(reddit.CAPS, "new", 90)
    api = new(*(link(n, T - 60 * n) for n in range(120)), size=50, most=100)
    async with serve(api) as stub:
        first = await hear(stub.url)
        said = [page.capped for page in first if page.capped]
        assert said == [f"r/telecoms/new ends after 100 items: what else there is before {T - 60 * 99} is out of reach"]
        assert len(posts(first)) == 100
        api.listings["/r/telecoms/new"] = [link(5000 + n, T + 24 * 3600 + n) for n in range(110)]
        second = await hear(stub.url, first[-1].cursor, hours=30)
    assert len([page.capped for page in second if page.capped]) == 1


async def test_an_empty_listing_that_held_posts_is_not_believed():
    api = new(link(1, T - 7200))
    async with serve(api) as stub:
        first = await hear(stub.url)
        held, api.listings = api.listings, {}
        second = await hear(stub.url, first[-1].cursor, hours=1)
        assert second[0].suspect == "r/telecoms/new is empty, and was not before"
        assert second[-1].cursor == first[-1].cursor
        api.listings = {"/r/telecoms/new": [*held["/r/telecoms/new"], link(2, T + 60)]}
        third = await hear(stub.url, second[-1].cursor, hours=2)
    assert "reddit:t3_0002" in {post["post_id"] for post in posts(third)}


async def test_what_a_listing_shows_as_taken_down_is_a_tombstone():
    items = [
        gone(link(1, T - 60)),
        link(2, T - 50, selftext="[removed]"),
        link(3, T - 40, selftext="[ Removed by Reddit on account of violating the [content policy](/help). ]"),
        link(4, T - 30, selftext="[removed the old router]"),
    ]
    async with serve(new(*items, comments=[gone(comment(5, T - 20), "[deleted]")])) as stub:
        pages = await hear(stub.url)
    down = {post["post_id"] for post in posts(pages) if post["deleted"]}
    assert down == {"reddit:t3_0001", "reddit:t3_0002", "reddit:t3_0003", "reddit:t1_0005"}
    assert all(
        (post["title"], post["text"], post["author"]) == (None, "", None) for post in posts(pages) if post["deleted"]
    )
    assert {name for page in pages if page.taken_down for name in page.taken_down.posts} == down


async def test_kept_posts_are_asked_about_once_in_a_day_and_what_went_gets_a_tombstone():
    old = [link(n, T - 3600 * n) for n in range(3, 8)]
    api = new(link(1, T - 60), *old, comments=[comment(8, T - 9 * 3600)])
    async with serve(api) as stub:
        first = await hear(stub.url)
        assert api.asked == []
        api.listings["/r/telecoms/new"] = [link(1, T - 60)]
        api.listings["/r/telecoms/comments"] = []
        api.info = {item["data"]["name"]: item for item in old}
        api.info |= {
            "t3_0003": gone(old[0], "[deleted]"),
            "t3_0004": None,
            "t1_0008": gone(comment(8, T)),
            "t3_0005": link(5, T - 5 * 3600, selftext_html="<p>edited: it is fine now</p>", edited=float(T)),
        }
        second = await hear(stub.url, first[-1].cursor, hours=23)
        assert api.asked == []
        third = await hear(stub.url, second[-1].cursor, hours=25)
        assert sorted(set(api.asked)) == ["t1_0008", "t3_0001", "t3_0003", "t3_0004", "t3_0005", "t3_0006", "t3_0007"]
        down = {name for page in third if page.taken_down for name in page.taken_down.posts}
        assert down == {"reddit:t3_0003", "reddit:t3_0004", "reddit:t1_0008"}
        by_id = {post["post_id"]: post for post in posts(third)}
        assert by_id["reddit:t3_0005"]["text"] == "edited: it is fine now"
        assert {post["post_id"] for post in by_id.values() if post["deleted"]} == {"reddit:t3_0003", "reddit:t1_0008"}
        api.asked.clear()
        fourth = await hear(stub.url, third[-1].cursor, hours=26)
        assert api.asked == []
        await hear(stub.url, fourth[-1].cursor, hours=50)
    assert sorted(set(api.asked)) == ["t3_0001", "t3_0005", "t3_0006", "t3_0007"]  # what is gone is let go


async def test_an_answer_that_lacks_what_is_there_is_not_believed():
    items = [link(1, T - 60), link(2, T - 3600 * 5)]
    api = new(*items)
    async with serve(api) as stub:
        first = await hear(stub.url)
        api.info = {"t3_0001": None, "t3_0002": None}
        api.listings["/r/telecoms/new"] = items[:1]
        second = await hear(stub.url, first[-1].cursor, hours=30)
        assert second[-1].suspect == "/api/info knows 0 of 2 kept posts"
        assert not [page for page in second if page.taken_down]
        api.info = {"t3_0002": None}
        third = await hear(stub.url, second[-1].cursor, hours=31)
    assert {name for page in third if page.taken_down for name in page.taken_down.posts} == {"reddit:t3_0002"}


async def test_where_no_listing_shows_anything_one_kept_post_vouches_for_the_answers(monkeypatch):
    monkeypatch.setattr(reddit, "ITEMS_A_PAGE", 3)
    api = new(*(link(n, T - 60 * n) for n in range(6)), size=3)
    async with serve(api) as stub:
        cursor = (await hear(stub.url))[-1].cursor
        api.listings, api.info = {}, {"t3_0005": link(5, T)}
        pages = await hear(stub.url, cursor, hours=30)
    down = {name for page in pages if page.taken_down for name in page.taken_down.posts}
    assert down == {f"reddit:t3_000{n}" for n in range(5)}


async def test_answers_that_know_nothing_are_believed_after_a_day():
    api = new(link(1, T - 60))
    async with serve(api) as stub:
        cursor = (await hear(stub.url))[-1].cursor
        api.listings = {}
        gone_at = []
        for hours in (200, 210, 223, 225):
            pages = await hear(stub.url, cursor, hours=hours)
            cursor = pages[-1].cursor
            gone_at += [hours for page in pages if page.taken_down]
    assert gone_at == [225]


async def test_only_the_last_kept_posts_are_asked_about(monkeypatch):
    monkeypatch.setattr(reddit_kept, "WATCHED", 3)
    api = new(*(link(n, T - 60 * n, title="acme" if n % 2 else "other") for n in range(1, 20)))
    async with serve(api) as stub:
        pages = await hear(stub.url, wanted=lambda title, text: title == "acme")
    assert [name for name, *_ in json.loads(pages[-1].cursor or "")["kept"][0]] == ["t3_0001", "t3_0003", "t3_0005"]


async def test_who_asks_not_to_be_indexed_is_left_out_even_later():
    api = new(link(1, T - 60, is_robot_indexable=False), link(2, T - 120))
    async with serve(api) as stub:
        first = await hear(stub.url)
        assert [post["post_id"] for post in posts(first)] == ["reddit:t3_0002"]
        assert first[0].left_out == {"noindex": 1}
        api.listings["/r/telecoms/new"][1]["data"]["is_robot_indexable"] = False
        second = await hear(stub.url, first[-1].cursor, hours=1)
        assert {name for page in second if page.taken_down for name in page.taken_down.posts} == {"reddit:t3_0002"}
        opted_in = await hear(stub.url, consent="opt_in", keys={"query": ["acme"]})
    assert posts(opted_in) == []


async def test_a_token_that_is_refused_is_asked_for_once_more():
    api = new(link(1, T - 60))
    async with serve(api) as stub:

        def expire(request: Request) -> Answer:
            reply = api(request)
            if request.path == "/r/telecoms/new":
                api.tokens += api.tokens == 1  # the first one is good for one listing
            return reply

        async with serve(expire) as flaky:
            pages = await hear(flaky.url)
        assert len(posts(pages)) == 1
        assert [request.path for request in flaky.requests].count(TOKEN_PATH) == 2
    assert stub.requests == []


@pytest.mark.parametrize("missing", ["REDDIT_ID", "REDDIT_SECRET"])
async def test_credentials_that_are_not_set_are_named(missing):
    with pytest.raises(FeedBlocked, match=f"names the environment variable {missing}, which is not set"):
        await hear("http://127.0.0.1:9", secrets={**SECRETS, missing: ""})


@pytest.mark.parametrize(
    "answer",
    [
        Answer(b'{"message": "Unauthorized a very secret secret", "error": 401}', 401),
        Answer(b'{"error": "unsupported_grant_type an-id"}', 400),
        Answer(b'{"error": "invalid_grant a very secret secret"}'),
        Answer(b'{"access_token": "abc-secret'),
    ],
)
async def test_no_secret_stands_in_an_error(answer):
    async with serve(lambda _: answer) as stub:
        with pytest.raises((FeedBlocked, FeedFormatChanged)) as raised:
            await hear(stub.url)
    assert "secret" not in str(raised.value).lower().replace("reddit_secret", "").replace("client_secret", "")
    assert "an-id" not in str(raised.value)
    assert "REDDIT_SECRET" in str(raised.value) or "access_token" in str(raised.value)


async def test_a_subreddit_that_is_not_shown_to_us_does_not_cost_the_others():
    api = Reddit({"/r/open/new": [link(1, T - 60)]}, refused=frozenset({"/r/closed/new", "/r/closed/comments"}))
    async with serve(api) as stub:
        pages = await hear(stub.url, keys={"subreddits": ["closed", "open"]})
        assert len(posts(pages)) == 1
        assert pages[-1].capped == "r/closed/new: 403 private; r/closed/comments: 403 private"
        with pytest.raises(FeedBlocked, match="r/closed/new: 403 private"):
            await hear(stub.url, keys={"subreddits": ["closed"]})


async def test_limits_in_seconds_left_and_refusals_in_html_are_understood():
    html = b"<!doctype html><html><head><title>Too Many Requests</title></head></html>"
    slow = Answer(html, 429, {"x-ratelimit-remaining": "0.0", "x-ratelimit-reset": "582"})
    api = new(refused=frozenset({"/r/telecoms/new"}), refusal=slow)
    async with serve(api) as stub:
        with pytest.raises(FeedUnavailable, match="429") as raised:
            await hear(stub.url)
    assert raised.value.retry_at == NOW + timedelta(seconds=582)


@pytest.mark.parametrize(
    "body", ["[]", '{"data": 1}', '{"data": {"children": {}}}', '{"message": "x"}', "null", "oops"]
)
async def test_what_is_no_listing_is_a_change_of_format(body):
    api = new()

    def answer(request: Request) -> Answer:
        return api(request) if request.path == TOKEN_PATH else Answer(body.encode())

    async with serve(answer) as stub:
        with pytest.raises(FeedFormatChanged, match="r: http"):
            await hear(stub.url)


async def test_a_bad_item_is_rejected_and_the_others_are_kept():
    bad = [
        link(1, T - 5, title=None),
        {"kind": "more", "data": {"name": "t1_0002", "created_utc": T}},
        {"kind": "t3", "data": {"name": "../etc", "created_utc": T}},
        {"kind": "t1", "data": {"name": "t3_0003", "created_utc": T}},
    ]
    async with serve(new(*bad, link(9, T - 9))) as stub:
        pages = await hear(stub.url)
    assert [post["post_id"] for post in posts(pages)] == ["reddit:t3_0009"]
    assert len(pages[0].rejected) == 4


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"subreddits": []}, "give a query, or subreddits"),
        ({"subreddits": ["r/telecoms"]}, "pattern"),
        ({"subreddits": ["aa", "bb"], "max_requests": 11}, "max_requests must be at least 12 for 4 listings"),
    ],
)
def test_keys_that_make_no_sense_are_refused(keys, said):
    with pytest.raises(ValidationError, match=said):
        options("http://x", **keys)


@pytest.mark.parametrize("cursor", ["", "{}", "null", "[]", "not json", '{"listings": 3}'])
async def test_a_cursor_that_cannot_be_read_begins_anew(cursor):
    async with serve(new(link(1, T - 60))) as stub:
        assert len(posts(await hear(stub.url, cursor))) == 1


VALUES = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.text(), max_size=2)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.dictionaries(st.sampled_from(sorted({*comment(1, T)["data"], *link(1, T)["data"], "crosspost_parent"})), VALUES),
    st.sampled_from(["t1", "t3", "t5", "more"]),
    st.booleans(),
)
def test_any_item_is_a_post_rejected_or_left_out(changes, kind, of_post):
    where = visit(options("http://x"))
    item = {"kind": kind, "data": {**(link(1, T) if of_post else comment(1, T))["data"], **changes}}
    made = to_page(where, [item], lambda one: reddit_item.to_post(one, where), cursor=None)
    assert made.posts.num_rows + len(made.rejected) + sum(made.left_out.values()) == 1


async def test_on_the_built_in_feed_server_each_post_that_stands_is_kept():
    world = make_world(seed=7, until=NOW, days=12, posts=900)
    at, cursor, standing = [NOW], None, set()
    with serve_world(build_app(world, lambda: at[0], now=lambda: at[0])) as server:
        [table] = config.feeds(server, "reddit")
        for days in (6, 4, 0):
            at[0] = NOW - timedelta(days=days)
            secrets = {"FEED_SERVER_KEY": "a key"}
            for stored in await listen(
                reddit, reddit.Options(**table), cursor=cursor, started_at=at[0], secrets=secrets
            ):
                assert not stored.rejected
                cursor = stored.cursor
                standing |= {post["post_id"] for post in posts([stored])}
                standing -= {post["post_id"] for post in posts([stored]) if post["deleted"]}
                standing -= stored.taken_down.posts if stored.taken_down else set()
    assert standing == reddit_server.kept(world, NOW, server)
    assert any(reddit_server.is_down(world, post, NOW) for post in reddit_server.Subreddits(world).posts)
