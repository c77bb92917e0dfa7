"""What `wom` shows of alerts, and of how else they would be."""

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from dags.cli_output import Row, percent, print_json, say, say_aside, share, show, warn
from dags.sparkline import sparkline

if TYPE_CHECKING:
    from dags.attending import Attended
    from dags.replaying import Replayed
    from dags.spiking import Spiked
    from warehouse.replay import Figures

ID_SHOWN = 8  # characters of an alert's id: enough to name it by
_REPLAYED: dict[str, Callable[["Figures"], str]] = {  # what is shown of a way of telling
    "alerts": lambda told: str(told.alerts),
    "a brand and month": lambda told: "-" if (each := told.alerts_a_brand_month) is None else f"{each:.2f}",
    "that page": lambda told: str(told.pages),
    "people said: right": lambda told: f"{told.true}{f' ({told.true_missed} missed)' if told.true_missed else ''}",
    "people said: none": lambda told: f"{told.false}{f' ({told.false_spared} spared)' if told.false_spared else ''}",
    "precision (95 %)": lambda told: share(told.precision, told.precision_low, told.precision_high),
    "hours until told": lambda told: "-" if told.delay_hours is None else f"{told.delay_hours:.1f}",
}


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
        say(f"ALERT  {row['brand']}: negative word of mouth ({row['state']}; {told})", style="bold red")
        say(
            f"  since {evidence['since'].replace('T', ' ')[:16]} UTC: {evidence['negatives']} negative mentions "
            f"in {evidence['window_hours']} h, {evidence['expected']:.1f} expected; "
            f"{percent(evidence['share'])} of all mentions, {percent(evidence['expected_share'])} expected"
        )
        for quote in evidence["quotes"][:quotes]:
            say(f"  “{' '.join(quote['text'].split())}”", style="italic")
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
    say_aside(f"{path} written: open it in a browser", {"file": path}, as_json=as_json)


def show_spiked(spiked: "Spiked", *, as_json: bool) -> None:
    """Print how many rows were judged, on stderr: standard output may be the file."""
    if spiked.refused and not as_json:
        warn(f"{spiked.refused} rows were refused; each says why in its place")
    say_aside(f"{spiked.rows} rows written, {spiked.incidents} spikes begin in them", spiked, as_json=as_json)


def _state(row: Row) -> str:
    """Return an alert's state, with who took it on, until when it is put off and how often it was back."""
    until = f" until {row['snoozed_until']:%m-%d %H:%M}" if row["state"] == "snoozed" else ""
    back = f", reopened {row['reopened']}x" if row["reopened"] else ""
    taken = f" by {row['acknowledged_by']}" if row["state"] == "acknowledged" else ""
    return f"{row['state']}{taken}{until}{back}"
