"""Texts that try to be more than words, and an alert that is full of them."""

from itertools import cycle
from typing import Any

from hypothesis import strategies as st

COMMANDS = (
    "<!channel>", "<!here|x>", "&lt;!channel&gt;", "@everyone", "@here", "<@U024BE7LH>", "<#C1>", "<@&1>", "@**all**",
    "@room", "<at>all</at>", "[click](javascript:alert(1))", "![x](https://evil.example/x.png)", "**bold**", "__b__",
    "`code`", "```\nblock\n```", "||spoiler||", "~~struck~~", "# heading", "> quote", "- item", "www.evil.example",
    "https://evil.example/a", "evil.example/x", ":tada:", "$$x^2$$", "&#64;everyone", "&copy;", "\\*", "<b>",
    "<script>", "</style><script>alert(1)</script>", '" onmouseover="alert(1)', "' x='", "<svg/onload=alert(1)>",
    "</title>", "<!--", "\r\nBcc: all@evil.example", "\n\n", "\u2028", "\x00", "\x1b[31m", "\x07", "\u202egnp.exe",
    "\u2066x\u2069", "\u200b", "\ufeff", "\U000e0041", "javascript:alert(1)", "mailto:x@evil.example", "مرحبا",
    "👩\u200d👧",
)  # fmt: skip
HIDDEN = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}  # categories of signs that turn, hide or break a line
JOINERS = {"\u200c", "\u200d"}

texts = st.lists(st.sampled_from(COMMANDS) | st.text(max_size=8), min_size=1, max_size=5).map("".join)
addresses = st.none() | texts | texts.map("https://posts.example/{}".format) | texts.map("http://{}/".format)


def evidence_of(words: list[str], address: str | None) -> dict[str, Any]:
    """Return evidence that has every key, with these words wherever others have a say."""
    word = cycle(words).__next__
    at = "2026-11-20T10:00:00+00:00"
    part = {"value": word(), "n": 9, "expected": 1.5, "usual_n": 1, "z": 4.0}
    quote = {"text": word(), "url": address, "source": word()}
    return {
        "since": at, "until": at, "evidence_since": at, "window_hours": 3, "negatives": 14, "expected": 1.25,
        "mentions": 20, "share": 0.7, "expected_share": 0.2, "score": 6.0, "peak_negatives": 14, "severity": "page",
        "about": {"aspects": [word()], "sources": [word()]},
        "series": [{"aspect": word(), "source": None, "window_hours": 3, "negatives": 9, "expected": 1.5, "score": 6},
                   {"aspect": None, "source": word(), "window_hours": 1, "negatives": 5, "expected": 0.5, "score": 4}],
        "hours": [{"hour": at, "negatives": 3, "expected": 1.0}, {"hour": at, "negatives": None, "expected": None}],
        "aspects": [part], "sources": [{**part, "value": word()}], "phrases": [{**part, "value": word()}],
        "stories": [{**part, **quote, "authors": 2, "first_at": at}],
        "experience": {"first_hand": 0.5, "second_hand": 0.25, "opinion": 0.25, "unknown": 0.0,
                       "usual_first_hand": 0.6, "usual_second_hand": None},
        "new_authors_share": 0.8, "usual_new_authors_share": 0.5, "reach": {"people": 1234, "unknown_share": 0.1},
        "quotes": [{**quote, "text": word(), "published_at": at, "author": word()}],
        "firestorm": {"score": 61.8, "parts": {"size": 0.92, "growth": None}, "reason": word()},
        "similar": [{"alert_id": word(), "since": at, "ended_at": at, "ended": "resolved", "ended_by": word(),
                     "note": word(), "negatives": 9, "expected": 1.0, "firestorm": None, "aspects": [word()]}],
        "sql": word(), "note": word(), "reason": word(), "reasons": {"sources": word(), "reach": word()},
    }  # fmt: skip
