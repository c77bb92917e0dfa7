"""Answers of the built-in feed server, and recorded ones, made wrong in every way we could think of.

A new source joins by its [[feed]] table in the feed server's configuration, and by its recordings where there are some
in a folder of its name. All happens in one process, without sockets and without waiting.
"""

import csv
import gzip
import html
import io
import json
import random
import re
import tomllib
import zipfile
import zlib
from collections.abc import AsyncGenerator, Mapping, MutableMapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import httpx
import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import strategies as st
from listening import NOW, RECORDED, Clock, polite, visit
from pydantic import ValidationError

from listeners import json_text
from listeners.feed import FeedError, FeedOptions, Page
from listeners.feed_server import World, bluesky, build_app, config, make_world
from listeners.registry import load

SERVER = "https://feeds.example"  # a stranger's: nothing is spared
ENDLESS = 150  # requests of one visit; none of these feeds needs a fifth of them
SECRET = bluesky.PASSWORD  # opens all that the feed server plays

OTHERWISE: list[dict[str, Any]] = [  # what is read in another way where other keys are given
    {"id": "forum-search", "source": "discourse", "url": f"{SERVER}/discourse", "query": ["Telvane"]},
    {"id": "news-search", "source": "hackernews", "url": f"{SERVER}/hn/api/v1", "query": ["Telvane", "Bluefin"]},
]

WILD = [  # JSON values, as they are written
    *("null", "true", "false", "0", "-1", "1", "-0.0", "0.5", "2147483648", "9007199254740993", "1e400"),
    *("9223372036854775808", "18446744073709551616", "1" * 30, "9" * 5_000, "-" + "9" * 400, "-1e400", "1e-400"),
    *("NaN", "Infinity", "-Infinity", "253402300800", "-62135596801", "99999999999999"),
    *('""', '" "', '"\\u0000"', '"a\\u0000b"', '"\\ud800"', '"\\udc00\\ud800"', '"\\ud83d"', '"\\uffff"', '"\\u202e"'),
    *('"٣"', '"²"', '"1_0"', '"+1"', '"0x10"', '"-5"', '"None"', '"\\n"', '"0"', '"00"'),
    *('"9999-12-31T23:59:59.999999Z"', '"0001-01-01T00:00:00+14:00"', '"9999-12-31T23:59:59-14:00"', '"2026-02-30"'),
    *('"1970-01-01T00:00:00Z"', '"2026-11-20T10:00:00"', '"20261120T100000Z"', '"2026-W47-5"', '"24:00"', '"now"'),
    *('"http://[::1"', '"http://[a]/"', '"http://a:99999/"', '"//x"', '"javascript:alert(1)"', '"https:///"', '"at://"'),
    *('"https://feeds.example/\\ud800"', '"https://a.example/%"', '"a b"', '"@"', '"#"', '"..."', '"../../etc"'),
    *('"<b>"', '"</p></p>"', '"<!--"', '"<![CDATA["', '"&#xD800;&#0;&#x110000;&amp;lt;"', '"<script>x</script>"'),
    *(f'"{letters * 3_000}"' for letters in ("<div>", "[", "&", "\\u0301", "a" * 25, "a.", "#", "@a", "\\n", "> ")),
    *("[]", "{}", "[[]]", "[null]", "[0]", '[""]', "[{}]", '{"": null}', '{"id": {}}', '[["a", 1]]', '{"$type": []}'),
    *("[" * deep + "]" * deep for deep in (100, 900, 3_000)),
    *('{"a":' * deep + "1" + "}" * deep for deep in (100, 900, 3_000)),
]  # fmt: skip
SCRAPS = [  # bytes that go between others
    *(b"\0", b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"\xff\xfe", b"\x1f\x8b", b"\n", b"\r", b"\x0c"),
    *(b"<", b">", b"&", b'"', b"'", b"\\", b"\\u", b"{", b"}", b"[", b"]", b",", b":", b"0", b"-", b"e", b"%", b"."),
    *(b"<!--", b"-->", b"<![CDATA[", b"]]>", b"<?xml ?>", b"</", b"/>", b"<item>", b"</item>", b"<entry>", b"</entry>"),
    *(b"&#0;", b"&#xD800;", b"&#x110000;", b"&lol;", b"&amp;amp;", b"&#99999999999;", b"<p>", b"</div>", b"<script>"),
    *(b'<!DOCTYPE x [<!ENTITY lol "lol">]>', b"<!DOCTYPE html>", b"<html><title>", b'xml:base="http://[::1"', b"<pre>"),
    *(b"<a>" * 3_000, b"[" * 3_000, b'{"":' * 3_000, b" " * 50_000, b"&" * 5_000, b"<" * 5_000, b"\xcc\x81" * 5_000),
    *(b"\xe2\x80\xa8", b' xmlns="x"', b",,,,", b'""', b"\t", b";"),
]  # fmt: skip
HEADERS = [  # one of an answer's headers, replaced
    *(("content-type", value) for value in ("", "text/html", "text/xml; charset=utf-16", "a/b; charset=idna", "\xff")),
    *(("content-type", f"text/xml; charset={name}") for name in ("hex", "utf-7", "rot13", "undefined", "cp037")),
    *(("content-encoding", value) for value in ("gzip", "deflate", "br", "identity", "gzip, gzip")),
    *(("retry-after", value) for value in ("-1", "0.493", "1e9", "Fri, 31 Dec 9999 23:59:59 -1400", "٣", "9" * 400)),
    *(("x-ratelimit-remaining", value) for value in ("0", "-1", "NaN", "")),
    *(("link", value) for value in ("<", "<http://[>; rel=next", '<?max_id=1>; rel="next"', ",,")),
    *(("etag", value) for value in ("", 'W/"\xff"', '"' + "x" * 9_000 + '"')),
    *(("last-modified", value) for value in ("", "\xe9", "never")),
    *(("location", value) for value in ("", "/", "http://[::1", "file:///etc/passwd", "https://feeds.example:0/")),
]  # fmt: skip
STATUSES = [
    *(200, 201, 204, 206, 226, 299, 301, 302, 304, 307, 308),
    *(400, 401, 403, 404, 406, 410, 418, 422, 429, 451, 500, 503, 521, 599),
]

