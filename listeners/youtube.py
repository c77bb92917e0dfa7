"""Videos of YouTube channels, and with a key the comments on them.

Source: GET {url}?channel_id=UC..., an Atom feed, no authentication; and of the YouTube Data API, with a key,
GET {api}/commentThreads and {api}/comments (developers.google.com/youtube/v3/docs/commentThreads/list; 2026-11).
Videos are not searched for: search.list is granted 100 calls a day, which no visit every hour could live on.
Limits: a feed shows a channel's last 15 videos; what left it between two visits is lost, which is said. Live channels
answer 404 and 500 in waves (ocaml/ocaml.org#3512): no channel is gone for that, nor does it stop the others. The API
grants 10,000 units a day until midnight Pacific time, one for each request here; 100 threads or replies a page.
Terms: what is stored of the API must be refreshed or deleted within 30 days. Comments are refreshed daily while their
video is among the channel's last 15; whoever keeps them longer sets a retention for this source.

Comments are read of the videos that the feeds show, newest threads first, down to what was read before; once a day all
of them again: edits, likes and answers in older threads do not bring a thread up. A thread comes with up to five of its
replies; where it has more they are asked for if the thread is new, and in the daily reading. Deleted comments are just
not there. Accounts are channel ids, of channels and commenters alike.

The cursor holds the videos each channel showed, and per video what is read of its comments (descent.py): a visit that
is killed, or has used up its requests, is taken up where it stopped, the video first that was read longest ago.
"""

import json
import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import Field, field_validator

from listeners.consent import without_opt_in
from listeners.descent import Descent
from listeners.feed import (
    CURSOR_FAULTS,
    FeedBlocked,
    FeedError,
    FeedFormatChanged,
    FeedOptions,
    FeedUnavailable,
    Page,
    Phrases,
    Visit,
    WebAddress,
)
from listeners.feed_document import document_of
from listeners.places import one_by_one
from listeners.plain_text import clean
from listeners.post import CLOCK_SKEW, LeftOut, empty_page, moment, row, text_of, to_page
from listeners.rss import xml_entry

A_PAGE = 100  # threads or replies: the API's largest page
WHOLE_EVERY = 24 * 3600  # seconds after which all comments of a video are read again
WATCH_PAGE = "https://www.youtube.com/watch?v="

_QUOTA = frozenset({"quotaExceeded", "dailyLimitExceeded"})
_TOO_FAST = frozenset({"rateLimitExceeded", "userRateLimitExceeded", "RATE_LIMIT_EXCEEDED"})
_OF_THE_VIDEO = frozenset({"processingFailure", "forbidden"})  # it may be private; others can be read
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


class _NoComments(Exception):
    """A video without comments to read, or a thread without replies: turned off, or gone."""


class _StaleToken(Exception):
    """The API does not know the page any more."""


@dataclass
class Comments:
    """What is read of the comments of one video.

    whole: whether the reading under way takes everything again. replies: threads whose replies are still to be read,
    and from which page. read_at: when they were last asked for; whole_at: when a reading that took everything last came
    to its end; epoch seconds.
    """

    threads: Descent = field(default_factory=Descent)
    whole: bool = True
    replies: list[tuple[str, str]] = field(default_factory=list)
    read_at: int = 0
    whole_at: int = 0

    @property
    def is_under_way(self) -> bool:
        return bool(self.replies) or self.threads.at is not None

    def finish(self, now: int) -> None:
        """Note that the reading of threads under way came to its end."""
        self.threads.finish()
        self.whole_at = now if self.whole else self.whole_at
        self.whole = True

    def forget(self) -> None:
        """Note that the reading of threads that was begun brought nothing."""
        self.threads.at, self.whole = None, True


@dataclass
class _Reading:
    """What one visit knows: its budget, what is read, and the comments it has seen."""

    visit: Visit
    key: str | None
    channels: dict[str, list[str]]
    comments: dict[str, Comments]
    requests: int = 0
    cut_short: bool = False
    seen: set[str] = field(default_factory=set)  # a reply that stands in its thread and in the list comes once

    @property
    def now(self) -> int:
        return int(self.visit.started_at.timestamp())

    def may_ask(self) -> bool:
        """Whether a request is left; if not, the visit is cut short."""
        left = self.requests < self.visit.feed.max_requests
        self.cut_short |= not left
        return left

    def cursor(self) -> str:
        return write_cursor(self.channels, self.comments, self.visit.feed)

    def places(self) -> Iterator[AsyncIterator[Page]]:
        """The channels, and then the videos that they show or that are not read to the end."""
        for channel in self.visit.feed.channels:
            yield _videos(self, channel)
        if self.key is None:
            return
        shown = {video for videos in self.channels.values() for video in videos}
        under_way = {video for video, comments in self.comments.items() if comments.is_under_way}
        self.comments = {video: self.comments.get(video, Comments()) for video in sorted(shown | under_way)}
        for video in sorted(self.comments, key=lambda video: self.comments[video].read_at):
            yield _comments(self, video)


