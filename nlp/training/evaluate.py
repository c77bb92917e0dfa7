"""Measure the mention model on labelled data: every head, with bounds, confusions and calibration. Without torch.

    python -m nlp.training.evaluate FOLDER [--part reported | chosen_on] [--model nlp/models/mention]
    python -m nlp.training.evaluate MENTIONS.jsonl

FOLDER holds the labelled sets (nlp/training/mentions.py); its parts "reported" were neither fitted nor chosen on. A
file of lines holds mentions in the form of nlp/training/own. "95 %" are bounds of a bootstrap over the examples; ECE
is the expected calibration error in 15 bins.
"""

import argparse
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from nlp.mention_labels import ASPECTS, BY_NAME, HEADS
from nlp.mention_model import FOLDER, Judged, MentionModel
from nlp.training.measure import Confusion, calibration_error, places_known, rows_of, scored
from nlp.training.mentions import Example, examples, own_labels


def lines_of(path: Path) -> Iterator[Example]:
    """Yield the mentions of a file of lines. Raises ValueError naming the line that cannot be read."""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        try:
            found = json.loads(line)
            yield Example(found["text"], found["brand"], None, own_labels(found), path.stem)
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"{path.name}:{number}: {error!r}") from error


def read(path: Path, part: str) -> list[Example]:
    """Return the examples of a file of lines, or of one part of a folder of labelled sets.

    Raises ValueError naming what cannot be read, OSError where it is not there.
    """
    return list(examples(path, part) if path.is_dir() else lines_of(path))


def measured(model: MentionModel, of: Sequence[Example]) -> Iterator[dict[str, Any]]:
    """Yield the figures of every set and head that the examples tell of, shares from 0 to 1.

    Each has `set`, `head`, `examples` (those that tell of it), `macro_f1`, and `labels`: label -> how often it is
    `told`, how often `given`, and `f1`. A head of which one label holds also has `macro_recall`, the bounds
    `macro_f1_95` and `macro_recall_95`, `accuracy`, `ece`, and `confusion`: label told -> label given -> count;
    sentiment has `side_recall`, too (where only for or against). One of which several may hold has `micro_f1`. The
    head `aspects` counts pairs of aspect and sentiment; its labels also tell `f1_any_sentiment`.
    """
    scores = scored(model, of)
    judged = model.answered(scores, [example.name for example in of])
    for name in dict.fromkeys(example.set for example in of):
        among = [example.set == name for example in of]
        for head in HEADS:
            places = places_known(head.name, of, among)
            if not places or head.name.startswith("aspect_"):
                continue
            rows, probabilities = rows_of(head.name, of, places), judged.probabilities[head.name][places]
            answers = [judged.answers[head.name][place] for place in places]
            common = {"set": name, "head": head.name}
            if head.any:
                given = np.array([[label in answer for label in head.labels] for answer in answers])
                yield {**common, "examples": len(rows), **_any(head.labels, rows > 0.5, given)}
                continue
            single = (rows > 0.5).any(axis=1)
            if not single.any():
                continue
            wanted = rows.argmax(axis=1)[single]
            given = np.array([head.labels.index(answer) for answer in answers])[single]
            told = _one(head.labels, Confusion.of(wanted, given, len(head.labels)))
            told["ece"] = calibration_error(probabilities[single], wanted)
            sides = wanted != 1
            if head.name == "sentiment" and sides.any():
                either = np.where(probabilities[single][:, 2] >= probabilities[single][:, 0], 2, 0)
                told["side_recall"] = Confusion.of(wanted[sides], either[sides], 3).macro_recall()
            yield {**common, "examples": int(single.sum()), **told}
        if aspects := _aspects(judged, of, among):
            yield {"set": name, "head": "aspects", **aspects}


def _one(labels: Sequence[str], told: Confusion) -> dict[str, Any]:
    counts, f1s = told.counts, told.f1s()
    there = [i for i in range(len(labels)) if counts[i].sum() + counts[:, i].sum() > 0]
    return {
        "macro_f1": told.macro_f1(),
        "macro_f1_95": told.between(Confusion.macro_f1),
        "macro_recall": told.macro_recall(),
        "macro_recall_95": told.between(Confusion.macro_recall),
        "accuracy": told.accuracy(),
        "labels": {
            labels[i]: {
                "told": int(counts[i].sum()),
                "given": int(counts[:, i].sum()),
                "f1": float(f1s[i]) if counts[i].any() else None,
            }
            for i in there
        },
        "confusion": {labels[i]: {labels[j]: int(counts[i, j]) for j in there} for i in there},
    }


