"""`wom replay`: what other rules would have told of the history that is there."""

import json
import shutil
from contextlib import contextmanager
from datetime import timedelta

import pyarrow as pa
import pytest
from alert_events import event
from stormy_lake import A_BRAND, NOW, published
from written_by_tests import settings_in, toml_of

from dags import alert_events, stages
from dags.cli_output_alerts import show_replayed
from dags.replaying import AS_TOLD, TODAY, replayed
from dags.settings import SettingsError, read_rules
from warehouse.tables import MENTIONS, POSTS

FEEDS = {"a": "http://127.0.0.1:1/"}


@contextmanager
def step(what, total):
    yield lambda done: None


@pytest.fixture(scope="module")
def watched(tmp_path_factory, stormy):
    """Settings with a lake of three weeks of calm and a storm in the last three hours, published and watched."""
    folder = tmp_path_factory.mktemp("watched")
    shutil.copytree(stormy, folder, dirs_exist_ok=True)
    settings = settings_in(folder, A_BRAND)
    stages.watch(settings, now=lambda: NOW, environment={})
    return settings


def storm(settings, moments):
    """Store negative posts of these times."""
    posts, mentions, version = [], [], stages.version_of(settings)
    for number, at in enumerate(moments):
        identity = {"post_id": f"s{number}", "version": "v", "source": "rss", "published_at": at, "fetched_at": NOW}
        posts.append({**identity, "feed": "a", "kind": "post", "text": f"Acme, no, {number}", "author": f"s{number}",
                      "deleted": False, "consent": "none_stated"})  # fmt: skip
        mentions.append({**identity, "brand": "Acme", "matched_as": "alias", "certainty": 0.9, "p_negative": 0.8,
                         "p_neutral": 0.1, "p_positive": 0.1, "sentiment": -1, "entities": [],
                         "experience": "unknown", "stage": "unknown", "nlp_version": version})  # fmt: skip
    lake = stages.open_lake(settings)
    [path] = lake.append(pa.RecordBatch.from_pylist(posts, schema=POSTS), POSTS, "gust")
    lake.write_mentions(path, version, pa.RecordBatch.from_pylist(mentions, schema=MENTIONS))


def told(alert_id, at, what):
    """The events of an alert that was opened at a time, and of which a person then said something."""
    told = {"since": at.isoformat(), "until": (at + timedelta(hours=1)).isoformat(), "window_hours": 1}
    return [
        event("opened", at + timedelta(hours=1), alert=alert_id, **told),
        event(what, at + timedelta(hours=1, minutes=5), alert=alert_id, by="kim"),
    ]


def replay(settings, days=30, **options):
    past, _ = alert_events.read(stages.open_lake(settings))
    return replayed(settings, past, days=days, step=step, **options)


def test_todays_rules_and_others_are_shown_beside_what_was_told(watched, tmp_path):
    (tmp_path / "strict.toml").write_text("[alerts.rules]\nopens = 49\npages = 50\n")
    shown = replay(watched, other=tmp_path / "strict.toml")
    assert [way.name for way in shown.ways] == [AS_TOLD, TODAY, str(tmp_path / "strict.toml")]
    assert [way.figures.alerts for way in shown.ways] == [1, 1, 0]
    told, today, strict = shown.ways
    assert told.rules is None
    assert today.rules == watched.alerts.rules.as_rules
    assert strict.rules == read_rules(tmp_path / "strict.toml") != today.rules
    [one] = today.incidents
    assert one.brand == "Acme"
    assert NOW - timedelta(hours=3) < one.opened_at <= NOW
    assert one.opened_at <= told.incidents[0].opened_at


def test_programs_are_given_every_figure_by_its_name(watched, capsys):
    show_replayed(replay(watched), as_json=True)
    shown = json.loads(capsys.readouterr().out)
    assert [way["figures"]["alerts"] for way in shown["ways"]] == [1, 1]
    assert shown["ways"][1]["rules"]["opens"] == watched.alerts.rules.opens
    assert shown["ways"][1]["incidents"][0]["brand"] == "Acme"
    show_replayed(replay(watched, is_tuned=True), as_json=False)
    printed = capsys.readouterr().out
    assert "Proposal: too few labels" in printed
    assert "Alerts by today's rules" in printed


def test_a_month_counts_from_when_a_brand_was_heard_long_enough(watched):
    shown = replay(watched)
    assert shown.ways[1].figures.alerts_a_brand_month == pytest.approx(30.4 / 7, rel=0.15), "of three weeks the last"


def test_labels_are_needed_before_anything_is_proposed(watched):
    proposal = replay(watched, is_tuned=True).proposal
    assert proposal
    assert proposal.rules is None
    assert "0 alerts that people said were one" in proposal.reason


def test_what_people_said_of_alerts_proposes_stricter_rules_and_changes_none(settings_of):
    settings = settings_of(toml_of(FEEDS))
    gust = NOW - timedelta(days=5)
    storm(settings, [gust + timedelta(minutes=8 * step) for step in range(15)])
    published(settings, storm=True)
    labelled = [
        row
        for number in range(5)
        for at, what in ((NOW - timedelta(hours=2), "acknowledged"), (gust, "dismissed"))
        for row in told(f"{what}{number}", at, what)
    ]
    proposal = replayed(settings, labelled, days=14, is_tuned=True, step=step).proposal
    assert proposal
    assert proposal.rules
    assert proposal.figures
    assert proposal.rules.negatives_at_least > 15, "the gust had no more"
    assert (proposal.figures.true, proposal.figures.false) == (5, 0)
    assert "this rests on 5 alerts that people said were one, and 5 that they said were none" in proposal.reason
    assert all(way.figures.true <= 5 for way in proposal.tried)


def test_before_anything_was_heard_there_is_nothing_to_replay(settings_of):
    settings = settings_of(toml_of(FEEDS))
    stages.publish(settings, now=lambda: NOW)
    with pytest.raises(SettingsError, match="nothing was heard yet"):
        replay(settings)


@pytest.mark.parametrize(
    ("toml", "complaint"),
    [
        ("x = 1", "there is no [alerts.rules]"),
        ("[alerts.rules]\nopen = 4", "line 2: unknown key 'open'; valid: "),
        ("[alerts.rules]\nopens = 2", "holds (2.5) is above opens (2)"),
        ("[alerts.rules]\n\ntell_rate = 0", "line 3: tell_rate is 0: Input should be greater than 0"),
        ("[alerts.rules\n", "this is not TOML"),
        (None, "no such file"),
    ],
)
def test_wrong_rules_are_refused_with_their_line(tmp_path, toml, complaint):
    if toml is not None:
        (tmp_path / "other.toml").write_text(toml)
    with pytest.raises(SettingsError) as refused:
        read_rules(tmp_path / "other.toml")
    assert complaint in str(refused.value)


def test_the_rules_of_listening_toml_decide_what_is_published(settings_of):
    settings = settings_of(toml_of(FEEDS, more="[alerts.rules]\nopens = 49\npages = 50\n"))
    published(settings, storm=True)
    assert stages.watch(settings, now=lambda: NOW, environment={}).counts == {}
    lenient = settings_of(toml_of(FEEDS))
    assert stages.publish(lenient, now=lambda: NOW).rebuilt == "the rules of spikes changed"
    assert stages.watch(lenient, now=lambda: NOW, environment={}).counts["opened"] == 1
