"""A person puts mentions right, as an operator types it and as the data team sees it."""

import json
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from written_by_tests import settings_in, toml_of

from dags import stages
from dags.corrected_lines import corrected_lines, line
from dags.correcting import Said, read
from dags.settings import SettingsError
from dags.summary import ask, reading
from listeners.post import version
from nlp.training.mentions import own_labels
from nlp.training.mentions import row as as_training_row
from warehouse.tables import CORRECTABLE, MENTIONS, POSTS

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
TEXTS = {  # post_id -> title, text
    "rss:parcel": (None, "Acme lost my parcel again and again"),
    "rss:parcel-2": ("ACME it is", "I left Globex for them, and would do it again"),
    "rss:other": (None, "Hello"),
}


TWO_BRANDS = '[[brand]]\nname = "Globex"\n' + toml_of({"a": "http://127.0.0.1:1/"}).replace(
    "owners", 'competitors = ["Globex", "Initech"]\nowners'
)


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """A folder whose published file holds two mentions of Acme, one of Globex, and a post that names nobody."""
    folder = tmp_path_factory.mktemp("published")
    settings = settings_in(folder, TWO_BRANDS)
    posts = [
        dict.fromkeys(POSTS.names) | {
            "post_id": post_id, "version": version(title, text, False), "feed": "a", "source": "rss", "kind": "post",
            "url": f"https://a.example/{post_id}", "title": title, "text": text, "published_at": NOW, "fetched_at": NOW,
            "deleted": False, "consent": "none_stated",
        }
        for post_id, (title, text) in TEXTS.items()
    ]  # fmt: skip
    store(settings, posts, [mention(posts[0]), mention(posts[1]), mention(posts[1], "Globex", sentiment=-1)])
    stages.publish(settings, now=lambda: NOW)
    return folder


@pytest.fixture
def settings(tmp_path, published):
    """Settings of a copy of that folder."""
    shutil.copytree(published, tmp_path, dirs_exist_ok=True)
    return settings_in(tmp_path, TWO_BRANDS)


def store(settings, posts, mentions):
    import pyarrow as pa

    lake = stages.open_lake(settings)
    [path] = lake.append(pa.RecordBatch.from_pylist(posts, schema=POSTS), POSTS, posts[0]["version"])
    rows = [row | {"nlp_version": stages.version_of(settings)} for row in mentions]
    lake.write_mentions(path, stages.version_of(settings), pa.RecordBatch.from_pylist(rows, schema=MENTIONS))


def mention(of, brand="Acme", **labels):
    return (
        dict.fromkeys(MENTIONS.names)
        | {name: of[name] for name in ("post_id", "version", "source", "published_at", "fetched_at")}
        | {"brand": brand, "matched_text": brand, "matched_as": "alias", "certainty": 0.9, "sentiment": 1}
        | {"experience": "unknown", "stage": "unknown", "entities": []}
        | labels
    )


@pytest.fixture
def correct(settings) -> Callable:
    """Correct a mention as kim at NOW; then publish."""

    def correct(post, brand, *words, publish=True, **more):
        made = stages.correct(settings, post, brand, words, **({"by": "kim", "now": lambda: NOW} | more))
        if publish:
            stages.publish(settings, now=lambda: NOW)
        return made

    return correct


def shown(settings, post_id="rss:parcel", brand="Acme"):
    with reading(settings.database) as database:
        [row], _ = ask(database, "FROM mentions WHERE post_id = $post AND brand = $brand",
                       {"post": post_id, "brand": brand})  # fmt: skip
    return row


def test_what_is_right_shows_after_the_next_publish(settings, correct):
    made = correct("rss:parcel", "Acme", "sentiment=negative", "intents=complain,warn_off", note="irony")
    assert made.said == (Said("sentiment", 1, -1), Said("intents", None, ["complain", "warn_off"]))
    row = shown(settings)
    assert (row["sentiment"], row["intents"], row["corrected_by"]) == (-1, ["complain", "warn_off"], "kim")
    assert shown(settings, "rss:parcel-2")["corrected_by"] is None
    assert [(event["column"], event["note"]) for event in stages.corrections(settings)] == [
        ("intents", "irony"), ("sentiment", "irony")]  # fmt: skip


@pytest.mark.parametrize("post", ["rss:parcel", "https://a.example/rss:parcel", "rss:parcel-", "rss:o"])
def test_a_post_is_named_by_its_id_its_beginning_or_its_url(correct, post):
    if post == "rss:o":
        with pytest.raises(SettingsError, match="the post rss:other has no mention of 'acme'; it mentions: no brand"):
            correct(post, "acme", "stage=pay")
        return
    made = correct(post, "acme", "stage=pay", publish=False)
    assert (made.post_id, made.brand) == ("rss:parcel-2" if post.endswith("-") else "rss:parcel", "Acme")


