"""What is remembered of a feed between visits: its cursor and what was stored last."""

import hashlib
from collections.abc import Iterator

import pyarrow as pa
from pydantic import BaseModel, Field, ValidationError

from listeners.feed import FeedOptions
from warehouse.lake import Lake

REMEMBERED = 5_000  # newest stored posts a feed; an overlap longer than that is stored again, which keys make harmless

# Keys that change nothing about what a visit reads
_NO_QUESTION = {"id", "keep", "about", "poll_minutes", "redirect_hosts", "items_url"}
_COUNTERS = ("likes", "replies", "shares", "views")


class FeedState(BaseModel):
    """One feed's memory. `seen` maps a post to the fingerprint of its last stored reading, oldest first."""

    asked: str = Field(description="digest of the feed's options: a cursor is only good for the same question")
    cursor: str | None = None
    seen: dict[str, str] = {}


def load_state(lake: Lake, feed: FeedOptions) -> FeedState:
    """Return what is remembered, or a first visit's empty memory where nothing is or the question changed.

    A memory that cannot be read counts as none: the feed is read anew and nothing is lost.
    """
    blank = FeedState(asked=_digest_of_question(feed))
    stored = lake.read_state(_name(feed))
    if stored is None:
        return blank
    try:
        state = FeedState.model_validate_json(stored)
    except ValidationError:
        return blank
    return state if state.asked == blank.asked else blank


def save_state(lake: Lake, feed: FeedOptions, state: FeedState) -> None:
    """Store the memory, the newest REMEMBERED posts of it."""
    recent = dict(list(state.seen.items())[-REMEMBERED:])
    lake.write_state(_name(feed), state.model_copy(update={"seen": recent}).model_dump_json().encode())


def unseen(posts: pa.RecordBatch, seen: dict[str, str]) -> pa.RecordBatch:
    """Return the readings that differ from the last stored ones."""
    if not posts.num_rows:
        return posts
    met = dict(seen)
    mask = []
    for key, fingerprint in _readings(posts):
        mask.append(met.get(key) != fingerprint)
        met[key] = fingerprint
    return posts.filter(pa.array(mask, type=pa.bool_()))


def fingerprints(posts: pa.RecordBatch) -> dict[str, str]:
    """Return what to remember of readings that are stored: what `unseen` tells them from later ones by."""
    return dict(_readings(posts)) if posts.num_rows else {}


def remembered_as(post_id: str) -> str:
    """Return what `seen` knows a post by."""
    return _digest(post_id, 12)


def _readings(posts: pa.RecordBatch) -> Iterator[tuple[str, str]]:
    """Post and fingerprint of each reading.

    One differs from another by its text, by its being deleted, by its counts of likes, replies, shares, views, or by
    no longer naming its author.
    """
    columns = [posts.column(name).to_pylist() for name in ("post_id", "version", *_COUNTERS)]
    nameless = posts.column("author").is_null().to_pylist()
    for post_id, *reading in zip(*columns, nameless, strict=True):
        yield remembered_as(post_id), _digest(repr(reading), 8)


def _name(feed: FeedOptions) -> str:
    return f"feeds/{feed.id}"


def _digest_of_question(feed: FeedOptions) -> str:
    return _digest(feed.model_dump_json(exclude=_NO_QUESTION), 16)


def _digest(text: str, length: int) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:length]
