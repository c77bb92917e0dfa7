"""Examples for the mention model: a text, the name it is judged for, and what is known of it, from each labelled set.

An example carries only the labels its set has; the rest is unknown and teaches nothing. What may be fitted on,
chosen on and reported on is decided here, by part, by document (NewsMTSC) or by family (our own):

    semeval2017_task4a         fitted: 2013, 2015 train, 2016 train and test; chosen on: 2016 dev and devtest;
                               reported: 2014 and 2015 test
    semeval2017_task4_topics   the same; five-point (CE) where there is, 2015 as three-point (BD)
    newsmtsc                   train, three of ten documents held out: half to choose on, half to report
    mams                       train fitted, val chosen on; terms (atsa) as names, categories (acsa) as aspects
    goemotions                 train fitted, dev chosen on
    dynasent                   dev parts by review: 70 % fitted, 15 % chosen on, 15 % reported; all of SST dev fitted
    isarcasm                   see sarcasm()
    own                        nlp/training/own/*.jsonl, ours: 70 % of families fitted, 10 % chosen on, 20 % reported

Besides, unseen.jsonl: ours, by somebody who had read what the labels mean and none of the others' texts; in no part.
"""

import csv
import hashlib
import json
import random
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from nlp.mention_labels import ASPECTS, BY_NAME, HEADS, PLACES, WIDTH
from nlp.mention_text import place

OWN = Path(__file__).parent / "own"
UNSEEN = Path(__file__).parent / "unseen.jsonl"
PARTS = ("fitted", "chosen_on", "reported")
SIDES = ("negative", "neutral", "positive")

TWEETS = {
    "fitted": ("2013train", "2013dev", "2013test", "2015train", "2016train", "2016test"),
    "chosen_on": ("2016dev", "2016devtest"),
    "reported": ("2014test", "2015test"),
}
TOPICS = {
    "fitted": ("2015train-BD", "2016train-CE", "2016test-CE"),
    "chosen_on": ("2016dev-CE", "2016devtest-CE"),
    "reported": ("2015test-BD",),
}
POINTS = {"-2": "negative", "-1": "negative", "0": "neutral", "1": "positive", "2": "positive"}

EMOTIONS = {  # of GoEmotions, as the mentions table groups them
    **dict.fromkeys(("anger", "annoyance", "disapproval", "disgust"), "anger"),
    **dict.fromkeys(("disappointment", "remorse", "embarrassment"), "disappointment"),
    **dict.fromkeys(("fear", "nervousness"), "worry"),
    **dict.fromkeys(("sadness", "grief"), "sadness"),
    **dict.fromkeys(("joy", "excitement", "love", "optimism", "relief", "pride"), "joy"),
    "gratitude": "gratitude",
    **dict.fromkeys(("admiration", "approval", "caring"), "admiration"),
    "amusement": "amusement",
    **dict.fromkeys(("surprise", "realization", "curiosity", "confusion"), "surprise"),
    **dict.fromkeys(("desire", "neutral"), "none"),
}
AGAINST = {"anger", "disappointment", "worry", "sadness"}
FOR = {"joy", "gratitude", "admiration", "amusement"}

CATEGORIES = {  # of MAMS; waiters are meant by "service"; "miscellaneous" has no counterpart
    "food": "product",
    "menu": "product",
    "service": "staff",
    "staff": "staff",
    "price": "price",
    "ambience": "place",
    "place": "place",
}


class Example(NamedTuple):
    """A text judged for a name ("" for nobody; span None: wherever it stands, or nowhere).

    labels: head -> the label, or of an `any` head the labels, or how probable each is. set: where it is from.
    """

    text: str
    name: str
    span: tuple[int, int] | None
    labels: Mapping[str, Any]
    set: str


def row(labels: Mapping[str, Any]) -> np.ndarray:
    """Return the labels as WIDTH probabilities; NaN where nothing is known."""
    values = np.full(WIDTH, np.nan, np.float32)
    for name, told in labels.items():
        head, held = BY_NAME[name], values[PLACES[name]]
        held[:] = 0
        if isinstance(told, Mapping):
            for label, share in told.items():
                held[head.labels.index(label)] = share
        else:
            for label in told if head.any else [told]:
                held[head.labels.index(label)] = 1
    return values


