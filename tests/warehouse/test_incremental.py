"""Going on from the last file: whatever happened to the lake, the rows are those of a file built anew."""

import pytest
from schedules import BRANDS, FEEDS, Schedule
from warehouse_rows import VERSION, brands, feeds

from warehouse import snapshot
from warehouse.comparing import differences
from warehouse.lake import Lake


def publish_at(lake, database, now, **other):
    return snapshot.publish(lake, database, brands(*BRANDS), feeds(*FEEDS), VERSION, now, **other)


def live_through(folder, seed, publishes):
    """Live through a random schedule, publishing now and then; return where the file and one built anew disagree."""
    lake, database = Lake.open(str(folder / "lake")), folder / "told.duckdb"
    schedule = Schedule(lake, seed)
    happened = [schedule.step() for _ in range(4)]
    publish_at(lake, database, schedule.now)
    for _ in range(publishes):
        happened += ["publish", *(schedule.step() for _ in range(2))]
        assert publish_at(lake, database, schedule.now).rebuilt is None
    publish_at(lake, folder / "anew.duckdb", schedule.now)
    return differences(database, folder / "anew.duckdb"), happened


@pytest.mark.parametrize("seed", range(2))
def test_the_rows_are_those_of_a_file_built_anew(tmp_path, seed):
    differing, happened = live_through(tmp_path, seed, 3)
    assert differing == [], happened


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2, 500))
def test_the_rows_are_those_of_a_file_built_anew_whatever_happened(tmp_path, seed):
    differing, happened = live_through(tmp_path, seed, 4)
    assert differing == [], happened
