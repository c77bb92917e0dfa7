"""Rows for the warehouse's tests: a call names what matters to the test, the rest is plain."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import duckdb
import pyarrow as pa

from warehouse import tables
from warehouse.lake import Lake

NOW = datetime(2026, 11, 20, 12, 30, tzinfo=UTC)  # when the tests' snapshots are published
VERSION = "rules-1"
Pairs = Sequence[tuple[dict[str, Any], dict[str, Any]]]  # posts, each with its mention


def hours_ago(hours: float) -> datetime:
    """Return a time before NOW."""
    return NOW - timedelta(hours=hours)


def post(post_id: str, **other: Any) -> dict[str, Any]:
    """Return a post; its version follows from title, text and deleted, as a listener's does."""
    row: dict[str, Any] = dict.fromkeys(tables.POSTS.names) | {
        "post_id": post_id,
        "feed": "town-talk",
        "source": "rss",
        "kind": "post",
        "text": f"what {post_id} says",
        "author": f"author-of-{post_id}",
        "published_at": hours_ago(2),
        "fetched_at": max(hours_ago(1), other.get("published_at", hours_ago(2))),
        "deleted": False,
        "consent": "none_stated",
    }
    row |= other
    if "version" not in other:
        row["version"] = hashlib.sha256(repr((row["title"], row["text"], row["deleted"])).encode()).hexdigest()[:12]
    return row


def mention(
    of: Mapping[str, Any], brand: str | None = "Quillon", sentiment: int | None = 0, **other: Any
) -> dict[str, Any]:
    """Return a mention of a brand in a post."""
    odds = {-1: (0.8, 0.1, 0.1), 0: (0.1, 0.8, 0.1), 1: (0.1, 0.1, 0.8), None: (None, None, None)}[sentiment]
    row: dict[str, Any] = dict.fromkeys(tables.MENTIONS.names) | {
        **{name: of[name] for name in ("post_id", "version", "source", "published_at", "fetched_at")},
        "brand": brand,
        "matched_as": "alias",
        "certainty": 0.9,
        **dict(zip(("p_negative", "p_neutral", "p_positive"), odds, strict=True)),
        "sentiment": sentiment,
        "experience": "unknown",
        "stage": "unknown",
        "entities": [],
        "nlp_version": VERSION,
    }
    return row | other


def visit(feed: str = "town-talk", outcome: str = "new", hours: float = 1, **other: Any) -> dict[str, Any]:
    """Return a visit that took 2 seconds, some hours before NOW."""
    started_at = hours_ago(hours)
    return {
        "feed": feed,
        "source": "rss",
        "started_at": started_at,
        "finished_at": started_at + timedelta(seconds=2),
        "outcome": outcome,
        "posts": 1,
        "left_out": [],
        "requests": 1,
        "bytes": 100,
        "error": None,
        "next_visit_at": started_at + timedelta(hours=1),
        "waiting_for": None,
        "failing_since": None,
        "notes": None,
    } | other


def event(alert_id: str, what: str, hours: float, **other: Any) -> dict[str, Any]:
    """Return an event of an alert, some hours before NOW."""
    return {
        "alert_id": alert_id,
        "brand": "Quillon",
        "kind": None,
        "aspect": None,
        "event": what,
        "at": hours_ago(hours),
        "by": "watch",
        "evidence": "{}",
    } | other


def correction(column: str, value: Any, hours: float = 0.5, **other: Any) -> dict[str, Any]:
    """Return what a person said of the mention of Quillon in post "a"; value: what is right, ... takes it back."""
    return {
        "post_id": "a",
        "brand": "Quillon",
        "column": column,
        "value": None if value is ... else json.dumps(value),
        "by": "kim",
        "at": hours_ago(hours),
        "note": None,
    } | other


def batch(schema: pa.Schema, *rows: Mapping[str, Any]) -> pa.RecordBatch:
    """Return rows as a batch of a table."""
    return pa.RecordBatch.from_pylist([dict(row) for row in rows], schema=schema)


def brands(*names: str, **competitors: list[str]) -> pa.RecordBatch:
    """Return a BRANDS batch: names without competitors, and names with them."""
    rows = [{"brand": name, "competitors": [], "owners": []} for name in names]
    rows += [{"brand": name, "competitors": rivals, "owners": []} for name, rivals in competitors.items()]
    return batch(tables.BRANDS, *rows)


def feeds(*names: str, **about: str) -> pa.RecordBatch:
    """Return a FEEDS batch: general feeds, and feeds about a brand."""
    rows = [{"feed": name, "source": "rss", "url": None, "about": None} for name in names]
    rows += [{"feed": name, "source": "rss", "url": None, "about": brand} for name, brand in about.items()]
    return batch(tables.FEEDS, *rows)


def store(lake: Lake, posts: list[dict[str, Any]], mentions: list[dict[str, Any]], name: str = "run") -> None:
    """Store posts and, beside each posts file, those of the mentions that belong to it."""
    for path in lake.append(batch(tables.POSTS, *posts), tables.POSTS, name):
        held = {(row["post_id"], row["version"]) for row in lake.read(path).to_pylist()}
        found = [row for row in mentions if (row["post_id"], row["version"]) in held]
        lake.write_mentions(path, VERSION, batch(tables.MENTIONS, *found))


def store_pairs(lake: Lake, pairs: Pairs, brand: str, name: str) -> None:
    """Store posts, each with its mention; brand: of those mentions that have none."""
    store(lake, [said for said, _ in pairs], [found | {"brand": found["brand"] or brand} for _, found in pairs], name)


def rows_of(connection: duckdb.DuckDBPyConnection, query: str, *parameters: Any) -> list[dict[str, Any]]:
    """Return what a query gives."""
    cursor = connection.execute(query, list(parameters))
    names = [column[0] for column in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
