"""Tombstones for posts that a feed says are gone, where the lake holds them.

A feed may name what went by post or by author (listeners.feed.TakenDown), most of which we never stored.
"""

from collections.abc import Sequence
from datetime import datetime

import pyarrow as pa
import pyarrow.dataset as ds

from listeners.feed import FeedOptions, TakenDown
from listeners.post import version
from listeners.registry import SOURCES, network_of
from warehouse.lake import Lake
from warehouse.tables import POSTS, conform, empty

_GONE = (
    "url", "title", "language", "author", "author_followers", "published_raw", "edited_at", "parent_id", "root_id",
    "quoted_id", "likes", "replies", "shares", "views", "rating",
)  # fmt: skip


def tombstones(
    lake: Lake, held: Sequence[pa.RecordBatch], feed: FeedOptions, taken_down: TakenDown, at: datetime
) -> pa.RecordBatch:
    """Return a tombstone for each standing post of the feed's network that was taken down.

    held: posts on their way into the lake. at: our clock, when the visit began.
    """
    if not taken_down.posts and not taken_down.authors:
        return empty(POSTS)
    posts, authors = (pa.array(sorted(names), pa.string()) for names in (taken_down.posts, taken_down.authors))
    sources = [source for source in SOURCES if network_of(source) == network_of(feed.source)]
    of_network = ds.field("source").isin(pa.array(sources, pa.string()))
    named = (ds.field("post_id").isin(posts) | ds.field("author").isin(authors)) & of_network
    stored = [lake.find("posts", named, source=source) for source in sources]
    found = pa.concat_tables([*stored, pa.Table.from_batches(held, POSTS).filter(named)])
    readings = sorted(found.to_pylist(), key=lambda row: (row["fetched_at"], row["deleted"]))
    newest = {row["post_id"]: row for row in readings}
    rows = [_tombstone(row, feed, at) for row in newest.values() if not row["deleted"]]
    return conform(pa.RecordBatch.from_pylist(rows, schema=POSTS), POSTS)


def _tombstone(row: dict, feed: FeedOptions, at: datetime) -> dict:
    return {
        **row,
        **dict.fromkeys(_GONE),
        "feed": feed.id,
        "version": version(None, "", True),
        "text": "",
        "fetched_at": max(at, row["fetched_at"]),
        "deleted": True,
    }
