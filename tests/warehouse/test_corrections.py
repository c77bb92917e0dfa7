"""What people put right: it wins over nlp wherever mentions are shown, and nothing but a later word undoes it."""

from typing import Any

import pytest
from warehouse_rows import (
    NOW,
    VERSION,
    batch,
    brands,
    correction,
    feeds,
    hours_ago,
    mention,
    post,
    rows_of,
    store,
)

from warehouse import corrections, retention, snapshot, tables
from warehouse.lake import Lake
from warehouse.statements import statement

SAID = post("a", text="They billed me twice, then the lady at the desk saved my day")
BILLED = {"aspect": "billing", "sentiment": -1, "start": 5, "end": 20}
FOUND = {
    "sentiment": 1,
    "emotion": "joy",
    "experience": "opinion",
    "intents": ["praise"],
    "switched_from": "Quillon",
    "switched_to": "Telvo",
    "switch_status": "done",
    "stage": "use",
    "staff": "actor",
    "aspects": [BILLED, {"aspect": "app", "sentiment": 1, "start": 0, "end": 4}],
}
RIGHT = {
    "certainty": 1.0,
    "sentiment": -1,
    "emotion": "anger",
    "experience": "first_hand",
    "intents": ["complain", "warn_off"],
    "switched_from": None,
    "switched_to": None,
    "switch_status": None,
    "stage": "pay",
    "staff": None,
}


TEXT = "They billed me twice, then the lady at the desk saved my day"
TOLD: dict[str, list[dict[str, Any]]] = {  # what is said of the mention in each post of the lake that tests share
    "all": [
        *(correction(name, value) for name, value in RIGHT.items()),
        correction("aspects", [{"aspect": "billing", "sentiment": 0}, {"aspect": "staff", "sentiment": 1}]),
    ],
    "one": [correction("stage", "pay")],
    "none": [],
    "empty": [correction("intents", []), correction("aspects", [])],
    "unjudged": [correction("sentiment", -1), correction("aspects", [{"aspect": "billing", "sentiment": -1}])],
    "counted": [correction("sentiment", -1, brand="Counted")],
    "not-meant": [correction("certainty", 0, brand="Not Meant")],
    "last-word": [
        correction("sentiment", 0, hours=0.1, by="ann"),
        correction("sentiment", -1, hours=2),
        correction("stage", "pay", hours=2),
    ],
    "one-moment": [correction("sentiment", 0, by="zoe"), correction("sentiment", -1, by="ann")],
    "taken-back": [
        correction("sentiment", -1, hours=3), correction("staff", None, hours=3),
        correction("sentiment", ..., hours=2), correction("staff", ..., hours=2),
    ],
    "edited": [correction("sentiment", -1)],
    "not-there": [correction("sentiment", -1)],
    "wrong-brand": [correction("sentiment", -1, brand="Nobody")],
}  # fmt: skip
BRANDS = {"counted": "Counted", "not-meant": "Not Meant"}


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """The lake in which all that is told, and where it is published."""
    folder = tmp_path_factory.mktemp("corrections")
    lake = Lake.open(str(folder / "lake"))
    said = [post(name, text=TEXT) for name in TOLD if name != "not-there"]
    found = [
        mention(of, sentiment=None) if of["post_id"] == "unjudged"
        else mention(of, BRANDS.get(of["post_id"], "Quillon"), **FOUND)
        for of in said
    ]  # fmt: skip
    store(lake, said, [*found, mention(said[1], "Telvo", **FOUND)])
    edited = post("edited", text="They billed me twice (edit: still)", fetched_at=hours_ago(0.1))
    store(lake, [edited], [mention(edited, sentiment=0)], "edit")
    for name, told in TOLD.items():
        for number, one in enumerate(told):
            row = batch(tables.CORRECTIONS, one | {"post_id": name})
            lake.append(row, tables.CORRECTIONS, f"{name}-{number}")
    told = snapshot.publish(
        lake, folder / "told.duckdb", brands("Quillon", "Counted"), feeds("town-talk"), VERSION, NOW
    )
    assert not any("corrected" in warning for warning in told.warnings), "what is not there is no loss"
    return lake, folder / "told.duckdb"


@pytest.fixture(scope="module")
def ask_shared(shared):
    """Ask it."""
    with snapshot.connect(shared[1]) as connection:
        yield lambda query, *parameters: rows_of(connection, query, *parameters)


def shown(ask_shared, post_id, *names):
    [row] = ask_shared(f"SELECT {', '.join(names)} FROM mentions WHERE post_id = ? AND brand <> 'Telvo'", post_id)
    return row


