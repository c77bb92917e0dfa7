"""An answer's body: decoded while it arrives, within bounds, and a first look at what it is.

httpx sets no limit on what a body decodes to and does not notice a gzip stream that ends early (encode/httpx#1927),
hence this decoder. We ask for gzip and deflate only; a server that answers in anything else is refused.
"""

import html
import re
import zlib
from urllib.parse import urljoin

RATIO_FROM = 1_000_000  # decoded bytes; below it the ratio of a bomb does no harm
_STEP = 65_536  # bytes decoded at a time

_PROLOGUE = re.compile(rb"(?:\xef\xbb\xbf)?(?:\s+|<\?.*?\?>|<!--.*?-->)*", re.DOTALL)
_HTML_START = re.compile(rb"<!doctype\s+html|<(?:html|head|body|script|title|meta)[\s>]", re.IGNORECASE)
_HTML_DOCTYPE = re.compile(rb"<!doctype\s+html[^<>]*>", re.IGNORECASE)
_FEED_START = re.compile(rb"<(?:rss|rdf:rdf|feed|channel)[\s>]", re.IGNORECASE)  # some makers think a feed is HTML
_LINK = re.compile(rb"<link\s([^<>]{0,2000})>", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"""([a-z]+)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""", re.IGNORECASE)
_FEED_TYPE = re.compile(r"application/(?:rss\+xml|atom\+xml|feed\+json|rdf\+xml|json)", re.IGNORECASE)
_HTML_TITLE = re.compile(rb"<title[^<>]{0,300}>(.{0,300}?)</title>", re.IGNORECASE | re.DOTALL)


class TooLarge(Exception):
    """The body is larger than we take, or decodes to suspiciously much; a retry does not help."""


class Truncated(Exception):
    """The body ends early or cannot be decoded; a retry may help."""


class Body:
    """Collects the bytes of a body as they arrive. `encoding` is the answer's Content-Encoding."""

    def __init__(self, encoding: str, *, at_most: int, ratio: float) -> None:
        encoding = encoding.strip().lower()
        if encoding not in ("", "identity", "gzip", "x-gzip", "deflate"):
            raise TooLarge(f"the body is encoded as {encoding[:40]!r}, which we did not ask for")
        self._encoding = encoding
        self._at_most = at_most
        self._ratio = ratio
        self._received = 0
        self._decoded = bytearray()
        self._decoder = None if encoding in ("", "identity") else _decoder(encoding)
        self._ended = False

    @property
    def size(self) -> int:
        """Decoded bytes so far."""
        return len(self._decoded)

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes. Raises TooLarge or Truncated."""
        self._received += len(chunk)
        if self._decoder is None:
            self._keep(chunk)
            return
        while chunk:
            if self._ended:  # a gzip body may be several members in a row (RFC 1952, 2.2)
                if not self._encoding.endswith("gzip") or not chunk.startswith(b"\x1f"):
                    return  # padding
                self._decoder, self._ended = _decoder(self._encoding), False
            chunk = self._decode(chunk)

    def end(self) -> bytes:
        """Return the whole body. Raises Truncated if the encoded stream did not reach its end."""
        if self._decoder is not None and not self._ended and self._received:
            self._keep(self._decoder.flush())  # what the last step had no room for
            if not self._decoder.eof:
                raise Truncated("the compressed body ends early")
        return bytes(self._decoded)

    def _decode(self, chunk: bytes) -> bytes:
        """Decode one step; return what is still to be decoded."""
        decoder = self._decoder
        if decoder is None:
            return b""
        try:
            piece = decoder.decompress(chunk, _STEP)
        except zlib.error as error:
            if self._encoding == "deflate" and not self._decoded:  # some send it raw, against RFC 9110
                self._encoding, self._decoder = "raw deflate", zlib.decompressobj(-zlib.MAX_WBITS)
                return chunk
            raise Truncated(f"the compressed body is broken: {error}") from error
        self._keep(piece)
        if decoder.eof:
            self._ended = True
            return decoder.unused_data
        return decoder.unconsumed_tail

    def _keep(self, piece: bytes) -> None:
        self._decoded += piece
        if self.size > self._at_most:
            raise TooLarge(f"the body is larger than {self._at_most:,} bytes")
        if self.size > RATIO_FROM and self.size > self._ratio * max(self._received, 1):
            raise TooLarge(f"the body decodes to more than {self._ratio:g} times its size")


def gunzipped(body: bytes, *, at_most: int, ratio: float) -> bytes:
    """Return a body that is itself a gzip or zlib file, unpacked (some servers label it badly); any other as it is.

    Raises TooLarge or Truncated.
    """
    if body.startswith(b"\x1f\x8b"):
        collected = Body("gzip", at_most=at_most, ratio=ratio)
    elif body[:2] in (b"x\x01", b"x\x5e", b"x\x9c", b"x\xda"):  # RFC 1950; no text begins so
        collected = Body("deflate", at_most=at_most, ratio=ratio)
    else:
        return body
    collected.feed(body)
    return collected.end()


def looks_like_html(body: bytes) -> bool:
    """Return whether the body begins as a web page does, whatever its headers say."""
    start = _PROLOGUE.match(body[:20_000])
    if not start or not _HTML_START.match(body, start.end()):
        return False
    doctype = _HTML_DOCTYPE.match(body, start.end())
    inside = _PROLOGUE.match(body[:20_000], doctype.end()) if doctype else None
    return not (inside and _FEED_START.match(body, inside.end()))


def html_title(body: bytes) -> str:
    """Return the page's title, for a person to see what came instead of data; empty if it has none."""
    found = _HTML_TITLE.search(body[:200_000])
    return " ".join(found.group(1).decode("utf-8", "replace").split())[:80] if found else ""


def feeds_named(page: bytes, url: str) -> list[str]:
    """Return the addresses of the feeds that a web page names as its own (<link rel="alternate" type=...>)."""
    found: dict[str, None] = {}
    for link in _LINK.finditer(page[:200_000]):
        told = link[1].decode("utf-8", "replace")
        given = {name.lower(): html.unescape(a or b or c) for name, a, b, c in _ATTRIBUTE.findall(told)}
        relations = given.get("rel", "").lower().split()
        if {"alternate", "feed"} & set(relations) and _FEED_TYPE.match(given.get("type", "")) and given.get("href"):
            try:
                found[urljoin(url, given["href"].strip())] = None
            except ValueError:
                continue
    return list(found)


def _decoder(encoding: str) -> "zlib._Decompress":
    return zlib.decompressobj(zlib.MAX_WBITS | 16 if encoding.endswith("gzip") else zlib.MAX_WBITS)
