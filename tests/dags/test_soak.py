"""Weeks of collecting in minutes: every source of the built-in feed server, faults and kills at random, nothing lost.

What the lake holds as standing in the end is what the world had published and a listener may keep: each post once.
"""

import os
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from dags import stages
from dags.settings import load_settings
from listeners.feed_server import build_app, config, make_world, serve
from listeners.feed_server.bluesky import PASSWORD
from listeners.feed_server.faults import html_instead, status, truncated, wrong_content_type

PARTS = [
    import_module(f"listeners.feed_server.{part}")
    for part in (
        "appstore", "bluesky", "devto", "discourse", "gdelt", "github", "hackernews", "lemmy", "lobsters", "mastodon",
        "reddit", "rss", "stackexchange", "youtube",
    )
]  # fmt: skip
UNTIL = datetime(2026, 11, 20, 18, tzinfo=UTC)
EVERY = timedelta(hours=12)
AFTERWARDS = (timedelta(hours=3), timedelta(days=1), timedelta(days=8), timedelta(days=31))  # nothing goes wrong then
FAULTS = {
    "a server that is down": status(503),
    "a limit": status(429, {"Retry-After": "0"}),
    "a web page": html_instead(),
    "a refusal": html_instead(403),
    "a body that ends early": truncated(),
    "a wrong name for the type": wrong_content_type("text/plain"),
    "nothing": status(200),
}
VISIT = """
import sys
from datetime import datetime
from dags import stages
from dags.settings import load_settings
at = datetime.fromisoformat(sys.argv[1])
stages.collect(load_settings(), now=lambda: at)
"""


class Moody:
    """The feed server behind a bad line: a request in so many meets a fault while it is on."""

    def __init__(self, app: ASGIApp, seed: int, share: float) -> None:
        self.app = app
        self.random = random.Random(seed)
        self.share = share
        self.met: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and self.random.random() < self.share:
            name = self.random.choice(list(FAULTS))
            self.met[name] += 1
            await FAULTS[name](self.app, scope, receive, send)
        else:
            await self.app(scope, receive, send)


def soak(folder: Path, *, days: int, posts: int, seed: int, kills: float) -> tuple[list[dict[str, Any]], set[str]]:
    """Collect for so many days; return all readings that are stored, and the ids of what may be kept.

    kills: the share of runs that are killed at a random moment.
    """
    world = make_world(seed, UNTIL, days=days, posts=posts)
    clock = [UNTIL - timedelta(days=days)]
    chance = random.Random(seed)
    app = Moody(build_app(world, lambda: clock[0], now=lambda: clock[0]), seed, share=0.03)
    with serve(app) as server:
        (folder / "listening.toml").write_text(config.every_source(server))
        variables = {
            "WOM_CONFIG": str(folder / "listening.toml"), "WOM_LAKE": str(folder / "lake"), "WOM_AUTHOR_KEY": "k",
            "FEED_SERVER_KEY": "any", "SKY_PASSWORD": PASSWORD,
        }  # fmt: skip
        settings = load_settings(variables)

        def visit() -> None:
            stages.collect(settings, now=lambda: clock[0], environment=variables)

        while clock[0] < UNTIL:
            clock[0] += EVERY
            killed_visit(clock[0], variables, chance) if chance.random() < kills else visit()
        app.share = 0.0
        for further in AFTERWARDS:
            clock[0] = UNTIL + further
            visit()
        assert set(app.met) == set(FAULTS)
        kept = set().union(*(part.kept(world, clock[0], server) for part in PARTS))
    lake = stages.open_lake(settings)
    return [row for path in lake.files("posts") for row in lake.read(path).to_pylist()], kept


def killed_visit(at: datetime, variables: dict[str, str], chance: random.Random) -> None:
    """Collect in a process of its own, which is killed in the middle of it."""
    command = [sys.executable, "-c", VISIT, at.isoformat()]
    process = subprocess.Popen(command, env={**os.environ, **variables}, stderr=subprocess.DEVNULL)
    time.sleep(chance.uniform(0.8, 3.0))  # it starts in about a second
    process.kill()
    process.wait()


def standing(readings: Iterable[dict[str, Any]]) -> set[str]:
    """The posts whose newest reading is no tombstone."""
    newest: dict[str, dict[str, Any]] = {}
    for row in sorted(readings, key=lambda row: (row["fetched_at"], row["deleted"])):
        newest[row["post_id"]] = row
    return {post_id for post_id, row in newest.items() if not row["deleted"]}


def compare(readings: list[dict[str, Any]], kept: set[str]) -> None:
    """Assert that what stands is what may be kept, and that no reading was stored twice in vain."""
    stands = standing(readings)
    lost, too_much = sorted(kept - stands), sorted(stands - kept)
    print(f"{len(readings)} readings, {len(stands)} standing, {len(kept)} may be kept")
    assert Counter(post.split(":")[0] for post in lost) == {}, lost[:20]
    assert Counter(post.split(":")[0] for post in too_much) == {}, too_much[:20]


def test_three_days_of_faults_lose_nothing(tmp_path):
    compare(*soak(tmp_path, days=3, posts=180, seed=5, kills=0))


@pytest.mark.slow
def test_sixty_days_of_faults_and_kills_lose_nothing(tmp_path):
    compare(*soak(tmp_path, days=60, posts=2_700, seed=60, kills=0.15))
