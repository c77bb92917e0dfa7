"""Videos of YouTube channels, and with a key the comments on them.

Source: GET {url}?channel_id=UC..., an Atom feed, no authentication (2026-11); comments, youtube_comments.py.
Videos are not searched for: search.list is granted 100 calls a day, which no visit every hour could live on.
Limits: a feed shows a channel's last 15 videos; what left it between two visits is lost, which is said. Live channels
answer 404 and 500 in waves (ocaml/ocaml.org#3512): no channel is gone for that, nor does it stop the others.
Terms: what is stored of the API must be refreshed or deleted within 30 days. Comments are refreshed daily while their
video is among the channel's last 15, and all that is kept a last time when it is 30 days old (youtube_kept.py); whoever
keeps it longer sets a retention for this source.

Comments are read of the videos that the feeds show. Accounts are channel ids, of channels and commenters alike.

The cursor holds the videos each channel showed, and per video what is read of its comments (descent.py): a visit that
is killed, or has used up its requests, is taken up where it stopped, the video first that was read longest ago.
"""

import json
import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

from pydantic import Field, field_validator

from listeners import youtube_comments, youtube_kept
from listeners.budget import Budget
from listeners.feed import CURSOR_FAULTS, FeedOptions, Page, Phrases, Visit, WebAddress
from listeners.feed_document import document_of
from listeners.places import one_by_one
from listeners.post import empty_page, text_of, to_page
from listeners.rss import xml_entry
from listeners.youtube_api import Api
from listeners.youtube_comments import Comments
from listeners.youtube_video import video_row

KEPT_A_REQUEST, standing = youtube_kept.KEPT_A_REQUEST, youtube_kept.standing

_VIDEO_ID = re.compile(r"[\w-]{1,40}", re.ASCII)


class Options(FeedOptions):
    """The keys of a youtube feed in listening.toml."""

    url: WebAddress = Field(default="https://www.youtube.com/feeds/videos.xml", description="address of channel feeds")
    api: WebAddress = Field(default="https://www.googleapis.com/youtube/v3", description="address of the Data API")
    channels: Phrases = Field(min_length=1, description="ids of channels: UC and 22 letters, digits, - or _")
    key_env: str | None = Field(
        default=None,
        min_length=1,
        description="the environment variable that holds an API key; without one no comments",
    )
    max_requests: int = Field(
        default=100, ge=2, le=10_000, description="API requests per visit; the next visit goes on from there"
    )

    @field_validator("channels")
    @classmethod
    def _are_ids(cls, channels: tuple[str, ...]) -> tuple[str, ...]:
        if wrong := [channel for channel in channels if not re.fullmatch(r"UC[A-Za-z0-9_-]{22}", channel)]:
            raise ValueError(f"a channel's id is UC and 22 more characters, unlike {wrong[0]!r}")
        return channels


@dataclass
class _Reading:
    """What one visit knows: the videos each channel showed, and what is read of their comments."""

    visit: Visit
    channels: dict[str, list[str]]
    comments: dict[str, Comments]

    def cursor(self) -> str:
        return write_cursor(self.channels, self.comments, self.visit.feed)

    def places(self, api: Api | None) -> Iterator[AsyncIterator[Page]]:
        """The channels, and then the videos that they show or that are not read to the end."""
        for channel in self.visit.feed.channels:
            yield _videos(self, channel)
        if api is None:
            return
        shown = {video for videos in self.channels.values() for video in videos}
        under_way = {video for video, comments in self.comments.items() if comments.is_under_way}
        self.comments = {video: self.comments.get(video, Comments()) for video in sorted(shown | under_way)}
        reading = youtube_comments.CommentReading(api, self.cursor)
        for video, comments in sorted(self.comments.items(), key=lambda one: one[1].read_at):
            yield youtube_comments.pages(reading, video, comments)


async def pages(visit: Visit) -> AsyncIterator[Page]:
    """Yield the videos of each channel, and with a key the comments on them, the newest first.

    Raises as FeedClient.get does where everything fails; FeedUnavailable where the day's quota is used up;
    FeedBlocked where key_env names a variable that is not set, or the key is refused.
    """
    reading, budget = _Reading(visit, *read_cursor(visit.cursor, visit.feed)), Budget(visit)
    key = visit.secret("key_env")
    api = Api(visit, budget, key) if key is not None else None
    async for page in one_by_one(reading.places(api), reading.cursor):
        yield page
    if budget.cut_short:
        yield empty_page(reading.cursor(), capped=budget.said("API requests used up"))


async def _videos(reading: _Reading, channel: str) -> AsyncIterator[Page]:
    """The one page of a channel's feed."""
    visit = reading.visit
    reply = await visit.client.get(visit.feed.url, {"channel_id": channel}, expect="feed")
    document = await document_of(reply)
    before, lost = reading.channels.get(channel), None
    if before and not document.items:
        yield empty_page(reading.cursor(), suspect=f"{channel}: no videos, where there were some")
        return
    shown = [video for item in document.items if _VIDEO_ID.fullmatch(video := str(item.get("yt_videoid")))]
    if before and not set(before) & set(shown):
        lost = f"{channel}: more new videos than the {len(shown)} that its feed shows"
    reading.channels[channel] = shown
    more = {"capped": lost, "notes": document.notes}
    yield to_page(visit, document.items, lambda item: to_video(item, visit), cursor=reading.cursor(), **more)


def to_video(item: dict[str, Any], visit: Visit) -> dict[str, Any]:
    """Return an entry of a channel's feed as a row of posts. Its `updated` moves with its views and tells no edit.

    Raises LeftOut where consent is lacking; KeyError, TypeError or ValueError where it lacks what it must have.
    """
    video = text_of(item, "yt_videoid")
    if not _VIDEO_ID.fullmatch(video):
        raise ValueError(f"'yt_videoid' is {video[:60]!r}")
    entry, channel = xml_entry(item), item.get("yt_channelid")
    return video_row(
        visit,
        video,
        title=text_of(item, "title"),
        text=item.get("summary") or "",  # plain text, though feedparser takes it for HTML
        account=channel if isinstance(channel, str) and channel else entry.author,
        published_at=entry.published_at,
        views=entry.views,
    )


def read_cursor(cursor: str | None, feed: Options) -> tuple[dict[str, list[str]], dict[str, Comments]]:
    """Return the videos each channel showed, and what is read of their comments; where a place changed, nothing."""
    try:
        saved = json.loads(cursor or "{}")
        if saved.get("places") != [feed.url, feed.api]:
            return {}, {}
        channels = {
            channel: [str(video) for video in videos]
            for channel, videos in saved["channels"].items()
            if channel in feed.channels
        }
        comments = {
            video: Comments.of(state) for video, state in saved["comments"].items() if _VIDEO_ID.fullmatch(video)
        }
    except CURSOR_FAULTS:
        return {}, {}
    return channels, comments


def write_cursor(channels: dict[str, list[str]], comments: dict[str, Comments], feed: Options) -> str:
    """Return it as text."""
    read = {video: one.state() for video, one in comments.items() if one != Comments()}
    return json.dumps({"places": [feed.url, feed.api], "channels": channels, "comments": read})
