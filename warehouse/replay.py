"""What would have been told over stored history, by whatever rules, and how that compares with what people said.

The detector never looks ahead, so an hour's verdict is the same today as it was then; only which aspects and sources
were worth judging is known better now. So hours are judged once, and then walked through as hourly watches would have
met them, each as soon as the hour is over. What people did to the alerts of then (acknowledge, snooze, close) is not
done again. Everything here is pure: rows in, figures out.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from statistics import median
from typing import Any

from warehouse.alert_states import (
    NEGATIVE_SPIKE,
    TELLS,
    WATCH,
    Alert,
    Event,
    evidence_in,
    fold,
    in_order,
    is_telling,
    time_in,
    utc,
)
from warehouse.alerts import COOLDOWN, Spike, events

HOUR = timedelta(hours=1)
BEFORE = timedelta(days=4)  # walked ahead of the period, so that what was open when it began is not opened in it
MONTH_HOURS = 365.25 / 12 * 24
LABELS_AT_LEAST = 5  # below, a share of them says nothing; as the macro if_enough


@dataclass(frozen=True)
class Incident:
    """An alert, as it was told or as it would have been; times are UTC.

    begun_at: the first hour of the window that first told of it. since, until: from its first spiking hour to the end
    of its last. told_at: when somebody was really first told of it; None if nobody was. label: whether people said that
    it was one (acknowledged or resolved it) or none (dismissed it); None if they said neither.
    """

    brand: str
    opened_at: datetime
    begun_at: datetime
    since: datetime
    until: datetime
    severity: str
    aspects: tuple[str, ...]
    sources: tuple[str, ...]
    negatives: int | None
    expected: float | None
    told_at: datetime | None = None
    label: bool | None = None


@dataclass(frozen=True)
class Figures:
    """How good a way of telling was.

    alerts_a_brand_month: None where no brand was heard long enough. pages: alerts that were rare enough to wake
    somebody. true, false: alerts really told that people said were one, or none, and that are told here too; those that
    are not: true_missed, false_spared. precision: the share of the true among true and false, with its 95 % interval;
    None below LABELS_AT_LEAST.
    delay_hours: from when it began (begun_at) to telling, in the median; None where nothing was told.
    """

    alerts: int
    alerts_a_brand_month: float | None
    pages: int
    true: int
    false: int
    precision: float | None
    precision_low: float | None
    precision_high: float | None
    true_missed: int
    false_spared: int
    delay_hours: float | None


def walk(
    spikes: Iterable[Spike],
    since: datetime,
    until: datetime,
    on_brand: Callable[[str], None] = lambda brand: None,
) -> list[Incident]:
    """Return the incidents that hourly watches would have opened within a time, in the order of their opening.

    spikes: rows of negative_spikes by the rules in question, of that time and the days before. on_brand: called as each
    brand that spikes is done.
    """
    by_brand: dict[str, list[Spike]] = {}
    for spike in spikes:
        if since - BEFORE <= utc(spike["hour"]) < until:
            by_brand.setdefault(spike["brand"], []).append(spike)
    found: list[Incident] = []
    for brand, own in sorted(by_brand.items()):
        happened = _watched(sorted(own, key=lambda spike: utc(spike["hour"])), until)
        found += [one for one in incidents(happened) if since <= one.opened_at <= until]
        on_brand(brand)
    return sorted(found, key=lambda one: (one.opened_at, one.brand))


def incidents(past: Iterable[Event]) -> list[Incident]:
    """Return the alerts of negative word of mouth that events tell of, in the order of their opening."""
    past = list(past)
    first: dict[str, Mapping[str, Any]] = {}
    told_at: dict[str, datetime] = {}
    pages: set[str] = set()
    for event in in_order(past):
        if event["event"] in TELLS:
            first.setdefault(event["alert_id"], evidence_in(event))
            if evidence_in(event).get("severity") == "page":
                pages.add(event["alert_id"])
        elif is_telling(event):
            told_at.setdefault(event["alert_id"], utc(event["at"]))
    labels = labels_of(past)
    return [
        _incident(alert, first[alert.alert_id], alert.alert_id in pages, told_at.get(alert.alert_id), labels)
        for alert in fold(past)
        if alert.kind == NEGATIVE_SPIKE
    ]


def labels_of(past: Iterable[Event]) -> dict[str, bool]:
    """Return of each alert that people judged whether it was one: what was said last holds."""
    labels: dict[str, bool] = {}
    for event in in_order(past):
        if event["by"] == WATCH:
            continue
        if event["event"] == "dismissed":
            labels[event["alert_id"]] = False
        elif event["event"] in {"acknowledged", "resolved"}:
            labels[event["alert_id"]] = True
    return labels


def compared(told: Sequence[Incident], real: Sequence[Incident]) -> list[Incident]:
    """Return incidents of a replay with the label and the telling of the alerts that were really told of the same."""
    found = []
    for one in told:
        same = [other for other in real if _same(one, other)]
        said = [other.label for other in same if other.label is not None]
        times = [other.told_at for other in same if other.told_at]
        found.append(replace(one, label=any(said) if said else None, told_at=min(times, default=None)))
    return found


def begun_alike(ways: Sequence[Sequence[Incident]]) -> list[list[Incident]]:
    """Return what each way of telling told, an incident that several tell of begun when the first of them has it.

    Or rules that find it later would seem as quick: what they go by begins later, too.
    """
    of_brand: dict[str, list[Incident]] = {}
    for told in ways:
        for one in told:
            of_brand.setdefault(one.brand, []).append(one)
    return [
        [
            replace(one, begun_at=min(other.begun_at for other in of_brand[one.brand] if _same(one, other)))
            for one in told
        ]
        for told in ways
    ]


def figures(
    told: Sequence[Incident], real: Sequence[Incident], brand_hours: float, *, is_real: bool = False
) -> Figures:
    """Return how good the telling of these incidents is, by the labels of those that were really told.

    brand_hours: hours of all brands in which something could have been told. is_real: told is what was really told, and
    its delay counts until somebody was.
    """
    labelled = [one for one in real if one.label is not None]
    kept = [one for one in labelled if any(_same(one, other) for other in told)]
    true, false = (sum(one.label is side for one in kept) for side in (True, False))
    low, high = _wilson(true, true + false)
    delays = [
        (at - one.begun_at) / HOUR for one in told if (at := one.told_at if is_real else one.opened_at) is not None
    ]
    is_enough = true + false >= LABELS_AT_LEAST
    return Figures(
        alerts=len(told),
        alerts_a_brand_month=len(told) / (brand_hours / MONTH_HOURS) if brand_hours else None,
        pages=sum(one.severity == "page" for one in told),
        true=true,
        false=false,
        precision=true / (true + false) if is_enough else None,
        precision_low=low if is_enough else None,
        precision_high=high if is_enough else None,
        true_missed=sum(one.label is True for one in labelled) - true,
        false_spared=sum(one.label is False for one in labelled) - false,
        delay_hours=median(delays) if delays else None,
    )


def best(today: Figures, tried: Sequence[Figures]) -> int | None:
    """Return which of the figures tried is to be preferred to today's; None if none is.

    It tells of all that today's rules tell and people said was one, and of the fewest that they said was none; of
    equals the first. What was never told has no label, so only stricter rules can be judged.
    """
    enough = min(today.true, today.false) >= LABELS_AT_LEAST
    places = [place for place, one in enumerate(tried) if one.true >= today.true and one.false < today.false]
    return min(places, key=lambda place: tried[place].false, default=None) if enough else None


def _watched(spikes: Sequence[Spike], until: datetime) -> list[Event]:
    """Return the events of watches at the end of each hour in which something can happen to a brand's alerts."""
    closed = {utc(spike["hour"]) + HOUR for spike in spikes}
    after = range(int(COOLDOWN / HOUR) + 1)
    past: list[Event] = []
    seen: list[Spike] = []
    rest = list(reversed(spikes))
    for now in sorted({at + hours * HOUR for at in closed for hours in after}):
        if now > until:
            break
        while rest and utc(rest[-1]["hour"]) < now:
            seen.append(rest.pop())
        past += events(seen, past, now)
    return past


