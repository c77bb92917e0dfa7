"""Twenty-five faults that break listeners, each met once somewhere, and what ours do about them.

Most are seen in a whole visit: `dags.stages.collect` against a stub on loopback, with a lake of the test's own. Time is
the tests': nothing waits.
"""

import asyncio
import functools
import gzip
import json
import random
import re
import socket
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest
from listening import NOW, Clock, asking, listen, polite, posts
from stub_server import Answer, Request, serve

from dags import stages, summary
from dags.feed_state import load_state
from dags.settings import Settings, load_settings
from listeners import appstore, hackernews, lemmy, mastodon, registry, rss
from listeners.feed import FeedBlocked, FeedFormatChanged, FeedOptions, Page, TakenDown, Visit
from listeners.http import PoliteClient
from listeners.limits import Limits
from listeners.post import empty_page, row, to_page

T = int(NOW.timestamp())
NAN = float("nan")
HOUR = timedelta(hours=1)
CONSENT_PAGE = b"<!DOCTYPE html><html><head><title>Before you continue</title></head><body>Accept all?</body></html>"
BRAND = '[[brand]]\nname = "Acme"\nowners = { default = "care" }\n'
LOOPBACK = '[collect]\nallow_hosts = ["127.0.0.1", "localhost"]\n'


DATE = "Fri, 20 Nov 2026 10:00:00 GMT"


def feed_of(*items: str) -> bytes:
    """An RSS feed of <item>s."""
    return f'<?xml version="1.0"?><rss version="2.0"><channel><title>t</title>{"".join(items)}</channel></rss>'.encode()


def item(guid: str | None, text: str, link: str | None = None, date: str | None = DATE) -> str:
    """An <item>."""
    parts = {"guid": guid, "link": link, "title": text, "pubDate": date}
    return f"<item>{''.join(f'<{tag}>{value}</{tag}>' for tag, value in parts.items() if value is not None)}</item>"


def hit(number: int, at: int, text: str = "Acme is fine", **more: Any) -> dict[str, Any]:
    """A comment as Hacker News' search gives it."""
    who = {"author": "ada", "_tags": ["comment"]}
    return {"objectID": str(number), "comment_text": text, "created_at_i": at, **who, **more}


def answer_of(document: Any) -> Answer:
    return Answer(json.dumps(document).encode(), headers={"content-type": "application/json"})


def in_turn(*answers: Answer) -> Callable[[Request], Answer]:
    """Give these answers one after the other, the last one for ever."""
    left = list(answers)
    return lambda request: left.pop(0) if len(left) > 1 else left[0]


def rss_options(url: str) -> rss.Options:
    return rss.Options(id="weekly", source="rss", url=url)


@dataclass
class Listening:
    """The stages by hand: what a listening.toml asks for, visited when a test says so."""

    settings: Settings
    clock: Clock = field(default_factory=Clock)

    async def collect(self, *feeds: str, after: timedelta = timedelta(0)) -> dict[str, Any]:
        """The row of `visits` of the one feed, or of the last named, visited so much later."""
        self.clock.passed += after.total_seconds()
        visits = await asyncio.to_thread(stages.collect, self.settings, feeds or None, now=self.clock.now)
        return visits[-1]

    async def sweep(self, *, after: timedelta) -> list[dict[str, Any]]:
        """The rows of `visits` that a second look at kept posts makes so much later."""
        self.clock.passed += after.total_seconds()
        return await asyncio.to_thread(stages.sweep, self.settings, now=self.clock.now)

    def due(self) -> list[str]:
        """The feeds that a run of the schedule would visit now."""
        return [feed for shard in stages.feed_shards(self.settings, now=self.clock.now) for feed in shard]

    def rows(self, table: str) -> list[dict[str, Any]]:
        """All that a table of the lake holds, oldest first."""
        lake = stages.open_lake(self.settings)
        rows = [row for path in lake.files(table) for row in lake.read(path).to_pylist()]
        return sorted(rows, key=lambda row: row.get("fetched_at") or row.get("started_at") or row["rejected_at"])

    def health(self) -> dict[str, Any]:
        """What `wom feeds` says of the first feed now."""
        stages.publish(self.settings, now=self.clock.now)
        with summary.reading(self.settings.database) as database:
            rows, _ = summary.ask(database, "FROM feed_health ORDER BY feed")
        return dict(rows[0])

    @property
    def titles(self) -> list[str]:
        return [row["title"] or row["text"] for row in self.rows("posts")]

    @property
    def cursor(self) -> str | None:
        return load_state(stages.open_lake(self.settings), self.settings.feeds[0]).cursor


@pytest.fixture
def listening(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Listening]:
    """Make a Listening of [[feed]] tables; the waits of its client take no time."""

    def make(*tables: str, **client: Any) -> Listening:
        file = tmp_path / "listening.toml"
        file.write_text(BRAND + "".join(f"\n[[feed]]\n{table}\n" for table in tables) + LOOPBACK)
        made = Listening(load_settings({"WOM_CONFIG": str(file), "WOM_LAKE": str(tmp_path / "lake")}))
        times = {"sleep": made.clock.sleep, "now": made.clock.now, "monotonic": made.clock.monotonic}
        monkeypatch.setattr("dags.visits.PoliteClient", functools.partial(PoliteClient, **times, **client))
        return made

    return make


def rss_table(url: str, feed_id: str = "weekly") -> str:
    return f'id = "{feed_id}"\nsource = "rss"\nurl = "{url}"\nkeep = "all"\n'


class Public:
    """Public hosts, as far as the client can tell: neither spared nor asked over a network."""

    def __init__(self, answer: Callable[[httpx.Request], Answer], **addresses: list[str]) -> None:
        self.asked: list[list[str]] = []  # which addresses may be asked, request by request
        self.looked_up: list[str] = []
        self.answer = answer
        self.addresses = addresses

    async def resolve(self, host: str, port: int) -> list[str]:
        self.looked_up.append(host)
        return self.addresses.get(host.partition(".")[0], ["1.1.1.1"])

    def respond(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request.extensions["addresses"])
        answer = self.answer(request)
        return httpx.Response(answer.status, headers=answer.headers, stream=httpx.ByteStream(answer.body))

    @property
    def options(self) -> dict[str, Any]:
        return {"resolve": self.resolve, "transport": httpx.MockTransport(self.respond)}


