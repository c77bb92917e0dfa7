"""Telling whoever is due, and the events that say who was told, who was not, and why.

dags/routing.py decides, dags/notify.py delivers. What fails is decided upon again at once, so that an alert whose owner
cannot be reached goes to the next within the run; what is still not told is due in the next run.
"""

import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from dags.messages import Message, digest, message
from dags.notify import PATIENCE, Colour, Delivered, Failure, Patience, deliver, load_apprise
from dags.plain_words import chat_safe
from dags.routing import Delivery, due, unowned
from dags.settings import AlertSettings, Settings
from warehouse.alert_states import TELLS, WATCH, Event, evidence_in, in_turn

AT_ONCE = 8  # deliveries side by side: one server that is slow holds up no other owner


@dataclass
class Told:
    """What one run told. Texts are for a person and name no secret.

    owners: who was told, in order. undelivered: owners whom no channel reached. unreachable: those for whom
    listening.toml or the environment gives no address, and alerts that nobody owns. fallbacks: channels that failed,
    though the owner was reached on another.
    """

    events: list[dict[str, Any]] = field(default_factory=list)
    owners: list[str] = field(default_factory=list)
    undelivered: list[str] = field(default_factory=list)
    unreachable: list[str] = field(default_factory=list)
    fallbacks: list[str] = field(default_factory=list)


def tell_due(
    past: Iterable[Event],
    settings: Settings,
    now: datetime,
    environment: Mapping[str, str],
    record: Callable[[list[dict[str, Any]]], None],
    patience: Patience = PATIENCE,
) -> Told:
    """Tell whoever is due to be told, for at most patience.run seconds, and return what came of it.

    past: every event so far. record: stores events; it is called as soon as a message is out, so that a crash tells
    little twice.
    """
    told = Told()
    past = list(past)
    told.unreachable += [
        f"{event['brand']}: nobody owns it: name a default owner in its [[brand]] in {settings.source_file}"
        for event in unowned(past, settings.brands, now)
    ]
    until = None
    mistakes: list[BaseException] = []
    tried: list[tuple[str, tuple[Event, ...]]] = []
    while deliveries := [
        delivery
        for delivery in due([*past, *told.events], settings.alerts, settings.brands, now)
        if (delivery.owner, delivery.events) not in tried
    ]:
        tried += [(delivery.owner, delivery.events) for delivery in deliveries]
        if until is None:
            load_apprise()
            until = time.monotonic() + patience.run
        with ThreadPoolExecutor(AT_ONCE) as pool:
            running = {
                pool.submit(_deliver, delivery, settings.alerts, environment, until, patience): delivery
                for delivery in deliveries
            }
            for done in as_completed(running):
                if error := done.exception():
                    mistakes.append(error)
                    continue
                delivery, delivered = running[done], done.result()
                new = in_turn(_events(delivery, delivered, [*past, *told.events], now), [*past, *told.events])
                record(new)
                told.events += new
                _report(told, delivery, delivered)
    if mistakes:
        raise mistakes[0]  # after all others were told
    return told


def _deliver(
    delivery: Delivery, alerts: AlertSettings, environment: Mapping[str, str], until: float, patience: Patience
) -> Delivered:
    return deliver(
        delivery.channels,
        lambda failures: _words(delivery, failures, alerts),
        alerts,
        environment,
        colour=_colour(delivery),
        until=until,
        patience=patience,
    )


def _words(delivery: Delivery, failures: Sequence[Failure], alerts: AlertSettings) -> Message:
    """Return the message, with why it comes to this person and on this channel."""
    told = delivery.events
    words = message(told[0], alerts.report_url) if len(told) == 1 else digest(told, alerts.report_url)
    reasons = [delivery.reason] if delivery.reason else []
    reasons += [f"{failure.channel} did not take this message: {failure.reason}" for failure in failures]
    text = "\n".join([words.text, *(["", *map(chat_safe, reasons)] if reasons else [])])
    return replace(words, text=text, payload={**words.payload, "why": delivery.why})


def _colour(delivery: Delivery) -> Colour:
    if delivery.severity == "page":
        return "failure"
    return "success" if delivery.why == "recovered" else "warning"


def _events(delivery: Delivery, delivered: Delivered, past: Sequence[Event], now: datetime) -> list[dict[str, Any]]:
    """Return what to store of a delivery: that it was told, why to this owner, and which channels failed."""
    new: list[dict[str, Any]] = []
    for event in _one_per_alert(delivery.events):
        for failure in delivered.failures:
            if not _is_known(failure.channel, delivery.owner, event, past):
                told = {"channel": failure.channel, "owner": delivery.owner, "reason": failure.reason}
                told |= {"may_have_arrived": True} if failure.may_have_it else {}
                new.append(_event(event, "undelivered", failure.channel, now, told))
        if delivered.channel is None:
            continue
        told = {"why": delivery.why, "channel": delivered.channel, "event": event["event"]}
        if dead := [*delivery.dead, *(failure.channel for failure in delivered.failures)]:
            told["dead"] = dead
        new.append(_event(event, "notified", delivery.owner, now, told))
        if delivery.stands_in_for:
            passed_on = {"from": delivery.stands_in_for, "to": delivery.owner, "reason": delivery.reason}
            new.append(_event(event, "escalated", WATCH, now, passed_on))
    return new


def _event(event: Event, what: str, by: str, now: datetime, evidence: Mapping[str, Any]) -> dict[str, Any]:
    return {**event, "event": what, "by": by, "at": now, "evidence": json.dumps(evidence, ensure_ascii=False)}


def _one_per_alert(events: Iterable[Event]) -> list[Event]:
    """Return of each alert what began or went on, rather than that it is over."""
    found: dict[str, Event] = {}
    for event in events:
        if event["alert_id"] not in found or event["event"] in TELLS:
            found[event["alert_id"]] = event
    return list(found.values())


def _is_known(channel: str, owner: str, event: Event, past: Sequence[Event]) -> bool:
    """Whether it was stored already, since the alert last had news or ended, that the channel fails for this owner."""
    known = False
    for earlier in past:
        if earlier["alert_id"] != event["alert_id"]:
            continue
        if earlier["event"] in {*TELLS, "resolved", "dismissed"}:
            known = False
        elif earlier["event"] == "undelivered" and earlier["by"] == channel:
            known = known or evidence_in(earlier).get("owner") == owner
    return known


def _report(told: Told, delivery: Delivery, delivered: Delivered) -> None:
    brands = ", ".join(dict.fromkeys(event["brand"] for event in delivery.events))
    failures = [f"{brands}: {_of(failure, delivery.owner)}{failure.reason}" for failure in delivered.failures]
    if delivered.channel is not None:
        if delivery.owner not in told.owners:
            told.owners.append(delivery.owner)
        told.fallbacks += [f"{failure} (told by {delivered.channel} instead)" for failure in failures]
        return
    if len(failures) < len(delivery.channels):
        failures.append(f"{brands}: no time was left to tell {delivery.owner}")
    is_tried = any(failure.is_tried for failure in delivered.failures) or not delivered.failures
    (told.undelivered if is_tried else told.unreachable).extend(failures)


def _of(failure: Failure, owner: str) -> str:
    if failure.channel != owner:
        return f"{owner} by {failure.channel}: "
    return f"{owner}: " if failure.is_tried else ""  # that it has no address is said with its name
