"""What is noticed of brands besides negative spikes, from the snapshot as it is: worth telling whoever asked for it.

A complaint worth an answer, a spike of praise, one of a competitor, a feed gone silent, an aspect or a phrase of
complaints on the rise. The files under sql/queries/ say when something is noticed, warehouse/opportunities.py what
becomes of it.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import duckdb
import numpy as np

from warehouse import spikes
from warehouse.alerts import COOLDOWN
from warehouse.evidence import phrases_on_the_rise, quoted
from warehouse.opportunities import Noticed
from warehouse.spike_rules import Rules
from warehouse.statements import statement

HOUR = timedelta(hours=1)
QUOTES = 3
TEXTS_AT_LEAST = 5  # with a phrase
RISING_DAYS = 3  # in which phrases are looked for; as rising_aspects has it
Rows = list[dict[str, Any]]


class SpikeHour(NamedTuple):
    """An hour that spikes, with what is told of it. hour: its start, UTC without a zone."""

    hour: datetime
    score: float
    told: Mapping[str, Any]


def noticed(
    connection: duckdb.DuckDBPyConnection, wanted: Mapping[str, Collection[str]], rules: Rules
) -> list[Noticed]:
    """Return what stands now, of the kinds that each brand asks for. rules: of spikes, praise's too."""
    if not any(wanted.values()):
        return []
    looks = {
        "recovery": lambda asking: _complaints(connection, asking),
        "praise": lambda asking: _praise(connection, asking, rules),
        "competitor": lambda asking: _competitors(connection, asking),
        "silent_feed": lambda asking: _silent_feeds(connection, asking),
        "rising_aspect": lambda asking: _rising_aspects(connection, asking),
        "rising_phrase": lambda asking: _rising_phrases(connection, asking),
    }
    found: list[Noticed] = []
    for kind, look in looks.items():
        if asking := sorted(brand for brand, kinds in wanted.items() if kind in kinds):
            found += look(asking)
    return found


def standing_run(hours: Iterable[SpikeHour], until: datetime) -> list[SpikeHour]:
    """Return the last hours that belong together, not more than COOLDOWN apart; none if they ended that long ago.

    until: UTC without a zone.
    """
    run: list[SpikeHour] = []
    for one in sorted(hours, key=lambda one: one.hour):
        run = [*run, one] if run and one.hour - run[-1].hour <= COOLDOWN else [one]
    return run if run and until - run[-1].hour - HOUR < COOLDOWN else []


def _complaints(connection: duckdb.DuckDBPyConnection, brands: Sequence[str]) -> list[Noticed]:
    now, handles = _published_at(connection), _handles(connection)
    return [
        Noticed(
            kind="recovery",
            brand=row["brand"],
            since=row["published_at"],
            until=now,
            subject=row["author"],
            evidence={
                "post_id": row["post_id"],
                "complaints": row["complaints"],
                "followers": row["reach"],
                "is_heard": row["is_heard"],
                "about": {"aspects": [row["aspect"]] if row["aspect"] else [], "sources": [row["source"]]},
                "quotes": [quoted(row, handles)],
            },
        )
        for row in _rows(connection, "complaints_to_answer", brands=brands)
    ]


def _praise(connection: duckdb.DuckDBPyConnection, brands: Sequence[str], rules: Rules) -> list[Noticed]:
    now, handles = _published_at(connection), _handles(connection)
    found = []
    for brand, hours in _praise_hours(connection, brands, rules).items():
        if not (run := standing_run(hours, now)):
            continue
        until = run[-1].hour + HOUR
        asked = {"brand": brand, "since": run[0].hour, "until": until, "quotes": QUOTES}
        quotes = [quoted(row, handles) for row in _rows(connection, "praise_quotes", **asked)]
        worst = max(run, key=lambda one: one.score)
        found.append(Noticed("praise", brand, run[0].hour, until, {**worst.told, "quotes": quotes}))
    return found


