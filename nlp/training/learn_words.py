"""Learn words.tsv: what each word says for or against, from labelled texts.

    python -m nlp.training.learn_words FOLDER

FOLDER holds the labelled sets (nlp/training/labelled.py says which, and where from).

A softmax over three answers, linear in the words of `Lexicon.features`, fitted by full-batch Adam. Our
idioms are where the fit starts and what it is pulled back to (a Gaussian prior), so that an idiom the data
never shows keeps the weight we gave it. Names (words mostly written with a capital) are left out: a mood
about a singer of 2014 says nothing about a company. Words for groups of people are left out too. Only words
and weights are stored, no text. Takes about half a minute; equal input gives equal output.
"""

import random
import re
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from nlp.opinion.judge import damping
from nlp.opinion.kinds import NEVER_LEARNED
from nlp.opinion.lexicon import BIAS, LEARNED, Lexicon, Weight, read_idioms
from nlp.opinion.words import words
from nlp.training.labelled import FITTED, Labelled, goemotions, semeval

SEEN_AT_LEAST = {"word": 6, "pair": 20}  # texts; rarer ones teach noise
WRITTEN_LOW = 0.5  # share of a word's uses in lower case below which it is taken for a name
PULL = 3.0  # strength of the prior on words (1 / variance); of 0.5, 1, 3 and 8 the best on the parts chosen on
PULL_PAIRS = 6.0
STEPS, STEP = 220, 0.08
SMALLEST = 0.04  # weights nearer to zero than this on both sides are not stored


class Design(NamedTuple):
    """Texts as lists of weighted features, laid end to end; text i owns places row == i."""

    row: Any
    feature: Any
    value: Any
    texts: int


def main(folder: Path) -> None:
    """Fit on the parts named in `FITTED` and write words.tsv beside the code that reads it."""
    texts = [*semeval(folder, FITTED), *goemotions(folder)]
    counts = Counter(text.origin for text in texts)
    print("fitted on", ", ".join(f"{count:,} of {origin}" for origin, count in counts.items()))
    random.Random(0).shuffle(texts)  # noqa: S311 - order only
    idioms = read_idioms()
    reader = Lexicon({}, idioms)
    vocabulary = choose(texts, reader)
    reader = Lexicon(dict.fromkeys(vocabulary, Weight(0.0, 0.0)), idioms)  # now stretched words find their form
    names = [*vocabulary, *(idiom for idiom in idioms if idiom not in vocabulary)]
    weights, bias = fit(texts, reader, names, idioms)
    write(LEARNED, names, weights, bias, idioms)


def choose(texts: Sequence[Labelled], reader: Lexicon) -> list[str]:
    """Return the words, negated words and pairs seen often enough, names left out."""
    seen: Counter[str] = Counter()
    low: Counter[str] = Counter()
    high: Counter[str] = Counter()
    for text in texts:
        tokens = words(text.text)
        seen.update({feature.name for feature in reader.features(tokens)})
        for place, token in enumerate(tokens):
            if token.kind == "word" and place and tokens[place - 1].kind != "stop":
                (low if text.text[token.start].islower() else high)[token.form] += 1

    def is_name(form: str) -> bool:
        uses = low[form] + high[form]
        return uses > 0 and low[form] < WRITTEN_LOW * uses and re.match(r"[a-z]", form) is not None

    def fits(feature: str) -> bool:
        parts = feature.removeprefix("not_").split(" ")
        enough = SEEN_AT_LEAST["pair" if len(parts) > 1 else "word"]
        left_out = any(is_name(part) or part.removeprefix("#") in NEVER_LEARNED for part in parts)
        return seen[feature] >= enough and not left_out

    return sorted(feature for feature in seen if fits(feature))


def design(texts: Sequence[Labelled], reader: Lexicon, names: Sequence[str]) -> Design:
    """Return the texts as rows of features; a feature without a name is left out."""
    index = {name: place for place, name in enumerate(names)}
    rows: list[int] = []
    features: list[int] = []
    values: list[float] = []
    for row, text in enumerate(texts):
        tokens = words(text.text)
        scale = damping(len(tokens))
        for feature in reader.features(tokens):
            if (place := index.get(feature.name)) is not None:
                rows.append(row)
                features.append(place)
                values.append(feature.strength * scale)
    return Design(np.array(rows), np.array(features), np.array(values), len(texts))


def fit(texts: Sequence[Labelled], reader: Lexicon, names: Sequence[str], idioms: dict[str, Weight]) -> tuple[Any, Any]:
    """Return weights (names x against, for) and the bias of tweets; every set of texts has a bias of its own."""
    told = design(texts, reader, names)
    prior = np.array([[idioms[n].against, idioms[n].for_] if n in idioms else [0.0, 0.0] for n in names])
    pull = np.array([PULL_PAIRS if " " in n and n not in idioms else PULL for n in names])[:, None]
    sets = sorted({text.origin for text in texts})
    origin = np.array([sets.index(text.origin) for text in texts])
    wanted = np.array([[text.sentiment == -1, text.sentiment == 1] for text in texts], dtype=float)
    importance = balance(texts)[:, None]
    parameters = [prior.copy(), np.zeros((len(sets), 2))]
    moments = [(np.zeros_like(p), np.zeros_like(p)) for p in parameters]
    for step in range(1, STEPS + 1):
        logits = parameters[1][origin] + np.stack(
            [np.bincount(told.row, told.value * parameters[0][told.feature, k], told.texts) for k in (0, 1)], axis=1
        )
        likely = np.exp(np.minimum(logits, 30.0))
        error = (likely / (1 + likely.sum(axis=1, keepdims=True)) - wanted) * importance
        gradient = np.stack(
            [np.bincount(told.feature, told.value * error[told.row, k], len(names)) for k in (0, 1)], axis=1
        )
        gradients = [gradient + pull * (parameters[0] - prior), _by_set(error, origin, len(sets))]
        for parameter, (first, second), slope in zip(parameters, moments, gradients, strict=True):
            first += 0.1 * (slope - first)
            second += 0.001 * (slope**2 - second)
            corrected = (first / (1 - 0.9**step)) / (np.sqrt(second / (1 - 0.999**step)) + 1e-8)
            parameter -= STEP * (1 - step / (STEPS + 1)) * corrected
    return parameters[0], parameters[1][sets.index("semeval")]


def balance(texts: Sequence[Labelled]) -> Any:
    """Return one weight a text such that the three answers count alike: macro recall is what we are judged by."""
    count = Counter((text.origin, text.sentiment) for text in texts)
    size = Counter(text.origin for text in texts)
    return np.array([size[t.origin] / (3 * count[t.origin, t.sentiment]) for t in texts])


def write(path: Path, names: Sequence[str], weights: Any, bias: Any, idioms: dict[str, Weight]) -> None:
    """Write the weights that matter, in the order of the alphabet."""
    kept = sorted(
        (name, against, for_)
        for name, (against, for_) in zip(names, weights, strict=True)
        if name in idioms or max(abs(against), abs(for_)) >= SMALLEST
    )
    lines = ["term\tagainst\tfor", f"{BIAS}\t{bias[0]:.3f}\t{bias[1]:.3f}"]
    lines += [f"{name}\t{against:.2f}\t{for_:.2f}" for name, against, for_ in kept]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(f"{path.name}: {len(kept)} terms")


def _by_set(error: Any, origin: Any, sets: int) -> Any:
    return np.stack([np.bincount(origin, error[:, k], sets) for k in (0, 1)], axis=1)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
