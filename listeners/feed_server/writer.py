"""Writes what one person says about one matter, in the manner of the place where they say it.

A post is made of a core line, which carries the truth (brand, aspect, sentiment, how the writer knows), and of lines
that may go with it. See language.py for where the lines come from.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from random import Random
from typing import TypeVar

from listeners.feed_server.brands import BRANDS, BY_NAME, WorldBrand
from listeners.feed_server.language import Speech, sentence
from listeners.feed_server.posts import Truth
from listeners.feed_server.wear import worn

Name = TypeVar("Name", str, int)

ASPECT_WEIGHTS = {
    "reliability": 22, "support": 16, "billing": 13, "price": 13, "delivery": 12, "staff": 10, "app": 8, "place": 4,
    "product": 5, "returns": 3, "privacy": 2, "employer": 2, "ethics": 2,
}  # fmt: skip
KNOWING = {"first_hand": 62, "second_hand": 20, "opinion": 18}
REVIEWERS_KNOW = {"first_hand": 95, "second_hand": 2, "opinion": 3}
KINDS = {"aspect": 68, "compare": 9, "switch": 6, "leaving": 2, "sarcasm": 4, "foreign": 17, "short": 3, "long": 4}
TECHNICAL = {"reliability", "product", "support", "app", "privacy"}  # what a forum of engineers goes into
MOODS = {-1: "negative", 0: "neutral", 1: "positive"}
EVENT_MOODS = {"launch": (8, 50, 42), "giveaway": (5, 55, 40), "auction": (0, 1, 0), "storm": (1, 0, 0)}
PLAIN = (  # places without @names and #tags
    "hackernews", "discourse", "lemmy", "stackexchange", "courier", "herald", "blog", "reviews"
)  # fmt: skip
HOSTS = ("", "", "www.", "shop.")
PATHS = ("help", "plans", "status", "jobs", "one", "shops", "news", "offers/500", "faq#porting")


@dataclass(frozen=True)
class Draft:
    """A text before it has an author and a time."""

    text: str
    truth: Truth
    title: str | None = None
    language: str | None = "en"
    rating: int | None = None
    spoiler: str = ""


@dataclass
class Matter:
    """What is to be said: the core line, what it means, and the words its slots got."""

    core: str
    truth: Truth
    mood: int
    words: dict[str, str]
    language: str = "en"
    more: str | None = None  # the list whose lines may follow
    alone: bool = False  # nothing else goes with it, as with adverts
    tone: str | None = None  # of what may stand around it; None: that of the mood


class Writer:
    """Draws matters and puts them into words. One writer per world, so that lines are used evenly."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.speech = Speech(random)

    # ---- what is said ----

    def brand(self) -> WorldBrand:
        """Return a brand, the much discussed more often."""
        return self.random.choices(BRANDS, [brand.weight for brand in BRANDS])[0]

    def matter(self, brand: WorldBrand, place: str, *, kind: str | None = None, mood: int | None = None) -> Matter:
        """Return something to say about the brand; `mood` fixes its sentiment."""
        if kind is None:
            kind = "aspect" if mood is not None else self._pick(KINDS)
        if place in PLAIN and kind in ("foreign", "short", "long"):
            kind = "aspect"
        match kind:
            case "short" | "long":
                return self._short_or_long(kind, brand, place)
            case "compare":
                return self._compare(brand, place)
            case "switch":
                return self._switch(brand, place)
            case "leaving":
                truth = Truth({brand.name: -1}, (), "first_hand", (brand.name, None, "done"))
                return self._said("leaving", truth, -1, self._words(brand, place))
            case "sarcasm":
                return self._said("sarcasm", Truth({brand.name: -1}, (), "first_hand"), -1, self._words(brand, place))
            case "foreign":
                return self._foreign(brand, place)
            case _:
                return self._aspect(brand, place, self._mood(brand.mood) if mood is None else mood)

    def event(self, name: str, brand: WorldBrand, place: str) -> Matter:
        """Return something to say within a planted event."""
        words = self._words(brand, place)
        mood = self._mood(EVENT_MOODS[name])
        if name == "storm":
            knowing = self._pick({"first_hand": 40, "second_hand": 46, "opinion": 14})
            matter = self._said(f"storm.{knowing}", Truth({brand.name: -1}, (), knowing, event=name), -1, words)
            matter.more = "storm.more"
            return matter
        aspects = {"launch": ("product",), "giveaway": (), "auction": ()}[name] if mood else ()
        knowing = {-1: "first_hand", 0: "unknown", 1: "first_hand"}[mood]
        return self._said(f"{name}.{MOODS[mood]}", Truth({brand.name: mood}, aspects, knowing, event=name), mood, words)

    def _aspect(self, brand: WorldBrand, place: str, mood: int) -> Matter:
        words = self._words(brand, place)
        if mood == 0:
            toots = place == "mastodon"
            name = self._pick({"question": 5, "question.toot": 1.2 * toots, "fact": 5, "advert": 1.5 * toots})
            matter = self._said(name, Truth({brand.name: 0}), 0, words)
            matter.alone = name in ("advert", "question.toot")
            return matter
        favoured = brand.troubles if mood < 0 else brand.strengths
        weights = {
            aspect: weight * (2.5 if aspect in favoured else 1)
            for aspect, weight in ASPECT_WEIGHTS.items()
            if any(self.speech.has(f"{aspect}.{MOODS[mood]}.{knowing}") for knowing in KNOWING)
        }
        aspect = self._pick(weights)
        stem = f"{aspect}.{MOODS[mood]}"
        knowing_weights = REVIEWERS_KNOW if place in ("reviews", "blog") else KNOWING
        knowing = self._pick(
            {way: weight for way, weight in knowing_weights.items() if self.speech.has(f"{stem}.{way}")}
        )
        matter = self._said(f"{stem}.{knowing}", Truth({brand.name: mood}, (aspect,), knowing), mood, words)
        matter.more = f"{stem}.more" if self.speech.has(f"{stem}.more") and knowing == "first_hand" else None
        return matter

    def _compare(self, brand: WorldBrand, place: str) -> Matter:
        rival = self._rival(brand)
        liked = brand.mood[2] / (brand.mood[2] + rival.mood[2])
        winner, loser = (brand, rival) if self.random.random() < liked else (rival, brand)
        name = self._pick({"compare": 8, "compare.opinion": 3, "compare.level": 2})
        words = self._words(winner, place, loser)
        if name == "compare.level":
            return self._said(name, Truth({winner.name: 0, loser.name: 0}, (), "first_hand"), 0, words, tone="compare")
        knowing = "opinion" if name == "compare.opinion" else "first_hand"
        return self._said(name, Truth({winner.name: 1, loser.name: -1}, (), knowing), 0, words, tone="compare")

    def _switch(self, brand: WorldBrand, place: str) -> Matter:
        rival = self._rival(brand)
        liked = brand.mood[2] / (brand.mood[2] + rival.mood[2])
        to, left = (brand, rival) if self.random.random() < liked else (rival, brand)
        name = self._pick(
            {"switch.done": 5, "switch.done.second_hand": 2, "switch.considered": 4, "switch.returned": 2}
        )
        status = name.split(".")[1]
        sentiments = {to.name: 0 if status == "considered" else 1, left.name: -1}
        knowing = "second_hand" if name.endswith("second_hand") else "first_hand"
        truth = Truth(sentiments, (), knowing, (left.name, to.name, status))
        tone = None if status == "considered" else "compare"
        return self._said(name, truth, 0, self._words(to, place, left), tone=tone)

    def _short_or_long(self, kind: str, brand: WorldBrand, place: str) -> Matter:
        """A bare exclamation, or a story told to its end; the lines of the long ones begin with their aspects."""
        mood = self.random.choices((-1, 1), (brand.mood[0], brand.mood[2]))[0]
        knowing = "opinion" if kind == "short" else "first_hand"
        name = f"short.{MOODS[mood]}" if kind == "short" else f"long.{MOODS[mood]}.first_hand"
        matter = self._said(name, Truth({brand.name: mood}, (), knowing), mood, self._words(brand, place))
        aspects, found, core = matter.core.partition(" :: ")
        if found:
            matter.core, matter.truth = core, replace(matter.truth, aspects=tuple(aspects.split()))
        matter.alone = True
        return matter

    def _foreign(self, brand: WorldBrand, place: str) -> Matter:
        language = self._pick({"de": 5, "fr": 4, "es": 4, "pt": 2, "it": 2, "nl": 3})
        mood = self._mood(brand.mood)
        truth = Truth({brand.name: mood}, (), "first_hand" if mood else "unknown")
        matter = self._said(f"{language}.{MOODS[mood]}", truth, mood, self._words(brand, place))
        matter.language = language
        return matter

    def _said(self, name: str, truth: Truth, mood: int, words: dict[str, str], *, tone: str | None = None) -> Matter:
        line = self.speech.draw(name)
        if "{person" in line.lower() and truth.experience == "first_hand" and name.startswith(("compare", "switch")):
            truth = replace(truth, experience="second_hand")
        if "{brand}'s" in line.lower() or "“{brand}" in line:  # nobody writes @acme@social.example's
            words = words | {"brand": words["name_of_brand"]}
        core = self.speech.fill(line, words)
        return Matter(core, truth, mood, words, tone=tone)

    # ---- how it is said ----

    def toot(self, matter: Matter, *, before: str = "", tagged: bool = True) -> Draft:
        """Return a short post: loose, with tags, faces and slips. `before` is how an answer begins."""
        random, speech = self.random, self.speech
        mood = matter.tone or MOODS[matter.mood]
        parts = [matter.core]
        native = matter.language == "en" and not matter.alone
        if native and not before and random.random() < 0.16:
            parts.insert(0, speech.say(f"opener.{mood}", matter.words))
        if native and matter.more and random.random() < 0.36:
            parts.append(speech.say(matter.more, matter.words))
        if native and random.random() < 0.24 and matter.truth.event != "storm":
            parts.append(speech.say(f"closer.{mood}", matter.words))
        if before:
            parts.insert(0, before)
        text = _joined(parts, loose=random.random() < 0.45)
        if matter.language == "en":
            text = worn(random, text, keep=tuple(brand.handle for brand in BRANDS))
        if random.random() < 0.2:
            text += " " + speech.say(f"emoji.{MOODS[matter.mood]}", {}) * random.choice((1, 1, 1, 2, 3))
        spoiler = (
            random.choice(("rant", "telecom", "customer service", "bills, money")) if random.random() < 0.02 else ""
        )
        truth = named(matter.truth, text)
        if tagged:
            text = self._tagged(text, truth, MOODS[matter.mood])
        return Draft(text, truth, language=matter.language, spoiler=spoiler)

    def comment(self, matter: Matter) -> Draft:
        """Return a forum comment: whole sentences, more of them, now and then in paragraphs."""
        random, speech = self.random, self.speech
        mood = MOODS[matter.mood]
        asks = matter.core.endswith("?") or (matter.mood == 0 and matter.tone is None)
        opener = speech.say("hn.opener", matter.words) if random.random() < 0.3 and not asks else ""
        parts = [_after(opener, matter.core)]
        if matter.more and random.random() < 0.6:
            parts.append(speech.say(matter.more, matter.words))
        if random.random() < 0.55 and not asks:
            technical = TECHNICAL & set(matter.truth.aspects) and random.random() < 0.6
            parts.append(speech.say(f"hn.{'technical' if technical else 'more'}.{mood}", matter.words))
        gap = "\n\n" if random.random() < 0.3 else " "
        text = gap.join(sentence(part) for part in parts)
        if random.random() < 0.3:
            text = worn(random, text, keep=tuple(brand.handle for brand in BRANDS))
        return Draft(text, named(matter.truth, text))

    def story(self, brand: WorldBrand, event: str | None = None) -> Draft:
        """Return a forum story: a title, and for some a text."""
        mood = -1 if event == "storm" else 0 if event else self._mood(brand.mood)
        words = self._words(brand, "hackernews")
        name = "storm.news" if event == "storm" else f"{event}.neutral" if event else f"hn.title.{MOODS[mood]}"
        title = _headline(self.speech.say(name, words))
        truth = Truth({brand.name: mood}, ("billing", "support") if event == "storm" else (), "unknown", event=event)
        text = ""
        if title.startswith(("Ask", "Tell", "Show")) or self.random.random() < 0.1:
            parts = [
                self.matter(brand, "hackernews", mood=mood) if not event else self.event(event, brand, "hackernews")
            ]
            text = " ".join(sentence(part.core) for part in parts)
            if mood:
                text += " " + sentence(self.speech.say(f"hn.more.{MOODS[mood]}", words))
            truth = replace(parts[0].truth, sentiments={brand.name: mood})
        return Draft(text, named(truth, f"{title} {text}"), title=title)

    def question(self, brand: WorldBrand) -> Draft:
        """Return a question to engineers: a title, and a text that says what was tried."""
        words = self._words(brand, "stackexchange")
        title = sentence(self.speech.say("qa.title", words)).rstrip(".")
        parts = [self.speech.say(f"qa.{part}", words) for part in ("setting", "tried", "end")]
        gap = "\n\n" if self.random.random() < 0.5 else " "
        text = gap.join(map(sentence, parts))
        return Draft(text, named(Truth({brand.name: 0}), f"{title} {text}"), title=title)

    def review(self, brand: WorldBrand, *, storm: bool = False) -> Draft:
        """Return a review with stars."""
        random, speech = self.random, self.speech
        mood = -1 if storm else self._pick({-1: brand.mood[0], 0: 0.14, 1: brand.mood[2]})
        words = self._words(brand, "reviews")
        title = sentence(speech.say(f"review.title.{MOODS[mood]}", words)).rstrip(".")
        if storm:
            matter = self.event("storm", brand, "reviews")
            parts = [matter.core, speech.say("storm.more", words)]
            truth = replace(
                matter.truth, experience="first_hand" if matter.truth.experience == "first_hand" else "second_hand"
            )
        elif mood == 0:
            good, bad = (self.matter(brand, "reviews", mood=side) for side in (1, -1))
            parts = [
                speech.say("review.start", words),
                good.core,
                "But " + _inside(bad.core),
                speech.say("review.middle", words),
            ]
            truth = Truth({brand.name: 0}, good.truth.aspects + bad.truth.aspects, "first_hand")
        else:
            first, second = (self.matter(brand, "reviews", mood=mood) for _ in range(2))
            parts = [speech.say("review.start", words), first.core]
            parts += [speech.say(first.more, first.words)] if first.more and random.random() < 0.6 else []
            both = random.random() < 0.55
            parts += [second.core] if both else []
            parts += [speech.say(f"review.but.{MOODS[mood]}", words)] if random.random() < 0.4 else []
            parts += [speech.say(f"closer.{MOODS[mood]}", words)] if random.random() < 0.5 else []
            aspects = first.truth.aspects + second.truth.aspects * both
            truth = replace(first.truth, aspects=aspects, experience="first_hand")
            if random.random() < 0.12:
                parts, truth = [first.core], replace(truth, aspects=first.truth.aspects)
        text = " ".join(sentence(part) for part in parts)
        text = worn(random, text, keep=tuple(known.handle for known in BRANDS)) if random.random() < 0.5 else text
        if brand.name.lower() not in text.lower() + title.lower():
            title = f"{brand.name}: {title[:1].lower()}{title[1:]}"
        rating = {-1: random.choice((1, 1, 1, 2)), 0: 3, 1: random.choice((4, 5, 5))}[mood]
        return Draft(
            text, named(replace(truth, aspects=tuple(dict.fromkeys(truth.aspects))), title + text), title, rating=rating
        )

    def news(self, brand: WorldBrand, event: str | None = None) -> Draft:
        """Return a headline with its first paragraph."""
        words = self._words(brand, "courier")
        if event:
            mood = -1 if event == "storm" else 0
            title = self.speech.say("storm.news" if event == "storm" else f"{event}.neutral", words)
            text = self.speech.say("storm.lead" if event == "storm" else "news_lead", words)
        else:
            mood = self._pick({-1: brand.mood[0] * 0.9, 0: 0.9, 1: brand.mood[2] * 0.5})
            title, _, text = self.speech.say(f"news.{MOODS[mood]}", words).partition(" :: ")
        title = _headline(title)
        aspects = ("billing", "support") if event == "storm" else ()
        truth = Truth({brand.name: mood}, aspects, "second_hand" if mood else "unknown", event=event)
        return Draft(text, named(truth, f"{title} {text}"), title=title)

    def blog(self, brand: WorldBrand, event: str | None = None) -> Draft:
        """Return a blog post of several paragraphs."""
        mood = -1 if event == "storm" else self._mood(brand.mood)
        side = MOODS[mood]
        words = self._words(brand, "blog")
        title = sentence(self.speech.say(f"blog.title.{side}", words)).rstrip(".")
        first = self.event(event, brand, "blog") if event else self.matter(brand, "blog", mood=mood)
        second = self.event(event, brand, "blog") if event else self.matter(brand, "blog", mood=mood)
        paragraphs = [
            f"{sentence(self.speech.say('review.start', words))} {sentence(first.core)}",
            self.speech.say(f"blog.para.{side}", words),
            sentence(second.core) + (" " + sentence(self.speech.say(second.more, second.words)) if second.more else ""),
            self.speech.say("blog.end", words),
        ]
        if self.random.random() < 0.4:
            paragraphs.insert(3, self.speech.say(f"blog.para.{side}", self._words(brand, "blog")))
        text = "\n\n".join(paragraphs)
        truth = replace(first.truth, aspects=tuple(dict.fromkeys(first.truth.aspects + second.truth.aspects)))
        truth = replace(truth, experience="first_hand" if mood else "unknown")
        return Draft(text, named(truth, f"{title} {text}"), title=title)

    def other(self, name: str, *, tag: str | None = None) -> Draft:
        """Return a post that means no brand: about the fish, the flower, or nothing of ours."""
        text = worn(self.random, sentence(self.speech.say(name, self._words(self.brand(), "hackernews"))))
        if tag and f"#{tag}" not in text:
            text += f" #{tag}"
        return Draft(text, Truth())

    def phrase(self, lines: str, brand: WorldBrand | None = None, **words: str) -> Draft:
        """Return one line of a list as it is, for small talk in threads."""
        known = self._words(brand or self.brand(), "mastodon") | words
        text = self.speech.say(lines, known)
        return Draft(text, named(Truth(), text))

    # ---- words ----

    def _words(self, brand: WorldBrand, place: str, rival: WorldBrand | None = None) -> dict[str, str]:
        rival = rival or self._rival(brand)
        return {
            "brand": self._spelling(brand, place),
            "name_of_brand": brand.name,
            "handle": brand.handle,
            "rival": self._spelling(rival, "hackernews" if self.random.random() < 0.7 else place),
            "link": f"https://{self.random.choice(HOSTS)}{brand.domain}/{self.random.choice(PATHS)}",
        }

    def _spelling(self, brand: WorldBrand, place: str) -> str:
        spellings = brand.spellings
        if place in PLAIN:
            spellings = {name: weight for name, weight in spellings.items() if name[0].isupper() and not name.isupper()}
        if place in ("courier", "herald", "blog"):
            spellings = {brand.name: 1}
        return self._pick(spellings)

    def _rival(self, brand: WorldBrand) -> WorldBrand:
        return self.random.choice([other for other in BRANDS if other is not brand])

    def _tagged(self, text: str, truth: Truth, mood: str) -> str:
        random = self.random
        tags: list[str] = []
        if random.random() < 0.72:
            tags += [
                f"#{random.choice((BY_NAME[name].name, BY_NAME[name].handle))}" for name in list(truth.sentiments)[:2]
            ]
        if random.random() < 0.4 or not tags:
            tags.append(random.choice(("#broadband", "#broadband", "#mobile")))
        if random.random() < 0.22:
            tags.append(self.speech.say(f"tags.{mood}", {}))
        if random.random() < 0.04:
            tags = []
        tags = [tag for tag in dict.fromkeys(tags) if tag.lower() not in text.lower()]
        if not tags:
            return text
        return text + random.choice((" ", " ", "\n\n")) + " ".join(tags)

    def _mood(self, weights: tuple[float, float, float]) -> int:
        return self.random.choices((-1, 0, 1), weights)[0]

    def _pick(self, weights: Mapping[Name, float]) -> Name:
        return self.random.choices(list(weights), list(weights.values()))[0]


