"""Where a text shows an aspect: the words that speak of it, near the brand. Pure; the words are in aspects.toml."""

import re
import tomllib
from functools import cache
from pathlib import Path

WORDS = Path(__file__).parent / "aspects.toml"
LONGEST = 300  # characters of a sentence that stand for an aspect no word shows
_SENTENCE_END = re.compile(r"[.!?…]+[\s\"'”’)]|\n+")


def span_of(aspect: str, text: str, near: tuple[int, int] | None) -> tuple[int, int]:
    """Return the characters that show an aspect: the clause around the word for it that is nearest to the brand.

    near: where the brand is named; None: nowhere. Without any such word it is the sentence that names the brand, or
    the first one.
    """
    place = near[0] if near else 0
    found = min(
        (match.span() for match in _finder(aspect).finditer(text)), key=lambda at: abs(at[0] - place), default=None
    )
    start, end = _sentence(text, found or near or (0, 0))
    if found:
        start, end = _clause(text, start, end, found)
    return start, min(end, start + LONGEST)


def _sentence(text: str, around: tuple[int, int]) -> tuple[int, int]:
    start, end = 0, len(text)
    for stop in _SENTENCE_END.finditer(text):
        if stop.end() <= around[0]:
            start = stop.end()
        elif stop.start() >= around[1]:
            end = stop.start() + len(stop.group().rstrip())
            break
    return _trimmed(text, start, end)


def _clause(text: str, start: int, end: int, word: tuple[int, int]) -> tuple[int, int]:
    """The part of a sentence between its commas and conjunctions that holds the word."""
    for cut in _JOINT.finditer(text, start, end):
        if cut.end() <= word[0]:
            start = cut.end()
        elif cut.start() >= word[1]:
            end = cut.start()
            break
    start, end = _trimmed(text, start, end)
    return start, max(start, len(text[:end].rstrip(".!?… ")))


_TURN = r"(?:but|and then|because|although|though|while|yet)\s"
_JOINT = re.compile(rf"(?i)[,;:()\u2013\u2014]\s*(?:{_TURN})?|\s{_TURN}")


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return start, end


@cache
def _finder(aspect: str) -> re.Pattern[str]:
    """Words that begin as the list says, longer ones first; signs such as £ stand anywhere."""
    told = tomllib.loads(WORDS.read_text(encoding="utf-8"))[aspect]
    ordered = sorted(told, key=len, reverse=True)
    parts = [re.escape(word) if not word[0].isalnum() else rf"\b{re.escape(word)}\w*" for word in ordered]
    return re.compile("|".join(parts), re.IGNORECASE)
