"""Posts of one RSS, Atom or JSON feed.

Source: the publisher's feed URL (RSS 0.9x to 2.0, RFC 4287, jsonfeed.org), conditional GET. Read 2026-11.
Limits: a feed shows its last 10 to 50 entries and no search; what left the window between two visits is lost, and an
entry that leaves it is no deletion. Which entry is which from visit to visit: feed_memory.py.
Accounts are "NAME@HOST": names are only unique, if at all, within the site whose feed it is.

Plain, well-formed feeds are read by fast_feed.py. feedparser is the judge of all others: it reads what is broken but
legible.
"""

import asyncio
import calendar
import functools
import hashlib
import html
import io
import json
import re
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from pydantic import Field

from listeners import fast_feed, feed_memory, json_feed
from listeners.body import TooLarge, Truncated, gunzipped, html_title, looks_like_html
from listeners.entry import Entry, Part, everything_said, is_video, longest, number
from listeners.feed import FeedBlocked, FeedFormatChanged, FeedOptions, Page, Visit, WebAddress
from listeners.feed_text import decode, without_doctype
from listeners.passing_text import steady
from listeners.plain_text import clean, from_html, one_line
from listeners.post import ITEM_FAULTS, LeftOut, empty_page, not_believed, row, to_page, version, web_address
from listeners.reply import Reply, Validators

WHOLE_EVERY = timedelta(days=1)  # an unconditional GET this often: some servers answer 304 for ever (FreshRSS#1020)
LONGEST_REST = timedelta(days=1)  # what feeds ask beyond it is a mistake of their makers more often than a wish
MAX_UNPACKED = 10_000_000  # bytes of a feed that is a gzip file, and at most
MAX_RATIO = 200.0  # times its packed size
READ_AT_ONCE = 100_000  # bytes of an answer that a thread would only make slower: it would fight for the same lock
PARSERS = 2  # threads for larger ones; parsing holds the interpreter's lock, so more would gain nothing

_ESCAPED_TWICE = re.compile(
    r"<(?:!--|/?(?:p|div|a|img|span|table|br|b|strong|em|i|h\d|ul|ol|blockquote|script|style)\b)[^<>]*>"
)
_CUT_OFF = re.compile(  # "x <y and z": no element, and no end of it before the next "<"; a browser would see nothing
    r"<(?=[a-z][^<>]*+(?:<|$))(?!(?:a|b|i|u|s|p|q|br|hr|em|h[1-6]|ul|ol|li|dl|dt|dd|td|th|tr|img|div|span|font|strong|"
    r"table|tbody|thead|small|sub|sup|code|pre|blockquote|figure|figcaption|iframe|script|style|video|audio|source|object|"
    r"embed|svg|section|article|header|footer|aside|nav|center|cite|del|ins|abbr|input|form|button|label)\b)",
    re.IGNORECASE,
)
_REFERENCE = re.compile(
    r"&(?:#\d{2,7}|#[xX][0-9a-fA-F]{2,6}|amp|quot|apos|nbsp|[lr][sd]quo|[lr]aquo|hellip|[mn]dash|bull|middot|euro|pound|"
    r"copy|reg|trade|[aeiouAEIOU](?:acute|grave|circ|uml)|[ntaoNAO]tilde|[cC]cedil|szlig|aring|oslash|aelig);"
)
_ROOT = re.compile(
    r"(?:\s++|<[?!][^<>]*+>|<!--.*?-->)*+<(?:[\w.-]+:)?(rss|rdf|feed|channel)\b", re.IGNORECASE | re.DOTALL
)
_ROOT_END = re.compile(
    r"</\s*(?:[\w.-]+:)?(?:rss|rdf|feed|channel)\s*>?\s*(?:<!--.*?-->\s*)?$", re.IGNORECASE | re.DOTALL
)
_FEED_BEGINS = re.compile(r"<\?xml\s|<(?:rss|feed|rdf:RDF)[\s>]")
_MAX_AGE = re.compile(r"(?i)(?:^|[\s,])max-age\s*=\s*\"?(\d{1,10})")
_PERIODS = {"hourly": 1, "daily": 24, "weekly": 168, "monthly": 720, "yearly": 8760}  # hours; sy:updatePeriod


class Options(FeedOptions):
    """The keys of an rss feed in listening.toml."""

    url: WebAddress = Field(description="address of an RSS, Atom or JSON feed")


