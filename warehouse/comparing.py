"""Whether two snapshots hold the same rows."""

from pathlib import Path
from typing import NamedTuple

import duckdb

from warehouse.brand_verdicts import KEPT
from warehouse.statements import literal

# They tell how a file came about, and from when on spikes are judged anew: both differ by nature.
APART = ("lake.files", *(f"spare.{name}" for name in KEPT))


class Difference(NamedTuple):
    """A table, view or mart in which two snapshots differ, and how many rows only one of them has."""

    name: str
    only_in_first: int
    only_in_second: int


def differences(first: Path, second: Path) -> list[Difference]:
    """Return where two snapshots differ; row order does not count. What only one of them has is empty in the other."""
    with duckdb.connect() as connection:
        for name, path in (("one", first), ("two", second)):
            connection.execute(f"ATTACH {literal(str(path))} AS {name} (READ_ONLY)")  # it takes no parameters
        there = {name: _names(connection, name) for name in ("one", "two")}
        found = []
        for name in sorted(there["one"] | there["two"]):
            if name in APART:
                continue
            if name in there["one"] and name in there["two"]:
                counts = (_only(connection, name, "one", "two"), _only(connection, name, "two", "one"))
            else:
                counts = tuple(_count(connection, f"{side}.{name}") if name in there[side] else 0 for side in there)
            if any(counts):
                found.append(Difference(name, *counts))
    return found


def _names(connection: duckdb.DuckDBPyConnection, database: str) -> set[str]:
    rows = connection.execute(
        "SELECT table_schema || '.' || table_name FROM information_schema.tables WHERE table_catalog = ?", [database]
    ).fetchall()
    return {name for [name] in rows}


def _only(connection: duckdb.DuckDBPyConnection, name: str, one: str, other: str) -> int:
    connection.execute(f"USE {one}")  # views look for their tables where they are
    return _count(connection, f"(SELECT * FROM {one}.{name} EXCEPT ALL SELECT * FROM {other}.{name})")  # noqa: S608


def _count(connection: duckdb.DuckDBPyConnection, relation: str) -> int:
    [[counted]] = connection.execute(f"SELECT count(*) FROM {relation}").fetchall()  # noqa: S608
    return counted
