"""The snapshot's views and marts: rows of the lake in, rows of the data team out."""

import json
import re
from datetime import date, datetime

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from warehouse_rows import NOW, VERSION, batch, brands, event, feeds, hours_ago, mention, post, store, visit

from warehouse import snapshot, tables
from warehouse.statements import statements

WEIRD = "O'Reilly \"DROP TABLE"


def utc(*parts):
    """A time as the snapshot gives it: UTC without a zone."""
    return datetime(*parts, tzinfo=NOW.tzinfo).replace(tzinfo=None)


def test_an_empty_lake_is_published(publish, ask):
    published = publish(brands(), feeds())
    assert published.warnings == ()
    assert set(published.rows.values()) == {0}
    assert ask("FROM trend(NULL)") == ask("FROM word_of_mouse(NULL)") == ask("FROM share_of_voice()") == []


def test_nothing_published_is_a_clear_error(database):
    with pytest.raises(snapshot.DatabaseMissing, match=r"word_of_mouse\.duckdb is not there: publish first"):
        snapshot.connect(database)


@pytest.mark.parametrize("content", [b"", b"no database", bytes(range(256)) * 64])
def test_a_damaged_file_is_a_clear_error_until_the_next_publish(lake, publish, database, content):
    database.parent.mkdir(exist_ok=True)
    database.write_bytes(content)
    with pytest.raises(snapshot.DatabaseUnreadable, match=r"word_of_mouse\.duckdb is damaged, publish again"):
        snapshot.connect(database)
    publish()
    snapshot.connect(database).close()


def test_another_programs_database_is_a_clear_error(database):
    database.parent.mkdir(exist_ok=True)
    duckdb.connect(str(database)).close()
    with pytest.raises(snapshot.DatabaseUnreadable, match="holds no snapshot of ours"):
        snapshot.connect(database)


def test_a_post_is_its_newest_reading(lake, publish, ask):
    first, edited = post("a", text="bad", fetched_at=hours_ago(5), published_at=hours_ago(6)), post("a", text="good")
    store(lake, [edited], [mention(edited, sentiment=1)], "second")
    store(lake, [first], [mention(first, sentiment=-1)], "first")
    publish()
    assert ask("SELECT post_id, text FROM posts") == [{"post_id": "a", "text": "good"}]
    assert ask("SELECT post_id, sentiment, text FROM mentions") == [{"post_id": "a", "sentiment": 1, "text": "good"}]


def test_an_undated_post_stays_where_it_was_first_read(lake, publish, ask):
    """A listener dates it by the visit; read again, it must not come up as said just now."""
    for hours in (1, 30, 5):
        read_at = hours_ago(hours)
        undated = post("a", published_at=read_at, fetched_at=read_at, likes=hours)
        store(lake, [undated], [mention(undated)], f"read-{hours}")
    publish()
    first = hours_ago(30).replace(tzinfo=None)
    assert ask("SELECT published_at, likes FROM posts") == [{"published_at": first, "likes": 1}]
    assert ask("SELECT published_at FROM mentions") == [{"published_at": first}]


def test_a_date_that_was_put_right_holds(lake, publish, ask):
    wrong, right = hours_ago(500), hours_ago(6)
    for hours, at in ((5, wrong), (1, right)):
        said = post("a", published_at=at, fetched_at=hours_ago(hours))
        store(lake, [said], [mention(said)], f"read-{hours}")
    publish()
    assert ask("SELECT DISTINCT published_at FROM (FROM posts SELECT published_at UNION ALL FROM mentions "
               "SELECT published_at)") == [{"published_at": right.replace(tzinfo=None)}]  # fmt: skip


def test_newer_engagement_wins_and_silence_is_not_zero(lake, publish, ask):
    readings = [
        post("a", fetched_at=hours_ago(5), published_at=hours_ago(6), likes=3, replies=1),
        post("a", fetched_at=hours_ago(3), published_at=hours_ago(6), likes=9, replies=None),
        post("a", fetched_at=hours_ago(1), published_at=hours_ago(6), likes=7, replies=None),
    ]
    for number, reading in enumerate(readings):
        store(lake, [reading], [mention(reading)], f"run-{number}")
    publish()
    assert ask("SELECT likes, replies FROM posts") == [{"likes": 7, "replies": 1}]
    assert ask("SELECT likes, replies FROM mentions") == [{"likes": 7, "replies": 1}]


def test_a_tombstone_takes_a_post_and_its_mentions_away(lake, publish, ask):
    said = post("a", fetched_at=hours_ago(5), published_at=hours_ago(6))
    gone = post("a", fetched_at=hours_ago(1), published_at=hours_ago(6), text="", deleted=True)
    store(lake, [said, gone], [mention(said)])
    publish()
    assert ask("FROM posts") == ask("FROM mentions") == ask("FROM brand_hours") == []


