"""The whole way, end to end, on the made-up world."""

import json
import os
import re
import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
import readme_answers
from processes import run_wom

from dags import stages, summary
from dags.local_airflow import DAGS
from dags.settings import load_settings
from listeners.feed_server import demo_config
from listeners.feed_server.world import STORM_BRAND, STORM_LASTS
from warehouse.checking import offences
from warehouse.lake import Lake
from warehouse.layout import mentions_path
from warehouse.tables import MENTIONS, POSTS

BRANDS = {"Telvane", "Northlink", "Bluefin", "Larkspur"}


def demo(folder: Path, *options: str) -> str:
    """Run `wom demo` in a folder and return what it printed."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("WOM_", "AIRFLOW"))}
    done = run_wom("demo", *options, folder=folder, environment=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """A folder in which the demo ran, and what it printed."""
    folder = tmp_path_factory.mktemp("demo")
    return folder, demo(folder)


def ask(folder: Path, query: str) -> list[tuple]:
    """Ask the published file from outside, as a data team would."""
    with duckdb.connect(str(folder / "lake" / "word_of_mouse.duckdb"), read_only=True) as database:
        return database.execute(query).fetchall()


def test_every_brand_has_mentions_a_net_sentiment_and_a_share_of_voice(ran):
    folder, printed = ran
    rows = ask(folder, "SELECT brand, n, net_sentiment, share_of_voice FROM word_of_mouse(NULL)")
    assert {row[0] for row in rows} == BRANDS
    assert all(n > 100 and -1 <= net <= 1 and 0 < share < 1 for _, n, net, share in rows)
    assert all(brand in printed for brand in BRANDS)


def test_the_planted_storm_raises_the_only_alert_and_its_owner_is_told(ran):
    folder, printed = ran
    [(brand, told_to, evidence)] = ask(folder, "SELECT brand, told_to, evidence FROM alerts")
    assert brand == "Telvane"
    assert set(told_to) <= {"care@telvane.example", "finance@telvane.example"}, "the owners of what it is about"
    assert "care@telvane.example" in told_to
    quotes = json.loads(evidence)["quotes"]
    assert len({quote["author"] for quote in quotes}) == len(quotes) >= 2
    assert "ALERT  Telvane" in printed
    assert "Delivered    to care@telvane.example" in printed


def onset_of_the_storm(folder: Path) -> datetime:
    mark = json.loads((folder / "lake" / "demo.json").read_text())
    return datetime.fromisoformat(mark["until"]).astimezone(UTC) - STORM_LASTS


def spikes_as_of(moment: datetime, folder: Path, elsewhere: Path) -> list[tuple]:
    """The brands and hours that spike in a file published at that moment, of what had been posted by then."""
    settings = load_settings({"WOM_CONFIG": str(folder / "lake" / "demo.toml"), "WOM_LAKE": str(elsewhere / "lake")})
    whole, partly = Lake.open(str(folder / "lake")), stages.open_lake(settings)
    version = stages.version_of(settings)

    def by_then(path: str, schema: pa.Schema) -> pa.RecordBatch:
        rows = whole.read(path).to_pylist()
        return pa.RecordBatch.from_pylist([row for row in rows if row["published_at"] <= moment], schema)

    for path in whole.files("posts"):
        if (posts := by_then(path, POSTS)).num_rows:
            [stored] = partly.append(posts, POSTS, "by-then")
            partly.write_mentions(stored, version, by_then(mentions_path(path, version), MENTIONS))
    stages.publish(settings, now=lambda: moment)
    with duckdb.connect(str(settings.database), read_only=True) as database:
        return database.execute("SELECT DISTINCT brand, hour FROM negative_spikes").fetchall()


def test_the_planted_storm_spikes_within_two_hours_of_its_onset(ran, tmp_path):
    folder, _ = ran
    onset = onset_of_the_storm(folder)
    spikes = spikes_as_of(onset + timedelta(hours=2), folder, tmp_path)
    assert {brand for brand, _ in spikes} == {STORM_BRAND}
    assert min(hour for _, hour in spikes) > onset.replace(tzinfo=None) - timedelta(hours=1)


def test_nothing_else_than_the_storm_spikes_in_35_days(ran):
    folder, _ = ran
    [(brand, first)] = ask(folder, "SELECT brand, min(hour) FROM negative_spikes GROUP BY brand")
    assert brand == STORM_BRAND
    assert first > onset_of_the_storm(folder).replace(tzinfo=None) - timedelta(hours=1)


def test_the_trend_can_be_read_from_outside(ran):
    folder, _ = ran
    days = ask(folder, "SELECT period, n FROM trend('Telvane') ORDER BY period")
    assert len(days) == 31
    assert days[-1][1] + days[-2][1] > 100, "the storm is in the last hours"


def test_the_lake_holds_posts_mentions_and_visits_of_every_source(ran):
    folder, _ = ran
    for table in ("posts", "mentions", "visits"):
        sources = {path.name for path in (folder / "lake" / table).iterdir()}
        listened = tomllib.loads(demo_config("http://127.0.0.1:1"))["feed"]
        assert sources == {f"source={feed['source']}" for feed in listened}


def test_who_refuses_is_left_out_before_anything_is_stored(ran):
    folder, _ = ran
    [(left_out,)] = ask(folder, "SELECT left_out FROM lake.visits WHERE source = 'mastodon'")
    assert left_out["nobot"] > 0
    assert left_out["noindex"] > 0


def test_sentiment_is_far_better_than_chance_on_the_made_up_world(ran):
    """Truth is the world's own label; the floor is low on purpose: quality is measured on real text, in the card."""
    from listeners.feed_server import make_world

    folder, _ = ran
    mark = json.loads((folder / "lake" / "demo.json").read_text())
    world = make_world(mark["seed"], datetime.fromisoformat(mark["until"]))
    truth = {(post.text, brand): value for post in world.posts for brand, value in post.truth.sentiments.items()}
    judged = ask(folder, "SELECT text, brand, sentiment FROM mentions WHERE sentiment IS NOT NULL")
    pairs = [(truth[text, brand], found) for text, brand, found in judged if (text, brand) in truth]
    assert len(pairs) > 500
    recalls = [
        sum(found == label for real, found in pairs if real == label) / sum(real == label for real, _ in pairs)
        for label in (-1, 0, 1)
    ]
    assert sum(recalls) / 3 > 0.55, recalls


