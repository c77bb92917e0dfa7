"""The snapshot's views and marts: rows of the lake in, rows of the data team out."""

import json
import re
from collections.abc import Callable
from datetime import date, datetime

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from warehouse_rows import NOW, VERSION, batch, brands, event, feeds, hours_ago, mention, post, rows_of, store, visit

from warehouse import snapshot, tables
from warehouse.lake import Lake
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


def test_a_damaged_file_is_a_clear_error_until_the_next_publish(lake, publish, database):
    database.parent.mkdir(exist_ok=True)
    for content in (b"", b"no database", bytes(range(256)) * 64):
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


FILLS: list[Callable[[Lake], None]] = []  # what fills the one lake that tests share, each with names of its own


def heard(fill: Callable[[Lake], None]) -> Callable[[Lake], None]:
    """Let this fill the shared lake."""
    FILLS.append(fill)
    return fill


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """Where the shared lake is published, and what the publish told."""
    folder = tmp_path_factory.mktemp("shared")
    lake = Lake.open(str(folder / "lake"))
    for fill in FILLS:
        fill(lake)
    told = snapshot.publish(
        lake, folder / "told.duckdb", brands("Quillon", "Telvo", WEIRD), feeds(*LISTENED), VERSION, NOW
    )
    return folder / "told.duckdb", told


@pytest.fixture(scope="module")
def ask_shared(shared):
    """Ask the shared lake."""
    with snapshot.connect(shared[0]) as connection:
        yield lambda query, *parameters: rows_of(connection, query, *parameters)


LISTENED = ("town-talk", "often-read", "busy", "never-tried", "dead", "dying", "noted", "of-old")


@heard
def an_edited_post(lake):
    first = post("edited", text="bad", fetched_at=hours_ago(5), published_at=hours_ago(6))
    edited = post("edited", text="good")
    store(lake, [edited], [mention(edited, sentiment=1)], "edited-second")
    store(lake, [first], [mention(first, sentiment=-1)], "edited-first")


def test_a_post_is_its_newest_reading(ask_shared):
    assert ask_shared("SELECT text FROM posts WHERE post_id = 'edited'") == [{"text": "good"}]
    assert ask_shared("SELECT sentiment, text FROM mentions WHERE post_id = 'edited'") == [
        {"sentiment": 1, "text": "good"}
    ]


@heard
def an_undated_post(lake):
    """A listener dates it by the visit; read again, it must not come up as said just now."""
    for hours in (1, 30, 5):
        read_at = hours_ago(hours)
        undated = post("undated", published_at=read_at, fetched_at=read_at, likes=hours)
        store(lake, [undated], [mention(undated)], f"undated-{hours}")


def test_an_undated_post_stays_where_it_was_first_read(ask_shared):
    first = hours_ago(30).replace(tzinfo=None)
    assert ask_shared("SELECT published_at, likes FROM posts WHERE post_id = 'undated'") == [
        {"published_at": first, "likes": 1}
    ]
    assert ask_shared("SELECT published_at FROM mentions WHERE post_id = 'undated'") == [{"published_at": first}]


@heard
def a_post_whose_date_was_put_right(lake):
    for hours, at in ((5, hours_ago(500)), (1, hours_ago(6))):
        said = post("redated", published_at=at, fetched_at=hours_ago(hours))
        store(lake, [said], [mention(said)], f"redated-{hours}")


def test_a_date_that_was_put_right_holds(ask_shared):
    right = {"published_at": hours_ago(6).replace(tzinfo=None)}
    assert ask_shared("SELECT published_at FROM posts WHERE post_id = 'redated'") == [right]
    assert ask_shared("SELECT published_at FROM mentions WHERE post_id = 'redated'") == [right]


@heard
def a_post_whose_engagement_is_told_now_and_then(lake):
    readings = [
        post("engaged", fetched_at=hours_ago(5), published_at=hours_ago(6), likes=3, replies=1),
        post("engaged", fetched_at=hours_ago(3), published_at=hours_ago(6), likes=9, replies=None),
        post("engaged", fetched_at=hours_ago(1), published_at=hours_ago(6), likes=7, replies=None),
    ]
    for number, reading in enumerate(readings):
        store(lake, [reading], [mention(reading)], f"engaged-{number}")


