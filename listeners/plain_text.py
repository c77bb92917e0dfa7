"""Text as a reader sees it, from HTML or from whatever a source calls text.

Entities are decoded, tags dropped, scripts and styles with them; blocks and <br> end a line. Links are kept, since a
link to a brand's site names the brand: "text (https://...)", or the address alone where it is what the reader sees.
Links of @mentions and #hashtags keep just their text. Nothing here raises, whatever the string.
"""

import functools
import html
import re
import unicodedata
from typing import TYPE_CHECKING
from urllib.parse import urljoin

if TYPE_CHECKING:
    from selectolax.lexbor import LexborNode

MAX_HTML = 1_000_000  # characters; the rest of a longer one is not read
MAX_DEPTH = 500  # open elements; browsers stop at 512, and the parser's time grows with the square of the depth
MAX_MARKS = 30  # combining marks on one character (UAX 15, Stream-Safe); normalising longer runs takes forever

_DROPPED = frozenset(
    {
        "head",
        "iframe",
        "math",
        "noscript",
        "object",
        "script",
        "select",
        "style",
        "svg",
        "template",
        "textarea",
        "title",
    }
)
_BLOCKS = frozenset(
    """
    address article aside blockquote body caption center dd details dialog div dl dt fieldset figcaption figure footer
    form h1 h2 h3 h4 h5 h6 header hgroup hr li main menu nav ol p pre section summary table tbody tfoot thead tr ul
    """.split()  # noqa: SIM905 forty words read better than forty lines
)
# Elements whose end tag may be left out, or that have none: writers leave them open by the hundred, to no depth
_OPEN_ENDED = frozenset(
    """
    area base br col colgroup dd dt embed hr img input li link meta option p param source tbody td tfoot th thead tr
    track wbr
    """.split()  # noqa: SIM905
)
# Possessive (*+): what an open "<aaaa..." has taken is not given back, which would cost the square of its length
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*+)[^<>]*+>")
_ANY_TAG = re.compile(r"<[a-zA-Z/!?][^<>]*>")
_NAMES_SOMEBODY = re.compile(r"[@#][\d_.@-]*+[^\W\d_][\w.@-]*+")  # "@acme", "#acme"; not "#12", a number
_WHITE = re.compile(r"\s+")
_EDGE = "\x1e"  # where a block starts or ends: however many meet there, they end one line
_EDGES = re.compile(f"[ {_EDGE}]*{_EDGE}[ {_EDGE}]*")
_AFTER_LINK = "\x1d"  # a blank goes there if a word follows at once, which would run into the address
_RUN_IN = re.compile(f"{_AFTER_LINK}(?=\\w)")
_SCHEME = re.compile(r"(?i)https?://(?:www\.)?")
_ANY_SCHEME = re.compile(r"(?i)[a-z][a-z0-9+.-]*:")
_EMOJI_CLASS = re.compile(r"emoji|smiley")

# Invisible and good for nothing here: controls, soft hyphen, zero-width space, word joiner, BOM, direction overrides.
# The joiners U+200C and U+200D stay: scripts and emoji need them.
_INVISIBLE = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\xad\u200b\u2060\ufeff\u202a-\u202e\u2066-\u2069]")
_LINE_ENDS = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
_BLANKS = re.compile(r"[^\S\n]+")
_LINE_EDGES = re.compile(r" ?\n ?")
_BLANK_LINES = re.compile(r"\n{3,}")


def clean(text: str) -> str:
    """Return the text as it may be stored: NFC, no control characters, no lone surrogates, tidy white space.

    Lines stay lines, at most one of them blank in a row. Cleaning twice changes nothing.
    """
    if _is_tidy(text):
        return text.strip()  # most texts are, and looking at each letter five times takes long
    if not text.isascii():
        # Two halves of a pair become the character they are; a half alone becomes U+FFFD
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    text = _INVISIBLE.sub("", _LINE_ENDS.sub("\n", text))
    if not text.isascii():
        text = unicodedata.normalize("NFC", _too_many_marks().sub(r"\1", text))
    text = _BLANKS.sub(" ", text)
    text = _LINE_EDGES.sub("\n", text)
    return _BLANK_LINES.sub("\n\n", text).strip()


def _is_tidy(text: str) -> bool:
    """Whether there is nothing to clean within a text: ten times as fast as one expression would tell it."""
    in_one_line = text.replace("\n", " ")
    return in_one_line.isascii() and in_one_line.isprintable() and "  " not in in_one_line


def from_html(source: str, base: str | None = None) -> str:
    """Return what a reader sees of a piece of HTML, cleaned; empty if there is nothing to see.

    base: the address that links are relative to; without one those that are relative lead nowhere.
    """
    source = source[:MAX_HTML]
    if "<" not in source and "&" not in source:
        return clean(source)
    if not source.isascii():  # the parser takes UTF-8, which has no place for half a surrogate pair
        source = source.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    if _depth(source) > MAX_DEPTH:
        return clean(html.unescape(_ANY_TAG.sub(" ", source)))
    from selectolax.lexbor import LexborHTMLParser  # here: it costs the command line's start 30 ms

    body = LexborHTMLParser(source.replace("\x00", "")).body
    return clean(_visible(body, base)) if body is not None else ""


