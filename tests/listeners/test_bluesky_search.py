"""The bluesky_search listener against a search that answers as the lexicons document."""

import json
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from listening import NOW, listen, posts, visit
from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from listeners import bluesky_search
from listeners.bluesky_authors import Author, Authors
from listeners.feed import FeedBlocked, FeedFormatChanged, Page
from listeners.feed_server import bluesky as sky
from listeners.feed_server import build_app, make_world, serve
from listeners.feed_server.config import feeds
from listeners.post import to_page

T = int(NOW.timestamp())
ANN, BOB = (f"did:plc:{name * 8}" for name in ("ann", "bob"))
SECRETS = {"SKY_PASSWORD": "hush"}


def at(did: str, key: str) -> str:
    return f"at://{did}/app.bsky.feed.post/{key}"


def iso(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).isoformat().replace("+00:00", "Z")


def view(key: str, when: int, text: str = "the router of Acme is slow", did: str = ANN, **more) -> dict[str, Any]:
    """A post that was made at an epoch second."""
    record = {"$type": "app.bsky.feed.post", "createdAt": iso(when), "text": text, "langs": ["en"]}
    return {
        "uri": at(did, key), "cid": "bafy", "author": {"did": did, "handle": "x", "labels": []}, "record": record,
        "likeCount": 3, "replyCount": 2, "repostCount": 1, "quoteCount": 0, "indexedAt": iso(when + 2), "labels": [],
        **more,
    }  # fmt: skip


class Index:
    """Posts, how many of them one page gives at most, and how far cursors lead. `hidden`: counted and not shown."""

    def __init__(self, *found: dict, most: int = 100, reach: int = 10_000) -> None:
        self.posts = list(found)
        self.most, self.reach = most, reach
        self.hidden: set[str] = set()
        self.silent = False
        self.labels: dict[str, list] = {}
        self.sessions: list[str] = []
        self.searches: list[dict] = []
        self.body: str | None = None
        self.session = '{"did": "did:plc:x", "accessJwt": "a.b.c"}'
        self.url = ""

    async def answer(self, request: Request) -> Response:
        status, body = self.found(request.url.path, request, await request.body())
        return Response(body, status, media_type="application/json")

    def found(self, path: str, request: Request, body: bytes) -> tuple[int, str]:
        if path.endswith("getProfiles"):
            dids = request.query_params.getlist("actors")
            known = [{"did": did, "labels": self.labels.get(did, []), "followersCount": 7} for did in dids]
            return 200, json.dumps({"profiles": known})
        if path.endswith("createSession"):
            self.sessions.append(json.loads(body))
            wrong = '{"error": "AuthenticationRequired", "message": "Invalid identifier or password"}'
            return (200, self.session) if json.loads(body)["password"] == "hush" else (401, wrong)
        assert request.headers["authorization"] == "Bearer a.b.c"
        asked = dict(request.query_params)
        self.searches.append(asked)
        if self.body is not None:
            return 200, self.body
        since, until = (int(datetime.fromisoformat(asked[name]).timestamp()) for name in ("since", "until"))
        words = asked["q"].strip('"').lower()
        found = [p for p in self.posts if since <= self.second(p) < until and words in p["record"]["text"].lower()]
        found.sort(key=self.second, reverse=True)
        start, size = int(asked.get("cursor", 0)), min(int(asked["limit"]), self.most)
        shown = [] if self.silent else [p for p in found[start : start + size] if p["uri"] not in self.hidden]
        more = {"cursor": str(start + size)} if len(found) > start + size <= self.reach and not self.silent else {}
        return 200, json.dumps({"posts": shown, "hitsTotal": len(found), **more})

    @staticmethod
    def second(post: dict) -> int:
        """sortAt."""
        times = (post["record"]["createdAt"], post["indexedAt"])
        return int(min(datetime.fromisoformat(time) for time in times).timestamp())

    @contextmanager
    def up(self):
        route = Route("/xrpc/{method}", self.answer, methods=["GET", "POST"])
        with serve(Starlette(routes=[route])) as self.url:
            yield self

    def options(self, **more) -> bluesky_search.Options:
        given = {"id": "sky", "source": "bluesky_search", "url": self.url, "handle": "acme.example"}
        given |= {"password_env": "SKY_PASSWORD", "query": ["acme"], "max_requests": 60}
        return bluesky_search.Options.model_validate(
            given | {"profiles_url": f"{self.url}/xrpc/app.bsky.actor.getProfiles"} | more
        )

    async def heard(self, cursor: str | None = None, started_at: datetime = NOW, **more) -> list[Page]:
        """The pages of one visit."""
        of_visit = {name: more.pop(name) for name in ("window", "wanted", "consent", "secrets") if name in more}
        given: dict[str, Any] = {"cursor": cursor, "started_at": started_at, "secrets": SECRETS} | of_visit
        return await listen(bluesky_search, self.options(**more), **given)


