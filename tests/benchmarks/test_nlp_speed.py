"""How fast names are found and mentions are made, on one core. Prints, and never fails for being slow."""

import random
import time
from datetime import UTC, datetime

import pyarrow as pa
import pytest

from nlp.brands import Brand
from nlp.enrich import Enricher
from nlp.matcher import Matcher
from warehouse.tables import POSTS

pytestmark = pytest.mark.benchmark

SYLLABLES = ["ka", "lo", "mer", "tin", "vo", "sha", "run", "bel", "dex", "pol", "qui", "zan", "fro", "gil"]
SAID = (
    "been on hold with {} for an hour and nobody answers, this is the third time this week that it is down",
    "shout out to the person at {} who sorted my bill in five minutes and even called me back",
    "does anyone know whether {} works in the north of the country or should I look elsewhere",
    "thinking about leaving {} when my contract ends in March, the price keeps going up every year",
)


def made_up(count, seed=7):
    """Return names of three to five syllables."""
    chance = random.Random(seed)
    return list(
        dict.fromkeys("".join(chance.choices(SYLLABLES, k=chance.randint(3, 5))).title() for _ in range(count * 2))
    )[:count]


def test_posts_a_second_through_the_brand_filter(capsys):
    names = made_up(10_000)
    matcher = Matcher([Brand(name=name) for name in names])
    chance = random.Random(1)
    posts = [chance.choice(SAID).format(chance.choice(names) if n % 50 == 0 else "them") for n in range(50_000)]
    started = time.process_time()
    kept = sum(matcher.names_any(post) for post in posts)
    spent = time.process_time() - started
    with capsys.disabled():
        print(f"\nbrand filter, {len(names):,} brands: {len(posts) / spent:,.0f} posts a CPU second ({kept:,} kept)")
    assert kept == 1_000


def test_mentions_a_second_through_the_whole_pipeline(capsys):
    names = made_up(200)
    enricher = Enricher([Brand(name=name) for name in names], {}, "bench")
    chance = random.Random(2)
    now = datetime(2026, 11, 20, tzinfo=UTC)
    rows = [
        {"post_id": str(n), "version": "v", "feed": "f", "source": "rss", "kind": "post", "published_at": now,
         "fetched_at": now, "text": chance.choice(SAID).format(chance.choice(names)),
         "deleted": False, "consent": "none_stated"}
        for n in range(1_000)
    ]  # fmt: skip
    batch = pa.RecordBatch.from_pylist(rows, schema=POSTS)
    started = time.process_time()
    made = enricher.enrich(batch).num_rows
    spent = time.process_time() - started
    with capsys.disabled():
        print(f"\nenrich: {made / spent:,.0f} mentions a CPU second")
    assert made == 1_000
