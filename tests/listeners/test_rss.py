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
from stub_server import Answer, Request, serve

from listeners import feed_memory, json_feed, rss
from listeners.feed import FeedBlocked, FeedFormatChanged, FeedUnavailable, Page
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
        ('<!DOCTYPE r [<!ENTITY a "b">]>', FeedFormatChanged, "not an RSS"),
        ('{"version": "1", "items": []}', FeedFormatChanged, "no JSON Feed"),
        ('{"version": "https://jsonfeed.org/version/1", "items": {}}', FeedFormatChanged, "is dict, not a list"),
        ('{"items": [', FeedFormatChanged, "not JSON"),
        ('<!DOCTYPE r [<!ENTITY a "b"><rss version="2.0"><channel/></rss>', FeedFormatChanged, "DOCTYPE has no end"),
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


@pytest.mark.parametrize(
    ("item", "text"),
    [
        ("<link>https://acme.example/x</link>", "https://acme.example/x"),
        ("<guid>https://acme.example/x</guid><description>&lt;img src='x'></description>", "https://acme.example/x"),
        ("<guid isPermaLink='false'>7</guid><enclosure url='https://f.example/1.mp3' type='audio/mpeg'/>",
         "https://f.example/1.mp3"),
        ("<media:content xmlns:media='http://search.yahoo.com/mrss/' url='https://f.example/1.mp4'/>",
         "https://f.example/1.mp4"),
        ("<guid isPermaLink='false'>7</guid>", ""),
        ("<author>Jo</author>", ""),
        ("<category>Routers</category>", ""),
        ("<pubDate>Fri, 20 Nov 2026 09:30:00 +0100</pubDate>", ""),
    ],
)  # fmt: skip
async def test_an_entry_without_words_has_the_address_it_leads_to_as_its_text(item, text):
    [post] = posts(await read(f"<rss version='2.0'><channel><item>{item}</item></channel></rss>"))
    assert (post["title"], post["text"]) == (None, text)


async def test_only_an_entry_that_holds_nothing_is_left_out():
    pages = await read("<rss><channel><item></item><item><title/><link> </link><category/></item></channel></rss>")
    assert (posts(pages), pages[0].left_out) == ([], {"empty": 2})


async def test_two_entries_without_names_are_two_and_stay_two():
    items = "".join(f"<item><category>{name}</category></item>" for name in ("a", "b"))
    first, second = await visits(*[f"<rss><channel>{items}</channel></rss> {number}" for number in range(2)])
    assert len({post["post_id"] for post in posts([first])}) == 2
    assert posts([first]) == [{**post, "fetched_at": NOW} for post in posts([second])]


async def test_html_that_was_escaped_twice_is_read_as_meant():
    pages = await read(RSS.replace("Plain words.", "&amp;lt;p&amp;gt;Plain &amp;lt;b&amp;gt;words&amp;lt;/b&amp;gt;"))
    assert posts(pages)[1]["text"] == "Plain words"
    pages = await read(RSS.replace("Plain words.", "&lt;p&gt;Write &amp;lt;p&amp;gt; for a paragraph.&lt;/p&gt;"))
    assert posts(pages)[1]["text"] == "Write <p> for a paragraph."


async def test_the_file_system_is_out_of_reach():
    """feedparser opens the file that a string names; ours must never get so far."""
    with pytest.raises(FeedFormatChanged):
        await read("/etc/passwd")


async def visits(*bodies: str | bytes, headers: dict[str, str] | None = None) -> list[Page]:
    """The page of each visit to a feed that answers with these bodies, an hour apart, each from the cursor before."""
    answers = [body.encode() if isinstance(body, str) else body for body in bodies]
    pages: list[Page] = []
    async with serve(lambda _: Answer(answers[len(pages)], headers=headers or {})) as stub:
        for number in range(len(answers)):
            cursor = pages[-1].cursor if pages else None
            pages += await listen(rss, options(stub.url), cursor=cursor, started_at=NOW + number * timedelta(hours=1))
    return pages


def feed_of(*items: str) -> str:
    return f"<rss version='2.0'><channel>{''.join(f'<item>{item}</item>' for item in items)}</channel></rss>"


def readings(page: Page) -> set[tuple[str, str]]:
    return {(post["post_id"], post["version"]) for post in posts([page])}


ONE = "<guid>1</guid><title>One</title><pubDate>Thu, 19 Nov 2026 09:30:00 GMT</pubDate><description>old</description>"


