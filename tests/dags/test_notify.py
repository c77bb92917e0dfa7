"""Delivering: on real sockets, in plain text, with patience that ends, without showing a secret."""

import io
import logging
import subprocess
import sys
import time
from pathlib import Path

import pytest
from receivers import mail_server, web_receivers

from dags.messages import Message
from dags.notify import NoChannel, Patience, Undeliverable, apprise_url, deliver, tell
from dags.settings import AlertSettings, AlertTarget

WORDS = Message("Acme: negative word of mouth is spiking", "What people say:\n- “charged twice”", {"alert_id": "a1"})
HASTE = Patience(attempt=60, run=60, pauses=(0.01, 0.02))


@pytest.fixture
def web():
    with web_receivers() as received:
        yield received


def targets(**urls):
    return AlertSettings(target=tuple(AlertTarget(name=name, url=url) for name, url in urls.items()))


def delivered(channels, alerts, *, patience=HASTE, environment=None, **more):
    until = time.monotonic() + patience.run
    return deliver(channels, lambda _: WORDS, alerts, environment or {}, until=until, patience=patience, **more)


def test_an_owner_who_is_a_mail_address_gets_a_letter_through_the_mail_server():
    with mail_server() as letters:
        tell(apprise_url("care@acme.example", AlertSettings(mail_env="MAIL"), {"MAIL": letters.url}), WORDS)
    [(recipients, letter)] = letters
    assert recipients == ["care@acme.example"]
    assert letter["Subject"] == WORDS.title
    body = letter.get_body(("plain",))
    assert body is not None
    assert body.get_content().splitlines() == WORDS.text.splitlines()


def test_a_program_gets_the_payload_beside_the_words(web):
    tell(web.url("care"), WORDS)
    [message] = web.sent["care"]
    assert (message["title"], message["message"]) == (WORDS.title, WORDS.text)
    assert message["alert"] == {"alert_id": "a1"}


def test_slack_gets_plain_text(web, monkeypatch):
    from apprise.plugins.slack import NotifySlack

    monkeypatch.setattr(NotifySlack, "webhook_url", f"http://{web.host}/slack")  # it has but one public address
    tell("slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#care", WORDS, "failure")
    [message] = web.sent["slack"]
    [attachment] = message["attachments"]
    assert message["mrkdwn"] is False
    assert (attachment["title"], attachment["text"]) == (WORDS.title, WORDS.text)


def test_matrix_gets_plain_text(web):
    tell(f"matrix://syt_token@{web.host}/!room:acme.example", WORDS)
    message = web.sent["_matrix"][-1]
    assert message["msgtype"] == "m.text"
    assert WORDS.text in message["body"]
    assert "formatted_body" not in message


LONG = Message("3 alerts", "\n".join(f"line {number} of a digest" for number in range(400)), {"events": list("abc")})


def test_a_message_longer_than_a_chat_takes_goes_as_several(web, monkeypatch):
    from apprise.plugins.discord import NotifyDiscord

    monkeypatch.setattr(NotifyDiscord, "notify_url", f"http://{web.host}/discord")
    tell("discord://4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js", LONG)
    said = [message["content"] for message in web.sent["discord"]]
    assert max(map(len, said)) <= 2000
    assert "line 0 of" in said[0]
    assert "line 399 of" in said[-1]
    tell("discord://4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js?overflow=truncate", LONG)
    assert len(web.sent["discord"]) == len(said) + 1, "as the address asks for"


def test_of_a_message_much_longer_than_a_channel_takes_the_beginning_is_told(web, monkeypatch):
    from apprise.plugins.clicksend import NotifyClickSend

    monkeypatch.setattr(NotifyClickSend, "notify_url", f"http://{web.host}/sms")
    tell("clicksend://user:key@15551233456", LONG)
    [sent] = web.sent["sms"]
    [message] = sent["messages"]
    assert message["body"].startswith("3 alerts")
    assert len(message["body"]) <= 160


def test_a_program_gets_a_long_message_whole(web):
    tell(web.url("care"), LONG)
    [message] = web.sent["care"]
    assert message["message"] == LONG.text
    assert message["alert"] == {"events": ["a", "b", "c"]}


def test_a_target_may_carry_any_name_a_mail_address_too(web):
    alerts = targets(**{"care@acme.example": web.url("care")})
    assert delivered(["care@acme.example"], alerts).channel == "care@acme.example"
    assert web.titles("care") == [WORDS.title]


