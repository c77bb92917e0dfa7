"""The youtube listener on a channel feed that was recorded; skipped where the recordings are not at hand.

The recordings are other people's posts: they stay where they are, and only totals and shapes are stated here.
"""

import re

import pytest
from listening import RECORDED, listen, posts
from stub_server import Answer, serve

from listeners import youtube

FEED = RECORDED / "youtube" / "rss_feedjira" / "spec" / "sample_feeds" / "youtube_atom.xml"

pytestmark = pytest.mark.skipif(not FEED.is_file(), reason="no recorded replies beside this project")


async def test_a_recorded_channel_feed_gives_its_videos():
    channel = "UC" + "x" * 22
    async with serve(lambda _: Answer(FEED.read_bytes())) as stub:
        feed = youtube.Options(id="y", source="youtube", url=stub.url, channels=(channel,))
        first = await listen(youtube, feed)
        second = await listen(youtube, feed, cursor=first[-1].cursor)
    stored = posts(first)
    assert len(stored) == len({post["post_id"] for post in stored}) == 15
    assert not [page.rejected for page in first if page.rejected]
    assert {post["kind"] for post in stored} == {"video"}
    assert all(post["title"] and post["views"] and post["published_at"].year in (2014, 2015) for post in stored)
    assert all(re.fullmatch(r"youtube:[\w-]{11}", post["post_id"]) for post in stored)
    assert all(re.fullmatch("[0-9a-f]{32}", post["author"]) for post in stored)
    assert {post["version"] for post in posts(second)} == {post["version"] for post in stored}
