"""The snapshot: one DuckDB file, built anew from the lake, in which the data team asks its questions.

Schema `lake` holds the lake's tables as they were loaded, plus `lake.snapshot` (one row: when, of which
nlp_version) and `lake.confusion` (how that nlp_version errs); the schema `main` holds the stable names: views, marts
(stored) and macros, one SQL file each under sql/. All times in it are UTC and of type TIMESTAMP, so that a day is the
same day in every reader's time zone, and Python reads them without pytz.

A new file is built in a folder of its own beside the old one, checked, and renamed over it. Readers that have the
old one open keep reading it; those that come later get the new one; nobody waits for a lock. Publishers of one
database take turns, so that an older view of the lake never replaces a newer one.
"""

import contextlib
import fcntl
import os
import shutil
import time
import uuid
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import pyarrow as pa
import pyarrow.dataset as ds

from warehouse import tables
from warehouse.brand_verdicts import brand_verdicts
from warehouse.confusion import SCHEMA as CONFUSION
from warehouse.confusion import table as table_of_confusion
from warehouse.lake import Lake, LakeError, Scan, Skipped
from warehouse.layout import posts_path
from warehouse.statements import Statement, definitions, statements

STORAGE = "v1.5.0"  # DuckDB 1.5 readers can open it; 2.0's own format they cannot
ROWS_SHOWN = 20  # offending rows that a failed check carries
LISTINGS = 5  # the lake is listed anew when a merge took files away; merges are a daily affair
STAMP = {  # the columns of lake.snapshot
    "published_at": "when it was published",
    "hour": "the hour that was running then, the last of every series",
    "nlp_version": "the version whose mentions it holds",
}


class Published(NamedTuple):
    """What a publish made: rows by table, wall seconds, and what a person should look at (nothing failed)."""

    rows: dict[str, int]
    seconds: float
    warnings: tuple[str, ...]


class CheckFailed(Exception):
    """Rows offend a check: the last good file stays. A retry does not help until the data or the code is mended."""

    def __init__(self, check: str, reason: str, rows: Sequence[dict[str, Any]]) -> None:
        self.check = check
        self.reason = reason
        self.rows = list(rows)
        shown = "; ".join(str(row) for row in self.rows[:3])
        more = " ..." if len(self.rows) > 3 else ""
        super().__init__(f"{check}: {reason}: {shown}{more}")


class DatabaseMissing(Exception):
    """There is no snapshot at this path yet: publish first."""


class DatabaseUnreadable(Exception):
    """The file at this path is damaged, or no snapshot of ours: publishing again replaces it."""


def publish(
    lake: Lake,
    database: Path,
    brands: pa.RecordBatch,
    feeds: pa.RecordBatch,
    nlp_version: str,
    now: datetime,
    confusion: Sequence[Sequence[float]] | None = None,
) -> Published:
    """Build the snapshot of a lake, check it and put it in the place of the last one.

    brands and feeds: BRANDS and FEEDS batches, as listening.toml has them. now: UTC; "the last 30 days" end there.
    confusion: how nlp_version errs about sentiment (warehouse/confusion.py); None if that was not measured.
    Waits while another process publishes the same database. Raises CheckFailed, and OSError, duckdb.Error or LakeError
    where the disk is full or the lake in motion (a retry may help); the last good file stays in each case.
    """
    started = time.monotonic()
    database = database.absolute()
    database.parent.mkdir(parents=True, exist_ok=True)
    with _turn(database), _workplace(database) as folder:
        new = folder / "snapshot.duckdb"
        try:
            rows, warnings = _build(lake, new, brands, feeds, nlp_version, now, table_of_confusion(confusion))
        except duckdb.IOException as error:
            raise OSError(f"{database} cannot be built, the last one stays: {error}") from error
        new.replace(database)
    return Published(rows, time.monotonic() - started, tuple(warnings))


def connect(database: Path) -> duckdb.DuckDBPyConnection:
    """Return a read-only connection to the snapshot as it is now; it never keeps a publisher waiting.

    Close it to see later ones: a process reads the file it opened for as long as it has a connection to it.
    Raises DatabaseMissing where nothing was published yet, DatabaseUnreadable where the file is none of ours.
    """
    if not database.exists():
        raise DatabaseMissing(f"{database} is not there: publish first")
    try:
        connection = duckdb.connect(str(database), read_only=True)
    except duckdb.Error as error:
        raise DatabaseUnreadable(f"{database} is damaged, publish again: {error}") from error
    try:
        connection.execute("SELECT 1 FROM lake.snapshot").fetchall()
    except duckdb.Error as error:
        connection.close()
        raise DatabaseUnreadable(f"{database} holds no snapshot of ours: name another in WOM_DATABASE") from error
    return connection


