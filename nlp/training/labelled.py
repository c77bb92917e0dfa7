"""Labelled texts as they lie in their folders: which parts we fit on, which we choose on, which we only report.

Nothing of them is in this project: whoever wants to train or measure fetches them, each into a folder of one
folder, named as below. What their makers say of licences is told in nlp/brand_sentiment.md. As of November 2026:

    semeval2017_task4a         twitter-*-A.txt from github.com/leelaylay/TweetSemEval
    semeval2017_task4_topics   twitter-*-BD.tsv from github.com/cbaziotis/datastories-semeval2017-task4
    goemotions                 train.tsv, labels.txt from github.com/monologg/GoEmotions-pytorch
    newsmtsc                   train.jsonl from github.com/fhamborg/NewsMTSC
    dynasent                   dynasent-v1.1-*-dev.jsonl from github.com/cgpotts/dynasent
"""

import csv
import html
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

# SemEval-2017 Task 4A, by year and part as its files are called. The test of 2017 is not among them.
FITTED = ("2013train", "2013dev", "2013test", "2015train", "2016train", "2016test")
CHOSEN_ON = ("2016dev", "2016devtest")  # what rules and strengths were tuned on
REPORTED = ("2014test", "2015test", "2014sarcasm")  # neither fitted nor tuned on

_FOR = {"admiration", "amusement", "approval", "caring", "excitement", "gratitude", "joy", "love", "optimism", "pride"}
_FOR |= {"relief"}
_AGAINST = {"anger", "annoyance", "disappointment", "disapproval", "disgust", "embarrassment", "fear", "grief"}
_AGAINST |= {"nervousness", "remorse", "sadness"}


class Labelled(NamedTuple):
    """A text and how it speaks: -1, 0 or 1; of `target` (text[start:end]) where one is given."""

    text: str
    sentiment: int
    origin: str
    start: int | None = None
    end: int | None = None


def semeval(folder: Path, parts: Sequence[str]) -> Iterator[Labelled]:
    """Yield the tweets of the named parts of SemEval-2017 Task 4A; folder holds the labelled sets."""
    signs = {"negative": -1, "neutral": 0, "positive": 1}
    for part in parts:
        path = folder / "semeval2017_task4a" / f"twitter-{part}-A.txt"
        for line in path.read_text(encoding="utf-8").splitlines():
            _, label, text = line.split("\t")[:3]
            yield Labelled(_plain(text), signs[label], "semeval")


def semeval_topics(folder: Path, parts: Sequence[str]) -> Iterator[Labelled]:
    """Yield tweets with a topic that they name word for word, judged for or against it (Task 4B)."""
    for part in parts:
        path = folder / "semeval2017_task4_topics" / f"twitter-{part}-BD.tsv"
        for line in path.read_text(encoding="utf-8").splitlines():
            _, topic, label, text = line.split("\t")[:4]
            text = _plain(text)
            start = text.lower().find(topic.lower())
            if start >= 0 and label in ("positive", "negative"):
                yield Labelled(text, 1 if label == "positive" else -1, "topics", start, start + len(topic))


def goemotions(folder: Path, part: str = "train") -> Iterator[Labelled]:
    """Yield Reddit comments whose emotions all point one way; curiosity, surprise and their like are left out."""
    names = (folder / "goemotions/labels.txt").read_text().split()
    with (folder / f"goemotions/{part}.tsv").open(encoding="utf-8", newline="") as file:
        for text, labels, _ in csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
            emotions = {names[int(label)] for label in labels.split(",")}
            signs = {1 if e in _FOR else -1 if e in _AGAINST else 0 if e == "neutral" else 9 for e in emotions}
            if len(signs) == 1 and (sign := signs.pop()) != 9:
                yield Labelled(text, sign, "goemotions")


def newsmtsc(folder: Path) -> Iterator[Labelled]:
    """Yield targets in news sentences (NewsMTSC, train part; 2 is against, 4 neither, 6 for)."""
    with (folder / "newsmtsc/train.jsonl").open(encoding="utf-8") as file:
        for line in file:
            row = json.loads(line)
            for target in row["targets"]:
                sign = {2.0: -1, 4.0: 0, 6.0: 1}.get(target["polarity"])
                if sign is not None:
                    yield Labelled(row["sentence_normalized"], sign, "newsmtsc", target["from"], target["to"])


def dynasent(folder: Path) -> Iterator[Labelled]:
    """Yield sentences of reviews (DynaSent, development parts of both rounds)."""
    signs = {"negative": -1, "neutral": 0, "positive": 1}
    for name in ("dynasent-v1.1-round01-yelp-dev.jsonl", "dynasent-v1.1-round02-dynabench-dev.jsonl"):
        with (folder / "dynasent" / name).open(encoding="utf-8") as file:
            for line in file:
                row = json.loads(line)
                if row["gold_label"] in signs:
                    yield Labelled(row["sentence"], signs[row["gold_label"]], name[14:21])


def _plain(text: str) -> str:
    return html.unescape(html.unescape(text)).replace("\\u2019", "'").replace("\\u002c", ",").strip('"')
