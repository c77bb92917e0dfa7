"""The bluesky listener against a Jetstream that answers as v1 documents, and profiles beside."""

import json
from collections.abc import Iterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from listening import NOW, Clock, listen, polite, posts, visit
from pydantic import ValidationError
from stub_stream import streaming

from listeners import bluesky
from listeners.bluesky_authors import Author, Authors
from listeners.bluesky_record import author_of
from listeners.feed import FeedError, FeedFormatChanged, FeedUnavailable, Page
from listeners.feed_server import bluesky as sky
from listeners.feed_server import build_app, make_world, serve
from listeners.feed_server.config import feeds
from listeners.jetstream import decoded
from listeners.limits import Limits
from listeners.post import to_page

T = bluesky.microseconds(NOW)
SECOND = 1_000_000
ANN, BOB, CAT = (f"did:plc:{name * 8}" for name in ("ann", "bob", "cat"))
QUIET = Limits(quiet_seconds=0.1)


def at(did: str, key: str) -> str:
    return f"at://{did}/app.bsky.feed.post/{key}"


def commit(key: str, when: int, operation: str = "create", did: str = ANN, **record) -> dict:
    """An event about a post, so many seconds before NOW."""
    told: dict[str, Any] = {"rev": "3m", "operation": operation, "collection": "app.bsky.feed.post", "rkey": key}
    if operation != "delete":
        told["cid"] = "bafy"
        told["record"] = {
            "$type": "app.bsky.feed.post", "createdAt": (NOW - timedelta(seconds=when + 1)).isoformat(),
            "text": "the router of Acme is slow", "langs": ["en"], **record,
        }  # fmt: skip
    return {"did": did, "time_us": T - when * SECOND, "kind": "commit", "commit": told}


def account(did: str, when: int, status: str | None, active: bool = False) -> dict:
    told = {"active": active, "did": did, "seq": 1, "status": status, "time": "2026-11-20T12:00:00Z"}
    return {"did": did, "time_us": T - when * SECOND, "kind": "account", "account": told}


def profile(did: str, labels: tuple[str, ...] = (), description: str = "", followers: int = 7) -> dict:
    told = [{"src": did, "uri": at(did, "self"), "val": label} for label in labels]
    return {"did": did, "handle": "x", "labels": told, "description": description, "followersCount": followers}


class Network:
    """A Jetstream of these events, and the profiles of its authors; everybody has one unless told otherwise.

    cut: break off after so many messages. alive: tell of NOW once all is told, as the network does; else close.
    """

    def __init__(self, *events: dict | str | bytes, profiles: dict[str, dict | None] | None = None) -> None:
        self.events: list[dict | str | bytes] = list(events)
        self.profiles = profiles or {}
        self.status = 200
        self.silent = False
        self.cut: int | None = None
        self.alive = True
        self.place = ""
        self.asked: list[dict] = []  # queries of streams
        self.met: list[list[str]] = []  # accounts that were asked for together

    async def play(self, connection, query) -> None:
        self.asked.append(query)
        since = int(query["cursor"][0])
        told = [e for e in self.events if not isinstance(e, dict) or e.get("time_us", since) >= since]
        for number, event in enumerate(told):
            if number == self.cut:
                await connection.close(1011, "gone")
                return
            await connection.send(json.dumps(event) if isinstance(event, dict) else event)
        if self.alive:
            await connection.send(json.dumps({"did": CAT, "time_us": T, "kind": "identity", "identity": {}}))
            await connection.wait_closed()

    def answer(self, path: str, query: dict) -> tuple[int, str] | None:
        if path == "/profiles":
            self.met.append(query["actors"])
            found = [self.profiles.get(did, profile(did)) for did in query["actors"]]
            return self.status, json.dumps({"profiles": [] if self.silent else [one for one in found if one]})
        if path == "/profile":
            found = self.profiles.get(query["actor"][0], profile(query["actor"][0]))
            return (200, json.dumps(found)) if found else (400, '{"error": "InvalidRequest"}')
        return None

    def options(self, **more) -> bluesky.Options:
        where = {"url": f"ws://{self.place}/subscribe", "profiles_url": f"http://{self.place}/profiles"}
        return bluesky.Options.model_validate({"id": "sky", "source": "bluesky"} | where | more)

    @asynccontextmanager
    async def up(self):
        async with streaming(self.play, self.answer) as stub:
            self.place = stub.place
            yield self

    async def heard(self, **more) -> list[Page]:
        """The pages of one visit."""
        async with self.up():
            return await listen(bluesky, self.options(), **more)


