"""spaCy component: how a text speaks of each brand it names. Level and limits: brand_sentiment.md."""

from collections.abc import Iterable
from itertools import groupby

from spacy.language import Language
from spacy.tokens import Doc

from nlp.matcher import Match
from nlp.opinion.judge import Name, judge

Doc.set_extension("about", default=(), force=True)  # brands the text is about though it may not name them
Doc.set_extension("opinions", default=None, force=True)
Doc.set_extension("switches", default=(), force=True)


@Language.factory(
    "brand_sentiment",
    requires=["doc._.brand_matches"],
    assigns=["doc._.opinions", "doc._.switches"],
)
def make_brand_sentiment(nlp: Language, name: str):  # names set by spaCy
    """Return the component."""
    return BrandSentiment()


class BrandSentiment:
    """Set doc._.opinions (brand -> Opinion) for every brand named and every one in doc._.about, and doc._.switches."""

    def __call__(self, doc: Doc) -> Doc:
        judgement = judge(doc.text, names(doc._.brand_matches), about=doc._.about)
        doc._.opinions = judgement.opinions
        doc._.switches = judgement.switches
        return doc


def names(matches: Iterable[Match]) -> list[Name]:
    """Return matches (in text order) as names; brands that share the very same characters share one name."""
    return [
        Name(*span, frozenset(match.brand for match in same))
        for span, same in groupby(matches, key=lambda match: (match.start, match.end))
    ]
