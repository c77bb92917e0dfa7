"""Kept videos and comments of YouTube asked for again, with a key.

Source: GET {api}/videos, {api}/comments and {api}/commentThreads, each with id=ID,ID,...
(developers.google.com/youtube/v3/docs/videos/list, .../comments/list, .../commentThreads/list; 2026-11).
Limits: 50 ids a request of one unit (youtube_api.py); of comments no more than an answer holds unless told otherwise,
which is 20, since `maxResults` does not go with ids.

What is not among the items is gone, be it deleted or private; so is a video that is unlisted now, as no feed shows it.
One id that is not there may have all of a request refused with 404, one that is not for us with 403: then its halves
are asked for, and what is refused alone with 403 is not known to be gone.
"""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

from listeners.budget import Budget
from listeners.entry import number
from listeners.feed import FeedFormatChanged, Page, Visit
from listeners.post import text_of, to_page
from listeners.standing import Kept, told
from listeners.youtube_api import Api, NoComments, NotForUs, NotThere
from listeners.youtube_comments import post_id, to_post
from listeners.youtube_video import video_row

VIDEOS_A_REQUEST = 50
KEPT_A_REQUEST = COMMENTS_A_REQUEST = 20

_OF_VIDEOS = {"part": "snippet,statistics,status"}
_OF_COMMENTS = {"part": "snippet", "textFormat": "plainText"}


class Answer(NamedTuple):
    """What the API tells of ids: the items of those that are there, and which are not; of the others nothing."""

    there: dict[str, dict[str, Any]]
    missing: set[str]


async def standing(visit: Visit, kept: Sequence[Kept]) -> AsyncIterator[Page]:
    """Yield the kept videos and comments as they are now, and which of them are gone; without a key nothing.

    Raises as FeedClient.get does; FeedUnavailable where the day's quota is used up; FeedBlocked where key_env names a
    variable that is not set, or the key is refused.
    """
    key = visit.secret("key_env")
    if key is None:
        return
    api, videos, comments = Api(visit, Budget(visit), key), *_sorted_out(kept)
    lately = [*videos, *comments.values()]  # the last kept come last
    for ids in _requests(videos, lately[-1:], VIDEOS_A_REQUEST):
        yield _page_of_videos(visit, len(ids), await _answered(api, "videos", _OF_VIDEOS, ids), set(videos))
    names = list(comments)
    for ids in _requests(names, names[-1:], COMMENTS_A_REQUEST):
        answer = await _answered(api, "comments", _OF_COMMENTS, ids)
        answer.there.update(await _threads(api, answer.there))
        gone = set(map(post_id, answer.missing))
        items = [item for item in answer.there.values() if _is_whole(item)]
        page = to_page(visit, items, lambda item: to_post(item, visit, comments[item["id"]]), cursor=visit.cursor)
        unclear = len(ids) - len(answer.there) - len(gone)
        yield told(visit, len(ids) - unclear, gone, page, unclear=unclear)


def to_video(item: dict[str, Any], visit: Visit) -> dict[str, Any]:
    """Return a video of the API as a row of posts, with what its channel's feed tells too.

    Raises LeftOut where consent is lacking; KeyError, TypeError or ValueError where it lacks what it must have.
    """
    video, about = text_of(item, "id"), item["snippet"]
    return video_row(
        visit,
        video,
        title=text_of(about, "title"),
        text=about.get("description") or "",
        account=text_of(about, "channelId"),
        published_at=about.get("publishedAt"),
        views=number((item.get("statistics") or {}).get("viewCount")),
    )


def _page_of_videos(visit: Visit, asked: int, answer: Answer, kept: set[str]) -> Page:
    """The page of an answer about videos; kept: those that were asked for as posts, and not to vouch for the answer."""
    public = {video: item for video, item in answer.there.items() if not _is_withdrawn(item)}
    gone = answer.missing | answer.there.keys() - public.keys()
    items = [item for video, item in public.items() if video in kept]
    page = to_page(visit, items, lambda item: to_video(item, visit), cursor=visit.cursor)
    unclear = asked - len(answer.there) - len(answer.missing)
    return told(visit, asked - unclear, set(map(post_id, gone)), page, unclear=unclear)


def _is_withdrawn(video: dict[str, Any]) -> bool:
    status = video.get("status")
    return isinstance(status, dict) and status.get("privacyStatus") in ("private", "unlisted")


def _is_whole(comment: dict[str, Any]) -> bool:
    """Whether it tells all that a row holds: one that begins a thread has its count of replies in the thread alone."""
    about = comment.get("snippet")
    return isinstance(about, dict) and ("topLevelComment" in about or "parentId" in about)


async def _threads(api: Api, comments: Mapping[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The threads that comments begin, by id, which is that of the comment."""
    begun = [name for name, comment in comments.items() if not _is_whole(comment)]
    try:
        return (await _answered(api, "commentThreads", _OF_COMMENTS, begun)).there if begun else {}
    except NotForUs:
        return {}  # what is known of them is that they are there


async def _answered(api: Api, what: str, asked: dict[str, str], ids: Sequence[str]) -> Answer:
    """What the API tells of ids. Raises what refuses all of them; FeedFormatChanged where it tells of others."""
    answer, refused, waiting = Answer({}, set()), None, [ids]
    while waiting:
        some = waiting.pop()
        try:
            items = await api.ask_for(what, asked, some)
        except (NoComments, NotForUs) as refusal:
            if len(some) > 1:
                waiting += [some[len(some) // 2 :], some[: len(some) // 2]]
            elif isinstance(refusal, NotThere):
                answer.missing.update(some)
            else:
                refused = refusal
            continue
        there = {item["id"]: item for item in items if isinstance(item, dict) and item.get("id") in some}
        if len(there) < len(items):
            raise FeedFormatChanged(api.visit.feed.id, f"{what}: items that were not asked for, or twice")
        answer.there.update(there)
        answer.missing.update(set(some) - there.keys())
    if isinstance(refused, NotForUs) and not answer.there and not answer.missing:
        raise refused
    return answer


def _sorted_out(kept: Sequence[Kept]) -> tuple[list[str], dict[str, str]]:
    """The ids of videos, and of comments with the video that each is on, in order."""
    videos, comments = [], {}
    for one in kept:
        name, asked = one.post_id.removeprefix("youtube:"), parse_qs(urlsplit(one.url or "").query)
        if video := asked.get("v"):
            if name == video[0]:
                videos.append(name)
            elif asked.get("lc") == [name]:
                comments[name] = video[0]
    return videos, comments


def _requests(ids: Sequence[str], witness: Sequence[str], most: int) -> Iterator[list[str]]:
    """The ids in lists of at most so many, each with a witness: one that was there of late vouches for an answer."""
    others = [name for name in ids if name not in witness]
    for start in range(0, max(len(others), 1), most - 1) if ids else ():
        yield [*others[start : start + most - 1], *witness]
