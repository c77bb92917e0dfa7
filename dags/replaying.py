"""`wom replay`: what rules would have told over stored history, side by side with today's and with what was told.

Nothing is stored, and no rule is changed: whoever likes a proposal writes it into listening.toml.
"""

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dags.settings import Settings, SettingsError, read_rules
from dags.summary import ask, published_at, reading
from warehouse import replay
from warehouse.brand_verdicts import Counted
from warehouse.replay import Figures, Incident
from warehouse.spike_rules import Rules
from warehouse.spikes import DAYS_AT_LEAST
from warehouse.statements import statement

if TYPE_CHECKING:
    import pyarrow as pa
    from duckdb import DuckDBPyConnection

AS_TOLD, TODAY = "as it was told", "today's rules"
OPENS_TRIED = tuple(0.25 * step for step in range(1, 9))  # above today's
NEGATIVES_TRIED = (8, 10, 15, 20, 30)
PARTS_DAYS = 120  # aspects and sources are judged no further back (sql/queries/judged_series.sql)

Step = Callable[[str, int], contextlib.AbstractContextManager[Callable[[int], None]]]  # (what is done, on how many)


@dataclass(frozen=True)
class Way:
    """One way of telling: its name, its rules (None: whatever they were when it was told), and what it told."""

    name: str
    rules: Rules | None
    figures: Figures
    incidents: tuple[Incident, ...]


@dataclass(frozen=True)
class Proposal:
    """What labels speak for. rules: None where they speak for none. reason: why, and on how many alerts it rests."""

    rules: Rules | None
    figures: Figures | None
    reason: str
    tried: tuple[Way, ...]


@dataclass(frozen=True)
class Replayed:
    """What a replay showed. ways: as it was told, by today's rules, and by others. Times are UTC."""

    since: datetime
    until: datetime
    ways: tuple[Way, ...]
    proposal: Proposal | None
    warnings: tuple[str, ...]


def replayed(
    settings: Settings,
    events: Sequence[Mapping[str, Any]],
    *,
    days: int,
    other: Path | None = None,
    is_tuned: bool = False,
    step: Step,
) -> Replayed:
    """Return what would have been told in the last days before the file was published.

    events: of all alerts so far. other: a TOML file whose [alerts.rules] are tried too. step: shows what is being done;
    what it gives is called with how many things are done. Raises SettingsError, and DatabaseMissing
    where nothing was published yet.
    """
    today = settings.alerts.rules.as_rules
    others = {str(other): read_rules(other)} if other else {}
    with reading(settings.database) as database:
        until = published_at(database).replace(tzinfo=UTC)
        bench = _Bench(database, until - timedelta(days=days), until, events, step)
        tried = {TODAY: today, **others}
        real, *told = replay.begun_alike([bench.real, *(bench.told(name, rules) for name, rules in tried.items())])
        ways = [bench.as_told(real), *(bench.way(name, tried[name], by) for name, by in zip(tried, told, strict=True))]
        proposal = _proposal(bench, ways[1]) if is_tuned else None
    return Replayed(bench.since, until, tuple(ways), proposal, tuple(bench.warnings()))