def test_a_mention_that_is_not_there_is_told_with_what_to_do(correct):
    with pytest.raises(SettingsError, match=r"no post_id in the published file begins with 'x'.*wom sql.*wom enrich"):
        correct("x", "Acme", "stage=pay")
    with pytest.raises(
        SettingsError, match=r"'rss:p' fits several posts; give the id of one: rss:parcel, rss:parcel-2"
    ):
        correct("rss:p", "Acme", "stage=pay")
    with pytest.raises(SettingsError, match=r"fits several posts, none of which mentions 'Nobody'"):
        correct("rss:", "Nobody", "stage=pay")
    with pytest.raises(SettingsError, match=r"it mentions: Acme, Globex \(did you mean 'Globex'\?\)"):
        correct("rss:parcel-2", "Globx", "stage=pay")
    with pytest.raises(SettingsError, match="the post rss:parcel has no mention of 'Globex'; it mentions: Acme"):
        correct("rss:parcel", "Globex", "stage=pay")


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("sentiment=negative", -1),
        ("sentiment=-1", -1),
        ("certainty=0", 0),
        ("emotion=none", "none"),
        ("experience=first_hand", "first_hand"),
        ("intents=none", []),
        ("intents=complain, praise", ["complain", "praise"]),
        ("switched_from=none", None),
        ("switched_to=A=B, Inc.", "A=B, Inc."),
        ("switch_status=none", None),
        ("stage=pay", "pay"),
        ("staff=none", None),
        ("staff=both", "both"),
        ("aspects=none", []),
        ("aspects=billing:negative,price:1",
         [{"aspect": "billing", "sentiment": -1}, {"aspect": "price", "sentiment": 1}]),
    ],
)  # fmt: skip
def test_the_words_for_a_label_are_those_it_is_defined_by(word, value):
    assert read([word]) == {word.partition("=")[0]: value}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "say what is right, as in sentiment=negative; labels: certainty, sentiment, emotion"),
        (["negative"], "'negative': write label=value"),
        (["sentimnt=negative"], r"unknown label 'sentimnt'; valid: certainty.*\(did you mean 'sentiment'\?\)"),
        (["sentiment=negativ"], r"valid: negative, neutral, positive \(did you mean 'negative'\?\)"),
        (["sentiment="], "sentiment is ''; valid: negative, neutral, positive"),
        (["certainty=0.7"], "certainty is '0.7'; valid: 0, 1"),
        (["stage=pay", "stage=use"], "stage is there twice"),
        (["intents=complane"], r"valid: complain, praise.*\(did you mean 'complain'\?\)"),
        (["intents=none,praise"], "valid: none, or some of complain"),
        (["intents=,"], "valid: none, or some of complain"),
        (["aspects=billing"], "'billing': write aspect:side, as in billing:negative"),
        (["aspects=biling:negative"], r"no aspect 'biling'; valid: product.*\(did you mean 'billing'\?\)"),
        (["aspects=billing:bad"], "aspects: billing is 'bad'; valid: negative, neutral, positive"),
        (["aspects=app:negative,app:positive"], "app is there twice; an aspect with both sides is neutral"),
        (["switched_to="], "switched_to is empty; valid: the name of a brand, or none"),
    ],
)
def test_a_wrong_word_is_told_with_those_that_are_right(words, message):
    with pytest.raises(SettingsError, match=message):
        read(words)


def test_every_label_that_can_be_corrected_has_its_words():
    for label in CORRECTABLE:
        with pytest.raises(SettingsError, match=f"{label} is"):
            read([f"{label}="])


def test_a_switch_has_a_side_and_a_status(settings, correct):
    with pytest.raises(SettingsError, match="from Initech to none, its status none: one has a side and a status"):
        correct("rss:parcel", "Acme", "switched_from=initech")
    with pytest.raises(SettingsError, match="a switch is from Acme or to it; this one is of Globex"):
        correct("rss:parcel", "Acme", "switched_from=Globex", "switch_status=done")
    correct("rss:parcel", "Acme", "switched_from=globex", "switched_to=ACME", "switch_status=done")
    row = shown(settings)
    assert (row["switched_from"], row["switched_to"], row["switch_status"]) == ("Globex", "Acme", "done")
    correct("rss:parcel", "Acme", "switched_from=none", "switched_to=none", "switch_status=none")
    assert shown(settings)["switch_status"] is None


