"""Delivering a message on a channel, through Apprise: a mail address, or whatever an [[alerts.target]] names.

A channel has a name, which may be shown and stored, and an address, an Apprise URL, which holds secrets: it goes no
further than this module. What Apprise says of a failure is cleared of whatever stands in the address but its host.
"""

import logging
import queue
import random
import re
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import quote, unquote

from dags.messages import Message
from dags.settings import AlertSettings

ROOM_AT_LEAST = 1000  # characters; a channel that takes fewer, as SMS does, gets the beginning, not a dozen messages
Colour = Literal["info", "success", "warning", "failure"]  # what Apprise calls a message's type


class Undeliverable(Exception):
    """Nothing was delivered; the message says why, without secrets. The next run tries again."""


class NoChannel(Undeliverable):
    """listening.toml or the environment gives no address for a channel: a person must mend it."""


class NoAnswer(Undeliverable):
    """The channel took too long. It may have the message all the same."""


class OutOfTime(Exception):
    """The run's time was over before a channel was tried."""


@dataclass(frozen=True)
class Patience:
    """How long deliveries may take, in seconds: one attempt, all of a run, and the pauses between attempts."""

    attempt: float = 15.0  # Apprise waits 4 s for a byte, which a server that drips never lets pass
    run: float = 60.0
    pauses: tuple[float, ...] = (1.0, 4.0)  # about: half as long to half as long again


PATIENCE = Patience()


@dataclass(frozen=True)
class Failure:
    """A channel that did not take a message.

    is_tried: false where it has no address to be tried at. may_have_it: it was sent, and no answer came.
    """

    channel: str
    reason: str
    is_tried: bool = True
    may_have_it: bool = False


@dataclass(frozen=True)
class Delivered:
    """What became of a message: the channel that took it and those that failed before it.

    channel: None if none did. There may be more of them than failures: time was over.
    """

    channel: str | None
    failures: tuple[Failure, ...]


def apprise_url(channel: str, alerts: AlertSettings, environment: Mapping[str, str]) -> str:
    """Return the Apprise URL of a channel, secrets in it. Raises NoChannel."""
    for target in alerts.target:
        if target.name == channel:
            return target.url or _secret(target.url_env or "", channel, environment)
    if "@" not in channel:
        known = ", ".join(target.name for target in alerts.target) or "none"
        raise NoChannel(f"{channel!r} is neither a mail address nor an [[alerts.target]]; known targets: {known}")
    if not alerts.mail_env:
        raise NoChannel(
            f"no mail server to write to {channel}: name the variable that holds one in [alerts] mail_env, "
            "or make it an [[alerts.target]]"
        )
    server = _secret(alerts.mail_env, "the mail server", environment)
    return f"{server}{'&' if '?' in server else '?'}to={quote(channel)}"


