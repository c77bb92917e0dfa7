"""When to visit a feed next: a quiet one less often, a failing one less and less, and never before what it asks.

The plan of a visit stands in its row of `visits`, so that it costs no write of its own. Airflow's runs visit the feeds
that are due; by hand, all are visited. All pure, except `last_visits`, which reads the lake.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute

from warehouse.lake import DamagedFile, Lake

pc: Any = pyarrow.compute  # its functions are made at import, where no type checker sees them

LONGEST = timedelta(days=1)  # no plan goes further, whatever a server asks or a feed says, but that of a dead feed
DEAD_AFTER = timedelta(days=14)  # of nothing but failures; live channels answer 404 for days (ocaml.org#3512)
RARELY = timedelta(days=7)  # between two visits of a dead feed
SLACK = timedelta(minutes=5)  # a run that begins a little early still visits what is due in a moment
LOOK_BACK = RARELY + timedelta(days=1)  # a plan that is older is over anyway
NO_ANSWER = frozenset({"failed", "blocked", "gone"})
_TOLD = ("feed", "started_at", "outcome", "next_visit_at", "failing_since")


@dataclass(frozen=True)
class LastVisit:
    """The newest visit of a feed: when, how it ended, when the next one was planned for, and since when it fails."""

    started_at: datetime
    outcome: str
    next_visit_at: datetime
    failing_since: datetime | None = None

    @property
    def pause(self) -> timedelta:
        """Return how long after it the next visit was to be."""
        return self.next_visit_at - self.started_at


@dataclass(frozen=True)
class Plan:
    """When the next visit is due, and what it waits for; None where that is only its turn.

    failing_since: when the first of the failures began that nothing but failures followed; None after an answer.
    """

    next_visit_at: datetime
    waiting_for: str | None
    failing_since: datetime | None = None


def plan(
    outcome: str,
    started_at: datetime,
    last: LastVisit | None,
    bounds: tuple[timedelta, timedelta],
    *,
    rest: timedelta | None = None,
    retry_at: datetime | None = None,
) -> Plan:
    """Return when to visit a feed again.

    bounds: the shortest and the longest pause of a feed that answers. rest: what the feed asks for between visits.
    retry_at: before which its server wants no request.
    """
    failing_since = None
    if outcome in NO_ANSWER:
        failing_since = (last.failing_since if last is not None else None) or started_at
        if started_at - failing_since >= DEAD_AFTER:
            waiting_for = f"dead, nothing but failures since {failing_since:%Y-%m-%d}"
            return Plan(started_at + RARELY, waiting_for, failing_since)
    pause = pause_after(outcome, last, bounds)
    waiting_for = None
    if outcome in NO_ANSWER:
        waiting_for = {"blocked": "it refuses us", "gone": "it is gone"}.get(outcome, "it failed")
    elif pause > bounds[0]:
        waiting_for = "it is quiet"
    if rest is not None and min(rest, LONGEST) > pause:
        pause, waiting_for = min(rest, LONGEST), "it asks for this pause"
    due = started_at + pause
    if retry_at is not None and min(retry_at, started_at + LONGEST) > due:
        due, waiting_for = min(retry_at, started_at + LONGEST), "its server asks to wait"
    return Plan(due, waiting_for, failing_since)


def pause_after(outcome: str, last: LastVisit | None, bounds: tuple[timedelta, timedelta]) -> timedelta:
    """Return the pause after a visit: half as long after something new, half longer after nothing, twice as long after
    each failure.
    """
    shortest, longest = bounds
    answered = last is not None and last.outcome not in NO_ANSWER
    if outcome in NO_ANSWER:
        first = shortest if outcome == "failed" else 2 * shortest
        return first if last is None or answered else min(2 * max(last.pause, first), max(longest, LONGEST))
    before = min(max(last.pause, shortest), longest) if last is not None and answered else shortest
    if outcome == "capped":  # there is more, now
        return shortest
    return max(before / 2, shortest) if outcome == "new" else min(before * 1.5, longest)


def is_due(last: LastVisit | None, now: datetime) -> bool:
    """Return whether a feed is to be visited by a run that begins now."""
    return last is None or last.next_visit_at <= now + SLACK


def last_visits(lake: Lake, now: datetime) -> dict[str, LastVisit]:
    """Return the newest visit of each feed of late, by feed; a file of visits that cannot be read tells nothing."""
    read = []
    for path in _recent(lake.files("visits"), (now - LOOK_BACK).date()):
        try:
            read.append(lake.read(path).select(_TOLD))
        except (DamagedFile, FileNotFoundError):
            continue
    if not read:
        return {}
    visits = pa.concat_tables(read)
    planned = visits.filter(pc.is_valid(visits.column("next_visit_at"))).sort_by("started_at")
    newest = {feed: place for place, feed in enumerate(planned.column("feed").to_pylist())}
    rows = planned.take(pa.array(newest.values(), pa.int64())).to_pylist()
    return {row.pop("feed"): LastVisit(**row) for row in rows}


def _recent(paths: Iterable[str], since: date) -> list[str]:
    return [path for path in paths if path.split("/date=", 1)[1][:10] >= since.isoformat()]