def test_newer_engagement_wins_and_silence_is_not_zero(ask_shared):
    for view in ("posts", "mentions"):
        assert ask_shared(f"SELECT likes, replies FROM {view} WHERE post_id = 'engaged'") == [
            {"likes": 7, "replies": 1}
        ]


@heard
def a_post_that_was_taken_down(lake):
    said = post("gone", fetched_at=hours_ago(5), published_at=hours_ago(6))
    gone = post("gone", fetched_at=hours_ago(1), published_at=hours_ago(6), text="", deleted=True)
    store(lake, [said, gone], [mention(said, "Gone")], "gone")


def test_a_tombstone_takes_a_post_and_its_mentions_away(ask_shared):
    assert ask_shared("FROM posts WHERE post_id = 'gone'") == []
    assert ask_shared("FROM mentions WHERE post_id = 'gone'") == []
    assert ask_shared("FROM brand_hours WHERE brand = 'Gone'") == []


@heard
def the_same_rows_in_two_files(lake):
    for name in ("one", "two"):
        store(lake, [post("twice")], [mention(post("twice"), "Twice", sentiment=-1)], f"twice-{name}")
        lake.append(batch(tables.VISITS, visit("often-read")), tables.VISITS, f"twice-{name}")


def test_the_same_rows_in_two_files_count_once(ask_shared):
    for view in ("posts", "mentions"):
        assert ask_shared(f"SELECT count(*) AS n FROM {view} WHERE post_id = 'twice'") == [{"n": 1}]
    assert ask_shared("SELECT sum(negatives)::INT AS n FROM brand_hours WHERE brand = 'Twice'") == [{"n": 1}]
    assert ask_shared("SELECT visits_7d FROM feed_health WHERE feed = 'often-read'") == [{"visits_7d": 1}]


@heard
def a_post_that_another_nlp_version_read(lake):
    said = post("of-old")
    [path] = lake.append(batch(tables.POSTS, said), tables.POSTS, "of-old")
    lake.write_mentions(path, "rules-0", batch(tables.MENTIONS, mention(said, nlp_version="rules-0")))


def test_mentions_of_another_nlp_version_are_not_mixed_in(shared, ask_shared):
    _, told = shared
    assert any("1 posts files have no mentions of nlp_version rules-1" in line for line in told.warnings)
    assert ask_shared("FROM mentions WHERE post_id = 'of-old'") == []


@heard
def a_post_that_may_mean_something_else(lake):
    said = post("vague")
    store(lake, [said], [mention(said, "Vague", certainty=0.49), mention(said, "Clear", certainty=0.5)], "vague")


def test_a_mention_that_may_mean_something_else_is_shown_but_not_counted(ask_shared):
    assert ask_shared("SELECT brand, is_meant FROM mentions WHERE post_id = 'vague' ORDER BY brand") == [
        {"brand": "Clear", "is_meant": True},
        {"brand": "Vague", "is_meant": False},
    ]
    assert ask_shared("SELECT DISTINCT brand FROM brand_hours WHERE brand IN ('Vague', 'Clear')") == [
        {"brand": "Clear"}
    ]


@heard
def a_brand_with_quiet_hours(lake):
    said = [post("q1", published_at=datetime(2026, 11, 20, 9, 59, tzinfo=NOW.tzinfo), author="ann"),
            post("q2", published_at=datetime(2026, 11, 20, 9, 1, tzinfo=NOW.tzinfo), author="ann"),
            post("q3", published_at=datetime(2026, 11, 20, 12, 1, tzinfo=NOW.tzinfo), author=None)]  # fmt: skip
    store(lake, said, [mention(of, "Quiet", side) for of, side in zip(said, (-1, 1, None), strict=True)], "quiet")


def test_quiet_hours_are_rows_of_zeros_up_to_the_hour_of_the_snapshot(ask_shared):
    rows = ask_shared("SELECT * EXCLUDE (coverage) FROM brand_hours WHERE brand = 'Quiet' ORDER BY hour")
    assert [row["hour"].hour for row in rows] == [9, 10, 11, 12]
    nine = {"mentions": 2, "authors": 1, "positives": 1, "negatives": 1, "neutrals": 0, "unknowns": 0}
    nine |= {"voices": 2, "voices_positive": 1, "voices_negative": 1, "voices_neutral": 0, "voices_unknown": 0}
    twelve = {"mentions": 1, "authors": 0, "positives": 0, "negatives": 0, "neutrals": 0, "unknowns": 1}
    twelve |= {"voices": 1, "voices_positive": 0, "voices_negative": 0, "voices_neutral": 0, "voices_unknown": 1}
    nothing = dict.fromkeys(nine, 0)
    assert rows[0] == {"brand": "Quiet", "hour": utc(2026, 11, 20, 9)} | nine
    assert rows[1] == {"brand": "Quiet", "hour": utc(2026, 11, 20, 10)} | nothing
    assert rows[3] == {"brand": "Quiet", "hour": utc(2026, 11, 20, 12)} | twelve


