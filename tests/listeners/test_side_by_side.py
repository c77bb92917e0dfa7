"""Hundreds of feeds in one process: each comes through, and no more at once than the client takes on."""

import asyncio
import time

from listening import Clock, polite, posts, visit
from stub_server import Answer, Request, serve

from listeners import rss
from listeners.feed import FeedUnavailable
from listeners.limits import Limits

FEEDS = 200
ITEM = "<rss version='2.0'><channel><item><title>Acme {0}</title><guid>{0}</guid></item></channel></rss>"


async def read_all(url: str, limits: Limits) -> tuple[list, float]:
    """The outcomes of all feeds of one server at once, and how long they took."""
    before = time.monotonic()
    async with polite(Clock(), limits) as client:

        async def one(number: int):
            feed = rss.Options(id=f"feed-{number}", source="rss", url=f"{url}/{number}")
            return [page async for page in rss.pages(visit(feed, client.visit(feed.id)))]

        outcomes = await asyncio.gather(*(one(number) for number in range(FEEDS)), return_exceptions=True)
    return outcomes, time.monotonic() - before


async def test_two_hundred_feeds_of_a_host_of_ours_are_read_side_by_side():
    def answer(request: Request) -> Answer:
        return Answer(ITEM.format(request.path.strip("/")).encode(), delay=0.02)

    async with serve(answer) as stub:
        outcomes, seconds = await read_all(stub.url, Limits(connections=20))
    titles = [posts(pages)[0]["title"] for pages in outcomes]
    assert titles == [f"Acme {number}" for number in range(FEEDS)]
    assert 10 < stub.most_under_way <= 20
    assert seconds < FEEDS * 0.1


async def test_feeds_that_fail_or_hang_do_not_keep_the_others():
    def answer(request: Request) -> Answer:
        number = int(request.path.strip("/"))
        if number % 10 == 3:
            return Answer(status=500)
        if number % 50 == 7:
            return Answer(b"never", delay=30)
        return Answer(ITEM.format(number).encode())

    limits = Limits(connections=20, read_seconds=0.3, answer_seconds=0.5, attempts=2)
    async with serve(answer) as stub:
        outcomes, seconds = await read_all(stub.url, limits)
    failed = [number for number, outcome in enumerate(outcomes) if isinstance(outcome, FeedUnavailable)]
    assert failed == [number for number in range(FEEDS) if number % 10 == 3 or number % 50 == 7]
    assert sum(isinstance(outcome, list) for outcome in outcomes) == FEEDS - len(failed)
    assert seconds < 20
