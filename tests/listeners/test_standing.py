"""Kept posts asked for again, source by source: what stands, what is gone, and what cannot be asked for."""

import gzip
import json

import pytest
from listening import NOW, Clock, listen, polite, posts, visit
from stub_server import Answer, Request, serve

from listeners import bluesky, discourse, github, hackernews, mastodon, stackexchange
from listeners.feed import FeedUnavailable
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


@pytest.mark.parametrize("source", ["hackernews", "mastodon", "discourse", "github", "stackexchange", "bluesky_search"])
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