def named(truth: Truth, text: str) -> Truth:
    """Return the truth of the brands the text names: those it says nothing about get 0, those it does not name go."""
    lower = text.lower()
    sentiments = {brand.name: truth.sentiments.get(brand.name, 0) for brand in BRANDS if brand.name.lower() in lower}
    aspects = truth.aspects
    if truth.event == "storm":
        support = re.search(r"support|hold|answer|picks? up|call|chat|phone|nobody|reach|line|email", lower)
        aspects = ("billing", *(("support",) if support else ()), *(("staff",) if "budget" in lower else ()))
    return replace(truth, sentiments=sentiments, aspects=aspects)


def _joined(parts: list[str], *, loose: bool) -> str:
    """The parts as one text. Loose writers skip the first capital and the last full stop."""
    text = ""
    for part in parts:
        only_a_name = text.startswith("@") and " " not in text
        if only_a_name or text.endswith((",", "but", "FYI", "So", "though")):
            text += " " + part
        elif not text:
            text = part
        else:
            text = (text if text.endswith(":") else sentence(text)) + " " + sentence(part).rstrip(".") * bool(part)
    if not loose:
        text = sentence(text)
    return text


def _after(opener: str, core: str) -> str:
    if not opener:
        return core
    return f"{opener} {core}" if opener[-1] in ",:t" else f"{opener} {sentence(core)}"


def _inside(text: str) -> str:
    """The text as it goes on within a sentence, unless it begins with a name."""
    first = text.split(" ", 1)[0]
    return (
        text if first.strip(",:'s") in {brand.name for brand in BRANDS} or first == "I" else text[:1].lower() + text[1:]
    )


def _headline(text: str) -> str:
    return text[:1].upper() + text[1:].rstrip(".")