def test_the_same_rows_in_two_files_count_once(lake, publish, ask):
    twice = post("a")
    for name in ("one", "two"):
        store(lake, [twice], [mention(twice, sentiment=-1)], name)
        lake.append(batch(tables.VISITS, visit()), tables.VISITS, name)
    publish()
    assert ask("SELECT count(*) AS n FROM posts") == ask("SELECT count(*) AS n FROM mentions") == [{"n": 1}]
    assert ask("SELECT sum(negatives)::INT AS n FROM brand_hours") == [{"n": 1}]
    assert ask("SELECT visits_7d FROM feed_health") == [{"visits_7d": 1}]


def test_mentions_of_another_nlp_version_are_not_mixed_in(lake, publish, ask):
    said = post("a")
    [path] = lake.append(batch(tables.POSTS, said), tables.POSTS, "run")
    lake.write_mentions(path, "rules-0", batch(tables.MENTIONS, mention(said, nlp_version="rules-0")))
    assert any("1 posts files have no mentions of nlp_version rules-1" in told for told in publish().warnings)
    assert ask("FROM mentions") == []


def test_a_mention_that_may_mean_something_else_is_shown_but_not_counted(lake, publish, ask):
    said = post("a")
    store(lake, [said], [mention(said, certainty=0.49), mention(said, "Telvo", certainty=0.5)])
    publish()
    assert ask("SELECT brand, is_meant FROM mentions ORDER BY brand") == [
        {"brand": "Quillon", "is_meant": False},
        {"brand": "Telvo", "is_meant": True},
    ]
    assert ask("SELECT DISTINCT brand FROM brand_hours") == [{"brand": "Telvo"}]


def test_quiet_hours_are_rows_of_zeros_up_to_the_hour_of_the_snapshot(lake, publish, ask):
    said = [post("a", published_at=datetime(2026, 11, 20, 9, 59, tzinfo=NOW.tzinfo), author="ann"),
            post("b", published_at=datetime(2026, 11, 20, 9, 1, tzinfo=NOW.tzinfo), author="ann"),
            post("c", published_at=datetime(2026, 11, 20, 12, 1, tzinfo=NOW.tzinfo), author=None)]  # fmt: skip
    store(lake, said, [mention(said[0], sentiment=-1), mention(said[1], sentiment=1), mention(said[2], sentiment=None)])
    publish()
    rows = ask("FROM brand_hours ORDER BY hour")
    assert [row["hour"].hour for row in rows] == [9, 10, 11, 12]
    nine = {"mentions": 2, "authors": 1, "positives": 1, "negatives": 1, "neutrals": 0, "unknowns": 0}
    nine |= {"voices": 2, "voices_positive": 1, "voices_negative": 1, "voices_neutral": 0, "voices_unknown": 0}
    twelve = {"mentions": 1, "authors": 0, "positives": 0, "negatives": 0, "neutrals": 0, "unknowns": 1}
    twelve |= {"voices": 1, "voices_positive": 0, "voices_negative": 0, "voices_neutral": 0, "voices_unknown": 1}
    assert rows[0] == {"brand": "Quillon", "hour": utc(2026, 11, 20, 9), "coverage": None} | nine
    nothing = dict.fromkeys(nine, 0)
    assert rows[1] == {"brand": "Quillon", "hour": utc(2026, 11, 20, 10), "coverage": None} | nothing
    assert rows[3] == {"brand": "Quillon", "hour": utc(2026, 11, 20, 12), "coverage": None} | twelve


def test_one_old_post_does_not_make_years_of_zeros(lake, publish, ask):
    old = post("a", published_at=datetime(2009, 1, 1, tzinfo=NOW.tzinfo))
    store(lake, [old], [mention(old)])
    publish()
    [row] = ask("SELECT count(*) AS hours, min(hour) AS oldest, sum(mentions)::INT AS mentions FROM brand_hours")
    assert row == {"hours": 400 * 24 + 2, "oldest": utc(2009, 1, 1), "mentions": 1}


