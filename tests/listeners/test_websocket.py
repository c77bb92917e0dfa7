"""The polite client's streams against a WebSocket server on loopback."""

import asyncio
import socket
from contextlib import aclosing

import pytest
from listening import Clock, polite
from stub_stream import Answer, Play, streaming

from listeners.feed import FeedBlocked, FeedFormatChanged, FeedGone, FeedUnavailable
from listeners.http import FeedClient
from listeners.limits import Limits

SHORT = Limits(quiet_seconds=0.2, connect_seconds=1)


async def read(url: str, clock: Clock | None = None, **more) -> tuple[list[bytes], FeedClient]:
    """All messages of a stream, and the client that read them."""
    at_most = more.pop("at_most", 1_000_000)
    async with polite(clock or Clock(), SHORT, **more) as client:
        asking = client.visit("sky")
        async with aclosing(asking.frames(url, {"cursor": 7}, at_most=at_most)) as frames:
            return [frame async for frame in frames], asking


def sending(*messages: str | bytes) -> Play:
    async def play(connection, query):
        for message in messages:
            await connection.send(message)

    return play


def answering(status: int, body: str = "") -> Answer:
    return lambda path, query: (status, body)


async def test_messages_come_as_they_were_sent_and_are_counted():
    async with streaming(sending("one", "zwölf", b"\xff")) as stub:
        messages, client = await read(stub.url, Clock())
    assert messages == [b"one", "zwölf".encode(), b"\xff"]
    assert (client.requests, client.bytes) == (1, 3 + 6 + 1)
    [(path, query, headers)] = stub.asked
    assert (path, query) == ("/subscribe", {"cursor": ["7"]})
    assert headers["User-Agent"].startswith("word-of-mouse/")


async def test_a_stream_that_falls_silent_has_nothing_more_for_now():
    async def play(connection, query):
        await connection.send("one")
        await connection.wait_closed()

    async with streaming(play) as stub:
        messages, _ = await asyncio.wait_for(read(stub.url), timeout=3)
    assert messages == [b"one"]


async def test_a_stream_is_read_for_a_limited_time():
    async def play(connection, query):
        while True:
            await connection.send("again")
            await asyncio.sleep(0)

    clock = Clock()
    async with (
        streaming(play) as stub,
        polite(clock, SHORT) as client,
        aclosing(client.visit("sky").frames(stub.url)) as frames,
    ):
        async for _ in frames:
            clock.passed += 600
    assert clock.passed == 1_800


async def test_a_stream_that_breaks_off_is_unavailable_after_what_it_said():
    async def play(connection, query):
        await connection.send("one")
        connection.transport.abort()

    async with streaming(play) as stub, polite(Clock(), SHORT) as client:
        frames = client.visit("sky").frames(stub.url)
        assert await anext(frames) == b"one"
        with pytest.raises(FeedUnavailable, match="the stream broke off"):
            await anext(frames)


async def test_a_server_may_say_why_it_ends_a_stream():
    async def play(connection, query):
        await connection.close(1013, "try again later")

    async with streaming(play) as stub:
        with pytest.raises(FeedUnavailable, match="broke off: 1013 try again later"):
            await read(stub.url)


@pytest.mark.parametrize("compression", [None, "deflate"])
async def test_a_message_beyond_the_limit_is_not_taken(compression):
    bomb = "\0" * 20_000_000  # some 20 kB where it is compressed
    async with streaming(sending("one", bomb), compression=compression) as stub:
        with pytest.raises(FeedFormatChanged, match="a message of more than 100,000 bytes"):
            await read(stub.url, at_most=100_000)


