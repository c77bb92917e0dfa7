"""The stages with a person watching: the same functions as Airflow's tasks call, with progress on stderr."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dags import cli_output as output
from dags import cli_output_stages, stages
from dags.settings import Settings

if TYPE_CHECKING:
    from dags.enriching import Judged
    from dags.forgetting import Forgetting
    from dags.replaying import Replayed
    from warehouse.doctor import Finding
    from warehouse.snapshot import Published


def preview(settings: Settings) -> list[dict[str, Any]]:
    """Look at each feed's first page; return a row per feed."""
    with output.progress("feeds asked", len(settings.feeds)) as advance:
        return stages.preview(settings, on_feed=lambda feed: advance(1))


def collect(settings: Settings, feeds: list[str] | None = None) -> list[dict[str, Any]]:
    """Visit feeds (all unless named); return their rows of `visits`."""
    with output.progress("feeds visited", len(feeds or settings.feeds)) as advance:
        return stages.collect(settings, feeds, on_visit=lambda visit: advance(1))


def sweep(settings: Settings) -> list[dict[str, Any]]:
    """Look again at kept posts; return the rows of `visits` this made."""
    with output.counting("feeds looked at again") as advance:
        return stages.sweep(settings, on_visit=lambda visit: advance(1))


def examine(settings: Settings, *, mend: bool) -> list["Finding"]:
    """Return what is wrong with the lake's files; mend: put them aside."""
    with output.working("reading the lake"):
        return stages.examine(settings, mend=mend)


def enrich(settings: Settings) -> stages.Enriched:
    """Read what was not read yet."""
    files = [path for batch in stages.pending_batches(settings) for path in batch]
    with output.progress("posts files read", len(files)) as advance:
        return stages.enrich(settings, files, on_file=lambda path: advance(1))


def enrich_file(source: Path, target: Path, *, overall: bool, environment: Mapping[str, str]) -> "Judged":
    """Judge the posts of a file into another; return how many lines there are."""
    from dags.enriching import enrich_file as judge_file

    with output.counting("lines read") as advance:
        return judge_file(source, target, overall=overall, environment=environment, on_line=lambda: advance(1))


def publish(settings: Settings, *, rebuild: bool = False, verify: bool = False) -> "Published":
    """Bring the DuckDB file up to date."""
    with output.working("publishing"):
        return stages.publish(settings, rebuild=rebuild, verify=verify)


def rollback(settings: Settings) -> datetime:
    """Go back to the DuckDB file before this one; return when that was published (UTC)."""
    from warehouse import snapshot

    snapshot.rollback(settings.database)
    with snapshot.connect(settings.database) as connection:
        [[published_at]] = connection.execute("SELECT published_at FROM lake.snapshot").fetchall()
    return published_at


def forget(settings: Settings, asked: str) -> "Forgetting":
    """Forget an author or a post."""
    with output.working("forgetting"):
        return stages.forget(settings, asked)


def replay(settings: Settings, *, days: int, other: Path | None, is_tuned: bool) -> "Replayed":
    """Try rules on stored history."""
    from dags import alert_events
    from dags.replaying import replayed

    past, unread = alert_events.read(stages.open_lake(settings))
    for reason in unread:
        output.warn(f"{reason}; what was told and said in it is not counted")
    return replayed(settings, past, days=days, other=other, is_tuned=is_tuned, step=output.progress)


def run(settings: Settings, environment: Mapping[str, str], *, as_json: bool = False) -> bool:
    """Collect, enrich, publish and watch, printing what each did; return whether all ended well.

    It did not where no feed answered, or an owner could not be told.
    """
    visits = collect(settings)
    if not as_json:
        cli_output_stages.show_visits(visits, as_json=False)
    enriched = enrich(settings)
    if not as_json:
        cli_output_stages.show_enriched(enriched, as_json=False)
    published = publish(settings)
    if not as_json:
        cli_output_stages.show_published(published, settings.database, as_json=False)
    watched = stages.watch(settings, environment=environment)
    if as_json:
        output.print_json(
            {
                "visits": visits,
                "enriched": enriched,
                "published": {"database": settings.database, "rows": published.rows, "warnings": published.warnings},
                "watched": watched,
            }
        )
    else:
        cli_output_stages.show_watched(watched, as_json=False)
    return cli_output_stages.any_answered(visits) and not watched.undelivered
