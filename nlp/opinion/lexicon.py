"""Word lists as weights: what a word or an idiom says for or against, and what turns it round.

idioms.toml is written by us; words.tsv is learned from labelled texts by nlp/training/learn_words.py,
which starts from the idioms and moves them where the data speaks. Its card is nlp/brand_sentiment.md.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

from nlp.opinion.kinds import CONTRASTS, NEGATIONS, STRONGER, WEAKER
from nlp.opinion.words import Word, words

IDIOMS = Path(__file__).parent / "idioms.toml"
LEARNED = Path(__file__).parent / "words.tsv"
BIAS = "<bias>"  # the row of words.tsv that holds where a text without a known word stands

NEGATES = 4  # words after a negation that it turns round, up to a stop, a comma or a contrast

_DOUBLE = re.compile(r"([a-z])\1")


class Weight(NamedTuple):
    """Log-odds against "takes no side". event: it happened to the writer, so praise beside it is irony."""

    against: float
    for_: float
    event: bool = False


class Feature(NamedTuple):
    """A word or idiom seen at tokens first..last, by its name in words.tsv."""

    name: str
    first: int
    last: int
    strength: float
    event: bool = False


class Lexicon:
    """Looks up the words and idioms of a text."""

    def __init__(self, weights: Mapping[str, Weight], idioms: Mapping[str, Weight]) -> None:
        self.weights = {**idioms, **weights}
        self.bias = self.weights.get(BIAS, Weight(0.0, 0.0))
        self._events = {name for name, weight in idioms.items() if weight.event}
        self._names = {_forms(idiom): idiom for idiom in idioms}
        self._idioms: dict[str, list[tuple[str, ...]]] = {}  # first word -> idioms, longest first
        for forms in sorted(self._names, key=len, reverse=True):
            self._idioms.setdefault(forms[0], []).append(forms)

    def features(self, tokens: Sequence[Word]) -> Iterator[Feature]:
        """Yield what is in the text: idioms (longest first, their words not counted again), words, pairs of words.

        A negated word is another word: "not_good". An unknown one of these is left to `weight`.
        """
        negated_until = -1
        inside_until = -1
        previous: Word | None = None
        for place, word in enumerate(tokens):
            if word.kind in ("stop", "comma") or word.form in CONTRASTS:
                negated_until = -1
            if word.kind == "brand":
                previous = None
                continue
            negated = place <= negated_until
            strength = _strength(tokens, place)
            if place > inside_until and (idiom := self._idiom_at(tokens, place)):
                name = self._names[idiom]
                inside_until = place + len(idiom) - 1
                # "not a scam" turns the idiom round; one that begins with a negation has it in its weight.
                shown = f"not_{name}" if negated else name
                yield Feature(shown, place, inside_until, strength, name in self._events and not negated)
            elif place > inside_until:
                form = self._known(word.form)
                yield Feature(f"not_{form}" if negated else form, place, place, strength)
            if previous is not None:
                yield Feature(f"{previous.form} {word.form}", place - 1, place, 1.0)
            if word.form in NEGATIONS and place > inside_until:
                negated_until = place + NEGATES
            previous = word

    def weight(self, feature: Feature) -> Weight:
        """Return what the feature says; a negated word that was never learned says half the opposite of the word."""
        weight = self.weights.get(feature.name)
        if weight is None and feature.name.startswith("not_"):
            plain = self.weights.get(feature.name[4:])
            return Weight(0.5 * plain.for_, 0.5 * plain.against) if plain else Weight(0.0, 0.0)
        return weight or Weight(0.0, 0.0)

    def _known(self, form: str) -> str:
        """Return the form under which the lists know a stretched word or a tag, or the form itself."""
        if form in self.weights:
            return form
        bare = form.removeprefix("#")
        if bare in self.weights:
            return bare
        for double in _DOUBLE.finditer(bare):  # "baad" was "baaaaad": words() leaves two of many
            single = bare[: double.start()] + bare[double.start() + 1 :]
            if single in self.weights:
                return single
        return bare

    def _idiom_at(self, tokens: Sequence[Word], place: int) -> tuple[str, ...] | None:
        for idiom in self._idioms.get(tokens[place].form, ()):
            there = tokens[place : place + len(idiom)]
            if len(there) == len(idiom) and all(
                wanted in ("_", word.form) and (wanted != "_" or word.kind in ("word", "number"))
                for wanted, word in zip(idiom, there, strict=True)
            ):
                return idiom
        return None


def _forms(idiom: str) -> tuple[str, ...]:
    return tuple(idiom.split()) if "_" in idiom else tuple(word.form for word in words(idiom))


def _strength(tokens: Sequence[Word], place: int) -> float:
    before = tokens[place - 1].form if place else ""
    strength = 1.3 if before in STRONGER else 0.6 if before in WEAKER else 1.0
    return strength * (1.25 if tokens[place].loud else 1.0)


def read_idioms(path: Path = IDIOMS) -> dict[str, Weight]:
    """Return our idioms with the weights written beside them."""
    groups = tomllib.loads(path.read_text(encoding="utf-8"))["group"]
    return {
        term: Weight(group.get("against", 0.0), group.get("for", 0.0), group.get("event", False))
        for group in groups
        for term in group["terms"]
    }


def read_learned(path: Path = LEARNED) -> dict[str, Weight]:
    """Return the learned weights; lines are term, against, for, parted by tabs, after one line of headings."""
    lines = path.read_text(encoding="utf-8").splitlines()[1:]
    rows = (line.split("\t") for line in lines)
    return {term: Weight(float(against), float(for_)) for term, against, for_ in rows}


@cache
def shipped() -> Lexicon:
    """Return the lexicon this package ships."""
    return Lexicon(read_learned(), read_idioms())
