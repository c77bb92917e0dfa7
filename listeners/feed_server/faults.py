"""Faults on demand: an ASGI wrapper that answers chosen requests as broken servers do.

    app = with_faults(app, [
        Fault("/rss", status(429, {"Retry-After": "2"}), nth={1}),   # the first request below /rss
        Fault("/hn", truncated(), nth={2, 3}),
        Fault("/mastodon", html_instead()),                          # every request
    ])

Requests are counted per fault, from 1, among those whose path begins with its prefix. The first fault that is due acts;
`slow` waits and then lets the answer through.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass

from starlette.types import ASGIApp, Message, Receive, Scope, Send

Act = Callable[[ASGIApp, Scope, Receive, Send], Awaitable[None]]

LOGIN_PAGE = (
    "<!DOCTYPE html><html><head><title>One moment</title></head><body><h1>Checking your browser</h1></body></html>"
)


@dataclass(frozen=True)
class Fault:
    """What goes wrong, below which path, and at which requests there (counted from 1; None for every one)."""

    prefix: str
    act: Act
    nth: frozenset[int] | set[int] | None = None


def with_faults(app: ASGIApp, plan: Iterable[Fault]) -> ASGIApp:
    """Return the application with the faults in front of it."""
    faults = list(plan)
    counts = [0] * len(faults)

    async def faulty(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        due: Fault | None = None
        for n, fault in enumerate(faults):
            if scope["path"].startswith(fault.prefix):
                counts[n] += 1
                if due is None and (fault.nth is None or counts[n] in fault.nth):
                    due = fault
        await (due.act(app, scope, receive, send) if due else app(scope, receive, send))

    return faulty


def status(code: int, headers: Mapping[str, str] | None = None, body: str = "") -> Act:
    """A bare answer with this status, as 429 with Retry-After, or 503."""

    async def act(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        await _answer(send, code, {"content-type": "text/plain", **(headers or {})}, body.encode())

    return act


def html_instead(code: int = 200) -> Act:
    """A page for people where data is due."""

    async def act(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        await _answer(send, code, {"content-type": "text/html; charset=utf-8"}, LOGIN_PAGE.encode())

    return act


def redirect(to: str, code: int = 302) -> Act:
    """A redirect to any address."""
    return status(code, {"location": to})


def slow(seconds: float) -> Act:
    """The right answer, late."""

    async def act(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.sleep(seconds)
        await app(scope, receive, send)

    return act


def wrong_content_type(content_type: str = "text/html") -> Act:
    """The right body under a wrong name."""

    async def act(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        async def renamed(message: Message) -> None:
            if message["type"] == "http.response.start":
                kept = [(name, value) for name, value in message["headers"] if name.lower() != b"content-type"]
                message = {**message, "headers": [*kept, (b"content-type", content_type.encode())]}
            await send(message)

        await app(scope, receive, renamed)

    return act


def truncated(share: float = 0.5) -> Act:
    """The right headers and the first part of the body; then the connection breaks (encode/httpx#1927)."""

    async def act(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        start: Message = {}
        body = bytearray()

        async def kept(message: Message) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
            elif message["type"] == "http.response.body":
                body.extend(message.get("body", b""))

        await app(scope, receive, kept)
        await send(start)
        # more_body and no further message: the server closes the connection short of Content-Length
        await send({"type": "http.response.body", "body": bytes(body[: int(len(body) * share)]), "more_body": True})

    return act


async def _answer(send: Send, code: int, headers: Mapping[str, str], body: bytes) -> None:
    sent = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    sent.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": code, "headers": sent})
    await send({"type": "http.response.body", "body": body})
