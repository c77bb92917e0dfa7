"""The five stages as plain functions: the one place where listeners, nlp and warehouse meet.

Airflow's tasks and `wom` call the same functions. Each finds its own work in the lake, may be killed at any
byte and run again, and asks for time and for whoever wants to follow its progress as arguments.
"""

import os
import secrets
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pyarrow as pa

from dags.author_key import author_key
from dags.demo_lake import refuse_to_mix
from dags.notify import PATIENCE, Patience
from dags.polling import is_due, last_visits
from dags.settings import BrandSettings, Settings, SettingsError, address_of
from listeners import event_loop
from listeners.feed import FeedOptions
from listeners.registry import has_history
from nlp.sentiment_errors import sentiment_errors
from nlp.version import nlp_version
from warehouse.lake import Lake
from warehouse.storage import Refused
from warehouse.tables import BRANDS, FEEDS, conform

if TYPE_CHECKING:
    from dags.attending import Attended
    from dags.correcting import Corrected
    from dags.forgetting import Forgetting
    from dags.visits import Visitor
    from dags.watching import Watched
    from warehouse.doctor import Finding
    from warehouse.snapshot import Published

FEEDS_A_SHARD = 200  # what one task reads side by side without waiting for a place
FILES_A_BATCH = 50  # posts files one enrich task takes: loading spaCy (3 s) is then a small part of it


def utc_now() -> datetime:
    """Return the time, UTC."""
    return datetime.now(UTC)


def open_lake(settings: Settings) -> Lake:
    """Return the lake of these settings.

    Raises SettingsError where its URL is none that can be opened or the store refuses us, OSError where it is out of
    reach (a retry may help).
    """
    try:
        return Lake.open(settings.lake)
    except (ValueError, Refused) as error:
        raise SettingsError(f"WOM_LAKE: {error}") from error


def fault_of_lake(settings: Settings) -> str | None:
    """Return why a lake that is not on this machine cannot be opened; None if it can. One that is here is not asked."""
    if "://" not in settings.lake or settings.lake.startswith("file://"):
        return None
    try:
        open_lake(settings)
    except (SettingsError, OSError) as error:
        return str(error)
    return None


def version_of(settings: Settings) -> str:
    """Return the nlp_version these settings make mentions with."""
    return nlp_version(settings.recognised, settings.abouts)


# collect


def feed_shards(
    settings: Settings, *, backfill: bool = False, now: Callable[[], datetime] = utc_now
) -> list[list[str]]:
    """Return the ids of the feeds that are due, in shards for one task each; a host's feeds share a shard.

    backfill: only feeds whose source keeps a history.
    """
    moment = now()
    last = {} if backfill else last_visits(open_lake(settings), moment)
    by_host: dict[str, list[str]] = defaultdict(list)
    for feed in settings.feeds:
        if backfill and not has_history(feed.source):
            continue
        if is_due(last.get(feed.id), moment):
            by_host[_host(feed)].append(feed.id)
    shards: list[list[str]] = []
    for ids in by_host.values():
        if shards and len(shards[-1]) + len(ids) <= FEEDS_A_SHARD:
            shards[-1] += ids
        else:
            shards.append(ids)
    return shards


def collect(
    settings: Settings,
    feed_ids: Sequence[str] | None = None,
    *,
    window: tuple[datetime, datetime] | None = None,
    now: Callable[[], datetime] = utc_now,
    environment: Mapping[str, str] = os.environ,
    on_visit: Callable[[dict[str, Any]], None] = lambda visit: None,
) -> list[dict[str, Any]]:
    """Visit feeds (all unless named) and store what is new; return their rows of `visits`.

    window: read this stretch of history, from feeds whose source keeps one; the others are not visited.
    Raises SettingsError for an unknown feed, LakeUnwritable where the lake cannot be written (a retry goes on).
    """
    refuse_to_mix(settings)
    feeds = _named(settings, feed_ids)
    if window:
        feeds = [feed for feed in feeds if has_history(feed.source)]
    visitor = _visitor(settings, now, environment)
    return event_loop.run(visitor.visit_all(feeds, window=window, on_visit=on_visit))


