"""The Bluesky listeners on what a real stream and a real search gave; skipped where the recordings are not at hand.

The recordings are other people's posts: they stay where they are, and only totals and shapes are stated here.
"""

import json
import re
from datetime import UTC, datetime

import pytest
from listening import RECORDED, Clock, listen, polite, visit
from listening import posts as rows
from stub_server import Answer, Request, serve
from stub_stream import streaming

from listeners import bluesky
from listeners.bluesky_authors import Author, Authors, labelled
from listeners.bluesky_search import to_post
from listeners.jetstream import decoded
from listeners.post import to_page

pytestmark = pytest.mark.skipif(not RECORDED.is_dir(), reason="no recorded replies beside this project")

LATER = datetime(2026, 11, 20, tzinfo=UTC)  # than all of them
SHORTENED = re.compile(r"\w\.\w+/\S*(\.\.\.|…)")  # an address


def events() -> list[bytes]:
    files = sorted((RECORDED / "bluesky" / "jetstream").rglob("*.jsonl"))
    return [line for file in files for line in file.read_bytes().splitlines() if line.strip()]


async def test_recorded_events_give_their_posts():
    told = events()

    async def play(connection, query):
        for event in told:
            await connection.send(event.decode())

    def answer(path: str, query: dict) -> tuple[int, str] | None:
        found = [{"did": did, "followersCount": 1} for did in query.get("actors", [])]
        return (200, json.dumps({"profiles": found})) if path == "/profiles" else None

    async with streaming(play, answer) as stub:
        where = {"url": stub.url, "profiles_url": f"http://{stub.place}/profiles"}
        feed = bluesky.Options.model_validate({"id": "b", "source": "bluesky"} | where)
        pages = await listen(bluesky, feed, started_at=LATER)
    stored = rows(pages)
    print(f"{len(told)} events, {len(stored)} posts, {pages[0].left_out}")
    assert not [page.rejected for page in pages if page.rejected]
    assert len(told) >= 150
    assert len(stored) == 18
    gone = pages[0].taken_down
    assert gone is not None
    assert (len(gone.posts), len(gone.authors)) == (1, 0)
    assert not [post["text"] for post in stored if SHORTENED.search(post["text"])]
    assert any("https://" in post["text"] for post in stored)
    assert {post["kind"] for post in stored} == {"post", "comment"}
    assert all((post["parent_id"] is not None) == (post["kind"] == "comment") for post in stored)
    assert all(re.fullmatch("[0-9a-f]{32}", post["author"]) for post in stored)


def test_recorded_events_are_read_by_the_typed_decoder_alone(monkeypatch):
    monkeypatch.setattr("listeners.jetstream.read", None)
    assert not decoded(events(), lambda title, text: True).unreadable


async def test_recorded_views_of_posts_become_rows():
    where = visit(bluesky.Options(id="b", source="bluesky"), started_at=LATER)
    files = sorted((RECORDED / "bluesky" / "bskyr").glob("f_*.json"))
    bodies = [json.loads(file.read_bytes()) for file in files if not file.name.endswith(".headers.json")]
    views = [view for body in bodies for view in body.get("posts", [])]
    views += [item["post"] for body in bodies for item in body.get("feed", []) if "post" in item]
    authors = Authors(where, "", {view["author"]["did"]: Author(None, 1) for view in views})
    page = to_page(where, views, lambda view: to_post(view, where, authors), cursor=None)
    refusing = {view["author"]["did"] for view in views if labelled(view["author"]["labels"])}
    print(f"{len(views)} views, {page.posts.num_rows} posts, {dict(page.left_out)}, {len(refusing)} authors refuse")
    assert not page.rejected
    assert page.posts.num_rows == len({view["uri"] for view in views}) >= 140
    assert len(refusing) >= 4


async def test_recorded_profiles_tell_who_may_be_stored():
    [body] = [path.read_bytes() for path in (RECORDED / "bluesky" / "bskyr").glob("a_profile__00.json")]

    def answer(request: Request) -> Answer:
        return Answer(body)

    async with serve(answer) as stub, polite(Clock()) as client:
        feed = bluesky.Options(id="b", source="bluesky", profiles_url=stub.url)
        authors = Authors(visit(feed, client.visit("b")), stub.url)
        [profile] = json.loads(body)["profiles"]
        await authors.meet([profile["did"]])
    assert authors.known[profile["did"]].followers == profile["followersCount"]
