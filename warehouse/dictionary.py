"""What the DuckDB file holds, told by the comments in it: as Markdown, and as a source of dbt.

The comments come from tables.py and from the headers of the SQL files, so what is told is true of the very file.
"""

import json
from collections.abc import Iterable
from typing import NamedTuple

import duckdb

CHAPTERS = {  # kind -> what is said above its things
    "view": "Stable names for what was said and heard, as it stands now.",
    "mart": "Stored results, stable names too.",
    "macro": "Questions with arguments: `FROM trend('Acme', grain := 'week')`.",
    "function": "Single values, as the macros use them.",
    "table": "Behind them: what the lake holds, each row once, older readings and versions too. For a closer look.",
}
_NAMED_BY_US = "NOT internal AND schema_name IN ('main', 'lake') AND database_name = current_database()"


class Column(NamedTuple):
    """A column: its name, its type as DuckDB has it, and what it holds."""

    name: str
    type: str
    doc: str


class Entry(NamedTuple):
    """One thing that can be asked.

    kind: a key of CHAPTERS. name: as SQL takes it. title: what it is. parts: the rest of its comment (Grain, Takes,
    Method, Columns), in order. columns: empty for macros, whose columns a part tells.
    """

    kind: str
    name: str
    title: str
    parts: dict[str, str]
    columns: list[Column]


def entries(connection: duckdb.DuckDBPyConnection) -> list[Entry]:
    """Return all that a snapshot holds for others to read, in the order of CHAPTERS, then by name."""
    columns: dict[str, list[Column]] = {}
    for name, *column in _asked(
        connection,
        f"""
        SELECT {_full_name("table_name")}, column_name, data_type, coalesce(comment, '')
        FROM duckdb_columns() WHERE {_NAMED_BY_US} ORDER BY schema_name, table_name, column_index
        """,  # noqa: S608
    ):
        columns.setdefault(name, []).append(Column(*column))
    found = _asked(
        connection,
        f"""
        SELECT 'view', view_name, comment FROM duckdb_views() WHERE {_NAMED_BY_US}
        UNION ALL
        SELECT if(schema_name = 'lake', 'table', 'mart'), {_full_name("table_name")}, comment
        FROM duckdb_tables() WHERE {_NAMED_BY_US}
        UNION ALL
        SELECT if(function_type = 'macro', 'function', 'macro'),
               function_name || '(' || array_to_string(parameters, ', ') || ')', comment
        FROM duckdb_functions()
        WHERE {_NAMED_BY_US} AND function_type IN ('macro', 'table_macro')
        """,  # noqa: S608
    )
    order = list(CHAPTERS)
    return sorted(
        (Entry(kind, name, *_told(comment or ""), columns.get(name, [])) for kind, name, comment in found),
        key=lambda entry: (order.index(entry.kind), entry.name),
    )


def markdown(found: Iterable[Entry]) -> str:
    """Return entries as one Markdown page, a chapter a kind."""
    lines = ["# Data dictionary", "", "Times are UTC. What is not known is NULL."]
    chapter = ""
    for entry in found:
        if entry.kind != chapter:
            chapter = entry.kind
            lines += ["", f"## {chapter.capitalize()}s", "", CHAPTERS[chapter]]
        lines += ["", f"### {entry.name}", "", _sentence(entry.title)]
        for name, text in entry.parts.items():
            lines += ["", f"{name}: {text}"]
        if entry.columns:
            lines += ["", "| column | type | what it holds |", "|---|---|---|"]
            lines += [f"| `{one.name}` | {_cell(one.type)} | {_cell(one.doc)} |" for one in entry.columns]
    return "\n".join(lines) + "\n"


def dbt_sources(found: Iterable[Entry], database: str) -> str:
    """Return the views and marts as a dbt `sources.yml`; database: the name that the file is attached under.

    Texts are in JSON's quotes, which YAML reads alike.
    """
    lines = ["version: 2", "sources:", "  - name: word_of_mouse", f"    database: {json.dumps(database)}"]
    lines += ["    schema: main", "    tables:"]
    for entry in found:
        if entry.kind not in {"view", "mart"}:
            continue
        about = " ".join([_sentence(entry.title), *(f"{name}: {text}" for name, text in entry.parts.items())])
        lines += [f"      - name: {entry.name}", f"        description: {_quoted(about)}", "        columns:"]
        for column in entry.columns:
            lines += [f"          - name: {column.name}", f"            data_type: {_quoted(column.type)}"]
            lines += [f"            description: {_quoted(column.doc)}"]
    return "\n".join(lines) + "\n"


def _asked(connection: duckdb.DuckDBPyConnection, query: str) -> list[tuple[str, ...]]:
    return connection.execute(query).fetchall()


def _full_name(column: str) -> str:
    return f"if(schema_name = 'main', {column}, schema_name || '.' || {column})"


def _told(comment: str) -> tuple[str, dict[str, str]]:
    """Return the title of a comment and its other lines by their first word."""
    title, *lines = comment.split("\n")
    parts = dict(line.split(": ", 1) for line in lines if ": " in line)
    return title, parts


def _sentence(title: str) -> str:
    return f"{title[:1].upper()}{title[1:].rstrip('.')}."


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
