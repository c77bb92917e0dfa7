"""Choose on development data how the model's scores become probabilities and answers; write labels.json.

    python -m nlp.training.calibrate FOLDER [--model nlp/models/mention]

FOLDER holds the labelled sets. Of each head the temperature with the least negative log-likelihood is taken; then, of
weights for its labels and a least share for the winner, those with the highest score: macro F1 on each set, for whole
tweets macro recall, the sets' mean, in which our own mentions count twice: they are what is judged in use. Where a
label has under FEW examples nothing is chosen. Beside it stands how sentiment toward names is mistaken, counted on
parts neither fitted nor chosen on (nlp/sentiment_errors.py reads it).
Without torch.
"""

import argparse
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from nlp.mention_labels import BY_NAME, HEADS
from nlp.mention_model import FOLDER, MentionModel, probable
from nlp.training.measure import Confusion, Known, known, scored
from nlp.training.mentions import examples

TEMPERATURES = np.exp(np.linspace(np.log(0.5), np.log(4), 60))
STEPS = (0.5, 0.63, 0.8, 1.0, 1.25, 1.6, 2.0)  # what a weight is tried to be multiplied by
ROUNDS = 3
SHARES = np.arange(0.0, 0.75, 0.05)
FEW = 8
GAIN = 0.004  # of the score, under which nothing is changed: development data are few
BY_RECALL = ("tweets",)  # sets measured by macro recall, as the shared task does; the others by macro F1
Chosen = TypeVar("Chosen")
LEFT_OUT = ("dishes", "comments")  # of the choice of weights for sentiment: no brand is judged in them
KINDRED = {"round01-yelp": "reviews", "round02-dynabench": "reviews", "dish": "dishes"}


def temperature(head: str, scores: np.ndarray, rows: np.ndarray) -> float:
    """Return the temperature under which the labels are likeliest; rows: probabilities of labels."""

    def surprise(degrees: float) -> float:
        given = np.clip(probable(head, scores, degrees), 1e-9, 1 - 1e-9)
        against = (1 - rows) * np.log(1 - given) if BY_NAME[head].any else 0
        return float(-(rows * np.log(given) + against).sum())

    return float(min(TEMPERATURES, key=surprise))


def chosen(head: str, sets: Mapping[str, Known], degrees: float) -> tuple[list[float], float]:
    """Return the weights of the labels and the least share of the winner."""
    if BY_NAME[head].any:
        whole = np.concatenate([one.rows for one in sets.values()]) > 0.5
        given = np.concatenate([probable(head, one.scores, degrees) for one in sets.values()])
        return [_threshold(given[:, i], whole[:, i]) for i in range(whole.shape[1])], 0.0
    wanted = {name: one.rows.argmax(axis=1) for name, one in sets.items()}
    given = {name: probable(head, one.scores, degrees) for name, one in sets.items()}

    def score(weights: np.ndarray, least: float) -> float:
        reached = []
        for name in sets:
            weighed = given[name] * weights
            best = weighed.argmax(axis=1)
            best[weighed.max(axis=1) < least * weighed.sum(axis=1)] = 0
            told = Confusion.of(wanted[name], best, weights.size)
            reached += [told.macro_recall() if name in BY_RECALL else told.macro_f1()] * (2 if name == "own" else 1)
        return float(np.mean(reached))

    enough = np.bincount(np.concatenate(list(wanted.values())), minlength=len(BY_NAME[head].labels)) >= FEW
    weights = np.ones(len(BY_NAME[head].labels))
    if enough.all() and weights.size <= 3:  # few enough to try all; what follows may stop at a lesser height
        weights = _best(map(np.array, product(STEPS, repeat=weights.size)), lambda one: score(one, 0.0), weights)
    for _ in range(ROUNDS):
        for label in np.flatnonzero(enough):
            tried = [np.where(np.arange(weights.size) == label, weights * step, weights) for step in STEPS]
            weights = _best(tried, lambda one: score(one, 0.0), weights)
    weights /= weights.max()
    least = _best(SHARES, lambda share: score(weights, share), 0.0) if head in ("experience", "stage") else 0.0
    return [round(float(weight), 3) for weight in weights], round(float(least), 2)


def _best(tried: Iterable[Chosen], score: Callable[[Chosen], float], otherwise: Chosen) -> Chosen:
    """Return what scores highest, and better than `otherwise` by more than GAIN."""
    best, reached = otherwise, score(otherwise) + GAIN
    for one in tried:
        if (found := score(one)) > reached:
            best, reached = one, found
    return best


def _threshold(given: np.ndarray, wanted: np.ndarray) -> float:
    if wanted.sum() < FEW:
        return 0.5

    def f1(at: float) -> float:
        held = given >= at
        return 2 * (held & wanted).sum() / max(1, held.sum() + wanted.sum())

    return round(float(max(np.arange(0.2, 0.8, 0.05), key=f1)), 2)


def sets_of(told: Sequence[str]) -> list[str]:
    """Return the first words of the sets' names, rounds of one set under one name."""
    firsts = [name.split()[0] for name in told]
    return [KINDRED.get(first, first) for first in firsts]


def confusion(folder: Path, model: Path, heads: Mapping[str, Mapping[str, Any]]) -> list[list[int]]:
    """Return how sentiment toward a name is mistaken in the parts "reported": counts, a row per true label."""
    listed = [one for one in examples(folder, "reported") if one.name]
    found = known("sentiment", listed, scored(MentionModel(model, threads=2), listed))
    assert found is not None
    told = heads["sentiment"]
    weighed = probable("sentiment", found.scores, told["temperature"]) * np.array(told["weights"])
    return Confusion.of(found.rows.argmax(axis=1), weighed.argmax(axis=1), 3).counts.tolist()


def main() -> None:
    """Read the command line, choose, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", type=Path, default=FOLDER)
    told = parser.parse_args()
    listed = list(examples(told.folder, "chosen_on"))
    scores = scored(MentionModel(told.model, threads=2), listed)
    names = sets_of([example.set for example in listed])
    heads = {}
    for head in HEADS:
        sets = {
            name: found
            for name in dict.fromkeys(names)
            if (found := known(head.name, listed, scores, [one == name for one in names])) is not None
        }
        degrees, weights, least = 1.0, [0.5 if head.any else 1.0] * len(head.labels), 0.0
        if sets:
            every = known(head.name, listed, scores)
            assert every is not None
            degrees = temperature(head.name, every.scores, every.rows)
            weighty = {name: one for name, one in sets.items() if head.name != "sentiment" or name not in LEFT_OUT}
            weights, least = chosen(head.name, weighty, degrees)
        heads[head.name] = {
            "labels": head.labels,
            "temperature": round(degrees, 3),
            "weights": weights,
            "at_least": least,
        }
        print(head.name, round(degrees, 2), weights, least)
    heads["sentiment"]["confusion"] = confusion(told.folder, told.model, heads)
    (told.model / "labels.json").write_text(json.dumps({"heads": heads}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
