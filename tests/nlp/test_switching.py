"""Both sides of a move: by the form of the sentence, and by what the model says of each brand."""

import re

import pytest

from nlp.judgement import Judgement
from nlp.moves import Switch, moves
from nlp.sentence_forms import Name
from nlp.switching import Told, switch_of


def judgement(side=None, status=None):
    """A judgement that says only whether a brand is left or joined."""
    return Judgement(0.2, 0.6, 0.2, 0, 0.9, "none", "unknown", (), "unknown", None, side, status, {})


def test_what_the_form_of_a_sentence_tells_counts():
    judged = {"Acme": judgement("to", "returned")}
    assert switch_of("Acme", judged, [Switch("Acme", "Globex", "done")], {}) == Told("Acme", "Globex", "done")


def test_two_brands_that_the_model_sees_on_either_side_are_one_move():
    judged = {"Acme": judgement("from", "done"), "Globex": judgement("to", "done")}
    told = [switch_of(brand, judged, [], {}) for brand in ("Acme", "Globex")]
    assert told == [Told("Acme", "Globex", "done")] * 2


def test_a_side_that_nobody_names_is_none():
    assert switch_of("Acme", {"Acme": judgement("to", "returned")}, [], {}) == Told(None, "Acme", "returned")


def test_who_is_found_on_the_other_side_stands_there_where_no_brand_does():
    left = {"Acme": judgement("from", "done")}
    assert switch_of("Acme", left, [], {"to": "Hooli"}) == Told("Acme", "Hooli", "done")
    assert switch_of("Acme", {}, [Switch("Acme", None, "done")], {"to": "Hooli"}) == Told("Acme", "Hooli", "done")
    both = left | {"Globex": judgement("to", "done")}
    assert switch_of("Acme", both, [], {"to": "Hooli"}) == Told("Acme", "Globex", "done")


def test_where_neither_tells_of_one_there_is_none():
    assert switch_of("Acme", {"Acme": judgement()}, [], {"to": "Globex"}) == Told()
    assert switch_of("Acme", {}, [], {}) == Told()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Left Acme for Globex yesterday", Switch("Acme", "Globex", "done")),
        ("switched from Acme to Globex", Switch("Acme", "Globex", "done")),
        ("just moved to Globex from Acme", Switch("Acme", "Globex", "done")),
        ("thinking of switching from Acme to Globex", Switch("Acme", "Globex", "considered")),
        ("If this goes on I will leave Acme for Globex", Switch("Acme", "Globex", "considered")),
        ("Back with Acme after a month at Globex", Switch("Globex", "Acme", "returned")),
        ("cancelled my Acme contract", Switch("Acme", None, "done")),
        ("so glad I switched to Globex", Switch(None, "Globex", "done")),
        ("Acme's support is bad. We dropped Acme's plan for Globex's.", Switch("Acme", "Globex", "done")),
        ("Not switching to Globex after all", None),
        ("i dont plan on switching to Globex", None),
        ("Globex beats Acme", None),
        ("I left Acme at five and took the bus", None),
    ],
)
def test_moves_are_read_off_the_form_of_a_sentence(text, told):
    names = [Name(found.start(), found.end(), found.group()) for found in re.finditer("Acme|Globex", text)]
    assert moves(text, names) == ([told] if told else [])


def test_no_names_no_moves():
    assert moves("I left them for the others", []) == []