def test_what_is_taken_back_shows_what_nlp_found(settings, correct):
    correct("rss:parcel", "Acme", "sentiment=negative", "stage=pay", publish=False)
    made = correct("rss:parcel", "Acme", "stage", taken_back=True)
    assert (made.is_undone, [said.label for said in made.said]) == (True, ["stage"])
    assert (shown(settings)["sentiment"], shown(settings)["stage"]) == (-1, "unknown")
    correct("rss:parcel", "Acme", taken_back=True)
    assert (shown(settings)["sentiment"], shown(settings)["corrected_by"]) == (1, None)
    assert stages.corrections(settings) == []


def test_only_what_was_said_can_be_taken_back(correct):
    with pytest.raises(SettingsError, match="nothing of Acme in rss:parcel was corrected"):
        correct("rss:parcel", "Acme", taken_back=True)
    correct("rss:parcel", "Acme", "stage=pay", publish=False)
    with pytest.raises(SettingsError, match="staff of Acme in rss:parcel was not corrected; corrected: stage"):
        correct("rss:parcel", "Acme", "staff", taken_back=True)
    with pytest.raises(SettingsError, match=r"unknown label 'stag'.*did you mean 'stage'"):
        correct("rss:parcel", "Acme", "stag", taken_back=True)


def test_the_last_word_holds_though_its_machines_clock_is_behind(settings, correct):
    correct("rss:parcel", "Acme", "sentiment=negative", publish=False)
    correct("rss:parcel", "Acme", "sentiment=neutral", by="ann", now=lambda: NOW - timedelta(hours=1))
    assert (shown(settings)["sentiment"], shown(settings)["corrected_by"]) == (0, "ann")


def test_corrected_mentions_are_lines_to_evaluate_and_train_on(settings, correct):
    correct("rss:parcel-2", "Acme", "switched_from=Globex", "switched_to=Acme", "switch_status=done", publish=False)
    correct("rss:parcel", "Acme", "sentiment=negative", "aspects=delivery:negative")
    with reading(settings.database) as database:
        first, second = map(json.loads, corrected_lines(database))
    assert (first["post_id"], first["text"], first["title"]) == ("rss:parcel", TEXTS["rss:parcel"][1], None)
    assert (first["brand"], first["start"], first["end"]) == ("Acme", 0, 4)
    assert (first["sentiment"], first["emotion"], first["intents"]) == (-1, "none", [])
    assert first["aspects"] == [["delivery", -1, None]]
    assert first["corrected"] == ["aspects", "sentiment"]
    assert second["text"] == "ACME it is\n\nI left Globex for them, and would do it again"
    assert (second["brand"], second["switched_from"], second["switched_to"]) == ("ACME", "Globex", "ACME")
    assert own_labels(second)["switch"] == "to"
    assert own_labels(first)["aspect_delivery"] == "negative"
    for told in (first, second):
        as_training_row(own_labels(told))


def labelled(**other):
    """A row of the query for corrected mentions."""
    return {
        "post_id": "a", "brand": "Acme", "title": None, "text": "Acme", "matched_text": "Acme", "certainty": 1.0,
        "sentiment": -1, "emotion": "anger", "experience": "first_hand", "intents": ["complain"], "switched_from": None,
        "switched_to": None, "switch_status": None, "stage": "use", "staff": None, "aspects": [], "corrected": [],
    } | other  # fmt: skip


def test_a_line_names_the_brand_by_the_words_that_stand_in_the_text():
    by_handle = line(labelled(text="thanks @acme_help, not", matched_text="@acme_help"))
    assert (by_handle["brand"], by_handle["start"], by_handle["end"]) == ("@acme_help", 7, 17)
    by_feed = line(labelled(text="this app, well", matched_text=None))
    assert (by_feed["brand"], by_feed["start"], by_feed["end"]) == ("Acme", None, None)


def test_a_line_gives_an_aspects_words_wherever_a_title_stands_before_them():
    billed = {"aspect": "billing", "sentiment": -1, "start": 0, "end": 6}
    assert line(labelled(title="On Acme", text="billed twice", aspects=[billed]))["aspects"] == [
        ["billing", -1, "billed"]
    ]


def test_a_brand_that_is_not_meant_has_no_other_label():
    told = line(labelled(certainty=0.0, aspects=[{"aspect": "app", "sentiment": -1, "start": None, "end": None}]))
    assert (told["certainty"], told["sentiment"], told["experience"]) == (0, 0, "unknown")
    assert (told["intents"], told["stage"], told["aspects"]) == ([], "unknown", [])


def test_lines_of_one_text_are_of_one_family():
    first, other = line(labelled(post_id="a", text="Acme!")), line(labelled(post_id="b", text="Acme!"))
    assert first["family"] == other["family"] != line(labelled(text="Acme?"))["family"]
