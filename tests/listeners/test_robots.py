"""robots.txt is read and obeyed as RFC 9309 has it."""

import httpx
import pytest
from listening import Clock, asking, polite
from stub_server import Answer, serve

from listeners.feed import FeedBlocked, FeedUnavailable
from listeners.robots import refuse_unless_allowed

RULES = b"""\
User-agent: *
Disallow: /private
Allow: /private/open
Disallow: /*.json$

User-agent: greedy-bot
Disallow: /
"""


@pytest.mark.parametrize("path", ["/", "/public", "/private/open/1", "/a.json?page=2", "/robots.txt"])
async def test_what_is_allowed_may_be_asked_for(path):
    async with asking(lambda _: Answer(RULES)) as (client, stub):
        await refuse_unless_allowed(client, f"{stub.url}{path}")
    assert [request.path for request in stub.requests] == ["/robots.txt"]


@pytest.mark.parametrize("path", ["/private", "/private/1", "/a.json"])
async def test_what_is_not_is_refused_with_what_to_do(path):
    async with asking(lambda _: Answer(RULES)) as (client, stub):
        with pytest.raises(FeedBlocked, match=f"hn: robots.txt of 127.0.0.1 disallows {path} .*ask the site's owner"):
            await refuse_unless_allowed(client, f"{stub.url}{path}")


async def test_rules_that_name_us_count_in_place_of_those_for_all():
    named = b"User-agent: *\nDisallow: /\n\nUser-agent: Word-of-Mouse\nDisallow: /private\n"
    async with asking(lambda _: Answer(b"\xef\xbb\xbf" + named)) as (client, stub):
        await refuse_unless_allowed(client, f"{stub.url}/public")
        with pytest.raises(FeedBlocked):
            await refuse_unless_allowed(client, f"{stub.url}/private")


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 451])
async def test_a_site_without_rules_allows_everything(status):
    async with asking(lambda _: Answer(b"User-agent: *\nDisallow: /", status=status)) as (client, stub):
        await refuse_unless_allowed(client, f"{stub.url}/anything")


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_a_site_that_cannot_tell_allows_nothing_for_now(status):
    async with asking(lambda _: Answer(status=status)) as (client, stub):
        with pytest.raises(FeedUnavailable):
            await refuse_unless_allowed(client, f"{stub.url}/anything")


async def test_a_page_for_people_in_place_of_rules_is_no_leave():
    async with asking(lambda _: Answer(b"<!doctype html><title>Are you a robot?</title>")) as (client, stub):
        with pytest.raises(FeedBlocked, match="a web page where a file is due"):
            await refuse_unless_allowed(client, f"{stub.url}/anything")


async def test_rules_are_kept_for_a_day_and_not_shared_between_clients():
    clock = Clock()
    async with serve(lambda _: Answer(RULES)) as stub:
        async with polite(clock) as client:
            for hours in (0, 10, 13, 2):
                clock.passed += hours * 3600
                await refuse_unless_allowed(client.visit("a"), f"{stub.url}/public")
                await refuse_unless_allowed(client.visit("b"), f"{stub.url}/public")
            assert len(stub.requests) == 2
        async with polite(clock) as another:
            await refuse_unless_allowed(another.visit("a"), f"{stub.url}/public")
    assert len(stub.requests) == 3


@pytest.mark.parametrize(("asked", "waited"), [("7", 7), ("0.5", 1), ("9999", 60), ("soon", 1)])
async def test_a_crawl_delay_keeps_requests_apart(asked, waited):
    rules = f"User-agent: *\nCrawl-delay: {asked}\n".encode()

    async def resolve(host: str, port: int) -> list[str]:
        return ["1.1.1.1"]

    def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, stream=httpx.ByteStream(rules))

    clock = Clock()
    async with polite(clock, resolve=resolve, transport=httpx.MockTransport(answer)) as client:
        for _ in range(3):
            await refuse_unless_allowed(client.visit("a"), "https://site.example/x")
            await client.visit("a").get("https://site.example/x", expect="file")
    assert clock.passed == pytest.approx(3 * waited)


async def test_only_the_first_half_megabyte_of_rules_is_read():
    long = RULES + b"# a comment\n" * 100_000 + b"User-agent: *\nDisallow: /\n"
    async with asking(lambda _: Answer(long)) as (client, stub):
        await refuse_unless_allowed(client, f"{stub.url}/public")
