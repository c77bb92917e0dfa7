"""A post of Bluesky as its author wrote it: the app.bsky.feed.post record, which the stream and the search share.

Source: the lexicons app.bsky.feed.post, app.bsky.richtext.facet, app.bsky.embed.* and com.atproto.label.defs
(bluesky-social/atproto, 2026-11). Anybody may write any record and no server checks it, so a part that is not as
documented counts as absent; only a post without a text is none.

A post's text is what a reader sees: links in their full length, where the text shows them shortened or as words, and
the title and address of the page shown as a card below. What describes a picture (alt) is left out, as it is from
other sources: it is often somebody else's words, and few readers see it.
Accounts are DIDs; post_ids are at:// URIs, so a post is one whichever way it came.
"""

import re
from inspect import isclass
from typing import Any, TypeVar, get_args, get_origin

import msgspec
from msgspec import Struct

from listeners.feed import Visit
from listeners.plain_text import same_address
from listeners.post import row

POST = "app.bsky.feed.post"
PAGE = "https://bsky.app/profile"  # where a person reads it
NOT_FOR_STRANGERS = "!no-unauthenticated"  # label: not to be shown to whoever is not logged in

Part = TypeVar("Part", bound=Struct)

# atproto.com/specs/did and /record-key. Shorter than the 2,048 allowed: did:plc has 32, did:web a host's 253
_DID = re.compile(r"did:[a-z]+:[A-Za-z0-9._:%-]{0,260}[A-Za-z0-9._-]")
_RECORD_KEY = re.compile(r"[A-Za-z0-9._:~-]{1,512}")
_POST_URI = re.compile(rf"at://{_DID.pattern}/{re.escape(POST)}/{_RECORD_KEY.pattern}")


class Feature(Struct, gc=False):
    """What a piece of text is; uri: where a link leads."""

    uri: str | None = None


class Piece(Struct, gc=False, rename="camel"):
    """A piece of the text, counted in bytes of UTF-8."""

    byte_start: int
    byte_end: int


class Facet(Struct, gc=False):
    index: Piece
    features: list[Feature] = []


class Card(Struct, gc=False):
    """A page shown below the text."""

    uri: str | None = None
    title: str | None = None


class Reference(Struct, gc=False):
    """Another record; within a recordWithMedia it is one further in."""

    uri: str | None = None
    record: "Reference | None" = None


class Media(Struct, gc=False):
    external: Card | None = None


class Embed(Struct, gc=False):
    external: Card | None = None
    record: Reference | None = None
    media: Media | None = None


class Reply(Struct, gc=False):
    parent: Reference | None = None
    root: Reference | None = None


class Label(Struct, gc=False):
    val: str | None = None


class Labels(Struct, gc=False):
    values: list[Label] = []


class Record(Struct, gc=False, rename="camel"):
    text: str | None = None  # other kinds of records have none
    created_at: str | None = None
    langs: list[str] | None = None
    facets: list[Facet] | None = None
    embed: Embed | None = None
    reply: Reply | None = None
    labels: Labels | None = None


def read(value: object, kind: type[Part]) -> Part:
    """Return a JSON object as a struct; its parts that are not as documented count as absent.

    Raises KeyError or TypeError where it is no object or lacks what it must have.
    """
    if not isinstance(value, dict):
        raise TypeError(f"a {kind.__name__.lower()} is {type(value).__name__}, not an object")
    given: dict[str, Any] = {}
    for field in msgspec.structs.fields(kind):
        try:
            if field.encode_name in value:
                given[field.name] = _part(value[field.encode_name], field.type)
        except (msgspec.ValidationError, TypeError, KeyError) as error:
            if field.required:
                raise TypeError(f"{field.encode_name!r} is {value[field.encode_name]!r:.60}") from error
        if field.required and field.name not in given:
            raise KeyError(field.encode_name)
    return kind(**given)


def _part(value: object, kind: Any) -> Any:
    """A value as a type, or what of it is as documented."""
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError:
        for choice in get_args(kind):
            if isclass(choice) and issubclass(choice, Struct) and isinstance(value, dict):
                return read(value, choice)
            if get_origin(choice) is list and isinstance(value, list):
                return _items(value, get_args(choice)[0])
        if get_origin(kind) is list and isinstance(value, list):
            return _items(value, get_args(kind)[0])
        raise


