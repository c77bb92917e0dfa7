"""The spaCy pipeline as a whole: tokens, entities, and what its components promise each other."""

import pytest

from nlp.brands import Brand
from nlp.pipeline import build


@pytest.fixture(scope="module")
def language():
    return build([Brand(name="Acme", domains=("acme.com",)), Brand(name="Initech Air"), Brand(name="Initech")])


def test_every_component_gets_what_it_requires(language):
    assert not any(problem for problems in language.analyze_pipes()["problems"].values() for problem in problems)


def test_accounts_tags_and_links_stay_whole(language):
    tokens = [token.text for token in language("@acme's #AcmeFail, see https://acme.com/x?y=1 😡😡")]
    assert tokens == ["@acme", "'s", "#AcmeFail", ",", "see", "https://acme.com/x?y=1", "😡", "😡"]


def test_brands_are_entities_beside_people_and_places(language):
    doc = language("Angela Merkel flew Initech Air to Paris and complained to Acme.")
    assert {(entity.text, entity.label_) for entity in doc.ents} >= {
        ("Initech Air", "BRAND"),
        ("Paris", "LOC"),
        ("Acme", "BRAND"),
    }
    assert [(span.text, span.id_) for span in doc.spans["brands"]] == [("Initech Air", "Initech Air"), ("Acme", "Acme")]


def test_a_text_without_a_brand_has_entities_and_no_judgement(language):
    doc = language("Angela Merkel flew to Paris")
    assert {(entity.text, entity.label_) for entity in doc.ents} == {("Angela Merkel", "PERSON"), ("Paris", "LOC")}
    assert doc._.judged == {}


def test_the_entities_of_a_text_do_not_depend_on_the_brand_it_is_judged_for(language):
    told = "Angela Merkel flew to Paris with {}"
    found = [[entity.text for entity in language(told.format(brand)).ents][:2] for brand in ("Acme", "Initech", "us")]
    assert found == [["Angela Merkel", "Paris"]] * 3


def test_entities_are_found_beyond_what_is_read_for_a_brand(language):
    doc = language("Acme is down. " + "It rained and we stayed at home. " * 60 + "Then we flew to Paris.")
    assert ("Paris", "LOC") in {(entity.text, entity.label_) for entity in doc.ents}


def test_sentences_and_language_are_told(language):
    doc = language("Acme is down again. Who knows why?")
    assert [sentence.text for sentence in doc.sents] == ["Acme is down again.", "Who knows why?"]
    assert doc._.language == "en"


def test_a_domain_in_a_link_gives_the_whole_link(language):
    doc = language("see https://shop.acme.com/x now")
    [span] = doc.spans["brands"]
    assert (span.text, span.id_) == ("https://shop.acme.com/x", "Acme")


def test_what_is_said_is_kept_by_brand(language):
    judged = language("Acme is much better than Initech, whose support is terrible")._.judged
    assert {brand: one.sentiment for brand, one in judged.items()} == {"Acme": 1, "Initech": -1}


@pytest.mark.parametrize("text", ["Acme is great but Initech is terrible", "Initech is terrible but Acme is great"])
def test_opposite_verdicts_of_one_sentence_stay_with_their_brands(language, text):
    judged = language(text)._.judged
    assert {brand: one.sentiment for brand, one in judged.items()} == {"Acme": 1, "Initech": -1}


def test_batches_and_single_texts_are_judged_alike(language):
    texts = ["Acme is great", "nothing here", "Initech is terrible and Acme too", "Initech"]
    piped = [doc._.judged for doc in language.pipe(texts * 40)]
    assert piped == [language(text)._.judged for text in texts] * 40