@dataclass(frozen=True)
class Cursor:
    """What the last stored answer was recognisable by, and what its entries were."""

    etag: str | None = None
    last_modified: str | None = None
    body: str | None = None  # hash: many servers set no validators and send the same feed each time
    whole_at: str | None = None  # ISO time of the last unconditional GET
    entries: str | None = None  # as feed_memory writes them
    held: int = 0  # entries in the last answer
    rest: int = 0  # seconds the feed asks to be left alone

    @classmethod
    def read(cls, text: str | None) -> "Cursor":
        """Return the cursor of a text; an empty one if it is none of ours, which costs one re-read."""
        try:
            found = json.loads(text or "{}")
            kinds = {key: int if key in ("held", "rest") else str for key in cls.__dataclass_fields__}
            return cls(**{key: found[key] for key, kind in kinds.items() if type(found.get(key)) is kind})
        except (ValueError, TypeError, AttributeError, RecursionError):
            return cls()

    def write(self) -> str:
        """Return it as text."""
        return json.dumps({key: value for key, value in vars(self).items() if value})

    def conditions(self, now: datetime) -> Validators | None:
        """Return what to ask with, or None if it is time for a whole answer."""
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
        yield empty_page(visit.cursor, unchanged=True, rest=_rest(reply, before))
        return
    after = replace(
        before,
        etag=reply.validators.etag,
        last_modified=reply.validators.last_modified,
        body=hashlib.sha256(reply.body).hexdigest()[:16],
        whole_at=before.whole_at if conditions else visit.started_at.isoformat(),
    )
    if after.body == before.body:
        yield empty_page(after.write(), unchanged=True, rest=_rest(reply, before))
        return
    if len(reply.body) <= READ_AT_ONCE:
        yield _read(visit, reply, before, after)
    else:
        yield await asyncio.get_running_loop().run_in_executor(_parsers(), _read, visit, reply, before, after)


def _read(visit: Visit, reply: Reply, before: Cursor, after: Cursor) -> Page:
    """The page of an answer; a large one in a thread. after: the cursor but for what the entries say."""
    document = _document(visit, reply)
    after = replace(after, rest=int(document.rest.total_seconds()) if document.rest else 0)
    if not document.items and before.held:
        said = f"{reply.url}: no entries, where {before.held} were before"
        return empty_page(visit.cursor, suspect=said, rest=_rest(reply, after))
    entries, faults = _entries(document)
    placed, memory = feed_memory.place(list(entries.values()), feed_memory.read(before.entries), visit.started_at)
    if not document.is_whole and len(entries) < before.held:  # the next visit shall read it whole again
        after = replace(after, etag=None, last_modified=None, body=None, held=before.held)
    else:
        after = replace(after, held=len(entries))
    after = replace(after, entries=feed_memory.written(memory))

    indexes = list(entries)
    places = {indexes[place.index]: place for place in placed}
    listed = sorted({*places, *faults})
    queue = iter(listed)

    def post_of(_: Any) -> dict[str, Any]:
        index = next(queue)
        if index in faults:
            raise faults[index]
        entry, place = entries[index], places[index]
        if document.author and not entry.author:
            entry = replace(entry, author=document.author)
        return to_post(entry, visit, language=document.language, place=place)

    items = [document.items[index] for index in listed]
    page = to_page(visit, items, post_of, cursor=after.write(), rest=_rest(reply, after), notes=document.notes)
    if document.broken and not document.is_whole and not page.posts.num_rows:
        raise FeedFormatChanged(visit.feed.id, f"{reply.url}: a broken feed: {document.broken}")
    return page


def _document(visit: Visit, reply: Reply) -> "Document":
    """The feed of an answer. Raises FeedFormatChanged or FeedBlocked."""
    try:
        unpacked = gunzipped(reply.body, at_most=MAX_UNPACKED, ratio=MAX_RATIO)
    except (TooLarge, Truncated) as error:
        raise FeedFormatChanged(visit.feed.id, f"{reply.url}: {error}") from error
    if looks_like_html(unpacked):
        from listeners.answers import feeds_instead

        page = f"a web page where a feed is due, titled {html_title(unpacked)!r}"
        raise FeedBlocked(visit.feed.id, f"{reply.url}: {page}{feeds_instead(unpacked, reply.url)}")
    text, notes = decode(unpacked, reply.headers.get("content-type", ""))
    fast = fast_feed.read(text, reply.url)
    if fast is not None:
        asked = _asked(fast.asks)
        return Document(fast.entries, lambda entry: entry, fast.language, rest=asked, author=fast.author, notes=notes)
    try:
        return replace(read_document(text, reply.url), notes=notes)
    except json_feed.NotAFeed as error:
        raise FeedFormatChanged(visit.feed.id, f"{reply.url}: {error}") from error


def _entries(document: "Document") -> tuple[dict[int, Entry], dict[int, Exception]]:
    """The entries that the items of a document make, by their place in it, and what is wrong with the others."""
    entries, faults = {}, {}
    for index, item in enumerate(document.items):
        try:
            entry = document.as_entry(item)
        except ITEM_FAULTS as error:
            faults[index] = error
        else:
            if entry.is_empty:
                faults[index] = LeftOut("empty")
            else:
                entries[index] = entry
    return entries, faults


