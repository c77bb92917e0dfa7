"""The discourse listener against a forum that pages and searches as Discourse does."""

import json
import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from listening import NOW, listen, posts, visit
from pydantic import ValidationError
from stub_server import Answer, Request, serve

from listeners import discourse
from listeners.budget import Budget
from listeners.feed import FeedBlocked, FeedFormatChanged, FeedUnavailable, TakenDown
from listeners.post import to_page

UNSHRUNK = (Phase.reuse, Phase.generate)  # each example is many visits, and shrinking one takes minutes


def post(number: int, cooked: str = "<p>The Acme box is slow</p>", topic: int = 1, place: int | None = None, **more):
    return {
        "id": number, "username": "Jo", "name": "Jo R", "created_at": "2026-11-20T08:00:00.000Z", "cooked": cooked,
        "updated_at": "2026-11-20T09:30:00.000Z", "post_number": place or number, "post_type": 1, "reply_count": 2,
        "reply_to_post_number": None, "reads": 30, "score": 4.2, "topic_id": topic, "topic_slug": "acme-box",
        "topic_title": "Acme box &c", "version": 1, "actions_summary": [{"id": 2, "count": 5}], "hidden": False,
        "user_deleted": False, "deleted_at": None, **more,
    }  # fmt: skip


class Forum:
    """Posts in the order of their ids. A page holds `most`; inclusive: whether `before` includes its id."""

    def __init__(self, *there: dict, most: int = 50, inclusive: bool = True, topics_a_page: int = 50) -> None:
        self.there, self.most, self.inclusive, self.topics_a_page = list(there), most, inclusive, topics_a_page
        self.silent = False
        self.too_busy = False

    def __call__(self, request: Request) -> Answer:
        if request.path == "/posts.json":
            below = int(request.query["before"]) + self.inclusive if "before" in request.query else float("inf")
            shown = [] if self.silent else sorted(self.there, key=lambda one: -one["id"])
            return reply({"latest_posts": [one for one in shown if one["id"] < below][: self.most]})
        if request.path == "/search.json":
            return reply(self.found(request.query["q"], int(request.query["page"])))
        topic, place = map(int, re.findall(r"\d+", request.path))
        thread = [one for one in self.there if one["topic_id"] == topic and abs(one["post_number"] - place) <= 10]
        without = [{key: value for key, value in one.items() if key != "topic_title"} for one in thread]
        stream = {"post_stream": {"posts": without}, "id": topic, "title": thread[0]["topic_title"]} if thread else {}
        return reply(stream, 200 if thread else 404)

    def found(self, query: str, page: int) -> dict:
        assert query.endswith(" order:latest")
        assert page <= 10
        days = dict(re.findall(r"(after|before):(\S+)", query))
        phrase = query.split(" after:")[0].split(" before:")[0].lower()
        newest: dict[int, dict] = {}
        for one in sorted(self.there, key=lambda one: one["created_at"]):
            dated = days.get("after", "") < one["created_at"] < days.get("before", "9")
            if dated and phrase in one["cooked"].lower() and not self.silent:
                newest[one["topic_id"]] = one
        hits = sorted(newest.values(), key=lambda one: one["created_at"], reverse=True)
        shown = hits[(page - 1) * self.topics_a_page : page * self.topics_a_page]
        fields = ("id", "topic_id", "post_number", "created_at")
        return {
            "posts": [{name: one[name] for name in fields} | {"blurb": "..."} for one in shown],
            "topics": [{"id": one["topic_id"], "title": "from the search"} for one in shown],
            "grouped_search_result": {
                "more_full_page_results": True if len(hits) > page * self.topics_a_page else None,
                "error": "Extreme load" if self.too_busy else None,
            },
        }


def reply(body: object, status: int = 200) -> Answer:
    return Answer(json.dumps(body).encode(), status=status)


def options(url: str = "https://forum.example", **more) -> discourse.Options:
    return discourse.Options(id="forum", source="discourse", url=url, **more)


def ids(pages) -> list[int]:
    return [int(row["post_id"].rpartition(":")[2]) for row in posts(pages)]


