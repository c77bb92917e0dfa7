"""Whatever a server answers, a visit ends with pages that conform or with a FeedError, and soon.

The fast tests try twenty answers a feed, some 1,000 in all; `make test-slow` ten thousand a feed and ten thousand
of each source's recordings.
"""

import asyncio
import gc
import os
import random
import re
import time
from datetime import timedelta

import pytest
from fuzzing import (
    CHANGES,
    COLUMNS,
    SCRAPS,
    WILD,
    Answer,
    FeedServer,
    Heard,
    Replay,
    changed,
    changed_body,
    changed_file,
    exports,
    frugal,
    heard,
    recordings,
    tables,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from listening import NOW, visit

from listeners import feed_text, json_feed, json_text, rss, waiting
from listeners.address import why_refused
from listeners.feed import FeedError, FeedOptions
from listeners.markdown import from_markdown
from listeners.plain_text import clean, from_html, one_line
from listeners.post import language_tag, moment, to_page, web_address
from listeners.registry import SOURCES, has_history, load
from warehouse.tables import POSTS, faults

NOBODY = Replay(Answer(404, {}, b""))
AT_MOST = 1.0  # seconds of our own work for one visit or text
FEEDS = {table["id"]: frugal(table) for table in tables()}
TAG = re.compile(r"</?(?:p|a|br|span|div|em|strong|h\d|ul|li|blockquote)\b[^<>]*>")
PLAIN_TEXT_OF_HTML = frozenset({"mastodon", "discourse", "stackexchange"})  # no tag can be meant to be read there

OFTEN = [pytest.param(20, id="some"), pytest.param(10_000, id="many", marks=pytest.mark.slow)]


def trying(examples: int):
    """As many examples as a test asks for, the same in every run."""
    return settings(
        max_examples=examples,
        deadline=None,  # time is measured below, on our own clock
        derandomize=examples < 100,
        database=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example],
    )


def test_every_source_is_fuzzed():
    assert {feed.source for feed in FEEDS.values()} | {"files"} == set(SOURCES)


@pytest.fixture(scope="module")
def server() -> FeedServer:
    return FeedServer()


@pytest.fixture(scope="module")
def runner():
    with asyncio.Runner() as running:
        yield running


@pytest.mark.parametrize("examples", OFTEN)
@pytest.mark.parametrize("feed", FEEDS.values(), ids=FEEDS)
def test_a_feed_server_gone_mad_breaks_no_visit(feed, examples, server, runner):
    cursors = cursors_of(feed, server, runner)
    enough = server.spoilt + examples  # a visit that asks for much reads many spoilt answers

    @trying(examples)
    @given(CHANGES, st.none() | st.frozensets(st.integers(0, 4), min_size=1), st.integers(0, 2), st.booleans())
    def a_visit(changes, which, cursor, backfill):
        if server.spoilt >= enough:
            return
        server.begin(changes, which)
        window = (server.now - timedelta(days=40), server.now)
        more = {"window": window} if backfill and has_history(feed.source) else {}
        listened = timed(lambda: runner.run(heard(server, feed, cursors[cursor % len(cursors)], **more)))
        assert_storable(listened, feed)
        if listened.pages and not cursor:  # and what it left does not spoil the next
            server.begin([], None)
            assert_storable(timed(lambda: runner.run(heard(server, feed, listened.pages[-1].cursor))), feed)

    a_visit()


