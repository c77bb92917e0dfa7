"""The detector's verdicts on the hours of brands, for the mart negative_spikes while a snapshot is built.

Who complains all day is one complaint: of an author's mentions on one day, the first of each side counts, in its hour.
So nobody raises a storm alone, and no hour's counts change with what is said later.
"""

import duckdb
import numpy as np
import pyarrow as pa

from warehouse import spikes

HOURS = """
    WITH said AS (
        SELECT brand, min(hour) AS hour, sentiment
        FROM opinions
        WHERE known_until IS NULL
        GROUP BY brand, speaker, CAST(hour AS DATE), sentiment
    ), counted AS (
        SELECT brand, hour, count(*) AS mentions, count(*) FILTER (sentiment = -1) AS negatives
        FROM said
        GROUP BY ALL
    )
    SELECT brand, hour, CAST(dense_rank() OVER (ORDER BY brand) AS BIGINT) AS series, epoch(hour) // 3600 AS since_1970,
           coalesce(counted.mentions, 0) AS mentions, coalesce(counted.negatives, 0) AS negatives,
           brand_hours.mentions = 0 AND coalesce(brand_hours.coverage, 1) = 0 AS is_unheard
    FROM brand_hours
    LEFT JOIN counted USING (brand, hour)
    ORDER BY brand, hour
"""


def brand_verdicts(connection: duckdb.DuckDBPyConnection) -> pa.Table:
    """Return a row for each of brand_hours: brand, hour, told, window_hours, what was seen in it and expected, score.

    An hour of which nothing came while every visit failed was not heard. One whose posts came later was.
    """
    hours = connection.sql(HOURS).to_arrow_table()
    series, hour, mentions, negatives, unheard = (
        hours[name].to_numpy() for name in ("series", "since_1970", "mentions", "negatives", "is_unheard")
    )
    mentions, negatives = (np.where(unheard, np.nan, counts) for counts in (mentions, negatives))
    found = spikes.judge(series, hour, mentions, negatives)
    return pa.table(
        {
            "brand": hours["brand"],
            "hour": hours["hour"],
            "told": found.told,
            "window_hours": found.window,
            "negatives": found.negatives,
            "expected": found.expected,
            "mentions": found.mentions,
            "expected_share": found.expected_share,
            "score": found.score,
        }
    )
