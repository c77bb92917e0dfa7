"""Which posts may be of another story now: those whose text shares a band with one that came, went or changed.

lake.story_posts compares texts that agree in a band of 4 of the 64 bytes of their signatures, under one brand. Posts
that share no band with each other, nor with posts that do, and so on, do not touch each other's stories: the set found
here is closed, so that the statement gives over it alone what it gives over all. To find it every signature is looked
at, a few times, which is a small part of the work of grouping them.
"""

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

BANDS = 16
ROWS_AT_ONCE = 65_536  # so that their keys stay in the processor's cache
TABLE_BITS = 24
_STEP, _MIX = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xD6E8FEB86659FD93)  # odd, of well mixed bits

Keys = NDArray[np.uint64]
_NONE: Keys = np.empty(0, dtype=np.uint64)


def widen(connection: duckdb.DuckDBPyConnection) -> None:
    """Add to touched.story_posts, which names posts, all that are not apart from them.

    Reads changed.mentions, which holds what was said before and is said now, and snapshot.lake.mentions.
    """
    seen = _NONE
    texts = """
        SELECT DISTINCT hash(brand) AS brand, signature
        FROM snapshot.lake.mentions
        SEMI JOIN touched.story_posts ON post_id = part_0
        WHERE octet_length(signature) = 64
    """
    if _has(connection, "changed", "mentions"):
        texts += """
            UNION
            SELECT hash(brand), signature
            FROM changed.mentions
            WHERE octet_length(signature) = 64
        """
    while True:
        batches = connection.sql(texts).to_arrow_reader(ROWS_AT_ONCE)
        new = np.unique(np.concatenate([_NONE, *(_keys(batch).ravel() for batch in batches)]))
        new = np.setdiff1d(new, seen, assume_unique=True)
        if not len(new):
            return
        seen = np.union1d(seen, new)
        connection.register("neighbours", pa.table({"place": _places(connection, new)}))
        connection.execute(
            """
            INSERT INTO touched.story_posts
            SELECT DISTINCT post_id
            FROM snapshot.lake.mentions AS found
            SEMI JOIN neighbours ON found.rowid = neighbours.place
            ANTI JOIN touched.story_posts AS known ON known.part_0 = found.post_id
            """
        )
        connection.unregister("neighbours")


def _places(connection: duckdb.DuckDBPyConnection, keys: Keys) -> NDArray[np.int64]:
    """Return the rowids of the mentions whose text has one of these keys."""
    table = np.zeros(1 << TABLE_BITS, dtype=bool)
    table[keys >> np.uint64(64 - TABLE_BITS)] = True
    places = [np.empty(0, dtype=np.int64)]
    query = """
        SELECT hash(brand) AS brand, signature, rowid AS place
        FROM snapshot.lake.mentions
        WHERE octet_length(signature) = 64
    """
    for batch in connection.sql(query).to_arrow_reader(ROWS_AT_ONCE):
        found = _keys(batch)
        likely = np.flatnonzero(table[found >> np.uint64(64 - TABLE_BITS)].any(axis=1))
        surely = likely[np.isin(found[likely], keys).any(axis=1)]
        places.append(batch.column("place").to_numpy()[surely])
    return np.concatenate(places)


def _keys(batch: pa.RecordBatch) -> Keys:
    """Return a key for each band of each text: (rows, bands)."""
    signatures = batch.column("signature").cast(pa.binary())
    _, offsets, values = signatures.buffers()
    start = np.frombuffer(offsets, dtype=np.int32)[signatures.offset] if offsets else 0
    bytes_ = np.frombuffer(values, dtype=np.uint8)[start : start + 64 * len(signatures)] if values else b""
    bands = np.frombuffer(bytes(bytes_), dtype=np.uint32).reshape(-1, BANDS).astype(np.uint64)
    numbered = bands + np.arange(1, BANDS + 1, dtype=np.uint64) * _STEP
    mixed = (numbered ^ batch.column("brand").to_numpy()[:, None]) * _MIX
    return (mixed ^ (mixed >> np.uint64(32))) * _MIX


def _has(connection: duckdb.DuckDBPyConnection, schema: str, table: str) -> bool:
    query = "SELECT count(*) FROM duckdb_tables() WHERE database_name = 'memory' AND schema_name = ? AND table_name = ?"
    [[found]] = connection.execute(query, [schema, table]).fetchall()
    return found > 0