def test_a_failure_is_tried_again_after_pauses_that_grow(web):
    web.answers["care"] = [500, 503, 200]
    pauses: list[float] = []
    assert delivered(["care"], targets(care=web.url("care")), sleep=pauses.append).failures == ()
    assert len(web.sent["care"]) == 3
    assert [0.5 * most <= pause <= 1.5 * most for pause, most in zip(pauses, HASTE.pauses, strict=True)] == [True, True]


def test_a_channel_that_stays_dead_is_left_for_the_next_which_says_so(web):
    web.answers["chat"] = [500]
    alerts = targets(chat=web.url("chat"), phone=web.url("phone"))
    said: list[str] = []

    def words(failures):
        said.extend(failure.channel for failure in failures)
        return WORDS

    done = deliver(["chat", "phone"], words, alerts, {}, until=time.monotonic() + 60, patience=HASTE)
    assert (done.channel, [(failure.channel, failure.is_tried) for failure in done.failures]) == (
        "phone", [("chat", True)])  # fmt: skip
    assert (len(web.sent["chat"]), len(web.sent["phone"]), said) == (3, 1, ["chat"])


def test_a_server_that_drips_its_answer_is_left_behind_and_not_told_twice(web):
    web.answers["chat"] = ["drip"]
    alerts = targets(chat=web.url("chat"), phone=web.url("phone"))
    done = delivered(["chat", "phone"], alerts, patience=Patience(attempt=2, pauses=(0.01,)))
    assert done.channel == "phone"
    assert "no answer within" in done.failures[0].reason
    assert len(web.sent["chat"]) == 1


def test_when_time_is_over_nothing_more_is_tried(web):
    done = deliver(["care"], lambda _: WORDS, targets(care=web.url("care")), {}, until=time.monotonic() - 1)
    assert (done.channel, done.failures) == (None, ())
    assert web.sent["care"] == []


@pytest.mark.slow
def test_a_server_that_drips_does_not_keep_the_process_from_ending(web):
    web.answers["chat"] = ["drip"]
    program = (
        "import time; from dags.messages import Message; from dags.notify import Patience, deliver\n"
        "from dags.settings import AlertSettings, AlertTarget\n"
        f"alerts = AlertSettings(target=(AlertTarget(name='chat', url='{web.url('chat')}'),))\n"
        "print(deliver(['chat'], lambda _: Message('t', 'b', {}), alerts, {}, until=time.monotonic() + 9,"
        " patience=Patience(attempt=0.5)).channel)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program], cwd=Path(__file__).parents[2], timeout=60, capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    assert ended.stdout.strip() == "None"


@pytest.mark.parametrize(
    ("channel", "alerts", "reason"),
    [
        ("care@acme.example", AlertSettings(), "no mail server to write to care@acme.example"),
        ("care@acme.example", AlertSettings(mail_env="MAIL"), "the environment variable MAIL, which holds the address"),
        (
            "chatt",
            targets(chat="json://127.0.0.1"),
            "'chatt' is neither a mail address nor an [[alerts.target]]; known",
        ),
        ("care", targets(care="carrierpigeon://hunter2@loft"), "cannot use this address, carrierpigeon://..."),
    ],
)
def test_a_channel_without_an_address_is_told_and_not_tried(channel, alerts, reason):
    [failure] = delivered([channel], alerts).failures
    assert reason in failure.reason
    assert not failure.is_tried
    assert "hunter2" not in failure.reason


@pytest.mark.parametrize(
    "url",
    [
        "mailto://wom:hunter2@127.0.0.1:1?from=wom@acme.example&to=care%40acme.example",
        "json://wom:hunter2@127.0.0.1:1/hunter2?token=hunter2",
        "matrix://hunter2@127.0.0.1:1/!hunter2:acme.example",
        "mmost://127.0.0.1:1/hunter2hunter2hunter2hunter",
        "ntfy://127.0.0.1:1/hunter2",
    ],
)
def test_no_failure_and_no_log_shows_a_secret(url, capfd):
    log = io.StringIO()
    everything = logging.StreamHandler(log)
    root = logging.getLogger()
    level = root.level
    root.addHandler(everything)
    root.setLevel(1)
    try:
        with pytest.raises(Undeliverable) as error:
            tell(url, WORDS)
    finally:
        root.removeHandler(everything)
        root.setLevel(level)
    assert not isinstance(error.value, NoChannel)
    assert "127.0.0.1" in str(error.value), "it says which server"
    assert "hunter2" not in str(error.value) + log.getvalue() + "".join(capfd.readouterr())
