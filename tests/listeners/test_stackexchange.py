"""The stackexchange listener against sites that answer as the API documents."""

import gzip
import json
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from listening import NOW, Clock, listen, polite, posts, visit
from pydantic import ValidationError
from stub_server import Answer, Request, serve

from listeners import stackexchange
from listeners.feed import FeedBlocked, FeedFormatChanged, FeedUnavailable
from listeners.post import to_page

T = int(NOW.timestamp())


def question(number: int, at: int, title: str = "Acme router drops IPv6", **more) -> dict:
    return {
        "question_id": number, "title": title, "body": "<p>After a <b>reboot</b>.</p>", "creation_date": at,
        "last_activity_date": at, "score": -2, "view_count": 40, "answer_count": 1, "tags": ["acme"],
        "link": f"https://networking.example/questions/{number}", "is_answered": False,
        "owner": {"user_id": 7, "account_id": 70, "display_name": "Jo", "user_type": "registered"}, **more,
    }  # fmt: skip


class Sites:
    """Questions by site, searched as the API does. A page holds `most`; `silent` finds nothing; `more` is in bodies."""

    def __init__(self, most: int = 100, **sites: list[dict]) -> None:
        self.most, self.sites = most, sites
        self.silent = False
        self.more: dict = {"quota_max": 300, "quota_remaining": 200}

    def __call__(self, request: Request) -> Answer:
        assert request.path == "/2.3/search/advanced"
        query = request.query
        assert query["filter"] == "withbody"
        assert "page" not in query
        date = {"activity": "last_activity_date", "creation": "creation_date"}[query["sort"]]
        low, high = ("min", "max") if query["sort"] == "activity" else ("fromdate", "todate")
        found = [
            asked
            for asked in self.sites[query["site"]]
            if int(query[low]) <= asked[date] <= int(query[high]) and query["q"].lower() in asked["title"].lower()
        ]
        found.sort(key=lambda asked: (-asked[date], asked["question_id"]))
        page = [] if self.silent else found[: self.most]
        body = {"items": page, "has_more": len(found) > len(page) > 0, **self.more}
        return Answer(gzip.compress(json.dumps(body).encode()), headers={"content-encoding": "gzip"})


def options(url: str = "https://api.example", **more) -> stackexchange.Options:
    given_options = {"sites": ["networking"], "query": ["acme"], **more}
    return stackexchange.Options(id="se", source="stackexchange", url=f"{url}/2.3", **given_options)


async def test_a_question_becomes_a_post():
    asked = question(5, T - 60, "Acme &amp; me: is it &#39;normal&#39;?", last_edit_date=T - 30)
    async with serve(Sites(networking=[asked])) as stub:
        [post] = posts(await listen(stackexchange, options(stub.url)))
    assert post["title"] == "Acme & me: is it 'normal'?"
    assert (post["text"], post["kind"]) == ("After a reboot.", "question")
    assert post["post_id"] == "stackexchange:networking:5"
    assert post["url"] == "https://networking.example/questions/5"
    assert post["published_at"] == datetime.fromtimestamp(T - 60, UTC)
    assert post["edited_at"] == datetime.fromtimestamp(T - 30, UTC)
    assert (post["likes"], post["replies"], post["views"]) == (-2, 1, 40)
    assert post["author"] == visit(options()).pseudonym("networking/7")


async def test_an_owner_who_is_gone_leaves_the_author_open():
    gone = [question(1, T - 1, owner={"display_name": "user7", "user_type": "does_not_exist"})]
    async with serve(Sites(networking=[*gone, {k: v for k, v in question(2, T - 2).items() if k != "owner"}])) as stub:
        pages = await listen(stackexchange, options(stub.url))
    assert [post["author"] for post in posts(pages)] == [None, None]


async def test_a_first_visit_takes_everything_beyond_one_page():
    asked = [question(n, T - 7 * n) for n in range(1, 96)]
    async with serve(Sites(most=10, networking=asked)) as stub:
        pages = await listen(stackexchange, options(stub.url))
    assert sorted(post["post_id"] for post in posts(pages)) == sorted(
        f"stackexchange:networking:{n}" for n in range(1, 96)
    )
    assert not any(page.capped for page in pages)


async def test_an_edit_and_an_answer_bring_a_question_back_however_old_it_is():
    sites = Sites(networking=[question(1, T - 10**7), question(2, T - 10**7)])
    async with serve(sites) as stub:
        first = await listen(stackexchange, options(stub.url))
        sites.sites["networking"][0] |= {
            "body": "<p>Solved.</p>",
            "last_edit_date": T + 60,
            "last_activity_date": T + 60,
        }
        later = NOW + timedelta(hours=1)
        second = await listen(stackexchange, options(stub.url), cursor=first[-1].cursor, started_at=later)
    assert [(post["post_id"], post["text"]) for post in posts(second)] == [("stackexchange:networking:1", "Solved.")]


