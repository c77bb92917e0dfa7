"""What `wom` shows of what people ask, and of what they put right."""

import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dags.cli_output import Row, counts, notes, percent, print_json, say, show, signed
from dags.sparkline import sparkline

if TYPE_CHECKING:
    from dags.correcting import Corrected

_SIDES = {-1: "negative", 0: "neutral", 1: "positive"}


def show_brands(rows: Sequence[Row], *, as_json: bool, days: int) -> None:
    """Print a line per brand: what a data team would look at first."""
    if as_json:
        print_json(rows)
        return
    shown = [
        {
            "brand": row["brand"],
            "mentions": row["n"],
            "net sentiment (95 %)": signed(row["net_sentiment"], row["net_sentiment_low"], row["net_sentiment_high"]),
            "share of voice": percent(row["share_of_voice"]),
            "alerts": row["open_alerts"] or None,
            "mentions a day": sparkline(row["n_by_day"] or []),
        }
        for row in rows
    ]
    show(shown, list(shown[0]) if shown else ["brand"], as_json=False, title=f"Word of mouse, last {days} days")


def show_days(rows: Sequence[Row], *, as_json: bool, brand: str) -> None:
    """Print a brand's days, the oldest first."""
    if as_json:
        print_json(rows)
        return
    top = max((row["n"] for row in rows), default=0) or 1
    shown = [
        {
            "day": f"{row['period']:%a %Y-%m-%d}",
            "mentions": row["n"],
            "+": row["positives"],
            "-": row["negatives"],
            "net_sentiment": signed(row["net_sentiment"], row["net_sentiment_low"], row["net_sentiment_high"]),
            "": "█" * round(20 * row["n"] / top),
        }
        for row in rows
    ]
    show(shown, list(shown[0]) if shown else ["day"], as_json=False, title=f"{brand} by day (UTC)")


def show_feeds(rows: Sequence[Row], *, as_json: bool) -> None:
    """Print how well each feed is heard."""
    if as_json:
        print_json(rows)
        return
    noted = any(row["notes_7d"] for row in rows)
    shown = [
        {
            "feed": row["feed"],
            "source": row["source"],
            "last success": row["last_success_at"],
            "visits in 7 days": counts(row["outcomes_7d"].items()),
            "posts a day": row["posts_per_day"],
            "usual": row["usual_posts_per_day"],
            "rejects": row["rejects_7d"] or None,
            **({"notes": notes(row["notes_7d"].items())} if noted else {}),
            "next visit": row["next_visit_at"],
            "what is the matter": _matter(row),
        }
        for row in rows
    ]
    show(shown, list(shown[0]) if shown else ["feed"], as_json=False, title="Feeds (times are UTC)")


def show_figures(figures: Sequence[Row], lines: Callable[[Sequence[Row]], Iterable[str]], *, as_json: bool) -> None:
    """Print how good the mention model is; lines: how it reads to people, plain, so that columns stay in line."""
    if as_json:
        print_json(figures)
    else:
        print("\n".join(lines(figures)))


def show_corrected(made: "Corrected") -> None:
    """Print what was said of a mention."""
    for said in made.said:
        now = "what nlp finds" if made.is_undone else _words(said.label, said.now)
        say(f"{said.label} of {made.brand} in {made.post_id}: {_words(said.label, said.before)} -> {now}")


def show_corrections(rows: Sequence[Row], *, as_json: bool) -> None:
    """Print what people put right and still holds, the oldest first."""
    told = [{**row, "value": json.loads(row["value"])} for row in rows]
    if as_json:
        print_json(told)
        return
    if not rows:
        say("Nothing was corrected.")
        return
    shown = [{**row, "value": _words(row["column"], row["value"])} for row in told]
    show(shown, ["post_id", "brand", "column", "value", "by", "at", "note"], as_json=False)


def show_written(lines: int, path: Path, *, as_json: bool) -> None:
    """Print what was exported."""
    if as_json:
        print_json({"file": path, "lines": lines})
        return
    say(f"{lines} corrected mentions written to {path}")


def show_exported(rows: int, files: Sequence[Path], *, as_json: bool) -> None:
    """Print where the rows of an answer went."""
    if as_json:
        print_json({"rows": rows, "files": files})
        return
    say(f"{rows} rows written to {' and '.join(map(str, files))}")


def _matter(row: Row) -> str | None:
    """Return what went wrong with a feed, or why it is visited late; of a dead one, both."""
    if row["is_dead"]:
        return f"{row['waiting_for']}: {row['last_error']}"
    return row["last_error"] or row["waiting_for"]


def _words(label: str, value: Any) -> str:
    """Return a label's value in the words that `wom correct` takes."""
    match label, value:
        case "sentiment" | "emotion" | "intents" | "aspects", None:
            return "not judged"
        case _, None | []:
            return "none"
        case "sentiment", side:
            return _SIDES.get(side, str(side))
        case "aspects", found:
            return ",".join(f"{one['aspect']}:{_SIDES.get(one['sentiment'], one['sentiment'])}" for one in found)
        case "intents", found:
            return ",".join(found)
        case "certainty", share:
            return f"{share:.2g}"
    return str(value)
