"""How a text speaks of each brand it names.

Every word has weights against and for; what counts for a brand is the words of the clauses that are about
it, plus what the sentence says by its form (relations.py). One brand alone in a text gets nearly all of
it; among several each gets its own clauses, and a clause that names none belongs to the last one named.
The rules know no grammar beyond this: whose mood it is and whether a quote is shared stay unseen.
"""

import math
from bisect import bisect_right
from collections.abc import Collection, Sequence
from itertools import pairwise
from typing import NamedTuple

from nlp.opinion.kinds import CONTRASTS, IRONY, JOINTS, MENDED, PRAISE, TURNS
from nlp.opinion.lexicon import Feature, Lexicon, Weight, shipped
from nlp.opinion.relations import Move, Relation, Status, relations
from nlp.opinion.words import Word, words

FULL = 25.0  # words after which each further one counts clearly less: long texts are not more certain
CONCEDED, STRESSED = 0.6, 1.2  # a clause before and after "but"
SHARED = 0.8  # a clause that names several brands
CARRIED, CARRIED_LEAST = 0.75, 0.2  # per clause since the brand was last named, among several brands
FAR, FAR_LEAST = 0.93, 0.35  # per sentence between a clause and the only brand's name
BESIDE_RELATION = 0.3  # other words of a sentence that compares two brands
UNLIKE = 1.2  # for the others, where one is set apart: "unlike Acme, Globex ..."


class Opinion(NamedTuple):
    """How a writer speaks of a brand: three probabilities that sum to 1, and the most probable side."""

    p_negative: float
    p_neutral: float
    p_positive: float

    @property
    def sentiment(self) -> int:
        """-1 against, 0 neither, 1 for."""
        return max((self.p_neutral, 0), (self.p_negative, -1), (self.p_positive, 1))[1]


class Switch(NamedTuple):
    """A move between two brands, by name; None where a side is unnamed."""

    from_: str | None
    to: str | None
    status: Status


class Name(NamedTuple):
    """Where a text names a brand, or several that share a name."""

    start: int
    end: int
    brands: frozenset[str]


class Judgement(NamedTuple):
    """Opinions by brand, and the moves between brands in text order."""

    opinions: dict[str, Opinion]
    switches: list[Switch]


class _Clause(NamedTuple):
    first: int  # token
    last: int  # token after the last
    sentence: int
    brands: frozenset[str]
    conceded: bool
    stressed: bool


def damping(count: float) -> float:
    """Return by how much each of so many words counts."""
    return math.sqrt(FULL / (FULL + count))


def judge(text: str, names: Sequence[Name], about: Collection[str] = ()) -> Judgement:
    """Return how the text speaks of every brand named, and of those it is `about` though it may not name them.

    names: in text order, not overlapping.
    """
    lexicon = shipped()
    tokens = words(text, [(name.start, name.end) for name in names])
    tags = _closing_tags(text, tokens)
    sentences = _sentences(tokens, tags)
    clauses = [clause for number, span in enumerate(sentences) for clause in _clauses(tokens, span, number, names)]
    clauses = _without_tags(clauses, tags)
    told: list[tuple[int, int, Relation]] = []  # with tokens in place of characters
    switches: list[Switch] = []
    for first, last in sentences:
        found, moves = _relations(tokens, first, last)
        told += found
        switches += [switch for move in moves for switch in _named(move, names)]
    features = _weighed(tokens, clauses, lexicon)
    brands = dict.fromkeys([brand for name in names for brand in sorted(name.brands)] + sorted(about))
    opinions: dict[str, Opinion] = {}
    for brand in brands:
        scope = _scope(brand, clauses, len(brands) > 1, len(tokens), brand in about)
        against, for_ = 0.0, 0.0
        for first, last, relation in told:
            concerned = {b for effect in relation.effects for b in names[effect.brand].brands}
            if relation.opposite is not None and brand not in names[relation.opposite].brands:
                around = _sentence_of(sentences, first)
                for_ += UNLIKE if any(brand in c.brands and _within(c, around) for c in clauses) else 0.0
            if brand in concerned or not concerned:
                scope[first:last] = [0.0] * (last - first)
            if brand in concerned and len(concerned) > 1:
                _quieten(scope, _sentence_of(sentences, first))
            for effect in relation.effects:
                if brand in names[effect.brand].brands:
                    against += effect.against - 0.5 * effect.for_
                    for_ += effect.for_ - 0.5 * effect.against
        opinions[brand] = _opinion(features, scope, Weight(against, for_), lexicon)
    for first, _, relation in told:
        if relation.opposite is not None:
            apart = names[relation.opposite].brands
            around = _sentence_of(sentences, first)
            others = [b for clause in clauses if _within(clause, around) for b in sorted(clause.brands - apart)]
            opinions |= {brand: _opposite(opinions[others[0]]) for brand in apart if others}
    return Judgement(opinions, switches)