def _praise_hours(
    connection: duckdb.DuckDBPyConnection, brands: Sequence[str], rules: Rules
) -> dict[str, list[SpikeHour]]:
    """Return the hours in which praise spikes, by brand: the detector of negative spikes, given what is for it."""
    rows = _rows(connection, "praise_hours", brands=brands)
    if not rows:
        return {}
    number = {brand: place for place, brand in enumerate(sorted({row["brand"] for row in rows}))}
    at = [int(row["hour"].replace(tzinfo=UTC).timestamp()) // 3600 for row in rows]
    counts = [[np.nan if row[name] is None else float(row[name]) for row in rows] for name in ("mentions", "positives")]
    verdicts = spikes.judge([number[row["brand"]] for row in rows], at, counts[0], counts[1], rules=rules)
    found: dict[str, list[SpikeHour]] = {}
    for place in np.flatnonzero(verdicts.told).tolist():
        mentions, positives = float(verdicts.mentions[place]), float(verdicts.negatives[place])
        told = {
            "window_hours": int(verdicts.window[place]),
            "positives": round(positives),
            "usual_positives": float(verdicts.expected[place]),
            "positive_share": positives / mentions,
            "usual_positive_share": float(verdicts.expected_share[place]),
        }
        hour = SpikeHour(rows[place]["hour"], float(verdicts.score[place]), told)
        found.setdefault(rows[place]["brand"], []).append(hour)
    return found


def _competitors(connection: duckdb.DuckDBPyConnection, brands: Sequence[str]) -> list[Noticed]:
    now = _published_at(connection)
    hours: dict[str, dict[str, list[SpikeHour]]] = {}
    for row in _rows(connection, "competitor_spikes", brands=brands):
        told = {name: row[name] for name in ("competitor", "window_hours", "negatives", "expected")}
        one = SpikeHour(row["hour"], row["score"], told)
        hours.setdefault(row["brand"], {}).setdefault(row["competitor"], []).append(one)
    found = []
    for brand, rivals in hours.items():
        runs = [run for name in sorted(rivals) if (run := standing_run(rivals[name], now))]
        if runs:
            told = [{**max(run, key=lambda one: one.score).told, "since": _iso(run[0].hour)} for run in runs]
            since, until = min(run[0].hour for run in runs), max(run[-1].hour for run in runs) + HOUR
            members = [one["competitor"] for one in told]
            found.append(Noticed("competitor", brand, since, until, {"competitors": told}, members=members))
    return found


def _silent_feeds(connection: duckdb.DuckDBPyConnection, brands: Sequence[str]) -> list[Noticed]:
    now = _published_at(connection)
    return [
        Noticed(
            "silent_feed",
            brand,
            min(row["since"] for row in rows),
            now,
            {
                "feeds": [
                    {**{name: row[name] for name in ("feed", "source", "error")}, "since": _iso(row["since"])}
                    | {"usual_posts_per_day": row["usual_posts_per_day"]}
                    for row in rows
                ]
            },
            members=[row["feed"] for row in rows],
        )
        for brand, rows in _by_brand(_rows(connection, "silent_feeds", brands=brands)).items()
    ]


def _rising_aspects(connection: duckdb.DuckDBPyConnection, brands: Sequence[str]) -> list[Noticed]:
    now = _published_at(connection)
    names = ("value", "n", "expected", "usual_n", "z")
    return [
        Noticed(
            "rising_aspect",
            brand,
            rows[0]["since"],
            now,
            {
                "aspects": [{name: row[name] for name in names} for row in rows],
                "about": {"aspects": [row["value"] for row in rows], "sources": []},
            },
            members=[row["value"] for row in rows],
        )
        for brand, rows in _by_brand(_rows(connection, "rising_aspects", brands=brands)).items()
    ]


def _rising_phrases(connection: duckdb.DuckDBPyConnection, brands: Sequence[str]) -> list[Noticed]:
    now = _published_at(connection)
    since = now.replace(minute=0, second=0, microsecond=0) - timedelta(days=RISING_DAYS)
    spiking = _spiking(connection, since)
    found = []
    for brand in (brand for brand in brands if brand not in spiking):
        rising = phrases_on_the_rise(connection, brand, since, now)
        if phrases := [phrase for phrase in rising if phrase["n"] >= TEXTS_AT_LEAST]:
            members = [phrase["value"] for phrase in phrases]
            found.append(Noticed("rising_phrase", brand, since, now, {"phrases": phrases}, members=members))
    return found


def _spiking(connection: duckdb.DuckDBPyConnection, since: datetime) -> set[str]:
    """Return the brands that spiked since then: what people say of those is told with the spike."""
    spiked = connection.execute(
        "SELECT DISTINCT brand FROM negative_spikes WHERE hour >= $since AND aspect IS NULL AND source IS NULL",
        {"since": since},
    )
    return {brand for [brand] in spiked.fetchall()}


def _rows(connection: duckdb.DuckDBPyConnection, name: str, **asked: Any) -> Rows:
    cursor = connection.execute(statement("queries", name).text, asked)
    names = [column[0] for column in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _handles(connection: duckdb.DuckDBPyConnection) -> set[str]:
    return {row["handle"] for row in _rows(connection, "brand_handles")}


def _by_brand(rows: Rows) -> dict[str, Rows]:
    found: dict[str, Rows] = {}
    for row in rows:
        found.setdefault(row["brand"], []).append(row)
    return found


def _published_at(connection: duckdb.DuckDBPyConnection) -> datetime:
    [[at]] = connection.execute("SELECT published_at FROM lake.snapshot").fetchall()
    return at


def _iso(at: datetime) -> str:
    return at.replace(tzinfo=UTC).isoformat()
