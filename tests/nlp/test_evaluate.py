"""Figures on labelled mentions: what `wom evaluate` counts, and how it is shown."""

import json

import pytest

from nlp.mention_model import MentionModel
from nlp.training.evaluate import lines, measured, read, sizes

MENTION = {
    "text": "I hate Acme, they lost my parcel and lied about it",
    "brand": "Acme",
    "certainty": 1,
    "sentiment": -1,
    "emotion": "anger",
    "experience": "first_hand",
    "intents": ["complain"],
    "switched_from": None,
    "switched_to": None,
    "switch_status": None,
    "stage": "onboard",
    "staff": None,
    "aspects": [["delivery", -1, "lost my parcel"]],
}


@pytest.fixture(scope="module")
def figures(tmp_path_factory):
    """Figures of three mentions by head; the second is labelled against its words."""
    path = tmp_path_factory.mktemp("labelled") / "some.jsonl"
    loved = {"text": "Acme is great, I love it", "sentiment": -1, "emotion": "joy", "stage": "use", "aspects": []}
    only_side = {"text": "Acme is great", "sentiment": 1, "corrected": ["sentiment"]}
    path.write_text("\n".join(json.dumps(MENTION | other) for other in ({}, loved, only_side)))
    of = read(path, "reported")
    found = list(measured(MentionModel(), of))
    return {one["head"]: one for one in found}, list(lines(found, sizes(of)))


def test_each_head_is_counted_on_the_mentions_that_tell_of_it(figures):
    by_head, _ = figures
    assert (by_head["sentiment"]["examples"], by_head["emotion"]["examples"]) == (3, 2)
    assert by_head["sentiment"]["accuracy"] == pytest.approx(2 / 3)
    assert by_head["sentiment"]["confusion"]["negative"] == {"negative": 1, "positive": 1}
    assert by_head["sentiment"]["labels"]["positive"]["f1"] == pytest.approx(2 / 3)
    assert by_head["intents"]["labels"]["complain"]["told"] == 2
    assert by_head["aspects"]["labels"]["delivery"]["told"] == 1


def test_figures_are_plain_values_that_json_can_hold(figures):
    by_head, _ = figures
    assert json.loads(json.dumps(by_head, allow_nan=False))["sentiment"]["set"] == "some"


def test_a_reader_sees_every_head_under_its_set(figures):
    by_head, shown = figures
    assert shown[0].strip() == "== some: 3 examples"
    assert all(any(line.startswith(head) for line in shown) for head in by_head)
    assert any("negative" in line and "66.7%" in line for line in shown)


def test_a_line_that_cannot_be_read_is_named(tmp_path):
    path = tmp_path / "bad.jsonl"
    path.write_text(json.dumps(MENTION) + "\n{}\n")
    with pytest.raises(ValueError, match=r"bad.jsonl:2: KeyError\('text'\)"):
        read(path, "reported")