async def test_the_first_post_of_a_topic_becomes_a_post_with_its_title():
    cooked = (
        '<p>Slow. See <a href="https://acme.example/status">the page</a>.</p><aside class="quote">as quoted</aside>'
    )
    async with serve(Forum(post(7, cooked, place=1, version=3))) as stub:
        [row] = posts(await listen(discourse, options(stub.url)))
    host = stub.url.removeprefix("http://")
    assert (row["post_id"], row["kind"], row["title"]) == (f"discourse:{host}:7", "post", "Acme box &c")
    assert row["text"] == "Slow. See the page (https://acme.example/status).\nas quoted"
    assert row["url"] == f"{stub.url}/t/acme-box/1/1"
    assert row["published_at"] == datetime(2026, 11, 20, 8, tzinfo=UTC)
    assert row["edited_at"] == datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
    assert (row["likes"], row["replies"], row["views"]) == (5, 2, 30)
    assert (row["parent_id"], row["root_id"]) == (None, None)
    assert row["author"] == visit(options()).pseudonym(f"jo@{host}")


async def test_a_reply_names_what_it_answers_where_that_was_read_too():
    there = [post(1, place=1), post(2, place=2), post(3, place=3, reply_to_post_number=2)]
    far = [post(9, topic=2, place=40, reply_to_post_number=38)]
    async with serve(Forum(*there, *far)) as stub:
        rows = {row["post_id"].rpartition(":")[2]: row for row in posts(await listen(discourse, options(stub.url)))}
    forum = f"discourse:{stub.url.removeprefix('http://')}"
    assert (rows["3"]["parent_id"], rows["3"]["root_id"]) == (f"{forum}:2", f"{forum}:1")
    assert (rows["2"]["parent_id"], rows["2"]["root_id"]) == (f"{forum}:1", f"{forum}:1")
    assert (rows["9"]["parent_id"], rows["9"]["root_id"]) == (f"{forum}:topic/2/38", f"{forum}:topic/2/1")
    assert (rows["3"]["kind"], rows["3"]["title"], rows["3"]["edited_at"]) == ("comment", None, None)


async def test_a_post_edited_by_nobody_has_no_time_of_an_edit():
    async with serve(Forum(post(1))) as stub:
        [row] = posts(await listen(discourse, options(stub.url)))
    assert row["edited_at"] is None


async def test_what_is_no_persons_is_left_out_and_what_was_hidden_or_deleted_is_taken_down():
    there = [post(1, hidden=True), post(2, post_type=3), post(3, user_deleted=True), post(4)]
    async with serve(Forum(*there)) as stub:
        page, _ = await listen(discourse, options(stub.url))  # the second is the end
    assert page.left_out == {"hidden": 1, "notice": 1, "deleted": 1}
    assert ids([page]) == [4]
    host = stub.url.removeprefix("http://")
    assert page.taken_down == TakenDown(frozenset({f"discourse:{host}:1", f"discourse:{host}:3"}))


async def test_nobody_can_opt_in_here():
    async with serve(Forum(post(1))) as stub:
        page, _ = await listen(discourse, options(stub.url), consent="opt_in")
    assert (page.posts.num_rows, page.left_out) == (0, {"not_opted_in": 1})


@pytest.mark.parametrize("inclusive", [True, False])
async def test_a_first_visit_takes_all_there_is_the_newest_first(inclusive):
    there = [post(n) for n in range(3, 300, 2)]
    async with serve(Forum(*there, inclusive=inclusive)) as stub:
        pages = await listen(discourse, options(stub.url))
    assert ids(pages) == sorted(range(3, 300, 2), reverse=True)
    assert not any(page.capped for page in pages)


async def test_the_next_visit_reads_what_is_new_and_the_last_hundred_ids_again():
    forum = Forum(*[post(n) for n in range(1, 401)])
    async with serve(forum) as stub:
        first = await listen(discourse, options(stub.url))
        asked = len(stub.requests)
        forum.there.append(post(401))
        forum.there[350] = post(351, "<p>edited</p>", version=2)
        second = await listen(discourse, options(stub.url), cursor=first[-1].cursor)
        assert len(stub.requests) - asked == 3
    assert ids(second)[:2] == [401, 400]
    assert min(ids(second)) <= 300
    assert "edited" in [row["text"] for row in posts(second)]


