"""The listeners on replies that real servers gave, through a stub; skipped where the recordings are not at hand.

The recordings are other people's posts: they stay where they are, and only totals and shapes are stated here.
"""

import json
import re
from collections import Counter
from pathlib import Path

import pytest
from listening import RECORDED, Clock, polite, posts, visit
from stub_server import Answer, Request, serve

from listeners import discourse, hackernews, mastodon, rss
from listeners.feed import FeedError

pytestmark = pytest.mark.skipif(not RECORDED.is_dir(), reason="no recorded replies beside this project")

HTML = re.compile(r"</?(?:p|a|br|span|div|b|i|em|strong)\b[^<>]*/?>")
ENTITY = re.compile(r"&(?:amp|lt|gt|quot|#\d+|#x[0-9a-fA-F]+);")

# No feeds, and what says so. All other files give a page; a few of those hold no entry at all.
NO_FEEDS = {
    "FeedBlocked: a web page where a feed is due": 14,
    "FeedFormatChanged: not an RSS, Atom or JSON feed": 6,
    "FeedFormatChanged: the answer is empty": 1,
}


def recorded(folder: str) -> list[Path]:
    kept = (RECORDED / folder).rglob("*")
    return sorted(path for path in kept if path.is_file() and path.name not in ("LICENSE", "SOURCE.txt"))


async def test_every_feed_file_gives_its_posts_or_a_reason():
    files = recorded("rss")
    read, reasons, without = {}, Counter(), []

    def answer(request: Request) -> Answer:
        return Answer(files[int(request.path.strip("/"))].read_bytes())

    async with serve(answer) as stub, polite(Clock()) as client:
        for number, path in enumerate(files):
            feed = rss.Options(id=f"file-{number}", source="rss", url=f"{stub.url}/{number}")
            try:
                [page] = [page async for page in rss.pages(visit(feed, client.visit(feed.id)))]
            except FeedError as error:
                said = str(error).split(f"/{number}: ", 1)[1]
                reasons[f"{type(error).__name__}: {re.split(', titled|: ', said)[0]}"] += 1
                print(f"{path.relative_to(RECORDED)}: {type(error).__name__}: {said}")
            else:
                read[path.name] = page
                if not page.posts.num_rows and not page.left_out:
                    without.append(path.name)
    rows = posts(list(read.values()))
    print(f"{len(files)} files, {len(read)} read, {len(rows)} posts, {dict(reasons)}; no entries in {without}")
    assert reasons == NO_FEEDS
    assert len(rows) >= 1900
    assert len(without) <= 6
    assert not [row["text"] for row in rows if row["text"].startswith(("<p", "<div", "<a ", "<!--", "&lt;"))]
    assert [name for name, page in read.items() if page.rejected] == ["invalid.json"]


async def test_every_charset_gives_letters_of_its_language():
    wanted = {
        "koi8r.xml": "[а-яё]{5}",
        "encoding_WINDOWS-1251.xml": "[а-яё]{5}",
        "iconv.xml": "[а-яё]{5}",
        "encoding_ISO-8859-1.xml": "[a-z]ü[a-z]",
        "no_encoding_ISO-8859-1.xml": "[a-z]é[a-z]",
        "encoding.rss": "[a-z]ção",
        "urdu_UTF8.xml": "[\u0620-\u06d3]{4}",
    }
    files = {path.name: path for path in recorded("rss") if path.name in wanted}
    for name, letters in wanted.items():
        async with serve(lambda _, path=files[name]: Answer(path.read_bytes())) as stub, polite(Clock()) as client:
            feed = rss.Options(id="x", source="rss", url=stub.url)
            pages = [page async for page in rss.pages(visit(feed, client.visit("x")))]
        text = "\n".join(f"{post['title']} {post['text']}" for post in posts(pages))
        assert re.search(letters, text), name
        assert not re.search("[\ufffd]|Ã[\x80-\xbf]", text), name


