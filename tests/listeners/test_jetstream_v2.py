"""The second wire of Jetstream: places by seq, frames, and what becomes of a place that the server does not have."""

import json
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from listening import NOW, listen, posts
from stub_stream import streaming

from listeners import bluesky
from listeners.feed import FeedFormatChanged
from listeners.jetstream_v2 import TIMES_FROM, Seqs

ANN = "did:plc:annannannannannannannann"
PATH = "/xrpc/network.bsky.jetstream.subscribeEvents"


def frame(kind: str, **payload) -> dict:
    return {"$type": "message", "payload": {"$type": f"network.bsky.jetstream.subscribeEvents#{kind}", **payload}}


def happened(seq: int, kind: str = "identity", *, ago: int | None = None, **more) -> dict:
    """A frame of what happened so many seconds before NOW."""
    at = (NOW - timedelta(seconds=1000 - seq if ago is None else ago)).isoformat().replace("+00:00", ".000000Z")
    return frame(kind, seq=seq, did=ANN, time=at, **more)


def post(seq: int, text: str = "the router of Acme is slow", operation: str = "create", key: str | None = None) -> dict:
    record = {"$type": "app.bsky.feed.post", "text": text, "createdAt": "2026-11-20T11:00:00Z"}
    told: dict[str, Any] = {"operation": operation, "collection": "app.bsky.feed.post", "rev": "3m"}
    told["rkey"] = key or f"3{seq}"
    if operation != "delete":
        told["record"] = record
    return happened(seq, "commit", **told)


class Archive:
    """A server of v2 that keeps these frames, from `floor` on."""

    def __init__(self, *frames: dict, floor: int = 1) -> None:
        self.frames, self.floor = list(frames), floor
        self.asked: list[int] = []

    async def play(self, connection, query) -> None:
        cursor = int(query["cursor"][0])
        self.asked.append(cursor)
        assert connection.subprotocol in (None, "xrpc.v1.json")
        seqs = [frame["payload"]["seq"] for frame in self.frames]
        if max(seqs) + 1 < cursor < TIMES_FROM:
            await connection.send(json.dumps(frame("info", name="FutureCursor", message="at the tip")))
            cursor = max(seqs) + 1
        for seq, told in zip(seqs, self.frames, strict=True):
            if seq >= self.floor and (cursor >= TIMES_FROM or seq >= cursor):
                await connection.send(json.dumps(told))
        await connection.send(json.dumps(happened(max(seqs) + 1, ago=0)))
        await connection.wait_closed()

    def answer(self, path: str, query: dict) -> tuple[int, str] | None:
        if path == "/profiles":
            return 200, json.dumps({"profiles": [{"did": did, "followersCount": 7} for did in query["actors"]]})
        cursor = int(query["cursor"][0])
        if cursor < self.floor:
            self.asked.append(cursor)
            return 400, json.dumps({"error": "CursorTooOld", "message": f"the floor is {self.floor}"})
        return None

    async def heard(self, cursor: str | None = None) -> list:
        async with streaming(self.play, self.answer) as stub:
            where = {"url": f"ws://{stub.place}{PATH}", "profiles_url": f"http://{stub.place}/profiles"}
            options = bluesky.Options.model_validate({"id": "sky", "source": "bluesky", **where})
            return await listen(bluesky, options, cursor=cursor)


async def test_a_first_visit_begins_with_the_oldest_there_is():
    archive = Archive(post(100), post(200), floor=150)
    pages = await archive.heard()
    assert [row["post_id"][-4:] for row in posts(pages)] == ["3200"]
    assert archive.asked == [TIMES_FROM]
    assert pages[-1].cursor == f"201:{bluesky.microseconds(NOW)}"
    assert pages[0].capped is None


async def test_the_next_one_goes_on_from_the_last_event_which_comes_again_and_is_read_once():
    archive = Archive(post(100), post(200), post(300))
    pages = await archive.heard(f"200:{bluesky.microseconds(NOW) - 800_000_000}")
    assert archive.asked == [200]
    assert [row["post_id"][-4:] for row in posts(pages)] == ["3300"]


async def test_a_place_that_is_no_longer_kept_is_capped_and_read_on_from_the_oldest():
    archive = Archive(post(100), post(600), post(700), floor=500)
    pages = await archive.heard(f"100:{bluesky.microseconds(NOW) - 900_000_000}")
    assert archive.asked == [100, bluesky.microseconds(NOW) - 930_000_000]
    assert [row["post_id"][-4:] for row in posts(pages)] == ["3600", "3700"]
    assert (
        pages[0].capped
        == "what was said from 2026-11-20 11:45 to 2026-11-20 11:53 UTC is beyond the backlog of the stream"
    )


async def test_a_place_of_another_server_is_left_for_its_time():
    archive = Archive(post(100), post(200))
    pages = await archive.heard(f"5000:{bluesky.microseconds(NOW) - 850_000_000}")
    assert archive.asked == [5000, bluesky.microseconds(NOW) - 880_000_000]
    assert pages[-1].cursor == f"201:{bluesky.microseconds(NOW)}"
    assert {row["post_id"][-4:] for row in posts(pages)} == {"3100", "3200"}


async def test_edits_deletions_and_accounts_that_went_are_told_as_by_the_first_wire():
    gone = happened(500, "account", account={"active": False, "status": "takendown", "did": ANN, "seq": 1})
    archive = Archive(post(100), post(200, operation="delete", key="3100"), happened(300, "sync", sync={}), gone)
    pages = await archive.heard()
    assert posts(pages) == []
    assert pages[0].taken_down.posts == {f"bluesky:at://{ANN}/app.bsky.feed.post/3100"}
    assert len(pages[0].taken_down.authors) == 1
    assert not pages[0].rejected


@pytest.mark.parametrize("cursor", ["", "7", f"7:{10**17}", "x:5", "-1:5", f"{TIMES_FROM}:5", "7:"])
async def test_a_cursor_that_tells_no_place_begins_anew(cursor):
    archive = Archive(post(100))
    assert len(posts(await archive.heard(cursor))) == 1
    assert archive.asked == [TIMES_FROM]


async def test_another_fault_that_the_server_finds_is_raised():
    archive = Archive(post(100))
    archive.answer = lambda path, query: (400, '{"error": "InvalidRequest", "message": "no such parameter"}')
    with pytest.raises(FeedFormatChanged, match="InvalidRequest"):
        await archive.heard(f"100:{bluesky.microseconds(NOW) - 900_000_000}")


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["active", "text", "seq"]), inner),
    max_leaves=4,
)


@given(st.sampled_from([*post(100)["payload"], "account", "witnessedAt", "name"]), VALUES)
def test_any_frame_is_an_event_none_or_unreadable(key, value):
    told = post(100)
    told["payload"][key] = value
    with suppress(ValueError, TypeError, KeyError):
        Seqs().read(json.dumps(told).encode())
