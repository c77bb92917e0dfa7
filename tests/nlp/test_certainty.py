"""How sure we are that a name means the brand."""

from nlp.brands import Brand
from nlp.certainty import certainty
from nlp.matcher import Matcher


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