def test_every_column_shows_what_the_person_said_and_who_said_it(ask_shared):
    assert shown(ask_shared, "all", *RIGHT, "corrected_by") == RIGHT | {"corrected_by": "kim"}
    staff = {"aspect": "staff", "sentiment": 1, "start": None, "end": None}
    assert shown(ask_shared, "all", "aspects") == {"aspects": [BILLED | {"sentiment": 0}, staff]}
    assert shown(ask_shared, "all", "p_negative", "p_neutral", "p_positive") == {
        "p_negative": 1.0, "p_neutral": 0.0, "p_positive": 0.0}  # fmt: skip


def test_what_nobody_corrected_is_as_nlp_found_it(ask_shared):
    untouched = {name: value for name, value in FOUND.items() if name != "stage"}
    rows = ask_shared(f"SELECT {', '.join(untouched)} FROM mentions WHERE post_id IN ('one', 'none')")
    assert rows == [untouched] * 3
    query = "SELECT post_id, brand, stage, corrected_by FROM mentions WHERE post_id IN ('one', 'none') ORDER BY ALL"
    assert ask_shared(query) == [
        {"post_id": "none", "brand": "Quillon", "stage": "use", "corrected_by": None},
        {"post_id": "one", "brand": "Quillon", "stage": "pay", "corrected_by": "kim"},
        {"post_id": "one", "brand": "Telvo", "stage": "use", "corrected_by": None},
    ]


def test_none_may_be_right(ask_shared):
    assert shown(ask_shared, "empty", "intents", "aspects") == {"intents": [], "aspects": []}


def test_an_opinion_nlp_could_not_judge_may_be_told(ask_shared):
    nowhere = {"aspect": "billing", "sentiment": -1, "start": None, "end": None}
    assert shown(ask_shared, "unjudged", "sentiment", "p_negative", "aspects") == {
        "sentiment": -1, "p_negative": 1.0, "aspects": [nowhere]}  # fmt: skip


def test_marts_and_macros_count_what_is_right(ask_shared):
    [hours] = ask_shared(
        "SELECT sum(positives)::INT AS positives, sum(negatives)::INT AS negatives FROM brand_hours "
        "WHERE brand = 'Counted'"
    )
    counts = {"positives": 0, "negatives": 1}
    assert hours == counts
    assert ask_shared("SELECT positives, negatives FROM trend('Counted')") == [counts]
    assert ask_shared("SELECT positives, negatives FROM word_of_mouse('Counted')") == [counts]


def test_a_brand_that_was_not_meant_is_counted_no_more(ask_shared):
    assert shown(ask_shared, "not-meant", "certainty", "is_meant") == {"certainty": 0.0, "is_meant": False}
    assert ask_shared("FROM brand_hours WHERE brand = 'Not Meant'") == []


def test_the_last_word_holds_column_by_column(ask_shared):
    assert shown(ask_shared, "last-word", "sentiment", "stage", "corrected_by") == {
        "sentiment": 0, "stage": "pay", "corrected_by": "ann"}  # fmt: skip
    told = ask_shared(
        'SELECT "column", value, is_standing FROM lake.corrections WHERE post_id = ? ORDER BY ALL', "last-word"
    )
    assert [(row["column"], row["value"], row["is_standing"]) for row in told] == [
        ("sentiment", "-1", False), ("sentiment", "0", True), ("stage", '"pay"', True)]  # fmt: skip


def test_of_two_at_one_moment_one_holds_whatever_the_order(ask_shared):
    assert shown(ask_shared, "one-moment", "sentiment", "corrected_by") == {"sentiment": 0, "corrected_by": "zoe"}


def test_what_is_taken_back_shows_what_nlp_found(ask_shared):
    assert shown(ask_shared, "taken-back", "sentiment", "p_positive", "staff", "corrected_by") == {
        "sentiment": 1, "p_positive": 0.8, "staff": "actor", "corrected_by": None}  # fmt: skip


def test_a_correction_holds_for_the_posts_later_versions(ask_shared):
    assert shown(ask_shared, "edited", "text", "sentiment") == {
        "text": "They billed me twice (edit: still)", "sentiment": -1}  # fmt: skip


def test_corrections_of_what_is_not_there_change_nothing(ask_shared):
    assert ask_shared("FROM mentions WHERE post_id = 'not-there' OR brand = 'Nobody'") == []
    assert shown(ask_shared, "wrong-brand", "sentiment", "corrected_by") == {"sentiment": 1, "corrected_by": None}


