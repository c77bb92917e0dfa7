"""A WebSocket server on loopback that does what a test scripts, and answers plain requests beside."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from urllib.parse import parse_qs, urlsplit

from websockets.asyncio.server import ServerConnection, serve
from websockets.http11 import Request, Response

Query = dict[str, list[str]]
Play = Callable[[ServerConnection, Query], Awaitable[None]]  # what a stream does; the query is the one it came with
Answer = Callable[[str, Query], tuple[int, str] | None]  # path and query -> status and body; None where it is a stream


@dataclass
class StubStream:
    """A running server: host and port, and the requests it got: path, query and headers."""

    place: str = ""
    asked: list[tuple[str, Query, dict[str, str]]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"ws://{self.place}/subscribe"


@asynccontextmanager
async def streaming(
    play: Play, answer: Answer = lambda path, query: None, *, compression: str | None = "deflate"
) -> AsyncIterator[StubStream]:
    """Serve on a free port of 127.0.0.1 for the block. A stream is closed (1000) when its play is over."""
    stub = StubStream()

    def plainly(connection: ServerConnection, request: Request) -> Response | None:
        address = urlsplit(request.path)
        query = parse_qs(address.query)
        stub.asked.append((address.path, query, dict(request.headers.raw_items())))
        answered = answer(address.path, query)
        if answered is None:
            return None
        response = connection.respond(HTTPStatus(answered[0]), answered[1])
        if 300 <= answered[0] < 400:
            response.headers["Location"] = answered[1]
        return response

    async def handle(connection: ServerConnection) -> None:
        assert connection.request is not None
        await play(connection, parse_qs(urlsplit(connection.request.path).query))

    async with serve(
        handle, "127.0.0.1", 0, process_request=plainly, compression=compression, close_timeout=0.1
    ) as server:
        stub.place = f"127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}"
        yield stub