@heard
def one_old_post(lake):
    old = post("ancient", published_at=datetime(2009, 1, 1, tzinfo=NOW.tzinfo))
    store(lake, [old], [mention(old, "Ancient")], "ancient")


def test_one_old_post_does_not_make_years_of_zeros(ask_shared):
    [row] = ask_shared(
        "SELECT count(*) AS hours, min(hour) AS oldest, sum(mentions)::INT AS mentions FROM brand_hours "
        "WHERE brand = 'Ancient'"
    )
    assert row == {"hours": 400 * 24 + 2, "oldest": utc(2009, 1, 1), "mentions": 1}


@heard
def a_day_of_one_brand(lake):
    said = [post(f"day{i}", published_at=hours_ago(i), author="ann" if i % 2 else "ben") for i in range(8)]
    feelings = [1, 1, 1, -1, 0, None, -1, 1]
    store(lake, said, [mention(p, "Daily", s) for p, s in zip(said, feelings, strict=True)], "day")


def test_days_sum_hours_and_count_an_author_once(ask_shared):
    [day] = ask_shared("FROM brand_days WHERE brand = 'Daily'")
    counts = {"mentions": 8, "authors": 2, "positives": 4, "negatives": 2, "neutrals": 1, "unknowns": 1}
    assert {name: day[name] for name in counts} == counts
    assert day["day"] == date(2026, 11, 20)
    assert day["unknown_share"] == pytest.approx(1 / 8)
    assert day["net_sentiment"] == pytest.approx((4 - 2) / 6)


@heard
def feeds_in_all_states(lake):
    store(lake, [post(f"f{i}", feed="busy", published_at=hours_ago(24 * i + 1)) for i in range(9)], [], "busy")
    failing = {"outcome": "failed", "error": "404", "next_visit_at": hours_ago(-24), "waiting_for": "dead, ..."}
    visits = [visit("busy", hours=200), visit("busy", hours=50, outcome="blocked"),
              visit("busy", hours=2, outcome="failed", error="HTTP 502"), visit("retired", "gone", 3),
              visit("dead", hours=2, failing_since=hours_ago(15 * 24), **failing),
              visit("dying", hours=2, failing_since=hours_ago(13 * 24), **failing),
              visit("noted", hours=200, notes=[("no date told", 5)]),
              visit("noted", hours=3, notes=[("no date told", 2)], next_visit_at=hours_ago(-1)),
              visit("noted", hours=2, notes=[("charset cp1252 by HTTP", 1), ("no date told", 1)],
                    next_visit_at=None)]  # fmt: skip
    lake.append(batch(tables.VISITS, *visits), tables.VISITS, "states")


def health(ask_shared):
    return {row["feed"]: row for row in ask_shared("FROM feed_health")}


def test_feed_health_tells_who_is_heard(ask_shared):
    rows = health(ask_shared)
    busy = rows["busy"]
    assert (busy["last_outcome"], busy["last_error"]) == ("failed", "HTTP 502")
    assert (busy["visits_7d"], busy["failures_7d"], busy["posts_per_day"]) == (2, 2, 1.0)
    assert busy["last_success_at"] == hours_ago(200).replace(tzinfo=None)
    assert busy["newest_post_at"] == hours_ago(1).replace(tzinfo=None)
    assert (rows["never-tried"]["last_visit_at"], rows["never-tried"]["visits_7d"]) == (None, 0)
    assert rows["never-tried"]["is_configured"]
    assert (rows["retired"]["is_configured"], rows["retired"]["last_outcome"]) == (False, "gone")


