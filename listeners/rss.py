"""Posts of one RSS, Atom or JSON feed.

Source: the publisher's feed URL (RSS 0.9x to 2.0, RFC 4287, jsonfeed.org), conditional GET. Read 2026-11.
Limits: a feed shows its last 10 to 50 entries and no search; what left the window between two visits is lost, and an
entry that leaves it is no deletion. Entries that carry no id are known by their link, else by their content.
Accounts are "NAME@HOST": names are only unique, if at all, within the site whose feed it is.

feedparser is the judge of XML: it reads what is broken but legible. It costs about 10 ms a feed, so it runs in threads.
"""

import asyncio
import calendar
import functools
import hashlib
import io
import json
import re
import time
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pydantic import Field

from listeners import json_feed
from listeners.body import TooLarge, Truncated, gunzipped, html_title, looks_like_html
from listeners.entry import Entry
from listeners.feed import FeedBlocked, FeedFormatChanged, FeedOptions, Page, Visit, WebAddress
from listeners.feed_text import declares_entities, decode
from listeners.plain_text import clean, from_html, one_line
from listeners.post import LeftOut, empty_page, row, to_page

if TYPE_CHECKING:
    from listeners.http import Reply, Validators

WHOLE_EVERY = timedelta(days=1)  # an unconditional GET this often: some servers answer 304 for ever (FreshRSS#1020)
MAX_UNPACKED = 10_000_000  # bytes of a feed that is a gzip file, and at most
MAX_RATIO = 200.0  # times its packed size
PARSERS = 2  # threads; parsing holds the interpreter's lock, so more would gain nothing

_ESCAPED_TWICE = re.compile(r"<(?:!--|/?(?:p|div|a|img|span|table|br|b|strong|em|i|h\d|ul|ol|blockquote)\b)[^<>]*>")
_VIDEO = re.compile(r"(?i)https?://(?:www\.)?(?:youtube\.com/(?:watch|shorts)|youtu\.be/|vimeo\.com/\d)")


class Options(FeedOptions):
    """The keys of an rss feed in listening.toml."""

    url: WebAddress = Field(description="address of an RSS, Atom or JSON feed")


@dataclass(frozen=True)
class Cursor:
    """What the last stored answer was recognisable by, and when an unconditional GET was last made."""

    etag: str | None = None
    last_modified: str | None = None
    body: str | None = None  # hash: many servers set no validators and send the same feed each time
    whole_at: str | None = None  # ISO time

    @classmethod
    def read(cls, text: str | None) -> "Cursor":
        """Return the cursor of a text; an empty one if it is none of ours, which costs one re-read."""
        try:
            found = json.loads(text or "{}")
            return cls(**{key: value for key, value in found.items() if isinstance(value, str)})
        except (ValueError, TypeError, AttributeError):
            return cls()

    def write(self) -> str:
        """Return it as text."""
        return json.dumps({key: value for key, value in vars(self).items() if value is not None})

    def conditions(self, now: datetime) -> "Validators | None":
        """Return what to ask with, or None if it is time for a whole answer."""
        from listeners.http import Validators

        try:
            due = self.whole_at is None or now - datetime.fromisoformat(self.whole_at) >= WHOLE_EVERY
        except (ValueError, TypeError):
            due = True
        return None if due else Validators(self.etag, self.last_modified)


async def pages(visit: Visit) -> AsyncIterator[Page]:
    """Yield the feed's one page: its entries, or `unchanged` where it is the one read last.

    Raises as FeedClient.get does; FeedFormatChanged where the answer is no feed, FeedBlocked where it is a web page.
    """
    feed: Options = visit.feed
    before = Cursor.read(visit.cursor)
    conditions = before.conditions(visit.started_at)
    reply = await visit.client.get(feed.url, validators=conditions, expect="feed")
    if reply.status == 304:
        yield empty_page(visit.cursor, unchanged=True)
        return
    whole_at = before.whole_at if conditions else visit.started_at.isoformat()
    body = hashlib.sha256(reply.body).hexdigest()[:16]
    after = Cursor(reply.validators.etag, reply.validators.last_modified, body, whole_at).write()
    if body == before.body:
        yield empty_page(after, unchanged=True)
        return
    yield await asyncio.get_running_loop().run_in_executor(_parsers(), _read, visit, reply, after)


