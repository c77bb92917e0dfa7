"""Bringing a snapshot up to date: what arrived is taken in, what went is let go, and only what rests on it made anew.

Rows that changed touch parts of what is made from them (`Parts:` in the headers of sql/): the same SQL text runs over
the rows of those parts alone, and what it gives takes the place of what was there. Rows that come out as they were
touch nothing further. What has no parts is made anew from the tables in the file; the lake is read for new files only.
"""

import contextlib
from collections.abc import Iterator, Mapping
from datetime import datetime

import duckdb

from warehouse import tables
from warehouse.arrivals import Arrival, arrived, spare
from warehouse.lake import Lake
from warehouse.reckoned import reckoned
from warehouse.spike_rules import DEFAULT, Rules
from warehouse.statements import Statement, definitions, statement, statements, stored_inputs
from warehouse.story_neighbours import Neighbours
from warehouse.world import BOOKKEEPING, World, agreed, parts_of, stored

# What changes of tables without its part's columns touch: statements that read these as changed.<table>.
_TOUCHES = {one.name: one for one in statements("touches")}
_RESTED_ON = frozenset().union(*(stored_inputs(one) for kind in ("tables", "marts") for one in statements(kind)))


class Renewal:
    """One run over an attached `snapshot`, in two steps: prepare only reads it, and run brings it up to date.

    Leaves the touched posts in touched.posts, for the checks.
    """

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, lake: Lake, ran_until: datetime, rules: Rules = DEFAULT
    ) -> None:
        self._connection = connection
        self._lake = lake
        self._rules = rules
        self._ran_until = ran_until  # the hour that was running before
        self._changed: set[str] = set()  # full names of what has other rows now
        self._touched: set[str] = set()  # names of what has parts that had to be made anew
        self.world = World(connection)
        self._neighbours = Neighbours(connection)

    def prepare(self, arrivals: Mapping[str, Arrival]) -> None:
        """Read what arrived, and find what it will touch at the least: that can be done before the snapshot is written.

        Every look at a table costs the same, whether it is for few parts or many.
        """
        for one in statements("tables"):
            if one.name in arrivals:
                self._stage(one.name, arrivals[one.name])
        for one in definitions():
            if "Running" in one.parts:
                self.world.foresee(one, self._running_parts(one))
        stories = statement("tables", "story_posts")
        came = self.world.foresee(
            stories, " UNION ".join(parts_of(f"staging.{name}", stories) for name in ("posts", "mentions"))
        )
        self._neighbours.seek("staging.mentions")
        self._neighbours.widen(came)
        posts, *_ = [self.world.look_ahead(f"lake.{name}", stories) for name in ("posts", "mentions", "story_posts")]
        times = f"SELECT published_at FROM snapshot.lake.posts WHERE rowid IN ({posts})"  # noqa: S608
        # An opinion has its post's time: a number, at which we look far faster than at a name.
        self.world.look_ahead("opinions", statement("marts", "opinions"), among=f"published_at IN ({times})")

    def run(self, arrivals: Mapping[str, Arrival]) -> None:
        """Take in what arrived of each table; lake.snapshot tells the new time already."""
        for one in statements("tables"):
            if one.name in arrivals:
                self._take_in(one, arrivals[one.name])
            elif one.name not in tables.TABLES:
                self._renew(one)
        for one in definitions():
            if one.kind == "marts":
                self._renew(one)

    @contextlib.contextmanager
    def touched_posts(self) -> Iterator[None]:
        """Let the world's names show only the posts that were touched, and what was said in them."""
        posts = statement("tables", "posts")
        self._connection.execute("CREATE TABLE IF NOT EXISTS touched.posts (part_0 VARCHAR)")
        if "mentions" in self._touched:
            self._connection.execute("INSERT INTO touched.posts FROM touched.mentions")
        with self.world.narrowed(["lake.posts", "lake.mentions", "lake.story_posts", "opinions"], posts):
            self._connection.execute("USE memory")
            yield

    def _stage(self, name: str, arrival: Arrival) -> None:
        come, gone = arrival.changes
        with arrived(self._connection, self._lake, name, come, "arriving_rows"):
            self._connection.execute(f"CREATE TABLE staging.{name} AS FROM arriving_rows")
        gone_files = "SELECT unnest(CAST(? AS VARCHAR[])) AS file"
        self._connection.execute(f"CREATE TABLE staging.gone_{name} AS {gone_files}", [gone])

    def _take_in(self, one: Statement, arrival: Arrival) -> None:
        execute, name = self._connection.execute, one.name
        come, gone = arrival.changes
        if not (come or gone or stored_inputs(one) & self._changed):
            return
        is_gone = f"file IN (FROM staging.gone_{name})"
        sources = [parts_of(f"staging.{name}", one)]
        if gone:
            sources += [parts_of(f"snapshot.{schema}.{name}", one, where=is_gone) for schema in ("lake", "spare")]
        if not self._touch(one, sources):
            return
        columns = ", ".join(f'"{field.name}"' for field in tables.TABLES[name])
        same_key = " AND ".join(f'spare."{column}" = held."{column}"' for column in tables.key_of(tables.TABLES[name]))
        execute(f"""
            CREATE TABLE staging.arrived_{name} AS
            SELECT {self._as_arrived(name)}, file
            FROM snapshot.lake.{name} AS held
            WHERE rowid IN ({self.world.places(f"lake.{name}", one, of_result=True)})
              AND NOT ({is_gone}) AND NOT EXISTS (FROM snapshot.spare.{name} AS spare WHERE {same_key})
            UNION ALL
            SELECT {columns}, file
            FROM snapshot.spare.{name}
            SEMI JOIN touched.{name} ON {agreed(one)}
            WHERE NOT ({is_gone})
            UNION ALL
            SELECT {columns}, file
            FROM staging.{name}
        """)  # noqa: S608
        execute(f"CREATE OR REPLACE TEMP VIEW arrived_{name} AS FROM memory.staging.arrived_{name}")
        self._make(one, [source for source in stored_inputs(one) if self._has_parts(source, one)])
        execute("BEGIN")
        execute(f"DELETE FROM snapshot.spare.{name} USING touched.{name} WHERE {agreed(one)}")  # noqa: S608
        execute(f"INSERT INTO snapshot.spare.{name} {spare(name)}")
        execute("COMMIT")
        execute(f"DROP VIEW arrived_{name}")

    def _renew(self, one: Statement) -> None:
        """Make a table or mart anew, as far as what it rests on has changed."""
        inputs = stored_inputs(one)
        if not one.partition:
            if inputs & (self._changed | {"lake.snapshot"}):
                self._make(one, None)
            return
        unparted = [source for source in inputs & self._changed if not self._has_parts(source, one)]
        if unparted and one.name not in _TOUCHES:
            self._make(one, None)
        elif self._touch(one, [_TOUCHES[one.name].text] if unparted else []):
            self._make(one, [source for source in inputs if self._has_parts(source, one)])
            if one.name == "story_posts":
                self._neighbours.renew("touched.story_posts", self.world.places("lake.mentions", one))

    def _touch(self, one: Statement, sources: list[str]) -> bool:
        """Note the parts that have to be made anew; return whether there are any."""
        every = list(sources)
        for source in sorted(stored_inputs(one) & self._changed):
            if self._has_parts(source, one):
                every.append(parts_of(f"changed.{source.removeprefix('lake.')}", one))
        if "Running" in one.parts:
            every.append(self._running_parts(one))
        if not every:
            return False
        selects = " UNION ".join(f"({select})" for select in every)
        self._connection.execute(f"CREATE OR REPLACE TABLE touched.{one.name} AS {selects}")
        self._touched.add(one.name)
        if one.name == "story_posts":
            if "lake.mentions" in self._changed:
                self._neighbours.seek("changed.mentions")
            self._neighbours.widen("touched.story_posts")
        [[touched]] = self._connection.execute(f"SELECT count(*) FROM touched.{one.name}").fetchall()  # noqa: S608
        return touched > 0

    def _running_parts(self, one: Statement) -> str:
        clock = one.parts["Running"].partition(";")[0]
        at = f"{clock} = TIMESTAMP '{self._ran_until}'"
        return parts_of(stored(one.full_name), one, of_result=True, where=at)

    def _has_parts(self, source: str, one: Statement) -> bool:
        try:
            self._connection.execute(f"DESCRIBE {parts_of(stored(source), one)}").fetchall()
        except duckdb.BinderException:
            return False
        return True

    def _as_arrived(self, table: str) -> str:
        """Return the contract's columns of stored rows as they were in the lake."""
        told = self._connection.sql(f"FROM snapshot.lake.{table} LIMIT 0")
        types = dict(zip(told.columns, told.types, strict=True))
        kept = {name for name, _ in types["as_arrived"].children} if "as_arrived" in types else set()
        return ", ".join(
            f'CASE WHEN as_arrived IS NULL THEN held."{name}" ELSE as_arrived."{name}" END AS "{name}"'
            if name in kept
            else f'held."{name}"'
            for name in tables.TABLES[table].names
        )

    def _make(self, one: Statement, narrow: list[str] | None) -> None:
        """Run a statement over the touched parts of what it rests on and put its rows in the place of those there were.

        narrow: what has such parts; None: over all.
        """
        with self.world.narrowed(narrow or [], one), reckoned(self._connection, one, self._rules):
            self._connection.execute(f"CREATE OR REPLACE TABLE renewed.{one.name} AS {one.text}")
        self._replace(one, whole=narrow is None)

    def _replace(self, one: Statement, *, whole: bool) -> None:
        execute, name, target = self._connection.execute, one.name, stored(one.full_name)
        names = [row[0] for row in execute(f"DESCRIBE {target}").fetchall()]
        columns = ", ".join(f'"{column}"' for column in names)
        said = ", ".join(f'"{column}"' for column in names if column not in BOOKKEEPING)
        where = "true" if whole else f"rowid IN ({self.world.places(one.full_name, one, of_result=True)})"
        [[differing]] = execute(f"""
            CREATE OR REPLACE TABLE renewed.difference AS
            SELECT {columns}, max(place) AS place, bool_or(is_new) AS is_new
            FROM (
                SELECT {columns}, rowid AS place, false AS is_new FROM {target} WHERE {where}
                UNION ALL
                SELECT {columns}, NULL, true FROM renewed.{name}
            )
            GROUP BY {columns}
            HAVING count(DISTINCT is_new) = 1
        """).fetchall()  # noqa: S608
        if not differing:
            return
        execute("BEGIN")
        execute(f"DELETE FROM {target} WHERE rowid IN (SELECT place FROM renewed.difference WHERE NOT is_new)")  # noqa: S608
        execute(f"INSERT INTO {target} ({columns}) SELECT {columns} FROM renewed.difference WHERE is_new")  # noqa: S608
        execute("COMMIT")
        self.world.grew(one.full_name)
        if one.full_name not in _RESTED_ON:
            return
        [[changed]] = execute(f"""
            CREATE OR REPLACE TABLE changed.{name} AS
            SELECT {said}
            FROM renewed.difference
            GROUP BY {said}
            HAVING count(DISTINCT is_new) = 1
        """).fetchall()  # noqa: S608
        if changed:
            self._changed.add(one.full_name)
