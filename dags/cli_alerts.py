"""`wom` for owners of alerts: what stands, what to say of it, and how else it would be told."""

import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from dags import cli_output as output
from dags import cli_output_alerts as shown
from dags import cli_output_stages
from dags.cli_options import (
    AlertId,
    AsJson,
    BrandName,
    By,
    NoPublish,
    Note,
    database_file,
    fail_unless,
    login,
    publish_what_is_stored,
)
from dags.settings import load_settings


def alerts(
    brand: BrandName = None,
    state: Annotated[
        list[str] | None,
        typer.Option(help="Only open, quiet, acknowledged, snoozed, resolved or dismissed ones; may be repeated."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List alerts as of the last publish, newest first: how each stands, what was observed and what expected."""
    from dags import summary

    with summary.reading(database_file()) as database:
        rows = summary.alerts(database, brand, state)
    shown.show_alert_table(rows, as_json=as_json)


def snooze(
    alert: AlertId,
    length: Annotated[str | None, typer.Option("--for", help="How long: 90m, 6h, 2d.")] = None,
    until: Annotated[
        str | None, typer.Option(help="Until when: 2026-11-28T18:00, UTC unless it says otherwise.")
    ] = None,
    note: Note = None,
    by: By = None,
    no_publish: NoPublish = False,
    as_json: AsJson = False,
) -> None:
    """Put an alert off: nobody is told of it until then, and then again if it still spikes."""
    from dags import attending, stages

    end = attending.snooze_end(length, until, stages.utc_now())
    _attend(alert, "snoozed", note=note, by=by, no_publish=no_publish, as_json=as_json, until=end)


def report(
    brand: BrandName = None,
    target: Annotated[Path, typer.Option("--to", help="Where the page goes; `-` is standard output.")] = Path(
        "report.html"
    ),
    as_json: AsJson = False,
) -> None:
    """Write one web page of open and recent incidents, as of the last publish: what, why, and in whose words."""
    from dags.report import write_page

    write_page(database_file(), target, brand=brand)
    shown.show_report(target, as_json=as_json)


def spikes(
    source: Annotated[
        Path, typer.Option("--from", help="CSV of hourly counts: series, timestamp, mentions, negatives, source.")
    ],
    target: Annotated[Path, typer.Option("--to", help="Where score, alert and reason of each row go, as CSV.")],
    as_json: AsJson = False,
) -> None:
    """Find negative spikes in hourly counts from elsewhere; `-` is standard input or output. Nothing is stored."""
    from dags import spiking

    shown.show_spiked(spiking.spike_file(source, target), as_json=as_json)


def replay(
    days: Annotated[int, typer.Option(min=1, max=3650, help="How many days back.")] = 90,
    rules: Annotated[
        Path | None, typer.Option(help="A TOML file whose [alerts.rules] are tried beside those of listening.toml.")
    ] = None,
    tune: Annotated[
        bool, typer.Option("--tune", help="Propose stricter rules by what people acknowledged and dismissed.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show what would have been told over stored history: how many alerts, how many of them right, how soon.

    Beside what was really told. Nothing is stored, no rule is changed: write what you like into listening.toml.
    """
    from dags import by_hand

    shown.show_replayed(by_hand.replay(load_settings(), days=days, other=rules, is_tuned=tune), as_json=as_json)


def try_alerts(
    channels: Annotated[
        list[str] | None, typer.Argument(help="Names of alert targets, or mail addresses; all unless named.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Send a test message on each channel that owners are told on, and say which arrived."""
    from dags.trying_channels import try_channels

    tried = try_channels(load_settings(), os.environ, channels or None)
    output.show(tried, ["channel", "brands", "delivered", "seconds", "reason"], as_json=as_json)
    fail_unless(all(row["delivered"] for row in tried))


def _attend(
    alert: str,
    what: str,
    *,
    note: str | None,
    by: str | None,
    no_publish: bool,
    as_json: bool,
    until: datetime | None = None,
) -> None:
    from dags import stages

    settings = load_settings()
    made = stages.attend(settings, alert, what, by=by or login(), note=note, until=until)
    if not as_json:
        shown.show_attended(made)
    published = None if no_publish else publish_what_is_stored(settings)
    cli_output_stages.show_whether_published(made, published, settings.database, as_json=as_json)


def _answer(what: str, meaning: str) -> Callable[..., None]:
    """Return the command by which a person says one thing of an alert, and why."""

    def answer(
        alert: AlertId, note: Note = None, by: By = None, no_publish: NoPublish = False, as_json: AsJson = False
    ) -> None:
        _attend(alert, what, note=note, by=by, no_publish=no_publish, as_json=as_json)

    answer.__doc__ = meaning
    return answer


ALERTS = {
    "alerts": alerts,
    "ack": _answer("acknowledged", "Take an alert on: nobody else is asked to. `wom alerts` lists the ids."),
    "snooze": snooze,
    "resolve": _answer("resolved", "End an alert. If its brand spikes on after that, within 12 hours, it is reopened."),
    "dismiss": _answer(
        "dismissed",
        "Say that an alert was none: it comes back only if it doubles, and counts as false where rules are compared.",
    ),
    "report": report,
    "replay": replay,
    "spikes": spikes,
    "test-alerts": try_alerts,
}