def _incident(
    alert: Alert, first: Mapping[str, Any], is_paged: bool, told_at: datetime | None, labels: Mapping[str, bool]
) -> Incident:
    since = time_in(first.get("since")) or alert.opened_at
    begun_at = time_in(first.get("evidence_since")) or since - (first.get("window_hours", 1) - 1) * HOUR
    about = alert.evidence.get("about") or {}
    return Incident(
        brand=alert.brand,
        opened_at=alert.opened_at,
        begun_at=begun_at,
        since=since,
        until=max(alert.until, since),
        severity="page" if is_paged else "tell",
        aspects=tuple(about.get("aspects", ())),
        sources=tuple(about.get("sources", ())),
        negatives=alert.evidence.get("negatives"),
        expected=alert.evidence.get("expected"),
        told_at=told_at,
        label=labels.get(alert.alert_id),
    )


def _same(one: Incident, other: Incident) -> bool:
    """Whether two incidents are one: of a brand, and not further apart than spikes of one incident are."""
    apart = max(one.since, other.since) - min(one.until, other.until)
    return one.brand == other.brand and apart < COOLDOWN


def _wilson(part: int, whole: int) -> tuple[float, float]:
    """Return the 95 % interval of a share (Wilson 1927); 0 to 1 of nothing."""
    if not whole:
        return 0.0, 1.0
    z, p = 1.96, part / whole
    middle, half = p + z * z / (2 * whole), z * math.sqrt(p * (1 - p) / whole + z * z / (4 * whole * whole))
    return (middle - half) / (1 + z * z / whole), (middle + half) / (1 + z * z / whole)