_OF_THE_WIRE = ("content-encoding", "content-length")  # true of the body as it was sent

Change = tuple[str, int, int, Any]  # its name, two places, and what goes there: cheap to draw

_RUN = re.compile(rb">([^<>]+)<|=\"([^\"]*)\"|(<[^<>]*>)")

_PLACE = st.integers(0, 2**20)
_BYTES: st.SearchStrategy[Change] = st.one_of(
    st.tuples(st.sampled_from(["flip", "cut", "drop", "double", "swap"]), _PLACE, _PLACE, st.none()),
    st.tuples(st.just("insert"), _PLACE, _PLACE, st.sampled_from(SCRAPS) | st.binary(max_size=8)),
    st.tuples(st.just("all"), _PLACE, _PLACE, st.binary(max_size=60)),
)
_JSON: st.SearchStrategy[Change] = st.one_of(
    st.tuples(st.just("value"), _PLACE, _PLACE, st.sampled_from(WILD)),
    st.tuples(st.sampled_from(["without", "twice", "exchange", "rename"]), _PLACE, _PLACE, st.none()),
)
_HTTP: st.SearchStrategy[Change] = st.one_of(
    st.tuples(st.just("header"), _PLACE, _PLACE, st.sampled_from(HEADERS)),
    st.tuples(st.just("status"), _PLACE, _PLACE, st.sampled_from(STATUSES)),
)
CHANGES = st.one_of(  # what spoils the whole answer hides what a single value does: hence values by themselves too
    st.lists(_JSON, min_size=1, max_size=6),
    st.lists(_BYTES, min_size=1, max_size=3),
    st.lists(_HTTP, min_size=1, max_size=2),
    st.lists(_JSON | _BYTES | _HTTP, min_size=1, max_size=4),
)