def _weighed(tokens: Sequence[Word], clauses: Sequence[_Clause], lexicon: Lexicon) -> list[tuple[Feature, Weight]]:
    """Return the text's features with what they say here, irony turned round."""
    features = [(feature, _strengthened(lexicon.weight(feature), feature)) for feature in lexicon.features(tokens)]
    if any(token.form in IRONY for token in tokens):
        return [(f, Weight(w.for_ + 0.5, 0.0) if w.for_ > w.against else w) for f, w in features]
    for clause in clauses:
        inside = [(i, f, w) for i, (f, w) in enumerate(features) if clause.first <= f.first < clause.last]
        events = [f.first for _, f, _ in inside if f.event]
        mended = any(token.form.startswith(MENDED) for token in tokens[clause.first : clause.last])
        if not events or mended:
            continue
        for place, feature, weight in inside:
            if feature.name in PRAISE and feature.first < events[-1] and weight.for_ > 0:
                features[place] = (feature, Weight(0.6 * weight.for_, 0.0))
    return features


def _strengthened(weight: Weight, feature: Feature) -> Weight:
    return Weight(weight.against * feature.strength, weight.for_ * feature.strength)


def _scope(brand: str, clauses: Sequence[_Clause], several: bool, count: int, about: bool) -> list[float]:
    """Return by how much each token counts for the brand."""
    scope = [0.0] * count
    named_in = [clause.sentence for clause in clauses if brand in clause.brands]
    owners: frozenset[str] = frozenset()
    since = 0
    upcoming = next((clause.brands for clause in clauses if clause.brands), frozenset())
    for clause in clauses:
        if clause.brands:
            owners, since = clause.brands, 0
        else:
            since += 1
        if not several:
            distance = min((abs(clause.sentence - place) for place in named_in), default=0)
            weight = max(FAR**distance, FAR_LEAST)
        elif clause.brands:
            weight = 0.0 if brand not in clause.brands else SHARED if len(clause.brands) > 1 else 1.0
        else:
            carried = owners or upcoming
            weight = max(CARRIED**since, CARRIED_LEAST) if brand in carried or (about and not carried) else 0.0
        if about and not clause.brands:
            weight = max(weight, 0.6)
        weight *= CONCEDED if clause.conceded else STRESSED if clause.stressed else 1.0
        for place in range(clause.first, clause.last):
            scope[place] = weight
    return scope


def _opinion(
    features: Sequence[tuple[Feature, Weight]], scope: Sequence[float], form: Weight, lexicon: Lexicon
) -> Opinion:
    """Return what the words in scope and the sentence's form say together."""
    scale = damping(sum(scope))
    against, for_ = lexicon.bias.against + form.against, lexicon.bias.for_ + form.for_
    for feature, weight in features:
        counts = min(scope[feature.first], scope[feature.last]) * scale
        against += counts * weight.against
        for_ += counts * weight.for_
    highest = max(against, for_, 0.0)
    parts = [math.exp(against - highest), math.exp(-highest), math.exp(for_ - highest)]
    return Opinion(*(part / sum(parts) for part in parts))


def _opposite(opinion: Opinion) -> Opinion:
    """Return what "unlike Acme, ..." says of Acme, given what it says of the other: a little against it anyway."""
    against, for_ = opinion.p_positive + 0.5 * opinion.p_neutral, opinion.p_negative
    return Opinion(against, 1 - against - for_, for_)