def _build(
    lake: Lake,
    path: Path,
    brands: pa.RecordBatch,
    feeds: pa.RecordBatch,
    nlp_version: str,
    now: datetime,
    confusion: pa.Table,
) -> tuple[dict[str, int], list[str]]:
    with duckdb.connect(config={"temp_directory": str(path.parent / "spill")}) as connection:
        literal = str(path).replace("'", "''")  # ATTACH takes no parameters
        connection.execute(f"ATTACH '{literal}' AS snapshot (STORAGE_VERSION '{STORAGE}')")
        connection.execute("USE snapshot")
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute("CREATE SCHEMA lake")
        _stamp(connection, nlp_version, now)
        connection.execute("CREATE TABLE lake.confusion AS FROM confusion")
        skipped = _load(connection, lake, brands, feeds, nlp_version)
        connection.execute("BEGIN")  # one commit for hundreds of small statements
        _describe_tables(connection)
        _define(connection)
        connection.execute("COMMIT")
        warnings = [f"{path} was left out: {reason}" for path, reason in skipped]
        if pending := len(lake.pending(nlp_version)):
            warnings.append(f"{pending} posts files have no mentions of nlp_version {nlp_version} yet: enrich them")
        warnings += _check(connection)
        rows = {name: _count(connection, name) for name in _names(connection)}
        connection.execute("USE memory")
        connection.execute("DETACH snapshot")  # writes the last byte into the file
    return rows, warnings


def _stamp(connection: duckdb.DuckDBPyConnection, nlp_version: str, now: datetime) -> None:
    at = now.astimezone(UTC).replace(tzinfo=None)
    connection.execute(
        """
        CREATE TABLE lake.snapshot AS
        SELECT CAST(? AS TIMESTAMP) AS published_at, date_trunc('hour', CAST(? AS TIMESTAMP)) AS hour,
               CAST(? AS VARCHAR) AS nlp_version
        """,
        [at, at, nlp_version],
    )


def _load(
    connection: duckdb.DuckDBPyConnection, lake: Lake, brands: pa.RecordBatch, feeds: pa.RecordBatch, nlp_version: str
) -> list[Skipped]:
    """Fill the schema lake; return the files that could not be read.

    Files may be added and merged meanwhile. Raises LakeError where they move faster than they can be listed.
    """
    given = {"brands": tables.conform(brands, tables.BRANDS), "feeds": tables.conform(feeds, tables.FEEDS)}
    deep = False
    for _ in range(LISTINGS):
        scans = _scans(lake, nlp_version, deep)
        if any(scan.gone for scan in scans.values()):
            continue
        try:
            for one in statements("tables"):
                if one.name not in tables.TABLES:  # worked out from those that arrived
                    connection.execute(f"CREATE OR REPLACE TABLE lake.{one.name} AS {one.text}")
                    continue
                if one.name in given:
                    rows = ds.dataset(pa.Table.from_batches([given[one.name]]))
                else:
                    rows = lake.dataset(one.name, files=scans[one.name].files)
                _store(connection, one, rows)
        except (duckdb.Error, OSError, pa.ArrowException):
            if not any(lake.scan(table, files=scan.files).gone for table, scan in scans.items()):
                if deep:
                    raise
                deep = True  # footers are whole, and something within a file may not be: read all to tell which
            continue
        return [skipped for scan in scans.values() for skipped in scan.skipped]
    raise LakeError(lake.location, f"its files were moved during each of {LISTINGS} listings; try again")


def _scans(lake: Lake, nlp_version: str, deep: bool) -> dict[str, Scan]:
    """Return what can be read of each table. Mentions are listed before posts, so that none lacks its post."""
    mentions = lake.mentions_files(nlp_version)
    scans = {table: lake.scan(table, deep=deep) for table in ("posts", "visits", "rejects", "alerts", "corrections")}
    unreadable = {path for path, _ in scans["posts"].skipped}
    of_readable = [path for path in mentions if posts_path(path) not in unreadable]
    return scans | {"mentions": lake.scan("mentions", files=of_readable, deep=deep)}


def _store(connection: duckdb.DuckDBPyConnection, one: Statement, rows: ds.Dataset) -> None:
    columns = ", ".join(
        f'"{field.name}" AT TIME ZONE \'UTC\' AS "{field.name}"' if field.type == tables.UTC_TIME else f'"{field.name}"'
        for field in tables.TABLES[one.name]
    )
    connection.register("arrived", rows)
    try:
        connection.execute(f"CREATE OR REPLACE TEMP VIEW arrived_{one.name} AS SELECT {columns} FROM arrived")  # noqa: S608
        connection.execute(f"CREATE OR REPLACE TABLE lake.{one.name} AS {one.text}")
    finally:
        connection.execute(f"DROP VIEW IF EXISTS arrived_{one.name}")
        connection.unregister("arrived")


