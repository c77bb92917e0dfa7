"""spaCy component: what a text says of each brand in it. How well, says the model's card, models/mention/card.md."""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from typing import NamedTuple

from spacy.language import Language
from spacy.tokens import Doc
from spacy.util import minibatch

from nlp.judgement import judgements
from nlp.matcher import Match
from nlp.mention_model import Judged, MentionModel

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


@Language.factory(
    "mention_judge",
    default_config={"threads": 2},
    requires=["doc._.brand_matches"],
    assigns=["doc._.judged"],
)
def make_mention_judge(nlp: Language, name: str, threads: int):  # names set by spaCy
    """Return the component."""
    return MentionJudge(_model(threads))


class MentionJudge:
    """Set doc._.judged: brand -> Judgement, for each of doc._.asked.

    Where that is None, for every brand the text names and those it is about.
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
                    yield from _told(*waiting.popleft())
            while waiting:
                yield from _told(*waiting.popleft())

    def _judge(self, docs: Sequence[Doc], asked: Sequence[Sequence[Asked]]) -> Judged:
        pairs = [(doc.text, one) for doc, ones in zip(docs, asked, strict=True) for one in ones]
        return self._model.judge(
            [text for text, _ in pairs], [one.name for _, one in pairs], [one.span for _, one in pairs]
        )


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


def _told(docs: list[Doc], asked: list[list[Asked]], judged: "Future[Judged]") -> Iterator[Doc]:
    answers = iter(judgements(judged.result()))
    for doc, ones in zip(docs, asked, strict=True):
        doc._.judged = {one.brand: next(answers) for one in ones}
        yield doc


@cache
def _model(threads: int) -> MentionModel:
    return MentionModel(threads=threads)