def examples(folder: Path, part: str) -> Iterator[Example]:
    """Yield all examples of a part: "fitted", "chosen_on" or "reported"; folder holds the labelled sets."""
    yield from tweets(folder, part)
    yield from topics(folder, part)
    yield from news(folder, part)
    yield from own(part)
    yield from reviews(folder, part)
    if part != "reported":
        yield from dishes(folder, part)
        yield from dish_aspects(folder, part)
        yield from comments(folder, part)


def tweets(folder: Path, part: str) -> Iterator[Example]:
    """Yield tweets judged as a whole (SemEval-2017 Task 4A); none fitted that stands in another part, too."""
    kept_back = _ids(folder, "semeval2017_task4a", "twitter-{}-A.txt", TWEETS) if part == "fitted" else set()
    for name in TWEETS[part]:
        path = folder / "semeval2017_task4a" / f"twitter-{name}-A.txt"
        for line in path.read_text(encoding="utf-8").splitlines():
            number, label, text = line.split("\t")[:3]
            if number not in kept_back:
                yield Example(text.strip('"'), "", None, {"sentiment": label}, f"tweets {name}")


def topics(folder: Path, part: str) -> Iterator[Example]:
    """Yield tweets judged toward a topic (SemEval-2017 Task 4B and C), which they need not name word for word."""
    kept_back = _ids(folder, "semeval2017_task4_topics", "twitter-{}.tsv", TOPICS) if part == "fitted" else set()
    for name in TOPICS[part]:
        path = folder / "semeval2017_task4_topics" / f"twitter-{name}.tsv"
        for line in path.read_text(encoding="utf-8").splitlines():
            number, topic, label, text = line.split("\t")[:4]
            label = POINTS.get(label, label)
            if number not in kept_back and label in SIDES:
                yield Example(text.strip('"'), topic, None, {"sentiment": label}, f"topics {name}")


def _ids(folder: Path, within: str, pattern: str, parts: Mapping[str, Sequence[str]]) -> set[str]:
    """Return the numbers of tweets that must not be fitted on."""
    paths = [folder / within / pattern.format(name) for part in PARTS[1:] for name in parts[part]]
    return {line.split("\t")[0] for path in paths for line in path.read_text(encoding="utf-8").splitlines()}


def news(folder: Path, part: str) -> Iterator[Example]:
    """Yield targets in news sentences (NewsMTSC, train part; 2 is against, 4 neither, 6 for), parted by document."""
    sides = {2.0: "negative", 4.0: "neutral", 6.0: "positive"}
    with (folder / "newsmtsc/train.jsonl").open(encoding="utf-8") as file:
        for line in file:
            found = json.loads(line)
            document = "_".join(found["primary_gid"].split("_")[:2])
            if part_of(document, fitted=70, chosen_on=15) != part:
                continue
            for target in found["targets"]:
                if target["polarity"] in sides:
                    yield Example(
                        found["sentence_normalized"],
                        target["mention"],
                        (target["from"], target["to"]),
                        {"sentiment": sides[target["polarity"]]},
                        "news",
                    )


def dishes(folder: Path, part: str) -> Iterator[Example]:
    """Yield terms in sentences about restaurants (MAMS, atsa)."""
    path = folder / "mams/atsa" / ("train.xml" if part == "fitted" else "val.xml")
    for sentence in ET.parse(path).getroot():  # noqa: S314
        text = sentence.findtext("text") or ""
        for term in sentence.iter("aspectTerm"):
            span = int(term.get("from", 0)), int(term.get("to", 0))
            yield Example(text, term.get("term", ""), span, {"sentiment": term.get("polarity")}, "dishes")


def dish_aspects(folder: Path, part: str) -> Iterator[Example]:
    """Yield sentences about restaurants with their aspects (MAMS, acsa); aspects it cannot name stay unknown."""
    path = folder / "mams/acsa" / ("train.xml" if part == "fitted" else "val.xml")
    for sentence in ET.parse(path).getroot():  # noqa: S314
        sides: dict[str, set[str]] = {aspect: set() for aspect in CATEGORIES.values()}
        for category in sentence.iter("aspectCategory"):
            if aspect := CATEGORIES.get(category.get("category", "")):
                sides[aspect].add(category.get("polarity", ""))
        labels = {f"aspect_{aspect}": _mixed(found) for aspect, found in sides.items()}
        yield Example(sentence.findtext("text") or "", "", None, labels, "dish aspects")


def _mixed(sides: set[str]) -> str:
    if not sides:
        return "absent"
    told = sides - {"neutral"} or sides
    return told.pop() if len(told) == 1 else "neutral"


