"""Texts whose named entities are known, from three labelled sets, in the tags of nlp/named_entities.py.

    wnut17                  fitted: train; measured on: dev
    broad_twitter_corpus    fitted: a, b, e, g and half of h, as its makers propose; measured on: the rest of h
    tweebank_ner            fitted: train; measured on: dev

Where a set does not tell entities of a label, its words may have it or not: they teach nothing of that.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from nlp.mention_text import Word
from nlp.named_entities import TAGS

WNUT = {
    "person": "PERSON",
    "corporation": "ORG",
    "group": "ORG",
    "location": "LOC",
    "product": "PRODUCT",
    "creative-work": "WORK_OF_ART",
}
THREE = {"PER": "PERSON", "ORG": "ORG", "LOC": "LOC"}
UNTOLD = ("PRODUCT", "WORK_OF_ART")  # of the sets that know three labels; Tweebank calls them, and more, MISC


class Tagged(NamedTuple):
    """A text and the tags that each of its words may have. words: characters of each, ascending."""

    text: str
    words: tuple[tuple[int, int], ...]
    tags: tuple[frozenset[str], ...]
    set: str


def tagged(folder: Path, part: str) -> Iterator[Tagged]:
    """Yield the texts of a part: "fitted", or "chosen_on", on which nothing is chosen but when to stop."""
    fitted = part == "fitted"
    wnut = folder / "wnut17" / ("wnut17train.conll" if fitted else "emerging.dev.conll")
    yield from _texts(_sentences(wnut), WNUT, (), "wnut17")
    broad = folder / "broad_twitter_corpus"
    half = _sentences(broad / "h.conll")
    middle = len(half) // 2
    for lines in (
        [*(_sentences(broad / f"{name}.conll") for name in "abeg"), half[:middle]] if fitted else [half[middle:]]
    ):
        yield from _texts(lines, THREE, UNTOLD, "broad_twitter_corpus")
    bank = folder / "tweebank_ner" / ("train.bio" if fitted else "dev.bio")
    yield from _texts(_sentences(bank), THREE, UNTOLD, "tweebank_ner")


def _sentences(path: Path) -> list[list[tuple[str, str]]]:
    """Return the sentences of a file of words, each with its tag; an empty line parts them."""
    made: list[list[tuple[str, str]]] = [[]]
    for line in path.read_text(encoding="utf-8").splitlines():
        told = line.split("\t") if "\t" in line else line.split()
        if len(told) < 2 or not told[0].strip() or told[0] == "-DOCSTART-":
            made.append([])
        else:
            made[-1].append((told[0].strip(), told[-1].strip()))
    return [sentence for sentence in made if sentence]


def _texts(
    sentences: Sequence[Sequence[tuple[str, str]]], labels: dict[str, str], untold: Sequence[str], name: str
) -> Iterator[Tagged]:
    also = frozenset(f"{place}-{label}" for label in untold for place in "BI")
    for sentence in sentences:
        words, tags, at = [], [], 0
        for word, tag in sentence:
            words.append((at, at + len(word)))
            at += len(word) + 1
            place, _, label = tag.partition("-")
            if tag == "O":
                tags.append(also | {"O"})
            elif label in labels:
                tags.append(frozenset({f"{place}-{labels[label]}"}))
            else:
                tags.append(also | {"O"} if label == "MISC" else frozenset(TAGS))
        yield Tagged(" ".join(word for word, _ in sentence), tuple(words), tuple(tags), name)


def allowed(of: Tagged, words: Sequence[Word], pieces: int) -> np.ndarray:
    """Return a row per piece of which TAGS it may have; nothing is told of a piece that begins no word.

    What the reader parts more finely than the set goes on with the entity.
    """
    rows = np.ones((pieces, len(TAGS)), bool)
    at = 0
    for word in words:
        while at < len(of.words) - 1 and of.words[at][1] <= word.start:
            at += 1
        tags = of.tags[at]
        if word.start > of.words[at][0]:
            tags = frozenset(tag.replace("B-", "I-") for tag in tags)
        rows[word.place] = [tag in tags for tag in TAGS]
    return rows
