"""The devto listener against a community that answers as Forem's API documents."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from listening import NOW, Clock, listen, polite, posts, visit
from pydantic import ValidationError
from stub_server import Answer, Request, serve

from listeners import devto, devto_comments
from listeners.feed import NAMES_NO_BRAND, FeedFormatChanged, Page
from listeners.post import to_page

T = int(NOW.timestamp())
DAY = 86_400


def iso(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def article(number: int, at: int, body: str = "<p>Acme is <b>slow</b>.</p>", **more) -> dict:
    return {
        "type_of": "article", "id": number, "title": "My week with a router", "description": "Notes", "edited_at": None,
        "url": f"https://dev.example/ann/week-{number}", "published_at": iso(at), "created_at": iso(at),
        "comments_count": 0, "public_reactions_count": 4, "tag_list": ["homelab", "networking"], "language": "en",
        "user": {"name": "Ann A.", "username": "Ann", "user_id": 7}, "body_html": body, **more,
    }  # fmt: skip


def comment(code: str, *below: dict, **more) -> dict:
    return {
        "type_of": "comment", "id_code": code, "created_at": iso(T - 5), "body_html": "<p>Same with <i>Acme</i></p>",
        "user": {"name": "Bo", "username": "bo"}, "children": list(below), **more,
    }  # fmt: skip


class Community:
    """Articles, their comments by article, and how many articles a page holds at most."""

    def __init__(self, articles: list[dict], comments: dict[int, list[dict]] | None = None, most: int = 1000) -> None:
        self.articles, self.comments, self.most = articles, comments or {}, most
        self.asked: list[str] = []
        self.silent = False

    def __call__(self, request: Request) -> Answer:
        path = request.path.removeprefix("/api/")
        self.asked.append(f"{path} {request.query.get('a_id', '')}".strip())
        page, size = int(request.query.get("page", 1)), int(request.query.get("per_page", 30))
        if path == "articles/latest":
            size = min(size, self.most)
            newest = sorted(self.articles, key=lambda one: (one["published_at"], one["id"]), reverse=True)
            shown = [] if self.silent else newest[(page - 1) * size : page * size]
            return json_of([{name: one[name] for name in one if name != "body_html"} for one in shown])
        if path == "comments":
            return json_of(self.comments.get(int(request.query["a_id"]), [])[(page - 1) * 2 : page * 2])
        found = [one for one in self.articles if path == f"articles/{one['id']}"]
        return json_of(found[0]) if found else json_of({"error": "not found"}, 404)

    def find(self, number: int) -> dict:
        return next(one for one in self.articles if one["id"] == number)


def json_of(what: object, status: int = 200) -> Answer:
    return Answer(json.dumps(what).encode(), status=status)


def options(url: str = "https://dev.example", **more) -> devto.Options:
    return devto.Options(id="dev", source="devto", url=url, **more)


def names(pages: list[Page]) -> list[str]:
    return [post["post_id"].rpartition(":")[2] for post in posts(pages)]


def wants_acme(title: str | None, text: str) -> bool:
    return "acme" in f"{title} {text}".lower()


async def test_an_article_becomes_a_post():
    written = article(5, T - 600, edited_at=iso(T - 60), comments_count=0)
    async with serve(Community([written])) as stub:
        [post] = posts(await listen(devto, options(stub.url)))
    site = stub.url.removeprefix("http://")
    assert (post["title"], post["text"]) == ("My week with a router", "Acme is slow.")
    assert (post["post_id"], post["kind"]) == (f"devto:{site}:5", "article")
    assert (post["url"], post["language"]) == ("https://dev.example/ann/week-5", "en")
    assert post["published_at"] == NOW - timedelta(seconds=600)
    assert post["edited_at"] == NOW - timedelta(seconds=60)
    assert (post["likes"], post["replies"], post["parent_id"], post["root_id"]) == (4, 0, None, None)
    assert post["author"] == visit(options()).pseudonym(f"ann@{site}")
    assert post["consent"] == "none_stated"


async def test_comments_of_a_tree_know_what_they_answer():
    trees = [comment("a", comment("b", comment("c"))), comment("d"), comment("e")]
    async with serve(Community([article(5, T - 600, comments_count=5)], {5: trees})) as stub:
        [written, *comments] = posts(await listen(devto, options(stub.url)))
    root, where = written["post_id"], written["post_id"].rpartition(":")[0]
    assert [one["post_id"] for one in comments] == [f"{where}:comment/{code}" for code in "abcde"]
    assert [one["parent_id"] for one in comments] == [root, f"{where}:comment/a", f"{where}:comment/b", root, root]
    assert {one["root_id"] for one in comments} == {root}
    assert (comments[0]["kind"], comments[0]["text"]) == ("comment", "Same with Acme")
    assert comments[0]["url"] == f"{stub.url}/bo/comment/a"


async def test_a_deleted_comment_is_a_tombstone_and_what_is_below_it_stays():
    trees = [comment("a", comment("b"), body_html="<p>[deleted]</p>", user={})]
    async with serve(Community([article(5, T - 600, comments_count=1)], {5: trees})) as stub:
        [_, deleted, below] = posts(await listen(devto, options(stub.url)))
    assert (deleted["deleted"], deleted["text"], deleted["author"]) == (True, "", None)
    assert (below["deleted"], below["parent_id"]) == (False, deleted["post_id"])


async def test_a_brand_that_only_the_text_names_is_found_and_others_are_counted():
    written = [article(1, T - 60), article(2, T - 120, "<p>Nothing of note.</p>", comments_count=3)]
    community = Community(written, {2: [comment("a")]})
    async with serve(community) as stub:
        pages = await listen(devto, options(stub.url), wanted=wants_acme)
    assert names(pages) == ["1"]
    assert sum(page.left_out.get(NAMES_NO_BRAND, 0) for page in pages) == 1
    assert not [path for path in community.asked if path.startswith("comments")]


async def test_of_old_articles_only_those_whose_list_entry_names_a_brand_are_asked_for():
    old = [article(n, T - 30 * DAY - n) for n in range(1, 5)]
    old[2]["title"], old[3]["description"] = "Acme, a year on", "What Acme did"
    community = Community(old)
    async with serve(community) as stub:
        pages = await listen(devto, options(stub.url), wanted=wants_acme)
    assert sorted(names(pages)) == ["3", "4"]
    assert len([path for path in community.asked if path.startswith("articles/") and "latest" not in path]) == 2
    assert sum(page.left_out.get(NAMES_NO_BRAND, 0) for page in pages) == 2


async def test_tags_are_compared_here():
    written = [article(1, T - 60, tag_list=["Python"]), article(2, T - 70, tag_list=["go"]), article(3, T - 80)]
    async with serve(Community(written)) as stub:
        pages = await listen(devto, options(stub.url, tags=["python", "#networking"]))
    assert sorted(names(pages)) == ["1", "3"]


async def test_a_second_visit_brings_what_is_new_or_changed_and_asks_for_nothing_else():
    trees = {2: [comment("a")]}
    community = Community([article(n, T - DAY - n, comments_count=int(n == 2)) for n in range(1, 5)], trees)
    async with serve(community) as stub:
        first = await listen(devto, options(stub.url))
        later = NOW + timedelta(hours=1)
        community.asked.clear()
        nothing = await listen(devto, options(stub.url), cursor=first[-1].cursor, started_at=later)
        assert set(community.asked) == {"articles/latest"}
        community.find(1).update(body_html="<p>Acme mended it.</p>", edited_at=iso(T + 4000))
        community.find(2)["comments_count"] = 2
        trees[2].append(comment("b"))
        community.find(3)["public_reactions_count"] = 50
        community.articles.append(article(9, T + 5000))
        later = NOW + timedelta(hours=2)
        second = await listen(devto, options(stub.url), cursor=nothing[-1].cursor, started_at=later)
    assert posts(nothing) == []
    assert sorted(names(second)) == ["1", "2", "3", "9", "comment/a", "comment/b"]
    by_name = dict(zip(names(second), posts(second), strict=True))
    assert (by_name["1"]["text"], by_name["3"]["likes"]) == ("Acme mended it.", 50)


async def test_an_edit_that_takes_the_brand_out_is_read_all_the_same():
    community = Community([article(1, T - 60), article(2, T - 70, "<p>Nothing.</p>")])
    async with serve(community) as stub:
        first = await listen(devto, options(stub.url), wanted=wants_acme)
        community.find(1).update(body_html="<p>Withdrawn.</p>", edited_at=iso(T + 60))
        community.find(2).update(public_reactions_count=99)
        later = NOW + timedelta(hours=1)
        second = await listen(devto, options(stub.url), cursor=first[-1].cursor, started_at=later, wanted=wants_acme)
    assert [post["text"] for post in posts(second)] == ["Withdrawn."]


async def test_however_rare_visits_are_each_article_is_followed_for_three_days():
    community = Community([article(1, T - 60)])
    async with serve(community) as stub:
        first = await listen(devto, options(stub.url))
        community.find(1)["comments_count"], community.comments = 1, {1: [comment("a")]}
        community.articles.append(article(2, T + 20 * DAY))
        later = NOW + timedelta(days=30)
        second = await listen(devto, options(stub.url), cursor=first[-1].cursor, started_at=later)
        assert len(json.loads(second[-1].cursor or "")["known"]) == 0
    assert sorted(names(second)) == ["1", "2", "comment/a"]


async def test_an_article_that_is_published_late_is_found():
    community = Community([article(1, T - 60)])
    async with serve(community) as stub:
        first = await listen(devto, options(stub.url))
        community.articles.append(article(2, T - DAY))
        later = NOW + timedelta(hours=1)
        second = await listen(devto, options(stub.url), cursor=first[-1].cursor, started_at=later)
    assert names(second) == ["2"]


async def test_what_is_listed_no_more_and_not_there_is_taken_down():
    community = Community([article(n, T - 60 * n) for n in range(1, 5)])
    async with serve(community) as stub:
        first = await listen(devto, options(stub.url))
        del community.articles[1]
        later = NOW + timedelta(hours=1)
        second = await listen(devto, options(stub.url), cursor=first[-1].cursor, started_at=later)
        third = await listen(devto, options(stub.url), cursor=second[-1].cursor, started_at=later)
    site = stub.url.removeprefix("http://")
    assert [page.taken_down.posts for page in second if page.taken_down] == [{f"devto:{site}:2"}]
    assert not [page for page in third if page.taken_down]


@settings(max_examples=6, deadline=None, phases=(Phase.reuse, Phase.generate))  # shrinking takes minutes
@given(st.lists(st.integers(0, 4 * DAY), max_size=16, unique=True), st.integers(3, 7), st.integers(8, 12))
async def test_nothing_is_lost_wherever_visits_break_off(ages, most, max_requests):
    written = [article(n, T - age, comments_count=n % 2) for n, age in enumerate(ages)]
    comments = {n: [comment(f"c{n}")] for n in range(1, len(ages), 2)}
    everything = {str(n) for n in range(len(ages))} | {f"comment/c{n}" for n in comments}
    found, cursor = set(), None
    async with serve(Community(written, comments, most)) as stub:
        for number in range(60):
            if found == everything:
                break
            started_at = NOW + timedelta(hours=number)
            pages = await listen(
                devto, options(stub.url, max_requests=max_requests), cursor=cursor, started_at=started_at
            )
            kept = pages[: len(pages) if number % 2 else 4 + number % 3]  # killed after so many stored pages
            found |= set(names(kept))
            cursor = kept[-1].cursor
    assert found == everything


async def test_stopping_after_any_page_and_going_on_from_its_cursor_gives_everything():
    written = [article(n, T - 40_000 * n, comments_count=n % 2) for n in range(8)]
    async with serve(Community(written, {n: [comment(f"c{n}")] for n in (1, 3, 5, 7)}, most=3)) as stub:
        pages = await listen(devto, options(stub.url))
        for stop in range(1, len(pages), 2):
            rest = await listen(devto, options(stub.url), cursor=pages[stop - 1].cursor)
            assert set(names(pages[:stop] + rest)) == set(names(pages))
    assert len(set(names(pages))) == 12


async def test_a_visit_that_used_up_its_requests_says_so_and_goes_on():
    async with serve(Community([article(n, T - 60 * n) for n in range(1, 20)])) as stub:
        pages = await listen(devto, options(stub.url, max_requests=10))
        assert len(stub.requests) == 10
        assert pages[-1].capped == "10 requests used up; the rest is read from the next visit on"
        later = NOW + timedelta(hours=1)
        rest = await listen(devto, options(stub.url), cursor=pages[-1].cursor, started_at=later)
    assert sorted(map(int, names(pages) + names(rest))) == list(range(1, 20))


async def test_pages_that_need_a_key_are_not_asked_for_and_that_is_said(monkeypatch):
    monkeypatch.setattr(devto, "LAST_PAGE", 2)
    async with serve(Community([article(n, T - 60 * n) for n in range(1, 20)], most=5)) as stub:
        pages = await listen(devto, options(stub.url))
    assert len(posts(pages)) == 10
    assert pages[-1].capped == "articles beyond page 2 of the list cannot be had"


async def test_an_empty_list_is_not_believed():
    community = Community([article(1, T - 10 * DAY)])
    community.silent = True
    async with serve(community) as stub:
        pages = await listen(devto, options(stub.url))
        assert [page.suspect for page in pages if page.suspect] == ["the list of articles is empty"]
        community.silent = False
        later = NOW + timedelta(days=9)
        pages = await listen(devto, options(stub.url), cursor=pages[-1].cursor, started_at=later)
    assert names(pages) == ["1"]


async def test_two_seconds_lie_between_requests():
    community, clock, at = Community([article(n, T - n) for n in range(1, 5)]), Clock(), []

    async def resolve(host: str, port: int) -> list[str]:
        return ["1.1.1.1"]

    def answer(request: httpx.Request) -> httpx.Response:
        at.append(clock.passed)
        reply = community(Request(request.url.path, dict(request.url.params), {}))
        return httpx.Response(reply.status, stream=httpx.ByteStream(reply.body))

    async with polite(clock, resolve=resolve, transport=httpx.MockTransport(answer)) as client:
        pages = [page async for page in devto.pages(visit(options(), client.visit("dev")))]
    assert len(posts(pages)) == 4
    assert at == [2.0 * n for n in range(len(at))]


async def test_nobody_can_opt_in_here():
    async with serve(Community([article(1, T - 60, comments_count=1)], {1: [comment("a")]})) as stub:
        pages = await listen(devto, options(stub.url), consent="opt_in")
    assert posts(pages) == []
    assert sum(page.left_out.get("not_opted_in", 0) for page in pages) == 1


async def test_a_bad_article_or_comment_is_rejected_and_the_others_are_kept():
    bad = [article(1, T - 5, title=None), article(2, T - 6) | {"id": None}, article(3, T - 7, comments_count=3)]
    comments = {3: [comment("a", body_html=None), comment("b"), comment("") | {"id_code": 7}]}
    async with serve(Community(bad[:1] + bad[2:], comments)) as stub:
        pages = await listen(devto, options(stub.url))
    assert names(pages) == ["3", "comment/b"]
    assert sum(len(page.rejected) for page in pages) == 3

    async with serve(lambda request: json_of([bad[1], "a string"] if "page=" else [])) as stub:
        pages = await listen(devto, options(stub.url))
    assert posts(pages) == []
    assert sum(len(page.rejected) for page in pages) == 2


@pytest.mark.parametrize("body", ["{}", '{"error": "x"}', "null", "oops"])
async def test_what_is_no_list_is_a_change_of_format(body):
    async with serve(lambda _: Answer(body.encode())) as stub:
        with pytest.raises(FeedFormatChanged, match="dev: http"):
            await listen(devto, options(stub.url))


@pytest.mark.parametrize("wrong", [{"max_requests": 5}, {"url": "dev.to"}, {"query": "acme"}])
def test_options_that_cannot_work_are_refused(wrong):
    with pytest.raises(ValidationError):
        options(**wrong)


@pytest.mark.parametrize("cursor", ["", "{}", "null", "[]", "not json", '{"url": 1}', '{"done": [1], "known": 3}'])
async def test_a_cursor_that_cannot_be_read_begins_anew(cursor):
    async with serve(Community([article(1, T - 1)])) as stub:
        assert len(posts(await listen(devto, options(stub.url), cursor=cursor))) == 1


VALUES = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.text(), max_size=2)
VALUES |= st.dictionaries(st.sampled_from(["username", "id_code"]), VALUES, max_size=2)


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(st.sampled_from(sorted({*article(1, T), *comment("a")})), VALUES, max_size=4))
def test_any_article_or_comment_is_a_post_rejected_or_left_out(changes):
    where = replace(visit(options()), wanted=wants_acme)
    written = to_page(where, [{**article(1, T), **changes}], lambda one: devto.to_post(one, where), cursor=None)
    trees = devto_comments.flattened([{**comment("a"), **changes}])
    answered = to_page(where, trees, lambda one: devto_comments.to_post(one, "devto:x:1", where), cursor=None)
    assert written.posts.num_rows + len(written.rejected) + sum(written.left_out.values()) == 1
    assert answered.posts.num_rows + len(answered.rejected) <= len(trees)
