"""Kept posts asked for again, source by source: what stands, what is gone, and what cannot be asked for."""

import gzip
import json
from collections import Counter
from dataclasses import replace
from datetime import datetime
from importlib import import_module

import httpx
import pytest
from listening import NOW, Clock, listen, polite, posts, visit
from stub_server import Answer, Request, serve

from listeners import bluesky, devto, discourse, github, hackernews, lemmy, mastodon, stackexchange, youtube
from listeners.feed import FeedBlocked, FeedError, FeedFormatChanged, FeedUnavailable
from listeners.feed_server import bluesky as sky
from listeners.feed_server import build_app, make_world
from listeners.feed_server import serve as serve_app
from listeners.feed_server.config import feeds
from listeners.registry import kept_a_request, load, standing_of
from listeners.standing import Kept


async def asked_again(listener, options, kept: list[Kept], **more):
    """The pages that a source's `standing` gives."""
    async with polite(Clock()) as client:
        return [page async for page in listener.standing(visit(options, client.visit(options.id), **more), kept)]


def gone(pages) -> set[str]:
    return {post for page in pages if page.taken_down for post in page.taken_down.posts}


def by_path(answers: dict[str, Answer]):
    return lambda request: answers.get(request.path, Answer(b'{"error": "not found"}', 404))


def document(told: object) -> Answer:
    return Answer(json.dumps(told).encode())


async def test_items_of_hacker_news_that_are_null_deleted_or_dead_are_gone():
    items = {"1": {"id": 1, "type": "story"}, "2": None, "3": {"id": 3, "deleted": True}, "4": {"id": 4, "dead": True}}
    answers = {f"/v0/item/{number}.json": document(item) for number, item in items.items()}
    async with serve(by_path(answers)) as stub:
        options = hackernews.Options(id="hn", source="hackernews", items_url=f"{stub.url}/v0")
        pages = await asked_again(hackernews, options, [Kept(f"hackernews:{n}", None) for n in (1, 2, 3, 4, 5)])
    assert gone(pages) == {f"hackernews:{number}" for number in (2, 3, 4, 5)}


async def test_a_post_that_is_always_refused_does_not_keep_those_after_it_from_being_asked_for():
    items = {f"/v0/item/{number}.json": document({"id": number, "type": "story"}) for number in (1, 3, 6)}
    answers = items | {f"/v0/item/{number}.json": Answer(b"", 403) for number in (2, 4)}
    async with serve(by_path(answers)) as stub:
        options = hackernews.Options(id="hn", source="hackernews", items_url=f"{stub.url}/v0")
        pages = await asked_again(hackernews, options, [Kept(f"hackernews:{n}", None) for n in range(1, 7)])
    assert gone(pages) == {"hackernews:5"}
    assert "of 2 of 6 posts no answer tells" in pages[-1].suspect


@pytest.mark.parametrize(("kept", "asked"), [(2, 2), (9, 3)])
async def test_a_server_that_refuses_one_post_after_the_other_is_not_asked_for_all_of_them(kept, asked):
    async with serve(lambda request: Answer(b"", 403)) as stub:
        options = hackernews.Options(id="hn", source="hackernews", items_url=f"{stub.url}/v0")
        with pytest.raises(FeedBlocked, match="403"):
            await asked_again(hackernews, options, [Kept(f"hackernews:{n}", None) for n in range(kept)])
    assert len(stub.requests) == asked


async def test_of_mastodon_only_posts_of_the_instance_itself_can_be_asked_for():
    async with serve(by_path({"/api/v1/statuses/7": document({"id": "7"})})) as stub:
        options = mastodon.Options(id="m", source="mastodon", url=stub.url)
        uris = [
            f"{stub.url}/users/ann/statuses/7",
            f"{stub.url}/users/ann/statuses/8",
            "https://far.example/users/bob/9",
        ]
        pages = await asked_again(mastodon, options, [Kept(f"mastodon:{uri}", uri) for uri in uris])
    assert [request.path for request in stub.requests] == ["/api/v1/statuses/7", "/api/v1/statuses/8"]
    assert gone(pages) == {f"mastodon:{uris[1]}"}


