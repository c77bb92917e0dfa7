"""The brands that a person's question names: a macro answers for one that it does not know with no rows at all.

DuckDB tells how a query is built as JSON (json_serialize_sql); what of it is read here is that of DuckDB 2.
"""

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


def brands_asked_for(database: "DuckDBPyConnection", query: str) -> list[str]:
    """Return the texts given for the argument `brand` of the file's macros, in their order.

    Empty where the query has none, gives them otherwise than as texts, or is built in a way that DuckDB does not tell
    (PIVOT, EXPLAIN, PRAGMA).
    """
    takers = database.execute(
        "SELECT lower(function_name), list_position(parameters, 'brand') - 1 FROM duckdb_functions() "
        "WHERE function_type = 'table_macro' AND NOT internal AND list_contains(parameters, 'brand')"
    ).fetchall()
    built = database.execute("SELECT json_serialize_sql($query)", {"query": query}).fetchall()
    return list(_given(json.loads(built[0][0]), dict(takers)))


def _given(node: Any, place_of: Mapping[str, int]) -> Iterator[str]:
    """Yield the texts given for `brand` within a part of a query; place_of: its place among a macro's arguments."""
    match node:
        case {"function_name": str(name), "arguments": [*arguments]} if name.lower() in place_of:
            for place, argument in enumerate(arguments):
                is_brand = argument["name"].lower() == "brand" if argument["name"] else place == place_of[name.lower()]
                match argument:
                    case {"expression": {"literal": {"kind": "STRING", "text": str(text)}}} if is_brand:
                        yield text
                    case _:
                        yield from _given(argument, place_of)
        case dict():
            for part in node.values():
                yield from _given(part, place_of)
        case list():
            for part in node:
                yield from _given(part, place_of)
