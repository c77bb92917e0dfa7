"""How `wom` shows things: tables for people and JSON for programs on stdout, progress and warnings on stderr."""

import contextlib
import dataclasses
import json
import math
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from dags.sparkline import sparkline

if TYPE_CHECKING:
    from dags.attending import Attended
    from dags.correcting import Corrected
    from dags.enriching import Judged
    from dags.forgetting import Forgetting
    from dags.replaying import Replayed
    from dags.spiking import Spiked
    from dags.stages import Enriched
    from dags.watching import Watched
    from warehouse.doctor import Finding
    from warehouse.replay import Figures
    from warehouse.snapshot import Published

NO_ANSWER = {"failed", "blocked", "gone"}
_NEVER_FOLDED = {"alert", "brand", "feed", "last 48 h", "mentions a day", "net sentiment (95 %)"}
ID_SHOWN = 8  # characters of an alert's id: enough to name it by
_CHANGES = (
    "nlp_version", "brand", "day", "mentions_change", "negatives_change", "neutrals_change", "positives_change"
)  # fmt: skip
_OF_TABLES = {  # what `wom forget` removes, by table
    "posts": "readings of posts",
    "mentions": "mentions",
    "alerts": "events of alerts, whose evidence quotes it",
    "corrections": "corrections",
    "rejects": "rejected items of such feeds, which are no longer quoted",
    "visits": "visits, whose error names it",
    "state": "notes on feeds, which name it",
    "references": "posts of others, which no longer say what they answer",
}
_REPLAYED: dict[str, Callable[["Figures"], str]] = {  # what is shown of a way of telling
    "alerts": lambda told: str(told.alerts),
    "a brand and month": lambda told: "-" if (each := told.alerts_a_brand_month) is None else f"{each:.2f}",
    "that page": lambda told: str(told.pages),
    "people said: right": lambda told: f"{told.true}{f' ({told.true_missed} missed)' if told.true_missed else ''}",
    "people said: none": lambda told: f"{told.false}{f' ({told.false_spared} spared)' if told.false_spared else ''}",
    "precision (95 %)": lambda told: _share(told.precision, told.precision_low, told.precision_high),
    "hours until told": lambda told: "-" if told.delay_hours is None else f"{told.delay_hours:.1f}",
}
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
    sys.stdout.write(f"{json.dumps(jsonable(value), ensure_ascii=narrow, indent=2, allow_nan=False)}\n")


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
    noted = ["notes"] if any(visit["notes"] for visit in visits) else []
    columns = ["feed", "outcome", "posts", "left_out", "requests", *noted, "error"]
    if as_json:
        maps = ("left_out", "notes")
        print_json([{**visit, **{name: dict(visit[name] or ()) for name in maps}} for visit in visits])
        return
    shown = [
        {**visit, "left_out": _counts(visit["left_out"]) or "", "notes": _notes(visit["notes"])} for visit in visits
    ]
    show(shown, columns, as_json=False)
    silent = sum(visit["outcome"] in NO_ANSWER for visit in visits)
    say(
        f"{sum(visit['posts'] for visit in visits)} posts stored from {len(visits)} feeds"
        + (f"; {silent} gave no answer" if silent else "")
    )


def show_swept(visits: Sequence[Row], *, as_json: bool) -> None:
    """Print what a second look at kept posts found."""
    if visits or as_json:
        show_visits(visits, as_json=as_json)
    else:
        say("No kept post is due for another look.")


def show_feeds(rows: Sequence[Row], *, as_json: bool) -> None:
    """Print how well each feed is heard."""
    if as_json:
        print_json(rows)
        return
    noted = any(row["notes_7d"] for row in rows)
    shown = [
        {
            "feed": row["feed"],
            "source": row["source"],
            "last success": row["last_success_at"],
            "visits in 7 days": _counts(row["outcomes_7d"].items()),
            "posts a day": row["posts_per_day"],
            "usual": row["usual_posts_per_day"],
            "rejects": row["rejects_7d"] or None,
            **({"notes": _notes(row["notes_7d"].items())} if noted else {}),
            "next visit": row["next_visit_at"],
            "what is the matter": _matter(row),
        }
        for row in rows
    ]
    show(shown, list(shown[0]) if shown else ["feed"], as_json=False, title="Feeds (times are UTC)")


def show_figures(figures: Sequence[Row], lines: Callable[[Sequence[Row]], Iterable[str]], *, as_json: bool) -> None:
    """Print how good the mention model is; lines: how it reads to people, plain, so that columns stay in line."""
    if as_json:
        print_json(figures)
    else:
        print("\n".join(lines(figures)))


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
        differing = [one._asdict() for one in published.differing]
        told = {"rebuilt": published.rebuilt, "differing": differing}
        print_json({"database": database, "rows": published.rows, "warnings": published.warnings, **told})
        return
    for warning in published.warnings:
        warn(str(warning))
    for one in published.differing:
        first, second = one.only_in_first, one.only_in_second
        warn(f"{one.name} differs: {first} rows that the lake does not give, {second} missing; the file is rebuilt now")
    rows = ", ".join(f"{number} {name}" for name, number in published.rows.items())
    say(f"{database} published in {published.seconds:.1f} s: {rows}")
    say(f"Rebuilt: {published.rebuilt}." if published.rebuilt else "It went on from the last file.")


