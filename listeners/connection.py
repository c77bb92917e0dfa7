"""The wire: one connection per request, to addresses that were checked beforehand.

httpx's own transport looks names up once more, keeps a pool that httpcore 1.0.9 scans whole at every request, and
reads through anyio. This one is given the addresses to try and closes each connection after its answer, so that no
host is ever reached by an address that nobody checked, and no answer can spoil the next request
(encode/httpx#3324).
"""

import asyncio
import functools
import ssl
from collections.abc import AsyncIterator, Awaitable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import httpcore
import httpx

Result = TypeVar("Result")


class OneRequestEach(httpx.AsyncBaseTransport):
    """Connect to the first of request.extensions["addresses"] that takes the connection.

    The name stays in the Host header and in what the certificate must say. The response's extensions["address"] is
    the address it came from. Raises httpx.TransportError.
    """

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Return the response, its body still to be read."""
        asked_for = request.url
        url = httpcore.URL(
            scheme=asked_for.raw_scheme, host=asked_for.raw_host, port=asked_for.port, target=asked_for.raw_path
        )
        wire = _Addresses(request.extensions["addresses"])
        secure = url.scheme == b"https"
        connection = httpcore.AsyncHTTPConnection(
            url.origin, ssl_context=_certificates() if secure else None, network_backend=wire
        )
        asked = httpcore.Request(
            request.method, url, headers=request.headers.raw, content=request.stream, extensions=request.extensions
        )
        try:
            with _as_httpx():
                answer = await connection.handle_async_request(asked)
        except BaseException:
            await connection.aclose()
            raise
        extensions = {**answer.extensions, "address": wire.connected}
        return httpx.Response(
            answer.status, headers=answer.headers, stream=_Body(answer, connection), extensions=extensions
        )


class _Body(httpx.AsyncByteStream):
    """The body as it comes; closing it ends the connection."""

    def __init__(self, answer: httpcore.Response, connection: httpcore.AsyncHTTPConnection) -> None:
        self._answer = answer
        self._connection = connection

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with _as_httpx():
            async for part in self._answer.aiter_stream():
                yield part

    async def aclose(self) -> None:
        await self._connection.aclose()


class _Addresses(httpcore.AsyncNetworkBackend):
    """Connects to given addresses whatever host it is told."""

    def __init__(self, addresses: Iterable[str]) -> None:
        self._addresses = list(addresses)
        self.connected: str | None = None

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 httpcore's signature
        local_address: str | None = None,
        socket_options: Any = None,
    ) -> httpcore.AsyncNetworkStream:
        """Return the stream of the first address that answers. timeout: seconds for each."""
        failure: Exception = httpcore.ConnectError(f"{host} has no address")
        for address in self._addresses:
            try:
                reader, writer = await _within(timeout, asyncio.open_connection(address, port))
            except TimeoutError:
                failure = httpcore.ConnectTimeout(f"no connection within {timeout:g} s")
            except OSError as error:
                failure = httpcore.ConnectError(str(error))
            else:
                self.connected = address
                return _Stream(reader, writer)
        raise failure


class _Stream(httpcore.AsyncNetworkStream):
    """A connection as httpcore wants it, on asyncio's streams."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109
        """Return what came, at most so much; empty at the end."""
        try:
            return await _within(timeout, self._reader.read(max_bytes))
        except TimeoutError as error:
            raise httpcore.ReadTimeout(f"nothing came for {timeout:g} s") from error
        except OSError as error:
            raise httpcore.ReadError(str(error)) from error

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109
        """Send all of it."""
        if not buffer:
            return
        try:
            self._writer.write(buffer)
            await _within(timeout, self._writer.drain())
        except TimeoutError as error:
            raise httpcore.WriteTimeout(f"nothing was taken for {timeout:g} s") from error
        except OSError as error:
            raise httpcore.WriteError(str(error)) from error

    async def aclose(self) -> None:
        """End it, without waiting for the other side."""
        self._writer.close()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109
    ) -> httpcore.AsyncNetworkStream:
        """Return the same stream, encrypted, once the certificate is the host's."""
        try:
            await _within(timeout, self._writer.start_tls(ssl_context, server_hostname=server_hostname))
        except TimeoutError as error:
            raise httpcore.ConnectTimeout(f"no TLS within {timeout:g} s") from error
        except (OSError, ssl.CertificateError) as error:
            raise httpcore.ConnectError(str(error)) from error
        return self

    def get_extra_info(self, info: str) -> Any:
        """Return what httpcore asks about a connection; None where it is not known."""
        return self._writer.get_extra_info("ssl_object") if info == "ssl_object" else None


@functools.cache
def _certificates() -> ssl.SSLContext:
    return httpx.create_ssl_context(trust_env=False)


async def _within(seconds: float | None, waited_for: Awaitable[Result]) -> Result:
    async with asyncio.timeout(seconds):
        return await waited_for


@contextmanager
def _as_httpx() -> Iterator[None]:
    """Errors of httpcore under the names that httpx has for them."""
    try:
        yield
    except (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError) as error:
        kind = getattr(httpx, type(error).__name__, httpx.TransportError)
        raise kind(str(error)) from error
