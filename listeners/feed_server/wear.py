"""What fingers and phones do to a sentence: typos, missing capitals, shouting, stretched words, dropped apostrophes."""

import re
from random import Random

_WORD = re.compile(r"(?<![\w@#/.:])[a-z]{5,}(?![\w@./])")
_STRETCH = {"so": "sooo", "no": "nooo", "please": "pleeease", "again": "agaaain", "love": "loooove", "ages": "aaages"}
_STRETCH |= {
    "wow": "woooow",
    "never": "neverrr",
    "really": "reaaally",
    "why": "whyyyy",
    "yes": "yesss",
    "ugh": "uggghh",
}
_SHORT = {"because": "bc", "you": "u", "your": "ur", "with": "w/", "people": "ppl", "though": "tho", "tonight": "2nite"}
_SHORT |= {"to be honest": "tbh", "honestly": "ngl", "customer service": "cust service", "right now": "rn"}
_SLIPS = {"definitely": "definately", "received": "recieved", "their": "there", "a lot": "alot", "it's": "its"}
_SLIPS |= {"don't": "dont", "can't": "cant", "won't": "wont", "I'm": "im", "they're": "their", "I've": "ive"}
_SHOUTS = ("never", "twice", "nobody", "again", "not", "still", "every", "one", "love", "finally", "now", "all")


def worn(random: Random, text: str, keep: tuple[str, ...] = ()) -> str:
    """Return the text as it might leave a phone; most texts come out as they went in. Words in `keep` stay whole."""
    if random.random() < 0.16:
        text = _typo(random, text, keep)
    if random.random() < 0.10:
        text = _replaced(random, text, _SLIPS)
    if random.random() < 0.06:
        text = _replaced(random, text, _SHORT)
    if random.random() < 0.05:
        text = _replaced(random, text, _STRETCH)
    if random.random() < 0.09:
        text = _replaced(random, text, {word: word.upper() for word in _SHOUTS})
    if random.random() < 0.05:
        text = text.replace("'", "’")
    elif random.random() < 0.12:
        text = text.replace("“", '"').replace("”", '"')
    if random.random() < 0.06:
        text = text.replace(". ", "... ", 1)
    if random.random() < 0.06 and text.endswith((".", "!", "?")):
        text += text[-1] * random.randint(1, 3)
    if random.random() < 0.11:
        text = _lowered(text)
    if random.random() < 0.015 and "http" not in text and len(text) < 160:
        text = text.upper()
    return text


def _typo(random: Random, text: str, keep: tuple[str, ...]) -> str:
    places = [found for found in _WORD.finditer(text) if found[0] not in keep]
    if not places:
        return text
    found = random.choice(places)
    word, at = found[0], random.randint(1, len(found[0]) - 2)
    broken = random.choice(
        (
            word[:at] + word[at + 1] + word[at] + word[at + 2 :],  # swapped
            word[:at] + word[at + 1 :],  # dropped
            word[:at] + word[at] + word[at:],  # doubled
        )
    )
    return text[: found.start()] + broken + text[found.end() :]


def _replaced(random: Random, text: str, table: dict[str, str]) -> str:
    present = [word for word in table if re.search(rf"\b{re.escape(word)}\b", text)]
    if not present:
        return text
    word = random.choice(present)
    return re.sub(rf"\b{re.escape(word)}\b", table[word], text, count=1)


def _lowered(text: str) -> str:
    """Lower case but for what is written after @, # or in a link."""
    return re.sub(r"(?<![\w@#/])[A-Z][\w']*", lambda found: found[0].lower(), text)
