"""How fast one process visits a thousand feeds, of which 80 % have nothing new.

Beside it, feedparser.parse in a loop; and the bound: aiohttp and fastfeedparser, which check no address, keep no
cursor, match no brand and store nothing. The server is a process of its own on loopback and answers after 50 ms.
"""

import asyncio
import multiprocessing
import resource
import time
from pathlib import Path

import feedparser
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from dags import stages
from dags.settings import load_settings
from dags.visits import SIDE_BY_SIDE
from listeners.feed_server import serve

FEEDS = 1_000
CHANGED_EVERY = 5  # so that 80 % answer 304
ITEMS = 25  # some 20 kB a feed
LATENCY = 0.05  # seconds


def body(number: int, reading: int) -> bytes:
    """An RSS feed whose newest item is new with every reading."""
    items = "".join(
        f"<item><guid>{number}-{reading if item == 0 else 0}-{item}</guid><title>Acme, take {item} of {number}</title>"
        f"<description>{'What people say about Acme and its parcels. ' * 15}</description>"
        f"<pubDate>Fri, 20 Nov 2026 {item % 24:02d}:00:00 GMT</pubDate></item>"
        for item in range(ITEMS)
    )
    return f'<?xml version="1.0"?><rss version="2.0"><channel><title>{number}</title>{items}</channel></rss>'.encode()


def run_server(address: "multiprocessing.Queue[str]") -> None:
    """Serve until the process is ended."""
    readings: dict[int, int] = {}

    async def answer(request: Request) -> Response:
        await asyncio.sleep(LATENCY)
        number = request.path_params["number"]
        reading = readings.get(number, 0)
        if request.headers.get("if-none-match") and number % CHANGED_EVERY:
            return Response(status_code=304)
        readings[number] = reading + 1
        return Response(body(number, reading), media_type="application/rss+xml", headers={"etag": f'"{reading}"'})

    with serve(Starlette(routes=[Route("/{number:int}.xml", answer)])) as url:
        address.put(url)
        time.sleep(600)


@pytest.fixture
def server():
    context = multiprocessing.get_context("spawn")
    address = context.Queue()
    process = context.Process(target=run_server, args=(address,), daemon=True)
    process.start()
    yield address.get(timeout=30)
    process.terminate()
    process.join()


def cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


async def bound(server: str) -> None:
    """Ask for every feed and parse what is new, and nothing else."""
    aiohttp = pytest.importorskip("aiohttp", reason="`make bench` installs what is compared with")
    fastfeedparser = pytest.importorskip("fastfeedparser")
    places = asyncio.Semaphore(SIDE_BY_SIDE)

    async def one(number: int) -> None:
        async with places, session.get(f"{server}/{number}.xml", headers={"If-None-Match": '"0"'}) as answer:
            found = await answer.read()
        if answer.status == 200:
            fastfeedparser.parse(found)

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=SIDE_BY_SIDE)) as session:
        await asyncio.gather(*map(one, range(FEEDS)))


@pytest.mark.benchmark
def test_a_thousand_feeds_in_one_process(server, tmp_path: Path):
    feeds = "".join(f'\n[[feed]]\nid = "f{n}"\nsource = "rss"\nurl = "{server}/{n}.xml"\n' for n in range(FEEDS))
    config = tmp_path / "listening.toml"
    config.write_text(f'[[brand]]\nname = "Acme"\n{feeds}\n[collect]\nallow_hosts = ["127.0.0.1"]\n')
    settings = load_settings({"WOM_CONFIG": str(config), "WOM_LAKE": str(tmp_path / "lake")})
    stages.collect(settings)  # the first visit of all, whose validators the second sends back

    wall, cpu = time.monotonic(), cpu_seconds()
    visits = stages.collect(settings)
    wall, cpu = time.monotonic() - wall, cpu_seconds() - cpu
    unchanged = sum(visit["outcome"] == "unchanged" for visit in visits)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

    sample = range(0, FEEDS, FEEDS // 50)
    loop_wall, loop_cpu = time.monotonic(), cpu_seconds()
    for number in sample:
        feedparser.parse(f"{server}/{number}.xml", etag='"0"')
    loop_wall, loop_cpu = time.monotonic() - loop_wall, cpu_seconds() - loop_cpu

    bound_wall, bound_cpu = time.monotonic(), cpu_seconds()
    asyncio.run(bound(server))
    bound_wall, bound_cpu = time.monotonic() - bound_wall, cpu_seconds() - bound_cpu

    print(
        f"\ncollect: {FEEDS / wall:.0f} feeds/s, {FEEDS / cpu:.0f} feeds a CPU second, peak {peak:.0f} MB "
        f"({unchanged} of {FEEDS} unchanged, answers after {LATENCY * 1000:.0f} ms)"
        f"\nfeedparser.parse in a loop: {len(sample) / loop_wall:.0f} feeds/s, "
        f"{len(sample) / loop_cpu:.0f} feeds a CPU second"
        f"\naiohttp and fastfeedparser: {FEEDS / bound_wall:.0f} feeds/s, {FEEDS / bound_cpu:.0f} feeds a CPU second"
        f"\nratios: {FEEDS / wall * loop_wall / len(sample):.0f} times as fast as the loop, "
        f"{bound_wall / wall:.2f} times as fast as the bound"
    )
    assert unchanged == FEEDS - FEEDS // CHANGED_EVERY
