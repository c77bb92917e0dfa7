"""The rss listener against feeds that we wrote, as publishers write them and as they should not."""

import gzip
import json
import time
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from listening import NOW, Clock, listen, polite, posts, visit
from pydantic import ValidationError
from stub_server import Answer, serve

from listeners import json_feed, rss
from listeners.feed import FeedBlocked, FeedFormatChanged, FeedUnavailable
from listeners.post import to_page

RSS = """<?xml version="1.0" encoding="utf-8"?>
<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:dc="http://purl.org/dc/elements/1.1/"
 xmlns:slash="http://purl.org/rss/1.0/modules/slash/">
<channel><title>Router Weekly</title><link>https://weekly.example/</link><language>en-GB</language>
<item><title>Acme &amp;amp; the long wait</title><link>https://weekly.example/wait</link>
<guid isPermaLink="false">w-1</guid>
<pubDate>Fri, 20 Nov 2026 09:30:00 +0100</pubDate><dc:creator>Jo Field</dc:creator><slash:comments>7</slash:comments>
<description>Short.</description>
<content:encoded><![CDATA[<p>I waited <b>nine</b> weeks for
<a href="https://acme.example/one">the Acme One</a>.</p><p>Nine!</p>]]></content:encoded>
</item>
<item><title>Second</title><link>/second</link><description>Plain words.</description></item>
</channel></rss>"""

ATOM = """<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="de"><title>T</title><id>urn:t</id>
<entry><id>urn:t:1</id><title type="text">Ein &lt;b&gt; im Titel</title><link href="https://t.example/1"/>
<published>2026-11-19T10:00:00Z</published><updated>2026-11-20T08:00:00Z</updated>
<author><name>Kim</name><email>Kim@T.example</email></author>
<content type="html">Der &lt;i&gt;Globex&lt;/i&gt; ist gut.&lt;br&gt;Sehr.</content></entry></feed>"""

JSON_FEED = {
    "version": "https://jsonfeed.org/version/1.1",
    "language": "en",
    "items": [
        {"id": "1", "url": "https://j.example/1", "title": "One", "content_html": "<p>Acme <b>again</b></p>",
         "date_published": "2026-11-20T10:00:00-01:00", "authors": [{"name": "Ada"}]},
        {"id": 2, "content_text": "a < b & c"},
        {"id": "3", "content_html": 7},
        "not an object",
    ],
}  # fmt: skip


def options(url: str) -> rss.Options:
    return rss.Options(id="weekly", source="rss", url=url)


async def read(body: str | bytes, headers: dict[str, str] | None = None, **more):
    """All pages of a visit to a feed with this body."""
    data = body.encode() if isinstance(body, str) else body
    async with serve(lambda _: Answer(data, headers=headers or {"content-type": "application/xml"})) as stub:
        return await listen(rss, options(f"{stub.url}/feed"), **more)


async def test_an_rss_item_becomes_a_post():
    first, second = posts(await read(RSS))
    assert first["title"] == "Acme & the long wait"
    assert first["text"] == "I waited nine weeks for the Acme One (https://acme.example/one).\nNine!"
    assert first["url"] == "https://weekly.example/wait"
    assert first["published_at"] == datetime(2026, 11, 20, 8, 30, tzinfo=UTC)
    assert (first["language"], first["replies"], first["kind"]) == ("en-gb", 7, "article")
    assert first["author"] == visit(options("http://x")).pseudonym("Jo Field@127.0.0.1")
    assert second["text"] == "Plain words."
    assert second["url"].endswith("/second")
    assert second["published_at"] == NOW


async def test_an_atom_entry_becomes_a_post():
    [post] = posts(await read(ATOM))
    assert (post["title"], post["text"]) == ("Ein <b> im Titel", "Der Globex ist gut.\nSehr.")
    assert (post["language"], post["url"]) == ("de", "https://t.example/1")
    assert post["published_at"] == datetime(2026, 11, 19, 10, tzinfo=UTC)
    assert post["edited_at"] == datetime(2026, 11, 20, 8, tzinfo=UTC)


async def test_json_feed_items_become_posts_and_bad_ones_are_rejected():
    pages = await read(json.dumps(JSON_FEED), {"content-type": "application/feed+json"})
    first, second = posts(pages)
    assert (first["title"], first["text"], first["language"]) == ("One", "Acme again", "en")
    assert first["published_at"] == datetime(2026, 11, 20, 11, tzinfo=UTC)
    assert second["text"] == "a < b & c"
    assert [rejected.reason for rejected in pages[0].rejected] == [
        "TypeError: 'content_html' is int, not text",
        "TypeError: an item is str, not an object",
    ]


