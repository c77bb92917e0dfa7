"""The listeners on the built-in world: each post that may be kept is stored once, wherever a visit breaks off."""

from datetime import UTC, datetime, timedelta

import pytest
from listening import listen, posts

from listeners.feed_server import World, build_app, discourse, hackernews, lemmy, make_world, mastodon, rss, serve
from listeners.feed_server import stackexchange as stack_exchange
from listeners.feed_server.config import feeds
from listeners.registry import load

UNTIL = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def small_world() -> World:
    return make_world(seed=7, until=UNTIL, posts=900)


@pytest.mark.parametrize(
    ("source", "place", "max_requests"),
    [
        ("discourse", discourse, 3),
        ("hackernews", hackernews, 2),
        ("lemmy", lemmy, 6),
        ("mastodon", mastodon, 50),
        ("stackexchange", stack_exchange, 8),
    ],
)
async def test_each_post_that_may_be_kept_is_stored_once(small_world, source, place, max_requests):
    stored: dict[str, str] = {}
    with serve(build_app(small_world, lambda: UNTIL)) as server:
        [table] = feeds(server, source)
        listener, cursor = load(source), None
        feed = listener.Options(**table | {"max_requests": max_requests})
        kept = place.kept(small_world, UNTIL, server)
        for number in range(20):
            if stored.keys() == kept:
                break
            pages = await listen(listener, feed, cursor=cursor, started_at=UNTIL)
            for page in pages[: 2 + 7 * number]:  # killed after so many stored pages
                assert not page.rejected
                stored |= {row["post_id"]: row["text"] for row in posts([page])}
                cursor = page.cursor
    assert stored.keys() == kept
    assert len(stored) > 10


async def test_each_item_is_stored_by_one_who_comes_before_it_leaves_the_window():
    world = make_world(seed=7, until=UNTIL)
    stored: set[str] = set()
    now = UNTIL
    with serve(build_app(world, lambda: now)) as server:
        for days in (28, 21, 14, 7, 1, 0):
            now = UNTIL - timedelta(days=days)
            for table in feeds(server, "rss"):
                pages = await listen(load("rss"), load("rss").Options(**table), started_at=now)
                stored |= {row["post_id"] for row in posts(pages)}
        assert stored == rss.kept(world, UNTIL, server)