def keys(pages: list[Page]) -> list[str]:
    return [post["post_id"].rsplit("/", 1)[1] for post in posts(pages)]


async def test_a_post_becomes_a_row():
    with Index(view("3a", T - 60)).up() as index:
        [post] = posts(await index.heard())
    assert post["post_id"] == f"bluesky:{at(ANN, '3a')}"  # as the stream has it
    assert (post["kind"], post["text"], post["language"]) == ("post", "the router of Acme is slow", "en")
    assert (post["likes"], post["replies"], post["shares"], post["author_followers"]) == (3, 2, 1, 7)
    assert post["published_at"] == datetime.fromtimestamp(T - 60, UTC)
    assert post["url"] == f"https://bsky.app/profile/{ANN}/post/3a"
    assert index.sessions == [{"identifier": "acme.example", "password": "hush"}]
    [search] = index.searches
    assert search == {
        "q": "acme", "sort": "latest", "since": "2022-11-15T00:00:00Z", "until": "2026-11-20T12:00:01Z", "limit": "100"
    }  # fmt: skip


async def test_a_first_visit_takes_everything_a_page_at_a_time():
    with Index(*(view(f"3{n}", T - 7 * n) for n in range(95)), most=10, reach=40).up() as index:
        pages = await index.heard()
    assert sorted(keys(pages)) == sorted(f"3{n}" for n in range(95))
    assert keys(pages)[0] == "30"
    assert all(page.capped is None for page in pages)


async def test_pages_that_show_less_than_they_count_are_not_the_end():
    with Index(*(view(f"3{n}", T - 7 * n) for n in range(60)), most=10).up() as index:
        index.hidden = {at(ANN, f"3{n}") for n in range(60) if n < 20 or n % 2}
        pages = await index.heard()
    assert sorted(keys(pages)) == sorted(f"3{n}" for n in range(20, 60, 2))


@pytest.mark.parametrize(("crowd", "said"), [(35, False), (150, True)])
async def test_a_crowded_second_is_paged_through_as_far_as_that_goes(crowd, said):
    items = [view(f"3{n}", T - 100) for n in range(crowd)] + [view("3z", T - 200), view("3y", T - 50)]
    with Index(*items, most=10).up() as index:
        pages = await index.heard()
    assert {"3z", "3y"} <= set(keys(pages))
    assert len(set(keys(pages))) == min(crowd, 109) + 2 if not said else len(set(keys(pages))) >= 100
    told = [page.capped for page in pages if page.capped]
    assert told == ([f"second {T - 100} may hold more than the 10 pages that can be had of it"] if said else [])