async def test_posts_of_a_forum_that_are_deleted_hidden_or_not_there_are_gone():
    told = {
        "/posts/1.json": {"id": 1},
        "/posts/2.json": {"id": 2, "user_deleted": True},
        "/posts/3.json": {"hidden": True},
    }
    async with serve(by_path({path: document(post) for path, post in told.items()})) as stub:
        options = discourse.Options(id="d", source="discourse", url=stub.url)
        forum = f"discourse:{stub.url.removeprefix('http://')}"
        pages = await asked_again(discourse, options, [Kept(f"{forum}:{n}", None) for n in (1, 2, 3, 4)])
    assert gone(pages) == {f"{forum}:{number}" for number in (2, 3, 4)}


async def test_issues_are_asked_for_where_a_person_reads_them_with_the_token():
    async with serve(by_path({"/repos/acme/box/issues/5": document({"id": 50})})) as stub:
        options = github.Options(id="g", source="github", url=stub.url, query=("Acme",), token_env="T")
        kept = [Kept(f"github:{n}0", f"https://github.com/acme/box/issues/{n}") for n in (5, 6)]
        pages = await asked_again(github, options, [*kept, Kept("github:1", None)], secrets={"T": "abc"})
    assert gone(pages) == {"github:60"}
    assert {request.headers["authorization"] for request in stub.requests} == {"Bearer abc"}


async def test_questions_come_by_the_hundred_as_they_are_now():
    def answer(request: Request) -> Answer:
        ids = [int(number) for number in request.path.rpartition("/")[2].split(";")]
        assert len(ids) <= 100
        there = [
            {"question_id": n, "title": "Acme?", "body": "<p>edited</p>", "creation_date": 1_790_000_000, "score": 7}
            for n in ids
            if n % 50
        ]
        return Answer(gzip.compress(json.dumps({"items": there}).encode()), headers={"content-encoding": "gzip"})

    async with serve(answer) as stub:
        options = stackexchange.Options(
            id="s", source="stackexchange", url=stub.url, sites=("telecom",), query=("Acme",)
        )
        kept = [Kept(f"stackexchange:telecom:{n}", None) for n in range(1, 151)]
        pages = await asked_again(stackexchange, options, [*kept, Kept("stackexchange:elsewhere:1", None)])
    assert len(stub.requests) == 2
    assert gone(pages) == {f"stackexchange:telecom:{n}" for n in (50, 100, 150)}
    assert {(post["text"], post["likes"]) for post in posts(pages)} == {("edited", 7)}


async def test_posts_of_bluesky_deleted_while_nobody_listened_are_found_gone_and_the_others_come_with_counts():
    world = make_world(seed=7, until=NOW)
    before = NOW.replace(day=16)
    now = before
    with serve_app(build_app(world, lambda: now)) as server:
        [table] = feeds(server, "bluesky")
        options = bluesky.Options(**table)
        held = {row["post_id"]: row["published_at"] for row in posts(await listen(bluesky, options, started_at=before))}
        newest = sorted(held.keys() & sky.kept(world, before, server), key=held.__getitem__)[-200:]
        now = NOW
        kept = [Kept(post_id, None) for post_id in newest]
        pages = await asked_again(bluesky, options, kept)
        standing = sky.kept(world, NOW, server)
    asked = {one.post_id for one in kept}
    assert gone(pages) == asked - standing
    assert gone(pages)
    assert {row["post_id"] for row in posts(pages)} == asked & standing
    assert all(row["likes"] is not None for row in posts(pages))


async def test_where_nothing_is_there_nothing_is_taken_down():
    async with serve(lambda request: Answer(b"null")) as stub:
        options = hackernews.Options(id="hn", source="hackernews", items_url=stub.url)
        [page] = await asked_again(hackernews, options, [Kept(f"hackernews:{n}", None) for n in (1, 2)])
    assert page.taken_down is None
    assert page.suspect == "none of the 2 posts asked for is there, and that is not believed"


