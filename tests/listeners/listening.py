"""How the tests of the listeners listen: a clock that only moves when somebody sleeps, and a whole visit in a call."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from stub_server import Answer, Request, Stub, serve

from listeners.feed import FeedOptions, Listener, Page, Visit
from listeners.http import FeedClient, PoliteClient
from listeners.limits import DEFAULT_LIMITS, Limits
from listeners.pseudonym import pseudonym

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
OURS = frozenset({"127.0.0.1"})
RECORDED = Path(__file__).parents[2].parent / "shared" / "data" / "feeds"  # third parties' posts: never copied here


@dataclass
class Clock:
    """Time that passes only in `sleep`, which does not wait."""

    passed: float = 0.0
    slept: list[float] = field(default_factory=list)

    def now(self) -> datetime:
        return NOW + timedelta(seconds=self.passed)

    def monotonic(self) -> float:
        return self.passed

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.passed += seconds
        await asyncio.sleep(0)


@asynccontextmanager
async def polite(
    clock: Clock, limits: Limits = DEFAULT_LIMITS, allow_hosts: frozenset[str] = OURS, **more: Any
) -> AsyncIterator[PoliteClient]:
    """A client on the test's clock that may ask the stub."""
    async with PoliteClient(
        allow_hosts, limits, sleep=clock.sleep, now=clock.now, monotonic=clock.monotonic, **more
    ) as client:
        yield client


@asynccontextmanager
async def asking(
    answer: Callable[[Request], Answer], clock: Clock | None = None, limits: Limits = DEFAULT_LIMITS
) -> AsyncIterator[tuple[FeedClient, Stub]]:
    """A feed's client, and the stub that answers it."""
    async with serve(answer) as stub, polite(clock or Clock(), limits) as client:
        yield client.visit("hn"), stub


def visit(options: FeedOptions, client: Any = None, **more: Any) -> Visit:
    """A visit at NOW with a key for pseudonyms; client and cursor as given."""
    given = {"cursor": None, "started_at": NOW, "pseudonym": pseudonym(b"a key for tests", options.source), **more}
    return Visit(feed=options, client=client, **given)


async def listen(listener: Listener, options: FeedOptions, clock: Clock | None = None, **more: Any) -> list[Page]:
    """All pages of one visit."""
    async with polite(clock or Clock()) as client:
        return [page async for page in listener.pages(visit(options, client.visit(options.id), **more))]


def posts(pages: list[Page]) -> list[dict[str, Any]]:
    """The rows of all pages."""
    return [row for page in pages for row in page.posts.to_pylist()]
