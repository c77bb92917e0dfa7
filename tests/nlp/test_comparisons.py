"""Who is spoken for and who against, where two are compared."""

import re

import pytest

from nlp.comparisons import AGAINST, FOR, compared, shifted
from nlp.judgement import Judgement
from nlp.sentence_forms import Name


def told(text):
    names = [Name(found.start(), found.end(), found.group()) for found in re.finditer("Acme|Globex|Initech", text)]
    return compared(text, names)


@pytest.mark.parametrize(
    ("text", "for_", "against"),
    [
        ("Globex beats Acme again", "Globex", "Acme"),
        ("Honestly, Acme is way better than Globex", "Acme", "Globex"),
        ("Globex's app is slower than the Acme one", "Acme", "Globex"),
        ("I prefer Acme to Globex any day.", "Acme", "Globex"),
        ("Globex could learn a lot from Acme", "Acme", "Globex"),
    ],
)
def test_a_comparison_is_for_one_and_against_the_other(text, for_, against):
    assert told(text) == {for_: FOR, against: AGAINST}


@pytest.mark.parametrize(
    "text",
    [
        "Is Acme better than Globex?",
        "Acme isn't better than Globex",
        "Acme and Globex",
        "not sure Acme beats Globex",
        "",
    ],
)
def test_questions_denials_and_mere_lists_compare_nothing(text):
    assert told(text) == {}


def test_a_comparison_moves_the_odds_and_keeps_them_probabilities():
    judgement = Judgement(0.2, 0.3, 0.5, 1, 0.9, "none", "opinion", (), "unknown", None, None, None, {})
    moved = shifted(judgement, AGAINST)
    assert moved.sentiment == -1
    assert moved.p_negative + moved.p_neutral + moved.p_positive == pytest.approx(1)
    assert moved.p_negative > judgement.p_negative
