"""News articles that GDELT found on the web, all of the world's in files of fifteen minutes each: title and address.

Source: GET {url}/lastupdate.txt, which names the newest file with its size and MD5, and {url}/TIME.gkg.csv.zip, TIME
being YYYYMMDDHHMMSS (GDELT-Global_Knowledge_Graph_Codebook-V2.1.pdf on data.gdeltproject.org/documentation, and
blog.gdeltproject.org/new-gkg-2-0-article-metadata-fields; 2026-11), over plain HTTP, no account. With `translated`,
articles in other languages too, from files of their own, named .translation.gkg.csv.zip. The search API (DOC 2.0) is
not used: it answered first requests with 429 (koala73/worldmonitor#5843), gives 250 articles a query and forgets after
three months.
Limits: none told. 5 to 15 MB a file, unpacked up to 50; some 1,000 articles in English and 3,500 in other languages.

An article has no text here, so only what its title says counts; GDELT's lists of names and themes are its own reading.
Titles that name no brand, where only such are kept, are left out before a row is made. published_at is when GDELT's
crawler saw the article, to fifteen minutes. An article is known by its address, without scheme, fragment and what
tracks readers: another title later is an edit. Nothing tells of deletions or of how an article fared.

Files are read newest first; the cursor says which are still to be read. A first visit goes `hours` back and no
further, since the files go back to 2015; what lies before is had by a backfill, and what came since a last visit is
read however long ago that was. A file that is not there, or damaged, is asked for again for some hours, and then
counts as lost, which is said.
"""

import asyncio
import hashlib
import html
import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Self
from urllib.parse import urlsplit

from pydantic import Field, model_validator

from listeners import zipped
from listeners.budget import Budget
from listeners.consent import without_opt_in
from listeners.feed import NAMES_NO_BRAND, FeedFormatChanged, FeedOptions, Page, Visit, WebAddress
from listeners.intervals import Interval, Progress, merged, without
from listeners.plain_text import one_line
from listeners.post import LeftOut, empty_page, row, to_page, web_address
from listeners.searches import read_cursor, write_cursor

HAS_HISTORY = True  # the files stay
EVERY = 900  # seconds between two files
FIRST = datetime(2015, 2, 18, 23, tzinfo=UTC)  # the time of the first file
PATIENCE = timedelta(hours=6)  # after which a file that cannot be read is given up
COLUMNS = 27
MAX_PACKED = 60_000_000  # bytes of a file
MAX_UNPACKED = 300_000_000
MAX_RATIO = 100.0  # text of this kind reaches about 5
LONGEST_LINE = 1_000_000  # bytes; most have 10,000
LONGEST_TITLE = 1_000  # characters; the rest is cut

DATE, COLLECTION, SITE, ADDRESS, TRANSLATION, EXTRAS = 1, 2, 3, 4, 25, 26  # of the columns
THE_WEB = "1"  # a collection whose documents have addresses

_TRACKING = re.compile(r"(?i)(?:utm_\w*|fbclid|gclid|dclid|msclkid|yclid|igshid|mc_cid|mc_eid)(?:=|$)")
_LANGUAGE = re.compile(r"srclc:([a-z]{2,3})\b")
# GDELT names languages by three letters (ISO 639-2), BCP 47 by two where there are two.
_SHORT = dict(
    re.findall(
        r"(\w{3}):(\w{2})",
        """
        afr:af alb:sq sqi:sq amh:am ara:ar arm:hy hye:hy aze:az bel:be ben:bn bos:bs bul:bg bur:my mya:my cat:ca
        chi:zh zho:zh hrv:hr cze:cs ces:cs dan:da dut:nl nld:nl eng:en est:et fin:fi fre:fr fra:fr glg:gl geo:ka
        kat:ka ger:de deu:de gre:el ell:el guj:gu heb:he hin:hi hun:hu ice:is isl:is ind:id ita:it jpn:ja kan:kn
        kaz:kk kor:ko lav:lv lit:lt mac:mk mkd:mk may:ms msa:ms mal:ml mar:mr mon:mn nep:ne nor:no nob:nb per:fa
        fas:fa pol:pl por:pt pan:pa rum:ro ron:ro rus:ru srp:sr sin:si slo:sk slk:sk slv:sl som:so spa:es swa:sw
        swe:sv tam:ta tel:te tha:th tur:tr ukr:uk urd:ur uzb:uz vie:vi
        """,
    )
)
_NAMED = re.compile(r"^\s*\d+\s+([0-9a-fA-F]{32})\s+\S*?/(\d{14})(\.translation)?\.gkg\.csv\.zip\s*$", re.MULTILINE)


