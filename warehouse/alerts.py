"""What to tell of spikes: the events of each alert's life, decided from the spikes and the events so far.

An alert is one run of spike hours of one brand (and aspect): hours within COOLDOWN of each other belong together.
It is opened once, grows when it doubles, and is resolved when the run is over. Events are only ever appended;
whoever calls holds a lock from reading the past events to appending the new ones, and then running twice, or
two schedulers at once, tells nothing twice.

Everything here but `quotes` is pure: rows in, rows out.
"""

import hashlib
import json
import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import duckdb

from warehouse.statements import statement

COOLDOWN = timedelta(hours=12)  # quiet this long, a spike is over; less, and it is the same one
TOO_OLD = timedelta(hours=24)  # a first run over stored history must not tell of last month
DOUBLED = 2.0  # an alert grew when its negatives or its score are this many times what was last told
QUOTE_LENGTH = 280  # characters
WATCH = "watch"  # who does what this module decides

Spike = Mapping[str, Any]  # a row of negative_spikes
Event = Mapping[str, Any]  # a row of ALERTS
Series = tuple[str, str | None]  # brand and aspect
QuotesOf = Callable[[str, datetime], Sequence[Mapping[str, Any]]]  # (brand, since) -> quotes


def no_quotes(brand: str, since: datetime) -> list[dict[str, Any]]:
    """Return no quotes: for whoever wants events without their evidence in words."""
    return []


def events(
    spikes: Iterable[Spike], past: Iterable[Event], now: datetime, quotes_of: QuotesOf = no_quotes
) -> list[dict[str, Any]]:
    """Return the ALERTS rows to append now, oldest first; none if nothing changed.

    spikes: all rows of negative_spikes, old ones too (they tell that an alert is over). past: every event so far.
    now: UTC. Times without a zone are taken as UTC. quotes_of is asked only for alerts that open or grow.
    """
    runs = {series: _runs(rows) for series, rows in _by_series(spikes).items()}
    known: dict[Series, list[Alert]] = defaultdict(list)
    for alert in _alerts(past):
        known[alert.series].append(alert)
    new: list[dict[str, Any]] = []
    for series in sorted(runs.keys() | known.keys(), key=lambda s: (s[0], s[1] or "")):
        new += _of_series(series, runs.get(series, []), known[series], now, quotes_of)
    return new


def undelivered(past: Iterable[Event], target: str | None = None) -> list[dict[str, Any]]:
    """Return for each alert the newest event worth telling (opened or grew) that was not told since.

    target: told to this person or address (`by` of a notified event); None: told to anyone. Alerts that
    are resolved by now are among them: what could not be delivered is late, not void.
    """
    waiting: dict[str, dict[str, Any]] = {}
    for event in _in_order(past):
        if event["event"] in {"opened", "grew"}:
            waiting[event["alert_id"]] = dict(event)
        elif event["event"] == "notified" and target in {None, event["by"]}:
            waiting.pop(event["alert_id"], None)
    return list(waiting.values())


def quotes(connection: duckdb.DuckDBPyConnection, brand: str, since: datetime, limit: int = 3) -> list[dict[str, Any]]:
    """Return representative words against a brand since a time (UTC): text, url, source, published_at, author.

    At most `limit`, of different authors and texts, the weightiest first (sql/queries/quotes.sql); texts longer than
    QUOTE_LENGTH are cut. published_at is ISO 8601. They are other people's words: escape them where they are shown.
    """
    rows = connection.execute(
        statement("queries", "quotes").text,
        {"brand": brand, "since": _utc(since).replace(tzinfo=None), "quotes": limit},
    ).fetchall()
    return [
        {
            "text": words if len(words) <= QUOTE_LENGTH else words[: QUOTE_LENGTH - 1].rstrip() + "…",
            "url": url,
            "source": source,
            "published_at": _utc(published_at).isoformat(),
            "author": author,
        }
        for words, url, source, published_at, author in rows
    ]


class Run(NamedTuple):
    """Spike hours that belong together, in order."""

    spikes: list[Spike]

    @property
    def since(self) -> datetime:
        return _utc(self.spikes[0]["hour"])

    @property
    def until(self) -> datetime:
        """The end of its last hour."""
        return _utc(self.spikes[-1]["hour"]) + timedelta(hours=1)

    @property
    def worst(self) -> Spike:
        return max(self.spikes, key=lambda spike: spike["score"])

    def after(self, closed_at: datetime | None) -> "Run | None":
        """The hours of it that began later, all if closed_at is None; None if there are none.

        The hour that was running does not count: whoever closed the alert then would be told of it again.
        """
        later = [spike for spike in self.spikes if closed_at is None or _utc(spike["hour"]) >= closed_at]
        return Run(later) if later else None


class Alert(NamedTuple):
    """One alert as its events so far tell it."""

    alert_id: str
    series: Series
    evidence: Mapping[str, Any]  # of the last opened or grew
    resolved_at: datetime | None

    @property
    def since(self) -> datetime:
        return _utc(datetime.fromisoformat(self.evidence["since"]))

    @property
    def until(self) -> datetime:
        return _utc(datetime.fromisoformat(self.evidence["until"]))