async def pages(visit: Visit) -> AsyncIterator[Page]:
    """Yield the videos of each channel, and with a key the comments on them, the newest first.

    Raises as FeedClient.get does where everything fails; FeedUnavailable where the day's quota is used up;
    FeedBlocked where key_env names a variable that is not set, or the key is refused.
    """
    channels, comments = read_cursor(visit.cursor, visit.feed)
    reading = _Reading(visit, _key(visit), channels, comments)
    async for page in one_by_one(reading.places(), reading.cursor):
        yield page
    if reading.cut_short:
        said = f"{reading.requests} API requests used up; the rest is read from the next visit on"
        yield empty_page(reading.cursor(), capped=said)


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
    yield to_page(visit, document.items, lambda item: to_video(item, visit), cursor=reading.cursor(), capped=lost)


async def _comments(reading: _Reading, video: str) -> AsyncIterator[Page]:
    """The pages of a video's comments: what is left of a reading that broke off, then from the top."""
    comments = reading.comments[video]
    try:
        async for page in _replies(reading, video):
            yield page
        async for page in _down(reading, video):
            yield page
        if reading.cut_short or comments.is_under_way:
            return
        comments.whole = reading.now - comments.whole_at >= WHOLE_EVERY
        comments.threads.at = ""
        async for page in _down(reading, video):
            yield page
    except _NoComments:
        comments.finish(reading.now)
        yield empty_page(reading.cursor())


async def _down(reading: _Reading, video: str) -> AsyncIterator[Page]:
    """The pages of the reading of threads under way.

    Where the page it went on with fails again, what is below waits for the next reading of everything.
    """
    comments = reading.comments[video]
    began_at = comments.threads.at
    while comments.threads.at is not None and not reading.cut_short:
        try:
            async for page in _page_of_threads(reading, video):
                yield page
        except FeedError as error:
            if not began_at or comments.threads.at != began_at or not _is_of_the_video(error):
                raise
            comments.finish(reading.now)
            yield empty_page(reading.cursor(), capped=f"comments below a page that cannot be had: {error}")


async def _page_of_threads(reading: _Reading, video: str) -> AsyncIterator[Page]:
    """The page of a video's threads that is next, and the replies that its threads lack."""
    visit, comments = reading.visit, reading.comments[video]
    token, whole = str(comments.threads.at or ""), comments.whole
    if not reading.may_ask():
        return
    asked = {"part": "snippet,replies", "videoId": video, "order": "time"}
    try:
        threads, following = await _ask(reading, "commentThreads", asked, token)
    except _StaleToken:
        comments.threads.at = ""
        return
    except FeedError:
        if not token:
            comments.forget()
        raise
    times = _times(threads, visit.started_at)
    if not token:
        if not threads and comments.threads.read_to is not None:
            comments.forget()
            yield empty_page(reading.cursor(), suspect=f"video {video}: no comments, where there were some")
            return
        comments.threads.begin(times)
    comments.read_at = reading.now
    said = [one for thread in threads for one in (thread, *_replies_within(thread)) if _first_seen(one, reading.seen)]
    comments.replies = [
        (thread["id"], "")
        for thread in threads
        if _lacks_replies(thread) and (whole or not comments.threads.is_old(_times([thread], visit.started_at)))
    ]
    ended = following in (None, token) or not said or (not whole and comments.threads.is_old(times))
    if ended:
        comments.finish(reading.now)
    else:
        comments.threads.at = following
    yield to_page(visit, said, lambda one: to_comment(one, visit, video), cursor=reading.cursor())
    async for page in _replies(reading, video):
        yield page


