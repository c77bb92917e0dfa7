"""`wom spikes --from --to`: hourly counts of a file judged into another; nothing is stored.

In: series, timestamp, mentions, negatives and perhaps source, in any order of columns and rows; other columns are
ignored. A series that comes with several sources is one of each. Timestamps are ISO 8601, UTC unless they say
otherwise, and mean the hour in which they lie. Empty counts are an hour nobody listened. Out: a row for each row read,
in its order; one that cannot be judged says why, and the others are judged without it.
"""

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from dags.from_to import lines_from, written_to
from dags.settings import SettingsError

if TYPE_CHECKING:
    from warehouse.spikes import Verdicts

NEEDED = ("series", "timestamp", "mentions", "negatives")
COLUMNS = ("series", "timestamp", "score", "alert", "expected", "observed", "reason")
MOST = 10**12  # mentions an hour; more than mankind can type, so another unit or a slip
CALENDAR = range(1970, 2200)  # years; outside them it is a slip too
SHOWN = 40  # characters of a wrong value


@dataclass(frozen=True)
class Spiked:
    """How many rows were read, how many of them refused, and how many incidents begin among the others."""

    rows: int
    refused: int
    incidents: int


class Counts(NamedTuple):
    """The rows of a file. refused: for each what is wrong with it, or None; the numbers are of those without."""

    names: list[str]
    timestamps: list[str]
    refused: list[str | None]
    series: list[int]
    hours: list[int]
    mentions: list[float]
    negatives: list[float]


def spike_file(source: Path, target: Path) -> Spiked:
    """Judge the counts of a CSV file and write what was found. The target appears when it is whole.

    Raises SettingsError where the file is not there, is no CSV, lacks a column, or cannot be written.
    """
    from warehouse import spikes

    with lines_from(source, newline="") as file:
        counts = read_counts(file, str(source))
    verdicts = spikes.judge(counts.series, counts.hours, counts.mentions, counts.negatives)
    with written_to(target, newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(_lines(counts, verdicts))
    refused = len(counts.names) - len(counts.series)
    return Spiked(len(counts.names), refused, int((verdicts.state == spikes.OPENED).sum()))


def read_counts(file: Iterable[str], name: str) -> Counts:
    """Return the rows of an open CSV file. Raises SettingsError, with its name, where it is none or lacks a column."""
    reader = csv.reader(file)
    try:
        header = [column.strip("\ufeff ").lower() for column in next(reader, [])]  # standard input may begin with a BOM
        places = _places(header, name)
        return _counts(reader, places, len(header))
    except csv.Error as error:
        raise SettingsError(f"--from {name}, line {reader.line_num}: no CSV: {error}") from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"--from {name}: not UTF-8 ({error.reason} after line {reader.line_num})") from error


def _places(header: list[str], name: str) -> list[int]:
    """Return where the needed columns stand, then that of source, -1 if there is none."""
    missing = [column for column in NEEDED if column not in header]
    if missing:
        found = ", ".join(header) if any(header) else "none"
        separator = next((sign for sign in ";\t|" if len(header) == 1 and sign in header[0]), None)
        hint = f"; it parts its columns by {separator!r}, and a comma is due" if separator else ""
        raise SettingsError(
            f"--from {name}: no column {', '.join(missing)}; needed are {', '.join(NEEDED)}; found: {found[:200]}{hint}"
        )
    if twice := [column for column in (*NEEDED, "source") if header.count(column) > 1]:
        raise SettingsError(f"--from {name}: two columns are called {twice[0]}: which of them is meant?")
    return [header.index(column) for column in NEEDED] + [header.index("source") if "source" in header else -1]