def _of_series(
    series: Series, runs: Sequence[Run], alerts: Sequence[Alert], now: datetime, quotes_of: QuotesOf
) -> list[dict[str, Any]]:
    new: list[dict[str, Any]] = []
    over = {alert.alert_id for alert in alerts if alert.resolved_at is None}
    for whole in runs:
        same = [alert for alert in alerts if _same(alert, whole)]
        alert = next((alert for alert in reversed(same) if alert.resolved_at is None), None)
        run = whole.after(_closed_at(same, alert))
        if run is None or (alert is None and now - run.until > TOO_OLD):
            continue
        alert_id = alert.alert_id if alert else _id(series, run)
        if alert is None:
            new.append(_told(series, run, "opened", now, quotes_of, alert_id))
        elif _grew(alert, run):
            new.append(_told(series, run, "grew", now, quotes_of, alert_id))
        if now - run.until < COOLDOWN:
            over.discard(alert_id)
        else:
            over.add(alert_id)
    reason = {"reason": f"no spike for {COOLDOWN // timedelta(hours=1)} hours"}
    return new + [_event(series, "resolved", now, alert_id, reason) for alert_id in sorted(over)]


def _same(alert: Alert, run: Run) -> bool:
    """Whether a run is what this alert is about: late posts may move a run's ends, so its id alone cannot tell."""
    return run.since - alert.until < COOLDOWN and alert.since - run.until < COOLDOWN


def _closed_at(same: Iterable[Alert], standing: Alert | None) -> datetime | None:
    """Return when alerts of a run were last closed, before the standing one began if there is one; None if never."""
    ends = [alert.resolved_at for alert in same if alert.resolved_at]
    return max((end for end in ends if standing is None or end <= standing.since), default=None)


def _grew(alert: Alert, run: Run) -> bool:
    told = alert.evidence
    most = max(spike["negatives"] for spike in run.spikes)
    return run.worst["score"] >= DOUBLED * told["score"] or most >= DOUBLED * told["peak_negatives"]


def _told(series: Series, run: Run, what: str, now: datetime, quotes_of: QuotesOf, alert_id: str) -> dict[str, Any]:
    worst = run.worst
    evidence = {
        "since": run.since.isoformat(),
        "until": run.until.isoformat(),
        "window_hours": worst["window_hours"],
        "negatives": worst["negatives"],
        "expected": worst["expected"],
        "mentions": worst["mentions"],
        "share": worst["negative_share"],
        "expected_share": worst["expected_share"],
        "score": worst["score"],
        "peak_negatives": max(spike["negatives"] for spike in run.spikes),
        "quotes": list(quotes_of(series[0], run.since)),
    }
    return _event(series, what, now, alert_id, evidence)


def _event(series: Series, what: str, now: datetime, alert_id: str, evidence: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "alert_id": alert_id,
        "brand": series[0],
        "aspect": series[1],
        "event": what,
        "at": now,
        "by": WATCH,
        "evidence": json.dumps(evidence, ensure_ascii=False),
    }


def _by_series(spikes: Iterable[Spike]) -> dict[Series, list[Spike]]:
    found: dict[Series, list[Spike]] = defaultdict(list)
    for spike in spikes:
        found[spike["brand"], spike.get("aspect")].append(spike)
    return {series: sorted(rows, key=lambda spike: _utc(spike["hour"])) for series, rows in found.items()}


def _runs(rows: Sequence[Spike]) -> list[Run]:
    runs: list[Run] = []
    for spike in rows:
        if runs and _utc(spike["hour"]) - _utc(runs[-1].spikes[-1]["hour"]) <= COOLDOWN:
            runs[-1].spikes.append(spike)
        else:
            runs.append(Run([spike]))
    return runs


def _alerts(past: Iterable[Event]) -> list[Alert]:
    """Return the alerts in the order they were opened."""
    found: dict[str, Alert] = {}
    for event in _in_order(past):
        known = found.get(event["alert_id"])
        if event["event"] in {"opened", "grew"}:
            evidence = _untold(_utc(event["at"])) | json.loads(event["evidence"])
            resolved_at = known.resolved_at if known else None
            found[event["alert_id"]] = Alert(
                event["alert_id"], (event["brand"], event["aspect"]), evidence, resolved_at
            )
        elif event["event"] == "resolved" and known:
            found[event["alert_id"]] = known._replace(resolved_at=_utc(event["at"]))
    return list(found.values())


def _untold(at: datetime) -> dict[str, Any]:
    """What stands for evidence that an event, written by hand, does not give: it is short, and cannot grow."""
    return {"since": at.isoformat(), "until": at.isoformat(), "score": math.inf, "peak_negatives": math.inf}


def _in_order(past: Iterable[Event]) -> list[Event]:
    rank = {"opened": 0, "grew": 1, "notified": 2}  # at the same moment, what was told came before the telling
    return sorted(past, key=lambda event: (_utc(event["at"]), rank.get(event["event"], 3)))


def _id(series: Series, run: Run) -> str:
    told = json.dumps([series[0], series[1], run.since.isoformat()])
    return hashlib.sha256(told.encode()).hexdigest()[:16]


def _utc(at: datetime) -> datetime:
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