@contextmanager
def swallowing(address: str, port: int) -> Iterator[None]:
    """Let an address take no connection and refuse none: its queue is full."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address, port))
        listener.listen(0)
        for _ in range(3):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex((address, port))
        yield


@pytest.mark.parametrize(
    ("header", "at_least", "at_most"),
    [
        ("2", 2, 3),
        ("0.493", 1, 2),
        ("Fri, 20 Nov 2026 12:00:20 GMT", 20, 21),
        ("Friday, 20-Nov-26 12:00:20 GMT", 20, 21),
        ("Fri, 20 Nov 2026 13:00:20 +0100", 20, 21),
        ("Fri, 20 Nov 2020 12:00:00 GMT", 0, 0.2),
        ("soon", 0.25, 0.5),
        ("-5", 0.25, 0.5),
    ],
)
async def test_fault_01_retry_after_as_a_date_or_a_fraction(header, at_least, at_most):
    clock = Clock()
    busy = Answer(status=429, headers={"retry-after": header})
    async with asking(in_turn(busy, Answer(b"{}")), clock) as (client, stub):
        await client.get(stub.url)
    assert at_least <= clock.slept[0] <= at_most


async def test_fault_01_no_retry_after_is_believed_beyond_a_day(listening):
    answer = Answer(status=503, headers={"retry-after": "Fri, 31 Dec 9999 23:59:59 GMT"})
    async with serve(in_turn(answer)) as stub:
        heard = listening(rss_table(stub.url))
        told = await heard.collect()
    assert (told["outcome"], told["requests"]) == ("failed", 1)
    assert told["next_visit_at"] == NOW + timedelta(days=1)
    assert told["waiting_for"] == "its server asks to wait"


async def test_fault_01_a_long_wait_binds_the_feeds_that_stand_in_the_queue(listening):
    hosts = Public(lambda request: Answer(status=429, headers={"retry-after": "80000"}))
    heard = listening(*(rss_table(f"https://busy.example/{name}", name) for name in "abcdefghij"), **hosts.options)
    await heard.collect()
    assert len(hosts.asked) <= 4  # as many as ask a host at once
    assert heard.clock.passed < 60  # nobody sits the day out
    for told in heard.rows("visits"):
        assert (told["outcome"], told["waiting_for"]) == ("failed", "its server asks to wait")


async def test_fault_02_a_429_without_a_hint_from_the_first_request_on(listening):
    async with serve(in_turn(Answer(status=429))) as stub:
        heard = listening(rss_table(stub.url))
        waits = []
        for _ in range(3):
            told = await heard.collect()
            assert (told["outcome"], told["requests"], told["posts"]) == ("failed", 4, 0)
            assert heard.due() == []
            waits.append(told["next_visit_at"] - told["started_at"])
            heard.clock.passed = (told["next_visit_at"] - NOW).total_seconds()
            assert heard.due() == ["weekly"]
    assert waits[0] < waits[1] < waits[2]
    first, second, third = heard.clock.slept[:3]
    assert first < second < third
    assert len({round(wait / 2**n, 6) for n, wait in enumerate((first, second, third))}) == 3  # jitter


async def test_fault_02_a_429_without_a_hint_gives_its_host_quiet_from_all_feeds(listening):
    hosts = Public(lambda request: Answer(status=429))
    heard = listening(*(rss_table(f"https://busy.example/{name}", name) for name in "abcdefghij"), **hosts.options)
    await heard.collect()
    assert len(hosts.asked) <= 16  # and not four for each of ten
    assert [told["outcome"] for told in heard.rows("visits")] == ["failed"] * 10
    assert any("left alone" in told["error"] for told in heard.rows("visits"))


@pytest.mark.parametrize("status", [200, 403, 503])
@pytest.mark.parametrize("content_type", ["text/html", "application/json", "application/rss+xml"])
async def test_fault_03_a_web_page_where_data_is_due(listening, status, content_type):
    page = Answer(CONSENT_PAGE, status, {"content-type": content_type})
    good = Answer(feed_of(item("1", "Acme is fine")))
    async with serve(in_turn(good, *[page] * (4 if status == 503 else 1), good)) as stub:
        heard = listening(rss_table(stub.url))
        await heard.collect()
        before = heard.cursor
        told = await heard.collect(after=2 * HOUR)
        assert told["outcome"] == ("failed" if status == 503 else "blocked")  # never "empty"
        assert heard.cursor == before
    if status == 200:
        assert "titled 'Before you continue'" in told["error"]


async def test_fault_03_data_under_the_name_of_a_web_page_is_data():
    body = feed_of(item("1", "Acme is fine"))
    async with serve(in_turn(Answer(body, headers={"content-type": "text/html"}))) as stub:
        assert len(posts(await listen(rss, rss_options(stub.url)))) == 1
    found = Answer(json.dumps({"hits": [hit(1, T)], "nbHits": 1}).encode(), headers={"content-type": "text/html"})
    async with serve(in_turn(found)) as stub:
        assert len(posts(await listen(hackernews, hackernews.Options(id="hn", source="hackernews", url=stub.url)))) == 1


@pytest.mark.parametrize(("status", "outcome"), [(401, "blocked"), (403, "blocked"), (410, "gone"), (451, "blocked")])
async def test_fault_04_an_endpoint_closed_by_policy(listening, status, outcome):
    async with serve(in_turn(Answer(b'{"error": "Forbidden"}', status))) as stub:
        heard = listening(rss_table(f"{stub.url}/Feed"))
        waits = []
        for _ in range(4):
            told = await heard.collect()
            assert told["outcome"] == outcome
            assert str(status) in told["error"]
            assert told["waiting_for"]
            assert heard.due() == []
            waits.append(told["next_visit_at"] - told["started_at"])
            heard.clock.passed = (told["next_visit_at"] - NOW).total_seconds()
    assert [request.path for request in stub.requests] == ["/Feed"] * 4  # asked once a visit, and as it is written
    assert waits == sorted(waits)
    assert waits[0] >= 2 * HOUR
    assert waits[-1] >= 12 * HOUR


async def test_fault_05_a_redirect_to_a_page_that_asks_for_consent():
    async with serve(in_turn(Answer(CONSENT_PAGE))) as consent:
        onward = Answer(status=302, headers={"location": f"{consent.url}/m", "set-cookie": "CONSENT=YES; Path=/"})
        async with serve(in_turn(onward)) as stub:
            with pytest.raises(FeedBlocked, match="Before you continue"):
                await listen(rss, rss_options(stub.url))
    assert [request.headers.get("cookie") for request in consent.requests] == [None]


@pytest.mark.parametrize(
    "there", ["https://login.example/", "https://feeds.example.evil.example/", "https://nofeeds.example/"]
)
async def test_fault_05_a_redirect_to_another_site_is_no_answer_of_the_feed(there):
    def answer(request: httpx.Request) -> Answer:
        if request.headers["host"] == "feeds.example":
            return Answer(status=302, headers={"location": there})
        return Answer(b'{"login": "due"}', 200)

    async with polite(Clock(), **Public(answer).options) as client:
        with pytest.raises(FeedBlocked, match="redirect"):
            await client.visit("weekly").get("https://feeds.example/a.json")


def moved(there: str) -> Callable[[httpx.Request], Answer]:
    """Whatever is asked for at /a.json is elsewhere."""
    onward = Answer(status=301, headers={"location": there})
    return lambda request: onward if request.url.path == "/a.json" else Answer(b"[]")


@pytest.mark.parametrize(
    ("asked", "there"),
    [
        ("feeds.example", "feeds.example"),
        ("feeds.example", "www.feeds.example"),
        ("feeds.example", "eu.feeds.example"),
        ("feeds.paper.example", "www.paper.example"),
        ("feeds.paper.co.uk", "paper.co.uk"),
        ("feeds.paper.co.uk", "news.paper.co.uk"),
    ],
)
async def test_fault_05_a_redirect_within_the_site_is_followed(asked, there):
    async with polite(Clock(), **Public(moved(f"https://{there}/b")).options) as client:
        reply = await client.visit("weekly").get(f"https://{asked}/a.json")
    assert reply.url == f"https://{there}/b"


@pytest.mark.parametrize(
    ("asked", "there"), [("a.co.uk", "b.co.uk"), ("ann.github.io", "bob.github.io"), ("8.8.8.8", "9.9.8.8")]
)
async def test_fault_05_neighbours_of_other_people_are_no_site_of_the_feed(asked, there):
    async with polite(Clock(), **Public(moved(f"https://{there}/b")).options) as client:
        with pytest.raises(FeedBlocked, match="another site"):
            await client.visit("weekly").get(f"https://{asked}/a.json")


async def test_fault_05_the_hosts_that_a_feed_may_end_on_are_named_by_the_error_and_then_allowed(listening):
    there = "localhost"  # another site than 127.0.0.1, though the same server
    news = Answer(feed_of(item("1", "Acme is fine")))
    async with serve(lambda request: onward if request.path == "/old" else news) as stub:
        port = stub.url.rpartition(":")[2]
        onward = Answer(status=301, headers={"location": f"http://{there}:{port}/new"})
        table = rss_table(f"{stub.url}/old")
        blocked = await listening(table).collect()
        key = f'redirect_hosts = ["{there}"]'
        told = await listening(f"{table}{key}\n").collect()
    assert blocked["outcome"] == "blocked"
    assert key in blocked["error"]
    assert (told["outcome"], told["posts"]) == ("new", 1)


async def test_fault_06_404_in_waves_on_a_live_channel(listening):
    good, missing = Answer(feed_of(item("1", "Acme is fine")), headers={"etag": '"1"'}), Answer(status=404)
    then = Answer(feed_of(item("1", "Acme is fine"), item("2", "Acme is new")))
    async with serve(in_turn(good, *[missing] * 8, then)) as stub:
        heard = listening(rss_table(stub.url))
        await heard.collect()
        before = heard.cursor
        for _ in range(8):  # a day
            told = await heard.collect(after=3 * HOUR)
            assert told["outcome"] == "failed"  # and not "gone"
            assert told["next_visit_at"] <= told["started_at"] + timedelta(days=1)  # it is never given up
            assert heard.cursor == before
        told = await heard.collect(after=3 * HOUR)
    assert (told["outcome"], told["posts"]) == ("new", 1)
    assert heard.titles == ["Acme is fine", "Acme is new"]


async def test_fault_06_a_feed_is_dead_after_two_weeks_of_failures_and_revived_by_its_first_answer(listening):
    good, missing = Answer(feed_of(item("1", "Acme is fine"))), Answer(status=404)
    then = Answer(feed_of(item("1", "Acme is fine"), item("2", "Acme is back")))
    async with serve(in_turn(good, *[missing] * 15, then)) as stub:
        heard = listening(rss_table(stub.url))
        await heard.collect()
        before = heard.cursor
        for _ in range(14):
            await heard.collect(after=24 * HOUR)
        assert not heard.health()["is_dead"]
        told = await heard.collect(after=24 * HOUR)
        assert heard.health()["is_dead"]
        assert told["waiting_for"] == "dead, nothing but failures since 2026-11-21"
        assert told["next_visit_at"] - told["started_at"] == timedelta(days=7)
        assert heard.cursor == before
        told = await heard.collect(after=7 * 24 * HOUR)
    assert (told["outcome"], told["failing_since"]) == ("new", None)
    assert heard.titles == ["Acme is fine", "Acme is back"]
    assert not heard.health()["is_dead"]


async def test_fault_07_an_empty_success_is_suspect_and_moves_nothing(listening):
    full = [item(str(n), f"Acme is number {n}") for n in range(5)]
    shown = (full, [], [*full, item("9", "Acme")])
    async with serve(in_turn(*(Answer(feed_of(*items)) for items in shown))) as stub:
        heard = listening(rss_table(stub.url))
        await heard.collect()
        before = heard.cursor
        told = await heard.collect(after=2 * HOUR)
        assert (told["posts"], heard.cursor) == (0, before)
        assert told["outcome"] in ("empty", "suspect")
        assert told["error"]  # says why it is not believed
        told = await heard.collect(after=2 * HOUR)
        assert (told["outcome"], told["posts"]) == ("new", 1)


async def test_fault_07_an_empty_search_is_asked_for_again(listening):
    shown: list[dict[str, Any]] = []

    def answer(request: Request) -> Answer:
        first, last = map(int, re.findall(r"[<>]=(\d+)", request.query["numericFilters"]))
        within = [found for found in shown if first <= found["created_at_i"] <= last]
        return answer_of({"hits": within, "nbHits": len(within)})

    async with serve(answer) as stub:
        heard = listening(f'id = "hn"\nsource = "hackernews"\nurl = "{stub.url}"\nkeep = "all"')
        await heard.collect()
        shown.append(hit(1, T - 40 * 86_400))  # it was there all the time
        told = await heard.collect(after=HOUR)
    assert (told["outcome"], told["posts"]) == ("new", 1)


LETTERS = "Grüße aus Köln, señor — „déjà vu“"
RUSSIAN = "Связь пропала с утра"


@pytest.mark.parametrize(
    ("body", "content_type", "text"),
    [
        (LETTERS.encode(), "text/xml", LETTERS),  # RFC 3023 says us-ascii
        (LETTERS.encode(), "text/xml; charset=us-ascii", LETTERS),
        (LETTERS.encode(), "application/xml; charset=iso-8859-2", LETTERS),
        (b"<?xml version='1.0' encoding='iso-8859-1'?>" + LETTERS.encode(), "text/xml", LETTERS),
        (b"<?xml version='1.0' encoding='utf-8'?>" + LETTERS.encode("cp1252"), "text/xml", LETTERS),
        (b"<?xml version='1.0' encoding='windows-1251'?>" + RUSSIAN.encode("cp1251"), "text/xml", RUSSIAN),
        (b"<?xml version='1.0' encoding='cp1252'?>" + RUSSIAN.encode("koi8-r"), "text/xml; charset=koi8-r", RUSSIAN),
        (LETTERS.encode() + b"\xff" + RUSSIAN.encode(), "text/xml", LETTERS + "\ufffd" + RUSSIAN),
    ],
)
async def test_fault_08_a_charset_that_is_not_what_is_said(body, content_type, text):
    prolog, _, words = body.rpartition(b"?>") if body.startswith(b"<?xml") else (b"", b"", body)
    document = (prolog + b"?>" if prolog else b"") + feed_of(item("1", "@@")).partition(b"?>")[2].replace(b"@@", words)
    async with serve(in_turn(Answer(document, headers={"content-type": content_type}))) as stub:
        [post] = posts(await listen(rss, rss_options(stub.url)))
    assert post["title"] == text


async def test_fault_08_and_09_which_charset_won_and_what_was_stripped_are_recorded(listening):
    body = b"\n " + feed_of(item("1", "Ac\x00me\x08 is fine")).replace(b"fine", "für uns".encode("cp1252"))
    async with serve(in_turn(Answer(body, headers={"content-type": "text/xml; charset=iso-8859-1"}))) as stub:
        heard = listening(rss_table(stub.url))
        told = await heard.collect()
    notes = {"charset cp1252 by HTTP": 1, "control characters stripped": 2, "marks and blanks stripped": 2}
    assert heard.titles == ["Acme is für uns"]
    assert dict(told["notes"]) == notes
    assert heard.health()["notes_7d"] == notes


@pytest.mark.parametrize("charset", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-8-sig"])
async def test_fault_08_wide_letters_with_and_without_a_mark(charset):
    body = feed_of(item("1", LETTERS)).decode().encode(charset)
    async with serve(in_turn(Answer(body, headers={"content-type": "text/xml"}))) as stub:
        [post] = posts(await listen(rss, rss_options(stub.url)))
    assert post["title"] == LETTERS


@pytest.mark.parametrize("start", [b"\xef\xbb\xbf", b"\n\n  ", b"\xef\xbb\xbf\r\n", b"\0", b"\x00\x1b \xef\xbb\xbf"])
async def test_fault_09_marks_blanks_and_control_characters_in_xml(start):
    body = start + feed_of(item("1", "Ac\x00me\x08 is\x1f fine&#0;&#x1F;\x0c"), item("2", "Acme"))
    async with serve(in_turn(Answer(body))) as stub:
        first, second = posts(await listen(rss, rss_options(stub.url)))
    assert first["title"].rstrip("\ufffd") == "Acme is fine"
    assert second["title"] == "Acme"


def entity(number: int) -> str:
    """An entity that says the one before ten times."""
    return f'<!ENTITY l{number} "{f"&l{number - 1};" * 10 if number else "lol"}">'


DOCTYPES = {
    "bomb": f"<!DOCTYPE x [{''.join(map(entity, range(12)))}]>",
    "file": '<!DOCTYPE x [<!ENTITY l11 SYSTEM "file:///etc/passwd">]>',
    "url": '<!DOCTYPE x [<!ENTITY l11 SYSTEM "{server}/dtd">]>',
    "parameter": '<!DOCTYPE x [<!ENTITY % l SYSTEM "{server}/dtd"> %l; <!ENTITY l11 "&l10;">]>',
    "dtd": '<!DOCTYPE x SYSTEM "{server}/dtd">',
}


@pytest.mark.parametrize("doctype", DOCTYPES)
@pytest.mark.parametrize(
    "before", ["", "<!-- -->" * 4_000, " " * 30_000], ids=["first", "after comments", "after blanks"]
)
@pytest.mark.parametrize("charset", ["utf-8", "utf-16"])
async def test_fault_10_an_entity_bomb_or_a_file_of_the_server(doctype, before, charset):
    shown: dict[str, bytes] = {}
    async with serve(lambda request: Answer(shown.get(request.path, b"<!ENTITY l11 'lol'>"))) as stub:
        text = feed_of(item("1", "Acme &l11; is fine")).decode().partition("?>")[2]
        shown["/feed"] = (before + DOCTYPES[doctype].replace("{server}", stub.url) + text).encode(charset)
        began = time.process_time()
        try:
            found = posts(await listen(rss, rss_options(f"{stub.url}/feed")))
        except FeedFormatChanged:
            found = []
    assert time.process_time() - began < 2
    assert [request.path for request in stub.requests] == ["/feed"]  # nothing else was fetched
    assert not [post for post in found if "root:" in post["title"] or "lol" in post["title"]]


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        (gzip.compress(b"<rss>" + b" " * 60_000_000), "gzip"),
        (gzip.compress(gzip.compress(b"<rss>" + b" " * 60_000_000)), "gzip"),
        (random.Random(0).randbytes(11_000_000).hex().encode()[:11_000_000], ""),
        (gzip.compress(random.Random(0).randbytes(6_000_000).hex().encode(), 1), "gzip"),
        (gzip.compress(b" " * 60_000_000), ""),  # a file that is itself packed
    ],
    ids=["ratio", "twice", "large", "large when unpacked", "a packed file"],
)
async def test_fault_11_a_decompression_bomb(listening, body, encoding):
    async with serve(in_turn(Answer(body, headers={"content-encoding": encoding}))) as stub:
        heard = listening(rss_table(stub.url))
        told = await heard.collect()
    assert (told["outcome"], told["requests"], told["posts"]) == ("failed", 1, 0)
    assert re.search("larger than 10,000,000 bytes|more than 200 times", told["error"])


WHOLE = feed_of(*(item(str(n), f"Acme is number {n}") for n in range(40)))
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n"


@pytest.mark.parametrize(
    "cut",
    [
        Answer(WHOLE, cut=len(WHOLE) // 2),
        Answer(WHOLE, cut=len(WHOLE) - 1),
        Answer(raw=CHUNKED % (len(WHOLE) // 2, WHOLE[: len(WHOLE) // 2])),
        Answer(raw=CHUNKED % (len(WHOLE), WHOLE)),  # all of it, but for the end
        Answer(gzip.compress(WHOLE)[:-20], headers={"content-encoding": "gzip"}),
    ],
    ids=["short", "by a byte", "chunks end", "no last chunk", "gzip ends"],
)
async def test_fault_12_a_body_cut_short(listening, cut):
    async with serve(in_turn(*[cut] * 4, Answer(WHOLE))) as stub:
        heard = listening(rss_table(stub.url))
        told = await heard.collect()
        assert (told["outcome"], told["requests"], told["posts"]) == ("failed", 4, 0)  # no half of a page
        assert (heard.titles, heard.cursor) == ([], None)
        assert (await heard.collect(after=HOUR))["posts"] == 40


@pytest.mark.parametrize(
    "broken",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Le",
        b"\x00\x00\x08\x07\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00",  # GOAWAY of HTTP/2
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
        b"ICY 200 OK\r\n\r\n{}",
    ],
    ids=["closed", "half a head", "GOAWAY", "two lengths", "another protocol"],
)
async def test_fault_13_a_connection_that_breaks_costs_only_itself(broken):
    async with asking(in_turn(Answer(raw=broken), Answer(b'{"ok": 1}'))) as (client, stub):
        assert (await client.get(stub.url)).json() == {"ok": 1}
        assert (await client.get(stub.url)).json() == {"ok": 1}
    assert len(stub.requests) == 3
    assert all("upgrade" not in request.headers for request in stub.requests)


async def test_fault_14_an_address_that_swallows_the_connection():
    async def resolver(host: str, port: int) -> list[str]:
        return ["127.0.0.2", "127.0.0.1"]

    async with serve(in_turn(Answer(b"{}"))) as stub:
        port = int(stub.url.rpartition(":")[2])
        with swallowing("127.0.0.2", port):
            limits = Limits(connect_seconds=0.3)
            hosts = frozenset({"feeds.example"})
            async with polite(Clock(), limits, hosts, resolve=resolver) as client:
                waited = []
                for _ in range(2):
                    began = time.monotonic()
                    assert (await client.visit("weekly").get(f"http://feeds.example:{port}/")).status == 200
                    waited.append(time.monotonic() - began)
    assert waited[0] >= 0.3
    assert waited[1] < 0.3  # it is remembered which one answered


async def test_fault_14_a_dead_family_of_addresses_is_tried_once_before_the_other():
    hosts = Public(lambda request: Answer(b"[]"), feeds=["2606:4700::1", "2606:4700::2", "2606:4700::3", "1.1.1.1"])
    async with polite(Clock(), **hosts.options) as client:
        assert (await client.visit("weekly").get("https://feeds.example/")).status == 200
    assert hosts.asked[0][:2] == ["2606:4700::1", "1.1.1.1"]


INSIDE = [
    *("http://127.0.0.1/", "http://localhost/", "http://[::1]/", "http://0.0.0.0/", "http://169.254.169.254/latest/"),
    *("http://10.0.0.1/", "http://192.168.1.1/", "http://172.16.0.1/", "http://100.64.0.1/", "http://[fe80::1]/"),
    *("http://[::ffff:127.0.0.1]/", "http://[64:ff9b::7f00:1]/", "http://[2002:7f00:1::]/", "http://[fc00::1]/"),
    *("http://2130706433/", "http://0x7f.1/", "http://127.1/", "http://127.0.0.1.nip.example/", "http://a@127.0.0.1/"),
    *("https://feeds.example@127.0.0.1/", "http://127。0。0。1/", "http://①②⑦.0.0.1/", "http://LOCALHOST/"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("url", "hops"),
    [(url, hops) for url in INSIDE for hops in (0, 1, 3) if not hops or url.isascii()],  # a Location is ASCII
)
async def test_fault_15_an_address_inside_our_network(url, hops):
    def answer(request: httpx.Request) -> Answer:
        number = int(request.url.path.strip("/") or 0)
        onward = url if number + 1 >= hops else f"http://hop{number}.feeds.example/{number + 1}"
        return Answer(status=302, headers={"location": onward})

    class Resolver(Public):
        async def resolve(self, host: str, port: int) -> list[str]:
            from listeners.address import resolve

            named = {"127.0.0.1.nip.example": ["1.1.1.1", "127.0.0.1"]}  # a name with both kinds is a trap
            return named.get(host) or (["1.1.1.1"] if host.endswith("feeds.example") else await resolve(host, port))

    hosts = Resolver(answer)
    async with polite(Clock(), allow_hosts=frozenset(), **hosts.options) as client:
        with pytest.raises((FeedBlocked, FeedFormatChanged), match=r"refused|not a URL"):
            await client.visit("weekly").get("http://feeds.example/0" if hops else url)
    assert hosts.asked == [["1.1.1.1"]] * hops


async def test_fault_15_a_name_that_leads_elsewhere_at_the_second_look():
    hosts = Public(lambda request: Answer(b"[]"))
    hosts.addresses["rebinding"] = ["1.1.1.1"]
    async with polite(Clock(), **hosts.options) as client:
        assert (await client.visit("weekly").get("https://rebinding.example/")).status == 200
        assert hosts.looked_up == ["rebinding.example"]  # looked up once: what was checked is what is asked
        hosts.addresses["rebinding"] = ["127.0.0.1"]
        with pytest.raises(FeedBlocked, match="loopback"):
            await client.visit("weekly").get("https://rebinding.example/")
    assert hosts.asked == [["1.1.1.1"]]


@pytest.mark.parametrize("location", ["http://feeds.example/", "file:///etc/passwd", "ftp://feeds.example/", "data:,x"])
async def test_fault_15_no_redirect_leaves_the_web_or_its_encryption(location):
    hosts = Public(lambda request: Answer(status=302, headers={"location": location}))
    async with polite(Clock(), **hosts.options) as client:
        with pytest.raises(FeedBlocked):
            await client.visit("weekly").get("https://feeds.example/")
    assert len(hosts.asked) == 1


async def test_fault_15_five_hops_and_no_more():
    def answer(request: Request) -> Answer:
        return Answer(status=302, headers={"location": f"/{int(request.path.strip('/')) + 1}"})

    async with asking(answer) as (client, stub):
        with pytest.raises(FeedBlocked, match=r"more than 5 redirects"):
            await client.get(f"{stub.url}/0")
    assert len(stub.requests) == 6


@pytest.mark.parametrize("tag", ['W/"x"', '"x"', "x", 'W/"Gr\xfc\xdfe"', '"a,b"', '"x-gzip"', "'x'"])
async def test_fault_16_a_weak_tag_against_a_strong_one(listening, tag):
    bare = tag.removeprefix("W/")

    def answer(request: Request) -> Answer:
        if request.headers.get("if-none-match", "").removeprefix("W/") == bare:
            return Answer(status=304, headers={"etag": bare})
        return Answer(feed_of(item("1", "Acme is fine")), headers={"etag": tag})

    async with serve(answer) as stub:
        heard = listening(rss_table(stub.url))
        outcomes = [(await heard.collect(after=HOUR))["outcome"] for _ in range(3)]
    assert outcomes == ["new", "unchanged", "unchanged"]
    assert stub.requests[1].headers["if-none-match"] == tag  # as it came


async def test_fault_17_one_validator_changes_and_the_other_goes(listening):
    given = [{"etag": '"1"', "last-modified": "Monday"}, {"etag": '"2"'}, {"last-modified": "Tuesday"}, {}, {}]
    replies = [Answer(feed_of(item(str(n), f"Acme {n}")), headers=headers) for n, headers in enumerate(given)]
    async with serve(in_turn(*replies)) as stub:
        heard = listening(rss_table(stub.url))
        for _ in given:
            assert (await heard.collect(after=HOUR))["outcome"] == "new"
    names = ("if-none-match", "if-modified-since")
    sent = [tuple(request.headers.get(name) for name in names) for request in stub.requests]
    assert sent == [(None, None), ('"1"', "Monday"), ('"2"', None), (None, "Tuesday"), (None, None)]


async def test_fault_18_a_server_that_says_304_for_ever(listening):
    def answer(request: Request) -> Answer:
        if "if-none-match" in request.headers:
            return Answer(b"<rss>junk that is no business of a 304</rss>", 304, {"etag": '"1"'})
        return Answer(feed_of(item(str(len(stub.requests)), "Acme is fine")), headers={"etag": '"1"'})

    async with serve(answer) as stub:
        heard = listening(rss_table(stub.url))
        told = [await heard.collect(after=6 * HOUR) for _ in range(9)]  # two days
    assert [row["outcome"] for row in told].count("new") == 3
    assert len(heard.rows("posts")) == 3


async def test_fault_18_a_304_that_nobody_asked_for(listening):
    async with serve(in_turn(Answer(status=304))) as stub:
        heard = listening(rss_table(stub.url))
        told = await heard.collect()
    assert (told["outcome"], heard.cursor) == ("failed", None)
    assert "304" in told["error"]


def status_of(number: int, text: str = "Acme is fine", **more: Any) -> dict[str, Any]:
    """A Mastodon status."""
    uri = f"https://social.example/users/ada/statuses/{number}"
    account = {"id": "1", "acct": "ada", "note": ""}
    return {
        "id": str(number), "uri": uri, "url": uri, "content": f"<p>{text}</p>", "account": account, "reblog": None,
        "created_at": (NOW - timedelta(minutes=100_000 - number)).isoformat(), "visibility": "public", **more,
    }  # fmt: skip


class Instance:
    """A Mastodon instance with one public timeline. loops: its Link header always leads to the same place."""

    def __init__(self, *numbers: int, size: int = 40, loops: bool = False) -> None:
        self.numbers, self.size, self.loops = list(numbers), size, loops

    def __call__(self, request: Request) -> Answer:
        if request.path == "/api/v2/instance":
            return answer_of({"domain": "social.example"})
        there = sorted(self.numbers, reverse=True)
        if "min_id" in request.query:
            page = [number for number in there if number > int(request.query["min_id"])][-self.size :]
        else:
            page = [number for number in there if number < int(request.query.get("max_id", 10**9))][: self.size]
        if self.loops:
            page = there[: self.size]
        links = {"next": "max_id={}", "prev": "min_id={}"}
        ends = dict(zip(links, (page[-1], page[0]), strict=True)) if page else {}
        more = ", ".join(f'<https://x/?{links[name].format(end)}>; rel="{name}"' for name, end in ends.items())
        return Answer(json.dumps([status_of(number) for number in page]).encode(), headers={"link": more})


def instance_options(url: str, **more: Any) -> mastodon.Options:
    return mastodon.Options(id="m", source="mastodon", url=url, **more)


async def test_fault_19_a_cursor_that_comes_again_ends_the_reading():
    async with serve(Instance(1, 2, 3, loops=True)) as stub:
        first = await listen(mastodon, instance_options(stub.url))
        again = await listen(mastodon, instance_options(stub.url), cursor=first[-1].cursor)
    assert len(posts(first)) == 3
    assert len(stub.requests) <= 8
    assert not [page.capped for page in first + again if page.capped]


async def test_fault_19_a_short_page_is_not_the_end_and_an_empty_one_is():
    async with serve(Instance(*range(1, 20), size=1)) as stub:  # one a page, though forty were asked for
        found = posts(await listen(mastodon, instance_options(stub.url)))
    assert len(found) == 19
    assert len(stub.requests) == 1 + 19 + 1


async def test_fault_19_every_page_names_the_same_next_page():
    view = {"post": {"id": 1, "ap_id": "https://l.example/1", "name": "Acme", "published": "2026-11-20T10:00:00"},
            "creator": {"name": "ada", "actor_id": "https://l.example/u/ada"}}  # fmt: skip
    same = answer_of({"posts": [view], "comments": [], "next_page": "P1"})
    async with serve(lambda _: same) as stub:
        feed = lemmy.Options(id="l", source="lemmy", url=stub.url, max_requests=50)
        pages = await listen(lemmy, feed)
    assert len(posts(pages)) == 1
    assert len(stub.requests) < 8


class Archive:
    """Hacker News' search, which gives a thousand hits a query and no more (algolia/hn-search#230)."""

    def __init__(self, hits: list[dict[str, Any]]) -> None:
        self.hits = sorted(hits, key=lambda found: -found["created_at_i"])

    def __call__(self, request: Request) -> Answer:
        first, last = map(int, re.findall(r"[<>]=(\d+)", request.query["numericFilters"]))
        within = [found for found in self.hits if first <= found["created_at_i"] <= last]
        return answer_of({"hits": within[:1000], "nbHits": len(within)})


