"""What statements read that Python reckons while a snapshot is made: it has a name as long as the statement runs."""

import contextlib
from collections.abc import Iterator

import duckdb

from warehouse.alike_texts import alike_texts
from warehouse.brand_verdicts import verdicts_of_snapshot
from warehouse.spike_rules import Rules
from warehouse.statements import Statement


@contextlib.contextmanager
def reckoned(connection: duckdb.DuckDBPyConnection, one: Statement, rules: Rules) -> Iterator[None]:
    """Give a statement what its header says it reads: `verdicts` (warehouse/brand_verdicts.py) or `alike_texts`."""
    makers = {
        "verdicts": lambda: verdicts_of_snapshot(connection, rules),
        "alike_texts": lambda: alike_texts(connection),
    }
    names = [name for name in makers if name in one.reads]
    for name in names:
        connection.register(name, makers[name]())
    try:
        yield
    finally:
        for name in names:
            connection.unregister(name)