@pytest.mark.parametrize("absurd", [10**15, 2**70])
async def test_one_absurd_id_does_not_make_later_visits_read_little(absurd):
    forum = Forum(*(post(number) for number in range(1, 21)), most=20)
    async with serve(forum) as stub:
        feed = options(stub.url)
        forum.there.append(post(absurd))
        first = await listen(discourse, feed)
        forum.there.pop()
        forum.there += [post(number) for number in range(21, 400)]
        then = await listen(discourse, feed, cursor=first[-1].cursor)
    assert sorted(ids(first)) == [*range(1, 21), absurd]
    assert set(range(21, 400)) <= set(ids(then))


async def test_a_cursor_far_beyond_the_forum_begins_anew():
    forum = Forum(*(post(number) for number in range(1, 300)))
    async with serve(forum) as stub:
        feed = options(stub.url)
        cursor = json.dumps({"url": feed.url, "read_to": 10**15, "to_read": []})
        assert sorted(ids(await listen(discourse, feed, cursor=cursor))) == list(range(1, 300))


async def test_a_page_of_which_strangers_see_nothing_is_not_the_end():
    """Versions before 2026 take fifty, and then leave out what is not public."""
    there = [post(n) for n in (*range(1, 30), *range(200, 260))]

    def answer(request: Request) -> Answer:
        last = min(int(request.query.get("before", 259)), 259)
        return reply({"latest_posts": [one for one in reversed(there) if last - 50 < one["id"] <= last]})

    async with serve(answer) as stub:
        assert sorted(ids(await listen(discourse, options(stub.url)))) == [one["id"] for one in there]


@settings(max_examples=5, deadline=None, phases=UNSHRUNK)
@given(st.sets(st.integers(1, 30), min_size=1), st.integers(3, 9), st.integers(3, 5), st.booleans(), st.integers(0, 3))
async def test_nothing_is_lost_wherever_a_visit_breaks_off(numbers, most, max_requests, inclusive, arriving):
    """Page size, budget, kills and arrivals as they may be."""
    forum = Forum(*[post(n) for n in numbers], most=most, inclusive=inclusive)
    found: set[int] = set()
    cursor = None
    async with serve(forum) as stub:
        for number in range(300):
            if number < 8:
                newest = max(one["id"] for one in forum.there)
                forum.there += [post(newest + n) for n in range(1, arriving + 1)]
            elif found == {one["id"] for one in forum.there}:
                break
            pages = await listen(discourse, options(stub.url, max_requests=max_requests), cursor=cursor)
            for page in pages[: 1 + number % 3]:  # killed after so many stored pages
                found |= set(ids([page]))
                cursor = page.cursor
    assert found == {one["id"] for one in forum.there}


async def test_an_empty_success_loses_nothing():
    forum = Forum(*[post(n) for n in range(1, 120)])
    async with serve(forum) as stub:
        first = await listen(discourse, options(stub.url))
        forum.silent = True
        forum.there += [post(n) for n in range(120, 300)]
        second = await listen(discourse, options(stub.url), cursor=first[-1].cursor)
        forum.silent = False
        third = await listen(discourse, options(stub.url), cursor=second[-1].cursor)
    assert posts(second) == []
    assert [page.suspect for page in second] == ["a list without posts, where posts were read before"]
    assert set(ids(first + third)) == set(range(1, 300))


async def test_a_visit_that_used_up_its_requests_says_so_and_goes_on():
    async with serve(Forum(*[post(n) for n in range(1, 301)])) as stub:
        first = await listen(discourse, options(stub.url, max_requests=3))
        assert first[-1].capped == "3 requests used up; the rest is read from the next visit on"
        second = await listen(discourse, options(stub.url, max_requests=9), cursor=first[-1].cursor)
    assert set(ids(first + second)) == set(range(1, 301))


