"""Plain, well-formed RSS and Atom as entries, many times faster than feedparser, and exactly as feedparser reads them.

Only documents that hold nothing but well-known elements in their usual places, and dates as RFC 822 and RFC 3339 have
them, are read here; `read` returns None for all others, and feedparser decides. A test holds that both agree.
What is imitated is in feedparser 6.0.14: mixin.py, namespaces/_base.py, datetimes/.
"""

import contextlib
import functools
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from html.entities import entitydefs
from typing import Never
from urllib.parse import urljoin
from xml.etree import ElementTree

from listeners.entry import Entry, Part, is_video, longest, number

MOST_TAGS = 100_000  # a document of more would take hundreds of megabytes as a tree
LONGEST_AUTHOR = 500  # characters; bounded_feedparser.py cuts longer ones

_ATOM = "{http://www.w3.org/2005/Atom}"
_DC = "{http://purl.org/dc/elements/1.1/}"
_ITUNES = "{http://www.itunes.com/dtds/podcast-1.0.dtd}"
_MEDIA = "{http://search.yahoo.com/mrss/}"
_SLASH = "{http://purl.org/rss/1.0/modules/slash/}"
_SY = "{http://purl.org/rss/1.0/modules/syndication/}"
_THR = "{http://purl.org/syndication/thread/1.0}"
_WFW = "{http://wellformedweb.org/CommentAPI/}"
_FEEDBURNER = "{http://rssnamespace.org/feedburner/ext/1.0}"
_CONTENT = "{http://purl.org/rss/1.0/modules/content/}"
_TRACKBACK = "{http://madskills.com/public/xml/rss/module/trackback/}"
_XML = "{http://www.w3.org/XML/1998/namespace}"

# Namespaces that a document may declare, and by which prefix: feedparser knows some by address (None), others by prefix
_NAMESPACES: dict[str, str | None] = {
    **{name[1:-1]: None for name in (_DC, _ITUNES, _MEDIA, _SLASH, _SY, _WFW, _FEEDBURNER, _CONTENT, _TRACKBACK)},
    _ATOM[1:-1]: None,
    _THR[1:-1]: "thr",
    "http://www.google.com/schemas/play-podcasts/1.0": "googleplay",
    "http://a9.com/-/spec/opensearch/1.1/": "opensearch",
    "http://a9.com/-/spec/opensearchrss/1.0/": "openSearch",
    "https://podcastindex.org/namespace/1.0": "podcast",
    "com-wordpress:feed-additions:1": "wp",
    "http://www.w3.org/2000/01/rdf-schema#": "rdfs",
}
_DECLARED = re.compile(r"""xmlns(?::([^\s=]+))?\s*=\s*(?:"([^"]*)"|'([^']*)')""")

_TEXTS = {  # of an item, in the order they come: how feedparser takes each
    "description": "description",
    f"{_CONTENT}encoded": "content",
    f"{_ITUNES}summary": "summary",
}
_AUTHORS = frozenset({"author", f"{_DC}creator", f"{_ITUNES}author"})
_ONCE = frozenset({"title", "link", "guid", "pubDate", f"{_DC}date", f"{_SLASH}comments", f"{_THR}total"})
_COUNTED = (f"{_SLASH}comments", f"{_THR}total")  # the first that says anything counts
_ITUNES_PLAIN = (
    "block",
    "duration",
    "episode",
    "episodeType",
    "explicit",
    "image",
    "isClosedCaptioned",
    "order",
    "season",
)
_NOTHING_OF_ITEM = frozenset(
    {"category", "comments", "source", f"{_DC}subject", f"{_DC}identifier", f"{_TRACKBACK}ping", f"{_WFW}comment"}
    | {f"{_WFW}commentRss", f"{_FEEDBURNER}origLink", f"{_FEEDBURNER}origEnclosureLink", f"{_ITUNES}keywords"}
    | {f"{_SLASH}{name}" for name in ("department", "section", "hit_parade")}
    | {f"{_ITUNES}{name}" for name in _ITUNES_PLAIN}
)
_NOTHING_OF_CHANNEL = frozenset(
    """
    title link description copyright managingEditor webMaster pubDate lastBuildDate category generator docs cloud rating
    """.split()  # noqa: SIM905
    + [f"{_ITUNES}{name}" for name in ("author", "block", "explicit", "image", "keywords", "new-feed-url", "subtitle")]
    + [f"{_DC}{name}" for name in ("creator", "publisher", "rights")]
    + [f"{_ATOM}link", f"{_SY}updateBase", f"{_FEEDBURNER}info", f"{_ITUNES}type"]
)
_NESTING_IN_CHANNEL = {
    "image": frozenset({"url", "title", "link", "width", "height", "description"}),
    "skipHours": frozenset({"hour"}),
    "skipDays": frozenset({"day"}),
    f"{_ITUNES}owner": frozenset({f"{_ITUNES}name", f"{_ITUNES}email"}),
    f"{_ITUNES}category": frozenset({f"{_ITUNES}category"}),
}
_ASKS = {"ttl": 0, f"{_SY}updatePeriod": 1, f"{_SY}updateFrequency": 2}

