"""How a text and the name it is judged for become what the mention model reads. Training and use share it.

Two segments: the text around the name, and the name; no name (the text as a whole is judged) leaves the second
empty. Accounts become @user and links http, as in the sets the model was trained on (TweetEval's form, Barbieri
et al. 2020), but the name keeps its characters where it stands. The vocabulary is lower-cased English word pieces
without emoji, so these are spelled out by their Unicode names, and #TagsLikeThis are parted while the capitals
are still there. A piece's kind tells how its word was capitalised. Where each word stands in the text is kept, so that
what is found can be shown there.
"""

import html
import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from tokenizers import Tokenizer

WINDOW = 112  # pieces of text read, the name among them; 99 of 100 posts of microblogs are shorter
NAME = 16  # pieces of the name read
PIECE = 12  # characters of a word piece at the most, on average: what lies further from the name is not even cut up
CLS, SEP = 101, 102  # ids in the vocabulary of BERT
OF_NAME, CAPITALISED, CAPITALS, MIXED = 1, 2, 3, 4  # kinds of pieces; 0: of the text, without a capital
KINDS = 5

_LINK = re.compile(r"(?:https?://|www\.)\S+", re.IGNORECASE)
_ACCOUNT = re.compile(r"(?<![\w@])@\w+(?:@[\w.]+\w)?")
_TAG = re.compile(r"#(\w+)")
_HUMP = re.compile(r"(?<=[a-z\d])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|_+")
_LONG = re.compile(r"(.)\1{3,}", re.DOTALL)
_REFERENCE = re.compile(r"&(?:#[0-9]+;?|#[xX][0-9a-fA-F]+;?|[^\t\n\f <&#;]{1,32};?)")  # as html.unescape has it
_PICTURE = re.compile(r"[\u2190-\u2bff\U0001f000-\U0001faff]")
_ESCAPED = {"\\u2019": "'", "\\u002c": ","}  # as some tweets of SemEval are written
_WRITTEN_OUT = re.compile("|".join(map(re.escape, _ESCAPED)))


class Word(NamedTuple):
    """A word that is read: the place of its first piece, and its characters start..end of the text."""

    place: int
    start: int
    end: int


class Read(NamedTuple):
    """Ids of word pieces; their kinds (OF_NAME, or of the text: 0, CAPITALISED, CAPITALS, MIXED); the text's words.

    whole: whether that is all of the text.
    """

    ids: list[int]
    kinds: list[int]
    words: list[Word]
    whole: bool


class Cleaned(NamedTuple):
    """A text as the model reads it; character i of it stands for starts[i]..ends[i] of the text as it was."""

    text: str
    starts: Sequence[int]
    ends: Sequence[int]


def cleaned(text: str) -> str:
    """Return the text as the model reads it: @user, http, emoji spelled out, tags parted, no four like letters."""
    return _cleaned(text).text


def _cleaned(text: str) -> Cleaned:
    held = _as_is(text)
    if "&" in text:
        for _ in range(2):
            held = _replaced(held, _REFERENCE, lambda found: html.unescape(found[0]))
    if "\\u" in text:
        held = _replaced(held, _WRITTEN_OUT, lambda found: _ESCAPED[found[0]])
    held = _replaced(held, _LINK, lambda found: "http")
    held = _replaced(held, _ACCOUNT, lambda found: "@user")
    held = _replaced(held, _TAG, lambda tag: f"# {_HUMP.sub(' ', tag[1])}")
    held = _replaced(held, _LONG, lambda found: found[1] * 3)
    return _replaced(held, _PICTURE, _spelled)


def _as_is(text: str) -> Cleaned:
    return Cleaned(text, range(len(text)), range(1, len(text) + 1))


def _replaced(held: Cleaned, pattern: re.Pattern[str], by: Callable[[re.Match[str]], str]) -> Cleaned:
    """Return the text with what the pattern finds replaced; what replaces it stands for the whole of it."""
    parts: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    place = 0
    for found in pattern.finditer(held.text):
        start, end = found.span()
        new = by(found)
        parts += (held.text[place:start], new)
        starts += (*held.starts[place:start], *[held.starts[start]] * len(new))
        ends += (*held.ends[place:start], *[held.ends[end - 1]] * len(new))
        place = end
    if not parts:
        return held
    parts.append(held.text[place:])
    return Cleaned("".join(parts), starts + list(held.starts[place:]), ends + list(held.ends[place:]))


