"""A lake in which it storms or does not, and watching it."""

import random
from datetime import UTC, datetime, timedelta

import pyarrow as pa
from written_by_tests import toml_of

from dags import stages
from dags.notify import Patience
from dags.summary import ask, reading
from warehouse.tables import MENTIONS, POSTS

NOW = datetime(2026, 11, 21, 12, 30, tzinfo=UTC)
AT_ONCE = Patience(pauses=(0.0, 0.0))  # tries again without a pause


def told_by(inbox):
    """The lines of listening.toml that make `care` this inbox."""
    return f'\n[[alerts.target]]\nname = "care"\nurl = "{inbox.url}"\n'


A_BRAND = toml_of({"a": "http://127.0.0.1:1/"})


def published(settings, *, storm: bool):
    """Store three weeks of calm, and if asked for a storm in the last three hours; publish at NOW."""
    chance = random.Random(5)
    posts, mentions = [], []
    moments = [(NOW - timedelta(hours=hours, minutes=chance.randrange(60)), chance.random() < 0.15)
               for hours in range(4, 21 * 24) for _ in range(2)]  # fmt: skip
    moments += [(NOW - timedelta(minutes=4 * step), True) for step in range(45)] if storm else []
    version = stages.version_of(settings)
    for number, (at, negative) in enumerate(moments):
        identity = {"post_id": f"p{number}", "version": "v", "source": "rss", "published_at": at, "fetched_at": NOW}
        text = f"Acme charged me twice, number {number}" if negative else f"Acme is open, number {number}"
        posts.append({**identity, "feed": "a", "kind": "post", "text": text, "author": f"author{number}",
                      "deleted": False, "consent": "none_stated"})  # fmt: skip
        mentions.append({**identity, "brand": "Acme", "matched_as": "alias", "certainty": 0.9, "p_negative": 0.8,
                         "p_neutral": 0.1, "p_positive": 0.1, "sentiment": -1 if negative else 0, "entities": [],
                         "experience": "unknown", "stage": "unknown", "nlp_version": version})  # fmt: skip
    lake = stages.open_lake(settings)
    [path] = lake.append(pa.RecordBatch.from_pylist(posts, schema=POSTS), POSTS, "made-up")
    lake.write_mentions(path, version, pa.RecordBatch.from_pylist(mentions, schema=MENTIONS))
    stages.publish(settings, now=lambda: NOW)


def watch(settings, minutes=0, environment=None):
    return stages.watch(
        settings, now=lambda: NOW + timedelta(minutes=minutes), environment=environment or {}, patience=AT_ONCE
    )


def alerts_of(settings):
    with reading(settings.database) as database:
        return ask(database, "FROM alerts")[0]
