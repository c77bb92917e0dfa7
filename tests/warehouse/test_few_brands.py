"""Building a file a few brands at a time: it holds what it would if all were taken at once."""

import random

import duckdb
from warehouse_rows import NOW, VERSION, brands, feeds, hours_ago, mention, post, store

from warehouse import few_brands, snapshot
from warehouse.comparing import differences
from warehouse.few_brands import few_brands as together
from warehouse.lake import Lake

BRANDS = ("Ambrel", "Quillon", "Telvo", "Wend")


def brands_of(*counted):
    """Return the brands that are taken together, of brands with so many rows."""
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE rows_told (brand VARCHAR)")
        for brand, rows in counted:
            connection.execute("INSERT INTO rows_told SELECT ? FROM range(?)", [brand, rows])
        return list(together(connection, "rows_told"))


def test_brands_are_taken_together_by_name_up_to_so_many_rows(monkeypatch):
    monkeypatch.setattr(few_brands, "ROWS_AT_ONCE", 10)
    assert brands_of(("C", 4), ("A", 6), ("B", 4), ("E", 1), ("D", 30)) == [["A", "B"], ["C"], ["D"], ["E"]]
    assert brands_of() == []


def test_a_file_built_brand_by_brand_has_the_rows_of_one_built_at_once(tmp_path, monkeypatch):
    lake, chance = Lake.open(str(tmp_path / "lake")), random.Random(1)
    posts = [post(f"p{number}", published_at=hours_ago(chance.randrange(200))) for number in range(120)]
    told = [
        mention(
            row,
            brand,
            chance.choice((-1, 0, 1)),
            intents=chance.choice((["complain"], ["recommend"], [])),
            signature=bytes([number % 20] * 64),
        )
        for number, row in enumerate(posts)
        for brand in chance.sample(BRANDS, 2)
    ]
    store(lake, posts, told)
    made = []
    for rows_at_once in (few_brands.ROWS_AT_ONCE, 1):
        monkeypatch.setattr(few_brands, "ROWS_AT_ONCE", rows_at_once)
        made.append(tmp_path / f"{rows_at_once}.duckdb")
        snapshot.publish(lake, made[-1], brands(*BRANDS), feeds("town-talk"), VERSION, NOW)
    with snapshot.connect(made[0]) as connection:
        counted = connection.execute("SELECT count(DISTINCT brand), count(DISTINCT story_id) FROM opinions").fetchall()
    assert counted == [(4, 20)]
    assert differences(*made) == []
