"""The detector's verdicts on the hours of brands, and of aspects and sources of them, while a snapshot is built.

A series is all that is said of a brand; or what is said of it at one source; or what speaks against one aspect of it,
beside all that is said of it. Aspects at one source are none: on made-up brands they found no storm that the aspect or
the source had not found, and doubled the false ones. False discoveries are kept few over all series at once. Series
that never had as many negative mentions within a day as a spike needs are not judged, but count among those looked at.
"""

import contextlib
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import ArrayLike, NDArray

from warehouse import spikes
from warehouse.spike_memory import Memory
from warehouse.spike_rules import DEFAULT, Rules
from warehouse.statements import statement

# Deviates that a part must show more: a brand has dozens, which together must not err more than it does itself. Fewer
# where all that is said of the brand scores BACKED_FROM or more. Set on the made-up brands of test_spike_speed.py.
PARTS_COST, BACKED_COST = 2.25, 1.0
BACKED_FROM = 3.0
OPEN_DAYS = 2  # before today, whose hours are judged each time: feeds that were down are first looked at late
KEPT = {  # tables of the schema spare, with their columns: type and doc
    "learned": {
        "day": ("BIGINT", "the day, since 1970, up to whose begin hours were judged for good"),
        "digest": ("VARCHAR", "of what that rests on"),
        "of_brands": ("BLOB", "what was learned of brands, as warehouse/spike_memory.py packs it"),
        "of_parts": ("BLOB", "what was learned of their aspects and sources"),
    },
    "verdicts": {
        "brand": ("VARCHAR", "the brand"),
        "aspect": ("VARCHAR", "the aspect; NULL: all"),
        "source": ("VARCHAR", "the source; NULL: all"),
        "hour": ("TIMESTAMP", "its start, UTC; before learned.day"),
        "is_paged": ("BOOLEAN", "sure enough to wake somebody"),
        "window_hours": ("BIGINT", "length of the window that tells most"),
        "negatives": ("DOUBLE", "negative mentions in it"),
        "expected": ("DOUBLE", "negative mentions that were expected there"),
        "mentions": ("DOUBLE", "all mentions in it"),
        "expected_share": ("DOUBLE", "the negative share that was expected"),
        "score": ("DOUBLE", "standard deviations"),
    },
}
EARLY = 100  # mentions that had a first look, before the share that comes late is believed


def brand_verdicts(connection: duckdb.DuckDBPyConnection, rules: Rules = DEFAULT) -> pa.Table:
    """Return a row for each hour that spikes.

    brand, aspect and source (None: all), hour, is_paged, window_hours, what was seen in it and what expected, score.
    """
    return Counted.of(connection, rules.negatives_at_least).verdicts(rules)


def verdicts_of_snapshot(connection: duckdb.DuckDBPyConnection, rules: Rules) -> pa.Table:
    """Return the same for the snapshot that is being made, and keep in it what to go on from next time.

    What was learned and told up to OPEN_DAYS ago holds as long as the rows it rests on are the same.
    """
    series = judged_series(connection, rules.negatives_at_least)
    [[today]] = connection.execute("SELECT epoch(hour) // 86_400 FROM lake.snapshot").fetchall()
    until = int(today) - OPEN_DAYS
    for name, columns in KEPT.items():
        told = ", ".join(f"{column} {kind}" for column, (kind, _) in columns.items())
        connection.execute(f"CREATE TABLE IF NOT EXISTS snapshot.spare.{name} ({told})")
    memories = None
    kept = connection.execute("SELECT day, digest, of_brands, of_parts FROM snapshot.spare.learned").fetchall()
    for day, digest, of_brands, of_parts in kept:
        if day <= until and digest == _digest(connection, series, day):
            memories = Memory.unpacked(of_brands), Memory.unpacked(of_parts)
    counted = Counted.of_series(connection, series, memories[0].day if memories else None)
    found, learned = counted.verdicts_on(rules, memories, until)
    if memories:
        before = connection.sql("FROM snapshot.spare.verdicts").to_arrow_table()
        found = pa.concat_tables([before.cast(found.schema), found])
    if not memories or memories[0].day < until:
        row = [until, _digest(connection, series, until), *(memory.packed() for memory in learned)]
        connection.execute("DELETE FROM snapshot.spare.learned")
        connection.execute("INSERT INTO snapshot.spare.learned VALUES (?, ?, ?, ?)", row)
        connection.execute("DELETE FROM snapshot.spare.verdicts")
        with _registered(connection, "found", found):
            connection.execute("INSERT INTO snapshot.spare.verdicts FROM found WHERE hour < ?", [_hour(until)])
    return found


def judged_series(connection: duckdb.DuckDBPyConnection, negatives_at_least: int) -> pa.Table:
    """Return the series that are judged, in order; negatives_at_least: what a spike needs within a day."""
    asked = {"negatives": negatives_at_least, "early": EARLY}
    return connection.sql(statement("queries", "judged_series").text, params=asked).to_arrow_table()


