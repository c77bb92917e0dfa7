"""The contract: what keeps it passes unchanged, and each breach is told by row, column and reason."""

from datetime import timedelta

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from warehouse_rows import NOW, batch, correction, event, mention, post, visit

from warehouse import tables
from warehouse.tables import ContractError, conform, faults

ROWS = {
    "posts": (tables.POSTS, post("a")),
    "mentions": (tables.MENTIONS, mention(post("a"))),
    "visits": (tables.VISITS, visit()),
    "alerts": (tables.ALERTS, event("a", "opened", 1)),
    "corrections": (tables.CORRECTIONS, correction("stage", "pay")),
}


@pytest.mark.parametrize("table", ROWS)
def test_rows_that_keep_the_contract_pass_as_they_are_in_the_order_of_its_columns(table):
    schema, row = ROWS[table]
    shuffled = batch(schema, row).select(sorted(schema.names))
    passed = conform(shuffled, schema)
    assert passed.schema.equals(schema, check_metadata=True)
    assert passed.to_pylist() == [row]


@pytest.mark.parametrize(
    ("table", "column", "value", "reason"),
    [
        ("posts", "post_id", None, "is missing"),
        ("posts", "rating", 1.01, "is not between 0 and 1"),
        ("posts", "rating", float("nan"), "is not between 0 and 1"),
        ("posts", "replies", -1, "is negative"),
        ("posts", "published_at", NOW + timedelta(hours=1), "is more than 2 min after fetched_at"),
        ("mentions", "certainty", -0.1, "is not between 0 and 1"),
        ("mentions", "sentiment", 2, "is none of -1, 0, 1"),
        ("mentions", "matched_as", "guess", "is none of alias, handle, hashtag, domain, feed"),
        ("visits", "posts", -1, "is negative"),
        ("visits", "outcome", "fine", "is none of new, unchanged, empty, blocked, failed, gone, capped"),
        ("corrections", "column", "text", f"is none of {', '.join(tables.CORRECTABLE)}"),
        ("alerts", "event", "shouted", f"is none of {', '.join(tables.ALERT_EVENTS)}"),
    ],
)
def test_a_breach_is_told_by_row_column_and_reason(table, column, value, reason):
    schema, row = ROWS[table]
    broken = batch(schema, row, row | {column: value})
    assert faults(broken, schema) == [(1, column, reason)]
    with pytest.raises(ContractError, match=f"{table}: row 1, {column}: {reason}"):
        conform(broken, schema)


def test_votes_may_fall_below_zero_and_what_is_not_told_breaks_nothing():
    assert faults(batch(tables.POSTS, post("a", likes=-3, rating=None)), tables.POSTS) == []


def test_other_columns_than_those_of_the_table_are_refused():
    whole = batch(tables.POSTS, post("a"))
    lacking = whole.drop_columns(["url", "likes"])
    with pytest.raises(ContractError, match="url: the column is missing; row 0, likes: the column is missing"):
        conform(lacking, tables.POSTS)
    with pytest.raises(ContractError, match="mood: is no column of this table"):
        conform(whole.append_column("mood", pa.array(["sour"])), tables.POSTS)
    with pytest.raises(ContractError, match="likes: is string, not int64"):
        conform(lacking.append_column("url", pa.array([""])).append_column("likes", pa.array(["3"])), tables.POSTS)


def test_a_contract_error_counts_what_it_does_not_show():
    with pytest.raises(ContractError, match="and 7 more") as raised:
        conform(batch(tables.POSTS, *[post(str(i), replies=-1) for i in range(10)]), tables.POSTS)
    assert len(raised.value.faults) == 10


@given(st.lists(st.none() | st.floats(allow_infinity=True), max_size=8))
def test_exactly_the_shares_outside_of_0_to_1_are_told(ratings):
    rows = batch(tables.POSTS, *[post(str(place), rating=rating) for place, rating in enumerate(ratings)])
    outside = [place for place, rating in enumerate(ratings) if rating is not None and not 0 <= rating <= 1]
    assert [fault.row for fault in faults(rows, tables.POSTS)] == outside


def test_every_column_of_every_table_says_what_it_holds():
    assert [f.name for schema in tables.TABLES.values() for f in schema if not tables.doc_of(f).strip()] == []