def test_coverage_is_the_share_of_visits_answered_by_feeds_that_may_name_the_brand(lake, publish, ask):
    said = post("a", published_at=hours_ago(3))
    store(lake, [said], [mention(said), mention(said, "Telvo")])
    visits = [visit("town-talk", "unchanged", 2), visit("village", "failed", 2), visit("telvo-app", "blocked", 2)]
    lake.append(batch(tables.VISITS, *visits), tables.VISITS, "run")
    publish(brands("Quillon", "Telvo"), feeds("town-talk", "village", **{"telvo-app": "Telvo"}))
    told = ask("SELECT brand, hour, coverage FROM brand_hours WHERE coverage IS NOT NULL ORDER BY brand")
    assert told == [
        {"brand": "Quillon", "hour": utc(2026, 11, 20, 10), "coverage": pytest.approx(1 / 2)},
        {"brand": "Telvo", "hour": utc(2026, 11, 20, 10), "coverage": pytest.approx(1 / 3)},
    ]


def test_days_sum_hours_and_count_an_author_once(lake, publish, ask):
    said = [post(f"p{i}", published_at=hours_ago(i), author="ann" if i % 2 else "ben") for i in range(8)]
    feelings = [1, 1, 1, -1, 0, None, -1, 1]
    store(lake, said, [mention(p, sentiment=s) for p, s in zip(said, feelings, strict=True)])
    publish()
    [day] = ask("FROM brand_days")
    counts = {"mentions": 8, "authors": 2, "positives": 4, "negatives": 2, "neutrals": 1, "unknowns": 1}
    assert {name: day[name] for name in counts} == counts
    assert day["day"] == date(2026, 11, 20)
    assert day["unknown_share"] == pytest.approx(1 / 8)
    assert day["net_sentiment"] == pytest.approx((4 - 2) / 6)


def test_feed_health_tells_who_is_heard(lake, publish, ask):
    store(lake, [post(f"p{i}", published_at=hours_ago(24 * i + 1)) for i in range(9)], [])
    visits = [visit(hours=200), visit(hours=50, outcome="blocked"), visit(hours=2, outcome="failed", error="HTTP 502"),
              visit("retired", "gone", 3)]  # fmt: skip
    lake.append(batch(tables.VISITS, *visits), tables.VISITS, "run")
    publish(feed_rows=feeds("town-talk", "never-tried"))
    rows = {row["feed"]: row for row in ask("FROM feed_health")}
    town = rows["town-talk"]
    assert (town["last_outcome"], town["last_error"]) == ("failed", "HTTP 502")
    assert (town["visits_7d"], town["failures_7d"], town["posts_per_day"]) == (2, 2, 1.0)
    assert town["last_success_at"] == hours_ago(200).replace(tzinfo=None)
    assert town["newest_post_at"] == hours_ago(1).replace(tzinfo=None)
    assert (rows["never-tried"]["last_visit_at"], rows["never-tried"]["visits_7d"]) == (None, 0)
    assert rows["never-tried"]["is_configured"]
    assert (rows["retired"]["is_configured"], rows["retired"]["last_outcome"]) == (False, "gone")


def test_feed_health_tells_what_is_usual_and_what_is_waited_for(lake, publish, ask):
    of_late = [post(f"new{i}", published_at=hours_ago(10 * i + 1)) for i in range(14)]
    before = [post(f"old{i}", published_at=hours_ago(168 + 24 * i + 1)) for i in range(20)]
    store(lake, of_late + before, [])
    due = hours_ago(-5)
    visits = [visit(hours=3), visit(hours=2, outcome="unchanged"),
              visit(hours=1, outcome="unchanged", next_visit_at=due, waiting_for="it is quiet")]  # fmt: skip
    lake.append(batch(tables.VISITS, *visits), tables.VISITS, "run")
    reject = {"feed": "town-talk", "source": "rss", "reason": "lacks 'id'", "item_hash": "x", "excerpt": "{}",
              "rejected_at": hours_ago(2)}  # fmt: skip
    lake.append(batch(tables.REJECTS, reject), tables.REJECTS, "run")
    publish(feed_rows=feeds("town-talk"))
    [row] = ask("FROM feed_health")
    assert (row["posts_per_day"], row["usual_posts_per_day"]) == (2.0, pytest.approx(20 / (19 + 1 / 24), rel=0.01))
    assert (row["next_visit_at"], row["waiting_for"]) == (due.replace(tzinfo=None), "it is quiet")
    assert (row["outcomes_7d"], row["rejects_7d"]) == ({"new": 1, "unchanged": 2}, 1)


