"""The SQL files under sql/, with what their headers say.

A header is the comment block at a file's top. Its first line names and describes; then come lines that begin with a
word such as `Grain:` or `Reads:`, and `Columns:` with a line for each column. What reads what decides the
order in which they are run, and the header becomes the comments inside the DuckDB file, so it has to be true.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path
from typing import NamedTuple

FOLDER = Path(__file__).parent / "sql"
_COLUMN = re.compile(r"^ {2}(\w+): (.+)$")
_PART = re.compile(r"^([A-Z][a-z]+(?: by)?): *(.*)$")
_ALIAS = re.compile(r"(.+?)(?: AS (\w+))?")
_COMMA = re.compile(r",\s*(?![^()]*\))")  # not within brackets
_NAME = re.compile(r"[a-z_]+(?:\.[a-z_]+)?")


class Part(NamedTuple):
    """One of the values that rows of a stored result have in common with the rows they are made from.

    of_input and of_result: SQL expressions over a row.
    """

    of_input: str
    of_result: str


@dataclass(frozen=True)
class Statement:
    """One SQL file.

    kind: the folder it lies in. title: what the first line says. parts: the header's other lines, by their first
    word. columns: doc of each column that the header describes. severity: fail or warn, of a check.
    """

    kind: str
    name: str
    title: str
    parts: Mapping[str, str]
    columns: Mapping[str, str]
    severity: str
    text: str

    @property
    def reads(self) -> frozenset[str]:
        """Names of tables, views, marts and macros, as far as they look like names; others match nothing."""
        return frozenset(_NAME.findall(self.parts.get("Reads", "")))

    @property
    def partition(self) -> tuple[Part, ...]:
        """Return what `Parts:` says: rows of the result rest only on rows that agree with them in all of these.

        Empty where it says nothing: then every row may rest on every other.
        """
        named = self.parts.get("Parts", "").partition(";")[0]
        told = _COMMA.split(named) if named else []
        found = [match for one in told if (match := _ALIAS.fullmatch(one.strip()))]
        return tuple(Part(match[1], match[2] or match[1]) for match in found)

    @property
    def full_name(self) -> str:
        """Return the name it goes by in SQL."""
        return f"lake.{self.name}" if self.kind == "tables" else self.name

    @property
    def comment(self) -> str:
        """The header in a few lines, for whoever meets the thing in a database tool."""
        lines = [self.title]
        lines += [
            f"{name}: {text}" for name, text in self.parts.items() if name in {"Grain", "Takes", "Method", "Columns"}
        ]
        return "\n".join(lines)


@cache
def statement(kind: str, name: str) -> Statement:
    """Return one SQL file by its folder and name. Raises FileNotFoundError."""
    return parse(kind, name, (FOLDER / kind / f"{name}.sql").read_text(encoding="utf-8"))


@cache
def statements(kind: str) -> tuple[Statement, ...]:
    """Return the files of a folder, those that others of it read before them."""
    found = {path.stem: statement(kind, path.stem) for path in sorted((FOLDER / kind).glob("*.sql"))}
    order = TopologicalSorter({name: _siblings(one, found) for name, one in found.items()}).static_order()
    return tuple(found[name] for name in order)


@cache
def definitions() -> tuple[Statement, ...]:
    """Return the views, marts and macros, which read each other freely, those that others read before them."""
    found = {one.name: one for kind in ("views", "marts", "macros") for one in statements(kind)}
    order = TopologicalSorter({name: sorted(one.reads & found.keys() - {name}) for name, one in found.items()})
    return tuple(found[name] for name in order.static_order())


def stored_inputs(one: Statement) -> frozenset[str]:
    """Return the tables and marts that a statement rests on, be it through views and macros."""
    named = {other.full_name: other for kind in ("tables", "views", "marts", "macros") for other in statements(kind)}
    found, seen, todo = set(), {one.full_name}, set(one.reads)
    while todo:
        name = todo.pop()
        if name in seen:
            continue
        seen.add(name)
        other = named.get(name)
        if name == "lake.snapshot" or (other and other.kind in {"tables", "marts"}):
            found.add(name)
        elif other:
            todo |= other.reads
    return frozenset(found)


def parse(kind: str, name: str, text: str) -> Statement:
    """Return a file's statement and what its header says."""
    header = []
    for line in text.splitlines():
        if not line.startswith("--"):
            break
        header.append(line.removeprefix("--").removeprefix(" "))
    named, _, title = header[0].partition(": ")
    parts: dict[str, str] = {}
    columns: dict[str, str] = {}
    part = ""
    for line in header[1:]:
        if begins := _PART.match(line):
            part = begins[1]
            parts[part] = begins[2]
        elif part == "Columns" and (column := _COLUMN.match(line)):
            columns[column[1]] = column[2]
        elif part:
            parts[part] = f"{parts[part]} {line.strip()}".strip()
        else:
            title = f"{title} {line.strip()}"
    told = {word: text for word, text in parts.items() if text}
    return Statement(kind, name, title, told, columns, named.removeprefix("#"), text)


def _siblings(one: Statement, found: Mapping[str, Statement]) -> list[str]:
    prefix = "lake." if one.kind == "tables" else ""
    return [name for name in found if name != one.name and prefix + name in one.reads]


def literal(text: str) -> str:
    """Return a text as SQL has it, for statements that take no parameters."""
    return "'" + text.replace("'", "''") + "'"
