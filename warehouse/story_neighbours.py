"""Which posts may be of another story now: those whose text shares a band with one that came, went or changed.

lake.story_posts compares texts that agree in a band of 4 of the 64 bytes of their signatures, under one brand. Posts
that share no band with each other, nor with posts that do, and so on, do not touch each other's stories: the set found
here is closed, so that the statement gives over it alone what it gives over all. To find it every signature is looked
at, a few times, which is a small part of the work of grouping them.
"""

from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute
from numpy.typing import NDArray

from warehouse.statements import statement
from warehouse.world import World

pc: Any = pyarrow.compute  # its functions are made at import, where no type checker sees them

BANDS = 16
ROWS_AT_ONCE = 16_384  # so that what is made of them stays in the processor's cache
SIEVES = (23, 28)  # bits that tell a place in a sieve: the first fits into the cache, the second lets little through
_STEP, _MIX = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xD6E8FEB86659FD93)  # odd, of well mixed bits
_ODD = np.arange(1, 2 * BANDS, 2, dtype=np.uint32) * np.uint32(0x9E3779B1)  # a band's own: equal bytes fall elsewhere

Bands = NDArray[np.uint32]
Keys = NDArray[np.uint64]
_NONE: Keys = np.empty(0, dtype=np.uint64)


def widen(connection: duckdb.DuckDBPyConnection, world: World) -> None:
    """Add to touched.story_posts, which names posts, all that are not apart from them.

    Reads changed.mentions, which holds what was said before and is said now, and snapshot.lake.mentions.
    """
    execute, seen = connection.execute, _NONE
    while True:
        texts = _texts(connection, world.places("lake.mentions", statement("tables", "story_posts"), of_result=True))
        if _has(connection, "changed", "mentions"):
            changed = connection.sql("SELECT hash(brand) AS brand, signature FROM changed.mentions").to_arrow_table()
            texts = pa.concat_tables([texts.select(["brand", "signature"]), changed])
        texts = texts.filter(_is_whole(texts["signature"]))
        bands = _bands(texts["signature"])
        keys = _keys(bands, texts["brand"])
        is_new = ~np.isin(keys, seen)
        if not is_new.any():
            return
        seen = np.union1d(seen, keys)
        connection.register("neighbours", pa.table({"place": _places(connection, bands, is_new, keys)}))
        places = "FROM neighbours"
        execute(f"INSERT INTO touched.story_posts SELECT post_id FROM snapshot.lake.mentions WHERE rowid IN ({places})")  # noqa: S608
        connection.unregister("neighbours")


def _texts(connection: duckdb.DuckDBPyConnection, places: str) -> pa.Table:
    return connection.sql(f"""
        SELECT hash(brand) AS brand, signature, rowid AS place
        FROM snapshot.lake.mentions
        WHERE rowid IN ({places})
    """).to_arrow_table()  # noqa: S608


def _places(
    connection: duckdb.DuckDBPyConnection, bands: Bands, sought: NDArray[np.bool_], keys: Keys
) -> NDArray[np.int64]:
    """Return the rowids of the mentions whose text has one of the sought bands of texts, under the same brand."""
    quick, exact = (_Sieve(bits, bands, sought) for bits in SIEVES)
    places = [np.empty(0, dtype=np.int64)]
    for batch in connection.sql("SELECT signature, rowid AS place FROM snapshot.lake.mentions").to_arrow_reader(
        ROWS_AT_ONCE
    ):
        rows = np.flatnonzero(_is_whole(batch["signature"]))
        whole = batch if len(rows) == len(batch) else batch.take(pa.array(rows))
        found = _bands(whole["signature"])
        left = np.flatnonzero(quick.lets_through(found))
        left = left[exact.lets_through(found[left])]
        places.append(whole["place"].to_numpy()[left])
    connection.register("likely", pa.table({"place": np.concatenate(places)}))
    likely = _texts(connection, "FROM likely")
    connection.unregister("likely")
    surely = np.isin(_keys(_bands(likely["signature"]), likely["brand"]), keys[sought]).any(axis=1)
    return likely["place"].to_numpy()[surely]


def _is_whole(signatures: pa.Array | pa.ChunkedArray) -> NDArray[np.bool_]:
    """Return which texts have all their bands; others are too short to tell."""
    return pc.fill_null(pc.equal(pc.binary_length(signatures), 4 * BANDS), False).to_numpy(zero_copy_only=False)


class _Sieve:
    """A bit for each of 2**bits places, set where one of the sought bands belongs. Others may belong there too."""

    def __init__(self, bits: int, bands: Bands, sought: NDArray[np.bool_]) -> None:
        self._shift = np.uint32(32 - bits)
        self._bits = np.zeros(1 << (bits - 3), dtype=np.uint8)
        place, bit = self._places(bands)
        np.bitwise_or.at(self._bits, place[sought], np.uint8(1) << bit[sought])

    def lets_through(self, bands: Bands) -> NDArray[np.bool_]:
        """Return whether any band of a text may be one of those."""
        place, bit = self._places(bands)
        found = self._bits.take(place)
        found >>= bit
        found &= np.uint8(1)
        halves = found.view(np.uint64)
        return (halves[:, 0] | halves[:, 1]) != 0

    def _places(self, bands: Bands) -> tuple[Bands, NDArray[np.uint8]]:
        place = bands * _ODD
        place >>= self._shift
        bit = place.astype(np.uint8)
        bit &= np.uint8(7)
        place >>= np.uint32(3)
        return place, bit


def _bands(signatures: pa.Array | pa.ChunkedArray) -> Bands:
    """Return the bands of each text: (rows, bands)."""
    if isinstance(signatures, pa.ChunkedArray):
        signatures = signatures.combine_chunks()
    _, offsets, values = signatures.cast(pa.binary()).buffers()
    start = np.frombuffer(offsets, dtype=np.int32)[signatures.offset] if offsets else 0
    count = BANDS * len(signatures)
    return np.frombuffer(values or b"", dtype=np.uint32, count=count, offset=start).reshape(-1, BANDS)


def _keys(bands: Bands, brands: pa.ChunkedArray) -> Keys:
    """Return a key for each band of each text and its brand, by its hash: (rows, bands)."""
    numbered = bands.astype(np.uint64) + np.arange(1, BANDS + 1, dtype=np.uint64) * _STEP
    mixed = (numbered ^ brands.to_numpy()[:, None]) * _MIX
    return (mixed ^ (mixed >> np.uint64(32))) * _MIX


def _has(connection: duckdb.DuckDBPyConnection, schema: str, table: str) -> bool:
    query = "SELECT count(*) FROM duckdb_tables() WHERE database_name = 'memory' AND schema_name = ? AND table_name = ?"
    [[found]] = connection.execute(query, [schema, table]).fetchall()
    return found > 0