def _any(labels: Sequence[str], wanted: np.ndarray, given: np.ndarray) -> dict[str, Any]:
    right, both = (wanted & given).sum(axis=0), wanted.sum(axis=0) + given.sum(axis=0)
    there = np.flatnonzero(wanted.any(axis=0)).tolist()
    f1s = 2 * right / np.maximum(both, 1)
    return {
        "macro_f1": float(f1s[there].mean()) if there else None,
        "micro_f1": float(2 * right.sum() / max(1, both.sum())),
        "labels": {
            labels[i]: {"told": int(wanted[:, i].sum()), "given": int(given[:, i].sum()), "f1": float(f1s[i])}
            for i in there
        },
    }


def _aspects(judged: Judged, of: Sequence[Example], among: Sequence[bool]) -> dict[str, Any] | None:
    """Return how well (aspect, sentiment) pairs are found, over the aspects that the examples tell of."""
    told, right, all_pairs, count = {}, 0, 0, 0
    for aspect in ASPECTS:
        head = f"aspect_{aspect}"
        places = places_known(head, of, among)
        if not places:
            continue
        count = max(count, len(places))
        wanted = rows_of(head, of, places).argmax(axis=1)
        labels = BY_NAME[head].labels
        given = np.array([labels.index(judged.answers[head][place]) for place in places])
        hits, hits_at_all = ((wanted == given) & (wanted > 0)).sum(), ((wanted > 0) & (given > 0)).sum()
        here, there = int((wanted > 0).sum()), int((given > 0).sum())
        right, all_pairs = right + int(hits), all_pairs + here + there
        if here:
            f1, at_all = (float(2 * found / (here + there)) for found in (hits, hits_at_all))
            told[aspect] = {"told": here, "given": there, "f1": f1, "f1_any_sentiment": at_all}
    if not told:
        return None
    macro = float(np.mean([one["f1"] for one in told.values()]))
    return {"examples": count, "macro_f1": macro, "micro_f1": 2 * right / all_pairs, "labels": told}


def lines(figures: Iterable[Mapping[str, Any]], sizes: Mapping[str, int]) -> Iterator[str]:
    """Yield the figures for a reader. sizes: how many examples each set has."""
    last = None
    for one in figures:
        if one["set"] != last:
            last = one["set"]
            yield f"\n== {last}: {sizes[last]} examples"
        if "confusion" in one:
            yield from _lines_of_one(one)
        else:
            yield f"{one['head']:14} macro F1 {_share(one['macro_f1'])}  micro F1 {_share(one['micro_f1'])}"
            for label, told in one["labels"].items():
                counted = f"{'':14} {label:18} told {told['told']:5} given {told['given']:5} F1 {_share(told['f1'])}"
                at_all = told.get("f1_any_sentiment")
                yield counted if at_all is None else f"{counted}  without sentiment {_share(at_all)}"


def _lines_of_one(one: Mapping[str, Any]) -> Iterator[str]:
    bounds = {key: "{:.1%} to {:.1%}".format(*one[key]) for key in ("macro_f1_95", "macro_recall_95")}
    yield (
        f"{one['head']:14} macro F1 {_share(one['macro_f1'])} (95 %: {bounds['macro_f1_95']})  macro recall "
        f"{_share(one['macro_recall'])} ({bounds['macro_recall_95']})  accuracy {_share(one['accuracy'])}  "
        f"ECE {one['ece']:.1%}"
    )
    labels = one["labels"]
    yield f"{'':14} {'wanted / given':18}" + "".join(f"{label[:9]:>10}" for label in labels) + f"{'F1':>8}"
    for label, told in labels.items():
        cells = "".join(f"{one['confusion'][label][other]:10}" for other in labels)
        yield f"{'':14} {label:18}{cells}{_share(told['f1']):>8}"
    if "side_recall" in one:
        yield f"{'':14} where only for or against: recall {_share(one['side_recall'])}"


def _share(share: float | None) -> str:
    return "     -" if share is None else f"{share:6.1%}"


def sizes(of: Iterable[Example]) -> dict[str, int]:
    """Return how many examples each set has."""
    counted: dict[str, int] = {}
    for example in of:
        counted[example.set] = counted.get(example.set, 0) + 1
    return counted


def main() -> None:
    """Read the command line and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--part", choices=("reported", "chosen_on"), default="reported")
    parser.add_argument("--model", type=Path, default=FOLDER)
    told = parser.parse_args()
    of = read(told.data, told.part)
    print("\n".join(lines(measured(MentionModel(told.model, threads=2), of), sizes(of))))


if __name__ == "__main__":
    main()