async def test_fault_20_results_that_stop_at_a_thousand():
    archive = Archive([hit(n, T - 10 * n) for n in range(2_500)])
    async with serve(archive) as stub:
        pages = await listen(hackernews, hackernews.Options(id="hn", source="hackernews", url=stub.url))
    assert len(posts(pages)) == 2_500
    assert not [page.capped for page in pages if page.capped]


async def test_fault_20_what_cannot_be_had_is_said(listening):
    crowd, others = [hit(n, T - 7) for n in range(1_200)], [hit(n, T - 9) for n in range(2_000, 2_010)]
    async with serve(Archive(crowd + others)) as stub:
        heard = listening(f'id = "hn"\nsource = "hackernews"\nurl = "{stub.url}"\nkeep = "all"')
        told = await heard.collect()
    assert (told["outcome"], told["posts"]) == ("capped", 1_010)
    assert f"second {T - 7}" in told["error"]


async def test_fault_21_a_replay_of_what_was_read_is_stored_once(listening):
    instance = Instance(*range(1, 30))
    async with serve(instance) as stub:
        heard = listening(f'id = "m"\nsource = "mastodon"\nurl = "{stub.url}"\nkeep = "all"')
        await heard.collect()
        instance.numbers.append(30)
        told = await heard.collect(after=HOUR)
        assert (told["outcome"], told["posts"]) == ("new", 1)
        assert (await heard.collect(after=HOUR))["posts"] == 0
    assert len(heard.rows("posts")) == 30