async def test_a_server_that_ignores_before_does_not_keep_us_for_ever():
    page = reply({"latest_posts": [post(n) for n in range(900, 950)]})
    async with serve(lambda _: page) as stub:
        with pytest.raises(FeedFormatChanged, match="none with an id up to 899"):
            await listen(discourse, options(stub.url))


async def test_a_bad_post_is_rejected_and_the_others_are_kept():
    bad = [post(1) | {"cooked": None}, "a string", {"id": 5}, post(6) | {"topic_id": "x"}]
    page = reply({"latest_posts": [*bad, post(9)]})
    async with serve(lambda request: page if "before" not in request.query else reply({"latest_posts": []})) as stub:
        pages = await listen(discourse, options(stub.url))
    assert ids(pages) == [9]
    assert len(pages[0].rejected) == 4


@pytest.mark.parametrize("body", ["[]", '{"latest_posts": 1}', "{}", "null", "oops"])
async def test_what_is_no_list_of_posts_is_a_change_of_format(body):
    async with serve(lambda _: Answer(body.encode())) as stub:
        with pytest.raises(FeedFormatChanged, match="forum: http"):
            await listen(discourse, options(stub.url))


async def test_a_forum_for_members_only_is_blocked():
    closed = reply({"errors": ["You need to be logged in to do that."], "error_type": "not_logged_in"}, 403)
    async with serve(lambda _: closed) as stub:
        with pytest.raises(FeedBlocked, match="logged in"):
            await listen(discourse, options(stub.url))


@pytest.mark.parametrize("cursor", ["", "{}", "null", "[]", "not json", '{"url": 1}'])
@pytest.mark.parametrize("query", [(), ("acme",)])
async def test_a_cursor_that_cannot_be_read_begins_anew(cursor, query):
    async with serve(Forum(post(1))) as stub:
        assert len(posts(await listen(discourse, options(stub.url, query=query), cursor=cursor))) == 1


def test_too_few_requests_to_ever_get_on_are_refused():
    with pytest.raises(ValidationError, match="at least 36 for 3 phrases"):
        options(query=["a", "b", "c"], max_requests=35)


