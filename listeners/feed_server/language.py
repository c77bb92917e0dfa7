"""The grammar that gives the world's people their words.

The phrases are in texts/*.txt, all written for this project. A file holds lists: a line `== name` begins one, every
further line is one alternative, `#` begins a comment. Inside a line

    [a|b|c]     one of these, also nested; an empty one is allowed: [really |]
    {slot}      one line of the list `slot`; the same slot gives the same words throughout one text
    {slot2}     another draw from the same list
    {Slot}      with a capital letter

`{person}` (and `{relative}`, for before 's) also sets {she}, {her} (possessive) and {him} to go with the person.
"""

import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from random import Random

Lists = Mapping[str, tuple[str, ...]]

_CHOICE = re.compile(r"\[([^\[\]]*)\]")
_SLOT = re.compile(r"\{(\w+)\}")
_AFTER_STOP = re.compile(r"(?<=\w[.!?] )[a-z]")
_PRONOUNS = {"f": ("she", "her", "her"), "m": ("he", "his", "him")}


@cache
def lists() -> Lists:
    """Return every list of texts/*.txt by name. Raises ValueError for a name given twice or a list without lines."""
    found: dict[str, list[str]] = {}
    for file in sorted(files("listeners.feed_server").joinpath("texts").iterdir(), key=lambda entry: entry.name):
        if not file.name.endswith(".txt"):
            continue
        name = ""
        for line in file.read_text(encoding="utf-8").splitlines():
            if line.startswith("== "):
                name = line[3:].strip()
                if name in found:
                    raise ValueError(f"{file.name}: the list {name!r} is there already")
                found[name] = []
            elif line.strip() and not line.startswith("# "):
                found[name].append(line.strip())
    if hollow := [name for name, lines in found.items() if not lines]:
        raise ValueError(f"lists without lines: {', '.join(hollow)}")
    return {name: tuple(lines) for name, lines in found.items()}


class Speech:
    """Draws lines from the lists so that a line comes back only after all others of its list have been used."""

    def __init__(self, random: Random, phrases: Lists | None = None) -> None:
        self.random = random
        self.phrases = lists() if phrases is None else phrases
        self._decks: dict[str, list[str]] = {}

    def draw(self, name: str) -> str:
        """Return a line of the list as written, slots and choices still open. Raises KeyError for an unknown list."""
        deck = self._decks.get(name)
        if not deck:
            deck = self._decks[name] = list(self.phrases[name])
            self.random.shuffle(deck)
        return deck.pop()

    def has(self, name: str) -> bool:
        """Whether there is such a list."""
        return name in self.phrases

    def say(self, name: str, words: dict[str, str]) -> str:
        """Return a line of the list with everything filled in."""
        return self.fill(self.draw(name), words)

    def fill(self, line: str, words: dict[str, str]) -> str:
        """Return the line with choices made and slots filled; what slots got is added to `words`."""
        while True:
            line, choices = _CHOICE.subn(lambda found: self.random.choice(found[1].split("|")), line)
            line, slots = _SLOT.subn(lambda found: self._word(found[1], words), line)
            if not choices and not slots:
                return " ".join(line.split()).replace(" , ", ", ")

    def _word(self, slot: str, words: dict[str, str]) -> str:
        key = slot.lower()
        if key not in words:
            if key in ("she", "her", "him"):  # spoken of before the person was chosen
                self._person(words)
            elif key in ("person", "relative"):
                return self._capital(slot, self._person(words, key))
            else:
                words[key] = self.fill(self.draw(key.rstrip("0123456789")), words)
        return self._capital(slot, words[key])

    def _person(self, words: dict[str, str], slot: str = "person") -> str:
        gender, _, who = self.draw(slot).partition(" ")
        words[slot] = self.fill(who, words)
        words["she"], words["her"], words["him"] = _PRONOUNS[gender]
        return words[slot]

    @staticmethod
    def _capital(slot: str, text: str) -> str:
        return text[:1].upper() + text[1:] if slot[0].isupper() else text


def sentence(text: str) -> str:
    """Return the text with capitals where sentences begin and a full stop where it has no end mark."""
    text = _AFTER_STOP.sub(lambda found: found[0].upper(), text[:1].upper() + text[1:])
    return text if text[-1:] in '.!?…)”"' or not text[-1:].isalnum() else text + "."
