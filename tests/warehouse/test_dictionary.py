"""The data dictionary tells of all that is in the file, in the words of the contract and the SQL headers."""

import re
import textwrap
from pathlib import Path

import duckdb
import pytest
import yaml
from warehouse_rows import rows_of

from warehouse import tables
from warehouse.dictionary import CHAPTERS, dbt_sources, entries, markdown
from warehouse.statements import statements


@pytest.fixture(scope="module")
def told(empty_database):
    with duckdb.connect(str(empty_database), read_only=True) as connection:
        return entries(connection)


def test_everything_that_is_made_from_a_sql_file_is_told_with_its_title(told):
    titles = {entry.name.partition("(")[0]: entry.title for entry in told}
    for kind in ("views", "marts", "macros", "tables"):
        for one in statements(kind):
            assert titles[one.full_name] == one.title


def test_every_column_of_the_contract_is_told_in_its_words(told):
    columns = {entry.name: {column.name: column.doc for column in entry.columns} for entry in told}
    for name, schema in tables.TABLES.items():
        for field in schema:
            assert columns[f"lake.{name}"][field.name] in {tables.doc_of(field), statement_doc(name, field.name)}


def statement_doc(table, column):
    return next(one for one in statements("tables") if one.name == table).columns.get(column)


def test_nothing_is_told_without_words(told):
    for entry in told:
        assert entry.title
        assert entry.kind in {"macro", "function"} or entry.columns
        assert all(column.doc and column.type for column in entry.columns), entry.name


def test_the_page_has_a_heading_for_each_and_tables_that_hold(told):
    page = markdown(told)
    assert [line for line in page.splitlines() if line.startswith("## ")] == [
        f"## {kind.title()}s" for kind in CHAPTERS
    ]
    assert page.count("\n### ") == len(told)
    for line in page.splitlines():
        if line.startswith("| "):
            assert line.replace("\\|", "").count("|") == 4


def test_dbt_reads_every_view_and_mart_with_all_its_columns(told):
    [source] = yaml.safe_load(dbt_sources(told, "word_of_mouse"))["sources"]
    assert (source["database"], source["schema"]) == ("word_of_mouse", "main")
    found = {table["name"]: [column["name"] for column in table["columns"]] for table in source["tables"]}
    assert found == {
        entry.name: [column.name for column in entry.columns] for entry in told if entry.kind in {"view", "mart"}
    }
    assert {"mentions", "brand_days"} <= found.keys()


def test_the_search_path_of_the_readme_lets_an_attached_file_answer_as_dbt_asks(empty_database, ask_empty, tmp_path):
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    [profile] = re.findall(r"```yaml\n(.*?)```", readme, re.DOTALL)
    settings = yaml.safe_load(textwrap.dedent(profile))
    [attached] = settings["attach"]
    with duckdb.connect(str(tmp_path / settings["path"])) as connection:
        connection.execute(f"ATTACH '{empty_database}' AS {attached['alias']} (READ_ONLY)")
        connection.execute(f"SET search_path = '{settings['settings']['search_path']}'")
        for question in ("trend(NULL, grain := 'week')", "word_of_mouse(NULL)", "why('1')", "brands"):
            connection.execute(f"CREATE OR REPLACE VIEW asked AS SELECT * FROM {question}")
            assert rows_of(connection, "FROM asked") == ask_empty(f"FROM {question}")


def test_the_diagram_of_the_readme_names_things_and_columns_that_are_there(told):
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    diagram = readme.split("```mermaid\n")[1].split("```")[0]
    drawn = {name: set(columns.split()[1::2]) for name, columns in re.findall(r"(\w+) \{ (.*?) \}", diagram)}
    there = {entry.name: {column.name for column in entry.columns} for entry in told}
    assert len(drawn) > 5
    assert [name for name, columns in drawn.items() if not columns <= there[name]] == []
    for one, other in re.findall(r"^ +(\w+) [|}o]+--[|{o]+ (\w+) :", diagram, re.MULTILINE):
        assert {one, other} <= drawn.keys()