def show_rolled_back(published_at: datetime, database: Path, *, as_json: bool) -> None:
    """Print which file is in place now."""
    if as_json:
        print_json({"database": database, "published_at": published_at})
        return
    say(f"{database} is that of {published_at:%Y-%m-%d %H:%M:%S} UTC again. `wom publish` goes on from it.")


def show_watched(watched: "Watched", *, as_json: bool) -> None:
    """Print which alerts changed and who was told."""
    if as_json:
        print_json(watched)
        return
    for reason in watched.unread:
        warn(f"{reason}; alerts it held may be told again")
    for reason in (*watched.unreachable, *watched.undelivered):
        warn(f"not told: {reason}")
    for reason in watched.fallbacks:
        warn(f"a channel failed: {reason}")
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


def show_alert_table(rows: Sequence[Row], *, as_json: bool) -> None:
    """Print a line per alert: how it stands, what was seen where what is usual, of what, and who was told."""
    if as_json:
        print_json(rows)
        return
    if not rows:
        say("No alerts.")
        return
    shown = [
        {
            "alert": row["alert_id"][:ID_SHOWN],
            "state": _state(row),
            "brand": row["brand"],
            "what": None if row["kind"] == "negative_spike" else row["kind"].replace("_", " "),
            "since (UTC)": row["since"] or row["opened_at"],
            "negative": row["negatives"],
            "usual": row["expected"],
            "last 48 h": sparkline([hour["negatives"] for hour in row["evidence"].get("hours") or []]),
            "about": ", ".join([*row["aspects"], *row["sources"]]) or None,
            "told": ", ".join(row["told_to"]) or "nobody yet",
        }
        for row in rows
    ]
    columns = [name for name in shown[0] if name != "what" or any(line["what"] for line in shown)]
    show(shown, columns, as_json=False, title="Alerts")
    spike = next((row["alert_id"] for row in rows if row["kind"] == "negative_spike"), None)
    why = f", or wom sql \"FROM why('{spike}')\"" if spike else ""
    say(f"Why: wom report{why}. Answer: wom ack, snooze, resolve or dismiss ALERT.")


def show_attended(made: "Attended") -> None:
    """Print what was said of an alert."""
    until = f" until {made.until:%Y-%m-%d %H:%M} UTC" if made.until else ""
    say(f"{made.alert_id} ({made.brand}): {made.before} -> {made.state}{until}, by {made.by}")


def show_replayed(replayed: "Replayed", *, as_json: bool) -> None:
    """Print ways of telling side by side, then the alerts in which they differ, then what is proposed."""
    if as_json:
        print_json(replayed)
        return
    for warning in replayed.warnings:
        warn(warning)
    told = {way.name: way.figures for way in replayed.ways}
    rows = [{"": label, **{name: of(figures) for name, figures in told.items()}} for label, of in _REPLAYED.items()]
    title = f"Negative word of mouth, {replayed.since:%Y-%m-%d %H:%M} to {replayed.until:%Y-%m-%d %H:%M} UTC"
    show(rows, ["", *told], as_json=False, title=title)
    say("")
    for way in replayed.ways[1:]:
        lines = [
            {
                "opened (UTC)": one.opened_at,
                "brand": one.brand,
                "severity": one.severity,
                "about": ", ".join([*one.aspects, *one.sources]) or None,
                "negative": one.negatives,
                "usual": one.expected,
                "really told (UTC)": one.told_at,
                "people said": {True: "right", False: "none"}.get(one.label) if one.label is not None else None,
            }
            for one in way.incidents
        ]
        if lines:
            show(lines, list(lines[0]), as_json=False, title=f"Alerts by {way.name}")
        else:
            say(f"No alerts by {way.name}.")
    if replayed.proposal:
        say(f"\nProposal: {replayed.proposal.reason}.")
    if replayed.proposal and replayed.proposal.rules:
        changed = dataclasses.asdict(replayed.proposal.rules)
        say("\n".join(["[alerts.rules]", *(f"{name} = {value:g}" for name, value in changed.items())]))


def show_report(path: Path, *, as_json: bool) -> None:
    """Print where the page is, on stderr: standard output may be the page."""
    if as_json:
        _err.print_json(data={"file": str(path)})
        return
    _err.print(f"{path} written: open it in a browser", markup=False, soft_wrap=True)


def show_corrected(made: "Corrected") -> None:
    """Print what was said of a mention."""
    for said in made.said:
        now = "what nlp finds" if made.is_undone else _words(said.label, said.now)
        say(f"{said.label} of {made.brand} in {made.post_id}: {_words(said.label, said.before)} -> {now}")


def show_whether_published(
    made: "Corrected | Attended", published: "Published | None", database: Path, *, as_json: bool
) -> None:
    """Print whether readers of the file see it."""
    if as_json:
        warnings = published.warnings if published else ()
        print_json({**jsonable(made), "is_published": published is not None, "warnings": warnings})
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


