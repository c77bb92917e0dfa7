"""`wom`: every stage by hand, and the answers people ask for most.

Exit status: 0 done, 1 failed, 2 wrong use or configuration. Nothing heavy is imported for a help text: spaCy,
DuckDB and Arrow come with the command that needs them.
"""

import getpass
import io
import os
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from dags import cli_output as output
from dags.settings import Settings, SettingsError, database_path, load_settings

if TYPE_CHECKING:
    from warehouse.snapshot import Published

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
AlertId = Annotated[str, typer.Argument(help="The alert's id, or how it begins.")]
Note = Annotated[str | None, typer.Option(help="Why.")]
By = Annotated[str | None, typer.Option(help="Who says so; your login unless named.")]
NoPublish = Annotated[bool, typer.Option("--no-publish", help="Leave it to the next publish to show it.")]


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
    output.show(report["told"], ["brand", "about", "owner", "tell", "page"], as_json=False, title="Who is told")
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
def enrich(
    source: Annotated[
        Path | None, typer.Option("--from", help="Posts from elsewhere, as JSON lines: post_id, text, brand ...")
    ] = None,
    target: Annotated[Path | None, typer.Option("--to", help="Where their mentions go, as JSON lines.")] = None,
    overall: Annotated[
        bool, typer.Option("--overall", help="Judge how each text sounds as a whole, for no brand.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Read brands, sentiment and entities out of the posts that were not read yet.

    With --from and --to, out of those of a file instead; `-` is standard input or output. Nothing is stored then.
    """
    from dags import by_hand

    if source is None and target is None and not overall:
        output.show_enriched(by_hand.enrich(load_settings()), as_json=as_json)
        return
    if source is None or target is None:
        raise SettingsError("--from and --to go together, as in: wom enrich --from posts.jsonl --to mentions.jsonl")
    output.show_judged(by_hand.enrich_file(source, target, overall=overall, environment=os.environ), as_json=as_json)


@app.command()
def evaluate(
    labelled: Annotated[Path, typer.Argument(help="Labelled mentions as JSON lines, or a folder of labelled sets.")],
    as_json: AsJson = False,
) -> None:
    """Print how good the mention model is on labelled mentions: every label, with bounds and confusions."""
    from nlp.mention_model import MentionModel
    from nlp.training.evaluate import lines, measured, read, sizes

    try:
        examples = read(labelled, "reported")
    except OSError as error:
        raise SettingsError(f"{labelled}: {error.strerror or error}") from error
    except ValueError as error:
        raise SettingsError(str(error)) from error
    output.show_figures(
        list(measured(MentionModel(threads=2), examples)), lambda found: lines(found, sizes(examples)), as_json=as_json
    )


@app.command()
def publish(
    rebuild: Annotated[bool, typer.Option("--rebuild", help="Build it from the whole lake.")] = False,
    verify: Annotated[
        bool, typer.Option("--verify", help="Build it from the whole lake too, and name the tables that differ.")
    ] = False,
    rollback: Annotated[
        bool, typer.Option("--rollback", help="Go back to the file before this one; a second time comes back.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Bring the DuckDB file up to date with the lake, check it and swap it in.

    It goes on from the last file where it can, and says why where it cannot. The last one is kept to go back to.
    """
    from dags import by_hand

    settings = load_settings()
    if rollback:
        if rebuild or verify:
            raise SettingsError("--rollback publishes nothing: leave --rebuild and --verify out")
        output.show_rolled_back(by_hand.rollback(settings), settings.database, as_json=as_json)
        return
    published = by_hand.publish(settings, rebuild=rebuild, verify=verify)
    output.show_published(published, settings.database, as_json=as_json)
    _fail_unless(not published.differing)


@app.command()
def watch(as_json: AsJson = False) -> None:
    """Open, grow and resolve alerts for negative spikes, and tell their owners."""
    from dags import stages

    watched = stages.watch(load_settings())
    output.show_watched(watched, as_json=as_json)
    _fail_unless(not watched.undelivered)


@app.command("test-alerts")
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
    _fail_unless(all(row["delivered"] for row in tried))


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
def doctor(
    mend: Annotated[
        bool, typer.Option("--mend", help="Move what is wrong to quarantine/ in the lake, with a note beside it.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Read every file of the lake and tell which are damaged, foreign or misplaced, what that means, and what to do.

    Ends with status 1 while something is wrong.
    """
    from dags import by_hand

    found = by_hand.examine(load_settings(), mend=mend)
    output.show_findings(found, as_json=as_json)
    _fail_unless(all(finding.outcome for finding in found))


@app.command()
def sweep(as_json: AsJson = False) -> None:
    """Look again at kept posts that are a day, a week or a month old; what is gone at its source is taken down here."""
    from dags import by_hand

    visits = by_hand.sweep(load_settings())
    output.show_swept(visits, as_json=as_json)
    _fail_unless(output.any_answered(visits))


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
    state: Annotated[
        list[str] | None,
        typer.Option(help="Only open, quiet, acknowledged, snoozed, resolved or dismissed ones; may be repeated."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List alerts as of the last publish, newest first: how each stands, what was observed and what expected."""
    from dags import summary

    with summary.reading(_database()) as database:
        rows = summary.alerts(database, brand, state)
    output.show_alert_table(rows, as_json=as_json)


@app.command()
def ack(
    alert: AlertId,
    note: Note = None,
    by: By = None,
    no_publish: NoPublish = False,
    as_json: AsJson = False,
) -> None:
    """Take an alert on: nobody else is asked to. `wom alerts` lists the ids."""
    _attend(alert, "acknowledged", note=note, by=by, no_publish=no_publish, as_json=as_json)


@app.command()
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


@app.command()
def resolve(
    alert: AlertId,
    note: Note = None,
    by: By = None,
    no_publish: NoPublish = False,
    as_json: AsJson = False,
) -> None:
    """End an alert. If its brand spikes on after that, within 12 hours, it is reopened."""
    _attend(alert, "resolved", note=note, by=by, no_publish=no_publish, as_json=as_json)


@app.command()
def dismiss(
    alert: AlertId,
    note: Note = None,
    by: By = None,
    no_publish: NoPublish = False,
    as_json: AsJson = False,
) -> None:
    """Say that an alert was none: it comes back only if it doubles, and counts as false where rules are compared."""
    _attend(alert, "dismissed", note=note, by=by, no_publish=no_publish, as_json=as_json)


@app.command()
def report(
    brand: BrandName = None,
    target: Annotated[Path, typer.Option("--to", help="Where the page goes; `-` is standard output.")] = Path(
        "report.html"
    ),
    as_json: AsJson = False,
) -> None:
    """Write one web page of open and recent incidents, as of the last publish: what, why, and in whose words."""
    from dags import summary
    from dags.from_to import written_to
    from dags.report import page

    with summary.reading(_database()) as database:
        alerts = summary.alerts(database, brand)
        html = page(alerts, summary.published_at(database), brand)
    with written_to(target, newline="\n") as file:
        file.write(html)
    output.show_report(target, as_json=as_json)


@app.command()
def spikes(
    source: Annotated[
        Path, typer.Option("--from", help="CSV of hourly counts: series, timestamp, mentions, negatives, source.")
    ],
    target: Annotated[Path, typer.Option("--to", help="Where score, alert and reason of each row go, as CSV.")],
    as_json: AsJson = False,
) -> None:
    """Find negative spikes in hourly counts from elsewhere; `-` is standard input or output. Nothing is stored."""
    from dags import spiking

    output.show_spiked(spiking.spike_file(source, target), as_json=as_json)


@app.command()
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

    output.show_replayed(by_hand.replay(load_settings(), days=days, other=rules, is_tuned=tune), as_json=as_json)


@app.command()
def correct(
    post: Annotated[str, typer.Argument(help="The post's id, or how it begins, or the post's URL.")],
    brand: Annotated[str, typer.Argument(help="The brand it mentions.")],
    labels: Annotated[
        list[str] | None,
        typer.Argument(help="What is right: sentiment=negative intents=complain,left aspects=billing:negative ..."),
    ] = None,
    undo: Annotated[
        bool, typer.Option("--undo", help="Take back what was said, all of it or of the labels named.")
    ] = False,
    note: Note = None,
    by: By = None,
    no_publish: NoPublish = False,
    as_json: AsJson = False,
) -> None:
    """Put right what was understood of a mention: it wins over nlp from now on, whatever nlp_version or edit comes."""
    from dags import stages

    settings = load_settings()
    made = stages.correct(settings, post, brand, labels or [], by=by or _login(), note=note, taken_back=undo)
    if not as_json:
        output.show_corrected(made)
    published = None if no_publish else _publish_what_is_stored(settings)
    output.show_whether_published(made, published, settings.database, as_json=as_json)


@app.command()
def corrections(
    to: Annotated[
        Path | None, typer.Option(help="Write the corrected mentions there, a JSON object a line, to evaluate on.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List what people put right, or export the corrected mentions as labelled lines."""
    from dags import stages, summary

    if to is None:
        output.show_corrections(stages.corrections(load_settings()), as_json=as_json)
        return
    from dags.corrected_lines import corrected_lines

    with summary.reading(_database()) as database:
        lines = corrected_lines(database)
    to.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    output.show_written(len(lines), to, as_json=as_json)


@app.command()
def forget(
    asked: Annotated[
        str,
        typer.Argument(
            metavar="AUTHOR|POST",
            help="An author, as the posts table has it or as network:account (mastodon:ann@mastodon.social); or a "
            "post: its id, how that begins, or its URL.",
        ),
    ],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would go.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Remove an author with all they wrote, or one post, from lake and DuckDB file; it never comes back.

    What was counted is counted anew, and `wom erasures` tells what that changed. Killed, it is simply run again.
    """
    from dags import by_hand, stages

    if as_json and not (yes or dry_run):
        raise SettingsError("with --json nothing is asked: add --yes, or --dry-run to see what would go")
    settings = load_settings()
    if dry_run or not yes:
        planned = stages.forget(settings, asked, dry_run=True)
        if dry_run:
            output.show_forgotten(planned, as_json=as_json, is_plan=True)
            return
        output.show_forgotten(planned, as_json=False, is_plan=True)
        typer.confirm("This cannot be undone. Go on?", abort=True)
    done = by_hand.forget(settings, asked)
    output.show_forgotten(done, as_json=as_json, is_plan=False)
    _fail_unless(not done.erased.unsearched)


@app.command()
def erasures(as_json: AsJson = False) -> None:
    """List what was forgotten, by how much which figures fell, and whether each line stands as it was signed."""
    from dags import stages

    rows = stages.erasures(load_settings())
    output.show_erasures(rows, as_json=as_json)
    _fail_unless(all(row["is_genuine"] for row in rows))


@app.command()
def sql(
    query: Annotated[str, typer.Argument(help="One SELECT, for instance \"FROM trend('Acme')\".")],
    csv: Annotated[Path | None, typer.Option("--csv", help="Write the answer there, as CSV.")] = None,
    parquet: Annotated[Path | None, typer.Option("--parquet", help="Write the answer there, as Parquet.")] = None,
    as_json: AsJson = False,
) -> None:
    """Ask the published DuckDB file a question of your own; it is only read."""
    from dags import summary

    if csv or parquet:
        from dags.exporting import export

        with summary.reading(_database()) as database:
            rows = export(database, query, csv=csv, parquet=parquet)
        output.show_exported(rows, [target for target in (csv, parquet) if target], as_json=as_json)
        return
    with summary.reading(_database()) as database:
        rows, columns = summary.answer(database, query)
    output.show(rows, columns, as_json=as_json)


@app.command()
def dictionary(
    dbt: Annotated[bool, typer.Option("--dbt", help="Print dbt's sources.yml instead: views and marts.")] = False,
    as_json: AsJson = False,
) -> None:
    """Print what the published DuckDB file holds, as Markdown: every view, mart, macro and table, every column."""
    from dags import summary
    from warehouse import dictionary as told

    if dbt and as_json:
        raise SettingsError("--dbt prints YAML: leave --json out")
    with summary.reading(_database()) as database:
        entries = told.entries(database)
    if as_json:
        output.print_json([entry._asdict() for entry in entries])
        return
    output.say((told.dbt_sources(entries, _database().stem) if dbt else told.markdown(entries)).rstrip("\n"))


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
    made = stages.attend(settings, alert, what, by=by or _login(), note=note, until=until)
    if not as_json:
        output.show_attended(made)
    published = None if no_publish else _publish_what_is_stored(settings)
    output.show_whether_published(made, published, settings.database, as_json=as_json)


def _publish_what_is_stored(settings: Settings) -> "Published":
    from dags import by_hand

    try:
        return by_hand.publish(settings)
    except Exception:
        output.warn("it is stored, and shows after the next publish that succeeds; this one did not")
        raise


def _fail_unless(good: bool) -> None:
    if not good:
        raise typer.Exit(1)


def _login() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError) as error:  # a container may run under a number that has no name
        raise SettingsError("this machine does not know who you are: say it with --by") from error


def _database() -> Path:
    """Return the DuckDB file: reading it needs no valid listening.toml."""
    return database_path(os.environ.get("WOM_LAKE") or "lake", os.environ)


def _stop(error: BaseException | None, *, status: int) -> None:
    if error is not None:
        Console(stderr=True, highlight=False, emoji=False).print(
            f"wom: {error}", style="red", markup=False, soft_wrap=True
        )
    sys.exit(status)
