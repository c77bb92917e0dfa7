"""Who or what is meant where somebody asks to be forgotten, and what is left to tell of it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute

from dags.feed_state import remembered_as
from dags.settings import SettingsError
from listeners.pseudonym import pseudonym
from listeners.registry import SOURCES, network_of
from warehouse import forgotten
from warehouse.erasure import Erased, Target, erase
from warehouse.forgotten import Forgotten
from warehouse.lake import DamagedFile, Lake

pc: Any = pyarrow.compute  # its functions are made at import, where no type checker sees them

SHOWN = 5  # posts named where several fit
_PSEUDONYM = re.compile(r"[0-9a-f]{32}")


class StillPublished(Exception):
    """The lake holds nothing of it any more, and the DuckDB file does until a publish succeeds: run it again."""


@dataclass(frozen=True)
class Forgetting:
    """What was forgotten, or would be.

    is_new: it was not written down before. rebuilt: the DuckDB file was built anew.
    """

    target: Target
    is_new: bool
    erased: Erased
    rebuilt: bool = False

    @property
    def is_empty(self) -> bool:
        """Return whether the lake held nothing of it."""
        return not any(self.erased.counts.values())


def forget(lake: Lake, key: bytes, asked: str, now: datetime, *, dry_run: bool = False) -> Forgetting:
    """Forget an author or a post, or count what that would take.

    asked: an author's pseudonym, network:account, a post_id, how one begins if no other does, or a post's URL.
    Raises SettingsError where none or several fit, LakeError and OSError as warehouse.erasure.erase does.
    """
    known = Forgotten.of(lake, key)
    target = _target(lake, known, key, asked.strip())
    erased = erase(lake, key, target, now, remembered_as=remembered_as, dry_run=dry_run)
    return Forgetting(target, not known.holds(target.name), erased)


def erasures(lake: Lake, key: bytes) -> list[dict[str, Any]]:
    """Return what was forgotten and what that changed, oldest first; is_genuine: it stands as we wrote it."""
    return [
        {**row, "is_genuine": forgotten.is_genuine(key, row), "keyed_hashes": len(row["keyed_hashes"] or ())}
        for row in forgotten.erasures(lake)
    ]


def _target(lake: Lake, known: Forgotten, key: bytes, asked: str) -> Target:
    posts = _posts(lake)
    if _PSEUDONYM.fullmatch(asked):
        return _author(posts, known, asked)
    if found := {row["post_id"]: row["source"] for row in posts if asked in (row["post_id"], row["url"])}:
        return _post(asked, found)
    if known.holds(asked):  # a post that is gone already
        return Target("post", asked, ())
    accounts = _accounts(key, asked)
    written_by = {row["author"] for row in posts}
    for target in accounts:
        if target.name in written_by or known.holds(target.name):
            return target
    if asked and (found := {row["post_id"]: row["source"] for row in posts if row["post_id"].startswith(asked)}):
        return _post(asked, found)
    if not accounts:
        networks = ", ".join(sorted({network_of(source) for source in SOURCES}))
        raise SettingsError(
            f"{asked!r}: no post in the lake has that id or URL, and it names no account. Give an author as in the "
            f"posts table (32 hex digits) or as network:account, of one of {networks}; or a post_id or its URL."
        )
    return accounts[0]  # nothing of theirs is there, and nothing will be


def _author(posts: Sequence[Mapping[str, Any]], known: Forgotten, name: str) -> Target:
    sources = {row["source"] for row in posts if row["author"] == name}
    if not sources and not known.holds(name):
        raise SettingsError(
            f"no post in the lake is by {name}; before they have any, authors are named network:account"
        )
    networks = {network_of(source) for source in sources if source in SOURCES}
    return Target("author", name, tuple(sorted(sources | {one for one in SOURCES if network_of(one) in networks})))


def _post(asked: str, found: Mapping[str, str]) -> Target:
    if len(found) > 1:
        some = ", ".join(sorted(found)[:SHOWN])
        more = f" and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
        raise SettingsError(f"{asked!r} fits several posts: {some}{more}; name one by its id")
    [(post_id, source)] = found.items()
    network = network_of(source) if source in SOURCES else None
    return Target("post", post_id, tuple(sorted({source, *(one for one in SOURCES if network_of(one) == network)})))


def _accounts(key: bytes, asked: str) -> list[Target]:
    """Return the authors that network:account may mean, in the spellings that listeners use; none if it is no such."""
    network, _, account = asked.partition(":")
    sources = tuple(sorted(source for source in SOURCES if network_of(source) == network))
    if not sources or not account:
        return []
    bare = account.removeprefix("@")
    of = pseudonym(key, network)
    return [Target("author", of(name), sources, name) for name in dict.fromkeys((account, bare, bare.lower()))]


def _posts(lake: Lake) -> list[dict[str, Any]]:
    """Return post_id, url, author and source of every post that can be read, each once."""
    columns = ["post_id", "url", "author", "source"]
    found: list[pa.Table] = []
    for path in lake.files("posts"):
        try:
            found.append(lake.read(path, columns))
        except (DamagedFile, FileNotFoundError):
            continue  # `erase` tells of the damaged
    return pa.concat_tables(found).group_by(columns).aggregate([]).to_pylist() if found else []
