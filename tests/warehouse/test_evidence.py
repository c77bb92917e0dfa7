"""The evidence of an incident: what a person is shown, and whether asking again gives the same."""

import json
from datetime import timedelta

import pytest
from warehouse_rows import NOW, VERSION, batch, brands, event, feeds, hours_ago, mention, post, store, visit

from warehouse import snapshot, tables
from warehouse.evidence import gather, quotes
from warehouse.lake import Lake
from warehouse.snapshot import connect

BRAND = "O'Hare & Sons"
HOUR = NOW.replace(minute=0)
SINCE, UNTIL = HOUR - timedelta(hours=2), HOUR  # 10:00 to 12:00
STORY = bytes(range(64))


def said(number, at, sentiment, aspect=None, **other):
    """Return a post at a time and its mention."""
    known = {name: other.pop(name) for name in ("experience", "stage", "signature") if name in other}
    one = post(f"p{number}", published_at=at, **{"author": f"author{number}", **other})
    aspects = [{"aspect": aspect, "sentiment": sentiment, "start": 0, "end": 0}] if aspect else None
    return one, mention(one, BRAND, sentiment, aspects=aspects, **known)


def storm():
    """Return 28 days of one complaint and three other posts each, and 20 complaints in two hours."""
    rows = []
    for day in range(1, 29):
        at = HOUR - timedelta(days=day, hours=1, minutes=30)  # 10:30
        rows.append(said(1000 + day, at, -1, "price", author=f"regular{day % 4}", experience="first_hand",
                         text=f"Dear and getting dearer, day {day}"))  # fmt: skip
        rows += [said(2000 + 3 * day + other, at, other, author=f"fan{other}") for other in (0, 1)]
        rows.append(said(4000 + day, at, 0))
    for number in range(20):
        at = SINCE + timedelta(minutes=5 + 5 * number)  # 11 in the first hour, 9 in the second
        rows.append(said(number, at, -1, "billing" if number < 15 else "price", source="mastodon",
                         experience="second_hand" if number < 10 else "first_hand",
                         author=f"regular{number}" if number < 4 else f"new{number}",
                         author_followers=100 if number < 10 else None,
                         text=f"They charged twice, and I am number {'abcdefghijklmnopqrst'[number] * 4}",
                         **({"signature": STORY} if number in {5, 6, 7} else {})))  # fmt: skip
    rows.append(said(5000, SINCE + timedelta(minutes=30), 1))
    return [one for one, _ in rows], [told for _, told in rows]


def publish(lake, database):
    snapshot.publish(lake, database, brands(BRAND), feeds("town-talk"), VERSION, NOW)


@pytest.fixture(scope="module")
def lake(tmp_path_factory):
    lake = Lake.open(str(tmp_path_factory.mktemp("evidence") / "lake"))
    store(lake, *storm())
    lake.append(batch(tables.VISITS, visit(outcome="failed", hours=30.2), visit(hours=1)), tables.VISITS, "visits")
    past = {"since": "2026-11-01T10:00:00+00:00", "negatives": 9, "expected": 1.5, "firestorm": {"score": 44.0}}
    other = {"since": "2026-11-10T10:00:00+00:00", "negatives": 7, "expected": 1.0}
    events = [
        event("alike", "opened", 480, evidence=json.dumps(past | {"aspects": [{"value": "billing"}]}), brand=BRAND),
        event("alike", "resolved", 470, evidence='{"note": "paid back"}', by="kim", brand=BRAND),
        event("later", "opened", 240, evidence=json.dumps(other | {"aspects": [{"value": "price"}]}), brand=BRAND),
        event("later", "resolved", 230, evidence='{"reason": "no spike for 12 hours"}', brand=BRAND),
        event("others", "opened", 240, evidence=json.dumps(other)),
        event("others", "resolved", 230),
        event("this", "opened", 0.2, brand=BRAND, evidence=json.dumps(
            {"since": SINCE.isoformat(), "until": UNTIL.isoformat(), "evidence_since": SINCE.isoformat()})),
    ]  # fmt: skip
    lake.append(batch(tables.ALERTS, *events), tables.ALERTS, "alerts")
    return lake


@pytest.fixture(scope="module")
def database(lake, tmp_path_factory):
    path = tmp_path_factory.mktemp("published") / "word_of_mouse.duckdb"
    publish(lake, path)
    return path


@pytest.fixture(scope="module")
def connection(database):
    with connect(database) as connection:
        yield connection


@pytest.fixture(scope="module")
def evidence(connection):
    return gather(connection, BRAND, SINCE, UNTIL)


def rows_of(connection, query):
    cursor = connection.execute(query)
    return [dict(zip([column[0] for column in cursor.description], row, strict=True)) for row in cursor.fetchall()]


def parts(found):
    return {part["value"]: (part["n"], part["expected"], part["usual_n"]) for part in found}


