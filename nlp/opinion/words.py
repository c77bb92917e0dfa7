"""The words of social text: links, accounts, tags and faces whole, and each word in the form lists know it by."""

import re
from collections.abc import Sequence
from typing import Literal, NamedTuple

from nlp.folding import same_signs
from nlp.opinion.kinds import SPELLINGS

Kind = Literal["word", "brand", "link", "account", "number", "face", "stop", "comma"]

_TOKEN = re.compile(
    r"""
    (?P<link>   https?://\S+ | www\.\S+ )
  | (?P<account>@\w[\w.@-]*\w | @\w )
  | (?P<face>   (?<!\w)(?: [:;=]'?-?[()\[\]dDpP/\\|@] (?!\w|/) | </?3 ) | [\U0001F000-\U0001FAFF\u2600-\u27BF\u2B50] )
  | (?P<number> \d+/\d+ | [$£€]?\d[\d.,:]*\d%? | [$£€]?\d%? )
  | (?P<word>   \#?[^\W\d_]+ (?: ['-][^\W\d_]+ )* | /s\b )
  | (?P<stop>   [.!?…]+ | \n | ; | \s[-–—]+\s | -{2,} | [|•] )
  | (?P<comma>  [,:()"<>] )
    """,
    re.VERBOSE,
)
_SCORE = re.compile(r"\d+/\d+|\d|10")  # "10/10", "1 star"; other numbers are alike
_REPEATED = re.compile(r"(\w)\1{2,}")
_POSSESSIVE = re.compile(r"'s?(?!\w)")


class Word(NamedTuple):
    """One token. form: what word lists know it by; brand: index of the name it is, or None; text[start:end]."""

    form: str
    kind: Kind
    start: int
    end: int
    loud: bool = False  # stretched ("sooo") or in capitals where others are not
    brand: int | None = None


def words(text: str, names: Sequence[tuple[int, int]] = ()) -> list[Word]:
    """Return the tokens of a text in order; each of the `names` (spans in order, apart) becomes one token."""
    shown = same_signs(text).replace("\t", " ")
    shouting = _mostly_capitals(text)
    found: list[Word] = []
    place = 0
    for index, (start, end) in enumerate(names):
        found += _between(text, shown, place, start, shouting)
        found.append(Word("<brand>", "brand", start, end, brand=index))
        possessive = _POSSESSIVE.match(shown, end)
        place = possessive.end() if possessive else end
    return found + _between(text, shown, place, len(text), shouting)


def _between(text: str, shown: str, start: int, end: int, shouting: bool) -> list[Word]:
    found: list[Word] = []
    # same_signs turns line breaks into spaces, but here a line break ends a sentence: so `text` decides.
    for line_start, line_end in _lines(text, start, end):
        for token in _TOKEN.finditer(shown, line_start, line_end):
            kind: Kind = token.lastgroup  # pyright: ignore[reportAssignmentType] - the groups are named as kinds are
            written = token.group()
            loud = False
            if kind == "word":
                loud = bool(_REPEATED.search(written)) or (written.isupper() and len(written) > 2 and not shouting)
            found.append(Word(_form(written, kind), kind, token.start(), token.end(), loud))
        if line_end < end:
            found.append(Word("\n", "stop", line_end, line_end + 1))
    return found


def _lines(text: str, start: int, end: int) -> list[tuple[int, int]]:
    lines: list[tuple[int, int]] = []
    while (newline := text.find("\n", start, end)) >= 0:
        lines.append((start, newline))
        start = newline + 1
    return [*lines, (start, end)]


def _form(written: str, kind: Kind) -> str:
    match kind:
        case "word":
            form = _REPEATED.sub(r"\1\1", written.lower())
            return SPELLINGS.get(form, form)
        case "link":
            return "<link>"
        case "account":
            return "<account>"
        case "number":
            return written if _SCORE.fullmatch(written) else "<number>"
        case "face":
            return written.lower()
        case _:
            return "?" if "?" in written else "!" if "!" in written else written.strip() or written


def _mostly_capitals(text: str) -> bool:
    letters = [character for character in text[:2_000] if character.isalpha()]
    return sum(map(str.isupper, letters)) > 0.6 * len(letters)
