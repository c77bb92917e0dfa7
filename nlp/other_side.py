"""spaCy component: who stands on the other side of a move of which a text's brands tell but one.

Of each name in the text that may be a company's the mention model is asked whether that is left or joined.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from spacy.language import Language
from spacy.tokens import Doc

from nlp.brand_moves import COMPANIES
from nlp.judgement import Judgement
from nlp.mention_judge import shared_model
from nlp.mention_labels import BY_NAME
from nlp.mention_model import MentionModel
from nlp.moves import Switch
from nlp.switching import OPPOSITE

SIDES = BY_NAME["switch"].labels
MOST = 8  # names that are asked of one text
LIKELY = 0.4  # probability of standing there and being a company, from which a name is taken
_CAPITALISED = re.compile(r"(?<![\w@#])[@#]?[A-Z][\w&'’-]*(?: [A-Z][\w&'’-]*)*")
_NO_COMPANY = frozenset({
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december", "jan", "feb", "mar", "apr", "jun", "jul", "aug", "sep", "sept", "oct", "nov", "dec", "monday",
    "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday", "i'm", "i've", "i'd", "i'll", "ok", "tv",
})  # fmt: skip
_SENTENCE_BEGINS = re.compile(r"(?:^|[.!?…:\n])[\s\"'“”‘’(]*$")

Doc.set_extension("other_sides", default={}, force=True)


@Language.factory(
    "other_side",
    default_config={"threads": 2},
    requires=["doc.ents", "doc._.brand_matches", "doc._.judged", "doc._.switches"],
    assigns=["doc._.other_sides"],
)
def make_other_side(nlp: Language, name: str, threads: int):  # names set by spaCy
    """Return the component."""
    return OtherSide(shared_model(threads))


class OtherSide:
    """Set doc._.other_sides: "from" or "to" -> the name of who stands there; empty where nobody is told to."""

    def __init__(self, model: MentionModel) -> None:
        self._model = model

    def __call__(self, doc: Doc) -> Doc:
        wanted = sides_wanted(doc._.judged, doc._.switches)
        if wanted and (spans := list(names(doc))):
            text = doc.text
            called = [text[start:end] for start, end in spans]
            found = self._model.judge([text] * len(spans), called, spans).probabilities
            likely = {side: found["switch"][:, SIDES.index(side)] * found["certainty"][:, 1] for side in wanted}
            doc._.other_sides = {side: called[by.argmax()] for side, by in likely.items() if by.max() >= LIKELY}
        return doc


def sides_wanted(judged: Mapping[str, Judgement], moves: Sequence[Switch]) -> list[str]:
    """Return the sides of moves on which no brand stands."""
    told = {one.side for one in judged.values() if one.side is not None and one.status is not None}
    wanted = {OPPOSITE[side] for side in told if OPPOSITE[side] not in told}
    for move in moves:
        wanted |= {side for side, name in (("from", move.from_), ("to", move.to)) if name is None}
    return sorted(wanted)


def names(doc: Doc) -> Iterator[tuple[int, int]]:
    """Yield where a text may name companies that are none of its brands, each name once, the first MOST of them.

    These are entities of that kind, and words with capitals that do not begin a sentence.
    """
    text = doc.text
    entities = [(one.start_char, one.end_char) for one in doc.ents if one.label_ in COMPANIES]
    words = [m.span() for m in _CAPITALISED.finditer(text) if not _SENTENCE_BEGINS.search(text[: m.start()])]
    brands = [match.text.casefold() for match in doc._.brand_matches]
    seen: set[str] = set()
    taken = 0
    for start, end in sorted({*entities, *words}, key=lambda span: (span[0], -span[1])):  # of two, the longer
        called = text[start:end].casefold().lstrip("@#")
        if start < taken or len(called) < 2 or called in seen or _no_company(called) or _kindred(called, brands):
            continue
        seen.add(called)
        taken = end
        yield start, end
        if len(seen) == MOST:
            return


def _no_company(called: str) -> bool:
    return called.replace("’", "'") in _NO_COMPANY


def _kindred(called: str, brands: Iterable[str]) -> bool:
    return any(called in brand or brand.lstrip("@#") in called for brand in brands)