async def test_fault_21_the_item_that_we_stopped_at_was_deleted():
    instance = Instance(*range(1, 60))
    async with serve(instance) as stub:
        first = await listen(mastodon, instance_options(stub.url))
        instance.numbers = [*range(1, 15), *range(60, 70)]  # with all that the cursor names
        second = await listen(mastodon, instance_options(stub.url), cursor=first[-1].cursor)
    assert {post["post_id"].rpartition("/")[2] for post in posts(second)} >= {str(number) for number in range(60, 70)}


async def test_fault_21_what_lies_between_two_visits_is_not_skipped():
    instance = Instance(*range(1, 10))
    async with serve(instance) as stub:
        first = await listen(mastodon, instance_options(stub.url))
        instance.numbers += range(10, 210)  # five pages: since_id would give the newest only
        second = await listen(mastodon, instance_options(stub.url), cursor=first[-1].cursor)
    found = {post["post_id"].rpartition("/")[2] for post in posts(second)}
    assert found >= {str(number) for number in range(10, 210)}
    assert "since_id" not in "".join(str(request.query) for request in stub.requests)


async def test_fault_22_a_guid_that_is_missing_changes_or_is_everybodys(listening):
    link = "http://weekly.example/"
    before = [
        item(None, "Acme one", f"{link}1"),
        item("same", "Acme two", f"{link}2"),
        item("same", "Acme three", f"{link}3"),
        item(f"{link}4", "Acme four", f"{link}4"),
        item(None, "Acme five"),
        item("old", "Acme six", f"{link}6"),
    ]
    secure = [one.replace("http://weekly", "https://weekly") for one in before]
    renamed = [*secure[:5], secure[5].replace("old", "new")]
    async with serve(in_turn(*(Answer(feed_of(*items)) for items in (before, secure, renamed)))) as stub:
        heard = listening(rss_table(stub.url))
        assert (await heard.collect())["posts"] == 6
        assert (await heard.collect(after=HOUR))["posts"] == 0  # http or https: the same entries
        await heard.collect(after=HOUR)
    assert len({row["post_id"] for row in heard.rows("posts")}) == 6  # another guid: the same entry


