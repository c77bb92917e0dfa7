"""Channels and comments as YouTube shows them: /youtube/feeds/videos.xml and, with a key, /youtube/v3.

Source: developers.google.com/youtube/v3/docs (commentThreads, comments, videos, errors), and a recorded channel feed.
The most talked-about stories of the world's technology forum are videos of two channels, its comments the comments:
threads have one level of replies. Limits, as there: 15 videos a feed; 100 items a page, or 50 ids, 5 replies with a
thread, 10,000 units a day of Pacific time and key.

What is private in the world is not shown, nor is a comment that is not listed, and all below it: it was deleted here. A
video that is not listed is shown to who knows its id.
"""

import base64
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from xml.sax.saxutils import escape
from zlib import crc32
from zoneinfo import ZoneInfo

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from listeners.feed_server.people import Author
from listeners.feed_server.posts import WorldPost
from listeners.feed_server.world import World

CHANNELS = ("UCpacketandpeerreviews01", "UCbroadbandlunchbreak002")
VIDEOS = 15  # a channel's feed shows so many, and here none has more
REPLIES_WITHIN = 5
MAX_ITEMS, DEFAULT_ITEMS = 100, 20
MAX_IDS = 50
UNITS_A_DAY = 10_000
Clock = Callable[[], datetime]

_PACIFIC = ZoneInfo("America/Los_Angeles")


class Tube:
    """The videos of a world, by channel, the oldest first."""

    def __init__(self, world: World) -> None:
        answers = Counter(post.root for post in world.posts if post.place == "hackernews" and post.root is not None)
        stories = [post for post in world.posts if post.place == "hackernews" and post.title is not None]
        most = sorted(stories, key=lambda story: (-answers[story.id], story.id))[: VIDEOS * len(CHANNELS)]
        videos = sorted(most, key=lambda story: story.id)
        self.world = world
        self.videos = {channel: videos[place :: len(CHANNELS)] for place, channel in enumerate(CHANNELS)}

    def shown(self, now: datetime, *channels: str) -> list[WorldPost]:
        """Return the public videos of the channels by then."""
        return [video for channel in channels for video in self.known(now, channel) if video.visibility == "public"]

    def known(self, now: datetime, channel: str) -> list[WorldPost]:
        """Return the videos of a channel by then that those who know their ids can see."""
        there = (video for video in self.videos[channel] if video.visibility != "private")
        return [video for video in there if video.published_at <= now]

    def answers(self, post: WorldPost, now: datetime) -> list[WorldPost]:
        """Return the threads on a video by then, the oldest first."""
        return [answer for answer in self.world.answers(post, now) if answer.visibility == "public"]

    def tops(self, now: datetime) -> list[tuple[WorldPost, WorldPost]]:
        """Return the threads on all videos by then, each with its video."""
        return [(top, video) for video in self.shown(now, *CHANNELS) for top in self.answers(video, now)]

    def below(self, top: WorldPost, now: datetime) -> list[WorldPost]:
        """Return all that answers a comment by then, however deep, the oldest first."""
        found = [one for answer in self.answers(top, now) for one in (answer, *self.below(answer, now))]
        return sorted(found, key=lambda one: (one.published_at, one.id))


class Refused(Exception):
    """What the API refuses: a status, its reason, and its words for it."""

    def __init__(self, status: int, reason: str, message: str) -> None:
        self.status = status
        self.body = {
            "error": {
                "code": status,
                "message": message,
                "errors": [{"message": message, "domain": "youtube", "reason": reason}],
            }
        }
        super().__init__(message)