def test_feed_health_tells_of_dead_feeds_and_of_what_was_noted(lake, publish, ask):
    failing = {"outcome": "failed", "error": "404", "next_visit_at": hours_ago(-24), "waiting_for": "dead, ..."}
    visits = [visit(hours=2, failing_since=hours_ago(15 * 24), **failing),
              visit("village", hours=2, failing_since=hours_ago(13 * 24), **failing),
              visit("town-hall", hours=200, notes=[("no date told", 5)]),
              visit("town-hall", hours=3, notes=[("no date told", 2)], next_visit_at=hours_ago(-1)),
              visit("town-hall", hours=2, notes=[("charset cp1252 by HTTP", 1), ("no date told", 1)],
                    next_visit_at=None)]  # fmt: skip
    lake.append(batch(tables.VISITS, *visits), tables.VISITS, "run")
    publish(feed_rows=feeds("town-talk", "village", "town-hall", "never-tried"))
    rows = {row["feed"]: row for row in ask("FROM feed_health")}
    assert {feed: row["is_dead"] for feed, row in rows.items()} == {
        "town-talk": True, "village": False, "town-hall": False, "never-tried": False
    }  # fmt: skip
    assert rows["village"]["failing_since"] == hours_ago(13 * 24).replace(tzinfo=None)
    assert rows["town-hall"]["notes_7d"] == {"charset cp1252 by HTTP": 1, "no date told": 3}
    assert rows["never-tried"]["notes_7d"] == {}
    assert rows["town-hall"]["next_visit_at"] == hours_ago(-1).replace(tzinfo=None)  # the last visit planned none


def test_an_empty_answer_that_is_not_believed_is_no_answer(lake, publish, ask):
    store(lake, [post("a", published_at=hours_ago(3))], [mention(post("a", published_at=hours_ago(3)))])
    visits = [visit(outcome="empty", hours=1), visit("village", "empty", 1, error="no entries, where 20 were before")]
    lake.append(batch(tables.VISITS, *visits), tables.VISITS, "run")
    publish(feed_rows=feeds("town-talk", "village"))
    health = {row["feed"]: row["failures_7d"] for row in ask("FROM feed_health")}
    assert health == {"town-talk": 0, "village": 1}
    assert ask("SELECT coverage FROM brand_hours WHERE coverage IS NOT NULL") == [{"coverage": 0.5}]


def test_visits_of_before_there_were_plans_read_as_without_one(lake, publish, ask):
    old = batch(tables.VISITS, visit()).drop_columns(["next_visit_at", "waiting_for", "failing_since", "notes"])
    lake.append(batch(tables.VISITS, visit()), tables.VISITS, "run")
    [path] = lake.files("visits")
    pq.write_table(pa.Table.from_batches([old]), lake.folder / path)
    publish(feed_rows=feeds("town-talk"))
    assert ask("SELECT last_outcome, next_visit_at FROM feed_health") == [
        {"last_outcome": "new", "next_visit_at": None}
    ]


def test_an_alert_stands_as_its_last_event_says(lake, publish, ask):
    told = json.dumps({"since": "2026-11-20T03:00:00+00:00", "negatives": 9, "expected": 1.5})
    events = [
        event("a", "opened", 9, evidence=told.replace("9", "5")), event("a", "grew", 8, evidence=told),
        event("a", "notified", 7, by="care@quillon.test"), event("a", "acknowledged", 6, by="kim"),
        event("b", "opened", 5), event("b", "notified", 5, by="ops"), event("b", "resolved", 1),
        event("c", "opened", 2, evidence="not JSON"),
        event("c", "notified", 1, by="x"), event("c", "notified", 1, by="y"),
    ]  # fmt: skip
    lake.append(batch(tables.ALERTS, *events), tables.ALERTS, "run")
    publish()
    rows = {row["alert_id"]: row for row in ask("FROM alerts")}
    assert {name: row["state"] for name, row in rows.items()} == {"a": "acknowledged", "b": "resolved", "c": "open"}
    assert (rows["a"]["since"], rows["a"]["negatives"], rows["a"]["expected"]) == (utc(2026, 11, 20, 3), 9, 1.5)
    assert (rows["a"]["grew"], rows["a"]["told_to"]) == (1, ["care@quillon.test"])
    assert rows["a"]["told_at"] == hours_ago(7).replace(tzinfo=None)
    assert rows["b"]["resolved_at"] == hours_ago(1).replace(tzinfo=None)
    assert (rows["c"]["since"], rows["c"]["told_to"]) == (None, ["x", "y"])