async def test_fault_22_feeds_are_never_merged(listening):
    async with serve(in_turn(Answer(feed_of(item("1", "Acme is fine", "https://weekly.example/1"))))) as stub:
        heard = listening(rss_table(f"{stub.url}/a", "a"), rss_table(f"{stub.url}/b", "b"))
        await heard.collect("a", "b")
    assert len({row["post_id"] for row in heard.rows("posts")}) == 2


@pytest.mark.parametrize(
    ("date", "published_at"),
    [
        ("Fri, 20 Nov 2026 10:00:00 GMT", NOW - 2 * HOUR),
        ("Fri, 20 Nov 2026 12:01:30 GMT", NOW + timedelta(seconds=90)),  # a clock somewhat ahead of ours
        ("Sat, 20 Nov 2027 10:00:00 GMT", NOW),
        ("Thu, 01 Jan 1970 00:00:00 GMT", NOW),
        ("Fri, 31 Dec 9999 23:59:59 GMT", NOW),
        ("Mon, 00 Jan 0000 00:00:00 GMT", NOW),
        ("yesterday", NOW),
        ("", NOW),
        (None, NOW),
    ],
)
async def test_fault_23_a_date_of_the_future_of_1970_or_none(date, published_at):
    async with serve(in_turn(Answer(feed_of(item("1", "Acme is fine", date=date))))) as stub:
        [page] = await listen(rss, rss_options(stub.url))
    [post] = posts([page])
    assert post["published_at"] == published_at
    assert not page.rejected


