"""The fast path for plain feeds against feedparser: whatever it answers, it answers the same."""

import random
import time
from datetime import UTC, datetime
from xml.sax.saxutils import escape, quoteattr

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from listening import RECORDED

from listeners import fast_feed, json_feed, rss
from listeners.feed_server import make_world
from listeners.feed_server import rss as served
from listeners.feed_text import decode

URL = "https://f.example/a/feed.xml"

NAMESPACES = (
    'xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:dc="http://purl.org/dc/elements/1.1/"'
    ' xmlns:slash="http://purl.org/rss/1.0/modules/slash/" xmlns:media="http://search.yahoo.com/mrss/"'
    ' xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd" xmlns:thr="http://purl.org/syndication/thread/1.0"'
    ' xmlns:wfw="http://wellformedweb.org/CommentAPI/" xmlns:sy="http://purl.org/rss/1.0/modules/syndication/"'
    ' xmlns:atom="http://www.w3.org/2005/Atom"'
)


def differences(text: str, url: str = URL) -> list[str] | None:
    """What the two tell differently of a document; None where the fast path leaves it to feedparser."""
    fast = fast_feed.read(text, url)
    if fast is None:
        return None
    document = rss.read_document(text, url)
    slow = [document.as_entry(item) for item in document.items]
    told = [
        f"{name}: {getattr(one, name)!r}, not {getattr(other, name)!r}"
        for one, other in zip(fast.entries, slow, strict=True)
        for name in vars(one)
        if getattr(one, name) != getattr(other, name)
    ]
    of_feed = (fast.language, rss._asked(fast.asks), fast.author, None)
    told += [] if of_feed == (document.language, document.rest, document.author, document.broken) else [f"{of_feed}"]
    return told


def test_the_feed_servers_feeds_are_read_fast_and_the_same():
    now = datetime(2026, 11, 20, 12, tzinfo=UTC)
    world = make_world(seed=7, until=now, days=10, posts=900)
    for place in ("courier", "herald", "blog"):
        news = list(reversed(world.visible(now, place)[-60:]))
        body = served.atom_document(news) if place == "blog" else served.rss_document("News", "https://n.example", news)
        assert news
        assert differences(body.decode()) == []


def test_a_podcasts_and_a_weblogs_feed_are_read_fast_and_the_same():
    podcast = f"""<?xml version="1.0"?><rss version="2.0" {NAMESPACES}><channel><title>P</title>
    <language>en-us</language><itunes:owner><itunes:name>O</itunes:name><itunes:email>o@x.example</itunes:email></itunes:owner><ttl>60</ttl>
    <image><url>http://x.example/i.png</url><title>P</title><link>http://x.example/</link></image>
    <itunes:category text="A"><itunes:category text="B"/></itunes:category><atom:link href="http://x/" rel="self"/>
    <item><title>Acme &amp;amp; I</title><itunes:author>Jo</itunes:author>
    <itunes:summary>Plain &amp; long.</itunes:summary>
    <description>Short &lt;b&gt;one&lt;/b&gt;</description>
    <enclosure url="http://x.example/1.mp3" length="1" type="a/b"/>
    <guid>x-1</guid><pubDate>Thu, 20 Oct 2026 09:30:00 EDT</pubDate><itunes:duration>1:00</itunes:duration></item>
    <item><title>Größe – “Acme”</title><link>/two?a=1&amp;amp;b=2</link><guid isPermaLink="false">2</guid>
    <dc:creator>Ann</dc:creator><content:encoded><![CDATA[<p>All <a href="/x">of</a> it</p>]]></content:encoded>
    <description>Some</description><slash:comments>7</slash:comments><category>x</category></item></channel></rss>"""
    assert differences(podcast) == []
    weblog = """<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="en_GB"><author><name>Kim</name></author>
    <title>T</title><entry><id>tag:x,1</id><title type="html">A &amp;amp; b</title><link rel="enclosure" href="/a.mp3"/>
    <link href="../1"/><published>2026-11-20T09:30:00.5+01:00</published><updated>2026-11-20T10:00:00Z</updated>
    <summary>S</summary><content type="html">&lt;p&gt;C&lt;/p&gt;</content><category term="x"/></entry></feed>"""
    assert differences(weblog) == []