@pytest.mark.parametrize(
    ("status", "error", "said"),
    [
        (302, FeedBlocked, "redirects, and a stream is read at its own address only"),
        (401, FeedBlocked, "401 Unauthorized"),
        (404, FeedUnavailable, "404 Not Found"),
        (410, FeedGone, "410 Gone"),
        (400, FeedFormatChanged, "400 Bad Request"),
        (200, FeedFormatChanged, "200 OK"),
    ],
)
async def test_an_answer_instead_of_a_stream_is_an_error_of_its_own_kind(status, error, said):
    async with streaming(sending(), answering(status, "/elsewhere")) as stub:
        with pytest.raises(error, match=said):
            await read(stub.url)
    assert len(stub.asked) == 1


async def test_a_web_page_instead_of_a_stream_blocks():
    async with streaming(sending(), answering(200, "<!doctype html><title>Log in</title>")) as stub:
        with pytest.raises(FeedBlocked, match="a web page where a stream is due"):
            await read(stub.url)


async def test_a_busy_server_is_asked_again_and_then_left_alone():
    clock = Clock()
    async with streaming(sending(), answering(503)) as stub:
        with pytest.raises(FeedUnavailable, match=r"503 Service Unavailable \(tried 4 times\)"):
            await read(stub.url, clock)
    assert len(stub.asked) == 4
    assert len(clock.slept) == 3


async def test_a_server_that_is_away_is_unavailable():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, and nobody listens
        with pytest.raises(FeedUnavailable, match="tried 4 times"):
            await read(f"ws://127.0.0.1:{taken.getsockname()[1]}/")


async def test_what_speaks_no_http_is_unavailable():
    async def answer(reader, writer):
        writer.write(b"220 mail.example ESMTP\r\n")
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        with pytest.raises(FeedUnavailable):
            await read(f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/")


async def test_a_stranger_does_not_lead_us_into_our_own_network():
    looked_up: list[str] = []

    async def resolve(host: str, port: int) -> list[str]:
        looked_up.append(host)
        return ["127.0.0.1"]

    async with streaming(sending("one")) as stub:
        port = stub.place.rpartition(":")[2]
        with pytest.raises(FeedBlocked, match=r"stream\.example is at 127\.0\.0\.1, a loopback address"):
            await read(f"ws://stream.example:{port}/", resolve=resolve)
        messages, _ = await read(
            f"ws://stream.example:{port}/", resolve=resolve, allow_hosts=frozenset({"stream.example"})
        )
    assert messages == [b"one"]
    assert looked_up == ["stream.example"] * 2
    assert stub.asked[0][2]["Host"] == f"stream.example:{port}"


async def test_a_dead_address_costs_a_refusal_and_the_next_one_is_tried():
    async def resolve(host: str, port: int) -> list[str]:
        return ["127.0.0.9", "127.0.0.1"]

    async with streaming(sending("one")) as stub:
        port = stub.place.rpartition(":")[2]
        ours = frozenset({"us.example"})
        messages, client = await read(f"ws://us.example:{port}/", resolve=resolve, allow_hosts=ours)
    assert (messages, client.requests) == ([b"one"], 1)


@pytest.mark.parametrize("url", ["https://stream.example/", "file:///etc/passwd", "wss:///x", "nothing"])
async def test_only_websockets_are_streams(url):
    with pytest.raises((FeedBlocked, FeedFormatChanged), match="sky: "):
        await read(url)


async def test_secrets_of_an_address_are_not_told():
    async with streaming(sending(), answering(403)) as stub:
        with pytest.raises(FeedBlocked) as refused:
            await read(f"{stub.url.replace('ws://', 'ws://me:hush@')}?token=hush")
    assert "hush" not in str(refused.value)


async def test_strangers_streams_wait_their_turn():
    async def resolve(host: str, port: int) -> list[str]:
        return ["127.0.0.1"]

    async with streaming(sending("one")) as stub, polite(Clock(), SHORT, resolve=resolve) as client:
        client.pace.hold("stream.example:99", 3_600)
        with pytest.raises(FeedUnavailable, match="left alone for another 3600 s") as held:
            await anext(client.visit("sky").frames("ws://stream.example:99/"))
    assert held.value.retry_at is not None
    assert not stub.asked