async def _replies(reading: _Reading, video: str) -> AsyncIterator[Page]:
    """The pages of the replies that are still to be read of a video's threads."""
    visit, comments = reading.visit, reading.comments[video]
    while comments.replies and reading.may_ask():
        thread, token = comments.replies[0]
        replies, following, done = [], None, comments.replies[1:]
        try:
            replies, following = await _ask(reading, "comments", {"part": "snippet", "parentId": thread}, token)
        except _NoComments:
            pass  # the thread is gone
        except _StaleToken:
            following = ""
        except FeedError as error:
            if _is_of_the_video(error):
                comments.replies = done  # or this thread would keep all others waiting
            raise
        said = [reply for reply in replies if _first_seen(reply, reading.seen)]
        goes_on = following is not None and following != token and (said or not replies)
        comments.replies = [(thread, following or ""), *done] if goes_on else done
        yield to_page(visit, said, lambda one: to_comment(one, visit, video), cursor=reading.cursor())


def to_video(item: dict[str, Any], visit: Visit) -> dict[str, Any]:
    """Return an entry of a channel's feed as a row of posts. Its `updated` moves with its views and tells no edit.

    Raises LeftOut where consent is lacking; KeyError, TypeError or ValueError where it lacks what it must have.
    """
    video = text_of(item, "yt_videoid")
    if not _VIDEO_ID.fullmatch(video):
        raise ValueError(f"'yt_videoid' is {video[:60]!r}")
    entry, channel = xml_entry(item), item.get("yt_channelid")
    return row(
        visit,
        post_id=post_id(video),
        kind="video",
        url=f"{WATCH_PAGE}{video}",
        title=clean(text_of(item, "title")),
        text=clean(item.get("summary") or ""),  # plain text, though feedparser takes it for HTML
        account=channel if isinstance(channel, str) and channel else entry.author,
        published_at=entry.published_at,
        views=entry.views,
        consent=without_opt_in(visit),
    )


def to_comment(thing: dict[str, Any], visit: Visit, video: str) -> dict[str, Any]:
    """Return a thread's first comment, or a reply, as a row of posts.

    Raises LeftOut where consent or words are lacking; KeyError, TypeError or ValueError where it lacks what it must
    have.
    """
    about = thing["snippet"]
    is_thread = "topLevelComment" in about
    comment = about["topLevelComment"] if is_thread else thing
    said, number = comment["snippet"], text_of(comment, "id")
    if not number.strip():
        raise ValueError("'id' is empty")
    text = clean(text_of(said, "textDisplay"))  # textOriginal is for its author only; we ask for plain text
    if not text:
        raise LeftOut("no_words")
    channel = said.get("authorChannelId")
    account = channel.get("value") if isinstance(channel, dict) else said.get("authorDisplayName")
    published, updated = moment(said.get("publishedAt")), moment(said.get("updatedAt"))
    return row(
        visit,
        post_id=post_id(number),
        kind="comment",
        url=f"{WATCH_PAGE}{video}&lc={number}",
        text=text,
        account=account if isinstance(account, str) else None,
        published_at=published,
        edited_at=updated if updated and published and updated > published else None,
        parent_id=post_id(video if is_thread else text_of(said, "parentId")),
        root_id=post_id(video),
        likes=said.get("likeCount"),
        replies=about.get("totalReplyCount") if is_thread else None,
        consent=without_opt_in(visit),
    )


def post_id(number: str) -> str:
    """Return the post_id of a video or comment; YouTube gives no two of them one id."""
    return f"youtube:{number}"


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
            video: Comments(
                Descent.of(threads), bool(whole), [(str(a), str(b)) for a, b in replies], int(read_at), int(whole_at)
            )
            for video, (threads, whole, replies, read_at, whole_at) in saved["comments"].items()
            if _VIDEO_ID.fullmatch(video)
        }
    except CURSOR_FAULTS:
        return {}, {}
    return channels, comments


def write_cursor(channels: dict[str, list[str]], comments: dict[str, Comments], feed: Options) -> str:
    """Return it as text."""
    read = {
        video: [one.threads.state(), one.whole, one.replies, one.read_at, one.whole_at]
        for video, one in comments.items()
        if one != Comments()
    }
    return json.dumps({"places": [feed.url, feed.api], "channels": channels, "comments": read})


def next_pacific_midnight(now: datetime) -> datetime:
    """Return when the API's next day begins, in UTC."""
    pacific = ZoneInfo("America/Los_Angeles")
    tomorrow = now.astimezone(pacific).date() + timedelta(days=1)
    return datetime.combine(tomorrow, time(), pacific).astimezone(UTC)


def _key(visit: Visit) -> str | None:
    variable = visit.feed.key_env
    if variable is not None and not visit.secrets.get(variable):
        raise FeedBlocked(visit.feed.id, f"key_env names the environment variable {variable}, which is not set")
    return visit.secrets[variable] if variable else None


