"""What the warehouse costs as it grows tenfold: bytes, a build from the whole lake, one more hour, every macro.

WOM_BENCH_MENTIONS says how many mentions over 90 days, a million if unset, beside a tenth of that; ten million take
some 6 GB of disk. Three questions are also asked of the Parquet files with pandas and polars, as one would without the
snapshot. Prints, and never fails for being slow; it fails where one more hour and a build anew disagree, or the answers
of the snapshot and of the files.
"""

import os
from datetime import UTC, timedelta
from functools import partial

import pytest
from rich.console import Console
from rich.table import Table
from scale_lake import END
from warehouse_costs import TURNS, Costs, apart, costs, late, one_hour, publish, timed, usual

from warehouse import snapshot
from warehouse.lake import Lake

pytestmark = pytest.mark.benchmark

MENTIONS = int(os.environ.get("WOM_BENCH_MENTIONS", "1000000"))
BY_HAND = {  # a method of parquet_by_hand's classes, what it is called with, and the snapshot's answer in the same form
    "a brand by day": (
        "days_of_a_brand",
        ["Brand 03"],
        "SELECT CAST(period AS DATE), n, positives, negatives FROM trend('Brand 03', unit := 'mention') WHERE n > 0",
    ),
    "mentions of every brand": (
        "mentions_by_brand",
        [],
        "SELECT brand, n FROM trend(NULL, grain := NULL, unit := 'mention') WHERE n > 0",
    ),
    "advocates of every brand": (
        "advocates",
        [],
        "SELECT brand, advocates, detractors FROM advocates(NULL) WHERE n > 0",
    ),
}


@pytest.fixture(scope="module")
def grown(tmp_path_factory):
    """Return the folders of two lakes, one ten times the other, and what each costs."""
    sizes = [MENTIONS // 10, MENTIONS]
    return [(folder, costs(folder, size)) for size in sizes if (folder := tmp_path_factory.mktemp(f"scale-{size}"))]


def lines(cost: Costs) -> dict[str, tuple[float, str]]:
    """Return every figure of a size with how it is written."""
    found = {
        "mentions": (cost.mentions, "{:,.0f}"),
        "bytes a mention in the lake": (cost.in_lake, "{:.0f}"),
        "bytes a mention in the file": (cost.in_file, "{:.0f}"),
        "built from the whole lake, CPU": (cost.rebuild.cpu, "{:.1f} s"),
        "   wall": (cost.rebuild.wall, "{:.1f} s"),
        "   most memory": (cost.rebuild.peak, "{:.2f} GB"),
        "one more hour, CPU": (cost.hour.cpu, "{:.1f} s"),
        "   wall ": (cost.hour.wall, "{:.1f} s"),
        "   most memory ": (cost.hour.peak, "{:.2f} GB"),
    }
    for name, seconds in cost.answers.items():
        found[name] = (1000 * usual(seconds), "{:.0f} ms")
        found[f"{name}, p95"] = (1000 * late(seconds), "{:.0f} ms")
    return found


def test_what_the_warehouse_costs_as_it_grows_tenfold(grown, capsys):
    (folder, small), (_, large) = grown
    table = Table("10 times the mentions", "", "", "times", title=f"macros: p50 and p95 of {TURNS} answers")
    before, after = lines(small), lines(large)
    for name, (figure, form) in after.items():
        was = before[name][0]
        table.add_row(name, form.format(was), form.format(figure), f"{figure / was:.1f}" if was else "")
    with capsys.disabled():
        Console(width=100).print("", table)
    apart(one_hour, folder / "lake", small.mentions, END + timedelta(hours=1))
    verified = partial(publish, verify=True)
    more = apart(verified, folder / "lake", folder / "told.duckdb", END + timedelta(hours=2)).result
    assert more.rebuilt is None
    assert more.differing == ()


def test_the_same_asked_of_the_files(grown, capsys):
    pytest.importorskip("pandas", reason="`make bench` installs what is compared with")
    pytest.importorskip("polars")
    folder, _ = grown[-1]
    table = Table(
        "30 days", "macro", "pandas", "times", "GB", "polars", "times", "GB", title="asked of Parquet by hand"
    )
    for name, (method, arguments, query) in BY_HAND.items():
        answer, seconds = apart(_asked, folder, query).result
        row = [name, f"{1000 * seconds:.0f} ms"]
        for library in ("Pandas", "Polars"):
            measured = apart(_by_hand, folder, library, method, arguments)
            found, taken = measured.result
            assert found == answer, f"{library} and the snapshot disagree about {name}"
            row += [f"{1000 * taken:.0f} ms", f"{taken / seconds:.0f}", f"{measured.peak:.1f}"]
        table.add_row(*row)
    with capsys.disabled():
        Console(width=100).print("", table)


def _asked(folder, query):
    """Return the snapshot's answer, by its first column, and the median of its seconds."""
    with snapshot.connect(folder / "told.duckdb") as connection:
        rows = connection.execute(query).fetchall()
        seconds = usual(timed(lambda: connection.execute(query).fetchall(), 5))
    return {key: told[0] if len(told) == 1 else tuple(told) for key, *told in rows}, seconds


def _by_hand(folder, library, method, arguments):
    """Return the answer that the files give, and the best of its seconds."""
    import parquet_by_hand

    lake = folder / "lake"
    with snapshot.connect(folder / "told.duckdb") as connection:
        [(hour,)] = connection.execute("SELECT hour FROM lake.snapshot").fetchall()
    files = parquet_by_hand.asked_of(
        [str(lake / path) for path in Lake.open(str(lake)).files("posts")],
        [str(lake / path) for path in Lake.open(str(lake)).files("mentions")],
        hour.replace(tzinfo=UTC),
    )
    ask = getattr(getattr(parquet_by_hand, library), method)
    taken = timed(lambda: ask(files, *arguments), 2)
    return ask(files, *arguments), min(taken)
