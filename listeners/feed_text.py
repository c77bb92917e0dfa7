"""The bytes of a feed as text: unpacked, in the right charset, without what XML forbids (feedparser#81).

Servers and files disagree about charsets more often than not, so the bytes decide first: a byte order mark, then
UTF-8 if they are valid UTF-8 (other charsets hardly ever look like it), then what HTTP and the prolog say, and in the
end UTF-8 with replacement, or windows-1252 where that would replace nearly every letter beyond ASCII.
"""

import codecs
import re

_MARKS = (  # longest first: UTF-32 begins like UTF-16
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_WIDE_STARTS = (  # "<" and a letter, without a mark
    (re.compile(rb"<\0\0\0"), "utf-32-le"),
    (re.compile(rb"\0\0\0<"), "utf-32-be"),
    (re.compile(rb"<\0[^\0]\0"), "utf-16-le"),
    (re.compile(rb"\0<\0[^\0]"), "utf-16-be"),
)
_PROLOG = re.compile(rb"""^\s*<\?xml[^>]{0,200}?encoding\s*=\s*["']([A-Za-z0-9._:-]{1,40})["']""")
_DECLARED_BY_HTTP = re.compile(r"""(?i)charset\s*=\s*["']?([A-Za-z0-9._:-]{1,40})""")
_OWN_KIND = re.compile(r"(?i)gb|big5|euc|shift|sjis|iso-?2022|hz|johab")  # several bytes a letter, at times valid UTF-8
_TEXT_CODECS = re.compile(r"utf|iso|cp|mac|koi|kz|gb|big5|euc|shift|hz|johab|tis|ptcp|hp-roman|latin")
_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_REFERENCE = re.compile(r"&#(?:[xX]([0-9a-fA-F]+)|([0-9]+));?")
_BEYOND_ASCII = re.compile(r"[^\x00-\x7f]")
_DOCTYPE = re.compile(r"<!DOCTYPE\b[^<>\[]{0,2000}\[", re.IGNORECASE)


def decode(body: bytes, content_type: str) -> tuple[str, str]:
    """Return the text of a feed and the charset that won, for the record; never raises.

    Byte order marks, leading blanks and control characters are gone; references to what is no character, which would
    cost the whole feed, stand for U+FFFD.
    """
    text, charset = _decode(body, content_type)
    text = _CONTROLS.sub("", text).lstrip("\ufeff \t\r\n")
    return (_REFERENCE.sub(_of_a_character, text) if "&#" in text else text), charset


def declares_entities(text: str) -> bool:
    """Return whether the document type declares entities: bombs and files of the server hide in them."""
    doctype = _DOCTYPE.search(text, 0, 20_000)
    return bool(doctype and re.compile(r"<!ENTITY\b", re.IGNORECASE).search(text, doctype.start()))


def _decode(body: bytes, content_type: str) -> tuple[str, str]:
    for mark, charset in _MARKS:
        if body.startswith(mark):
            return body[len(mark) :].decode(charset, "replace"), charset
    for start, charset in _WIDE_STARTS:
        if start.match(body):
            return body.decode(charset, "replace"), charset
    declared = _declared(body, content_type)
    if not any(_OWN_KIND.match(charset) for charset in declared):
        declared.insert(0, "utf-8")
    for charset in declared:
        try:
            return body.decode(charset), charset
        except UnicodeDecodeError:
            continue
    text = body.decode("utf-8", "replace")
    beyond = len(_BEYOND_ASCII.findall(text))
    if text.count("\ufffd") * 2 > beyond:
        return body.decode("cp1252", "replace"), "cp1252"
    return text, "utf-8"


def _of_a_character(reference: re.Match[str]) -> str:
    digits, base = (reference[1], 16) if reference[1] else (reference[2], 10)
    point = int(digits.lstrip("0")[:10] or "0", base)
    return "\ufffd" if point == 0 or 0xD800 <= point < 0xE000 or point > 0x10FFFF else reference[0]


def _declared(body: bytes, content_type: str) -> list[str]:
    """The charsets that HTTP and the prolog declare, as codecs we know."""
    over_http = _DECLARED_BY_HTTP.search(content_type)
    in_prolog = _PROLOG.match(body[:1000])
    names = [over_http.group(1)] if over_http else []
    names += [in_prolog.group(1).decode("ascii")] if in_prolog else []
    return [charset for name in names if (charset := _codec(name))]


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
