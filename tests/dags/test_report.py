"""The report: one page that stands alone, in which what others wrote is words and no more."""

import base64
import hashlib
import re
import unicodedata
from datetime import datetime, timedelta
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest
from hostile import HIDDEN, JOINERS, addresses, evidence_of, texts
from hypothesis import given, settings
from hypothesis import strategies as st
from stormy_lake import alerts_of, published, watch
from typer.testing import CliRunner
from written_by_tests import toml_of

from dags import stages
from dags.checking_alerts import alert_warnings
from dags.cli import app
from dags.plain_words import one_line
from dags.report import page
from dags.report_chart import bar, hours_chart
from dags.settings import SettingsError

NOW = datetime(2026, 11, 20, 12, 30)  # noqa: DTZ001  as DuckDB gives it: UTC without a zone
EVIDENCE = evidence_of(["billing"], "https://posts.example/1")
ELEMENTS = """a article blockquote body caption code dd details div dl dt figcaption figure footer h1 h2 h3 head header
    html i li main meta nav p path pre rect section span strong style summary svg table td th title tr ul br"""
ATTRIBUTES = """id class href rel dir lang charset content http-equiv name scope role aria-label aria-hidden x y width
    height d viewbox preserveaspectratio"""


def alert(alert_id="a1b2", state="open", evidence=EVIDENCE, days=0, **other):
    at = NOW - timedelta(days=days, hours=2)
    return {"alert_id": alert_id, "brand": "Acme", "aspect": None, "state": state, "opened_at": at, "told_at": at,
            "told_to": ["care@acme.example"], "grew": 1, "changed_at": at, "resolved_at": None, "since": at,
            "negatives": 14, "expected": 1.25, "evidence": evidence} | other  # fmt: skip


class Page(HTMLParser):
    """A page as a browser takes it apart."""

    def __init__(self, html):
        super().__init__()
        self.elements, self.attributes, self.links, self.ids, self.text = set(), set(), [], [], ""
        self.policy = self.style = ""
        self._within = ""
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self._within = tag
        self.elements.add(tag)
        self.attributes |= {name for name, _ in attrs}
        found = dict(attrs)
        self.links += [found["href"]] if "href" in found else []
        self.ids += [found["id"]] if "id" in found else []
        if found.get("http-equiv") == "Content-Security-Policy":
            self.policy = found["content"]

    def handle_data(self, data):
        if self._within == "style" and not self.style:
            self.style = data
        else:
            self.text += data

    def handle_comment(self, data):
        raise AssertionError(f"a comment: {data}")


def test_the_policy_lets_nothing_in_but_our_own_style():
    shown = Page(page([alert()], NOW))
    digest = base64.b64encode(hashlib.sha256(shown.style.encode()).digest()).decode()
    assert shown.policy == f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    assert "url(" not in shown.style
    assert "@import" not in shown.style


@settings(deadline=None, max_examples=40)
@given(st.lists(texts, min_size=1, max_size=4), addresses, texts)
def test_what_others_wrote_is_words_and_no_more(words, address, name):
    row = alert(evidence=evidence_of(words, address), brand=name, told_to=[name])
    html = page([row, alert("c3")], NOW, brand=name)
    shown = Page(html)
    assert shown.elements <= set(ELEMENTS.split())
    assert shown.attributes <= set(ATTRIBUTES.split())
    assert all(re.match(r"https?://|#a1b2$|#c3$", link) for link in shown.links)
    assert not any(unicodedata.category(sign) in HIDDEN for sign in set(html) - JOINERS - {"\n"})
    for word in (*words, name):
        assert one_line(word) in shown.text


def test_open_incidents_come_first_then_recent_ones_and_old_ones_not_at_all():
    rows = [alert("over", "resolved", days=3), alert("old", "resolved", days=31), alert("first", days=2),
            alert("last", "acknowledged", days=1), alert("long", days=40), alert("wrong", "dismissed")]  # fmt: skip
    shown = Page(page(rows, NOW))
    assert shown.ids == ["last", "first", "long", "wrong", "over"]
    assert "3 open, 2 over in the last 30 days, as of 20 Nov 2026 12:30 UTC." in shown.text


def test_of_those_that_are_open_the_ones_that_page_come_first():
    calm = EVIDENCE | {"severity": "tell"}
    rows = [alert("new", evidence=calm), alert("pages", days=2), alert("told", evidence=calm, days=1)]
    assert Page(page(rows, NOW)).ids == ["pages", "new", "told"]


def test_it_says_who_takes_care():
    taken = alert(state="acknowledged", acknowledged_by="kim", note=None, closed_by=None)
    shown = Page(page([taken], NOW)).text
    assert "acknowledged at 20 Nov 2026 10:30 by kim." in shown
    assert "End it: wom resolve a1b2" in shown


def test_what_is_over_asks_nobody_to_take_it_on():
    assert "wom ack" not in Page(page([alert(state="resolved")], NOW)).text


def test_where_nothing_is_the_matter_it_says_so():
    assert "No incident is open, and none was since 2026-10-21." in Page(page([], NOW)).text


def test_an_incident_can_be_checked_in_a_minute():
    shown = Page(page([alert()], NOW)).text
    for words in ("14 negative mentions in 3 h, where 1.2 are usual", "70 % of what is said is negative; 20 % is usual",
                  "told care@acme.example at 20 Nov 2026 10:30; grew once", "9 usual share 2",
                  "billing9 in 3 h, usually 1.5", "Take it on: wom ack a1b2",
                  "First-hand50 %60 % is usual", "By authors new to it80 %50 % is usual",
                  "May have reached1,234", "Firestorm score, of 10062",
                  "growthnot known", "resolved by billing after 0 h"):  # fmt: skip
        assert words in re.sub(r"\s+", " ", shown)


