"""What owners are told on: receivers on loopback that keep what they were told."""

import contextlib
import email
import email.policy
import json
import socketserver
import threading
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from email.message import EmailMessage
from typing import Any

import anyio
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from listeners.feed_server import serve


class Webhooks:
    """Web receivers by name: what each was sent, in order, and what it answers (a status, or "drip")."""

    def __init__(self) -> None:
        self.host = ""
        self.sent: dict[str, list[dict[str, Any]]] = defaultdict(list)
        self.answers: dict[str, list[int | str]] = defaultdict(list)  # in turn; the last one goes on

    def url(self, name: str, scheme: str = "json") -> str:
        """The Apprise URL of a receiver."""
        return f"{scheme}://{self.host}/{name}"

    def titles(self, name: str) -> list[str]:
        """The titles of the messages that a receiver took."""
        return [message["title"] for message in self.sent[name]]

    async def receive(self, request: Request) -> Response:
        name = request.path_params["path"].partition("/")[0]
        self.sent[name].append(json.loads(await request.body() or "{}") or {})
        answers = self.answers[name]
        answer = (answers.pop(0) if len(answers) > 1 else answers[0]) if answers else 200
        if answer == "drip":
            return StreamingResponse(_drops(), headers={"Content-Length": "1000000"})
        if name == "slack" and answer == 200:
            return PlainTextResponse("ok")  # nothing else will do
        return JSONResponse({"room_id": "!room:acme.example", "user_id": "@wom:acme.example"}, int(answer))


async def _drops() -> AsyncIterator[bytes]:
    while True:
        yield b" "
        await anyio.sleep(0.05)


@contextlib.contextmanager
def web_receivers() -> Iterator[Webhooks]:
    """Receive on loopback, whatever the path and the method."""
    received = Webhooks()
    app = Starlette(routes=[Route("/{path:path}", received.receive, methods=["GET", "POST", "PUT"])])
    with serve(app) as url:
        received.host = url.removeprefix("http://")
        yield received


class Letters(list[tuple[list[str], EmailMessage]]):
    """Letters that a mail server took, with their recipients; url: the server, for Apprise."""

    url = ""


@contextlib.contextmanager
def mail_server() -> Iterator[Letters]:
    """Receive mail on loopback."""
    letters = Letters()

    class Session(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.say("220 ready")
            recipients = []
            while line := self.rfile.readline().decode().strip():
                word = line.split()[0].upper()
                if word == "RCPT":
                    recipients.append(line.partition("<")[2].partition(">")[0])
                if word == "DATA":
                    self.say("354 go on")
                    lines = iter(self.rfile.readline, b".\r\n")
                    letters.append((recipients, email.message_from_bytes(b"".join(lines), policy=email.policy.default)))
                self.say("221 bye" if word == "QUIT" else "250 ok")
                if word == "QUIT":
                    return

        def say(self, line: str) -> None:
            self.wfile.write(f"{line}\r\n".encode())

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Session) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        letters.url = f"mailto://127.0.0.1:{server.server_address[1]}?from=wom@acme.example"
        yield letters
        server.shutdown()