class Options(FeedOptions):
    """The keys of a gdelt feed in listening.toml."""

    url: WebAddress = Field(default="http://data.gdeltproject.org/gdeltv2", description="address of the files")
    translated: bool = Field(default=False, description="read articles in other languages than English, too")
    hours: int = Field(default=24, ge=1, le=24 * 366, description="how far a first visit goes back")
    max_requests: int = Field(default=200, ge=2, le=10_000, description="files per visit; the next goes on from there")

    @model_validator(mode="after")
    def _enough_to_get_on(self) -> Self:
        if self.translated and self.max_requests < 4:
            raise ValueError("max_requests must be at least 4 to read translated articles, too")
        return self


@dataclass(frozen=True)
class Stream:
    """One of the two series of files: what they are called after their time, and where the newest is named."""

    name: str
    suffix: str
    latest: str


ENGLISH = Stream("english", ".gkg.csv.zip", "lastupdate.txt")
TRANSLATED = Stream("translated", ".translation.gkg.csv.zip", "lastupdate-translation.txt")


@dataclass
class _Reading:
    """What one visit knows: its budget, what is read of each stream, by number of file, and what was lost."""

    visit: Visit
    progress: dict[str, Progress]
    budget: Budget
    read: int = 0
    lost: list[str] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)

    def cursor(self) -> str:
        return write_cursor(self.progress, [self.visit.feed.url])


async def pages(visit: Visit) -> AsyncIterator[Page]:
    """Yield the articles of a file as one page, the newest file first.

    With a window, the articles seen in that stretch and no others; the cursors then say what is left of it.
    Raises as FeedClient.get does; FeedFormatChanged where no file can be read, or none is named as the newest.
    """
    feed: Options = visit.feed
    reading = _Reading(visit, _progress(visit), Budget(visit))
    for stream in _streams(feed):
        done, digest = reading.progress[stream.name], None
        if visit.window:
            done.to_read = merged([files_within(*visit.window, visit.started_at)])
        else:
            newest, digest = await _newest(visit, stream)
            begin(done, newest, feed.hours)
        async for page in _files(reading, stream, digest):
            yield page
    if len(reading.damaged) > 1 and not reading.read:  # a single one may be half written
        raise FeedFormatChanged(feed.id, reading.damaged[0])
    if reading.unread:
        said = f"{len(reading.unread)} files cannot be read yet, the last being {reading.unread[-1]}"
        yield empty_page(reading.cursor(), suspect=said)
    elif not reading.budget.spent:
        yield empty_page(reading.cursor(), unchanged=True)
    if reading.budget.cut_short:
        yield empty_page(reading.cursor(), capped=reading.budget.said("files read"))


def begin(done: Progress, newest: int, hours: int) -> None:
    """Add the files that came since the last visit, or before the first one within so many hours."""
    oldest = newest - hours * 3600 // EVERY + 1 if done.read_to is None else done.read_to + 1
    done.to_read = merged([*done.to_read, Interval(oldest, newest)])
    done.read_to = max(newest, done.read_to or 0)