def _read(visit: Visit, reply: "Reply", cursor: str) -> Page:
    """The page of an answer; in a thread."""
    try:
        unpacked = gunzipped(reply.body, at_most=MAX_UNPACKED, ratio=MAX_RATIO)
    except (TooLarge, Truncated) as error:
        raise FeedFormatChanged(visit.feed.id, f"{reply.url}: {error}") from error
    if looks_like_html(unpacked):
        raise FeedBlocked(
            visit.feed.id, f"{reply.url}: a web page where a feed is due, titled {html_title(unpacked)!r}"
        )
    text, _ = decode(unpacked, reply.headers.get("content-type", ""))
    try:
        document = read_document(text, reply.url)
    except json_feed.NotAFeed as error:
        raise FeedFormatChanged(visit.feed.id, f"{reply.url}: {error}") from error
    twins = shared_guids(document)

    def post_of(item: Any) -> dict[str, Any]:
        return to_post(document.as_entry(item), visit, language=document.language, twins=twins)

    page = to_page(visit, document.items, post_of, cursor=cursor)
    if document.broken and not page.posts.num_rows:
        raise FeedFormatChanged(visit.feed.id, f"{reply.url}: a broken feed: {document.broken}")
    return page


@dataclass(frozen=True)
class Document:
    """A feed that was read: its items as they are, what makes an Entry of one, its language, what is broken in it."""

    items: list[Any]
    as_entry: Callable[[Any], Entry]
    language: object = None
    broken: str | None = None


def read_document(text: str, url: str) -> Document:
    """Return the feed in a text.

    Raises json_feed.NotAFeed, with what was found instead.
    """
    if not text:
        raise json_feed.NotAFeed("the answer is empty")
    if text.startswith(("{", "[")):
        items, language = json_feed.parse(text)
        return Document(items, json_feed.entry, language)
    if declares_entities(text):
        raise json_feed.NotAFeed("its DOCTYPE declares entities, which we do not expand")
    from listeners import bounded_feedparser  # here: it costs the command line's start 100 ms

    # A stream, since feedparser would open the file that bytes name; its charset is settled, so it must not guess.
    # Relative links are resolved; sanitising costs as much as parsing, and no tag survives here anyway.
    headers = {"content-type": "application/xml; charset=utf-8", "content-location": url}
    stream = io.BytesIO(text.encode("utf-8", "replace"))
    try:
        parsed: Any = bounded_feedparser.parse(stream, response_headers=headers, sanitize_html=False)
    except Exception as error:  # it promises to raise nothing; what escapes it is about this document only
        raise json_feed.NotAFeed(f"feedparser cannot read it: {type(error).__name__}: {str(error)[:100]}") from error
    broken = str(parsed.get("bozo_exception")) if parsed.get("bozo") else None
    if not parsed.version and not parsed.entries:
        raise json_feed.NotAFeed(f"not an RSS, Atom or JSON feed{f': {broken}' if broken else ''}")
    return Document(list(parsed.entries), xml_entry, parsed.feed.get("language"), broken)


def xml_entry(item: dict[str, Any]) -> Entry:
    """Return what feedparser found in an <item> or <entry>."""
    text, text_is_html, language = _content(item)
    title = item.get("title_detail") or {}
    link = item.get("link") or None
    detail = item.get("author_detail") or {}
    updated = _utc(dict.get(item, "updated_parsed"))  # feedparser's own `get` gives the publication's in its stead
    return Entry(
        guid=item.get("id") or None,
        link=link,
        title=item.get("title"),
        title_is_html=title.get("type") != "text/plain",  # feedparser has looked whether plain text is HTML after all
        text=text,
        text_is_html=text_is_html,
        author=detail.get("name") or detail.get("email") or item.get("author") or None,
        published_at=_utc(item.get("published_parsed") or item.get("created_parsed")) or updated,
        updated_at=updated,
        language=language or title.get("language"),
        is_video="yt_videoid" in item or bool(_VIDEO.match(link or "")),
        views=_number((item.get("media_statistics") or {}).get("views")),
        replies=_number(item.get("slash_comments") or item.get("thr_total")),
    )