def test_it_says_what_grew_beside_what_is_usual(evidence):
    assert parts(evidence["aspects"]) == {"billing": (15, 0.0, 0)}
    assert parts(evidence["sources"]) == {"mastodon": (20, 0.0, 0)}
    assert parts(evidence["phrases"]) == {"charged twice": (20, 0.0, 0), "number": (20, 0.0, 0)}
    [story] = evidence["stories"]
    assert (story["n"], story["authors"], story["source"]) == (3, 3, "mastodon")
    assert story["text"] == "They charged twice, and I am number ffff"


def test_its_query_gives_the_same_counts_again_also_after_more_was_heard(evidence, connection, lake, tmp_path):
    asked = {(row["dimension"], row["value"]): row for row in rows_of(connection, evidence["sql"])}
    for dimension, name in (("aspect", "aspects"), ("source", "sources"), ("phrase", "phrases"), ("story", "stories")):
        assert evidence[name]
        for part in evidence[name]:
            row = asked[dimension, part["value"]]
            assert (row["n"], row["usual_n"]) == (part["n"], part["usual_n"])
            assert (row["expected"], row["z"]) == (pytest.approx(part["expected"]), pytest.approx(part["z"], abs=0.01))
    assert rows_of(connection, "FROM why('this')") == rows_of(connection, evidence["sql"])

    grown = Lake.open(str(tmp_path / "lake"))
    posts, mentions = storm()
    store(grown, posts, mentions)
    late = post("late", published_at=SINCE, fetched_at=NOW + timedelta(hours=1), author="late", text="They charged me")
    store(grown, [late], [mention(late, BRAND, -1)], "late")
    path = tmp_path / "later.duckdb"
    snapshot.publish(grown, path, brands(BRAND), feeds("town-talk"), VERSION, NOW + timedelta(hours=2))
    with connect(path) as later:
        again = {(row["dimension"], row["value"]): row["n"] for row in rows_of(later, evidence["sql"])}
        assert again == {key: row["n"] for key, row in asked.items()}
        assert gather(later, BRAND, SINCE, UNTIL)["sources"] != evidence["sources"]


def test_the_hours_before_are_shown_beside_the_usual_day(evidence):
    hours = {hour["hour"]: (hour["negatives"], hour["expected"]) for hour in evidence["hours"]}
    assert len(hours) == 48
    assert max(hours) == "2026-11-20T11:00:00+00:00"
    assert hours["2026-11-20T10:00:00+00:00"] == (11, 0.333)  # one a day in the hours of 9, 10 and 11
    assert hours["2026-11-19T10:00:00+00:00"] == (1, 0.333)
    assert hours["2026-11-20T02:00:00+00:00"] == (0, 0.0)
    assert hours["2026-11-19T06:00:00+00:00"] == (None, 0.0)  # the only visit failed: silence is not calm


def test_it_says_who_speaks_and_how_far_it_may_be_read(evidence):
    assert evidence["experience"] == {
        "first_hand": 0.5, "second_hand": 0.5, "opinion": 0.0, "unknown": 0.0,
        "usual_first_hand": 1.0, "usual_second_hand": 0.0,
    }  # fmt: skip
    assert evidence["new_authors_share"] == 0.8  # four are regulars
    assert evidence["reach"] == {"people": 1000, "unknown_share": 0.5}


def test_the_firestorm_score_is_made_of_its_parts(evidence):
    storm = evidence["firestorm"]
    assert storm["parts"]["excess_share"] == pytest.approx((20 / 21 - 0.25) / 0.75, abs=0.001)
    assert storm["parts"]["spread"] == 0.95  # 20 authors, one each
    assert (storm["parts"]["new_authors"], storm["parts"]["first_hand_fall"]) == (0.8, 0.5)
    assert storm["score"] == pytest.approx(100 * sum(storm["parts"].values()) / 6, abs=0.1)


def test_it_names_earlier_incidents_the_most_alike_first_and_how_they_ended(evidence):
    alike, later = evidence["similar"]
    assert (alike["alert_id"], alike["ended"], alike["ended_by"], alike["note"], alike["firestorm"]) == (
        "alike", "resolved", "kim", "paid back", 44.0,
    )  # fmt: skip
    assert alike["since"] == "2026-11-01T10:00:00+00:00"
    assert (later["alert_id"], later["note"], later["aspects"]) == ("later", "no spike for 12 hours", ["price"])


def test_it_looks_at_all_of_the_window_that_first_told(connection):
    query = "FROM negative_spikes WHERE aspect IS NULL AND source IS NULL AND hour = TIMESTAMP '2026-11-20 11:00'"
    [told] = rows_of(connection, query)
    assert told["window_hours"] > 1
    began = told["hour"] - timedelta(hours=told["window_hours"] - 1)
    found = gather(connection, BRAND, HOUR - timedelta(hours=1), UNTIL)
    assert found["evidence_since"] == f"{began.isoformat()}+00:00"
    assert parts(found["sources"]) == {"mastodon": (20, 0.0, 0)}


