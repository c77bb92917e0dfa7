"""What people ask the published file most, as rows for the command line.

The questions are the stable names the data team uses too; nothing here computes what SQL could say.
"""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dags.asked_brands import brands_asked_for
from dags.settings import SettingsError

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection, DuckDBPyRelation

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
    """Return what one query of a person's own gives, and its columns.

    Times with a zone are in UTC; intervals are DuckDB's text for them, and so is what holds times with a zone.
    Raises SettingsError for what refuse_unanswerable refuses, and for what DuckDB says against it.
    """
    import duckdb

    refuse_unanswerable(database, query)
    try:
        relation = database.sql(query)
        columns, rows = distinct(relation.columns), recast(relation, _for_python).fetchall()
        return [dict(zip(columns, row, strict=True)) for row in rows], columns
    except duckdb.Error as error:
        raise SettingsError(f"DuckDB: {error}") from error


def recast(relation: "DuckDBPyRelation", other: Callable[[str, str], str | None]) -> "DuckDBPyRelation":
    """Return a relation whose columns are what other(type, quoted name) says instead, where it says something."""
    told = []
    for name, type_ in zip(relation.columns, relation.types, strict=True):
        quoted = '"{}"'.format(name.replace('"', '""'))
        if expression := other(str(type_), quoted):
            told.append(f"{expression} AS {quoted}")
    return relation.project(f"* REPLACE ({', '.join(told)})") if told else relation


def _for_python(type_: str, column: str) -> str | None:
    """Return what Python gets instead of intervals, whose months it does not know, and of times with a zone, for which
    DuckDB needs pytz.
    """
    if type_ == "TIMESTAMP WITH TIME ZONE":
        return f"{column} AT TIME ZONE 'UTC'"
    if type_ == "INTERVAL" or "TIMESTAMP WITH TIME ZONE" in type_:
        return f"CAST({column} AS VARCHAR)"
    return None


def refuse_unanswerable(database: "DuckDBPyConnection", query: str) -> None:
    """Raise SettingsError where it is no query, several, one that writes, or about a brand that nobody listened for."""
    import duckdb

    kind = duckdb.StatementType
    try:
        found = [statement.type for statement in database.extract_statements(query)]
    except duckdb.Error as error:
        raise SettingsError(f"DuckDB: {error}") from error
    if len(found) != 1 or found[0] not in (kind.SELECT, kind.EXPLAIN, kind.PRAGMA, kind.MULTI):  # MULTI: PIVOT
        raise SettingsError("write one SELECT (or FROM, SHOW, DESCRIBE, SUMMARIZE, EXPLAIN): this only reads")
    for brand in brands_asked_for(database, query):
        _refuse_unknown(database, brand)


def _refuse_unknown(database: "DuckDBPyConnection", brand: str) -> None:
    """Raise SettingsError for a brand that listening.toml did not name when the file was published, nor ever before."""
    named = "SELECT brand FROM brands UNION SELECT brand FROM brand_days UNION SELECT brand FROM alerts ORDER BY brand"
    found, _ = ask(database, named)
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
