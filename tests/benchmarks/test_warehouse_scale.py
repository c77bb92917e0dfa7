"""What the warehouse costs as it grows: bytes, a build from the whole lake, one more hour, and every macro's answer.

WOM_BENCH_MENTIONS says how many mentions over 90 days, a million if unset; ten million take some 3 GB of disk, twice
that while publishing. The same questions are asked of the Parquet files by hand, as one would without the snapshot.
Prints, and never fails for being slow; it fails where one more hour and a build anew disagree.
"""

import os
import resource
import statistics
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute
import pyarrow.dataset as ds
import pytest
from scale_lake import BRANDS, END, FEEDS, VERSION, ScaleLake

from warehouse import snapshot, tables
from warehouse.lake import Lake

pc: Any = pyarrow.compute  # its functions are made at import, where no type checker sees them

pytestmark = pytest.mark.benchmark

MENTIONS = int(os.environ.get("WOM_BENCH_MENTIONS", "1000000"))
TURNS = 7
QUESTIONS = {
    "trend, a brand by day": "FROM trend('Brand 03')",
    "share of voice": "FROM share_of_voice()",
    "word of mouse, all brands": "FROM word_of_mouse(NULL)",
    "hotspots of a brand": "FROM hotspots('Brand 03')",
    "hotspots, all brands": "FROM hotspots(NULL)",
    "advocates": "FROM advocates(NULL)",
    "consistency": "FROM consistency(NULL)",
    "contagion": "FROM contagion(NULL)",
    "friction": "FROM friction(NULL)",
    "recovery": "FROM recovery(NULL)",
    "switching flows": "FROM switching_flows(NULL)",
    "employer": "FROM employer(NULL)",
    "amplification of a brand": "FROM amplification('Brand 03')",
}


def tell(capsys, line):
    with capsys.disabled():
        print(line)


def peak():
    """Return the most memory this process ever held, in GB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def timed(work, turns):
    """Return the median and the 95th percentile of the seconds that something takes."""
    taken = []
    for _ in range(turns):
        started = time.perf_counter()
        work()
        taken.append(time.perf_counter() - started)
    return statistics.median(taken), sorted(taken)[max(0, round(0.95 * turns) - 1)]


def listening():
    """Return the brands and feeds of the made-up lake, as listening.toml would have them."""
    brands = [{"brand": name, "competitors": [], "owners": []} for name in BRANDS]
    feeds = [{"feed": name, "source": name.partition("-")[0], "url": None, "about": None} for name in FEEDS]
    return (
        tables.conform(pa.RecordBatch.from_pylist(brands, schema=tables.BRANDS), tables.BRANDS),
        tables.conform(pa.RecordBatch.from_pylist(feeds, schema=tables.FEEDS), tables.FEEDS),
    )


def by_hand(lake):
    """Return the negatives of a brand by day, asked of the lake's files."""
    of_brand = ds.field("brand") == "Brand 03"
    columns = ["post_id", "version", "published_at", "sentiment", "fetched_at"]
    rows = lake.dataset("mentions").to_table(columns=columns, filter=of_brand)
    day = pc.floor_temporal(rows["published_at"], unit="day")
    return rows.append_column("day", day).group_by(["day", "sentiment"]).aggregate([("post_id", "count_distinct")])


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    folder = tmp_path_factory.mktemp("scale")
    made = ScaleLake(Lake.open(str(folder / "lake")), MENTIONS)
    made.fill()
    return made, folder / "told.duckdb"


def publish(lake, database, now, **how):
    return snapshot.publish(lake, database, *listening(), VERSION, now, **how)


def size(path: Path) -> int:
    return sum(one.stat().st_size for one in path.rglob("*") if one.is_file()) if path.is_dir() else path.stat().st_size


def test_what_the_warehouse_costs(world, capsys):
    made, database = world
    lake = made.lake
    before = peak()
    built = publish(lake, database, END)
    tell(capsys, f"\n{made.made:,} mentions over 90 days: {size(lake.folder) / made.made:.0f} bytes each in the lake, "
                 f"{size(database) / made.made:.0f} in the file")  # fmt: skip
    tell(capsys, f"built from the whole lake in {built.seconds:.1f} s, at most {peak():.1f} GB (before: {before:.1f})")
    for hours in (1, 2):
        end = END + timedelta(hours=hours)
        came = made.store(end - timedelta(hours=1), 1, f"hour-{end:%H}")
        more = publish(lake, database, end, verify=hours == 2)
        assert more.rebuilt is None
        assert more.differing == ()
        if hours == 1:
            tell(capsys, f"one more hour, {came:,} mentions: {more.seconds:.1f} s; at most {peak():.1f} GB in all")
    with snapshot.connect(database) as connection:
        for name, query in QUESTIONS.items():
            median, late = timed(lambda query=query: connection.execute(query).fetchall(), TURNS)
            tell(capsys, f"{name:28} p50 {median * 1000:7.0f} ms   p95 {late * 1000:7.0f} ms")
    median, _ = timed(lambda: by_hand(lake), 3)
    tell(capsys, f"{'a brand by day, from Parquet':28} p50 {median * 1000:7.0f} ms (pyarrow, unedited posts only)")
    with duckdb.connect() as connection:
        files = [str(lake.folder / path) for path in lake.files("mentions")]
        query = "SELECT CAST(published_at AS DATE), sentiment, count(DISTINCT post_id) FROM read_parquet(?) " \
                "WHERE brand = 'Brand 03' GROUP BY ALL"  # fmt: skip
        median, _ = timed(lambda: connection.execute(query, [files]).fetchall(), 3)
    tell(capsys, f"{'the same with DuckDB':28} p50 {median * 1000:7.0f} ms")
