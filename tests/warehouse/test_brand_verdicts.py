"""Verdicts on brands and their aspects and sources: from the counts of hours to the hours that spike."""

from datetime import timedelta

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from warehouse_rows import NOW

from warehouse.brand_verdicts import KEPT, brand_verdicts, verdicts_of_snapshot
from warehouse.spike_rules import DEFAULT

HOUR = NOW.replace(minute=0, tzinfo=None)
HOURS = 35 * 24
COUNTS = pa.schema({
    "brand": pa.string(), "aspect": pa.string(), "source": pa.string(), "hour": pa.timestamp("us"),
    **dict.fromkeys(("mentions", "negatives", "positives", "history", "late"), pa.int64()),
})  # fmt: skip


class Told:
    """Counts of one brand, oldest hour first, that a test changes before it asks."""

    def __init__(self, seed=3):
        chance = np.random.default_rng(seed)
        self.parts = {
            ("billing", None): chance.poisson(0.4, HOURS), ("support", None): chance.poisson(0.4, HOURS),
            (None, "rss"): chance.poisson(1.5, HOURS), (None, "mastodon"): chance.poisson(6.5, HOURS),
        }  # fmt: skip
        self.negatives = self.parts[None, "rss"] + self.parts[None, "mastodon"]
        self.others = {None: chance.poisson(32, HOURS), "rss": chance.poisson(6, HOURS)}
        self.others["mastodon"] = np.maximum(self.others[None] - self.others["rss"], 0)
        self.coverage = np.ones(HOURS)
        self.history, self.late = np.zeros(HOURS, dtype=int), np.zeros(HOURS, dtype=int)

    def verdicts(self):
        with duckdb.connect() as connection:
            self.store(connection)
            return brand_verdicts(connection).to_pylist()

    def store(self, connection, now=HOUR):
        """Store what a snapshot of an hour has, in the place of what there was."""
        rows = []
        for (aspect, source), negatives in {(None, None): self.negatives, **self.parts}.items():
            for place in range(HOURS):
                mentions = negatives[place] + (0 if aspect else self.others[source][place])
                rows.append({
                    "brand": "Quillon", "aspect": aspect, "source": source, "hour": hour(HOURS - 1 - place),
                    "mentions": mentions, "negatives": negatives[place], "positives": 0,
                    "history": mentions * self.history[place], "late": self.late[place],
                })  # fmt: skip
        counts = pa.Table.from_pylist([row for row in rows if row["mentions"] or row["late"]], schema=COUNTS)
        said = pa.table({
            "brand": ["Quillon"] * HOURS, "hour": [hour(HOURS - 1 - place) for place in range(HOURS)],
            "mentions": self.negatives + self.others[None], "coverage": self.coverage,
        })  # fmt: skip
        connection.execute("CREATE SCHEMA IF NOT EXISTS lake")
        connection.execute("CREATE OR REPLACE TABLE lake.snapshot AS SELECT CAST(? AS TIMESTAMP) AS hour", [now])
        for name, told in (("spike_counts", counts), ("brand_hours", said)):
            connection.register("told", told)
            connection.execute(f"CREATE OR REPLACE TABLE {name} AS FROM told WHERE hour <= ?", [now])
            connection.unregister("told")


def hour(number):
    """The start of an hour before that of NOW."""
    return HOUR - timedelta(hours=number)


@pytest.fixture
def told():
    return Told()


def named(rows):
    return {(row["aspect"], row["source"]) for row in rows}


def test_calm_is_calm_in_all_parts(told):
    assert told.verdicts() == []


def test_a_storm_is_told_of_the_brand_and_of_what_it_is_about(told):
    told.negatives[-3:] += 30
    told.parts["billing", None][-3:] += 25
    told.parts[None, "mastodon"][-3:] += 30
    rows = told.verdicts()
    assert named(rows) == {(None, None), ("billing", None), (None, "mastodon")}
    assert {row["hour"] for row in rows} <= {hour(2), hour(1), hour(0)}


def test_an_aspect_that_spikes_alone_is_told_though_no_more_is_said_against_the_brand(told):
    told.negatives[-3:] = 8
    told.parts["billing", None][-3:] = 8
    told.parts["support", None][-3:] = 0
    rows = told.verdicts()
    assert named(rows) == {("billing", None)}
    worst = max(rows, key=lambda row: row["score"])
    assert worst["expected"] < 3 < 16 <= worst["negatives"]
    assert worst["mentions"] > 60, "all that is said of the brand"


def test_a_source_that_spikes_alone_is_told(told):
    told.parts[None, "rss"][-3:] = 12
    told.others["rss"][-3:] = 2
    assert named(told.verdicts()) == {(None, "rss")}


