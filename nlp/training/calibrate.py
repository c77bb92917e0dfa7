"""Choose on development data how the model's scores become probabilities and answers; write labels.json.

    python -m nlp.training.calibrate FOLDER [--model nlp/models/mention]

FOLDER holds the labelled sets. Of each head the temperature with the least negative log-likelihood is taken; then, of
weights for its labels and a least share for the winner, those with the highest macro F1 on each set, the sets' mean,
in which our own mentions count twice: they are what is judged in use. Sentiment has two rules, toward names and of
texts as a whole; what other sets than ours tell is used for these alone. Whole texts are judged as if all sides were
equally frequent: which are differs from year to year, and what is best on some years' tweets is not on others'.
Weights of aspects are those with the highest F1 of pairs of aspect and side. Where a label has under FEW examples
nothing is chosen. Beside them stands how sentiment toward names is mistaken, counted on parts neither fitted nor chosen
on (nlp/sentiment_errors.py reads it).
Without torch.
"""

import argparse
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from nlp.mention_labels import BY_NAME, HEADS, Head
from nlp.mention_model import FOLDER, MentionModel, probable
from nlp.training.measure import Confusion, Known, known, rows_of, scored
from nlp.training.mentions import examples

TEMPERATURES = np.exp(np.linspace(np.log(0.5), np.log(4), 60))
STEPS = (0.5, 0.63, 0.8, 1.0, 1.25, 1.6, 2.0)  # what a weight is tried to be multiplied by
ROUNDS = 3
SHARES = np.arange(0.0, 0.75, 0.05)
FEW = 8
GAIN = 0.004  # of the score, under which nothing is changed: development data are few
Chosen = TypeVar("Chosen")
OWN = ("own",)
NAMED = ("own", "news", "topics")  # sets whose sentiment is toward a name
WHOLE = ("tweets", "reviews")
ABSENT = np.exp(np.linspace(np.log(0.08), np.log(2), 18))  # weights tried for an aspect's absence, beside 1 for a side
NEUTRAL = (0.25, 0.5, 1.0)
PULL = 0.05  # of F1 an aspect must gain to leave the weight that all have in common e times behind: it has few examples


def likeliest_temperature(head: Head, sets: Mapping[str, Known]) -> float:
    """Return the temperature under which the labels of all sets are likeliest."""
    scores, rows = (np.concatenate(parts) for parts in zip(*sets.values(), strict=True))

    def surprise(degrees: float) -> float:
        given = np.clip(probable(head.name, scores, degrees), 1e-9, 1 - 1e-9)
        against = (1 - rows) * np.log(1 - given) if head.any else 0
        return float(-(rows * np.log(given) + against).sum())

    return round(float(min(TEMPERATURES, key=surprise)), 3)


def rule(head: Head, sets: Mapping[str, Known]) -> dict[str, Any]:
    """Return what labels.json says of a head. sets: what is known of it, by the name of each set."""
    degrees = likeliest_temperature(head, sets)
    weights, least = chosen(head.name, sets, degrees)
    return {"labels": head.labels, "temperature": degrees, "weights": weights, "at_least": least}


def even_rule(head: Head, sets: Mapping[str, Known], fitted: np.ndarray) -> dict[str, Any]:
    """Return the same, with weights under which no label is likelier for being frequent in what was fitted on.

    fitted: probabilities of the head's labels in that. The weights even the scores as they were fitted, before the
    temperature (Menon et al. 2021, "logit adjustment").
    """
    degrees = likeliest_temperature(head, sets)
    inverse = (1 / fitted.astype(np.float64).mean(axis=0)) ** (1 / degrees)
    weights = (inverse / inverse.max()).round(3).tolist()
    return {"labels": head.labels, "temperature": degrees, "weights": weights, "at_least": 0.0}


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
            reached += [Confusion.of(wanted[name], best, weights.size).macro_f1()] * (2 if name == "own" else 1)
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


def aspect_weights(sets: Mapping[str, Known], degrees: Mapping[str, float]) -> dict[str, list[float]]:
    """Return head -> weights of its labels. sets: what is known of each aspect's head."""
    wanted = {head: one.rows.argmax(axis=1) for head, one in sets.items()}
    given = {head: probable(head, one.scores, degrees[head]) for head, one in sets.items()}

    def f1(head: str, weights: np.ndarray) -> float:
        answers = (given[head] * weights).argmax(axis=1)
        told, found = wanted[head] > 0, answers > 0
        return 2 * (told & (answers == wanted[head])).sum() / max(1, told.sum() + found.sum())

    tried = [np.array([absent, 1, neutral, 1]) for absent in ABSENT for neutral in NEUTRAL]
    common = max(tried, key=lambda one: sum(f1(head, one) for head in sets))

    def worth(head: str, weights: np.ndarray) -> float:
        return f1(head, weights) - PULL * abs(np.log(weights[0] / common[0]))

    return {head: max(tried, key=lambda one: worth(head, one)).round(3).tolist() for head in sets}


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

    def sets(head: str, names: Sequence[str]) -> dict[str, Known]:
        told = {name: known(head, listed, scores, [e.set.split()[0] == name for e in listed]) for name in names}
        return {name: one for name, one in told.items() if one is not None}

    heads = {head.name: rule(head, sets(head.name, NAMED if head.name == "sentiment" else OWN)) for head in HEADS}
    aspects = {head.name: sets(head.name, OWN)["own"] for head in HEADS if head.name.startswith("aspect_")}
    for name, weights in aspect_weights(aspects, {name: heads[name]["temperature"] for name in aspects}).items():
        heads[name]["weights"] = weights
    fitted = [one for one in examples(told.folder, "fitted") if one.set.split()[0] in WHOLE]
    sides = rows_of("sentiment", fitted, range(len(fitted)))
    overall = even_rule(BY_NAME["sentiment"], sets("sentiment", WHOLE), sides)
    for name, one in [*heads.items(), ("overall", overall)]:
        print(name, one["temperature"], one["weights"], one["at_least"])
    heads["sentiment"]["confusion"] = confusion(told.folder, told.model, heads)
    (told.model / "labels.json").write_text(
        json.dumps({"heads": heads, "overall": overall}, indent=1) + "\n", encoding="utf-8"
    )


if __name__ == "__main__":
    main()
