"""feedparser, made to take time in proportion to a feed's length.

Two of its steps (6.0.14) take the square of it: the search for a mail address in an author's name, which a megabyte
without an @ keeps busy for hours while no other thread may run, and the list of an entry's tags, of which nobody needs
thousands. They are methods of a class that `feedparser.parse` makes itself, so the class is changed in place.
"""

from typing import Any

from feedparser import mixin, parse

__all__ = ["parse"]

LONGEST_AUTHOR = 500  # characters; what comes after is no name
MOST_TAGS = 20  # of an entry

_parser: Any = mixin._FeedParserMixin
_find_address = _parser._sync_author_detail
_add_tag = _parser._add_tag


def _find_address_in_short(self: Any, key: str = "author") -> None:
    context = self._get_context()
    if author := context.get(key):
        context[key] = author[:LONGEST_AUTHOR]
    _find_address(self, key)


def _add_one_of_few(self: Any, term: object, scheme: object, label: object) -> None:
    if len(self._get_context().setdefault("tags", [])) < MOST_TAGS:
        _add_tag(self, term, scheme, label)


_parser._sync_author_detail = _find_address_in_short
_parser._add_tag = _add_one_of_few