def test_feed_health_tells_of_dead_feeds_and_of_what_was_noted(ask_shared):
    rows = health(ask_shared)
    assert {feed: rows[feed]["is_dead"] for feed in ("dead", "dying", "noted", "never-tried")} == {
        "dead": True, "dying": False, "noted": False, "never-tried": False
    }  # fmt: skip
    assert rows["dying"]["failing_since"] == hours_ago(13 * 24).replace(tzinfo=None)
    assert rows["noted"]["notes_7d"] == {"charset cp1252 by HTTP": 1, "no date told": 3}
    assert rows["never-tried"]["notes_7d"] == {}
    assert rows["noted"]["next_visit_at"] == hours_ago(-1).replace(tzinfo=None)  # the last visit planned none


@heard
def a_feed_that_is_louder_than_usual(lake):
    of_late = [post(f"new{i}", feed="louder", published_at=hours_ago(10 * i + 1)) for i in range(14)]
    before = [post(f"old{i}", feed="louder", published_at=hours_ago(168 + 24 * i + 1)) for i in range(20)]
    store(lake, of_late + before, [], "louder")
    visits = [visit("louder", hours=3), visit("louder", hours=2, outcome="unchanged"),
              visit("louder", hours=1, outcome="unchanged", next_visit_at=hours_ago(-5),
                    waiting_for="it is quiet")]  # fmt: skip
    lake.append(batch(tables.VISITS, *visits), tables.VISITS, "louder")
    reject = {"feed": "louder", "source": "rss", "reason": "lacks 'id'", "item_hash": "x", "excerpt": "{}",
              "rejected_at": hours_ago(2)}  # fmt: skip
    lake.append(batch(tables.REJECTS, reject), tables.REJECTS, "louder")


def test_feed_health_tells_what_is_usual_and_what_is_waited_for(ask_shared):
    row = health(ask_shared)["louder"]
    assert (row["posts_per_day"], row["usual_posts_per_day"]) == (2.0, pytest.approx(20 / (19 + 1 / 24), rel=0.01))
    assert (row["next_visit_at"], row["waiting_for"]) == (hours_ago(-5).replace(tzinfo=None), "it is quiet")
    assert (row["outcomes_7d"], row["rejects_7d"]) == ({"new": 1, "unchanged": 2}, 1)


@heard
def visits_of_before_there_were_plans(lake):
    old = batch(tables.VISITS, visit("of-old")).drop_columns(["next_visit_at", "waiting_for", "failing_since", "notes"])
    [path] = lake.append(batch(tables.VISITS, visit("of-old")), tables.VISITS, "of-old")
    pq.write_table(pa.Table.from_batches([old]), lake.folder / path)


def test_visits_of_before_there_were_plans_read_as_without_one(ask_shared):
    row = health(ask_shared)["of-old"]
    assert (row["last_outcome"], row["next_visit_at"]) == ("new", None)


@heard
def alerts_in_all_states(lake):
    told = json.dumps({"since": "2026-11-20T03:00:00+00:00", "negatives": 9, "expected": 1.5})
    events = [
        event("a", "opened", 9, evidence=told.replace("9", "5")), event("a", "grew", 8, evidence=told),
        event("a", "notified", 7, by="care@quillon.test"), event("a", "acknowledged", 6, by="kim"),
        event("b", "opened", 5), event("b", "notified", 5, by="ops"), event("b", "resolved", 1),
        event("c", "opened", 2, evidence="not JSON"),
        event("c", "notified", 1, by="x"), event("c", "notified", 1, by="y"),
    ]  # fmt: skip
    lake.append(batch(tables.ALERTS, *events), tables.ALERTS, "states")


def test_an_alert_stands_as_its_last_event_says(ask_shared):
    rows = {row["alert_id"]: row for row in ask_shared("FROM alerts")}
    assert {name: row["state"] for name, row in rows.items()} == {"a": "acknowledged", "b": "resolved", "c": "open"}
    assert (rows["a"]["since"], rows["a"]["negatives"], rows["a"]["expected"]) == (utc(2026, 11, 20, 3), 9, 1.5)
    assert (rows["a"]["grew"], rows["a"]["told_to"]) == (1, ["care@quillon.test"])
    assert rows["a"]["told_at"] == hours_ago(7).replace(tzinfo=None)
    assert rows["b"]["resolved_at"] == hours_ago(1).replace(tzinfo=None)
    assert (rows["c"]["since"], rows["c"]["told_to"]) == (None, ["x", "y"])


@heard
def a_brand_with_a_difficult_name(lake):
    said = [post(f"weird{i}", published_at=hours_ago(i)) for i in range(6)]
    store(lake, said, [mention(p, WEIRD, 1) for p in said], "weird")


