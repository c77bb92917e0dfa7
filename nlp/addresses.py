"""Where accounts, tags and hosts begin and end in running text. All take folded text and a span of it."""

import re
import string

from nlp.folding import is_word_character

# A bare "acme.com" is an address; "acme.so what" is a forgotten space. Endings that are English words are left out.
_ENDING = (
    "com|net|org|io|co|app|dev|ai|gov|edu|info|biz|shop|store|online|site|tech|cloud|news|blog|social|tv|eu|uk|de|fr|"
    "es|nl|pl|ch|se|dk|fi|cz|pt|ie|ca|au|nz|jp|cn|kr|br|mx|ar|ru|ua|tr|za"
)
_BARE_HOST = re.compile(rf"(?:[\w-]+\.)+(?:{_ENDING})(?=[/:?#]|[.,;!)\]'\"]*$)")
REACH = 300  # characters to each side of a name that are looked at
_IN_HOST = string.ascii_letters + string.digits + ".-_"
_OPENING = frozenset("\"'([{<*_~|:;,>-")  # may stand before a bare host


def within_address(text: str, start: int, end: int) -> bool:
    """Return whether a name is part of a link, an e-mail address, an account or a hashtag, not a word said.

    A name that is the whole host itself ("Booking.com is down") is said.
    """
    if start and text[start - 1] in "@#" and is_word_character(text[start]):
        return True
    left, right = _chunk(text, start, end)
    chunk = text[left:right]
    if "." not in chunk and "@" not in chunk and "/" not in chunk:
        return False
    if "://" in text[left:start] or re.match(r"[(\[<\"']*www\.", chunk):
        return True
    if "@" in chunk[start - left :] and re.match(r"[\w.+-]*@\w", text[end:right]):
        return True  # the local part of an e-mail address
    if re.search(r"\w@[\w.-]*$", text[left:start]):
        return True  # its host
    host = _BARE_HOST.match(chunk, _host_start(text, start) - left)
    if host is None:
        return False
    host_left, host_right = left + host.start(), left + host.end()
    if (start, end) == (host_left, host_right):
        return False
    return start < host_right or text[host_right : host_right + 1] in ("/", "?", "#", ":")


def is_handle(text: str, start: int, end: int) -> bool:
    """Return whether "@acme" is that account: no e-mail address, no longer name, not one on another server."""
    before = text[start - 1 : start]
    if before and (is_word_character(before) or before in "+-@"):
        return False
    if before == "." and start > 1 and is_word_character(text[start - 2]):  # ".@acme says" is how people shout
        return False
    after, then = text[end : end + 1], text[end + 1 : end + 2]
    if after and is_word_character(after):
        return not _joins(after)
    return not (after and after in ".-@" and then and is_word_character(then))


def is_hashtag(text: str, start: int, end: int) -> bool:
    """Return whether "#acme" is that very tag and not the end of a link or part of a longer tag."""
    if start and (is_word_character(text[start - 1]) or text[start - 1] in "/&#"):
        return False
    if end < len(text) and is_word_character(text[end]):
        return False
    left, _ = _chunk(text, start, end)
    return "://" not in text[left:start]


def is_host(text: str, start: int, end: int) -> bool:
    """Return whether "acme.com" is the host of a link, or its last labels, or stands bare."""
    right = end
    while right < len(text) and _in_host(text[right]):
        right += 1
    if text[end:right].strip(".") or text[right : right + 1] == "@":
        return False  # acme.com.evil.net, acme.com-sale, acme.com@evil.net
    left = _host_start(text, start)
    if left < start and text[start - 1] != ".":
        return False  # notacme.com, not-acme.com
    chunk_left, _ = _chunk(text, start, end)
    if left == chunk_left or text[left - 3 : left] == "://":
        return True
    if text[left - 2 : left] == "//" and left - 2 == chunk_left:
        return True
    return "://" not in text[chunk_left:left] and (text[left - 1] in _OPENING or not text[left - 1].isascii())


def _chunk(text: str, start: int, end: int) -> tuple[int, int]:
    """Return the run without spaces around a span, at most `REACH` characters to each side."""
    before, after = text[max(0, start - REACH) : start], text[end : end + REACH]
    left = 0 if not before or before[-1].isspace() else len(before.rsplit(None, 1)[-1])
    right = 0 if not after or after[0].isspace() else len(after.split(None, 1)[0])
    return start - left, end + right


def _host_start(text: str, start: int) -> int:
    before = text[max(0, start - REACH) : start]
    left = start - len(before) + len(before.rstrip(_IN_HOST))
    while left > 0 and start - left < REACH and _in_host(text[left - 1]):  # letters beyond ASCII
        left -= 1
    return left


def _in_host(character: str) -> bool:
    return character in ".-_" or (character.isalnum() and _joins(character))


def _joins(character: str) -> bool:
    """Return whether a letter next to a Latin account or host belongs to it; Chinese may follow without a space."""
    return character.isascii() or character < "\u0e00"
