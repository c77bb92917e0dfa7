"""The authors of the world: names, homes, followers, habits and what they allow.

Nobody here exists. Followers are log-normal, as on real networks: most have a hundred, a few have many thousands.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from listeners.feed_server.language import lists

HOME = "mouse.example"  # the instance this server plays; it federates with the others
_OTHER_HOMES = ("social.example", "toot.example", "fedi.example")

_REFUSALS = ("#nobot", "#noindex please", "#nobots, no scraping")


@dataclass(frozen=True)
class Author:
    """Someone who posts.

    home: the Mastodon instance the account lives on. note: the bio. indexable, noindex: Mastodon's opt-in to search and
    opt-out of indexing. is_brand: the account of a company.
    """

    name: str
    display_name: str
    home: str
    followers: int
    joined: datetime
    note: str = ""
    indexable: bool = False
    noindex: bool = False
    is_brand: bool = False

    @property
    def refuses(self) -> bool:
        """Whether the author asks not to be read by machines."""
        return self.noindex or any(word in self.note for word in ("#nobot", "#noindex"))


class People:
    """Makes authors with names nobody else has."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._taken: set[str] = set()

    def newcomer(self, joined_before: datetime, *, recent: bool = False) -> Author:
        """Return a new author, who joined within the last weeks where `recent`, else within the last years."""
        random = self._random
        first, last, thing, other_thing, trait = (
            random.choice(lists()[f"name.{part}"]) for part in ("first", "last", "thing", "thing", "trait")
        )
        name = random.choice(
            (
                f"{first}_{last}",
                f"{first}{last}",
                f"{trait}{thing}",
                f"{first}{random.randint(2, 99)}",
                f"{thing}_{other_thing}",
                f"{first[0]}{last}{random.randint(60, 99)}",
            )
        )
        while name in self._taken:
            name += str(random.randint(0, 9))
        self._taken.add(name)
        shown = random.choice(
            (f"{first.title()} {last.title()}", first.title(), f"{first.title()} {last[0].upper()}.", name)
        )
        note = random.choice((*lists()["bio"], ""))
        noindex = random.random() < 0.04
        if random.random() < 0.04:
            note = f"{note} {random.choice(_REFUSALS)}".strip()
        age = timedelta(days=random.uniform(1, 20)) if recent else timedelta(days=random.uniform(60, 2400))
        return Author(
            name=name,
            display_name=shown,
            home=HOME if random.random() < 0.6 else random.choice(_OTHER_HOMES),
            followers=round(random.lognormvariate(3.2 if recent else 4.7, 1.4)),
            joined=joined_before - age,
            note=note,
            indexable=not noindex and random.random() < 0.4,
            noindex=noindex,
        )

    def company(self, name: str, home: str, joined: datetime) -> Author:
        """Return the account of a brand."""
        handle = name.lower()
        self._taken.add(handle)
        note = f"Help from {name}, 8 to 20 h. Please no customer numbers in public."
        return Author(handle, f"{name} Help", home, 5_400, joined, note, indexable=True, is_brand=True)
