"""Answers as files: whole, of the types they had, and only of what is asked."""

import csv
import json
from datetime import UTC, datetime

import duckdb
import pyarrow.parquet as pq
import pytest

from dags.exporting import export
from dags.settings import SettingsError

QUERY = """
    SELECT 1 AS n, 'a "b", c' AS text, NULL AS nothing, '' AS empty, ['x', 'y'] AS list, {'a': 1.5::DOUBLE} AS struct,
           MAP {'k': 2} AS map, TIMESTAMPTZ '2026-11-21 10:00+02' AS at, INTERVAL 1 DAY AS lasts,
           'e'::ENUM ('e') AS kind, 'ab'::BLOB AS bytes, 2 AS n, DATE '2026-11-21' AS day
"""


@pytest.fixture
def database():
    with duckdb.connect() as connection:
        yield connection


def test_parquet_keeps_types_and_tells_columns_of_one_name_apart(database, tmp_path):
    assert export(database, QUERY, parquet=tmp_path / "answer.parquet") == 1
    [row] = pq.read_table(tmp_path / "answer.parquet").to_pylist()
    assert (row["n"], row["n_2"], row["list"], row["struct"]) == (1, 2, ["x", "y"], {"a": 1.5})
    assert (row["at"], row["kind"], row["lasts"]) == (datetime(2026, 11, 21, 8, tzinfo=UTC), "e", "1 day")


def test_csv_has_lists_as_json_and_tells_null_from_an_empty_text(database, tmp_path):
    assert export(database, QUERY, csv=tmp_path / "answer.csv") == 1
    text = (tmp_path / "answer.csv").read_text(encoding="utf-8")
    [row] = csv.DictReader(text.splitlines())
    assert (row["text"], row["n_2"], row["day"]) == ('a "b", c', "2", "2026-11-21")
    assert [json.loads(row[name]) for name in ("list", "struct", "map")] == [["x", "y"], {"a": 1.5}, [["k", 2]]]
    assert row["at"].startswith("2026-11-21 08:00:00")
    assert ',,"",' in text.splitlines()[1]


def test_an_answer_without_rows_still_has_its_columns(database, tmp_path):
    both = {"csv": tmp_path / "a.csv", "parquet": tmp_path / "a.parquet"}
    assert export(database, "SELECT 1 AS n, 'x' AS word WHERE false", **both) == 0
    assert both["csv"].read_text() == '"n","word"\n'
    assert pq.read_table(both["parquet"]).column_names == ["n", "word"]


def test_all_batches_arrive(database, tmp_path):
    assert export(database, "FROM range(300_000)", parquet=tmp_path / "many.parquet") == 300_000
    assert pq.read_metadata(tmp_path / "many.parquet").num_rows == 300_000


@pytest.mark.parametrize("query", ["CREATE TABLE x (a INT)", "SELECT 1; SELECT 2", "SELEC 1", "SELECT error('no')"])
def test_a_wrong_query_leaves_no_file_and_the_old_one_as_it_was(database, tmp_path, query):
    target = tmp_path / "answer.csv"
    target.write_text("old")
    with pytest.raises(SettingsError):
        export(database, query, csv=target)
    assert [path.name for path in tmp_path.iterdir()] == ["answer.csv"]
    assert target.read_text() == "old"


def test_both_formats_do_not_go_to_one_file(database, tmp_path):
    with pytest.raises(SettingsError, match="--csv and --parquet name the same file"):
        export(database, "SELECT 1", csv=tmp_path / "a", parquet=tmp_path / "a")


def test_a_place_that_cannot_be_written_is_named(database, tmp_path):
    with pytest.raises(SettingsError, match=r"--parquet .*nowhere.*No such file"):
        export(database, "SELECT 1", parquet=tmp_path / "nowhere" / "a.parquet")
