"""Messages of a WebSocket, under the rules that the polite client has for requests: the other half of http.py.

RFC 6455, by the `websockets` package. The host is looked up once, its addresses are checked, and the connection goes to
one of them; it is tried again as a request is. Redirects are not followed, proxies of the environment not used. A
message has a largest size, decoded, so that no compression (permessage-deflate, RFC 7692) blows it up; reading stops
when nothing came for a while or the time for one stream is over. A stream waits its turn at the host to open and
holds none while it is read: who reads it asks for other things meanwhile.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import (
    ConnectionClosed,
    ConnectionClosedOK,
    InvalidHandshake,
    InvalidMessage,
    InvalidStatus,
)
from websockets.frames import CloseCode
from websockets.typing import Subprotocol

from listeners.address import AddressRefused, HostUnknown, alternating, checked
from listeners.answers import REDIRECTS, Answer, TryAgain, refusal
from listeners.body import looks_like_html
from listeners.connection import OneRequestEach
from listeners.feed import FeedBlocked, FeedError, FeedFormatChanged, FeedUnavailable
from listeners.http import FeedClient
from listeners.shown import shown

if TYPE_CHECKING:
    from ssl import SSLContext

CLOSE_SECONDS = 0.3  # for saying goodbye: a round trip; a server that has much more to say does not hear it in time

_quiet = logging.getLogger("listeners.websocket.connection")
_quiet.setLevel(logging.WARNING)  # below, it logs addresses whole


class Refused(FeedFormatChanged):
    """The server finds a fault in what was asked (400), before the stream opens. said: what it says about it."""

    def __init__(self, feed: str, message: str, said: bytes) -> None:
        self.said = said
        super().__init__(feed, message)


class _Straight(connect):
    """A connection to this address and no other."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        return exc


async def frames(
    client: FeedClient, target: httpx.URL, *, at_most: int, subprotocol: str | None = None
) -> AsyncGenerator[bytes, None]:
    """Yield the messages as they come, undecoded, until the server ends the stream or has nothing more for now.

    at_most: bytes of one message. subprotocol: offered to the server (RFC 6455, 1.9). Raises FeedUnavailable where the
    connection fails or breaks off, FeedBlocked, FeedGone or FeedFormatChanged where another attempt would not help;
    Refused, one of the latter, where the server finds a fault in what was asked.
    """
    polite = client._polite
    connection = await client._patiently(target, lambda: _opened(client, target, at_most, subprotocol))
    until = polite._monotonic() + polite.limits.stream_seconds
    try:
        while polite._monotonic() < until:
            try:
                async with asyncio.timeout(polite.limits.quiet_seconds):
                    frame = await connection.recv(decode=False)
            except (TimeoutError, ConnectionClosedOK):
                return
            except ConnectionClosed as error:
                if error.sent is not None and error.sent.code == CloseCode.MESSAGE_TOO_BIG:
                    said = f"{shown(target)}: a message of more than {at_most:,} bytes"
                    raise FeedFormatChanged(client.feed, said) from error
                raise FeedUnavailable(client.feed, f"{shown(target)}: the stream broke off: {_why(error)}") from error
            client.bytes += len(frame)
            yield frame
    finally:
        await connection.close()


async def _opened(client: FeedClient, url: httpx.URL, at_most: int, subprotocol: str | None) -> ClientConnection:
    """A connection, after the server's turn and check of its addresses."""
    polite = client._polite
    spared = client._is_ours(url)
    if not isinstance(polite._transport, OneRequestEach):  # a test's: this client has no network
        raise FeedUnavailable(client.feed, f"{shown(url)}: there is no network for streams")
    async with client._turn(url, spared=spared):
        try:
            found = await polite._resolve(url.raw_host.decode("ascii"), _port(url))
            addresses = alternating(found) if spared else checked(url.host, found)
            return await _connected(client, url, addresses[:3], at_most, subprotocol)
        except AddressRefused as error:
            raise FeedBlocked(client.feed, f"{shown(url)}: refused: {error}") from error
        except InvalidStatus as error:
            raise _refusal(client, url, error) from error
        except (OSError, HostUnknown, InvalidMessage) as error:  # TimeoutError is an OSError
            raise TryAgain(f"{type(error).__name__}: {error}" if str(error) else type(error).__name__) from error
        except InvalidHandshake as error:
            raise FeedFormatChanged(client.feed, f"{shown(url)}: not a WebSocket ({error})") from error


async def _connected(
    client: FeedClient, url: httpx.URL, addresses: list[str], at_most: int, subprotocol: str | None
) -> ClientConnection:
    """The connection to the first address that takes it."""
    limits = client._polite.limits
    tls: SSLContext | None = httpx.create_ssl_context(trust_env=False) if url.scheme == "wss" else None
    failure: OSError = ConnectionError(f"{url.host} has no address")
    for address in addresses:
        try:
            return await _Straight(
                str(url.copy_with(fragment=None)),
                host=address,  # the Host header stays the name's, and so does the name the certificate must have
                port=_port(url),
                ssl=tls,
                proxy=None,
                user_agent_header=client._polite._headers["User-Agent"],
                open_timeout=limits.connect_seconds if address != addresses[-1] else limits.read_seconds,
                close_timeout=CLOSE_SECONDS,
                max_size=at_most,
                subprotocols=[Subprotocol(subprotocol)] if subprotocol else None,
                logger=_quiet,
            )
        except OSError as error:
            failure = error
    raise failure


def _refusal(client: FeedClient, url: httpx.URL, error: InvalidStatus) -> TryAgain | FeedError:
    """What the status that came instead of a stream is raised as."""
    answer = error.response
    if answer.status_code in REDIRECTS:
        return FeedBlocked(client.feed, f"{shown(url)}: redirects, and a stream is read at its own address only")
    if 200 <= answer.status_code < 300 and looks_like_html(bytes(answer.body or b"")):
        return FeedBlocked(client.feed, f"{shown(url)}: a web page where a stream is due")
    headers = httpx.Headers([(name.lower(), value) for name, value in answer.headers.raw_items()])
    came = Answer(answer.status_code, headers, bytes(answer.body or b""))
    refused = refusal(client.feed, url, came, client._polite._now())
    if came.status == 400 and isinstance(refused, FeedFormatChanged):
        return Refused(client.feed, str(refused).removeprefix(f"{client.feed}: "), came.body)
    return refused


def _port(url: httpx.URL) -> int:
    return url.port or (443 if url.scheme == "wss" else 80)


def _why(error: ConnectionClosed) -> str:
    """What ended the stream, for a person, shortened."""
    return (f"{error.rcvd.code} {error.rcvd.reason}".strip() if error.rcvd else "without a word")[:200]
