"""`wom` for the data team: the answers people ask for most, their own questions, and what was understood put right."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from dags import cli_output as output
from dags import cli_output_answers as shown
from dags import cli_output_stages
from dags.cli_options import AsJson, BrandName, By, NoPublish, Note, database_file, login, publish_what_is_stored
from dags.settings import SettingsError, load_settings


def trends(
    brand: BrandName = None,
    days: Annotated[int, typer.Option(min=1, max=3650, help="How many days back.")] = 30,
    as_json: AsJson = False,
) -> None:
    """Show what is being said: a line per brand, or a brand's days."""
    from dags import summary

    with summary.reading(database_file()) as database:
        if brand is None:
            rows = summary.per_brand(database, days)
            shown.show_brands(rows, as_json=as_json, days=days)
        else:
            rows = summary.per_day(database, brand, days)
            shown.show_days(rows, as_json=as_json, brand=brand)


def feeds(as_json: AsJson = False) -> None:
    """Show whether we hear each feed, as of the last publish: silence is no peace if nobody listened."""
    from dags import summary

    with summary.reading(database_file()) as database:
        rows, _ = summary.ask(database, "FROM feed_health ORDER BY feed")
    shown.show_feeds(rows, as_json=as_json)


def sql(
    query: Annotated[
        str, typer.Argument(help="One SELECT, for instance \"FROM trend('Acme')\"; - reads it from standard input.")
    ],
    csv: Annotated[Path | None, typer.Option("--csv", help="Write the answer there, as CSV.")] = None,
    parquet: Annotated[Path | None, typer.Option("--parquet", help="Write the answer there, as Parquet.")] = None,
    as_json: AsJson = False,
) -> None:
    """Ask the published DuckDB file a question of your own; it is only read."""
    from dags import summary

    if query == "-":
        query = sys.stdin.read()
    if csv or parquet:
        from dags.exporting import export

        with summary.reading(database_file()) as database:
            rows = export(database, query, csv=csv, parquet=parquet)
        shown.show_exported(rows, [target for target in (csv, parquet) if target], as_json=as_json)
        return
    with summary.reading(database_file()) as database:
        rows, columns = summary.answer(database, query)
    output.show(rows, columns, as_json=as_json)


def dictionary(
    dbt: Annotated[bool, typer.Option("--dbt", help="Print dbt's sources.yml instead: views and marts.")] = False,
    as_json: AsJson = False,
) -> None:
    """Print what the published DuckDB file holds, as Markdown: every view, mart, macro and table, every column."""
    from dags import summary
    from warehouse import dictionary as told

    if dbt and as_json:
        raise SettingsError("--dbt prints YAML: leave --json out")
    with summary.reading(database_file()) as database:
        entries = told.entries(database)
    if as_json:
        output.print_json([entry._asdict() for entry in entries])
        return
    output.say((told.dbt_sources(entries, database_file().stem) if dbt else told.markdown(entries)).rstrip("\n"))


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
    shown.show_figures(
        list(measured(MentionModel(threads=2), examples)), lambda found: lines(found, sizes(examples)), as_json=as_json
    )


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
    made = stages.correct(settings, post, brand, labels or [], by=by or login(), note=note, taken_back=undo)
    if not as_json:
        shown.show_corrected(made)
    published = None if no_publish else publish_what_is_stored(settings)
    cli_output_stages.show_whether_published(made, published, settings.database, as_json=as_json)


def corrections(
    to: Annotated[
        Path | None, typer.Option(help="Write the corrected mentions there, a JSON object a line, to evaluate on.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List what people put right, or export the corrected mentions as labelled lines."""
    from dags import stages, summary

    if to is None:
        shown.show_corrections(stages.corrections(load_settings()), as_json=as_json)
        return
    from dags.corrected_lines import corrected_lines

    with summary.reading(database_file()) as database:
        lines = corrected_lines(database)
    to.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    shown.show_written(len(lines), to, as_json=as_json)


ASK = {"trends": trends, "feeds": feeds, "sql": sql, "dictionary": dictionary}
PUT_RIGHT = {"correct": correct, "corrections": corrections, "evaluate": evaluate}