def comments(folder: Path, part: str) -> Iterator[Example]:
    """Yield Reddit comments with emotions, several as equally probable, and the side they take where it is one."""
    names = (folder / "goemotions/labels.txt").read_text().split()
    path = folder / "goemotions" / ("train.tsv" if part == "fitted" else "dev.tsv")
    with path.open(encoding="utf-8", newline="") as file:
        for text, told, _ in csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
            found = [names[int(number)] for number in told.split(",")]
            emotions = Counter(EMOTIONS[name] for name in found if name != "neutral" or len(found) == 1)
            labels: dict[str, Any] = {"emotion": {name: n / emotions.total() for name, n in emotions.items()}}
            sides = {"negative" if e in AGAINST else "positive" if e in FOR else "?" for e in emotions}
            if found == ["neutral"]:
                labels["sentiment"] = "neutral"
            elif len(sides) == 1 and "?" not in sides:
                labels["sentiment"] = sides.pop()
            yield Example(text, "", None, labels, "comments")


REVIEWS = {
    "dynasent-v1.1-round01-yelp-dev": "round01",
    "dynasent-v1.1-round02-dynabench-dev": "round02",
    "sst-dev-validated": "sst",
}


def reviews(folder: Path, part: str) -> Iterator[Example]:
    """Yield sentences of reviews (DynaSent and SST, development parts), parted by the review they stand in.

    To be fitted they carry the side as its five readers see it, who need not agree; else the one that most see.
    """
    for name, told_as in REVIEWS.items():
        with (folder / f"dynasent/{name}.jsonl").open(encoding="utf-8") as file:
            for line in file:
                found = json.loads(line)
                review = found.get("review_id") or (found.get("prompt_data") or {}).get("review_id")
                at = "fitted" if told_as == "sst" else part_of(review or found["sentence"], fitted=70, chosen_on=15)
                label: Any = found["gold_label"] if found["gold_label"] in SIDES else None
                if part == "fitted":
                    label = {side: len(readers) for side in SIDES if (readers := found["label_distribution"][side])}
                    label = {side: count / sum(label.values()) for side, count in label.items()}
                if at == part and label:
                    yield Example(found["sentence"], "", None, {"sentiment": label}, f"reviews {told_as}")


