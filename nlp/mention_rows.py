"""From a post and what the pipeline found in it to rows of mentions. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, NamedTuple

from nlp.aspect_spans import span_of
from nlp.brands import Brand
from nlp.certainty import FEED, certainty, judged_certainty, of_match
from nlp.judgement import Judgement
from nlp.matcher import Match
from nlp.mention_judge import WHOLE, Asked
from nlp.moves import Switch
from nlp.switching import switch_of

READ = 10_000  # characters of title and text that are judged; a brand named only after them is not judged
ENTITIES = 100  # per post at most, brands first: lists of names are no opinion
BETWEEN = "\n\n"  # parts title from text, so that no name spans both
FROM_POST = ("post_id", "version", "source", "published_at", "fetched_at")  # columns that a mention repeats


class Post(NamedTuple):
    """What is read of one post. analysed: title and text; shift: where in it the text begins.

    about: the brand it is about though it may not name it. asked: whom it is judged for, None for all of these.
    """

    row: Mapping[str, Any]
    analysed: str
    shift: int
    matches: Sequence[Match]
    about: str | None
    language: str | None
    asked: Sequence[Asked] | None = None


class Understood(NamedTuple):
    """What the pipeline found in one post; entities as (text, label, start, end) in `analysed`.

    other_sides: "from" or "to" -> a company that is none of the brands and stands on that side of a move.
    """

    judged: Mapping[str, Judgement]
    switches: Sequence[Switch]
    entities: Sequence[tuple[str, str, int, int]]
    other_sides: Mapping[str, str]


NOT_READ = Understood({}, (), (), {})


def analysed(title: str | None, text: str) -> tuple[str, int]:
    """Return title and text as they are read together, and where the text begins."""
    return (f"{title}{BETWEEN}{text}", len(title) + len(BETWEEN)) if title else (text, 0)


def rows(post: Post, meaning: Understood, brands: Mapping[str, Brand], nlp_version: str) -> Iterator[dict[str, Any]]:
    """Yield a row per brand that the post names or is about; one, without a brand, where the whole was asked for."""
    entities = _entities(post, meaning)
    common = {
        **{column: post.row[column] for column in FROM_POST},
        "entities": entities,
        "language": post.language,
        "nlp_version": nlp_version,
    }
    by_brand: dict[str, list[Match]] = {}
    for match in post.matches:
        by_brand.setdefault(match.brand, []).append(match)
    if post.about is not None:
        by_brand.setdefault(post.about, [])
    for name, matches in by_brand.items():
        brand = brands[name]
        best = max(matches, key=lambda m: of_match(brand, m, post.analysed), default=None)  # the first of equals
        judgement = meaning.judged.get(name)
        by_rule = certainty(brand, matches, post.analysed, beside=len(by_brand) > 1) if matches else FEED
        yield {
            **common,
            "brand": name,
            "matched_text": best.text if best else None,
            "matched_as": "feed" if name == post.about or best is None else best.matched_as,
            "certainty": FEED if name == post.about else judged_certainty(by_rule, best, judgement),
            **_told(post, judgement, best),
            **switch_of(name, meaning.judged, meaning.switches, meaning.other_sides)._asdict(),
        }
    if post.asked is not None and any(one.brand == WHOLE for one in post.asked):
        yield {**common, "brand": None, **_told(post, meaning.judged.get(WHOLE), None)}


def _told(post: Post, judgement: Judgement | None, match: Match | None) -> dict[str, Any]:
    """Return the columns that the model answers."""
    if judgement is None:
        return {"experience": "unknown", "stage": "unknown"}
    near = (match.start - post.shift, match.end - post.shift) if match and match.start >= post.shift else None
    text = post.analysed[post.shift :][:READ]
    aspects = []
    for aspect, sentiment in judgement.aspects.items():
        start, end = span_of(aspect, text, near)
        aspects.append({"aspect": aspect, "sentiment": sentiment, "start": start, "end": end})
    return {
        "p_negative": judgement.p_negative,
        "p_neutral": judgement.p_neutral,
        "p_positive": judgement.p_positive,
        "sentiment": judgement.sentiment,
        "emotion": judgement.emotion,
        "experience": judgement.experience,
        "intents": list(judgement.intents),
        "stage": judgement.stage,
        "staff": judgement.staff,
        "aspects": aspects,
    }


def _entities(post: Post, meaning: Understood) -> list[dict[str, Any]]:
    """Return brands, exactly as written, and other entities, both in the text only, in its order."""
    brands = [(m.text, "BRAND", m.start, m.end) for m in _one_a_span(post.matches)]
    inside = [entity for entity in (*brands, *meaning.entities) if entity[2] >= post.shift][:ENTITIES]
    return [
        {"text": text, "label": label, "start": start - post.shift, "end": end - post.shift}
        for text, label, start, end in sorted(inside, key=lambda entity: entity[2:])
    ]


def _one_a_span(matches: Iterable[Match]) -> Iterable[Match]:
    return (next(same) for _, same in groupby(matches, key=lambda match: (match.start, match.end)))