@dataclass(frozen=True)
class Answer:
    """What a server answers, as the client gets it before it is decoded."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def response(self) -> httpx.Response:
        headers = [(name.encode(), value.encode("latin-1", "replace")) for name, value in self.headers.items()]
        return httpx.Response(self.status, headers=headers, stream=httpx.ByteStream(self.body))


def changed(answer: Answer, changes: list[Change]) -> Answer:
    """Return the answer with all the changes made."""
    status, headers, body = answer.status, dict(answer.headers), answer.body
    if body.startswith(b"PK"):  # what is in an archive, since a broken archive tells nothing
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            [name] = archive.namelist()
            inner = changed(Answer(status, headers, archive.read(name)), changes)
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(
                zipfile.ZipInfo(name), inner.body, zipfile.ZIP_DEFLATED
            )  # the same bytes at any time of day
        return Answer(inner.status, inner.headers, packed.getvalue())
    for change, one, other, new in changes:
        if change == "header":
            name, value = new
            headers[name] = value
        elif change == "status":
            status = new
        else:
            body = changed_body(body, change, one, other, new)
    return Answer(status, headers, body)


def changed_body(body: bytes, change: str, one: int, other: int, new: Any) -> bytes:
    """Return the bytes after one change; what needs JSON does nothing to what is none."""
    if change == "all":
        return new
    if change in ("value", "without", "twice", "exchange", "rename"):
        return _changed_parts(body, change, one, other, new)
    start, end = sorted((one % (len(body) + 1), other % (len(body) + 1)))
    if change == "flip" and body:
        place = one % len(body)
        return body[:place] + bytes([body[place] ^ 1 << other % 8]) + body[place + 1 :]
    short = body[start : min(end, start + other % 400)]
    return {
        "flip": body,
        "cut": body[:start],
        "drop": body[:start] + body[start + len(short) :],
        "double": body[:start] + short + body[start:],
        "swap": body[end:] + body[start:end] + body[:start],
        "insert": body[:start] + (new or b"") + body[start:],
    }[change]


def _changed_parts(body: bytes, change: str, one: int, other: int, new: Any) -> bytes:
    """The body after a change of what it is made of: values of JSON, or of one of several lines of it, or of markup."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        lines = body.split(b"\n")
        if body.lstrip().startswith(b"<") or len(lines) < 2:
            return _changed_markup(body, change, one, other, new)
        place = one % len(lines)
        lines[place] = _changed_parts(lines[place], change, other, one, new)
        return b"\n".join(lines)
    places = _places(document)
    if not places:
        return new.encode() if change == "value" else body
    (holder, key), (elsewhere, its_key) = places[one % len(places)], places[other % len(places)]
    if change == "value":
        holder[key] = "\ue000"
        return json.dumps(document).replace('"\\ue000"', new).encode()
    if change == "without":
        del holder[key]
    elif change == "exchange":
        taken = json.loads(json.dumps([holder[key], elsewhere[its_key]]))  # copies: no value may come to hold itself
        elsewhere[its_key], holder[key] = taken
    elif change == "twice" and isinstance(holder, list):
        holder.insert(key, holder[key])
    elif change == "rename" and isinstance(holder, dict):
        holder[f"{key}_"] = holder.pop(key)
    return json.dumps(document).encode()


def _changed_markup(body: bytes, change: str, one: int, other: int, new: Any) -> bytes:
    """The same for what stands between tags, and for what attributes say."""
    runs = [found.span(found.lastindex or 0) for found in _RUN.finditer(body)]
    if not runs:
        return body
    (start, end), (first, last) = sorted((runs[one % len(runs)], runs[other % len(runs)]))
    text = html.escape(str(json_text.parse(new))) if change == "value" and not _deep(new) else new or ""
    return {
        "value": body[:start] + text.encode("utf-8", "surrogatepass") + body[end:],
        "without": body[:start] + body[end:],
        "twice": body[:end] + body[start:],
        "exchange": body[:start] + body[first:last] + body[end:first] + body[start:end] + body[last:],
        "rename": body[:start] + body[last:],
    }[change]


