"""Sentences that name companies, as patterns read them. Pure.

A sentence is lower-case words with a space between, names as <0>, <1>, ... Patterns are regular expressions in which
{A} and {B} are names, with "the" or "my" before them or not, and ~ up to four words between (≈ up to twelve).
"""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple


class Name(NamedTuple):
    """Where a text names a company, and which."""

    start: int
    end: int
    name: str


_GAP = r"(?: (?!<\d|but |while |whereas )[^\s.!?]+){0,4}?"
_LONG_GAP = r"(?: (?!<\d)[^\s]+){0,12}?"
_OWNED = r"(?:(?:the|my|our|your|a|an|this|their|his|her) )?"
_WORD = re.compile(r"<\d+>(?:'s?(?!\w))?|[^\W\d_]+(?:['-][^\W\d_]+)*|[^\w\s]|\w+")
_SENTENCE = re.compile(r"[^.!?…\n]+[.!?…\n]*")


def any_of(*phrases: str) -> str:
    """Return the pattern of one of the phrases."""
    return "(?:" + "|".join(phrases) + ")"


def compiled(pattern: str) -> re.Pattern[str]:
    """Return the regular expression of a pattern; its groups A and B give the numbers of names."""
    whole = pattern.replace("~", _GAP).replace("≈", _LONG_GAP)
    for side in "AB":
        whole = whole.replace(f"{{{side}}}", rf"{_OWNED}<(?P<{side}>\d+)>")
    return re.compile(rf"(?:(?<=\s)|^){whole}(?=\s|$)")


def sentences(text: str, names: Sequence[Name]) -> Iterator[str]:
    """Yield the sentences that name somebody. names: in text order, not overlapping."""
    marked, place = [], 0
    for number, name in enumerate(names):
        marked += [text[place : name.start], f" <{number}>"]
        place = name.end
    read = "".join([*marked, text[place:]]).lower().replace("\u2019", "'")
    for sentence in _SENTENCE.findall(read):
        if "<" in sentence:
            words = (word.partition("'")[0] if word.startswith("<") else word for word in _WORD.findall(sentence))
            yield " ".join(words)
