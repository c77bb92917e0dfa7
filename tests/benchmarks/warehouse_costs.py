"""What parts of the warehouse cost, each measured in a process of its own, so that its memory is its own."""

import multiprocessing
import resource
import statistics
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
from scale_lake import BRANDS, END, FEEDS, VERSION, ScaleLake

from warehouse import snapshot, tables
from warehouse.lake import Lake

TURNS = 20
# Run before DuckDB is imported, which takes a process without a file for a notebook, and draws its progress there.
AS_A_SCRIPT = "import __main__; __main__.__file__ = 'a benchmark'"
QUESTIONS = {
    "trend, a brand by day": "FROM trend('Brand 03')",
    "the same as of a week ago": "FROM trend('Brand 03', as_of := (SELECT hour - INTERVAL 7 DAYS FROM lake.snapshot))",
    "share of voice": "FROM share_of_voice()",
    "word of mouse, all brands": "FROM word_of_mouse(NULL)",
    "hotspots of a brand": "FROM hotspots('Brand 03')",
    "hotspots, all brands": "FROM hotspots(NULL)",
    "phrases that grew, of a brand": "FROM phrases_that_grew('Brand 03')",
    "advocates": "FROM advocates(NULL)",
    "consistency": "FROM consistency(NULL)",
    "contagion": "FROM contagion(NULL)",
    "friction": "FROM friction(NULL)",
    "recovery": "FROM recovery(NULL)",
    "switching flows": "FROM switching_flows()",
    "employer": "FROM employer(NULL)",
    "amplification of a brand": "FROM amplification('Brand 03')",
    "amplification, all brands": "FROM amplification(NULL)",
    "what grew, a brand's last day": """
        FROM what_grew('Brand 03', (SELECT hour - INTERVAL 1 DAY FROM lake.snapshot), (SELECT hour FROM lake.snapshot))
    """,
}


class Measured(NamedTuple):
    """What a piece of work gave, and took: seconds of wall and of all cores; peak, the most memory, in GB."""

    result: Any
    wall: float
    cpu: float
    peak: float


class Costs(NamedTuple):
    """What a lake and its snapshot cost. in_lake, in_file: bytes a mention. answers: seconds by question, in order."""

    mentions: int
    in_lake: float
    in_file: float
    rebuild: Measured
    hour: Measured
    answers: Mapping[str, list[float]]


def apart(work: Callable[..., Any], *arguments: Any) -> Measured:
    """Do work in a process of its own. Raises what it raises."""
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawn, initializer=exec, initargs=(AS_A_SCRIPT,)) as pool:
        return pool.submit(_measured, work, arguments).result()


def costs(folder: Path, mentions: int) -> Costs:
    """Fill a lake in a folder, publish it, publish one more hour, and ask every question."""
    lake, database = folder / "lake", folder / "told.duckdb"
    made = apart(_fill, lake, mentions).result
    rebuild = apart(publish, lake, database, END)
    in_lake, in_file = _size(lake) / made, _size(database) / made
    apart(one_hour, lake, mentions, END)
    hour = apart(publish, lake, database, END + timedelta(hours=1))
    return Costs(made, in_lake, in_file, rebuild, hour, apart(_ask, database).result)


def publish(lake: Path, database: Path, now: datetime, **how: Any) -> snapshot.Published:
    """Publish a made-up lake."""
    return snapshot.publish(Lake.open(str(lake)), database, *_listening(), VERSION, now, **how)


def one_hour(lake: Path, mentions: int, starts: datetime) -> int:
    """Add the hour that starts then to a lake of so many mentions; return how many came."""
    after = ScaleLake(Lake.open(str(lake)), mentions, seed=starts.hour)
    after.made = mentions * (2 + starts.hour)  # so that no post has another's name
    return after.store(starts, 1, f"hour-{starts:%H}")


def late(seconds: list[float]) -> float:
    """Return the 95th percentile of sorted seconds."""
    return seconds[max(0, round(0.95 * len(seconds)) - 1)]


def usual(seconds: list[float]) -> float:
    """Return the median of seconds."""
    return statistics.median(seconds)


def timed(work: Callable[[], Any], turns: int = TURNS) -> list[float]:
    """Return how many seconds something takes, each turn's, in order; the first, which warms up, is not told."""
    taken = []
    for _ in range(turns + 1):
        started = time.perf_counter()
        work()
        taken.append(time.perf_counter() - started)
    return sorted(taken[1:])


def _measured(work: Callable[..., Any], arguments: tuple[Any, ...]) -> Measured:
    wall, cpu = time.perf_counter(), time.process_time()
    result = work(*arguments)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    return Measured(result, time.perf_counter() - wall, time.process_time() - cpu, peak)


def _fill(lake: Path, mentions: int) -> int:
    made = ScaleLake(Lake.open(str(lake)), mentions)
    made.fill()
    return made.made


def _ask(database: Path) -> dict[str, list[float]]:
    with snapshot.connect(database) as connection:
        return {
            name: timed(lambda query=query: connection.execute(query).fetchall()) for name, query in QUESTIONS.items()
        }


def _listening() -> tuple[pa.RecordBatch, pa.RecordBatch]:
    """Return the brands and feeds of the made-up lake, as listening.toml would have them."""
    brands = [{"brand": name, "competitors": [], "owners": []} for name in BRANDS]
    feeds = [{"feed": name, "source": name.partition("-")[0], "url": None, "about": None} for name in FEEDS]
    return (
        tables.conform(pa.RecordBatch.from_pylist(brands, schema=tables.BRANDS), tables.BRANDS),
        tables.conform(pa.RecordBatch.from_pylist(feeds, schema=tables.FEEDS), tables.FEEDS),
    )


def _size(path: Path) -> int:
    return sum(one.stat().st_size for one in path.rglob("*") if one.is_file()) if path.is_dir() else path.stat().st_size
