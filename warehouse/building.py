"""Making a snapshot's tables, views, marts and macros from the lake and sql/, with what they are in comments."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

import duckdb
import pyarrow as pa

from warehouse import story_neighbours, tables
from warehouse.arrivals import Arrival, arrived, given, spare, stored_tables
from warehouse.brand_verdicts import KEPT
from warehouse.confusion import SCHEMA as CONFUSION
from warehouse.confusion import table as table_of_confusion
from warehouse.few_brands import few_brands
from warehouse.held_files import HELD, Stamp, as_table
from warehouse.lake import Lake
from warehouse.reckoned import reckoned
from warehouse.spike_rules import DEFAULT, Rules
from warehouse.statements import Statement, definitions, literal, statements

STAMP = {  # the columns of lake.snapshot
    "published_at": "when it was published",
    "hour": "the hour that was running then, the last of every series",
    "nlp_version": "the version whose mentions it holds",
}
ORIGIN = {  # the columns of lake.origin
    "what": "something the snapshot was built from, besides the lake",
    "digest": "which one: another digest, another one",
}
BOOKKEPT = {
    "file": "path of the lake's file that it was read from",
    "as_arrived": "what the file says, where the snapshot shows something else; NULL if it shows the same",
}


class Order(NamedTuple):
    """What a publish is asked to show, besides the lake: see snapshot.publish."""

    brands: pa.RecordBatch
    feeds: pa.RecordBatch
    nlp_version: str
    now: datetime
    confusion: Sequence[Sequence[float]] | None
    rules: Rules = DEFAULT

    @property
    def at(self) -> datetime:
        """Return the time as the file has it."""
        return self.now.astimezone(UTC).replace(tzinfo=None)


def build(
    connection: duckdb.DuckDBPyConnection,
    lake: Lake,
    arrivals: Mapping[str, Arrival],
    order: Order,
    origin: Mapping[str, str],
) -> None:
    """Fill an empty database that is attached as `snapshot`."""
    execute = connection.execute
    execute("USE snapshot")
    for schema in ("lake", "spare"):
        execute(f"CREATE SCHEMA {schema}")
    stamp(connection, order)
    connection.register("told", pa.table({"what": list(origin), "digest": list(origin.values())}))
    execute("CREATE TABLE lake.origin AS FROM told")
    connection.register("told", table_of_confusion(order.confusion))
    execute("CREATE TABLE lake.confusion AS FROM told")
    connection.unregister("told")
    for one in statements("tables"):
        _fill(connection, lake, arrivals, order, one)
    keep_files(connection, arrivals, [])
    execute("BEGIN")  # one commit for hundreds of small statements
    _define(connection, order.rules)
    _describe(connection)
    execute("COMMIT")


def stamp(connection: duckdb.DuckDBPyConnection, order: Order) -> None:
    """Note when the snapshot is published, and of which nlp_version it is."""
    connection.execute(
        """
        CREATE TABLE IF NOT EXISTS snapshot.lake.snapshot (published_at TIMESTAMP, hour TIMESTAMP, nlp_version VARCHAR);
        DELETE FROM snapshot.lake.snapshot
        """
    )
    hour = order.at.replace(minute=0, second=0, microsecond=0)
    connection.execute("INSERT INTO snapshot.lake.snapshot VALUES (?, ?, ?)", [order.at, hour, order.nlp_version])


def keep_files(connection: duckdb.DuckDBPyConnection, arrivals: Mapping[str, Arrival], added: Sequence[str]) -> None:
    """Note which files the snapshot holds now; added: those of them that it was built without."""
    there: dict[str, Stamp] = {}
    for arrival in arrivals.values():
        there |= arrival.there
    connection.register("told", as_table(there, added))
    connection.execute("CREATE TABLE IF NOT EXISTS snapshot.lake.files AS FROM told LIMIT 0")
    connection.execute("DELETE FROM snapshot.lake.files")
    connection.execute("INSERT INTO snapshot.lake.files FROM told")
    connection.unregister("told")


def _fill(
    connection: duckdb.DuckDBPyConnection, lake: Lake, arrivals: Mapping[str, Arrival], order: Order, one: Statement
) -> None:
    if one.name in arrivals:
        with arrived(connection, lake, one.name, list(arrivals[one.name].there), f"arrived_{one.name}"):
            _store(connection, one.full_name, one.text)
            _store(connection, f"spare.{one.name}", spare(one.name))
    elif one.name in tables.TABLES:
        rows = tables.conform(order.brands if one.name == "brands" else order.feeds, tables.TABLES[one.name])
        with given(connection, one.name, rows):
            _store(connection, one.full_name, one.text)
    elif one.name == "story_posts":
        story_neighbours.keep(connection)
        with story_neighbours.alone(connection), reckoned(connection, one, order.rules):
            _store(connection, f"snapshot.{one.full_name}", one.text)
    else:
        with reckoned(connection, one, order.rules):
            _store(connection, one.full_name, one.text)


def _define(connection: duckdb.DuckDBPyConnection, rules: Rules) -> None:
    for one in definitions():
        if one.kind == "views":
            connection.execute(f"CREATE VIEW {one.name} AS {one.text}")
        elif one.kind == "marts":
            if "Built" in one.parts:
                _store_by_brand(connection, one)
                continue
            with reckoned(connection, one, rules):
                _store(connection, one.name, one.text)
        else:
            connection.execute(one.text)


def _store(connection: duckdb.DuckDBPyConnection, name: str, select: str) -> None:
    """Make a table of what a SELECT gives."""
    _create(connection, name, select)
    connection.execute(f"INSERT INTO {name} {select}")


def _store_by_brand(connection: duckdb.DuckDBPyConnection, one: Statement) -> None:
    """Make a mart of opinions a few brands at a time: they lie brand by brand, so each time reads only its own."""
    _create(connection, one.name, one.text)
    for brands in few_brands(connection, "snapshot.main.opinions"):
        first, last = literal(brands[0]), literal(brands[-1])
        connection.execute(
            f"CREATE TEMP VIEW opinions AS FROM snapshot.main.opinions WHERE brand BETWEEN {first} AND {last}"
        )
        connection.execute(f"INSERT INTO {one.name} {one.text}")
        connection.execute("DROP VIEW temp.opinions")


def _create(connection: duckdb.DuckDBPyConnection, name: str, select: str) -> None:
    """Make an empty table for what a SELECT gives.

    Signatures are stored as they are: bytes of chance do not get fewer, and to try takes long. CREATE TABLE AS ...
    LIMIT 0 would do without, but until it is committed, DuckDB 2.0 takes a table made so to be empty whatever is
    inserted.
    """
    told = connection.execute(f"DESCRIBE {select}").fetchall()
    as_it_is = " USING COMPRESSION uncompressed"
    columns = ", ".join(f'"{column}" {kind}{as_it_is if kind == "BLOB" else ""}' for column, kind, *_ in told)
    connection.execute(f"CREATE TABLE {name} ({columns})")


def _describe(connection: duckdb.DuckDBPyConnection) -> None:
    """Say in comments what everything is."""
    columns = _columns(connection)
    comments: list[str] = []

    def tell(kind: str, name: str, text: str, docs: Mapping[str, str] = {}) -> None:
        comments.append(_comment(kind, name, text))
        comments.extend(_comment("COLUMN", f'{name}."{column}"', docs[column]) for column in columns.get(name, ()))

    tell("TABLE", "lake.snapshot", "what this file is\nGrain: one row", STAMP)
    tell("TABLE", "lake.origin", "what this file was built from\nGrain: one row per thing", ORIGIN)
    tell("TABLE", "lake.files", "the files of the lake that this file holds\nGrain: one row per file", HELD)
    errors = {field.name: tables.doc_of(field) for field in CONFUSION}
    tell("TABLE", "lake.confusion", "how nlp errs about sentiment\nGrain: a true and a given side", errors)
    for table in stored_tables():
        title = f"rows of lake.{table} that share a key\nGrain: a row"
        tell("TABLE", f"spare.{table}", title, _contract_docs(table) | BOOKKEPT)
    title = "posts that may tell one story\nGrain: a post"
    tell("TABLE", "spare.neighbourhoods", title, story_neighbours.KEPT)
    for name, docs in KEPT.items():
        title = f"what the next publish judges spikes by: {name}\nGrain: a row"
        tell("TABLE", f"spare.{name}", title, {column: doc for column, (_, doc) in docs.items()})
    for one in statements("tables"):
        tell("TABLE", one.full_name, one.comment, BOOKKEPT | _contract_docs(one.name) | dict(one.columns))
    known = {**_contract_docs("posts"), **_contract_docs("mentions")}
    for one in (*statements("views"), *statements("marts")):
        for source in sorted(one.reads):
            if source.startswith("lake.") and source.removeprefix("lake.") in tables.TABLES:
                known |= _contract_docs(source.removeprefix("lake."))
        tell("VIEW" if one.kind == "views" else "TABLE", one.name, one.comment, known | dict(one.columns))
    for one in statements("macros"):
        tell("MACRO TABLE" if " AS TABLE" in one.text else "MACRO", one.name, one.comment)
    connection.execute(";".join(comments))


def _columns(connection: duckdb.DuckDBPyConnection) -> dict[str, list[str]]:
    """Return the columns of every table and view, by its name as our SQL has it."""
    found = connection.execute(
        """
        SELECT if(schema_name = 'main', '', schema_name || '.') || table_name, list(column_name ORDER BY column_index)
        FROM duckdb_columns() WHERE database_name = 'snapshot' GROUP BY ALL
        """
    ).fetchall()
    return dict(found)


def _contract_docs(table: str) -> dict[str, str]:
    return {field.name: tables.doc_of(field) for field in tables.TABLES.get(table, ())}


def _comment(kind: str, name: str, text: str) -> str:
    return f"COMMENT ON {kind} {name} IS {literal(text)}"  # it takes no parameters
