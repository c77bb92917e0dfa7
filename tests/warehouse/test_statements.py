"""The headers of the SQL files say what the SQL below them does, for they decide its order and describe the file."""

import re

from warehouse.statements import parse, statements

KINDS = ("tables", "views", "marts", "macros", "queries", "checks")


def full_name(one):
    return f"lake.{one.name}" if one.kind == "tables" else one.name


def known():
    """Return every name a statement may read: what the files make, and what is loaded for them."""
    made = {full_name(one) for kind in ("tables", "views", "marts", "macros") for one in statements(kind)}
    return made | {f"arrived_{one.name}" for one in statements("tables")} | {"lake.snapshot", "lake.confusion"}


def read_in(one):
    """Return the names that the SQL of a file reads, header aside."""
    sql = re.sub(r"--.*|CREATE OR REPLACE MACRO \w+", "", one.text)
    found = {*re.findall(r"\blake\.\w+", sql), *re.findall(r"(?:FROM|JOIN)\s+(\w+)\b(?!\.)", sql)}
    found |= {name for name in re.findall(r"\b(\w+)\(", sql) if name in {macro.name for macro in statements("macros")}}
    return found & known()


def test_a_header_names_what_the_sql_reads_and_nothing_else():
    for one in (one for kind in KINDS for one in statements(kind)):
        assert one.reads & known() == read_in(one), f"{one.kind}/{one.name}"


def test_a_header_names_those_that_read_it():
    for one in (one for kind in ("tables", "views", "marts", "macros") for one in statements(kind)):
        readers = [other for kind in KINDS for other in statements(kind) if full_name(one) in read_in(other)]
        named = set(re.findall(r"[a-z_]+(?:\.[a-z_]+)?", one.parts["Read by"]))
        expected = {"checks" if other.kind == "checks" else full_name(other) for other in readers}
        may_be_named = known() | {other.name for other in statements("queries")} | {"checks"}
        assert named & may_be_named == expected, f"{one.kind}/{one.name}"


def test_a_macros_header_begins_with_its_arguments():
    for one in statements("macros"):
        [arguments] = re.findall(r"MACRO \w+\((.*?)\) AS", one.text)
        named = [argument.split(":=")[0].strip() for argument in arguments.split(",")]
        assert one.text.startswith(f"-- {one.name}({', '.join(named)}): "), one.name


def test_what_is_read_comes_before_its_reader():
    for kind in ("tables", "views", "marts", "macros"):
        names = [full_name(one) for one in statements(kind)]
        for place, one in enumerate(statements(kind)):
            assert read_in(one) & set(names) <= set(names[:place]), one.name


def test_a_header_is_read_by_its_words():
    one = parse(
        "marts",
        "fish",
        "-- fish: what swims,\n-- and where.\n-- Grain:   one row per fish\n-- Method:  looked at\n--          twice\n"
        "-- Columns:\n--   length: cm; NULL if it\n--   got_away: NULL: nobody knows\nSELECT 1 -- Reads: no header",
    )
    assert one.title == "what swims, and where."
    assert one.comment == "what swims, and where.\nGrain: one row per fish\nMethod: looked at twice"
    assert one.columns == {"length": "cm; NULL if it", "got_away": "NULL: nobody knows"}