def taken_down(pages: list[Page]) -> tuple[set[str], set[str]]:
    told = [page.taken_down for page in pages if page.taken_down]
    return {post for gone in told for post in gone.posts}, {author for gone in told for author in gone.authors}


def left_out(pages: list[Page]) -> dict[str, int]:
    return {reason: n for page in pages for reason, n in page.left_out.items()}


async def test_a_post_becomes_a_row():
    other = {"cid": "bafy", "uri": at(BOB, "3a")}
    network = Network(
        commit("3b", 60, reply={"root": {"cid": "x", "uri": at(BOB, "39")}, "parent": other}, langs=["pt-BR", "en"])
    )
    [post] = posts(await network.heard())
    assert (post["post_id"], post["kind"]) == (f"bluesky:{at(ANN, '3b')}", "comment")
    assert (post["title"], post["text"], post["language"]) == (None, "the router of Acme is slow", "pt-br")
    assert (post["parent_id"], post["root_id"]) == (f"bluesky:{at(BOB, '3a')}", f"bluesky:{at(BOB, '39')}")
    assert post["url"] == f"https://bsky.app/profile/{ANN}/post/3b"
    assert post["published_at"] == NOW - timedelta(seconds=61)
    assert post["author"] == visit(network.options()).pseudonym(ANN)
    assert (post["author_followers"], post["consent"]) == (7, "none_stated")
    assert (post["edited_at"], post["quoted_id"], post["likes"]) == (None, None, None)
    [query] = network.asked
    assert query == {
        "wantedCollections": ["app.bsky.feed.post"], "cursor": ["0"], "maxMessageSizeBytes": ["200000"]
    }  # fmt: skip


def facet(text: str, words: str, uri: str) -> dict:
    start = len(text[: text.index(words)].encode())
    features = [{"$type": "app.bsky.richtext.facet#link", "uri": uri}]
    return {"index": {"byteStart": start, "byteEnd": start + len(words.encode())}, "features": features}


async def test_the_text_is_what_a_reader_sees_links_in_full():
    text = "☎ Acme: acme.example/stat... and my blog, @bob.example"
    facets = [
        facet(text, "my blog", "https://ann.example/acme"),
        facet(text, "acme.example/stat...", "https://acme.example/status/today"),
        {"index": {"byteStart": 1, "byteEnd": 9}, "features": [{"uri": "https://cuts.example/a-letter"}]},
        {"index": {"byteStart": 40, "byteEnd": 900}, "features": [{"uri": "https://too.example/long"}]},
        facet(text, "@bob.example", "javascript:alert(1)"),
    ]
    card = {"uri": "https://news.example/acme", "title": "Acme\n buys Globex", "description": "Why?"}
    embed = {"$type": "app.bsky.embed.external", "external": card}
    [post] = posts(await Network(commit("3b", 60, text=text, facets=facets, embed=embed)).heard())
    assert post["text"] == (
        "☎ Acme: https://acme.example/status/today and my blog (https://ann.example/acme), @bob.example\n"
        "Acme buys Globex (https://news.example/acme)"
    )


async def test_a_card_of_an_address_in_the_text_adds_its_title_only():
    card = {"uri": "https://news.example/acme", "title": "Acme buys Globex"}
    media = {"record": {"record": {"cid": "x", "uri": at(BOB, "3a")}}, "media": {"external": card}}
    said = commit("3b", 60, text="Well, https://news.example/acme", embed=media)
    [post] = posts(await Network(said).heard())
    assert post["text"] == "Well, https://news.example/acme\nAcme buys Globex"
    assert post["quoted_id"] == f"bluesky:{at(BOB, '3a')}"


async def test_only_posts_are_quoted():
    embed = {"$type": "app.bsky.embed.record", "record": {"cid": "x", "uri": f"at://{BOB}/app.bsky.graph.list/3a"}}
    quoting = {"$type": "app.bsky.embed.record", "record": {"cid": "x", "uri": at(BOB, "3a")}}
    network = Network(commit("3b", 60, embed=embed), commit("3c", 50, embed=quoting))
    assert [post["quoted_id"] for post in posts(await network.heard())] == [None, f"bluesky:{at(BOB, '3a')}"]


