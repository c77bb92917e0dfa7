"""The bytes of a feed as text: unpacked, in the right charset, without what XML forbids (feedparser#81).

Servers and files disagree about charsets more often than not, so the bytes decide first: a byte order mark, then
UTF-8 if they are valid UTF-8 (other charsets hardly ever look like it), then what HTTP and the prolog say, and in the
end UTF-8 with replacement, or what the letters look like where that would replace nearly every letter beyond ASCII.
"""

import codecs
import re
from collections import Counter
from collections.abc import Mapping

from listeners.charset_guess import guessed

_MARKS = (  # longest first: UTF-32 begins like UTF-16
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_MARK_BYTES = tuple(mark for mark, _ in _MARKS)
_WIDE_STARTS = (  # "<" and a letter, without a mark
    (re.compile(rb"<\0\0\0"), "utf-32-le"),
    (re.compile(rb"\0\0\0<"), "utf-32-be"),
    (re.compile(rb"<\0[^\0]\0"), "utf-16-le"),
    (re.compile(rb"\0<\0[^\0]"), "utf-16-be"),
)
_EBCDIC_START = b"\x4c\x6f\xa7\x94\x93"  # "<?xml" there, in all its code pages
_PROLOG = re.compile(rb"""^\s*<\?xml[^>]{0,200}?encoding\s*=\s*["']([A-Za-z0-9._:-]{1,40})["']""")
_DECLARED_BY_HTTP = re.compile(r"""(?i)charset\s*=\s*["']?([A-Za-z0-9._:-]{1,40})""")
_OWN_KIND = re.compile(r"(?i)gb|big5|euc|shift|sjis|iso-?2022|hz|johab")  # several bytes a letter, at times valid UTF-8
_TEXT_CODECS = re.compile(r"utf|iso|cp|mac|koi|kz|gb|big5|euc|shift|hz|johab|tis|ptcp|hp-roman|latin")
_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_REFERENCE = re.compile(r"&#(?:[xX]([0-9a-fA-F]+)|([0-9]+));?")
_NAMED = re.compile(r"&([A-Za-z_][\w.-]{0,60});")
_BEYOND_ASCII = re.compile(r"[^\x00-\x7f]")

# Possessive (*+): a quote, comment or bracket that does not end ends the match, so that no time is lost on it
_PROLOGUE = re.compile(r"(?:\s++|<\?.*?\?>|<!--.*?-->)*+", re.DOTALL)
_DOCTYPE = re.compile(
    r"""<!DOCTYPE\b(?:[^<>\[\]"']++|"[^"]*+"|'[^']*+')*+"""
    r"""(?:\[((?:[^<\]"']++|<!--.*?-->|<(?!!--)|"[^"]*+"|'[^']*+')*+)\]\s*+)?>""",
    re.IGNORECASE | re.DOTALL,
)
_SHORT_ENTITY = re.compile(
    r"""<!ENTITY\s+([A-Za-z_][\w.-]{0,60})\s+"""
    r"""(?:"((?:&\#\w{1,7};|[^"&%<]){0,200})"|'((?:&\#\w{1,7};|[^'&%<]){0,200})')\s*>"""
)
MAX_EXPANDED = 100_000  # characters that entities of the document's own may add to it; other references stay


def decode(body: bytes, content_type: str) -> tuple[str, Counter[str]]:
    """Return the text of a feed, and what had to be put right for it, counted; never raises.

    Byte order marks, leading blanks and control characters are gone; references to what is no character, which would
    cost the whole feed, stand for U+FFFD. The charset that won, and what spoke for it, is among the notes unless it is
    UTF-8 and nothing said otherwise.
    """
    notes: Counter[str] = Counter()
    text, won = _decode(body, content_type)
    if won:
        notes[f"charset {won}"] = 1
    text, notes["control characters stripped"] = _CONTROLS.subn("", text)
    began = len(text)
    text = text.lstrip("\ufeff \t\r\n")
    notes["marks and blanks stripped"] = began - len(text) + body.startswith(_MARK_BYTES)
    if "&#" in text:
        text = _REFERENCE.sub(_of_a_character, text)
    return text, +notes


def without_doctype(text: str) -> str:
    """Return a feed without its document type, which may hold bombs and files of the server. Nothing is fetched.

    What it calls by a name, if that is short and plain, stands where the name stood; all other references stay as they
    are. Raises ValueError where the document type has no end.
    """
    start = _PROLOGUE.match(text)
    place = start.end() if start else 0
    if text[place : place + 9].upper() != "<!DOCTYPE":
        return text
    doctype = _DOCTYPE.match(text, place)
    if doctype is None:
        raise ValueError("its DOCTYPE has no end")
    text = text[:place] + text[doctype.end() :]
    named = {name: one or other for name, one, other in _SHORT_ENTITY.findall(doctype[1] or "")}
    return _expanded(text, named) if named else text


def _expanded(text: str, named: Mapping[str, str]) -> str:
    left = MAX_EXPANDED

    def value(reference: re.Match[str]) -> str:
        nonlocal left
        meant = named.get(reference[1])
        if meant is None or left < len(meant):
            return reference[0]
        left -= len(meant)
        return meant

    return _NAMED.sub(value, text)


def _decode(body: bytes, content_type: str) -> tuple[str, str]:
    """The text, and the charset that won with what spoke for it; empty where it is UTF-8 and nothing said otherwise."""
    for mark, charset in _MARKS:
        if body.startswith(mark):
            return body[len(mark) :].decode(charset, "replace"), "" if charset == "utf-8" else f"{charset} by its mark"
    for start, charset in _WIDE_STARTS:
        if start.match(body):
            return body.decode(charset, "replace"), f"{charset} by its first bytes"
    if body.startswith(_EBCDIC_START):  # only its prolog can say which
        named = _PROLOG.match(body[:200].decode("cp037").encode("latin-1"))
        charset = (named and _codec(named[1].decode("ascii"))) or "cp037"
        return body.decode(charset, "replace"), f"{charset} by its first bytes"
    declared = _declared(body, content_type)
    if not any(_OWN_KIND.match(charset) for charset, _ in declared):
        declared.insert(0, ("utf-8", "by its bytes"))
    for charset, by in declared:
        try:
            text = body.decode(charset)
        except UnicodeDecodeError:
            continue
        agreed = charset == "utf-8" and all(other == "utf-8" for other, _ in declared)
        return text, "" if agreed or body.isascii() else f"{charset} {by}"
    text = body.decode("utf-8", "replace")
    beyond = len(_BEYOND_ASCII.findall(text))
    if text.count("\ufffd") * 2 > beyond:
        if charset := guessed(body):
            return body.decode(charset, "replace"), f"{charset} by the looks of its letters"
        return body.decode("cp1252", "replace"), "cp1252 for want of a better one"
    return text, "utf-8 with bad bytes replaced"


def _of_a_character(reference: re.Match[str]) -> str:
    digits, base = (reference[1], 16) if reference[1] else (reference[2], 10)
    point = int(digits.lstrip("0")[:10] or "0", base)
    return "\ufffd" if point == 0 or 0xD800 <= point < 0xE000 or point > 0x10FFFF else reference[0]


def _declared(body: bytes, content_type: str) -> list[tuple[str, str]]:
    """The charsets that HTTP and the prolog declare, as codecs we know, each with who declares it."""
    over_http = _DECLARED_BY_HTTP.search(content_type)
    in_prolog = _PROLOG.match(body[:1000])
    names = [(over_http.group(1), "by HTTP")] if over_http else []
    names += [(in_prolog.group(1).decode("ascii"), "by its prolog")] if in_prolog else []
    return [(charset, by) for name, by in names if (charset := _codec(name))]


def _codec(name: str) -> str | None:
    try:
        found = codecs.lookup(name).name
    except (LookupError, ValueError):
        return None
    if found in ("iso8859-1", "ascii"):
        return "cp1252"  # what those who write ISO-8859-1 mean (WHATWG Encoding)
    if found == "gb2312":
        return "gb18030"  # its superset
    return found if _TEXT_CODECS.match(found) and found != "utf-7" else None
