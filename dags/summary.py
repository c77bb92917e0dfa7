"""What people ask the published file most, as rows for the command line.

The questions are the stable names the data team uses too; nothing here computes what SQL could say.
"""

import contextlib
import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dags.settings import SettingsError

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

Rows = list[dict[str, Any]]


@contextlib.contextmanager
def reading(database: Path) -> Iterator["DuckDBPyConnection"]:
    """Give a read-only connection. Raises DatabaseMissing where nothing was published yet."""
    from warehouse import snapshot

    connection = snapshot.connect(database)
    try:
        yield connection
    finally:
        connection.close()


def ask(database: "DuckDBPyConnection", query: str, parameters: dict[str, Any] | None = None) -> tuple[Rows, list[str]]:
    """Return a query's rows and its columns, in order."""
    cursor = database.execute(query, parameters or {})
    columns = [column[0] for column in cursor.description or ()]
    return [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()], columns


def published_at(database: "DuckDBPyConnection") -> datetime:
    """Return when the file was published, UTC without a zone as all times in it."""
    return ask(database, "SELECT published_at FROM lake.snapshot")[0][0]["published_at"]


def per_brand(database: "DuckDBPyConnection", days: int) -> Rows:
    """Return a row per brand, the most talked about first, with its mentions by day for a picture."""
    since = published_at(database) - timedelta(days=days)
    rows, _ = ask(
        database,
        """
        SELECT told.*, (SELECT list(by_day.n ORDER BY by_day.period) FROM trend(NULL, since := $since) AS by_day
                        WHERE by_day.brand = told.brand) AS n_by_day
        FROM word_of_mouse(NULL, since := $since) AS told
        """,
        {"since": since},
    )
    return rows


def per_day(database: "DuckDBPyConnection", brand: str, days: int) -> Rows:
    """Return a row per day of a brand, the oldest first. Raises SettingsError for a brand the file does not know."""
    known = [row["brand"] for row in ask(database, "SELECT brand FROM brands ORDER BY brand")[0]]
    if brand not in known:
        raise SettingsError(f"no brand {brand!r} in this file; valid: {', '.join(known)}")
    since = published_at(database) - timedelta(days=days)
    return ask(database, "FROM trend($brand, since := $since)", {"brand": brand, "since": since})[0]


def alerts(database: "DuckDBPyConnection", brand: str | None) -> Rows:
    """Return alerts, the newest first, their evidence as an object."""
    rows, _ = ask(
        database,
        "FROM alerts WHERE $brand IS NULL OR brand = $brand ORDER BY opened_at DESC, brand",
        {"brand": brand},
    )
    return [{**row, "evidence": json.loads(row["evidence"])} for row in rows]