def one_line(source: str) -> str:
    """Return cleaned text on a single line: titles."""
    return " ".join(clean(source).split())


def _visible(body: "LexborNode", base: str | None) -> str:
    """The text of a tree. As in a browser, line ends of the source are blanks except in <pre>."""
    pieces: list[str] = []
    links: list[tuple[int, LexborNode]] = []  # open links: where their text starts in pieces
    node: LexborNode | None = body
    entering, preformatted = True, 0
    while node is not None:
        tag = node.tag or ""
        if entering:
            if tag == "-text":
                text = node.text_content or ""
                pieces.append(text if preformatted else _WHITE.sub(" ", text))
            elif tag == "br":
                pieces.append("\n")
            elif tag == "img":
                pieces.append(_emoji(node))
            elif not tag.startswith("-") and not _hidden(node, tag):
                if tag in _BLOCKS:
                    pieces.append(_EDGE)
                elif tag in ("td", "th"):
                    pieces.append(" ")
                if tag == "pre":
                    preformatted += 1
                elif tag == "a":
                    links.append((len(pieces), node))
                if node.child is not None:
                    node = node.child
                    continue
                entering = False
                continue
        elif tag == "a" and links:
            start, link = links.pop()
            pieces[start:] = [_link("".join(pieces[start:]), link, base)]
        elif tag == "pre":
            preformatted -= 1
        if not entering and tag in _BLOCKS:
            pieces.append(_EDGE)
        if node.mem_id == body.mem_id:
            break
        if node.next is not None:
            node, entering = node.next, True
        else:
            node, entering = node.parent, False
    return _RUN_IN.sub(" ", _EDGES.sub("\n", "".join(pieces))).replace(_AFTER_LINK, "")


def _link(text: str, link: "LexborNode", base: str | None) -> str:
    """A link as text: what it says, and where it leads unless that is what it says."""
    attributes = link.attributes
    href = _absolute((attributes.get("href") or "").strip(), base)
    words = " ".join(text.split())
    if not words or not _SCHEME.match(href) or any(blank in href for blank in " \t\n\r"):
        return text
    kinds = (attributes.get("class") or "").lower().split()
    if "mention" in kinds or "hashtag" in kinds or _NAMES_SOMEBODY.fullmatch(words):
        return text
    if same_address(words, href):
        return text.replace(text.strip(), f"{href}{_AFTER_LINK}", 1)
    return f"{text.rstrip()} ({href}){_AFTER_LINK}{text[len(text.rstrip()) :]}"


def _absolute(href: str, base: str | None) -> str:
    """Where a link leads. One within its page leads nowhere else, so it stays as it is."""
    if not base or not href or href.startswith("#") or _ANY_SCHEME.match(href):
        return href
    try:
        return urljoin(base, href)
    except ValueError:  # "//[" and the like
        return href


def same_address(words: str, href: str) -> bool:
    """Return whether the words are the address itself, whole or shortened with an ellipsis (Hacker News does that)."""
    shown, real = _bare(words), _bare(href)
    if shown == real:
        return True
    start = shown.removesuffix("…").removesuffix("...")
    return start != shown and len(start) > 3 and real.startswith(start)


def _bare(address: str) -> str:
    return _SCHEME.sub("", address, count=1).lower().removeprefix("www.").rstrip("/")


def _emoji(image: "LexborNode") -> str:
    """What a picture used as a letter stands for; other pictures say nothing."""
    attributes = image.attributes
    return (attributes.get("alt") or "") if _EMOJI_CLASS.search((attributes.get("class") or "").lower()) else ""


def _hidden(node: "LexborNode", tag: str) -> bool:
    if tag in _DROPPED:
        return True
    attributes = node.attributes
    return "hidden" in attributes or "display:none" in (attributes.get("style") or "").replace(" ", "").lower()


def _depth(source: str) -> int:
    """An upper estimate of how many elements are open at once."""
    deepest = depth = 0
    for closing, name in _TAG.findall(source):
        if name.lower() in _OPEN_ENDED:
            continue
        depth = max(depth - 1, 0) if closing else depth + 1
        deepest = max(deepest, depth)
    return deepest


@functools.cache
def _too_many_marks() -> re.Pattern[str]:
    """Runs of combining marks beyond what any script needs, the part to keep in group 1."""
    marks = "".join(chr(point) for point in range(0x300, 0x1F000) if unicodedata.combining(chr(point)))
    return re.compile(f"([{re.escape(marks)}]{{{MAX_MARKS}}})[{re.escape(marks)}]+")
