"""Running the checks of sql/checks over a snapshot before anybody sees it."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

import duckdb

from warehouse.renewing import Renewal
from warehouse.statements import Statement, statements

ROWS_SHOWN = 20  # offending rows that are told


def offences(
    connection: duckdb.DuckDBPyConnection, renewal: Renewal | None
) -> Iterator[tuple[Statement, list[dict[str, Any]]]]:
    """Yield the checks that found rows, and these.

    renewal: what was made anew, where not all was. Checks that look at each row by itself (`Scope: rows`) then look at
    the posts that were touched; the others passed before.
    """
    every = statements("checks")
    if renewal is None:
        yield from _found(connection, every)
        return
    with renewal.touched_posts():
        yield from _found(connection, [one for one in every if _is_of_rows(one)])
    connection.execute("USE snapshot")
    yield from _found(connection, [one for one in every if not _is_of_rows(one)])


def _is_of_rows(one: Statement) -> bool:
    return one.parts.get("Scope") == "rows"


def _found(
    connection: duckdb.DuckDBPyConnection, checks: Sequence[Statement]
) -> Iterator[tuple[Statement, list[dict[str, Any]]]]:
    for one in checks:
        cursor = connection.execute(f"SELECT * FROM ({one.text}) LIMIT {ROWS_SHOWN}")  # noqa: S608
        columns = [column[0] for column in cursor.description or ()]
        rows = [dict(zip(columns, map(_as_told, row), strict=True)) for row in cursor.fetchall()]
        if rows:
            yield one, rows


def in_words(row: Mapping[str, Any]) -> str:
    """Return an offending row as a message tells it: post_id = 'b', hour = 2026-11-20 10:00:00."""
    return ", ".join(f"{column} = {'NULL' if value is None else repr(value)}" for column, value in row.items())


def _as_told(value: Any) -> Any:
    """Return a value as a person reads it; Python shows a time as a call."""
    return str(value) if isinstance(value, date) else value
