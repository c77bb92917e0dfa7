"""Telling an owner: on real sockets, in plain text, without showing a secret."""

import email
import email.policy
import socketserver
import threading

import pytest

from dags.notify import NoChannel, Undeliverable, channel_of, owner_of, tell
from dags.settings import AlertSettings, AlertTarget, BrandSettings

BRAND = BrandSettings(name="Acme", owners={"default": "care@acme.example", "billing": "finance@acme.example"})


@pytest.fixture
def mail_server():
    """A mail server on loopback: `mail_server.url` for Apprise, `mail_server.letters` are what it took."""

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
                    letter = email.message_from_bytes(b"".join(lines), policy=email.policy.default)
                    letters.append((recipients, letter))
                self.say("221 bye" if word == "QUIT" else "250 ok")
                if word == "QUIT":
                    return

        def say(self, line: str) -> None:
            self.wfile.write(f"{line}\r\n".encode())

    letters: list = []
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Session) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        server.letters = letters  # type: ignore[attr-defined]
        server.url = f"mailto://127.0.0.1:{server.server_address[1]}?from=wom@acme.example"  # type: ignore[attr-defined]
        yield server
        server.shutdown()


def test_an_aspect_has_its_owner_and_the_rest_the_default_one():
    assert owner_of(BRAND, "billing") == "finance@acme.example"
    assert owner_of(BRAND, "delivery") == "care@acme.example"
    assert owner_of(BRAND, None) == "care@acme.example"
    assert owner_of(BrandSettings(name="Acme"), None) is None


def test_an_owner_who_is_a_mail_address_gets_a_letter_through_the_mail_server(mail_server):
    channel = channel_of("care@acme.example", AlertSettings(mail_env="MAIL"), {"MAIL": mail_server.url})
    tell(channel, "Acme: negative word of mouth is spiking", "What people say:\n- “<b>charged</b> *twice* @here”")
    [(recipients, letter)] = mail_server.letters
    assert recipients == ["care@acme.example"]
    assert letter["Subject"] == "Acme: negative word of mouth is spiking"
    body = letter.get_body(("plain",)).get_content()
    assert "“<b>charged</b> *twice* @here”" in body, "a quote is data: it stays as it was written"


def test_a_target_may_carry_any_name_a_mail_address_too(inbox):
    alerts = AlertSettings(target=(AlertTarget(name="care@acme.example", url=inbox.url),))
    tell(channel_of("care@acme.example", alerts, {}), "title", "body")
    assert [message["title"] for message in inbox.messages] == ["title"]


def test_a_mail_server_that_is_not_there_is_told_without_its_password():
    channel = channel_of(
        "care@acme.example",
        AlertSettings(mail_env="MAIL"),
        {"MAIL": "mailto://wom:hunter2@127.0.0.1:1?from=wom@acme.example"},
    )
    with pytest.raises(Undeliverable) as error:
        tell(channel, "title", "body")
    assert "127.0.0.1" in str(error.value)
    assert "hunter2" not in str(error.value)


def test_an_address_of_no_kind_that_is_known_names_only_its_kind():
    with pytest.raises(NoChannel, match=r"cannot use this address, carrierpigeon://\.\.\.") as error:
        tell("carrierpigeon://hunter2@loft", "title", "body")
    assert "hunter2" not in str(error.value)