def test_any_brand_name_works_everywhere(ask_shared):
    assert [row["n"] for row in ask_shared("FROM trend(?)", WEIRD)] == [6]
    assert [row["n"] for row in ask_shared("FROM word_of_mouse(?)", WEIRD)] == [6]
    assert ask_shared("SELECT brand FROM share_of_voice() WHERE brand = ?", WEIRD) == [{"brand": WEIRD}]
    assert ask_shared("SELECT count(*) AS n FROM brand_hours WHERE brand = ?", WEIRD) == [{"n": 6}]


@heard
def a_post_of_the_night(lake):
    said = post("night", published_at=datetime(2026, 11, 20, 0, 30, tzinfo=NOW.tzinfo))
    store(lake, [said], [mention(said, "Night")], "night")


def test_times_are_utc_whatever_the_readers_zone(shared):
    with snapshot.connect(shared[0]) as connection:
        connection.execute("SET TimeZone = 'America/Los_Angeles'")
        [[period]] = connection.execute("SELECT period FROM trend('Night')").fetchall()
    assert period == utc(2026, 11, 20)


def test_coverage_is_the_share_of_visits_answered_by_feeds_that_may_name_the_brand(lake, publish, ask):
    said = post("a", published_at=hours_ago(3))
    store(lake, [said], [mention(said), mention(said, "Telvo")])
    visits = [
        visit("town-talk", "unchanged", 2), visit("village", "failed", 2), visit("telvo-app", "blocked", 2),
        visit("town-talk", "empty", 1), visit("village", "empty", 1, error="no entries, where 20 were before"),
    ]  # fmt: skip
    lake.append(batch(tables.VISITS, *visits), tables.VISITS, "run")
    publish(brands("Quillon", "Telvo"), feeds("town-talk", "village", **{"telvo-app": "Telvo"}))
    told = ask("SELECT brand, hour, coverage FROM brand_hours WHERE coverage IS NOT NULL ORDER BY hour, brand")
    assert told == [
        {"brand": "Quillon", "hour": utc(2026, 11, 20, 10), "coverage": pytest.approx(1 / 2)},
        {"brand": "Telvo", "hour": utc(2026, 11, 20, 10), "coverage": pytest.approx(1 / 3)},
        {"brand": "Quillon", "hour": utc(2026, 11, 20, 11), "coverage": 0.5},
        {"brand": "Telvo", "hour": utc(2026, 11, 20, 11), "coverage": 0.5},
    ], "an empty answer that is not believed is none"
    health = {row["feed"]: row["failures_7d"] for row in ask("FROM feed_health")}
    assert health == {"town-talk": 0, "village": 2, "telvo-app": 1}


def test_files_cut_short_or_damaged_within_are_left_out_and_told(lake, publish, ask):
    store(lake, [post("a")], [mention(post("a"))], "good")
    store(lake, [post("b")], [mention(post("b"))], "torn")
    said = [post(f"b{i}", text=f"{i}" * 999) for i in range(40)]
    store(lake, said, [mention(p) for p in said], "rotten")
    torn, rotten = (next(path for path in lake.files("posts") if name in path) for name in ("torn", "rotten"))
    content = (lake.folder / torn).read_bytes()
    (lake.folder / torn).write_bytes(content[: len(content) // 2])
    content = bytearray((lake.folder / rotten).read_bytes())
    content[4:800] = b"\xff" * 796
    (lake.folder / rotten).write_bytes(content)
    told = publish().warnings
    assert all(any(path in warning for warning in told) for path in (torn, rotten))
    assert ask("SELECT post_id FROM posts") == [{"post_id": "a"}]


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


def test_the_file_is_one_that_duckdb_1_2_opens(empty_database):
    with duckdb.connect() as connection:
        path = str(empty_database).replace("'", "''")
        connection.execute(f"ATTACH '{path}' AS told (READ_ONLY)")
        [[tags]] = connection.execute("SELECT tags FROM duckdb_databases() WHERE database_name = 'told'").fetchall()
    assert tags["storage_version"].startswith("v1.2")


def test_the_snapshot_says_when_and_of_which_version_it_is(ask_empty):
    assert ask_empty("FROM lake.snapshot") == [
        {"published_at": NOW.replace(tzinfo=None), "hour": utc(2026, 11, 20, 12), "nlp_version": VERSION}
    ]
