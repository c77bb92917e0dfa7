"""What the mention model is taught from, and how its answers are measured."""

import json
from collections import defaultdict

import numpy as np
import pytest

from nlp.mention_labels import PLACES, WIDTH
from nlp.training.measure import Confusion, calibration_error
from nlp.training.mentions import OWN, PARTS, UNSEEN, Example, beside, own, own_labels, part_of, renamed, row

LEAVING = {
    "text": "Left Globex for @Acme, who answer the phone",
    "brand": "@Acme",
    "family": "leaving-1",
    "certainty": 1,
    "sentiment": 1,
    "emotion": "joy",
    "experience": "first_hand",
    "intents": ["joined", "praise"],
    "switched_from": "Globex",
    "switched_to": "Acme",
    "switch_status": "done",
    "stage": "onboard",
    "staff": "both",
    "aspects": [["support", 1, "answer the phone"]],
}


def test_a_move_is_told_from_the_side_of_the_brand_at_hand():
    assert own_labels(LEAVING)["switch"] == "to"
    assert own_labels(LEAVING)["switch_status"] == "done"
    assert own_labels(LEAVING | {"brand": "globex"})["switch"] == "from"
    other = own_labels(LEAVING | {"brand": "Initech"})
    assert (other["switch"], other["switch_status"]) == ("none", "none")


def test_labels_become_probabilities_and_what_is_not_told_stays_unknown():
    values = row(own_labels(LEAVING))
    assert values[PLACES["sentiment"]].tolist() == [0, 0, 1]
    assert values[PLACES["staff"]].tolist() == [1, 1]
    assert values[PLACES["aspect_support"]].tolist() == [0, 0, 0, 1]
    assert values[PLACES["aspect_price"]].tolist() == [1, 0, 0, 0]
    assert not np.isnan(values).any()
    assert np.isnan(row({"sentiment": "negative"})).sum() == WIDTH - 3
    shared = row({"emotion": {"joy": 0.5, "surprise": 0.5}})[PLACES["emotion"]]
    assert sorted(shared.tolist()) == [0] * 8 + [0.5, 0.5]


@pytest.mark.parametrize(
    ("key", "value"),
    [("stage", "lost"), ("aspects", [["taste", 1, "x"]]), ("emotion", "rage"), ("intents", ["sue"])],
)
def test_a_label_that_is_none_is_refused_with_its_line(tmp_path, key, value):
    told = [LEAVING | {"family": f"family-{n}"} | {key: value} for n in range(3)]
    (tmp_path / "made_1.jsonl").write_text("\n".join(json.dumps(line) for line in told))
    with pytest.raises(ValueError, match=r"made_1.jsonl:\d"):
        [list(own(part, tmp_path)) for part in PARTS]


def test_families_never_straddle_parts():
    shares = [part_of(f"family-{n}", fitted=70, chosen_on=10) for n in range(2000)]
    assert 0.66 < shares.count("fitted") / 2000 < 0.74
    assert 0.17 < shares.count("reported") / 2000 < 0.23


def test_our_own_mentions_can_all_be_read_and_no_text_is_in_two_parts():
    where = defaultdict(set)
    for part in PARTS:
        for example in own(part):
            where[example.text].add(part)
    assert len(where) >= (400 if OWN.is_dir() else 0)
    assert [text for text, parts in where.items() if len(parts) > 1] == []


def test_mentions_that_the_model_never_sees_can_be_read_and_stand_in_no_part():
    unseen = [json.loads(line) for line in UNSEEN.read_text(encoding="utf-8").splitlines()]
    labels = [row(own_labels(told)) for told in unseen]
    assert len(labels) >= 400
    assert {told["text"] for told in unseen}.isdisjoint(example.text for part in PARTS for example in own(part))


def test_a_made_up_name_takes_the_place_of_the_old_one_unless_that_is_a_word_too():
    told = Example("I love Globex.", "Globex", None, {"sentiment": "positive"}, "topics")
    [other] = renamed([told], 1.0, seed=1)
    assert other.span is not None
    start, end = other.span
    assert other.text[start:end] == other.name != "Globex"
    assert other.text == f"I love {other.name}."
    other = Example("a globex of light", "globex", None, {"certainty": "other"}, "own")
    assert list(renamed([told, other], 1.0, seed=1)) == [told, other]


def test_a_text_beside_another_keeps_its_side_and_its_name_in_place():
    praised = Example("I love Globex.", "Globex", None, {"sentiment": "positive", "stage": "use"}, "own")
    damned = Example("Acme lies!", "Acme", (0, 4), {"sentiment": "negative"}, "own")
    nobody = Example("What a day", "", None, {"sentiment": "positive"}, "tweets")
    told = list(beside([praised, damned, nobody] * 10, 1.0, seed=1))
    assert told[:30] == [praised, damned, nobody] * 10
    assert len({one.text for one in told[30:]}) > 4
    for one in told[30:]:
        assert one.span is not None
        start, end = one.span
        assert one.text[start:end] == one.name
        assert ("love Globex" in one.text, "Acme lies" in one.text) == (True, True)
        assert one.labels == {"sentiment": "positive" if one.name == "Globex" else "negative"}


def test_figures_are_those_of_the_textbook():
    told = Confusion.of(np.array([0, 0, 0, 1, 1, 2]), np.array([0, 0, 1, 1, 0, 2]), 4)
    assert told.recalls()[:3].tolist() == pytest.approx([2 / 3, 1 / 2, 1])
    assert told.f1s()[:3].tolist() == pytest.approx([2 / 3, 1 / 2, 1])
    assert told.macro_recall() == pytest.approx((2 / 3 + 1 / 2 + 1) / 3)
    assert told.accuracy() == pytest.approx(4 / 6)
    low, high = told.between(Confusion.accuracy)
    assert low < told.accuracy() < high


def test_a_model_as_often_right_as_it_is_sure_is_calibrated():
    sure = np.tile([0.75, 0.25], (4, 1))
    assert calibration_error(sure, np.array([0, 0, 0, 1])) == pytest.approx(0)
    assert calibration_error(sure, np.array([1, 1, 1, 1])) == pytest.approx(0.75)