def deliver(
    channels: Sequence[str],
    words: Callable[[Sequence[Failure]], Message],
    alerts: AlertSettings,
    environment: Mapping[str, str],
    *,
    colour: Colour = "warning",
    until: float,
    patience: Patience = PATIENCE,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Delivered:
    """Deliver one message on the first channel that takes it.

    words: the message, given the channels that failed before. until: when `clock` says this, no attempt begins or
    goes on. An attempt that fails is repeated after each of patience.pauses; one that gave no answer is not, since the
    message may have arrived.
    """
    load_apprise()  # which takes none of the first attempt's time
    failures: list[Failure] = []
    for channel in channels:
        try:
            url = apprise_url(channel, alerts, environment)
            _patiently(lambda: tell(url, words(failures), colour), until, patience, clock, sleep)  # noqa: B023
        except OutOfTime:
            break
        except Undeliverable as error:
            has_address, may_have_it = not isinstance(error, NoChannel), isinstance(error, NoAnswer)
            failures.append(Failure(channel, str(error), has_address, may_have_it))
        else:
            return Delivered(channel, tuple(failures))
    return Delivered(None, tuple(failures))


def messenger_at(url: str) -> Any:
    """Return Apprise, ready to send to an address; nothing is sent. Raises NoChannel where it cannot use it.

    What is longer than the channel takes goes as several messages: left whole, as Apprise would, it were refused.
    """
    apprise = load_apprise()
    # Its own time limit and side-by-side delivery use threads that hold up the end of the process; its pictures are
    # fetched from elsewhere by whoever reads.
    asset = apprise.AppriseAsset(app_id="Word of Mouse", image_url_mask="", async_mode=False, service_timeout=0)
    messenger = apprise.Apprise(asset=asset)
    if not messenger.add(url):
        kind = url.split(":", 1)[0]
        hint = ", and has a ?from=" if kind.startswith("mailto") else ""
        raise NoChannel(
            f"Apprise cannot use this address, {kind}://...: see that it is written as its manual says{hint}"
        )
    for service in messenger:
        is_told_how = "overflow_mode" in vars(service)  # by ?overflow= in the address
        if not is_told_how and service.body_maxlen != apprise.NotifyBase.body_maxlen:  # which stands for no known limit
            has_room = service.body_maxlen >= ROOM_AT_LEAST
            service.overflow_mode = apprise.OverflowMode.SPLIT if has_room else apprise.OverflowMode.TRUNCATE
    return messenger


def tell(url: str, message: Message, colour: Colour = "warning") -> None:
    """Deliver a message at an Apprise URL, in plain text; a JSON webhook also gets the payload, as `alert`.

    Raises Undeliverable. It may take as long as the server likes.
    """
    messenger = messenger_at(url)
    apprise = load_apprise()
    for service in messenger:
        if isinstance(service, apprise.plugins.N_MGR["json"]):
            service.payload_extras.setdefault("alert", dict(message.payload))
    result = messenger.notify(
        body=message.text, title=message.title, notify_type=colour, body_format=apprise.NotifyFormat.TEXT
    )
    if not result:
        said = [entry.message for entry in result.logs() if entry.message]
        place = re.split(r"[/?]", messenger[0].url(privacy=True).partition("://")[2])[0].rpartition("@")[2]
        raise Undeliverable(_without_secrets(f"{place}: {said[-1] if said else 'no answer'}", url, place))


def _patiently(
    attempt: Callable[[], None],
    until: float,
    patience: Patience,
    clock: Callable[[], float],
    sleep: Callable[[float], None],
) -> None:
    for pause in (*patience.pauses, None):
        left = until - clock()
        if left <= 0:
            raise OutOfTime
        try:
            _within(min(left, patience.attempt), attempt)
        except (NoChannel, NoAnswer):
            raise
        except Undeliverable:
            if pause is None or clock() + 1.5 * pause >= until:
                raise
            sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311
        else:
            return


def _within(seconds: float, attempt: Callable[[], None]) -> None:
    """Do it; raise what it raises, or NoAnswer once the time is over, and leave it behind.

    A thread cannot be ended from outside; this one does not keep the process from ending.
    """
    done: queue.SimpleQueue[Exception | None] = queue.SimpleQueue()

    def run() -> None:
        try:
            attempt()
        except Exception as error:
            done.put(error)
        else:
            done.put(None)

    threading.Thread(target=run, name="deliver", daemon=True).start()
    try:
        error = done.get(timeout=seconds)
    except queue.Empty:
        raise NoAnswer(f"no answer within {seconds:.0f} s") from None
    if error is not None:
        raise error


def _secret(variable: str, whose: str, environment: Mapping[str, str]) -> str:
    value = environment.get(variable)
    if not value:
        raise NoChannel(f"the environment variable {variable}, which holds the address of {whose}, is not set")
    return value


def _without_secrets(said: str, url: str, shown: str) -> str:
    """Return a text with every part of a URL starred out that is not shown."""
    written = [part for part in re.split(r"[/:@?&=#,;+\s]+", url.partition("://")[2]) if part not in shown]
    for secret in sorted({*written, *map(unquote, written)}, key=len, reverse=True):
        if len(secret) > 2:  # a letter or two, as in to=, would star out half the words
            said = said.replace(secret, "***")
    return said


def load_apprise() -> Any:
    """Return Apprise with its hundred plugins, loaded only where something is to be told (2 s), and silent.

    It and its HTTP client write whole addresses to the log, where somebody asks for every detail.
    """
    import apprise
    from apprise.plugins import N_MGR

    logging.getLogger("apprise").propagate = False
    logging.getLogger("urllib3").setLevel(logging.WARNING)
    N_MGR.load_modules()
    return apprise