@pytest.mark.parametrize(
    "unusual",
    [
        "<foo/>",
        "<title>two</title>",
        "<title>a <b>b</b></title>",
        "<description type='text'>x</description>",
        "<link href='http://x.example/'/>",
        "<pubDate>2026-11-20</pubDate>",
        "<pubDate>Fri, 31 Feb 2026 09:30:00 GMT</pubDate>",
        "<author>jo@x.example (Jo)</author>",
        "<media:group/>",
        "<description xml:base='http://x.example/'>x</description>",
        "<atom:link href='http://x.example/'/>",
        "<dc:title>x</dc:title>",
        "<x:y xmlns:x='http://x.example/'/>",
        "<description xmlns='http://x.example/'>x</description>",
        "&undefined;",
        "<unclosed>",
    ],
)
def test_what_is_unusual_is_left_to_feedparser(unusual):
    text = f"<rss version='2.0' {NAMESPACES}><channel><item><title>A</title>{{}}</item></channel></rss>"
    assert fast_feed.read(text.format(""), URL) is not None
    assert fast_feed.read(text.format(unusual), URL) is None


def test_a_document_type_or_a_thing_of_too_many_parts_is_left_to_feedparser():
    assert fast_feed.read("<!DOCTYPE rss><rss version='2.0'><channel/></rss>", URL) is None
    assert fast_feed.read(f"<rss version='2.0'><channel>{'<a/>' * 100_000}</channel></rss>", URL) is None


TEXTS = (
    "", "Acme", " Acme  is\n ok ", "a < b & c", "I <3 Acme", "<p>Para <b>x</b></p>", "caf\u00e9 \u2019s",
    "caf\u00c3\u00a9",
    "&amp; x", "&#8217;", "AT&T; rocks", "x <br> y", "</foo>", "<foo>x</foo>", "&bogus; </b>", "\u00a0x\u00a0", "😀",
    '<a href="/rel">rel</a>', "a@b.example", "Jo (x)", "x" * 600, "<B>Up</B>", "\u00c3\u00a9&eacute;", "ein\u0085zwei",
)  # fmt: skip
ADDRESSES = (
    "http://a.example/1", "https://a.example/a?b=1&c=2", "/rel", "rel?x", "", "http://a.example", "http:///a.example/x",
    "https://a.example/?q=a&amp;b;", "//b.example/y", "?q", "#f", "urn:x:1", "tag:a.example,2026:p", "post-7", "http://[bad/",
    "http://a.example/a/../b", "  http://a.example/s ", "http://a.example/ü", "https://youtu.be/abc", "HTTP://A.example/",
    "http://a.example/;p?x", "http://a.example/x?",
)  # fmt: skip
DATES = (
    "Fri, 20 Nov 2026 09:30:00 +0100", "Sat, 1 Nov 2026 09:30:00 EST", "Thu, 20 Oct 2026 23:30:00 UTC", "", "nonsense",
    "Tue, 20 Oct 2026 23:30:00 -0730", "2026-11-20T09:30:00Z", "2026-11-20T09:30:00.123+05:30", "2026-11-20T24:00:00Z",
    "2026-11-20T09:30:00-00:30", "Fri, 20 Nov 2026 09:30:60 GMT", "0001-01-01T00:00:00+05:00", "2026-11-20",
)  # fmt: skip


def element(name: str, value: str, attributes: str, choose: random.Random) -> str:
    inside = f"<![CDATA[{value}]]>" if choose.random() < 0.3 else escape(value)
    return f"<{name}{attributes}>{inside}</{name}>"