async def test_late_undated_and_edited_entries_are_found_and_nothing_else():
    two = "<guid>2</guid><title>Undated</title>"
    late = "<guid>3</guid><title>Late</title><pubDate>Mon, 2 Nov 2026 09:30:00 GMT</pubDate>"
    first, again, third = await visits(
        feed_of(ONE, two), feed_of(ONE, two) + " ", feed_of(late, ONE.replace("old", "new"), two)
    )
    assert readings(first) == readings(again)
    late_post, edited, undated = posts([third])
    assert readings(third) - readings(first) == {(post["post_id"], post["version"]) for post in (late_post, edited)}
    assert edited["post_id"] == posts([first])[0]["post_id"]
    assert undated["published_at"] == NOW  # as on the first visit
    assert late_post["published_at"] == datetime(2026, 11, 2, 9, 30, tzinfo=UTC)


async def test_what_changes_by_itself_is_no_new_version():
    item = (
        "<guid>{0}</guid><title>A</title><description>Acme! {1} minutes ago. {1} comments <![CDATA[{2}]]></description>"
    )
    link = "<a href='https://f.example/1.mp3?Expires={0}&amp;Signature=s{0}'>listen</a>"
    pages = await visits(*[feed_of(item.format(1, n, link.format(n))) for n in (1, 25, 49)])
    assert len({reading for page in pages for reading in readings(page)}) == 1
    assert "49 comments" in posts(pages)[-1]["text"]


async def test_a_session_in_a_link_makes_no_new_post():
    item = "<title>A</title><link>https://a.example/{0}?id=3&amp;sid={0}</link>".replace("{0}?", "x?")
    pages = await visits(*[feed_of(item.format(n)) for n in (1, 2, 3)])
    assert len({reading for page in pages for reading in readings(page)}) == 1


async def test_a_site_that_changes_its_guids_keeps_its_posts():
    item = "<guid>{0}://a.example/?p={1}</guid><link>{0}://a.example/{1}/</link><title>Title {1}</title>"
    before = feed_of(*[item.format("http", number) for number in range(5)])
    after = feed_of(
        *[f"<guid>uuid-{n}</guid><link>https://www.a.example/{n}</link><title>Title {n}</title>" for n in range(5)]
    )
    first, second, third = await visits(before, after, after + " ")
    assert readings(first) == readings(second) == readings(third)


async def test_an_answer_without_entries_is_suspect_until_they_come_back():
    first, empty, still, back = await visits(feed_of(ONE), feed_of(), feed_of() + " ", feed_of(ONE) + " ")
    for page in (empty, still):
        assert page.suspect is not None
        assert page.suspect.endswith("no entries, where 1 were before")
        assert (page.posts.num_rows, page.cursor, page.unchanged) == (0, first.cursor, False)
    assert back.suspect is None
    assert readings(back) == readings(first)


async def test_a_document_that_breaks_off_is_read_whole_the_next_time():
    whole = feed_of(ONE, ONE.replace("1", "2"), ONE.replace("1", "3"))
    cut = whole[: whole.rindex("<item>") + 9]
    bodies = [whole, cut, cut, whole]

    def answer(request: Request) -> Answer:
        return Answer(bodies.pop(0).encode(), headers={"etag": f'"{len(bodies)}"'})

    cursor, numbers = None, []
    async with serve(answer) as stub:
        for hours in range(4):
            [page] = await listen(rss, options(stub.url), cursor=cursor, started_at=NOW + timedelta(hours=hours))
            cursor = page.cursor
            numbers.append(page.posts.num_rows)
    assert numbers == [3, 2, 2, 3]
    assert [request.headers.get("if-none-match") for request in stub.requests] == [None, '"3"', None, None]


