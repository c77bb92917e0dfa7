"""Starting, stopping, breaking on demand, and the configuration that listens to it."""

import re
import subprocess
import sys
import time
import tomllib
from datetime import datetime
from pathlib import Path

import httpx
import pytest

from listeners.feed import FeedOptions
from listeners.feed_server import World, build_app, demo_config, serve
from listeners.feed_server.faults import (
    Fault,
    html_instead,
    redirect,
    slow,
    status,
    truncated,
    with_faults,
    wrong_content_type,
)

NEWS = "/rss/courier.xml"
PATHS = {  # what each source asks below its feed's url
    "discourse": "/posts.json",
    "hackernews": "/search_by_date",
    "lemmy": "/api/v3/post/list",
    "mastodon": "/api/v2/instance",
    "stackexchange": "/search/advanced?site=telecom",
}


@pytest.fixture(scope="module")
def app(world: World):
    return build_app(world, lambda: world.until)


def test_two_servers_run_side_by_side_and_stop_at_once(app):
    with serve(app) as one, serve(app) as other:
        assert one != other
        with httpx.Client() as client:  # keeps its connections alive
            assert client.get(one + NEWS).content == client.get(other + NEWS).content
            begun = time.monotonic()
    assert time.monotonic() - begun < 3
    with pytest.raises(httpx.ConnectError):
        httpx.get(one + NEWS)


def test_a_request_in_flight_does_not_hold_up_the_end(app):
    begun = time.monotonic()
    with serve(with_faults(app, [Fault("/", slow(60))])) as server, pytest.raises(httpx.ReadTimeout):
        httpx.get(server + NEWS, timeout=0.2)
    assert time.monotonic() - begun < 5


def test_an_unknown_path_is_404(app):
    with serve(app) as server:
        assert httpx.get(server + "/nothing").status_code == 404


class TestFaults:
    def test_only_the_planned_requests_below_the_prefix_go_wrong(self, app):
        late = "Fri, 20 Nov 2026 18:00:00 GMT"
        plan = [Fault("/rss", status(429, {"Retry-After": late}), nth={2}), Fault("/hn", status(503))]
        with serve(with_faults(app, plan)) as server:
            answers = [httpx.get(server + NEWS) for _ in range(3)]
            assert [answer.status_code for answer in answers] == [200, 429, 200]
            assert answers[1].headers["retry-after"] == late
            assert {httpx.get(server + "/hn/api/v1/search").status_code for _ in range(3)} == {503}
            assert httpx.get(server + "/atom/blog.xml").status_code == 200

    def test_a_truncated_body_breaks_off(self, app):
        with serve(with_faults(app, [Fault("/rss", truncated(), nth={1})])) as server:
            with pytest.raises(httpx.RemoteProtocolError):
                httpx.get(server + NEWS)
            assert httpx.get(server + NEWS).status_code == 200

    def test_html_comes_where_data_is_due(self, app):
        with serve(with_faults(app, [Fault("/mastodon", html_instead())])) as server:
            answer = httpx.get(server + "/mastodon/api/v1/timelines/public")
            assert answer.status_code == 200
            assert answer.headers["content-type"].startswith("text/html")
            assert answer.text.startswith("<!DOCTYPE html>")

    def test_the_content_type_lies_and_the_body_does_not(self, app):
        with serve(app) as good, serve(with_faults(app, [Fault("/rss", wrong_content_type("image/png"))])) as bad:
            answer = httpx.get(bad + NEWS)
            assert answer.headers.get_list("content-type") == ["image/png"]
            assert answer.content == httpx.get(good + NEWS).content

    def test_redirects_lead_where_they_are_told(self, app):
        with serve(with_faults(app, [Fault("/rss", redirect("/atom/blog.xml", 301))])) as server:
            answer = httpx.get(server + NEWS)
            assert (answer.status_code, answer.headers["location"]) == (301, "/atom/blog.xml")

    def test_slow_answers_are_right_in_the_end(self, app):
        with serve(with_faults(app, [Fault("/rss", slow(0.3))])) as server:
            begun = time.monotonic()
            assert httpx.get(server + NEWS).status_code == 200
            assert time.monotonic() - begun >= 0.3


class TestProcess:
    def test_it_prints_its_address_first_and_stops_on_sigterm(self):
        command = [sys.executable, "-m", "listeners.feed_server", "--until", "2026-11-20T18:30:00Z", "--seed", "7"]
        root = Path(__file__).parents[3]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=root) as process:
            try:
                assert process.stdout
                url = process.stdout.readline().strip()
                assert re.fullmatch(r"http://127\.0\.0\.1:\d+", url)
                hits = httpx.get(f"{url}/hn/api/v1/search_by_date", timeout=10).json()["hits"]
                assert datetime.fromisoformat(hits[0]["created_at"]).date().isoformat() == "2026-11-20"
            finally:
                process.terminate()
            assert process.wait(timeout=5) in (0, -15)

    def test_it_needs_neither_spacy_nor_airflow(self):
        code = "import sys, listeners.feed_server; print(sorted({'spacy', 'airflow', 'duckdb'} & set(sys.modules)))"
        root = Path(__file__).parents[3]
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=root, check=True)
        assert done.stdout.strip() == "[]"


def test_the_configuration_names_the_server_and_its_brands(client: httpx.Client):
    server = str(client.base_url)
    text = demo_config(server)
    assert "{server}" not in text
    config = tomllib.loads(text)
    assert [brand["name"] for brand in config["brand"]] == ["Telvane", "Northlink", "Bluefin", "Larkspur"]
    own = set(FeedOptions.model_fields)
    for feed in config["feed"]:
        FeedOptions.model_validate({key: value for key, value in feed.items() if key in own})
        assert httpx.get(feed["url"] + PATHS.get(feed["source"], "")).status_code == 200, feed
    assert config["collect"]["allow_hosts"] == ["127.0.0.1"]
