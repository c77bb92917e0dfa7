"""What to tell of spikes: the events of each alert's life, decided from the spikes and the events so far.

An alert is one incident of one brand: spike hours within COOLDOWN of each other belong together, whether they are of
all that is said of the brand or of an aspect or source of it; what they are of stands in the evidence. It is opened
once, grows when it doubles, takes in another aspect or source, or becomes rare enough to wake somebody; falls quiet; is
reopened where it spikes again; and is resolved when it was quiet for COOLDOWN. Events are only ever appended; whoever
calls holds a lock from reading the past events to appending the new ones, and then running twice, or two schedulers at
once, tells nothing twice.

Everything here is pure: rows in, rows out.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from warehouse.alert_states import NEGATIVE_SPIKE, TELLS, WATCH, Alert, Event, fold, in_order, in_turn, is_telling, utc

COOLDOWN = timedelta(hours=12)  # quiet this long, an incident is over; so long passes between two tellings of one
QUIET_AFTER = timedelta(hours=3)  # without a spike; feeds are read every hour, and one reading may be missed
TOO_OLD = timedelta(hours=24)  # a first run over stored history must not tell of last month
DOUBLED = 2.0  # an alert grew when its negatives or its score are this many times what was last told
PART = ("aspect", "source", "window_hours", "negatives", "expected", "score")  # what is told of one that spikes itself

WHOLE = ("", "")  # neither an aspect nor a source

Spike = Mapping[str, Any]  # a row of negative_spikes
EvidenceOf = Callable[[str, datetime, datetime], Mapping[str, Any]]  # (brand, since, until) -> what else is known


def no_evidence(brand: str, since: datetime, until: datetime) -> dict[str, Any]:
    """Return nothing: for whoever wants events with no more than the spikes tell."""
    return {}


def events(
    spikes: Iterable[Spike],
    past: Iterable[Event],
    now: datetime,
    evidence_of: EvidenceOf = no_evidence,
    heard: Mapping[str, datetime] | None = None,
) -> list[dict[str, Any]]:
    """Return the ALERTS rows to append now; none if nothing changed.

    spikes: all rows of negative_spikes, old ones too. past: every event so far, of other kinds too, which are left
    alone. now: UTC. Times without a zone are taken as UTC. evidence_of is asked only for alerts that open, grow or are
    reopened. heard: until when each brand that is listened to was heard: silence after that is no calm, and brands that
    are not in it raise nothing. None: all, until now.
    """
    past = list(past)
    runs: dict[str, list[Run]] = _runs(spike for spike in spikes if heard is None or spike["brand"] in heard)
    known: dict[str, list[Alert]] = defaultdict(list)
    for alert in fold(past):
        if alert.kind == NEGATIVE_SPIKE:
            known[alert.brand].append(alert)
    new: list[dict[str, Any]] = []
    for brand in sorted(runs.keys() | known.keys()):
        watch = _Watch(brand, now, now if heard is None else heard.get(brand, now), evidence_of)
        new += watch.events(runs.get(brand, []), known[brand])
    return in_turn(new, past)


def undelivered(past: Iterable[Event], now: datetime, target: str | None = None) -> list[dict[str, Any]]:
    """Return for each alert the newest event worth telling (opened, grew or reopened) that is due to be told now.

    target: due to this person or address (`by` of a notified event); None: to whoever is told. What was never told is
    due, even when the alert is resolved by now: late is not void. What was told before is due again COOLDOWN after
    that, or once it became rare enough to page, and only while it spikes. What is snoozed or dismissed is not due.
    """
    past = in_order(past)
    newest: dict[str, tuple[int, Event]] = {}
    told: dict[str, int] = {}
    for place, event in enumerate(past):
        if event["event"] in TELLS:
            newest[event["alert_id"]] = place, event
        elif is_telling(event) and target in {None, event["by"]}:
            told[event["alert_id"]] = place
    alerts = {alert.alert_id: alert for alert in fold(past)}
    due = []
    for alert_id, (place, event) in newest.items():
        alert = alerts[alert_id]
        if alert.state(now) in {"snoozed", "dismissed"}:
            continue
        if alert_id not in told or (told[alert_id] < place and _is_due_again(alert, past[told[alert_id]], now)):
            due.append(dict(event))
    return due


def _is_due_again(alert: Alert, telling: Event, now: datetime) -> bool:
    if alert.closed_as or alert.is_quiet:
        return False
    rose = alert.severity == "page" and alert.told_severity[telling["by"]] != "page"
    return rose or abs(now - utc(telling["at"])) >= COOLDOWN  # of a time to come by a clock that has jumped back since


class Run(NamedTuple):
    """Spike hours that belong together, in order; of one hour there may be several, of the brand and of its parts."""

    spikes: list[Spike]

    @property
    def since(self) -> datetime:
        return utc(self.spikes[0]["hour"])

    @property
    def until(self) -> datetime:
        """The end of its last hour."""
        return utc(self.spikes[-1]["hour"]) + timedelta(hours=1)

    @property
    def figures(self) -> list[Spike]:
        """The hours that it is measured by: those of all that is said of the brand, or else those of its parts."""
        return [spike for spike in self.spikes if _part(spike) == WHOLE] or self.spikes

    @property
    def worst(self) -> Spike:
        return max(self.figures, key=lambda spike: spike["score"])

    @property
    def peak_negatives(self) -> int:
        return max(spike["negatives"] for spike in self.figures)

    @property
    def severity(self) -> str:
        return "page" if any(spike.get("severity") == "page" for spike in self.spikes) else "tell"

    @property
    def parts(self) -> list[Spike]:
        """The worst hour of each aspect and source that spikes of its own, the worst first."""
        worst: dict[tuple[str, str], Spike] = {}
        for spike in sorted(self.spikes, key=lambda spike: spike["score"]):
            if _part(spike) != WHOLE:
                worst[_part(spike)] = spike
        return sorted(worst.values(), key=lambda spike: (-spike["score"], _part(spike)))

    @property
    def about(self) -> dict[str, list[str]]:
        """The names of those aspects and sources."""
        named = {"aspects": "aspect", "sources": "source"}
        return {
            names: list(dict.fromkeys(part[name] for part in self.parts if part.get(name)))
            for names, name in named.items()
        }

    def after(self, at: datetime | None) -> "Run | None":
        """The hours of it that began no earlier, all if at is None; None if there are none."""
        later = [spike for spike in self.spikes if at is None or utc(spike["hour"]) >= at]
        return Run(later) if later else None


class _Watch(NamedTuple):
    """What decides for one brand."""

    brand: str
    now: datetime
    heard: datetime
    evidence_of: EvidenceOf

    def events(self, runs: Sequence[Run], alerts: Sequence[Alert]) -> list[dict[str, Any]]:
        new: list[dict[str, Any]] = []
        fresh, of_alert = _shared_out(runs, alerts)
        silent_since = {alert.alert_id: alert.until for alert in alerts if not alert.closed_as}
        quiet = {alert.alert_id for alert in alerts if alert.is_quiet}
        for alert in alerts:
            if (run := of_alert.get(alert.alert_id)) and (event := self._of_known(alert, run)):
                new.append(event)
                silent_since[alert.alert_id] = run.until
                if event["event"] == "reopened":
                    quiet.discard(alert.alert_id)
            elif run and not alert.closed_as:
                silent_since[alert.alert_id] = run.until
        for run in fresh:
            if self.now - run.until <= TOO_OLD:
                alert_id = _id(self.brand, run)
                new.append(self._told("opened", alert_id, run))
                silent_since[alert_id] = run.until
        heard = max([self.heard, *(run.until for run in runs)])
        for alert_id, until in silent_since.items():
            if heard - until >= COOLDOWN:
                new.append(self._silent("resolved", alert_id, until, COOLDOWN))
            elif heard - until >= QUIET_AFTER and alert_id not in quiet:
                new.append(self._silent("quieted", alert_id, until, QUIET_AFTER))
        return new

    def _of_known(self, alert: Alert, run: Run) -> dict[str, Any] | None:
        """Return what became of an alert that these hours belong to; None if nothing."""
        if alert.closed_as:
            later = run.after(alert.closed_from)
            if later is None or self.now - later.until > TOO_OLD:
                return None
            if alert.closed_as == "dismissed" and not _doubled(alert, later):
                return None  # it was said of this storm that it is none
            return self._told("reopened", alert.alert_id, later)
        bout = run.after(alert.since)
        if bout is None:
            return None
        spikes_now = self.heard - bout.until < QUIET_AFTER
        if alert.snoozed_until and alert.snoozed_until <= self.now and spikes_now:
            return self._told("reopened", alert.alert_id, bout.after(alert.snoozed_at) or bout)
        if alert.is_quiet:
            later = bout.after(alert.until)
            return self._told("reopened", alert.alert_id, later) if later and spikes_now else None
        return self._told("grew", alert.alert_id, bout) if _grew(alert, bout) else None

    def _told(self, what: str, alert_id: str, run: Run) -> dict[str, Any]:
        worst = run.worst
        evidence = {
            "quotes": [],
            **self.evidence_of(self.brand, run.since, run.until),
            "since": run.since.isoformat(),
            "until": run.until.isoformat(),
            "window_hours": worst["window_hours"],
            "negatives": worst["negatives"],
            "expected": worst["expected"],
            "mentions": worst["mentions"],
            "share": worst["negative_share"],
            "expected_share": worst["expected_share"],
            "score": worst["score"],
            "peak_negatives": run.peak_negatives,
            "severity": run.severity,
            "about": run.about,
            "series": [{name: part.get(name) for name in PART} for part in run.parts],
        }
        return self._event(what, alert_id, evidence)

    def _silent(self, what: str, alert_id: str, until: datetime, hours: timedelta) -> dict[str, Any]:
        reason = f"no spike for {hours // timedelta(hours=1)} hours"
        return self._event(what, alert_id, {"reason": reason, "until": until.isoformat()})

    def _event(self, what: str, alert_id: str, evidence: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "alert_id": alert_id,
            "brand": self.brand,
            "kind": NEGATIVE_SPIKE,
            "aspect": None,
            "event": what,
            "at": self.now,
            "by": WATCH,
            "evidence": json.dumps(evidence, ensure_ascii=False),
        }


def _shared_out(runs: Sequence[Run], alerts: Sequence[Alert]) -> tuple[list[Run], dict[str, Run]]:
    """Return the runs that no alert is about, and the hours of each alert that has some.

    Late posts and corrections may move a run's ends, join two and part one, so its id alone cannot tell.
    """
    fresh: list[Run] = []
    of_alert: dict[str, Run] = {}
    for run in runs:
        same = [alert for alert in alerts if _same(alert, run)]
        if not same:
            fresh.append(run)
            continue
        alert_id = next((alert for alert in reversed(same) if not alert.closed_as), same[-1]).alert_id
        before = of_alert.get(alert_id)
        of_alert[alert_id] = Run([*before.spikes, *run.spikes]) if before else run
    return fresh, of_alert


def _same(alert: Alert, run: Run) -> bool:
    return run.since - alert.until < COOLDOWN and alert.since - run.until < COOLDOWN


def _grew(alert: Alert, run: Run) -> bool:
    told = alert.evidence.get("about")
    joined = told is not None and any(set(names) - set(told[of]) for of, names in run.about.items())
    rose = run.severity == "page" and alert.evidence.get("severity", "page") != "page"
    return joined or rose or _doubled(alert, run)


def _doubled(alert: Alert, run: Run) -> bool:
    told = alert.evidence
    return run.worst["score"] >= DOUBLED * told["score"] or run.peak_negatives >= DOUBLED * told["peak_negatives"]


def _part(spike: Spike) -> tuple[str, str]:
    """Return which aspect and source a row is of, WHOLE if it is of all that is said of the brand."""
    return spike.get("aspect") or "", spike.get("source") or ""


def _runs(spikes: Iterable[Spike]) -> dict[str, list[Run]]:
    found: dict[str, list[Run]] = defaultdict(list)
    for spike in sorted(spikes, key=lambda spike: (utc(spike["hour"]), _part(spike))):
        runs = found[spike["brand"]]
        if runs and utc(spike["hour"]) - utc(runs[-1].spikes[-1]["hour"]) <= COOLDOWN:
            runs[-1].spikes.append(spike)
        else:
            runs.append(Run([spike]))
    return found


def _id(brand: str, run: Run) -> str:
    told = json.dumps([brand, None, run.since.isoformat()])
    return hashlib.sha256(told.encode()).hexdigest()[:16]