@pytest.mark.parametrize("examples", OFTEN)
@pytest.mark.parametrize("feed", FEEDS.values(), ids=FEEDS)
def test_no_cursor_breaks_a_visit(feed, examples, server, runner):
    cursors = [cursor or "{}" for cursor in cursors_of(feed, server, runner)]

    def begun_with(cursor: str) -> None:
        server.begin([], None)
        assert_storable(timed(lambda: runner.run(heard(server, feed, cursor))), feed)

    for wild in ("Infinity", "-1", "[]", "[" * 3_000 + "]" * 3_000):
        for written in (r'(?<![\w.:-])("?)\d+\1(?![\w.:-])', "null"):
            for cursor in {re.sub(written, wild, cursor) for cursor in cursors[1:]}.difference(cursors):
                begun_with(cursor)

    @trying(examples // 5)
    @given(CHANGES, st.integers(0, 2))
    def a_visit(changes, which):
        cursor = cursors[which % len(cursors)].encode()
        for change, one, other, new in changes:
            if change not in ("header", "status"):
                cursor = changed_body(cursor, change, one, other, new)
        begun_with(cursor.decode(errors="replace"))

    a_visit()


@pytest.mark.parametrize("examples", OFTEN)
@pytest.mark.parametrize("source", SOURCES)
def test_a_recorded_reply_gone_wrong_breaks_no_visit(source, examples, runner):
    replies = recordings(source)
    if not replies:
        pytest.skip(f"no recorded replies of {source} beside this project")
    [feed, *_] = [feed for feed in FEEDS.values() if feed.source == source]

    @trying(examples)
    @given(st.integers(0, 2**16), CHANGES)
    def a_visit(number, changes):
        answer = changed(replies[number % len(replies)], changes)
        assert_storable(timed(lambda: runner.run(heard(Replay(answer), feed, None))), feed)

    a_visit()


SCRAP = st.sampled_from(SCRAPS) | st.sampled_from(WILD).map(str.encode) | st.binary(max_size=20)
BYTES = st.lists(SCRAP, max_size=6).map(b"".join)


@pytest.mark.parametrize("examples", OFTEN)
@pytest.mark.parametrize("name", exports())
def test_a_file_gone_wrong_breaks_no_visit(name, examples, runner, tmp_path):
    keys = {"folder": str(tmp_path), "columns": COLUMNS, "rating_scale": [1, 5]}
    feed = load("files").Options.model_validate({"id": "desk", "source": "files", **keys})
    whole, file, before = exports()[name], tmp_path / name, (NOW - timedelta(days=1)).timestamp()

    def visited(body: bytes, cursor: str | None) -> Heard:
        file.write_bytes(body)
        os.utime(file, (before, before))
        return timed(lambda: runner.run(heard(NOBODY, feed, cursor)))

    assert sum(page.posts.num_rows for page in visited(whole, None).pages) == 8

    @trying(examples)
    @given(CHANGES, st.booleans())
    def a_visit(changes, first):
        cursor = None if first else visited(whole[: len(whole) // 2], None).pages[-1].cursor
        listened = visited(changed_file(name, whole, changes), cursor)
        assert_storable(listened, feed)
        if listened.pages:
            assert_storable(visited(whole, listened.pages[-1].cursor), feed)

    a_visit()


PIECES = ["\ud800", "\udfff", "\0", "\u0301" * 99, "<a href='https://a.example'>", "</a>", "`", "*", "> ", "|", "~~~"]
TEXT = st.lists(
    st.sampled_from([scrap.decode("utf-8", "replace") for scrap in SCRAPS])
    | st.sampled_from(WILD)
    | st.text(max_size=10)
    | st.sampled_from(PIECES),
    max_size=6,
).map("".join)


@pytest.mark.parametrize("examples", OFTEN)
def test_any_bytes_are_a_text_in_some_charset(examples):
    @trying(examples)
    @given(BYTES, st.sampled_from(["", "text/xml; charset=utf-16", "charset=hz", "charset=iso2022_jp", "charset=\x00"]))
    def decoding(body, content_type):
        text, notes = timed(lambda: feed_text.decode(body, content_type))
        assert "\0" not in text
        assert all(number > 0 for number in notes.values())
        text.encode()

    decoding()


@pytest.mark.parametrize("examples", OFTEN)
def test_any_text_is_cleaned(examples):
    @trying(examples)
    @given(TEXT)
    def cleaning(text):
        for made in (clean, one_line, from_html, from_markdown):
            cleaned = timed(lambda made=made: made(text))
            assert_clean(cleaned)
            assert clean(cleaned) == cleaned
        if "&" not in text and not re.search(r"(?i)plaintext|xmp|textarea|title|<[/!?]|script|svg|math", text):
            assert not re.search(r"</?[a-z][a-z0-9]*>", from_html(text))

    cleaning()


@pytest.mark.parametrize("examples", OFTEN)
def test_any_document_is_a_feed_or_none(examples):
    where = visit(rss.Options(id="x", source="rss", url="https://feeds.example/"))

    @trying(examples)
    @given(TEXT, st.sampled_from(["", "<rss version='2.0'><channel><item>", "<feed><entry>", "{", "[", '{"version":']))
    def reading(text, start):
        decoded, _ = feed_text.decode((start + text).encode("utf-8", "replace"), "")
        try:
            document = timed(lambda: rss.read_document(decoded, "https://feeds.example/"))
        except json_feed.NotAFeed:
            return
        page = timed(
            lambda: to_page(
                where, document.items, lambda item: rss.to_post(document.as_entry(item), where), cursor=None
            )
        )
        assert_storable(Heard(NOW, [page]), where.feed)

    reading()


@pytest.mark.parametrize("examples", OFTEN)
def test_any_hint_is_a_wait_within_bounds(examples):
    names = [name for group in (waiting._RESET, waiting._REMAINING, ("retry-after",)) for name in group]

    @trying(examples)
    @given(
        st.dictionaries(
            st.sampled_from(names), TEXT | st.floats().map(str) | st.integers().map(str) | st.datetimes().map(str)
        )
    )
    def hinting(headers):  # fmt: skip
        for status in (200, 429, 503):
            asked = timed(lambda status=status: waiting.hint(status, headers, NOW))
            assert asked is None or 0 <= asked <= waiting.DAY
            assert 0 <= waiting.pause(3, asked, random.Random(0)) <= waiting.DAY + 1

    hinting()


@pytest.mark.parametrize("examples", OFTEN)
def test_any_value_is_a_date_a_tag_or_an_address_or_none(examples):
    @trying(examples)
    @given(TEXT, st.sampled_from(WILD))
    def reading(text, written):
        try:
            value = json_text.parse(written)
        except (ValueError, RecursionError):
            value = None
        for found in (text, value):
            at = moment(found)
            assert at is None or at.utcoffset() == timedelta(0)
            language_tag(found)
            address = web_address(found)
            assert address is None or re.match("(?i)https?://", address)
        why_refused(text)

    reading()


def cursors_of(feed: FeedOptions, server: FeedServer, runner: asyncio.Runner) -> list[str | None]:
    """Where visits may stand: before the first, within it, and after it."""
    server.begin([], None)
    listened = runner.run(heard(server, feed, None))
    assert listened.error is None
    [first, *more] = listened.pages
    assert sum(page.posts.num_rows for page in listened.pages), "nothing to spoil"
    return [None, first.cursor, (more or [first])[-1].cursor]


def timed(work):
    """What the work returns; it may not keep this process busy.

    Collecting garbage walks all that hypothesis keeps of ten thousand examples, a second long: it is not our work.
    """
    gc.disable()
    before = time.process_time()
    result = work()
    spent = time.process_time() - before
    gc.enable()
    assert spent < AT_MOST
    return result


def assert_storable(listened: Heard, feed: FeedOptions) -> None:
    """All that a visit gave can be stored as it is."""
    for page in listened.pages:
        assert page.posts.schema.equals(POSTS, check_metadata=True)
        assert not faults(page.posts, POSTS)
        for post in page.posts.to_pylist():
            for value in post.values():
                if isinstance(value, str):
                    assert "\0" not in value
                    value.encode()
            assert_clean(post["text"])
            assert_clean(post["title"] or "")
            # What stands first in a post of Mastodon may be a content warning, which is plain text and may show a tag.
            of_html = post["text"].partition("\n")[2] if feed.source == "mastodon" else post["text"]
            assert feed.source not in PLAIN_TEXT_OF_HTML or not TAG.search(of_html), post["text"]
            assert (post["feed"], post["source"], post["fetched_at"]) == (feed.id, feed.source, listened.at)
            assert re.match(r"[a-z_]+:.", post["post_id"])
        for rejected in page.rejected:
            assert rejected.reason
            f"{rejected.reason}{rejected.item}".encode()
            assert "\0" not in rejected.item
        for told in (page.cursor, page.capped, page.suspect, *page.left_out):
            (told or "").encode()
        assert all(isinstance(times, int) and times > 0 for times in page.left_out.values())
        assert page.rest is None or page.rest >= timedelta(0)
        if page.taken_down:
            assert all(isinstance(name, str) for name in page.taken_down.posts | page.taken_down.authors)
    if listened.error:
        assert isinstance(listened.error, FeedError)
        assert str(listened.error).startswith(f"{feed.id}: ")


def assert_clean(text: str) -> None:
    text.encode()  # no half of a surrogate pair
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f]", text)