@settings(max_examples=15, deadline=None, phases=(Phase.reuse, Phase.generate))  # shrinking takes minutes
@given(st.lists(st.integers(0, 40), max_size=40), st.integers(3, 9), st.integers(2, 4))
async def test_nothing_is_lost_whatever_the_times_and_wherever_a_visit_breaks_off(ages, most, max_requests):
    """Only what lies beyond a page within one second may be missing, and that is said."""
    asked = [question(n, T - age) for n, age in enumerate(ages)]
    found, said, cursor = set(), [], None
    async with serve(Sites(most, networking=asked)) as stub:
        for number in range(100):
            if len(found) == len(asked):
                break
            pages = await listen(
                stackexchange,
                options(stub.url, max_requests=max_requests),
                cursor=cursor,
                started_at=NOW + timedelta(seconds=number),
            )
            for page in pages[: 1 + number % 3]:  # killed after so many stored pages
                found |= {post["post_id"] for post in posts([page])}
                cursor = page.cursor
                said += [page.capped] if page.capped and "may hold more" in page.capped else []
    missing = {f"stackexchange:networking:{n}" for n in range(len(ages))} - found
    assert not missing or said
    assert missing <= {f"stackexchange:networking:{n}" for n, age in enumerate(ages) if ages.count(age) >= most}


async def test_an_empty_success_loses_nothing():
    sites = Sites(networking=[question(1, T - 10**6)])
    sites.silent = True
    async with serve(sites) as stub:
        pages = await listen(stackexchange, options(stub.url))
        sites.silent = False
        later = NOW + timedelta(hours=9)
        pages = await listen(stackexchange, options(stub.url), cursor=pages[-1].cursor, started_at=later)
    assert len(posts(pages)) == 1


async def test_every_phrase_is_searched_on_every_site_and_a_question_comes_once():
    sites = Sites(networking=[question(1, T - 1, "Acme or Globex?")], superuser=[question(1, T - 2, "Globex")])
    async with serve(sites) as stub:
        both = options(stub.url, sites=["networking", "superuser"], query=["acme", "globex"])
        pages = await listen(stackexchange, both)
        assert len(stub.requests) == 4
    assert sorted(post["post_id"] for post in posts(pages)) == [
        "stackexchange:networking:1",
        "stackexchange:superuser:1",
    ]


async def test_a_window_gives_what_was_asked_then_and_no_more():
    asked = [question(n, T - 3600 * n, last_activity_date=T) for n in range(1, 30)]
    window = (NOW - timedelta(hours=20), NOW - timedelta(hours=10))
    async with serve(Sites(most=4, networking=asked)) as stub:
        pages = await listen(stackexchange, options(stub.url), window=window)
        cut = await listen(stackexchange, options(stub.url, max_requests=2), window=window)
    assert [post["post_id"] for post in posts(pages)] == [f"stackexchange:networking:{n}" for n in range(11, 21)]
    assert cut[-1].capped == "2 searches used up; take a shorter stretch for the rest"


async def test_a_key_is_sent_and_shown_to_nobody():
    async with serve(lambda _: Answer(b"oops")) as stub:
        with pytest.raises(FeedFormatChanged) as raised:
            await listen(stackexchange, options(stub.url, key_env="SE_KEY"), secrets={"SE_KEY": "s3cr3t"})
    assert stub.requests[0].query["key"] == "s3cr3t"
    assert "s3cr3t" not in str(raised.value)
    assert "s3cr3t" not in repr(visit(options(), secrets={"SE_KEY": "s3cr3t"}))


async def test_a_key_that_is_not_set_is_told_before_anything_is_asked():
    async with serve(Sites(networking=[])) as stub:
        with pytest.raises(FeedBlocked, match="environment variable SE_KEY, which is not set"):
            await listen(stackexchange, options(stub.url, key_env="SE_KEY"))
    assert stub.requests == []


async def test_a_quota_that_is_used_up_ends_the_visit_until_midnight_and_keeps_the_page():
    sites = Sites(most=10, networking=[question(n, T - n) for n in range(30)])
    sites.more["quota_remaining"] = 0
    kept = []

    async def keep(pages):
        async for page in pages:
            kept.append(page)

    async with serve(sites) as stub, polite(Clock()) as client:
        with pytest.raises(FeedUnavailable, match="quota_remaining 0") as raised:
            await keep(stackexchange.pages(visit(options(stub.url), client.visit("se"))))
    assert len(posts(kept)) == 10
    assert raised.value.retry_at == datetime(2026, 11, 21, tzinfo=UTC)
    assert len(stub.requests) == 1


