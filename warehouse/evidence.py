"""Why an incident: what a person needs to see, within a minute, whether it is one and what it is about.

Gathered when an incident is told, from the snapshot as it is then. Each figure can be asked for again, as of that time:
`sql` among the evidence says how. Where too little is known, the value is None and `reasons` says why.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import duckdb

from warehouse.firestorm import Incident, firestorm
from warehouse.redaction import redacted
from warehouse.statements import literal, statement

HOURS_SHOWN = 48
QUOTES, INCIDENTS = 3, 3
GREW_AT_LEAST = 1.96  # z of a part: beyond it, its share grew by more than chance
SHOWN = {"aspect": 5, "source": 5, "story": 3, "phrase": 6}  # of what grew, at most
SAME_PHRASE = 0.6  # of the texts with one word have the pair with it, too: then the word says no more
QUOTE_LENGTH = 280  # characters
READ_LENGTH = 2000  # characters of a text in which personal data is looked for

Rows = list[dict[str, Any]]


def gather(connection: duckdb.DuckDBPyConnection, brand: str, since: datetime, until: datetime) -> dict[str, Any]:
    """Return the evidence of an incident as what JSON can hold; times are ISO 8601, UTC.

    since, until: its first spiking hour and the end of its last, UTC. The window that first told of it may have begun
    earlier: then all of that is looked at, from evidence_since on.

    as_of: when what is said here was so. hours: the last 48 up to the end, each {hour, negatives, expected}, None where
    nobody listened or too little was heard before. aspects, sources, phrases: what grew, the most surely grown first,
    each {value, n, expected, usual_n, z}. stories: what went round, the same and {authors, first_at, source, url,
    text}. experience: shares {first_hand, second_hand, opinion, unknown} and {usual_first_hand, usual_second_hand}.
    new_authors_share and usual_new_authors_share: of those whose author is told. reach {people, unknown_share}: who
    may have read it, at most. quotes: as `quotes` returns them. firestorm {score, parts, reason}. similar: earlier
    incidents and how they ended. sql: one query that gives the counts again. reasons: why something is None or empty,
    by its name.
    """
    ask = _Asker(connection)
    starts, until = _starts(ask, brand, _utc(since), _utc(until)), _utc(until)
    [published] = ask("SELECT published_at FROM lake.snapshot")
    as_of = _utc(published["published_at"])
    asked = {"brand": brand, "since": _naive(starts), "until": _naive(until)}
    rows = ask("FROM what_grew($brand, $since, $until, as_of := $as_of)", {**asked, "as_of": _naive(as_of)})
    hours = ask.file("incident_hours", asked)
    [figures] = ask.file("incident_figures", asked)
    grown = {dimension: _grown(rows, dimension) for dimension in SHOWN}
    aspects = [row["value"] for row in grown["aspect"]]
    handles = {row["handle"] for row in ask.file("brand_handles")}
    experience, usual_experience = _shares(rows, "experience", "n"), _shares(rows, "experience", "usual_n")
    new, usual_new = (_new_share(rows, count) for count in ("n", "usual_n"))
    storm = firestorm(
        Incident(
            negatives=figures["negatives"],
            expected=_total([row for row in hours if _utc(row["hour"]) >= starts]),
            share=_share(figures["negatives"], figures["mentions"]),
            usual_share=figures["usual_share"],
            last=figures["last"],
            before=figures["before"],
            authors=tuple(figures["authors"]),
            new_authors_share=new,
            first_hand_share=experience["first_hand"],
            usual_first_hand_share=usual_experience["first_hand"],
        )
    )
    too_few = next((row["reason"] for row in rows if row["reason"]), None if rows else "nothing was heard")
    evidence: dict[str, Any] = {
        "as_of": as_of.isoformat(),
        "evidence_since": starts.isoformat(),
        "hours": [
            {"hour": _iso(row["hour"]), "negatives": row["negatives"], "expected": _rounded(row["expected"])}
            for row in hours[-HOURS_SHOWN:]
        ],
        "aspects": [_part(row) for row in grown["aspect"]],
        "sources": [_part(row) for row in grown["source"]],
        "stories": _stories(ask, brand, grown["story"], handles),
        "phrases": [_part(row) for row in grown["phrase"]],
        "experience": {
            **experience,
            "usual_first_hand": usual_experience["first_hand"],
            "usual_second_hand": usual_experience["second_hand"],
        },
        "new_authors_share": new,
        "usual_new_authors_share": usual_new,
        "reach": {"people": figures["reach"], "unknown_share": _rounded(figures["reach_unknown_share"])},
        "quotes": quotes(connection, brand, starts, until, aspects=aspects, handles=handles),
        "firestorm": {
            "score": _rounded(storm.score, 1),
            "parts": {name: _rounded(part) for name, part in storm.parts.items()},
            "reason": storm.reason,
        },
        "similar": _similar(ask, brand, starts, aspects),
        "sql": sql(brand, starts, until, as_of),
    }
    return {**evidence, "reasons": _reasons(evidence, too_few)}


def quotes(
    connection: duckdb.DuckDBPyConnection,
    brand: str,
    since: datetime,
    until: datetime,
    *,
    limit: int = QUOTES,
    aspects: Sequence[str] = (),
    handles: set[str] | None = None,
) -> Rows:
    """Return representative words against a brand within a time (UTC): text, url, source, published_at, author.

    At most `limit`, of different authors and stories, the weightiest first (sql/queries/incident_quotes.sql), rather
    about the aspects named; texts longer than QUOTE_LENGTH are cut, personal data is masked but for the handles given.
    published_at is ISO 8601. They are other people's words: escape them where they are shown.
    """
    ask = _Asker(connection)
    asked = {"brand": brand, "since": _naive(_utc(since)), "until": _naive(_utc(until))}
    found = ask.file("incident_quotes", {**asked, "aspects": list(aspects), "quotes": limit})
    return [quoted(row, handles or set()) for row in found]


def quoted(row: Mapping[str, Any], handles: set[str]) -> dict[str, Any]:
    """Return one quote as `quotes` does, of a row with words, url, source, published_at and author."""
    return {
        "text": _excerpt(row["words"], handles),
        "url": row["url"],
        "source": row["source"],
        "published_at": _iso(row["published_at"]),
        "author": row["author"],
    }


def phrases_on_the_rise(connection: duckdb.DuckDBPyConnection, brand: str, since: datetime, until: datetime) -> Rows:
    """Return what people say against a brand within a time (UTC), and did not before: parts as in `gather`."""
    asked = {"brand": brand, "since": _naive(_utc(since)), "until": _naive(_utc(until))}
    rows = _Asker(connection)("FROM what_grew($brand, $since, $until)", asked)
    return [_part(row) for row in _grown(rows, "phrase")]


def sql(brand: str, since: datetime, until: datetime, as_of: datetime) -> str:
    """Return the query that gives the counts of the evidence again, for as long as the lake holds its posts."""
    times = [f"TIMESTAMP '{_naive(at)}'" for at in (since, until, as_of)]
    return f"FROM what_grew({literal(brand)}, {times[0]}, {times[1]}, as_of := {times[2]})"


class _Asker:
    """Asks one connection: SQL and parameters in, rows as dicts out."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    def __call__(self, query: str, parameters: Mapping[str, Any] | None = None) -> Rows:
        cursor = self._connection.execute(query, dict(parameters or {}))
        names = [column[0] for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def file(self, name: str, parameters: Mapping[str, Any] | None = None) -> Rows:
        return self(statement("queries", name).text, parameters)


def _starts(ask: _Asker, brand: str, since: datetime, until: datetime) -> datetime:
    """Return the first hour of the window that first told of the incident; since where the snapshot shows none.

    Later windows reach back further than the incident does.
    """
    first = ask(
        """
        SELECT hour - (window_hours - 1) * INTERVAL 1 HOUR AS starts
        FROM negative_spikes
        WHERE brand = $brand AND hour >= date_trunc('hour', $since) AND hour < $until
        ORDER BY aspect IS NULL AND source IS NULL DESC, hour, window_hours
        LIMIT 1
        """,
        {"brand": brand, "since": _naive(since), "until": _naive(until)},
    )
    return min([since.replace(minute=0, second=0, microsecond=0), *(_utc(row["starts"]) for row in first)])


def _grown(rows: Rows, dimension: str) -> Rows:
    """Return what grew of a dimension, the most surely grown first."""
    found = [
        row
        for row in rows
        if row["dimension"] == dimension and row["value"] is not None and (row["z"] or 0) >= GREW_AT_LEAST
    ]
    found.sort(key=lambda row: (-row["z"], -row["n"], row["value"]))
    if dimension == "phrase":
        found = [row for row in found if not _is_said_by_another(row, found)]
    return found[: SHOWN[dimension]]


def _is_said_by_another(phrase: Mapping[str, Any], others: Rows) -> bool:
    """Whether a word is mostly said within a pair that grew too, or a pair is a small part of what a word says."""
    words = phrase["value"].split()
    if len(words) == 1:
        return any(
            other["n"] >= SAME_PHRASE * phrase["n"]
            for other in others
            if other is not phrase and phrase["value"] in other["value"].split()
        )
    return any(phrase["n"] < SAME_PHRASE * other["n"] for other in others if other["value"] in words)


def _part(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "value": row["value"],
        "n": row["n"],
        "expected": _rounded(row["expected"], 2),
        "usual_n": row["usual_n"],
        "z": _rounded(row["z"], 2),
    }


def _stories(ask: _Asker, brand: str, grown: Rows, handles: set[str]) -> Rows:
    told = {
        row["story_id"]: row
        for row in ask.file("incident_stories", {"brand": brand, "stories": [row["value"] for row in grown]})
    }
    return [
        {
            **_part(row),
            "authors": story["authors"],
            "first_at": _iso(story["first_at"]),
            "source": story["source"],
            "url": story["url"],
            "text": _excerpt(story["words"], handles),
        }
        for row in grown
        if (story := told.get(row["value"]))
    ]


def _similar(ask: _Asker, brand: str, starts: datetime, aspects: Sequence[str]) -> Rows:
    asked = {"brand": brand, "since": _naive(starts), "aspects": list(aspects), "incidents": INCIDENTS}
    return [
        {name: _iso(value) if isinstance(value, datetime) else value for name, value in row.items()}
        for row in ask.file("similar_incidents", asked)
    ]


def _shares(rows: Rows, dimension: str, count: str) -> dict[str, float | None]:
    """Return the share of each way of knowing among all negative mentions; None below 5 of them."""
    counts = {row["value"] or "unknown": row[count] for row in rows if row["dimension"] == dimension}
    return {
        name: _share(counts.get(name, 0), sum(counts.values()))
        for name in ("first_hand", "second_hand", "opinion", "unknown")
    }


def _new_share(rows: Rows, count: str) -> float | None:
    counts = {row["value"]: row[count] for row in rows if row["dimension"] == "author" and row["value"]}
    return _share(counts.get("new to the brand", 0), sum(counts.values()))


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole >= 5 else None  # as the macro if_enough


def _total(hours: Rows) -> float | None:
    """Return the negative mentions expected over these hours; None where of one nothing can be expected."""
    expected = [row["expected"] for row in hours]
    return None if None in expected or not expected else sum(expected)


def _reasons(evidence: Mapping[str, Any], too_few: str | None) -> dict[str, str]:
    reasons: dict[str, str] = {}
    if all(hour["expected"] is None for hour in evidence["hours"]):
        reasons["hours"] = "too little was heard before to say what is usual"
    for name, what in (("aspects", "aspect"), ("sources", "source"), ("phrases", "phrase"), ("stories", "story")):
        if not evidence[name]:
            reasons[name] = too_few or f"no {what} grew beyond chance"
    if evidence["experience"]["first_hand"] is None:
        reasons["experience"] = too_few or "fewer than 5"
    if evidence["new_authors_share"] is None:
        reasons["new_authors_share"] = too_few or "fewer than 5 authors are told"
    if evidence["reach"]["people"] is None:
        reasons["reach"] = "no source told followers or views"
    if evidence["firestorm"]["reason"]:
        reasons["firestorm"] = evidence["firestorm"]["reason"]
    if not evidence["similar"]:
        reasons["similar"] = "no earlier incident of this brand is over"
    if not evidence["quotes"]:
        reasons["quotes"] = "no post with words against it"
    return reasons


def _excerpt(words: str, handles: set[str]) -> str:
    text = redacted(" ".join(words[:READ_LENGTH].split()), handles)
    return text if len(text) <= QUOTE_LENGTH else f"{text[: QUOTE_LENGTH - 1].rstrip()}…"


def _rounded(value: float | None, digits: int = 3) -> float | None:
    return None if value is None else round(value, digits)


def _utc(at: datetime) -> datetime:
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def _naive(at: datetime) -> datetime:
    """Return a time as the snapshot has it: UTC, without saying so."""
    return at.astimezone(UTC).replace(tzinfo=None)


def _iso(at: datetime) -> str:
    return _utc(at).isoformat()
