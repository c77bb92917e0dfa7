"""Sources are found by name, and naming them is cheap."""

import subprocess
import sys

import pytest

from listeners.feed import FeedOptions
from listeners.registry import SOURCES, UnknownSource, has_history, load


@pytest.mark.parametrize("source", sorted(SOURCES))
def test_every_source_has_options_and_pages(source):
    listener = load(source)
    assert issubclass(listener.Options, FeedOptions)
    assert callable(listener.pages)
    assert all(field.description for field in listener.Options.model_fields.values())


def test_an_unknown_source_names_those_there_are():
    with pytest.raises(UnknownSource, match=f"'gopher'; there are {', '.join(SOURCES)}"):
        load("gopher")


def test_only_some_sources_can_be_asked_for_their_past():
    with_a_past = {"bluesky_search", "gdelt", "github", "hackernews", "stackexchange"}
    assert {source for source in SOURCES if has_history(source)} == with_a_past


def test_reading_the_options_of_all_sources_loads_nothing_heavy():
    script = (
        "import sys; from listeners.registry import SOURCES, load\n"
        "for source in SOURCES: load(source).Options\n"
        "print(*{'pyarrow', 'httpx', 'feedparser', 'selectolax', 'spacy', 'airflow'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
