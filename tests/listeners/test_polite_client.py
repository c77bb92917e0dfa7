"""The shared client against a server on loopback that does what servers do."""

import asyncio
import gzip
import re
import ssl
from datetime import timedelta

import httpx
import pytest
from listening import NOW, Clock, asking, polite
from stub_server import Answer, serve

from listeners.feed import FeedBlocked, FeedFormatChanged, FeedGone, FeedUnavailable
from listeners.http import PoliteClient
from listeners.limits import Limits
from listeners.reply import Validators
from listeners.shown import shown

QUICK = Limits(connect_seconds=0.5, read_seconds=0.3, answer_seconds=0.5)


def in_turn(*answers):
    """Give these answers one after the other, the last one for ever."""
    left = list(answers)
    return lambda request: left.pop(0) if len(left) > 1 else left[0]


GOOD = Answer(b'{"ok": 1}', headers={"content-type": "application/json"})


async def test_a_request_says_who_we_are_and_asks_for_what_is_expected():
    async with serve(lambda _: GOOD) as stub, polite(Clock(), contact="ops@example.com") as client:
        reply = await client.visit("hn").get(f"{stub.url}/a?x=1", {"query": "acme & co"})
    [request] = stub.requests
    assert reply.json() == {"ok": 1}
    assert (request.path, request.query) == ("/a", {"x": "1", "query": "acme & co"})
    assert re.fullmatch(r"word-of-mouse/\S+ \(\+ops@example\.com\)", request.headers["user-agent"])
    assert request.headers["accept"] == "application/json"
    assert request.headers["accept-encoding"] == "gzip, deflate"


async def test_requests_and_decoded_bytes_are_counted():
    body = gzip.compress(b'{"a": "' + b"x" * 993 + b'"}')
    answer = Answer(body, headers={"content-encoding": "gzip"})
    async with asking(in_turn(Answer(status=503), answer)) as (client, stub):
        await client.get(stub.url)
        assert (client.requests, client.bytes) == (2, 1002)


async def test_validators_go_back_exactly_as_they_came():
    odd = 'W/"Größe \xe9"'
    headers = {"etag": odd, "last-modified": "yesterday, about noon"}
    async with asking(in_turn(Answer(b"{}", headers=headers), Answer(status=304, body=b"junk"))) as (client, stub):
        first = await client.get(stub.url)
        second = await client.get(stub.url, validators=first.validators)
    assert first.validators == Validators(odd, "yesterday, about noon")
    assert stub.requests[1].headers["if-none-match"] == odd
    assert stub.requests[1].headers["if-modified-since"] == "yesterday, about noon"
    assert (second.status, second.body) == (304, b"")


async def test_a_304_that_nobody_asked_for_is_an_error():
    async with asking(in_turn(Answer(status=304))) as (client, stub):
        with pytest.raises(FeedUnavailable, match="304"):
            await client.get(stub.url)


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
async def test_a_passing_failure_is_asked_again_with_growing_waits(status):
    clock = Clock()
    async with asking(in_turn(Answer(status=status), Answer(status=status), GOOD), clock) as (client, stub):
        assert (await client.get(stub.url)).status == 200
    first, second = clock.slept
    assert 0.25 <= first <= 0.5 <= second <= 1.0


async def test_retries_end():
    async with asking(in_turn(Answer(status=503))) as (client, stub):
        with pytest.raises(FeedUnavailable, match=r"^hn: http.*: 503 Service Unavailable \(tried 4 times\)") as raised:
            await client.get(stub.url)
    assert len(stub.requests) == 4
    assert raised.value.retry_at is None


async def test_retries_end_by_time_as_well():
    limits = Limits(attempts=100, retry_seconds=100)
    clock = Clock()
    async with asking(in_turn(Answer(status=503, headers={"retry-after": "30"})), clock, limits) as (client, stub):
        with pytest.raises(FeedUnavailable):
            await client.get(stub.url)
    assert len(stub.requests) == 4
    assert clock.passed <= 100


async def test_a_wait_that_the_server_asks_for_is_kept():
    clock = Clock()
    async with asking(in_turn(Answer(status=429, headers={"Retry-After": "40"}), GOOD), clock) as (client, stub):
        await client.get(stub.url)
    assert 40 <= clock.slept[0] <= 41


