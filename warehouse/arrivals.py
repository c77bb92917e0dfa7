"""What arrives in a snapshot from the lake: the files of each table that can be read, as relations of DuckDB.

A statement of sql/tables reads the rows of its table as `arrived_<table>`: the columns of the contract, times as UTC
without a zone, and `file`, the path of the file that a row lies in.
"""

import contextlib
import glob
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import duckdb
import pyarrow as pa

from warehouse import tables
from warehouse.held_files import Changes, Stamp, changes, stamps
from warehouse.lake import Lake, Skipped
from warehouse.layout import posts_path, version_of
from warehouse.nearby import Nearby
from warehouse.statements import literal, statements

GIVEN = ("brands", "feeds")  # these come from listening.toml, the others from files of the lake


class Unreadable(Exception):
    """Something went wrong while files were read; cause tells what.

    is_about_room: the disk is full, and no file is to blame.
    """

    def __init__(self, cause: Exception) -> None:
        super().__init__(str(cause))
        self.cause = cause
        self.is_about_room = "no space left" in str(cause).lower()


class Arrival(NamedTuple):
    """The files of one table: how they lie in the lake, what to take in and let go, and what cannot be read."""

    there: dict[str, Stamp]
    changes: Changes
    skipped: list[Skipped]
    moved: bool  # files went while they were listed: list anew


def stored_tables() -> list[str]:
    """Return the tables that come from files of the lake, those that others read before them."""
    return [one.name for one in statements("tables") if one.name in tables.TABLES and one.name not in GIVEN]


def listed(
    lake: Lake, near: Nearby, nlp_version: str, held: Mapping[str, Mapping[str, Stamp]], *, deep: bool
) -> dict[str, Arrival]:
    """Return what arrives of each table, given the files that are held of it, and bring it near.

    Mentions are listed before posts, so that none lacks its post. deep: every byte of what comes is read, which finds
    damage within too.
    """
    found, settled_before = {}, 0
    for table in ("mentions", *(name for name in stored_tables() if name != "mentions")):
        files, since = lake.listing(table)
        settled_before = max(settled_before, since)  # time goes on, whichever table tells of it
        found[table] = stamps(files, settled_before)
    found["mentions"] = {path: stamp for path, stamp in found["mentions"].items() if version_of(path) == nlp_version}
    arrivals: dict[str, Arrival] = {}
    for table in stored_tables():
        if table == "mentions":
            unreadable = {path for path, _ in arrivals["posts"].skipped}
            found[table] = {path: one for path, one in found[table].items() if posts_path(path) not in unreadable}
        arrivals[table] = _scanned(near, table, found[table], held.get(table, {}), deep=deep)
    return arrivals


def _scanned(near: Nearby, table: str, there: Mapping[str, Stamp], held: Mapping[str, Stamp], *, deep: bool) -> Arrival:
    come = changes(held, there).come
    near.bring({path: there[path] for path in come})
    scan = near.lake.scan(table, files=come, deep=deep)
    unread = {path for path, _ in scan.skipped} | set(scan.gone)
    sound = {path: stamp for path, stamp in there.items() if path not in unread}
    return Arrival(sound, changes(held, sound), scan.skipped, bool(scan.gone))


@contextlib.contextmanager
def arrived(
    connection: duckdb.DuckDBPyConnection, lake: Lake, table: str, files: Sequence[str], name: str
) -> Iterator[None]:
    """Give the rows of a table's files a name for a while; each scan reads the files anew.

    Raises Unreadable in the place of whatever goes wrong meanwhile, but for want of memory.
    """
    none = tables.TABLES[table].empty_table()  # gives the contract's columns, those that files are too old to have too
    rows = f"(FROM arriving UNION ALL BY NAME {_of_files(lake, files)})"
    try:
        with _named(connection, name, none, f"{_columns(table)}, file", rows):
            yield
    except duckdb.OutOfMemoryException:  # says nothing about the files
        raise
    except (duckdb.Error, OSError, pa.ArrowException) as error:
        raise Unreadable(error) from error


@contextlib.contextmanager
def given(connection: duckdb.DuckDBPyConnection, table: str, batch: pa.RecordBatch) -> Iterator[None]:
    """Name the rows of a table that comes from listening.toml."""
    with _named(connection, f"arrived_{table}", pa.Table.from_batches([batch]), _columns(table), "arriving"):
        yield


def spare(table: str) -> str:
    """Return a SELECT of the rows that arrived under a key under which others did too.

    The snapshot shows one of each key, and needs the others when the file with that one goes.
    """
    key = ", ".join(f'"{column}"' for column in tables.key_of(tables.TABLES[table]))
    return f"""
        SELECT *
        FROM arrived_{table}
        WHERE hash({key}) IN (SELECT hash({key}) FROM arrived_{table} GROUP BY ALL HAVING count(*) > 1)
        QUALIFY count(*) OVER (PARTITION BY {key}) > 1
    """  # noqa: S608


@contextlib.contextmanager
def _named(
    connection: duckdb.DuckDBPyConnection, name: str, rows: pa.Table, columns: str, source: str
) -> Iterator[None]:
    connection.register("arriving", rows)
    try:
        connection.execute(f"CREATE OR REPLACE TEMP VIEW {name} AS SELECT {columns} FROM {source}")  # noqa: S608
        yield
    finally:
        connection.execute(f"DROP VIEW IF EXISTS {name}")
        connection.unregister("arriving")


def _of_files(lake: Lake, files: Sequence[str]) -> str:
    """Return a SELECT of the rows of files, each with its path in the lake as `file`."""
    if not files:
        return "SELECT '' AS file WHERE false"
    here = f"{lake.folder}/"
    paths = ", ".join(literal(glob.escape(here + path)) for path in files)
    return f"""
        SELECT * EXCLUDE (filename), substr(filename, {len(here) + 1}) AS file
        FROM read_parquet([{paths}], union_by_name = true, filename = true, hive_partitioning = false)
    """  # noqa: S608


def _columns(table: str) -> str:
    return ", ".join(map(_without_zone, tables.TABLES[table]))


def _without_zone(field: pa.Field) -> str:
    at = " AT TIME ZONE 'UTC'" if field.type == tables.UTC_TIME else ""
    return f'"{field.name}"{at} AS "{field.name}"'