@pytest.mark.parametrize(
    ("date", "raw", "notes"),
    [
        ("Fri, 20 Nov 2026 10:00:00 GMT", None, {}),
        ("Sat, 20 Nov 2027 10:00:00 GMT", "2027-11-20T10:00:00+00:00", {"date not believed": 1}),
        ("Thu, 01 Jan 1970 00:00:00 GMT", "1970-01-01T00:00:00+00:00", {"date not believed": 1}),
        ("yesterday", "yesterday", {"date not believed": 1}),
        (None, "", {"no date told": 1}),
    ],
)
async def test_fault_23_what_was_told_for_a_date_is_kept_and_counted(listening, date, raw, notes):
    async with serve(in_turn(Answer(feed_of(item("1", "Acme is fine", date=date))))) as stub:
        heard = listening(rss_table(stub.url))
        told = await heard.collect()
    assert [post["published_raw"] for post in heard.rows("posts")] == [raw]
    assert dict(told["notes"] or ()) == notes


async def test_fault_23_feed_health_counts_the_dates_that_were_not_told_or_not_believed(listening):
    items = [item("1", "Acme is fine", date="yesterday"), item("2", "Acme is new", date=None), item("3", "Acme")]
    async with serve(in_turn(Answer(feed_of(*items)))) as stub:
        heard = listening(rss_table(stub.url))
        await heard.collect()
    assert heard.health()["notes_7d"] == {"date not believed": 1, "no date told": 1}


