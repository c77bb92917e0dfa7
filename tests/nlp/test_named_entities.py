"""Whom a text names: from tags to spans, and as the model shipped finds them."""

import pytest

from nlp.mention_model import MentionModel
from nlp.named_entities import TAGS, Entity, entities


def found(*tags):
    """Return the entities of words of one character each, with a space between."""
    return list(entities([TAGS.index(tag) for tag in tags], [(2 * i, 2 * i + 1) for i in range(len(tags))]))


def test_tags_that_go_on_make_one_entity():
    assert found("O", "B-PERSON", "I-PERSON", "O", "B-LOC") == [Entity("PERSON", 2, 5), Entity("LOC", 8, 9)]


def test_two_entities_of_a_kind_may_stand_side_by_side():
    assert found("B-ORG", "B-ORG") == [Entity("ORG", 0, 1), Entity("ORG", 2, 3)]


def test_a_tag_that_goes_on_with_nothing_begins_an_entity():
    assert found("I-ORG", "I-LOC", "I-LOC") == [Entity("ORG", 0, 1), Entity("LOC", 2, 5)]
    assert found() == []


@pytest.fixture(scope="module")
def model():
    return MentionModel()


def test_people_and_places_of_a_post_are_found_where_they_stand(model):
    text = "so glad that Maria Lopez moved to Berlin 😡😡 #tired"
    assert {(one.label, text[one.start : one.end]) for one in model.entities(text)} == {
        ("PERSON", "Maria Lopez"),
        ("LOC", "Berlin"),
    }


@pytest.mark.parametrize("text", ["", " ", "\n\n", "😡", "&amp;", "\u200d\x00"])
def test_where_there_are_no_words_there_are_no_entities(model, text):
    assert model.entities(text) == []


def test_a_long_text_is_read_to_its_end(model):
    text = "It rained and we stayed at home. " * 100 + "Then we flew to Paris."
    assert ("LOC", "Paris") in {(one.label, text[one.start : one.end]) for one in model.entities(text)}
    assert model.judge([text], [None]).entities == [None]
