"""Posts to mentions: RecordBatch in, RecordBatch out. The same function serves a loop, a task or any Arrow engine.

Names are sought in all of title and text; what costs more reads the first `READ` characters. Only English is
judged, and what tells no language: other posts are matched and counted, with NULL for how they speak.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa

from nlp.brands import Brand
from nlp.comparisons import with_comparisons
from nlp.languages import detect
from nlp.matcher import Match
from nlp.mention_rows import NOT_READ, READ, Post, Understood, analysed, rows
from nlp.pipeline import build, matcher_of
from nlp.signature import signatures
from warehouse.tables import MENTIONS, conform

RUN = 200  # characters without a space that are judged: tokenizing longer ones costs the square of their length
BATCH = 64

_LONG_RUN = re.compile(rf"(\S{{{RUN}}})(\S+)")


class Enricher:
    """Turns posts into mentions. Building one loads the models (seconds); it may be used for many batches."""

    def __init__(self, brands: Sequence[Brand], abouts: Mapping[str, str], nlp_version: str) -> None:
        """abouts: feed id -> name of the brand that all its posts are about."""
        self.nlp_version = nlp_version
        self._brands = {brand.name: brand for brand in brands}
        self._abouts = dict(abouts)
        self._language = build(brands)
        self._matcher = matcher_of(self._language)

    @property
    def brands(self) -> Mapping[str, Brand]:
        """The brands that are looked for, by name."""
        return self._brands

    def matches(self, text: str) -> list[Match]:
        """Return where a text names them."""
        return self._matcher.matches(text)

    def enrich(self, posts: pa.RecordBatch) -> pa.RecordBatch:
        """Return a MENTIONS batch that conforms: a row per post and brand it names, in the order of the posts.

        A post of a feed that is about a brand is a mention of it though it may not name it; a deleted post
        is none. Equal input gives equal output. Raises ContractError if a rule here is broken: a bug.
        """
        found = [post for row in posts.to_pylist() if (post := self.post(row)) is not None]
        signed = signatures([post.analysed for post in found])
        mentions = [
            mention | {"signature": signature}
            for told, signature in zip(self.mentions(found), signed, strict=True)
            for mention in told
        ]
        return conform(pa.RecordBatch.from_pylist(mentions, schema=MENTIONS), MENTIONS)

    def post(self, row: Mapping[str, Any]) -> Post | None:
        """Return what there is to read of a row of posts, or None if it is no mention of anybody."""
        if row["deleted"]:
            return None
        text, shift = analysed(row["title"], row["text"])
        matches = self._matcher.matches(text)
        about = self._abouts.get(row["feed"])
        if not matches and about is None:
            return None
        return Post(row, text, shift, matches, about, detect(text, row["language"]))

    def mentions(
        self, posts: Sequence[Post], brands: Mapping[str, Brand] | None = None
    ) -> Iterator[list[dict[str, Any]]]:
        """Yield the rows of each post, in their order. brands: by name, those of the posts, unless they are ours."""
        known = self._brands if brands is None else brands
        for post, meaning in zip(posts, self._understand(posts), strict=True):
            yield list(rows(post, meaning, known, self.nlp_version))

    def _understand(self, posts: Sequence[Post]) -> list[Understood]:
        """Return what the pipeline makes of each; posts in languages it does not know are not read."""
        read = [place for place, post in enumerate(posts) if post.language in (None, "en")]
        docs = (self._doc(posts[place]) for place in read)
        understood = [NOT_READ] * len(posts)
        for place, doc in zip(read, self._language.pipe(docs, batch_size=BATCH), strict=True):
            entities = [(e.text, e.label_, e.start_char, e.end_char) for e in doc.ents if e.label_ != "BRAND"]
            judged = with_comparisons(doc._.judged, doc._.compared)
            understood[place] = Understood(judged, doc._.switches, entities, doc._.other_sides)
        return understood

    def _doc(self, post: Post) -> Any:
        head = _head(post.analysed)
        doc = self._language.make_doc(head)
        doc._.language = post.language
        doc._.about = () if post.about is None else (post.about,)
        doc._.asked = post.asked
        doc._.brand_matches = [match for match in post.matches if match.end <= len(head)]
        return doc


def _head(text: str) -> str:
    """Return the part that is judged, cut at a space where there is one near, with all in its place."""
    space = text.rfind(" ", READ - 100, READ)
    head = text if len(text) <= READ else text[: space if space > 0 else READ]
    return _LONG_RUN.sub(lambda run: run.group(1) + " " * len(run.group(2)), head)