async def test_fault_23_an_api_that_dates_a_post_by_words_or_years_ahead():
    statuses = [status_of(1, created_at="2031-01-01T00:00:00Z"), status_of(2, created_at="soon")]
    async with serve(lambda request: answer_of(statuses if "timelines" in request.path else {})) as stub:
        pages = await listen(mastodon, instance_options(stub.url))
    assert [post["published_raw"] for post in posts(pages)] == ["2031-01-01T00:00:00+00:00", "soon"]
    assert sum((Counter(page.notes) for page in pages), Counter()) == {"date not believed": 2}


async def test_fault_24_one_bad_item_goes_to_quarantine_and_the_page_goes_on(listening):
    hits = [hit(n, T - n) for n in range(1, 41)]
    hits += [hit(9007199254740993, T - 50), hit(50, T - 51, "Acme \u0000 is \ud800 odd"), hit(51, T - 52, points=NAN)]
    hits += [{"comment_text": "Acme", "created_at_i": T}, hit(52, T - 53, comment_text=None)]
    async with serve(Archive(hits)) as stub:
        heard = listening(f'id = "hn"\nsource = "hackernews"\nurl = "{stub.url}"\nkeep = "all"')
        told = await heard.collect()
    stored = {row["post_id"]: row for row in heard.rows("posts")}
    assert (told["outcome"], len(stored), dict(told["left_out"])) == ("new", 43, {"rejected": 2})
    assert "hackernews:9007199254740993" in stored  # no float in between
    assert stored["hackernews:50"]["text"] == "Acme is \ufffd odd"
    assert stored["hackernews:51"]["likes"] is None
    assert len(heard.rows("rejects")) == 2


async def test_fault_24_too_many_bad_items_are_a_failure_that_is_heard(listening):
    def items(*names: str) -> Answer:
        bad = {"id": 1, "content_html": 7}
        found = [{"id": name, "content_text": f"Acme {name}"} if name else bad for name in names]
        return answer_of({"version": "https://jsonfeed.org/version/1.1", "items": found})

    async with serve(in_turn(items("a"), items("a", "b", *[""] * 20), items("a", "b"))) as stub:
        heard = listening(rss_table(stub.url))
        await heard.collect()
        before = heard.cursor
        told = await heard.collect(after=HOUR)
        assert (told["outcome"], heard.cursor) == ("failed", before)
        assert "20 of 22 items cannot be read" in told["error"]
        assert sorted(heard.titles) == ["Acme a", "Acme b"]  # what could be read is not lost
        assert (await heard.collect(after=HOUR))["outcome"] in ("empty", "unchanged")
    assert len(heard.rows("rejects")) >= 1


def forum_post(number: int, cooked: Any = "<p>Acme is fine</p>", **more: Any) -> dict[str, Any]:
    """A post of a Discourse forum."""
    return {
        "id": number, "topic_id": 1, "post_number": number, "username": "ada", "cooked": cooked, "version": 1,
        "created_at": "2026-11-20T10:00:00Z", "updated_at": "2026-11-20T10:00:00Z", "topic_title": "Routers", **more,
    }  # fmt: skip


async def test_fault_25_what_is_edited_or_deleted_after_the_visit(listening):
    shown = [forum_post(1), forum_post(2), forum_post(3)]

    def answer(request: Request) -> Answer:
        below = [post for post in shown if post["id"] < int(request.query.get("before", 10**9))]
        return answer_of({"latest_posts": below[::-1]})

    async with serve(answer) as stub:
        heard = listening(f'id = "d"\nsource = "discourse"\nurl = "{stub.url}"\nkeep = "all"')
        await heard.collect()
        shown[0] = forum_post(1, "<p>Acme is bad</p>", version=2, updated_at="2026-11-20T11:00:00Z")
        shown[1] = forum_post(2, None, username=None, user_deleted=True)
        shown[2] = forum_post(3, None, username=None)  # gone without a word: no reason to forget it
        told = await heard.collect(after=HOUR)
    assert (told["posts"], dict(told["left_out"])["rejected"]) == (2, 1)
    versions: dict[str, list[dict]] = {}
    for post in heard.rows("posts"):
        versions.setdefault(post["post_id"].rpartition(":")[2], []).append(post)
    assert [post["text"] for post in versions["1"]] == ["Acme is fine", "Acme is bad"]
    assert [(post["text"], post["deleted"]) for post in versions["3"]] == [("Acme is fine", False)]
    _, tombstone = versions["2"]
    assert tombstone["deleted"]
    assert not any(tombstone[column] for column in ("text", "title", "author"))