async def test_what_was_learnt_before_a_failure_is_told():
    answers = {"/item/1.json": Answer(b"{}"), "/item/2.json": Answer(b"null"), "/item/3.json": Answer(b"", 503)}
    async with serve(by_path(answers)) as stub, polite(Clock()) as client:
        options = hackernews.Options(id="hn", source="hackernews", items_url=stub.url)
        kept = [Kept(f"hackernews:{n}", None) for n in (1, 2, 3)]
        asking = hackernews.standing(visit(options, client.visit("hn")), kept)
        page = await anext(asking)
        assert gone([page]) == {"hackernews:2"}
        with pytest.raises(FeedUnavailable):
            await anext(asking)


def resolved(ap_id: str, kind: str = "post", **more) -> Answer:
    """What an instance shows of an ap_id."""
    return document({kind: {kind: {"ap_id": ap_id, "deleted": False, "removed": False, **more}, "creator": {}}})


def unresolved(status: int, error: str = "couldnt_find_object") -> Answer:
    return Answer(json.dumps({"error": error}).encode(), status)


async def lemmy_asked_again(answers: dict[str, list[Answer]], **more):
    """What becomes of posts of an instance, by ap_id with `{}` for it, and how often each was asked for."""
    asked: Counter[str] = Counter()

    def answer(request: Request) -> Answer:
        assert request.path == "/api/v3/resolve_object"
        name = request.query["q"].replace(stub.url, "{}")
        asked[name] += 1
        told = answers[name]
        return told[min(asked[name], len(told)) - 1]

    async with serve(answer) as stub:
        options = lemmy.Options(id="l", source="lemmy", url=stub.url)
        answers = {
            name: [Answer(one.body.replace(b"{}/", f"{stub.url}/".encode()), one.status) for one in told]
            for name, told in answers.items()
        }
        kept = [Kept(f"lemmy:{name.format(stub.url)}", None) for name in answers]
        pages = await asked_again(lemmy, options, kept, **more)
        return pages, {name.removeprefix("lemmy:").replace(stub.url, "{}") for name in gone(pages)}, asked


async def test_what_was_deleted_or_removed_on_a_lemmy_instance_is_gone_whichever_way_it_says_so():
    far = "https://far.example/comment"
    pages, taken_down, _ = await lemmy_asked_again(
        {
            "{}/post/1": [resolved("{}/post/1")],
            "{}/post/2": [unresolved(404)],
            "{}/comment/3": [resolved("{}/comment/3", "comment", deleted=True)],
            f"{far}/4": [resolved(f"{far}/4", "comment", removed=True)],
            f"{far}/5": [resolved(f"{far}/5", "comment")],
            f"{far}/6": [unresolved(404)],
        }
    )
    assert taken_down == {"{}/post/2", "{}/comment/3", f"{far}/4", f"{far}/6"}
    assert not any(page.suspect for page in pages)


async def test_what_a_lemmy_instance_has_no_row_of_is_gone_if_it_is_its_own_and_told_twice():
    pages, taken_down, asked = await lemmy_asked_again(
        {
            "{}/post/1": [unresolved(400), resolved("{}/post/1")],  # its database failed
            "{}/post/2": [unresolved(400), unresolved(400)],
            "https://far.example/post/3": [unresolved(400)],  # it may never have had it
        }
    )
    assert taken_down == {"{}/post/2"}
    assert asked == {"{}/post/1": 2, "{}/post/2": 2, "https://far.example/post/3": 1}
    assert pages[0].suspect == "of 1 of 3 posts no answer tells whether they stand"


