"""A few brands at a time: what is of one brand rests on nothing of another, so memory need not hold all at once."""

from collections.abc import Iterator

import duckdb

ROWS_AT_ONCE = 2_000_000  # rows that are sorted are wide


def few_brands(connection: duckdb.DuckDBPyConnection, relation: str) -> Iterator[list[str]]:
    """Yield all brands of a relation, by name, as many together as have ROWS_AT_ONCE rows, or one that has more."""
    query = f"SELECT brand, count(*) FROM {relation} GROUP BY brand ORDER BY brand"  # noqa: S608
    together: list[str] = []
    total = 0
    for brand, rows in connection.execute(query).fetchall():
        if together and total + rows > ROWS_AT_ONCE:
            yield together
            together, total = [], 0
        together.append(brand)
        total += rows
    if together:
        yield together
