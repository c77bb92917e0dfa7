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

    Of views and macros it has those that tables, marts and checks read.

    Rows of the snapshot may come and go meanwhile, and a copy of it may take its place; it is not to be checkpointed,
    which moves the rows that stay.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection
        self._looks: dict[tuple[str, ...], _Look] = {}
        self._foreseen: dict[tuple[str, ...], list[str]] = {}
        self._ends: dict[str, int] = {}
        connection.execute("USE memory")
        for schema in ("lake", "narrow", "places", "staging", "touched", "renewed", "changed"):
            connection.execute(f"CREATE SCHEMA {schema}")
        for name in ("lake.snapshot", "lake.confusion", *(one.full_name for one in statements("tables"))):
            self._show(name, f"snapshot.{name}")
        read = _read()
        for one in definitions():
            if one.kind == "marts":
                self._show(one.name, f"snapshot.main.{one.name}")
            elif one.name in read and one.kind == "views":
                connection.execute(f"CREATE VIEW {one.name} AS {one.text}")
            elif one.name in read:
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
        look = self._look(name, parts, [f"touched.{one.name}"])
        return f"SELECT place FROM {look.found} AS held SEMI JOIN touched.{one.name} AS touched ON {look.agreed}"  # noqa: S608

    def foresee(self, one: Statement, parts: str) -> str:
        """Find these parts of a statement's result too once rows are looked for by what tells them: they are due.

        Returns the table that they are kept in; more can be added before there is such a look.
        """
        foreseen = f"places.foreseen_{one.name}"
        self._connection.execute(f"CREATE TABLE {foreseen} AS {parts}")
        self._foreseen.setdefault(tuple(part.of_input for part in one.partition), []).append(foreseen)
        return foreseen

    def look_ahead(self, name: str, one: Statement, among: str = "true") -> str:
        """Find the rows of a stored table that belong to foreseen parts of a statement's input.

        among: a condition that they all meet. Returns a SELECT of where the rows that were found lie.
        """
        return f"SELECT place FROM {self._look(name, tuple(part.of_input for part in one.partition), [], among).found}"  # noqa: S608

    def _look(self, name: str, parts: tuple[str, ...], sought: Sequence[str], among: str = "true") -> "_Look":
        end = self._end(name)
        if (look := self._looks.get((name, *parts))) is None:
            look = self._looks[name, *parts] = _Look(self._connection, stored(name), parts, len(self._looks), end)
        look.find([*sought, *self._foreseen.get(parts, ())], among, end)
        return look

    def grew(self, name: str) -> None:
        """Note that a stored table may have more rows than before: they lie behind all others."""
        self._ends.pop(name, None)

    def _end(self, name: str) -> int:
        """Return the place behind a stored table's last row."""
        if name not in self._ends:
            [[last]] = self._connection.execute(f"SELECT coalesce(max(rowid), -1) FROM {stored(name)}").fetchall()  # noqa: S608
            self._ends[name] = last + 1
        return self._ends[name]

    def _show(self, name: str, source: str) -> None:
        self._connection.execute(f"CREATE OR REPLACE VIEW {name} AS FROM {source}")


class _Look:
    """Where the rows of some parts lie in a table of the snapshot, by expressions over its rows that tell the parts."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, table: str, parts: Sequence[str], number: int, end: int
    ) -> None:
        self._connection, self._table, self._end = connection, table, end
        self._known = f"places.known_{number}"
        self.found = f"places.found_{number}"
        self._parts = ", ".join(f"{part} AS part_{place}" for place, part in enumerate(parts))
        same = (f"held.part_{place} IS NOT DISTINCT FROM touched.part_{place}" for place in range(len(parts)))
        self.agreed = " AND ".join(same)
        for name, place in ((self._known, ""), (self.found, ", rowid AS place")):
            connection.execute(f"CREATE TABLE {name} AS SELECT {self._parts}{place} FROM {table} LIMIT 0")  # noqa: S608

    def find(self, parts: Sequence[str], among: str, end: int) -> None:
        """Find the rows of parts that were not found yet; each of parts is a relation of them.

        among: a condition that all rows of new parts meet. end: the place behind the table's last row.
        """
        execute = self._connection.execute
        before, self._end = self._end, end
        if before < end:  # rows that came since
            self._look(self._known, f"rowid >= {before}")
        every = " UNION ".join(f"FROM {relation}" for relation in parts)
        [[sought]] = execute(f"CREATE OR REPLACE TABLE places.sought AS ({every}) EXCEPT FROM {self._known}").fetchall()
        if sought:
            self._look("places.sought", among)
            execute(f"INSERT INTO {self._known} FROM places.sought")

    def _look(self, sought: str, where: str) -> None:
        self._connection.execute(f"""
            INSERT INTO {self.found}
            SELECT held.*
            FROM (SELECT {self._parts}, rowid AS place FROM {self._table} WHERE {where}) AS held
            SEMI JOIN {sought} AS touched ON {self.agreed}
        """)  # noqa: S608


def _read() -> set[str]:
    """Return what tables, marts and checks read, be it through views and macros: the others are not missed here."""
    named = {one.name: one for one in definitions()}
    found: set[str] = set()
    todo = {name for kind in ("tables", "marts", "checks") for one in statements(kind) for name in one.reads}
    while todo:
        found |= todo
        todo = {name for one in todo & named.keys() for name in named[one].reads} - found
    return found


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