def _items(values: list[Any], kind: Any) -> list[Any]:
    """The items of a list that are as documented."""
    found = []
    for value in values:
        try:
            found.append(read(value, kind) if issubclass(kind, Struct) else msgspec.convert(value, kind))
        except (msgspec.ValidationError, TypeError, KeyError):
            continue
    return found


def shown_text(record: Record) -> str:
    """Return the text as a reader sees it. Raises TypeError where the record has none."""
    text = record.text
    if text is None:
        raise TypeError("'text' is no text")
    if record.facets:
        text = _with_addresses(text, record.facets)
    if record.embed is not None:
        card = record.embed.external or (record.embed.media.external if record.embed.media else None)
        if card is not None:
            text = _with_card(text, card)
    if text.isascii():
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")  # the matcher takes no half pairs


def post_id(did: str, record_key: str) -> str:
    """Return the post_id of an author's post. Raises ValueError where that can be no post's."""
    if not _DID.fullmatch(did) or not _RECORD_KEY.fullmatch(record_key):
        raise ValueError(f"no post has the author {did!r:.60} and the key {record_key!r:.60}")
    return f"bluesky:at://{did}/{POST}/{record_key}"


def author_of(post: str) -> str:
    """Return the DID in a post_id."""
    return post.split("/", 3)[2]


def refers_to(reference: Reference | None) -> str | None:
    """Return the post_id of what is referred to, or None where that is nothing, or no post: a list, a feed."""
    uri = reference.uri if reference is not None else None
    return f"bluesky:{uri}" if uri and _POST_URI.fullmatch(uri) else None


def keeps_out_strangers(record: Record) -> bool:
    """Return whether the post itself says that it is not for those who are not logged in."""
    return record.labels is not None and any(label.val == NOT_FOR_STRANGERS for label in record.labels.values)


def to_row(visit: Visit, post: str, record: Record, **more: Any) -> dict[str, Any]:
    """Return a record as a row of posts. post: its post_id. more: the columns that the record does not tell.

    Of several languages the first is the post's. Raises TypeError where the record has no text.
    """
    reply, embed = record.reply, record.embed
    quoted = embed.record if embed is not None else None
    did, record_key = author_of(post), post.rsplit("/", 1)[1]
    return row(
        visit,
        post_id=post,
        kind="comment" if reply is not None else "post",
        url=f"{PAGE}/{did}/post/{record_key}",
        text=shown_text(record),
        language=record.langs[0] if record.langs else None,
        account=did,
        parent_id=refers_to(reply.parent) if reply is not None else None,
        root_id=refers_to(reply.root) if reply is not None else None,
        quoted_id=refers_to(quoted) or refers_to(quoted.record if quoted is not None else None),
        **more,
    )


def _with_addresses(text: str, facets: list[Facet]) -> str:
    """The text with the addresses its links lead to. A link that overlaps another, or cuts a letter, counts not."""
    encoded = text.encode("utf-8", "surrogatepass")
    pieces, done = [], 0
    for facet in sorted(facets, key=lambda facet: facet.index.byte_start):
        start, end = facet.index.byte_start, facet.index.byte_end
        uri = next((feature.uri for feature in facet.features if feature.uri and _is_web(feature.uri)), None)
        if uri is None or not done <= start < end <= len(encoded):
            continue
        try:
            before, words = encoded[done:start].decode(), encoded[start:end].decode()
        except UnicodeDecodeError:
            continue
        shown = uri if same_address(words.strip(), uri) else f"{words.rstrip()} ({uri}){words[len(words.rstrip()) :]}"
        pieces += [before, shown]
        done = end
    return "".join(pieces) + encoded[done:].decode("utf-8", "surrogatepass") if pieces else text


def _with_card(text: str, card: Card) -> str:
    """The text and, on a line of its own, the page below it; an address that the text has is not said again."""
    uri = card.uri if card.uri and _is_web(card.uri) else ""
    title = " ".join((card.title or "").split())
    shown = f"{title} ({uri})" if title and uri not in text else title or uri
    return f"{text}\n{shown}" if shown and shown not in text else text


def _is_web(uri: str) -> bool:
    return uri.startswith(("https://", "http://")) and not any(map(str.isspace, uri))
