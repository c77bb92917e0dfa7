"""The polite client that all listeners share: identified, patient, and bounded in every direction.

    async with PoliteClient(allow_hosts, contact="ops@example.com") as polite:
        reply = await polite.visit("hn").get("https://hn.algolia.com/api/v1/search_by_date", {"query": "acme"})

It says who we are, asks conditionally, waits as long as servers ask (up to a cap, beyond which the visit ends and
says when to come back), never asks a host for more than a few things at once, and takes no body beyond a size.
It keeps no cookies and no connections.
Retries are a small loop of our own: stamina adds no jitter to a wait that the server asked for, and its sleep
cannot be handed in. Proxies of the environment are not used: through one, no address could be checked.
"""

import asyncio
import importlib.metadata
import json
import random
import time
from base64 import b64encode
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Collection, Container, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Self, TypeVar
from urllib.parse import urlencode

import httpx

from listeners import waiting
from listeners.address import AddressRefused, HostUnknown, Resolve, alternating, checked, resolve
from listeners.answers import AGAIN, REDIRECTS, Answer, Expected, TryAgain, judged, retry_at
from listeners.body import Body, TooLarge, Truncated
from listeners.connection import OneRequestEach
from listeners.feed import FeedBlocked, FeedFormatChanged, FeedUnavailable
from listeners.limits import DEFAULT_LIMITS, Limits
from listeners.pace import Pace, Sleep
from listeners.reply import Reply, Validators
from listeners.shown import shown
from listeners.site import below, same_site

Got = TypeVar("Got")

ADDRESSES_TRIED = 3  # of one host, for one request

_ACCEPT: dict[Expected, str] = {
    "json": "application/json",
    "feed": "application/atom+xml, application/rss+xml, application/feed+json, application/xml;q=0.9, */*;q=0.1",
    "file": "*/*",
}


@dataclass(frozen=True)
class _Question:
    """What is asked at each address on the way: headers, and a body where it is a POST."""

    headers: dict[str, str]
    at_most: int  # decoded bytes of the answer
    body: bytes | None = None

    def without_authorization(self) -> "_Question":
        """Return the same for another origin."""
        kept = {name: value for name, value in self.headers.items() if name.lower() != "authorization"}
        return replace(self, headers=kept)