async def test_pictures_are_not_described():
    embed = {"$type": "app.bsky.embed.images", "images": [{"alt": "A bill of Acme", "image": {}}]}
    [post] = posts(await Network(commit("3b", 60, text="ugh", embed=embed)).heard())
    assert post["text"] == "ugh"


async def test_posts_that_name_no_brand_are_counted_and_nobody_is_asked_about_them():
    network = Network(*(commit(f"3{n}", 100 - n, text=f"tea {n}") for n in range(9)), commit("3z", 9, did=BOB))
    pages = await network.heard(wanted=lambda title, text: "Acme" in text)
    assert [post["post_id"] for post in posts(pages)] == [f"bluesky:{at(BOB, '3z')}"]
    assert left_out(pages) == {"names no brand": 9}
    assert network.met == [[BOB]]


async def test_the_next_visit_reads_the_last_half_minute_again():
    network = Network(commit("3a", 3600), commit("3b", 20))
    first = await network.heard()
    network.events.append(commit("3c", 10))
    second = await network.heard(cursor=first[-1].cursor)
    assert first[-1].cursor == str(T)
    assert network.asked[1]["cursor"] == [str(T - 30 * SECOND)]
    assert [post["post_id"][-2:] for post in posts(second)] == ["3b", "3c"]


async def test_an_edit_is_a_new_version_of_the_same_post():
    network = Network(commit("3a", 3600))
    first = await network.heard()
    network.events = [commit("3a", 3600), commit("3a", 20, "update", text="Acme mended it")]
    second = await network.heard(cursor=first[-1].cursor)
    [before, after] = posts(first + second)
    assert before["post_id"] == after["post_id"]
    assert before["version"] != after["version"]
    assert (after["text"], after["edited_at"]) == ("Acme mended it", NOW - timedelta(seconds=20))
    assert after["published_at"] == NOW - timedelta(seconds=21)  # as its author says, again
    [only] = posts(await network.heard())
    assert only["text"] == "Acme mended it"


async def test_an_edit_that_is_no_longer_wanted_takes_the_post_down():
    network = Network(commit("3a", 20, "update", text="never mind"), commit("3b", 10, "update", did=BOB))
    network.profiles[BOB] = profile(BOB, labels=("!no-unauthenticated",))
    pages = await network.heard(wanted=lambda title, text: "Acme" in text)
    assert posts(pages) == []
    assert taken_down(pages)[0] == {f"bluesky:{at(ANN, '3a')}", f"bluesky:{at(BOB, '3b')}"}


async def test_deleted_posts_are_taken_down():
    network = Network(commit("3a", 60, "delete"), commit("3b", 50))
    pages = await network.heard()
    assert [post["post_id"][-2:] for post in posts(pages)] == ["3b"]
    assert taken_down(pages) == ({f"bluesky:{at(ANN, '3a')}"}, set())


async def test_a_post_deleted_at_once_is_never_stored():
    network = Network(commit("3a", 60), commit("3a", 50, "delete"), commit("3b", 60), commit("3b", 50, "delete"))
    network.events.append(commit("3b", 40))  # said again under the same key
    pages = await network.heard()
    assert [post["post_id"][-2:] for post in posts(pages)] == ["3b"]
    assert left_out(pages) == {"deleted": 2}
    assert taken_down(pages) == ({f"bluesky:{at(ANN, '3a')}"}, set())


@pytest.mark.parametrize("status", ["deleted", "takendown", "suspended", "deactivated"])
async def test_an_account_that_went_is_taken_down_with_all_its_posts(status):
    network = Network(commit("3a", 60), account(ANN, 50, status), commit("3b", 40, did=BOB))
    pages = await network.heard()
    assert [post["post_id"][-2:] for post in posts(pages)] == ["3b"]
    assert taken_down(pages) == (set(), {visit(network.options()).pseudonym(ANN)})
    assert left_out(pages) == {"deleted": 1}


async def test_an_account_that_is_there_again_or_only_late_stays():
    network = Network(account(ANN, 60, "deactivated"), account(ANN, 50, None, active=True), commit("3a", 40))
    network.events += [account(BOB, 30, "desynchronized"), account(CAT, 30, "throttled")]
    pages = await network.heard()
    assert len(posts(pages)) == 1
    assert taken_down(pages) == (set(), set())


