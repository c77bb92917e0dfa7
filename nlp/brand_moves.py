"""spaCy component: what a text tells by the form of its sentences: who left whom, and who is better than whom."""

from spacy.language import Language
from spacy.tokens import Doc

from nlp.comparisons import compared
from nlp.moves import moves
from nlp.sentence_forms import Name

COMPANIES = frozenset({"ORG", "PRODUCT"})  # entities that may stand on the other side of a move

Doc.set_extension("switches", default=(), force=True)
Doc.set_extension("compared", default={}, force=True)


@Language.factory(
    "brand_moves", requires=["doc.ents", "doc._.brand_matches"], assigns=["doc._.switches", "doc._.compared"]
)
def make_brand_moves(nlp: Language, name: str):  # names set by spaCy
    """Return the component."""
    return BrandMoves()


class BrandMoves:
    """Set doc._.switches, the moves between brands and other companies named, and doc._.compared, name -> log-odds."""

    def __call__(self, doc: Doc) -> Doc:
        named = names(doc)
        doc._.switches = moves(doc.text, named)
        doc._.compared = compared(doc.text, named) if len(named) > 1 else {}
        return doc


def names(doc: Doc) -> list[Name]:
    """Return who is named, in text order: brands by their own name, other companies as the text calls them."""
    found: list[Name] = []
    for match in sorted(doc._.brand_matches, key=lambda match: (match.start, -match.end, match.brand)):
        if not found or match.start >= found[-1].end:  # of brands that share a name the first stands for it
            found.append(Name(match.start, match.end, match.brand))
    others = [Name(ent.start_char, ent.end_char, ent.text) for ent in doc.ents if ent.label_ in COMPANIES]
    free = [one for one in others if all(one.end <= name.start or one.start >= name.end for name in found)]
    return sorted([*found, *free])