def files_within(start: datetime, end: datetime, now: datetime) -> Interval:
    """Return the numbers of the files with a time in [start, end)."""
    first, last = (-int(-at.timestamp() // EVERY) for at in (max(start, FIRST), min(end, now)))
    return Interval(first, last - 1)


async def _newest(visit: Visit, stream: Stream) -> tuple[int, str | None]:
    """The number of the newest file, and its MD5. One that is yet to come is not believed."""
    reply = await visit.client.get(f"{visit.feed.url.rstrip('/')}/{stream.latest}", expect="file")
    for digest, stamp, translated in _NAMED.findall(reply.body[:10_000].decode("utf-8", "replace")):
        at = _moment(stamp)
        if at is not None and bool(translated) == (stream is TRANSLATED):
            number, present = number_of(at), number_of(visit.started_at)
            return (number, digest.lower()) if number <= present else (present, None)
    raise FeedFormatChanged(visit.feed.id, f"{reply.url}: it names no {stream.suffix} file with its size and MD5")


async def _files(reading: _Reading, stream: Stream, digest: str | None) -> AsyncIterator[Page]:
    """The pages of a stream's files that are still to be read. digest: MD5 of the newest, where it is known."""
    visit, done = reading.visit, reading.progress[stream.name]
    newest = done.read_to
    for number in _newest_first(list(done.to_read)):
        if not reading.budget.may_ask():
            return
        reading.budget.spent += 1
        before, done.to_read = done.to_read, without(done.to_read, Interval(number, number))
        try:
            page = await _file(reading, stream, number, digest if number == newest else None)
        except _CannotBeRead as reason:
            said = f"{stamp_of(number)}{stream.suffix}: {reason}"
            if visit.window or moment_of(number) + PATIENCE <= visit.started_at:
                reading.lost.append(said)
                told = f"{len(reading.lost)} files are lost, the last being {said}"
                yield empty_page(reading.cursor(), capped=told)
            else:
                done.to_read = before
                reading.unread.append(said)
        else:
            reading.read += 1
            yield page


def _newest_first(parts: list[Interval]) -> Iterator[int]:
    return (number for part in parts for number in range(part.end, part.start - 1, -1))


class _CannotBeRead(Exception):
    """A file is not there or damaged; the message says which of them, and how."""


async def _file(reading: _Reading, stream: Stream, number: int, digest: str | None) -> Page:
    """The page of one file. Raises _CannotBeRead, and as FeedClient.get does."""
    visit = reading.visit
    url = f"{visit.feed.url.rstrip('/')}/{stamp_of(number)}{stream.suffix}"
    try:
        reply = await visit.client.get(url, expect="file", answers=frozenset({404, 410}), at_most=MAX_PACKED)
        if reply.status != 200:
            raise _CannotBeRead(f"it is not there ({reply.status})")
        if digest and hashlib.md5(reply.body, usedforsecurity=False).hexdigest() != digest:
            raise zipped.BadArchive("its MD5 is not the one that was told")
        return await asyncio.to_thread(_page, visit, reply.body, number, reading.cursor())
    except (zipped.BadArchive, FeedFormatChanged) as error:
        reading.damaged.append(f"{url}: {error}" if isinstance(error, zipped.BadArchive) else str(error))
        raise _CannotBeRead(str(error)) from error


def _page(visit: Visit, body: bytes, number: int, cursor: str) -> Page:
    """The page of a file's bytes; in a thread, for there are thousands of lines. Raises BadArchive."""
    seen_at = moment_of(number)
    page = to_page(visit, _lines(body), lambda line: to_post(line, visit, seen_at), cursor=cursor)
    if page.rejected and not page.posts.num_rows and not page.left_out:
        raise zipped.BadArchive(f"none of its {len(page.rejected)} lines is an article: {page.rejected[0].reason}")
    return page


def _lines(body: bytes) -> Iterator[str]:
    unpacked = zipped.lines(body, at_most=MAX_UNPACKED, ratio=MAX_RATIO, longest=LONGEST_LINE)
    return (line.decode("utf-8", "replace") for line in unpacked if line)


def to_post(line: str, visit: Visit, seen_at: datetime) -> dict[str, Any]:
    """Return a line of a file as a row of posts. seen_at: the time of the file, for a line without one.

    Raises LeftOut for what names no brand, has no title or no address, and where consent is lacking; ValueError where
    the line is none of GKG 2.1.
    """
    columns = line.split("\t")
    if len(columns) != COLUMNS:
        raise ValueError(f"{len(columns)} columns, not {COLUMNS}")
    title = one_line(html.unescape(_extra(columns[EXTRAS], "PAGE_TITLE")))[:LONGEST_TITLE]
    if not title:
        raise LeftOut("no_words")
    if not visit.wanted(title, ""):
        raise LeftOut(NAMES_NO_BRAND)
    if columns[COLLECTION] != THE_WEB:
        raise LeftOut("no_address")  # broadcasts, print and archives, by a citation
    address = web_address(columns[ADDRESS])
    if address is None:
        raise ValueError(f"no address: {columns[ADDRESS][:60]!r}")
    author, _, _ = html.unescape(_extra(columns[EXTRAS], "PAGE_AUTHORS")).partition(";")
    return row(
        visit,
        post_id=f"gdelt:{canonical(address)}",
        kind="article",
        url=address,
        title=title,
        text="",
        language=_language(columns[TRANSLATION]),
        account=f"{one_line(author)}@{columns[SITE]}" if author.strip() else None,
        published_at=_moment(columns[DATE]) or seen_at,
        consent=without_opt_in(visit),
    )


def canonical(address: str) -> str:
    """Return an address without scheme, user, fragment and what tracks readers. Raises ValueError where it is none."""
    parts = urlsplit(address)
    if not parts.hostname:
        raise ValueError(f"no host: {address[:60]!r}")
    port = f":{parts.port}" if parts.port not in (None, 80, 443) else ""
    kept = [part for part in parts.query.split("&") if part and not _TRACKING.match(part)]
    return f"{parts.hostname}{port}{parts.path or '/'}{'?' if kept else ''}{'&'.join(kept)}"


def number_of(at: datetime) -> int:
    """Return the number of the last file of a time at or before."""
    return int(at.timestamp() // EVERY)


def moment_of(number: int) -> datetime:
    """Return the time of a file."""
    return datetime.fromtimestamp(number * EVERY, UTC)


def stamp_of(number: int) -> str:
    """Return the time of a file as it stands in its name."""
    return f"{moment_of(number):%Y%m%d%H%M%S}"


def _progress(visit: Visit) -> dict[str, Progress]:
    """The progress per stream. What can be none, as it names files of times to come, begins anew."""
    names = [stream.name for stream in _streams(visit.feed)]
    known = read_cursor(None if visit.window else visit.cursor, names, [visit.feed.url])
    latest = number_of(datetime(9999, 1, 1, tzinfo=UTC))
    for name, done in known.items():
        read_to = done.read_to or 0
        possible = all(0 <= part.start <= part.end <= read_to for part in done.to_read)
        if not (0 <= read_to <= latest and possible):
            known[name] = Progress()
    return known


def _streams(feed: Options) -> list[Stream]:
    return [ENGLISH, TRANSLATED] if feed.translated else [ENGLISH]


def _language(translation: str) -> str | None:
    """The language of an article, by what is said of its translation; nothing is where it was in English."""
    if not translation.strip():
        return "en"
    told = _LANGUAGE.search(translation)
    return _SHORT.get(told[1], told[1]) if told else None


def _extra(extras: str, name: str) -> str:
    """What an element of a line's last column holds; empty if it is not there."""
    start = extras.find(f"<{name}>")
    end = extras.find(f"</{name}>", start)
    return extras[start + len(name) + 2 : end] if 0 <= start < end else ""


def _moment(stamp: str) -> datetime | None:
    try:
        return datetime.strptime(stamp, "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return None