_TEXT_OF_FEED = frozenset(f"{_ATOM}{name}" for name in ("title", "subtitle", "rights"))
_NOTHING_OF_FEED = _TEXT_OF_FEED | {
    f"{_ATOM}{name}" for name in ("id", "updated", "link", "category", "generator", "icon", "logo")
}
_PERSON = frozenset(f"{_ATOM}{name}" for name in ("name", "uri", "email"))
_ONCE_IN_ENTRY = frozenset(
    {f"{_ATOM}{name}" for name in ("id", "title", "published", "updated", "author", "summary", "content")}
) | {f"{_THR}total", f"{_SLASH}comments"}
_TYPES = {None: False, "text": False, "text/plain": False, "html": True, "text/html": True}
_ALTERNATES = frozenset({None, "html", "xhtml", "text/html", "application/xhtml+xml"})

_CLOSING_OR_REFERENCE = re.compile(r"</\w+>|&#?\w+;")
_ANY_TAG = re.compile(r"</?(\w+)")
_NAMED = re.compile(r"&(\w+);")
_LONE_TAG = re.compile(r"(?i)<(?:br|img|wbr|hr)\b[^<>]*>")
_SURE_TAGS = frozenset("a b blockquote br code div em h1 h2 i img li ol p pre span strong sub sup u ul".split())  # noqa: SIM905
_C1 = re.compile("[\x80-\x9f]")
_SLASHES = re.compile(r"^([A-Za-z][A-Za-z0-9+-.]*://)(/*)(.*?)")
_PLAIN_ADDRESS = re.compile(r"https?://[A-Za-z0-9.-]+(?::\d+)?/[!-\"$-:<->@-~]+(?:\?[!-\"$-~]+)?")
_PLAIN_NAME = re.compile(r"[A-Za-z0-9_-]+")
_RFC822 = re.compile(
    r"\w{3}, (\d{1,2}) (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) (\d{4}) (\d\d):(\d\d):(\d\d) "
    r"(?:([+-]\d\d)(\d\d)|(GMT|UTC|UT|Z|EST|EDT|CST|CDT|MST|MDT|PST|PDT))",
    re.ASCII,
)
_RFC3339 = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.\d{1,9})?(?:Z|([+-]\d\d):(\d\d))", re.ASCII)
_DAYS = frozenset({"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"})
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_ZONES = {"EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7}


@dataclass(frozen=True)
class FastFeed:
    """A feed's entries, its language, what it asks (ttl, sy:updatePeriod, sy:updateFrequency), and its author."""

    entries: list[Entry]
    language: str | None
    asks: tuple[str | None, ...] = (None, None, None)
    author: str | None = None


class _Unusual(Exception):
    """Something that is not for the fast path."""


def read(text: str, url: str) -> FastFeed | None:
    """Return the feed in a text, or None if anything in it is not quite usual. url: what its links are relative to."""
    if text.count("<") > MOST_TAGS or "<!DOCTYPE" in text or not url.startswith(("http://", "https://")):
        return None
    for prefix, one, other in _DECLARED.findall(text):
        address = one or other
        if address not in _NAMESPACES or _NAMESPACES[address] not in (None, prefix):
            return None
        if not prefix and address != _ATOM[1:-1]:
            return None
    try:
        root = ElementTree.fromstring(text)  # noqa: S314 without a DOCTYPE there is nothing to expand or to fetch
        base = _resolved(url, url)
        if root.tag == "rss":
            return _rss(root, base)
        return _atom(root, base) if root.tag == f"{_ATOM}feed" else None
    except (ElementTree.ParseError, ValueError, OverflowError, _Unusual):
        return None


def has_lone_tag(title: str) -> bool:
    """Return whether a title holds a tag that needs no end: it is HTML then, which feedparser tells by ends only."""
    return "<" in title and bool(_LONE_TAG.search(title))


def _rss(root: ElementTree.Element, base: str) -> FastFeed:
    if len(root) != 1 or root[0].tag != "channel" or root[0].attrib or root.attrib.keys() - {"version"}:
        raise _Unusual
    entries: list[Entry] = []
    language: str | None = None
    asks: list[str | None] = [None, None, None]
    for child in root[0]:
        tag = child.tag
        if tag == "item":
            entries.append(_item(child, base))
        elif tag in _NESTING_IN_CHANNEL:
            _must_hold(child, _NESTING_IN_CHANNEL[tag])
        elif len(child):
            raise _Unusual
        elif tag in _ASKS or tag == "language":
            if child.attrib:
                raise _Unusual
            if tag == "language":
                language = _text(child)
            else:
                asks[_ASKS[tag]] = _text(child)
        elif tag not in _NOTHING_OF_CHANNEL:
            raise _Unusual
    return FastFeed(entries, language, tuple(asks))


def _item(item: ElementTree.Element, base: str) -> Entry:
    if item.attrib:
        raise _Unusual
    found: dict[str, ElementTree.Element] = {}
    texts: list[ElementTree.Element] = []
    author: str | None = None
    enclosed: list[str] = []
    media: list[str] = []
    pictures: list[str] = []
    has_subtitle = False
    for child in item:
        tag = child.tag
        if len(child):
            raise _Unusual
        if tag in _ONCE:
            if tag in found or (child.attrib and tag != "guid"):
                raise _Unusual
            found[tag] = child
        elif tag in _TEXTS:
            if child.attrib:
                raise _Unusual
            texts.append(child)
        elif tag in _AUTHORS:
            author = author or _name(child)
        elif tag == "enclosure":
            enclosed.append(child.get("url") or _unusual())
        elif tag == f"{_MEDIA}content":
            media.append(child.get("url") or _unusual())
        elif tag == f"{_MEDIA}thumbnail":
            pictures.append(child.get("url") or _unusual())
        elif tag == f"{_ITUNES}subtitle":
            has_subtitle = True
        elif tag not in _NOTHING_OF_ITEM:
            raise _Unusual
    title, title_is_html = None, True
    if "title" in found:
        raw = (found["title"].text or "").strip()
        title = _mended(raw) or None
        title_is_html = _is_html(raw) or has_lone_tag(title or "")
    guid, guid_is_link = None, False
    if "guid" in found:
        if found["guid"].attrib.keys() - {"isPermaLink"}:
            raise _Unusual
        guid_is_link = found["guid"].get("isPermaLink", "true") == "true"
        guid = _address(found["guid"], base) if guid_is_link else _text(found["guid"])
    link = guid if guid_is_link else None
    if "link" in found:
        link = re.sub(r"&([A-Za-z0-9_]+);", r"&\1", _address(found["link"], base).replace("&amp;", "&"))
    text = longest(_parts(texts, base))
    if not (text.value or (title and not has_subtitle)):
        raise _Unusual
    updated = _date(found.get(f"{_DC}date"))
    return Entry(
        guid=guid or None,
        link=link or None,
        title=title,
        title_is_html=title_is_html,
        text=text.value,
        text_is_html=text.is_html,
        author=author,
        published_at=_date(found.get("pubDate")) or updated,
        updated_at=updated,
        language=None,
        is_video=is_video(link),
        replies=_replies(found),
        base=text.base,
        media=next(iter((*enclosed, *media, *pictures)), None),
    )


def _parts(texts: list[ElementTree.Element], base: str) -> list[Part]:
    """The texts of an item. feedparser takes the second of two summaries for the content, and for plain text."""
    contents: list[Part] = []
    summary: Part | None = None
    has_summary = False
    for element in texts:
        raw, kind = (element.text or "").strip(), _TEXTS[element.tag]
        value = _mended(raw)
        if kind == "content":
            contents.append(Part(value, True, None, base))
            has_summary = True
        elif has_summary and not contents:
            contents.append(Part(value, _is_html(raw), None, base))
        else:
            summary = Part(value, kind == "description" or _is_html(raw), None, base)
            has_summary = True
    return [*contents, summary] if summary else contents


def _atom(root: ElementTree.Element, base: str) -> FastFeed:
    if root.attrib.keys() - {f"{_XML}lang"}:
        raise _Unusual
    language = root.get(f"{_XML}lang", "").replace("_", "-") or None
    entries: list[Entry] = []
    author: str | None = None
    has_author = False
    for child in root:
        tag = child.tag
        if tag == f"{_ATOM}entry":
            entries.append(_entry(child, base, language))
        elif tag == f"{_ATOM}author":
            if has_author:
                raise _Unusual
            author, has_author = _person(child), True
        elif len(child) or tag not in _NOTHING_OF_FEED or (tag in _TEXT_OF_FEED and child.get("type") not in _TYPES):
            raise _Unusual
    return FastFeed(entries, language, author=author)


def _entry(entry: ElementTree.Element, base: str, language: str | None) -> Entry:
    if entry.attrib:
        raise _Unusual
    found: dict[str, ElementTree.Element] = {}
    link: str | None = None
    has_alternate = False
    enclosed: list[str] = []
    pictures: list[str] = []
    others: list[str] = []
    for child in entry:
        tag = child.tag
        if tag in _ONCE_IN_ENTRY:
            if tag in found:
                raise _Unusual
            found[tag] = child
        elif tag == f"{_ATOM}link":
            relation, href = _link(child, base)
            if relation == "alternate":
                if (child.get("type") or "text/html").lower() in _ALTERNATES:
                    link, has_alternate = href, True
            elif relation == "enclosure":
                enclosed.append(href)
            elif relation != "self":
                others.append(href)
        elif len(child):
            raise _Unusual
        elif tag == f"{_MEDIA}thumbnail":
            pictures.append(child.get("url") or _unusual())
        elif tag not in (f"{_ATOM}category", f"{_THR}in-reply-to"):
            raise _Unusual
    guid = _address(_leaf(found[f"{_ATOM}id"]), base) if f"{_ATOM}id" in found else None
    if not has_alternate:
        link = guid
    title, title_is_html = None, True
    if (element := found.get(f"{_ATOM}title")) is not None:
        title, title_is_html = _typed(element)
        title = title or None
    parts = [
        Part(*_typed(found[tag]), language, base) for tag in (f"{_ATOM}content", f"{_ATOM}summary") if tag in found
    ]
    text = longest(parts)
    if not (title or text.value):
        raise _Unusual
    author = _person(found[f"{_ATOM}author"]) if f"{_ATOM}author" in found else None
    updated = _date(found.get(f"{_ATOM}updated"))
    return Entry(
        guid=guid or None,
        link=link or None,
        title=title,
        title_is_html=title_is_html,
        text=text.value,
        text_is_html=text.is_html,
        author=author,
        published_at=_date(found.get(f"{_ATOM}published")) or updated,
        updated_at=updated,
        language=language if text.value or f"{_ATOM}title" in found else None,
        is_video=is_video(link),
        replies=_replies(found),
        base=text.base,
        media=next(iter(address for address in (*enclosed, *pictures, *others) if address), None),
    )


def _link(link: ElementTree.Element, base: str) -> tuple[str, str]:
    """What a link is and where it leads."""
    names = link.keys()
    href = link.get("href")
    if not href or link.text or len(link) or any(name != name.lower() or name in _MOVING for name in names):
        raise _Unusual
    return link.get("rel", "alternate").lower(), _resolved(base, href)


_MOVING = frozenset({"base", "lang", "url", "uri", f"{_XML}base".lower()})


def _typed(element: ElementTree.Element) -> tuple[str, bool]:
    """An Atom text, and whether it is HTML."""
    kind = element.get("type")
    kind = kind.lower() if kind else kind
    if len(element) or element.attrib.keys() - {"type"} or kind not in _TYPES:
        raise _Unusual
    return _text(element), _TYPES[kind]


def _person(person: ElementTree.Element) -> str | None:
    """The name, else the mail address, of an Atom person."""
    _must_hold(person, _PERSON)
    parts = {child.tag: (child.text or "").strip() for child in person}
    if len(parts) != len(person):
        raise _Unusual
    name = parts.get(f"{_ATOM}name") or parts.get(f"{_ATOM}email")
    beside = [person.text, *(child.tail for child in person)]
    if len(name or "") > LONGEST_AUTHOR or any(text and text.strip() for text in beside):
        raise _Unusual
    return name or None


def _must_hold(element: ElementTree.Element, allowed: frozenset[str]) -> None:
    """Refuse an element that holds others than these, or these with anything inside."""
    for child in element:
        if child.tag not in allowed or len(child):
            raise _Unusual


def _leaf(element: ElementTree.Element) -> ElementTree.Element:
    return _unusual() if len(element) or element.attrib else element


def _name(element: ElementTree.Element) -> str | None:
    name = _text(element)
    return _unusual() if "@" in name or len(name) > LONGEST_AUTHOR or element.attrib else name or None


def _replies(found: dict[str, ElementTree.Element]) -> int | None:
    told = [_text(_leaf(found[tag])) for tag in _COUNTED if tag in found]
    return number(next(filter(None, told), None)) if told else None


def _text(element: ElementTree.Element) -> str:
    return _mended((element.text or "").strip())


def _mended(text: str) -> str:
    """A text as feedparser's pop() leaves it: UTF-8 that was taken for ISO-8859-1 and encoded again is put right."""
    if text.isascii():
        return text
    with contextlib.suppress(UnicodeError):
        text = text.encode("iso-8859-1").decode("utf-8")
    return _unusual() if _C1.search(text) else text


def _address(element: ElementTree.Element, base: str) -> str:
    told = (element.text or "").strip()
    return _mended(_resolved(base, told)) if told else ""


def _resolved(base: str, address: str) -> str:
    if _PLAIN_ADDRESS.fullmatch(address):
        return address
    if _PLAIN_NAME.fullmatch(address):
        return _directory(base) + address
    try:
        return urljoin(base, _SLASHES.sub(r"\1\3", address))
    except ValueError:
        return ""


@functools.lru_cache(64)
def _directory(base: str) -> str:
    return urljoin(base, "x")[:-1]


def _is_html(text: str) -> bool:
    """Whether plain text is HTML after all, as feedparser's looks_like_html() tells."""
    if not _CLOSING_OR_REFERENCE.search(text):
        return False
    if any(tag.lower() not in _SURE_TAGS for tag in _ANY_TAG.findall(text)):
        raise _Unusual  # it knows more tags
    return all(name in entitydefs for name in _NAMED.findall(text))


def _date(element: ElementTree.Element | None) -> datetime | None:
    """The moment in UTC that an element tells, None if it is empty or missing."""
    told = (element.text or "").strip() if element is not None else ""
    if element is None or not told:
        return None
    if element.attrib or len(element):
        raise _Unusual
    if (match := _RFC822.fullmatch(told)) and told[:3] in _DAYS:
        day, month, year, hour, minute, second, hours, minutes, zone = match.groups()
        at = datetime(int(year), _MONTHS.index(month) + 1, int(day), int(hour), int(minute), int(second), tzinfo=UTC)
        if zone:
            return at - timedelta(hours=_ZONES.get(zone, 0))
    elif match := _RFC3339.fullmatch(told):
        year, month, day, hour, minute, second, hours, minutes = match.groups()
        at = datetime(int(year), int(month), int(day), int(hour), int(minute), int(second), tzinfo=UTC)
        if hours is None:
            return at
    else:
        raise _Unusual
    offset = timedelta(hours=int(hours), minutes=int(hours[0] + minutes))
    return at - offset


def _unusual() -> Never:
    raise _Unusual
