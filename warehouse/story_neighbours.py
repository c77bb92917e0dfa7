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

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from warehouse.band_sieve import Sieve
from warehouse.signature_bands import (
    BANDS,
    WHOLE,
    Meetings,
    Places,
    bands_of,
    keys,
    meetings,
    mixed,
    with_key_in_common,
)

KEPT = {  # the columns of spare.neighbourhoods
    "post_id": "a post with a text that shares a band of its signature with another, under one brand",
    "neighbourhood": "which posts may tell one story with it: those of the same number",
}
BANDS_AT_ONCE = 4  # of all texts: each takes 4 bytes a text
THREADS = 2  # beside them a copy of the file is made
ROWS_AT_ONCE = 16_384  # so that what is made of them stays in the processor's cache
_BRAND = "CAST(hash(brand) >> 32 AS UINTEGER) AS brand"  # a number for it; two may share it: their texts meet


def keep(connection: duckdb.DuckDBPyConnection) -> None:
    """Make spare.neighbourhoods of all that is said in the attached `snapshot`."""
    [[end]] = connection.execute("SELECT coalesce(max(rowid), -1) + 1 FROM snapshot.lake.mentions").fetchall()
    told = f"SELECT signature, {_BRAND}, rowid AS place FROM snapshot.lake.mentions WHERE {WHOLE}"  # noqa: S608
    brands, is_whole, met = np.empty(end, dtype=np.uint32), np.zeros(end, dtype=bool), []
    for first in range(0, BANDS, BANDS_AT_ONCE):
        bands = np.empty((BANDS_AT_ONCE, end), dtype=np.uint32)
        for batch in connection.sql(told).to_arrow_reader(ROWS_AT_ONCE):
            place = batch["place"].to_numpy()
            bands[:, place] = bands_of(batch["signature"])[:, first : first + BANDS_AT_ONCE].T
            brands[place], is_whole[place] = batch["brand"].to_numpy(), True
        with ThreadPoolExecutor(THREADS) as threads:
            met += threads.map(lambda band: meetings(band[is_whole], brands[is_whole]), bands)
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
        bands, brands = bands_of(told["signature"]), told["brand"].to_numpy()
        _insert(self._connection, told["place"].to_numpy(), [meetings(band, brands) for band in bands.T])

    def _places(self, sought: pa.Table) -> Places:
        """Return the rowids of the mentions whose text meets one of these."""
        [[end]] = self._connection.execute("SELECT coalesce(max(rowid), 0) + 1 FROM snapshot.lake.mentions").fetchall()
        bands = bands_of(sought["signature"])
        sieve = Sieve(mixed(bands))
        with ThreadPoolExecutor(THREADS) as threads:
            ends = [end * part // THREADS for part in range(THREADS + 1)]
            places = list(threads.map(partial(self._likely, sieve), ends[:-1], ends[1:]))
        self._connection.register("likely", pa.table({"place": np.concatenate(places)}))
        likely = self._connection.sql(f"""
            SELECT signature, {_BRAND}, rowid AS place FROM snapshot.lake.mentions WHERE rowid IN (FROM likely)
        """).to_arrow_table()  # noqa: S608
        self._connection.unregister("likely")
        surely = np.zeros(len(likely), dtype=bool)
        brands, brands_sought = likely["brand"].to_numpy(), sought["brand"].to_numpy()
        for band, band_sought in zip(bands_of(likely["signature"]).T, bands.T, strict=True):
            surely |= np.isin(keys(band, brands), keys(band_sought, brands_sought))
        return likely["place"].to_numpy()[surely]

    def _likely(self, sieve: Sieve, first: int, end: int) -> Places:
        """Return the rowids from first up to end of the mentions with a band that the sieve leaves."""
        places = [np.empty(0, dtype=np.int64)]
        some = f"""
            SELECT signature, rowid AS place
            FROM snapshot.lake.mentions
            WHERE {WHOLE} AND rowid >= {first} AND rowid < {end}
        """  # noqa: S608
        with self._connection.cursor() as cursor:
            for batch in cursor.sql(some).to_arrow_reader(ROWS_AT_ONCE):
                left = sieve.left(mixed(bands_of(batch["signature"])))
                places.append(batch["place"].to_numpy()[left // BANDS])
        return np.concatenate(places)


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
    met = [*(Meetings(number[rows], starts) for rows, starts in met), with_key_in_common(np.arange(len(posts)), posts)]
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
