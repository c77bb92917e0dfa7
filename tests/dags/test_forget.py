"""A person asks to be forgotten, as an operator does it: what goes, what stays, and that it does not come back."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import scripted_source
from scripted_source import item
from typer.testing import CliRunner

from dags import stages
from dags.author_key import author_key
from dags.cli import app
from dags.forgetting import StillPublished
from dags.settings import SettingsError
from listeners.feed import Rejected
from listeners.post import to_page
from listeners.pseudonym import pseudonym
from listeners.registry import SOURCES
from warehouse import snapshot
from warehouse.tables import ERASURES, MENTIONS

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
TOML = '[[brand]]\nname = "Acme"\n[[feed]]\nid = "a"\nsource = "scripted"\n'
WORDS = "Acme drowned my goldfish and laughed"


@pytest.fixture
def settings(settings_of, monkeypatch):
    monkeypatch.setitem(SOURCES, "scripted", "scripted_source")
    return settings_of(TOML)


def page(visit):
    items = [
        item(visit, 1001, WORDS, url="https://x.example/ann/1001"),
        item(visit, 1002, "Acme is fine", account="bob", parent_id="scripted:1001"),
        item(visit, 1003, "Acme again", url="https://x.example/ann/1003"),
    ]
    made = to_page(visit, items, lambda row: row, cursor="1001")
    return made.__class__(made.posts, made.cursor, (Rejected("TypeError: 'ann'", f"<b>{WORDS}</b>"),))


def collect(settings, at=NOW):
    scripted_source.script[:] = [page]
    [visit] = stages.collect(settings, now=lambda: at)
    return dict(visit["left_out"])


def publish(settings, at=NOW):
    """Publish, with a mention of Acme in every post that has none yet."""
    lake = stages.open_lake(settings)
    for path in lake.pending(stages.version_of(settings)):
        rows = [
            dict.fromkeys(MENTIONS.names)
            | {name: row[name] for name in ("post_id", "version", "source", "published_at", "fetched_at")}
            | {"brand": "Acme", "matched_as": "alias", "certainty": 0.9, "sentiment": -1, "experience": "unknown"}
            | {"stage": "unknown", "entities": [], "nlp_version": stages.version_of(settings)}
            for row in lake.read(path).to_pylist()
        ]
        lake.write_mentions(path, stages.version_of(settings), pa.RecordBatch.from_pylist(rows, schema=MENTIONS))
    return stages.publish(settings, now=lambda: at)


def ann(settings):
    return pseudonym(author_key(settings), "scripted")("ann")


def everything(settings) -> str:
    """All that the lake's folder holds, in bytes and as Parquet and DuckDB read it."""
    files = [path for path in Path(settings.lake).rglob("*") if path.is_file()]
    found = [path.read_bytes().decode("latin-1") for path in files]
    found += [str(pq.ParquetFile(path).read().to_pylist()) for path in files if path.suffix == ".parquet"]
    for path in (path for path in files if path.suffix == ".duckdb"):
        with duckdb.connect(str(path), read_only=True) as database:
            tables = database.execute("SELECT schema_name, table_name FROM duckdb_tables()").fetchall()
            found += [str(database.execute(f'FROM "{schema}"."{name}"').fetchall()) for schema, name in tables]
    return "\n".join(found).lower()


def traces(settings):
    found = everything(settings)
    return {trace for trace in ("goldfish", "x.example/ann", "scripted:1001", ann(settings)) if trace in found}


def posts(settings):
    lake = stages.open_lake(settings)
    return sorted(row["post_id"] for path in lake.files("posts") for row in lake.read(path).to_pylist())


def test_a_person_leaves_lake_and_duckdb_file_and_does_not_come_back(settings):
    collect(settings)
    publish(settings)
    publish(settings, NOW + timedelta(minutes=1))
    assert snapshot.previous(settings.database).exists()
    assert len(traces(settings)) == 4
    done = stages.forget(settings, "scripted:ann", now=lambda: NOW + timedelta(minutes=5))
    assert traces(settings) == set()
    assert (done.erased.counts["posts"], done.rebuilt) == (2, True)
    assert not snapshot.previous(settings.database).exists()
    with snapshot.connect(settings.database) as database:
        assert database.execute("SELECT sum(mentions) FROM brand_days").fetchall() == [(1,)]
        assert database.execute("SELECT brand, mentions_change FROM erasures").fetchall() == [("Acme", -2)]
    assert collect(settings, NOW + timedelta(hours=1)) == {"forgotten": 2, "already stored": 1, "rejected": 1}
    assert posts(settings) == ["scripted:1002"]
    assert traces(settings) == set()
    assert all(row["is_genuine"] for row in stages.erasures(settings))