README = (Path(__file__).parents[2] / "README.md").read_text()


@pytest.mark.parametrize("example", re.findall(r"```sql\n(.*?)```", README, re.DOTALL))
def test_every_example_of_the_readme_answers(ran, example):
    folder, _ = ran
    for query in filter(str.strip, example.split(";")):
        assert ask(folder, query), query


def kind_shown(cell: str) -> str:
    """What a cell of a printed table holds."""
    if cell == "-":
        return "nothing"
    if re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d|(\d+ days?, )?\d+:\d\d:\d\d", cell):
        return "time"
    return "number" if re.fullmatch(r"-?\d+(\.\d+)?", cell) else "words"


def kind_of(value: object) -> str:
    match value:
        case None:
            return "nothing"
        case datetime() | timedelta():
            return "time"
        case int() | float():
            return "number"
    return "words"


@pytest.mark.parametrize(("query", "answer"), readme_answers.answered())
def test_the_answers_in_the_readme_are_of_the_kind_that_the_demo_gives(ran, query, answer):
    """Figures move with the clock; columns, what stands in them, and the brands that are told do not."""
    folder, _ = ran
    header, *lines = (re.split(r"\s{2,}", line.strip()) for line in answer.splitlines())
    with summary.reading(folder / "lake" / "word_of_mouse.duckdb") as database:
        rows, columns = summary.answer(database, query)
    assert header == [column.replace("_", " ") for column in columns]
    for place, column in enumerate(columns):
        shown = {kind_shown(line[place]) for line in lines} - {"nothing"}
        given = {kind_of(row[column]) for row in rows} - {"nothing"}
        assert shown <= given or given <= shown, column  # whether a figure is lacking, and why, moves too
    if "brand" in columns:
        assert {line[columns.index("brand")] for line in lines} == {row["brand"] for row in rows}


def test_ten_questions_are_answered():
    assert len(readme_answers.answered()) == readme_answers.chapter().count("```sql") == 10


def test_nothing_of_the_demo_looks_wrong_to_a_check(ran):
    """Its 35 days hold bursts and a storm; its lake began to listen just now."""
    folder, _ = ran
    with summary.reading(folder / "lake" / "word_of_mouse.duckdb") as database:
        assert [(check.name, rows) for check, rows in offences(database, None)] == []


@pytest.mark.slow
def test_a_second_demo_starts_anew(ran):
    folder, _ = ran
    before = ask(folder, "SELECT count(*) FROM posts")
    demo(folder)
    after = ask(folder, "SELECT count(*) FROM posts")
    assert abs(after[0][0] - before[0][0]) < 0.1 * before[0][0]


@pytest.mark.slow
def test_airflow_runs_the_chain_by_its_assets_under_a_real_scheduler(tmp_path):
    printed = demo(tmp_path, "--airflow")
    for name in DAGS:
        assert f"{name} " in printed
    assert printed.count("triggered by its asset") == 3
    [(brand,)] = ask(tmp_path, "SELECT brand FROM alerts")
    assert brand == "Telvane"
