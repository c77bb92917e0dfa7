"""How fast texts are signed and a million signatures grouped into stories. Prints, and never fails for being slow."""

import random
import resource
import time

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from nlp.signature import signatures
from warehouse.reckoned import reckoned
from warehouse.spike_rules import DEFAULT
from warehouse.statements import statement

pytestmark = pytest.mark.benchmark

POSTS = 1_000_000
BRANDS = 50
SHARED = 0.1  # of the posts tell a story that others tell too
KEPT = 0.9  # of a signature's bytes, in each copy: two copies agree in 0.81 of them
FOOTER = 3_000  # posts with the same boilerplate under different texts


def made_up(chance):
    """Return signatures, brand of each, and for the posts that share a story its number (others: -1)."""
    made = chance.integers(0, 128, (POSTS, 64), dtype=np.uint8)
    brand = chance.integers(0, BRANDS, POSTS)
    story = np.full(POSTS, -1)
    start = number = 0
    while start < POSTS * SHARED:
        copies = slice(start, start + min(2 + chance.geometric(0.35), 40))
        kept = chance.random(made[copies].shape) < KEPT
        kept[0] = True
        made[copies] = np.where(kept, made[start], made[copies])
        brand[copies] = brand[start]
        story[copies] = number
        start, number = copies.stop, number + 1
    made[-FOOTER:, :8] = made[-1, :8]
    brand[-FOOTER:] = 0
    return made, brand, story


def test_texts_a_second_through_the_signature(capsys):
    chance = random.Random(1)
    vocabulary = ["".join(chance.choices("aeiounrstlmd", k=chance.randint(2, 9))) for _ in range(20_000)]
    texts = [" ".join(chance.choices(vocabulary, k=22)) for _ in range(20_000)]
    started = time.process_time()
    made = signatures(texts)
    spent = time.process_time() - started
    with capsys.disabled():
        print(f"\nsignatures: {len(texts) / spent:,.0f} texts of 22 words a CPU second")
    assert len(set(made)) == len(texts)


def test_a_million_signatures_become_stories(capsys):
    made, brand, story = made_up(np.random.default_rng(7))
    names = [f"p{number:07}" for number in range(POSTS)]
    mentions = pa.table({
        "post_id": names,
        "version": pa.array(["v"] * POSTS),
        "brand": [f"brand {number}" for number in brand],
        "signature": pa.array([one.tobytes() for one in made], pa.binary()),
    })  # fmt: skip
    with duckdb.connect() as connection:
        connection.execute("CREATE SCHEMA lake")
        connection.register("arrived", mentions)
        connection.execute("CREATE TABLE lake.mentions AS FROM arrived")
        connection.execute(
            "CREATE TABLE lake.posts AS SELECT post_id, now() AS published_at, true AS is_current FROM arrived"
        )
        connection.execute("SET memory_limit = '2GB'")
        wall, started = time.perf_counter(), time.process_time()
        story_posts = statement("tables", "story_posts")
        with reckoned(connection, story_posts, DEFAULT):
            connection.execute(f"CREATE TABLE lake.story_posts AS {story_posts.text}")
        spent, waited = time.process_time() - started, time.perf_counter() - wall
        told = dict(connection.execute("SELECT post_id, story_id FROM lake.story_posts").fetchall())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    with capsys.disabled():
        print(f"\nstories of {POSTS:,} signatures: {waited:.1f} s, {spent:.1f} CPU s, at most {peak:.1f} GiB in all")
    first = {}
    for name, number in zip(names, story.tolist(), strict=True):
        first.setdefault(number, name)
    planted = [
        (told.get(name), first[number]) for name, number in zip(names, story.tolist(), strict=True) if number >= 0
    ]
    found = sum(said == true for said, true in planted)
    assert found / len(planted) > 0.99
    assert len(told) - found < len(planted) * 0.01  # nothing else is told twice, boilerplate least of all
