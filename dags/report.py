"""One web page that tells of open and recent incidents: what, against what is usual, about what, in whose words.

It stands alone: no script, no picture and no font from anywhere, and a policy that forbids them. Whatever others wrote
is escaped, and can be nothing but words. Light or dark as the reader's system is; it prints too.
"""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from html import escape
from pathlib import Path
from typing import Any

from dags import kind_words, summary
from dags.from_to import written_to
from dags.messages import PARTS, SHOWN, about
from dags.plain_words import one_line, safe_address
from dags.report_chart import bar, hours_chart, most, stacked
from warehouse.alert_states import NEGATIVE_SPIKE

RECENT = timedelta(days=30)
AT_MOST = 50  # incidents on one page
OVER = {"resolved", "dismissed"}
MEANS = {
    "size": "how many times what is usual; full at 32 times",
    "excess_share": "how much larger the negative share is than usual",
    "growth": "the last 3 hours against the 3 before; full at 8 times",
    "spread": "how evenly it is spread over authors",
    "new_authors": "share of authors new to the brand in 90 days",
    "first_hand_fall": "how far first-hand word fell behind its usual share",
}
WHO = (("first_hand", "first-hand"), ("second_hand", "second-hand"), ("opinion", "opinion"), ("unknown", "not told"))

Alert = Mapping[str, Any]  # a row of the view alerts, its evidence as an object


def write_page(database: Path, target: Path, *, brand: str | None = None, named: str = "--to") -> None:
    """Write the page of the alerts in a published file, those of one brand if it is given.

    named: where the target was named. Raises SettingsError where it cannot be written, or for a brand nobody knows;
    DatabaseMissing where nothing was published yet.
    """
    with summary.reading(database) as connection:
        html = page(summary.alerts(connection, brand), summary.published_at(connection), brand)
    with written_to(target, newline="\n", named=named) as file:
        file.write(html)