class TestSearch:
    def dated(self, number: int, day: int, topic: int, place: int = 1, cooked: str = "<p>acme</p>") -> dict:
        at = (NOW - timedelta(days=day, minutes=number)).strftime("%Y-%m-%dT%H:%M:%S.000Z")
        return post(number, cooked, topic=topic, place=place, created_at=at)

    async def test_the_posts_around_each_find_are_read_whole(self):
        thread = [self.dated(n, 5, topic=1, place=n, cooked=f"<p>no {n}</p>") for n in range(1, 5)]
        forum = Forum(*thread, self.dated(5, 4, 1, 5), self.dated(6, 4, 2, cooked="<p>globex</p>"))
        async with serve(forum) as stub:
            pages = await listen(discourse, options(stub.url, query=["acme"]))
        assert sorted(ids(pages)) == [1, 2, 3, 4, 5]
        rows = {row["text"]: row for row in posts(pages)}
        assert (rows["no 1"]["title"], rows["acme"]["title"]) == ("Acme box &c", None)
        assert rows["acme"]["root_id"] == rows["no 1"]["post_id"]

    async def test_a_find_that_was_read_costs_nothing_more(self):
        forum = Forum(*[self.dated(n, 0, n) for n in range(1, 9)])
        async with serve(forum) as stub:
            first = await listen(discourse, options(stub.url, query=["acme"]))
            asked = len(stub.requests)
            forum.there.append(self.dated(20, 0, 20))
            second = await listen(discourse, options(stub.url, query=["acme"]), cursor=first[-1].cursor)
            assert len(stub.requests) - asked == 2
        assert sorted(ids(first)) == list(range(1, 9))
        assert ids(second) == [20]

    @settings(max_examples=5, deadline=None, phases=UNSHRUNK)
    @given(st.lists(st.integers(0, 9), max_size=20), st.integers(1, 2), st.integers(12, 20))
    async def test_no_topic_is_lost_wherever_a_visit_breaks_off(self, days, topics_a_page, max_requests):
        """Only topics of a day that holds more than ten pages may be missing, and that is said."""
        there = [self.dated(n, day, topic=n) for n, day in enumerate(days, 1)]
        found: set[int] = set()
        said, cursor = [], None
        async with serve(Forum(*there, topics_a_page=topics_a_page)) as stub:
            for number in range(150):
                if len(found) == len(there):
                    break
                feed = options(stub.url, query=["acme"], max_requests=max_requests)
                pages = await listen(discourse, feed, cursor=cursor)
                for page in pages[: 1 + number % 4]:
                    found |= set(ids([page]))
                    cursor = page.cursor
                    said += [page.capped] if page.capped and "may hold more" in page.capped else []
        missing = {one["id"] for one in there} - found
        assert not missing or said

    async def test_days_are_sliced_where_a_search_shows_no_more(self):
        there = [self.dated(n, n // 3, topic=n) for n in range(1, 40)]
        async with serve(Forum(*there, topics_a_page=1)) as stub:
            pages = await listen(discourse, options(stub.url, query=["acme"], max_requests=300))
        assert sorted(ids(pages)) == list(range(1, 40))
        assert not any(page.capped for page in pages)

    async def test_a_day_beyond_what_a_search_shows_is_said(self):
        there = [self.dated(n, 3, topic=n) for n in range(1, 15)]
        async with serve(Forum(*there, topics_a_page=1)) as stub:
            pages = await listen(discourse, options(stub.url, query=["acme"], max_requests=300))
        assert len(ids(pages)) == 10
        assert [page.capped for page in pages if page.capped] == [
            "2026-11-17 may hold more topics than the 10 pages that can be had of it"
        ]

    async def test_a_forum_too_busy_to_search_is_asked_again_later(self):
        forum = Forum(post(1))
        forum.too_busy = True
        async with serve(forum) as stub:
            with pytest.raises(FeedUnavailable, match="Extreme load"):
                await listen(discourse, options(stub.url, query=["acme"]))

    async def test_a_topic_that_went_meanwhile_is_passed(self):
        forum = Forum(self.dated(1, 2, topic=1), self.dated(2, 1, topic=2))

        def answer(request: Request) -> Answer:
            return Answer(b"{}", status=404) if request.path.startswith("/t/1/") else forum(request)

        async with serve(answer) as stub:
            assert ids(await listen(discourse, options(stub.url, query=["acme"]))) == [2]

    async def test_an_empty_success_loses_nothing(self):
        forum = Forum(self.dated(1, 5, topic=1))
        forum.silent = True
        async with serve(forum) as stub:
            first = await listen(discourse, options(stub.url, query=["acme"]))
            forum.silent = False
            later = NOW + timedelta(days=2)
            second = await listen(
                discourse, options(stub.url, query=["acme"]), cursor=first[-1].cursor, started_at=later
            )
        assert (ids(first), ids(second)) == ([], [1])

    @pytest.mark.parametrize("body", ["{}", '{"grouped_search_result": 1}', "[]", "oops"])
    async def test_what_is_no_search_result_is_a_change_of_format(self, body):
        async with serve(lambda _: Answer(body.encode())) as stub:
            with pytest.raises(FeedFormatChanged, match="forum: http"):
                await listen(discourse, options(stub.url, query=["acme"]))

    async def test_finds_of_any_shape_are_passed(self):
        body = {"posts": [1, None, {"id": "x"}, {"id": 1, "topic_id": 1, "post_number": None}], "topics": "x"}
        body |= {"grouped_search_result": {"more_full_page_results": None}}
        async with serve(lambda _: reply(body)) as stub:
            pages = await listen(discourse, options(stub.url, query=["acme"]))
        assert posts(pages) == []


VALUES = st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.sampled_from([[], {}, 0.5, ["x"]])


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(st.sampled_from(sorted(post(1))), VALUES, max_size=3))
def test_any_post_is_a_post_rejected_or_left_out(changes):
    where = visit(options())
    forum = discourse.Forum(where, "forum.example", Budget(where))
    page = to_page(where, [{**post(1), **changes}], lambda item: discourse.to_post(item, forum), cursor=None)
    assert page.posts.num_rows + len(page.rejected) + sum(page.left_out.values()) == 1