async def test_nothing_is_lost_wherever_a_visit_breaks_off():
    items = [view(f"3{n}", T - 37 * (n // 3)) for n in range(60)]
    found: set[str] = set()
    cursor = None
    with Index(*items, most=8).up() as index:
        for number in range(40):
            moment = NOW + timedelta(seconds=number)
            pages = await index.heard(cursor, moment, max_requests=11 + number % 3)
            for page in pages[: 1 + number % 4]:  # killed after so many stored pages
                found |= set(keys([page]))
                cursor = page.cursor
            if len(found) == 60:
                break
    assert found == {f"3{n}" for n in range(60)}


async def test_a_second_visit_brings_what_is_new_and_what_came_late():
    index = Index(view("3a", T - 3 * 3600), view("3b", T - 3600))
    with index.up():
        first = await index.heard()
        index.posts += [view("3c", T + 1800), view("3d", T - 1800)]
        index.posts[1]["likeCount"] = 40
        later = NOW + timedelta(hours=1)
        second = await index.heard(first[-1].cursor, later)
        third = await index.heard(second[-1].cursor, later + timedelta(hours=9))
    assert sorted(keys(second)) == ["3b", "3c", "3d"]
    assert [post["likes"] for post in posts(second) if post["post_id"].endswith("3b")] == [40]
    assert sorted(keys(third)) == ["3b", "3c", "3d"]  # two hours again


async def test_an_empty_success_loses_nothing():
    index = Index(*(view(f"3{n}", T - 100 * n) for n in range(30)), most=10)
    with index.up():
        index.silent = True
        pages = await index.heard()
        assert posts(pages) == []
        index.silent = False
        pages = await index.heard(pages[-1].cursor, NOW + timedelta(hours=9))
    assert len(keys(pages)) == 30


async def test_a_window_gives_that_stretch_of_the_past_and_no_more():
    items = [view(f"3{n}", T - 3600 * n) for n in range(1, 30)]
    window = (NOW - timedelta(hours=20), NOW - timedelta(hours=10))
    with Index(*items, most=4).up() as index:
        pages = await index.heard(window=window)
    assert keys(pages) == [f"3{n}" for n in range(11, 21)]


async def test_a_visit_that_used_up_its_requests_says_so_and_goes_on():
    with Index(*(view(f"3{n}", T - 100 * n) for n in range(200)), most=10).up() as index:
        first = await index.heard(max_requests=11)
        second = await index.heard(first[-1].cursor)
    assert first[-1].capped == "11 searches used up; the rest is read from the next visit on"
    assert set(keys(first + second)) == {f"3{n}" for n in range(200)}


async def test_a_post_that_two_phrases_find_comes_once_and_phrases_are_searched_whole():
    with Index(view("3a", T - 9, "Acme One and Globex"), view("3b", T - 8, "Acme as one")).up() as index:
        pages = await index.heard(query=["Acme One", "globex"])
    assert keys(pages) == ["3a"]
    assert [search["q"] for search in index.searches[:2]] == ['"Acme One"', "globex"]


async def test_what_names_no_brand_is_left_out_before_anybody_is_asked_for():
    with Index(view("3a", T - 9), view("3b", T - 8, "acmella grows", did=BOB)).up() as index:
        pages = await index.heard(wanted=lambda title, text: "Acme " in text)
    assert keys(pages) == ["3a"]
    assert dict(pages[0].left_out) == {"names no brand": 1}


async def test_whoever_refuses_is_left_out():
    index = Index(view("3a", T - 9), view("3b", T - 8, did=BOB, labels=[{"val": "!no-unauthenticated"}]))
    index.labels[ANN] = [{"val": "!no-unauthenticated"}]
    with index.up():
        pages = await index.heard()
        nobody = await index.heard(consent="opt_in")
    assert (keys(pages), dict(pages[0].left_out)) == ([], {"no_unauthenticated": 2})
    assert dict(nobody[0].left_out) == {"not_opted_in": 2}


async def test_a_password_that_is_not_set_or_not_taken_blocks_and_is_not_told():
    with Index().up() as index:
        with pytest.raises(FeedBlocked, match="environment variable SKY_PASSWORD, which is not set"):
            await index.heard(secrets={})
        with pytest.raises(FeedBlocked, match="Invalid identifier or password") as refused:
            await index.heard(secrets={"SKY_PASSWORD": "a wrong one"})
    assert "a wrong one" not in str(refused.value)


@pytest.mark.parametrize("session", ["[]", "{}", '{"accessJwt": 5}', '{"accessJwt": "a\\nb"}', "oops"])
async def test_what_is_no_session_is_a_change_of_format(session):
    index = Index()
    index.session = session
    with index.up(), pytest.raises(FeedFormatChanged, match="sky: http"):
        await index.heard()


@pytest.mark.parametrize("body", ["[]", '{"posts": 1}', "{}", "null", "oops"])
async def test_what_is_no_search_result_is_a_change_of_format(body):
    index = Index()
    index.body = body
    with index.up(), pytest.raises(FeedFormatChanged, match="sky: http"):
        await index.heard()


async def test_a_server_that_gives_the_same_page_for_ever_does_not_keep_us():
    index = Index()
    index.body = json.dumps({"posts": [view("3a", T + 10**6)], "cursor": "again"})
    with index.up():
        pages = await index.heard()
    assert len(index.searches) <= 60
    assert keys(pages) == ["3a"]


async def test_a_bad_post_is_rejected_and_the_others_are_kept():
    bad: list[Any] = ["text", 7, None, view("3b", T - 9) | {"uri": "at://x"}]
    bad.append(view("3c", T - 9) | {"record": {"text": 5}})
    index = Index()
    index.body = json.dumps({"posts": [*bad, view("3a", T - 9)]})
    with index.up():
        pages = await index.heard()
    assert keys(pages) == ["3a"]
    assert len(pages[0].rejected) == len(bad)


@pytest.mark.parametrize("cursor", ["", "{}", "null", "[]", "not json", '{"url": 1}', '{"queries": {"acme": 3}}'])
async def test_a_cursor_that_cannot_be_read_begins_anew(cursor):
    with Index(view("3a", T - 9)).up() as index:
        assert keys(await index.heard(cursor)) == ["3a"]


def test_too_few_searches_to_ever_get_on_are_refused():
    with pytest.raises(ValidationError, match="at least 22 for 2 phrases"):
        Index().options(url="https://x.example", profiles_url="https://x.example", query=["a", "b"], max_requests=21)


async def test_the_built_in_server_is_searched_to_the_end():
    world = make_world(seed=7, until=NOW)
    with serve(build_app(world, lambda: NOW)) as server:
        [table] = feeds(server, "bluesky_search")
        options = bluesky_search.Options.model_validate(table | {"query": ["Telvane"]})
        pages = await listen(bluesky_search, options, secrets={options.password_env: sky.PASSWORD})
        kept = sky.kept(world, NOW, server)
    assert not [page.rejected for page in pages if page.rejected]
    toots = (post for post in world.posts if post.place == "mastodon" and "telvane" in post.text_at(NOW).lower())
    assert {post["post_id"] for post in posts(pages)} == kept & {f"bluesky:{sky.uri(post)}" for post in toots}
    assert len(posts(pages)) > 300


VALUES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9) | st.lists(st.text(), max_size=2)


WITHIN = st.dictionaries(st.sampled_from(["text", "createdAt", "langs", "embed"]), VALUES)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(st.sampled_from(sorted(view("3a", T))), VALUES), WITHIN)
def test_any_post_is_a_row_or_rejected(changes, within):
    post = {**view("3a", T), **changes}
    if isinstance(post["record"], dict):
        post["record"] = {**post["record"], **within}
    where = visit(Index().options(url="https://x.example", profiles_url="https://x.example"))
    authors = Authors(where, "", {ANN: Author(None, 7)})
    bluesky_search.sort_second(post)
    page = to_page(where, [post], lambda item: bluesky_search.to_post(item, where, authors), cursor=None)
    assert page.posts.num_rows + len(page.rejected) == 1