def _spelled(picture: re.Match[str]) -> str:
    sign = picture[0]
    if unicodedata.category(sign) != "So" or "\U0001f1e6" <= sign <= "\U0001f1ff":  # arrows, skin colours; flags
        return " "
    return f" {unicodedata.name(sign, '').lower()} "


def place(text: str, name: str) -> tuple[int, int] | None:
    """Return where the name stands first, as a whole word if anywhere so; None if the text lacks it.

    Case is ignored, and the @ or # of the name where the text writes it without.
    """
    for wanted in dict.fromkeys((name, name.lstrip("@#"))):
        if not wanted:
            continue
        found = re.search(rf"(?<!\w){re.escape(wanted)}(?!\w)", text, re.IGNORECASE) or re.search(
            re.escape(wanted), text, re.IGNORECASE
        )
        if found:
            return found.span()
    return None


def read(tokenizer: Tokenizer, text: str, name: str = "", span: tuple[int, int] | None = None) -> Read:
    """Return what the model reads of a text.

    name: whom the text is judged for, "" for nobody. span: where it stands; None: it is looked for. Of a longer
    text the window around that place is read, of one without the name its beginning.
    """
    reach = WINDOW * PIECE
    if span is None and name:
        span = place(text, name)
    if span is None:
        pieces = _pieces(tokenizer, _cleaned(text[:reach]), 0)
        whole = len(text) <= reach and len(pieces) <= WINDOW
        pieces = pieces[:WINDOW]
    else:
        start, end = span
        first = max(0, start - reach)
        before = _pieces(tokenizer, _cleaned(text[first:start]), first)
        named = _pieces(tokenizer, _as_is(text[start:end][:reach]), start)[:NAME]
        after = _pieces(tokenizer, _cleaned(text[end : end + reach]), end)
        room = WINDOW - len(named)
        ahead = min(len(before), max(room // 2, room - len(after)))
        pieces = before[len(before) - ahead :] + named + after[: room - ahead]
        whole = first == 0 and end + reach >= len(text) and len(pieces) == len(before) + len(named) + len(after)
    return _read(pieces, tokenizer.encode(name[:reach], add_special_tokens=False).ids[:NAME], whole)


def windows(tokenizer: Tokenizer, text: str) -> Iterator[Read]:
    """Yield what the model reads of all of a text, bit by bit, for nobody."""
    pieces = _pieces(tokenizer, _cleaned(text), 0)
    for start in range(0, len(pieces), WINDOW):
        yield _read(pieces[start : start + WINDOW], [], len(pieces) <= WINDOW)


def _read(pieces: Sequence["_Piece"], name: Sequence[int], whole: bool) -> Read:
    ids = [CLS, *[piece.id for piece in pieces], SEP, *name, SEP]
    kinds = [0, *[piece.kind for piece in pieces], 0, *[OF_NAME] * (len(name) + 1)]
    return Read(ids, kinds, [Word(at, p.start, p.end) for at, p in enumerate(pieces, 1) if p.first], whole)


class _Piece(NamedTuple):
    """A word piece; first: whether its word begins with it; start..end: the word's characters."""

    id: int
    kind: int
    first: bool
    start: int
    end: int


def _pieces(tokenizer: Tokenizer, held: Cleaned, shift: int) -> list[_Piece]:
    """Return the pieces of a text that begins at character `shift` of the whole."""
    cut = tokenizer.encode(held.text, add_special_tokens=False)
    offsets, words = cut.offsets, cut.word_ids
    spans: dict[int | None, tuple[int, int]] = {}
    for word, (start, end) in zip(words, offsets, strict=True):
        spans[word] = (spans[word][0] if word in spans else start, end)
    told = {
        word: (_kind(held.text[start:end]), held.starts[start] + shift, held.ends[end - 1] + shift)
        for word, (start, end) in spans.items()
    }
    made, last = [], None
    for piece, word in zip(cut.ids, words, strict=True):
        kind, start, end = told[word]
        made.append(_Piece(piece, kind, word != last, start, end))
        last = word
    return made


def _kind(word: str) -> int:
    if word.islower() or word.lower() == word:
        return 0
    if len(word) > 1 and word.isupper():
        return CAPITALS
    return CAPITALISED if word[0].isupper() and word[1:] == word[1:].lower() else MIXED