def to_post(entry: Entry, visit: Visit, *, language: object = None, twins: frozenset[str] = frozenset()) -> dict:
    """Return an entry as a row of posts.

    language: the feed's own. twins: guids that several entries of the document share, which then tell nothing.
    Raises LeftOut for an entry without any words.
    """
    title = from_html(entry.title or "") if entry.title_is_html else clean(entry.title or "")
    text = from_html(entry.text) if entry.text_is_html else clean(entry.text)
    if entry.text_is_html and _ESCAPED_TWICE.match(text):
        text = from_html(text)
    if not title and not text:
        raise LeftOut("no_words")  # a bare picture, recording or link
    edited = entry.updated_at
    return row(
        visit,
        post_id=f"rss:{visit.feed.id}:{identity(entry, twins)}",
        kind="video" if entry.is_video else "article",
        url=entry.link if entry.link else entry.guid,
        title=title or None,
        text=text,
        language=entry.language or language,
        account=account(entry.author, visit.feed.url),
        published_at=entry.published_at or entry.updated_at,
        edited_at=edited if edited and entry.published_at and edited > entry.published_at else None,
        views=entry.views,
        replies=entry.replies,
    )


def identity(entry: Entry, twins: frozenset[str] = frozenset()) -> str:
    """Return what an entry is known by within its feed: the hash of its guid, else link, else content (FreshRSS#5909).

    A site that moves from http to https keeps its entries: addresses count without their scheme.
    """
    named = entry.guid if entry.guid and entry.guid not in twins else None
    known_by = named or entry.link or None
    if entry.guid in twins and entry.link:
        known_by = f"{entry.guid} {entry.link}"
    elif known_by is None:
        known_by = f"{entry.guid or ''} {entry.title or ''} {entry.text}"
    bare = re.sub(r"(?i)\bhttps?://", "//", known_by.strip())
    return hashlib.sha256(bare.encode("utf-8", "replace")).hexdigest()[:24]


def shared_guids(document: Document) -> frozenset[str]:
    """Return the guids that entries with different links share: some software gives all of them one."""
    links: dict[str, set[str | None]] = {}
    for item in document.items:
        try:
            entry = document.as_entry(item)
        except (TypeError, ValueError, KeyError, AttributeError):
            continue  # it will be rejected with its reason
        if entry.guid:
            links.setdefault(entry.guid, set()).add(entry.link)
    return frozenset(guid for guid, found in links.items() if len(found) > 1)


def account(author: str | None, url: str) -> str | None:
    """Return an author's account: "NAME@HOST" of the feed, or an address as it is; None if there is no name."""
    name = one_line(author or "")
    if not name:
        return None
    return name.lower() if re.fullmatch(r"[^\s@]+@[^\s@]+", name) else f"{name}@{urlsplit(url).hostname}"


@functools.cache
def _parsers() -> ThreadPoolExecutor:
    """Threads of their own: in asyncio's, hundreds of feeds to parse would keep host look-ups waiting."""
    return ThreadPoolExecutor(PARSERS, thread_name_prefix="feedparser")


def _content(item: Mapping[str, Any]) -> tuple[str, bool, object]:
    """The longest of an entry's contents and summary, whether it is HTML, and its language."""
    found = [
        part for part in item.get("content") or [] if "text" in (part.get("type") or "text") or "html" in part.type
    ]
    if item.get("summary"):
        found.append(item.get("summary_detail") or {"value": item["summary"], "type": "text/html"})
    if not found:
        return "", False, None
    longest = max(found, key=lambda part: len(part.get("value") or ""))
    value = longest.get("value") or ""
    return value, longest.get("type") != "text/plain", longest.get("language")


def _number(value: object) -> int | None:
    return int(value) if isinstance(value, str) and re.fullmatch(r"\s*\d{1,18}\s*", value) else None


def _utc(parsed: time.struct_time | None) -> datetime | None:
    """feedparser's times are UTC; those that no calendar has are no date."""
    try:
        return datetime.fromtimestamp(calendar.timegm(parsed), UTC) if parsed else None
    except (ValueError, OverflowError, OSError):
        return None