async def test_the_second_visit_asks_whether_anything_changed():
    def answer(request):
        if request.headers.get("if-none-match") == '"v1"':
            return Answer(status=304)
        return Answer(RSS.encode(), headers={"etag": '"v1"', "content-type": "text/xml"})

    async with serve(answer) as stub:
        [first] = await listen(rss, options(stub.url))
        [second] = await listen(rss, options(stub.url), cursor=first.cursor)
    assert (first.unchanged, second.unchanged) == (False, True)
    assert second.posts.num_rows == 0
    assert second.cursor == first.cursor


async def test_once_a_day_the_whole_feed_is_asked_for():
    async with serve(lambda _: Answer(RSS.encode(), headers={"etag": '"v1"'})) as stub:
        cursor = None
        for hours in (0, 12, 25, 30):
            [page] = await listen(rss, options(stub.url), cursor=cursor, started_at=NOW + timedelta(hours=hours))
            cursor = page.cursor
    assert ["if-none-match" in request.headers for request in stub.requests] == [False, True, False, True]


async def test_a_server_without_validators_is_unchanged_when_its_bytes_are():
    bodies = [RSS.encode(), RSS.encode(), ATOM.encode()]
    async with serve(lambda _: Answer(bodies.pop(0))) as stub:
        cursor, unchanged = None, []
        for _ in range(3):
            [page] = await listen(rss, options(stub.url), cursor=cursor)
            cursor = page.cursor
            unchanged.append(page.unchanged)
    assert unchanged == [False, True, False]


@pytest.mark.parametrize(
    "cursor", ["", "{}", "null", "[1]", "not json", '{"etag": 7, "whole_at": "soon", "other": "x"}']
)
async def test_a_cursor_that_cannot_be_read_costs_only_a_re_read(cursor):
    assert len(posts(await read(RSS, cursor=cursor))) == 2


@pytest.mark.parametrize(
    ("body", "error", "message"),
    [
        ("<!DOCTYPE html><title>Sign in</title>", FeedBlocked, "a web page where a feed is due, titled 'Sign in'"),
        (gzip.compress(b"<html><title>Wait</title>", mtime=0), FeedBlocked, "titled 'Wait'"),
        ("", FeedFormatChanged, "empty"),
        ("<note><to>you</to></note>", FeedFormatChanged, "not an RSS, Atom or JSON feed"),
        ("<rss version='2.0'><channel><ti", FeedFormatChanged, "a broken feed: .*unclosed token"),
        ("<rss><channel><item><title>Acme", FeedFormatChanged, "a broken feed: .*no element found"),
        ("just words", FeedFormatChanged, "not an RSS"),
        ('{"version": "1", "items": []}', FeedFormatChanged, "no JSON Feed"),
        ('{"version": "https://jsonfeed.org/version/1", "items": {}}', FeedFormatChanged, "is dict, not a list"),
        ('{"items": [', FeedFormatChanged, "not JSON"),
        ('<!DOCTYPE r [<!ENTITY a "b">]><rss version="2.0"><channel/></rss>', FeedFormatChanged, "declares entities"),
        (gzip.compress(b"<rss/>" * 99, mtime=0)[:-8], FeedFormatChanged, "ends early"),
    ],
)
async def test_what_is_no_feed_says_what_it_is(body, error, message):
    with pytest.raises(error, match=f"weekly: http://.*{message}"):
        await read(body)


async def test_an_empty_feed_is_a_page_without_posts():
    [page] = await read("<rss version='2.0'><channel><title>T</title></channel></rss>")
    assert (page.posts.num_rows, page.unchanged, page.rejected) == (0, False, ())


async def test_a_broken_feed_with_legible_items_is_read():
    cut = RSS[: RSS.index("<item><title>Second")]
    assert [post["title"] for post in posts(await read(cut))] == ["Acme & the long wait"]
    assert len(posts(await read("\x00 \n" + RSS.replace("Short.", "a\x07b & c")))) == 2


async def test_a_feed_may_come_packed_twice_or_with_a_wrong_charset():
    assert len(posts(await read(gzip.compress(RSS.encode(), mtime=0)))) == 2
    accented = RSS.replace("Second", "Größe")
    for body, content_type in [
        (accented.encode(), "text/xml; charset=us-ascii"),
        (accented.encode("cp1252"), "text/xml"),
        (accented.encode("utf-16"), "application/xml"),
    ]:
        pages = await read(body, {"content-type": content_type})
        assert posts(pages)[1]["title"] == "Größe"


async def test_an_entry_without_words_is_left_out():
    pages = await read(RSS.replace("<title>Second</title>", "").replace("Plain words.", "<img src='x'/>"))
    assert pages[0].left_out == {"no_words": 1}