class Public:
    """A public host that asks to be left alone for `backoff` seconds after each answer."""

    def __init__(self, backoff: float) -> None:
        self.backoff, self.asked = backoff, 0

    async def resolve(self, host: str, port: int) -> list[str]:
        return ["1.1.1.1"]

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.asked += 1
        first = T - 100 * self.asked
        items = [question(n, first - n % 3) for n in range(self.asked * 10, self.asked * 10 + 3)]
        body = {"items": items, "has_more": self.asked < 3, "backoff": self.backoff, "quota_remaining": 9}
        return httpx.Response(200, stream=httpx.ByteStream(json.dumps(body).encode()))

    async def read(self, clock: Clock) -> list:
        async with polite(clock, resolve=self.resolve, transport=httpx.MockTransport(self.answer)) as client:
            return [page async for page in stackexchange.pages(visit(options(), client.visit("se")))]


async def test_a_backoff_in_the_body_is_obeyed():
    clock, host = Clock(), Public(backoff=20)
    pages = await host.read(clock)
    assert (len(posts(pages)), host.asked) == (9, 3)
    assert 40 <= clock.passed < 50


async def test_a_backoff_too_long_to_wait_for_ends_the_visit_and_says_until_when():
    with pytest.raises(FeedUnavailable) as raised:
        await Public(backoff=600).read(Clock())
    assert raised.value.retry_at == NOW + timedelta(seconds=600)


async def test_a_throttled_address_is_told_when_to_come_back():
    error = {
        "error_id": 502,
        "error_name": "throttle_violation",
        "error_message": "too many requests from this IP, more requests available in 4321 seconds",
    }
    async with serve(lambda _: Answer(json.dumps(error).encode(), status=400)) as stub:
        with pytest.raises(FeedUnavailable, match="throttle_violation") as raised:
            await listen(stackexchange, options(stub.url))
    assert raised.value.retry_at == NOW + timedelta(seconds=4321)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("bad_parameter", "`key` doesn't match a known application"),
        ("access_denied", "page above 25 requires access token or app key"),
    ],
)
async def test_a_key_that_is_wrong_or_lacking_blocks_the_feed(name, message):
    error = {"error_id": 400, "error_name": name, "error_message": f"{message}: s3cr3t"}
    async with serve(lambda _: Answer(json.dumps(error).encode(), status=400)) as stub:
        with pytest.raises(FeedBlocked, match=name) as raised:
            await listen(stackexchange, options(stub.url, key_env="SE_KEY"), secrets={"SE_KEY": "s3cr3t"})
    assert "s3cr3t" not in str(raised.value)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (400, '{"error_id": 400, "error_name": "bad_parameter", "error_message": "No site found for name `x`"}'),
        (200, "[]"), (200, '{"items": 1}'), (200, "null"), (200, "oops"), (400, "{}"),
    ],
)  # fmt: skip
async def test_what_is_no_search_result_is_a_change_of_format(status, body):
    async with serve(lambda _: Answer(body.encode(), status=status)) as stub:
        with pytest.raises(FeedFormatChanged, match="se: http"):
            await listen(stackexchange, options(stub.url))


async def test_a_server_that_ignores_the_times_asked_for_does_not_keep_us_for_ever():
    body = json.dumps({"items": [question(1, T + 10**6)], "has_more": True}).encode()
    async with serve(lambda _: Answer(body)) as stub:
        with pytest.raises(FeedFormatChanged, match="none of them from"):
            await listen(stackexchange, options(stub.url))


async def test_nobody_can_opt_in_here():
    async with serve(Sites(networking=[question(1, T - 1)])) as stub:
        [page] = await listen(stackexchange, options(stub.url), consent="opt_in")
    assert (page.posts.num_rows, page.left_out) == (0, {"not_opted_in": 1})


@pytest.mark.parametrize(
    "wrong", [{"sites": []}, {"query": []}, {"max_requests": 3, "query": ["a", "b"]}, {"key": "x"}]
)
def test_options_that_cannot_work_are_refused(wrong):
    with pytest.raises(ValidationError):
        options(**wrong)


@pytest.mark.parametrize("cursor", ["", "{}", "null", "[]", "not json", '{"url": 1, "searches": 3}'])
async def test_a_cursor_that_cannot_be_read_begins_anew(cursor):
    async with serve(Sites(networking=[question(1, T - 1)])) as stub:
        assert len(posts(await listen(stackexchange, options(stub.url), cursor=cursor))) == 1


VALUES = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.text(), max_size=2)
VALUES |= st.dictionaries(st.sampled_from(["user_id", "x"]), VALUES, max_size=2)


@given(st.dictionaries(st.sampled_from(sorted(question(1, T))), VALUES))
def test_any_question_is_a_post_or_rejected(changes):
    where = visit(options())
    page = to_page(
        where, [{**question(1, T), **changes}], lambda item: stackexchange.to_post(item, where, "x"), cursor=None
    )
    assert page.posts.num_rows + len(page.rejected) == 1