def sarcasm(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield sarcastic tweets, each with what its writer says was meant (iSarcasmEval, train part)."""
    with (folder / "isarcasm/train.En.csv").open(encoding="utf-8", newline="") as file:
        for found in csv.DictReader(file):
            if found["sarcastic"] == "1" and found["rephrase"]:
                yield found["tweet"], found["rephrase"]


def own(part: str, folder: Path = OWN) -> Iterator[Example]:
    """Yield the mentions written and labelled by us. Raises ValueError naming the line that has an unknown label."""
    for path in sorted(folder.glob("*.jsonl")):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            try:
                found = json.loads(line)
                if part_of(found["family"], fitted=70, chosen_on=10) == part:
                    example = Example(found["text"], found["brand"], None, own_labels(found), "own")
                    row(example.labels)
                    yield example
            except (KeyError, ValueError, TypeError) as error:
                raise ValueError(f"{path.name}:{number}: {error!r}") from error


def own_labels(told: Mapping[str, Any]) -> dict[str, Any]:
    """Return head -> label of a mention labelled in the words of the mentions table.

    Where `corrected` says which labels a person gave, only those count: the others are a model's own.
    """
    labels: dict[str, Any] = {"certainty": "company" if told["certainty"] else "other"}
    labels["sentiment"] = SIDES[told["sentiment"] + 1]
    labels["emotion"] = told["emotion"] or "none"
    labels["experience"] = told["experience"]
    labels["intents"] = told["intents"]
    labels["stage"] = told["stage"]
    labels["staff"] = {None: [], "both": ["actor", "victim"]}.get(told["staff"], [told["staff"]])
    labels["switch"] = "none"
    for side, key in (("from", "switched_from"), ("to", "switched_to")):
        if same(told["brand"], told[key]):
            labels["switch"] = side
    labels["switch_status"] = "none" if labels["switch"] == "none" else told["switch_status"]
    sides = {aspect: SIDES[sentiment + 1] for aspect, sentiment, *_ in told["aspects"]}
    if unknown := sides.keys() - set(ASPECTS):
        raise ValueError(f"no such aspect: {sorted(unknown)}")
    labels |= {f"aspect_{aspect}": sides.get(aspect, "absent") for aspect in ASPECTS}
    if "corrected" not in told:
        return labels
    heads = {head for column in told["corrected"] for head in HEADS_OF.get(column, (column,))}
    return {head: label for head, label in labels.items() if head in heads}


HEADS_OF = {  # column of mentions -> heads that answer it, where these have other names
    **dict.fromkeys(("switched_from", "switched_to", "switch_status", "switch"), ("switch", "switch_status")),
    "aspects": tuple(f"aspect_{aspect}" for aspect in ASPECTS),
}


def same(brand: str, other: str | None) -> bool:
    """Return whether two spellings name one brand: @Acme, #acme and Acme do."""
    return other is not None and bare(brand) == bare(other)


def bare(name: str) -> str:
    """Return a name without what marks accounts and tags, case folded."""
    return name.lstrip("@#").casefold()


def part_of(group: str, *, fitted: int, chosen_on: int) -> str:
    """Return the part a group of kindred texts belongs to, by its name; shares in percent."""
    share = int(hashlib.sha256(group.encode()).hexdigest(), 16) % 100
    return "fitted" if share < fitted else "chosen_on" if share < fitted + chosen_on else "reported"


MADE_UP = (
    "Acme", "Globex", "Initech", "Umbro Bank", "Velora", "Northwind", "Telvo", "Kestrel", "Brightlane", "Orbis",
    "Zentro", "Halcyon Air", "Pinecrest", "Monteva", "Quillon", "Sable & Co", "Duskfield", "Lumio", "Farrow", "Tanagra",
)  # fmt: skip


def renamed(examples: Sequence[Example], share: float, seed: int) -> Iterator[Example]:
    """Yield the examples, a share of those with a name in the text under a made-up one: no name is good or bad.

    Names that are something else in any of the examples stay, for telling one from the other is to be learned.
    """
    chance = random.Random(seed)  # noqa: S311
    doubtful = {bare(example.name) for example in examples if example.labels.get("certainty") == "other"}
    for example in examples:
        span = example.span or (place(example.text, example.name) if example.name else None)
        if span is None or bare(example.name) in doubtful or chance.random() >= share:
            yield example
            continue
        start, end = span
        name = chance.choice(MADE_UP)
        text = example.text[:start] + name + example.text[end:]
        yield example._replace(text=text, name=name, span=(start, start + len(name)))


JOINTS = (" but ", " but ", ", but ", " while ", " whereas ", ". ", "! ", " and ", " - ", "; ", "\n", ". Meanwhile ")
SHORT = 120  # characters of a text that may stand beside others
OTHERS = (1, 1, 1, 2, 4, 6)  # how many of these


def beside(examples: Sequence[Example], share: float, seed: int) -> Iterator[Example]:
    """Yield the examples, and a share of the short ones that judge a name once more, beside texts of other names.

    The side taken toward the name stays, whatever is said of the others and however much; what else the text tells may
    not.
    """
    chance = random.Random(seed)  # noqa: S311
    told = [e for e in examples if e.name and "sentiment" in e.labels and len(e.text) <= SHORT and e.set != "dishes"]
    told = [one for one in told if one.span or place(one.text, one.name)]
    yield from examples
    for example in told:
        others = chance.choices(told, k=chance.choice(OTHERS))
        if chance.random() >= share or any(
            place(other.text, example.name) or place(example.text, other.name) for other in others
        ):
            continue
        start, end = example.span or place(example.text, example.name) or (0, 0)
        at = chance.randint(0, len(others))
        texts = [other.text for other in others]
        texts.insert(at, example.text)
        before = "".join(text.rstrip(" .!") + chance.choice(JOINTS) for text in texts[:at])
        after = "".join(chance.choice(JOINTS) + text for text in texts[at + 1 :])
        own_text = example.text.rstrip(" .!") if after else example.text
        labels = {head: example.labels[head] for head in ("sentiment", "certainty") if head in example.labels}
        yield Example(
            before + own_text + after, example.name, (len(before) + start, len(before) + end), labels, "beside"
        )


if __name__ == "__main__":  # python -m nlp.training.mentions FOLDER: how many there are of each
    import sys

    for wanted in PARTS:
        for origin, count in Counter(example.set for example in examples(Path(sys.argv[1]), wanted)).items():
            print(f"{wanted:10} {origin:24} {count:6}")
    print(f"{len(HEADS)} heads, {WIDTH} scores")
