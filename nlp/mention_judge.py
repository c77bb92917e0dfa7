"""spaCy component: what a text says of each brand in it, and whom else it names.

One reading by the model tells both. How well, says its card, models/mention/card.md.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from typing import NamedTuple

from spacy.language import Language
from spacy.tokens import Doc
from spacy.util import filter_spans, minibatch

from nlp.judgement import judgements
from nlp.matcher import Match
from nlp.mention_model import Judged, MentionModel
from nlp.named_entities import Entity

WHOLE = ""  # the "brand" of a text as a whole: how it sounds, whomever it speaks of
AHEAD = 2  # batches the model works on while the components before it read the next

Doc.set_extension("about", default=(), force=True)  # brands the text is about though it may not name them
Doc.set_extension("asked", default=None, force=True)
Doc.set_extension("judged", default=None, force=True)


class Asked(NamedTuple):
    """Whom a text is judged for: the brand (or WHOLE), how the text calls it, and where; None: not told where."""

    brand: str
    name: str
    span: tuple[int, int] | None = None


FOR_NOBODY = Asked(WHOLE, "")  # asked where nobody is, for the entities alone


@Language.factory(
    "mention_judge",
    default_config={"threads": 2},
    requires=["doc._.brand_matches"],
    assigns=["doc._.judged", "doc.ents"],
)
def make_mention_judge(nlp: Language, name: str, threads: int):  # names set by spaCy
    """Return the component."""
    return MentionJudge(shared_model(threads))


class MentionJudge:
    """Set doc._.judged: brand -> Judgement, for each of doc._.asked, and add to doc.ents whom else the text names.

    Where doc._.asked is None, every brand the text names is judged, and those it is about. Entities have the labels of
    nlp/named_entities.py; where one overlaps with a brand, the brand stays.
    """

    def __init__(self, model: MentionModel) -> None:
        self._model = model

    def __call__(self, doc: Doc) -> Doc:
        return next(self.pipe([doc]))

    def pipe(self, stream: Iterable[Doc], batch_size: int = 64) -> Iterator[Doc]:
        """Yield the documents in their order; while a batch is judged, the next is read."""
        with ThreadPoolExecutor(1, thread_name_prefix="mention-judge") as judge:
            waiting: deque[tuple[list[Doc], list[list[Asked]], Future[Judged]]] = deque()
            for docs in minibatch(stream, batch_size):
                asked = [asked_of(doc) for doc in docs]
                waiting.append((docs, asked, judge.submit(self._judge, docs, asked)))
                if len(waiting) >= AHEAD:
                    yield from self._told(*waiting.popleft())
            while waiting:
                yield from self._told(*waiting.popleft())

    def _judge(self, docs: Sequence[Doc], asked: Sequence[Sequence[Asked]]) -> Judged:
        pairs = [(doc.text, one) for doc, ones in zip(docs, asked, strict=True) for one in ones or [FOR_NOBODY]]
        return self._model.judge(
            [text for text, _ in pairs], [one.name for _, one in pairs], [one.span for _, one in pairs]
        )

    def _told(self, docs: list[Doc], asked: list[list[Asked]], judged: "Future[Judged]") -> Iterator[Doc]:
        told = judged.result()
        answers = iter(zip(judgements(told), told.entities, strict=True))
        for doc, ones in zip(docs, asked, strict=True):
            found = [next(answers) for _ in ones or [FOR_NOBODY]]
            doc._.judged = {one.brand: judgement for one, (judgement, _) in zip(ones, found, strict=False)}
            named = found[0][1]  # whomever it is read for, a text names the same
            set_entities(doc, self._model.entities(doc.text) if named is None else named)
            yield doc


def asked_of(doc: Doc) -> list[Asked]:
    """Return whom a text is judged for."""
    if doc._.asked is not None:
        return list(doc._.asked)
    found: dict[str, Asked] = {}
    for match in sorted(doc._.brand_matches, key=_addresses_last):
        found.setdefault(match.brand, Asked(match.brand, match.text, (match.start, match.end)))
    for brand in doc._.about:
        found.setdefault(brand, Asked(brand, brand))
    return list(found.values())


def _addresses_last(match: Match) -> tuple[bool, int]:
    """Order names before links, where little is said, and then as the text goes."""
    return match.matched_as == "domain", match.start


def set_entities(doc: Doc, named: Iterable[Entity]) -> None:
    """Add entities to doc.ents, whole tokens each, but for those that overlap with what is there."""
    spans = [doc.char_span(one.start, one.end, one.label, alignment_mode="expand") for one in named]
    taken = {token.i for entity in doc.ents for token in entity}
    free = [span for span in spans if span is not None and not any(token.i in taken for token in span)]
    doc.set_ents([*doc.ents, *filter_spans(free)])


@cache
def shared_model(threads: int) -> MentionModel:
    """Return the mention model, one for all components and pipelines of a process."""
    return MentionModel(threads=threads)
