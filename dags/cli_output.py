"""How `wom` shows things: tables for people and JSON for programs on stdout, progress and warnings on stderr."""

import contextlib
import dataclasses
import json
import math
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from dags.correcting import Corrected
    from dags.enriching import Judged
    from dags.spiking import Spiked
    from dags.stages import Enriched
    from dags.watching import Watched
    from warehouse.snapshot import Published

NO_ANSWER = {"failed", "blocked", "gone"}
_NEVER_FOLDED = {"brand", "feed", "mentions a day", "net sentiment (95 %)"}
_BARS = "▁▂▃▄▅▆▇█"
_SIDES = {-1: "negative", 0: "neutral", 1: "positive"}

_WIDTH = None if sys.stdout.isatty() else 200  # a file or a pipe has no width of its own

# Without emoji: a post_id such as rss:a:1 holds what rich takes for one.
_out = Console(highlight=False, emoji=False, width=_WIDTH)
_err = Console(stderr=True, highlight=False, emoji=False)

Row = Mapping[str, Any]


def say(line: str) -> None:
    """Print one line of what was done."""
    _out.print(line, markup=False, soft_wrap=True)


def warn(line: str) -> None:
    """Print one line of what may go wrong, on stderr."""
    _err.print(f"warning: {line}", style="yellow", markup=False, soft_wrap=True)


def print_json(value: Any) -> None:
    """Print a value as one JSON document; times as ISO 8601, what JSON has no number for as null."""
    narrow = not (sys.stdout.encoding or "").lower().startswith("utf")
    sys.stdout.write(f"{json.dumps(_jsonable(value), ensure_ascii=narrow, indent=2, allow_nan=False)}\n")


def show(rows: Sequence[Row], columns: Sequence[str], *, as_json: bool, title: str | None = None) -> None:
    """Print rows as a table, or as a JSON list of objects."""
    if as_json:
        print_json([{column: row.get(column) for column in columns} for row in rows])
        return
    table = Table(title=title, title_justify="left", title_style="bold", header_style="dim", box=None, pad_edge=False)
    for column in columns:
        values = [row.get(column) for row in rows]
        numeric = any(isinstance(value, int | float) and not isinstance(value, bool) for value in values)
        prose = any(isinstance(value, str | list | tuple | dict) for value in values) and column not in _NEVER_FOLDED
        table.add_column(
            column.replace("_", " "), justify="right" if numeric else "left", overflow="fold", no_wrap=not prose
        )
    for row in rows:
        table.add_row(*(_cell(row.get(column)) for column in columns))
    _out.print(table)


@contextlib.contextmanager
def progress(what: str, total: int) -> Iterator[Callable[[int], None]]:
    """Show a bar on stderr while the block runs; call what it yields with the number of things done."""
    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=_err, transient=True) as bar:
        task = bar.add_task(what, total=total)
        yield lambda done: bar.advance(task, done)


