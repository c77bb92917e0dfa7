"""The lobsters listener against a site that answers as its software does."""

import json
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import httpx
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from listening import NOW, Clock, listen, polite, posts, visit
from pydantic import ValidationError
from stub_server import Answer, Request, serve

from listeners import lobsters
from listeners.feed import FeedBlocked, FeedFormatChanged, FeedUnavailable, Page
from listeners.post import to_page

T = int(NOW.timestamp())
DAY = 86_400


def iso(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S.000-00:00")


def story(name: str, at: int, title: str = "Acme opens its firmware", **more) -> dict:
    return {
        "short_id": name, "short_id_url": f"https://lob.example/s/{name}", "created_at": iso(at), "title": title,
        "url": "https://acme.example/firmware", "score": 12, "flags": 1, "comment_count": 0, "description": "",
        "comments_url": f"https://lob.example/s/{name}/x", "submitter_user": "Ann", "user_is_author": False,
        "tags": ["hardware"], **more,
    }  # fmt: skip


def comment(name: str, at: int = T - 50, parent: str | None = None, **more) -> dict:
    return {
        "short_id": name, "short_id_url": f"https://lob.example/c/{name}", "created_at": iso(at), "is_deleted": False,
        "last_edited_at": iso(at), "is_moderated": False, "score": 3, "flags": 0, "parent_comment": parent, "depth": 0,
        "comment": "<p>I <em>like</em> it</p>", "comment_plain": "I *like* it", "commenting_user": "bo", **more,
    }  # fmt: skip


class Site:
    """Stories, the comments on them, how many a page holds, and what robots.txt says."""

    def __init__(self, stories: list[dict], comments: dict[str, list[dict]] | None = None, most: int = 25) -> None:
        self.stories, self.comments, self.most = stories, comments or {}, most
        self.robots = Answer(b"User-agent: *\nDisallow: /search\n")
        self.asked: list[str] = []

    def __call__(self, request: Request) -> Answer:
        self.asked.append(request.path)
        if request.path == "/robots.txt":
            return self.robots
        kind, name = request.path.strip("/").removesuffix(".json").split("/", 1)
        if kind == "s":
            found = [one for one in self.stories if one["short_id"] == name]
            return json_of(found[0] | {"comments": self.comments.get(name, [])}) if found else json_of({}, 404)
        stories = sorted(self.stories, key=lambda one: one["created_at"], reverse=True)
        page = int(name.removeprefix("page/") if kind == "newest" else request.query["page"])
        if kind == "t":
            stories = [one for one in stories if set(one["tags"]) & set(name.split(","))]
            if not stories:
                return json_of({}, 404)
        return json_of(stories[(page - 1) * self.most : page * self.most])


def json_of(what: object, status: int = 200) -> Answer:
    return Answer(json.dumps(what).encode(), status=status)


def options(url: str = "https://lob.example", **more) -> lobsters.Options:
    return lobsters.Options(id="lob", source="lobsters", url=url, **more)


def names(pages: list[Page]) -> list[str]:
    return [post["post_id"].rpartition(":")[2] for post in posts(pages)]


def wants_acme(title: str | None, text: str) -> bool:
    return "acme" in f"{title} {text}".lower()


async def test_a_story_becomes_a_post():
    told = story("abc", T - 60, description="<p>What is <b>new</b>?</p>")
    async with serve(Site([told, story("def", T - 90, "Ask: Acme?", url="", tags=["ask"])])) as stub:
        post, ask = posts(await listen(lobsters, options(stub.url)))
    site = stub.url.removeprefix("http://")
    assert (post["title"], post["kind"]) == ("Acme opens its firmware", "post")
    assert post["text"] == "What is new?\nhttps://acme.example/firmware"
    assert (post["post_id"], post["url"]) == (f"lobsters:{site}:abc", "https://lob.example/s/abc")
    assert post["published_at"] == NOW - timedelta(seconds=60)
    assert (post["likes"], post["replies"], post["parent_id"]) == (12, 0, None)
    assert post["author"] == visit(options()).pseudonym(f"ann@{site}")
    assert (ask["kind"], ask["text"]) == ("question", "")


async def test_comments_know_what_they_answer():
    comments = [
        comment("c1", last_edited_at=iso(T - 10)),
        comment("c2", parent="c1", commenting_user={"username": "B"}),
    ]
    async with serve(Site([story("abc", T - 60, comment_count=2)], {"abc": comments})) as stub:
        top, first, second = posts(await listen(lobsters, options(stub.url)))
    assert (first["text"], first["kind"], first["likes"]) == ("I like it", "comment", 3)
    assert (first["parent_id"], first["root_id"]) == (top["post_id"], top["post_id"])
    assert (second["parent_id"], second["root_id"]) == (first["post_id"], top["post_id"])
    assert first["edited_at"] is None
    assert second["author"] == visit(options()).pseudonym(f"b@{stub.url.removeprefix('http://')}")


async def test_a_comment_that_is_gone_is_a_tombstone_and_one_that_was_edited_says_when():
    gone = [
        comment("c1", is_deleted=True, comment="<em>Comment removed by author</em>"),
        comment("c2", is_moderated=True, comment="<em>Comment removed by moderator x: y</em>"),
        comment("c3", last_edited_at=iso(T + 60)),
        comment("c4", at=T - 500, last_edited_at=iso(T - 100)),
    ]
    async with serve(Site([story("abc", T - 60, comment_count=1)], {"abc": gone})) as stub:
        _, *comments = posts(await listen(lobsters, options(stub.url)))
    assert [one["deleted"] for one in comments] == [True, True, False, False]
    assert {(one["text"], one["author"]) for one in comments[:2]} == {("", None)}
    assert comments[3]["edited_at"] == NOW - timedelta(seconds=100)


async def test_comments_are_asked_for_where_the_story_is_kept():
    stories = [story("abc", T - 60, comment_count=1), story("def", T - 70, "Globex", url="", comment_count=1)]
    site = Site(stories, {"abc": [comment("c1")], "def": [comment("c2")]})
    async with serve(site) as stub:
        pages = await listen(lobsters, options(stub.url), wanted=wants_acme)
    assert names(pages) == ["abc", "def", "comment/c1"]
    assert "/s/def.json" not in site.asked


async def test_a_second_visit_asks_for_comments_only_where_their_number_changed():
    stories = [story(name, T - DAY, comment_count=1) for name in ("abc", "def")]
    site = Site(stories, {"abc": [comment("c1")], "def": [comment("c2")]})
    async with serve(site) as stub:
        first = await listen(lobsters, options(stub.url))
        site.asked.clear()
        later = NOW + timedelta(hours=1)
        nothing = await listen(lobsters, options(stub.url), cursor=first[-1].cursor, started_at=later)
        assert not [path for path in site.asked if path.startswith("/s/")]
        site.comments["abc"].append(comment("c3"))
        stories[0].update(comment_count=2, score=50, title="Acme opens its firmware (updated)")
        stories.append(story("ghi", T + 4000))
        later = NOW + timedelta(hours=2)
        second = await listen(lobsters, options(stub.url), cursor=nothing[-1].cursor, started_at=later)
    versions = {(post["post_id"], post["version"], post["likes"]) for post in posts(first)}
    again = [post for post in posts(second) if (post["post_id"], post["version"], post["likes"]) not in versions]
    assert {post["post_id"].rpartition(":")[2] for post in again} == {"abc", "comment/c3", "ghi"}
    assert all((post["post_id"], post["version"], post["likes"]) in versions for post in posts(nothing))


async def test_a_story_that_is_listed_no_more_and_not_there_is_taken_down():
    site = Site([story("abc", T - 60), story("def", T - 70)])
    async with serve(site) as stub:
        first = await listen(lobsters, options(stub.url))
        del site.stories[0]
        later = NOW + timedelta(hours=1)
        second = await listen(lobsters, options(stub.url), cursor=first[-1].cursor, started_at=later)
    gone = {f"lobsters:{stub.url.removeprefix('http://')}:abc"}
    assert [page.taken_down.posts for page in second if page.taken_down] == [gone]


async def test_several_tags_are_one_list():
    stories = [story("a", T - 9, tags=["rust"]), story("b", T - 8, tags=["go", "web"]), story("c", T - 7, tags=["law"])]
    site = Site(stories, most=1)
    async with serve(site) as stub:
        pages = await listen(lobsters, options(stub.url, tags=["Rust", "go"]))
    assert sorted(names(pages)) == ["a", "b"]
    assert set(site.asked) == {"/robots.txt", "/t/rust,go.json"}


async def test_a_tag_that_is_not_there_is_told():
    async with serve(Site([])) as stub:
        with pytest.raises(FeedUnavailable, match="is there such a tag"):
            await listen(lobsters, options(stub.url, tags=["rsut"]))


@settings(max_examples=6, deadline=None, phases=(Phase.reuse, Phase.generate))  # shrinking takes minutes
@given(st.lists(st.integers(0, 5 * DAY), max_size=16, unique=True), st.integers(3, 7), st.integers(8, 12))
async def test_nothing_is_lost_wherever_visits_break_off(ages, most, max_requests):
    stories = [story(f"s{n}", T - age, comment_count=n % 2) for n, age in enumerate(ages)]
    comments = {f"s{n}": [comment(f"c{n}")] for n in range(1, len(ages), 2)}
    everything = {f"s{n}" for n in range(len(ages))} | {f"comment/c{n}" for n in range(1, len(ages), 2)}
    found, cursor = set(), None
    async with serve(Site(stories, comments, most)) as stub:
        for number in range(60):
            if found == everything:
                break
            asked = options(stub.url, max_requests=max_requests, permitted=True)
            pages = await listen(lobsters, asked, cursor=cursor, started_at=NOW + timedelta(hours=number))
            kept = pages[: len(pages) if number % 2 else 4 + number % 3]  # killed after so many stored pages
            found |= set(names(kept))
            cursor = kept[-1].cursor
    assert found == everything


async def test_stopping_after_any_page_and_going_on_from_its_cursor_gives_everything():
    stories = [story(f"s{n}", T - 40_000 * n, comment_count=n % 2) for n in range(8)]
    async with serve(Site(stories, {f"s{n}": [comment(f"c{n}")] for n in (1, 3, 5, 7)}, most=3)) as stub:
        pages = await listen(lobsters, options(stub.url))
        for stop in range(1, len(pages)):
            rest = await listen(lobsters, options(stub.url), cursor=pages[stop - 1].cursor)
            assert set(names(pages[:stop] + rest)) == set(names(pages))
    assert len(set(names(pages))) == 12


async def test_a_visit_that_used_up_its_requests_says_so_and_goes_on():
    stories = [story(f"s{n}", T - 60 * n, comment_count=1) for n in range(1, 20)]
    comments = {one["short_id"]: [comment(f"c{one['short_id']}")] for one in stories}
    async with serve(Site(stories, comments)) as stub:
        pages = await listen(lobsters, options(stub.url, max_requests=12))
        assert pages[-1].capped == "12 requests used up; the rest is read from the next visit on"
        later = NOW + timedelta(hours=1)
        rest = await listen(lobsters, options(stub.url), cursor=pages[-1].cursor, started_at=later)
    assert len(set(names(pages + rest))) == 38


async def test_robots_txt_keeps_us_out_and_says_what_to_do():
    site = Site([story("abc", T - 60)])
    site.robots = Answer(b"User-agent: Googlebot\nDisallow:\n\nUser-agent: *\nDisallow: /\n")
    async with serve(site) as stub:
        with pytest.raises(FeedBlocked, match=r"robots.txt of 127.0.0.1 disallows .*: ask the site's owner"):
            await listen(lobsters, options(stub.url))
        assert site.asked == ["/robots.txt"]


async def test_a_site_whose_robots_txt_cannot_be_had_is_left_alone_for_now():
    site = Site([story("abc", T - 60)])
    site.robots = Answer(status=503)
    async with serve(site) as stub:
        with pytest.raises(FeedUnavailable):
            await listen(lobsters, options(stub.url))
    assert set(site.asked) == {"/robots.txt"}


async def test_who_asked_and_was_allowed_is_not_kept_out():
    site = Site([story("abc", T - 60)])
    site.robots = Answer(b"User-agent: *\nDisallow: /\n")
    async with serve(site) as stub:
        assert names(await listen(lobsters, options(stub.url, permitted=True))) == ["abc"]
    assert "/robots.txt" not in site.asked


@pytest.mark.parametrize(("delay", "apart"), [("1", 2.0), ("10", 10.0)])
async def test_requests_keep_the_distance_that_the_site_wants(delay, apart):
    site, clock, at = Site([story(f"s{n}", T - n) for n in range(4)], most=1), Clock(), []
    site.robots = Answer(f"User-agent: *\nCrawl-delay: {delay}\n".encode())

    async def resolve(host: str, port: int) -> list[str]:
        return ["1.1.1.1"]

    def answer(request: httpx.Request) -> httpx.Response:
        at.append(clock.passed)
        reply = site(Request(request.url.path, dict(request.url.params), {}))
        return httpx.Response(reply.status, stream=httpx.ByteStream(reply.body))

    async with polite(clock, resolve=resolve, transport=httpx.MockTransport(answer)) as client:
        pages = [page async for page in lobsters.pages(visit(options(), client.visit("lob")))]
    assert len(posts(pages)) == 4
    assert {later - earlier for earlier, later in pairwise(at[1:])} == {apart}


async def test_nobody_can_opt_in_here():
    async with serve(Site([story("a", T - 60, comment_count=1)], {"a": [comment("c")]})) as stub:
        pages = await listen(lobsters, options(stub.url), consent="opt_in")
    assert posts(pages) == []
    assert sum(page.left_out.get("not_opted_in", 0) for page in pages) == 2


async def test_a_bad_story_or_comment_is_rejected_and_the_others_are_kept():
    bad = [story("a", T - 5) | {"title": None}, story("b", T - 6) | {"short_id": 7}, story("c", T - 7, comment_count=2)]
    comments = {"c": [comment("c1", comment=None), comment("c2"), "a string"]}
    async with serve(Site(bad, comments)) as stub:
        pages = await listen(lobsters, options(stub.url))
    assert names(pages) == ["c", "comment/c2"]
    assert sum(len(page.rejected) for page in pages) == 4


@pytest.mark.parametrize("body", ["{}", '{"error": "x"}', "null", "oops"])
async def test_what_is_no_list_is_a_change_of_format(body):
    async with serve(lambda _: Answer(body.encode())) as stub:
        with pytest.raises(FeedFormatChanged, match="lob: http"):
            await listen(lobsters, options(stub.url, permitted=True))


async def test_an_empty_list_is_not_believed():
    async with serve(lambda _: Answer(b"[]")) as stub:
        pages = await listen(lobsters, options(stub.url, permitted=True))
    assert [page.suspect for page in pages if page.suspect] == ["the list of stories is empty"]


@pytest.mark.parametrize("wrong", [{"max_requests": 5}, {"max_requests": 101}, {"url": "lobste.rs"}, {"query": "x"}])
def test_options_that_cannot_work_are_refused(wrong):
    with pytest.raises(ValidationError):
        options(**wrong)


@pytest.mark.parametrize("cursor", ["", "{}", "null", "[]", "not json", '{"url": 1}', '{"done": [1], "known": 3}'])
async def test_a_cursor_that_cannot_be_read_begins_anew(cursor):
    async with serve(Site([story("a", T - 1)])) as stub:
        assert len(posts(await listen(lobsters, options(stub.url), cursor=cursor))) == 1


VALUES = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.text(), max_size=2)
VALUES |= st.dictionaries(st.sampled_from(["username", "x"]), VALUES, max_size=2)


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(st.sampled_from(sorted({*story("a", T), *comment("c")})), VALUES, max_size=4))
def test_any_story_or_comment_is_a_post_or_rejected(changes):
    where = visit(options())
    told = to_page(where, [{**story("a", T), **changes}], lambda one: lobsters.to_post(one, where), cursor=None)
    said = to_page(
        where, [{**comment("c"), **changes}], lambda one: lobsters.comment_to_post(one, "a", where), cursor=None
    )
    assert told.posts.num_rows + len(told.rejected) == 1
    assert said.posts.num_rows + len(said.rejected) == 1