def test_a_part_of_which_too_little_is_said_in_a_day_is_not_looked_at(told):
    told.parts["support", None][:] = 0
    told.parts["support", None][-1] = 4
    assert told.verdicts() == []


def test_hours_nobody_listened_are_missing_and_not_calm(told):
    for counts in (told.negatives, *told.parts.values(), *told.others.values()):
        counts[:-240] = 0
    told.negatives[-3:] += 30
    told.parts["billing", None][-3:] += 25
    assert {(None, None), ("billing", None)} <= named(told.verdicts())
    told.coverage[:-240] = 0
    assert told.verdicts() == [], "it was heard on ten days: warming up"


def test_history_is_thinned_by_what_usually_comes_late(told):
    """Two days that were looked at as they closed miss half of what history has; so then is history halved."""
    told.history[:-48] = 1
    for counts in (told.negatives, *told.parts.values(), *told.others.values()):
        counts[-48:] //= 2
    told.late[-48:] = told.negatives[-48:] + told.others[None][-48:]
    told.negatives[-1] += 40
    [row] = [row for row in told.verdicts() if row["window_hours"] == 1 and row["hour"] == hour(0)]
    assert row["expected"] == pytest.approx(4, abs=1.5)


def publishing():
    """A connection to nothing but the schema in which a snapshot keeps what the next publish needs."""
    connection = duckdb.connect()
    connection.execute("ATTACH ':memory:' AS snapshot; CREATE SCHEMA snapshot.spare")
    return connection


def kept(connection):
    return [connection.execute(f"FROM snapshot.spare.{name} ORDER BY ALL").fetchall() for name in KEPT]


def changed(told, number):
    """Change an old hour of a made-up brand, in a way that a publish may meet."""
    match number:
        case 2:
            told.parts["billing", None][-300] += 3
            told.negatives[-300] += 3
        case 4:
            told.coverage[-400] = told.negatives[-400] = told.others[None][-400] = 0
        case 6:
            told.late[-100] += 900
        case 8:
            told.history[:200] = 1
        case 9:
            told.parts["price", None] = np.where(np.arange(HOURS) > HOURS - 400, 6, 0)


def test_verdicts_that_go_on_from_the_last_publish_are_those_of_a_first_one(told):
    for at, hours in ((-140, 4), (-75, 6), (-49, 5), (-3, 3)):
        told.negatives[at : at + hours] += 30
        told.parts["billing", None][at : at + hours] += 25
        told.parts[None, "mastodon"][at : at + hours] += 30
    told.coverage[-60] = told.negatives[-60] = told.others[None][-60] = 0
    found = None
    with publishing() as going_on:
        for number, ago in enumerate((150, 149, 125, 110, 109, 90, 60, 40, 26, 25, 3, 0)):
            changed(told, number)
            told.store(going_on, hour(ago))
            found = verdicts_of_snapshot(going_on, DEFAULT)
            with publishing() as anew:
                told.store(anew, hour(ago))
                first = verdicts_of_snapshot(anew, DEFAULT)
                assert sorted(map(str, found.to_pylist())) == sorted(map(str, first.to_pylist())), ago
                assert sorted(map(str, first.to_pylist())) == sorted(map(str, brand_verdicts(anew).to_pylist()))
                assert kept(going_on) == kept(anew), ago
    assert found is not None
    assert min(row["hour"] for row in found.to_pylist()) < hour(72), "what was told long ago is still told"


def test_what_was_told_holds_as_long_as_the_hours_it_rests_on_are_the_same(told):
    told.negatives[-140:-136] += 30
    with publishing() as connection:
        told.store(connection, hour(1))
        found = verdicts_of_snapshot(connection, DEFAULT).num_rows
        connection.execute("DELETE FROM snapshot.spare.verdicts")
        told.store(connection)
        assert verdicts_of_snapshot(connection, DEFAULT).num_rows < found, "not judged again"
        told.others[None][-200] += 1
        told.store(connection)
        assert verdicts_of_snapshot(connection, DEFAULT).num_rows == found


def test_what_was_never_said_is_never_told():
    with duckdb.connect() as connection:
        connection.execute("CREATE SCHEMA lake; CREATE TABLE lake.snapshot AS SELECT TIMESTAMP '2026-11-20' AS hour")
        connection.register("none", COUNTS.empty_table())
        connection.execute("CREATE TABLE spike_counts AS FROM none")
        connection.execute("CREATE TABLE brand_hours AS SELECT brand, hour, mentions, 1.0 AS coverage FROM none")
        assert brand_verdicts(connection).num_rows == 0
