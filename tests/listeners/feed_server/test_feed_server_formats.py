"""The answers have the real form of each source, as clients other than ours read them."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import feedparser
import httpx
import pytest

from listeners.feed_server import World, build_app, make_world, serve
from listeners.feed_server.markup import forum_html, toot_html
from listeners.feed_server.mastodon import status_id

FEEDS = ["/rss/courier.xml", "/rss/herald.xml", "/atom/blog.xml", "/jsonfeed/reviews.json"]
SetClock = Callable[[datetime], None]


def statuses_of(world: World, tag: str) -> set[str]:
    toots = [post for post in world.posts if post.place == "mastodon"]
    return {status_id(post) for post in toots if f"#{tag}" in post.text.lower().replace("#" + tag + "s", "")}


class TestSyndication:
    @pytest.mark.parametrize(("path", "version"), [("/rss/courier.xml", "rss20"), ("/atom/blog.xml", "atom10")])
    def test_feedparser_reads_it_without_complaint(self, client: httpx.Client, path: str, version: str):
        answer = client.get(path)
        feed = feedparser.parse(answer.content, response_headers=dict(answer.headers))
        assert not feed.bozo
        assert feed.version == version
        assert len(feed.entries) >= 30
        for entry in feed.entries:
            assert entry.id
            assert entry.title
            assert entry.link.startswith("https://")
            assert entry.published_parsed
            assert entry.author
        published = [entry.published_parsed for entry in feed.entries]
        assert published == sorted(published, reverse=True)

    def test_texts_arrive_whole(self, client: httpx.Client, world: World):
        newest = next(post for post in reversed(world.posts) if post.place == "courier")
        feed = feedparser.parse(client.get("/rss/courier.xml").content)
        assert feed.entries[0].title == newest.title
        assert newest.text.split(".")[0] in feed.entries[0].summary

    def test_reviews_are_a_json_feed_with_stars(self, client: httpx.Client):
        answer = client.get("/jsonfeed/reviews.json")
        assert answer.headers["content-type"] == "application/feed+json"
        feed = answer.json()
        assert feed["version"] == "https://jsonfeed.org/version/1.1"
        assert 300 <= len(feed["items"]) <= 400
        for item in feed["items"]:
            assert 1 <= item["_review"]["rating"] <= 5
            assert item["title"].count("★") == item["_review"]["rating"]
        assert len({item["id"] for item in feed["items"]}) == len(feed["items"])

    @pytest.mark.parametrize("path", FEEDS)
    def test_what_is_known_is_answered_with_304(self, client: httpx.Client, path: str):
        first = client.get(path)
        tag, modified = first.headers["etag"], first.headers["last-modified"]
        for headers in ({"If-None-Match": tag}, {"If-Modified-Since": modified}, {"If-None-Match": f'"x", {tag}'}):
            again = client.get(path, headers=headers)
            assert again.status_code == 304, headers
            assert again.content == b""
            assert again.headers["etag"] == tag
        assert "max-age" in first.headers["cache-control"]

    @pytest.mark.parametrize("path", FEEDS)
    def test_a_tag_outranks_a_date(self, client: httpx.Client, path: str):
        headers = {"If-None-Match": '"another"', "If-Modified-Since": "Fri, 01 Jan 2100 00:00:00 GMT"}
        assert client.get(path, headers=headers).status_code == 200

    def test_strong_and_weak_tags_both_occur(self, client: httpx.Client):
        assert client.get("/rss/courier.xml").headers["etag"].startswith('"')
        assert client.get("/atom/blog.xml").headers["etag"].startswith('W/"')

    def test_a_new_item_changes_the_validators(self, client: httpx.Client, world: World, set_clock: SetClock):
        newest = [post for post in world.posts if post.place == "reviews"][-1]
        set_clock(newest.published_at - timedelta(seconds=1))
        before = client.get("/jsonfeed/reviews.json")
        set_clock(newest.published_at)
        after = client.get("/jsonfeed/reviews.json", headers={"If-None-Match": before.headers["etag"]})
        assert after.status_code == 200
        assert parsedate_to_datetime(after.headers["last-modified"]) == newest.published_at

    def test_before_the_world_begins_the_feeds_are_empty_and_valid(self, client: httpx.Client, set_clock: SetClock):
        set_clock(datetime(2020, 1, 1, tzinfo=UTC))
        assert feedparser.parse(client.get("/rss/courier.xml").content).entries == []
        assert client.get("/jsonfeed/reviews.json").json()["items"] == []
        assert client.get("/hn/api/v1/search_by_date").json()["nbHits"] == 0
        answer = client.get("/mastodon/api/v1/timelines/tag/telvane")
        assert answer.json() == []
        assert "link" not in answer.headers


class TestHackerNews:
    URL = "/hn/api/v1/search_by_date"

    def hits(self, client: httpx.Client, **params) -> list[dict]:
        return client.get(self.URL, params={"hitsPerPage": 1000} | params).json()["hits"]

    def test_hits_have_the_fields_of_the_real_ones(self, client: httpx.Client):
        hits = self.hits(client, tags="(story,comment)")
        assert len(hits) > 500
        for hit in hits:
            assert isinstance(hit["objectID"], str)
            assert int(datetime.fromisoformat(hit["created_at"]).timestamp()) == hit["created_at_i"]
            assert hit["_tags"][1] == f"author_{hit['author']}"
            if "comment" in hit["_tags"]:
                assert hit["comment_text"]
                assert hit["num_comments"] is None
                assert hit["points"] is None
                assert hit["parent_id"]
                assert hit["story_id"]
                assert hit["story_title"]
            else:
                assert hit["title"]
                assert hit["num_comments"] >= 0
                assert hit["parent_id"] is None
                assert hit["url"] or hit["story_text"]

    def test_newest_first_and_every_post_once(self, client: httpx.Client, world: World):
        hits = self.hits(client)
        assert [hit["created_at_i"] for hit in hits] == sorted((hit["created_at_i"] for hit in hits), reverse=True)
        assert len({hit["objectID"] for hit in hits}) == sum(post.place == "hackernews" for post in world.posts)

    def test_threads_hold_together(self, client: httpx.Client):
        by_id = {int(hit["objectID"]): hit for hit in self.hits(client)}
        for hit in by_id.values():
            if hit["parent_id"]:
                assert hit["parent_id"] in by_id
                assert "story" in by_id[hit["story_id"]]["_tags"]
                assert int(hit["objectID"]) in by_id[hit["parent_id"]]["children"]

    def test_pages_and_slices_join_up(self, client: httpx.Client):
        everything = [hit["objectID"] for hit in self.hits(client)]
        paged = [hit["objectID"] for page in range(12) for hit in self.hits(client, hitsPerPage=100, page=page)]
        assert paged == everything
        middle = self.hits(client)[300]["created_at_i"]
        late = self.hits(client, numericFilters=f"created_at_i>{middle}")
        early = self.hits(client, numericFilters=f"created_at_i>0,created_at_i<={middle}")
        assert [hit["objectID"] for hit in late + early] == everything

    def test_tags_are_and_unless_in_brackets(self, client: httpx.Client):
        everything = self.hits(client, tags="(story,comment)")
        stories, comments = self.hits(client, tags="story"), self.hits(client, tags="comment")
        assert len(stories) + len(comments) == len(everything)
        assert self.hits(client, tags="story,comment") == []
        author = stories[0]["author"]
        assert {hit["author"] for hit in self.hits(client, tags=f"story,author_{author}")} == {author}

    def test_a_query_finds_words_wherever_a_hit_has_them(self, client: httpx.Client):
        found = self.hits(client, query="telvane")
        assert 100 < len(found) < 700
        assert all("telvane" in json.dumps(hit).lower() for hit in found)

    def test_text_is_html_as_the_forum_has_it(self):
        assert forum_html("It's 5 > 4.\n\nSee https://acme.example/a?b=1.") == (
            "It&#x27;s 5 &gt; 4.<p>See "
            '<a href="https://acme.example/a?b=1" rel="nofollow">https:&#x2F;&#x2F;acme.example&#x2F;a?b=1</a>.'
        )

    @pytest.mark.parametrize("params", [{"numericFilters": "created_at>today"}, {"page": "x"}, {"hitsPerPage": "-1"}])
    def test_a_bad_query_is_answered_with_400(self, client: httpx.Client, params: dict):
        answer = client.get(self.URL, params=params)
        assert answer.status_code == 400
        assert answer.json()["status"] == 400

    def test_no_more_than_1000_hits_can_be_had_per_query(self):
        until = datetime(2026, 6, 1, tzinfo=UTC)
        world = make_world(seed=3, until=until, days=4, posts=4_400)
        with serve(build_app(world, lambda: until)) as server:
            first = httpx.get(server + self.URL, params={"hitsPerPage": 5000}).json()
            assert len(first["hits"]) == 1000
            assert first["hitsPerPage"] == 1000
            assert first["nbHits"] == sum(post.place == "hackernews" for post in world.posts) > 1000
            beyond = httpx.get(server + self.URL, params={"hitsPerPage": 1000, "page": 1}).json()
            assert beyond["hits"] == []
            assert beyond["nbHits"] == 0
            oldest = first["hits"][-1]["created_at_i"]
            rest = httpx.get(
                server + self.URL, params={"hitsPerPage": 1000, "numericFilters": f"created_at_i<={oldest}"}
            ).json()
            seen = {hit["objectID"] for hit in first["hits"] + rest["hits"]}
            assert len(seen) == first["nbHits"]

    def test_an_item_shows_its_thread(self, client: httpx.Client):
        story = next(hit for hit in self.hits(client, tags="story") if hit.get("children"))
        item = client.get(f"/hn/api/v1/items/{story['objectID']}").json()
        assert [child["id"] for child in item["children"]] == story["children"]
        assert client.get("/hn/api/v1/items/1").status_code == 404


class TestMastodon:
    TAG = "/mastodon/api/v1/timelines/tag/telvane"

    def walk(self, client: httpx.Client, path: str, rel: str, **params) -> list[list[dict]]:
        """All pages from the first one along the Link header."""
        pages = []
        answer = client.get(path, params=params)
        while answer.json():
            pages.append(answer.json())
            answer = client.get(answer.links[rel]["url"])
        return pages

    def test_walking_back_reaches_each_status_once_newest_first(self, client: httpx.Client, world: World):
        ids = [status["id"] for page in self.walk(client, self.TAG, "next", limit=40) for status in page]
        assert len(ids) == len(set(ids)) > 300
        assert set(ids) == statuses_of(world, "telvane")
        assert [int(native) for native in ids] == sorted(map(int, ids), reverse=True)

    def test_walking_forward_with_min_id_reaches_each_status_once(self, client: httpx.Client, world: World):
        pages = self.walk(client, self.TAG, "prev", limit=40, min_id="1")
        ids = [status["id"] for page in pages for status in page]
        assert sorted(ids) == sorted(statuses_of(world, "telvane"))
        for page in pages:  # the oldest unread ones, yet newest first within the page
            assert [int(status["id"]) for status in page] == sorted((int(s["id"]) for s in page), reverse=True)
        assert int(pages[0][0]["id"]) < int(pages[1][-1]["id"])

    def test_since_id_skips_to_the_newest_where_min_id_does_not(self, client: httpx.Client):
        everything = [status["id"] for page in self.walk(client, self.TAG, "next", limit=40) for status in page]
        anchor = everything[200]
        skipped = [status["id"] for status in client.get(self.TAG, params={"since_id": anchor, "limit": 20}).json()]
        right_after = [status["id"] for status in client.get(self.TAG, params={"min_id": anchor, "limit": 20}).json()]
        assert skipped == everything[:20]
        assert right_after == everything[180:200]

    def test_a_page_holds_at_most_40(self, client: httpx.Client):
        assert len(client.get(self.TAG, params={"limit": 500}).json()) == 40
        assert len(client.get(self.TAG).json()) == 20

    def test_links_keep_the_other_parameters(self, client: httpx.Client):
        answer = client.get(self.TAG, params={"limit": 7, "local": "true"})
        assert "limit=7" in answer.links["next"]["url"]
        assert "local=true" in answer.links["next"]["url"]
        assert {status["account"]["acct"].count("@") for status in answer.json()} == {0}

    def test_statuses_are_complete(self, client: httpx.Client):
        statuses = [status for page in self.walk(client, self.TAG, "next", limit=40) for status in page]
        for status in statuses:
            assert status["uri"].startswith("https://")
            assert status["url"].endswith(status["id"])
            assert status["content"].startswith("<p>")
            assert status["visibility"] in {"public", "unlisted", "private"}
            assert "telvane" in [tag["name"] for tag in status["tags"]]
            assert status["reblog"] is None
            assert status["account"]["followers_count"] >= 0
            assert isinstance(status["account"]["note"], str)
        assert len({status["uri"] for status in statuses}) == len(statuses)
        assert any(status["edited_at"] for status in statuses)
        assert any(status["language"] is None for status in statuses)
        assert any(status["spoiler_text"] for status in statuses)
        assert any(status["in_reply_to_id"] for status in statuses)
        assert any(status["mentions"] for status in statuses)
        assert any("@" in status["account"]["acct"] for status in statuses)
        quotes = [status["quote"]["quoted_status"] for status in statuses if status["quote"]]
        assert quotes
        assert all(quote["content"] for quote in quotes)

    def test_an_edit_shows_only_once_it_was_made(self, client: httpx.Client, world: World, set_clock: SetClock):
        post = next(post for post in world.posts if post.edited)
        path = f"/mastodon/api/v1/statuses/{status_id(post)}"
        assert post.edited
        set_clock(post.edited[0] - timedelta(seconds=1))
        before = client.get(path).json()
        set_clock(post.edited[0])
        after = client.get(path).json()
        assert before["edited_at"] is None
        assert after["edited_at"] is not None
        assert len(after["content"]) > len(before["content"])

    def test_html_hides_parts_of_links_as_mastodon_does(self):
        made = toot_html(
            "@ana see https://www.acme.example/a/very/long/path?x=1&y=2 #Acme a@b.example",
            "m.example",
            {"ana": "o.example"}.get,
        )
        assert '<a href="https://o.example/@ana" class="u-url mention">@<span>ana</span></a>' in made
        assert (
            '<span class="invisible">https://www.</span><span class="ellipsis">acme.example/a/very/long/path?</span>'
            in made
        )
        assert '<span class="invisible">x=1&amp;y=2</span>' in made
        assert '<a href="https://m.example/tags/Acme" class="mention hashtag" rel="tag">#<span>Acme</span></a>' in made
        assert "a@b.example</p>" in made

    def test_unchanged_pages_are_answered_with_304(self, client: httpx.Client):
        tag = client.get(self.TAG).headers["etag"]
        assert tag.startswith('W/"')
        assert client.get(self.TAG, headers={"If-None-Match": tag}).status_code == 304

    def test_the_instance_says_who_may_read(self, client: httpx.Client):
        instance = client.get("/mastodon/api/v2/instance").json()
        assert instance["configuration"]["timelines_access"]["hashtag_feeds"]["local"] == "public"

    @pytest.mark.parametrize(("access", "status"), [("authenticated", 422), ("disabled", 200)])
    def test_closed_timelines_give_nothing(self, world: World, access: str, status: int):
        with serve(build_app(world, lambda: world.until, mastodon_access=access)) as server:
            answer = httpx.get(server + self.TAG)
            assert answer.status_code == status
            assert answer.json() == [] or "error" in answer.json()

    def test_the_public_timeline_has_no_answers(self, client: httpx.Client):
        statuses = client.get("/mastodon/api/v1/timelines/public", params={"limit": 40}).json()
        assert len(statuses) == 40
        assert {status["in_reply_to_id"] for status in statuses} == {None}

    @pytest.mark.parametrize("params", [{"limit": "many"}, {"max_id": "newest"}])
    def test_nonsense_is_answered_with_422(self, client: httpx.Client, params: dict):
        assert client.get(self.TAG, params=params).status_code == 422

    def test_the_rate_limit_is_counted_told_and_kept(self, world: World):
        wall = [datetime(2026, 1, 1, 10, 2, 30, tzinfo=UTC)]
        app = build_app(world, lambda: world.until, mastodon_limit=3, now=lambda: wall[0])
        with serve(app) as server, httpx.Client(base_url=server) as client:
            answers = [client.get(self.TAG) for _ in range(4)]
            assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
            assert [answer.headers["x-ratelimit-remaining"] for answer in answers] == ["2", "1", "0", "0"]
            reset = datetime.fromisoformat(answers[3].headers["x-ratelimit-reset"])
            assert reset == datetime(2026, 1, 1, 10, 5, tzinfo=UTC)
            assert client.get("/rss/courier.xml").status_code == 200  # other hosts in the world are not concerned
            wall[0] = reset
            assert client.get(self.TAG).status_code == 200


def test_only_what_is_published_can_be_seen(client: httpx.Client, world: World, set_clock: SetClock):
    now = world.until - timedelta(days=10)
    set_clock(now)
    entries = feedparser.parse(client.get("/rss/courier.xml").content).entries
    stars = client.get("/jsonfeed/reviews.json").json()["items"]
    hits = client.get("/hn/api/v1/search_by_date", params={"hitsPerPage": 1000}).json()["hits"]
    toots = client.get("/mastodon/api/v1/timelines/public").json()
    assert entries
    assert all(parsedate_to_datetime(entry.published) <= now for entry in entries)
    for times in (
        [item["date_published"] for item in stars],
        [hit["created_at"] for hit in hits],
        [toot["created_at"] for toot in toots],
    ):
        assert times
        assert all(datetime.fromisoformat(time) <= now for time in times)
    assert len(hits) == sum(post.place == "hackernews" and post.published_at <= now for post in world.posts)