class PoliteClient:
    """The connections of one process, as an async context manager.

    allow_hosts: host names and addresses that may be private and are spared intervals and holds: our own.
    contact: an address or URL in the User-Agent, for whoever runs a server we ask.
    """

    def __init__(
        self,
        allow_hosts: frozenset[str] = frozenset(),
        limits: Limits = DEFAULT_LIMITS,
        *,
        contact: str | None = None,
        sleep: Sleep = asyncio.sleep,
        rng: random.Random | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        monotonic: Callable[[], float] = time.monotonic,
        resolve: Resolve = resolve,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.limits = limits
        self.pace = Pace(
            connections=limits.connections,
            per_host=limits.connections_per_host,
            interval=limits.interval_seconds,
            sleep=sleep,
            monotonic=monotonic,
        )
        self._allow_hosts = frozenset(host.lower().strip("[]") for host in allow_hosts)
        self._sleep = sleep
        self._rng = rng or random.Random()  # noqa: S311 jitter is no secret
        self._now = now
        self._monotonic = monotonic
        self._resolve = resolve
        self._last_good: dict[str, str] = {}  # host -> the address that answered, tried first next time
        # The transport by itself: what httpx.AsyncClient adds (cookies, redirects, proxies of the environment, its
        # log of whole URLs) would have to be switched off one by one.
        self._transport = transport or OneRequestEach()
        self._headers = {
            "User-Agent": user_agent(contact),
            "Accept-Encoding": "gzip, deflate",
            "Connection": "close",
        }
        self._timeout = httpx.Timeout(limits.read_seconds, connect=limits.connect_seconds).as_dict()

    async def __aenter__(self) -> Self:
        await self._transport.__aenter__()
        return self

    async def __aexit__(self, *raised: Any) -> None:
        await self._transport.__aexit__(*raised)

    def visit(self, feed_id: str, redirect_hosts: Collection[str] = ()) -> "FeedClient":
        """Return the client for one visit to one feed. redirect_hosts: where its redirects may end besides its site."""
        return FeedClient(self, feed_id, redirect_hosts)


class FeedClient:
    """Ask on behalf of one feed during one visit.

    requests: sent so far, retries and redirects among them. bytes: decoded body bytes received.
    """

    def __init__(self, polite: PoliteClient, feed_id: str, redirect_hosts: Collection[str] = ()) -> None:
        self.feed = feed_id
        self._redirect_hosts = redirect_hosts
        self.requests = 0
        self.bytes = 0
        self._polite = polite

    async def get(
        self,
        url: str,
        params: Mapping[str, str | int] | None = None,
        headers: Mapping[str, str] | None = None,
        validators: Validators | None = None,
        expect: Expected = "json",
        answers: Container[int] = (),
        at_most: int | None = None,
    ) -> Reply:
        """Return the answer, after retries and redirects.

        params are added to the URL's own. validators: of the answer we have, for a 304. answers: statuses besides
        2xx and 304 that the listener wants to see rather than have raised. at_most: decoded bytes taken of the body,
        where the client's own limit is too small or too large.
        Raises FeedUnavailable (come back later, not before `retry_at` if given), FeedBlocked, FeedGone or
        FeedFormatChanged (a retry does not help).
        """
        target = self._parse(url)
        if params:
            target = target.copy_merge_params({name: _encodable(value) for name, value in params.items()})
        sent = {"Accept": _ACCEPT[expect], **(headers or {}), **_conditions(validators)}
        question = _Question(sent, at_most=at_most or self._polite.limits.body_bytes)
        return await self._ask(target, question, expect, answers, conditional=bool(validators))

    async def post(
        self,
        url: str,
        *,
        form: Mapping[str, str] | None = None,
        document: Any = None,
        headers: Mapping[str, str] | None = None,
        answers: Container[int] = (),
    ) -> Reply:
        """Return the JSON that a form, or a document sent as JSON, is answered with: for logging in, nothing else.

        It is retried as a GET is, so asking twice must do no harm; a redirect is not followed with it.
        Raises as `get` does.
        """
        if form is not None:
            body, kind = urlencode(form).encode(), "application/x-www-form-urlencoded"
        else:
            body, kind = json.dumps(document).encode(), "application/json"
        sent = {"Accept": _ACCEPT["json"], "Content-Type": kind, **(headers or {})}
        question = _Question(sent, at_most=self._polite.limits.body_bytes, body=body)
        return await self._ask(self._parse(url), question, "json", answers, conditional=False)

    def frames(
        self,
        url: str,
        params: Mapping[str, str | int] | None = None,
        *,
        at_most: int = 1_000_000,
        subprotocol: str | None = None,
    ) -> AsyncGenerator[bytes, None]:
        """Yield the messages of a WebSocket, as websocket.py says; whoever stops early closes it (aclosing)."""
        from listeners import websocket  # here: it costs the command line's start 60 ms

        target = self._parse(url, schemes=("ws", "wss")).copy_merge_params(dict(params or {}))
        return websocket.frames(self, target, at_most=at_most, subprotocol=subprotocol)

    async def _ask(
        self, target: httpx.URL, question: "_Question", expect: Expected, answers: Container[int], *, conditional: bool
    ) -> Reply:
        """The reply to a question."""

        async def attempt() -> Reply:
            final, answer = await self._follow(target, question)
            return judged(self.feed, final, answer, expect, answers, conditional=conditional, now=self._polite._now())

        return await self._patiently(target, attempt)

    async def _patiently(self, target: httpx.URL, ask: Callable[[], Awaitable[Got]]) -> Got:
        """What is asked for, after as many attempts as it takes and the limits allow."""
        polite = self._polite
        began = polite._monotonic()
        attempt = 0
        while True:
            attempt += 1
            try:
                got = await ask()
            except TryAgain as failure:
                wait = waiting.pause(attempt, failure.asked, polite._rng)
                elapsed = polite._monotonic() - began
                too_long = failure.asked is not None and failure.asked > polite.limits.wait_seconds
                at_end = attempt >= polite.limits.attempts or too_long or elapsed + wait > polite.limits.retry_seconds
                if (at_end or failure.sheds) and not self._is_ours(target):
                    polite.pace.gave_up(_place(target))
                if at_end:
                    tried = "" if attempt == 1 else f" (tried {attempt} times)"
                    message = f"{shown(target)}: {failure}{tried}"
                    raise FeedUnavailable(self.feed, message, retry_at(failure.asked, polite._now())) from failure
                await polite._sleep(wait)
            else:
                polite.pace.answered(_place(target))
                return got

    def hold(self, url: str, seconds: float) -> None:
        """Let no request to the URL's host start for so long: some servers ask for it in the body of an answer.

        It binds all feeds of the process, as what headers ask for does; a get() that would wait too long raises
        FeedUnavailable. Hosts in allow_hosts are spared.
        """
        target = self._parse(url)
        if not self._is_ours(target):
            self._polite.pace.hold(_place(target), min(seconds, waiting.DAY))

    async def _follow(self, target: httpx.URL, question: "_Question") -> tuple[httpx.URL, Answer]:
        """The answer after redirects, by hand: each hop is a new address to check."""
        trusted = self._is_ours(target)
        url = target
        for _ in range(self._polite.limits.redirects + 1):
            answer = await self._exchange(url, question, trusted=trusted)
            location = answer.headers.get("location")
            if answer.status not in REDIRECTS or location is None:
                if not self._may_end_at(target.host, url.host):  # to log in or to consent, more often than not
                    said = f"it redirects to another site, {url.host}; if it is meant to, add to its [[feed]]: "
                    said += f'redirect_hosts = ["{url.host}"], and if it moved there, give its new address'
                    raise FeedBlocked(self.feed, f"{shown(target)}: {said}")
                return url, answer
            if question.body is not None:
                raise FeedBlocked(self.feed, f"{shown(url)}: redirects what only this address was to get")
            onward = self._parse(location, relative_to=url)
            if url.scheme == "https" and onward.scheme == "http":
                raise FeedBlocked(self.feed, f"{shown(url)}: redirects from https to http")
            if (onward.scheme, onward.host, onward.port) != (url.scheme, url.host, url.port):
                question = question.without_authorization()
            url = onward
        raise FeedBlocked(self.feed, f"{shown(target)}: more than {self._polite.limits.redirects} redirects")

    @asynccontextmanager
    async def _turn(self, url: httpx.URL, *, spared: bool) -> AsyncIterator[None]:
        """Keep a turn at a host for the block, which makes one request. Raises FeedUnavailable where it is too far."""
        polite = self._polite
        async with polite.pace.turn(_place(url), spared=spared, patience=polite.limits.wait_seconds) as quiet:
            if quiet:
                message = f"{url.host} is left alone for another {quiet:.0f} s: it asked for it, or gave no answer"
                raise FeedUnavailable(self.feed, message, retry_at(quiet, polite._now()))
            self.requests += 1
            yield

    async def _exchange(self, url: httpx.URL, question: "_Question", *, trusted: bool) -> Answer:
        """One request and its whole answer, in turn. trusted: the feed itself is at a host of ours, so that
        a host of ours may be where it leads; a stranger's redirect to one is refused like any private address.
        """
        polite = self._polite
        host = _place(url)
        spared = trusted and self._is_ours(url)
        async with self._turn(url, spared=spared):
            try:
                async with asyncio.timeout(polite.limits.answer_seconds):
                    answer = await self._send(url, question, spared=spared)
            except TimeoutError as error:
                raise TryAgain(f"no whole answer within {polite.limits.answer_seconds:g} s") from error
            except (httpx.TransportError, Truncated) as error:
                raise TryAgain(f"{type(error).__name__}: {error}" if str(error) else type(error).__name__) from error
            except HostUnknown as error:
                raise TryAgain(str(error)) from error
            except AddressRefused as error:
                raise FeedBlocked(self.feed, f"{shown(url)}: refused: {error}") from error
            except TooLarge as error:
                raise FeedFormatChanged(self.feed, f"{shown(url)}: {error}") from error
        self.bytes += len(answer.body)
        asked = waiting.hint(answer.status, answer.headers, polite._now())
        if asked and not spared:
            polite.pace.hold(host, asked)
        if answer.status not in AGAIN:  # a refusal is an answer, too
            polite.pace.answered(host)
        return answer

    async def _send(self, url: httpx.URL, question: "_Question", *, spared: bool) -> Answer:
        """Look the host up once, check, and ask at the first of its addresses that takes the connection."""
        polite = self._polite
        host = url.raw_host.decode("ascii")
        addresses = await polite._resolve(host, url.port or (443 if url.scheme == "https" else 80))
        addresses = alternating(addresses) if spared else checked(host, addresses)
        addresses.sort(key=lambda address: address != polite._last_good.get(host))  # stable: the rest keeps its order
        request = httpx.Request(
            "GET" if question.body is None else "POST",
            url,
            headers=_raw(polite._headers | _credentials(url) | question.headers),
            content=question.body,
            extensions={"addresses": addresses[:ADDRESSES_TRIED], "timeout": polite._timeout},
        )
        response = await polite._transport.handle_async_request(request)
        try:
            if (address := response.extensions.get("address")) is not None:
                polite._last_good[host] = address
            return await self._read(response, question.at_most)
        finally:
            await response.aclose()

    async def _read(self, response: httpx.Response, at_most: int) -> Answer:
        response.headers.encoding = "latin-1"  # an ETag comes back as it came, whatever its bytes
        if response.status_code == 304:
            return Answer(304, response.headers, b"")  # a body is none of its business (FreshRSS#1020)
        ratio = self._polite.limits.ratio
        body = Body(response.headers.get("content-encoding", ""), at_most=at_most, ratio=ratio)
        async for chunk in response.aiter_raw():
            body.feed(chunk)
        return Answer(response.status_code, response.headers, body.end())

    def _may_end_at(self, asked: str, host: str) -> bool:
        return same_site(asked, host) or any(below(host.lower().rstrip("."), named) for named in self._redirect_hosts)

    def _is_ours(self, url: httpx.URL) -> bool:
        return url.host.lower().strip("[]") in self._polite._allow_hosts

    def _parse(
        self, url: str, relative_to: httpx.URL | None = None, schemes: tuple[str, str] = ("http", "https")
    ) -> httpx.URL:
        try:
            parsed = httpx.URL(url) if relative_to is None else relative_to.join(url)
        except (httpx.InvalidURL, ValueError, TypeError) as error:
            raise FeedFormatChanged(self.feed, f"not a URL ({error})") from error
        if parsed.port is not None and not 0 < parsed.port < 65_536:
            raise FeedFormatChanged(self.feed, f"{shown(parsed)}: not a URL (port {parsed.port})")
        if parsed.scheme not in schemes or not parsed.host:
            raise FeedBlocked(self.feed, f"{shown(parsed)}: refused: only {' and '.join(schemes)} are asked")
        return parsed


def user_agent(contact: str | None) -> str:
    """Return who we say we are."""
    try:
        version = importlib.metadata.version("word-of-mouse")
    except importlib.metadata.PackageNotFoundError:
        version = "0"
    return f"word-of-mouse/{version} (+{contact})" if contact else f"word-of-mouse/{version}"


def _place(url: httpx.URL) -> str:
    """What has a pace of its own: a host and port."""
    return f"{url.host}:{url.port or url.scheme}"


def _credentials(url: httpx.URL) -> dict[str, str]:
    """What a URL's user and password become (RFC 7617)."""
    if not url.userinfo:
        return {}
    return {"Authorization": f"Basic {b64encode(f'{url.username}:{url.password}'.encode()).decode()}"}


def _encodable(value: str | int) -> str | int:
    """What a server gave as an id may hold half a surrogate pair, which no address can."""
    return value if isinstance(value, int) else value.encode(errors="replace").decode()


def _conditions(validators: Validators | None) -> dict[str, str]:
    given = validators or Validators()
    pairs = {"If-None-Match": given.etag, "If-Modified-Since": given.last_modified}
    return {name: value for name, value in pairs.items() if value is not None}


def _raw(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.encode("ascii"), value.encode("latin-1", "replace")) for name, value in headers.items()]