async def test_html_that_was_escaped_twice_is_read_as_meant():
    pages = await read(RSS.replace("Plain words.", "&amp;lt;p&amp;gt;Plain &amp;lt;b&amp;gt;words&amp;lt;/b&amp;gt;"))
    assert posts(pages)[1]["text"] == "Plain words"
    pages = await read(RSS.replace("Plain words.", "&lt;p&gt;Write &amp;lt;p&amp;gt; for a paragraph.&lt;/p&gt;"))
    assert posts(pages)[1]["text"] == "Write <p> for a paragraph."


async def test_the_file_system_is_out_of_reach():
    """feedparser opens the file that a string names; ours must never get so far."""
    with pytest.raises(FeedFormatChanged):
        await read("/etc/passwd")


def entry(**given):
    empty = json_feed.entry({"id": "g", "url": "https://a.example/1", "content_text": "words"})
    return type(empty)(**{**vars(empty), **given})


def test_an_entry_is_known_by_its_guid_whatever_else_changes():
    known = rss.identity(entry())
    assert rss.identity(entry(link="https://a.example/2", text="other", title="new")) == known
    assert rss.identity(entry(guid="h")) != known


def test_an_entry_without_a_guid_is_known_by_its_link_and_else_by_its_words():
    assert rss.identity(entry(guid=None)) == rss.identity(entry(guid=None, text="other"))
    nameless = entry(guid=None, link=None)
    assert rss.identity(nameless) == rss.identity(nameless)
    assert rss.identity(nameless) != rss.identity(entry(guid=None, link=None, text="other"))


def test_moving_from_http_to_https_makes_no_new_entries():
    assert rss.identity(entry(guid="http://a.example/1")) == rss.identity(entry(guid="https://a.example/1"))


async def test_a_guid_that_several_items_share_tells_them_not_apart():
    one = "<item><title>{0}</title><link>https://a.example/{0}</link><guid>same</guid></item>"
    body = f"<rss version='2.0'><channel>{one.format(1)}{one.format(2)}{one.format(1)}</channel></rss>"
    found = posts(await read(body))
    assert [post["title"] for post in found] == ["1", "2"]
    assert len({post["post_id"] for post in found}) == 2


async def test_two_feeds_never_share_a_post():
    [first, _] = posts(await read(RSS))
    async with serve(lambda _: Answer(RSS.encode())) as stub:
        other = rss.Options(id="other", source="rss", url=stub.url)
        assert posts(await listen(rss, other))[0]["post_id"] != first["post_id"]


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
KEYS = st.sampled_from(
    ["id", "url", "title", "content_html", "content_text", "author", "authors", "date_published", "language"]
)


@given(st.lists(st.dictionaries(KEYS, JSON) | JSON, max_size=4))
def test_any_json_item_is_a_post_or_rejected_or_left_out(items):
    where = visit(options("https://a.example/"))
    twins = rss.shared_guids(rss.Document(items, json_feed.entry))
    page = to_page(where, items, lambda item: rss.to_post(json_feed.entry(item), where, twins=twins), cursor=None)
    repeated = len(items) - page.posts.num_rows - len(page.rejected) - sum(page.left_out.values())
    assert 0 <= repeated < max(len(items), 1)


@given(st.text(alphabet="<>/!&;='\" rssitemchanltg[]-?#x0\n", max_size=300))
def test_any_markup_is_read_or_refused(text):
    try:
        document = rss.read_document(f"<rss version='2.0'><channel><item>{text}", "https://a.example/")
    except json_feed.NotAFeed:
        return
    where = visit(options("https://a.example/"))
    to_page(where, document.items, lambda item: rss.to_post(document.as_entry(item), where), cursor=None)


@pytest.mark.parametrize(
    "hostile",
    [
        f"<author>{'a' * 500_000}</author>",
        f"<author>{'a.' * 250_000}</author>",
        "".join(f"<category>c{number}</category>" for number in range(20_000)),
    ],
    ids=["author", "host", "tags"],
)
def test_a_hostile_entry_takes_no_time(hostile):
    before = time.process_time()
    document = rss.read_document(f"<rss><channel><item><title>Acme</title>{hostile}</item></channel></rss>", "")
    assert [item["title"] for item in document.items] == ["Acme"]
    assert time.process_time() - before < 3


def test_a_url_that_is_none_is_refused():
    for url in ("ftp://a.example/feed", "a.example/feed", "file:///etc/passwd", ""):
        with pytest.raises(ValidationError, match="url"):
            options(url)


async def test_an_unreachable_host_is_unavailable():
    async with polite(Clock()) as client:
        feed = options("http://no-such-host.invalid/feed")
        with pytest.raises(FeedUnavailable, match=r"cannot find the host no-such-host\.invalid"):
            [page async for page in rss.pages(visit(feed, client.visit("weekly")))]
