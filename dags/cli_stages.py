"""`wom` for whoever runs it: the stages by hand, and what keeps lake and file in order."""

import os
from pathlib import Path
from typing import Annotated

import typer

from dags import cli_output as output
from dags import cli_output_stages as shown
from dags.cli_options import AsJson, fail_unless
from dags.settings import SettingsError, load_settings


def check(
    sources: Annotated[bool, typer.Option("--sources", help="List the sources and the keys each takes.")] = False,
    offline: Annotated[bool, typer.Option("--offline", help="Ask nobody: only read listening.toml.")] = False,
    as_json: AsJson = False,
) -> None:
    """Validate listening.toml, warn of what would go wrong later, and preview each feed without storing anything."""
    from dags import by_hand, checking, stages

    if sources:
        rows = checking.source_keys() if as_json else checking.told_once(checking.source_keys())
        output.show(rows, ["source", "key", "type", "default", "meaning"], as_json=as_json, title="Sources")
        return
    settings = load_settings()
    report = checking.report(settings, os.environ)
    if not offline:
        if fault := stages.fault_of_lake(settings):
            report["warnings"].append(fault)
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


def collect(
    feeds: Annotated[list[str] | None, typer.Argument(help="Feed ids; all unless named.")] = None,
    as_json: AsJson = False,
) -> None:
    """Visit feeds now and store the posts they have for us."""
    from dags import by_hand

    visits = by_hand.collect(load_settings(), feeds or None)
    shown.show_visits(visits, as_json=as_json)
    fail_unless(shown.any_answered(visits))


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
        shown.show_enriched(by_hand.enrich(load_settings()), as_json=as_json)
        return
    if source is None or target is None:
        raise SettingsError("--from and --to go together, as in: wom enrich --from posts.jsonl --to mentions.jsonl")
    shown.show_judged(by_hand.enrich_file(source, target, overall=overall, environment=os.environ), as_json=as_json)


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
        shown.show_rolled_back(by_hand.rollback(settings), settings.database, as_json=as_json)
        return
    published = by_hand.publish(settings, rebuild=rebuild, verify=verify)
    shown.show_published(published, settings.database, as_json=as_json)
    fail_unless(not published.differing)


def watch(as_json: AsJson = False) -> None:
    """Open, grow and resolve alerts for negative spikes, and tell their owners."""
    from dags import stages

    watched = stages.watch(load_settings())
    shown.show_watched(watched, as_json=as_json)
    fail_unless(not watched.undelivered)


def run(as_json: AsJson = False) -> None:
    """Collect, enrich, publish and watch, once."""
    from dags import by_hand

    fail_unless(by_hand.run(load_settings(), os.environ, as_json=as_json))


def sweep(as_json: AsJson = False) -> None:
    """Look again at kept posts that are a day, a week or a month old; what is gone at its source is taken down here."""
    from dags import by_hand

    visits = by_hand.sweep(load_settings())
    shown.show_swept(visits, as_json=as_json)
    fail_unless(shown.any_answered(visits))


def housekeeping(as_json: AsJson = False) -> None:
    """Merge small files and clear away what killed runs and old versions left."""
    from dags import stages

    done = stages.tidy(load_settings())
    output.show([{"done": name, "files": number} for name, number in done.items()], ["done", "files"], as_json=as_json)


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
    shown.show_findings(found, as_json=as_json)
    fail_unless(all(finding.outcome for finding in found))


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
            shown.show_forgotten(planned, as_json=as_json, is_plan=True)
            return
        shown.show_forgotten(planned, as_json=False, is_plan=True)
        typer.confirm("This cannot be undone. Go on?", abort=True)
    done = by_hand.forget(settings, asked)
    shown.show_forgotten(done, as_json=as_json, is_plan=False)
    fail_unless(not done.erased.unsearched)


def erasures(as_json: AsJson = False) -> None:
    """List what was forgotten, by how much which figures fell, and whether each line stands as it was signed."""
    from dags import stages

    rows = stages.erasures(load_settings())
    shown.show_erasures(rows, as_json=as_json)
    fail_unless(all(row["is_genuine"] for row in rows))


def demo(
    airflow: Annotated[
        bool, typer.Option("--airflow", help="Run our DAGs through Airflow, as `make run` does.")
    ] = False,
    seed: Annotated[int, typer.Option(help="Which made-up world to listen to.")] = 7,
) -> None:
    """Listen to a made-up world of four brands on a built-in feed server: no network, no keys."""
    from dags import demo as demonstration

    demonstration.run(os.environ, seed=seed, through_airflow=airflow)


def up(
    port: Annotated[int, typer.Option(min=1, max=65_535, help="Port of Airflow's UI on 127.0.0.1.")] = 8080,
) -> None:
    """Start Airflow on this machine with our DAGs, and print its URL and login. Ctrl-C ends it."""
    from dags import demo as demonstration

    demonstration.keep_airflow_up(os.environ, port=port)


RUN = {
    "check": check,
    "collect": collect,
    "enrich": enrich,
    "publish": publish,
    "watch": watch,
    "run": run,
    "demo": demo,
    "up": up,
}
KEEP = {"housekeeping": housekeeping, "sweep": sweep, "doctor": doctor, "forget": forget, "erasures": erasures}