@pytest.mark.parametrize(
    "answer",
    [
        resolved("https://far.example/post/9", removed=True),
        document({"person": {"person": {"deleted": True}}}),
        document([]),
        unresolved(400, "unknown"),
        unresolved(404, "no route"),
    ],
    ids=["another post", "a person", "a list", "another error", "another 404"],
)
async def test_what_a_lemmy_instance_says_of_something_else_takes_nothing_down(answer):
    pages, taken_down, _ = await lemmy_asked_again({"{}/post/1": [resolved("{}/post/1")], "{}/post/2": [answer]})
    assert taken_down == set()
    assert pages[0].suspect == "of 1 of 2 posts no answer tells whether they stand"
    with pytest.raises(FeedFormatChanged, match="none of 1 answers tells"):
        await lemmy_asked_again({"{}/post/2": [answer]})


PAGE = b"<!DOCTYPE html><html><head><title>Log in</title></head><body>Log in</body></html>"


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (unresolved(400, "rate_limit_error"), FeedUnavailable),
        (unresolved(400, "instance_is_private"), FeedBlocked),
        (Answer(PAGE, 404), FeedUnavailable),
        (Answer(PAGE, 200), FeedBlocked),
        (Answer(b"", 403), FeedBlocked),
        (Answer(b"", 502), FeedUnavailable),
    ],
)
async def test_a_lemmy_instance_that_turns_us_away_takes_nothing_down(answer, error):
    with pytest.raises(error):
        await lemmy_asked_again(
            {"{}/post/1": [resolved("{}/post/1")], **{f"{{}}/post/{number}": [answer] for number in (2, 3, 4)}}
        )


async def test_articles_that_are_not_there_and_comments_that_are_deleted_are_gone():
    here = {"type_of": "comment", "user": {"username": "ann"}, "children": []}
    answers = {
        "/api/articles/1": document({"id": 1, "title": "Acme"}),
        "/api/comments/a1": document({**here, "id_code": "a1"}),
        "/api/comments/a2": document({**here, "id_code": "a2", "user": {}, "children": [here]}),
    }
    async with serve(by_path(answers)) as stub:
        options = devto.Options(id="d", source="devto", url=stub.url)
        site = f"devto:{stub.url.removeprefix('http://')}"
        names = ["1", "2", "comment/a1", "comment/a2", "comment/a3"]
        kept = [*(Kept(f"{site}:{name}", None) for name in names), Kept("devto:elsewhere.example:9", None)]
        pages = await asked_again(devto, options, kept)
    assert gone(pages) == {f"{site}:{name}" for name in ("2", "comment/a2", "comment/a3")}
    assert [request.path for request in stub.requests] == [
        "/api/articles/1", "/api/articles/2", "/api/comments/a1", "/api/comments/a2", "/api/comments/a3",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("2", document({"id": 3, "title": "Another"})),
        ("2", Answer(PAGE, 404)),
        ("2", Answer(b'{"message": "no such host"}', 404)),
        ("comment/a2", document({"id_code": "a3", "user": {}})),
        ("comment/a2", document([])),
    ],
    ids=["another article", "a page for people", "not the API's word", "another comment", "a list"],
)
async def test_what_a_community_says_of_something_else_takes_nothing_down(name, answer):
    answers = {"/api/articles/1": document({"id": 1}), "/api/articles/2": answer, "/api/comments/a2": answer}
    async with serve(by_path(answers)) as stub:
        options = devto.Options(id="d", source="devto", url=stub.url)
        site = f"devto:{stub.url.removeprefix('http://')}"
        pages = await asked_again(devto, options, [Kept(f"{site}:1", None), Kept(f"{site}:{name}", None)])
    assert gone(pages) == set()
    assert pages[0].suspect == "of 1 of 2 posts no answer tells whether they stand"


async def test_a_community_is_asked_no_more_than_thirty_times_a_minute():
    def answer(request: httpx.Request) -> httpx.Response:
        number = request.url.path.rpartition("/")[2]
        body, status = (f'{{"id": {number}}}'.encode(), 200) if number.isdecimal() else (b"", 404)
        return httpx.Response(status, stream=httpx.ByteStream(body))

    async def somewhere(host: str, port: int) -> list[str]:
        return ["1.1.1.1"]

    clock, options = Clock(), devto.Options(id="d", source="devto")
    kept = [Kept(f"devto:dev.to:{number}", None) for number in range(31)]
    public = {"allow_hosts": frozenset(), "resolve": somewhere, "transport": httpx.MockTransport(answer)}
    async with polite(clock, **public) as client:
        assert [page async for page in devto.standing(visit(options, client.visit("d")), kept)]
    assert clock.passed >= 60