def _counts(rows: Iterator[list[str]], places: list[int], width: int) -> Counts:
    counts = Counts([], [], [], [], [], [], [])
    at_series, at_time, at_mentions, at_negatives, at_source = places
    numbers: dict[tuple[str, str], int] = {}
    first: dict[tuple[int, int], int] = {}
    hours: dict[str, int] = {}  # a file of many series repeats its timestamps and small counts
    values: dict[str, float] = {}
    latest: dict[int, int] = {}
    for row in rows:
        if not row:
            continue  # an empty line is none of CSV's rows
        try:
            if len(row) != width:
                raise ValueError(f"{len(row)} fields where the header has {width}")
            name, timestamp = row[at_series].strip(), row[at_time]
            if not name:
                raise ValueError("no series")
            hour = hours.get(timestamp)
            if hour is None:
                hour = hours[timestamp] = _hour(timestamp)
            mentions, negatives = (
                values[text] if text in values else values.setdefault(text, _count(text))
                for text in (row[at_mentions], row[at_negatives])
            )
            if negatives > mentions:
                raise ValueError(f"{negatives:.0f} negatives among {mentions:.0f} mentions")
            key = name, row[at_source].strip() if at_source >= 0 else ""
            number = numbers.setdefault(key, len(numbers))
            place = first.setdefault((number, hour), len(counts.names))
            if place != len(counts.names):
                back = "; its clock jumped back" if hour < latest[number] else ""
                raise ValueError(f"duplicate: row {place + 1} is of the same series and hour{back}")
        except ValueError as error:
            counts.refused.append(str(error))
        else:
            latest[number] = hour
            counts.refused.append(None)
            counts.series.append(number)
            counts.hours.append(hour)
            counts.mentions.append(mentions)
            counts.negatives.append(negatives)
        counts.names.append(row[at_series] if at_series < len(row) else "")
        counts.timestamps.append(row[at_time] if at_time < len(row) else "")
    return counts


def _hour(text: str) -> int:
    """Return the hour since 1970 in which a time lies."""
    try:
        at = datetime.fromisoformat(text.strip())
        at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise ValueError(f"timestamp {text[:SHOWN]!r} is not ISO 8601, as in 2026-11-20T12:00:00Z") from error
    if at.year not in CALENDAR:
        raise ValueError(f"timestamp {text[:SHOWN]!r} lies outside {CALENDAR[0]} to {CALENDAR[-1]}")
    return int(at.timestamp() // 3600)


def _count(text: str) -> float:
    """Return a count, NaN where there is none."""
    text = text.strip()
    if not text:
        return float("nan")
    try:
        number = float(text)
    except ValueError as error:
        raise ValueError(f"{text[:SHOWN]!r} is no count") from error
    if not number.is_integer() or not 0 <= number <= MOST or "_" in text:
        raise ValueError(f"{text[:SHOWN]!r} is no count: whole numbers from 0 to 10^12 are")
    return number


def _lines(counts: Counts, verdicts: "Verdicts") -> Iterator[tuple[str, ...]]:
    judged = _judged(verdicts)
    for name, timestamp, refused in zip(counts.names, counts.timestamps, counts.refused, strict=True):
        yield name, timestamp, *(("", "0", "", "", f"refused: {refused}") if refused is not None else next(judged))


def _judged(verdicts: "Verdicts") -> Iterator[tuple[str, ...]]:
    """Yield what is written of each row that was judged: score, alert, expected, observed, reason."""
    from warehouse import spikes
    from warehouse.spike_rules import DEFAULT

    plain = {
        spikes.NOT_HEARD: "not heard: the counts are missing",
        spikes.CATCHING_UP: "catching up: the hour before was not heard, this one may bring what was missed",
        spikes.WARMING_UP: f"warming up: heard on fewer than {spikes.DAYS_AT_LEAST} days before",
        spikes.QUIET: "as usual",
    }
    columns = (
        verdicts.score, verdicts.state, verdicts.expected, verdicts.negatives, verdicts.mentions,
        verdicts.expected_share, verdicts.window, verdicts.paged,
    )  # fmt: skip
    for score, state, expected, negatives, mentions, share, window, paged in zip(
        *(column.tolist() for column in columns), strict=True
    ):
        if state in (spikes.NOT_HEARD, spikes.CATCHING_UP):
            yield "", "0", "", "", plain[state]
        elif state == spikes.WARMING_UP:
            yield "", "0", f"{expected:.3f}", f"{negatives:.0f}", plain[state]
        elif state == spikes.QUIET:
            reason = plain[state] if score < DEFAULT.holds else "suspect, but too little to tell"
            yield f"{score:.3f}", "0", f"{expected:.3f}", f"{negatives:.0f}", reason
        else:
            what = "spike" if state == spikes.OPENED else "spike goes on"
            reason = (
                f"{what}: {negatives:.0f} negatives in {window} h where {expected:.1f} are usual, "
                f"{100 * negatives / mentions:.0f} % of {mentions:.0f} mentions where {100 * share:.0f} % are"
            )
            reason += "; page" if paged else ""
            yield f"{score:.3f}", "1", f"{expected:.3f}", f"{negatives:.0f}", reason
