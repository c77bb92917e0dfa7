"""`wom spikes`: a CSV of counts in, a verdict a row out, whatever the rows are like."""

import csv
import io
import math
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from processes import run_wom

from dags.settings import SettingsError
from dags.spiking import COLUMNS, Spiked, read_counts, spike_file

FIRST = datetime(2026, 10, 1, tzinfo=UTC)
HEADER = "series,timestamp,mentions,negatives"
HOURS = 24 * 20
STORM = range(460, 464)


def at(hour: int) -> str:
    return (FIRST + timedelta(hours=hour)).isoformat()


def calm(name="Quillon", hours=HOURS, storm=()):
    """Rows of a brand: 12 mentions an hour, 2 of them negative, and a few hours of 80."""
    return [f"{name},{at(hour)},{80 if hour in storm else 12},{70 if hour in storm else 2}" for hour in range(hours)]


@pytest.fixture
def spikes(tmp_path: Path):
    """Judge rows of CSV; returns what is written, a dict a row, and what was counted."""

    def run(rows, header=HEADER, encoding="utf-8") -> tuple[list[dict[str, str]], Spiked]:
        source, target = tmp_path / "counts.csv", tmp_path / "scores.csv"
        source.write_text("\n".join([header, *rows]) + "\n", encoding=encoding)
        spiked = spike_file(source, target)
        with target.open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file)), spiked

    return run


def alerts(rows):
    return [number for number, row in enumerate(rows) if row["alert"] == "1"]


def test_a_storm_is_found_and_says_why(spikes):
    rows, spiked = spikes(calm(storm=STORM))
    assert spiked == Spiked(HOURS, 0, 1)
    assert tuple(rows[0]) == COLUMNS
    assert alerts(rows)[:4] == list(STORM)
    opened = rows[STORM[0]]
    assert opened["series"] == "Quillon"
    assert opened["timestamp"] == at(STORM[0])
    assert opened["reason"].startswith("spike: 70 negatives in 1 h where 2.0 are usual, 88 % of 80 mentions where 17 %")
    assert float(opened["score"]) > 3.7
    assert (float(opened["observed"]), float(opened["expected"])) == (70, pytest.approx(2, abs=0.3))
    assert rows[STORM[1]]["reason"].startswith("spike goes on")
    assert rows[10] | {"expected": ""} == {
        "series": "Quillon", "timestamp": at(10), "score": "", "alert": "0", "expected": "", "observed": "2",
        "reason": "warming up: heard on fewer than 14 days before",
    }  # fmt: skip
    assert rows[400]["reason"] == "as usual"


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (f"Quillon,{at(500)},3,4", "refused: 4 negatives among 3 mentions"),
        (f"Quillon,{at(500)},-3,0", "refused: '-3' is no count"),
        (f"Quillon,{at(500)},many,0", "refused: 'many' is no count"),
        (f"Quillon,{at(500)},2.5,0", "refused: '2.5' is no count"),
        (f"Quillon,{at(500)},nan,0", "refused: 'nan' is no count"),
        (f"Quillon,{at(500)},1e300,0", "refused: '1e300' is no count"),
        (f"Quillon,{at(500)},9", "refused: 3 fields where the header has 4"),
        (f"Quillon,{at(500)},9,1,7", "refused: 5 fields where the header has 4"),
        (f" ,{at(500)},9,1", "refused: no series"),
        ("Quillon,yesterday,9,1", "refused: timestamp 'yesterday' is not ISO 8601"),
        ("Quillon,,9,1", "refused: timestamp '' is not ISO 8601"),
        ("Quillon,0001-01-01T00:00:00+14:00,9,1", "refused: timestamp"),
        ("Quillon,9999-12-31T23:00:00,9,1", "refused: timestamp '9999-12-31T23:00:00' lies outside 1970 to 2199"),
        (f"Quillon,{at(3)},12,2", "refused: duplicate: row 4 is of the same series and hour; its clock jumped back"),
        (f"Quillon,{at(HOURS - 1)},1,1", f"refused: duplicate: row {HOURS} is of the same series and hour"),
    ],
)
def test_a_bad_row_is_refused_with_its_reason_and_the_rest_goes_on(spikes, bad, reason):
    good = calm(storm=STORM)
    usual, _ = spikes(good)
    rows, spiked = spikes([*good, bad])
    assert spiked == Spiked(HOURS + 1, 1, 1)
    assert rows[:-1] == usual
    assert rows[-1]["reason"].startswith(reason)
    assert (rows[-1]["alert"], rows[-1]["score"]) == ("0", "")


def test_a_clock_that_jumps_back_for_a_day_raises_nothing(spikes):
    rows, spiked = spikes([*calm(), *[f"Quillon,{at(hour)},900,800" for hour in range(HOURS - 24, HOURS)]])
    assert spiked.refused == 24
    assert not alerts(rows)


def test_hours_are_the_same_in_every_time_zone(spikes):
    good = calm(storm=STORM)
    usual, _ = spikes(good)
    local = [
        row.replace(at(hour), (FIRST + timedelta(hours=hour)).strftime("%Y-%m-%d %H:%M"))
        for hour, row in enumerate(good)
    ]
    told, _ = spikes(local)
    east = [
        row.replace(at(hour), (FIRST + timedelta(hours=hour + 5, minutes=30)).strftime("%Y-%m-%dT%H:%M:00+05:30"))
        for hour, row in enumerate(good)
    ]
    assert [row["reason"] for row in told] == [row["reason"] for row in usual]
    assert [row["reason"] for row in spikes(east)[0]] == [row["reason"] for row in usual]


