"""One watch: spikes become alert events, and owners are told what they were not told yet.

An event is appended before anybody is told of it, and that somebody was told only after it was so. A crash between
the two tells twice; it never loses an alert.
"""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pyarrow as pa

from dags.notify import NoChannel, Undeliverable, channel_of, owner_of, tell
from dags.settings import Settings
from dags.summary import ask, reading
from warehouse import alerts
from warehouse.lake import DamagedFile, Lake
from warehouse.tables import ALERTS, conform

QUOTES = 3


@dataclass(frozen=True)
class Watched:
    """What one watch did.

    counts: events appended, by kind. told: owners told. undelivered: deliveries tried that failed; unreachable:
    alerts for which listening.toml or the environment names nobody. Both with the reason, both tried again.
    unread: files of past events that are damaged; what they held may be told again.
    """

    counts: dict[str, int]
    told: tuple[str, ...]
    undelivered: tuple[str, ...]
    unreachable: tuple[str, ...]
    unread: tuple[str, ...] = ()

    def raise_for_undelivered(self) -> None:
        """Raise Undeliverable where a delivery was tried and failed, so that a scheduler tries again."""
        if self.undelivered:
            raise Undeliverable("; ".join(self.undelivered))


def watch_once(lake: Lake, settings: Settings, now: datetime, environment: Mapping[str, str]) -> Watched:
    """Append the events of now and tell owners. Raises DatabaseMissing where nothing was published yet."""
    with lake.lock("watch"):
        past, unread = _events(lake)
        with reading(settings.database) as database:
            spikes, _ = ask(database, "FROM negative_spikes")
            new = alerts.events(
                spikes, past, now, lambda brand, since: alerts.quotes(database, brand, since, limit=QUOTES)
            )
        _append(lake, new, now)
        counts = Counter(event["event"] for event in new)
        told: list[str] = []
        undelivered: list[str] = []
        unreachable: list[str] = []
        for event in alerts.undelivered([*past, *new]):
            try:
                owner = _tell_owner(event, settings, environment)
            except NoChannel as error:
                unreachable.append(f"{event['brand']}: {error}")
            except Undeliverable as error:
                undelivered.append(f"{event['brand']}: {error}")
            else:
                _append(lake, [{**event, "event": "notified", "by": owner, "at": now}], now)
                counts["notified"] += 1
                told.append(owner)
    return Watched(dict(counts), tuple(told), tuple(undelivered), tuple(unreachable), tuple(unread))


def message(event: Mapping[str, Any]) -> tuple[str, str]:
    """Return the title and the plain text an owner reads: what happened, against what is usual, in whose words."""
    evidence = json.loads(event["evidence"])
    grew = "is growing" if event["event"] == "grew" else "is spiking"
    lines = [
        f"{evidence['negatives']} negative mentions in {evidence['window_hours']} h; "
        f"{evidence['expected']:.1f} would be usual.",
        f"{100 * evidence['share']:.0f} % of what is said is negative, "
        f"where {100 * evidence['expected_share']:.0f} % is usual.",
        f"Since {evidence['since'][:16].replace('T', ' ')} UTC.",
        "",
        "What people say:",
    ]
    for quote in evidence["quotes"]:
        lines += [f"- {' '.join(quote['text'].split())}", f"  ({quote['source']}, {quote['url'] or 'no address'})"]
    return f"{event['brand']}: negative word of mouth {grew}", "\n".join(lines)


def _tell_owner(event: Mapping[str, Any], settings: Settings, environment: Mapping[str, str]) -> str:
    brand = next((brand for brand in settings.brands if brand.name == event["brand"]), None)
    owner = owner_of(brand, event["aspect"]) if brand else None
    if owner is None:
        raise NoChannel(f"nobody owns it: name a default owner in its [[brand]] in {settings.source_file}")
    tell(channel_of(owner, settings.alerts, environment), *message(event))
    return owner


def _events(lake: Lake) -> tuple[list[dict[str, Any]], list[str]]:
    """Return the events of the files that can be read, and what is wrong with the other files."""
    events, unread = [], []
    for path in lake.files("alerts"):
        try:
            events += lake.read(path).to_pylist()
        except DamagedFile as error:
            unread.append(str(error))
    return events, unread


def _append(lake: Lake, events: list[dict[str, Any]], now: datetime) -> None:
    if events:
        batch = pa.RecordBatch.from_pylist([{name: event[name] for name in ALERTS.names} for event in events], ALERTS)
        kinds = "-".join(sorted({f"{event['event']}-{event['alert_id']}" for event in events}))
        lake.append(conform(batch, ALERTS), ALERTS, f"{now:%Y%m%dT%H%M%S%f}-{kinds}")