async def test_fault_25_what_is_deleted_after_the_last_visit_that_would_have_seen_it(listening):
    hits = [hit(n, T - n) for n in (1, 2, 3)]
    gone = {"/v0/item/2.json": b"null", "/v0/item/3.json": b'{"id": 3, "deleted": true}'}

    def answer(request: Request) -> Answer:
        if request.path.startswith("/v0/item/"):
            return Answer(gone.get(request.path, b'{"id": 1, "type": "comment"}'))
        return answer_of({"hits": hits, "nbHits": len(hits)})

    async with serve(answer) as stub:
        heard = listening(f'id = "hn"\nsource = "hackernews"\nurl = "{stub.url}"\nitems_url = "{stub.url}/v0"\n')
        await heard.collect()
        [told] = await heard.sweep(after=24 * HOUR)
        assert (told["outcome"], told["posts"]) == ("new", 2)
        assert {row["post_id"][-1]: row["text"] for row in heard.rows("posts") if row["deleted"]} == {"2": "", "3": ""}
        assert await heard.sweep(after=HOUR) == []
        [again] = await heard.sweep(after=6 * 24 * HOUR)
    assert again["requests"] == 1  # what is gone is not asked for again


async def test_fault_25_what_is_taken_down_by_name_leaves_a_tombstone(listening, monkeypatch):
    """Some sources name only the post, or the author with all posts."""
    source = ModuleType("listener_of_these_tests")
    authors = {"1": "bob", "2": "ada", "3": "bob"}

    async def pages(visit: Visit) -> AsyncIterator[Page]:
        def to_post(name: str) -> dict[str, Any]:
            said = f"Acme {name}"
            return row(visit, post_id=f"takes:{name}", kind="post", text=said, account=authors[name], published_at=NOW)

        if visit.cursor is None:
            yield to_page(visit, authors, to_post, cursor="1")
        elif visit.cursor == "1":
            yield empty_page("2", taken_down=TakenDown(posts=frozenset({"takes:1", "takes:never stored"})))
        else:
            yield empty_page("3", taken_down=TakenDown(authors=frozenset({visit.pseudonym("ada")})))

    vars(source).update(Options=FeedOptions, pages=pages)
    monkeypatch.setitem(sys.modules, source.__name__, source)
    monkeypatch.setitem(registry.SOURCES, "takes", source.__name__)
    heard = listening('id = "t"\nsource = "takes"\nkeep = "all"')
    assert [(await heard.collect(after=HOUR))["posts"] for _ in range(3)] == [3, 1, 1]
    standing = {post["post_id"]: post for post in heard.rows("posts")}
    assert [name for name, post in sorted(standing.items()) if post["deleted"]] == ["takes:1", "takes:2"]
    assert not any(post["text"] or post["author"] for post in standing.values() if post["deleted"])


async def test_more_views_as_a_person_writes_them_are_no_number():
    """Telegram shows 37.2K: what is no whole number is left out rather than guessed."""
    views = '<media:community><media:statistics views="{}"/></media:community>'
    space = 'version="2.0" xmlns:media="http://search.yahoo.com/mrss/"'
    items = [item("1", "Acme").replace("</item>", f"{views.format(said)}</item>") for said in ("37.2K", "372")]
    body = feed_of(items[0], items[1].replace(">1<", ">2<")).replace(b'version="2.0"', space.encode())
    async with serve(in_turn(Answer(body))) as stub:
        first, second = posts(await listen(rss, rss_options(stub.url)))
    assert (first["views"], second["views"]) == (None, 372)


@pytest.mark.parametrize("illegal", [b"\xff", b"\xc3", b"\x01", b"\t", b"\n", b"\x00", b"\x1f", b"\xed\xa0\x80"])
async def test_more_json_with_illegal_bytes(illegal):
    """GDELT's holds control characters; the page must not be lost for one of them."""
    body = json.dumps({"hits": [hit(1, T, "Acme @ is fine"), hit(2, T - 1)], "nbHits": 2}).encode()
    async with serve(in_turn(Answer(body.replace(b"@", illegal)))) as stub:
        found = posts(await listen(hackernews, hackernews.Options(id="hn", source="hackernews", url=stub.url)))
    assert len(found) == 2
    assert re.fullmatch(r"Acme\s*\ufffd*\s*is fine", found[0]["text"])


async def test_more_a_feed_of_a_megabyte_and_a_half():
    words = "<![CDATA[<p>" + "Acme sends its router a week late, and then another one. " * 25 + "</p>]]>"
    story = f"<description>{words}</description></item>"
    body = feed_of(*(item(str(n), f"Acme {n}").replace("</item>", story) for n in range(1_050)))
    assert len(body) > 1_600_000
    async with serve(in_turn(Answer(body))) as stub:
        began = time.process_time()
        [page] = await listen(rss, rss_options(stub.url))
    assert page.posts.num_rows == 1_050
    assert time.process_time() - began < 10


async def test_more_one_review_alone_and_a_next_page_in_another_format():
    """The App Store's JSON gives a single entry as an object, no dates, and a `next` that leads to XML: XML is read."""
    review = (
        '<entry><id>7</id><title>Late again</title><content type="text">Acme is late</content><im:rating>2</im:rating>'
        "<updated>2026-11-20T03:00:00-07:00</updated><author><name>ada</name></author></entry>"
    )
    start = '<feed xmlns:im="http://itunes.apple.com/rss" xmlns="http://www.w3.org/2005/Atom"><title>Reviews</title>'
    onward = '<link rel="next" href="https://elsewhere.example/page=2/json"/>'

    def answer(request: Request) -> Answer:
        shown = review if "page=1/" in request.path else ""
        return Answer(f"{start}{onward}{shown}</feed>".encode(), headers={"content-type": "text/xml"})

    async with serve(answer) as stub:
        feed = appstore.Options(id="app", source="appstore", url=stub.url, apps=("1",), countries=("gb",))
        [post] = posts(await listen(appstore, feed))
    assert (post["text"], post["rating"], post["published_at"]) == ("Acme is late", 0.25, NOW - 2 * HOUR)
    assert all(request.path.endswith("/xml") for request in stub.requests)


async def test_more_a_shop_that_shows_nothing_is_not_believed(listening):
    """Some addresses get an App Store without reviews (FAULTS 7)."""
    empty = b'<feed xmlns="http://www.w3.org/2005/Atom"><title>Reviews</title></feed>'
    async with serve(in_turn(Answer(empty, headers={"content-type": "text/xml"}))) as stub:
        table = f'id = "app"\nsource = "appstore"\nurl = "{stub.url}"\napps = ["1"]\ncountries = ["gb"]\nkeep = "all"'
        heard = listening(table)
        told = await heard.collect()
    assert told["outcome"] == "empty"
    assert told["posts"] == 0
