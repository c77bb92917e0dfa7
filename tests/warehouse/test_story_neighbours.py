"""Neighbourhoods: posts whose texts share a band of their signatures, and so on from each to the next."""

import itertools

import duckdb
from warehouse_rows import NOW, VERSION, brands, feeds, mention, post, store

from warehouse import snapshot
from warehouse.layout import mentions_path

BAND = 4  # bytes
others = itertools.count(20)


def text(*bands):
    """Return a signature that begins with these bands; the others are nobody else's."""
    filling = bytes([next(others)] * (64 - BAND * len(bands)))
    return b"".join(bytes([band] * BAND) for band in bands) + filling


def say(lake, name, *signatures, brand="Quillon"):
    rows = [post(post_id, fetched_at=NOW, published_at=NOW) for post_id, _ in signatures]
    told = [mention(row, brand, signature=signature) for row, (_, signature) in zip(rows, signatures, strict=True)]
    store(lake, rows, told, name)


def publish(lake, database):
    return snapshot.publish(lake, database, brands("Quillon", "Telvo"), feeds("town-talk"), VERSION, NOW)


def neighbourhoods(database):
    with duckdb.connect(str(database), read_only=True) as connection:
        rows = connection.execute(
            "SELECT list(post_id ORDER BY post_id) FROM spare.neighbourhoods GROUP BY neighbourhood"
        )
        return sorted(posts for [posts] in rows.fetchall())


def test_posts_are_neighbours_of_those_they_share_a_band_with_and_of_their_neighbours(lake, database):
    say(lake, "one", ("a", text(1, 2)), ("b", text(3, 2)), ("c", text(3, 4)), ("apart", text(5, 6)))
    publish(lake, database)
    assert neighbourhoods(database) == [["a", "b", "c"]]


def test_the_same_bytes_in_another_band_or_under_another_brand_make_no_neighbours(lake, database):
    say(lake, "one", ("a", text(1, 2)), ("b", text(2, 1)))
    say(lake, "other", ("c", text(1, 2)), brand="Telvo")
    publish(lake, database)
    assert neighbourhoods(database) == []


def test_a_post_that_comes_joins_two_neighbourhoods_and_parts_them_when_it_goes(lake, database):
    say(lake, "one", ("a", text(1, 2)), ("b", text(1, 3)), ("c", text(4, 5)), ("d", text(4, 6)))
    publish(lake, database)
    assert neighbourhoods(database) == [["a", "b"], ["c", "d"]]
    say(lake, "bridge", ("e", text(4, 3)))
    assert publish(lake, database).rebuilt is None
    assert neighbourhoods(database) == [["a", "b", "c", "d", "e"]]
    [path] = [path for path in lake.files("posts") if "bridge" in path]
    lake.remove([path, mentions_path(path, VERSION)])
    assert publish(lake, database).rebuilt is None
    assert neighbourhoods(database) == [["a", "b"], ["c", "d"]]