def made_up(choose: random.Random) -> str:
    """A feed of well-known elements, any of them in any order, with what is hard to read in them."""

    def of(name: str, values: tuple[str, ...], *attributes: str) -> str:
        usual = values[: len(values) // 3 + 1]  # one odd value is enough to make a document feedparser's
        value = choose.choice(values if choose.random() < 0.15 else usual)
        return element(name, value, choose.choice(attributes or ("",)), choose)

    def with_address(name: str, key: str, more: str = "") -> str:
        return f"<{name} {key}={quoteattr(choose.choice(ADDRESSES))}{more}/>"

    def some(parts: list[str], at_most: int) -> str:
        return "".join(choose.sample(parts, choose.randint(0, min(at_most, len(parts)))))

    def item() -> str:
        names = (
            "title",
            "description",
            "content:encoded",
            "author",
            "dc:creator",
            "category",
            "itunes:summary",
            "source",
        )
        parts = [of(name, TEXTS) for name in (*names, "itunes:subtitle", "itunes:author")]
        parts += [of("link", ADDRESSES), of("pubDate", DATES), of("dc:date", DATES), of("comments", ADDRESSES)]
        parts += [
            of("guid", ADDRESSES + TEXTS, "", ' isPermaLink="false"', ' isPermaLink="true"', ' isPermaLink="TRUE"')
        ]
        parts += [of("slash:comments", ("3", "x", "", " 7 ")), of("thr:total", ("3", "x", ""))]
        parts += [with_address(name, "url") for name in ("enclosure", "media:content", "media:thumbnail")]
        return f"<item>{some(parts, 9)}{of('itunes:duration', TEXTS)}</item>"

    def entry() -> str:
        kinds = ("", ' type="html"', ' type="text"', ' type="HTML"', ' type="text/html"')
        parts = [of(name, TEXTS, *kinds) for name in ("title", "summary", "content")] + [of("id", ADDRESSES + TEXTS)]
        parts += [
            with_address("link", "href", f' rel="{rel}"') for rel in ("alternate", "self", "enclosure", "replies")
        ]
        parts += [with_address("link", "href", ' type="application/atom+xml"'), with_address("link", "href")]
        parts += [of("published", DATES), of("updated", DATES), of("thr:total", ("3", "x")), '<category term="x"/>']
        parts += [f"<author>{some([of('name', TEXTS), of('email', TEXTS), of('uri', ADDRESSES)], 3)}</author>"]
        return f"<entry>{some(parts, 10)}</entry>"

    many = range(choose.randint(0, 4))
    if choose.random() < 0.5:
        head = [of("title", TEXTS), of("language", ("en", "de_AT", "")), of("ttl", ("5", "x")), of("link", ADDRESSES)]
        head += [
            of("sy:updatePeriod", ("hourly", "x")),
            of("sy:updateFrequency", ("2", "0")),
            of("managingEditor", TEXTS),
        ]
        parts = [some(head, 5), *(item() for _ in many)]
        choose.shuffle(parts)
        version = choose.choice(("2.0", "0.91", ""))
        return f'<rss version="{version}" {NAMESPACES}><channel>{"".join(parts)}</channel></rss>'
    head = [of("title", TEXTS), of("updated", DATES), f"<author>{of('name', TEXTS)}</author>", of("rights", TEXTS)]
    language = choose.choice(("", ' xml:lang="en_GB"', ' xml:lang=""'))
    body = some(head, 4) + "".join(entry() for _ in many)
    return f'<feed xmlns="http://www.w3.org/2005/Atom" {NAMESPACES}{language}>{body}</feed>'


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 2**63))
def test_whatever_the_fast_path_answers_feedparser_answers_too(seed):
    text, _ = decode(made_up(random.Random(seed)).encode(), "")
    assert not differences(text)


def test_the_fast_path_takes_more_than_a_few_of_them():
    read = [fast_feed.read(made_up(random.Random(seed)), URL) for seed in range(300)]
    assert sum(feed is not None and bool(feed.entries) for feed in read) > 30


@pytest.mark.skipif(not RECORDED.is_dir(), reason="no recorded replies beside this project")
def test_recorded_feeds_are_read_the_same():
    read = 0
    for path in sorted((RECORDED / "rss").rglob("*")):
        if not path.is_file() or path.stat().st_size > 300_000:
            continue
        text, _ = decode(path.read_bytes(), "")
        try:
            found = differences(text)
        except json_feed.NotAFeed:
            pytest.fail(f"{path.name} is no feed, feedparser says")
        assert not found, path.name
        read += found is not None
    print(f"{read} of the recorded feeds are read fast")
    assert read >= 15


def test_the_fast_path_is_fast():
    item = "<item><guid>{0}</guid><title>Acme, take {0}</title><description>{1}</description></item>"
    words = "What people say about Acme and its parcels. " * 15
    text = f"<rss version='2.0'><channel>{''.join(item.format(n, words) for n in range(25))}</channel></rss>"

    def seconds(read) -> float:
        def once() -> float:
            before = time.process_time()
            read()
            return time.process_time() - before

        read()
        return min(once() for _ in range(5))

    ratio = seconds(lambda: rss.read_document(text, URL)) / seconds(lambda: fast_feed.read(text, URL))
    print(f"{ratio:.1f} times as fast as feedparser")
    assert ratio > 4  # 15 where nothing else runs