@pytest.mark.parametrize(
    ("told", "cache_control", "rest"),
    [
        ("", "", None),
        ("<ttl>60</ttl>", "", timedelta(hours=1)),
        ("<ttl>60</ttl>", "public, max-age=7200", timedelta(hours=2)),
        ("<ttl>60</ttl>", "max-age=60, must-revalidate", timedelta(hours=1)),
        ("<ttl>1000000</ttl>", "", timedelta(days=1)),
        ("<ttl>soon</ttl>", "no-cache, max-age=0", None),
        ("", "max-age=99999999999", timedelta(days=1)),
        ("<sy:updatePeriod>daily</sy:updatePeriod><sy:updateFrequency>4</sy:updateFrequency>", "", timedelta(hours=6)),
        ("<ttl>5</ttl><sy:updatePeriod> hourly </sy:updatePeriod>", "", timedelta(hours=1)),
        ("<sy:updatePeriod>hourly</sy:updatePeriod><sy:updateFrequency>0</sy:updateFrequency>", "", timedelta(hours=1)),
    ],
)
async def test_a_feed_may_ask_to_be_left_alone(told, cache_control, rest):
    sy = 'xmlns:sy="http://purl.org/rss/1.0/modules/syndication/"'
    body = f"<rss version='2.0' {sy}><channel>{told}<item><title>A</title></item></channel></rss>"
    for page in await visits(body, body, headers={"cache-control": cache_control}):
        assert page.rest == rest


async def test_an_unchanged_feed_asks_for_as_long_as_it_did():
    def answer(request: Request) -> Answer:
        known = "if-none-match" in request.headers
        return Answer(b"" if known else feed_of(ONE).replace("<item>", "<ttl>90</ttl><item>").encode(),
                      status=304 if known else 200, headers={"etag": '"1"', "cache-control": "max-age=60"})  # fmt: skip

    async with serve(answer) as stub:
        [first] = await listen(rss, options(stub.url))
        [second] = await listen(rss, options(stub.url), cursor=first.cursor)
    assert second.unchanged
    assert first.rest == second.rest == timedelta(minutes=90)


async def test_a_web_page_says_which_feeds_there_are():
    link = "<link rel='alternate' type='application/atom+xml' href='/atom.xml?key=s3cret'>"
    page = f"<!DOCTYPE html><title>Blog</title>{link}"
    for body in (page.encode(), gzip.compress(page.encode(), mtime=0)):
        with pytest.raises(
            FeedBlocked, match=r"titled 'Blog'; it names this feed: http://127\.0\.0\.1:\d+/atom\.xml\?key=\*\*\*"
        ):
            await read(body)


@pytest.mark.parametrize(
    ("description", "text"),
    [
        ("I &lt;3 Acme", "I <3 Acme"),
        ("if x &lt;y and z", "if x <y and z"),
        ("a &lt; b &amp;amp;&amp;amp; c", "a < b && c"),
        ("It&amp;amp;#8217;s &amp;amp;amp; was", "It’s & was"),
        ("cut &lt;a href='https://x", "cut"),
        ("<![CDATA[<p>one</p><p>two</p>]]>", "one\ntwo"),
        ("see &lt;a href='/faq'>the FAQ&lt;/a>", "see the FAQ (http://127.0.0.1:{port}/faq)"),
        ("up to &lt;a href='#top'>the top&lt;/a>", "up to the top"),
        ("nice 🎉 caf&#233; &#x2019;", "nice 🎉 café ’"),
        ("<xhtml:div xmlns:xhtml='http://www.w3.org/1999/xhtml'>a <xhtml:b>b</xhtml:b></xhtml:div>", "a b"),
    ],
)
async def test_a_text_is_what_a_reader_sees(description, text):
    async with serve(lambda _: Answer(feed_of(f"<description>{description}</description>").encode())) as stub:
        [post] = posts(await listen(rss, options(f"{stub.url}/feed")))
    assert post["text"] == text.replace("{port}", stub.url.rsplit(":", 1)[1])


@pytest.mark.parametrize(
    ("title", "seen"),
    [
        ("Acme &amp;amp; Co", "Acme & Co"),
        ("Acme &amp;amp;amp; Co", "Acme & Co"),
        ("One &lt;br/&gt; two", "One two"),
        ("The &lt;b&gt;big&lt;/b&gt; one", "The big one"),
        ("a &lt; b", "a < b"),
        ("<![CDATA[It&#8217;s]]>", "It’s"),
    ],
)
async def test_a_title_is_what_a_reader_sees(title, seen):
    [post] = posts(await read(feed_of(f"<title>{title}</title>")))
    assert post["title"] == seen


async def test_the_text_with_most_to_read_counts():
    content = "http://purl.org/rss/1.0/modules/content/"
    long = f"<content:encoded xmlns:content='{content}'>&lt;img src='x' alt='{'a' * 99}'/></content:encoded>"
    assert posts(await read(feed_of(f"<description>Words.</description>{long}")))[0]["text"] == "Words."