def test_hours_nobody_listened_are_missing_and_no_calm(spikes):
    good = calm()
    good[450:456] = [f"Quillon,{at(hour)},," for hour in range(450, 456)]
    good[456] = f"Quillon,{at(456)},900,800"
    rows, spiked = spikes(good)
    assert not alerts(rows)
    assert spiked.refused == 0
    assert rows[452]["reason"] == "not heard: the counts are missing"
    assert rows[456]["reason"].startswith("catching up")


def test_gaps_and_any_order_of_rows_are_borne(spikes):
    good = calm(storm=STORM)
    kept = [row for hour, row in enumerate(good) if hour % 7 or hour in STORM]
    rows, spiked = spikes(kept[::-1])
    assert spiked == Spiked(len(kept), 0, 1)
    assert {row["timestamp"] for row in rows if row["alert"] == "1"} >= {at(hour) for hour in STORM}


def test_a_series_that_starts_yesterday_and_one_of_one_row_are_warming_up(spikes):
    young = [f"Telvo,{at(hour)},90,80" for hour in range(HOURS - 24, HOURS)]
    rows, _ = spikes([*calm(), *young, f"Orla,{at(HOURS - 1)},90,80"])
    assert {row["reason"] for row in rows[HOURS:]} == {"warming up: heard on fewer than 14 days before"}
    assert not alerts(rows)


def test_each_source_of_a_series_is_one_of_its_own(spikes):
    quiet = [f"{row},forum" for row in calm()]
    loud = [f"{row},news" for row in calm(storm=STORM)]
    rows, spiked = spikes([*quiet, *loud], header=f"{HEADER},source")
    assert spiked == Spiked(2 * HOURS, 0, 1)
    assert min(alerts(rows)) == HOURS + STORM[0]


def test_columns_may_come_in_any_order_with_others_and_a_mark_before_them(spikes):
    turned = [",".join(["x", *row.split(",")[::-1]]) for row in calm(hours=3)]
    rows, spiked = spikes(turned, header="Note, Negatives,mentions,TIMESTAMP,series", encoding="utf-8-sig")
    assert spiked == Spiked(3, 0, 0)
    assert rows[0]["series"] == "Quillon"


def test_names_are_data(spikes):
    rows, _ = spikes([f'"=cmd|""x"", [bold]\n{chr(0x202E)}é",{at(0)},1,0'])
    assert rows[0]["series"] == '=cmd|"x", [bold]\n\u202eé'


def test_no_rows_are_no_error(spikes):
    assert spikes([]) == ([], Spiked(0, 0, 0))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "no column series, timestamp, mentions, negatives; needed are .*; found: none"),
        (b"series,timestamp,mentions\n", "no column negatives; .*found: series, timestamp, mentions"),
        (b"series;timestamp;mentions;negatives\n", "no column series.*it parts its columns by ';', and a comma is due"),
        (b"series\ttimestamp\tmentions\tnegatives\n", r"no column series.*by '\\t'"),
        (b"series,timestamp,mentions,negatives,Negatives\n", "two columns are called negatives"),
        (b"series,timestamp,mentions,negatives,source,source\n", "two columns are called source"),
        (b"series,timestamp,mentions,negatives\n\xff\xfe,1,1,1\n", "not UTF-8"),
        (f"{HEADER}\n{'x' * 200_000},1,1,1\n".encode(), "line 2: no CSV"),
    ],
)
def test_what_is_no_such_file_is_refused_whole(tmp_path, content, said):
    (tmp_path / "counts.csv").write_bytes(content)
    with pytest.raises(SettingsError, match=said):
        spike_file(tmp_path / "counts.csv", tmp_path / "scores.csv")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["counts.csv"]


@given(st.text(max_size=200))
@settings(max_examples=60, deadline=None)
def test_any_text_is_read_or_refused(text):
    try:
        counts = read_counts(io.StringIO(f"{HEADER}\n{text}", newline=""), "it")
    except SettingsError:
        return
    assert len(counts.refused) == len(counts.names) == len(counts.timestamps)
    assert all(math.isnan(number) or number >= 0 for number in counts.mentions)


def test_the_command_reads_standard_input_and_tells_on_standard_error(tmp_path):
    rows = "\n".join([HEADER, *calm(storm=STORM), "Quillon,x,1,1"])
    done = run_wom("spikes", "--from", "-", "--to", "-", folder=tmp_path, environment=os.environ, given=rows)
    assert done.returncode == 0
    assert done.stdout.splitlines()[0] == ",".join(COLUMNS)
    assert len(done.stdout.splitlines()) == HOURS + 2
    assert "1 rows were refused" in done.stderr
    assert f"{HOURS + 1} rows written, 1 spikes begin in them" in done.stderr


def test_a_wrong_file_ends_with_status_2_and_one_clear_message(tmp_path):
    done = run_wom("spikes", "--from", "none.csv", "--to", "scores.csv", folder=tmp_path, environment=os.environ)
    assert done.returncode == 2
    assert "none.csv: No such file" in done.stderr
    assert "Traceback" not in done.stderr
