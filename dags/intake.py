"""Pages on their way into the lake: posts are stored first, cursors after.

A crash between the two costs a re-read, never a post: keys make the overlap harmless. Pages of many feeds
share files, so that a thousand quiet feeds leave a few files a run rather than a thousand.
"""

from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256

import pyarrow as pa

from dags.feed_state import FeedState, save_state
from listeners.feed import FeedOptions, Rejected
from listeners.personal_data import masked
from warehouse.erasure import kind_of_fault
from warehouse.forgotten import Forgotten
from warehouse.lake import Lake
from warehouse.tables import POSTS, REJECTS, conform

ROWS_A_FILE = 10_000  # posts held before they are stored: some 10 MB of memory
EXCERPT = 200  # characters of a rejected item that are kept, personal data masked


class LakeUnwritable(Exception):
    """The lake took no more; no cursor has moved past what it holds, so the next run goes on from there."""


class Intake:
    """Holds what feeds gave until it is worth a file."""

    def __init__(self, lake: Lake, run_id: str, author_key: bytes) -> None:
        """run_id: names this run's files; no other run may use it. author_key: whom to leave out is told under it.

        Raises DamagedFile where the lake cannot tell who was forgotten.
        """
        self._lake = lake
        self._author_key = author_key
        self.forgotten = Forgotten.of(lake, author_key)
        self._run_id = run_id
        self._posts: list[pa.RecordBatch] = []
        self._rejects: list[dict[str, object]] = []
        self._states: dict[str, tuple[FeedOptions, FeedState]] = {}
        self._files = 0

    @property
    def held(self) -> Sequence[pa.RecordBatch]:
        """The posts that are not stored yet."""
        return self._posts

    def add(self, feed: FeedOptions, posts: pa.RecordBatch, state: FeedState) -> None:
        """Take posts and the state to save once they are stored."""
        self._posts.append(posts)
        self._states[feed.id] = (feed, state)
        if sum(batch.num_rows for batch in self._posts) >= ROWS_A_FILE:
            self.flush()

    def reject(self, feed: FeedOptions, items: Sequence[Rejected], at: datetime) -> None:
        """Take items that could not become posts."""
        self._rejects += [
            {
                "feed": feed.id,
                "source": feed.source,
                "reason": item.reason,
                "item_hash": sha256(item.item.encode(errors="replace")).hexdigest(),
                "excerpt": masked(item.item[: 2 * EXCERPT])[:EXCERPT],
                "rejected_at": at,
            }
            for item in items
        ]

    def flush(self) -> None:
        """Store what is held. Raises LakeUnwritable."""
        name = f"{self._run_id}-{self._files:04d}"
        try:
            self.forgotten = Forgotten.of(self._lake, self._author_key)  # somebody may have been since the run began
            posts = self.forgotten.without(_joined(self._posts, POSTS))
            rejects = [self._of_nobody(reject) for reject in self._rejects]
            for held, schema in ((posts, POSTS), (_rows(rejects), REJECTS)):
                if held.num_rows:
                    self._lake.append(conform(held, schema), schema, name)
            for feed, state in self._states.values():
                save_state(self._lake, feed, state)
        except OSError as error:
            raise LakeUnwritable(f"the lake cannot be written: {error}") from error
        self._posts, self._rejects, self._states = [], [], {}
        self._files += 1

    def _of_nobody(self, reject: dict[str, object]) -> dict[str, object]:
        """A reject does not say whose item it is: where it may be that of somebody forgotten, it is not quoted."""
        if reject["source"] not in self.forgotten.sources:
            return reject
        return {**reject, "excerpt": "", "reason": kind_of_fault(str(reject["reason"]))}


def _joined(batches: list[pa.RecordBatch], schema: pa.Schema) -> pa.RecordBatch:
    return pa.concat_batches(batches) if batches else pa.RecordBatch.from_pylist([], schema=schema)


def _rows(rejects: list[dict[str, object]]) -> pa.RecordBatch:
    return pa.RecordBatch.from_pylist(rejects, schema=REJECTS)