@dataclass(frozen=True)
class Document:
    """A feed that was read: its items as they are, what makes an Entry of one, its language, what is broken in it.

    is_whole: whether it comes to its end, however broken. rest: how long it asks to be left alone. author: of entries
    that name none. notes: what was put right in its bytes, counted.
    """

    items: list[Any]
    as_entry: Callable[[Any], Entry]
    language: object = None
    broken: str | None = None
    is_whole: bool = True
    rest: timedelta | None = None
    author: str | None = None
    notes: Mapping[str, int] = field(default_factory=dict)


def read_document(text: str, url: str) -> Document:
    """Return the feed in a text: the items of XML are feedparser's.

    Raises json_feed.NotAFeed, with what was found instead.
    """
    if not text:
        raise json_feed.NotAFeed("the answer is empty")
    if text.startswith(("{", "[")):
        items, language, author = json_feed.parse(text)
        return Document(items, json_feed.entry, language, author=author)
    if not text.startswith("<") and (begins := _FEED_BEGINS.search(text, 0, 20_000)):
        text = text[begins.start() :]  # a warning of PHP's, say
    try:
        text = without_doctype(text)
    except ValueError as error:
        raise json_feed.NotAFeed(str(error)) from error
    from listeners import bounded_feedparser  # here: it costs the command line's start 100 ms

    # A stream, since feedparser would open the file that bytes name; its charset is settled, so it must not guess.
    # Links in texts are from_html's to resolve; sanitising costs as much as parsing, and no tag survives here anyway.
    headers = {"content-type": "application/xml; charset=utf-8", "content-location": url}
    stream = io.BytesIO(text.encode("utf-8", "replace"))
    try:
        parsed: Any = bounded_feedparser.parse(
            stream, response_headers=headers, sanitize_html=False, resolve_relative_uris=False
        )
    except Exception as error:  # it promises to raise nothing; what escapes it is about this document only
        raise json_feed.NotAFeed(f"feedparser cannot read it: {type(error).__name__}: {str(error)[:100]}") from error
    broken = str(parsed.get("bozo_exception")) if parsed.get("bozo") else None
    root = _ROOT.match(text)
    version = parsed.get("version") or ""  # of nothing at all it tells no version
    if not version and not parsed.entries and not (root and parsed.feed):
        raise json_feed.NotAFeed(f"not an RSS, Atom or JSON feed{f': {broken}' if broken else ''}")
    is_atom = version.startswith("atom")
    asks = [parsed.feed.get(key) for key in ("ttl", "sy_updateperiod", "sy_updatefrequency")]
    return Document(
        list(parsed.entries),
        functools.partial(xml_entry, is_atom=is_atom),
        parsed.feed.get("language"),
        broken,
        is_whole=bool(_ROOT_END.search(text, max(len(text) - 2_000, 0))),
        rest=_asked(asks),
        author=_author(parsed.feed) if is_atom else None,  # RFC 4287, 4.2.1
    )


def xml_entry(item: dict[str, Any], *, is_atom: bool = True) -> Entry:
    """Return what feedparser found in an <item> or <entry>. is_atom: its texts are what they are declared to be."""
    text = _content(item)
    title = item.get("title") or dict.get(item, "itunes_title")
    detail = item.get("title_detail") or {}
    # feedparser has looked whether plain text is HTML after all
    title_is_html = detail.get("type") != "text/plain" or (not is_atom and fast_feed.has_lone_tag(title or ""))
    guid, link = item.get("id") or None, item.get("link") or None
    dated = item.get("published") or item.get("created") or dict.get(item, "updated") or ""
    updated = _utc(dict.get(item, "updated_parsed"))  # feedparser's own `get` gives the publication's in its stead
    published_at = _utc(item.get("published_parsed") or item.get("created_parsed")) or updated
    return Entry(
        guid=guid,
        link=link,
        title=title,
        title_is_html=title_is_html,
        text=text.value,
        text_is_html=text.is_html,
        author=_author(item),
        published_at=published_at,
        updated_at=updated,
        language=text.language or detail.get("language"),
        is_video="yt_videoid" in item or is_video(link),
        views=number((item.get("media_statistics") or {}).get("views")),
        replies=number(item.get("slash_comments") or item.get("thr_total")),
        base=text.base,
        media=_media(item),
        said="" if guid or link or title or text.value else everything_said(item),
        dated="" if published_at else str(dated),
    )


