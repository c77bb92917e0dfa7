"""What `wom` shows of its stages, and of what is done to keep lake and file in order."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from dags.cli_output import Row, counts, jsonable, notes, print_json, say, say_aside, show, warn

if TYPE_CHECKING:
    from dags.attending import Attended
    from dags.correcting import Corrected
    from dags.enriching import Judged
    from dags.forgetting import Forgetting
    from dags.stages import Enriched
    from dags.watching import Watched
    from warehouse.doctor import Finding
    from warehouse.snapshot import Published

NO_ANSWER = {"failed", "blocked", "gone"}
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
    shown = [{**visit, "left_out": counts(visit["left_out"]) or "", "notes": notes(visit["notes"])} for visit in visits]
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
    if judged.errors and not as_json:
        warn(f"{judged.errors} lines could not be judged; each says why in its place")
    say_aside(f"{judged.lines} lines written", judged, as_json=as_json)


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
    shown = ("posts", "mentions", "lake.brands", "lake.feeds")  # --json counts every table
    rows = ", ".join(f"{published.rows[name]} {name.removeprefix('lake.')}" for name in shown)
    say(f"{database} published in {published.seconds:.1f} s: {rows}")
    say(f"Rebuilt: {published.rebuilt}." if published.rebuilt else "It went on from the last file.")


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
