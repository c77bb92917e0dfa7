"""A lake in a folder with a difficult name, and a snapshot of it."""

import functools
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from together import tellings
from warehouse_rows import NOW, VERSION, brands, feeds, rows_of, store_pairs

from warehouse import snapshot
from warehouse.lake import Lake

Ask = Callable[..., list[dict[str, Any]]]
Fill = Callable[[Lake], None]
DATABASE = "word_of_mouse.duckdb"
BRANDS, FEEDS = brands("Quillon"), feeds("town-talk")


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake.open(str(tmp_path / "the team's [lake]"))


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "the team's [lake]" / DATABASE


@pytest.fixture
def publish(lake: Lake, database: Path) -> Callable[..., snapshot.Published]:
    """Publish the lake at NOW; brands and feeds may be given, and how nlp errs."""

    def publish(brand_rows=None, feed_rows=None, now=NOW, confusion=None, **how) -> snapshot.Published:
        told = BRANDS if brand_rows is None else brand_rows
        heard = FEEDS if feed_rows is None else feed_rows
        return snapshot.publish(lake, database, told, heard, VERSION, now, confusion, **how)

    return publish


@pytest.fixture(scope="session")
def publish_once(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Fill], Path]:
    """Return the folder of a lake that is filled and published at NOW the first time this is asked for."""

    @functools.cache
    def publish_once(fill: Fill) -> Path:
        folder = tmp_path_factory.mktemp("once")
        lake = Lake.open(str(folder))
        fill(lake)
        snapshot.publish(lake, folder / DATABASE, BRANDS, FEEDS, VERSION, NOW)
        return folder

    return publish_once


@pytest.fixture
def publish_with(publish_once: Callable[[Fill], Path], database: Path) -> Callable[[Fill], None]:
    """Fill the lake and publish it at NOW, by a copy of one that was."""

    def publish_with(fill: Fill) -> None:
        shutil.copytree(publish_once(fill), database.parent, dirs_exist_ok=True)

    return publish_with


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


@pytest.fixture(scope="module")
def finish(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], None]]:
    """Let the module's tests that are `together` tell; publish it with one more brand, "Silent"; go on with each."""
    folder = tmp_path_factory.mktemp("together")
    lake = Lake.open(str(folder / "lake"))
    brand_of = {name: name.removeprefix("test_").replace("_", " ") for name in tellings(request.module)}
    told = {name: telling(brand_of[name]) for name, telling in tellings(request.module).items()}
    for name, telling in told.items():
        store_pairs(lake, next(telling), brand_of[name], name)
    snapshot.publish(lake, folder / DATABASE, brands("Silent", *brand_of.values()), FEEDS, VERSION, NOW)
    with snapshot.connect(folder / DATABASE) as connection:

        def finish(name: str) -> None:
            with pytest.raises(StopIteration):
                told[name].send(lambda query, *parameters: rows_of(connection, query, *parameters))

        yield finish


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A snapshot of a lake without rows, for tests that only look at what it is made of."""
    folder = tmp_path_factory.mktemp("empty")
    snapshot.publish(Lake.open(str(folder / "lake")), folder / "empty.duckdb", BRANDS, FEEDS, VERSION, NOW)
    return folder / "empty.duckdb"


@pytest.fixture(scope="session")
def ask_empty(empty_database: Path) -> Iterator[Ask]:
    """Ask the snapshot of a lake without rows."""
    with snapshot.connect(empty_database) as connection:
        yield lambda query, *parameters: rows_of(connection, query, *parameters)
