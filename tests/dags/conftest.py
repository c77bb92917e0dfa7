"""Settings and servers on loopback for the stages."""

import functools
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from stormy_lake import A_BRAND, published
from written_by_tests import settings_in

from dags.settings import Settings
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

    return functools.partial(settings_in, tmp_path)


@pytest.fixture(scope="session")
def stormy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a published lake in which it storms."""
    folder = tmp_path_factory.mktemp("stormy")
    published(settings_in(folder, A_BRAND), storm=True)
    return folder


@pytest.fixture
def storm_of(tmp_path: Path, stormy: Path) -> Callable[..., Settings]:
    """Return settings of a copy of that folder, given lines to add to its listening.toml."""

    def make(more: str = "", brand: str = A_BRAND) -> Settings:
        shutil.copytree(stormy, tmp_path, dirs_exist_ok=True)
        return settings_in(tmp_path, brand + more)

    return make
