"""What an owner reads of an alert, for people and for programs.

Whatever others wrote (posts, names of brands, notes) is data here: no channel finds a command in it (plain_words.py).
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dags import kind_words
from dags.plain_words import chat_safe, safe_address
from dags.sparkline import sparkline
from warehouse.alert_states import NEGATIVE_SPIKE, TELLS, WATCH, time_in

LONGEST_NAME = 80  # characters of a brand's name in a title
LONGEST_NOTE = 500
LONGEST_TEXT = 1900  # of all: the smallest chat takes 2000, and a line or two on why it comes to somebody is added
SHORTEST_QUOTE = 80  # where there is no room for more
QUOTED_ROOM = 16  # signs around a quote, and its share of the line above
SHOWN = 3  # aspects, sources, phrases
SPIKING_SHOWN = 4  # of the aspects and sources that spike of their own
_HEADLINES = {
    "opened": "negative word of mouth is spiking",
    "grew": "negative word of mouth is growing",
    "reopened": "negative word of mouth is back",
    "quieted": "negative word of mouth has calmed down",
    "resolved": "negative word of mouth is over",
    "dismissed": "that was no incident",
    "acknowledged": "somebody takes care of it",
    "snoozed": "the alert is snoozed",
    "escalated": "nobody has taken care yet",
    "undelivered": "an alert could not be delivered",
}
_WHO = {"first_hand": "first-hand", "second_hand": "second-hand", "opinion": "opinion"}
PARTS = {  # of the firestorm score, in a reader's words
    "size": "size",
    "excess_share": "one-sidedness",
    "growth": "growth",
    "spread": "many voices",
    "new_authors": "new voices",
    "first_hand_fall": "hearsay",
}

Event = Mapping[str, Any]  # a row of ALERTS


@dataclass(frozen=True)
class Message:
    """One message: a title of one line, plain text for people, and the same for programs (what JSON can hold).

    Nothing in title and text pings, formats or links but addresses of posts and of the report. The payload has other
    people's words as they are, with personal data masked: whoever shows them has to escape them.
    """

    title: str
    text: str
    payload: dict[str, Any]


def message(event: Event, report_url: str | None = None) -> Message:
    """Return what an event tells: what happened, against what is usual, about what, and in whose words.

    event: of any kind, old or new; what its evidence lacks is not spoken of. report_url: where the report is served.
    """
    evidence = json.loads(event["evidence"])
    title = _title(event, evidence)
    link = link_to(event["alert_id"], report_url)
    said, causes, further = (
        "\n".join(lines) for lines in (_said(event, evidence), _causes(evidence), _further(event, evidence, link))
    )
    quotes = "\n".join(_quotes(evidence, LONGEST_TEXT - len(said) - len(causes) - len(further)))
    text = "\n\n".join(block for block in (said, causes, quotes, further) if block)
    return Message(title, text, _payload(event, evidence, title, link))


def digest(events: Sequence[Event], report_url: str | None = None) -> Message:
    """Return several events as one message: a title and the figures of each, in the order given."""
    told = [(event, message(event, report_url)) for event in events]
    brands = Counter(_name(event["brand"]) for event in events)
    title = f"{len(events)} alerts: {', '.join(brands)}" if len(events) != 1 else told[0][1].title
    blocks = []
    for event, one in told:
        lines = [one.title, *_said(event, json.loads(event["evidence"]))]
        more = [f"More: {one.payload['report']}"] if one.payload["report"] else _why(event)
        blocks.append([*lines, *more, *_answer(event)])
    payload = {"title": title, "events": [one.payload for _, one in told]}
    return Message(title, "\n\n".join("\n".join(block) for block in blocks), payload)


def link_to(alert_id: str, report_url: str | None) -> str | None:
    """Return where the report tells of an alert; None where no report is served."""
    return f"{report_url}#{alert_id}" if report_url else None


def _title(event: Event, evidence: Mapping[str, Any]) -> str:
    names = about(_kind(event), evidence) if event["event"] in TELLS else []
    shown = ", ".join(_short(name, LONGEST_NAME) for name in names[:SHOWN])
    headline = kind_words.headline(_kind(event), event["event"]) or _HEADLINES.get(
        event["event"], chat_safe(event["event"])
    )
    return f"{_name(event['brand'])}: {headline}{f' ({shown})' if shown else ''}"


def about(kind: str, evidence: Mapping[str, Any]) -> list[str]:
    """Return what an alert is about, as others wrote it: the aspects that spike of their own, or else those that grew.

    Of kinds that are of something else, the names of that.
    """
    aspects = (evidence.get("about") or {}).get("aspects") or [part["value"] for part in evidence.get("aspects") or ()]
    return aspects or kind_words.named(kind, evidence)


def _said(event: Event, evidence: Mapping[str, Any]) -> list[str]:
    ended = [f"{event['event'].capitalize()} by {_name(event['by'])}."] if _is_ended_by_a_person(event) else []
    return [*ended, *kind_words.lines(_kind(event), evidence), *_figures(evidence)]


def _is_ended_by_a_person(event: Event) -> bool:
    return event["event"] in {"resolved", "dismissed"} and event["by"] != WATCH


def _kind(event: Event) -> str:
    return event.get("kind") or NEGATIVE_SPIKE


def _figures(evidence: Mapping[str, Any]) -> list[str]:
    lines = []
    if "negatives" in evidence:
        lines.append(
            f"{evidence['negatives']} negative mentions in {evidence['window_hours']} h; "
            f"{evidence['expected']:.1f} would be usual."
        )
        lines.append(
            f"{_percent(evidence['share'])} of what is said is negative, where {_percent(evidence['expected_share'])} "
            "is usual."
        )
    if "since" in evidence:
        lines.append(f"Since {_minute(evidence['since'])} UTC.")
    if hours := evidence.get("hours"):
        lines.append(f"Negative mentions an hour, last {len(hours)} h:")
        lines.append(sparkline([hour["negatives"] for hour in hours]).replace(" ", "·"))
    for word in ("note", "reason"):
        if evidence.get(word):
            lines.append(f"{word.capitalize()}: {_short(evidence[word], LONGEST_NOTE)}")
    return lines


def _causes(evidence: Mapping[str, Any]) -> list[str]:
    lines = []
    if alone := evidence.get("series"):
        lines.append(f"What spikes of its own: {', '.join(map(_series, alone[:SPIKING_SHOWN]))}")
    lines += [
        f"{label}: {', '.join(_part(part) for part in evidence[name][:SHOWN])}"
        for label, name in (("What grew", "aspects"), ("Where", "sources"))
        if evidence.get(name)
    ]
    if phrases := evidence.get("phrases"):
        words = (f"{_short(phrase['value'], LONGEST_NAME)} {phrase['n']}" for phrase in phrases[:SHOWN])
        lines.append(f"In these words: {', '.join(words)}")
    if stories := evidence.get("stories"):
        lines.append(f"What goes round, {stories[0]['n']} times: “{_short(stories[0]['text'], 140)}”")
    if who := _who(evidence):
        lines.append(who)
    if (reach := evidence.get("reach") or {}).get("people"):
        lines.append(f"It may have reached {reach['people']:,} followers or viewers, at most.")
    return lines


def _who(evidence: Mapping[str, Any]) -> str:
    experience = evidence.get("experience") or {}
    words = [
        f"{_percent(experience[name])} {words}{_usually(experience.get(f'usual_{name}'))}"
        for name, words in _WHO.items()
        if experience.get(name) is not None
    ]
    if (new := evidence.get("new_authors_share")) is not None:
        words.append(f"{_percent(new)} by authors new to the brand{_usually(evidence['usual_new_authors_share'])}")
    return f"Who: {', '.join(words)}" if words else ""


def _quotes(evidence: Mapping[str, Any], room: int) -> list[str]:
    """Return the quotes, each as long as room for all of them (characters) allows."""
    quotes = evidence.get("quotes") or ()
    if not quotes:
        return []
    where = [
        f"  {_short(quote['source'], LONGEST_NAME)}: {safe_address(quote['url']) or 'no address'}" for quote in quotes
    ]
    longest = (room - sum(len(line) + QUOTED_ROOM for line in where)) // len(quotes)
    said = [f"- “{_short(quote['text'], max(longest, SHORTEST_QUOTE))}”" for quote in quotes]
    return ["What people say:", *(line for lines in zip(said, where, strict=True) for line in lines)]


def _further(event: Event, evidence: Mapping[str, Any], link: str | None) -> list[str]:
    lines = []
    if (storm := evidence.get("firestorm") or {}).get("score") is not None:
        parts = sorted(((part, name) for name, part in storm["parts"].items() if part is not None), reverse=True)
        shown = ", ".join(f"{PARTS.get(name, chat_safe(name))} {100 * part:.0f}" for part, name in parts)
        lines.append(f"Firestorm score {storm['score']:.0f} of 100: {shown}.")
    for past in (evidence.get("similar") or ())[:1]:
        lines.append(_past(past))
    if link:
        lines.append(f"Report: {link}")
    if "negatives" in evidence:
        lines += _why(event)
    return [*lines, *_answer(event)]


def _past(past: Mapping[str, Any]) -> str:
    hours = (datetime.fromisoformat(past["ended_at"]) - datetime.fromisoformat(past["since"])).total_seconds() / 3600
    by = "by itself" if past["ended_by"] == "watch" else f"by {_name(past['ended_by'])}"
    note = f": {_short(past['note'], 140)}" if past["note"] else ""
    return f"Most like it: {_minute(past['since'])} UTC, {past['ended']} {by} after {hours:.0f} h{note}"


def _why(event: Event) -> list[str]:
    if _kind(event) != NEGATIVE_SPIKE:
        return []
    return [f"""Check it: wom sql "FROM why('{chat_safe(event["alert_id"])}')" """.rstrip()]


def _answer(event: Event) -> list[str]:
    """Return how to say that one takes it on, or, once it has ended by itself, whether it was one."""
    alert_id = chat_safe(event["alert_id"])
    if event["event"] in TELLS:
        return [f"Take it on: wom ack {alert_id} (or wom snooze, resolve, dismiss)"]
    if event["event"] == "resolved" and event["by"] == WATCH and _kind(event) == NEGATIVE_SPIKE:
        return [f"Was it one? wom resolve {alert_id}, or wom dismiss {alert_id}"]
    return []


def _payload(event: Event, evidence: Mapping[str, Any], title: str, link: str | None) -> dict[str, Any]:
    at = event.get("at")
    return {
        "alert_id": event["alert_id"],
        "brand": event["brand"],
        "kind": _kind(event),
        "event": event["event"],
        "at": at.isoformat() if isinstance(at, datetime) else at,
        "severity": evidence.get("severity", "tell"),
        "title": title,
        "report": link,
        "evidence": dict(evidence),
    }


def _series(part: Mapping[str, Any]) -> str:
    """Return an aspect or source that spikes against its own past, by its worst window."""
    name = _short(part.get("aspect") or part.get("source") or "", LONGEST_NAME)
    return f"{name} {part['negatives']} in {part['window_hours']} h ({part['expected']:.1f} usual)"


def _part(part: Mapping[str, Any]) -> str:
    """Return a part with what its usual share of as many negative mentions would be, not how many are usual."""
    usual = f" ({part['expected']:.0f} by its usual share)" if part.get("expected") is not None else ""
    return f"{_short(part['value'], LONGEST_NAME)} {part['n']}{usual}"


def _usually(share: float | None) -> str:
    return "" if share is None else f" ({_percent(share)} usual)"


def _name(brand: str) -> str:
    return _short(brand, LONGEST_NAME)


def _short(words: str, most: int) -> str:
    safe = chat_safe(words)
    return safe if len(safe) <= most else f"{safe[: most - 1].rstrip()}…"


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _minute(at: str) -> str:
    moment = time_in(at)
    return f"{moment:%Y-%m-%d %H:%M}" if moment else chat_safe(at)
