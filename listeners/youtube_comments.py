"""Comments on YouTube videos: the part of youtube.py that reads them, with a key.

Source: GET {api}/commentThreads and {api}/comments (developers.google.com/youtube/v3/docs/commentThreads/list;
2026-11), 100 threads or replies a page. Limits: youtube_api.py.

Comments are read newest threads first, down to what was read before; once a day all of them again: edits, likes and
answers in older threads do not bring a thread up. A thread comes with up to five of its replies; where it has more they
are asked for if the thread is new, and in the daily reading. Deleted comments are just not there (youtube_kept.py).
"""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from listeners.consent import without_opt_in
from listeners.descent import Descent
from listeners.feed import FeedError, Page, Visit
from listeners.plain_text import clean
from listeners.post import CLOCK_SKEW, LeftOut, empty_page, first_seen, moment, row, text_of, to_page
from listeners.youtube_api import Api, NoComments, StaleToken, is_of_the_video

WHOLE_EVERY = 24 * 3600  # seconds after which all comments of a video are read again
WATCH_PAGE = "https://www.youtube.com/watch?v="


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

    def state(self) -> list[Any]:
        """Return it for a cursor."""
        return [self.threads.state(), self.whole, self.replies, self.read_at, self.whole_at]

    @classmethod
    def of(cls, state: Any) -> "Comments":
        """Return it from a cursor. Raises TypeError or ValueError where it is none."""
        threads, whole, replies, read_at, whole_at = state
        waiting = [(str(thread), str(token)) for thread, token in replies]
        return cls(Descent.of(threads), bool(whole), waiting, int(read_at), int(whole_at))


@dataclass
class CommentReading:
    """What one visit knows of the comments it reads. cursor: gives the feed's.

    seen: a reply that stands in its thread and in the list comes once.
    """

    api: Api
    cursor: Callable[[], str]
    seen: set[str] = field(default_factory=set)

    @property
    def visit(self) -> Visit:
        return self.api.visit

    @property
    def now(self) -> int:
        return int(self.visit.started_at.timestamp())


async def pages(reading: CommentReading, video: str, comments: Comments) -> AsyncIterator[Page]:
    """Yield the pages of a video's comments: what is left of a reading that broke off, then from the top.

    comments: what is read of them, which moves with each page. Raises as Api.ask does.
    """
    try:
        async for page in _replies(reading, video, comments):
            yield page
        async for page in _down(reading, video, comments):
            yield page
        if reading.api.budget.cut_short or comments.is_under_way:
            return
        comments.whole = reading.now - comments.whole_at >= WHOLE_EVERY
        comments.threads.at = ""
        async for page in _down(reading, video, comments):
            yield page
    except NoComments:
        comments.finish(reading.now)
        yield empty_page(reading.cursor())


async def _down(reading: CommentReading, video: str, comments: Comments) -> AsyncIterator[Page]:
    """The pages of the reading of threads under way.

    Where the page it went on with fails again, what is below waits for the next reading of everything.
    """
    began_at = comments.threads.at
    while comments.threads.at is not None and not reading.api.budget.cut_short:
        try:
            async for page in _page_of_threads(reading, video, comments):
                yield page
        except FeedError as error:
            if not began_at or comments.threads.at != began_at or not is_of_the_video(error):
                raise
            comments.finish(reading.now)
            yield empty_page(reading.cursor(), capped=f"comments below a page that cannot be had: {error}")


async def _page_of_threads(reading: CommentReading, video: str, comments: Comments) -> AsyncIterator[Page]:
    """The page of a video's threads that is next, and the replies that its threads lack."""
    visit = reading.visit
    token, whole = str(comments.threads.at or ""), comments.whole
    if not reading.api.budget.may_ask():
        return
    asked = {"part": "snippet,replies", "videoId": video, "order": "time"}
    try:
        threads, following = await reading.api.ask("commentThreads", asked, token)
    except StaleToken:
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
    within = [one for thread in threads for one in (thread, *_replies_within(thread))]
    said = first_seen(within, _name, reading.seen)
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
    yield to_page(visit, said, lambda one: to_post(one, visit, video), cursor=reading.cursor())
    async for page in _replies(reading, video, comments):
        yield page


async def _replies(reading: CommentReading, video: str, comments: Comments) -> AsyncIterator[Page]:
    """The pages of the replies that are still to be read of a video's threads."""
    visit = reading.visit
    while comments.replies and reading.api.budget.may_ask():
        thread, token = comments.replies[0]
        replies, following, done = [], None, comments.replies[1:]
        try:
            replies, following = await reading.api.ask("comments", {"part": "snippet", "parentId": thread}, token)
        except NoComments:
            pass  # the thread is gone
        except StaleToken:
            following = ""
        except FeedError as error:
            if is_of_the_video(error):
                comments.replies = done  # or this thread would keep all others waiting
            raise
        said = first_seen(replies, _name, reading.seen)
        goes_on = following is not None and following != token and (said or not replies)
        comments.replies = [(thread, following or ""), *done] if goes_on else done
        yield to_page(visit, said, lambda one: to_post(one, visit, video), cursor=reading.cursor())


def to_post(thing: dict[str, Any], visit: Visit, video: str) -> dict[str, Any]:
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


def _name(comment: Any) -> str | None:
    number = comment.get("id") if isinstance(comment, dict) else None
    return number if isinstance(number, str) else None


def _times(threads: list[Any], now: datetime) -> list[int]:
    """When the threads began; times that are yet to come would make everything else old."""
    began = [at for thread in threads if (at := _began(thread)) is not None and at <= now + CLOCK_SKEW]
    return [int(at.timestamp()) for at in began]


def _began(thread: Any) -> datetime | None:
    try:
        return moment(thread["snippet"]["topLevelComment"]["snippet"]["publishedAt"])
    except (KeyError, TypeError, IndexError):
        return None  # it will be rejected with its reason
