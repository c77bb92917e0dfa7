"""How each alert stands, folded from its events: open, quiet, acknowledged, snoozed, resolved or dismissed.

The view `alerts` says the same in SQL, as of the last publish. Pure.
"""

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

Event = Mapping[str, Any]  # a row of ALERTS

NEGATIVE_SPIKE = "negative_spike"  # the kind of a row that names none
WATCH = "watch"  # who does what warehouse/alerts.py decides
TELLS = frozenset({"opened", "grew", "reopened"})  # worth telling an owner; these carry evidence
STATES = ("open", "quiet", "acknowledged", "snoozed", "resolved", "dismissed")


@dataclass(frozen=True)
class Alert:
    """One alert as its events tell it.

    evidence: of the last opened, grew or reopened. began_at: when it was opened, or last reopened. since: where its
    spikes began, or began anew; until: the end of the last spike hour that any event tells of. snoozed_until: stays
    after that time until it is reopened. told: by person or address, when first since began_at; told_severity: what was
    known when last. Times are UTC.
    """

    alert_id: str
    brand: str
    kind: str
    opened_at: datetime
    began_at: datetime
    since: datetime
    until: datetime
    evidence: Mapping[str, Any]
    is_quiet: bool = False
    acknowledged_at: datetime | None = None
    snoozed_at: datetime | None = None
    snoozed_until: datetime | None = None
    closed_as: str | None = None
    closed_at: datetime | None = None
    closed_by: str | None = None
    grew: int = 0
    reopened: int = 0
    told: Mapping[str, datetime] = field(default_factory=dict)
    told_severity: Mapping[str, str] = field(default_factory=dict)

    def state(self, now: datetime) -> str:
        """Return which of STATES it is in."""
        if self.closed_as:
            return self.closed_as
        if self.snoozed_until and now < self.snoozed_until:
            return "snoozed"
        if self.acknowledged_at:
            return "acknowledged"
        return "quiet" if self.is_quiet else "open"

    @property
    def severity(self) -> str:
        return self.evidence.get("severity", "tell")

    @property
    def closed_from(self) -> datetime | None:
        """From when on a spike is news to whoever closed it; None while it stands.

        To a person that is the moment, not the hour that was running then. What `watch` closes ends with its last
        spike, whatever the clock said.
        """
        return self.until if self.closed_by == WATCH else self.closed_at


def fold(past: Iterable[Event]) -> list[Alert]:
    """Return the alerts in the order in which they were opened."""
    found: dict[str, Alert] = {}
    for event in in_order(past):
        known = found.get(event["alert_id"])
        if known is None and event["event"] in TELLS:
            known = _opened(event)
        if known is not None:
            found[event["alert_id"]] = _after(known, event)
    return list(found.values())


def in_order(past: Iterable[Event]) -> list[Event]:
    """Return events as they happened."""
    rank = {"opened": 0, "grew": 1, "reopened": 1, "notified": 2}  # at one moment, what was told before the telling
    return sorted(past, key=lambda event: (utc(event["at"]), rank.get(event["event"], 3)))


def in_turn(new: Iterable[Event], past: Iterable[Event]) -> list[dict[str, Any]]:
    """Return new events, none at an earlier time than what happened to its alert before: clocks jump back."""
    latest: dict[str, datetime] = {}
    for event in past:
        latest[event["alert_id"]] = max(utc(event["at"]), latest.get(event["alert_id"], utc(event["at"])))
    least = {alert_id: at + timedelta(microseconds=1) for alert_id, at in latest.items()}
    return [{**event, "at": max(utc(event["at"]), least.get(event["alert_id"], utc(event["at"])))} for event in new]


def is_telling(event: Event) -> bool:
    """Return whether somebody was told of the incident itself: not that it is over, or that a channel is dead."""
    return event["event"] == "notified" and evidence_in(event).get("event") in {None, *TELLS}


def evidence_in(event: Event) -> dict[str, Any]:
    """Return what an event's JSON holds; nothing where it holds no object."""
    try:
        told = json.loads(event["evidence"] or "{}")
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def time_in(text: Any) -> datetime | None:
    """Return an ISO 8601 time, UTC unless it says otherwise; None where there is none."""
    try:
        return utc(datetime.fromisoformat(text))
    except (TypeError, ValueError):
        return None


def utc(at: datetime) -> datetime:
    """Return a time in UTC, which one without a zone is in already."""
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def _opened(event: Event) -> Alert:
    at = utc(event["at"])
    return Alert(event["alert_id"], event["brand"], event.get("kind") or NEGATIVE_SPIKE, at, at, at, at, {})


def _after(alert: Alert, event: Event) -> Alert:
    """Return the alert as it stands after an event. What comes after it was closed changes nothing but by reopening."""
    at, what, told = utc(event["at"]), event["event"], evidence_in(event)
    if what in TELLS:
        alert = _with_evidence(alert, at, told)
    until = time_in(told.get("until"))
    match what:
        case "grew":
            return replace(alert, grew=alert.grew + 1)
        case "reopened":
            snooze = alert.snoozed_at, alert.snoozed_until
            if alert.closed_as or (alert.snoozed_until and at >= alert.snoozed_until):
                snooze = None, None
            alert = replace(alert, closed_as=None, closed_at=None, closed_by=None, acknowledged_at=None, is_quiet=False)
            return replace(
                alert, reopened=alert.reopened + 1, began_at=at, snoozed_at=snooze[0], snoozed_until=snooze[1], told={}
            )
        case "notified" if is_telling(event):
            told_severity = {**alert.told_severity, event["by"]: alert.severity}
            return replace(alert, told={event["by"]: at, **alert.told}, told_severity=told_severity)
        case "resolved" | "dismissed" if alert.closed_as:  # what a person says of it later is the better word
            return alert if event["by"] == WATCH else replace(alert, closed_as=what, closed_by=event["by"])
        case _ if alert.closed_as:
            return alert
        case "quieted":
            return replace(alert, is_quiet=True, until=max(alert.until, until or alert.until))
        case "acknowledged":
            return replace(alert, acknowledged_at=at, snoozed_at=None, snoozed_until=None)
        case "snoozed":
            return replace(alert, acknowledged_at=None, snoozed_at=at, snoozed_until=until)
        case "resolved" | "dismissed":
            ended = until if event["by"] == WATCH else None  # a person closes it, and knows of no later spike
            last = max(alert.until, ended or alert.until)
            return replace(alert, closed_as=what, closed_at=at, closed_by=event["by"], until=last)
    return alert


def _with_evidence(alert: Alert, at: datetime, told: Mapping[str, Any]) -> Alert:
    """What an event written by hand does not give is short, and cannot grow."""
    evidence = {"score": math.inf, "peak_negatives": math.inf} | dict(told)
    since, until = time_in(told.get("since")) or at, time_in(told.get("until")) or at
    return replace(alert, evidence=evidence, since=since, until=until)