class Tube:
    """YouTube's API asked by ids: videos with their `privacyStatus`, comments with the thread they answer.

    strict: one id that is not there has all of a request refused. closed: ids that are refused with 403.
    """

    def __init__(self, videos: dict[str, str], comments: dict[str, str | None], **more):
        self.videos, self.comments = videos, comments
        self.strict: bool = more.get("strict", False)
        self.closed: set[str] = more.get("closed", set())
        self.quota: int = more.get("quota", 1_000)
        self.asked: list[tuple[str, list[str]]] = []

    def __call__(self, request: Request) -> Answer:
        what, ids = request.path.removeprefix("/v3/"), request.query["id"].split(",")
        assert request.query["key"] == "abc"
        assert not {"maxResults", "pageToken", "order"} & request.query.keys()
        assert ("textFormat" in request.query) == (what != "videos")
        self.asked.append((what, ids))
        there = self.videos if what == "videos" else self.comments
        if len(self.asked) > self.quota:
            return refused(403, "quotaExceeded")
        if self.closed & set(ids):
            return refused(403, "forbidden")
        if self.strict and set(ids) - there.keys():
            return refused(404, "commentNotFound")
        show = {"videos": self.video, "comments": self.comment, "commentThreads": self.thread}[what]
        return document({"items": [show(name) for name in ids if name in there]})

    def video(self, name: str) -> dict:
        about = {"title": f"Acme & {name}", "description": "One <3", "channelId": "UCa", "publishedAt": AT}
        counts = {"viewCount": "77", "likeCount": "5"}
        return {"id": name, "snippet": about, "status": {"privacyStatus": self.videos[name]}, "statistics": counts}

    def comment(self, name: str) -> dict:
        said = {"textDisplay": "Acme is slow", "authorChannelId": {"value": "UCann"}, "likeCount": 4}
        said |= {"publishedAt": AT, "updatedAt": AT}
        return {"id": name, "snippet": said | ({"parentId": thread} if (thread := self.comments[name]) else {})}

    def thread(self, name: str) -> dict:
        return {"id": name, "snippet": {"videoId": "v1", "topLevelComment": self.comment(name), "totalReplyCount": 6}}


AT = "2026-11-19T12:00:00Z"


def refused(status: int, reason: str) -> Answer:
    return Answer(json.dumps({"error": {"message": "No.", "errors": [{"reason": reason}]}}).encode(), status)


def watched(video: str, comment: str | None = None) -> Kept:
    place = f"https://www.youtube.com/watch?v={video}"
    return Kept(f"youtube:{comment or video}", f"{place}&lc={comment}" if comment else place)


async def youtube_asked_again(answer, kept: list[Kept], *, key: bool = True):
    async with serve(answer) as stub:
        options = youtube.Options(
            id="y", source="youtube", url=stub.url, api=f"{stub.url}/v3", channels=("UC" + "a" * 22,),
            key_env="K" if key else None,
        )  # fmt: skip
        return await asked_again(youtube, options, kept, secrets={"K": "abc"})


