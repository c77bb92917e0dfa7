"""What an alert of another kind than a negative spike says; words of others are made safe for every channel."""

from collections.abc import Callable, Mapping
from typing import Any

from dags.plain_words import chat_safe

Evidence = Mapping[str, Any]
SHOWN = 5  # feeds, competitors
_HEADLINES = {
    "recovery": "a complaint is worth an answer",
    "praise": "praise is spiking",
    "competitor": "negative word of mouth about a competitor is spiking",
    "silent_feed": "silent feeds",
    "rising_aspect": "complaints are on the rise",
    "rising_phrase": "complaints come in new words",
}
_NAMED = {"competitor", "silent_feed", "rising_phrase"}  # kinds whose members are names
_SAID = {
    "opened": "{}",
    "grew": "{}, and there is more of it",
    "reopened": "{}, and there is more of it",
    "resolved": "over: {}",
    "dismissed": "that was none: {}",
}


def headline(kind: str, what: str) -> str | None:
    """Return what a message about an event is headed; None for negative spikes, and events that are about telling."""
    if kind not in _HEADLINES or what not in _SAID:
        return None
    return _SAID[what].format(_HEADLINES[kind])


def named(kind: str, evidence: Evidence) -> list[str]:
    """Return the names of what is noticed, as others wrote them: feeds, competitors, phrases; empty for other kinds."""
    return list(evidence.get("members") or ()) if kind in _NAMED else []


def lines(kind: str, evidence: Evidence) -> list[str]:
    """Return what was noticed, a line each; nothing where the parts that grew say all."""
    return _LINES[kind](evidence) if kind in _LINES and _is_whole(evidence) else []


def _is_whole(evidence: Evidence) -> bool:
    return "members" in evidence  # that it is over is said without figures


def _recovery(evidence: Evidence) -> list[str]:
    why = []
    if evidence["is_heard"]:
        why.append(f"its author reaches {evidence['followers']:,} followers or viewers")
    if evidence["complaints"] > 1:
        why.append(f"it is the author's complaint number {evidence['complaints']} in 30 days")
    return [f"Nobody has answered yet, and {' and '.join(why)}."]


def _praise(evidence: Evidence) -> list[str]:
    return [
        f"{evidence['positives']} mentions for the brand in {evidence['window_hours']} h; "
        f"{evidence['usual_positives']:.1f} would be usual.",
        f"{100 * evidence['positive_share']:.0f} % of what is said is positive, where "
        f"{100 * evidence['usual_positive_share']:.0f} % is usual.",
    ]


def _competitor(evidence: Evidence) -> list[str]:
    return [
        f"{chat_safe(one['competitor'])}: {one['negatives']} negative mentions in {one['window_hours']} h; "
        f"{one['expected']:.1f} would be usual."
        for one in evidence["competitors"][:SHOWN]
    ]


def _silent_feed(evidence: Evidence) -> list[str]:
    found = []
    for one in evidence["feeds"][:SHOWN]:
        since = one["since"][:16].replace("T", " ")
        what = "it answers, and has nothing new"
        if one["error"]:
            said = one["error"].removeprefix(one["feed"] + ": ")
            what = f"no answer: {chat_safe(said)[:200]}"
        elif one["usual_posts_per_day"]:
            what += f", where {one['usual_posts_per_day']:.1f} posts a day are usual"
        found.append(f"{chat_safe(one['feed'])} ({chat_safe(one['source'])}), since {since} UTC: {what}.")
    if more := len(evidence["feeds"]) - SHOWN:
        found += [f"And {more} more: wom feeds"] if more > 0 else []
    return [*found, "Silence is no peace if nobody listens."]


_LINES: dict[str, Callable[[Evidence], list[str]]] = {
    "recovery": _recovery,
    "praise": _praise,
    "competitor": _competitor,
    "silent_feed": _silent_feed,
}