def routes(world: World, clock: Clock, *, now: Clock, units: int = UNITS_A_DAY) -> list[Route]:
    """Return the routes under /youtube. units: requests a day and key, by the clock `now`."""
    tube, used = Tube(world), Counter[tuple[str, str]]()

    def videos(request: Request) -> Response:
        channel = request.query_params.get("channel_id", "")
        if channel not in CHANNELS:
            return PlainTextResponse("Not Found", 404)
        body = channel_feed(tube, clock(), channel)
        return Response(body, media_type="text/xml; charset=UTF-8", headers={"Cache-Control": "max-age=900"})

    def answering(items: Callable[[Tube, datetime, Mapping[str, str]], list[dict[str, Any]]], kind: str):
        def answer(request: Request) -> Response:
            query = request.query_params
            try:
                if not query.get("key"):
                    raise Refused(403, "forbidden", "The request is missing a valid API key.")
                day = (query["key"], now().astimezone(_PACIFIC).date().isoformat())
                used[day] += 1
                if used[day] > units:
                    raise Refused(403, "quotaExceeded", "The request cannot be completed: you exceeded your quota.")
                return JSONResponse(_page(items(tube, clock(), query), query, kind))
            except Refused as refused:
                return JSONResponse(refused.body, refused.status)

        return answer

    return [
        Route("/youtube/feeds/videos.xml", videos),
        Route("/youtube/v3/commentThreads", answering(threads, "youtube#commentThreadListResponse")),
        Route("/youtube/v3/comments", answering(replies, "youtube#commentListResponse")),
        Route("/youtube/v3/videos", answering(videos_by_id, "youtube#videoListResponse")),
    ]


def kept(world: World, now: datetime, server: str) -> set[str]:
    """Return the post_ids of what a listener with a key holds that has read everything up to now."""
    tube = Tube(world)
    videos = tube.shown(now, *CHANNELS)
    comments = [one for top, _ in tube.tops(now) for one in (top, *tube.below(top, now))]
    return {f"youtube:{video_id(one)}" for one in videos} | {f"youtube:{comment_id(one)}" for one in comments}


def video_id(post: WorldPost) -> str:
    """Return what a video is known by: eleven letters and digits."""
    return f"v{crc32(f'video {post.id}'.encode()):010d}"


def comment_id(post: WorldPost) -> str:
    """Return what a comment is known by."""
    return f"Ugz{crc32(f'comment {post.id}'.encode()):010d}{post.id}AaABAg"


def channel_of(author: Author) -> str:
    """Return the id of an author's channel."""
    return f"UC{crc32(author.name.encode()):022d}"


def channel_feed(tube: Tube, now: datetime, channel: str) -> bytes:
    """Return the Atom document of a channel, its newest video first."""
    entries = "".join(_entry(video, channel, now) for video in reversed(tube.shown(now, channel)))
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<feed xmlns:yt="http://www.youtube.com/xml/schemas/2015" xmlns:media="http://search.yahoo.com/mrss/" \
xmlns="http://www.w3.org/2005/Atom">
 <id>yt:channel:{channel[2:]}</id>
 <yt:channelId>{channel[2:]}</yt:channelId>
 <title>Packet and Peer</title>
 <link rel="alternate" href="https://www.youtube.com/channel/{channel}"/>
 <published>2019-03-01T00:00:00+00:00</published>{entries}
</feed>
""".encode()


def threads(tube: Tube, now: datetime, query: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return the threads of comments on a video, the newest first, or those of some ids. Raises Refused."""
    if wanted := _ids(query):
        return [_thread(tube, top, video, now) for top, video in tube.tops(now) if comment_id(top) in wanted]
    shown = {video_id(post): post for post in tube.shown(now, *CHANNELS)}
    video = shown.get(query.get("videoId", ""))
    if video is None:
        raise Refused(404, "videoNotFound", "The video identified by the videoId parameter could not be found.")
    if query.get("order", "time") != "time":
        raise Refused(400, "invalidParameter", "order")
    return [_thread(tube, top, video, now) for top in reversed(tube.answers(video, now))]