class _Bench:
    """Where ways of telling are tried on the same hours of the same file."""

    def __init__(
        self,
        database: "DuckDBPyConnection",
        since: datetime,
        until: datetime,
        events: Sequence[Mapping[str, Any]],
        step: Step,
    ) -> None:
        self._database, self._step = database, step
        [row] = ask(database, "SELECT min(hour) AS first_hour FROM brand_hours")[0]
        if row["first_hour"] is None:
            raise SettingsError("nothing was heard yet: there is no history to replay")
        self.since, self.until = max(since, row["first_hour"].replace(tzinfo=UTC)), until
        asked = {"since": _naive(self.since), "until": _naive(until), "days": DAYS_AT_LEAST}
        judged, _ = ask(database, statement("queries", "judged_hours").text, asked)
        self._hours = sum(row["hours"] for row in judged)
        self.real = [one for one in replay.incidents(events) if self.since <= one.opened_at <= until]
        self._counted: dict[int, Counted] = {}

    def as_told(self, real: Sequence[Incident]) -> Way:
        return Way(AS_TOLD, None, replay.figures(real, real, self._hours, is_real=True), tuple(real))

    def way(self, name: str, rules: Rules, told: Sequence[Incident]) -> Way:
        figures = replay.figures(told, self.real, self._hours)
        return Way(name, rules, figures, tuple(replay.compared(told, self.real)))

    def told(self, name: str, rules: Rules) -> list[Incident]:
        """Return what would have been told by rules."""
        with self._step(f"rules judged: {name}", 1) as advance:
            spikes = self._spikes(rules)
            advance(1)
        with self._step(f"brands watched: {name}", len({spike["brand"] for spike in spikes})) as advance:
            return replay.walk(spikes, self.since, self.until, lambda brand: advance(1))

    def warnings(self) -> Iterator[str]:
        if not self._hours:
            yield f"no brand was heard on {DAYS_AT_LEAST} days before: all are warming up, and nothing can be told yet"
        if self.until - self.since > timedelta(days=PARTS_DAYS):
            yield f"aspects and sources are judged in the last {PARTS_DAYS} days only; before, brands as a whole"

    def _spikes(self, rules: Rules) -> list[dict[str, Any]]:
        """Return what negative_spikes would hold by these rules."""
        least = rules.negatives_at_least
        if least not in self._counted:
            self._counted[least] = Counted.of(self._database, least)
        with _registered(self._database, "verdicts", self._counted[least].verdicts(rules)):
            return ask(self._database, statement("marts", "negative_spikes").text)[0]


def _proposal(bench: _Bench, today: Way) -> Proposal:
    """Return rules that tell less of what people said was none, and no less of what they said was one."""
    rules, labels = today.rules, today.figures
    assert rules is not None
    rests_on = f"{labels.true} alerts that people said were one, and {labels.false} that they said were none"
    if min(labels.true, labels.false) < replay.LABELS_AT_LEAST:
        reason = f"too few labels to propose anything: {rests_on}; {replay.LABELS_AT_LEAST} of each are due"
        return Proposal(None, None, reason, ())
    candidates = [replace(rules, opens=rules.opens + more) for more in OPENS_TRIED]
    candidates += [
        replace(rules, negatives_at_least=least) for least in NEGATIVES_TRIED if least > rules.negatives_at_least
    ]
    tried = tuple(_beside(today, bench, one) for one in candidates)
    place = replay.best(labels, [way.figures for way in tried])
    if place is None:
        return Proposal(
            None, None, f"no stricter rule spares false alerts and keeps the true ones; this rests on {rests_on}", tried
        )
    found = tried[place]
    reason = (
        f"{found.name}: it spares {labels.false - found.figures.false} of {labels.false} false alerts and loses no "
        f"true one; this rests on {rests_on}"
    )
    return Proposal(found.rules, found.figures, reason, tried)


def _beside(today: Way, bench: _Bench, rules: Rules) -> Way:
    assert today.rules is not None
    name = _difference(rules, today.rules)
    _, told = replay.begun_alike([today.incidents, bench.told(name, rules)])
    return bench.way(name, rules, told)


def _difference(one: Rules, other: Rules) -> str:
    """Return in what rules differ from others, as listening.toml has it."""
    before = asdict(other)
    return ", ".join(f"{name} = {value:g}" for name, value in asdict(one).items() if value != before[name])


@contextlib.contextmanager
def _registered(database: "DuckDBPyConnection", name: str, rows: "pa.Table") -> Iterator[None]:
    database.register(name, rows)
    try:
        yield
    finally:
        database.unregister(name)


def _naive(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(tzinfo=None)
