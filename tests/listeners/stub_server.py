"""A small HTTP server on loopback that answers what a test scripts, faults of the wire among them."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True)
class Request:
    """What was asked. Header names are in lower case; of a repeated query key the last value counts."""

    path: str
    query: dict[str, str]
    headers: dict[str, str]


@dataclass(frozen=True)
class Answer:
    """What to answer. cut: close the connection after so many bytes of the body. delay: seconds before answering.

    drip: seconds between single bytes of the body. raw: these bytes instead of a well-formed answer.
    """

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    cut: int | None = None
    delay: float = 0.0
    drip: float = 0.0
    raw: bytes | None = None


@dataclass
class Stub:
    """A running server: where it is, what it was asked, and how many answers were under way at most."""

    url: str = ""
    requests: list[Request] = field(default_factory=list)
    under_way: int = 0
    most_under_way: int = 0


@asynccontextmanager
async def serve(answer: Callable[[Request], Answer]) -> AsyncIterator[Stub]:
    """Serve on a free port of 127.0.0.1 for the block."""
    stub = Stub()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        stub.under_way += 1
        stub.most_under_way = max(stub.most_under_way, stub.under_way)
        try:
            request = await _read(reader)
            stub.requests.append(request)
            await _write(writer, answer(request))
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the client gave up, as some tests make it do
        finally:
            stub.under_way -= 1
            writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    stub.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        yield stub


async def _read(reader: asyncio.StreamReader) -> Request:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    address = urlsplit(head[0].split(" ")[1])
    pairs = (line.split(": ", 1) for line in head[1:] if line)
    query = dict(parse_qsl(address.query, keep_blank_values=True))
    return Request(address.path, query, {name.lower(): value for name, value in pairs})


async def _write(writer: asyncio.StreamWriter, answer: Answer) -> None:
    await asyncio.sleep(answer.delay)
    if answer.raw is not None:
        writer.write(answer.raw)
        await writer.drain()
        return
    headers = {"content-length": str(len(answer.body)), "connection": "close", **answer.headers}
    lines = [f"HTTP/1.1 {answer.status} Stub", *(f"{name}: {value}" for name, value in headers.items() if value)]
    writer.write("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n")
    body = answer.body[: answer.cut]
    if answer.drip:
        for start in range(len(body)):
            writer.write(body[start : start + 1])
            await writer.drain()
            await asyncio.sleep(answer.drip)
    else:
        writer.write(body)
    await writer.drain()
