"""A lake in a folder with a difficult name, and a snapshot of it."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from warehouse_rows import NOW, VERSION, brands, feeds, rows_of

from warehouse import snapshot
from warehouse.lake import Lake

Ask = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake.open(str(tmp_path / "the team's [lake]"))


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "the team's [lake]" / "word_of_mouse.duckdb"


@pytest.fixture
def publish(lake: Lake, database: Path) -> Callable[..., snapshot.Published]:
    """Publish the lake at NOW; brands and feeds may be given, and how nlp errs."""

    def publish(brand_rows=None, feed_rows=None, now=NOW, confusion=None, **how) -> snapshot.Published:
        told = brands("Quillon") if brand_rows is None else brand_rows
        heard = feeds("town-talk") if feed_rows is None else feed_rows
        return snapshot.publish(lake, database, told, heard, VERSION, now, confusion, **how)

    return publish


@pytest.fixture
def ask(database: Path) -> Iterator[Ask]:
    """Ask the snapshot as it is now: SQL and parameters in, rows as dicts out."""
    connections: list[duckdb.DuckDBPyConnection] = []

    def ask(query: str, *parameters: Any) -> list[dict[str, Any]]:
        while connections:
            connections.pop().close()
        connections.append(snapshot.connect(database))
        return rows_of(connections[0], query, *parameters)

    yield ask
    for connection in connections:
        connection.close()


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A snapshot of a lake without rows, for tests that only look at what it is made of."""
    folder = tmp_path_factory.mktemp("empty")
    snapshot.publish(
        Lake.open(str(folder / "lake")), folder / "empty.duckdb", brands("Quillon"), feeds("town-talk"), VERSION, NOW
    )
    return folder / "empty.duckdb"


@pytest.fixture(scope="session")
def ask_empty(empty_database: Path) -> Iterator[Ask]:
    """Ask the snapshot of a lake without rows."""
    with snapshot.connect(empty_database) as connection:
        yield lambda query, *parameters: rows_of(connection, query, *parameters)
