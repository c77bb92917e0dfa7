"""Events in the life of an alert, as tests of telling need them."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

MIDNIGHT = datetime(2026, 11, 20, tzinfo=UTC)


def at(clock: str, days: int = 0) -> datetime:
    """A time of 20 November 2026 or some days later, UTC."""
    hours, minutes = map(int, clock.split(":"))
    return MIDNIGHT + timedelta(days=days, hours=hours, minutes=minutes)


def event(what: str, when: str | datetime, *, by: str = "watch", alert: str = "a1", **evidence: Any) -> dict[str, Any]:
    """A row of ALERTS."""
    return {
        "alert_id": alert, "brand": evidence.pop("brand", "Acme"), "kind": None, "aspect": None, "event": what,
        "at": at(when) if isinstance(when, str) else when, "by": by, "evidence": json.dumps(evidence),
    }  # fmt: skip


def spiking(
    what: str, when: str | datetime, *, severity: str = "tell", aspects: tuple[str, ...] = (), **more: Any
) -> dict[str, Any]:
    """An event that is worth telling, with all that stands in its evidence."""
    moment = at(when) if isinstance(when, str) else when
    figures = {"window_hours": 3, "negatives": 24, "expected": 4.5, "mentions": 40, "share": 0.6, "expected_share": 0.2,
               "score": 9.0, "peak_negatives": 24, "quotes": []}  # fmt: skip
    return event(
        what, moment, since=(moment - timedelta(hours=2)).isoformat(), until=moment.isoformat(), severity=severity,
        about={"aspects": list(aspects), "sources": []}, **figures, **more,
    )  # fmt: skip
