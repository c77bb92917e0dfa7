"""`wom` as an operator types it."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from processes import run_wom
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route
from written_by_tests import rss, toml_of

from listeners.feed_server import serve

XML = "application/rss+xml"


def start_wom(*arguments: str, folder: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run `wom` as run_wom does, in a Python that starts for it."""
    command = [sys.executable, "-c", "from dags.cli import main; main()", *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=folder, env=environment, check=False)


def wom_in(folder: Path, run_it: Callable[..., subprocess.CompletedProcess[str]] = run_wom):
    """Run `wom` in a folder; returns the finished process."""

    def run(*arguments: str, toml: str | None = None, **variables: str) -> subprocess.CompletedProcess[str]:
        if toml is not None:
            (folder / "listening.toml").write_text(toml)
        environment = {name: value for name, value in os.environ.items() if not name.startswith("WOM_")} | variables
        return run_it(*arguments, folder=folder, environment=environment)

    return run


@pytest.fixture
def wom(tmp_path: Path):
    """`wom` in an empty folder."""
    return wom_in(tmp_path)


@pytest.fixture(scope="module")
def folder_after_a_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which `wom run` heard one post."""
    folder = tmp_path_factory.mktemp("ran")
    feed = Response(rss(("1", "Acme lost my parcel again, never again")), media_type=XML)
    with serve(Starlette(routes=[Route("/a.xml", lambda _: feed)])) as url:
        done = wom_in(folder)("run", toml=toml_of({"a": f"{url}/a.xml"}))
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture
def wom_later(tmp_path: Path, folder_after_a_run: Path):
    """`wom` in a copy of that folder."""
    shutil.copytree(folder_after_a_run, tmp_path, dirs_exist_ok=True)
    return wom_in(tmp_path)


def test_the_help_names_every_command(tmp_path):
    shown = wom_in(tmp_path, start_wom)("--help")
    assert shown.returncode == 0
    for command in (
        "check",
        "run",
        "collect",
        "enrich",
        "publish",
        "watch",
        "test-alerts",
        "demo",
        "up",
        "trends",
        "feeds",
        "alerts",
        "report",
        "ack",
        "snooze",
        "resolve",
        "dismiss",
        "spikes",
        "replay",
        "correct",
        "corrections",
        "forget",
        "erasures",
        "doctor",
        "sql",
        "dictionary",
    ):
        assert f" {command} " in shown.stdout


@pytest.mark.parametrize("command", ["check", "run", "collect", "enrich", "publish", "watch", "housekeeping"])
def test_a_wrong_listening_toml_ends_with_status_2_and_one_clear_message(wom, command):
    done = wom(command, toml="[[brand]]\nnam = 'Acme'\n")
    assert done.returncode == 2
    assert "listening.toml, line 2: unknown key 'nam'" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_test_message_goes_out_on_each_channel(wom, inbox):
    toml = toml_of({"a": "http://127.0.0.1:1/"}, more=f'\n[[alerts.target]]\nname = "care"\nurl = "{inbox.url}"\n')
    done = wom("test-alerts", "--json", toml=toml)
    assert (done.returncode, [row["delivered"] for row in json.loads(done.stdout)]) == (0, [True])
    assert [message["title"] for message in inbox.messages] == ["Word of Mouse: a test"]
    inbox.status = 500
    assert wom("test-alerts", "care").returncode == 1
    assert wom("test-alerts", "cure").returncode == 2


def test_an_unknown_option_ends_with_status_2(wom):
    assert wom("trends", "--dyas", "3").returncode == 2


@pytest.mark.parametrize("command", [["trends"], ["alerts"], ["sql", "SELECT 1"]])
def test_asking_before_anything_is_published_says_what_to_do(wom, command):
    done = wom(*command)
    assert done.returncode == 1
    assert "publish first" in done.stderr


def test_a_run_stores_understands_publishes_and_can_be_asked(wom, feeds):
    feeds.answers["/a.xml"] = (200, XML, rss(("1", "Acme lost my parcel again, never again"), ("2", "Hello")))
    done = wom("run", "--json", toml=toml_of({"a": f"{feeds.url}/a.xml"}))
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["visits"][0]["posts"] == 1
    assert report["enriched"]["mentions"] == 1
    [row] = json.loads(wom("trends", "--json").stdout)
    assert (row["brand"], row["n"]) == ("Acme", 1)
    days = json.loads(wom("trends", "Acme", "--json").stdout)
    assert sum(day["n"] for day in days) == 1
    [answer] = json.loads(wom("sql", "SELECT count(*) AS n FROM mentions WHERE brand = 'Acme'", "--json").stdout)
    assert answer == {"n": 1}
    assert json.loads(wom("alerts", "--json").stdout) == []
    [feed] = json.loads(wom("feeds", "--json").stdout)
    assert (feed["feed"], feed["last_outcome"], feed["failures_7d"]) == ("a", "new", 0)


def test_a_brand_that_is_not_there_is_named_with_those_that_are(wom_later):
    for command in (["trends", "Acmee"], ["alerts", "Acmee"], ["sql", "SELECT n FROM trend('Acmee')"]):
        done = wom_later(*command)
        assert done.returncode == 2
        assert "no brand 'Acmee' in this file; valid: Acme" in done.stderr


def test_a_person_puts_a_mention_right_lists_it_exports_it_and_takes_it_back(wom_later, tmp_path):
    [row] = json.loads(wom_later("sql", "SELECT post_id FROM mentions", "--json").stdout)
    post_id = row["post_id"]
    refused = wom_later("correct", post_id[:-1], "Acme", "sentiment=positiv")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "valid: negative, neutral, positive (did you mean 'positive'?)" in refused.stderr
    done = wom_later("correct", post_id[:-1], "Acme", "sentiment=positive", "--by", "kim", "--note", "irony")
    assert done.returncode == 0, done.stderr
    assert f"sentiment of Acme in {post_id}: negative -> positive" in done.stdout
    assert "Stored and published: lake/word_of_mouse.duckdb shows it" in done.stdout
    [told] = json.loads(wom_later("corrections", "--json").stdout)
    assert (told["column"], told["value"], told["by"], told["note"]) == ("sentiment", 1, "kim", "irony")
    assert "1 corrected mentions written to right.jsonl" in wom_later("corrections", "--to", "right.jsonl").stdout
    assert json.loads((tmp_path / "right.jsonl").read_text())["sentiment"] == 1
    undone = json.loads(wom_later("correct", post_id, "Acme", "--undo", "--no-publish", "--json").stdout)
    assert (undone["is_undone"], undone["is_published"]) == (True, False)
    assert "Nothing was corrected." in wom_later("corrections").stdout


def test_a_correction_is_kept_though_publishing_fails(wom_later, tmp_path):
    for path in (tmp_path / "lake" / "posts").rglob("*.parquet"):
        path.unlink()
    done = wom_later("correct", "", "Acme", "stage=pay")
    assert done.returncode == 1
    assert "it is stored, and shows after the next publish that succeeds" in done.stderr
    assert "pay" in wom_later("corrections").stdout


def test_a_wrong_query_ends_with_status_2_and_what_duckdb_says(wom_later):
    done = wom_later("sql", "SELEC 1")
    assert done.returncode == 2
    assert "syntax error" in done.stderr


def test_a_question_may_come_from_standard_input_with_comments(wom_later, tmp_path):
    environment = {name: value for name, value in os.environ.items() if not name.startswith("WOM_")}
    question = "-- How many?\nSELECT count(*) AS n FROM posts;\n"
    done = run_wom("sql", "-", "--json", folder=tmp_path, environment=environment, given=question)
    assert json.loads(done.stdout) == [{"n": 1}]


def test_asking_only_reads_one_thing_at_a_time(wom_later, tmp_path):
    for query in ("CREATE TABLE x (a INT)", "COPY (SELECT 1) TO 'written.csv'", "SELECT 1; SELECT 2", ";"):
        done = wom_later("sql", query)
        assert (done.returncode, done.stdout) == (2, "")
        assert "write one SELECT" in done.stderr
    assert not (tmp_path / "written.csv").exists()


def test_any_answer_is_valid_json_and_fits_any_terminal(wom_later, tmp_path):
    wom_of_ascii = wom_in(tmp_path, start_wom)
    query = "SELECT 1.5 AS n, 'nan'::DOUBLE AS n, MAP {DATE '2026-11-21': '\u5c0f'} AS m"
    [row] = json.loads(wom_of_ascii("sql", query, "--json", PYTHONIOENCODING="ascii").stdout)
    assert row == {"n": 1.5, "n_2": None, "m": {"2026-11-21": "\u5c0f"}}
    [row] = json.loads(wom_later("sql", "SELECT TIMESTAMPTZ '2026-11-21 10:00+02' AS at", "--json").stdout)
    assert row == {"at": "2026-11-21T08:00:00"}
    [row] = json.loads(wom_later("sql", "SELECT 'ab'::BLOB AS bytes", "--json").stdout)
    assert row == {"bytes": "6162"}
    assert wom_of_ascii("trends", PYTHONIOENCODING="ascii").returncode == 0


def test_an_answer_may_go_to_files_and_the_file_says_what_it_holds(wom_later, tmp_path):
    query = "SELECT brand, title FROM mentions"
    done = wom_later("sql", query, "--csv", str(tmp_path / "a.csv"), "--parquet", str(tmp_path / "a.parquet"), "--json")
    assert json.loads(done.stdout) == {"rows": 1, "files": [str(tmp_path / "a.csv"), str(tmp_path / "a.parquet")]}
    assert (tmp_path / "a.csv").read_text().splitlines()[1] == '"Acme","Acme lost my parcel again, never again"'
    page = wom_later("dictionary").stdout
    assert "### mentions\n" in page
    assert "| `sentiment` | TINYINT | " in page
    assert "  - name: word_of_mouse\n" in wom_later("dictionary", "--dbt").stdout


def test_what_is_wrong_in_the_lake_is_told_until_it_is_put_aside(wom_later, feeds, tmp_path):
    feeds.answers["/a.xml"] = (200, XML, rss(("1", "Acme is fine")))
    assert wom_later("doctor").returncode == 0
    [posts] = (tmp_path / "lake" / "posts").rglob("*.parquet")
    posts.write_bytes(posts.read_bytes()[:99])
    told = wom_later("doctor", "--json")
    assert told.returncode == 1
    assert {finding["kind"] for finding in json.loads(told.stdout)} == {"damaged", "orphaned"}
    mended = wom_later("doctor", "--mend")
    assert (mended.returncode, posts.exists()) == (0, False)
    assert "-> quarantine/" in mended.stdout
    again = wom_later("run", toml=toml_of({"a": f"{feeds.url}/a.xml"}))
    assert wom_later("doctor").returncode == again.returncode == 0


def test_a_damaged_file_is_told_and_published_anew(wom_later, tmp_path):
    database = tmp_path / "lake" / "word_of_mouse.duckdb"
    database.chmod(0o644)
    database.write_bytes(b"no database")
    done = wom_later("trends")
    assert (done.returncode, done.stdout) == (1, "")
    assert "is damaged, publish again" in done.stderr
    assert "Traceback" not in done.stderr
    wom_later("publish")
    assert wom_later("trends").returncode == 0


@pytest.mark.parametrize("command", ["collect", "publish"])
def test_a_lake_that_cannot_be_is_told_in_one_message(wom, tmp_path, command):
    (tmp_path / "file").touch()
    done = wom(command, toml=toml_of({"a": "http://127.0.0.1:1/"}), WOM_LAKE="file")
    assert done.returncode == 1
    assert "Cannot create directory" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(("file", "content"), [("demo.json", "{"), (".author_key", "")])
def test_a_damaged_document_of_the_lake_is_named(wom, tmp_path, file, content):
    (tmp_path / "lake").mkdir()
    (tmp_path / "lake" / file).write_text(content)
    done = wom("collect", toml=toml_of({"a": "http://127.0.0.1:1/"}))
    assert done.returncode == 2
    assert f"lake/{file}" in done.stderr
    assert "Traceback" not in done.stderr


def test_when_no_feed_answers_the_run_goes_on_and_ends_with_status_1(wom):
    done = wom("run", toml=toml_of({"a": "http://127.0.0.1:1/feed.xml"}))
    assert done.returncode == 1
    assert "1 gave no answer" in done.stdout
    assert "published" in done.stdout


def test_check_warns_of_what_would_go_wrong_later(wom):
    toml = toml_of({"a": "http://127.0.0.1:1/"}).replace("owners", 'competitors = ["Globex"]\nowners')
    done = wom("check", "--offline", toml=toml)
    assert done.returncode == 0
    assert "competitor 'Globex' is no [[brand]]" in done.stderr
    assert "'care' is neither a mail address nor an [[alerts.target]]" in done.stderr


def test_check_previews_each_feed_and_stores_nothing(wom, feeds, tmp_path):
    feeds.answers["/a.xml"] = (200, XML, rss(("1", "Acme lost my parcel"), ("2", "Hello"), ("3", "Acme, acme")))
    done = wom("check", "--json", toml=toml_of({"a": f"{feeds.url}/a.xml", "b": "http://127.0.0.1:1/feed.xml"}))
    assert done.returncode == 0, done.stderr
    answered, silent = json.loads(done.stdout)["preview"]
    assert (answered["posts"], answered["would_store"]) == (3, 2)
    assert (answered["brands"], answered["left_out"]) == ({"Acme": 2}, {"names no brand": 1})
    assert silent["outcome"] == "failed"
    assert not (tmp_path / "lake").exists()


def test_check_warns_of_brands_that_share_a_name(wom):
    toml = '[[brand]]\nname = "Globex"\naliases = ["ACME"]\n' + toml_of({"a": "http://127.0.0.1:1/"})
    assert "Globex and Acme share the name 'acme'" in wom("check", "--offline", toml=toml).stderr


def test_check_lists_what_every_source_takes(wom):
    rows = json.loads(wom("check", "--sources", "--json").stdout)
    assert {row["source"] for row in rows} >= {"rss", "hackernews", "mastodon"}
    assert all(row["meaning"] for row in rows)


def test_real_posts_and_the_demo_never_mix(wom, tmp_path):
    toml = toml_of({"a": "http://127.0.0.1:1/feed.xml"})
    wom("collect", toml=toml)
    refused = wom("demo")
    assert refused.returncode == 2
    assert "holds what was heard for real" in refused.stderr
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "demo.json").write_text('{"seed": 7, "until": "2026-11-20T12:00:00Z"}')
    refused = wom("collect", WOM_LAKE="other")
    assert refused.returncode == 2
    assert "holds the demo's made-up posts" in refused.stderr


def test_a_failed_check_is_named_with_its_rows_and_the_last_file_stays(wom_later, tmp_path):
    before = (tmp_path / "lake" / "word_of_mouse.duckdb").read_bytes()
    [path] = (tmp_path / "lake" / "mentions").rglob("*.parquet")
    rows = pq.read_table(path)
    place = rows.schema.get_field_index("certainty")
    pq.write_table(rows.set_column(place, rows.schema.field(place), pa.array([1.5] * len(rows))), path)
    done = wom_later("publish")
    assert done.returncode == 1
    assert "opinions_in_range: a mention's probability is not between 0 and 1" in done.stderr
    assert "brand = 'Acme', certainty = 1.5" in done.stderr
    assert "Traceback" not in done.stderr
    assert (tmp_path / "lake" / "word_of_mouse.duckdb").read_bytes() == before
