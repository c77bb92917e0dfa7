"""Alerts of other kinds than negative spikes: their events, decided from what is noticed now and the events so far.

An alert is about one subject, or about all of its kind that is noticed of a brand (its members). It is opened when that
is first noticed, grows when a member joins (or is reopened, where somebody had closed it), and is resolved once it is
noticed no more. People acknowledge, snooze,
resolve and dismiss it as they do incidents, and it is told by the same way; it wakes nobody. What is noticed, and of
which brands, warehouse/noticing.py says.

Everything here is pure: rows in, rows out.
"""

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from warehouse.alert_states import WATCH, Alert, Event, fold, in_turn, utc
from warehouse.alerts import COOLDOWN

KINDS = ("recovery", "praise", "competitor", "silent_feed", "rising_aspect", "rising_phrase")
OVER = {  # why one is resolved by itself
    "recovery": "it was answered, its author came round, or it is older than three days",
    "praise": "no spike of praise for 12 hours",
    "competitor": "no spike of a competitor for 12 hours",
    "silent_feed": "it is heard again",
    "rising_aspect": "it is on the rise no more",
    "rising_phrase": "it is on the rise no more",
}
NOT_ASKED = "listening.toml asks for it no more"


class Noticed(NamedTuple):
    """Something that stands now. since: when it began, until: as of when it was noticed; UTC.

    subject: what tells it from others of its kind and brand; empty where there is one of a kind. members: names of what
    it is made of. evidence: what JSON can hold.
    """

    kind: str
    brand: str
    since: datetime
    until: datetime
    evidence: Mapping[str, Any]
    subject: str = ""
    members: Sequence[str] = ()


def events(
    noticed: Iterable[Noticed], past: Iterable[Event], now: datetime, wanted: Mapping[str, Collection[str]]
) -> list[dict[str, Any]]:
    """Return the ALERTS rows to append now; none if nothing changed.

    past: every event so far, those of negative spikes too, which are left alone. wanted: the kinds asked for, by brand.
    What was noticed once, and closed by somebody, is not told again unless it began anew COOLDOWN after it was noticed.
    """
    past = list(past)
    known: dict[tuple[str, str, str], list[Alert]] = {}
    for alert in fold(past):
        if alert.kind in KINDS:
            known.setdefault((alert.kind, alert.brand, alert.evidence.get("subject", "")), []).append(alert)
    new, met = [], set()
    for one in noticed:
        if one.kind not in wanted.get(one.brand, ()):
            continue
        key = one.kind, one.brand, one.subject
        met.add(key)
        same = [alert for alert in known.get(key, ()) if not alert.closed_as or utc(one.since) - alert.until < COOLDOWN]
        if not same:
            new.append(_event("opened", _id(one), one.kind, one.brand, now, _evidence(one, [])))
            continue
        alert = next((alert for alert in reversed(same) if not alert.closed_as), same[-1])
        told = alert.evidence.get("members", one.members)  # one whose evidence was erased cannot grow
        if set(one.members) - set(told):
            what = "reopened" if alert.closed_as else "grew"
            new.append(_event(what, alert.alert_id, one.kind, one.brand, now, _evidence(one, told)))
    for (kind, brand, subject), alerts in known.items():
        if (kind, brand, subject) not in met:
            reason = OVER[kind] if kind in wanted.get(brand, ()) else NOT_ASKED
            new += [
                _event("resolved", alert.alert_id, kind, brand, now, {"reason": reason})
                for alert in alerts
                if not alert.closed_as
            ]
    return in_turn(new, past)


def _evidence(one: Noticed, before: Sequence[str]) -> dict[str, Any]:
    """Return what is told. Members that were told before stay among them, or one that comes and goes would grow it."""
    return {
        "about": {"aspects": [], "sources": []},
        "quotes": [],
        **one.evidence,
        "subject": one.subject,
        "members": list(dict.fromkeys([*before, *one.members])),
        "since": utc(one.since).isoformat(),
        "until": utc(one.until).isoformat(),
        "severity": "tell",
    }


def _event(
    what: str, alert_id: str, kind: str, brand: str, now: datetime, evidence: Mapping[str, Any]
) -> dict[str, Any]:
    return {
        "alert_id": alert_id,
        "brand": brand,
        "kind": kind,
        "aspect": None,
        "event": what,
        "at": now,
        "by": WATCH,
        "evidence": json.dumps(evidence, ensure_ascii=False),
    }


def _id(one: Noticed) -> str:
    told = json.dumps([one.kind, one.brand, one.subject, utc(one.since).isoformat(), utc(one.until).isoformat()])
    return hashlib.sha256(told.encode()).hexdigest()[:16]
