"""spaCy component: where a text names brands."""

from collections.abc import Sequence

from spacy.language import Language
from spacy.tokens import Doc, Span
from spacy.util import filter_spans

from nlp.brands import Brand
from nlp.matcher import Match, Matcher

Doc.set_extension("brand_matches", default=None, force=True)


@Language.factory("brand_matcher", default_config={"brands": []}, assigns=["doc.ents", "doc._.brand_matches"])
def make_brand_matcher(nlp: Language, name: str, brands: list[dict]):  # names set by spaCy
    """Return the component; brands: the fields of `Brand`, as plain values, so that a config can hold them."""
    return BrandMatcher([Brand.model_validate(brand) for brand in brands])


class BrandMatcher:
    """Set doc._.brand_matches (exact characters), doc.spans["brands"] and BRAND entities.

    Matches that are there already stay: who has read the text before need not have it read again. A span takes in the
    whole of every token that a match touches, so a brand's domain within a link gives the link; its id is the brand's
    name.
    """

    def __init__(self, brands: Sequence[Brand]) -> None:
        self.matcher = Matcher(brands)

    def __call__(self, doc: Doc) -> Doc:
        if doc._.brand_matches is None:
            doc._.brand_matches = self.matcher.matches(doc.text)
        brands = [span for match in doc._.brand_matches if (span := _span(doc, match)) is not None]
        doc.spans["brands"] = brands
        doc.set_ents(filter_spans(brands))
        return doc


def _span(doc: Doc, match: Match) -> Span | None:
    span = doc.char_span(match.start, match.end, label="BRAND", alignment_mode="expand")
    if span is not None:
        span.id_ = match.brand
    return span
