"""A person answers an alert: takes it on, puts it off, ends it, or says that it was none.

What is said is an event in the lake. `watch` and whoever tells owners go by it from then on; acknowledged, resolved and
dismissed also say which alerts were right, by which a change of rules can be judged.
"""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from dags import alert_events
from dags.settings import SettingsError
from warehouse.alert_states import WATCH, Alert, fold, in_turn
from warehouse.lake import Lake

NAMED = {"acknowledged": "acknowledge", "snoozed": "snooze", "resolved": "resolve", "dismissed": "dismiss"}
UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
LONGEST_SNOOZE = timedelta(days=30)  # what is to be silent for longer is dismissed, or its brand has the wrong words
_CANDIDATES = 5  # alerts named where a beginning fits several


@dataclass(frozen=True)
class Attended:
    """What was said of one alert, which is stored. until: of a snooze."""

    alert_id: str
    brand: str
    before: str
    state: str
    by: str
    note: str | None
    until: datetime | None


def attend(
    lake: Lake, alert: str, what: str, *, by: str, note: str | None, until: datetime | None, now: datetime
) -> Attended:
    """Store what a person says of an alert. alert: its id, or how that begins if no other does.

    what: acknowledged, snoozed (then until is given), resolved or dismissed. Raises SettingsError where there is no
    such alert, or nothing to say of it any more.
    """
    past, _ = alert_events.read(lake)
    meant = _meant(fold(past), alert)
    before = meant.state(now)
    _refuse_too_late(meant, before, what)
    if until is not None and not now < until <= now + LONGEST_SNOOZE:
        raise SettingsError(
            f"it would be snoozed until {until:%Y-%m-%d %H:%M} UTC: give a time to come, within "
            f"{LONGEST_SNOOZE.days} days; what is none is dismissed: wom dismiss {meant.alert_id}"
        )
    told = {"note": note} if until is None else {"note": note, "until": until.isoformat()}
    row = {
        "alert_id": meant.alert_id,
        "brand": meant.brand,
        "kind": meant.kind,
        "aspect": None,
        "event": what,
        "at": now,
        "by": by,
        "evidence": json.dumps(told, ensure_ascii=False),
    }
    alert_events.append(lake, in_turn([row], past), now)
    return Attended(meant.alert_id, meant.brand, before, what, by, note, until)


def snooze_end(length: str | None, moment: str | None, now: datetime) -> datetime:
    """Return when a snooze is over, in UTC: a length of time from now (30m, 6h, 2d), or a moment (ISO 8601).

    Raises SettingsError where neither or both are given, or one is written otherwise.
    """
    if (length is None) == (moment is None):
        raise SettingsError("say for how long or until when: --for 6h, or --until 2026-11-28T18:00 (UTC)")
    if length is not None:
        told = re.fullmatch(r"(\d{1,4}) ?([mhdw])", length.strip().lower())
        if not told:
            raise SettingsError(f"--for is {length!r}; valid: a number and m, h, d or w, as in 90m, 6h, 2d, 1w")
        return now + timedelta(**{UNITS[told[2]]: int(told[1])})
    try:
        until = datetime.fromisoformat(str(moment).strip())
    except ValueError as error:
        raise SettingsError(
            f"--until is {moment!r}; valid: ISO 8601, as in 2026-11-28T18:00 (UTC) or with +01:00"
        ) from error
    return until.replace(tzinfo=UTC) if until.tzinfo is None else until.astimezone(UTC)


def _meant(alerts: Iterable[Alert], alert_id: str) -> Alert:
    known = {alert.alert_id: alert for alert in alerts}
    if alert_id in known:
        return known[alert_id]
    fitting = [alert for name, alert in known.items() if alert_id and name.startswith(alert_id)]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        shown = ", ".join(f"{alert.alert_id} ({alert.brand})" for alert in fitting[:_CANDIDATES])
        more = ", ..." if len(fitting) > _CANDIDATES else ""
        raise SettingsError(f"{alert_id!r} fits several alerts; give more of the id: {shown}{more}")
    standing = [alert for alert in known.values() if not alert.closed_as][-_CANDIDATES:]
    shown = ", ".join(f"{alert.alert_id} ({alert.brand})" for alert in reversed(standing))
    raise SettingsError(
        f"no alert's id begins with {alert_id!r}; "
        + (f"those that stand: {shown}" if standing else "none stands; see: wom alerts")
    )


def _refuse_too_late(alert: Alert, before: str, what: str) -> None:
    """Raise SettingsError where it is over already; that it was none, or why it ended, can still be said once."""
    if not alert.closed_as:
        return
    assert alert.closed_at is not None
    if what in {"resolved", "dismissed"} and (alert.closed_by == WATCH or what != before):
        return
    raise SettingsError(
        f"{alert.alert_id} ({alert.brand}) was {before} by {alert.closed_by} at {alert.closed_at:%Y-%m-%d %H:%M} UTC: "
        f"there is nothing to {NAMED[what]}"
    )
