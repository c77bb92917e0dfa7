"""Public Mastodon posts of one instance: under hashtags, or its whole public timeline.

Source: GET {url}/api/v1/timelines/tag/{tag} and /api/v1/timelines/public, docs.joinmastodon.org/methods/timelines
(2026-11). No token. An instance may close them: /api/v2/instance says so in configuration.timelines_access (4.5).
Limits: 40 posts a page, 300 requests per 5 minutes and address; X-RateLimit-Reset is an ISO time. Ids are opaque
strings that hold on one instance only; a post's `uri` is one everywhere, and is what it is known by here. Counts of
posts from elsewhere are what this instance has heard of. A short page is not the end; an empty one is.
Accounts are full handles in lower case: "name@instance".

Replies name their parent by the instance's id. It becomes a post_id where the parent came in the same visit or is
the author's own post here (a thread); otherwise "mastodon:HOST/ID", which says that it is a reply and joins nothing.

Consent is settled before anything is stored: only visibility "public"; no account with `noindex`, or with #nobot,
#nobots or #noindex in its bio or fields; with consent "opt_in" only accounts whose `indexable` is true.
A boost is no post of its own. What was left out is counted by reason.

Kept posts of the instance itself are asked for again at /api/v1/statuses/ID, methods/statuses: those of other instances
are known there by ids that we do not keep.
"""

import json
import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import parse_qs, quote, urlsplit

from pydantic import Field, field_validator, model_validator

from listeners.budget import Budget
from listeners.consent import refuses
from listeners.feed import CURSOR_FAULTS, FeedBlocked, FeedFormatChanged, FeedOptions, Page, Phrases, Visit, WebAddress
from listeners.plain_text import clean, from_html
from listeners.post import LeftOut, empty_page, moment, row, text_of, to_page
from listeners.reply import Reply
from listeners.standing import Kept, asked_singly
from listeners.turns import in_turn

POSTS_A_PAGE = 40  # the API's largest page

_NEXT = re.compile(r"<([^<>]*)>\s*;[^,<]*\brel=\"?(next|prev)\"?")


class Options(FeedOptions):
    """The keys of a mastodon feed in listening.toml."""

    url: WebAddress = Field(description="the instance, as in https://mastodon.social")
    tags: Phrases = Field(default=(), description="hashtags, without #; none means the whole public timeline")
    max_requests: int = Field(
        default=200, ge=3, le=10_000, description="requests per visit; the next visit goes on from there"
    )

    @field_validator("tags", mode="after")
    @classmethod
    def _without_hash(cls, tags: tuple[str, ...]) -> tuple[str, ...]:
        bare = tuple(dict.fromkeys(tag.removeprefix("#").lower() for tag in tags))
        if wrong := [tag for tag in bare if not re.fullmatch(r"\w+", tag)]:
            raise ValueError(f"a hashtag is one word of letters, digits and _, not {wrong[0]!r}")
        return bare

    @model_validator(mode="after")
    def _enough_to_get_on(self) -> Self:
        least = 1 + 2 * max(1, len(self.tags))  # the instance; a page forward and one back of each timeline
        if self.max_requests < least:
            raise ValueError(f"max_requests must be at least {least} for {len(self.tags)} tags")
        return self


@dataclass
class Progress:
    """How far one timeline is read.

    anchors: ids of the newest posts read, oldest first, a page of them; reading forward starts after the first, so
    that posts which were edited, or arrived late, come again. backfill: read backwards from before this id; None
    when the beginning was reached or nothing was read yet. widest: most posts that a page ever held; servers differ.
    """

    anchors: list[str] = field(default_factory=list)
    backfill: str | None = None
    widest: int = 1

    def reached(self, ids: list[str]) -> bool:
        """Remember ids of a page, newest first, as the newest read; return whether one of them was new."""
        known = set(self.anchors)
        new = [number for number in reversed(ids) if number not in known]
        self.widest = max(self.widest, len(ids))
        self.anchors = [*self.anchors, *new][-self.widest :]  # a page of overlap costs one request, no more
        return bool(new)


