"""How sure we are that a name means the brand."""

import pytest

from nlp.brands import Brand
from nlp.certainty import COMPANIES, certainty, judged_certainty
from nlp.judgement import Judgement
from nlp.matcher import Match, Matcher
from nlp.mention_model import MentionModel


def sure(text, brand):
    """Return the certainty that the text means the brand."""
    return certainty(brand, Matcher([brand]).matches(text), text)


APPLE = Brand(name="Apple", cased=True, handles=("@apple",), domains=("apple.com",), context=("phone", "app store"))


def test_an_account_or_a_link_is_surer_than_a_word():
    assert sure("@apple hi", APPLE) > sure("An Apple a day", APPLE)
    assert sure("https://apple.com/x", APPLE) > sure("An Apple a day", APPLE)


def test_context_speaks_for_the_company():
    assert sure("My Apple phones broke", APPLE) > 0.9
    assert sure("My Apple broke", APPLE) < 0.7


def test_context_counts_as_whole_words_and_only_near():
    assert sure("My Apple saxophone broke", APPLE) < 0.7
    assert sure("My Apple broke. " + "So it goes. " * 40 + "A phone rings.", APPLE) < 0.7


def test_a_name_with_context_to_look_for_is_doubtful_without():
    larch = Brand(name="Larch", context=("broadband",))
    assert sure("planted a larch", larch) < 0.5 < sure("larch broadband is slow", larch)


def test_a_name_of_several_words_is_surer_than_a_short_one():
    assert sure("Acme Fibre is down", Brand(name="Acme Fibre")) > sure("ACM is down", Brand(name="ACM"))


def test_a_capital_says_nothing_at_the_start_of_a_sentence_or_a_line():
    target = Brand(name="Target", cased=True)
    amid = sure("my Target card", target)
    for text in ("Target practice", "Oh no! Target practice", "A headline without a stop\n\nTarget practice"):
        assert sure(text, target) < amid, text


def test_an_account_that_was_guessed_is_less_sure_than_a_listed_one():
    assert sure("@acme hi", Brand(name="Acme")) < sure("@acme hi", Brand(name="Acme", handles=("@acme",)))


def test_an_ambiguous_name_beside_another_brand_means_the_company():
    matches = Matcher([APPLE]).matches("Apple or Globex?")
    assert certainty(APPLE, matches, "Apple or Globex?", beside=True) > 0.9


def test_a_tag_that_is_an_ambiguous_name_needs_context_as_the_name_does():
    larch = Brand(name="Larch", context=("broadband",))
    assert sure("planted a tree today #larch", larch) < 0.5 < sure("no broadband again #larch", larch)


def heard(certainty):
    return Judgement(0.2, 0.6, 0.2, 0, certainty, "none", "unknown", (), "unknown", None, None, None, {})


def test_what_the_model_hears_moves_the_odds_from_what_is_believed_before():
    name = Match("Acme", 0, 4, "Acme", "alias")
    assert judged_certainty(0.6, name, heard(COMPANIES)) == pytest.approx(0.6)
    assert judged_certainty(0.6, name, heard(0.99)) > 0.9
    assert judged_certainty(0.6, name, heard(0.2)) < 0.1


def test_an_account_or_a_link_needs_no_second_opinion():
    for kind in ("handle", "domain"):
        assert judged_certainty(0.97, Match("Acme", 0, 5, "@acme", kind), heard(0.01)) == 0.97


@pytest.mark.parametrize(
    ("company", "other", "name"),
    [
        ("Target dropped my order again", "we missed the target by two points", "target"),
        ("Delta lost my bag and nobody cares", "the delta of the two values is small", "delta"),
        ("bluefin charged me twice this month", "Caught a 300 lb bluefin off the coast", "bluefin"),
    ],
)
def test_the_company_is_told_from_its_namesake(company, other, name):
    judged = MentionModel().judge([company, other], [name, name]).probabilities["certainty"][:, 1]
    match = Match(name, 0, len(name), name, "alias")
    sure_of, doubtful = (judged_certainty(0.6, match, heard(float(p))) for p in judged)
    assert doubtful < 0.5 < sure_of