async def test_old_and_odd_feeds_are_read():
    netscape = '<!DOCTYPE rss PUBLIC "-//Netscape//DTD RSS 0.91//EN" "http://n.example/rss-0.91.dtd">'
    entities = '<!DOCTYPE rss [<!ENTITY brand "Acme"><!ENTITY f SYSTEM "file:///etc/passwd">]>'
    old = "<rss version='0.91'><channel><item><title>{0}</title></item></channel></rss>"
    for body, title in [
        (netscape + old.format("caf&eacute;"), "café"),
        (entities + old.format("&brand; &f;"), "Acme &f;"),
        ("<!DOCTYPE html>" + old.format("Acme"), "Acme"),
        ("<br />Warning: on line 3\n<?xml version='1.0'?>" + old.format("Acme"), "Acme"),
        ("Notice: on line 3\n" + old.format("Acme &nbsp;&copy; &bogus;"), "Acme © &bogus;"),
        ("<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#' xmlns='http://purl.org/rss/1.0/'>"
         "<channel/><item rdf:about='x'><title>Acme</title></item></rdf:RDF>", "Acme"),
        ("<CHANNEL><ITEM HREF='http://a.example/'><TITLE>Acme</TITLE></ITEM></CHANNEL>", "Acme"),
        ("<a:feed xmlns:a='http://www.w3.org/2005/Atom'><a:entry><a:title>Acme</a:title></a:entry></a:feed>", "Acme"),
    ]:  # fmt: skip
        assert [post["title"] for post in posts(await read(body))] == [title]


async def test_a_broken_feed_that_comes_to_its_end_may_be_empty():
    [page] = await read("<rss version='2.0'><channel><title>caf&eacute;</title></channel></rss>")
    assert (page.posts.num_rows, page.suspect) == (0, None)


async def test_entries_of_atom_and_json_that_name_no_author_are_by_the_feeds():
    author = visit(options("http://x")).pseudonym("Kim@127.0.0.1")
    atom = ATOM.replace("<author><name>Kim</name><email>Kim@T.example</email></author>", "")
    atom = atom.replace("<entry>", "<author><name>Kim</name></author><entry>")
    feed = {**JSON_FEED, "authors": [{"name": "Kim"}], "items": [{"id": "1", "content_text": "words"}]}
    for body in (atom, json.dumps(feed)):
        assert [post["author"] for post in posts(await read(body))] == [author]


async def test_json_items_may_be_summaries_or_files():
    items = [
        {"id": "1", "summary": "In short."},
        {"id": "2", "content_html": "<img src='x'>", "content_text": "A picture"},
        {"id": "3", "attachments": [{"url": "https://f.example/1.mp3", "mime_type": "audio/mpeg"}]},
        {"id": "4", "content_text": "x", "date_published": "Fri, 20 Nov 2026 09:30:00 +0100"},
        {},
    ]
    pages = await read(json.dumps({**JSON_FEED, "items": items}))
    found = posts(pages)
    assert [post["text"] for post in found] == ["In short.", "A picture", "https://f.example/1.mp3", "x"]
    assert found[3]["published_at"] == datetime(2026, 11, 20, 8, 30, tzinfo=UTC)
    assert pages[0].left_out == {"empty": 1}


def entry(**given):
    empty = json_feed.entry({"id": "g", "url": "https://a.example/1", "content_text": "words"})
    return type(empty)(**{**vars(empty), **given})


def test_an_entry_is_known_by_its_guid_whatever_else_changes():
    known = feed_memory.identity(entry())
    assert feed_memory.identity(entry(link="https://a.example/2", text="other", title="new")) == known
    assert feed_memory.identity(entry(guid="h")) != known


def test_an_entry_without_a_guid_is_known_by_its_link_and_else_by_its_words():
    assert feed_memory.identity(entry(guid=None)) == feed_memory.identity(entry(guid=None, text="other"))
    nameless = entry(guid=None, link=None)
    assert feed_memory.identity(nameless) == feed_memory.identity(nameless)
    assert feed_memory.identity(nameless) != feed_memory.identity(entry(guid=None, link=None, text="other"))


def test_moving_from_http_to_https_makes_no_new_entries():
    assert feed_memory.identity(entry(guid="http://a.example/1")) == feed_memory.identity(
        entry(guid="https://a.example/1")
    )


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
    page = to_page(where, items, lambda item: rss.to_post(json_feed.entry(item), where), cursor=None)
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
    assert [document.as_entry(item).title for item in document.items] == ["Acme"]
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
