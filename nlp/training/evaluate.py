"""Measure the mention model on labelled data: every head, with bounds, confusions and calibration. Without torch.

    python -m nlp.training.evaluate FOLDER [--part reported | chosen_on] [--model nlp/models/mention]
    python -m nlp.training.evaluate MENTIONS.jsonl

FOLDER holds the labelled sets (nlp/training/mentions.py); its parts "reported" were neither fitted nor chosen on. A
file of lines holds mentions in the form of nlp/training/own. "95 %" are bounds of a bootstrap over the examples; ECE
is the expected calibration error in 15 bins.
"""

import argparse
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from nlp.mention_labels import ASPECTS, BY_NAME, HEADS
from nlp.mention_model import FOLDER, MentionModel, answered, decided, probable
from nlp.training.measure import Confusion, calibration_error, known, scored
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


def report(model: MentionModel, of: Sequence[Example]) -> None:
    """Print the figures of every set and head that the examples tell of."""
    scores = scored(model, of)
    for name in dict.fromkeys(example.set for example in of):
        among = [example.set == name for example in of]
        print(f"\n== {name}: {sum(among)} examples")
        for head in HEADS:
            found = known(head.name, of, scores, among)
            if found is None or head.name.startswith("aspect_"):
                continue
            rule = model.rules[head.name]
            probabilities = probable(head.name, found.scores, rule.temperature)
            if head.any:
                _print_any(head.name, head.labels, found.rows > 0.5, probabilities >= rule.weights)
                continue
            single = (found.rows > 0.5).any(axis=1)
            wanted = found.rows.argmax(axis=1)[single]
            given = np.array([head.labels.index(one) for one in decided(head.name, probabilities[single], rule)])
            told = Confusion.of(wanted, given, len(head.labels))
            error = calibration_error(probabilities[single], wanted)
            _print_one(head.name, head.labels, told, error)
            if head.name == "sentiment":
                sides = wanted != 1
                either = np.where(probabilities[single][:, 2] >= probabilities[single][:, 0], 2, 0)
                two = Confusion.of(wanted[sides], either[sides], 3)
                if sides.any():
                    print(f"{'':14} where only for or against: recall {two.macro_recall():6.1%}")
        _print_aspects(model, of, scores, among)


def _print_one(head: str, labels: Sequence[str], told: Confusion, error: float) -> None:
    low, high = told.between(Confusion.macro_f1)
    least, most = told.between(Confusion.macro_recall)
    print(
        f"{head:14} macro F1 {told.macro_f1():6.1%} (95 %: {low:.1%} to {high:.1%})  macro recall "
        f"{told.macro_recall():6.1%} ({least:.1%} to {most:.1%})  accuracy {told.accuracy():6.1%}  ECE {error:.1%}"
    )
    there = [i for i in range(len(labels)) if told.counts[i].sum() + told.counts[:, i].sum() > 0]
    print(f"{'':14} {'wanted / given':18}" + "".join(f"{labels[i][:9]:>10}" for i in there) + f"{'F1':>8}")
    for i in there:
        cells = "".join(f"{told.counts[i, j]:10}" for j in there)
        print(f"{'':14} {labels[i]:18}{cells}{told.f1s()[i]:8.1%}")


def _print_any(head: str, labels: Sequence[str], wanted: np.ndarray, given: np.ndarray) -> None:
    right, both = (wanted & given).sum(axis=0), wanted.sum(axis=0) + given.sum(axis=0)
    there = wanted.sum(axis=0) > 0
    f1s = 2 * right / np.maximum(both, 1)
    print(f"{head:14} macro F1 {f1s[there].mean():6.1%}  micro F1 {2 * right.sum() / max(1, both.sum()):6.1%}")
    for i in (place for place, told in enumerate(there) if told):
        print(f"{'':14} {labels[i]:18} told {wanted[:, i].sum():5} given {given[:, i].sum():5} F1 {f1s[i]:6.1%}")


def _print_aspects(model: MentionModel, of: Sequence[Example], scores: np.ndarray, among: Sequence[bool]) -> None:
    """Print how well (aspect, sentiment) pairs are found, over the aspects that the examples tell of."""
    right, told, answers, f1s = 0, 0, 0, []
    for aspect in ASPECTS:
        head = f"aspect_{aspect}"
        found = known(head, of, scores, among)
        if found is None:
            continue
        wanted = found.rows.argmax(axis=1)
        labels = BY_NAME[head].labels
        given = np.array([labels.index(one) for one in answered(found.scores, model.rules).answers[head]])
        hits = int(((wanted == given) & (wanted > 0)).sum())
        here, there = int((wanted > 0).sum()), int((given > 0).sum())
        right, told, answers = right + hits, told + here, answers + there
        if here:
            f1s.append(2 * hits / (here + there))
            found_at_all = int(((wanted > 0) & (given > 0)).sum())
            print(
                f"{head:20} told {here:4} given {there:4}  F1 with sentiment {f1s[-1]:6.1%}  "
                f"without {2 * found_at_all / (here + there):6.1%}"
            )
    if f1s:
        print(f"{'aspects':20} macro F1 with sentiment {np.mean(f1s):6.1%}  micro {2 * right / (told + answers):6.1%}")


def main() -> None:
    """Read the command line and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--part", choices=("reported", "chosen_on"), default="reported")
    parser.add_argument("--model", type=Path, default=FOLDER)
    told = parser.parse_args()
    report(MentionModel(told.model, threads=2), read(told.data, told.part))


if __name__ == "__main__":
    main()