def test_the_lake_and_the_file_agree_on_what_holds(shared, ask_shared):
    lake, _ = shared
    names = ("post_id", "column", "value", "by")
    held = [tuple(row[name] for name in names) for row in corrections.standing(corrections.events(lake))]
    told = ask_shared('SELECT post_id, "column", value, "by" FROM lake.corrections WHERE is_standing')
    assert sorted(held) == sorted(tuple(row.values()) for row in told)
    assert ("one-moment", "sentiment", "0", "zoe") in held
    assert not any(post_id == "taken-back" for post_id, *_ in held)


@pytest.fixture
def correct(lake):
    """Append corrections; returns where they lie."""

    def correct(*rows):
        name = f"c{len(lake.files('corrections'))}"
        return lake.append(batch(tables.CORRECTIONS, *rows), tables.CORRECTIONS, name)

    return correct


def columns(ask, *names):
    [row] = ask(f"SELECT {', '.join(names)} FROM mentions")
    return row


def test_a_correction_survives_another_nlp_version_and_merging(lake, publish, ask, correct):
    old = "rules-0"
    for number in range(5):
        said = SAID if number == 0 else post(f"p{number}")
        [path] = lake.append(batch(tables.POSTS, said), tables.POSTS, f"run-{number}")
        for version in (old, VERSION):
            found = mention(said, sentiment=1, nlp_version=version)
            lake.write_mentions(path, version, batch(tables.MENTIONS, found))
        correct(correction("sentiment", -1 if number else 0, hours=9 - number))
    assert retention.tidy(lake, VERSION, hours_ago(0))["files_merged"] == 10
    assert len(lake.files("corrections")) == len(lake.files("posts")) == 1
    publish()
    assert ask("SELECT sentiment, corrected_by FROM mentions WHERE post_id = 'a'") == [
        {"sentiment": -1, "corrected_by": "kim"}
    ]


def test_a_value_that_means_nothing_never_breaks_a_publish(lake, publish, ask, correct):
    """Ours are checked when they are made; another program may have written these."""
    senseless = {f"p{place}": value for place, value in enumerate(["{", "", '"pay"', "7", "[1]", '{"a": 1}'])}
    said = [post(post_id) for post_id in senseless]
    store(lake, said, [mention(one, **FOUND) for one in said])
    for post_id, value in senseless.items():
        odd = {"post_id": post_id, "value": value}
        correct(*(correction(name, None) | odd for name in ("intents", "aspects", "stage", "staff")))
    publish()
    assert ask("SELECT count(*) AS n FROM mentions WHERE sentiment = 1") == [{"n": len(senseless)}]


def test_a_damaged_file_of_corrections_is_left_out_and_told(lake, publish, ask, correct):
    store(lake, [SAID], [mention(SAID, **FOUND)])
    correct(correction("stage", "pay"))
    [torn] = correct(correction("sentiment", -1))
    (lake.folder / torn).write_bytes(b"PAR1")
    assert any(torn in warning for warning in publish().warnings)
    assert columns(ask, "sentiment", "stage") == {"sentiment": 1, "stage": "pay"}


def test_the_corrected_mentions_come_with_what_was_said_of_them(lake, publish, database, correct):
    import duckdb

    other = post("b")
    store(lake, [SAID, other], [mention(SAID, **FOUND), mention(other)])
    correct(correction("stage", "pay"), correction("emotion", "anger"), correction("staff", ...))
    publish()
    with duckdb.connect(str(database), read_only=True) as connection:
        cursor = connection.execute(statement("queries", "corrected_mentions").text)
        names = [column[0] for column in cursor.description or ()]
        [row] = [dict(zip(names, values, strict=True)) for values in cursor.fetchall()]
    assert (row["post_id"], row["text"], row["stage"], row["staff"]) == ("a", SAID["text"], "pay", "actor")
    assert row["corrected"] == ["emotion", "stage"]


def test_the_lake_tells_them_while_they_are_merged(lake, correct, monkeypatch):
    for number in range(4):
        correct(correction("sentiment", 0, hours=number))
    honest, listed = lake.files, lake.files("corrections")
    retention.merge(lake, "corrections", hours_ago(0))
    listings = iter([listed])
    monkeypatch.setattr(lake, "files", lambda table: next(listings, None) or honest(table))
    assert len(corrections.events(lake)) == 4


def test_the_lake_tells_those_of_the_files_it_can_read(lake, correct):
    [torn] = correct(correction("sentiment", 0))
    (lake.folder / torn).write_bytes(b"PAR1")
    correct(correction("stage", "pay"))
    assert [event["column"] for event in corrections.events(lake)] == ["stage"]
