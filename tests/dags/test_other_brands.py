"""Brands of listening.toml that are renamed, removed and named again: nothing that was heard is lost."""

import pyarrow as pa
import pytest
from written_by_tests import rss, toml_of

from dags import stages
from dags.summary import ask, reading
from warehouse.tables import ALERTS

POSTS = rss(("1", "Acme lost my parcel again and again"), ("2", "Globex is open today"))
GLOBEX = '[[brand]]\nname = "Globex"\n\n'


@pytest.fixture
def as_configured(settings_of, feeds):
    """Settings for a listening.toml of Globex, and of Acme under some name or not at all, over one lake."""
    feeds.answers["/a.xml"] = (200, "application/rss+xml", POSTS)

    def as_configured(acme):
        told = toml_of({"a": f"{feeds.url}/a.xml"}, brand=acme or "Globex")
        if acme:
            told = GLOBEX + told.replace("owners", 'aliases = ["Acme"]\nowners')
        return settings_of(told)

    return as_configured


def mentions(settings):
    with reading(settings.database) as database:
        return {
            row["brand"]: row["n"] for row in ask(database, "SELECT brand, count(*) AS n FROM mentions GROUP BY ALL")[0]
        }


def test_brands_renamed_removed_and_named_again_lose_nothing(as_configured):
    before, renamed, removed = (as_configured(name) for name in ("Acme", "Acme Post", None))
    stages.collect(before)
    stages.enrich(before)
    stages.publish(before)

    [told] = [line for line in stages.publish(renamed).warnings if "listening.toml does not name" in line]
    assert "'Acme'" in told
    assert mentions(renamed) == {"Acme": 1, "Globex": 1}, "until all is read again, it goes by its old name"
    stages.enrich(renamed)
    assert stages.publish(renamed).warnings == ()
    assert mentions(renamed) == {"Acme Post": 1, "Globex": 1}

    opened = dict.fromkeys(ALERTS.names) | {
        "alert_id": "storm", "brand": "Acme", "event": "opened", "at": stages.utc_now(), "by": "watch",
        "evidence": "{}",
    }  # fmt: skip
    stages.open_lake(before).append(pa.RecordBatch.from_pylist([opened], schema=ALERTS), ALERTS, "run")
    stages.enrich(removed)
    [told] = stages.publish(removed).warnings
    assert "an alert stands" in told
    assert "'storm'" in told
    assert mentions(removed) == {"Globex": 1}
    with reading(removed.database) as database:
        assert ask(database, "SELECT count(*) AS n FROM posts")[0] == [{"n": 2}]

    assert stages.publish(before).warnings == ()
    assert mentions(before) == {"Acme": 1, "Globex": 1}
