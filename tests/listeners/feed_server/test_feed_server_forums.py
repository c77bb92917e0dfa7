"""The forum, the question site and the Lemmy instance answer in the form of the real ones."""

import gzip
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from listeners.feed_server import World, build_app, serve
from listeners.feed_server.posts import WorldPost

SetClock = Callable[[datetime], None]


@pytest.fixture
def client(world: World) -> Iterator[httpx.Client]:
    """A client of a server of its own, whose limits no other test has used up."""
    app = build_app(world, lambda: world.until, now=lambda: world.until)
    with serve(app) as server, httpx.Client(base_url=server) as own:
        yield own


def shown(world: World, place: str) -> list[WorldPost]:
    return [post for post in world.posts if post.place == place and post.visibility != "private"]


class TestDiscourse:
    def walk(self, client: httpx.Client) -> list[dict]:
        posts, before = [], {}
        while page := client.get("/discourse/posts.json", params=before).json()["latest_posts"]:
            posts += page
            before = {"before": page[-1]["id"] - 1}
        return posts

    def test_walking_back_reaches_each_post_once_newest_first(self, client: httpx.Client, world: World):
        ids = [post["id"] for post in self.walk(client)]
        assert len(ids) == len(shown(world, "discourse")) > 50
        assert ids == sorted(set(ids), reverse=True)
        assert len(client.get("/discourse/posts.json").json()["latest_posts"]) == 50

    def test_topics_hold_together(self, client: httpx.Client):
        by_place = {(post["topic_id"], post["post_number"]): post for post in self.walk(client)}
        assert any(post["post_number"] > 1 for post in by_place.values())
        for post in by_place.values():
            assert post["topic_title"]
            assert post["cooked"].startswith("<p>")
            answered = post["reply_to_post_number"]
            assert answered is None or answered < post["post_number"]

    def test_what_is_hidden_shows_no_words(self, client: httpx.Client, world: World):
        hidden = [post for post in self.walk(client) if post["hidden"]]
        assert len(hidden) == sum(post.visibility == "unlisted" for post in shown(world, "discourse")) > 0
        assert all("flagged by the community" in post["cooked"] for post in hidden)

    def test_a_search_shows_one_post_a_topic_within_its_days(self, client: httpx.Client, world: World):
        day = (world.until - timedelta(days=9)).strftime("%Y-%m-%d")
        found = client.get("/discourse/search.json", params={"q": f"telvane after:{day} order:latest"}).json()
        topics = [post["topic_id"] for post in found["posts"]]
        assert len(topics) == len(set(topics)) > 1
        assert all(post["created_at"] > day and "cooked" not in post for post in found["posts"])
        assert {topic["id"] for topic in found["topics"]} == set(topics)
        assert client.get("/discourse/search.json", params={"q": "telvane", "page": 11}).status_code == 400

    def test_a_topic_shows_the_posts_around_a_place(self, client: httpx.Client):
        post = next(post for post in self.walk(client) if post["post_number"] > 1)
        topic = client.get(f"/discourse/t/{post['topic_id']}/{post['post_number']}.json").json()
        assert post["id"] in [one["id"] for one in topic["post_stream"]["posts"]]
        assert topic["title"] == post["topic_title"]
        assert client.get("/discourse/t/1/1.json").status_code == 404

    def test_too_many_requests_are_told_how_long_to_wait(self, client: httpx.Client):
        answers = [client.get("/discourse/posts.json", params={"before": 1}) for _ in range(51)]
        assert [answer.status_code for answer in answers] == [200] * 50 + [429]
        wait = answers[-1].json()["extras"]["wait_seconds"]
        assert answers[-1].headers["retry-after"] == str(wait)
        assert 1 <= wait <= 10


