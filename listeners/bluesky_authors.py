"""Who wrote posts of Bluesky: whether they may be stored, and how many follow the author.

Source: GET {profiles_url}?actors=DID&actors=DID..., app.bsky.actor.getProfiles (bluesky-social/atproto lexicons,
2026-11). No token. Limits: 25 accounts a request; 3,000 requests per 5 minutes and address, told in RateLimit-*.

An author refuses with the label !no-unauthenticated ("no_unauthenticated"), which asks not to be shown to whoever is
not logged in, or with #nobot, #nobots or #noindex in the profile ("nobot"). An account without a profile is closed or
hidden: what it wrote is not stored either ("no_profile"). Where a whole answer holds no profile, one account is asked
for by itself, which tells a silent server (FAULTS 7) from accounts that went. There is no place to opt in.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from listeners.bluesky_record import NOT_FOR_STRANGERS
from listeners.consent import refuses, without_opt_in
from listeners.feed import FeedFormatChanged, FeedUnavailable, Visit
from listeners.plain_text import clean
from listeners.post import LeftOut

ACCOUNTS_A_REQUEST = 25
REMEMBERED = 100_000  # authors; who comes later is asked for again


@dataclass(frozen=True)
class Author:
    """refusal: why nothing of the author may be stored, or None. followers: None where that is not told."""

    refusal: str | None
    followers: object = None


NOBODY = Author("no_profile")


@dataclass
class Authors:
    """The authors that one visit has met, by DID."""

    visit: Visit
    profiles_url: str
    known: dict[str, Author] = field(default_factory=dict)

    async def meet(self, dids: Iterable[str]) -> None:
        """Ask for the profiles of those not met before.

        Raises as FeedClient.get does, so that nothing is stored whose author was not asked for; FeedFormatChanged where
        an answer is no list of profiles. With consent "opt_in" nobody need be asked.
        """
        if self.visit.consent == "opt_in":
            return
        dids = list(dids)
        if len(self.known) > REMEMBERED:
            self.known = {did: self.known[did] for did in dids if did in self.known}
        new = [did for did in dict.fromkeys(dids) if did not in self.known]
        for start in range(0, len(new), ACCOUNTS_A_REQUEST):
            asked = new[start : start + ACCOUNTS_A_REQUEST]
            found = await self._profiles(asked)
            self.known.update({did: found.get(did, NOBODY) for did in asked})

    def consent(self, did: str) -> str:
        """Return the consent of a post by this author, who was met. Raises LeftOut."""
        stated = without_opt_in(self.visit)
        if (refusal := self.known[did].refusal) is not None:
            raise LeftOut(refusal)
        return stated

    async def _profiles(self, dids: list[str]) -> dict[str, Author]:
        client, feed = self.visit.client, self.visit.feed
        reply = await client.get(f"{self.profiles_url}?{urlencode([('actors', did) for did in dids])}")
        answer = reply.json()
        profiles = answer.get("profiles") if isinstance(answer, dict) else None
        if not isinstance(profiles, list):
            raise FeedFormatChanged(feed.id, f"{self.profiles_url}: JSON without a list `profiles`")
        found = {did: author for did, author in map(_author, profiles) if did is not None}
        if not found:
            alone = await client.get(self.profiles_url.removesuffix("s"), {"actor": dids[0]}, answers={400})
            if alone.status != 400:  # "Profile not found", "Account has been suspended" and the like are 400
                raise FeedUnavailable(feed.id, f"{self.profiles_url}: no profile of {len(dids)}, though there is one")
        return found


def labelled(labels: Any) -> bool:
    """Return whether the labels of an account or a post say that it is not for those who are not logged in."""
    if not isinstance(labels, list):
        return False
    return any(
        isinstance(label, dict) and label.get("val") == NOT_FOR_STRANGERS and label.get("neg") is not True
        for label in labels
    )


def _author(profile: Any) -> tuple[str | None, Author]:
    """A profile's DID and what it says; None where it is no profile."""
    did = profile.get("did") if isinstance(profile, dict) else None
    if not isinstance(did, str):
        return None, NOBODY
    about = profile.get("description")
    if labelled(profile.get("labels")):
        return did, Author("no_unauthenticated")
    if isinstance(about, str) and refuses(clean(about)):
        return did, Author("nobot")
    return did, Author(None, profile.get("followersCount"))
