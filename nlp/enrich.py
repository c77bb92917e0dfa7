"""Posts to mentions: RecordBatch in, RecordBatch out. The same function serves a loop, a task or any Arrow engine.

Names are sought in all of title and text; what costs more reads the first `READ` characters. Only English is
judged, and what tells no language: other posts are matched and counted, with NULL for how they speak. These rules
make no emotion, intents, stage, experience, staff, aspects and signature: they are NULL or "unknown".
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any, NamedTuple

import pyarrow as pa

from nlp.brands import Brand
from nlp.certainty import FEED, certainty, of_match
from nlp.languages import detect
from nlp.matcher import Match
from nlp.opinion.judge import Opinion, Switch
from nlp.pipeline import build, matcher_of
from warehouse.tables import MENTIONS, conform

READ = 10_000  # characters of title and text that are judged; a brand named only after them is not judged
ENTITIES = 100  # per post at most, brands first: lists of names are no opinion
RUN = 200  # characters without a space that are judged: tokenizing longer ones costs the square of their length
BETWEEN = "\n\n"  # parts title from text, so that no name spans both
BATCH = 64
FROM_POST = ("post_id", "version", "source", "published_at", "fetched_at")  # columns that a mention repeats


class Post(NamedTuple):
    """What is read of one post. analysed: title and text; shift: where in it the text begins."""

    row: Mapping[str, Any]
    analysed: str
    shift: int
    matches: list[Match]
    about: str | None
    language: str | None


class Understood(NamedTuple):
    """What the pipeline found in one post; entities as (text, label, start, end) in `analysed`."""

    opinions: Mapping[str, Opinion]
    switches: Sequence[Switch]
    entities: Sequence[tuple[str, str, int, int]]


_LONG_RUN = re.compile(rf"(\S{{{RUN}}})(\S+)")
NOT_READ = Understood({}, (), ())


class Enricher:
    """Turns posts into mentions. Building one loads the spaCy model (seconds); it may be used for many batches."""

    def __init__(self, brands: Sequence[Brand], abouts: Mapping[str, str], nlp_version: str) -> None:
        """abouts: feed id -> name of the brand that all its posts are about."""
        self.nlp_version = nlp_version
        self._brands = {brand.name: brand for brand in brands}
        self._abouts = dict(abouts)
        self._language = build(brands)
        self._matcher = matcher_of(self._language)

    def enrich(self, posts: pa.RecordBatch) -> pa.RecordBatch:
        """Return a MENTIONS batch that conforms: a row per post and brand it names, in the order of the posts.

        A post of a feed that is about a brand is a mention of it though it may not name it; a deleted post
        is none. Equal input gives equal output. Raises ContractError if a rule here is broken: a bug.
        """
        found = [post for row in posts.to_pylist() if (post := self._post(row)) is not None]
        understood = self._understand(found)
        rows = [
            mention for post, meaning in zip(found, understood, strict=True) for mention in self._rows(post, meaning)
        ]
        return conform(pa.RecordBatch.from_pylist(rows, schema=MENTIONS), MENTIONS)

    def _post(self, row: Mapping[str, Any]) -> Post | None:
        """Return what there is to read, or None if the post is no mention of anybody."""
        if row["deleted"]:
            return None
        title = row["title"] or ""
        shift = len(title) + len(BETWEEN) if title else 0
        analysed = f"{title}{BETWEEN}{row['text']}" if title else row["text"]
        matches = self._matcher.matches(analysed)
        about = self._abouts.get(row["feed"])
        if not matches and about is None:
            return None
        return Post(row, analysed, shift, matches, about, detect(analysed, row["language"]))

    def _understand(self, posts: Sequence[Post]) -> list[Understood]:
        """Return what the pipeline makes of each; posts in languages it does not know are not read."""
        read = [place for place, post in enumerate(posts) if post.language in (None, "en")]
        docs = (self._doc(posts[place]) for place in read)
        understood = [NOT_READ] * len(posts)
        for place, doc in zip(read, self._language.pipe(docs, batch_size=BATCH), strict=True):
            entities = [(e.text, e.label_, e.start_char, e.end_char) for e in doc.ents if e.label_ != "BRAND"]
            understood[place] = Understood(doc._.opinions, doc._.switches, entities)
        return understood

    def _doc(self, post: Post) -> Any:
        doc = self._language.make_doc(_head(post.analysed))
        doc._.about = () if post.about is None else (post.about,)
        return doc

    def _rows(self, post: Post, meaning: Understood) -> Iterable[dict[str, Any]]:
        entities = _entities(post, meaning)
        by_brand: dict[str, list[Match]] = {}
        for match in post.matches:
            by_brand.setdefault(match.brand, []).append(match)
        if post.about is not None:
            by_brand.setdefault(post.about, [])
        for name, matches in by_brand.items():
            brand = self._brands[name]
            best = max(matches, key=lambda m: of_match(brand, m, post.analysed), default=None)  # the first of equals
            opinion = meaning.opinions.get(name)
            switch = next((s for s in meaning.switches if name in (s.from_, s.to)), None)
            yield {
                **{column: post.row[column] for column in FROM_POST},
                "brand": name,
                "matched_text": best.text if best else None,
                "matched_as": "feed" if name == post.about or best is None else best.matched_as,
                "certainty": FEED
                if name == post.about
                else certainty(brand, matches, post.analysed, beside=len(by_brand) > 1),
                "p_negative": opinion.p_negative if opinion else None,
                "p_neutral": opinion.p_neutral if opinion else None,
                "p_positive": opinion.p_positive if opinion else None,
                "sentiment": opinion.sentiment if opinion else None,
                "experience": "unknown",
                "switched_from": switch.from_ if switch else None,
                "switched_to": switch.to if switch else None,
                "switch_status": switch.status if switch else None,
                "stage": "unknown",
                "entities": entities,
                "language": post.language,
                "nlp_version": self.nlp_version,
            }


def _head(text: str) -> str:
    """Return the part that is judged, cut at a space where there is one near, with all in its place."""
    space = text.rfind(" ", READ - 100, READ)
    head = text if len(text) <= READ else text[: space if space > 0 else READ]
    return _LONG_RUN.sub(lambda run: run.group(1) + " " * len(run.group(2)), head)


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
