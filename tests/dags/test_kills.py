"""Every stage may be killed at any byte and run again: nothing is lost, nothing counts twice."""

import os
import random
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from dags.summary import ask, reading
from listeners.feed_server import build_app, demo_config, make_world, serve

KILLS = 30
UNTIL = datetime(2026, 11, 20, 18, tzinfo=UTC)
WHAT_WAS_SAID = """
    SELECT p.post_id, p.version, p.feed, p.title, p.text, p.author, p.likes,
           m.brand, m.sentiment, m.p_negative, m.matched_text
    FROM posts AS p LEFT JOIN mentions AS m USING (post_id, version)
    ORDER BY ALL
"""
WHAT_IS_COUNTED = "SELECT brand, hour, mentions, positives, negatives FROM brand_hours WHERE mentions > 0 ORDER BY ALL"


@pytest.fixture(scope="module")
def server():
    world = make_world(3, UNTIL, days=7)
    with serve(build_app(world, clock=lambda: UNTIL)) as url:
        yield url


@pytest.fixture
def environment_of(tmp_path: Path, server: str):
    """Variables for a lake of its own that listens to the world; the same author key everywhere."""

    def make(name: str) -> dict[str, str]:
        config = tmp_path / "listening.toml"
        config.write_text(demo_config(server))
        return {**os.environ, "WOM_CONFIG": str(config), "WOM_LAKE": str(tmp_path / name), "WOM_AUTHOR_KEY": "k"}

    return make


def start(stage: str, environment: dict[str, str]) -> subprocess.Popen[bytes]:
    """Start `wom STAGE` as the operator would."""
    command = [sys.executable, "-c", "from dags.cli import main; main()", stage]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def finish(environment: dict[str, str]) -> tuple[list, list]:
    """Run every stage to its end and return what the published file says."""
    for stage in ("collect", "enrich", "publish"):
        process = start(stage, environment)
        printed = process.communicate()[0].decode()
        assert process.returncode == 0, printed
    with reading(Path(environment["WOM_LAKE"]) / "word_of_mouse.duckdb") as database:
        return ask(database, WHAT_WAS_SAID)[0], ask(database, WHAT_IS_COUNTED)[0]


@pytest.mark.slow
def test_thirty_kills_at_random_moments_change_no_row(environment_of):
    said, counted = finish(environment_of("undisturbed"))
    assert len(said) > 300
    environment = environment_of("killed")
    chance = random.Random(11)
    killed = []
    for number in range(KILLS):
        stage = ("collect", "enrich", "publish")[number % 3]
        process = start(stage, environment)
        time.sleep(chance.uniform(0.3, {"collect": 3.0, "enrich": 7.0, "publish": 2.0}[stage]))
        process.kill()
        process.communicate()
        killed.append((stage, process.returncode))
    assert sum(code == -9 for _, code in killed) >= KILLS // 2, f"most ended before they were killed: {killed}"
    said_after, counted_after = finish(environment)
    assert said_after == said
    assert counted_after == counted
    left = [path.name for path in Path(environment["WOM_LAKE"]).rglob("*.new-*")]
    assert left == [], "a publish leaves no temporary folder once a later one is through"
