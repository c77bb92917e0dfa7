"""A post or comment of Reddit, as its API shows it: the part of reddit.py that makes a row of it.

Source: reddit.com/dev/api (2026-11). Fullnames are t3_ for posts and t1_ for comments, and base
36. Times are epoch seconds as floats; `edited` is false, or when, or true for very old ones. Texts are HTML beside
Markdown; raw_json=1 leaves them unescaped. Accounts are names.
"""

import re
from typing import Any

from listeners.consent import without_opt_in
from listeners.feed import Visit
from listeners.markdown import from_markdown
from listeners.plain_text import clean, from_html
from listeners.post import LeftOut, moment, row, text_of, web_address

SITE = "https://www.reddit.com"

_GONE = re.compile(r"(?is)\[ ?(?:deleted|removed)(?: by (?:user|moderator|reddit))?(?: on account of .*)? ?\]")


def to_post(item: dict[str, Any], visit: Visit) -> dict[str, Any]:
    """Return a post or comment, as a listing shows it, as a row of posts.

    A post's link stands in its text, as a reader sees it beside the title. Raises LeftOut where it may not be stored;
    KeyError, TypeError or ValueError where it lacks what it must have.
    """
    kind, about = item["kind"], item["data"]
    if kind not in ("t1", "t3"):
        raise ValueError(f"'kind' is {kind!r}")
    name = text_of(about, "name")
    if not re.fullmatch(rf"{kind}_[a-z0-9]+", name):
        raise ValueError(f"'name' is {name!r}")
    is_comment = kind == "t1"
    deleted = is_gone(about, is_comment=is_comment)
    if not deleted and refuses(about):
        raise LeftOut("noindex")
    consent = without_opt_in(visit)
    title, text = None, ""
    if not deleted and is_comment:
        text = _shown_text(about, "body")
    elif not deleted:
        title, link = clean(text_of(about, "title")), None if about.get("is_self") else web_address(about.get("url"))
        text = "\n".join(part for part in (_shown_text(about, "selftext"), link) if part)
    author, permalink = about.get("author"), about.get("permalink")
    shared = about.get("crosspost_parent")
    edited = about.get("edited")
    return row(
        visit,
        post_id=post_id(name),
        kind="comment" if is_comment else "post",
        url=f"{SITE}{permalink}" if isinstance(permalink, str) and permalink.startswith("/") else None,
        title=title,
        text=text,
        account=author if isinstance(author, str) and author != "[deleted]" and not deleted else None,
        published_at=about.get("created_utc"),
        edited_at=moment(edited),
        deleted=deleted,
        parent_id=_other(about.get("parent_id")) if is_comment else None,
        root_id=_other(about.get("link_id")) if is_comment else None,
        quoted_id=_other(shared),
        likes=about.get("score"),
        replies=about.get("num_comments"),
        shares=about.get("num_crossposts"),
        consent=consent,
    )


def is_gone(about: dict[str, Any], *, is_comment: bool) -> bool:
    """Return whether its author, a moderator or Reddit took an item down."""
    text = about.get("body" if is_comment else "selftext")
    return about.get("removed_by_category") is not None or bool(isinstance(text, str) and _GONE.fullmatch(text.strip()))


def post_id(name: str) -> str:
    """Return the post_id of an item; its fullname is unique on Reddit."""
    return f"reddit:{name}"


def refuses(about: dict[str, Any]) -> bool:
    """Return whether an item is not to be read by machines."""
    return about.get("is_robot_indexable") is False


def name_of(item: Any) -> str | None:
    """Return an item's fullname, or None where it has none."""
    about = item.get("data") if isinstance(item, dict) else None
    name = about.get("name") if isinstance(about, dict) else None
    return name if isinstance(name, str) else None


def names_of(items: list[Any]) -> list[str]:
    """Return the fullnames of items."""
    return [name for item in items if (name := name_of(item)) is not None]


def times_of(items: list[Any]) -> list[int]:
    """Return when the items were published, those that may stand on top left out."""
    times = []
    for item in items:
        about = item.get("data") if isinstance(item, dict) else None
        if not isinstance(about, dict) or about.get("stickied"):
            continue
        if (at := moment(about.get("created_utc"))) is not None:
            times.append(int(at.timestamp()))
    return times


def _shown_text(about: dict[str, Any], key: str) -> str:
    """A text as a reader sees it: of its HTML where that is given, as Reddit has a Markdown of its own."""
    source, rendered = text_of(about, key), about.get(f"{key}_html")
    return from_html(rendered) if isinstance(rendered, str) and rendered else from_markdown(source)


def _other(name: object) -> str | None:
    return post_id(name) if isinstance(name, str) and name else None