def to_post(entry: Entry, visit: Visit, *, language: object = None, place: feed_memory.Placed | None = None) -> dict:
    """Return an entry as a row of posts.

    language: the feed's own. place: which entry of the feed it is, if that is more than what it calls itself.
    Raises LeftOut for an entry that holds nothing whatever. One without words has the address it leads to as its text.
    """
    if entry.is_empty:
        raise LeftOut("empty")
    title = _words(entry.title or "", is_html=entry.title_is_html, base=None)
    text = _words(entry.text, is_html=entry.text_is_html, base=entry.base)
    address = web_address(entry.link) or web_address(entry.guid) or web_address(entry.media)
    if not title and not text:
        text = address or web_address(entry.media) or ""
    published, edited = feed_memory.told_date(entry, visit.started_at), entry.updated_at
    doubted = not_believed(entry.published_at, visit.started_at) or one_line(entry.dated)
    post = row(
        visit,
        post_id=f"rss:{visit.feed.id}:{place.post if place else feed_memory.identity(entry)}",
        kind="video" if entry.is_video else "article",
        url=address,
        title=title or None,
        text=text,
        language=entry.language or language,
        account=account(entry.author, visit.feed.url),
        published_at=published or (place.first_seen if place else None),
        published_raw=None if published else doubted,
        edited_at=edited if edited and entry.published_at and edited > entry.published_at else None,
        views=entry.views,
        replies=entry.replies,
    )
    lasting = steady(post["title"] or "") or None, steady(post["text"])
    return post if lasting == (post["title"], post["text"]) else {**post, "version": version(*lasting, deleted=False)}


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


def _words(source: str, *, is_html: bool, base: str | None) -> str:
    """What a reader sees of a title or text, once more decoded where its maker encoded it once too often."""
    text = from_html(_CUT_OFF.sub("&lt;", source), base) if is_html else clean(source)
    if _ESCAPED_TWICE.match(text) and (is_html or "</" in text):
        text = from_html(text, base)
    return clean(_REFERENCE.sub(lambda found: html.unescape(found[0]), text)) if "&" in text else text


def _content(item: dict[str, Any]) -> Part:
    """The text of an entry: the longest of its contents, summary and, failing these, subtitle."""
    parts = [
        part for part in item.get("content") or [] if "text" in (part.get("type") or "text") or "html" in part.type
    ]
    summary = item.get("summary_detail")
    if item.get("summary") and (summary or not parts):  # without details it is a copy of the content
        parts.append(summary or {"value": item["summary"], "type": "text/html"})
    if not any(part.get("value") for part in parts) and dict.get(item, "subtitle"):
        parts.append(dict.get(item, "subtitle_detail") or {"value": item["subtitle"], "type": "text/plain"})
    return longest(
        Part(part.get("value") or "", part.get("type") != "text/plain", part.get("language"), part.get("base") or None)
        for part in parts
    )


def _author(item: Mapping[str, Any]) -> str | None:
    detail = item.get("author_detail") or {}
    return detail.get("name") or detail.get("email") or item.get("author") or None


def _media(item: Mapping[str, Any]) -> str | None:
    """The address of an entry's enclosure, else of its first medium, else of anything it links to."""
    links = item.get("links") or []
    enclosed = [link.get("href") for link in links if link.get("rel") == "enclosure"]
    media = [medium.get("url") for key in ("media_content", "media_thumbnail") for medium in item.get(key) or []]
    player = (item.get("media_player") or {}).get("url")
    others = [link.get("href") for link in links if link.get("rel") not in ("enclosure", "alternate", "self")]
    return next((address for address in (*enclosed, *media, player, *others) if address), None)


def _asked(asks: Sequence[str | None]) -> timedelta | None:
    """How long a feed asks to be left alone: the longer of its <ttl> (minutes) and its sy:updatePeriod."""
    ttl, period, frequency = ((told or "").strip().lower() for told in asks)
    minutes = [int(ttl)] if re.fullmatch(r"\d{1,9}", ttl) else []
    if hours := _PERIODS.get(period):
        times = int(frequency) if re.fullmatch(r"\d{1,9}", frequency) else 1
        minutes.append(hours * 60 // max(times, 1))
    return min(timedelta(minutes=max(minutes)), LONGEST_REST) if any(minutes) else None


def _rest(reply: Reply, cursor: Cursor) -> timedelta | None:
    """How long the feed and this answer's Cache-Control ask to be left alone, whichever is longer."""
    age = _MAX_AGE.search(reply.headers.get("cache-control", ""))
    seconds = max(cursor.rest, int(age[1]) if age else 0)
    return timedelta(seconds=min(seconds, LONGEST_REST.total_seconds())) if seconds > 0 else None


def _utc(parsed: time.struct_time | None) -> datetime | None:
    """feedparser's times are UTC; those that no calendar has are no date."""
    try:
        return datetime.fromtimestamp(calendar.timegm(parsed), UTC) if parsed else None
    except (ValueError, OverflowError, OSError):
        return None