def page(alerts: Sequence[Alert], published_at: datetime, brand: str | None = None) -> str:
    """Return the page of these alerts as HTML, open ones first, then those of the last 30 days, the newest first.

    published_at: when what is shown was so, UTC. brand: of whom all alerts are; None: of any.
    """
    style = (Path(__file__).parent / "report.css").read_text(encoding="utf-8")
    now = _utc(published_at)
    shown = _shown(alerts, now)
    open_ones = sum(alert["state"] not in OVER for alert in shown)
    title = f"Incidents of {_words(brand)}" if brand else "Incidents"
    summary = f"{open_ones} open, {len(shown) - open_ones} over in the last {RECENT.days} days"
    articles = "".join(_article(alert) for alert in shown) or _calm(now)
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{_policy(style)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta name="robots" content="noindex">
<title>{title}: Word of Mouse</title>
<style>{style}</style>
</head>
<body>
<header class="top">
<h1>{title}</h1>
<p class="soft">{summary}, as of {_minute(now)} UTC.</p>
{_contents(shown)}</header>
<main>
{articles}</main>
<footer>
<p>What is usual was taken from the 28 days before. What people say is quoted as they wrote it, with personal data
masked; a machine judged it, and it errs. Times are UTC.</p>
</footer>
</body>
</html>
"""


def _policy(style: str) -> str:
    """Return a content security policy under which only our own style sheet has any effect (CSP level 2)."""
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


def _shown(alerts: Sequence[Alert], now: datetime) -> list[Alert]:
    recent = [alert for alert in alerts if alert["state"] not in OVER or now - _utc(alert["changed_at"]) <= RECENT]
    recent.sort(key=_urgency)
    return recent[:AT_MOST]


def _urgency(alert: Alert) -> tuple[bool, bool, float, str]:
    """Return what sorts open ones first, of them those that page, then the newest."""
    is_over = alert["state"] in OVER
    pages = alert["evidence"].get("severity") == "page"
    return is_over, not is_over and not pages, -_utc(alert["opened_at"]).timestamp(), alert["alert_id"]


def _contents(alerts: Sequence[Alert]) -> str:
    if len(alerts) < 2:
        return ""
    items = "".join(
        f'<li><a href="#{_words(alert["alert_id"])}">{_title(alert)}</a> '
        f'<span class="soft small">{_words(alert["state"])}, since {_began(alert)}</span></li>'
        for alert in alerts
    )
    return f"<nav><ul>{items}</ul></nav>\n"


def _calm(now: datetime) -> str:
    since = (now - RECENT).date().isoformat()
    return f"<article><h2>All calm</h2><p>No incident is open, and none was since {since}.</p></article>\n"


def _article(alert: Alert) -> str:
    evidence = alert["evidence"]
    state, kind = alert["state"], alert.get("kind", NEGATIVE_SPIKE)
    told = [state, *([kind.replace("_", " ")] if kind != NEGATIVE_SPIKE else [])]
    told += ["rare enough to page"] if evidence.get("severity") == "page" else []
    blocks = [
        _lede(evidence) or _noticed(kind, evidence),
        f'<p class="soft small">{_life(alert)}</p>',
        _chart(evidence),
        _figures(evidence),
        _halves(_grown(evidence) + _alone(evidence) + _in_words(evidence), _storm(evidence) + _who(evidence)),
        _quotes(evidence),
        _stories(evidence),
        _similar(evidence),
        _query(alert),
        _answer(alert),
    ]
    return (
        f'<article id="{_words(alert["alert_id"])}">\n<p class="state {_words(state)}">{_words(", ".join(told))}'
        f"</p>\n<h2>{_title(alert)}</h2>\n{''.join(blocks)}</article>\n"
    )


def _title(alert: Alert) -> str:
    kind = alert.get("kind", NEGATIVE_SPIKE)
    names = ", ".join(_words(name) for name in about(kind, alert["evidence"])[:SHOWN])
    if headline := kind_words.headline(kind, "opened"):
        return f"{_words(alert['brand'])}: {headline}{f' ({names})' if names else ''}"
    return f"{_words(alert['brand'])}{f': {names}' if names else ''}"


def _noticed(kind: str, evidence: Mapping[str, Any]) -> str:
    return "".join(f'<p class="lede">{_words(line)}</p>\n' for line in kind_words.lines(kind, evidence))


def _lede(evidence: Mapping[str, Any]) -> str:
    if "negatives" not in evidence:
        return ""
    return (
        f'<p class="lede"><strong>{_count(evidence["negatives"])} negative mentions</strong> in '
        f"{_count(evidence['window_hours'])} h, where {_number(evidence['expected'])} are usual. "
        f"{_percent(evidence['share'])} of what is said is negative; {_percent(evidence['expected_share'])} is usual."
        "</p>\n"
    )


def _life(alert: Alert) -> str:
    words = [f"Since {_began(alert)}"]
    if alert["told_to"]:
        words.append(f"told {', '.join(_words(name) for name in alert['told_to'])} at {_minute(alert['told_at'])}")
    else:
        words.append("nobody was told yet")
    if alert["grew"]:
        words.append(f"grew {alert['grew']} times" if alert["grew"] > 1 else "grew once")
    if alert["state"] != "open":
        who = alert.get("acknowledged_by") if alert["state"] == "acknowledged" else alert.get("closed_by")
        by = f" by {_words(who)}" if who else ""
        note = f": {_words(alert['note'])}" if alert.get("note") else ""
        words.append(f"{_words(alert['state'])} at {_minute(alert['changed_at'])}{by}{note}")
    return f"{'; '.join(words)}."


def _chart(evidence: Mapping[str, Any]) -> str:
    hours = evidence.get("hours")
    if not hours:
        return ""
    began = evidence.get("evidence_since") or evidence["since"]
    told_from = sum(_utc(hour["hour"]) < _utc(began) for hour in hours)
    clock = "".join(f"<span>{_day_and_hour(hours[place]['hour'])}</span>" for place in (0, len(hours) // 2, -1))
    key = '<span><i></i>since it began</span><span><i class="before"></i>before</span>'
    key += '<span><i class="normal"></i>usual</span>' if not _reason(evidence, "hours") else ""
    return (
        '<figure>\n<figcaption class="soft small">Negative mentions an hour</figcaption>\n'
        f'<div class="plot"><span class="most">{_number(most(hours))}</span>{hours_chart(hours, told_from)}</div>\n'
        f'<div class="clock">{clock}</div>\n<div class="key">{key}</div>{_why_not(evidence, "hours")}\n</figure>\n'
    )


def _figures(evidence: Mapping[str, Any]) -> str:
    if "firestorm" not in evidence:
        return ""
    score, experience, reach = evidence["firestorm"]["score"], evidence["experience"], evidence["reach"]
    unknown = reach["unknown_share"]
    told = (
        ("Firestorm score, of 100", _number(score, 0), _reason(evidence, "firestorm")),
        (
            "First-hand",
            _percent(experience["first_hand"]),
            _usually(experience["usual_first_hand"]) or _reason(evidence, "experience"),
        ),
        (
            "By authors new to it",
            _percent(evidence["new_authors_share"]),
            _usually(evidence["usual_new_authors_share"]) or _reason(evidence, "new_authors_share"),
        ),
        (
            "May have reached",
            _count(reach["people"]),
            _reason(evidence, "reach") or (f"not told of {_percent(unknown)} of authors" if unknown else ""),
        ),
    )
    items = "".join(
        f'<div><dt>{label}</dt><dd><span class="number">{value}</span><br>'
        f'<span class="soft small">{_words(note)}</span></dd></div>'
        for label, value, note in told
    )
    return f'<dl class="figures">{items}</dl>\n'


def _halves(left: str, right: str) -> str:
    return f'<div class="halves">\n<div>{left}</div>\n<div>{right}</div>\n</div>\n' if left or right else ""


def _alone(evidence: Mapping[str, Any]) -> str:
    """Return the aspects and sources that spike against their own past, each by its worst window."""
    rows = "".join(
        f'<tr><th scope="row">{_words(part.get("aspect") or part.get("source") or "")}</th>'
        f'<td class="count">{_count(part["negatives"])} <span class="soft">in {part["window_hours"]} h, '
        f"{_usual_number(part)}</span></td></tr>"
        for part in evidence.get("series") or ()
    )
    return f'<section><h3>What spikes of its own</h3><table class="parts">{rows}</table></section>' if rows else ""


def _grown(evidence: Mapping[str, Any]) -> str:
    tables = []
    for name, caption in (("aspects", "Aspects"), ("sources", "Sources")):
        if name not in evidence:
            continue
        parts = evidence[name]
        top = max([part[count] or 0 for part in parts for count in ("n", "expected")], default=0) or 1
        rows = "".join(
            f'<tr><th scope="row">{_words(part["value"])}</th>'
            f"<td>{bar(part['n'] / top, None if part['expected'] is None else part['expected'] / top)}</td>"
            f'<td class="count">{_count(part["n"])} <span class="soft">{_usual_share(part)}</span></td></tr>'
            for part in parts
        )
        tables.append(f'<table class="parts"><caption>{caption}</caption>{rows}</table>{_why_not(evidence, name)}')
    return f"<h3>What grew; the mark is its usual share of as many</h3>{''.join(tables)}" if tables else ""


def _in_words(evidence: Mapping[str, Any]) -> str:
    if "phrases" not in evidence:
        return ""
    items = "".join(
        f'<li>{_words(part["value"])} <span class="soft">{_count(part["n"])}</span></li>'
        for part in evidence["phrases"]
    )
    return f'<section><h3>In these words</h3><ul class="words">{items}</ul>{_why_not(evidence, "phrases")}</section>'


def _storm(evidence: Mapping[str, Any]) -> str:
    parts = (evidence.get("firestorm") or {}).get("parts") or {}
    if not any(parts.values()):
        return ""
    rows = "".join(
        f'<tr><th scope="row">{words}</th><td>{bar(parts.get(name) or 0, style="score")}</td>'
        f'<td class="count">{"not known" if parts.get(name) is None else f"{100 * parts[name]:.0f}"}</td></tr>'
        for name, words in PARTS.items()
    )
    means = "".join(f"<li>{PARTS[name]}: {meaning}</li>" for name, meaning in MEANS.items())
    return (
        f'<h3>Firestorm score: the mean of its parts, 0 to 100</h3><table class="parts">{rows}</table>'
        f"<details><summary>What the parts mean</summary><ul>{means}</ul></details>"
    )


def _who(evidence: Mapping[str, Any]) -> str:
    experience = evidence.get("experience") or {}
    shares = [experience.get(name) for name, _ in WHO]
    if not experience or None in shares:
        return ""
    key = "".join(
        f'<span><i class="{name}"></i>{words} {_percent(share)}</span>'
        for (name, words), share in zip(WHO, shares, strict=True)
        if share
    )
    return (
        f"<section><h3>How they know</h3>{stacked([share or 0.0 for share in shares])}"
        f'<div class="key">{key}</div></section>'
    )


def _quotes(evidence: Mapping[str, Any]) -> str:
    if "quotes" not in evidence:
        return ""
    said = "".join(_quote(quote, quote.get("published_at")) for quote in evidence["quotes"])
    return f"<section><h3>What people say</h3>{said}{_why_not(evidence, 'quotes')}</section>\n"


def _stories(evidence: Mapping[str, Any]) -> str:
    if not evidence.get("stories"):
        return ""
    told = "".join(
        _quote(story, story["first_at"], f"{_count(story['n'])} times, {_count(story['authors'])} authors")
        for story in evidence["stories"]
    )
    return f"<section><h3>What goes round</h3>{told}</section>\n"


def _quote(quote: Mapping[str, Any], at: str | None, more: str = "") -> str:
    address = safe_address(quote["url"])
    source = _words(quote["source"])
    link = f'<a href="{escape(address)}" rel="noopener noreferrer nofollow">{source}</a>' if address else source
    words = [link, *([_minute(at)] if at else []), *([more] if more else [])]
    return f'<blockquote><p dir="auto">{_words(quote["text"])}</p><footer>{", ".join(words)}</footer></blockquote>\n'


def _similar(evidence: Mapping[str, Any]) -> str:
    if "similar" not in evidence:
        return ""
    rows = "".join(
        f"<tr><td>{_minute(past['since'])}</td>"
        f"<td>{_words(', '.join(past['aspects'][:3]) or 'no aspect')}</td>"
        f"<td>{_count(past['negatives'])} negative, {_usual_number(past)}</td>"
        f"<td>{_words(past['ended'])} by {_words(past['ended_by'])} after {_hours(past)}</td>"
        f"<td>{_words(past['note'] or '')}</td></tr>"
        for past in evidence["similar"]
    )
    table = f'<table class="past">{rows}</table>' if rows else ""
    return f"<section><h3>Earlier incidents most like it</h3>{table}{_why_not(evidence, 'similar')}</section>\n"


def _query(alert: Alert) -> str:
    query = alert["evidence"].get("sql")
    if not query:
        return ""
    return (
        "<details><summary>Check it: the query that gives these counts again</summary>"
        f"<pre><code>{_words(query)}</code></pre></details>\n"
    )


def _answer(alert: Alert) -> str:
    if alert["state"] in OVER:
        return ""
    if alert["state"] == "acknowledged":
        what, command, others = "End it", "resolve", "snooze, dismiss"
    else:
        what, command, others = "Take it on", "ack", "snooze, resolve, dismiss"
    command = f"<code>wom {command} {_words(alert['alert_id'])}</code>"
    return f'<p class="soft small">{what}: {command} (or wom {others}).</p>\n'


def _reason(evidence: Mapping[str, Any], name: str) -> str:
    return str((evidence.get("reasons") or {}).get(name, ""))


def _why_not(evidence: Mapping[str, Any], name: str) -> str:
    reason = _reason(evidence, name)
    return f'<p class="soft small">{_words(reason[:1].upper() + reason[1:])}.</p>' if reason else ""


def _usual_number(counted: Mapping[str, Any]) -> str:
    return "" if counted["expected"] is None else f"usually {_number(counted['expected'])}"


def _usual_share(part: Mapping[str, Any]) -> str:
    return "" if part["expected"] is None else f"usual share {_number(part['expected'], 0)}"


def _usually(share: float | None) -> str:
    return "" if share is None else f"{_percent(share)} is usual"


def _words(text: str) -> str:
    """Return text as HTML, on one line and without signs that turn its direction."""
    return escape(one_line(text))


def _count(number: int | None) -> str:
    return "–" if number is None else f"{number:,}"


def _number(number: float | None, digits: int = 1) -> str:
    return "–" if number is None else f"{number:,.0f}" if number >= 10 else f"{number:.{digits}f}"


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.0f} %"


def _hours(past: Mapping[str, Any]) -> str:
    return f"{(_utc(past['ended_at']) - _utc(past['since'])) / timedelta(hours=1):.0f} h"


def _began(alert: Alert) -> str:
    return _minute(alert["since"] or alert["opened_at"])


def _minute(at: datetime | str) -> str:
    return f"{_utc(at):%-d %b %Y %H:%M}"


def _day_and_hour(at: str) -> str:
    return f"{_utc(at):%a %-d %b %H:%M}"


def _utc(at: datetime | str) -> datetime:
    moment = datetime.fromisoformat(at) if isinstance(at, str) else at
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
