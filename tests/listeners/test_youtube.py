"""The youtube listener against channel feeds and an API that answer as YouTube's do."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from xml.sax.saxutils import escape

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from listening import NOW, listen, posts, visit
from pydantic import ValidationError
from stub_server import Answer, Request, serve

from listeners import youtube, youtube_comments
from listeners.feed import FeedBlocked, FeedFormatChanged, FeedUnavailable
from listeners.post import to_page
from listeners.youtube_api import next_pacific_midnight

T = int(NOW.timestamp())
ONE, OTHER = "UC" + "a" * 22, "UC" + "b" * 22
KEY = "a key that stays here"
SAID = escape("One <3\n\nhttps://acme.example")


def at(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def comment(number: str, began: int, text: str = "the router of Acme is slow", **more) -> dict:
    said = {
        "textDisplay": text, "authorDisplayName": "@ann", "authorChannelId": {"value": "UCann"}, "likeCount": 4,
        "publishedAt": at(began), "updatedAt": at(began), "videoId": "v1", **more,
    }  # fmt: skip
    return {"kind": "youtube#comment", "id": number, "snippet": said}


@dataclass
class Thread:
    """A comment and its replies; the API gives five of them with it."""

    top: dict
    replies: list[dict] = field(default_factory=list)

    @property
    def shown(self) -> dict:
        about = {"videoId": "v1", "topLevelComment": self.top, "totalReplyCount": len(self.replies)}
        within = {"replies": {"comments": self.replies[-5:]}} if self.replies else {}
        return {"kind": "youtube#commentThread", "id": self.top["id"], "snippet": about} | within


def thread(number: int, began: int, replies: int = 0, text: str = "the router of Acme is slow") -> Thread:
    name = f"t{number}"
    answers = [comment(f"{name}.{n}", began + 60 + n, "so it is", parentId=name) for n in range(replies)]
    return Thread(comment(name, began, text), answers)


@dataclass
class Tube:
    """Channels with their videos, and threads of comments by video.

    Pages are small, and tokens name the last item shown. refusing: a video or thread -> status and reason.
    """

    channels: dict[str, list[str]]
    threads: dict[str, list[Thread]] = field(default_factory=dict)
    failing: frozenset[str] = frozenset()
    refusing: dict[str, tuple[int, str]] = field(default_factory=dict)
    units: int = 10_000
    size: int = 3
    asked: list[str] = field(default_factory=list)

    def __call__(self, request: Request) -> Answer:
        query = request.query
        if request.path == "/feeds/videos.xml":
            channel = query["channel_id"]
            return Answer(status=404) if channel in self.failing else channel_feed(channel, self.channels[channel])
        assert query["key"] == KEY
        what = query.get("videoId") or query["parentId"]
        self.asked.append(what)
        self.units -= 1
        if self.units < 0:
            return refusal(403, "quotaExceeded")
        if what in self.refusing:
            return refusal(*self.refusing[what])
        if request.path == "/v3/commentThreads":
            newest = sorted(self.threads.get(what, ()), key=lambda one: one.top["snippet"]["publishedAt"], reverse=True)
            return self.page([one.shown for one in newest], query)
        assert request.path == "/v3/comments"
        [found] = [one for threads in self.threads.values() for one in threads if one.top["id"] == what]
        return self.page(found.replies, query)

    def page(self, items: list[dict], query: dict[str, str]) -> Answer:
        ids, start = [item["id"] for item in items], 0
        if token := query.get("pageToken"):
            if token not in ids:
                return refusal(400, "invalidPageToken")
            start = ids.index(token) + 1
        shown = items[start : start + self.size]
        more = {"nextPageToken": shown[-1]["id"]} if start + self.size < len(items) else {}
        return Answer(json.dumps({"items": shown} | more).encode())

    @property
    def ids(self) -> set[str]:
        of = [one for threads in self.threads.values() for thread in threads for one in (thread.top, *thread.replies)]
        return {one["id"] for one in of} | {video for videos in self.channels.values() for video in videos}


def channel_feed(channel: str, videos: list[str]) -> Answer:
    entries = "".join(
        f"<entry><id>yt:video:{video}</id><yt:videoId>{video}</yt:videoId><yt:channelId>{channel}</yt:channelId>"
        f"<title>Acme &amp; {video}</title><published>{at(T - 3600)}</published><updated>{at(T - 60)}</updated>"
        f"<media:group><media:description>{SAID}</media:description>"
        '<media:community><media:statistics views="77"/></media:community></media:group></entry>'
        for video in videos[-15:][::-1]
    )
    opening = (
        '<feed xmlns:yt="http://www.youtube.com/xml/schemas/2015" xmlns:media="http://search.yahoo.com/mrss/" '
        'xmlns="http://www.w3.org/2005/Atom"><id>yt:channel:x</id>'
    )
    return Answer(f'<?xml version="1.0" encoding="UTF-8"?>{opening}{entries}</feed>'.encode())


def refusal(status: int, reason: str) -> Answer:
    error = {"code": status, "message": "No.", "errors": [{"reason": reason, "domain": "youtube"}]}
    return Answer(json.dumps({"error": error}).encode(), status=status)


def options(url: str, *channels: str, key: bool = True, **more) -> youtube.Options:
    return youtube.Options(
        id="tube", source="youtube", url=f"{url}/feeds/videos.xml", api=f"{url}/v3", channels=channels or (ONE,),
        key_env="TUBE_KEY" if key else None, **more,
    )  # fmt: skip


async def heard(feed: youtube.Options, **more):
    return await listen(youtube, feed, **{"secrets": {"TUBE_KEY": KEY}, **more})


def ids(pages) -> set[str]:
    return {post["post_id"].removeprefix("youtube:") for post in posts(pages)}


def later(hours: float) -> datetime:
    return NOW + timedelta(hours=hours)


async def test_a_video_becomes_a_post():
    async with serve(Tube({ONE: ["v1"]})) as stub:
        [post] = posts(await heard(options(stub.url, key=False)))
    assert (post["post_id"], post["kind"], post["title"]) == ("youtube:v1", "video", "Acme & v1")
    assert post["text"] == "One <3\n\nhttps://acme.example"
    assert post["url"] == "https://www.youtube.com/watch?v=v1"
    assert (post["published_at"], post["edited_at"]) == (datetime.fromtimestamp(T - 3600, UTC), None)
    assert post["author"] == visit(options("http://x")).pseudonym(ONE)
    assert (post["views"], post["likes"], post["parent_id"], post["consent"]) == (77, None, None, "none_stated")


async def test_a_comment_and_a_reply_become_posts():
    tube = Tube({ONE: ["v1"]}, {"v1": [thread(1, T - 600, replies=1, text="It's <slow>\nat Acme")]})
    tube.threads["v1"][0].top["snippet"]["updatedAt"] = at(T - 300)
    async with serve(tube) as stub:
        _, top, reply = posts(await heard(options(stub.url)))
    assert (top["post_id"], top["kind"], top["title"], top["text"]) == (
        "youtube:t1", "comment", None, "It's <slow>\nat Acme",
    )  # fmt: skip
    assert top["url"] == "https://www.youtube.com/watch?v=v1&lc=t1"
    assert (top["parent_id"], top["root_id"]) == ("youtube:v1", "youtube:v1")
    assert (top["likes"], top["replies"]) == (4, 1)
    assert top["published_at"] == datetime.fromtimestamp(T - 600, UTC)
    assert top["edited_at"] == datetime.fromtimestamp(T - 300, UTC)
    assert top["author"] == visit(options("http://x")).pseudonym("UCann")
    assert (reply["post_id"], reply["parent_id"], reply["root_id"]) == ("youtube:t1.0", "youtube:t1", "youtube:v1")
    assert (reply["replies"], reply["edited_at"]) == (None, None)


async def test_without_a_key_no_comments_are_asked_for_and_one_that_is_not_set_is_named():
    tube = Tube({ONE: ["v1"]}, {"v1": [thread(1, T - 600)]})
    async with serve(tube) as stub:
        assert ids(await heard(options(stub.url, key=False))) == {"v1"}
        with pytest.raises(FeedBlocked, match="TUBE_KEY, which is not set"):
            await heard(options(stub.url), secrets={})
    assert tube.asked == []


async def test_everything_is_read_and_a_second_visit_brings_nothing_new():
    tube = Tube({ONE: ["v1", "v2"]}, {"v1": [thread(n, T - 60 * n, replies=n) for n in range(1, 14)]})
    async with serve(tube) as stub:
        first = await heard(options(stub.url))
        tube.asked.clear()
        second = await heard(options(stub.url), cursor=first[-1].cursor, started_at=later(1))
    assert ids(first) == tube.ids
    assert len(posts(first)) == len(tube.ids)
    assert tube.asked == ["v1", "v1", "v2"]
    known = {(post["post_id"], post["version"]) for post in posts(first)}
    assert {(post["post_id"], post["version"]) for post in posts(second)} <= known


async def test_what_is_new_is_read_down_to_what_was_read_before():
    tube = Tube({ONE: ["v1"]}, {"v1": [thread(n, T - 60 * n) for n in range(1, 14)]})
    async with serve(tube) as stub:
        first = await heard(options(stub.url))
        tube.threads["v1"] += [thread(100 + n, T + n, replies=9) for n in range(8)]
        tube.threads["v1"].append(thread(200, T - 90, text="held back for a while"))
        second = await heard(options(stub.url), cursor=first[-1].cursor, started_at=later(1))
    assert ids(first + second) == tube.ids
    assert tube.asked.count("v1") < 5 + 7


async def test_once_a_day_older_threads_are_read_again_for_edits_and_replies():
    tube = Tube({ONE: ["v1"]}, {"v1": [thread(n, T - 60 * n) for n in range(1, 14)]})
    async with serve(tube) as stub:
        first = await heard(options(stub.url))
        old = tube.threads["v1"][12]
        old.top["snippet"] |= {"textDisplay": "it is fine now", "updatedAt": at(T + 60)}
        old.replies += [comment(f"t13.{n}", T + 100 + n, parentId="t13") for n in range(8)]
        second = await heard(options(stub.url), cursor=first[-1].cursor, started_at=later(1))
        third = await heard(options(stub.url), cursor=second[-1].cursor, started_at=later(25))
    assert "t13" not in ids(second)
    assert [post["text"] for post in posts(third) if post["post_id"] == "youtube:t13"] == ["it is fine now"]
    assert ids(first + third) == tube.ids


@pytest.mark.parametrize(("killed_after", "most"), [(1, 100), (2, 4)])
async def test_nothing_is_lost_wherever_a_visit_breaks_off(killed_after, most):
    tube = Tube({ONE: ["v1"], OTHER: ["v2"]})
    tube.threads = {
        "v1": [thread(n, T - 60 * n, replies=n) for n in range(1, 12)],
        "v2": [thread(n, T - 50 * n) for n in range(101, 109)],
    }
    found, cursor = set(), None
    async with serve(tube) as stub:
        feed = options(stub.url, ONE, OTHER, max_requests=most)
        for number in range(6):
            pages = await heard(feed, cursor=cursor, started_at=later(number / 10))
            tube.threads["v1"].append(thread(300 + number, T + 360 * number, replies=7))
            for page in pages[: 2 + killed_after]:  # the channels' pages come first
                found |= ids([page])
                cursor = page.cursor
        for number in range(40):
            pages = await heard(feed, cursor=cursor, started_at=later(1 + number / 10))
            found, cursor = found | ids(pages), pages[-1].cursor
            if not pages[-1].capped:
                break
    assert found == tube.ids


async def test_a_visit_that_used_up_its_requests_says_so_and_the_next_begins_with_who_waited_longest():
    tube = Tube({ONE: ["v1", "v2"]}, {f"v{n}": [thread(10 * n + m, T - m) for m in range(9)] for n in (1, 2)})
    async with serve(tube) as stub:
        first = await heard(options(stub.url, max_requests=2))
        assert first[-1].capped == "2 API requests used up; the rest is read from the next visit on"
        second = await heard(options(stub.url, max_requests=2), cursor=first[-1].cursor, started_at=later(1))
    assert tube.asked == ["v1", "v1", "v2", "v2"]
    assert second[-1].capped


async def test_one_channel_that_fails_does_not_stop_the_others_and_is_not_gone():
    tube = Tube({ONE: ["v1"], OTHER: ["v2"]}, {"v1": [thread(1, T - 60)]}, failing=frozenset({ONE}))
    async with serve(tube) as stub:
        first = await heard(options(stub.url, ONE, OTHER))
        tube.failing = frozenset()
        second = await heard(options(stub.url, ONE, OTHER), cursor=first[-1].cursor, started_at=later(1))
        tube.failing = frozenset({ONE})
        third = await heard(options(stub.url, ONE, OTHER), cursor=second[-1].cursor, started_at=later(2))
        tube.failing = frozenset({ONE, OTHER})
        with pytest.raises(FeedUnavailable, match="404"):
            await heard(options(stub.url, ONE, OTHER, key=False))
    assert ids(first) == {"v2"}
    assert "404" in (first[-1].suspect or "")
    assert ids(second) == {"v1", "v2", "t1"}
    assert ids(third) == {"v2", "t1"}  # its comments can be read all the same


async def test_a_channel_that_shows_nothing_any_more_is_suspect():
    tube = Tube({ONE: ["v1"]})
    async with serve(tube) as stub:
        first = await heard(options(stub.url))
        tube.channels[ONE] = []
        second = await heard(options(stub.url), cursor=first[-1].cursor)
    assert second[0].suspect == f"{ONE}: no videos, where there were some"
    assert second[0].cursor == first[-1].cursor


async def test_more_new_videos_than_a_feed_shows_are_said():
    tube = Tube({ONE: ["v1"]})
    async with serve(tube) as stub:
        first = await heard(options(stub.url, key=False))
        tube.channels[ONE] += [f"w{n}" for n in range(20)]
        second = await heard(options(stub.url, key=False), cursor=first[-1].cursor)
        third = await heard(options(stub.url, key=False), cursor=second[-1].cursor)
    assert [page.capped for page in first + second + third] == [
        None, f"{ONE}: more new videos than the 15 that its feed shows", None,
    ]  # fmt: skip


async def test_comments_that_went_all_at_once_are_suspect():
    tube = Tube({ONE: ["v1"]}, {"v1": [thread(1, T - 60)]})
    async with serve(tube) as stub:
        first = await heard(options(stub.url))
        kept, tube.threads["v1"] = tube.threads["v1"], []
        second = await heard(options(stub.url), cursor=first[-1].cursor, started_at=later(1))
        tube.threads["v1"] = [*kept, thread(2, T + 60)]
        third = await heard(options(stub.url), cursor=second[-1].cursor, started_at=later(2))
    assert [page.suspect for page in second] == [None, "video v1: no comments, where there were some"]
    assert second[-1].cursor == first[-1].cursor
    assert ids(third) == {"v1", "t1", "t2"}


async def test_a_quota_that_is_used_up_ends_the_visit_until_midnight_in_california():
    tube = Tube({ONE: ["v1"]}, {"v1": [thread(n, T - 60 * n) for n in range(1, 14)]}, units=2)
    async with serve(tube) as stub:
        with pytest.raises(FeedUnavailable, match="quotaExceeded") as raised:
            await heard(options(stub.url))
    assert raised.value.retry_at == datetime(2026, 11, 21, 8, tzinfo=UTC)  # UTC-8 in November
    assert KEY not in str(raised.value)
    assert next_pacific_midnight(datetime(2026, 7, 1, 6, 59, tzinfo=UTC)) == datetime(2026, 7, 1, 7, tzinfo=UTC)


@pytest.mark.parametrize(("status", "reason"), [(403, "commentsDisabled"), (404, "videoNotFound")])
async def test_a_video_without_comments_is_passed_over(status, reason):
    tube = Tube({ONE: ["v1", "v2"]}, {"v2": [thread(2, T - 60)]}, refusing={"v1": (status, reason)})
    async with serve(tube) as stub:
        pages = await heard(options(stub.url))
    assert ids(pages) == {"v1", "v2", "t2"}
    assert not any(page.suspect or page.capped for page in pages)


async def test_a_video_that_fails_does_not_stop_the_others():
    tube = Tube({ONE: ["v1", "v2"]}, {"v2": [thread(2, T - 60)]}, refusing={"v1": (400, "processingFailure")})
    async with serve(tube) as stub:
        pages = await heard(options(stub.url))
    assert ids(pages) == {"v1", "v2", "t2"}
    assert "processingFailure" in (pages[-1].suspect or "")


async def test_a_page_that_fails_again_and_again_does_not_keep_what_is_new_from_being_read():
    tube = Tube({ONE: ["v1"]}, {"v1": [thread(n, T - 60 * n) for n in range(1, 14)]})
    async with serve(tube) as stub:
        first = (await heard(options(stub.url)))[:3]
        tube.refusing = {"v1": (400, "processingFailure")}
        second = await heard(options(stub.url), cursor=first[-1].cursor, started_at=later(1))
        tube.refusing = {}
        tube.threads["v1"].append(thread(100, T + 60))
        third = await heard(options(stub.url), cursor=second[-1].cursor, started_at=later(2))
        fourth = await heard(options(stub.url), cursor=third[-1].cursor, started_at=later(26))
    assert "comments below a page that cannot be had" in str([page.capped for page in second])
    assert "t100" in ids(third)
    assert ids(first + fourth) == tube.ids


async def test_a_thread_whose_replies_cannot_be_had_does_not_keep_others_waiting():
    tube = Tube({ONE: ["v1"]}, {"v1": [thread(n, T - 60 * n, replies=8) for n in (1, 2)]})
    tube.refusing = {"t1": (400, "processingFailure"), "t2": (404, "commentNotFound")}
    async with serve(tube) as stub:
        first = await heard(options(stub.url))
        tube.refusing = {}
        second = await heard(options(stub.url), cursor=first[-1].cursor, started_at=later(1))
        third = await heard(options(stub.url), cursor=second[-1].cursor, started_at=later(26))
    assert {"t1", "t2", "t1.7", "t2.7"} <= ids(first)
    assert not any(page.suspect for page in second)
    assert ids(first + second + third) == tube.ids


async def test_a_token_that_is_stale_begins_the_video_anew():
    tube = Tube({ONE: ["v1"]}, {"v1": [thread(n, T - 60 * n) for n in range(1, 9)]})
    async with serve(tube) as stub:
        first = (await heard(options(stub.url)))[:2]
        del tube.threads["v1"][2]  # the token named it
        second = await heard(options(stub.url), cursor=first[-1].cursor, started_at=later(1))
    assert ids(second) == tube.ids


async def test_an_endless_list_ends():
    def answer(request: Request) -> Answer:
        if request.path.endswith(".xml"):
            return channel_feed(ONE, ["v1"])
        token = int(request.query.get("pageToken", 0)) + 1
        return Answer(json.dumps({"items": [thread(1, T - 5).shown], "nextPageToken": str(token)}).encode())

    async with serve(answer) as stub:
        pages = await heard(options(stub.url))
    assert ids(pages) == {"v1", "t1"}
    assert len(stub.requests) == 3


@pytest.mark.parametrize(
    ("status", "reason"),
    [(400, "keyInvalid"), (403, "accessNotConfigured"), (401, "authError"), (403, "ipRefererBlocked")],
)
async def test_a_key_that_is_refused_blocks_the_feed_and_is_not_told(status, reason):
    async with serve(Tube({ONE: ["v1", "v2"]}, refusing={"v1": (status, reason), "v2": (status, reason)})) as stub:
        with pytest.raises(FeedBlocked, match=reason) as raised:
            await heard(options(stub.url))
    assert KEY not in str(raised.value)
    assert "***" in str(raised.value)


async def test_with_opt_in_nothing_is_stored():
    tube = Tube({ONE: ["v1"]}, {"v1": [thread(1, T - 60)]})
    async with serve(tube) as stub:
        pages = await heard(options(stub.url), consent="opt_in")
    assert posts(pages) == []
    assert [dict(page.left_out) for page in pages] == [{"not_opted_in": 1}] * 2


async def test_a_bad_comment_is_rejected_and_the_others_are_kept():
    bad = [
        "a string", {"id": "x"}, Thread(comment("t2", T - 5, text=None)).shown,  # type: ignore[arg-type]
        {"id": "t3", "snippet": {"topLevelComment": {"snippet": {}}}}, thread(4, T - 4, text=" ").shown,
    ]  # fmt: skip

    def answer(request: Request) -> Answer:
        if request.path.endswith(".xml"):
            return channel_feed(ONE, ["v1"])
        return Answer(json.dumps({"items": [*bad, thread(9, T - 9).shown]}).encode())

    async with serve(answer) as stub:
        pages = await heard(options(stub.url))
    assert ids(pages) == {"v1", "t9"}
    assert len(pages[1].rejected) == 4
    assert pages[1].left_out == {"no_words": 1}


@pytest.mark.parametrize("body", ["[]", '{"items": 1}', "null", "oops", '{"error": 5}'])
async def test_what_is_no_list_of_comments_is_told(body):
    def answer(request: Request) -> Answer:
        return channel_feed(ONE, ["v1"]) if request.path.endswith(".xml") else Answer(body.encode())

    async with serve(answer) as stub:
        pages = await heard(options(stub.url))
    assert ids(pages) == {"v1"}
    assert (pages[-1].suspect or "").startswith("tube: http")


@pytest.mark.parametrize("body", ["", "oops", "<a/>"])
async def test_what_is_no_feed_is_a_change_of_format(body):
    async with serve(lambda _: Answer(body.encode())) as stub:
        with pytest.raises(FeedFormatChanged, match="tube: http"):
            await heard(options(stub.url))


@pytest.mark.parametrize(
    "cursor",
    ["", "[]", "null", "not json", '{"places": 1}', '{"places": PLACES, "channels": 3}',
     '{"places": PLACES, "channels": {"UCx": 3}, "comments": {"v1": [[1, 2, 3]]}}',
     '{"places": PLACES, "channels": {}, "comments": {"v1": [[1, 2, 3], 1, [[1]], "x", 1e999]}}'],
)  # fmt: skip
async def test_a_cursor_that_cannot_be_read_begins_anew(cursor):
    tube = Tube({ONE: ["v1"]}, {"v1": [thread(1, T - 60)]})
    async with serve(tube) as stub:
        feed = options(stub.url)
        assert ids(await heard(feed, cursor=cursor.replace("PLACES", json.dumps([feed.url, feed.api])))) == tube.ids


def test_a_channel_is_named_by_its_id():
    with pytest.raises(ValidationError, match="unlike '@acme'"):
        options("http://x", "@acme")


VALUES = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.text(), max_size=2)
VALUES |= st.dictionaries(st.sampled_from(["value", "snippet", "id", "comments"]), VALUES, max_size=2)
OF_A_COMMENT = sorted(comment("c", T, parentId="p")["snippet"])


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(
    st.dictionaries(st.sampled_from(OF_A_COMMENT), VALUES, max_size=3),
    st.dictionaries(st.sampled_from(["id", "snippet", "replies"]), VALUES, max_size=1),
    st.booleans(),
)
def test_any_comment_is_a_post_rejected_or_left_out(changes, around, of_thread):
    where = visit(options("http://x"))
    one = comment("c", T - 5, parentId="p")
    one["snippet"] |= changes
    item = (Thread(one).shown if of_thread else one) | around
    page = to_page(where, [item], lambda thing: youtube_comments.to_post(thing, where, "v1"), cursor=None)
    assert page.posts.num_rows + len(page.rejected) + sum(page.left_out.values()) == 1
    assert youtube_comments._times([item], NOW) in ([T - 5], []) or "publishedAt" in changes
    youtube_comments._lacks_replies(item)


WHOLE = {"yt_videoid": "v1", "yt_channelid": ONE, "title": "T", "summary": "S", "media_statistics": {"views": "7"}}


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.dictionaries(st.sampled_from(sorted(WHOLE)), VALUES))
def test_any_entry_is_a_post_or_rejected(changes):
    where = visit(options("http://x"))
    page = to_page(where, [{**WHOLE, **changes}], lambda item: youtube.to_video(item, where), cursor=None)
    assert page.posts.num_rows + len(page.rejected) == 1
