"""The word lists: every entry can be found in a text, and the whole reaches the level its card states."""

from pathlib import Path

import pytest

from nlp.evaluate_sentiment import ours, scores
from nlp.opinion.lexicon import read_idioms, shipped
from nlp.opinion.words import words
from nlp.training.labelled import semeval

LABELLED = Path(__file__).parents[2].parent / "shared" / "data" / "labelled"


def test_every_idiom_is_found_in_a_text_that_consists_of_it():
    lost = [
        idiom
        for idiom in read_idioms()
        if idiom not in {feature.name for feature in shipped().features(words(idiom.replace("_", "some")))}
    ]
    assert lost == []


@pytest.mark.parametrize(
    ("text", "form"), [("soooooo", "soo"), ("DONT", "don't"), ("u", "you"), ("#Fail", "#fail"), ("can’t", "can't")]
)
def test_spellings_come_to_one_form(text, form):
    assert [word.form for word in words(text)] == [form]


def test_stretched_words_and_tags_are_known_by_the_plain_word():
    weights = shipped().weights
    for written in ("terribleeeee", "#terrible"):
        [feature] = shipped().features(words(written))
        assert feature.name == "terrible"
    assert weights["terrible"].against > 0 > weights["terrible"].for_


def test_a_negation_turns_the_next_words_round_until_a_comma():
    seen = [feature.name for feature in shipped().features(words("not good, nice")) if " " not in feature.name]
    assert "not_good" in seen
    assert "nice" in seen


def test_tweets_not_fitted_on_are_judged_at_the_level_stated():
    if not LABELLED.exists():
        pytest.skip("the labelled sets are not part of the project")
    texts = list(semeval(LABELLED, ["2014test"]))
    reached = scores([text.sentiment for text in texts], [ours(text) for text in texts])
    assert reached.macro_recall > 0.66
