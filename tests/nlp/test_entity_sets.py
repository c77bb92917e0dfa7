"""Labelled entities as the model is taught them and measured on them."""

import pytest

from nlp.mention_text import Word
from nlp.named_entities import TAGS, Entity
from nlp.training.entity_level import counts, told_in
from nlp.training.tagged import Tagged, allowed, tagged

PART = {
    "wnut17/wnut17train.conll": "Zoe\tB-person\nplays\tO\nTetris\tB-product\n\nin\tO\nOslo\tB-location\n",
    "wnut17/emerging.dev.conll": "the\tO\nBig\tB-group\nBand\tI-group\n",
    "broad_twitter_corpus/h.conll": "Oslo\tB-LOC\nbox\tO\n\nJo\tB-PER\n",
    "tweebank_ner/train.bio": "-DOCSTART- -X- -X- O\n\nDanish\t-\t-\tB-MISC\nbox\t-\t-\tO\n",
    "tweebank_ner/dev.bio": "box\t-\t-\tO\n",
} | {f"broad_twitter_corpus/{name}.conll": "Initech\tB-ORG\n" for name in "abeg"}


@pytest.fixture
def folder(tmp_path):
    for name, text in PART.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def test_sets_become_texts_with_the_tags_their_words_may_have(folder):
    fitted = list(tagged(folder, "fitted"))
    assert [(one.set, one.text) for one in fitted] == [
        ("wnut17", "Zoe plays Tetris"), ("wnut17", "in Oslo"), *[("broad_twitter_corpus", "Initech")] * 4,
        ("broad_twitter_corpus", "Oslo box"), ("tweebank_ner", "Danish box"),
    ]  # fmt: skip
    assert fitted[0].tags == ({"B-PERSON"}, {"O"}, {"B-PRODUCT"})
    untold = {"O", "B-PRODUCT", "I-PRODUCT", "B-WORK_OF_ART", "I-WORK_OF_ART"}
    assert fitted[6].tags == ({"B-LOC"}, untold)
    assert [one.text for one in tagged(folder, "chosen_on")] == ["the Big Band", "Jo", "box"]


def test_what_is_read_more_finely_goes_on_with_the_entity():
    one = Tagged("Al-Fay box", ((0, 6), (7, 10)), (frozenset({"B-PERSON"}), frozenset({"O"})), "s")
    rows = allowed(one, [Word(1, 0, 2), Word(2, 2, 3), Word(3, 3, 6), Word(5, 7, 10)], 7)
    told = [[tag for tag, may in zip(TAGS, row, strict=True) if may] for row in rows]
    assert told == [[*TAGS], ["B-PERSON"], ["I-PERSON"], ["I-PERSON"], [*TAGS], ["O"], [*TAGS]]


def test_an_entity_counts_where_its_label_and_all_its_words_are_right(folder):
    [one, *_] = tagged(folder, "chosen_on")
    assert told_in(one) == {Entity("ORG", 4, 12)}
    for given, right in (
        (Entity("ORG", 4, 12), 1), (Entity("ORG", 5, 9), 1), (Entity("ORG", 4, 7), 0), (Entity("LOC", 4, 12), 0),
    ):  # fmt: skip
        found = counts([one], lambda _, given=given: [given])
        assert (found["all"].told, found["all"].given, found["all"].right) == (1, 1, right)
    assert counts([one], lambda _: [Entity("DATE", 4, 12)])["all"].given == 0
    assert counts([one], lambda _: [Entity("FAC", 4, 12)])["LOC"].given == 1