@dataclass
class _Reading:
    """What one visit knows: its budget, its progress per timeline, and what it has seen."""

    visit: Visit
    progress: dict[str, Progress]
    domain: str
    budget: Budget
    seen: set[str] = field(default_factory=set)
    uris: dict[str, str] = field(default_factory=dict)  # id on this instance -> uri, for replies

    def cursor(self) -> str:
        return write_cursor(self.progress, self.visit.feed)


async def pages(visit: Visit) -> AsyncIterator[Page]:
    """Yield the timelines' new posts, oldest page first, and then their past, newest page first.

    A timeline's first visit takes its newest page and goes back from there to its beginning. The past gets a quarter
    of a visit's requests even where there is always something new.
    Raises as FeedClient.get does; FeedBlocked where the instance shows the timelines to nobody or to members only.
    """
    feed: Options = visit.feed
    reading = _Reading(visit, read_cursor(visit.cursor, feed), urlsplit(feed.url).hostname or "", Budget(visit))
    instance = await _instance(visit)
    reading.budget.spent += 1
    if reason := closed(instance, bool(feed.tags)):
        raise FeedBlocked(feed.id, f"{feed.url}: {reason}")
    domain = instance.get("domain")
    if isinstance(domain, str) and re.fullmatch(r"[\w.:-]+", domain):
        reading.domain = domain.lower()
    unfinished = sum(progress.backfill is not None for progress in reading.progress.values())
    reading.budget.reserved = max(unfinished, feed.max_requests // 4) if unfinished else 0
    async for page in in_turn(_forward(reading, path) for path in reading.progress):
        yield page
    reading.budget.reserved = 0
    async for page in in_turn(_backward(reading, path) for path in reading.progress):
        yield page
    if reading.budget.cut_short:
        yield empty_page(reading.cursor(), capped=reading.budget.said())


async def _forward(reading: _Reading, path: str) -> AsyncIterator[Page]:
    """Pages from the anchors to the newest post, or the newest page where nothing was read yet."""
    progress = reading.progress[path]
    if not progress.anchors:
        if not reading.budget.may_ask():
            return
        statuses, links = await _timeline(reading, path, {})
        if ids := _ids(statuses):
            progress.reached(ids)
            progress.backfill = links.get("next") or ids[-1]
        yield _page(reading, statuses)
        return
    cursor, asked = progress.anchors[0], set()
    while cursor not in asked and reading.budget.may_ask():
        asked.add(cursor)
        statuses, links = await _timeline(reading, path, {"min_id": cursor})
        ids = _ids(statuses)
        progress.reached(ids)
        yield _page(reading, statuses)
        if not ids:
            return
        cursor = links.get("prev") or ids[0]


async def _backward(reading: _Reading, path: str) -> AsyncIterator[Page]:
    """Pages from where the past was left to its beginning."""
    progress, asked = reading.progress[path], set()
    while progress.backfill is not None and reading.budget.may_ask():
        asked.add(progress.backfill)
        statuses, links = await _timeline(reading, path, {"max_id": progress.backfill})
        ids = _ids(statuses)
        further = (links.get("next") or ids[-1]) if ids else None
        progress.backfill = None if further in asked else further
        yield _page(reading, statuses)


def _page(reading: _Reading, statuses: list[Any]) -> Page:
    """The page of statuses that did not come before in this visit."""
    visit = reading.visit
    new = []
    for status in statuses:
        uri = status.get("uri") if isinstance(status, dict) else None
        if isinstance(uri, str):
            if uri in reading.seen:
                continue
            reading.seen.add(uri)
            if isinstance(status.get("id"), str):
                reading.uris[status["id"]] = uri
        new.append(status)
    return to_page(
        visit, new, lambda status: to_post(status, visit, reading.domain, reading.uris), cursor=reading.cursor()
    )


async def standing(visit: Visit, kept: Sequence[Kept]) -> AsyncIterator[Page]:
    """Yield which of the kept posts of this instance are gone. Raises as FeedClient.get does."""
    base = visit.feed.url.rstrip("/")
    own = re.compile(rf"mastodon:https?://{re.escape(urlsplit(base).netloc)}/\S*/(\d+)")
    found = ((one.post_id, own.fullmatch(one.post_id)) for one in kept)
    addresses = {post_id: f"{base}/api/v1/statuses/{match[1]}" for post_id, match in found if match}
    if addresses:
        async for page in asked_singly(visit, addresses):
            yield page


def to_post(status: dict[str, Any], visit: Visit, domain: str, uris: dict[str, str]) -> dict[str, Any]:
    """Return a status as a row of posts.

    domain: of the instance's accounts. uris: of statuses read in this visit, by id.
    Raises LeftOut where it may not be stored or is a boost; KeyError, TypeError or ValueError where it lacks what it
    must have.
    """
    if status.get("reblog") is not None:
        raise LeftOut("reblog")
    if status.get("visibility") != "public":
        raise LeftOut("not_public")
    account = status["account"]
    consent = consent_of(account, visit.consent)
    uri = text_of(status, "uri")
    if not uri.strip():
        raise ValueError("'uri' is empty")
    return row(
        visit,
        post_id=post_id(uri),
        kind="comment" if status.get("in_reply_to_id") else "post",
        url=status.get("url") or uri,
        text=_text(status),
        language=status.get("language"),
        account=handle(account, domain),
        author_followers=account.get("followers_count"),
        published_at=status.get("created_at"),
        edited_at=moment(status.get("edited_at")),
        parent_id=_parent(status, account, uri, visit, uris),
        quoted_id=_quoted(status, visit),
        likes=status.get("favourites_count"),
        replies=status.get("replies_count"),
        shares=status.get("reblogs_count"),
        consent=consent,
    )


def consent_of(account: dict[str, Any], policy: str) -> str:
    """Return what the author said about being indexed: opted_in or none_stated. Raises LeftOut for a refusal."""
    if account.get("noindex") is True:
        raise LeftOut("noindex")
    fields = account.get("fields") or []
    bio = [account.get("note") or "", *(f"{entry.get('name')} {entry.get('value')}" for entry in fields)]
    if refuses(" ".join(from_html(str(part)) for part in bio)):
        raise LeftOut("nobot")
    indexable = account.get("indexable") is True
    if policy == "opt_in" and not indexable:
        raise LeftOut("not_opted_in")
    return "opted_in" if indexable else "none_stated"


def handle(account: dict[str, Any], domain: str) -> str:
    """Return an account's full handle in lower case; those of the instance itself come without its domain."""
    name = text_of(account, "acct").strip().lower()
    if not name:
        raise ValueError("'acct' is empty")
    return name if "@" in name else f"{name}@{domain}"


def post_id(uri: str) -> str:
    """Return a status's post_id; its uri is the same on every instance."""
    return f"mastodon:{uri.strip()}"


def closed(instance: dict[str, Any], by_tag: bool) -> str | None:
    """Return why nobody without an account may read the timelines, or None if all may, or nothing is said."""
    access: Any = instance
    for key in ("configuration", "timelines_access", "hashtag_feeds" if by_tag else "live_feeds"):
        access = access.get(key) if isinstance(access, dict) else None
    if not isinstance(access, dict) or not access or "public" in access.values():
        return None
    said = ", ".join(f"{who}: {access[who]}" for who in sorted(access))
    return f"the instance does not show its {'hashtag' if by_tag else 'public'} timelines to everybody ({said})"


def read_cursor(cursor: str | None, feed: Options) -> dict[str, Progress]:
    """Return the progress per timeline's path. Ids hold on one instance, so another URL begins anew."""
    paths = [f"tag/{quote(tag)}" for tag in feed.tags] or ["public"]
    try:
        saved = json.loads(cursor or "{}")
        timelines = saved["timelines"] if saved.get("url") == feed.url else {}
        known = {
            path: Progress(
                [str(number) for number in state["anchors"]],
                None if state["backfill"] is None else str(state["backfill"]),
                max(1, int(state["widest"])),
            )
            for path, state in timelines.items()
        }
    except CURSOR_FAULTS:
        known = {}
    return {path: known.get(path, Progress()) for path in paths}


def write_cursor(progress: dict[str, Progress], feed: Options) -> str:
    """Return the progress as text."""
    return json.dumps({"url": feed.url, "timelines": {path: vars(state) for path, state in progress.items()}})


async def _instance(visit: Visit) -> dict[str, Any]:
    """What the instance says about itself; nothing where it does not, as before 4.0 or behind a login."""
    url = f"{visit.feed.url.rstrip('/')}/api/v2/instance"
    reply = await visit.client.get(url, answers=frozenset({400, 401, 403, 404, 410, 422}))
    found = reply.json() if reply.status == 200 else {}
    return found if isinstance(found, dict) else {}


async def _timeline(reading: _Reading, path: str, params: dict[str, str]) -> tuple[list[Any], dict[str, str]]:
    """One page, newest first, and the ids that its Link header gives for what lies beyond."""
    reading.budget.spent += 1
    visit = reading.visit
    url = f"{visit.feed.url.rstrip('/')}/api/v1/timelines/{path}"
    reply = await visit.client.get(url, {"limit": POSTS_A_PAGE, **params}, answers=frozenset({422}))
    statuses = reply.json()
    if reply.status == 422:  # how servers before 4.5 say that a timeline is for members
        raise FeedBlocked(visit.feed.id, f"{reply.url}: 422 {json.dumps(statuses)[:200]}")
    if not isinstance(statuses, list):
        raise FeedFormatChanged(
            visit.feed.id, f"{reply.url}: {type(statuses).__name__} where a list of statuses is due"
        )
    return statuses, links_of(reply)


def links_of(reply: Reply) -> dict[str, str]:
    """Return the ids in a Link header: `next` for max_id (older), `prev` for min_id (newer).

    Only the ids are taken, never the address: a page must not lead to another host.
    """
    found: dict[str, str] = {}
    for address, relation in _NEXT.findall(reply.headers.get("link", "")):
        try:
            query = parse_qs(urlsplit(address).query)
        except ValueError:
            continue
        for number in query.get("max_id" if relation == "next" else "min_id", [])[:1]:
            found[relation] = number
    return found


def _ids(statuses: list[Any]) -> list[str]:
    return [s["id"] for s in statuses if isinstance(s, dict) and isinstance(s.get("id"), str) and s["id"]]


def _text(status: dict[str, Any]) -> str:
    """What a reader sees: the warning, the words, and a poll's choices."""
    poll = status.get("poll")
    options = poll.get("options") if isinstance(poll, dict) else None
    choices = [f"- {option['title']}" for option in options or [] if isinstance(option, dict) and option.get("title")]
    warning = clean(str(status.get("spoiler_text") or ""))
    return "\n".join(part for part in (warning, from_html(text_of(status, "content")), *choices) if part)


def _parent(
    status: dict[str, Any], account: dict[str, Any], uri: str, visit: Visit, uris: dict[str, str]
) -> str | None:
    number = status.get("in_reply_to_id")
    if not isinstance(number, str) or not number:
        return None
    if number in uris:
        return post_id(uris[number])
    own_id = status.get("id")
    own_thread = status.get("in_reply_to_account_id") is not None and (
        status.get("in_reply_to_account_id") == account.get("id")
    )
    if own_thread and isinstance(own_id, str) and own_id and uri.endswith(f"/{own_id}"):
        return post_id(f"{uri.removesuffix(own_id)}{number}")
    return f"mastodon:{urlsplit(visit.feed.url).hostname}/{number}"


def _quoted(status: dict[str, Any], visit: Visit) -> str | None:
    """The post that is quoted (4.4), if its author agreed to it."""
    quoted = status.get("quote")
    if not isinstance(quoted, dict) or quoted.get("state") not in (None, "accepted"):
        return None
    original = quoted.get("quoted_status")
    if isinstance(original, dict) and isinstance(original.get("uri"), str):
        return post_id(original["uri"])
    number = quoted.get("quoted_status_id")
    return f"mastodon:{urlsplit(visit.feed.url).hostname}/{number}" if isinstance(number, str) else None
