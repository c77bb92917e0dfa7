"""Neighbourhoods: which posts may tell one story, as far as their texts show at a glance.

lake.story_posts compares texts that agree in a band of 4 of the 64 bytes of their signatures, under one brand: they
meet. Posts whose texts meet, and so on from each to the next, are a neighbourhood. Its stories rest on nothing outside
it, so that the statement gives over whole neighbourhoods alone what it gives over all posts. Most posts meet nobody
and have none: they tell a story of their own.

A file built anew finds them all, and looks for stories among no other posts. One more hour looks at every signature
once, for texts that meet one which came; whatever that touches beyond is in the neighbourhoods kept from before.
"""

import contextlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import NamedTuple

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

KEPT = {  # the columns of spare.neighbourhoods
    "post_id": "a post with a text that shares a band of its signature with another, under one brand",
    "neighbourhood": "which posts may tell one story with it: those of the same number",
}
BANDS = 16
BANDS_AT_ONCE = 4  # of all texts: each takes 4 bytes a text
THREADS = 2  # beside them a copy of the file is made
ROWS_AT_ONCE = 16_384  # so that what is made of them stays in the processor's cache
SIEVES = (23, 28)  # bits that tell a place in a sieve: the first fits into the cache, the second lets little through
WHOLE = f"octet_length(signature) = {4 * BANDS}"  # other texts are too short to tell
_ODD = np.arange(1, 2 * BANDS, 2, dtype=np.uint32) * np.uint32(0x9E3779B1)  # a band's own: equal bytes fall elsewhere
_BRAND = "CAST(hash(brand) >> 32 AS UINTEGER) AS brand"  # a number for it; two may share it: their texts meet

Numbers = NDArray[np.uint32]
Keys = NDArray[np.uint64]
Places = NDArray[np.int64]


class Meetings(NamedTuple):
    """Which of some texts meet in one band: their rows, meeting by meeting, and where in them each meeting starts."""

    rows: NDArray[np.intp]
    starts: NDArray[np.intp]


def keep(connection: duckdb.DuckDBPyConnection) -> None:
    """Make spare.neighbourhoods of all that is said in the attached `snapshot`."""
    [[end]] = connection.execute("SELECT coalesce(max(rowid), -1) + 1 FROM snapshot.lake.mentions").fetchall()
    told = f"SELECT signature, {_BRAND}, rowid AS place FROM snapshot.lake.mentions WHERE {WHOLE}"  # noqa: S608
    brands, is_whole, met = np.empty(end, dtype=np.uint32), np.zeros(end, dtype=bool), []
    for first in range(0, BANDS, BANDS_AT_ONCE):
        bands = np.empty((BANDS_AT_ONCE, end), dtype=np.uint32)
        for batch in connection.sql(told).to_arrow_reader(ROWS_AT_ONCE):
            place = batch["place"].to_numpy()
            bands[:, place] = _bands(batch["signature"])[:, first : first + BANDS_AT_ONCE].T
            brands[place], is_whole[place] = batch["brand"].to_numpy(), True
        with ThreadPoolExecutor(THREADS) as threads:
            met += threads.map(lambda band: _meetings(band[is_whole], brands[is_whole]), bands)
    places = np.flatnonzero(is_whole)
    connection.execute("CREATE TABLE snapshot.spare.neighbourhoods (post_id VARCHAR, neighbourhood UBIGINT)")
    _insert(connection, places, met)


