"""The events of alerts in the lake: few and small, read whole and appended a file at a time."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import pyarrow as pa

from warehouse.lake import DamagedFile, Lake
from warehouse.tables import ALERTS, conform

KEY = ("alert_id", "event", "at", "by")


def read(lake: Lake) -> tuple[list[dict[str, Any]], list[str]]:
    """Return the events of the files that can be read, and what is wrong with the other files."""
    events, unread = [], []
    for path in lake.files("alerts"):
        try:
            events += lake.read(path).to_pylist()
        except DamagedFile as error:
            unread.append(str(error))
    return events, unread


def append(lake: Lake, events: Sequence[Mapping[str, Any]], now: datetime) -> None:
    """Store events, rows of ALERTS; the same ones once more change nothing. A column that a row lacks is NULL."""
    if events:
        rows = [{name: event.get(name) for name in ALERTS.names} for event in events]
        keys = json.dumps(sorted([str(row[name]) for name in KEY] for row in rows))
        name = f"{now:%Y%m%dT%H%M%S%f}-{hashlib.sha256(keys.encode()).hexdigest()[:16]}"
        lake.append(conform(pa.RecordBatch.from_pylist(rows, ALERTS), ALERTS), ALERTS, name)