@contextlib.contextmanager
def counting(what: str) -> Iterator[Callable[[int], None]]:
    """Show a number that grows on stderr while the block runs; call what it yields with the number of things done."""
    columns = (TextColumn(what), TextColumn("{task.completed}"), TimeElapsedColumn())
    with Progress(*columns, console=_err, transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done: bar.advance(task, done)


@contextlib.contextmanager
def working(what: str) -> Iterator[None]:
    """Show that something of unknown length is going on, on stderr."""
    with _err.status(what):
        yield


def any_answered(visits: Sequence[Row]) -> bool:
    """Return whether at least one feed answered; true where none was to be visited."""
    return not visits or any(visit["outcome"] not in NO_ANSWER for visit in visits)


def show_visits(visits: Sequence[Row], *, as_json: bool) -> None:
    """Print what became of each visit."""
    columns = ["feed", "outcome", "posts", "left_out", "requests", "error"]
    if as_json:
        print_json([{**visit, "left_out": dict(visit["left_out"])} for visit in visits])
        return
    shown = [
        {**visit, "left_out": ", ".join(f"{number} {reason}" for reason, number in visit["left_out"])}
        for visit in visits
    ]
    show(shown, columns, as_json=False)
    silent = sum(visit["outcome"] in NO_ANSWER for visit in visits)
    say(
        f"{sum(visit['posts'] for visit in visits)} posts stored from {len(visits)} feeds"
        + (f"; {silent} gave no answer" if silent else "")
    )


def show_feeds(rows: Sequence[Row], *, as_json: bool) -> None:
    """Print how well each feed is heard."""
    if as_json:
        print_json(rows)
        return
    shown = [
        {
            "feed": row["feed"],
            "source": row["source"],
            "last success": row["last_success_at"],
            "visits in 7 days": ", ".join(f"{number} {outcome}" for outcome, number in row["outcomes_7d"].items())
            or None,
            "posts a day": row["posts_per_day"],
            "usual": row["usual_posts_per_day"],
            "rejects": row["rejects_7d"] or None,
            "next visit": row["next_visit_at"],
            "what is the matter": row["last_error"] or row["waiting_for"],
        }
        for row in rows
    ]
    show(shown, list(shown[0]) if shown else ["feed"], as_json=False, title="Feeds (times are UTC)")


def show_enriched(enriched: "Enriched", *, as_json: bool) -> None:
    """Print what was read and found."""
    if as_json:
        print_json(enriched)
        return
    for path, reason in enriched.skipped:
        warn(f"{path} was not read: {reason}")
    say(f"{enriched.mentions} mentions found in {enriched.posts} posts ({enriched.files} files)")


def show_judged(judged: "Judged", *, as_json: bool) -> None:
    """Print how many lines were written, on stderr: standard output may be the file."""
    if as_json:
        _err.print_json(data=dataclasses.asdict(judged))
        return
    if judged.errors:
        warn(f"{judged.errors} lines could not be judged; each says why in its place")
    _err.print(f"{judged.lines} lines written", markup=False)


def show_spiked(spiked: "Spiked", *, as_json: bool) -> None:
    """Print how many rows were judged, on stderr: standard output may be the file."""
    if as_json:
        _err.print_json(data=dataclasses.asdict(spiked))
        return
    if spiked.refused:
        warn(f"{spiked.refused} rows were refused; each says why in its place")
    _err.print(f"{spiked.rows} rows written, {spiked.incidents} spikes begin in them", markup=False)


def show_published(published: "Published", database: Path, *, as_json: bool) -> None:
    """Print what the DuckDB file holds now."""
    if as_json:
        print_json({"database": database, "rows": published.rows, "warnings": published.warnings})
        return
    for warning in published.warnings:
        warn(str(warning))
    rows = ", ".join(f"{number} {name}" for name, number in published.rows.items())
    say(f"{database} published in {published.seconds:.1f} s: {rows}")


def show_watched(watched: "Watched", *, as_json: bool) -> None:
    """Print which alerts changed and who was told."""
    if as_json:
        print_json(watched)
        return
    for reason in watched.unread:
        warn(f"{reason}; alerts it held may be told again")
    for reason in (*watched.unreachable, *watched.undelivered):
        warn(f"not told: {reason}")
    events = ", ".join(f"{number} {event}" for event, number in watched.counts.items()) or "nothing new"
    say(f"alerts: {events}" + (f"; told {', '.join(watched.told)}" if watched.told else ""))


def show_brands(rows: Sequence[Row], *, as_json: bool, days: int) -> None:
    """Print a line per brand: what a data team would look at first."""
    if as_json:
        print_json(rows)
        return
    shown = [
        {
            "brand": row["brand"],
            "mentions": row["n"],
            "net sentiment (95 %)": _signed(row["net_sentiment"], row["net_sentiment_low"], row["net_sentiment_high"]),
            "share of voice": _percent(row["share_of_voice"]),
            "alerts": row["open_alerts"] or None,
            "mentions a day": sparkline(row["n_by_day"] or []),
        }
        for row in rows
    ]
    show(shown, list(shown[0]) if shown else ["brand"], as_json=False, title=f"Word of mouse, last {days} days")


def show_days(rows: Sequence[Row], *, as_json: bool, brand: str) -> None:
    """Print a brand's days, the oldest first."""
    if as_json:
        print_json(rows)
        return
    top = max((row["n"] for row in rows), default=0) or 1
    shown = [
        {
            "day": f"{row['period']:%a %Y-%m-%d}",
            "mentions": row["n"],
            "+": row["positives"],
            "-": row["negatives"],
            "net_sentiment": _signed(row["net_sentiment"], row["net_sentiment_low"], row["net_sentiment_high"]),
            "": "█" * round(20 * row["n"] / top),
        }
        for row in rows
    ]
    show(shown, list(shown[0]) if shown else ["day"], as_json=False, title=f"{brand} by day (UTC)")


def show_alerts(rows: Sequence[Row], *, as_json: bool, quotes: int = 3) -> None:
    """Print alerts, each with what was observed, whom it was told and what people say."""
    if as_json:
        print_json(rows)
        return
    if not rows:
        say("No alerts.")
    for row in rows:
        evidence = row["evidence"]
        told = f"told {', '.join(row['told_to'])} at {row['told_at']:%H:%M}" if row["told_to"] else "nobody told yet"
        _out.print(Text(f"ALERT  {row['brand']}: negative word of mouth ({row['state']}; {told})", style="bold red"))
        say(
            f"  since {evidence['since'].replace('T', ' ')[:16]} UTC: {evidence['negatives']} negative mentions "
            f"in {evidence['window_hours']} h, {evidence['expected']:.1f} expected; "
            f"{_percent(evidence['share'])} of all mentions, {_percent(evidence['expected_share'])} expected"
        )
        for quote in evidence["quotes"][:quotes]:
            _out.print(Text(f"  “{' '.join(quote['text'].split())}”", style="italic"), soft_wrap=True)
            say(
                f"    {quote['source']}, {quote['published_at'].replace('T', ' ')[:16]}, {quote['url'] or 'no address'}"
            )


def show_corrected(made: "Corrected") -> None:
    """Print what was said of a mention."""
    for said in made.said:
        now = "what nlp finds" if made.is_undone else _words(said.label, said.now)
        say(f"{said.label} of {made.brand} in {made.post_id}: {_words(said.label, said.before)} -> {now}")


def show_whether_published(made: "Corrected", published: "Published | None", database: Path, *, as_json: bool) -> None:
    """Print whether readers of the file see it."""
    if as_json:
        warnings = published.warnings if published else ()
        print_json({**_jsonable(made), "is_published": published is not None, "warnings": warnings})
        return
    if published is None:
        say("Stored. Nobody sees it before the next `wom publish`.")
        return
    for warning in published.warnings:
        warn(warning)
    say(f"Stored and published: {database} shows it ({published.seconds:.1f} s).")


def show_corrections(rows: Sequence[Row], *, as_json: bool) -> None:
    """Print what people put right and still holds, the oldest first."""
    told = [{**row, "value": json.loads(row["value"])} for row in rows]
    if as_json:
        print_json(told)
        return
    if not rows:
        say("Nothing was corrected.")
        return
    shown = [{**row, "value": _words(row["column"], row["value"])} for row in told]
    show(shown, ["post_id", "brand", "column", "value", "by", "at", "note"], as_json=False)


def show_written(lines: int, path: Path, *, as_json: bool) -> None:
    """Print what was exported."""
    if as_json:
        print_json({"file": path, "lines": lines})
        return
    say(f"{lines} corrected mentions written to {path}")


def sparkline(values: Sequence[float | None]) -> str:
    """Return values as bars of eight heights, the largest the tallest; a missing one is a space."""
    top = max((value for value in values if value is not None), default=0) or 1
    return "".join(" " if value is None else _BARS[min(7, int(max(value, 0) / top * 7.999))] for value in values)


def _cell(value: Any) -> Text:
    if value is None:
        return Text("-", style="dim")
    if isinstance(value, float):
        return Text(f"{value:.2f}")
    if isinstance(value, datetime):
        return Text(f"{value:%Y-%m-%d %H:%M}")
    if isinstance(value, list | tuple):
        return Text(", ".join(map(str, value)) if value else "none")
    if isinstance(value, dict):
        return Text(", ".join(f"{name}: {item}" for name, item in value.items()))
    return Text(str(value))


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.0f} %"


def _signed(value: float | None, low: float | None, high: float | None) -> str:
    if value is None or low is None or high is None:
        return "-"
    return f"{value:+.2f} ({low:+.2f} to {high:+.2f})"


def _words(label: str, value: Any) -> str:
    """Return a label's value in the words that `wom correct` takes."""
    match label, value:
        case "sentiment" | "emotion" | "intents" | "aspects", None:
            return "not judged"
        case _, None | []:
            return "none"
        case "sentiment", side:
            return _SIDES.get(side, str(side))
        case "aspects", found:
            return ",".join(f"{one['aspect']}:{_SIDES.get(one['sentiment'], one['sentiment'])}" for one in found)
        case "intents", found:
            return ",".join(found)
        case "certainty", share:
            return f"{share:.2g}"
    return str(value)


def _jsonable(value: Any) -> Any:
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            return value if math.isfinite(value) else None
        case Decimal():
            return _jsonable(float(value))
        case datetime() | date():
            return value.isoformat()
        case Mapping():
            return {str(key): _jsonable(item) for key, item in value.items()}
        case list() | tuple():
            return [_jsonable(item) for item in value]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: _jsonable(getattr(value, field.name)) for field in dataclasses.fields(value)}
    return str(value)