@contextlib.contextmanager
def alone(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Let the names lake.posts and lake.mentions show only posts that have a neighbourhood."""
    connection.execute("USE memory")
    connection.execute("CREATE SCHEMA lake")
    for name in ("lake.mentions", "lake.posts"):
        connection.execute(f"""
            CREATE VIEW {name} AS
            FROM snapshot.{name} SEMI JOIN snapshot.spare.neighbourhoods USING (post_id)
        """)
    try:
        yield
    finally:
        connection.execute("DROP SCHEMA lake CASCADE")
        connection.execute("USE snapshot")


class Neighbours:
    """The posts of an attached `snapshot` that texts may share a story with."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        """The schema `places` is there, in memory."""
        self._connection = connection
        connection.execute("CREATE TABLE places.sought_texts (brand UINTEGER, signature BLOB)")
        connection.execute("CREATE TABLE places.met (post_id VARCHAR)")  # rows may move to another place

    def seek(self, texts: str) -> None:
        """Find what meets texts that were not given before, a relation with brand and signature."""
        execute = self._connection.execute
        execute(f"""
            CREATE OR REPLACE TABLE places.new_texts AS
            SELECT {_BRAND}, signature FROM {texts} WHERE {WHOLE} EXCEPT FROM places.sought_texts
        """)  # noqa: S608
        sought = self._connection.sql("FROM places.new_texts").to_arrow_table()
        if len(sought):
            self._connection.register("met", pa.table({"place": self._places(sought)}))
            execute("INSERT INTO places.met SELECT post_id FROM snapshot.lake.mentions WHERE rowid IN (FROM met)")
            self._connection.unregister("met")
            execute("INSERT INTO places.sought_texts FROM places.new_texts")

    def widen(self, posts: str) -> None:
        """Add the posts found so far to a table of posts, part_0, and then the neighbourhoods of all that are there."""
        self._connection.execute(f"""
            INSERT INTO {posts} FROM places.met;
            INSERT INTO {posts}
            SELECT post_id
            FROM snapshot.spare.neighbourhoods
            WHERE neighbourhood IN (
                SELECT neighbourhood FROM snapshot.spare.neighbourhoods WHERE post_id IN (FROM {posts})
            )
        """)  # noqa: S608

    def renew(self, posts: str, places: str) -> None:
        """Keep the neighbourhoods of posts, whole ones, as they are now.

        posts: a table of them; places: a SELECT of where their mentions lie.
        """
        self._connection.execute(f"""
            CREATE OR REPLACE TABLE places.told AS
            SELECT signature, {_BRAND}, rowid AS place FROM snapshot.lake.mentions WHERE rowid IN ({places})
        """)  # noqa: S608
        told = self._connection.sql(f"FROM places.told WHERE {WHOLE}").to_arrow_table()
        self._connection.execute(f"DELETE FROM snapshot.spare.neighbourhoods WHERE post_id IN (FROM {posts})")  # noqa: S608
        bands, brands = _bands(told["signature"]), told["brand"].to_numpy()
        _insert(self._connection, told["place"].to_numpy(), [_meetings(band, brands) for band in bands.T])

    def _places(self, sought: pa.Table) -> Places:
        """Return the rowids of the mentions whose text meets one of these."""
        [[end]] = self._connection.execute("SELECT coalesce(max(rowid), 0) + 1 FROM snapshot.lake.mentions").fetchall()
        bands = _bands(sought["signature"])
        sieves = [_Sieve(bits, _mixed(bands)) for bits in SIEVES]
        with ThreadPoolExecutor(THREADS) as threads:
            ends = [end * part // THREADS for part in range(THREADS + 1)]
            places = list(threads.map(partial(self._likely, sieves), ends[:-1], ends[1:]))
        self._connection.register("likely", pa.table({"place": np.concatenate(places)}))
        likely = self._connection.sql(f"""
            SELECT signature, {_BRAND}, rowid AS place FROM snapshot.lake.mentions WHERE rowid IN (FROM likely)
        """).to_arrow_table()  # noqa: S608
        self._connection.unregister("likely")
        surely = np.zeros(len(likely), dtype=bool)
        brands, brands_sought = likely["brand"].to_numpy(), sought["brand"].to_numpy()
        for band, band_sought in zip(_bands(likely["signature"]).T, bands.T, strict=True):
            surely |= np.isin(_keys(band, brands), _keys(band_sought, brands_sought))
        return likely["place"].to_numpy()[surely]

    def _likely(self, sieves: "Sequence[_Sieve]", first: int, end: int) -> Places:
        """Return the rowids from first up to end of the mentions with a band that sieves let through."""
        quick, exact = sieves
        places = [np.empty(0, dtype=np.int64)]
        some = f"""
            SELECT signature, rowid AS place
            FROM snapshot.lake.mentions
            WHERE {WHOLE} AND rowid >= {first} AND rowid < {end}
        """  # noqa: S608
        with self._connection.cursor() as cursor:
            for batch in cursor.sql(some).to_arrow_reader(ROWS_AT_ONCE):
                mixed = _mixed(_bands(batch["signature"]))
                left = quick.left(mixed)
                left = left[exact.left(mixed[left])]
                places.append(batch["place"].to_numpy()[left // BANDS])
        return np.concatenate(places)


class _Sieve:
    """A bit for each of 2**bits places, set where one of some mixed bands belongs. Others may belong there too."""

    def __init__(self, bits: int, mixed: Numbers) -> None:
        self._shift = np.uint32(32 - bits)
        self._bits = np.zeros(1 << (bits - 3), dtype=np.uint8)
        place, bit = self._places(mixed)
        np.bitwise_or.at(self._bits, place, np.uint8(1) << bit)

    def left(self, mixed: Numbers) -> NDArray[np.intp]:
        """Return which bands, by their number, may be one of those."""
        place, bit = self._places(mixed)
        found = self._bits.take(place)
        found >>= bit
        found &= np.uint8(1)
        return np.flatnonzero(found.view(np.bool_))

    def _places(self, mixed: Numbers) -> tuple[Numbers, NDArray[np.uint8]]:
        place = mixed >> self._shift
        bit = place.astype(np.uint8)
        bit &= np.uint8(7)
        place >>= np.uint32(3)
        return place, bit


def _bands(signatures: pa.Array | pa.ChunkedArray) -> Numbers:
    """Return the bands of each text: (rows, bands)."""
    if isinstance(signatures, pa.ChunkedArray):
        signatures = signatures.combine_chunks()
    _, offsets, values = signatures.cast(pa.binary()).buffers()
    start = np.frombuffer(offsets, dtype=np.int32)[signatures.offset] if offsets else 0
    count = BANDS * len(signatures)
    return np.frombuffer(values or b"", dtype=np.uint32, count=count, offset=start).reshape(-1, BANDS)


def _mixed(bands: Numbers) -> Numbers:
    """Return a number for each band of each text, one after the other; the same bytes have another in another band."""
    return (bands * _ODD).reshape(-1)


def _keys(band: Numbers, brands: Numbers) -> Keys:
    """Return what two texts have the same of if they meet in a band."""
    return band.astype(np.uint64) << np.uint64(32) | brands


def _meetings(band: Numbers, brands: Numbers) -> Meetings:
    """Return which texts meet in a band; each has its brand's number."""
    mixed = (band * _ODD[0] ^ brands) * _ODD[1]  # sorted in a fraction of the time that keys take
    ordered = np.sort(mixed)
    likely = np.zeros(1 << SIEVES[0], dtype=bool)
    likely[ordered[1:][ordered[1:] == ordered[:-1]] >> np.uint32(32 - SIEVES[0])] = True
    rows = np.flatnonzero(likely[mixed >> np.uint32(32 - SIEVES[0])])
    return _alike(rows, _keys(band[rows], brands[rows]))


def _alike(rows: NDArray[np.intp], keys: Keys) -> Meetings:
    """Return which rows have a key in common."""
    order = np.argsort(keys)
    rows, keys = rows[order], keys[order]
    starts = np.flatnonzero(np.append(True, keys[1:] != keys[:-1])[: len(keys)])
    sizes = np.diff(starts, append=len(keys))
    sizes, rows = sizes[sizes > 1], rows[np.repeat(sizes > 1, sizes)]
    return Meetings(rows, np.cumsum(sizes) - sizes)


def _insert(connection: duckdb.DuckDBPyConnection, places: Places, met: Sequence[Meetings]) -> None:
    """Add the neighbourhoods of texts that lie at places, of which these met, band by band."""
    in_company = np.zeros(len(places), dtype=bool)
    for rows, _ in met:
        in_company[rows] = True
    number = np.cumsum(in_company) - 1  # of a text among those
    connection.register("told", pa.table({"place": places[in_company], "row": np.arange(in_company.sum())}))
    told = connection.sql("""
        SELECT post_id, hash(post_id) AS post
        FROM snapshot.lake.mentions AS said
        JOIN told ON told.place = said.rowid
        ORDER BY told.row
    """).to_arrow_table()
    posts = told["post"].to_numpy()
    met = [*(Meetings(number[rows], starts) for rows, starts in met), _alike(np.arange(len(posts)), posts)]
    first = _first_of_all(len(posts), met)
    neighbourhoods = posts.copy()  # named by the least of its posts, so that every file names it alike
    np.minimum.at(neighbourhoods, first, posts)
    connection.register("told", pa.table({"post_id": told["post_id"], "neighbourhood": neighbourhoods[first]}))
    connection.execute("INSERT INTO snapshot.spare.neighbourhoods SELECT DISTINCT * FROM told ORDER BY neighbourhood")
    connection.unregister("told")


def _first_of_all(size: int, met: Sequence[Meetings]) -> NDArray[np.intp]:
    """Return of each row the first one that can be reached from it, from meeting to meeting."""
    first = np.arange(size)
    while True:
        before = first.copy()
        for rows, starts in met:
            sizes = np.diff(starts, append=len(rows))
            first[rows] = np.repeat(np.minimum.reduceat(first[rows], starts), sizes) if len(rows) else 0
        first = first[first]  # what a first one reaches, those that point to it reach too: few rounds
        if np.array_equal(first, before):
            return first
