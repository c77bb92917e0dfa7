"""The names of a snapshot over again, in memory: each shows all of the snapshot's rows, or only those of some parts.

The SQL files know nothing of it: over a part of the rows they give that part of the result, as their `Parts:` promise.

To find the rows of a part takes a look at a column or two of every row of a table, so it is done once for each part:
what is found is where they lie (rowids), and whole rows are read from there.
"""

import contextlib
from collections.abc import Iterator, Sequence

import duckdb

from warehouse.statements import Statement, definitions, statements

BOOKKEEPING = ("file", "as_arrived")  # columns that say where a row came from, and nothing about the world


class World:
    """Made over an attached `snapshot` whose tables and marts are there. Afterwards its names are the current ones.

    Rows of the snapshot may come and go meanwhile; it is not to be checkpointed, which moves those that stay.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection
        self._looks: dict[tuple[str, ...], _Look] = {}
        self._foreseen: dict[tuple[str, ...], list[str]] = {}
        connection.execute("USE memory")
        for schema in ("lake", "narrow", "places", "staging", "touched", "renewed", "changed"):
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
            self._connection.execute(f"CREATE OR REPLACE TABLE narrow.{plain} AS {self.places(name, one)}")
            there = f"rowid IN (FROM memory.narrow.{plain})"
            # OFFSET keeps whatever a statement asks of the rows behind the finding of them, or it would ask it of all
            self._show(name, f"(SELECT * FROM {stored(name)} WHERE {there} OFFSET 0)")  # noqa: S608
        try:
            yield
        finally:
            for name in names:
                self._show(name, stored(name))

    def places(self, name: str, one: Statement, *, of_result: bool = False) -> str:
        """Return a SELECT of where the rows of a stored table lie that belong to the touched parts of a result.

        of_result: the table is that result, rather than what it is made from.
        """
        parts = tuple(part.of_result if of_result else part.of_input for part in one.partition)
        if (look := self._looks.get((name, *parts))) is None:
            look = self._looks[name, *parts] = _Look(self._connection, stored(name), parts, len(self._looks))
        look.find([f"touched.{one.name}", *self._foreseen.get(parts, ())])
        return f"SELECT place FROM {look.found} AS held SEMI JOIN touched.{one.name} AS touched ON {look.agreed}"  # noqa: S608

    def foresee(self, one: Statement, parts: str) -> None:
        """Find these parts of a statement's result too once rows are looked for by what tells them: they are due."""
        foreseen = f"places.foreseen_{one.name}"
        self._connection.execute(f"CREATE TABLE {foreseen} AS {parts}")
        self._foreseen.setdefault(tuple(part.of_input for part in one.partition), []).append(foreseen)

    def _show(self, name: str, source: str) -> None:
        self._connection.execute(f"CREATE OR REPLACE VIEW {name} AS FROM {source}")


class _Look:
    """Where the rows of some parts lie in a table of the snapshot, by expressions over its rows that tell the parts."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, table: str, parts: Sequence[str], number: int) -> None:
        self._connection, self._table = connection, table
        self._known = f"places.known_{number}"
        self.found = f"places.found_{number}"
        self._parts = ", ".join(f"{part} AS part_{place}" for place, part in enumerate(parts))
        same = (f"held.part_{place} IS NOT DISTINCT FROM touched.part_{place}" for place in range(len(parts)))
        self.agreed = " AND ".join(same)
        for name, place in ((self._known, ""), (self.found, ", rowid AS place")):
            connection.execute(f"CREATE TABLE {name} AS SELECT {self._parts}{place} FROM {table} LIMIT 0")  # noqa: S608
        self._end = self._next_place()

    def find(self, parts: Sequence[str]) -> None:
        """Find the rows of parts that were not found yet; each of parts is a relation of them."""
        execute = self._connection.execute
        before, self._end = self._end, self._next_place()
        if before < self._end:  # rows that came since lie behind all others
            self._look(self._known, f"rowid >= {before}")
        every = " UNION ".join(f"FROM {relation}" for relation in parts)
        execute(f"CREATE OR REPLACE TABLE places.sought AS ({every}) EXCEPT FROM {self._known}")
        [[sought]] = execute("SELECT count(*) FROM places.sought").fetchall()
        if sought:
            self._look("places.sought", "true")
            execute(f"INSERT INTO {self._known} FROM places.sought")

    def _next_place(self) -> int:
        [[end]] = self._connection.execute(f"SELECT coalesce(max(rowid) + 1, 0) FROM {self._table}").fetchall()  # noqa: S608
        return end

    def _look(self, sought: str, where: str) -> None:
        self._connection.execute(f"""
            INSERT INTO {self.found}
            SELECT held.*
            FROM (SELECT {self._parts}, rowid AS place FROM {self._table} WHERE {where}) AS held
            SEMI JOIN {sought} AS touched ON {self.agreed}
        """)  # noqa: S608


def stored(name: str) -> str:
    """Return where the snapshot has a table or mart."""
    return f"snapshot.{name}" if "." in name else f"snapshot.main.{name}"


def agreed(one: Statement) -> str:
    """Return the condition that a row of a statement's result belongs to a part in touched.<name>."""
    return " AND ".join(
        f"{part.of_result} IS NOT DISTINCT FROM part_{number}" for number, part in enumerate(one.partition)
    )


def parts_of(relation: str, one: Statement, *, of_result: bool = False, where: str = "true") -> str:
    """Return a SELECT of the parts of a statement's result that rows of a relation belong to."""
    parts = ", ".join(
        f"{part.of_result if of_result else part.of_input} AS part_{number}"
        for number, part in enumerate(one.partition)
    )
    return f"SELECT {parts} FROM {relation} WHERE {where}"  # noqa: S608
