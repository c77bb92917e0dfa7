"""spike_counts: each hour as it stood when it was first looked at, as the hours it is compared with did."""

from datetime import timedelta

import duckdb
import pyarrow as pa
import pytest
from warehouse_rows import NOW, hours_ago

from warehouse.statements import statement

HOUR = NOW.replace(minute=0, tzinfo=None)


def hour(number):
    """The start of an hour before that of NOW."""
    return HOUR - timedelta(hours=number)


def read(post_id, published, fetched, sentiment=-1, *, until=None, author=None, feed="town-talk", aspects=()):
    """Return a row of opinions: of a post published and read some hours before NOW, edited or taken down at `until`."""
    said_at = hours_ago(published).replace(tzinfo=None)
    return {
        "brand": "Quillon", "hour": said_at.replace(minute=0), "source": "rss", "feed": feed, "post_id": post_id,
        "speaker": author or post_id, "sentiment": sentiment,
        "aspects": [{"aspect": name, "sentiment": side} for name, side in dict(aspects).items()],
        "known_from": hours_ago(fetched).replace(tzinfo=None),
        "known_until": None if until is None else hours_ago(until).replace(tzinfo=None),
    }  # fmt: skip


OPINIONS = pa.schema({
    "brand": pa.string(), "hour": pa.timestamp("us"), "source": pa.string(), "feed": pa.string(),
    "post_id": pa.string(), "speaker": pa.string(), "sentiment": pa.int8(),
    "aspects": pa.list_(pa.struct({"aspect": pa.string(), "sentiment": pa.int8()})),
    "known_from": pa.timestamp("us"), "known_until": pa.timestamp("us"),
})  # fmt: skip
VISITS = pa.schema(
    {"feed": pa.string(), "is_answer": pa.bool_()}
    | dict.fromkeys(("started_at", "finished_at", "next_visit_at"), pa.timestamp("us"))
)


@pytest.fixture(scope="module")
def counts():
    """The counts of opinions by aspect, source and hour; visits are some hours before NOW, aside: not planned ones."""
    with duckdb.connect() as connection:
        connection.execute("CREATE SCHEMA lake")
        connection.execute(statement("macros", "complained_of").text)

        def count(said, visits=(), failed=(), aside=()):
            at = {hours: hours_ago(hours).replace(tzinfo=None) for hours in (*visits, *failed, *aside)}
            made = [
                {
                    "feed": "town-talk",
                    "started_at": at[hours],
                    "finished_at": at[hours] + timedelta(seconds=2),
                    "is_answer": hours not in failed,
                    "next_visit_at": None if hours in aside else at[hours] + timedelta(hours=1),
                }
                for hours in at
            ]
            for name, rows, schema in (("opinions", said, OPINIONS), ("lake.visits", made, VISITS)):
                connection.register("given", pa.Table.from_pylist(rows, schema=schema))
                connection.execute(f"CREATE OR REPLACE TABLE {name} AS FROM given")
            found = connection.execute(statement("marts", "spike_counts").text)
            names = [column[0] for column in found.description or ()]
            rows = [dict(zip(names, row, strict=True)) for row in found.fetchall()]
            told = ("mentions", "negatives", "history", "late")
            return {(row["aspect"], row["source"], row["hour"]): tuple(row[name] for name in told) for row in rows}

        yield count


def test_an_hour_counts_what_was_known_at_the_first_visit_after_it_had_closed(counts):
    found = counts(
        [
            read("within the hour", 6.4, 6.2), read("at its close", 6.3, 5, sentiment=0), read("late", 6.2, 3),
            read("not yet looked at", 0.4, 0.2),
        ],
        visits=(20, 6.2, 5, 3, 0.2),
    )  # fmt: skip
    assert found[None, None, hour(6)] == (2, 1, 0, 1)
    assert found[None, "rss", hour(6)] == (2, 1, 0, 1)
    assert found[None, None, hour(0)] == (1, 1, 0, 0)


def test_hours_before_a_feeds_first_visit_count_as_they_were_found_then(counts):
    found = counts(
        [
            read("found by the first visit", 90, 20), read("found later", 89.5, 8), read("after it", 15, 14),
            read("of a feed nobody visited", 60, 7, feed="from a file"),
        ],
        visits=(20, 14, 8),
    )  # fmt: skip
    assert found[None, None, hour(90)] == (1, 1, 1, 0)
    assert found[None, None, hour(89)] == (0, 0, 0, 1)
    assert found[None, None, hour(15)] == (1, 1, 0, 0)
    assert found[None, None, hour(60)] == (1, 1, 1, 0)


def test_a_visit_that_failed_was_no_look(counts):
    found = counts([read("found when it was back", 9, 3)], visits=(20, 3), failed=(8, 7))
    assert found[None, None, hour(9)] == (1, 1, 0, 0)


def test_a_backfill_or_a_second_look_at_kept_posts_is_no_look(counts):
    found = counts([read("found by the next planned visit", 9, 3)], visits=(20, 3), aside=(7,))
    assert found[None, None, hour(9)] == (1, 1, 0, 0)


def test_a_post_that_was_edited_later_counts_as_it_read_at_the_first_look(counts):
    found = counts(
        [read("a", 9, 8, sentiment=-1, until=3), read("a", 9, 3, sentiment=1), read("taken down", 9, 8, until=3)],
        visits=(20, 8, 3),
    )
    assert found[None, None, hour(9)] == (2, 2, 0, 0)


def test_an_author_counts_once_a_day_for_each_side_and_each_complaint_speaks_against_what_it_names(counts):
    found = counts(
        [
            read("a", 6, 5, author="ann", aspects={"billing": -1, "app": 1}),
            read("b", 4, 3, author="ann", aspects={"support": -1}), read("c", 4, 3, author="ann", sentiment=1),
            read("d", 4, 3, author="ben", aspects={"billing": -1, "support": -1}),
        ]
    )  # fmt: skip
    assert found[None, None, hour(6)][:2] == (1, 1)
    assert found[None, None, hour(4)][:2] == (2, 1)
    assert {key[0]: row[:2] for key, row in found.items() if key[2] == hour(4) and key[0]} == {
        "billing": (1, 1),
        "support": (1, 1),
    }
    assert "app" not in {key[0] for key in found}
