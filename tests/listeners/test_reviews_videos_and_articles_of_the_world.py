"""App Store, YouTube and GDELT as the built-in feed server plays them: what is kept, and the real ones' limits."""

import hashlib
import io
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from listening import listen, posts

from listeners.feed_server import World, appstore, build_app, config, gdelt, make_world, serve, youtube
from listeners.registry import load

UNTIL = datetime(2026, 11, 20, 12, tzinfo=UTC)
KEY = {"FEED_SERVER_KEY": "any"}


@pytest.fixture(scope="module")
def world() -> World:
    return make_world(seed=7, until=UNTIL, posts=900)


@contextmanager
def asking(world: World, clock: Callable[[], datetime] = lambda: UNTIL) -> Iterator[httpx.Client]:
    with serve(build_app(world, clock, now=clock)) as server, httpx.Client(base_url=server) as client:
        yield client


@pytest.mark.parametrize("played", [appstore, youtube, gdelt])
async def test_whatever_happens_on_the_way_a_listener_comes_to_hold_what_may_be_kept(world, played):
    source = played.__name__.rpartition(".")[2]
    now = [UNTIL - timedelta(hours=3)]
    held: set[str] = set()
    with serve(build_app(world, lambda: now[0], now=lambda: now[0])) as server:
        [table] = config.feeds(server, source)
        listener, cursor = load(source), None
        options = listener.Options(**table)
        for number in range(5):
            now[0] = min(UNTIL, now[0] + timedelta(hours=1))
            pages = await listen(listener, options, cursor=cursor, started_at=now[0], secrets=KEY)
            for page in pages if number > 2 else pages[: 4 + 3 * number]:  # killed after so many stored pages
                assert not page.rejected
                held |= {post["post_id"] for post in posts([page])}
                cursor = page.cursor
        assert held == played.kept(world, UNTIL, server)
    assert len(held) > 3


def test_review_pages_join_up_and_end_after_ten(world):
    path = "/appstore/gb/rss/customerreviews/page={}/id=1500000001/sortby=mostrecent/xml"
    with asking(world) as client:
        pages = [client.get(path.format(number)).text for number in range(1, 11)]
        assert client.get(path.format(11)).status_code == 400
        assert "<im:rating>" not in client.get(path.format(1).replace("1500000001", "7")).text
    assert pages[0].count("<entry>") == 51  # the app itself is the first
    assert pages[0].count("<im:rating>") == 50
    assert pages[-1].count("<entry>") == 0
    assert sum(page.count("<im:rating>") for page in pages) > 60


def test_the_api_pages_its_comments_and_counts_its_units(world):
    with serve(build_app(world, lambda: UNTIL, now=lambda: UNTIL)) as server, httpx.Client(base_url=server) as client:
        tube = youtube.Tube(world)
        video = youtube.video_id(
            max(tube.shown(UNTIL, *youtube.CHANNELS), key=lambda one: len(world.answers(one, UNTIL)))
        )
        query = {"key": "k", "part": "snippet,replies", "videoId": video, "maxResults": 3}
        found, token, pages = [], {}, 0
        while token is not None:
            page = client.get("/youtube/v3/commentThreads", params=query | token).json()
            found, pages = found + page["items"], pages + 1
            token = {"pageToken": page["nextPageToken"]} if "nextPageToken" in page else None
        times = [thread["snippet"]["topLevelComment"]["snippet"]["publishedAt"] for thread in found]
        assert pages > 1
        assert times == sorted(times, reverse=True)
        assert len({thread["id"] for thread in found}) == len(found)
        for thread in found:
            within = thread.get("replies", {"comments": []})["comments"]
            assert len(within) == min(5, thread["snippet"]["totalReplyCount"])
        wrong = [
            ({"videoId": "nothing"}, 404), ({"maxResults": 101}, 400), ({"pageToken": "x"}, 400), ({"key": ""}, 403),
        ]  # fmt: skip
        for change, status in wrong:
            answer = client.get("/youtube/v3/commentThreads", params=query | change)
            assert (answer.status_code, answer.json()["error"]["code"]) == (status, status)
        asked = {"key": "k", "part": "snippet", "id": ",".join([video, *(f"x{n}" for n in range(49))])}
        assert [item["id"] for item in client.get("/youtube/v3/videos", params=asked).json()["items"]] == [video]
        for change in ({"id": f"{asked['id']},y"}, {"maxResults": 50}, {"id": ""}):
            assert client.get("/youtube/v3/videos", params=asked | change).status_code == 400
        assert client.get("/youtube/feeds/videos.xml", params={"channel_id": "UCx"}).status_code == 404


def test_a_days_quota_ends(world):
    from starlette.applications import Starlette

    app = Starlette(routes=youtube.routes(world, lambda: UNTIL, now=lambda: UNTIL, units=2))
    with serve(app) as server, httpx.Client(base_url=server) as client:
        asked = {"key": "k", "videoId": youtube.video_id(youtube.Tube(world).shown(UNTIL, *youtube.CHANNELS)[0])}
        answers = [client.get("/youtube/v3/commentThreads", params=asked) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 403]
    assert answers[-1].json()["error"]["errors"][0]["reason"] == "quotaExceeded"


def test_the_newest_file_is_named_with_its_size_and_md5(world):
    with asking(world) as client:
        for name in ("lastupdate.txt", "lastupdate-translation.txt"):
            size, digest, url = client.get(f"/gdelt/gdeltv2/{name}").text.splitlines()[-1].split()
            body = client.get("/gdelt" + url.partition("gdeltproject.org")[2]).content
            assert (len(body), hashlib.md5(body).hexdigest()) == (int(size), digest)
        assert client.get("/gdelt/gdeltv2/20261120121500.gkg.csv.zip").status_code == 404
        assert client.get("/gdelt/gdeltv2/20261118120000.gkg.csv.zip").status_code == 404
        last = gdelt.newest(world.visible(UNTIL, "courier", "herald")[-1].published_at) + gdelt.EVERY
        body = client.get(f"/gdelt/gdeltv2/{last:%Y%m%d%H%M%S}.gkg.csv.zip").content
    [name] = (archive := zipfile.ZipFile(io.BytesIO(body))).namelist()
    lines = archive.read(name).decode().splitlines()
    assert lines
    assert all(len(line.split("\t")) == 27 for line in lines)
