"""One watch: spikes, and what else brands ask for, become alert events; owners are told what they were not told yet.

An event is appended before anybody is told of it, and that somebody was told only after it was so. A crash between
the two tells twice; it never loses an alert.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from dags import alert_events
from dags.notify import Patience, Undeliverable
from dags.settings import Settings
from dags.summary import ask, reading
from dags.telling import tell_due
from warehouse import alerts, noticing, opportunities
from warehouse.evidence import gather
from warehouse.lake import Lake
from warehouse.statements import statement

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


@dataclass(frozen=True)
class Watched:
    """What one watch did.

    counts: events appended, by kind. told: owners told. undelivered: owners whom no channel reached; unreachable:
    alerts for which listening.toml or the environment names nobody. Both with the reason, both tried again.
    fallbacks: channels that failed, though another one reached the owner. unread: files of past events that are
    damaged; what they held may be told again.
    """

    counts: dict[str, int]
    told: tuple[str, ...]
    undelivered: tuple[str, ...]
    unreachable: tuple[str, ...]
    fallbacks: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()

    def raise_for_undelivered(self) -> None:
        """Raise Undeliverable where a delivery was tried and failed, so that a scheduler tries again."""
        if self.undelivered:
            raise Undeliverable("; ".join(self.undelivered))


def watch_once(
    lake: Lake, settings: Settings, now: datetime, environment: Mapping[str, str], patience: Patience
) -> Watched:
    """Append the events of now and tell owners. Raises DatabaseMissing where nothing was published yet."""
    with lake.lock("watch"):
        past, unread = alert_events.read(lake)
        with reading(settings.database) as database:
            spikes, _ = ask(database, "FROM negative_spikes")
            new = alerts.events(spikes, past, now, partial(gather, database), _heard(database, settings))
            wanted = {brand.name: brand.alerts for brand in settings.brands}
            noticed = noticing.noticed(database, wanted, settings.alerts.rules.as_rules)
        new += opportunities.events(noticed, past, now, wanted)
        alert_events.append(lake, new, now)
        record = partial(alert_events.append, lake, now=now)
        told = tell_due([*past, *new], settings, now, environment, record, patience)
    return Watched(
        counts=dict(Counter(event["event"] for event in [*new, *told.events])),
        told=tuple(told.owners),
        undelivered=tuple(told.undelivered),
        unreachable=tuple(told.unreachable),
        fallbacks=tuple(told.fallbacks),
        unread=tuple(unread),
    )


def _heard(database: "DuckDBPyConnection", settings: Settings) -> dict[str, datetime]:
    """Return until when each brand that listening.toml still names was heard, as of the last publish."""
    rows, _ = ask(database, statement("queries", "heard_until").text)
    named = {brand.name for brand in settings.brands}
    return {row["brand"]: row["heard_until"].replace(tzinfo=UTC) for row in rows if row["brand"] in named}