class Counted(NamedTuple):
    """The hours of each series that may spike: its number, hours since 1970, and what was said (NaN: not heard).

    series: a row for each, with its names. unjudged: how many more were looked at, and had too little to show.
    """

    series: pa.Table
    unjudged: int
    number: NDArray[np.int64]
    since_1970: NDArray[np.int64]
    mentions: NDArray[np.float64]
    negatives: NDArray[np.float64]

    @classmethod
    def of(cls, connection: duckdb.DuckDBPyConnection, negatives_at_least: int) -> "Counted":
        """Return them as a snapshot has them; negatives_at_least: what a spike needs within a day."""
        return cls.of_series(connection, judged_series(connection, negatives_at_least), None)

    @classmethod
    def of_series(cls, connection: duckdb.DuckDBPyConnection, series: pa.Table, day: int | None) -> "Counted":
        """Return those of series, from a day (since 1970) on; None: all."""
        with _registered(connection, "judged_series", series):
            asked = {"since": None if day is None else _hour(day)}
            hours = connection.sql(statement("queries", "series_hours").text, params=asked).to_arrow_table()
        unjudged = series["series_in_all"][0].as_py() - len(series) if len(series) else 0
        return cls(series, unjudged, *(column.to_numpy() for column in hours.columns))

    def verdicts(self, rules: Rules) -> pa.Table:
        """Return a row for each hour that spikes by these rules, as brand_verdicts does."""
        return self.verdicts_on(rules, None, spikes.NO_DAY)[0]

    def verdicts_on(
        self, rules: Rules, memories: tuple[Memory, Memory] | None, until: int
    ) -> tuple[pa.Table, tuple[Memory, Memory]]:
        """Return the same, and the memories of brands and of their parts when the day `until` begins.

        memories: of what was before these hours, as spikes.judge_on has them; None where there is nothing.
        """
        brands, brand = np.unique(self.series["brand"].to_numpy(), return_inverse=True)
        whole = np.array([aspect is None and source is None for aspect, source in self._parts()], dtype=bool)
        row, series = self.number - 1, len(whole)
        of_whole, of_part = np.flatnonzero(whole[row]), np.flatnonzero(~whole[row])
        before = memories or (None, None)
        wholes, of_brands = self._judged(of_whole, 0.0, series - len(brands), rules, before[0], until)
        key = brand[row].astype(np.int64) << 32 | self.since_1970  # in order, as wholes come first, brand by brand
        backing = np.nan_to_num(wholes.score)[np.searchsorted(key[of_whole], key[of_part])]
        cost = np.where(backing >= BACKED_FROM, BACKED_COST, PARTS_COST)
        parts, of_parts = self._judged(of_part, cost, len(brands), rules, before[1], until)
        return pa.concat_tables([self._told(of_whole, wholes), self._told(of_part, parts)]), (of_brands, of_parts)

    def _judged(
        self, rows: NDArray[np.int64], cost: ArrayLike, others: int, rules: Rules, memory: Memory | None, until: int
    ) -> tuple[spikes.Verdicts, Memory]:
        judged = spikes.Rows(
            self.number[rows],
            self.since_1970[rows],
            self.mentions[rows],
            self.negatives[rows],
            np.broadcast_to(np.asarray(cost), rows.shape),
        )
        return spikes.judge_on(judged, self.unjudged + others, rules, memory, until)

    def _told(self, rows: NDArray[np.int64], found: spikes.Verdicts) -> pa.Table:
        told = np.flatnonzero(found.told)
        named = self.series.select(["brand", "aspect", "source"]).take(pa.array(self.number[rows[told]] - 1))
        seconds = pa.array(self.since_1970[rows[told]] * 3600, type=pa.int64())
        return pa.table(
            {
                **{name: named[name] for name in named.column_names},
                "hour": seconds.cast(pa.timestamp("s")).cast(pa.timestamp("us")),
                "is_paged": found.paged[told],
                "window_hours": found.window[told],
                "negatives": found.negatives[told],
                "expected": found.expected[told],
                "mentions": found.mentions[told],
                "expected_share": found.expected_share[told],
                "score": found.score[told],
            }
        )

    def _parts(self) -> list[tuple[str | None, str | None]]:
        return list(zip(self.series["aspect"].to_pylist(), self.series["source"].to_pylist(), strict=True))


def _digest(connection: duckdb.DuckDBPyConnection, series: pa.Table, day: int) -> str:
    """Return a digest of what the verdicts before a day (since 1970) rest on."""
    with _registered(connection, "judged_series", series):
        [[digest]] = connection.execute(statement("queries", "judged_before").text, {"until": _hour(day)}).fetchall()
    return digest


def _hour(day: int) -> datetime:
    return datetime(1970, 1, 1) + timedelta(days=day)  # noqa: DTZ001 - as the snapshot has times


@contextlib.contextmanager
def _registered(connection: duckdb.DuckDBPyConnection, name: str, rows: pa.Table) -> Iterator[None]:
    connection.register(name, rows)
    try:
        yield
    finally:
        connection.unregister(name)
