"""Who and what was forgotten, so that it does not come back: known by keyed hashes alone.

They stand in the lake's table `erasures`, which nobody can turn back into names without the author key, and which
nobody with another key can use: keep the key as long as the lake.
"""

import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any, Self

import pyarrow as pa

from warehouse.lake import DamagedFile, Lake, LakeError
from warehouse.tables import ERASURES, POSTS

LISTINGS = 5  # the lake is listed anew when files went meanwhile
REFERENCES = ("parent_id", "root_id", "quoted_id")  # columns of posts that name other posts

Row = Mapping[str, Any]  # of ERASURES


def keyed_hash(key: bytes, what: str) -> str:
    """Return the hash of a pseudonym, post_id or address: 32 hex digits, which tell nothing without the key."""
    message = b"forgotten\0" + what.encode("utf-8", "surrogatepass")
    return hmac.digest(key, message, hashlib.sha256)[:16].hex()


def signature(key: bytes, row: Row) -> str:
    """Return the signature of a row of ERASURES: HMAC-SHA256 of all its other columns."""
    told = {name: _as_json(row.get(name)) for name in ERASURES.names if name != "signature"}
    return hmac.digest(key, b"erasure\0" + json.dumps(told, sort_keys=True).encode(), hashlib.sha256).hex()


def is_genuine(key: bytes, row: Row) -> bool:
    """Return whether a row of ERASURES stands as it was written under this key."""
    return hmac.compare_digest(signature(key, row), str(row["signature"]))


def erasures(lake: Lake) -> list[dict[str, Any]]:
    """Return every row of ERASURES, oldest first.

    Raises DamagedFile where a file cannot be read (somebody in it could come back), LakeError where files move.
    """
    for _ in range(LISTINGS):
        try:
            rows = [row for path in lake.files("erasures") for row in lake.read(path).to_pylist()]
        except DamagedFile:
            raise
        except FileNotFoundError:
            continue
        return sorted(rows, key=lambda row: (row["at"], row["erasure_id"], row["brand"] or "", str(row["day"] or "")))
    raise LakeError(lake.location, f"erasures were moved during each of {LISTINGS} listings; try again")


class Forgotten:
    """Tells whether a pseudonym, a post_id or an address is of somebody or something forgotten."""

    def __init__(self, key: bytes, rows: Iterable[Row] = ()) -> None:
        told = [row for row in rows if row["keyed_hashes"] is not None]
        self._key = key
        self._hashes = frozenset(one for row in told for one in row["keyed_hashes"])
        self.sources = frozenset(source for row in told for source in row["sources"] or ())

    @classmethod
    def of(cls, lake: Lake, key: bytes) -> Self:
        """Return what the lake's erasures say. Raises as `erasures` does."""
        return cls(key, erasures(lake))

    def __bool__(self) -> bool:
        return bool(self._hashes)

    def holds(self, what: str | None) -> bool:
        """Return whether this pseudonym, post_id or address is forgotten."""
        return bool(self._hashes) and what is not None and keyed_hash(self._key, what) in self._hashes

    def without(self, posts: pa.RecordBatch) -> pa.RecordBatch:
        """Return a batch of POSTS without those of the forgotten, and without the names of those in the others."""
        return self.unnamed(self.of_others(posts))

    def of_others(self, posts: pa.RecordBatch) -> pa.RecordBatch:
        """Return a batch of POSTS without those of the forgotten."""
        if not self._hashes or not posts.num_rows:
            return posts
        ids, authors = posts["post_id"].to_pylist(), posts["author"].to_pylist()
        kept = [not (self.holds(post) or self.holds(author)) for post, author in zip(ids, authors, strict=True)]
        return posts if all(kept) else posts.filter(pa.array(kept, pa.bool_()))

    def unnamed(self, posts: pa.RecordBatch) -> pa.RecordBatch:
        """Return the same posts, which no longer say that they answer or quote what is forgotten."""
        if not self._hashes or not posts.num_rows:
            return posts
        columns = {name: posts[name] for name in POSTS.names}
        for name in REFERENCES:
            told = columns[name].to_pylist()
            left = [None if self.holds(post_id) else post_id for post_id in told]
            if left != told:
                columns[name] = pa.array(left, pa.string())
        return pa.RecordBatch.from_arrays(list(columns.values()), schema=POSTS)


def _as_json(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date | datetime) else value