def _describe_tables(connection: duckdb.DuckDBPyConnection) -> None:
    _comment(connection, "TABLE", "lake.snapshot", "what this file is\nGrain: one row")
    for column, doc in STAMP.items():
        _comment(connection, "COLUMN", f"lake.snapshot.{column}", doc)
    _comment(connection, "TABLE", "lake.confusion", "how nlp errs about sentiment\nGrain: a true and a given side")
    for field in CONFUSION:
        _comment(connection, "COLUMN", f"lake.confusion.{field.name}", tables.doc_of(field))
    for one in statements("tables"):
        _comment(connection, "TABLE", f"lake.{one.name}", one.comment)
        for column, doc in (_contract_docs(one.name) | dict(one.columns)).items():
            _comment(connection, "COLUMN", f'lake.{one.name}."{column}"', doc)


def _define(connection: duckdb.DuckDBPyConnection) -> None:
    """Make views, marts and macros, with their comments."""
    for one in definitions():
        if one.kind == "views":
            connection.execute(f"CREATE VIEW {one.name} AS {one.text}")
        elif one.kind == "marts":
            if "verdicts" in one.reads:
                connection.register("verdicts", brand_verdicts(connection))
            connection.execute(f"CREATE TABLE {one.name} AS {one.text}")
            connection.unregister("verdicts")
        else:
            connection.execute(one.text)
            _comment(connection, "MACRO TABLE" if _is_table_macro(one) else "MACRO", one.name, one.comment)
    known = {**_contract_docs("posts"), **_contract_docs("mentions")}
    for one in (*statements("views"), *statements("marts")):
        _comment(connection, "VIEW" if one.kind == "views" else "TABLE", one.name, one.comment)
        for source in sorted(one.reads):
            if source.startswith("lake.") and source.removeprefix("lake.") in tables.TABLES:
                known |= _contract_docs(source.removeprefix("lake."))
        for column in _columns(connection, one.name):
            _comment(connection, "COLUMN", f'{one.name}."{column}"', one.columns.get(column) or known[column])


def _check(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Return what the #warn checks found. Raises CheckFailed at the first #fail check that found rows."""
    warnings = []
    for one in statements("checks"):
        cursor = connection.execute(f"SELECT * FROM ({one.text}) LIMIT {ROWS_SHOWN}")  # noqa: S608
        names = [column[0] for column in cursor.description or ()]
        rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
        if rows and one.severity == "fail":
            raise CheckFailed(one.name, one.title, rows)
        if rows:
            warnings.append(f"{one.title} ({rows[0]}{', and more' if len(rows) > 1 else ''})")
    return warnings


def _is_table_macro(one: Statement) -> bool:
    return " AS TABLE" in one.text


def _contract_docs(table: str) -> dict[str, str]:
    return {field.name: tables.doc_of(field) for field in tables.TABLES.get(table, ())}


def _names(connection: duckdb.DuckDBPyConnection) -> list[str]:
    return [f"lake.{one.name}" for one in statements("tables")] + [
        one.name for one in (*statements("views"), *statements("marts"))
    ]


def _count(connection: duckdb.DuckDBPyConnection, name: str) -> int:
    counted = connection.execute(f"SELECT count(*) FROM {name}").fetchone()  # noqa: S608
    return counted[0] if counted else 0


def _columns(connection: duckdb.DuckDBPyConnection, name: str) -> list[str]:
    return [row[0] for row in connection.execute(f"DESCRIBE {name}").fetchall()]


def _comment(connection: duckdb.DuckDBPyConnection, kind: str, name: str, text: str) -> None:
    literal = text.replace("'", "''")  # COMMENT takes no parameters
    connection.execute(f"COMMENT ON {kind} {name} IS '{literal}'")


@contextlib.contextmanager
def _turn(database: Path) -> Iterator[None]:
    """Hold the only right to publish this database; a killed process lets go of it."""
    with (database.parent / f".{database.name}.lock").open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def _workplace(database: Path) -> Iterator[Path]:
    """Make a folder beside the database, on the same disk, and take it away at the end.

    Whoever has the turn is the only living publisher, so folders that are there already belong to dead ones.
    """
    prefix = f".{database.name}.new-"
    for left_behind in database.parent.glob(f"{prefix.replace('[', '[[]')}*"):
        shutil.rmtree(left_behind, ignore_errors=True)
    folder = database.parent / f"{prefix}{os.getpid()}-{uuid.uuid4().hex[:8]}"
    folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
