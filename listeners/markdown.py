"""Markdown as a reader sees it: the text of the HTML it stands for."""

import re

from listeners.plain_text import clean, from_html

MAX_MARKDOWN = 20_000  # characters; a longer text stays as written from there: rendering "[[[[..." takes its square

_SPOILER = re.compile(r"(?m)^:::+[ \t]*(?:spoiler\b)?[ \t]*([^\n]*)$")  # a fold, whose title and text stay


def from_markdown(source: str) -> str:
    """Return what a reader sees of a text in CommonMark, cleaned; links as from_html keeps them. Raises nothing.

    HTML within it shows as it is written, as on sites that take Markdown from strangers.
    """
    from markdown_it import MarkdownIt  # here: it costs the command line's start 30 ms

    rendered = MarkdownIt("commonmark", {"html": False}).render(_SPOILER.sub(r"\n\n\1\n\n", source[:MAX_MARKDOWN]))
    return clean(from_html(rendered) + source[MAX_MARKDOWN:])
