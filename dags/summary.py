"""What people ask the published file most, as rows for the command line.

The questions are the stable names the data team uses too; nothing here computes what SQL could say.
"""

import contextlib
from collections.abc import Iterator, Sequence
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
    columns = distinct([column[0] for column in cursor.description or ()])
    return [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()], columns


def answer(database: "DuckDBPyConnection", query: str) -> tuple[Rows, list[str]]:
    """Return what one query of a person's own gives; times with a zone in UTC.

    Raises SettingsError where it is no query, several, or one that writes, and for what DuckDB says against it.
    """
    import duckdb

    refuse_all_but_a_query(database, query)
    try:
        shape = database.execute(query).description or ()
        zoned = [name for name, type_, *_ in shape if type_ == duckdb.type("TIMESTAMP WITH TIME ZONE")]
        if zoned:  # DuckDB needs pytz to give Python such times
            as_utc = ", ".join(f'"{name}" AT TIME ZONE \'UTC\' AS "{name}"' for name in zoned)
            query = f"SELECT * REPLACE ({as_utc}) FROM ({query.rstrip().rstrip(';')})"  # noqa: S608 it is the person's own
        return ask(database, query)
    except duckdb.Error as error:
        raise SettingsError(f"DuckDB: {error}") from error


def refuse_all_but_a_query(database: "DuckDBPyConnection", query: str) -> None:
    """Raise SettingsError where it is no query, several, or one that writes."""
    import duckdb

    kind = duckdb.StatementType
    try:
        found = [statement.type for statement in database.extract_statements(query)]
    except duckdb.Error as error:
        raise SettingsError(f"DuckDB: {error}") from error
    if len(found) != 1 or found[0] not in (kind.SELECT, kind.EXPLAIN, kind.PRAGMA, kind.MULTI):  # MULTI: PIVOT
        raise SettingsError("write one SELECT (or FROM, SHOW, DESCRIBE, SUMMARIZE, EXPLAIN): this only reads")


def _refuse_unknown(database: "DuckDBPyConnection", brand: str) -> None:
    """Raise SettingsError for a brand that listening.toml did not name when the file was published, nor any alert."""
    found, _ = ask(database, "SELECT brand FROM brands UNION SELECT brand FROM alerts ORDER BY brand")
    known = [row["brand"] for row in found]
    if brand not in known:
        raise SettingsError(f"no brand {brand!r} in this file; valid: {', '.join(known)}")


def distinct(names: list[str]) -> list[str]:
    """Return column names with the second "n" called "n_2"."""
    met: dict[str, int] = {}
    for place, name in enumerate(names):
        met[name] = met.get(name, 0) + 1
        if met[name] > 1:
            names[place] = f"{name}_{met[name]}"
    return names


def published_at(database: "DuckDBPyConnection") -> datetime:
    """Return when the file was published, UTC without a zone as all times in it."""
    return ask(database, "SELECT published_at FROM lake.snapshot")[0][0]["published_at"]


def per_brand(database: "DuckDBPyConnection", days: int) -> Rows:
    """Return a row per brand, the most talked about first, with its mentions by day for a picture."""
    since = published_at(database) - timedelta(days=days)
    rows, _ = ask(
        database,
        """
        SELECT told.*, (SELECT list(by_day.n ORDER BY by_day.period)
                        FROM trend(NULL, since := $since, unit := 'mention') AS by_day
                        WHERE by_day.brand = told.brand) AS n_by_day
        FROM word_of_mouse(NULL, since := $since, unit := 'mention') AS told
        """,
        {"since": since},
    )
    return rows


def per_day(database: "DuckDBPyConnection", brand: str, days: int) -> Rows:
    """Return a row per day of a brand, the oldest first. Raises SettingsError for a brand the file does not know."""
    _refuse_unknown(database, brand)
    since = published_at(database) - timedelta(days=days)
    query = "FROM trend($brand, since := $since, unit := 'mention')"
    return ask(database, query, {"brand": brand, "since": since})[0]


def alerts(database: "DuckDBPyConnection", brand: str | None, states: Sequence[str] | None = None) -> Rows:
    """Return alerts, the newest first, their evidence as an object; only those in one of these states, if any is given.

    Raises SettingsError for an unknown brand or state.
    """
    from warehouse.alert_states import STATES, evidence_in

    if brand is not None:
        _refuse_unknown(database, brand)
    if strays := [state for state in states or () if state not in STATES]:
        raise SettingsError(f"no alert is {', '.join(strays)}; valid states: {', '.join(STATES)}")
    rows, _ = ask(
        database,
        """
        FROM alerts
        WHERE ($brand IS NULL OR brand = $brand) AND ($states IS NULL OR list_contains($states, state))
        ORDER BY opened_at DESC, brand
        """,
        {"brand": brand, "states": list(states) if states else None},
    )
    return [{**row, "evidence": evidence_in(row)} for row in rows]