def test_a_duckdb_file_that_cannot_be_built_anew_is_told(settings, monkeypatch):
    collect(settings)
    publish(settings)
    monkeypatch.setattr(snapshot, "publish", lambda *_, **__: (_ for _ in ()).throw(OSError("the disk is full")))
    with pytest.raises(StillPublished, match=r"word_of_mouse.duckdb does until a publish succeeds.*the disk is full"):
        stages.forget(settings, "scripted:ann")


@pytest.mark.parametrize("asked", ["scripted:1003", "https://x.example/ann/1003", "scripted:1003 "])
def test_a_post_is_named_by_id_or_url(settings, asked):
    collect(settings)
    stages.forget(settings, asked)
    assert posts(settings) == ["scripted:1001", "scripted:1002"]
    assert collect(settings, NOW + timedelta(hours=1))["forgotten"] == 1


@pytest.mark.parametrize("spelling", ["scripted:ann", "scripted:@ann", "scripted:Ann", "the pseudonym"])
def test_an_author_is_named_as_on_the_network_or_as_in_the_table(settings, spelling):
    collect(settings)
    done = stages.forget(settings, ann(settings) if spelling == "the pseudonym" else spelling)
    assert (done.target.name, posts(settings)) == (ann(settings), ["scripted:1002"])


def test_who_was_never_heard_can_be_forgotten_beforehand(settings):
    done = stages.forget(settings, "scripted:ann")
    assert done.is_empty
    collect(settings)
    assert posts(settings) == ["scripted:1002"]


def test_what_fits_several_posts_or_nothing_is_refused(settings):
    collect(settings)
    with pytest.raises(SettingsError, match="fits several posts: scripted:1001, scripted:1002"):
        stages.forget(settings, "scripted:100")
    with pytest.raises(SettingsError, match=r"names no account.*hackernews"):
        stages.forget(settings, "nowhere:ann")
    with pytest.raises(SettingsError, match="no post in the lake is by"):
        stages.forget(settings, "0" * 32)
    assert stages.erasures(settings) == []


def test_what_slipped_in_goes_when_the_house_is_tidied(settings):
    collect(settings)
    stages.forget(settings, "scripted:ann")
    lake = stages.open_lake(settings)
    assert lake.folder
    [path] = lake.files("erasures")
    told = (lake.folder / path).read_bytes()
    lake.remove([path])  # as for a run that began before
    collect(settings, NOW + timedelta(hours=1))
    (lake.folder / path).write_bytes(told)
    assert stages.tidy(settings)["forgotten_rows_removed"] >= 2
    assert posts(settings) == ["scripted:1002"]
    assert stages.tidy(settings)["forgotten_rows_removed"] == 0


@pytest.fixture
def wom(settings, monkeypatch):
    monkeypatch.setenv("WOM_CONFIG", str(settings.source_file))
    monkeypatch.setenv("WOM_LAKE", settings.lake)
    return lambda *arguments, **more: CliRunner().invoke(app, list(arguments), **more)


def test_it_is_shown_and_asked_before_anything_goes(settings, wom):
    collect(settings)
    planned = wom("forget", "scripted:ann", "--dry-run")
    assert (planned.exit_code, "2  readings of posts" in planned.stdout) == (0, True)
    refused = wom("forget", "scripted:ann", input="n\n")
    assert (refused.exit_code, len(posts(settings))) == (1, 3)
    assert isinstance(wom("forget", "scripted:ann", "--json").exception, SettingsError)
    done = wom("forget", "scripted:ann", "--json", "--yes")
    assert (done.exit_code, json.loads(done.stdout)["counts"]["posts"]) == (0, 2)
    again = wom("forget", "scripted:ann", "--yes")
    assert (again.exit_code, "was forgotten before" in again.stdout) == (0, True)


def test_an_erasure_that_somebody_changed_is_told(settings, wom):
    collect(settings)
    stages.forget(settings, "scripted:ann")
    assert wom("erasures").exit_code == 0
    lake = stages.open_lake(settings)
    [path] = lake.files("erasures")
    rows = [row | {"posts_change": 0} for row in lake.read(path).to_pylist()]
    lake.replace("erasures", pa.Table.from_pylist(rows, schema=ERASURES), path)
    told = wom("erasures", "--json")
    assert (told.exit_code, [row["is_genuine"] for row in json.loads(told.stdout)]) == (1, [False])
