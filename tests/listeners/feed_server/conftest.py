"""One world and one running server for all tests of the feed server."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import httpx
import pytest

from listeners.feed_server import World, build_app, make_world, serve

UNTIL = datetime(2026, 11, 20, 18, 30, tzinfo=UTC)


@pytest.fixture(scope="session")
def world() -> World:
    return make_world(seed=7, until=UNTIL)


class Clock:
    """A clock that tests set."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture(scope="session")
def running(world: World) -> Iterator[tuple[httpx.Client, Clock]]:
    clock = Clock(UNTIL)
    with serve(build_app(world, clock, mastodon_limit=1_000_000)) as server, httpx.Client(base_url=server) as client:
        yield client, clock


@pytest.fixture
def client(running: tuple[httpx.Client, Clock]) -> httpx.Client:
    """A client of the server as the world ends."""
    client, clock = running
    clock.now = UNTIL
    return client


@pytest.fixture
def set_clock(running: tuple[httpx.Client, Clock]) -> Callable[[datetime], None]:
    """Sets what time the server thinks it is, until the next test."""

    def to(now: datetime) -> None:
        running[1].now = now

    return to