def preview(
    settings: Settings,
    *,
    now: Callable[[], datetime] = utc_now,
    environment: Mapping[str, str] = os.environ,
    on_feed: Callable[[str], None] = lambda feed: None,
) -> list[dict[str, Any]]:
    """Return for each feed what its first page would bring; nothing is stored."""
    from dags.previewing import preview as look
    from nlp.matcher import Matcher

    return event_loop.run(
        look(
            settings.feeds,
            Matcher(settings.recognised),
            allow_hosts=settings.collect.allow_hosts,
            contact=settings.collect.contact,
            consent=settings.collect.consent,
            environment=environment,
            now=now(),
            on_feed=on_feed,
        )
    )


def outcomes(visits: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """Return how many visits ended how, and the posts they stored."""
    return {**Counter(visit["outcome"] for visit in visits), "posts": sum(visit["posts"] for visit in visits)}


# enrich


@dataclass(frozen=True)
class Enriched:
    """What one enrich run read and found; skipped: files it could not read, with the reason."""

    files: int
    posts: int
    mentions: int
    skipped: tuple[tuple[str, str], ...]


def pending_batches(settings: Settings) -> list[list[str]]:
    """Return the posts files that lack mentions of the current nlp_version, in batches for one task each."""
    files = open_lake(settings).pending(version_of(settings))
    return [files[start : start + FILES_A_BATCH] for start in range(0, len(files), FILES_A_BATCH)]


def enrich(
    settings: Settings,
    files: Sequence[str] | None = None,
    *,
    on_file: Callable[[str], None] = lambda path: None,
) -> Enriched:
    """Make the mentions of posts files (all that are pending unless named), file by file."""
    from nlp.enrich import Enricher
    from warehouse.lake import DamagedFile

    lake, version = open_lake(settings), version_of(settings)
    todo = lake.pending(version) if files is None else list(files)
    posts = mentions = 0
    skipped: list[tuple[str, str]] = []
    enricher = Enricher(settings.recognised, settings.abouts, version) if todo else None
    for path in todo:
        try:
            rows = lake.read(path)
            found = _one_batch(rows)
            assert enricher is not None
            batch = enricher.enrich(found)
            lake.write_mentions(path, version, batch)
        except (DamagedFile, FileNotFoundError) as error:  # gone: compacted meanwhile, its rows are in another file
            skipped.append((path, str(error)))
            continue
        posts += rows.num_rows
        mentions += batch.num_rows
        on_file(path)
    return Enriched(len(todo) - len(skipped), posts, mentions, tuple(skipped))


# publish


def publish(
    settings: Settings, *, rebuild: bool = False, verify: bool = False, now: Callable[[], datetime] = utc_now
) -> "Published":
    """Bring the DuckDB file up to date with the lake, check it and swap it in.

    rebuild: from the whole lake, whatever the last one holds. verify: both ways, and compare.

    The report is written anew too, where [alerts] report_file says; that it could not be is a warning.

    It shows one nlp_version: the current one, unless an older one has read more of the posts. So a brand added to
    listening.toml does not empty the file until everything is read again.

    Raises CheckFailed where rows offend: the last good file stays, and only a person can mend it.
    """
    from warehouse import snapshot
    from warehouse.layout import unread
    from warehouse.layout import version_of as maker_of

    lake, current = open_lake(settings), version_of(settings)
    mentions, posts = lake.files("mentions"), lake.files("posts")
    made = {maker_of(path) for path in mentions}
    version = min(made | {current}, key=lambda known: (len(unread(posts, mentions, known)), known != current, known))
    brands, feeds = _brands(settings.brands), _feeds(settings)
    errors = sentiment_errors() if version == current else None  # those of another version nobody knows
    published = snapshot.publish(
        lake,
        settings.database,
        brands,
        feeds,
        version,
        now(),
        errors,
        rules=settings.alerts.rules.as_rules,
        rebuild=rebuild,
        verify=verify,
    )
    return published._replace(warnings=(*published.warnings, *_write_report(settings)))


def _write_report(settings: Settings) -> Iterator[str]:
    """Write the report anew where listening.toml asks for it; yield why that was not done."""
    if settings.alerts.report_file is None:
        return
    from dags.report import write_page

    try:
        write_page(settings.database, settings.alerts.report_file, named="[alerts] report_file")
    except SettingsError as error:
        yield str(error)


# watch


def watch(
    settings: Settings,
    *,
    now: Callable[[], datetime] = utc_now,
    environment: Mapping[str, str] = os.environ,
    patience: Patience = PATIENCE,
) -> "Watched":
    """Open, grow and resolve alerts by the published spikes, and tell owners what they were not told yet.

    Publishes again where that changed an alert, so that the view `alerts` says what owners were told.
    Raises DatabaseMissing where nothing was published yet.
    """
    from dags.watching import watch_once

    watched = watch_once(open_lake(settings), settings, now(), environment, patience)
    if watched.counts:
        publish(settings, now=now)
    return watched


# answers to alerts


def attend(
    settings: Settings,
    alert: str,
    what: str,
    *,
    by: str,
    note: str | None = None,
    until: datetime | None = None,
    now: Callable[[], datetime] = utc_now,
) -> "Attended":
    """Store that a person acknowledged, snoozed (until), resolved or dismissed an alert; the next publish shows it.

    alert: its id, or how that begins if no other does. Raises SettingsError where there is none, or it is too late.
    """
    from dags import attending

    refuse_to_mix(settings)
    return attending.attend(open_lake(settings), alert, what, by=by, note=note, until=until, now=now())


# corrections


def correct(
    settings: Settings,
    post: str,
    brand: str,
    words: Sequence[str],
    *,
    by: str,
    note: str | None = None,
    taken_back: bool = False,
    now: Callable[[], datetime] = utc_now,
) -> "Corrected":
    """Store what a person says is right of a mention, or take back what was said; the next publish shows it.

    post: its id, how that begins if no other does, or its URL. words: `label=value`, or labels where taken_back.
    Raises SettingsError for a wrong word or a mention that is not published, DatabaseMissing where nothing is yet.
    """
    from dags import correcting
    from dags.summary import reading

    refuse_to_mix(settings)
    labels = {correcting.known(word): None for word in words} if taken_back else correcting.read(words)
    with reading(settings.database) as database:
        if taken_back:
            return correcting.undo(
                open_lake(settings), database, post, brand, list(labels), by=by, note=note, now=now()
            )
        return correcting.correct(open_lake(settings), database, post, brand, labels, by=by, note=note, now=now())


def corrections(settings: Settings) -> list[dict[str, Any]]:
    """Return what people said is right and still holds, oldest first, published or not."""
    from warehouse.corrections import events, standing

    return standing(events(open_lake(settings)))


# housekeeping


def tidy(settings: Settings, *, now: Callable[[], datetime] = utc_now) -> dict[str, int]:
    """Merge small files, drop what is old and mentions of other nlp_versions, clear temporaries; return counts.

    What came in of somebody while they were being forgotten goes too.
    """
    from warehouse import retention

    lake, version = open_lake(settings), version_of(settings)
    forgotten = _forget_again(settings, lake, now)
    return {"forgotten_rows_removed": forgotten, **retention.tidy(lake, version, now(), settings.housekeeping.kept_for)}


def examine(settings: Settings, *, mend: bool = False, now: Callable[[], datetime] = utc_now) -> list["Finding"]:
    """Return what is wrong with the lake's files; mend: put them aside, and the rest goes on."""
    from warehouse import doctor

    return doctor.examine(open_lake(settings), now(), mend=mend)


def forget(
    settings: Settings,
    asked: str,
    *,
    dry_run: bool = False,
    now: Callable[[], datetime] = utc_now,
) -> "Forgetting":
    """Remove an author or a post from the lake and the DuckDB file, for good; dry_run: only count what that would take.

    asked: an author's pseudonym, network:account, a post_id, how one begins if no other does, or a post's URL.
    The DuckDB file is built anew, and the one before it goes. Raises SettingsError where none or several fit. May be
    killed at any byte and run again.
    """
    from dags import forgetting

    lake = open_lake(settings)
    done = forgetting.forget(lake, author_key(settings), asked, now(), dry_run=dry_run)
    return done if dry_run else replace(done, rebuilt=_publish_without(settings, now))


def erasures(settings: Settings) -> list[dict[str, Any]]:
    """Return what was forgotten and by how much which figures fell, oldest first."""
    from dags import forgetting

    return forgetting.erasures(open_lake(settings), author_key(settings))


def _forget_again(settings: Settings, lake: Lake, now: Callable[[], datetime]) -> int:
    """Remove what came in while somebody was being forgotten; return how many rows that were."""
    from dags.feed_state import remembered_as
    from warehouse.erasure import erase

    if not lake.files("erasures"):
        return 0
    erased = erase(lake, author_key(settings), None, now(), remembered_as=remembered_as)
    removed = sum(number for table, number in erased.counts.items() if table != "state")
    if removed:
        _publish_without(settings, now)
    return removed


def _publish_without(settings: Settings, now: Callable[[], datetime]) -> bool:
    """Build the DuckDB file anew, where there is one, and leave none to go back to; return whether there was one.

    Raises StillPublished where that fails.
    """
    from dags.forgetting import StillPublished
    from warehouse import snapshot

    snapshot.drop_previous(settings.database)
    if not settings.database.exists():
        return False
    try:
        publish(settings, rebuild=True, now=now)
    except Exception as error:
        raise StillPublished(
            f"the lake holds nothing of it any more, but {settings.database} does until a publish succeeds, and this "
            f"one did not: {error}. Then run this again"
        ) from error
    snapshot.drop_previous(settings.database)
    return True


def sweep(
    settings: Settings,
    *,
    now: Callable[[], datetime] = utc_now,
    environment: Mapping[str, str] = os.environ,
    on_visit: Callable[[dict[str, Any]], None] = lambda visit: None,
) -> list[dict[str, Any]]:
    """Look again at the kept posts that are a day, a week or a month old; return the rows of `visits` this made.

    What is gone at its source gets a tombstone. Sources that cannot be asked for a post by its id are left alone.
    Raises LakeUnwritable where the lake cannot be written (a retry goes on).
    """
    from dags import sweeping
    from dags.polling import NO_ANSWER

    refuse_to_mix(settings)
    lake = open_lake(settings)
    planned = sweeping.plan(lake, settings.feeds, now())
    feeds = [feed for feed in settings.feeds if feed.id in planned]
    readings = {feed.id: sweeping.reading(feed, planned[feed.id]) for feed in feeds}
    if not feeds:
        return []
    visitor = _visitor(settings, now, environment)
    visits = event_loop.run(visitor.visit_all(feeds, readings=readings, on_visit=on_visit))
    for visit in visits:
        if visit["outcome"] not in NO_ANSWER:
            sweeping.save(lake, visit["feed"], planned[visit["feed"]].reached)
    return visits


def _visitor(settings: Settings, now: Callable[[], datetime], environment: Mapping[str, str]) -> "Visitor":
    from dags.visits import Visitor
    from nlp.matcher import Matcher

    return Visitor(
        lake=open_lake(settings),
        settings=settings.collect,
        author_key=author_key(settings),
        names_a_brand=Matcher(settings.recognised).names_any,
        clock=now,
        run_id=f"{now():%Y%m%dT%H%M%S}-{secrets.token_hex(4)}",
        environment=environment,
    )


def _named(settings: Settings, feed_ids: Sequence[str] | None) -> list[FeedOptions]:
    if feed_ids is None:
        return list(settings.feeds)
    known = {feed.id: feed for feed in settings.feeds}
    if unknown := [feed_id for feed_id in feed_ids if feed_id not in known]:
        raise SettingsError(f"{settings.source_file}: no feed {', '.join(unknown)}; valid: {', '.join(known)}")
    return [known[feed_id] for feed_id in dict.fromkeys(feed_ids)]  # one named twice is visited once


def _host(feed: FeedOptions) -> str:
    return urlsplit(str(getattr(feed, "url", None) or "")).netloc or feed.source


def _one_batch(rows: pa.Table) -> pa.RecordBatch:
    return pa.concat_batches(rows.to_batches()) if rows.num_rows else pa.RecordBatch.from_pylist([], schema=rows.schema)


def _brands(brands: Sequence[BrandSettings]) -> pa.RecordBatch:
    rows = [
        {"brand": brand.name, "competitors": list(brand.competitors), "owners": list(brand.owners.items())}
        for brand in brands
    ]
    return conform(pa.RecordBatch.from_pylist(rows, schema=BRANDS), BRANDS)


def _feeds(settings: Settings) -> pa.RecordBatch:
    rows = [
        {
            "feed": feed.id,
            "source": feed.source,
            "url": address_of(feed),
            "about": feed.about,
            "keep_days": settings.housekeeping.kept_for(feed.source),
        }
        for feed in settings.feeds
    ]
    return conform(pa.RecordBatch.from_pylist(rows, schema=FEEDS), FEEDS)