async def test_recorded_mastodon_timelines_give_their_posts():
    stored, left_out, given = [], Counter(), 0
    for body in recorded("mastodon/rtoot"):
        if body.name.endswith(".headers.json"):
            continue
        recording = json.loads(body.with_name(body.name.replace(".json", ".headers.json")).read_text())
        if "/timelines/" not in recording["url"]:
            continue
        kept = ("content-type", "link", "etag", "x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset")
        headers = {name: values[0] for name, values in recording["headers"].items() if name in kept}

        def answer(request: Request, body=body, headers=headers) -> Answer:
            if request.path == "/api/v2/instance":
                return Answer(status=404)
            return Answer(b"[]") if "max_id" in request.query else Answer(body.read_bytes(), headers=headers)

        async with serve(answer) as stub, polite(Clock()) as client:
            feed = mastodon.Options(id="m", source="mastodon", url=stub.url)
            pages = [page async for page in mastodon.pages(visit(feed, client.visit("m")))]
        given += len(json.loads(body.read_bytes()))
        stored += posts(pages)
        left_out += sum((Counter(page.left_out) for page in pages), Counter())
        assert not [page.rejected for page in pages if page.rejected]
        assert len(stub.requests) == 3  # the instance, the page, and back from its `next`: the empty end
    print(f"{given} statuses, {len(stored)} stored, {dict(left_out)}")
    assert len(stored) + left_out.total() == given >= 300
    assert set(left_out) <= {"noindex", "nobot", "reblog", "not_public"}
    assert not [post["text"] for post in stored if HTML.search(post["text"]) or ENTITY.search(post["text"])]
    assert all(re.fullmatch("[0-9a-f]{32}", post["author"]) for post in stored)
    assert any("https://" in post["text"] for post in stored)


async def test_recorded_hacker_news_searches_give_their_posts():
    stored, given = [], 0
    for body in recorded("hackernews/algolia_node-hn-api"):
        found = json.loads(body.read_bytes())
        if "hits" not in found:
            continue
        reply = json.dumps({**found, "nbHits": len(found["hits"])}).encode()  # one hit was asked for, of many
        async with serve(lambda _, reply=reply: Answer(reply)) as stub, polite(Clock()) as client:
            feed = hackernews.Options(id="h", source="hackernews", url=f"{stub.url}/api/v1")
            pages = [page async for page in hackernews.pages(visit(feed, client.visit("h")))]
        given += len(found["hits"])
        stored += posts(pages)
    assert len(stored) == given >= 19
    assert not [post["text"] for post in stored if HTML.search(post["text"]) or ENTITY.search(post["text"])]
    assert {post["kind"] for post in stored} == {"post", "comment", "question"}
    assert all((post["parent_id"] is not None) == (post["kind"] == "comment") for post in stored)
    assert all(re.fullmatch("[0-9a-f]{32}", post["author"]) for post in stored)


async def test_recorded_discourse_lists_give_their_posts():
    [fixtures] = (RECORDED / "discourse").rglob("fixtures")
    latest, before = (json.loads((fixtures / f"posts_{name}.json").read_bytes()) for name in ("latest", "before"))

    def answer(request: Request) -> Answer:
        if "before" not in request.query:
            return Answer(json.dumps(latest).encode())
        below = [post for post in before["latest_posts"] if post["id"] <= int(request.query["before"])]
        return Answer(json.dumps({"latest_posts": below}).encode())

    async with serve(answer) as stub, polite(Clock()) as client:
        feed = discourse.Options(id="d", source="discourse", url=stub.url)
        pages = [page async for page in discourse.pages(visit(feed, client.visit("d")))]
    given = {post["id"] for post in latest["latest_posts"] + before["latest_posts"]}
    stored = posts(pages)
    assert len(stored) == len(given) >= 4
    assert not [page.rejected for page in pages if page.rejected]
    assert not [post["text"] for post in stored if HTML.search(post["text"]) or ENTITY.search(post["text"])]
