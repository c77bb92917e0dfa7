"""An S3 server on loopback that tells what it was asked, and can be told to refuse, to fail or to keep one waiting."""

import contextlib
import itertools
import logging
import subprocess
import sys
import threading
import xml.sax.saxutils
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import parse_qs

from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from moto.s3.models import s3_backends
from werkzeug.serving import make_server

REGION = "us-east-1"
KEY, SECRET = "AKIDOFTESTS", "a secret that nobody prints"  # any do, unless `fault` says otherwise


class Asked(NamedTuple):
    """One request: list, get, head, put, copy, delete, start, part or complete (of an upload in parts), of a key.

    key: the object's; of a list, how those begin that are listed. by: the access key.
    """

    what: str
    bucket: str
    key: str
    by: str


Fault = Callable[[Asked], tuple[int, str] | None]


class S3:
    """The server. `asked` are the requests it got; `fault` gives the status and code of those it does not grant."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.fault: Fault = lambda asked: None
        self._honest = DomainDispatcherApplication(create_backend_app)
        self._buckets = itertools.count()

    @contextlib.contextmanager
    def serving(self) -> Iterator[None]:
        """Serve on a free port, `url`."""
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        server = make_server("127.0.0.1", 0, self._answer, threaded=True)
        self.url = f"http://127.0.0.1:{server.port}"
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()
            server.server_close()

    @property
    def environment(self) -> dict[str, str]:
        """The variables that let a process in."""
        return {
            "AWS_ACCESS_KEY_ID": KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_REGION": REGION,
            "AWS_ENDPOINT_URL": self.url,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def bucket(self) -> str:
        """Make an empty bucket; return its name."""
        name = f"bucket-{next(self._buckets)}"
        self._backend.create_bucket(name, REGION)
        return name

    def keys(self, bucket: str) -> dict[str, bytes]:
        """Return the objects of a bucket."""
        return {name: key.value for name, key in self._backend.buckets[bucket].keys.items()}

    def date(self, bucket: str, at: datetime) -> None:
        """Let all objects of a bucket have been written at a time."""
        for key in self._backend.buckets[bucket].keys.values():
            key.last_modified = at

    @contextlib.contextmanager
    def holding(self, meant: Callable[[Asked], bool]) -> Iterator[threading.Event]:
        """Let a request that is meant wait until the block ends, and never grant it; the event tells that it came."""
        came, over, before = threading.Event(), threading.Event(), self.fault

        def hold(asked: Asked) -> tuple[int, str] | None:
            if not meant(asked):
                return before(asked)
            came.set()
            over.wait()
            return 500, "InternalError"

        self.fault = hold
        try:
            yield came
        finally:
            over.set()
            self.fault = before

    def killed_while(self, meant: Callable[[Asked], bool], *command: str) -> None:
        """Run a command of Python until it asks what is meant, which is not granted, and kill it then."""
        with self.holding(meant) as came, subprocess.Popen([sys.executable, *command]) as process:
            try:
                assert came.wait(60), f"{command} never asked"
            finally:
                process.kill()
            process.wait()

    @property
    def _backend(self) -> Any:
        return s3_backends[DEFAULT_ACCOUNT_ID]["aws"]

    def _answer(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        asked = _asked(environ)
        self.asked.append(asked)
        if (refusal := self.fault(asked)) is None:
            return self._honest(environ, start_response)
        status, code = refusal
        environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        body = f"<Error><Code>{code}</Code><Message>{xml.sax.saxutils.escape(f'no {asked.what}')}</Message></Error>"
        start_response(f"{status} {code}", [("Content-Type", "application/xml")])
        return [b"" if environ["REQUEST_METHOD"] == "HEAD" else body.encode()]


def _asked(environ: dict[str, Any]) -> Asked:
    bucket, _, key = environ["PATH_INFO"].lstrip("/").partition("/")
    query = parse_qs(environ["QUERY_STRING"], keep_blank_values=True)
    what = environ["REQUEST_METHOD"].lower()
    if "list-type" in query:
        what, key = "list", query.get("prefix", [""])[0]
    elif "uploads" in query:
        what = "start"
    elif "uploadId" in query:
        what = {"put": "part", "post": "complete"}.get(what, "abort")
    elif "HTTP_X_AMZ_COPY_SOURCE" in environ:
        what = "copy"
    by = environ.get("HTTP_AUTHORIZATION", "").partition("Credential=")[2].partition("/")[0]
    return Asked(what, bucket, key, by)
