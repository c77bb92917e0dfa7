"""The mention model as shipped: what goes in comes out in order, whatever it is."""

import json
import shutil

import numpy as np
import pytest

from nlp.mention_labels import HEADS, PLACES, WIDTH
from nlp.mention_model import FOLDER, MentionModel, ModelBroken, Rule, decided, probable, rules


@pytest.fixture(scope="module")
def model():
    return MentionModel()


SAID = [
    ("Acme overcharged me again, I am done with them", "Acme"),
    ("Globex fixed my line within the hour, thank you!", "Globex"),
    ("Acme opens a shop in Leeds on Monday", "Acme"),
    ("What a lovely day", None),
    ("", None),
    ("", "Acme"),
]


def judged(model, said):
    return model.judge([text for text, _ in said], [name for _, name in said])


def test_every_head_answers_every_text(model):
    found = judged(model, SAID)
    for head in HEADS:
        assert found.probabilities[head.name].shape == (len(SAID), len(head.labels))
        assert len(found.answers[head.name]) == len(SAID)
        for answer in found.answers[head.name]:
            assert set(answer if head.any else [answer]) <= set(head.labels)
        if not head.any:
            np.testing.assert_allclose(found.probabilities[head.name].sum(axis=1), 1)


def test_nothing_gives_nothing(model):
    found = model.judge([], [])
    assert found.probabilities["sentiment"].shape == (0, 3)
    assert found.answers["intents"] == []


def test_a_text_gets_the_same_answer_whatever_is_judged_with_it_and_in_any_order(model):
    together = model.scores([text for text, _ in SAID], [name for _, name in SAID])
    backwards = model.scores([text for text, _ in SAID[::-1]], [name for _, name in SAID[::-1]])
    assert np.array_equal(together, backwards[::-1])
    for place, (text, name) in enumerate(SAID):
        assert np.array_equal(model.scores([text], [name])[0], together[place])


def test_threads_change_nothing(model):
    texts, names = [text for text, _ in SAID] * 5, [name for _, name in SAID] * 5
    assert np.array_equal(MentionModel(threads=3).scores(texts, names), model.scores(texts, names))


def test_one_sentence_is_judged_differently_for_its_two_names(model):
    text = "So glad I left Globex, the worst provider ever, for Acme, which is fantastic"
    found = model.judge([text, text], ["Globex", "Acme"])
    assert found.answers["sentiment"] == ["negative", "positive"]


def test_the_end_of_a_long_text_counts_where_the_name_stands_there(model):
    text = "It rained in the morning and we stayed at home. " * 400 + "Acme is the worst company, I hate them."
    assert model.judge([text], ["Acme"]).answers["sentiment"] == ["negative"]


@pytest.mark.parametrize(
    "text",
    [
        "a" * 1_000_000,
        "word " * 200_000,
        "😡" * 5000,
        "\x00\x07\u200b\ud7ff",
        "<b>&nbsp;</b>",
        "Привет Acme 你好",
        "@" * 999,
    ],
    ids=["one word", "many words", "emoji", "control", "markup", "scripts", "signs"],
)
def test_any_text_is_judged(model, text):
    found = model.scores([text, text], ["Acme", None])
    assert np.isfinite(found).all()


def test_a_count_of_names_or_places_that_does_not_fit_is_refused(model):
    with pytest.raises(ValueError, match="1 texts, 2 names"):
        model.judge(["a"], ["b", "c"])


@pytest.mark.parametrize("name", ["model.onnx", "tokenizer.json", "labels.json"])
def test_a_file_that_is_missing_or_damaged_is_named(tmp_path, name):
    for file in FOLDER.iterdir():
        shutil.copy(file, tmp_path)
    path = tmp_path / name
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(ModelBroken, match=name) as damaged:
        MentionModel(tmp_path)
    assert damaged.value.path == path
    path.unlink()
    with pytest.raises(ModelBroken, match=name):
        MentionModel(tmp_path)


def test_labels_of_another_version_are_refused(tmp_path):
    told = json.loads((FOLDER / "labels.json").read_text())
    told["heads"]["sentiment"]["labels"] = ["bad", "good"]
    (tmp_path / "labels.json").write_text(json.dumps(told))
    with pytest.raises(ModelBroken, match=r"sentiment has labels \['bad', 'good'\]"):
        rules(tmp_path / "labels.json")


def test_a_text_as_a_whole_has_a_rule_of_its_own_for_sentiment(tmp_path):
    for file in FOLDER.iterdir():
        shutil.copy(file, tmp_path)
    told = json.loads((FOLDER / "labels.json").read_text())
    told["overall"]["weights"] = [0, 1, 0]
    (tmp_path / "labels.json").write_text(json.dumps(told))
    text = "Acme is the best bakery in town"
    found = MentionModel(tmp_path).judge([text, text, text], ["Acme", None, ""])
    assert found.answers["sentiment"] == ["positive", "neutral", "neutral"]
    assert found.answers["emotion"] == MentionModel().judge([text] * 3, ["Acme", None, ""]).answers["emotion"]


def test_labels_without_the_rule_for_whole_texts_are_refused(tmp_path):
    told = json.loads((FOLDER / "labels.json").read_text())
    del told["overall"]
    (tmp_path / "labels.json").write_text(json.dumps(told))
    with pytest.raises(ModelBroken, match="lacks 'overall'"):
        rules(tmp_path / "labels.json")


def test_weights_decide_and_thin_evidence_is_no_answer():
    scores = np.zeros((2, WIDTH))
    scores[0, PLACES["experience"]] = [0, 2, 1.9, -5]
    scores[1, PLACES["experience"]] = [0, 9, 0, 0]
    even = probable("experience", scores, 1.0)
    plain = Rule(1.0, np.ones(4), 0.0)
    assert decided("experience", even, plain) == ["first_hand", "first_hand"]
    assert decided("experience", even, plain._replace(weights=np.array([1, 1, 1.5, 1]))) == [
        "second_hand",
        "first_hand",
    ]
    assert decided("experience", even, plain._replace(at_least=0.6)) == ["unknown", "first_hand"]


def test_of_heads_with_several_answers_each_has_its_threshold():
    scores = np.zeros((1, WIDTH))
    scores[0, PLACES["staff"]] = [1, -1]
    both = probable("staff", scores, 1.0)
    assert decided("staff", both, Rule(1.0, np.array([0.5, 0.5]), 0.0)) == [("actor",)]
    assert decided("staff", both, Rule(1.0, np.array([0.5, 0.2]), 0.0)) == [("actor", "victim")]


def test_a_higher_temperature_is_less_sure():
    scores = np.zeros((1, WIDTH))
    scores[0, PLACES["sentiment"]] = [3, 0, 0]
    assert probable("sentiment", scores, 2.0).max() < probable("sentiment", scores, 1.0).max()


def test_the_model_is_small_enough_to_live_in_the_repository():
    assert sum(file.stat().st_size for file in FOLDER.iterdir()) < 40_000_000