async def test_whoever_refuses_is_left_out_by_reason():
    refusing = {
        ANN: profile(ANN, labels=("!no-unauthenticated",)),
        BOB: profile(BOB, description="Cats. #NoBot please"),
        CAT: None,
    }
    selves = {"$type": "com.atproto.label.defs#selfLabels", "values": [{"val": "!no-unauthenticated"}]}
    network = Network(*(commit("3a", 60, did=did) for did in (ANN, BOB, CAT)), profiles=refusing)
    network.events += [commit("3d", 50, did=f"{ANN}2", labels=selves), commit("3e", 50, did=f"{ANN}3")]
    network.profiles[f"{ANN}3"] = profile(f"{ANN}3", labels=("!hide",)) | {
        "labels": [{"val": "!no-unauthenticated", "neg": True}]
    }
    pages = await network.heard()
    assert [post["post_id"][-2:] for post in posts(pages)] == ["3e"]
    assert left_out(pages) == {"no_unauthenticated": 2, "nobot": 1, "no_profile": 1}


async def test_where_opting_in_is_due_nobody_is_kept_or_asked_for():
    network = Network(commit("3a", 60))
    pages = await network.heard(consent="opt_in")
    assert (posts(pages), left_out(pages), network.met) == ([], {"not_opted_in": 1}, [])


async def test_authors_are_asked_for_25_at_a_time_and_once():
    dids = [f"{ANN}{n}" for n in range(60)]
    network = Network(*(commit(f"3{n}", 100, did=did) for n in range(2) for did in dids))
    assert len(posts(await network.heard())) == 120
    assert [len(asked) for asked in network.met] == [25, 25, 10]
    assert sorted(did for asked in network.met for did in asked) == sorted(dids)


@pytest.mark.parametrize("status", [403, 404, 502])
async def test_nothing_is_stored_whose_author_cannot_be_asked_for(status):
    network = Network(commit("3a", 60))
    network.status = status
    with pytest.raises(FeedError, match="sky: http"):
        await network.heard()


async def test_profiles_that_are_silent_about_everybody_are_not_believed():
    network = Network(commit("3a", 60))
    network.silent = True
    with pytest.raises(FeedUnavailable, match="no profile of 1, though there is one"):
        await network.heard()


async def test_what_is_no_list_of_profiles_is_a_change_of_format():
    network = Network(commit("3a", 60))
    network.answer = lambda path, query: (200, '{"people": []}') if path == "/profiles" else None
    with pytest.raises(FeedFormatChanged, match="without a list `profiles`"):
        await network.heard()


async def test_a_claimed_time_later_than_the_stream_saw_it_is_not_believed():
    ahead, never = (NOW + timedelta(days=400)).isoformat(), "yesterday"
    network = Network(commit("3a", 60, createdAt=ahead), commit("3b", 60, createdAt=never))
    network.events.append(commit("3c", 60, createdAt="2019-05-01T00:00:00Z"))  # brought from elsewhere
    times = [post["published_at"] for post in posts(await network.heard())]
    assert times == [NOW - timedelta(seconds=60)] * 2 + [datetime(2019, 5, 1, tzinfo=UTC)]


async def test_what_the_backlog_no_longer_has_is_said():
    network = Network(commit("3a", 3600))
    pages = await network.heard(cursor=str(T - 30 * 3600 * SECOND))
    said = "what was said from 2026-11-19 06:00 to 2026-11-20 11:00 UTC is beyond the backlog of the stream"
    assert [page.capped for page in pages] == [said]
    assert [page.capped for page in await network.heard()] == [None]


async def test_a_stream_without_even_the_last_event_read_is_suspect():
    network = Network()
    network.alive = False
    [page] = await network.heard(cursor=str(T - 3600 * SECOND))
    assert (page.cursor, page.suspect) == (
        str(T - 3600 * SECOND), "the stream told nothing, not even the last event that was read"
    )  # fmt: skip
    for cursor in (None, str(T - 30 * 3600 * SECOND)):
        [page] = await network.heard(cursor=cursor)
        assert (page.cursor, page.suspect) == (cursor, None)


async def test_a_stream_that_falls_silent_is_read_as_far_as_it_goes():
    network = Network(commit("3a", 60))

    async def play(connection, query):
        await connection.send(json.dumps(network.events[0]))
        await connection.wait_closed()

    network.play = play
    async with network.up(), polite(Clock(), QUIET) as client:
        pages = [page async for page in bluesky.pages(visit(network.options(), client.visit("sky")))]
    assert [page.cursor for page in pages] == [str(T - 60 * SECOND)]


