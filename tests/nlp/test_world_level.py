"""How well the built-in world is understood, whose truth is known. Its texts were written apart from model and rules.

`pytest -s tests/nlp/test_world_level.py` prints the figures that nlp/models/mention/card.md gives for it.
"""

from collections import Counter
from datetime import UTC, datetime
from importlib.resources import files
from tomllib import loads

import numpy as np
import pyarrow as pa

from listeners.feed_server.world import make_world
from nlp.brands import Brand
from nlp.enrich import Enricher
from nlp.training.measure import Confusion
from warehouse.tables import POSTS

SEED = 29  # a world that nothing was tuned on
UNTIL = datetime(2026, 11, 20, tzinfo=UTC)


def test_mentions_in_the_built_in_world_are_judged_at_the_level_stated():
    told = loads(files("listeners.feed_server").joinpath("listening.toml").read_text(encoding="utf-8"))["brand"]
    brands = [Brand(**{key: value for key, value in brand.items() if key in Brand.model_fields}) for brand in told]
    world = [post for post in make_world(SEED, UNTIL).visible(UNTIL) if post.language in (None, "en")][::4]
    usual = {"version": "v", "feed": "f", "source": "s", "kind": "post", "fetched_at": UNTIL, "deleted": False,
             "consent": "none_stated"}  # fmt: skip
    rows = [
        usual | {"post_id": str(post.id), "title": post.title, "text": post.text, "published_at": post.published_at}
        for post in world
    ]
    truths = {str(post.id): post.truth for post in world}
    mentions = Enricher(brands, {}, "v").enrich(pa.RecordBatch.from_pylist(rows, schema=POSTS)).to_pylist()

    wanted, given, sure = [], [], {True: [], False: []}
    moves: Counter[str] = Counter()
    for row in mentions:
        truth = truths[row["post_id"]]
        sure[row["brand"] in truth.sentiments].append(row["certainty"])
        if row["brand"] in truth.sentiments and row["sentiment"] is not None:
            wanted.append(truth.sentiments[row["brand"]] + 1)
            given.append(row["sentiment"] + 1)
        told_move = (row["switched_from"], row["switched_to"], row["switch_status"])
        truly = truth.switch if truth.switch and row["brand"] in truth.switch else None
        moves["told"] += truly is not None
        moves["found"] += row["switch_status"] is not None
        moves["right"] += truly == told_move
    reached = Confusion.of(np.array(wanted), np.array(given), 3)
    meant, not_meant = np.array(sure[True]), np.array(sure[False])
    print(f"\n{len(wanted)} mentions: macro recall {reached.macro_recall():.1%}, macro F1 {reached.macro_f1():.1%}")
    print(f"the company: {np.mean(meant >= 0.5):.0%} of {len(meant)} found, of {len(not_meant)} others "
          f"{np.mean(not_meant >= 0.5):.0%} taken for it")  # fmt: skip
    print(f"moves: {moves['told']} told, {moves['found']} found, {moves['right']} right in both sides and status")
    assert reached.macro_recall() > 0.6
    assert np.mean(meant >= 0.5) > 0.9
    assert np.mean(not_meant >= 0.5) < 0.7