def test_a_damaged_file_is_left_out_and_told(lake, publish, ask):
    store(lake, [post("a")], [mention(post("a"))], "good")
    store(lake, [post("b")], [mention(post("b"))], "torn")
    torn = next(path for path in lake.files("posts") if "torn" in path)
    content = (lake.folder / torn).read_bytes()
    (lake.folder / torn).write_bytes(content[: len(content) // 2])
    assert any(torn in warning for warning in publish().warnings)
    assert ask("SELECT post_id FROM posts") == [{"post_id": "a"}]


def test_a_file_damaged_within_is_left_out_and_told(lake, publish, ask):
    store(lake, [post("a")], [mention(post("a"))], "good")
    said = [post(f"b{i}", text=f"{i}" * 999) for i in range(40)]
    store(lake, said, [mention(p) for p in said], "rotten")
    rotten = next(path for path in lake.files("posts") if "rotten" in path)
    content = bytearray((lake.folder / rotten).read_bytes())
    content[4:800] = b"\xff" * 796
    (lake.folder / rotten).write_bytes(content)
    assert any(rotten in warning for warning in publish().warnings)
    assert ask("SELECT post_id FROM posts") == [{"post_id": "a"}]


def test_any_brand_name_works_everywhere(lake, publish, ask):
    said = [post(f"p{i}", published_at=hours_ago(i)) for i in range(6)]
    store(lake, said, [mention(p, WEIRD, 1) for p in said])
    publish(brands("Quillon", WEIRD))
    assert [row["n"] for row in ask("FROM trend(?)", WEIRD)] == [6]
    assert [row["n"] for row in ask("FROM word_of_mouse(?)", WEIRD)] == [6]
    assert ask("SELECT share_of_voice FROM share_of_voice() WHERE brand = ?", WEIRD) == [{"share_of_voice": 1.0}]
    assert ask("SELECT count(*) AS n FROM brand_hours WHERE brand = ?", WEIRD) == [{"n": 6}]


def test_everything_in_the_file_says_what_it_is(ask_empty):
    silent = "comment IS NULL AND NOT internal AND database_name = current_database()"
    assert ask_empty(f"SELECT table_name, column_name FROM duckdb_columns() WHERE {silent}") == []
    assert ask_empty(f"SELECT table_name FROM duckdb_tables() WHERE {silent}") == []
    assert ask_empty(f"SELECT view_name FROM duckdb_views() WHERE {silent}") == []
    assert ask_empty(f"SELECT function_name FROM duckdb_functions() WHERE {silent}") == []
    of_authors = "SELECT comment FROM duckdb_columns() WHERE (schema_name, table_name, column_name) = (?, ?, ?)"
    [row] = ask_empty(of_authors, "main", "posts", "author")
    assert row["comment"] == tables.doc_of(tables.POSTS.field("author"))


def test_headers_describe_only_columns_that_are_there(ask_empty):
    for kind, schema in (("tables", "lake."), ("views", ""), ("marts", "")):
        for one in statements(kind):
            there = {row["column_name"] for row in ask_empty(f"DESCRIBE {schema}{one.name}")}
            assert set(one.columns) <= there, one.name


def _needed(macro):
    """Return how many of a macro's arguments must be given."""
    [arguments] = re.findall(r"MACRO \w+\((.*?)\) AS", macro)
    return sum(":=" not in argument for argument in arguments.split(",") if argument.strip())


def test_macro_headers_name_their_columns_in_order(ask_empty):
    calls = {
        one.name: f"{one.name}({', '.join(['NULL'] * _needed(one.text))})"
        for one in statements("macros") if " AS TABLE" in one.text and "all of opinions" not in one.parts["Columns"]
    }  # fmt: skip
    for name, call in calls.items():
        [header] = [one.parts["Columns"] for one in statements("macros") if one.name == name]
        named = re.sub(r" \([^)]*\)", "", header).split(", ")
        assert named == [row["column_name"] for row in ask_empty(f"DESCRIBE FROM {call}")], name


def test_times_are_utc_whatever_the_readers_zone(lake, publish, database):
    said = post("a", published_at=datetime(2026, 11, 20, 0, 30, tzinfo=NOW.tzinfo))
    store(lake, [said], [mention(said)])
    publish()
    with snapshot.connect(database) as connection:
        connection.execute("SET TimeZone = 'America/Los_Angeles'")
        [[period]] = connection.execute("SELECT period FROM trend('Quillon')").fetchall()
    assert period == utc(2026, 11, 20)


def test_the_file_is_one_that_duckdb_1_5_opens(empty_database):
    with duckdb.connect() as connection:
        path = str(empty_database).replace("'", "''")
        connection.execute(f"ATTACH '{path}' AS told (READ_ONLY)")
        [[tags]] = connection.execute("SELECT tags FROM duckdb_databases() WHERE database_name = 'told'").fetchall()
    assert tags["storage_version"].startswith("v1.5")


def test_the_snapshot_says_when_and_of_which_version_it_is(ask_empty):
    assert ask_empty("FROM lake.snapshot") == [
        {"published_at": NOW.replace(tzinfo=None), "hour": utc(2026, 11, 20, 12), "nlp_version": VERSION}
    ]
