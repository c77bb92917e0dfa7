"""Which brands a text names, where and how: thousands of aliases in one Aho-Corasick pass.

The pass finds every pattern anywhere; each hit is then judged by what stands around it. A name must be a
word of its own and not part of an address; a handle must not be part of an e-mail address or of a longer
account; a domain must be the host of a link or stand bare. Names split over two spaces are not found,
nor names after the first `HITS` places that look like one.
"""

import unicodedata
from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import Literal, NamedTuple

from ahocorasick_rs import AhoCorasick

from nlp.addresses import is_handle, is_hashtag, is_host, within_address
from nlp.brands import Brand
from nlp.folding import Folded, fold, is_whole, is_word_character, same_signs

MatchedAs = Literal["alias", "handle", "hashtag", "domain"]
HITS = 10_000  # of a text that are judged: a megabyte of nothing but names must not hold up a batch
_STRONGEST_FIRST = ("domain", "handle", "hashtag", "alias")  # of two hits on the same characters


class Match(NamedTuple):
    """One place where a text names a brand: text == whole_text[start:end]."""

    brand: str
    start: int
    end: int
    text: str
    matched_as: MatchedAs


class _Pattern(NamedTuple):
    """What one folded string stands for. exact: the letters as they must be written, or None if case is free."""

    brand: str
    kind: Literal["alias", "handle", "hashtag", "domain", "exclude"]
    exact: str | None = None


class Matcher:
    """Finds brands in texts. Building costs about a second for 30,000 names; a matcher never changes after."""

    def __init__(self, brands: Sequence[Brand]) -> None:
        self._patterns: dict[str, list[_Pattern]] = {}
        for brand in brands:
            self._add(brand)
        self._by_index = list(self._patterns.values())
        self._automaton = AhoCorasick(list(self._patterns), store_patterns=False) if self._patterns else None

    def matches(self, text: str) -> list[Match]:
        """Return the places where the text names a brand, in text order.

        Of overlapping names the longer counts ("Acme Air", not "Acme"); two brands that share a name both get it.
        """
        if self._automaton is None:
            return []
        folded = fold(text)
        hits = self._automaton.find_matches_as_indexes(folded.text, overlapping=True)[:HITS]
        if not hits:
            return []
        found: set[Match] = set()
        excluded: dict[str, list[tuple[int, int]]] = {}
        for index, folded_start, folded_end in hits:
            span = folded.span(folded_start, folded_end)
            if span is None:
                continue
            for pattern in self._by_index[index]:
                if not _counts(pattern, text, span, folded, (folded_start, folded_end)):
                    continue
                if pattern.kind == "exclude":
                    excluded.setdefault(pattern.brand, []).append(span)
                else:
                    found.add(Match(pattern.brand, *span, text[slice(*span)], pattern.kind))
        return _longest(_not_inside(found, excluded))

    def names_any(self, *texts: str | None) -> bool:
        """Return whether any of the texts names a brand: what decides which posts of a firehose are kept."""
        return any(map(self.matches, filter(None, texts)))

    def _add(self, brand: Brand) -> None:
        for alias in (brand.name, *brand.aliases):
            self._put(alias, _Pattern(brand.name, "alias", alias if brand.cased else None))
            for joint in ("", "_"):
                tag = "#" + joint.join(_words(alias))
                if len(tag) > 1:
                    self._put(tag, _Pattern(brand.name, "hashtag", tag if brand.cased else None))
            if not brand.handles:  # nobody told us its accounts: the one called like it is taken to be its own
                handle = "@" + "".join(_words(alias))
                if len(handle) > 1:
                    self._put(handle, _Pattern(brand.name, "handle", handle if brand.cased else None))
        for handle in brand.handles:
            account, _, server = handle.strip().removeprefix("@").partition("@")
            self._put("@" + account + ("@" + server if server else ""), _Pattern(brand.name, "handle"))
            if account and server:  # the address of the same account's page
                self._put(f"{server}/@{account}", _Pattern(brand.name, "domain"))
        for domain in brand.domains:
            host = domain.strip().casefold().removeprefix("https://").removeprefix("http://").removeprefix("www.")
            self._put(host.strip("/."), _Pattern(brand.name, "domain"))
        for phrase in brand.exclude:
            self._put(phrase, _Pattern(brand.name, "exclude"))

    def _put(self, written: str, pattern: _Pattern) -> None:
        for form in _forms(written.strip()):
            key = fold(form).text
            if key in ("", "@", "#"):
                continue
            exact = None if pattern.exact is None else same_signs(form)
            same = self._patterns.setdefault(key, [])
            if (entry := pattern._replace(exact=exact)) not in same:
                same.append(entry)


def _forms(written: str) -> Iterable[str]:
    """Return the string with accents as one character and as two, since both are found in the wild."""
    return dict.fromkeys((written, unicodedata.normalize("NFC", written), unicodedata.normalize("NFD", written)))


def _words(alias: str) -> list[str]:
    """Return the alias's words with what cannot stand in a hashtag left out."""
    return ["".join(filter(is_word_character, word)) for word in alias.split()]


def _counts(pattern: _Pattern, text: str, span: tuple[int, int], folded: Folded, folded_span: tuple[int, int]) -> bool:
    """Return whether a hit is what its pattern stands for, by letters and by what stands around it."""
    if pattern.exact is not None and same_signs(text[slice(*span)]) != pattern.exact:
        return False
    match pattern.kind:
        case "alias":
            return is_whole(folded.text, *folded_span) and not within_address(folded.text, *folded_span)
        case "exclude":
            return is_whole(folded.text, *folded_span)
        case "handle":
            return is_handle(folded.text, *folded_span)
        case "hashtag":
            return is_hashtag(folded.text, *folded_span)
        case "domain":
            return is_host(folded.text, *folded_span)


def _not_inside(found: Iterable[Match], excluded: dict[str, list[tuple[int, int]]]) -> Iterable[Match]:
    """Return the matches that do not lie within an excluded phrase of their brand."""
    starts: dict[str, list[int]] = {}
    reach: dict[str, list[int]] = {}  # the furthest end of the phrases that begin at or before each start
    for brand, spans in excluded.items():
        spans.sort()
        starts[brand] = [start for start, _ in spans]
        reach[brand] = list(accumulate((end for _, end in spans), max))
    for match in found:
        before = bisect_right(starts.get(match.brand, ()), match.start)
        if before == 0 or reach[match.brand][before - 1] < match.end:
            yield match


def _longest(found: Iterable[Match]) -> list[Match]:
    """Return matches in text order, of overlapping ones the longest, then the first; equal spans all stay."""
    taken: list[tuple[int, int]] = []  # sorted, none overlapping another
    kept: dict[tuple[int, int, str], Match] = {}
    ranked = sorted(found, key=lambda m: (m.start - m.end, m.start, m.brand, _STRONGEST_FIRST.index(m.matched_as)))
    for match in ranked:
        place = bisect_left(taken, (match.start, match.end))
        same = place < len(taken) and taken[place] == (match.start, match.end)
        free = (place == 0 or taken[place - 1][1] <= match.start) and (
            place == len(taken) or taken[place][0] >= match.end
        )
        if not same and not free:
            continue
        if not same:
            insort(taken, (match.start, match.end))
        kept.setdefault((match.start, match.end, match.brand), match)
    return sorted(kept.values(), key=lambda m: (m.start, m.end, m.brand))