async def test_videos_and_comments_that_the_api_does_not_show_are_gone_and_the_others_come_as_they_are_now():
    tube = Tube({"v1": "public", "v2": "unlisted"}, {"t1": None, "t1.2": "t1"})
    kept = [watched(f"v{n}") for n in (1, 2, 3)] + [watched("v1", name) for name in ("t1", "t1.2", "t1.3", "t4")]
    pages = await youtube_asked_again(tube, kept)
    assert gone(pages) == {"youtube:v2", "youtube:v3", "youtube:t1.3", "youtube:t4"}
    rows = {row["post_id"].partition(":")[2]: row for row in posts(pages)}
    assert rows.keys() == {"v1", "t1", "t1.2"}
    assert (rows["v1"]["title"], rows["v1"]["text"], rows["v1"]["views"]) == ("Acme & v1", "One <3", 77)
    assert (rows["t1"]["replies"], rows["t1"]["parent_id"], rows["t1"]["url"]) == (6, "youtube:v1", kept[3].url)
    assert (rows["t1.2"]["replies"], rows["t1.2"]["parent_id"], rows["t1.2"]["root_id"]) == (
        None, "youtube:t1", "youtube:v1",
    )  # fmt: skip
    assert {row["published_at"] for row in rows.values()} == {datetime.fromisoformat(AT)}
    assert [what for what, _ in tube.asked] == ["videos", "comments", "commentThreads"]


async def test_fifty_videos_or_twenty_comments_are_asked_for_at_once_and_each_answer_is_vouched_for():
    tube = Tube({f"v{n}": "public" for n in range(120)}, {f"c{n}": "t" for n in range(19, 60)})
    kept = [*(watched(f"v{n}") for n in range(110)), *(watched("v119", f"c{n}") for n in range(60))]
    pages = await youtube_asked_again(tube, kept)
    assert {what: [len(ids) for name, ids in tube.asked if name == what] for what, _ in tube.asked} == {
        "videos": [50, 50, 13], "comments": [20, 20, 20, 3],
    }  # fmt: skip
    assert {ids[-1] for _, ids in tube.asked} == {"v119", "c59"}
    assert gone(pages) == {f"youtube:c{n}" for n in range(19)}  # though one answer showed no other comment
    assert "youtube:v119" not in {row["post_id"] for row in posts(pages)}  # it was not kept


async def test_a_video_that_alone_is_due_is_gone_if_that_of_the_last_comment_is_there():
    tube = Tube({"v2": "public"}, {"c": "t"})
    assert gone(await youtube_asked_again(tube, [watched("v1"), watched("v2", "c")])) == {"youtube:v1"}


async def test_one_id_that_is_not_there_or_not_for_us_costs_the_others_nothing():
    for tube in (
        Tube({}, {f"c{n}": "t" for n in range(15) if n != 7}, strict=True),
        Tube({}, {f"c{n}": "t" for n in range(15)}, closed={"c7"}),
    ):
        pages = await youtube_asked_again(tube, [watched("v", f"c{n}") for n in range(15)])
        assert {row["post_id"] for row in posts(pages)} == {f"youtube:c{n}" for n in range(15) if n != 7}
        assert gone(pages) == ({"youtube:c7"} if tube.strict else set())
        assert pages[0].suspect == (None if tube.strict else "of 1 of 15 posts no answer tells whether they stand")
        assert len(tube.asked) < 10


@pytest.mark.parametrize(
    "answer",
    [document({"items": []}), refused(404, "commentNotFound")],
    ids=["nothing", "nothing is found"],
)
async def test_where_the_api_shows_nothing_at_all_nothing_is_taken_down(answer):
    kept = [watched("v1"), watched("v2"), watched("v1", "c1"), watched("v2", "c2")]
    pages = await youtube_asked_again(lambda request: answer, kept)
    assert gone(pages) == set()
    assert [page.suspect[:8] for page in pages if page.suspect] == ["none of "] * 2


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (document({"items": [{"id": "v1"}, {"id": "v9"}]}), FeedFormatChanged),
        (document({"items": [{"id": "v1"}], "nextPageToken": "x"}), FeedFormatChanged),
        (document({"items": None}), FeedFormatChanged),
        (refused(403, "forbidden"), FeedUnavailable),
        (refused(403, "quotaExceeded"), FeedUnavailable),
        (refused(400, "keyInvalid"), FeedBlocked),
        (Answer(PAGE, 200), FeedBlocked),
        (Answer(b"", 503), FeedUnavailable),
    ],
    ids=["another video", "a part", "no list", "forbidden", "quota", "key", "a page for people", "503"],
)
async def test_what_the_api_says_of_something_else_or_of_us_takes_nothing_down(answer, error):
    with pytest.raises(FeedError) as raised:
        await youtube_asked_again(lambda request: answer, [watched("v1"), watched("v2")])
    assert isinstance(raised.value, error)