async def test_what_was_read_before_the_stream_broke_off_is_kept():
    network = Network(*(commit(f"3{n}", 100 - n) for n in range(9)))
    network.cut = 4
    kept = []
    async with network.up(), polite(Clock()) as client:
        visiting = bluesky.pages(visit(network.options(), client.visit("sky")))
        kept.append(await anext(visiting))
        with pytest.raises(FeedUnavailable, match="broke off: 1011 gone"):
            await anext(visiting)
    assert len(posts(kept)) == 4
    assert kept[-1].cursor == str(T - 97 * SECOND)


async def test_nothing_is_lost_wherever_a_visit_or_the_stream_breaks_off(monkeypatch):
    monkeypatch.setattr(bluesky, "EVENTS_A_PAGE", 4)  # 50,000 would make this test slow
    events = [commit(f"3{n}", 2000 - 40 * n, did=f"{ANN}{n % 7}") for n in range(40)]
    events += [commit(f"3{n}", 1000 - 40 * n, "delete", did=f"{ANN}{n % 7}") for n in range(0, 20, 3)]
    network = Network(*sorted(events, key=lambda event: event["time_us"]))
    found: set[str] = set()
    cursor = None
    async with network.up(), polite(Clock()) as client:
        for number in range(40):
            network.cut = None if number > 36 else 3 + number % 7
            visiting = bluesky.pages(visit(network.options(), client.visit("sky"), cursor=cursor))
            with suppress(FeedUnavailable, StopAsyncIteration):
                for _ in range(1 + number % 3):  # killed after so many stored pages
                    page = await anext(visiting)
                    found |= {post["post_id"] for post in posts([page])}
                    found -= taken_down([page])[0]
                    cursor = page.cursor
    assert found == {f"bluesky:{at(f'{ANN}{n % 7}', f'3{n}')}" for n in range(40) if n >= 20 or n % 3}
    assert cursor == str(T)


BAD = [
    "oops",
    b"\xff\xfe",
    "[]",
    "[" * 5_000,
    json.dumps({"kind": "commit"}),
    json.dumps(commit("3z", 9) | {"time_us": 10**400}),
    json.dumps(commit("3z", 9) | {"did": "not a did"}),
    json.dumps(commit("no key", 9)),
    json.dumps(commit("3z", 9, text=None)),
    json.dumps(commit("3z", 9, "delete", did="")),
]


async def test_a_message_that_cannot_be_read_is_rejected_and_the_others_are_kept():
    pages = await Network(*BAD, commit("3a", 60)).heard()
    assert [post["post_id"][-2:] for post in posts(pages)] == ["3a"]
    assert len(pages[0].rejected) == len(BAD)


async def test_a_part_of_a_post_that_is_not_as_documented_counts_as_absent():
    odd = {"langs": "en", "facets": [{"index": 3}, 7], "embed": ["?"], "reply": {"parent": 1}, "createdAt": 5}
    half = json.dumps(commit("3b", 50)).replace("slow", r"slow \ud83d")
    [post, other] = posts(await Network(commit("3a", 60, **odd), half).heard())
    assert (post["text"], post["kind"], post["language"]) == ("the router of Acme is slow", "comment", None)
    assert other["text"] == "the router of Acme is slow �"


async def test_other_events_are_passed_over():
    like = commit("3a", 60) | {"commit": {"operation": "create", "collection": "app.bsky.feed.like", "rkey": "3a"}}
    later = {"did": ANN, "time_us": T - 5, "kind": "something new", "new": {}}
    pages = await Network(like, later).heard()
    assert (posts(pages), pages[0].rejected, left_out(pages)) == ([], (), {})


@pytest.mark.parametrize("message", ['{"$type": "message", "payload": {"seq": 1}}', "{}", "hello"])
async def test_messages_of_another_kind_are_a_change_of_format(message):
    network = Network(*[message] * 5)
    network.alive = False
    with pytest.raises(FeedFormatChanged, match="5 messages, and none is an event"):
        await network.heard()


@pytest.mark.parametrize("cursor", ["", "null", "-5", "12.5", "٣", "9" * 30, str(T + 3600 * SECOND)])
async def test_a_cursor_that_cannot_be_read_or_is_still_to_come_begins_anew(cursor):
    network = Network(commit("3a", 60))
    assert len(posts(await network.heard(cursor=cursor))) == 1
    assert network.asked[0]["cursor"] == ["0"]


