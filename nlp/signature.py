"""MinHash signatures of texts: what warehouse/sql/tables/story_posts.sql groups near-identical posts by.

Two signatures agree in as many of their 64 bytes as the texts share of their shingles (Jaccard), give or take
0.06 (Broder 1997). A byte holds 7 bits of a minimum (Li & Konig 2010): unlike texts agree in 1 of 128 by chance, and
a signature takes 64 bytes instead of 256, all of them ASCII.

What a text says is read as its words: case, accents of type, signs, links, handles and "RT @somebody:" play no part,
since those who pass a text on change them. A shingle is a pair of words that stand side by side; a word with a digit is
one more for each of `NUMBER_WEIGHT`, since a price, a score or a time is often all that tells two stories of one mould
apart. Measured on tests/warehouse/data/stories.jsonl.
"""

import re
import unicodedata
from collections.abc import Sequence
from hashlib import shake_256
from zlib import crc32

import numpy as np
import numpy.typing as npt

from nlp.folding import UNSPACED_LETTERS, fold

PERMUTATIONS = 64
SHORTEST = 8  # words; people write shorter texts alike without having read each other
LONGEST = 20_000  # characters that are read, as many as a long article has
NUMBER_WEIGHT = 3
AT_ONCE = 512  # texts; their shingles stay in the processor's cache

# Links, and the accounts a text is addressed to or passed on from.
_PASSED_ON = re.compile(r"(?:https?://|www\.)\S+|(?:\brt\s+)?(?<![\w@])@[\w.\-]+(?:@[\w.\-]+)?:?")
_WORD = re.compile(rf"[{UNSPACED_LETTERS}]|[^\W_{UNSPACED_LETTERS}]+")
_UNSPACED = re.compile(f"[{UNSPACED_LETTERS}]")
_MARKS = re.compile("['\u0300-\u036f\u200b-\u200f\u2060\ufe0f\u00ad]")  # within a word: dont, don't

_Numbers = npt.NDArray[np.uint32]

# Drawn from a hash, since NumPy's generators may draw otherwise in a later version (NEP 19). Odd factors permute.
_DRAWN = np.frombuffer(shake_256(b"word of mouse").digest(8 * PERMUTATIONS), "<u4").astype(np.uint32)
_FACTORS = _DRAWN[:PERMUTATIONS] | np.uint32(1)
_TERMS = _DRAWN[PERMUTATIONS:]


def signatures(texts: Sequence[str]) -> list[bytes | None]:
    """Return the signature of each text, 64 bytes below 128; None where it is too short to tell.

    Equal texts have equal signatures, on every machine.
    """
    made: list[bytes | None] = []
    for start in range(0, len(texts), AT_ONCE):
        made += _signatures(texts[start : start + AT_ONCE])
    return made


def words(text: str) -> list[str]:
    """Return what a text says: its words, folded, without links and handles."""
    head = text[:LONGEST]
    if not head.isascii():
        head = unicodedata.normalize("NFKC", head)
    return _WORD.findall(_MARKS.sub("", _PASSED_ON.sub(" ", fold(head).text)))


def _signatures(texts: Sequence[str]) -> list[bytes | None]:
    said = [words(text) for text in texts]
    told = [place for place, text in enumerate(said) if _is_long_enough(text)]
    made: list[bytes | None] = [None] * len(texts)
    if told:
        minima = _minima([said[place] for place in told])
        for place, row in zip(told, minima, strict=True):
            made[place] = row.tobytes()
    return made


def _is_long_enough(said: Sequence[str]) -> bool:
    """Return whether there are words enough; of scripts without spaces two letters count as a word."""
    if len(said) < SHORTEST:
        return False
    return len(said) - sum(map(bool, map(_UNSPACED.match, said))) / 2 >= SHORTEST


def _minima(said: Sequence[Sequence[str]]) -> npt.NDArray[np.uint8]:
    """Return for each text 7 bits of the least of its shingles under each permutation, a row a text."""
    owner = np.repeat(np.arange(len(said)), [len(text) for text in said])
    hashed = np.fromiter((crc32(word.encode()) for text in said for word in text), np.uint32, len(owner))
    has_digit = np.fromiter((not word.isalpha() and _has_digit(word) for text in said for word in text), bool)
    pairs = _mixed(hashed[:-1] * np.uint32(0x9E3779B1) + hashed[1:])
    beside = owner[:-1] == owner[1:]
    shingles = [pairs[beside]]
    owners = [owner[:-1][beside]]
    for copy in range(NUMBER_WEIGHT):
        shingles.append(_mixed(hashed[has_digit] + np.uint32(copy)))
        owners.append(owner[has_digit])
    all_owners = np.concatenate(owners)
    order = np.argsort(all_owners, kind="stable")
    sorted_shingles = np.concatenate(shingles)[order]
    starts = np.searchsorted(all_owners[order], np.arange(len(said)))
    least = np.empty((len(said), PERMUTATIONS), np.uint32)
    for place, (factor, term) in enumerate(zip(_FACTORS, _TERMS, strict=True)):
        least[:, place] = np.minimum.reduceat(sorted_shingles * factor + term, starts)
    return (_mixed(least) >> np.uint32(25)).astype(np.uint8)


def _has_digit(word: str) -> bool:
    return any(character.isdigit() for character in word)


def _mixed(numbers: _Numbers) -> _Numbers:
    """Return the numbers with every bit dependent on every other (the finalizer of MurmurHash3, public domain)."""
    numbers = (numbers ^ (numbers >> np.uint32(16))) * np.uint32(0x85EBCA6B)
    numbers = (numbers ^ (numbers >> np.uint32(13))) * np.uint32(0xC2B2AE35)
    return numbers ^ (numbers >> np.uint32(16))