def test_what_is_not_known_says_why():
    unknown = EVIDENCE | {
        "aspects": [], "sources": [], "phrases": [], "stories": [], "quotes": [], "similar": [],
        "experience": dict.fromkeys(EVIDENCE["experience"]), "new_authors_share": None,
        "usual_new_authors_share": None, "reach": {"people": None, "unknown_share": None},
        "firestorm": {"score": None, "parts": {}, "reason": "too little"}, "hours": [],
        "reasons": dict.fromkeys(("aspects", "phrases", "similar", "experience", "firestorm"), "too little was heard"),
    }  # fmt: skip
    shown = Page(page([alert(evidence=unknown)], NOW)).text
    assert shown.count("oo little was heard") == 5
    assert "None" not in shown


def test_an_alert_of_an_older_version_is_shown_with_what_it_has():
    told = {name: EVIDENCE[name] for name in ("since", "window_hours", "negatives", "expected", "share",
                                              "expected_share", "quotes")}  # fmt: skip
    assert "14 negative mentions" in Page(page([alert(evidence=told)], NOW)).text
    assert "Acme" in Page(page([alert(evidence={}, since=None, told_at=None, told_to=[])], NOW)).text


def test_an_alert_of_another_kind_says_what_it_is_of():
    evidence = {"members": ["1"], "is_heard": True, "followers": 5000, "complaints": 1, "aspects": [], "quotes": []}
    shown = Page(page([alert(evidence=evidence, kind="recovery")], NOW)).text
    assert "open, recovery" in shown
    assert "Acme: a complaint is worth an answer" in shown
    assert "Nobody has answered yet, and its author reaches 5,000 followers or viewers." in shown


def test_the_chart_shows_each_hour_against_what_is_usual():
    hours = [{"hour": f"2026-11-20T0{hour}:00:00+00:00", "negatives": seen, "expected": usual}
             for hour, (seen, usual) in enumerate([(5, 1.0), (None, None), (10, 2.0), (0, 2.0)])]  # fmt: skip
    chart = ElementTree.fromstring(hours_chart(hours, told_from=2))
    [band, *bars] = [(one.get("class"), float(one.get("height") or 0)) for one in chart.findall("rect")]
    assert band == ("band", 100)
    assert bars == [("seen", 50), ("unheard", 100), ("seen told", 100), ("seen told", 0)]
    assert [one.findtext("title") for one in chart.findall("rect")][1:3] == [
        "2026-11-20 00:00 UTC: 5 negative, 1.0 usual", "2026-11-20 01:00 UTC: not heard",
    ]  # fmt: skip
    [usual] = [path.get("d") for path in chart.findall("path") if path.get("class") == "usual"]
    assert usual == "M0 90.0H10M20 80.0H30V80.0H40"


@pytest.mark.parametrize("share", [-1.0, 0.0, 0.5, 1.0, 7.0])
def test_a_bar_stays_within_its_room(share):
    [room, part, tick] = ElementTree.fromstring(bar(share, share)).findall("rect")
    assert 0 <= float(part.get("width") or 0) <= float(room.get("width") or 0)
    assert 0 <= float(tick.get("x") or -1) < 100


def test_the_page_is_written_anew_by_whatever_publishes_where_listening_toml_says_so(settings_of, tmp_path):
    target = tmp_path / "served.html"
    settings = settings_of(toml_of({"a": "http://127.0.0.1:1/"}, more=f'\n[alerts]\nreport_file = "{target}"\n'))
    published(settings, storm=True)
    assert "No incident is open" in target.read_text(encoding="utf-8")
    watch(settings)
    [alert] = alerts_of(settings)
    assert f'id="{alert["alert_id"]}"' in target.read_text(encoding="utf-8")


def test_a_page_that_cannot_be_written_stops_no_publish(settings_of, tmp_path):
    nowhere = tmp_path / "no" / "served.html"
    toml = toml_of({"a": "http://127.0.0.1:1/"}, more=f'\n[alerts]\nreport_file = "{nowhere}"\n')
    [warning] = stages.publish(settings_of(toml)).warnings
    assert warning == f"[alerts] report_file {nowhere}: No such file or directory"
    assert f"[alerts] report_file: there is no folder {nowhere.parent}" in alert_warnings(settings_of(toml), {})


def test_wom_report_writes_the_page_of_what_is_published(storm_of, tmp_path):
    settings = storm_of()
    watch(settings)
    variables = {"WOM_LAKE": settings.lake}
    target = tmp_path / "page.html"
    done = CliRunner().invoke(app, ["report", "Acme", "--to", str(target)], env=variables)
    assert (done.exit_code, "open it in a browser" in done.stderr) == (0, True)
    shown = Page(target.read_text(encoding="utf-8"))
    assert "negative mentions in" in shown.text
    assert shown.text.count("charged me twice") >= 3
    assert "FROM what_grew('Acme'" in shown.text
    printed = CliRunner().invoke(app, ["report", "--to", "-"], env=variables)
    assert printed.stdout.startswith("<!doctype html>")
    nowhere = CliRunner().invoke(app, ["report", "--to", str(tmp_path / "no" / "page.html")], env=variables)
    assert isinstance(nowhere.exception, SettingsError)
