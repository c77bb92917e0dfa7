"""Verdicts on brands and their aspects and sources: from the counts of hours to the hours that spike."""

from datetime import timedelta

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from warehouse_rows import NOW

from warehouse.brand_verdicts import brand_verdicts

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
        with duckdb.connect() as connection:
            connection.execute(
                "CREATE SCHEMA lake; CREATE TABLE lake.snapshot AS SELECT CAST(? AS TIMESTAMP) AS hour", [HOUR]
            )
            connection.register("counts", counts)
            connection.execute("CREATE TABLE spike_counts AS FROM counts")
            said = pa.table({
                "brand": ["Quillon"] * HOURS, "hour": [hour(HOURS - 1 - place) for place in range(HOURS)],
                "mentions": self.negatives + self.others[None], "coverage": self.coverage,
            })  # fmt: skip
            connection.register("said", said)
            connection.execute("CREATE TABLE brand_hours AS FROM said")
            return brand_verdicts(connection).to_pylist()


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


def test_what_was_never_said_is_never_told():
    with duckdb.connect() as connection:
        connection.execute("CREATE SCHEMA lake; CREATE TABLE lake.snapshot AS SELECT TIMESTAMP '2026-11-20' AS hour")
        connection.register("none", COUNTS.empty_table())
        connection.execute("CREATE TABLE spike_counts AS FROM none")
        connection.execute("CREATE TABLE brand_hours AS SELECT brand, hour, mentions, 1.0 AS coverage FROM none")
        assert brand_verdicts(connection).num_rows == 0
