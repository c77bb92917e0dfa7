"""The checks, on a lake heard for five weeks in which one thing is made wrong: each finds its own, or keeps quiet.

What they do to a publish, tests/warehouse/test_publish.py tells.
"""

import itertools
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, get_args

import duckdb
import pytest
from warehouse_rows import NOW, VERSION, batch, brands, correction, event, feeds, hours_ago, mention, post, store, visit

from listeners.feed_server import make_world
from listeners.feed_server.brands import BY_NAME
from listeners.feed_server.posts import Place
from listeners.feed_server.world import World
from warehouse import snapshot, tables
from warehouse.checking import offences
from warehouse.lake import Lake
from warehouse.statements import Statement, statements

Offences = dict[str, list[dict[str, Any]]]
WEEKS = 5
RECENT = "posts.fetched_at > (SELECT published_at - INTERVAL 24 HOURS FROM lake.snapshot)"
VISITED = "started_at > (SELECT published_at - INTERVAL 24 HOURS FROM lake.snapshot)"
EARLIER = "started_at < (SELECT published_at - INTERVAL 15 DAYS FROM lake.snapshot)"
SAID = "hour > (SELECT hour - INTERVAL 24 HOURS FROM lake.snapshot)"


def fill(lake: Lake) -> None:
    """Five weeks of two posts an hour in the town and one in the village, visited every hour."""
    said, visits = [], []
    for hours in range(WEEKS * 7 * 24, 0, -1):
        for number, feed in enumerate(("town-talk", "town-talk", "village")):
            said.append(
                post(
                    f"p{hours}-{number}",
                    feed=feed,
                    published_at=hours_ago(hours + 0.4),
                    fetched_at=hours_ago(hours),
                    author=f"author {(hours * 3 + number) % 97}",
                    rating=0.5 if hours % 2 else None,
                )
            )
        visits += [visit("town-talk", hours=hours, posts=2), visit("village", hours=hours, posts=1)]
    found = [
        mention(of, sentiment=number % 3 - 1, stage="use" if number % 2 else "unknown", experience="opinion",
                intents=[], aspects=[], signature=bytes([number % 89 + 1] * 64) if number < 200 else None)
        for number, of in enumerate(said)
    ]  # fmt: skip
    store(lake, said, found)
    lake.append(batch(tables.VISITS, *visits), tables.VISITS, "run")
    events = [event("storm", "opened", 9), event("storm", "resolved", 2)]
    lake.append(batch(tables.ALERTS, *events), tables.ALERTS, "run")
    right = correction("sentiment", 1, post_id="p5-0")
    lake.append(batch(tables.CORRECTIONS, right), tables.CORRECTIONS, "run")
    whole = dict.fromkeys(tables.ERASURES.names) | {
        "erasure_id": "e", "at": hours_ago(3), "scope": "author", "sources": ["rss"], "posts_change": -1,
        "keyed_hashes": ["x"], "signature": "s",
    }  # fmt: skip
    of_a_day = whole | {
        "nlp_version": VERSION, "brand": "Quillon", "day": NOW.date(), "posts_change": None, "mentions_change": -1,
        "negatives_change": 0, "neutrals_change": 0, "positives_change": -1, "keyed_hashes": None,
    }  # fmt: skip
    lake.append(batch(tables.ERASURES, whole, of_a_day), tables.ERASURES, "run")