@pytest.mark.parametrize("url", ["https://x.example/subscribe", "wss://", "wss://x.example:0/", "wss://x y/"])
def test_only_the_address_of_a_stream_is_taken(url):
    with pytest.raises(ValidationError, match=r"wss://|port"):
        bluesky.Options(id="sky", source="bluesky", url=url)


WORLD_ENDS = NOW


@pytest.fixture(scope="module")
def world():
    return make_world(seed=7, until=WORLD_ENDS)


V2 = "/bluesky/xrpc/network.bsky.jetstream.subscribeEvents"


@pytest.mark.parametrize("path", ["/bluesky/subscribe", V2])
async def test_after_every_visit_to_the_built_in_server_what_stands_is_held(world, path):
    clock = iter(WORLD_ENDS - timedelta(hours=hours) for hours in (500, 30, 3, 0))
    now = WORLD_ENDS
    held: dict[str, str] = {}
    cursor = None
    with serve(build_app(world, lambda: now)) as server:
        [table] = feeds(server, "bluesky")
        options = bluesky.Options(**table | {"url": table["url"].replace("/bluesky/subscribe", path)})
        for now in clock:  # the server reads it
            for page in await listen(bluesky, options, cursor=cursor, started_at=now):
                assert not page.rejected
                held |= {post["post_id"]: post["author"] for post in posts([page])}
                gone_posts, gone_authors = taken_down([page])
                held = {post: who for post, who in held.items() if post not in gone_posts and who not in gone_authors}
                cursor = page.cursor
            assert set(held) == sky.kept(world, now, server)
    assert len(held) > 1_000


@pytest.mark.parametrize(("path", "seq"), [("/bluesky/subscribe", ""), (V2, "1:")])
async def test_the_built_in_server_forgets_as_a_real_one(world, path, seq):
    from starlette.applications import Starlette

    app = Starlette(routes=sky.routes(world, lambda: WORLD_ENDS, backlog=timedelta(hours=24)))
    with serve(app) as server:
        [table] = feeds(server, "bluesky")
        old = f"{seq}{bluesky.microseconds(WORLD_ENDS - timedelta(hours=60))}"
        options = bluesky.Options(**table | {"url": table["url"].replace("/bluesky/subscribe", path)})
        pages = await listen(bluesky, options, cursor=old, started_at=WORLD_ENDS)
    assert pages[0].capped is not None
    assert "from 2026-11-18 00:00 to 2026-11-19 12:" in pages[0].capped


OTHER_COMMITS = [("commit", "collection"), ("commit", "operation")]  # of which nothing is made
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=8),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["uri", "record", "text"]), inner),
    max_leaves=4,
)


def places(value: object, here: tuple = ()) -> Iterator[tuple]:
    """Every place in a JSON value, as the way to it."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in inner:
        yield (*here, key)
        yield from places(part, (*here, key))


FULL = commit(
    "3b", 60, "update", text="see acme.example...", facets=[facet("see acme.example...", "acme.example...", "https://acme.example/x")],
    embed={"external": {"uri": "https://news.example", "title": "News"}, "record": {"uri": at(BOB, "3a")}},
    reply={"parent": {"uri": at(BOB, "3a")}, "root": {"uri": at(BOB, "3a")}}, labels={"values": [{"val": "porn"}]},
)  # fmt: skip


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(list(places(FULL))), VALUES)
def test_any_event_is_a_post_or_rejected_or_left_out_or_none_of_ours(place, value):
    event = json.loads(json.dumps(FULL))
    part = event
    for key in place[:-1]:
        part = part[key]
    part[place[-1]] = value
    where = visit(bluesky.Options(id="sky", source="bluesky"))
    batch = decoded([json.dumps(event).encode()], lambda title, text: bool(text.encode()) or True)
    authors = Authors(where, "", dict.fromkeys(map(author_of, batch.posts), Author(None, value)))
    items = [*batch.posts.values(), *batch.unreadable]
    page = to_page(where, items, lambda item: bluesky.to_post(item, where, authors), cursor=None)
    kept = page.posts.num_rows + len(page.rejected) + sum(page.left_out.values())
    assert kept == 1 or (place[0], place[-1]) in [("kind", "kind"), ("commit", "commit"), *OTHER_COMMITS]
