"""What the README says of sources is true: its examples are valid, and its listener listens."""

import ast
import importlib.util
import json
import re
import sys
from pathlib import Path

import pytest

from dags import stages
from listeners.registry import SOURCES

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
BRAND = '[[brand]]\nname = "Acme"\nowners = { default = "care@acme.example" }\n\n'


def section(title: str) -> str:
    return README.split(f"### {title}\n")[1].split("\n### ")[0].split("\n## ")[0]


def blocks(title: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", section(title), re.DOTALL)


def test_every_source_is_in_the_table_and_has_an_example_that_is_valid(settings_of):
    examples = [settings_of(BRAND + block) for block in blocks("Sources", "toml")]
    assert {feed.source for settings in examples for feed in settings.feeds} == set(SOURCES)
    assert set(re.findall(r"^\| `(\w+)` \|", section("Sources"), re.MULTILINE)) == set(SOURCES)


@pytest.fixture
def notices(tmp_path, monkeypatch):
    """The README's listener, registered as the README says."""
    module, line = blocks("Add a source", "python")
    (tmp_path / "notices.py").write_text(module, encoding="utf-8")
    [(source, name)] = ast.literal_eval(f"{{{line.strip()}}}").items()
    spec = importlib.util.spec_from_file_location(name, tmp_path / "notices.py")
    assert spec
    assert spec.loader
    made = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, name, made)
    spec.loader.exec_module(made)
    monkeypatch.setitem(SOURCES, source, name)
    return source


def test_a_source_is_one_module_and_one_line(notices, feeds, settings_of):
    board = [
        {"id": 1, "html": "<p>The router of Acme is <b>slow</b></p>", "by": "ann", "at": "2026-11-19T10:00:00Z"},
        {"id": 2, "html": "<p>A cat was found</p>", "by": "bob", "at": "2026-11-19T11:00:00Z"},
        {"id": 3, "html": None},
    ]
    feeds.answers["/board"] = (200, "application/json", json.dumps(board).encode())
    feed = f'[[feed]]\nid = "board"\nsource = "{notices}"\nurl = "{feeds.url}/board"\n'
    settings = settings_of(f'{BRAND}{feed}[collect]\nallow_hosts = ["127.0.0.1"]\n')
    [visit] = stages.collect(settings)
    assert (visit["outcome"], visit["posts"], dict(visit["left_out"])) == (
        "new",
        1,
        {"names no brand": 1, "rejected": 1},
    )
    lake = stages.open_lake(settings)
    [post] = [row for path in lake.files("posts") for row in lake.read(path).to_pylist()]
    assert (post["post_id"], post["source"], post["text"]) == ("notices:1", "notices", "The router of Acme is slow")
    [again] = stages.collect(settings)
    assert (again["outcome"], again["posts"]) == ("empty", 0)
