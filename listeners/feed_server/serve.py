"""Runs an ASGI application on a loopback port, in a thread or as a process of its own."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp

START_WITHIN = 10  # seconds


@contextmanager
def serve(app: ASGIApp, port: int = 0) -> Iterator[str]:
    """Yield the base URL, "http://127.0.0.1:PORT", of a server that runs in a thread until the block ends.

    port 0 takes a free one. Raises OSError if the port is taken, RuntimeError if the server does not start.
    """
    with _listening(port) as bound:
        server = _server(app)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]}, daemon=True, name="feed-server")
        thread.start()
        try:
            _wait_until_started(server, thread)
            yield _url(bound)
        finally:
            server.should_exit = True
            thread.join(timeout=5)


def serve_forever(app: ASGIApp, port: int, announce: Callable[[str], None]) -> None:
    """Tell `announce` the base URL, then serve until SIGTERM or SIGINT; must be called in the main thread."""
    with _listening(port) as bound:
        announce(_url(bound))  # the socket listens already, so a request sent now is answered
        _server(app).run(sockets=[bound])


@contextmanager
def _listening(port: int) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as bound:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(("127.0.0.1", port))
        bound.listen(512)
        yield bound


def _server(app: ASGIApp) -> uvicorn.Server:
    return uvicorn.Server(
        uvicorn.Config(
            app,
            log_config=None,
            log_level="critical",
            access_log=False,
            lifespan="off",
            timeout_graceful_shutdown=1,  # seconds; a slow answer must not hold up the end of a test
        )
    )


def _wait_until_started(server: uvicorn.Server, thread: threading.Thread) -> None:
    until = time.monotonic() + START_WITHIN
    while not server.started:
        if not thread.is_alive() or time.monotonic() > until:
            raise RuntimeError("the feed server did not start")
        time.sleep(0.005)


def _url(bound: socket.socket) -> str:
    return f"http://127.0.0.1:{bound.getsockname()[1]}"