def show_forgotten(done: "Forgetting", *, as_json: bool, is_plan: bool) -> None:
    """Print what was forgotten, or would be."""
    target, erased = done.target, done.erased
    if as_json:
        print_json({
            "scope": target.scope,
            "name": target.name,
            "is_plan": is_plan,
            "is_new": done.is_new,
            "counts": erased.counts,
            "changes": [{name: row[name] for name in _CHANGES} for row in erased.changes if row["brand"] is not None],
            "unsearched": [one._asdict() for one in erased.unsearched],
            "rebuilt": done.rebuilt,
        })  # fmt: skip
        return
    whose = f"the author {target.name}" if target.scope == "author" else f"the post {target.name}"
    if not done.is_new:
        say(f"{whose[0].upper()}{whose[1:]} was forgotten before.")
    went = {name: number for name, number in erased.counts.items() if number}
    if not went:
        say(f"The lake holds nothing of {whose}.")
    for name, number in went.items():
        say(f"{number:7}  {_OF_TABLES.get(name, name)}")
    changes = [row for row in erased.changes if row["brand"] is not None]
    if changes:
        show(changes, _CHANGES, as_json=False, title="By how much figures " + ("would fall" if is_plan else "fell"))
    for path, reason in erased.unsearched:
        warn(f"{path} could not be searched: {reason}. It may hold what was to go: remove it, and run this again")
    if not is_plan:
        say(
            f"Forgotten, and nothing of {whose} is stored again." + (" The DuckDB file is new." if done.rebuilt else "")
        )


def show_erasures(rows: Sequence[Row], *, as_json: bool) -> None:
    """Print what was forgotten and what that changed."""
    if as_json:
        print_json(rows)
        return
    if not rows:
        say("Nobody was forgotten.")
        return
    show(rows, ["erasure_id", "at", "scope", "posts_change", *_CHANGES, "is_genuine"], as_json=False)


def show_findings(found: "Sequence[Finding]", *, as_json: bool) -> None:
    """Print what is wrong with the lake's files, and what became of them."""
    if as_json:
        print_json([finding._asdict() for finding in found])
        return
    if not found:
        say("Every file of the lake is whole and where it belongs.")
        return
    for finding in found:
        say(f"{finding.path}\n    {finding.kind}: {finding.reason}. {finding.advice}")
        if finding.outcome:
            say(f"    -> {finding.outcome}")
    left = sum(not finding.outcome for finding in found)
    say(f"Not as they should be: {len(found)} files; {left} of them still there.")
    if left == len(found):
        say("`wom doctor --mend` puts them aside; then `wom enrich` and `wom publish` go on without them.")


def show_written(lines: int, path: Path, *, as_json: bool) -> None:
    """Print what was exported."""
    if as_json:
        print_json({"file": path, "lines": lines})
        return
    say(f"{lines} corrected mentions written to {path}")


def show_exported(rows: int, files: Sequence[Path], *, as_json: bool) -> None:
    """Print where the rows of an answer went."""
    if as_json:
        print_json({"rows": rows, "files": files})
        return
    say(f"{rows} rows written to {' and '.join(map(str, files))}")


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


def _state(row: Row) -> str:
    """Return an alert's state, with how often it was back and until when it is put off."""
    until = f" until {row['snoozed_until']:%m-%d %H:%M}" if row["state"] == "snoozed" else ""
    back = f", reopened {row['reopened']}x" if row["reopened"] else ""
    return f"{row['state']}{until}{back}"


def _counts(counted: Iterable[tuple[str, int]] | None) -> str | None:
    """Return counts in words, or None where nothing was counted."""
    return ", ".join(f"{number} {what}" for what, number in counted or ()) or None


def _notes(counted: Iterable[tuple[str, int]] | None) -> str | None:
    """Return what is noted, each with how often if more than once, or None where nothing is."""
    return ", ".join(f"{what} ({number})" if number > 1 else what for what, number in counted or ()) or None


def _matter(row: Row) -> str | None:
    """Return what went wrong with a feed, or why it is visited late; of a dead one, both."""
    if row["is_dead"]:
        return f"{row['waiting_for']}: {row['last_error']}"
    return row["last_error"] or row["waiting_for"]


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.0f} %"


def _share(value: float | None, low: float | None, high: float | None) -> str:
    if value is None or low is None or high is None:
        return "-"
    return f"{_percent(value)} ({100 * low:.0f} to {100 * high:.0f})"


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


def jsonable(value: Any) -> Any:
    """Return a value as JSON has it: times as ISO 8601, what JSON has no number for as null."""
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            return value if math.isfinite(value) else None
        case Decimal():
            return jsonable(float(value))
        case datetime() | date():
            return value.isoformat()
        case Mapping():
            return {str(key): jsonable(item) for key, item in value.items()}
        case list() | tuple():
            return [jsonable(item) for item in value]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: jsonable(getattr(value, field.name)) for field in dataclasses.fields(value)}
    return str(value)
