"""Who stands on the other side of a move that a text tells of one brand."""

import pytest

from nlp.brands import Brand
from nlp.judgement import Judgement
from nlp.moves import Switch
from nlp.other_side import MOST, names, sides_wanted
from nlp.pipeline import build


@pytest.fixture(scope="module")
def language():
    return build([Brand(name="Acme"), Brand(name="Globex Fibre")])


def moved(side, status: str | None = "done"):
    """A judgement that says only whether a brand is left or joined."""
    return Judgement(0.2, 0.6, 0.2, 0, 0.9, "none", "unknown", (), "unknown", None, side, status, {})


def test_a_side_is_wanted_where_a_move_is_told_and_nobody_stands_there():
    assert sides_wanted({"Acme": moved("from")}, []) == ["to"]
    assert sides_wanted({"Acme": moved("from"), "Globex": moved("to")}, []) == []
    assert sides_wanted({"Acme": moved(None, None)}, [Switch(None, "Acme", "done")]) == ["from"]
    assert sides_wanted({"Acme": moved(None, None)}, [Switch("Acme", "Globex", "done")]) == []
    assert sides_wanted({}, []) == []


def test_names_are_words_with_capitals_within_sentences_that_are_no_brand(language):
    text = "Yesterday I left Acme and Globex Fibre for Hooli Home. Nobody cares, Hooli Home does"
    found = [text[start:end] for start, end in names(language(text))]
    assert found.count("Hooli Home") == 1
    assert not {"Yesterday", "Acme", "Globex Fibre", "Globex", "Nobody"} & set(found)


def test_of_many_names_the_first_are_asked(language):
    listed = language("we left Acme and " + " and ".join(f"N{letter}" for letter in "abcdefghijklmnop"))
    assert len(list(names(listed))) == MOST


@pytest.mark.parametrize(
    ("text", "sides"),
    [
        (
            "Goodbye Acme. After nine years I have cancelled and gone to Hooli, and their app just works.",
            {"to": "Hooli"},
        ),
        ("Acme is down again and nobody at the Leeds office answers", {}),
    ],
)
def test_a_company_that_is_no_brand_is_found_where_it_is_joined(language, text, sides):
    assert language(text)._.other_sides == sides