async def _ask(reading: _Reading, what: str, asked: dict[str, str], token: str) -> tuple[list[Any], str | None]:
    """The items of one page, and the token of the next, None after the last.

    Raises _NoComments or _StaleToken besides what refusal() tells.
    """
    visit = reading.visit
    reading.requests += 1
    params = {**asked, "maxResults": A_PAGE, "textFormat": "plainText", "key": reading.key or ""}
    params |= {"pageToken": token} if token else {}
    reply = await visit.client.get(
        f"{visit.feed.api.rstrip('/')}/{what}", params, answers=frozenset({400, 401, 403, 404})
    )
    answer = reply.json()
    if not isinstance(answer, dict):
        raise FeedFormatChanged(visit.feed.id, f"{reply.url}: {type(answer).__name__} where an object is due")
    if reply.status != 200 or "error" in answer:
        raise refusal(visit, reply.url, reply.status, answer, has_token=bool(token))
    items, following = answer.get("items"), answer.get("nextPageToken")
    if not isinstance(items, list):
        raise FeedFormatChanged(visit.feed.id, f"{reply.url}: JSON without a list `items`")
    return items, following if isinstance(following, str) and following else None


def refusal(
    visit: Visit, url: str, status: int, answer: dict[str, Any], *, has_token: bool
) -> FeedError | _NoComments | _StaleToken:
    """Return the error that an error object stands for (developers.google.com/youtube/v3/docs/errors)."""
    found = answer.get("error")
    error: dict[str, Any] = found if isinstance(found, dict) else {}
    lists = [listed for key in ("errors", "details") if isinstance(listed := error.get(key), list)]
    listed = [one for some in lists for one in some if isinstance(one, dict)]
    reasons = {reason for one in listed if isinstance(reason := one.get("reason"), str)}
    message = clean(str(error.get("message")))[:200]
    said = f"{url}: {status} {', '.join(sorted(reasons)) or 'without a reason'}: {message}"
    if reasons & _QUOTA:
        return FeedUnavailable(visit.feed.id, said, next_pacific_midnight(visit.started_at))
    if reasons & _TOO_FAST:
        return FeedUnavailable(visit.feed.id, said, visit.started_at + timedelta(minutes=2))
    if has_token and "invalidPageToken" in reasons:
        return _StaleToken()
    if status == 404 or "commentsDisabled" in reasons:
        return _NoComments()
    if reasons & _OF_THE_VIDEO:
        return FeedUnavailable(visit.feed.id, said)
    if status in (401, 403) or "API_KEY_INVALID" in reasons or "keyInvalid" in reasons:
        return FeedBlocked(visit.feed.id, said)
    return FeedFormatChanged(visit.feed.id, said)


def _is_of_the_video(error: FeedError) -> bool:
    """Whether an error tells of what was asked for, not of us or the whole API."""
    return isinstance(error, FeedFormatChanged) or (isinstance(error, FeedUnavailable) and error.retry_at is None)


def _replies_within(thread: Any) -> list[Any]:
    """The replies that come with a thread."""
    replies = thread.get("replies") if isinstance(thread, dict) else None
    within = replies.get("comments") if isinstance(replies, dict) else None
    return within if isinstance(within, list) else []


def _lacks_replies(thread: Any) -> bool:
    """Whether a thread has more replies than came with it."""
    about = thread.get("snippet") if isinstance(thread, dict) else None
    total = about.get("totalReplyCount") if isinstance(about, dict) else None
    named = isinstance(thread, dict) and isinstance(thread.get("id"), str) and thread["id"]
    return bool(named) and isinstance(total, int) and total > len(_replies_within(thread))


def _first_seen(comment: Any, seen: set[str]) -> bool:
    """Whether a comment did not come before in this visit; one without an id goes on, to be rejected."""
    number = comment.get("id") if isinstance(comment, dict) else None
    if not isinstance(number, str):
        return True
    first = number not in seen
    seen.add(number)
    return first


def _times(threads: list[Any], now: datetime) -> list[int]:
    """When the threads began; times that are yet to come would make everything else old."""
    began = [at for thread in threads if (at := _began(thread)) is not None and at <= now + CLOCK_SKEW]
    return [int(at.timestamp()) for at in began]


def _began(thread: Any) -> datetime | None:
    try:
        return moment(thread["snippet"]["topLevelComment"]["snippet"]["publishedAt"])
    except (KeyError, TypeError, IndexError):
        return None  # it will be rejected with its reason
