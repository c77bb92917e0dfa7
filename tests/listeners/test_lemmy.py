"""The lemmy listener against an instance that lists as Lemmy 0.19 does."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from listening import NOW, listen, posts, visit
from pydantic import ValidationError
from stub_server import Answer, Request, serve

from listeners import lemmy
from listeners.feed import FeedBlocked, FeedFormatChanged, FeedUnavailable
from listeners.post import to_page

PERSON = {"id": 9, "name": "Jo", "display_name": "Jo R", "actor_id": "https://far.example/u/Jo", "bot_account": False}


def at(age: float) -> str:
    """A time so many seconds before NOW, as 0.19 writes it."""
    return (NOW - timedelta(seconds=age)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def post(number: int, age: float = 60, creator: dict | None = None, **more) -> dict:
    told = {
        "id": number, "name": "Acme is down", "body": "the **router** too", "published": at(age), "removed": False,
        "deleted": False, "ap_id": f"https://far.example/post/{number}", "featured_local": False, "nsfw": False,
        "featured_community": False, **more,
    }  # fmt: skip
    return {
        "post": told, "creator": PERSON | (creator or {}), "community": {"name": "broadband"},
        "counts": {"score": -3, "comments": 2, "upvotes": 1, "downvotes": 4},
    }  # fmt: skip


def comment(number: int, age: float = 60, creator: dict | None = None, **more) -> dict:
    told = {
        "id": number, "content": "same _here_", "published": at(age), "removed": False, "deleted": False, "post_id": 1,
        "ap_id": f"https://far.example/comment/{number}", "path": f"0.{number}", **more,
    }  # fmt: skip
    return {
        "comment": told, "creator": PERSON | (creator or {}), "post": post(1)["post"],
        "counts": {"score": 4, "child_count": 1},
    }  # fmt: skip


class Instance:
    """What it lists, newest first, the featured on top. A page holds `most`; cursors: whether posts have any (0.19)."""

    def __init__(self, *posts: dict, comments: list[dict] | None = None, most: int = 50, cursors: bool = True) -> None:
        self.there = {"post": list(posts), "comment": comments or []}
        self.most, self.cursors = most, cursors
        self.silent = False
        self.gone: set[int] = set()

    def __call__(self, request: Request) -> Answer:
        kind = request.path.removeprefix("/api/v3/").removesuffix("/list")
        assert request.query["sort"] == "New"
        assert int(request.query["limit"]) == 50
        there = [one for one in self.there[kind] if one[kind]["id"] not in self.gone]
        if wanted := request.query.get("community_name"):
            there = [one for one in there if one["community"]["name"] == wanted]
        there.sort(key=lambda one: (bool(one[kind].get("featured_local")), one[kind]["published"]), reverse=True)
        start = (int(request.query.get("page", 1)) - 1) * self.most
        if cursor := request.query.get("page_cursor"):
            places = [place for place, one in enumerate(there) if f"P{one[kind]['id']:x}" == cursor]
            if not places:
                return Answer(b'{"error":"couldnt_find_post"}', status=404)
            start = places[0] + 1
        page = [] if self.silent else there[start : start + self.most]
        further = {"next_page": f"P{page[-1][kind]['id']:x}"} if page and kind == "post" and self.cursors else {}
        return Answer(json.dumps({f"{kind}s": page} | further).encode())

    def ap_ids(self) -> set[str]:
        """What `ids` gives of all that is there."""
        return {f"{kind}/{one[kind]['id']}" for kind, there in self.there.items() for one in there}


def options(url: str = "https://lemmy.example", **more) -> lemmy.Options:
    return lemmy.Options(id="l", source="lemmy", url=url, **more)


def ids(pages) -> list[str]:
    return [row["post_id"].removeprefix("lemmy:https://far.example/") for row in posts(pages)]


async def test_a_post_becomes_a_post():
    given_post = post(5, url="https://news.example/acme", updated=at(30))
    async with serve(Instance(given_post)) as stub:
        [row] = posts(await listen(lemmy, options(stub.url)))
    assert (row["post_id"], row["url"]) == ("lemmy:https://far.example/post/5", "https://far.example/post/5")
    assert (row["title"], row["text"], row["kind"]) == (
        "Acme is down",
        "the router too\nhttps://news.example/acme",
        "post",
    )
    assert (row["published_at"], row["edited_at"]) == (NOW - timedelta(seconds=60), NOW - timedelta(seconds=30))
    assert (row["likes"], row["replies"]) == (-3, 2)
    assert row["author"] == visit(options()).pseudonym("jo@far.example")


async def test_a_comment_names_what_it_answers():
    comments = [comment(2, path="0.2"), comment(3, 50, path="0.2.3"), comment(4, 40, path="0.77.4")]
    async with serve(Instance(comments=comments)) as stub:
        rows = {row["post_id"]: row for row in posts(await listen(lemmy, options(stub.url)))}
    first, second, third = (rows[f"lemmy:https://far.example/comment/{n}"] for n in (2, 3, 4))
    assert (first["kind"], first["text"], first["title"]) == ("comment", "same here", None)
    assert first["parent_id"] == first["root_id"] == "lemmy:https://far.example/post/1"
    assert second["parent_id"] == first["post_id"]
    assert third["parent_id"] == "lemmy:127.0.0.1/comment/77"
    assert (first["likes"], first["replies"]) == (4, 1)


async def test_a_time_without_a_zone_is_utc():
    async with serve(Instance(post(1, published="2026-11-20T07:00:00.123456"))) as stub:
        [row] = posts(await listen(lemmy, options(stub.url)))
    assert row["published_at"] == datetime(2026, 11, 20, 7, 0, 0, 123456, tzinfo=UTC)


async def test_bots_and_refusals_are_left_out_and_counted():
    there = [
        post(1, creator={"bot_account": True}),
        post(2, creator={"bio": "hello #NoBot"}),
        post(3, creator={"bio": "I like robots"}),
    ]
    async with serve(Instance(*there)) as stub:
        pages = await listen(lemmy, options(stub.url))
        nobody = await listen(lemmy, options(stub.url), consent="opt_in")
    assert ids(pages) == ["post/3"]
    assert pages[0].left_out == {"bot": 1, "nobot": 1}
    assert (ids(nobody), nobody[0].left_out["not_opted_in"]) == ([], 1)


async def test_what_was_deleted_or_removed_is_taken_down_and_not_stored():
    async with serve(Instance(post(1, deleted=True), post(3), comments=[comment(2, removed=True)])) as stub:
        pages = await listen(lemmy, options(stub.url))
    assert ids(pages) == ["post/3"]
    assert [dict(page.left_out) for page in pages if page.left_out] == [{"deleted": 1}, {"deleted": 1}]
    gone = [post_id for page in pages if page.taken_down for post_id in page.taken_down.posts]
    assert gone == ["lemmy:https://far.example/post/1", "lemmy:https://far.example/comment/2"]


@pytest.mark.parametrize("cursors", [True, False])
async def test_a_first_visit_takes_all_there_is(cursors):
    there = [post(n, 1000 * n) for n in range(1, 130)]
    comments = [comment(n, 1000 * n) for n in range(1, 130)]
    async with serve(Instance(*there, comments=comments, cursors=cursors)) as stub:
        pages = await listen(lemmy, options(stub.url))
    assert sorted(ids(pages)) == sorted([f"{kind}/{n}" for kind in ("post", "comment") for n in range(1, 130)])
    assert not any(page.capped for page in pages)


async def test_the_next_visit_ends_where_the_last_began_and_reads_two_hours_again():
    instance = Instance(*[post(n, 600 * n) for n in range(1, 200)], most=10)
    async with serve(instance) as stub:
        first = await listen(lemmy, options(stub.url, max_requests=1000))
        asked = len(stub.requests)
        instance.there["post"].append(post(2000, -300))
        instance.there["post"].append(post(2001, 5000))  # came late from elsewhere
        instance.there["post"][0]["post"] |= {"body": "edited", "updated": at(-10)}
        later = NOW + timedelta(minutes=10)
        second = await listen(lemmy, options(stub.url), cursor=first[-1].cursor, started_at=later)
        assert len(stub.requests) - asked <= 4
    assert {"post/2000", "post/2001"} <= set(ids(second))
    assert "edited" in [row["text"] for row in posts(second)]


async def test_a_featured_post_of_old_neither_ends_a_visit_nor_comes_twice():
    there = [post(n, 1000 * n) for n in range(1, 30)]
    async with serve(Instance(*there, post(99, 10**8, featured_local=True), most=5)) as stub:
        first = await listen(lemmy, options(stub.url))
        second = await listen(lemmy, options(stub.url), cursor=first[-1].cursor, started_at=NOW + timedelta(hours=1))
    assert sorted(ids(first)) == sorted(f"post/{n}" for n in [*range(1, 30), 99])
    assert len(ids(second)) < 20


async def test_only_the_communities_named_are_asked_for():
    other = post(2)
    other["community"] = {"name": "cats"}
    async with serve(Instance(post(1), other)) as stub:
        pages = await listen(lemmy, options(stub.url, communities=["broadband"]))
        assert {request.query["community_name"] for request in stub.requests} == {"broadband"}
    assert ids(pages) == ["post/1"]


@settings(max_examples=6, deadline=None, phases=(Phase.reuse, Phase.generate))  # shrinking takes minutes
@given(
    st.integers(1, 20),
    st.integers(2, 9),
    st.integers(6, 10),
    st.booleans(),
    st.integers(0, 5),
    st.integers(0, 3),
    st.sampled_from([1, 900]),
)
async def test_nothing_is_lost_wherever_a_visit_breaks_off(
    count, most, max_requests, cursors, arriving, vanishing, apart
):
    """Page size, budget, kills, arrivals and deletions as they may be; pages shift with every one of them."""
    posts_there = [post(n, apart * n) for n in range(1, count + 1)]
    instance = Instance(*posts_there, comments=[comment(n, apart * n) for n in range(1, count + 1)], most=most)
    found: set[str] = set()
    cursor, now = None, NOW
    async with serve(instance) as stub:
        for number in range(200):
            if number < 4:
                arrivals = range(1000 + 100 * number, 1000 + 100 * number + arriving)
                age = (NOW - now).total_seconds()
                instance.there["post"] += [post(n, age) for n in arrivals]
                instance.there["comment"] += [comment(n, age) for n in arrivals]
                for there in instance.there.values():
                    del there[:vanishing]  # the newest of the first, so that what is older moves up
            elif found >= instance.ap_ids():
                break
            feed = options(stub.url, max_requests=max_requests)
            pages = await listen(lemmy, feed, cursor=cursor, started_at=now)
            for page in pages[: 2 + number % 7]:  # killed after so many stored pages
                found |= set(ids([page]))
                cursor = page.cursor
            now += timedelta(minutes=30)
    assert found >= instance.ap_ids()


async def test_a_cursor_whose_post_is_gone_begins_the_list_again():
    instance = Instance(*[post(n, 1000 * n) for n in range(1, 40)], most=5)
    async with serve(instance) as stub:
        first = await listen(lemmy, options(stub.url, max_requests=6))
        assert first[-1].capped == "6 requests used up; the rest is read from the next visit on"
        last = ids(first)[-1]
        instance.gone.add(int(last.removeprefix("post/")))
        second = await listen(lemmy, options(stub.url), cursor=first[-1].cursor)
    assert set(ids(first + second)) == {f"post/{n}" for n in range(1, 40)}


async def test_what_moves_up_the_pages_as_others_go_is_not_skipped():
    instance = Instance(comments=[comment(n, 1000 * n) for n in range(1, 60)], most=5)
    async with serve(instance) as stub:
        first = await listen(lemmy, options(stub.url, max_requests=8))
        instance.gone.update(range(1, 20))
        second = await listen(lemmy, options(stub.url), cursor=first[-1].cursor)
    assert set(ids(first + second)) == {f"comment/{n}" for n in range(1, 60)}


async def test_an_empty_success_loses_nothing():
    instance = Instance(*[post(n, 1000 * n) for n in range(1, 40)])
    instance.silent = True
    async with serve(instance) as stub:
        first = await listen(lemmy, options(stub.url))
        instance.silent = False
        later = NOW + timedelta(days=9)
        second = await listen(lemmy, options(stub.url), cursor=first[-1].cursor, started_at=later)
        instance.silent = True
        third = await listen(lemmy, options(stub.url), cursor=second[-1].cursor, started_at=later + timedelta(days=1))
    assert (len(posts(first)), len(posts(second))) == (0, 39)
    assert {page.suspect for page in first} == {None}
    assert [page.suspect for page in third] == ["an empty list, where posts were read before", None]


async def test_a_bad_item_is_rejected_and_the_others_are_kept():
    bad = [post(1) | {"creator": None}, "a string", {"post": 5}, post(2, ap_id=" "), post(3, name=None)]
    pages = {"post": [*bad, post(9)], "comment": []}

    def answer(request: Request) -> Answer:
        kind = request.path.split("/")[3]
        return Answer(json.dumps({f"{kind}s": pages[kind] if request.query["page"] == "1" else []}).encode())

    async with serve(answer) as stub:
        read = await listen(lemmy, options(stub.url))
    assert ids(read) == ["post/9"]
    assert sum(len(page.rejected) for page in read) == 5


async def test_a_list_that_never_ends_is_left_within_the_budget():
    body = json.dumps({"posts": [post(1)], "comments": [comment(1)], "next_page": "P1"}).encode()
    async with serve(lambda _: Answer(body)) as stub:
        pages = await listen(lemmy, options(stub.url, max_requests=8))
        assert len(stub.requests) <= 8
    assert sorted(ids(pages)) == ["comment/1", "post/1"]


@pytest.mark.parametrize("body", ["[]", '{"posts": 1}', "{}", "null", "oops"])
async def test_what_is_no_list_is_a_change_of_format(body):
    async with serve(lambda _: Answer(body.encode())) as stub:
        with pytest.raises(FeedFormatChanged, match="l: http"):
            await listen(lemmy, options(stub.url))


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (400, '{"error":"instance_is_private"}', FeedBlocked),
        (400, '{"error":"rate_limit_error"}', FeedUnavailable),
        (404, '{"error":"couldnt_find_community"}', FeedUnavailable),
        (404, "not here", FeedUnavailable),
    ],
)
async def test_a_refusal_says_what_the_instance_says(status, body, error):
    said = json.loads(body)["error"] if body.startswith("{") else r"no /api/v3 there \(Lemmy 1.0"
    async with serve(lambda _: Answer(body.encode(), status=status)) as stub:
        with pytest.raises(error, match=f"{status} {said}"):
            await listen(lemmy, options(stub.url))


@pytest.mark.parametrize("cursor", ["", "{}", "null", "[]", "not json", '{"url": 1}', '{"url": "x", "lists": 3}'])
async def test_a_cursor_that_cannot_be_read_begins_anew(cursor):
    async with serve(Instance(post(1))) as stub:
        assert len(posts(await listen(lemmy, options(stub.url), cursor=cursor))) == 1


def test_too_few_requests_to_ever_get_on_are_refused():
    with pytest.raises(ValidationError, match="at least 18 for 3 communities"):
        options(communities=["a", "b", "c"], max_requests=17)


VALUES = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.text(), max_size=2)


@given(
    st.sampled_from(["post", "comment"]),
    st.dictionaries(st.sampled_from(sorted({*post(1)["post"], *comment(1)["comment"]})), VALUES),
    st.dictionaries(st.sampled_from([*sorted(PERSON), "bio"]), VALUES),
    st.none() | st.just({}) | st.dictionaries(st.sampled_from(["score", "comments", "child_count"]), VALUES),
)
def test_any_item_is_a_post_rejected_or_left_out(kind, changes, creator, counts):
    where = visit(options())
    item = (post if kind == "post" else comment)(1, creator=creator)
    item[kind] |= changes
    page = to_page(where, [item | {"counts": counts}], lambda one: lemmy.to_post(one, kind, where, {}), cursor=None)
    assert page.posts.num_rows + len(page.rejected) + sum(page.left_out.values()) == 1
