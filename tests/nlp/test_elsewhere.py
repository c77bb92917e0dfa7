"""Posts from elsewhere: a line in, its lines out, in order, whatever is wrong with the one before."""

import json

import pytest

from nlp.brands import Brand
from nlp.elsewhere import judged
from nlp.enrich import Enricher
from warehouse.tables import MENTIONS


@pytest.fixture(scope="module")
def enricher():
    return Enricher([Brand(name="Acme"), Brand(name="Globex")], {}, "v")


def answers(enricher, *lines, **options):
    texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
    return list(judged(texts, enricher, **options))


def test_a_line_is_judged_toward_the_brand_it_names_whether_or_not_it_is_ours(enricher):
    [row] = answers(enricher, {"post_id": "1", "text": "Initech lost my parcel, awful", "brand": "Initech"})
    assert (row["post_id"], row["brand"], row["matched_text"], row["sentiment"]) == ("1", "Initech", "Initech", -1)
    assert set(row) == set(MENTIONS.names)


def test_the_brand_need_not_stand_in_the_text(enricher):
    [row] = answers(enricher, {"post_id": "1", "text": "they lost my parcel, awful", "brand": "Initech"})
    assert (row["brand"], row["matched_text"], row["sentiment"]) == ("Initech", None, -1)


def test_start_and_end_say_which_words_are_meant(enricher):
    line = {"post_id": "1", "title": "Two shops", "text": "acme and the other acme", "brand": "acme"}
    [row] = answers(enricher, {**line, "start": 19, "end": 23})
    assert row["matched_text"] == "acme"


def test_without_a_brand_it_is_a_mention_of_each_of_ours_that_it_names(enricher):
    rows = answers(enricher, {"post_id": "1", "text": "Globex beats Acme"}, {"post_id": "2", "text": "nice weather"})
    assert [(row["post_id"], row["brand"]) for row in rows] == [("1", "Globex"), ("1", "Acme")]


def test_overall_is_one_row_a_line_without_a_brand(enricher):
    rows = answers(enricher, {"post_id": 1, "text": "what a wonderful day"}, {"post_id": 2, "text": ""}, overall=True)
    assert [(row["post_id"], row["brand"]) for row in rows] == [("1", None), ("2", None)]
    assert rows[0]["sentiment"] == 1


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", "not JSON"),
        ("[1]", "list where an object is due"),
        ('{"text": "x"}', "lacks post_id"),
        ('{"post_id": "1"}', "lacks text"),
        ('{"post_id": "1", "text": 5}', "`text` is int, not text"),
        ('{"post_id": "1", "text": "x", "brand": " "}', "`brand` is empty"),
        ('{"post_id": "1", "text": "x", "brand": "x", "start": 0, "end": 9}', "no part of a text of 1 characters"),
        ('{"post_id": "1", "text": "x", "brand": "x", "start": true, "end": 1}', "no part"),
    ],
)
def test_a_bad_line_becomes_a_line_with_its_error_and_the_rest_goes_on(enricher, line, said):
    good = {"post_id": "good", "text": "Acme is great", "brand": "Acme"}
    first, wrong, last = answers(enricher, good, line, good)
    assert said in wrong["error"]
    assert wrong["error"].startswith("line 2: ")
    assert first == last


def test_the_same_brand_is_judged_by_itself_in_each_line(enricher):
    line = {"post_id": "1", "text": "Globex beats Acme again"}
    rows = answers(enricher, {**line, "brand": "Acme"}, {**line, "brand": "Globex"})
    assert [row["brand"] for row in rows] == ["Acme", "Globex"]
