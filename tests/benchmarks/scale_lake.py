"""A lake of as many mentions as one likes over 90 days, made in columns: hours of a real one's shape, in seconds.

Brands and feeds are drawn as in the world, some far oftener than others; one text in ten is another's, two bytes of its
signature changed; one post in fifty is read a second time, edited, and every fifth of those is taken down. Days that
are over lie in one file a source, as housekeeping leaves them, the last day in one an hour.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute

from warehouse import tables
from warehouse.lake import Lake
from warehouse.layout import mentions_path

pc: Any = pyarrow.compute
Generator = np.random.Generator

END = datetime(2026, 11, 20, 12, tzinfo=UTC)  # the hour after the last one
DAYS = 90
BRANDS = [f"Brand {number:02}" for number in range(50)]
SOURCES = ["rss", "mastodon", "reddit", "hackernews", "bluesky"]
FEEDS = [f"{source}-{number}" for source in SOURCES for number in range(4)]
VERSION = "bench-1"
ASPECTS = ["product", "reliability", "price", "billing", "delivery", "support", "staff", "app"]
STAGES = ["use", "unknown", "onboard", "pay", "support", "buy"]
EXPERIENCES = ["first_hand", "second_hand", "opinion", "unknown"]
INTENTS = [["complain"], ["praise"], ["recommend"], ["warn_off"], [], ["complain", "warn_off"]]
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
HOUR = 3_600_000_000  # microseconds


class ScaleLake:
    """What is drawn from: phrases, and the texts that are copied."""

    def __init__(self, lake: Lake, mentions: int, seed: int = 7) -> None:
        self.lake = lake
        self.an_hour = mentions / (DAYS * 24)
        self.chance = np.random.default_rng(seed)
        words = ["".join(self.chance.choice(list("aeiounrstlmdkpg"), 6)) for _ in range(4_000)]
        self.phrases = pa.array([" ".join(self.chance.choice(words, 6)) for _ in range(50_000)])
        self.copied = self.chance.integers(0, 128, (20_000, 64), dtype=np.uint8)
        self.authors = max(100, mentions // 6)
        self.made = 0

    def fill(self) -> None:
        """Make the 90 days."""
        first = END - timedelta(days=DAYS)
        day = first.replace(hour=0)
        while day < END:
            starts, ends = max(day, first), min(day + timedelta(days=1), END)
            if ends - starts == timedelta(days=1):
                self.store(starts, 24, "merged-day")
            else:
                for hour in range(int((ends - starts) / timedelta(hours=1))):
                    self.store(starts + timedelta(hours=hour), 1, f"hour-{starts.hour + hour:02}")
            day += timedelta(days=1)

    def store(self, starts: datetime, hours: int, name: str) -> int:
        """Make the posts of some hours, their mentions and visits; return how many."""
        count = self.chance.poisson(self.an_hour * hours)
        posts, mentions = self.rows(starts, hours, count)
        for of in SOURCES:
            path = f"posts/source={of}/date={starts:%Y-%m-%d}/{name}.parquet"
            self.lake.replace("mentions", mentions.filter(pc.field("source") == of), mentions_path(path, VERSION))
            self.lake.replace("posts", posts.filter(pc.field("source") == of), path)
        self.lake.replace(
            "visits", self.visits(starts, hours), f"visits/source=all/date={starts:%Y-%m-%d}/{name}.parquet"
        )
        return count

    def rows(self, starts: datetime, hours: int, count: int) -> tuple[pa.Table, pa.Table]:
        """Return posts and their mentions, one each."""
        chance = self.chance
        brand = np.minimum(chance.geometric(0.06, count) - 1, len(BRANDS) - 1)
        feed = np.minimum(chance.geometric(0.12, count) - 1, len(FEEDS) - 1)
        start = int((starts - EPOCH) / timedelta(microseconds=1))
        published = start + (chance.random(count) * hours * HOUR).astype(np.int64)
        fetched = (published // (HOUR // 4) + 1) * (HOUR // 4)
        fetched = np.minimum(fetched, start + hours * HOUR - 1)
        published = np.minimum(published, fetched)
        numbers = np.arange(self.made, self.made + count)
        self.made += count
        names = pc.binary_join_element_wise("post", pa.array(numbers).cast(pa.string()), "-")
        again = chance.random(count) < 0.02
        again[:1] = False
        names = pc.if_else(pa.array(again), names.take(pa.array(np.maximum(np.arange(count) - 1, 0))), names)
        gone = again & (chance.random(count) < 0.2)
        version = pc.binary_join_element_wise("v", pa.array(numbers % 997).cast(pa.string()), "")
        told = pc.binary_join_element_wise(
            *(self.phrases.take(pa.array(chance.integers(0, 50_000, count))) for _ in range(3)), " "
        )
        speaker = (self.authors * chance.random(count) ** 2).astype(np.int64)
        author = pc.binary_join_element_wise("author", pa.array(speaker).cast(pa.string()), "-")
        sentiment = chance.choice(np.array([-1, 0, 1], dtype=np.int8), count, p=[0.3, 0.4, 0.3])
        signature = chance.integers(0, 128, (count, 64), dtype=np.uint8)
        copies = np.flatnonzero(chance.random(count) < 0.1)
        signature[copies] = self.copied[(brand[copies] * 400 + chance.integers(0, 400, len(copies))) % len(self.copied)]
        signature[copies, chance.integers(0, 64, len(copies))] ^= 1
        time, zone = pa.timestamp("us"), tables.UTC_TIME
        at, read = pa.array(published, time).cast(zone), pa.array(fetched, time).cast(zone)
        source = (feed // 4).astype(np.int64)
        posts = {
            "post_id": names, "version": version, "feed": pa.array(FEEDS).take(pa.array(feed)),
            "source": pa.array(SOURCES).take(pa.array(source)), "kind": ["post"] * count,
            "url": pc.binary_join_element_wise("https://example.org/p", pa.array(numbers).cast(pa.string()), "/"),
            "text": pc.if_else(pa.array(gone), "", told), "author": author,
            "author_followers": chance.integers(0, 5_000, count),
            "published_at": at, "fetched_at": read, "deleted": gone, "likes": chance.integers(0, 50, count),
            "replies": chance.integers(0, 5, count), "consent": ["none_stated"] * count,
        }  # fmt: skip
        p = np.where(sentiment == -1, 0.8, 0.1), np.where(sentiment == 0, 0.8, 0.1), np.where(sentiment == 1, 0.8, 0.1)
        aspects = [[]] + [
            [{"aspect": one, "sentiment": side, "start": 0, "end": 9}] for one in ASPECTS for side in (-1, 0, 1)
        ]
        aspect_type = tables.MENTIONS.field("aspects").type
        mentions = {
            "post_id": names, "version": version, "brand": pa.array(BRANDS).take(pa.array(brand)),
            "source": posts["source"], "published_at": at, "fetched_at": read, "matched_text": ["Brand"] * count,
            "matched_as": ["alias"] * count, "certainty": np.round(0.4 + 0.6 * chance.random(count), 2),
            "p_negative": p[0], "p_neutral": p[1], "p_positive": p[2], "sentiment": sentiment,
            "emotion": ["none"] * count,
            "experience": pa.array(EXPERIENCES).take(pa.array(chance.integers(0, len(EXPERIENCES), count))),
            "intents": pa.array(INTENTS).take(pa.array(chance.integers(0, len(INTENTS), count))),
            "stage": pa.array(STAGES).take(pa.array(chance.integers(0, len(STAGES), count))),
            "aspects": pa.array(aspects, aspect_type).take(pa.array(chance.integers(0, len(aspects), count))),
            "entities": _empty(tables.MENTIONS.field("entities").type, count),
            "language": ["en"] * count,
            "signature": pa.Array.from_buffers(pa.binary(64), count, [None, pa.py_buffer(signature.tobytes())]),
            "nlp_version": [VERSION] * count,
        }  # fmt: skip
        stands = pa.array(~gone)  # nothing is said in a post that was taken down
        return _table(tables.POSTS, posts, count), _table(tables.MENTIONS, mentions, count).filter(stands)

    def visits(self, starts: datetime, hours: int) -> pa.Table:
        """Return a visit of every feed in each quarter of an hour."""
        count = hours * 4 * len(FEEDS)
        start = int((starts - EPOCH) / timedelta(microseconds=1))
        at = pa.array(start + np.arange(count) // len(FEEDS) * (HOUR // 4), pa.timestamp("us")).cast(tables.UTC_TIME)
        columns = {
            "feed": pa.array(FEEDS).take(pa.array(np.arange(count) % len(FEEDS))), "source": ["all"] * count,
            "started_at": at, "finished_at": at, "outcome": ["new"] * count, "posts": np.ones(count, dtype=np.int64),
            "left_out": _empty(tables.VISITS.field("left_out").type, count),
            "requests": np.ones(count, dtype=np.int64), "bytes": np.ones(count, dtype=np.int64),
        }  # fmt: skip
        return _table(tables.VISITS, columns, count)


def _table(schema: pa.Schema, columns: dict[str, Any], count: int) -> pa.Table:
    arrays = [
        pa.nulls(count, field.type) if field.name not in columns
        else columns[field.name] if isinstance(columns[field.name], pa.Array)
        else pa.array(columns[field.name], field.type)
        for field in schema
    ]  # fmt: skip
    return pa.Table.from_arrays(
        [one.cast(field.type) for one, field in zip(arrays, schema, strict=True)], schema=schema
    )


def _empty(of: pa.DataType, count: int) -> pa.Array:
    return pa.array([[]], of).take(pa.array(np.zeros(count, dtype=np.int64)))
