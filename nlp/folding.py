"""Text made comparable without losing one's place in it: case, apostrophes, spaces, and where words end.

Unicode case folding may lengthen a text (ß becomes ss, İ becomes i and a dot), so a place in folded
text is carried back through `Folded.origin`. Everything else here keeps lengths.
"""

import re
import unicodedata
from typing import NamedTuple

# Signs people and phones write for the same thing. Each maps one character to one.
_SAME = {
    "\u2019": "'", "\u2018": "'", "\u02bc": "'", "\u02b9": "'", "\uff07": "'", "\u00b4": "'", "`": "'",
    "\u201c": '"', "\u201d": '"', "\u201e": '"', "\u00ab": '"', "\u00bb": '"', "\uff02": '"',
    "\u2010": "-", "\u2011": "-", "\u2012": "-", "\u2013": "-", "\u2212": "-", "\uff0d": "-",
    "\u00a0": " ", "\u202f": " ", "\u2009": " ", "\u3000": " ", "\n": " ", "\t": " ", "\r": " ",
    "\uff03": "#", "\uff20": "@", "\uff06": "&",
}  # fmt: skip
_SIGN = re.compile(f"[{re.escape(''.join(_SAME))}]")
# Of bytes: str.translate looks every letter up, which takes longer than to find the brands in what it gives.
_FOLDED_ASCII = bytes(range(128)).lower().translate(bytes.maketrans(b"`\n\t\r", b"'   ")).ljust(256, b"\0")

# Scripts written without spaces: a name may touch other letters of them on either side.
UNSPACED_LETTERS = (  # as they stand in a pattern's brackets
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff"
    "\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff"
)
_UNSPACED = re.compile(f"[{UNSPACED_LETTERS}]")
_HANGUL = re.compile("[\u1100-\u11ff\u3130-\u318f\uac00-\ud7af]")  # spaced, but particles hang on the end of a name


class Folded(NamedTuple):
    """Folded text. origin[i] is the place in the original of folded character i; None where they agree."""

    text: str
    origin: list[int] | None

    def span(self, start: int, end: int) -> tuple[int, int] | None:
        """Return the original's span for a folded one, or None if it would cut an original character in two."""
        if self.origin is None:
            return start, end
        cut_at_start = start > 0 and self.origin[start] == self.origin[start - 1]
        cut_at_end = end < len(self.text) and self.origin[end] == self.origin[end - 1]
        return None if cut_at_start or cut_at_end else (self.origin[start], self.origin[end - 1] + 1)


def same_signs(text: str) -> str:
    """Return the text, as long as before, with one sign for each kind of apostrophe, quote, dash and space."""
    return _SIGN.sub(lambda found: _SAME[found[0]], text)


def fold(text: str) -> Folded:
    """Return the text without case and with `same_signs`, and the way back."""
    if text.isascii():
        return Folded(text.encode("ascii").translate(_FOLDED_ASCII).decode("ascii"), None)
    folded = same_signs(text).casefold()
    if len(folded) == len(text):  # folding never shortens a character, so none was lengthened
        return Folded(folded, None)
    origin = [place for place, character in enumerate(same_signs(text)) for _ in character.casefold()]
    return Folded(folded, origin)


def is_word_character(character: str) -> bool:
    """Return whether it is a letter, a digit, an underscore or a mark upon one of them."""
    return character.isalnum() or character == "_" or unicodedata.category(character)[0] == "M"


def is_whole(text: str, start: int, end: int) -> bool:
    """Return whether the span stands as a word of its own, so that "acme" is not found in "acmella".

    A possessive or a hyphen ends a word ("Acme's", "Acme-owned"), except that O' is part of a name: there
    is no Reilly in O'Reilly. Chinese, Japanese, Thai and their like need no space; Korean none after.
    """
    return _ends_before(text, start) and _ends_after(text, end)


def _ends_before(text: str, start: int) -> bool:
    if start == 0:
        return True
    before, first = text[start - 1], text[start]
    if not is_word_character(first) or _UNSPACED.match(first):
        return True
    if before == "'" and text[start - 2 : start - 1] in ("o", "O") and _ends_before(text, start - 2):
        return False
    return not is_word_character(before) or bool(_UNSPACED.match(before) or (_HANGUL.match(before) and first.isascii()))


def _ends_after(text: str, end: int) -> bool:
    if end == len(text):
        return True
    last, after = text[end - 1], text[end]
    if unicodedata.category(after)[0] == "M":  # é written as e and an accent: the name has not ended yet
        return False
    if not is_word_character(last) or _UNSPACED.match(last) or _HANGUL.match(last):
        return True
    return not is_word_character(after) or bool(_UNSPACED.match(after) or _HANGUL.match(after))
