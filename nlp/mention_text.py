"""How a text and the name it is judged for become what the mention model reads. Training and use share it.

Two segments: the text around the name, and the name; no name (the text as a whole is judged) leaves the second
empty. Accounts become @user and links http, as in the sets the model was trained on (TweetEval's form, Barbieri
et al. 2020), but the name keeps its characters where it stands. The vocabulary is lower-cased English word pieces
without emoji, so these are spelled out by their Unicode names, and #TagsLikeThis are parted while the capitals
are still there.
"""

import html
import re
import unicodedata
from typing import NamedTuple

from tokenizers import Tokenizer

WINDOW = 112  # pieces of text read, the name among them; 99 of 100 posts of microblogs are shorter
NAME = 16  # pieces of the name read
PIECE = 12  # characters of a word piece at the most, on average: what lies further from the name is not even cut up
CLS, SEP = 101, 102  # ids in the vocabulary of BERT

_LINK = re.compile(r"(?:https?://|www\.)\S+", re.IGNORECASE)
_ACCOUNT = re.compile(r"(?<![\w@])@\w+(?:@[\w.]+\w)?")
_TAG = re.compile(r"#(\w+)")
_HUMP = re.compile(r"(?<=[a-z\d])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|_+")
_LONG = re.compile(r"(.)\1{3,}", re.DOTALL)
_PICTURE = re.compile(r"[\u2190-\u2bff\U0001f000-\U0001faff]")
_ESCAPED = {"\\u2019": "'", "\\u002c": ","}  # as some tweets of SemEval are written


class Read(NamedTuple):
    """Ids of word pieces; kinds: 0 of the text, 1 of the name."""

    ids: list[int]
    kinds: list[int]


def cleaned(text: str) -> str:
    """Return the text as the model reads it: @user, http, emoji spelled out, tags parted, no four like letters."""
    if "&" in text:
        text = html.unescape(html.unescape(text))
    if "\\u" in text:
        for escaped, plain in _ESCAPED.items():
            text = text.replace(escaped, plain)
    text = _LINK.sub("http", text)
    text = _ACCOUNT.sub("@user", text)
    text = _TAG.sub(lambda tag: f"# {_HUMP.sub(' ', tag[1])}", text)
    text = _LONG.sub(r"\1\1\1", text)
    return _PICTURE.sub(_spelled, text)


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
        pieces = _pieces(tokenizer, text[:reach])[:WINDOW]
    else:
        start, end = span
        before = _pieces(tokenizer, text[max(0, start - reach) : start])
        named = _cut(tokenizer, text[start:end][:reach])[:NAME]
        after = _pieces(tokenizer, text[end : end + reach])
        room = WINDOW - len(named)
        ahead = min(len(before), max(room // 2, room - len(after)))
        pieces = before[len(before) - ahead :] + named + after[: room - ahead]
    named = _cut(tokenizer, name[:reach])[:NAME]
    ids = [CLS, *pieces, SEP, *named, SEP]
    return Read(ids, [0] * (len(pieces) + 2) + [1] * (len(named) + 1))


def _pieces(tokenizer: Tokenizer, text: str) -> list[int]:
    return _cut(tokenizer, cleaned(text))


def _cut(tokenizer: Tokenizer, text: str) -> list[int]:
    return tokenizer.encode(text, add_special_tokens=False).ids