async def test_a_long_wait_ends_the_visit_and_says_when_to_come_back():
    reset = (NOW + timedelta(minutes=5)).isoformat()
    answer = Answer(status=429, headers={"X-RateLimit-Reset": reset, "X-RateLimit-Remaining": "0"})
    async with asking(in_turn(answer)) as (client, stub):
        with pytest.raises(FeedUnavailable) as raised:
            await client.get(stub.url)
    assert raised.value.retry_at == NOW + timedelta(minutes=5)
    assert len(stub.requests) == 1


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Answer(status=401), FeedBlocked),
        (Answer(b"<html><title>Sign in</title>", 403), FeedBlocked),
        (Answer(b"<!doctype html><title>Just a moment...</title>"), FeedBlocked),
        (Answer(status=404), FeedUnavailable),
        (Answer(status=410), FeedGone),
        (Answer(b'{"error": "no such parameter"}', 400), FeedFormatChanged),
        (Answer(status=521), FeedUnavailable),
    ],
)
async def test_what_cannot_be_mended_by_asking_again_is_raised_at_once(answer, error):
    async with asking(in_turn(answer)) as (client, stub):
        with pytest.raises(error):
            await client.get(stub.url)
    assert len(stub.requests) == 1


async def test_a_page_for_people_is_shown_by_its_title():
    async with asking(in_turn(Answer(b"<html><title>Just a moment...</title>"))) as (client, stub):
        with pytest.raises(FeedBlocked, match=r"web page where JSON is due, titled 'Just a moment\.\.\.'"):
            await client.get(stub.url)


async def test_a_403_that_names_a_time_is_a_limit():
    headers = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(int(NOW.timestamp()) + 20)}
    clock = Clock()
    async with asking(in_turn(Answer(status=403, headers=headers), GOOD), clock) as (client, stub):
        assert (await client.get(stub.url)).status == 200
    assert clock.slept[0] >= 20


async def test_a_status_that_the_listener_wants_to_see_is_an_answer():
    async with asking(in_turn(Answer(b"<html>", 404))) as (client, stub):
        assert (await client.get(stub.url, answers={404})).status == 404


