"""Plain texts of the world as the HTML each site would make of them."""

import html
import re
from collections.abc import Callable

_LINK = re.compile(r"https?://[^\s<>\"]*[^\s<>\".,!?;:)]")
# What Mastodon turns into markup: links, #hashtags, @names and @names@homes (not e-mail addresses).
_TOKEN = re.compile(rf"{_LINK.pattern}|(?<![\w@/])#(\w*[^\W\d_]\w*)|(?<![\w@.])@(\w+)(?:@([\w-]+(?:\.[\w-]+)+))?")


def paragraphs(text: str) -> str:
    """Return the text as <p> paragraphs with links, as a blog or news site writes it."""
    return "".join(f"<p>{_linked(part)}</p>" for part in text.split("\n\n"))


def forum_html(text: str) -> str:
    """Return the text as Hacker News stores it: <p> between paragraphs, &#x27; and &#x2F; entities, links shortened."""
    return "<p>".join(
        _LINK.sub(
            lambda found: _forum_link(html.unescape(found[0].replace("&#x2F;", "/"))),
            _forum_escape(part).replace("&#x2F;", "/") if "http" in part else _forum_escape(part),
        )
        for part in text.split("\n\n")
    )


def toot_html(text: str, home: str, home_of: Callable[[str], str | None]) -> str:
    """Return the text as Mastodon serves it: hidden parts of links, hashtag and mention spans.

    home: the instance that serves it. home_of: name -> the instance of its account, None if there is no such account.
    """

    def marked(found: re.Match[str]) -> str:
        if found[1]:
            address = f"https://{home}/tags/{found[1]}"
            return f'<a href="{address}" class="mention hashtag" rel="tag">#<span>{found[1]}</span></a>'
        if found[2]:
            where = found[3] or home_of(found[2])
            if where is None:
                return html.escape(found[0])
            return (
                f'<span class="h-card" translate="no"><a href="https://{where}/@{found[2]}" class="u-url mention">'
                f"@<span>{found[2]}</span></a></span>"
            )
        return _toot_link(found[0])

    return "".join(f"<p>{_split(part, marked)}</p>" for part in text.split("\n\n"))


def links(text: str) -> list[tuple[int, str]]:
    """Return the addresses in a text, each with the place where it begins."""
    return [(found.start(), found[0]) for found in _LINK.finditer(text)]


def hashtags(text: str) -> list[str]:
    """Return the hashtags of a text in lower case, each once, in order."""
    return list(dict.fromkeys(found[1].lower() for found in _TOKEN.finditer(text) if found[1]))


def names(text: str) -> list[str]:
    """Return the @names of a text without their homes, each once, in order."""
    return list(dict.fromkeys(found[2] for found in _TOKEN.finditer(text) if found[2]))


def _split(text: str, marked: Callable[[re.Match[str]], str]) -> str:
    parts, at = [], 0
    for found in _TOKEN.finditer(text):
        parts += [_escaped(text[at : found.start()]), marked(found)]
        at = found.end()
    return "".join([*parts, _escaped(text[at:])]).replace("\n", "<br />")


def _escaped(text: str) -> str:
    return html.escape(text, quote=False).replace('"', "&quot;").replace("'", "&#39;")


def _toot_link(link: str) -> str:
    scheme, rest = re.match(r"(https?://(?:www\.)?)(.*)", link).groups()  # type: ignore[union-attr]
    shown, hidden = rest[:30], rest[30:]
    kind = "ellipsis" if hidden else ""
    return (
        f'<a href="{html.escape(link)}" target="_blank" rel="nofollow noopener" translate="no">'
        f'<span class="invisible">{scheme}</span><span class="{kind}">{html.escape(shown)}</span>'
        f'<span class="invisible">{html.escape(hidden)}</span></a>'
    )


def _linked(text: str) -> str:
    escaped = html.escape(text, quote=False).replace("\n", "<br>")
    return _LINK.sub(lambda found: f'<a href="{found[0]}">{found[0]}</a>', escaped)


def _forum_escape(text: str) -> str:
    return html.escape(text, quote=False).replace("'", "&#x27;").replace('"', "&quot;").replace("/", "&#x2F;")


def _forum_link(link: str) -> str:
    shown = link if len(link) <= 60 else link[:60] + "..."
    return f'<a href="{html.escape(link)}" rel="nofollow">{html.escape(shown).replace("/", "&#x2F;")}</a>'
