"""An answer that is an Atom feed of a known maker, read as strictly as one server's format can be.

Whatever an `rss` feed may be (packed once more, JSON, a web page), this is not: the client has undone the transfer's
coding, and a document without any item is a document.
"""

import asyncio
from dataclasses import replace

from listeners import json_feed
from listeners.feed import FeedFormatChanged
from listeners.feed_text import decode
from listeners.reply import Reply
from listeners.rss import Document, read_document


async def document_of(reply: Reply) -> Document:
    """Return the feed of an answer; parsing runs in a thread. Raises FeedFormatChanged."""
    text, notes = decode(reply.body, reply.headers.get("content-type", ""))
    try:
        document = await asyncio.to_thread(read_document, text, reply.url)
    except json_feed.NotAFeed as error:
        raise FeedFormatChanged(reply.feed, f"{reply.url}: {error}") from error
    if document.broken and not document.items:
        raise FeedFormatChanged(reply.feed, f"{reply.url}: a broken feed: {document.broken}")
    return replace(document, notes=notes)
