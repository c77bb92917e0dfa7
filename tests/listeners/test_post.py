"""Rows and pages, as every source makes them."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from listening import NOW, posts, visit

from listeners.feed import FeedOptions
from listeners.post import (
    LeftOut,
    as_received,
    count,
    language_tag,
    moment,
    row,
    site_name,
    to_page,
    version,
    web_address,
)
from warehouse.tables import POSTS

VISIT = visit(FeedOptions(id="f", source="test"))


def made(**given):
    return row(VISIT, **{"post_id": "test:1", "kind": "post", "text": "hello", "published_at": NOW, **given})


def test_a_row_has_a_key_per_column():
    assert list(made()) == POSTS.names


@pytest.mark.parametrize("post_id", ["test:", "test:\u202e", "test:\x00\u200b"])
def test_an_id_with_nothing_to_see_in_it_is_refused(post_id):
    with pytest.raises(ValueError, match="nothing to see"):
        made(post_id=post_id)


def test_the_version_changes_with_what_a_reader_sees_and_with_nothing_else():
    first = made(title="t", text="hello", likes=1)
    assert made(title="t", text=" hello\x00 ", likes=2)["version"] == first["version"]
    assert len({version("t", "hello", False), version(None, "hello", False), version("t", "hello", True)}) == 3
    assert version("ab", "c", False) != version("a", "bc", False)


@pytest.mark.parametrize(
    ("told", "stored"),
    [
        (NOW - timedelta(days=400), NOW - timedelta(days=400)),
        (NOW + timedelta(minutes=1), NOW + timedelta(minutes=1)),
        (NOW + timedelta(hours=1), NOW),
        (None, NOW),
        (datetime(1970, 1, 1, tzinfo=UTC), NOW),
        (datetime(2026, 11, 20, 11), NOW - timedelta(hours=1)),  # noqa: DTZ001 some sources do
        (datetime(2026, 11, 20, 13, tzinfo=timezone(timedelta(hours=2))), NOW - timedelta(hours=1)),
    ],
    ids=["past", "skew", "future", "missing", "1970", "no zone", "other zone"],
)
def test_a_date_that_cannot_be_true_is_the_visits(told, stored):
    assert made(published_at=told)["published_at"] == stored


def test_an_author_is_stored_as_a_pseudonym():
    assert made(account="ann")["author"] == VISIT.pseudonym("ann")
    assert made()["author"] is None


@given(st.integers() | st.floats() | st.text() | st.booleans() | st.none())
def test_a_count_is_a_number_that_fits_or_nothing(value):
    found = count(value)
    assert found is None or (found == value and 0 <= found < 2**63)


def test_points_may_fall_below_zero_and_other_counts_may_not():
    assert made(likes=-3)["likes"] == -3
    assert made(author_followers=-1)["author_followers"] is None


def test_languages_and_addresses_that_make_no_sense_are_none():
    assert [language_tag(tag) for tag in ("en-US", "pt_BR", "english please", "", 7)] == [
        "en-us",
        "pt-br",
        None,
        None,
        None,
    ]
    assert [web_address(url) for url in (" https://a.example/x ", "ftp://a", "javascript:x", "https://", 7)] == [
        "https://a.example/x", None, None, None, None
    ]  # fmt: skip


@given(st.text() | st.integers() | st.floats() | st.none() | st.booleans())
def test_a_moment_is_utc_or_none(value):
    found = moment(value)
    assert found is None or found.tzinfo is UTC


def test_moments_are_read_in_both_spellings():
    assert moment("2026-11-20T12:00:00Z") == moment("2026-11-20T07:00:00-05:00") == moment(NOW.timestamp()) == NOW
    assert moment("2026-11-20T12:00:00") == NOW
    assert moment("0001-01-01T00:00:00+14:00") is None


def test_one_bad_item_does_not_stop_a_page():
    def to_post(item):
        if item == "boost":
            raise LeftOut("reblog")
        return made(post_id=f"test:{item['id']}", kind=item.get("kind", "post"), rating=item.get("rating"))

    items = [{"id": 1}, "boost", {}, {"id": 2, "rating": 7.0}, {"id": 3, "kind": 9}, None, {"id": 1}, {"id": 4}]
    page = to_page(VISIT, items, to_post, cursor="c")
    assert [post["post_id"] for post in posts([page])] == ["test:1", "test:4"]
    assert page.left_out == {"reblog": 1}
    reasons = {rejected.item: rejected.reason for rejected in page.rejected}
    assert reasons["{}"] == "lacks 'id'"
    assert reasons['{"id": 2, "rating": 7.0}'] == "rating is not between 0 and 1"
    assert len(reasons) == 4
    assert page.posts.schema.equals(POSTS, check_metadata=True)


def test_an_item_can_always_be_shown():
    deep = []
    for _ in range(10_000):
        deep = [deep]
    for item in ("a\ud800\x00", {"x": "\ud800"}, {1: {2}}, deep, b"x", {("a",): 1}):
        as_received(item).encode("utf-8")


def test_a_site_is_told_from_others_by_host_port_and_folder():
    assert site_name("https://Forum.example/talk/") == "forum.example/talk"
    assert site_name("https://user:pass@forum.example:8443") == "forum.example:8443"
