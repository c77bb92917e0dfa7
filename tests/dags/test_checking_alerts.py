"""What `wom check` and `wom test-alerts` say of who is told."""

import re
from pathlib import Path

import pytest
from receivers import web_receivers

from dags.checking_alerts import alert_warnings, who_is_told
from dags.notify import Patience
from dags.settings import SettingsError
from dags.trying_channels import try_channels

ROOT = Path(__file__).parents[2]
FEED = '[[feed]]\nid = "hn"\nsource = "hackernews"\n'
ACME = '[[brand]]\nname = "Acme"\nowners = { default = "care", billing = "finance" }\n' + FEED
TARGETS = "".join(
    f'[[alerts.target]]\nname = "{name}"\nurl = "json://127.0.0.1/{name}"\n' for name in ("care", "finance")
)


def route(**keys):
    return "[[alerts.route]]\n" + "".join(f"{key} = {value!r}\n" for key, value in keys.items())


@pytest.mark.parametrize("more", ["", route(escalate_to="finance", escalate_minutes=5)])
def test_all_is_well_where_every_owner_has_a_channel(settings_of, more):
    assert alert_warnings(settings_of(ACME + TARGETS + more), {}) == []


@pytest.mark.parametrize(
    ("toml", "environment", "warning"),
    [
        ('[[brand]]\nname = "Acme"\n' + FEED, {}, "Acme: no default owner, so an alert about it reaches nobody"),
        ('[[brand]]\nname = "Acme"\nowners = { billing = "x@acme.example" }\n' + FEED, {},
         "Acme: no default owner, so an alert of what nobody else owns reaches nobody"),
        (ACME.replace("owners", 'competitors = ["Globex"]\nalerts = ["competitor"]\nowners') + TARGETS, {},
         "Acme: asks for alerts of competitors, and none of them is a [[brand]] here"),
        (ACME, {}, "Acme: 'care' is neither a mail address nor an [[alerts.target]]; known targets: none"),
        (ACME + TARGETS + route(channels=["phon"]), {}, "Acme: 'phon' is neither a mail address nor"),
        (ACME + TARGETS + route(channels=["a@b.example"]), {}, "Acme: no mail server to write to a@b.example"),
        (ACME + TARGETS + route(owner="care", escalate_to="head", escalate_minutes=5), {}, "Acme: 'head' is neither"),
        (ACME + '[[alerts.target]]\nname = "care"\nurl_env = "CARE"\n', {},
         "Acme: the environment variable CARE, which holds the address of care, is not set"),
        (ACME + '[[alerts.target]]\nname = "care"\nurl_env = "CARE"\n', {"CARE": "jsonn://hunter2"},
         "Acme: care: Apprise cannot use this address, jsonn://..."),
        (ACME + TARGETS + '[[alerts.target]]\nname = "idle"\nurl_env = "IDLE"\n', {},
         "[alerts]: the environment variable IDLE, which holds the address of idle, is not set"),
        (ACME + TARGETS + route(owner="finanse"), {},
         "[[alerts.route]] number 1: nobody is told as 'finanse' (did you mean 'finance'?); owners: care, finance"),
        (ACME + TARGETS + route(digest_at=["08:00"]) + route(owner="care", severity="page"), {},
         "[[alerts.route]] number 2 is never used: number 1 comes first and fits all that it does"),
        (ACME + TARGETS + route(owner="care", escalate_to="finance", escalate_minutes=5)
         + route(owner="finance", escalate_to="care", escalate_minutes=5), {},
         "alerts go round: care -> finance -> care. Nobody is told twice, so they end with finance"),
    ],
)  # fmt: skip
def test_what_keeps_an_alert_from_its_owner_is_said(settings_of, toml, environment, warning):
    warnings = alert_warnings(settings_of(toml), environment)
    assert [said for said in warnings if said.startswith(warning)], warnings
    assert "hunter2" not in "".join(warnings)


def test_who_is_told_is_shown_by_owner(settings_of):
    page = route(owner="finance", severity="page", channels=["care", "finance"], escalate_to="care", escalate_minutes=5)
    hours = route(quiet_hours="22:00-07:00", digest_at=["08:00"], time_zone="Europe/Berlin")
    [care, finance] = who_is_told(settings_of(ACME + TARGETS + page + hours))
    assert care == {
        "brand": "Acme", "about": ["default"], "owner": "care",
        "tell": "care; at 08:00 Europe/Berlin; not 22:00-07:00 Europe/Berlin", "page": "care",
    }  # fmt: skip
    assert finance["page"] == "care, then finance; after 5 min care"


def test_the_readmes_example_is_valid_and_lacks_only_its_secrets(settings_of):
    text = (ROOT / "README.md").read_text(encoding="utf-8").split("### Who is told\n")[1].split("\n## ")[0]
    [example] = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    environment = {"WOM_MAIL": "mailtos://user:password@smtp.acme.example?from=wom@acme.example"}
    environment |= dict.fromkeys(re.findall(r'url_env = "(\w+)"', example), "json://127.0.0.1/")
    assert alert_warnings(settings_of(example + FEED), environment) == []


def test_the_example_in_listening_toml_is_valid(settings_of):
    text = (ROOT / "listening.toml").read_text(encoding="utf-8")
    asleep = text[text.index("# [alerts]") : text.index("# `wom test-alerts`")]
    settings = settings_of(text + re.sub(r"^# ?", "", asleep, flags=re.MULTILINE))
    environment = {"WOM_MAIL": "mailtos://user:password@smtp.example.com?from=wom@example.com"}
    assert alert_warnings(settings, environment | {"WOM_CARE_CHAT": "json://127.0.0.1/"}) == []


def test_each_channel_is_tried_once_and_it_is_said_which_work(settings_of):
    with web_receivers() as web:
        web.answers["finance"] = [500]
        targets = "".join(
            f'[[alerts.target]]\nname = "{name}"\nurl = "{web.url(name)}"\n' for name in ("care", "finance", "idle")
        )
        settings = settings_of(ACME + targets)
        rows = try_channels(settings, {}, patience=Patience(attempt=60, pauses=()))
        assert [(row["channel"], row["brands"], row["delivered"]) for row in rows] == [
            ("care", ["Acme"], True), ("finance", ["Acme"], False), ("idle", [], True)]  # fmt: skip
        assert "error=500" in rows[1]["reason"]
        assert web.titles("care") == web.titles("finance") == ["Word of Mouse: a test"]
        [row] = try_channels(settings, {}, ["care"])
        assert row["channel"] == "care"
        assert len(web.sent["idle"]) == 1


def test_a_channel_that_nobody_named_is_refused_with_those_that_are(settings_of):
    with pytest.raises(SettingsError, match="names no channel 'cure'; valid: care, finance"):
        try_channels(settings_of(ACME), {}, ["cure"])