@pytest.fixture(scope="module")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The lake, published."""
    folder = tmp_path_factory.mktemp("checks")
    lake = Lake.open(str(folder / "lake"))
    fill(lake)
    published = snapshot.publish(
        lake, folder / "told.duckdb", brands("Quillon", "Telvo"), feeds("town-talk", "village"), VERSION, NOW
    )
    assert published.warnings == ()
    return folder / "told.duckdb"


@pytest.fixture(scope="module")
def opened(healthy: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(str(healthy)) as connection:
        yield connection


@pytest.fixture
def found(opened: duckdb.DuckDBPyConnection) -> Iterator[Callable[[str], Offences]]:
    """Do something to the file, and return what the checks find then; afterwards it is as it was."""

    def found(wrong: str) -> Offences:
        for command in wrong.split(";"):
            opened.execute(command)
        return {check.name: rows for check, rows in offences(opened, None)}

    opened.execute("BEGIN")
    yield found
    opened.execute("ROLLBACK")


WRONG = [
    ("alerts_have_brands", "DELETE FROM lake.alerts WHERE event = 'resolved'; DELETE FROM lake.brands"),
    ("alerts_have_openings", "DELETE FROM lake.alerts WHERE event = 'opened'"),
    ("clock_has_not_jumped", "UPDATE lake.snapshot SET published_at = published_at - INTERVAL 3 HOURS"),
    ("corrections_have_mentions", "DELETE FROM lake.mentions WHERE post_id = 'p5-0'"),
    ("counts_are_of_opinions", "DELETE FROM opinions WHERE post_id = 'p5-0'"),
    ("counts_are_of_opinions", "UPDATE opinions SET brand = 'Telvo' WHERE post_id = 'p5-0'"),
    ("erasures_are_whole", "DELETE FROM lake.erasures WHERE brand IS NULL"),
    ("figures_are_unique", "INSERT INTO brand_hours FROM brand_hours LIMIT 1"),
    ("figures_are_unique", "INSERT INTO brand_days FROM brand_days LIMIT 1"),
    ("figures_are_unique", "INSERT INTO complaint_days FROM complaint_days LIMIT 1"),
    ("figures_are_unique", "INSERT INTO reach_days FROM reach_days LIMIT 1"),
    ("figures_in_range", "UPDATE brand_hours SET coverage = 1.5 WHERE hour = (SELECT max(hour) FROM brand_hours)"),
    ("figures_in_range", "UPDATE brand_days SET net_sentiment = 1.01 WHERE day = (SELECT max(day) FROM brand_days)"),
    ("figures_in_range", "UPDATE brand_days SET negatives = negatives + 1"),
    ("figures_in_range", "DELETE FROM reach_days WHERE day = (SELECT max(day) FROM reach_days)"),
    ("figures_in_range", "INSERT INTO aspect_days BY NAME SELECT 'Quillon' AS brand, 'price' AS aspect, "
     "DATE '2026-11-19' AS day, 5 AS mentions, 6 AS authors, 5 AS positives, 0 AS negatives, 0 AS neutrals"),
    ("figures_in_range", "INSERT INTO negative_spikes BY NAME SELECT 9 AS negatives, 5 AS mentions, "
     "'Quillon' AS brand"),
    ("mentions_are_unique", "INSERT INTO lake.mentions FROM lake.mentions WHERE post_id = 'p5-0'"),
    ("mentions_have_brands", "DELETE FROM lake.brands WHERE brand = 'Quillon'"),
    ("mentions_have_posts", "UPDATE lake.mentions SET version = 'another' WHERE post_id = 'p5-0'"),
    ("nulls_are_usual", f"UPDATE lake.posts AS posts SET author = NULL WHERE feed = 'town-talk' AND {RECENT}"),
    ("nulls_are_usual", f"UPDATE lake.posts AS posts SET rating = NULL WHERE feed = 'town-talk' AND {RECENT}"),
    ("opinions_are_known", "UPDATE brand_hours SET unknowns = mentions"),
    ("opinions_have_mentions", "DELETE FROM lake.mentions WHERE post_id = 'p5-0'"),
    ("opinions_have_mentions", "UPDATE lake.mentions SET is_current = false WHERE post_id = 'p5-0'"),
    ("opinions_in_range", "UPDATE lake.mentions SET certainty = 1.5 WHERE post_id = 'p5-0'"),
    ("opinions_in_range", "UPDATE lake.mentions SET p_negative = 0.5 WHERE post_id = 'p5-0'"),
    ("opinions_in_range", "UPDATE lake.mentions SET sentiment = 2 WHERE post_id = 'p5-0'"),
    ("opinions_in_range", "UPDATE lake.mentions SET experience = 'hearsay' WHERE post_id = 'p6-0'"),
    ("posts_are_fresh", "UPDATE lake.snapshot SET published_at = published_at + INTERVAL 2 DAYS"),
    ("posts_are_not_from_the_future", "UPDATE lake.posts SET published_at = fetched_at + INTERVAL 3 MINUTES"),
    ("posts_are_unique", "INSERT INTO lake.posts FROM lake.posts WHERE post_id = 'p5-0'"),
    ("posts_in_range", "UPDATE lake.posts SET rating = 4.5 WHERE post_id = 'p5-0'"),
    ("posts_in_range", "UPDATE lake.posts SET views = -1 WHERE post_id = 'p5-0'"),
    ("stories_have_first_posts", "UPDATE lake.story_posts SET story_id = 'p5-0'"),
    ("stories_have_posts", "DELETE FROM lake.posts WHERE post_id = (SELECT min(story_id) FROM lake.story_posts)"),
    ("unknowns_are_usual", f"UPDATE opinions SET sentiment = NULL WHERE {SAID}"),
    ("unknowns_are_usual", f"UPDATE opinions SET stage = 'unknown' WHERE {SAID}"),
    ("visits_in_range", "UPDATE lake.visits SET finished_at = started_at - INTERVAL 1 SECOND"),
    ("visits_in_range", "UPDATE lake.visits SET posts = -1"),
    ("volume_is_usual", f"UPDATE lake.visits SET posts = 0 WHERE {VISITED}"),
    ("volume_is_usual", f"UPDATE lake.visits SET posts = 40 WHERE feed = 'village' AND {VISITED}"),
]  # fmt: skip

FINE = [
    ("alerts_have_brands", "of a brand that is gone, closed", "DELETE FROM lake.brands"),
    ("corrections_have_mentions", "of a brand that is gone",
     "DELETE FROM lake.mentions WHERE post_id = 'p5-0'; DELETE FROM lake.brands"),
    ("corrections_have_mentions", "of a post that was taken down",
     "DELETE FROM lake.mentions WHERE post_id = 'p5-0'; UPDATE lake.posts SET deleted = true WHERE post_id = 'p5-0'"),
    ("corrections_have_mentions", "taken back",
     "DELETE FROM lake.mentions WHERE post_id = 'p5-0'; UPDATE lake.corrections SET is_standing = false"),
    ("mentions_have_brands", "a brand nobody speaks of", "DELETE FROM lake.brands WHERE brand = 'Telvo'"),
    ("nulls_are_usual", "it never told authors", "UPDATE lake.posts SET author = NULL"),
    ("nulls_are_usual", "a tenth has no author",
     "UPDATE lake.posts AS posts SET author = NULL WHERE hash(post_id) % 10 = 0 AND " + RECENT),
    ("nulls_are_usual", "much was taken down", "UPDATE lake.posts AS posts SET author = NULL, "
     f"deleted = true WHERE {RECENT}"),
    ("nulls_are_usual", "a lake of today", f"DELETE FROM lake.posts AS posts WHERE NOT {RECENT}; "
     "UPDATE lake.posts SET author = NULL"),
    ("opinions_in_range", "a correction of another program",
     "UPDATE lake.mentions SET experience = 'hearsay' WHERE corrected_by IS NOT NULL"),
    ("posts_in_range", "votes against it", "UPDATE lake.posts SET likes = -3"),
    ("unknowns_are_usual", "nothing ever was judged", "UPDATE opinions SET sentiment = NULL"),
    ("unknowns_are_usual", "a lake of today", f"DELETE FROM opinions WHERE NOT {SAID}; "
     "UPDATE opinions SET sentiment = NULL"),
    ("volume_is_usual", "no visits today", f"DELETE FROM lake.visits WHERE {VISITED}"),
    ("volume_is_usual", "no answers today", f"UPDATE lake.visits SET is_answer = false, posts = 0 WHERE {VISITED}"),
    ("volume_is_usual", "caught up after three days",
     "DELETE FROM lake.visits WHERE started_at > (SELECT published_at - INTERVAL 3 DAYS FROM lake.snapshot) "
     "AND started_at < (SELECT published_at - INTERVAL 70 MINUTES FROM lake.snapshot); "
     f"UPDATE lake.visits SET posts = 2000 WHERE {VISITED}"),
    ("volume_is_usual", "a lake of two weeks", f"DELETE FROM lake.visits WHERE {EARLIER}; "
     f"UPDATE lake.visits SET posts = 0 WHERE {VISITED}"),
    ("volume_is_usual", "a quiet day", f"UPDATE lake.visits SET posts = hour(started_at) % 2 WHERE {VISITED}"),
    ("volume_is_usual", "a loud day", f"UPDATE lake.visits SET posts = 10 WHERE feed = 'town-talk' AND {VISITED}"),
    ("volume_is_usual", "old posts were fetched too",
     "INSERT INTO lake.visits SELECT * REPLACE (5000 AS posts, NULL AS next_visit_at, "
     "started_at + INTERVAL 5 MINUTES AS started_at) FROM lake.visits ORDER BY started_at DESC LIMIT 1"),
]  # fmt: skip


@pytest.mark.parametrize(("check", "wrong"), WRONG)
def test_what_is_wrong_is_found(found, check, wrong):
    rows = found(wrong)
    assert check in rows
    assert all(value is not None for value in itertools.islice(rows[check][0].values(), 2)), "which rows"


@pytest.mark.parametrize(("check", "state", "fine"), FINE)
def test_what_only_looks_wrong_is_not(found, check, state, fine):
    assert check not in found(fine), state


def test_nothing_is_wrong_with_a_lake_that_is_heard(found):
    assert found("SELECT 1") == {}


def test_every_check_has_something_that_it_finds():
    assert {one.name for one in statements("checks")} == {check for check, _ in WRONG}


def test_every_check_says_why_it_fails_or_only_warns():
    for one in statements("checks"):
        assert ("Fails" in one.parts, "Warns" in one.parts) == (one.severity == "fail", one.severity == "warn"), (
            one.name
        )
        assert one.parts["Reads"]


def test_times_in_what_is_found_read_as_times(found):
    [row] = found(f"UPDATE lake.visits SET posts = -1 WHERE (feed, hour(started_at)) = ('village', 9) AND {VISITED}")[
        "visits_in_range"
    ]
    assert row["started_at"] == "2026-11-20 09:30:00"


def listened_to(world: World, lake: Lake) -> None:
    """Fill a lake as if each place had been visited every hour from the world's second day on."""
    first = world.posts[0].published_at.replace(minute=30, second=0) + timedelta(hours=1)
    said, found, visits = [], [], []
    for hours in range(int((world.until - first) / timedelta(hours=1)) + 1):
        at = first + timedelta(hours=hours)
        new = [one for one in world.posts if at - timedelta(hours=1) < one.published_at <= at]
        for place in get_args(Place):
            here = [one for one in new if one.place == place]
            visits.append(visit(place, source=place, posts=len(here), started_at=at, finished_at=at))
            for one in here:
                row = post(
                    f"w{one.id}", feed=place, source=place, kind="comment" if one.parent is not None else "post",
                    title=one.title, text=one.text, language=one.language, author=one.author.name, url=one.link,
                    published_at=one.published_at, fetched_at=at, likes=one.likes, shares=one.shares,
                    rating=one.rating and one.rating / 5,
                )  # fmt: skip
                said.append(row)
                found += [
                    mention(row, brand, side, experience=one.truth.experience, intents=[], aspects=[])
                    for brand, side in one.truth.sentiments.items()
                ]
    store(lake, said, found)
    lake.append(batch(tables.VISITS, *visits), tables.VISITS, "run")


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 5])
def test_no_hour_of_35_days_of_a_world_with_a_storm_looks_wrong(tmp_path, seed):
    world = make_world(seed, NOW)
    lake, database = Lake.open(str(tmp_path / "lake")), tmp_path / "told.duckdb"
    listened_to(world, lake)
    snapshot.publish(lake, database, brands(*BY_NAME), feeds(*get_args(Place)), VERSION, NOW)
    told: dict[str, Any] = {}
    database.chmod(0o644)
    with duckdb.connect(str(database)) as connection:
        for hours in range(0, 35 * 24, 15):
            as_of = f"TIMESTAMP '{NOW:%Y-%m-%d %H:%M}' - INTERVAL {hours} HOURS"
            connection.execute(f"UPDATE lake.snapshot SET published_at = {as_of}, hour = date_trunc('hour', {as_of})")
            connection.execute(f"DELETE FROM lake.posts WHERE fetched_at > {as_of}")
            connection.execute(f"DELETE FROM lake.visits WHERE started_at > {as_of}")
            connection.execute(f"DELETE FROM opinions WHERE known_from > {as_of}")
            told |= {f"{check.name} {hours}": rows for check, rows in offences(connection, None) if is_of_time(check)}
    assert told == {}


def is_of_time(check: Statement) -> bool:
    """Whether a check compares times, so that it tells something where rows of one time are taken away."""
    return check.name.endswith("_are_usual") or check.name in {"posts_are_fresh", "clock_has_not_jumped"}
