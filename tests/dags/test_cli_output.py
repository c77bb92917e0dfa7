"""Tables for people: nothing of a row is lost where there is little room. A pipe is 200 columns wide."""

import pytest

from dags.cli_output import show


def shown(capsys, rows):
    show(rows, list(rows[0]), as_json=False)
    return capsys.readouterr().out


def test_a_table_that_fits_has_a_line_for_each_row(capsys):
    rows = [{"owner": "care@acme.example", "alerts": 2}, {"owner": None, "alerts": 1}]
    assert [line.split() for line in shown(capsys, rows).splitlines()] == [
        ["owner", "alerts"],
        ["care@acme.example", "2"],
        ["-", "1"],
    ]


def test_long_heads_of_short_columns_take_no_room_from_what_is_in_others(capsys):
    counts = {f"median_hours_until_closed_{number}": number for number in range(12)}
    out = shown(capsys, [{"owner": "care@acme.example", **counts}])
    assert max(map(len, out.splitlines())) <= 200
    last = out.splitlines()[-1].split()
    assert last == ["care@acme.example", *map(str, range(12))]
    for word in ("median", "hours", "until", "closed", "11"):
        assert word in out


@pytest.mark.parametrize("columns", [20, 300])
def test_a_row_with_more_columns_than_there_is_room_for_is_shown_one_below_another(capsys, columns):
    rows = [{f"column_{number}": f"{place}, that is the value of {number}" for number in range(columns)}
            for place in ("first", "second")]  # fmt: skip
    lines = shown(capsys, rows).splitlines()
    for number in (0, columns - 1):
        for place in ("first", "second"):
            assert any(
                line.startswith(f"column {number} ") and line.endswith(f"{place}, that is the value of {number}")
                for line in lines
            )


def test_no_rows_are_heads_only(capsys):
    show([], ["owner", "alerts"], as_json=False)
    assert capsys.readouterr().out.split() == ["owner", "alerts"]
    show([], [f"column_{number}" for number in range(100)], as_json=False)
    assert "column 99" in capsys.readouterr().out
