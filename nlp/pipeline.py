"""The spaCy pipeline: words, sentences, language and brands of a text, what it says of each, and whom else it names."""

from collections.abc import Sequence
from typing import Any

import spacy
from spacy.language import Language
from spacy.util import compile_prefix_regex

from nlp import brand_matcher, brand_moves, language_detector, mention_judge, other_side
from nlp.brands import Brand
from nlp.matcher import Matcher

# Importing them registers their factories.
COMPONENTS = (brand_matcher, brand_moves, language_detector, mention_judge, other_side)


def build(brands: Sequence[Brand]) -> Language:
    """Return the pipeline for these brands.

    It sets doc.sents, doc._.language, doc.ents (BRAND among them), doc.spans["brands"], doc._.brand_matches,
    doc._.judged, doc._.switches, doc._.compared and doc._.other_sides. Raises ModelBroken if the mention model is
    missing or damaged; a retry does not help.
    """
    language = spacy.blank("en")
    keep_tags_whole(language)
    language.add_pipe("sentencizer")
    language.add_pipe("language_detector")
    language.add_pipe("brand_matcher", config={"brands": [brand.model_dump(mode="json") for brand in brands]})
    language.add_pipe("mention_judge")
    language.add_pipe("brand_moves")
    language.add_pipe("other_side")
    return language


def matcher_of(language: Language) -> Matcher:
    """Return the matcher that a pipeline of `build` finds brands with; building one takes a second for 30,000 names."""
    component: Any = language.get_pipe("brand_matcher")
    return component.matcher


def keep_tags_whole(language: Language) -> None:
    """Make "#AcmeFail" one token; accounts and links are whole already."""
    prefixes = [prefix for prefix in language.Defaults.prefixes or () if prefix != "#"]
    tokenizer: Any = language.tokenizer
    tokenizer.prefix_search = compile_prefix_regex(prefixes).search
