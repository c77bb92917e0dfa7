"""Named entities by the mention model: which tags its word pieces get, and the spans that these make. Pure.

The labels are those spaCy's English pipelines use, fewer: LOC takes in their GPE and FAC, ORG bands and teams too
(what WNUT17 calls group). Tags are IOB: B- begins an entity, I- goes on with it.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

LABELS = ("PERSON", "ORG", "LOC", "PRODUCT", "WORK_OF_ART")
TAGS = ("O", *(f"{place}-{label}" for label in LABELS for place in "BI"))


class Entity(NamedTuple):
    """A named entity: its label and characters start..end of the text."""

    label: str
    start: int
    end: int


def entities(tags: Sequence[int], words: Sequence[tuple[int, int]]) -> Iterator[Entity]:
    """Yield the entities that tags make, in the order of the text.

    tags: a place in TAGS per word. words: the characters of each, ascending. An I- that goes on with nothing of its
    label begins an entity.
    """
    open_: Entity | None = None
    for tag, (start, end) in zip(tags, words, strict=True):
        label = LABELS[(tag - 1) // 2] if tag else None
        begins = tag % 2 == 1
        if open_ is not None and (label != open_.label or begins):
            yield open_
            open_ = None
        if label is not None:
            open_ = Entity(label, open_.start if open_ else start, end)
    if open_ is not None:
        yield open_
