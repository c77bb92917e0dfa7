"""What is remembered of a feed between visits: its cursor and what was stored last."""

import hashlib

import pyarrow as pa
from pydantic import AwareDatetime, BaseModel, Field, ValidationError

from listeners.feed import FeedOptions
from warehouse.lake import Lake

REMEMBERED = 5_000  # newest stored posts a feed; an overlap longer than that is stored again, which keys make harmless

_COUNTERS = ("likes", "replies", "shares", "views")


class FeedState(BaseModel):
    """One feed's memory. `seen` maps a post to the fingerprint of its last stored reading, oldest first."""

    asked: str = Field(description="digest of the feed's options: a cursor is only good for the same question")
    cursor: str | None = None
    seen: dict[str, str] = {}
    not_before: AwareDatetime | None = Field(default=None, description="the server asked us to stay away until then")


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


def unseen(posts: pa.RecordBatch, seen: dict[str, str]) -> tuple[pa.RecordBatch, dict[str, str]]:
    """Return the readings that differ from the last stored ones, and what to remember of them.

    A reading differs by its text, by its being deleted, or by its counts of likes, replies, shares, views.
    """
    if not posts.num_rows:
        return posts, {}
    columns = [posts.column(name).to_pylist() for name in ("post_id", "version", *_COUNTERS)]
    fresh: dict[str, str] = {}
    mask = []
    for post_id, *reading in zip(*columns, strict=True):
        fingerprint = _digest(repr(reading), 8)
        key = _digest(post_id, 12)
        is_new = fresh.get(key, seen.get(key)) != fingerprint
        mask.append(is_new)
        if is_new:
            fresh[key] = fingerprint
    return posts.filter(pa.array(mask, type=pa.bool_())), fresh


def _name(feed: FeedOptions) -> str:
    return f"feeds/{feed.id}"


def _digest_of_question(feed: FeedOptions) -> str:
    return _digest(feed.model_dump_json(exclude={"id", "keep", "about"}), 16)


def _digest(text: str, length: int) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:length]
