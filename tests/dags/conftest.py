"""Settings and servers on loopback for the stages."""

from collections.abc import Callable
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from dags.settings import Settings, load_settings
from listeners.feed_server import serve


@pytest.fixture
def feeds():
    """A server whose answers a test sets by path: `feeds.answers["/a.xml"] = (200, "application/rss+xml", body)`."""

    class Feeds:
        answers: dict[str, tuple[int, str, bytes]] = {}  # noqa: RUF012  (one server a test)
        headers: dict[str, dict[str, str]] = {}  # noqa: RUF012
        url = ""

    async def answer(request: Request) -> Response:
        path = request.url.path
        status, content_type, body = Feeds.answers.get(path, (404, "text/plain", b"nothing here"))
        return Response(body, status, Feeds.headers.get(path), media_type=content_type)

    Feeds.answers, Feeds.headers = {}, {}
    with serve(Starlette(routes=[Route("/{path:path}", answer)])) as url:
        Feeds.url = url
        yield Feeds


@pytest.fixture
def inbox():
    """A JSON webhook: `inbox.messages` are what it was told, `inbox.status` what it answers."""

    class Inbox:
        messages: list[dict[str, str]] = []  # noqa: RUF012  (one server a test)
        status = 200
        url = ""

    async def receive(request: Request) -> Response:
        Inbox.messages.append(await request.json())
        return JSONResponse({}, Inbox.status)

    Inbox.messages = []
    with serve(Starlette(routes=[Route("/{path:path}", receive, methods=["POST"])])) as url:
        Inbox.url = url.replace("http://", "json://") + "/alerts"
        yield Inbox


@pytest.fixture
def settings_of(tmp_path: Path) -> Callable[..., Settings]:
    """Write a listening.toml and return its settings, with a lake of this test's own."""

    def make(toml: str, **variables: str) -> Settings:
        file = tmp_path / "listening.toml"
        file.write_text(toml, encoding="utf-8")
        return load_settings({"WOM_CONFIG": str(file), "WOM_LAKE": str(tmp_path / "lake"), **variables})

    return make