def test_quotes_are_three_of_different_people_and_stories(evidence, connection):
    assert len({quote["author"] for quote in evidence["quotes"]}) == len(evidence["quotes"]) == 3
    all_of_them = quotes(connection, BRAND, SINCE, UNTIL, limit=99)
    assert len(all_of_them) == 18  # three tell one story
    ends = [quote["text"][-1] for quote in quotes(connection, BRAND, SINCE, UNTIL, limit=99, aspects=["price"])]
    assert set(ends[-10:-5]) == set("pqrst")  # of those with as many followers, who speak of the price come first
    assert quotes(connection, "Quillon", SINCE, UNTIL) == []
    assert quotes(connection, BRAND, UNTIL, UNTIL + timedelta(hours=1)) == []


def test_all_of_it_is_json(evidence):
    assert json.loads(json.dumps(evidence, allow_nan=False)) == evidence
    assert evidence["reasons"] == {}


def test_of_a_brand_nobody_knows_nothing_is_claimed_and_each_says_why(lake, connection):
    found = gather(connection, "Nobody", SINCE, UNTIL)
    assert found["reasons"] == {
        "hours": "too little was heard before to say what is usual",
        "aspects": "nothing was heard", "sources": "nothing was heard", "phrases": "nothing was heard",
        "stories": "nothing was heard", "experience": "nothing was heard", "new_authors_share": "nothing was heard",
        "reach": "no source told followers or views", "firestorm": "fewer than 4 of its parts are known",
        "similar": "no earlier incident of this brand is over", "quotes": "no post with words against it",
    }  # fmt: skip
    assert found["firestorm"]["score"] is None
    assert rows_of(connection, found["sql"]) == []
    json.dumps(found, allow_nan=False)


def test_of_a_brand_heard_for_an_hour_little_is_claimed(tmp_path):
    lake = Lake.open(str(tmp_path / "lake"))
    rows = [said(number, SINCE + timedelta(minutes=number), -1, "billing") for number in range(6)]
    store(lake, [one for one, _ in rows], [told for _, told in rows])
    publish(lake, tmp_path / "new.duckdb")
    with connect(tmp_path / "new.duckdb") as connection:
        found = gather(connection, BRAND, SINCE, UNTIL)
    assert (found["aspects"], found["reasons"]["aspects"]) == ([], "too little was heard before")
    assert found["firestorm"]["parts"]["size"] is None
    assert found["new_authors_share"] == 1.0
    assert found["experience"]["unknown"] == 1.0
    assert len(found["quotes"]) == 3


def test_quotes_are_of_different_people_in_different_words_the_weightiest_first(tmp_path):
    loud = [
        post("1", text="They charged me twice.", author="ann", author_followers=10_000),
        post("2", text="they charged ME twice!!", author="ben", author_followers=9_000),  # the same words
        post("2b", text="RT @ann: They charged me twice.", author="bo", author_followers=8_000),  # hers once more
        post("3", text="And nobody answers.", author="ann", author_followers=10_000),  # the same person, less sure
        post("4", text="долго " * 100, author="cy", likes=50),
        post("5", text="", title="A headline", author=None),
        post("6", text="Lovely.", author="di", author_followers=99_999),
        post("7", text="An old story", author="ed", published_at=hours_ago(90)),
        post("8", text="", title=None, author="flo"),
        post("9", text="Совсем @acme @gus", author="gus"),
        post("10", text="So do I", author="hal", published_at=hours_ago(0.6)),
    ]
    feelings = {"3": {"p_negative": 0.7, "p_neutral": 0.2}, "9": {"matched_as": "handle", "matched_text": "@Acme"}}
    told = [mention(p, sentiment=1 if p["post_id"] == "6" else -1, **feelings.get(p["post_id"], {})) for p in loud]
    lake = Lake.open(str(tmp_path / "lake"))
    store(lake, loud, told)
    snapshot.publish(lake, tmp_path / "loud.duckdb", brands("Quillon"), feeds("town-talk"), VERSION, NOW)
    with connect(tmp_path / "loud.duckdb") as connection:
        found = quotes(connection, "Quillon", hours_ago(24), hours_ago(1), limit=9, handles={"@acme"})
        assert gather(connection, "Quillon", hours_ago(24), hours_ago(1))["quotes"] == found[:3]
        assert quotes(connection, "O'Reilly \"DROP", hours_ago(24), NOW) == []
    assert [quote["text"][:14] for quote in found] == [
        "They charged m",
        "долго долго до",
        "A headline",
        "Совсем @acme @",
    ]
    assert found[3]["text"] == "Совсем @acme @…"
    assert len(found[1]["text"]) <= 280
    assert found[1]["text"].endswith("…")
    assert found[0] == {"text": "They charged me twice.", "url": None, "source": "rss", "author": "ann",
                        "published_at": hours_ago(2).isoformat()}  # fmt: skip
