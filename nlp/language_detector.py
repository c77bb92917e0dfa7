"""spaCy component: which language a text is in."""

from spacy.language import Language
from spacy.tokens import Doc

from nlp.languages import detect

Doc.set_extension("language", default=None, force=True)


@Language.component("language_detector", assigns=["doc._.language"])
def language_detector(doc: Doc) -> Doc:
    """Set doc._.language (ISO 639-1, None if it cannot be told), unless it is told already."""
    if doc._.language is None:
        doc._.language = detect(doc.text)
    return doc
