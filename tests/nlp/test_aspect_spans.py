"""Where a text shows an aspect."""

import tomllib

from hypothesis import given
from hypothesis import strategies as st

from nlp.aspect_spans import LONGEST, WORDS, span_of
from nlp.mention_labels import ASPECTS


def shown(aspect, text, name="Acme"):
    place = text.find(name)
    start, end = span_of(aspect, text, (place, place + len(name)) if place >= 0 else None)
    return text[start:end]


def test_it_is_the_clause_around_the_word_for_it():
    text = "Love Acme's coffee, but the staff were rude. Never again."
    assert shown("staff", text) == "the staff were rude"
    assert shown("product", text) == "Love Acme's coffee"


def test_of_two_words_the_one_near_the_brand_counts():
    text = "My bill from Globex is fine. Long story. Acme doubled my bill."
    assert shown("billing", text) == "Acme doubled my bill"


def test_without_a_word_for_it_it_is_the_sentence_that_names_the_brand():
    assert shown("ethics", "Nice day. Acme, of all people! Rain tomorrow.") == "Acme, of all people!"


def test_every_aspect_has_its_words():
    assert set(tomllib.loads(WORDS.read_text(encoding="utf-8"))) == set(ASPECTS)


@given(st.sampled_from(ASPECTS), st.text(max_size=80), st.integers(0, 80), st.integers(1, 9))
def test_it_always_lies_within_the_text(aspect, text, start, length):
    near = (min(start, len(text)), min(start + length, len(text)))
    first, last = span_of(aspect, text, near)
    assert 0 <= first <= last <= len(text)
    assert last - first <= LONGEST