def _deep(written: str) -> bool:
    return written.count("[") + written.count("{") > 100


def _places(document: Any) -> list[tuple[Any, Any]]:
    """Every place in a JSON document: what holds it, and its key or index there."""
    found: list[tuple[Any, Any]] = []
    holders = [document]
    for holder in holders:
        keys = holder if isinstance(holder, dict) else range(len(holder)) if isinstance(holder, list) else ()
        for key in list(keys):
            found.append((holder, key))
            holders.append(holder[key])
    return found


def tables() -> list[dict[str, Any]]:
    """The [[feed]] tables of everything that the feed server shows, one of each kind."""
    found = tomllib.loads(config.every_source(SERVER))["feed"] + OTHERWISE
    return [table for table in found if table["id"] != "herald"]  # a newspaper like the courier


def frugal(table: dict[str, Any]) -> FeedOptions:
    """A feed's options, with short lists and as few requests a visit as it takes."""
    options = load(table["source"]).Options
    short: dict[str, Any] = {key: value[:2] if isinstance(value, list) else value for key, value in table.items()}
    for most in (2, 3, 4, 6, 8, 12, 13, 16, 24, 48, 96) if "max_requests" in options.model_fields else ():
        try:
            return options.model_validate(short | {"max_requests": most})
        except ValidationError:
            continue
    return options.model_validate(short)


def small_world() -> tuple[World, datetime]:
    """A world, and a moment when there has just been news: some sources show the newest quarter of an hour only."""
    world = make_world(seed=7, until=NOW, days=3, posts=150)
    news = max(post.published_at for post in world.posts if post.place == "courier")
    return world, news + timedelta(minutes=15)


