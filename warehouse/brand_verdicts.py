"""The detector's verdicts on the hours of brands, and of aspects and sources of them, while a snapshot is built.

A series is all that is said of a brand; or what is said of it at one source; or what speaks against one aspect of it,
beside all that is said of it. Aspects at one source are none: on made-up brands they found no storm that the aspect or
the source had not found, and doubled the false ones. False discoveries are kept few over all series at once. Series
that never had as many negative mentions within a day as a spike needs are not judged, but count among those looked at.
"""

from typing import NamedTuple

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import ArrayLike, NDArray

from warehouse import spikes
from warehouse.spike_rules import DEFAULT, Rules
from warehouse.statements import statement

# Deviates that a part must show more: a brand has dozens, which together must not err more than it does itself. Fewer
# where all that is said of the brand scores BACKED_FROM or more. Set on the made-up brands of test_spike_speed.py.
PARTS_COST, BACKED_COST = 2.25, 1.0
BACKED_FROM = 3.0
EARLY = 100  # mentions that had a first look, before the share that comes late is believed


def brand_verdicts(connection: duckdb.DuckDBPyConnection, rules: Rules = DEFAULT) -> pa.Table:
    """Return a row for each hour that spikes.

    brand, aspect and source (None: all), hour, is_paged, window_hours, what was seen in it and what expected, score.
    """
    return Counted.of(connection, rules.negatives_at_least).verdicts(rules)


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
        series = connection.sql(
            statement("queries", "judged_series").text, params={"negatives": negatives_at_least, "early": EARLY}
        ).to_arrow_table()
        connection.register("judged_series", series)
        try:
            hours = connection.sql(statement("queries", "series_hours").text).to_arrow_table()
        finally:
            connection.unregister("judged_series")
        unjudged = series["series_in_all"][0].as_py() - len(series) if len(series) else 0
        return cls(series, unjudged, *(column.to_numpy() for column in hours.columns))

    def verdicts(self, rules: Rules) -> pa.Table:
        """Return a row for each hour that spikes by these rules, as brand_verdicts does."""
        brands, brand = np.unique(self.series["brand"].to_numpy(), return_inverse=True)
        whole = np.array([aspect is None and source is None for aspect, source in self._parts()], dtype=bool)
        row, series = self.number - 1, len(whole)
        of_whole, of_part = np.flatnonzero(whole[row]), np.flatnonzero(~whole[row])
        wholes = self._judged(of_whole, 0.0, series - len(brands), rules)
        key = brand[row].astype(np.int64) << 32 | self.since_1970  # in order, as wholes come first, brand by brand
        backing = np.nan_to_num(wholes.score)[np.searchsorted(key[of_whole], key[of_part])]
        parts = self._judged(of_part, np.where(backing >= BACKED_FROM, BACKED_COST, PARTS_COST), len(brands), rules)
        return pa.concat_tables([self._told(of_whole, wholes), self._told(of_part, parts)])

    def _judged(self, rows: NDArray[np.int64], cost: ArrayLike, others: int, rules: Rules) -> spikes.Verdicts:
        return spikes.judge(
            self.number[rows],
            self.since_1970[rows],
            self.mentions[rows],
            self.negatives[rows],
            cost=cost,
            unjudged=self.unjudged + others,
            rules=rules,
        )

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
