"""The stages over a lake in an object store, as an operator runs them."""

import os
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from s3_server import SECRET
from written_by_tests import rss, toml_of

from dags import cli, stages
from dags.settings import Settings, load_settings
from dags.summary import ask, reading
from listeners.feed_server import build_app, demo_config, make_world, serve

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
XML = "application/rss+xml"
UNTIL = datetime(2026, 11, 20, 18, tzinfo=UTC)
OWN = ("-c", "from dags.cli import main; main()")
WHAT_WAS_SAID = """
    SELECT p.post_id, p.version, p.title, p.text, p.author, m.brand, m.sentiment, m.matched_text
    FROM posts AS p LEFT JOIN mentions AS m USING (post_id, version)
    ORDER BY ALL
"""


@pytest.fixture
def far(s3, tmp_path, monkeypatch):
    """Write a listening.toml, and return settings of a lake in a bucket of its own; `wom` has them too."""

    def make(toml: str, **variables: str) -> Settings:
        (tmp_path / "listening.toml").write_text(toml, encoding="utf-8")
        given = {
            "WOM_CONFIG": str(tmp_path / "listening.toml"),
            "WOM_LAKE": f"s3://{s3.bucket()}/lake",
            "WOM_DATABASE": str(tmp_path / "w.duckdb"),
            "WOM_AUTHOR_KEY": "k",
        } | variables
        for name, value in given.items():
            monkeypatch.setenv(name, value)
        return load_settings(given)

    return make


@pytest.fixture
def wom(monkeypatch, capsys):
    """`wom` in this process; returns its exit status and what it said on stderr."""

    def run(*arguments: str) -> tuple[object, str]:
        monkeypatch.setattr(sys, "argv", ["wom", *arguments])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        return ended.value.code, capsys.readouterr().err

    return run


def said(settings):
    with reading(settings.database) as database:
        return [tuple(row.values()) for row in ask(database, WHAT_WAS_SAID)[0]]


def titles(settings):
    return sorted(row[2] for row in said(settings))


def test_the_whole_way_with_a_death_between_posts_and_cursor(s3, far, feeds, wom):
    feeds.answers["/a.xml"] = (200, XML, rss(("1", "Acme is fine")))
    settings = far(toml_of({"a": f"{feeds.url}/a.xml"}))
    stages.collect(settings)
    stages.enrich(settings)
    stages.publish(settings)
    assert titles(settings) == ["Acme is fine"]

    feeds.answers["/a.xml"] = (200, XML, rss(("1", "Acme is fine"), ("2", "Acme lost my parcel")))
    s3.killed_while(lambda asked: asked.what == "put" and "/state/" in asked.key, *OWN, "collect")
    assert titles(settings) == ["Acme is fine"]
    assert len(stages.open_lake(settings).files("posts")) == 2
    stages.collect(settings)
    stages.enrich(settings)
    assert stages.publish(settings).rebuilt is None
    assert titles(settings) == ["Acme is fine", "Acme lost my parcel"]

    assert stages.watch(settings).counts == {}
    assert stages.tidy(settings)["damaged_mentions_removed"] == 0
    assert stages.examine(settings) == []
    [lost] = [row[0] for row in said(settings) if row[2] == "Acme lost my parcel"]
    assert wom("forget", lost, "--yes")[0] == 0
    assert titles(settings) == ["Acme is fine"]
    stages.collect(settings)
    assert not any(b"parcel" in document for document in s3.keys(settings.lake.split("/")[2]).values())


