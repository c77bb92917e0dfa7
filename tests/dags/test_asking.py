"""A person's own question: asked once, of whatever types its answer is."""

import duckdb
import pytest

from dags.asked_brands import brands_asked_for
from dags.settings import SettingsError
from dags.summary import answer


@pytest.fixture
def database():
    with duckdb.connect() as connection:
        yield connection


def test_a_question_is_asked_once(database):
    asked = []
    database.create_function("noted", lambda n: asked.append(n) or n, ["INTEGER"], "INTEGER", side_effects=True)
    assert answer(database, "SELECT noted(7) AS n;") == ([{"n": 7}], ["n"])
    assert asked == [7]


def test_times_with_a_zone_are_told_in_utc_wherever_they_stand(database):
    database.execute("SET TimeZone = 'UTC'")
    at = "TIMESTAMPTZ '2026-11-21 10:00+02'"
    [row], columns = answer(database, f"""SELECT {at} AS "the ""hour\""", [{at}] AS list, {{'at': {at}}} AS struct""")
    assert columns == ['the "hour"', "list", "struct"]
    assert str(row['the "hour"']) == "2026-11-21 08:00:00"
    assert (row["list"], row["struct"]) == ("['2026-11-21 08:00:00+00']", "{'at': '2026-11-21 08:00:00+00'}")


@pytest.mark.parametrize(
    ("query", "columns"),
    [
        ("SHOW TABLES", ["name"]),
        ("PRAGMA database_list", ["seq", "name", "file"]),
        ("EXPLAIN SELECT 1", ["explain_key", "explain_value"]),
        ("PIVOT (SELECT 1 AS n, 'x' AS kind) ON kind USING sum(n)", ["x"]),
        ("SELECT 1 AS n, 2 AS n", ["n", "n_2"]),
    ],
)
def test_whatever_reads_is_answered(database, query, columns):
    assert answer(database, query)[1] == columns


def test_an_interval_is_told_in_the_words_of_duckdb(database):
    [row], _ = answer(database, "SELECT INTERVAL '1 month 2 days 3 hours' AS lasts")
    assert row == {"lasts": "1 month 2 days 03:00:00"}


def test_what_fails_while_it_is_read_is_what_duckdb_says(database):
    with pytest.raises(SettingsError, match=r"DuckDB: .*mind"):
        answer(database, "SELECT error('mind') FROM range(3)")


@pytest.mark.parametrize(
    ("query", "brands"),
    [
        ("FROM trend('Acme', grain := 'week');", ["Acme"]),
        ("FROM main.Trend(brand := 'O''Hare')", ["O'Hare"]),
        ("-- since when?\nFROM grew('monday', 'Acme')", ["Acme"]),
        (
            "WITH one AS (FROM trend('a')) SELECT (SELECT max(n) FROM trend('b')) FROM one JOIN trend('c') USING (n)",
            "abc",
        ),
        ("FROM trend((SELECT brand FROM trend('a')), grain := 'b')", ["a"]),
        ("DESCRIBE FROM trend('a')", ["a"]),
        ("FROM trend(NULL)", []),
        ("FROM trend(lower('A'))", []),
        ("SELECT 'a' AS brand FROM range(3)", []),
        ("EXPLAIN FROM trend('a')", []),
    ],
)
def test_the_brands_that_macros_are_asked_for_are_found(database, query, brands):
    database.execute("CREATE MACRO trend(brand, grain := 'day') AS TABLE SELECT brand, 1 AS n")
    database.execute("CREATE MACRO grew(since, brand) AS TABLE SELECT brand, 1 AS n")
    assert sorted(brands_asked_for(database, query)) == list(brands)
