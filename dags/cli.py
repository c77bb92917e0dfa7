"""`wom`: every stage by hand, and the answers people ask for most.

Exit status: 0 done, 1 failed, 2 wrong use or configuration. Nothing heavy is imported for a help text: spaCy,
DuckDB and Arrow come with the command that needs them.
"""

import io
import os
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from dags import cli_output as output
from dags.settings import SettingsError, database_path, load_settings

app = typer.Typer(
    name="wom",
    help="Word of Mouse: what people say about brands in public feeds, and who should know. "
    "listening.toml (or WOM_CONFIG) says what to listen for; WOM_LAKE where it is kept (./lake).",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
BrandName = Annotated[str | None, typer.Argument(help="A brand of listening.toml; all of them unless named.")]


def main() -> None:
    """Run `wom`; turn the errors a person can mend into one clear message and an exit status."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that knows no UTF-8 shows "?" for what it cannot
    try:
        app()
    except SettingsError as error:
        _stop(error, status=2)
    except KeyboardInterrupt:
        _stop(None, status=130)
    except OSError as error:  # a full disk, no right to write, an object store out of reach
        _stop(error, status=1)
    except Exception as error:
        if type(error).__module__.split(".")[0] not in {"dags", "listeners", "nlp", "warehouse"}:
            raise  # a mistake of ours, not of the operator: its trace is what helps
        _stop(error, status=1)


@app.command()
def check(
    sources: Annotated[bool, typer.Option("--sources", help="List the sources and the keys each takes.")] = False,
    offline: Annotated[bool, typer.Option("--offline", help="Ask no feed: only read listening.toml.")] = False,
    as_json: AsJson = False,
) -> None:
    """Validate listening.toml, warn of what would go wrong later, and preview each feed without storing anything."""
    from dags import by_hand, checking

    if sources:
        rows = checking.source_keys() if as_json else checking.told_once(checking.source_keys())
        output.show(rows, ["source", "key", "type", "default", "meaning"], as_json=as_json, title="Sources")
        return
    settings = load_settings()
    report = checking.report(settings, os.environ)
    if not offline:
        report["preview"] = by_hand.preview(settings)
    if as_json:
        output.print_json(report)
        return
    output.show(report["brands"], ["brand", "recognised_by", "competitors", "owners"], as_json=False, title="Brands")
    output.show(report["feeds"], ["feed", "source", "url", "keep", "about"], as_json=False, title="Feeds")
    if not offline:
        columns = ["feed", "outcome", "posts", "would_store", "brands", "left_out", "error"]
        output.show(report["preview"], columns, as_json=False, title="The first page of each feed, not stored")
    for warning in report["warnings"]:
        output.warn(warning)
    output.say(f"{settings.source_file} is valid. Posts go to {settings.lake}, trends to {settings.database}.")


@app.command()
def collect(
    feeds: Annotated[list[str] | None, typer.Argument(help="Feed ids; all unless named.")] = None,
    as_json: AsJson = False,
) -> None:
    """Visit feeds now and store the posts they have for us."""
    from dags import by_hand

    visits = by_hand.collect(load_settings(), feeds or None)
    output.show_visits(visits, as_json=as_json)
    _fail_unless(output.any_answered(visits))


@app.command()
def enrich(as_json: AsJson = False) -> None:
    """Read brands, sentiment and entities out of the posts that were not read yet."""
    from dags import by_hand

    output.show_enriched(by_hand.enrich(load_settings()), as_json=as_json)


@app.command()
def publish(as_json: AsJson = False) -> None:
    """Build the DuckDB file from the lake, check it and swap it in."""
    from dags import by_hand

    settings = load_settings()
    output.show_published(by_hand.publish(settings), settings.database, as_json=as_json)


@app.command()
def watch(as_json: AsJson = False) -> None:
    """Open, grow and resolve alerts for negative spikes, and tell their owners."""
    from dags import stages

    watched = stages.watch(load_settings())
    output.show_watched(watched, as_json=as_json)
    _fail_unless(not watched.undelivered)


@app.command()
def run(as_json: AsJson = False) -> None:
    """Collect, enrich, publish and watch, once."""
    from dags import by_hand

    _fail_unless(by_hand.run(load_settings(), os.environ, as_json=as_json))


@app.command()
def housekeeping(as_json: AsJson = False) -> None:
    """Merge small files and clear away what killed runs and old versions left."""
    from dags import stages

    done = stages.tidy(load_settings())
    output.show([{"done": name, "files": number} for name, number in done.items()], ["done", "files"], as_json=as_json)


@app.command()
def demo(
    airflow: Annotated[
        bool, typer.Option("--airflow", help="Run our DAGs through Airflow, as `make run` does.")
    ] = False,
    seed: Annotated[int, typer.Option(help="Which made-up world to listen to.")] = 7,
) -> None:
    """Listen to a made-up world of four brands on a built-in feed server: no network, no keys."""
    from dags import demo as demonstration

    demonstration.run(os.environ, seed=seed, through_airflow=airflow)


@app.command()
def up(
    port: Annotated[int, typer.Option(min=1, max=65_535, help="Port of Airflow's UI on 127.0.0.1.")] = 8080,
) -> None:
    """Start Airflow on this machine with our DAGs, and print its URL and login. Ctrl-C ends it."""
    from dags import demo as demonstration

    demonstration.keep_airflow_up(os.environ, port=port)


@app.command()
def trends(
    brand: BrandName = None,
    days: Annotated[int, typer.Option(min=1, max=3650, help="How many days back.")] = 30,
    as_json: AsJson = False,
) -> None:
    """Show what is being said: a line per brand, or a brand's days."""
    from dags import summary

    with summary.reading(_database()) as database:
        if brand is None:
            rows = summary.per_brand(database, days)
            output.show_brands(rows, as_json=as_json, days=days)
        else:
            rows = summary.per_day(database, brand, days)
            output.show_days(rows, as_json=as_json, brand=brand)


@app.command()
def feeds(as_json: AsJson = False) -> None:
    """Show whether we hear each feed, as of the last publish: silence is no peace if nobody listened."""
    from dags import summary

    with summary.reading(_database()) as database:
        rows, _ = summary.ask(database, "FROM feed_health ORDER BY feed")
    output.show_feeds(rows, as_json=as_json)


@app.command()
def alerts(
    brand: BrandName = None,
    as_json: AsJson = False,
) -> None:
    """List alerts, newest first, with what was observed and what was expected."""
    from dags import summary

    with summary.reading(_database()) as database:
        rows = summary.alerts(database, brand)
    output.show_alerts(rows, as_json=as_json)


@app.command()
def sql(
    query: Annotated[str, typer.Argument(help="One SELECT, for instance \"FROM trend('Acme')\".")],
    as_json: AsJson = False,
) -> None:
    """Ask the published DuckDB file a question of your own."""
    from dags import summary

    with summary.reading(_database()) as database:
        rows, columns = summary.answer(database, query)
    output.show(rows, columns, as_json=as_json)


def _fail_unless(good: bool) -> None:
    if not good:
        raise typer.Exit(1)


def _database() -> Path:
    """Return the DuckDB file: reading it needs no valid listening.toml."""
    return database_path(os.environ.get("WOM_LAKE") or "lake", os.environ)


def _stop(error: BaseException | None, *, status: int) -> None:
    if error is not None:
        Console(stderr=True, highlight=False).print(f"wom: {error}", style="red", markup=False, soft_wrap=True)
    sys.exit(status)
