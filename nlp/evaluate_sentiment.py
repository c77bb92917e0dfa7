"""Measure the sentiment rules on labelled sets: the figures of nlp/brand_sentiment.md come from here.

    python -m nlp.evaluate_sentiment FOLDER [--all]

FOLDER holds the labelled sets (nlp/training/labelled.py says which, and where from).
Prints macro recall, macro F1 and accuracy per set, beside VADER's on the same texts where the package
vaderSentiment is installed (it is no dependency of ours; its usual cut at 0.05 is used). --all adds the
sets that rules were tuned on.
"""

import sys
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from nlp.opinion.judge import Name, Opinion, judge
from nlp.training.labelled import (
    CHOSEN_ON,
    REPORTED,
    Labelled,
    dynasent,
    newsmtsc,
    semeval,
    semeval_topics,
)

SIDES = (-1, 0, 1)
TARGET = "the target"


class Scores(NamedTuple):
    """Shares of one, over the sides that occur in the labels."""

    texts: int
    macro_recall: float
    macro_f1: float
    accuracy: float


def scores(wanted: Sequence[int], given: Sequence[int]) -> Scores:
    """Return how well the given sides agree with the wanted ones."""
    pairs = Counter(zip(wanted, given, strict=True))
    sides = [side for side in SIDES if side in wanted]
    recalls, f1s = [], []
    for side in sides:
        right = pairs[side, side]
        in_wanted = sum(n for (w, _), n in pairs.items() if w == side)
        in_given = sum(n for (_, g), n in pairs.items() if g == side)
        recalls.append(right / in_wanted)
        f1s.append(2 * right / (in_wanted + in_given))
    hits = sum(n for (w, g), n in pairs.items() if w == g)
    return Scores(len(wanted), sum(recalls) / len(sides), sum(f1s) / len(sides), hits / len(wanted))


def opinion_of(text: Labelled) -> Opinion:
    """Return our opinion: of the target where there is one, else of what the whole text is about."""
    if text.start is None or text.end is None:
        return judge(text.text, [], about=[TARGET]).opinions[TARGET]
    return judge(text.text, [Name(text.start, text.end, frozenset({TARGET}))]).opinions[TARGET]


def ours(text: Labelled) -> int:
    """Return our answer: -1, 0 or 1."""
    return opinion_of(text).sentiment


def ours_of_two(text: Labelled) -> int:
    """Return our answer where only for and against are asked: -1 or 1."""
    opinion = opinion_of(text)
    return 1 if opinion.p_positive >= opinion.p_negative else -1


def vader() -> Callable[[Labelled], int] | None:
    """Return VADER as a judge of whole texts, or None where it is not installed."""
    try:
        from vaderSentiment.vaderSentiment import (  # pyright: ignore[reportMissingImports]
            SentimentIntensityAnalyzer,
        )
    except ImportError:
        return None
    analyzer = SentimentIntensityAnalyzer()

    def side(text: Labelled) -> int:
        compound = analyzer.polarity_scores(text.text)["compound"]
        return 1 if compound >= 0.05 else -1 if compound <= -0.05 else 0

    return side


def main(folder: Path, everything: bool) -> None:
    """Print a table of scores, one line a set."""
    sets: list[tuple[str, Iterable[Labelled], Callable[[Labelled], int]]] = [
        (f"SemEval 2017 4A {part}", semeval(folder, [part]), ours) for part in REPORTED
    ]
    sets += [
        ("NewsMTSC train, per target", newsmtsc(folder), ours),
        ("DynaSent dev, rounds 1 and 2", dynasent(folder), ours),
    ]
    if everything:
        sets += [(f"SemEval 2017 4A {part} (tuned on)", semeval(folder, [part]), ours) for part in CHOSEN_ON]
        sets.append(
            ("SemEval 2017 4B devtest, per topic (same tweets)", semeval_topics(folder, ["2016devtest"]), ours_of_two)
        )
    yardstick = vader()
    print(f"{'set':48} {'texts':>6} {'recall':>7} {'F1':>6} {'acc.':>6}   VADER recall, F1")
    for name, texts, answer in sets:
        listed = list(texts)
        wanted = [text.sentiment for text in listed]
        mine = scores(wanted, [answer(text) for text in listed])
        line = f"{name:48} {mine.texts:6} {mine.macro_recall:7.1%} {mine.macro_f1:6.1%} {mine.accuracy:6.1%}"
        if yardstick is not None and answer is ours:
            other = scores(wanted, [yardstick(text) for text in listed])
            line += f"   {other.macro_recall:6.1%} {other.macro_f1:6.1%}"
        print(line)


if __name__ == "__main__":
    main(Path(sys.argv[1]), "--all" in sys.argv[2:])