@pytest.mark.parametrize(
    "broken",
    [
        Answer(b"x" * 100, cut=50),
        Answer(raw=b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n[1,2,\r\n"),
        Answer(gzip.compress(b"[1]" * 1000)[:-9], headers={"content-encoding": "gzip"}),
        Answer(raw=b""),
        Answer(raw=b"SSH-2.0-OpenSSH_9\r\n"),
        Answer(b"[1]", delay=2),
        Answer(b"[1]" * 100, drip=0.1),
    ],
    ids=["cut", "chunks end", "gzip ends", "reset", "no HTTP", "silence", "drip"],
)
async def test_an_answer_that_does_not_come_whole_is_asked_for_again(broken):
    async with asking(in_turn(broken, Answer(b"[1]")), limits=QUICK) as (client, stub):
        assert (await client.get(stub.url)).json() == [1]
    assert len(stub.requests) == 2


async def test_a_partial_answer_is_never_returned():
    async with asking(in_turn(Answer(b"[1]" * 20, cut=3)), limits=QUICK) as (client, stub):
        with pytest.raises(FeedUnavailable):
            await client.get(stub.url)


async def test_nobody_listening_is_unavailable():
    async with serve(lambda _: GOOD) as stub:
        pass
    async with polite(Clock()) as client:
        with pytest.raises(FeedUnavailable, match="ConnectError"):
            await client.visit("hn").get(stub.url)


async def test_a_body_beyond_the_limit_is_refused_and_not_asked_again():
    bomb = Answer(gzip.compress(b" " * 50_000_000), headers={"content-encoding": "gzip"})
    async with asking(in_turn(bomb)) as (client, stub):
        with pytest.raises(FeedFormatChanged, match="200 times"):
            await client.get(stub.url)
    assert len(stub.requests) == 1


async def test_redirects_are_followed_and_counted():
    def answer(request):
        hops = int(request.path.strip("/") or 0)
        return Answer(status=302, headers={"location": f"/{hops + 1}"}) if hops < 5 else GOOD

    async with asking(answer) as (client, stub):
        reply = await client.get(f"{stub.url}/0")
        assert reply.url == f"{stub.url}/5"
        assert client.requests == 6


async def test_redirects_in_a_circle_end():
    async with asking(in_turn(Answer(status=301, headers={"location": "/again"}))) as (client, stub):
        with pytest.raises(FeedBlocked, match="more than 5 redirects"):
            await client.get(stub.url)
    assert len(stub.requests) == 6


@pytest.mark.parametrize(
    "location",
    ["file:///etc/passwd", "ftp://example.com/", "gopher://127.0.0.1/", "http://169.254.169.254/", "http://10.0.0.1/x"],
)
async def test_a_redirect_leads_nowhere_that_a_feed_may_not(location):
    async with asking(in_turn(Answer(status=302, headers={"location": location}))) as (client, stub):
        with pytest.raises(FeedBlocked, match="refused"):
            await client.get(stub.url)
    assert len(stub.requests) == 1


async def test_a_redirect_to_a_port_that_cannot_be_is_no_bug_of_ours():
    async with asking(in_turn(Answer(status=302, headers={"location": "http://127.0.0.1:99999/"}))) as (client, _):
        with pytest.raises(FeedFormatChanged, match="not a URL"):
            await client.get("http://127.0.0.1:99999/")


async def test_loopback_is_refused_unless_it_is_listed():
    async with serve(lambda _: GOOD) as stub, PoliteClient() as client:
        for url in (stub.url, stub.url.replace("127.0.0.1", "localhost"), stub.url.replace("127.0.0.1", "2130706433")):
            with pytest.raises(FeedBlocked, match=r"refused: \S+ is at \S+, a loopback address.*allow_hosts"):
                await client.visit("hn").get(url)
    assert stub.requests == []


async def test_a_strangers_redirect_to_a_host_of_ours_is_refused():
    """Listing a host means that feeds may be there, not that the public may lead us there."""
    reached = []

    async def resolver(host, port):
        reached.append(host)
        return ["127.0.0.1"]

    async with serve(in_turn(Answer(status=302, headers={"location": "http://inside.example:1/"}))) as stub:
        port = stub.url.rsplit(":", 1)[1]
        hosts = frozenset({"outside.example"})
        async with polite(Clock(), allow_hosts=hosts, resolve=resolver) as client:
            with pytest.raises(FeedBlocked, match=r"inside\.example is at 127\.0\.0\.1"):
                await client.visit("hn").get(f"http://outside.example:{port}/")
    assert reached == ["outside.example", "inside.example"]


async def test_a_host_is_looked_up_once_and_asked_under_its_own_name():
    looked_up = []

    async def resolver(host, port):
        looked_up.append(host)
        return ["127.0.0.1"]

    async with serve(lambda _: GOOD) as stub:
        port = stub.url.rsplit(":", 1)[1]
        async with polite(Clock(), allow_hosts=frozenset({"feeds.example"}), resolve=resolver) as client:
            await client.visit("hn").get(f"http://feeds.example:{port}/x")
    assert looked_up == ["feeds.example"]
    assert stub.requests[0].headers["host"] == f"feeds.example:{port}"


async def test_a_dead_address_is_passed_over_and_remembered():
    async def resolver(host, port):
        return ["::1", "127.0.0.1"]  # the stub listens on the second only

    async with serve(lambda _: GOOD) as stub:
        port = stub.url.rsplit(":", 1)[1]
        async with polite(Clock(), allow_hosts=frozenset({"feeds.example"}), resolve=resolver) as client:
            for _ in range(2):
                assert (await client.visit("hn").get(f"http://feeds.example:{port}/")).status == 200


async def test_no_cookie_is_kept():
    async with asking(in_turn(Answer(b"{}", headers={"set-cookie": "seen=1; Path=/"}))) as (client, stub):
        await client.get(stub.url)
        await client.get(stub.url)
    assert "cookie" not in stub.requests[1].headers


async def test_what_is_said_about_a_url_keeps_its_secrets():
    url = "http://user:hunter2@127.0.0.1:1/feed?api_key=s3cret&token=t0ken&page=2"
    async with polite(Clock()) as client:
        with pytest.raises(FeedUnavailable) as raised:
            await client.visit("hn").get(url)
    message = str(raised.value)
    assert "page=2" in message
    assert not any(secret in message for secret in ("hunter2", "s3cret", "t0ken", "user"))
    assert shown("https://example.com/a?x=1#part") == "https://example.com/a?x=1"
    assert shown("http://user:hunter2@[::1/") == "(not a URL)"


async def test_no_log_names_a_url_with_its_secrets(caplog):
    caplog.set_level("INFO")
    async with serve(lambda _: GOOD) as stub, polite(Clock()) as client:
        await client.visit("hn").get(stub.url.replace("//", "//user:hunter2@") + "/?token=t0ken")
    assert not any(secret in caplog.text for secret in ("hunter2", "t0ken"))


async def test_user_and_password_of_a_url_are_sent_to_its_host_only():
    async with serve(lambda _: GOOD) as other:

        def answer(request):
            return Answer(status=302, headers={"location": other.url})

        async with serve(answer) as stub, polite(Clock()) as client:
            await client.visit("hn").get(stub.url.replace("//", "//user:pass@"), headers={"Authorization": "Bearer x"})
    assert stub.requests[0].headers["authorization"]
    assert "authorization" not in other.requests[0].headers


async def test_what_is_not_json_says_so_with_its_start():
    async with asking(in_turn(Answer(b"Too many requests, my friend"))) as (client, stub):
        with pytest.raises(FeedFormatChanged, match=r"not JSON.*'Too many requests"):
            (await client.get(stub.url)).json()
        deep = Answer(b"[" * 100_000)
    async with asking(in_turn(deep)) as (client, stub):
        with pytest.raises(FeedFormatChanged, match="not JSON"):
            (await client.get(stub.url)).json()


async def test_one_bad_byte_spoils_a_letter_and_not_the_page():
    async with asking(in_turn(Answer(b'\xef\xbb\xbf{"text": "caf\xe9"}'))) as (client, stub):
        assert (await client.get(stub.url)).json() == {"text": "caf�"}


class Public:
    """A public host, as far as the client can tell: not spared, and answered without a network."""

    def __init__(self, status: int, headers: dict[str, str] | None = None) -> None:
        self.asked = 0
        self.given = (status, headers)

    async def resolve(self, host: str, port: int) -> list[str]:
        return ["1.1.1.1"]

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.asked += 1
        status, headers = self.given
        return httpx.Response(status, headers=headers, stream=httpx.ByteStream(b"[]"))

    def client(self, clock: Clock):
        return polite(clock, resolve=self.resolve, transport=httpx.MockTransport(self.answer))


async def test_a_host_that_asks_for_quiet_gets_it_from_all_feeds():
    host = Public(429, {"retry-after": "600"})
    async with host.client(Clock()) as client:
        for feed in ("one", "two"):
            with pytest.raises(FeedUnavailable) as raised:
                await client.visit(feed).get(f"https://busy.example/{feed}")
            assert raised.value.retry_at == NOW + timedelta(seconds=600)
    assert host.asked == 1


async def test_the_last_request_of_a_window_holds_the_next_until_the_window_opens():
    clock = Clock()
    host = Public(200, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": (NOW + timedelta(seconds=50)).isoformat()})
    async with host.client(clock) as client:
        for _ in range(2):
            await client.visit("hn").get("https://limited.example/")
    assert clock.passed >= 50


async def test_requests_to_a_public_host_keep_their_distance():
    clock = Clock()
    async with Public(200).client(clock) as client:
        for _ in range(3):
            assert (await client.visit("hn").get("https://slow.example/")).json() == []
    assert clock.passed == pytest.approx(2.0)


async def test_a_certificate_is_asked_for_by_the_name_and_not_by_the_address():
    named = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)  # without a certificate: the name comes first
    context.sni_callback = lambda _socket, name, _context: named.append(name)
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0, ssl=context)

    async def resolver(host, port):
        return ["127.0.0.1"]

    async with server, polite(Clock(), allow_hosts=frozenset({"feeds.example"}), resolve=resolver) as client:
        with pytest.raises(FeedUnavailable):
            await client.visit("hn").get(f"https://feeds.example:{server.sockets[0].getsockname()[1]}/")
    assert set(named) == {"feeds.example"}
