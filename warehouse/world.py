"""The names of a snapshot over again, in memory: each shows all of the snapshot's rows, or only those of some parts.

The SQL files know nothing of it: over a part of the rows they give that part of the result, as their `Parts:` promise.
"""

import contextlib
from collections.abc import Iterator, Sequence

import duckdb

from warehouse.statements import Statement, definitions, statements

BOOKKEEPING = ("file", "as_arrived")  # columns that say where a row came from, and nothing about the world


class World:
    """Made over an attached `snapshot` whose tables and marts are there. Afterwards its names are the current ones."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection
        connection.execute("USE memory")
        for schema in ("lake", "narrow", "staging", "touched", "renewed", "changed"):
            connection.execute(f"CREATE SCHEMA {schema}")
        for name in ("lake.snapshot", "lake.confusion", *(one.full_name for one in statements("tables"))):
            self._show(name, f"snapshot.{name}")
        for one in definitions():
            if one.kind == "marts":
                self._show(one.name, f"snapshot.main.{one.name}")
            elif one.kind == "views":
                connection.execute(f"CREATE VIEW {one.name} AS {one.text}")
            else:
                connection.execute(one.text)

    @contextlib.contextmanager
    def narrowed(self, names: Sequence[str], one: Statement) -> Iterator[None]:
        """Let each of these show only the rows that belong to the touched parts of a statement's result."""
        for name in names:
            plain = name.removeprefix("lake.")
            self._connection.execute(
                f"CREATE OR REPLACE TABLE narrow.{plain} AS {touched_rows(name, one, of_result=False)}"
            )
            self._show(name, f"memory.narrow.{plain}")
        try:
            yield
        finally:
            for name in names:
                self._show(name, stored(name))

    def _show(self, name: str, source: str) -> None:
        self._connection.execute(f"CREATE OR REPLACE VIEW {name} AS FROM {source}")


def stored(name: str) -> str:
    """Return where the snapshot has a table or mart."""
    return f"snapshot.{name}" if "." in name else f"snapshot.main.{name}"


def touched_rows(name: str, one: Statement, *, of_result: bool, also: str = "") -> str:
    """Return a SELECT of a stored table's rows that belong to the touched parts of a statement's result.

    of_result: the table is that result, rather than what it is made from. also: a column to add.
    """
    return f"""
        SELECT held.*{also}
        FROM {stored(name)} AS held
        SEMI JOIN touched.{one.name} ON {agreed(one, of_result=of_result)}
    """  # noqa: S608


def agreed(one: Statement, *, of_result: bool) -> str:
    """Return the condition that a row belongs to a part in touched.<name>; of_result as touched_rows has it."""
    return " AND ".join(
        f"{part.of_result if of_result else part.of_input} IS NOT DISTINCT FROM part_{number}"
        for number, part in enumerate(one.partition)
    )


def parts_of(relation: str, one: Statement, *, of_result: bool = False, where: str = "true") -> str:
    """Return a SELECT of the parts of a statement's result that rows of a relation belong to."""
    parts = ", ".join(
        f"{part.of_result if of_result else part.of_input} AS part_{number}"
        for number, part in enumerate(one.partition)
    )
    return f"SELECT {parts} FROM {relation} WHERE {where}"  # noqa: S608