@pytest.mark.parametrize(
    ("variable", "value", "refusal", "status", "words"),
    [
        ("WOM_LAKE", "s3://nobody-made-this/lake", None, 2, ("s3://nobody-made-this/lake", "no such bucket: make it")),
        ("WOM_LAKE", "s3://bucket/lake", "InvalidAccessKeyId", 2, ("s3://bucket/lake", "AWS_ACCESS_KEY_ID")),
        ("WOM_LAKE", "s3://bucket/lake", "AccessDenied", 2, ("s3://bucket/lake", "list, read, write and delete")),
        ("WOM_LAKE", f"s3://AKID:{SECRET}@bucket/lake", None, 2, ("holds a key", "AWS_SECRET_ACCESS_KEY")),
        ("WOM_LAKE", "s4://bucket/lake", None, 2, ("s4://bucket/lake",)),
        ("WOM_DATABASE", "s3://bucket/w.duckdb", None, 2, ("name a file of this machine",)),
        pytest.param(
            *("AWS_ENDPOINT_URL", "http://127.0.0.1:1", None, 1, ("does not answer", "try again")),
            marks=pytest.mark.slow,
            id="away",
        ),
    ],
)
def test_who_cannot_get_in_is_told_why_and_no_secret(
    s3, far, wom, monkeypatch, variable, value, refusal, status, words
):
    far(toml_of({"a": "http://127.0.0.1:1/a.xml"}))
    monkeypatch.setenv(variable, value)
    if refusal:
        s3.fault = lambda asked: (403, refusal)
    ended, told = wom("publish")
    assert ended == status
    assert status == 1 or variable in told
    assert all(word in told for word in words), told
    assert SECRET not in told
    assert len(told.strip().splitlines()) == 1


def test_a_store_that_refuses_later_fails_the_run_and_keeps_the_cursor(s3, far, feeds, wom):
    feeds.answers["/a.xml"] = (200, XML, rss(("1", "Acme is fine")))
    settings = far(toml_of({"a": f"{feeds.url}/a.xml"}))
    for what in ("put", "head"):
        s3.fault = lambda asked, what=what: (403, "AccessDenied") if asked.what == what else None
        ended, told = wom("collect")
        assert ended == 1
        assert "access is denied" in told
    s3.fault = lambda asked: None
    [visit] = stages.collect(settings)
    assert visit["posts"] == 1


def test_the_check_tells_of_a_lake_that_cannot_be_opened(s3, far, feeds, wom):
    feeds.answers["/a.xml"] = (200, XML, rss(("1", "Acme is fine")))
    far(toml_of({"a": f"{feeds.url}/a.xml"}), WOM_LAKE="s3://nobody-made-this/lake")
    ended, told = wom("check")
    assert ended == 0
    assert "warning: WOM_LAKE: s3://nobody-made-this/lake: there is no such bucket" in told


def test_the_variables_of_the_readme_let_one_in(s3, far, feeds, tmp_path):
    feeds.answers["/a.xml"] = (200, XML, rss(("1", "Acme is fine")))
    far(toml_of({"a": f"{feeds.url}/a.xml"}))
    chapter = README.split("## The lake in an object store\n")[1].split("\n## ")[0]
    named = re.findall(r"((?:AWS|WOM)_[A-Z_]+)=", chapter)
    environment = {name: os.environ[name] for name in ("PATH", "WOM_CONFIG", *named)}
    command = [sys.executable, *OWN, "check"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert "WOM_LAKE" not in done.stderr, done.stderr
    assert environment["WOM_LAKE"] in done.stdout
    assert any(asked.what == "list" for asked in s3.asked)


@pytest.mark.slow
def test_runs_killed_at_any_request_and_two_publishers_at_once_change_no_row(s3, far, tmp_path):
    def killed(stage: str, at: int) -> None:
        counted = {"get", "head", "list"} if stage == "publish" else {"put", "delete"}
        left = iter(range(at))
        s3.killed_while(lambda asked: asked.what in counted and next(left, None) is None, *OWN, stage)

    with serve(build_app(make_world(3, UNTIL, days=2), clock=lambda: UNTIL)) as url:
        settings = far(demo_config(url))
        config, lake = str(settings.source_file), str(tmp_path / "lake")
        here = load_settings({"WOM_CONFIG": config, "WOM_LAKE": lake, "WOM_AUTHOR_KEY": "k"})
        for stage, moments in (("collect", (1, 9)), ("enrich", (1,)), ("publish", (3, 12))):
            getattr(stages, stage)(here)
            for at in moments:
                killed(stage, at)
            getattr(stages, stage)(settings)
    assert len(said(here)) > 100
    assert said(settings) == said(here)
    publishers = [subprocess.Popen([sys.executable, *OWN, "publish", "--rebuild"]) for _ in range(2)]
    assert [publisher.wait() for publisher in publishers] == [0, 0]
    assert said(settings) == said(here)
