"""An S3 server for tests of a lake in an object store."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from s3_server import S3


@pytest.fixture(scope="session")
def s3_server() -> "Iterator[S3]":
    """An S3 server, for all tests of a process."""
    from s3_server import S3  # takes a second: not for tests that need none

    server = S3()
    with server.serving():
        yield server


@pytest.fixture
def s3(s3_server: "S3", monkeypatch: pytest.MonkeyPatch) -> "Iterator[S3]":
    """The S3 server, which grants everything, and this process its customer."""
    for name, value in s3_server.environment.items():
        monkeypatch.setenv(name, value)
    s3_server.asked.clear()
    yield s3_server
    s3_server.fault = lambda asked: None
