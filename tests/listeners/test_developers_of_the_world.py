"""The listeners of developers' sites on the built-in world: what may be kept stands, whatever visits break off."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from listening import listen, posts
from starlette.applications import Starlette

from listeners.feed_server import World, build_app, devto, github, lobsters, make_world, serve
from listeners.feed_server.config import feeds
from listeners.registry import load

UNTIL = datetime(2026, 11, 20, 12, tzinfo=UTC)
SERVED = {"devto": devto, "github": github, "lobsters": lobsters}


@pytest.fixture(scope="module")
def world() -> World:
    return make_world(seed=7, until=UNTIL, posts=600)


@pytest.mark.parametrize("source", SERVED)
async def test_what_may_be_kept_stands_once_wherever_visits_break_off(world, source):
    standing: dict[str, Mapping[str, Any]] = {}
    now = UNTIL - timedelta(days=6)
    with serve(build_app(world, lambda: now, now=lambda: now)) as server:
        [table] = feeds(server, source)
        listener, cursor = load(source), None
        feed = listener.Options(**table)
        for number in range(10):
            pages = await listen(listener, feed, cursor=cursor, started_at=now)
            for page in pages[: None if number in (0, 9) else 3 + number]:  # killed after so many stored pages
                assert not page.rejected
                standing |= {post["post_id"]: post for post in posts([page])}
                cursor = page.cursor
            now = min(UNTIL, now + timedelta(hours=17))
        kept = SERVED[source].kept(world, UNTIL, server)
    assert {name for name, post in standing.items() if not post["deleted"]} == kept
    assert len(kept) >= 7


def test_the_sites_answer_as_the_real_ones(world):
    with serve(build_app(world, lambda: UNTIL, now=lambda: UNTIL)) as server, httpx.Client(base_url=server) as client:
        refused = client.get("/github/search/issues", params={"q": "acme"})
        assert (refused.status_code, refused.json()["message"][:10]) == (422, "Query must")
        found = [client.get("/github/search/issues", params={"q": "is:issue", "per_page": 100}) for _ in range(10)]
        assert [answer.status_code for answer in found] == [200] * 9 + [403]
        assert found[-1].headers["x-ratelimit-remaining"] == "0"
        assert found[0].json()["items"][0]["user"]["type"] in ("User", "Bot")
        assert "Disallow: /lobsters/" in client.get("/robots.txt").text
        assert len(client.get("/lobsters/newest/page/1.json").json()) == 25
        assert client.get("/lobsters/s/none.json").status_code == client.get("/devto/api/articles/1").status_code == 404
        assert client.get("/lobsters/t/nothing.json").status_code == 404
        assert client.get("/devto/api/comments/none").status_code == 404
        tagged = client.get("/lobsters/t/law.json", params={"page": 1}).json()
        assert {"law"} <= set(tagged[0]["tags"])
        assert len(client.get("/devto/api/articles/latest").json()) == 30
        assert client.get("/devto/api/articles/latest", params={"page": 1001}).status_code == 401


@pytest.mark.parametrize(
    ("module", "path"), [(devto, "/devto/api/articles/latest"), (lobsters, "/lobsters/newest.json")]
)
def test_limits_are_kept_where_they_are_asked_for(world, module, path):
    app = Starlette(routes=module.routes(world, lambda: UNTIL, now=lambda: UNTIL, limits=module.LIMITS))
    with serve(app) as server, httpx.Client(base_url=server) as client:
        answers = [client.get(path) for _ in range(6)]
    assert answers[0].status_code == 200
    assert (answers[-1].status_code, int(answers[-1].headers["retry-after"]) > 0) == (429, True)
