"""How probable it is that a brand's name means the brand: what listening.toml says, and what the model hears.

The probabilities of the rules are our judgement, not measured. A brand counts as ambiguous when its entry says so: it
is `cased` (a name that is a word) or has `context` (phrases that speak for the company).
"""

import math
from collections.abc import Sequence

from nlp.brands import Brand
from nlp.folding import fold, is_whole
from nlp.judgement import Judgement
from nlp.matcher import Match

LISTED_HANDLE = 0.98  # told in listening.toml
DOMAIN = 0.97
FEED = 0.99  # every post of the feed is about it
GUESSED_HANDLE = 0.8  # "@acme" where no handles are listed: most often theirs, sometimes a namesake's
HASHTAG = 0.93
SEVERAL_WORDS = 0.95
ONE_WORD = 0.9
SHORT = 0.75  # up to three letters: many things are called that
SUPPORTED = 0.92  # an ambiguous name with context near, or with the brand's own handle or link, or another brand
CASED_ONLY = 0.6  # an ambiguous name, written as the brand writes it
CASED_AT_START = 0.45  # the same where any word would be capitalised
CAPITAL_ONLY = 0.55  # a name with context to look for, none there, but a capital amid a sentence
UNSUPPORTED = 0.4  # the same without the capital
# Of the examples that the model was fitted on 13,136 of 14,315 mean the company.
COMPANIES = 0.92
NEAR = 250  # characters to each side within which context counts


def certainty(brand: Brand, matches: Sequence[Match], text: str, *, beside: bool = False) -> float:
    """Return the probability, 0 to 1, that the text means the brand: its best match's.

    matches: the brand's own matches in the text, at least one. beside: the text names another brand too.
    """
    supported = beside or any(match.matched_as in ("handle", "domain") for match in matches)
    return max(of_match(brand, match, text, supported=supported) for match in matches)


def judged_certainty(by_rule: float, match: Match | None, judgement: Judgement | None) -> float:
    """Return the probability, 0 to 1, from the rules' and the model's.

    An account or a link needs no second opinion. For a name, the rules are what is believed before the text is heard,
    and what the model hears moves the odds by as much as it moves those of its own examples (Bayes).
    """
    if judgement is None or match is None or match.matched_as in ("handle", "domain"):
        return by_rule
    heard = min(max(judgement.certainty, 0.01), 0.99)
    odds = _log_odds(by_rule) + _log_odds(heard) - _log_odds(COMPANIES)
    return 1 / (1 + math.exp(-odds))


def _log_odds(share: float) -> float:
    return math.log(share / (1 - share))


def of_match(brand: Brand, match: Match, text: str, *, supported: bool = False) -> float:
    """Return the probability that this match means the brand.

    supported: the brand's account or link, or another brand, is in the text too.
    """
    ambiguous = brand.cased or bool(brand.context)
    match match.matched_as:
        case "domain":
            return DOMAIN
        case "handle":
            return LISTED_HANDLE if brand.handles else GUESSED_HANDLE
        case "hashtag":
            return _ambiguous(brand, match, text, supported) if ambiguous else HASHTAG
        case "alias":
            if ambiguous:
                return _ambiguous(brand, match, text, supported)
            if " " in match.text.strip():
                return SEVERAL_WORDS
            return SHORT if len(match.text) <= 3 else ONE_WORD


def _ambiguous(brand: Brand, match: Match, text: str, supported: bool) -> float:
    around = text[max(0, match.start - NEAR) : match.end + NEAR]
    if supported or any(_says(around, phrase) for phrase in brand.context):
        return SUPPORTED
    before = text[max(0, match.start - NEAR) : match.start].rstrip(" \t")
    at_start = not before or before[-1] in ".!?:\n"
    if brand.cased:
        return CASED_AT_START if at_start else CASED_ONLY
    return CAPITAL_ONLY if match.text[0].isupper() and not at_start else UNSUPPORTED


def _says(text: str, phrase: str) -> bool:
    """Return whether the phrase stands in the text as whole words, a plural s allowed."""
    folded, wanted = fold(text).text, fold(phrase).text
    start = folded.find(wanted)
    while start >= 0:
        end = start + len(wanted)
        if is_whole(folded, start, end) or (folded[end : end + 1] == "s" and is_whole(folded, start, end + 1)):
            return True
        start = folded.find(wanted, start + 1)
    return False