class FeedServer(httpx.AsyncBaseTransport):
    """The built-in feed server within this process. Between `begin` and the next it spoils what it is told to.

    which: the answers, or messages of a stream, that are changed, by number from 0; None for all. now: its time.
    spoilt: how many it changed in all.
    """

    def __init__(self) -> None:
        world, self.now = small_world()
        self._app = build_app(world, lambda: self.now, mastodon_limit=10**9, now=self._later)
        self._http = httpx.ASGITransport(self._app)
        self._ticks = self.spoilt = 0
        self.begin([], None)

    def begin(self, changes: list[Change], which: frozenset[int] | None) -> None:
        self.changes, self.which, self.asked = changes, which, 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.asked += 1
        assert self.asked < ENDLESS, "the visit does not end"
        response = await self._http.handle_async_request(request)
        kept = {name: value for name, value in response.headers.items() if name not in _OF_THE_WIRE}
        answer = Answer(response.status_code, kept, await response.aread())
        return self._spoilt(self.asked - 1, answer).response()

    async def frames(
        self, url: str, params: Mapping[str, str | int] | None = None, *, at_most: int = 1_000_000
    ) -> AsyncGenerator[bytes, None]:
        """The messages of a stream, as FeedClient.frames gives them, until the server has no more to say."""
        target = httpx.URL(url).copy_merge_params(dict(params or {}))
        scope = {
            "type": "websocket",
            "path": target.path,
            "query_string": target.query,
            "headers": [],
            "subprotocols": [],
        }
        said: list[bytes] = []

        async def receive() -> dict[str, Any]:
            return {"type": "websocket.disconnect", "code": 1000} if said else {"type": "websocket.connect"}

        async def send(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "websocket.send":
                said.append((message.get("text") or "").encode() or message["bytes"])

        await self._app(scope, receive, send)
        for number, message in enumerate(said):
            if message := self._spoilt(number, Answer(200, {}, message)).body:
                yield message

    def _spoilt(self, number: int, answer: Answer) -> Answer:
        due = self.changes and (self.which is None or number in self.which)
        self.spoilt += bool(due)
        return changed(answer, self.changes) if due else answer

    def _later(self) -> datetime:
        """The clock of its limits: nobody here asks too often."""
        self._ticks += 1
        return self.now + timedelta(hours=self._ticks)


@dataclass
class Replay(httpx.AsyncBaseTransport):
    """A server that gives one answer to everything."""

    answer: Answer
    asked: int = 0
    now: datetime = NOW

    async def frames(
        self, url: str, params: Mapping[str, str | int] | None = None, *, at_most: int = 1_000_000
    ) -> AsyncGenerator[bytes, None]:
        """Its lines are messages of a stream."""
        for line in self.answer.body.splitlines():
            yield line

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.asked += 1
        assert self.asked < ENDLESS, "the visit does not end"
        return self.answer.response()


@dataclass
class Heard:
    """What became of a visit that began at a time."""

    at: datetime
    pages: list[Page] = field(default_factory=list)
    error: FeedError | None = None


async def heard(server: FeedServer | Replay, feed: FeedOptions, cursor: str | None, **more: Any) -> Heard:
    """A visit that ends as visits may: by itself or with a FeedError; anything else is raised."""
    found = Heard(server.now)
    names = {name: SECRET for key, name in feed if key.endswith("_env") and isinstance(name, str)}
    client = polite(Clock(), allow_hosts=frozenset(), transport=server, resolve=_public, rng=random.Random(0))
    async with client as asking:
        asker = asking.visit(feed.id)
        vars(asker)["frames"] = server.frames  # a stream has no seam for a transport
        going = visit(feed, asker, cursor=cursor, secrets=names, started_at=server.now, **more)
        try:
            async for page in load(feed.source).pages(going):
                found.pages.append(page)
        except FeedError as error:
            found.error = error
    return found


def recordings(source: str) -> list[Answer]:
    """What real servers of a source answered, where that is at hand beside the project."""
    if not (RECORDED / source).is_dir():
        return []
    no_reply = (".headers.json", "LICENSE", "SOURCE.txt")
    paths = sorted(
        path for path in (RECORDED / source).rglob("*") if path.is_file() and not path.name.endswith(no_reply)
    )
    bodies = [path.read_bytes() for path in paths]
    return [Answer(200, {}, body) for body in bodies if 0 < _length(body) < 200_000]  # larger ones only take longer


def _length(body: bytes) -> int:
    """Bytes once unpacked."""
    try:
        return len(gzip.decompress(body))
    except (OSError, EOFError, zlib.error):
        return len(body)


def exports() -> dict[str, bytes]:
    """Files of a help desk's, by name, as files.py reads them, and the keys that say which column is what."""
    rows = [
        {"No": str(n), "Comment": f"Telvane charged me {n} times, again", "By": "ada", "When": f"2026-11-{n:02} 10:00",
         "Stars": n % 5 + 1, "Seen": n * 7}
        for n in range(1, 9)
    ]  # fmt: skip
    text = io.StringIO()
    sheet = csv.DictWriter(text, list(rows[0]))
    sheet.writeheader()
    sheet.writerows(rows)
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    packed = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), packed)
    plain = {"a.csv": text.getvalue().encode(), "b.jsonl": lines.encode(), "c.parquet": packed.getvalue()}
    return plain | {"d.csv.gz": gzip.compress(plain["a.csv"]), "e.jsonl.gz": gzip.compress(plain["b.jsonl"])}


COLUMNS = {
    **{"id": "No", "text": "Comment", "author": "By", "published_at": "When", "rating": "Stars", "views": "Seen"},
    **{"title": "By", "likes": "Seen", "url": "Comment", "language": "By", "kind": "By", "edited_at": "When"},
}


def changed_file(name: str, body: bytes, changes: list[Change]) -> bytes:
    """Return a file with the changes made, within the packing where it has one."""
    if not name.endswith(".gz") or changes[0][1] % 4 == 0:
        return changed(Answer(200, {}, body), changes).body
    return gzip.compress(changed(Answer(200, {}, gzip.decompress(body)), changes).body)


async def _public(host: str, port: int) -> list[str]:
    return ["1.1.1.1"]