class TestStackExchange:
    URL = "/stackexchange/2.3/search/advanced"

    def search(self, client: httpx.Client, **params) -> dict:
        return client.get(self.URL, params={"site": "telecom", "pagesize": 100, "filter": "withbody"} | params).json()

    def test_questions_have_the_fields_of_the_real_ones(self, client: httpx.Client, world: World):
        found = self.search(client)["items"]
        assert len(found) == sum(post.place == "stackexchange" for post in world.posts) > 20
        for question in found:
            assert question["last_activity_date"] >= question["creation_date"]
            assert question["owner"]["user_id"]
            assert question["body"].startswith("<p>")
            assert len(question["title"]) > 14
        assert "body" not in self.search(client, filter="default")["items"][0]

    def test_answers_are_gzip_whatever_was_asked_for(self, client: httpx.Client):
        with client.stream("GET", self.URL, params={"site": "telecom"}, headers={"Accept-Encoding": ""}) as answer:
            assert "items" in json.loads(gzip.decompress(b"".join(answer.iter_raw())))

    def test_pages_and_slices_join_up(self, client: httpx.Client):
        everything = [question["question_id"] for question in self.search(client)["items"]]
        pages = [self.search(client, pagesize=7, page=page) for page in range(1, 9)]
        assert [question["question_id"] for page in pages for question in page["items"]] == everything
        middle = self.search(client)["items"][9]["last_activity_date"]
        halves = self.search(client, min=middle)["items"] + self.search(client, max=middle - 1)["items"]
        assert [question["question_id"] for question in halves] == everything
        oldest = self.search(client, sort="creation", order="asc")["items"]
        assert [question["creation_date"] for question in oldest] == sorted(
            question["creation_date"] for question in oldest
        )

    def test_a_query_finds_words(self, client: httpx.Client):
        found = self.search(client, q="telvane")["items"]
        assert 1 < len(found) < 30
        assert all("telvane" in f"{question['title']} {question['body']}".lower() for question in found)

    def test_the_quota_of_a_day_is_told_and_ends(self, client: httpx.Client):
        assert self.search(client)["quota_remaining"] == 299
        assert [self.search(client, pagesize=1)["quota_remaining"] for _ in range(299)][-1] == 0
        refused = client.get(self.URL, params={"site": "telecom"})
        assert refused.status_code == 400
        assert refused.json()["error_name"] == "throttle_violation"
        assert self.search(client, key="x")["quota_remaining"] == 9_999

    @pytest.mark.parametrize("wrong", [{"site": "x"}, {"page": "0"}, {"pagesize": 101}, {"min": "now"}, {"page": 26}])
    def test_a_bad_query_is_answered_with_400(self, client: httpx.Client, wrong: dict):
        answer = client.get(self.URL, params={"site": "telecom"} | wrong)
        assert answer.status_code == 400
        assert answer.json()["error_id"] in (400, 403)


class TestLemmy:
    def get(self, client: httpx.Client, kind: str, **params) -> dict:
        return client.get(f"/lemmy/api/v3/{kind}/list", params={"sort": "New", "limit": 10} | params).json()

    def walk(self, client: httpx.Client) -> tuple[list[dict], list[dict]]:
        posts, comments, page = [], [], self.get(client, "post")
        while page["posts"]:
            posts += page["posts"]
            page = self.get(client, "post", page_cursor=page["next_page"])
        assert page["next_page"] is None
        for number in range(1, 100):
            found = self.get(client, "comment", page=number)["comments"]
            if not found:
                break
            comments += found
        return posts, comments

    def test_cursors_and_pages_reach_each_post_and_comment_once(self, client: httpx.Client, world: World):
        posts, comments = self.walk(client)
        ap_ids = [view["post"]["ap_id"] for view in posts] + [view["comment"]["ap_id"] for view in comments]
        assert len(ap_ids) == len(set(ap_ids)) == len(shown(world, "lemmy")) > 40
        published = [view["comment"]["published"] for view in comments]
        assert published == sorted(published, reverse=True)

    def test_a_featured_post_stands_on_top_however_old(self, client: httpx.Client):
        posts, _ = self.walk(client)
        assert posts[0]["post"]["featured_local"]
        assert posts[0]["post"]["published"] == min(view["post"]["published"] for view in posts)
        published = [view["post"]["published"] for view in posts[1:]]
        assert published == sorted(published, reverse=True)

    def test_comments_lead_up_to_their_post(self, client: httpx.Client):
        posts, comments = self.walk(client)
        ids = {view["comment"]["id"] for view in comments}
        for view in comments:
            path = [int(step) for step in view["comment"]["path"].split(".")]
            assert path[0] == 0
            assert path[-1] == view["comment"]["id"]
            assert set(path[1:]) <= ids
            assert view["post"]["id"] == view["comment"]["post_id"]
        assert sum(view["counts"]["comments"] for view in posts) == len(comments)

    def test_communities_part_the_posts(self, client: httpx.Client):
        parts = [
            self.get(client, "post", limit=50, community_name=name)["posts"] for name in ("broadband", "consumers")
        ]
        assert all(parts)
        assert sum(map(len, parts)) == len(self.get(client, "post", limit=50)["posts"])
        assert self.get(client, "post", community_name="cats") == {"error": "couldnt_find_community"}

    @pytest.mark.parametrize("wrong", [{"limit": 51}, {"page": 0}, {"page_cursor": "P0"}])
    def test_a_bad_query_is_answered_with_400(self, client: httpx.Client, wrong: dict):
        answer = client.get("/lemmy/api/v3/post/list", params=wrong)
        assert (answer.status_code, answer.json()) == (400, {"error": "couldnt_get_posts"})


def test_before_the_world_begins_there_is_nothing(running, set_clock: SetClock):
    client, _ = running
    set_clock(datetime(2020, 1, 1, tzinfo=UTC))
    assert client.get("/discourse/posts.json").json() == {"latest_posts": []}
    assert client.get("/stackexchange/2.3/search/advanced", params={"site": "telecom"}).json()["items"] == []
    assert client.get("/lemmy/api/v3/post/list").json() == {"posts": [], "next_page": None}
    assert client.get("/lemmy/api/v3/comment/list").json() == {"comments": []}