def replies(tube: Tube, now: datetime, query: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return the replies of a thread, the oldest first, or the comments of some ids. Raises Refused."""
    if wanted := _ids(query):
        tops = [_comment(top, video, None) for top, video in tube.tops(now)]
        below = [_comment(one, video, top) for top, video in tube.tops(now) for one in tube.below(top, now)]
        return [comment for comment in tops + below if comment["id"] in wanted]
    for top, video in tube.tops(now):
        if comment_id(top) == query.get("parentId"):
            return [_comment(one, video, top) for one in tube.below(top, now)]
    raise Refused(404, "commentNotFound", "The specified comment could not be found.")


def videos_by_id(tube: Tube, now: datetime, query: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return the videos of some ids. Raises Refused."""
    wanted = _ids(query)
    if not wanted:
        raise Refused(400, "missingRequiredParameter", "No filter selected.")
    known = [(video, channel) for channel in CHANNELS for video in tube.known(now, channel)]
    return [_video(video, channel) for video, channel in known if video_id(video) in wanted]


def _ids(query: Mapping[str, str]) -> frozenset[str]:
    """The ids that are asked for. Raises Refused."""
    wanted = frozenset(filter(None, query.get("id", "").split(",")))
    if len(wanted) > MAX_IDS or (wanted and {"maxResults", "pageToken"} & query.keys()):
        raise Refused(400, "invalidFilters", "The request specifies an invalid filter parameter.")
    return wanted


def _video(video: WorldPost, channel: str) -> dict[str, Any]:
    return {
        "kind": "youtube#video",
        "id": video_id(video),
        "snippet": {
            "publishedAt": _rfc3339(video.published_at),
            "channelId": channel,
            "title": video.title,
            "description": _description(video),
            "channelTitle": "Packet and Peer",
        },
        "status": {"uploadStatus": "processed", "privacyStatus": video.visibility},
        "statistics": {"viewCount": str(_views(video)), "likeCount": str(video.likes)},
    }


def _description(video: WorldPost) -> str:
    return "\n\n".join(part for part in (video.text, video.link) if part)


def _views(video: WorldPost) -> int:
    return 40 + 90 * video.likes


def _entry(video: WorldPost, channel: str, now: datetime) -> str:
    number = video_id(video)
    return f"""
 <entry>
  <id>yt:video:{number}</id>
  <yt:videoId>{number}</yt:videoId>
  <yt:channelId>{channel}</yt:channelId>
  <title>{escape(video.title or "")}</title>
  <link rel="alternate" href="https://www.youtube.com/watch?v={number}"/>
  <author><name>Packet and Peer</name><uri>https://www.youtube.com/channel/{channel}</uri></author>
  <published>{_rfc3339(video.published_at)}</published>
  <updated>{_rfc3339(now)}</updated>
  <media:group>
   <media:title>{escape(video.title or "")}</media:title>
   <media:description>{escape(_description(video))}</media:description>
   <media:community>
    <media:starRating count="{video.likes}" average="5.00" min="1" max="5"/>
    <media:statistics views="{_views(video)}"/>
   </media:community>
  </media:group>
 </entry>"""


def _thread(tube: Tube, top: WorldPost, video: WorldPost, now: datetime) -> dict[str, Any]:
    below = tube.below(top, now)
    thread = {
        "kind": "youtube#commentThread",
        "id": comment_id(top),
        "snippet": {
            "videoId": video_id(video),
            "topLevelComment": _comment(top, video, None),
            "canReply": False,
            "totalReplyCount": len(below),
            "isPublic": True,
        },
    }
    within = [_comment(one, video, top) for one in reversed(below[-REPLIES_WITHIN:])]
    return thread | ({"replies": {"comments": within}} if within else {})


def _comment(post: WorldPost, video: WorldPost, thread: WorldPost | None) -> dict[str, Any]:
    at = _rfc3339(post.published_at)
    said = {
        "videoId": video_id(video),
        "textDisplay": post.text,
        "authorDisplayName": f"@{post.author.name}",
        "authorChannelId": {"value": channel_of(post.author)},
        "canRate": False,
        "viewerRating": "none",
        "likeCount": post.likes,
        "publishedAt": at,
        "updatedAt": at,
    }
    parent = {"parentId": comment_id(thread)} if thread else {}
    return {"kind": "youtube#comment", "id": comment_id(post), "snippet": said | parent}


def _page(items: Sequence[dict[str, Any]], query: Mapping[str, str], kind: str) -> dict[str, Any]:
    """One page of a list; its token names the last item shown, so that what is new does not move the rest."""
    size = query.get("maxResults", str(MAX_IDS if "id" in query else DEFAULT_ITEMS))
    if not size.isdecimal() or not 1 <= int(size) <= MAX_ITEMS:
        raise Refused(400, "invalidParameter", "maxResults")
    start = 0
    if token := query.get("pageToken"):
        places = [place for place, item in enumerate(items) if _token(item) == token]
        if not places:
            raise Refused(400, "invalidPageToken", "The request specifies an invalid page token.")
        start = places[0] + 1
    page = items[start : start + int(size)]
    more = {"nextPageToken": _token(page[-1])} if start + int(size) < len(items) else {}
    return {"kind": kind, "items": page, "pageInfo": {"totalResults": len(page), "resultsPerPage": int(size)}} | more


def _token(item: Mapping[str, Any]) -> str:
    return base64.urlsafe_b64encode(item["id"].encode()).decode().rstrip("=")


def _rfc3339(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