async def test_without_a_key_youtube_is_not_asked():
    assert await youtube_asked_again(lambda request: Answer(b"", 500), [watched("v1")], key=False) == []


@pytest.mark.parametrize(
    "source",
    [
        "hackernews", "mastodon", "discourse", "github", "stackexchange", "bluesky_search", "lemmy", "devto", "youtube",
    ],
)  # fmt: skip
async def test_what_stands_in_the_built_in_world_is_found_standing(source, monkeypatch):
    world, listener = make_world(seed=7, until=NOW), load(source)
    with serve_app(build_app(world, lambda: NOW)) as server:
        [table, *_] = feeds(server, source)
        options = listener.Options(**table)
        secrets = {value: sky.PASSWORD for key, value in table.items() if key.endswith("_env")}
        pages = listen(listener, options, secrets=secrets)
        rows = posts(await pages)[:15]
        again = await asked_again(listener, options, [Kept(r["post_id"], r["url"]) for r in rows], secrets=secrets)
    assert rows
    assert gone(again) == set()
    assert not any(page.suspect for page in again)
    if standing_of(source) and kept_a_request(source) > 1:
        assert {row["post_id"] for row in posts(again)} == {row["post_id"] for row in rows}


async def test_videos_and_comments_are_read_again_as_their_feeds_gave_them():
    world = make_world(seed=7, until=NOW, posts=900)
    with serve_app(build_app(world, lambda: NOW, now=lambda: NOW)) as server:
        [table] = feeds(server, "youtube")
        options, secrets = youtube.Options(**table), {"FEED_SERVER_KEY": "any"}
        rows = posts(await listen(youtube, options, secrets=secrets))
        again = await asked_again(youtube, options, [Kept(r["post_id"], r["url"]) for r in rows], secrets=secrets)
    assert {row["kind"] for row in rows} == {"video", "comment"}
    assert gone(again) == set()
    assert {row["post_id"]: row for row in posts(again)} == {row["post_id"]: row for row in rows}


@pytest.mark.parametrize(
    ("source", "place", "ways"),
    [
        ("lemmy", "lemmy", ["unlisted"]),
        ("devto", "hackernews", ["unlisted", "private"]),
        ("youtube", "hackernews", ["unlisted", "private"]),
    ],
)
async def test_what_goes_from_the_built_in_world_is_found_gone_and_nothing_else(source, place, ways):
    world, listener = make_world(seed=7, until=NOW, posts=900), load(source)
    going = [post for post in world.posts if post.place == place and post.visibility == "public"][::5]
    gone_as = {post.id: ways[number % len(ways)] for number, post in enumerate(going)}
    later = replace(
        world, posts=tuple(replace(post, visibility=gone_as.get(post.id, post.visibility)) for post in world.posts)
    )
    shown = [build_app(world, lambda: NOW, now=lambda: NOW)]

    async def app(scope, receive, send):
        await shown[0](scope, receive, send)

    with serve_app(app) as server:
        [table] = feeds(server, source)
        options, secrets = listener.Options(**table), {"FEED_SERVER_KEY": "any"}
        rows = posts(await listen(listener, options, secrets=secrets))
        kept = [Kept(row["post_id"], row["url"]) for row in rows if not row["deleted"]]
        shown[0] = build_app(later, lambda: NOW, now=lambda: NOW)
        pages = await asked_again(listener, options, kept, secrets=secrets)
        standing = import_module(f"listeners.feed_server.{source}").kept(later, NOW, server)
    asked = {one.post_id for one in kept}
    assert gone(pages) == asked - standing
    assert gone(pages)
    assert asked & standing
    assert not any(page.suspect for page in pages)