def _relations(tokens: Sequence[Word], first: int, last: int) -> tuple[list[tuple[int, int, Relation]], list[Move]]:
    if not any(token.kind == "brand" for token in tokens[first:last]):
        return [], []
    parts: list[str] = []
    starts: list[int] = []
    length = 0
    for token in tokens[first:last]:
        part = f"<{token.brand}>" if token.kind == "brand" else token.form.replace(" ", "_") or "_"
        starts.append(length)
        parts.append(part)
        length += len(part) + 1
    found, moves = relations(" ".join(parts))
    placed = [
        (first + bisect_right(starts, r.start) - 1, first + bisect_right(starts, max(r.start, r.end - 1)), r)
        for r in found
    ]
    return placed, moves


def _named(move: Move, names: Sequence[Name]) -> list[Switch]:
    from_ = None if move.from_ is None else min(names[move.from_].brands)
    to = None if move.to is None else min(names[move.to].brands)
    return [] if from_ == to else [Switch(from_, to, move.status)]


def _sentences(tokens: Sequence[Word], tags: int) -> list[tuple[int, int]]:
    """Return spans of tokens; a stop belongs to the sentence it ends, and closing tags (from there on) are one."""
    spans: list[tuple[int, int]] = []
    first = 0
    for place, token in enumerate(tokens):
        if place == tags and first < place:
            spans.append((first, place))
            first = place
        if place < tags and token.kind == "stop" and token.form[0] in ".!?…\n":
            spans.append((first, place + 1))
            first = place + 1
    return [*spans, (first, len(tokens))] if first < len(tokens) else spans


def _closing_tags(text: str, tokens: Sequence[Word]) -> int:
    """Return the first token of the tags and links that close a text; the number of tokens if none do."""
    first = len(tokens)
    while first and (text[tokens[first - 1].start] == "#" or tokens[first - 1].form in ("\n", "<link>")):
        first -= 1
    return first


def _without_tags(clauses: Sequence[_Clause], tags: int) -> list[_Clause]:
    """Return the clauses such that a closing tag claims words only for a brand that is named nowhere else."""
    named = frozenset(brand for clause in clauses if clause.first < tags for brand in clause.brands)
    return [c if c.first < tags else c._replace(brands=c.brands - named) for c in clauses]


def _clauses(tokens: Sequence[Word], sentence: tuple[int, int], number: int, names: Sequence[Name]) -> list[_Clause]:
    first, last = sentence
    cuts = [first]
    contrasts: set[int] = set()
    for place in range(first, last):
        token = tokens[place]
        if token.form in CONTRASTS and place > first:
            cuts.append(place)
            contrasts.add(place)
        elif token.kind == "stop" and place + 1 < last:
            cuts.append(place + 1)
        elif token.form in JOINTS and _parts(tokens, cuts[-1], place, last):
            cuts.append(place)
    cuts.append(last)
    clauses: list[_Clause] = []
    for start, end in pairwise(cuts):
        if start < end:
            brands = frozenset(b for t in tokens[start:end] if t.brand is not None for b in names[t.brand].brands)
            conceded = end in contrasts and tokens[end].form in TURNS
            stressed = start in contrasts and tokens[start].form in TURNS
            clauses.append(_Clause(start, end, number, brands, conceded, stressed))
    return clauses


def _parts(tokens: Sequence[Word], first: int, place: int, last: int) -> bool:
    """Return whether a comma or an "and" parts two clauses about different brands, not two brands of one list."""
    before = [i for i in range(first, place) if tokens[i].kind == "brand"]
    after = [i for i in range(place + 1, last) if tokens[i].kind == "brand"]
    if not before or not after:
        return False
    touching = before[-1] == place - 1 and after[0] <= place + 2
    if tokens[place].form == ",":  # "Acme, Globex and Initech" is a list, "love Acme, Globex is worse" is not
        following = tokens[after[0] + 1].form if after[0] + 1 < last else ""
        return not (touching and following in (",", "and", "or", "&"))
    return not touching


def _sentence_of(sentences: Sequence[tuple[int, int]], place: int) -> tuple[int, int]:
    return next(span for span in sentences if span[0] <= place < span[1])


def _within(clause: _Clause, sentence: tuple[int, int]) -> bool:
    return sentence[0] <= clause.first < sentence[1]


def _quieten(scope: list[float], sentence: tuple[int, int]) -> None:
    for place in range(*sentence):
        scope[place] *= BESIDE_RELATION
