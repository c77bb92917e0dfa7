"""The world the built-in feed server shows: who says what, where and when.

Everything in it is made up and written for this project. Besides the daily hum of four providers there are three benign
bursts and one storm; nothing else is planted:

    giveaway   Larkspur gives away football tickets, 20 days before the end: loud and cheerful
    auction    Bluefin and the others bid for radio spectrum, 14 days before: loud and neutral
    launch     Northlink presents a plan, 9 days before: loud, mostly pleased
    storm      Telvane takes a payment twice, support is silent and an agent's remark goes round; it begins 6 hours
               before the end and grows until the end, much of it hearsay and reposts, by many who never posted before
"""

import bisect
import math
import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property, partial
from itertools import accumulate
from random import Random
from typing import NamedTuple

from listeners.feed_server.brands import BRANDS, BY_NAME, WorldBrand
from listeners.feed_server.people import Author, People
from listeners.feed_server.posts import Place, Truth, WorldPost
from listeners.feed_server.seasons import NEWSROOM_HOURS, NEWSROOM_WEEKDAYS, fading, growing, moments
from listeners.feed_server.writer import Draft, Writer, named

STORM_BRAND = "Telvane"
STORM_LASTS = timedelta(hours=6)

# Posts besides the planted ones, by place; the newsrooms and blogs get a fixed small part.
_SHARES: dict[Place, float] = {
    "mastodon": 0.49, "hackernews": 0.26, "reviews": 0.135, "discourse": 0.025, "lemmy": 0.022, "stackexchange": 0.013,
    "courier": 0.025, "blog": 0.017,
}  # fmt: skip
_SMALL: tuple[Place, ...] = ("discourse", "lemmy")  # where threads go on for days, and more of them are begun
_EDITABLE: tuple[Place, ...] = ("mastodon", "discourse", "lemmy", "stackexchange")


@dataclass(frozen=True)
class _Burst:
    """A planted event: how many posts at each place, when, and how it spreads."""

    name: str
    brand: str
    days_before: float
    hours: float
    posts: dict[Place, int]


class _Planned(NamedTuple):
    """A post to be written: when, where, and within which event about which brand."""

    at: datetime
    place: Place
    event: str | None = None
    brand: str | None = None


_BURSTS = (
    _Burst("giveaway", "Larkspur", 20, 30, {"mastodon": 62, "hackernews": 3, "courier": 2}),
    _Burst("auction", "Bluefin", 14, 20, {"mastodon": 22, "hackernews": 16, "courier": 3, "blog": 1}),
    _Burst("launch", "Northlink", 9, 26, {"mastodon": 52, "hackernews": 18, "reviews": 3, "courier": 2, "blog": 2}),
)
_STORM: dict[Place, int] = {
    "mastodon": 104, "hackernews": 34, "reviews": 14, "discourse": 4, "lemmy": 4, "courier": 4, "blog": 2
}  # fmt: skip


@dataclass(frozen=True)
class World:
    """Everything anybody posted, oldest first; `posts[n].id == n`."""

    seed: int
    until: datetime
    posts: tuple[WorldPost, ...]

    def visible(self, now: datetime, *places: Place) -> Sequence[WorldPost]:
        """Return the posts of these places (of all, if none is named) published by then, oldest first."""
        there = self._by_place[places] if len(places) == 1 else self.posts if not places else None
        if there is None:
            there = tuple(post for post in self.posts if post.place in places)
        return there[: bisect.bisect_right(there, now, key=lambda post: post.published_at)]

    def answers(self, post: WorldPost, now: datetime) -> list[WorldPost]:
        """Return the direct answers to a post published by then, oldest first."""
        return [answer for answer in self._answers.get(post.id, ()) if answer.published_at <= now]

    @cached_property
    def _by_place(self) -> dict[tuple[Place, ...], tuple[WorldPost, ...]]:
        sorted_out: dict[tuple[Place, ...], list[WorldPost]] = defaultdict(list)
        for post in self.posts:
            sorted_out[(post.place,)].append(post)
        return defaultdict(tuple, {place: tuple(posts) for place, posts in sorted_out.items()})

    @cached_property
    def _answers(self) -> dict[int, list[WorldPost]]:
        answers: dict[int, list[WorldPost]] = defaultdict(list)
        for post in self.posts:
            if post.parent is not None:
                answers[post.parent].append(post)
        return answers


def make_world(seed: int, until: datetime, days: int = 35, posts: int = 2_700) -> World:
    """Return the same world for the same arguments: about `posts` posts besides the planted ones, which end at `until`.

    until: with a time zone. Raises ValueError without one. Takes about a second.
    """
    if until.tzinfo is None:
        raise ValueError("until needs a time zone")
    return _Making(seed, until.astimezone(UTC).replace(microsecond=0), days, posts).world()


class _Making:
    """A world in the making. Posts are written in the order of time, so that answers find what they answer."""

    def __init__(self, seed: int, until: datetime, days: int, posts: int) -> None:
        self.seed, self.until, self.start, self.count = seed, until, until - timedelta(days=days), posts
        self.random = Random(f"word of mouse {seed}")  # noqa: S311 - a play, not a secret
        self.writer = Writer(self.random)
        self.people = People(self.random)
        self.companies = {brand.name: self.people.company(brand.name, brand.home, self.start) for brand in BRANDS}
        crowd = max(20, posts // 4)
        self.crowd = [self.people.newcomer(self.start) for _ in range(crowd)]
        zeal = [min(self.random.paretovariate(1.1), 30) for _ in range(crowd)]  # a few post a lot
        self.cumulative = list(accumulate(zeal))
        self.posts: list[WorldPost] = []
        self.at: dict[Place, list[WorldPost]] = defaultdict(list)
        self.texts: set[str] = set()

    def world(self) -> World:
        for at, place, event, brand in sorted(self._schedule(), key=lambda planned: (planned.at, planned.place)):
            {
                "mastodon": self._toot,
                "hackernews": partial(self._forum, "hackernews"),
                "discourse": partial(self._forum, "discourse"),
                "lemmy": partial(self._forum, "lemmy"),
                "stackexchange": self._question,
                "reviews": self._review,
                "courier": self._news,
                "herald": self._wire_copy,
                "blog": self._blog,
            }[place](at, event, BY_NAME[brand] if brand else self.writer.brand())
        return World(self.seed, self.until, tuple(self.posts))

    def _schedule(self) -> list[_Planned]:
        random, start, until = self.random, self.start, self.until
        planned: list[_Planned] = []
        for place, share in _SHARES.items():
            season = (NEWSROOM_HOURS, NEWSROOM_WEEKDAYS) if place == "courier" else ()
            planned += [_Planned(at, place) for at in moments(random, round(self.count * share), start, until, *season)]
        for burst in _BURSTS:
            begins = until - timedelta(days=burst.days_before)
            if begins < start:
                continue
            for place, count in burst.posts.items():
                times = fading(random, count, begins, begins + timedelta(hours=burst.hours))
                planned += [_Planned(at, place, burst.name, burst.brand) for at in times]
        for place, count in _STORM.items():
            hold = timedelta(hours=1.2) if place in ("courier", "blog") else timedelta()  # newsrooms need a while
            times = growing(random, count, until - STORM_LASTS + hold, until)
            planned += [_Planned(at, place, "storm", STORM_BRAND) for at in times]
        copies = [
            post._replace(at=post.at + timedelta(minutes=random.randint(8, 140)), place="herald")
            for post in planned
            if post.place == "courier" and random.random() < 0.5
        ]
        return planned + [copy for copy in copies if copy.at <= until]

    # ---- places ----

    def _toot(self, at: datetime, event: str | None, brand: WorldBrand) -> None:
        random, writer = self.random, self.writer
        author = self._author(at, event)
        recent = [post for post in self.at["mastodon"][-60:] if at - post.published_at < timedelta(hours=30)]
        if event == "storm":
            self._storm_toot(at, author, brand, [post for post in recent if post.truth.event == "storm"])
            return
        if event:
            self._add("mastodon", author, at, self._fresh(lambda: writer.toot(writer.event(event, brand, "mastodon"))))
            return
        chance = random.random()
        if chance < 0.06:
            kind = random.choice(("no_brand", "bluefin.other", "larkspur.other"))
            tag = kind.split(".")[0] if "." in kind and random.random() < 0.6 else None
            self._add("mastodon", author, at, self._fresh(lambda: writer.other(kind, tag=tag)))
        elif chance < 0.21 and recent:
            self._answer(at, author, random.choice(recent))
        elif chance < 0.24 and any(post.truth.sentiments for post in recent):
            quoted = random.choice([post for post in recent if post.truth.sentiments])
            name, mood = next(iter(quoted.truth.sentiments.items()))
            truth = Truth({name: mood}, (), "second_hand" if mood else "unknown")
            side = {-1: "negative", 0: "neutral", 1: "positive"}[mood]
            self._add("mastodon", author, at, self._quote(BY_NAME[name], truth, side), quotes=quoted.id)
        else:
            self._add("mastodon", author, at, self._fresh(lambda: writer.toot(writer.matter(brand, "mastodon"))))

    def _storm_toot(self, at: datetime, author: Author, brand: WorldBrand, told: list[WorldPost]) -> None:
        random, writer = self.random, self.writer
        original = random.choice([post for post in told if post.truth.copy_of is None] or [None])
        chance = random.random() if original else 1.0
        if original and chance < 0.2:
            reposted = f"RT @{original.author.name}: {original.text}"
            text = reposted if random.random() < 0.5 and len(reposted) <= 500 else original.text
            truth = replace(original.truth, experience="second_hand", copy_of=original.id)
            self._add("mastodon", author, at, Draft(text, truth, language=original.language))
        elif original and chance < 0.31:
            truth = Truth({brand.name: -1}, (), "second_hand", event="storm")
            self._add("mastodon", author, at, self._quote(brand, truth, "negative"), quotes=original.id)
        else:
            parent = original if chance < 0.42 else None
            before = f"@{parent.author.name} {writer.speech.say('reply.agree', {})}" if parent else ""
            draft = self._fresh(lambda: writer.toot(writer.event("storm", brand, "mastodon"), before=before))
            self._add("mastodon", author, at, draft, parent=parent)

    def _quote(self, brand: WorldBrand, truth: Truth, side: str) -> Draft:
        def write() -> Draft:
            draft = self.writer.phrase(f"quote_comment.{side}", brand)
            return replace(draft, text=f"{draft.text} #{brand.handle}", truth=named(truth, draft.text))

        return self._fresh(write)

    def _answer(self, at: datetime, author: Author, parent: WorldPost) -> None:
        random, writer = self.random, self.writer
        at_name = f"@{parent.author.name}"
        about = next(iter(parent.truth.sentiments), None)
        chance = random.random()
        quiet = about is None or not parent.truth.sentiments[about]
        if about is None or chance < (0.75 if quiet else 0.3):
            draft = self._fresh(lambda: writer.phrase("reply.nameless"))
            self._add(
                "mastodon", author, at, replace(draft, text=f"{at_name} {draft.text}", truth=Truth()), parent=parent
            )
        elif (quiet or chance < 0.45) and not parent.author.is_brand:
            first_name = parent.author.display_name.split(" ")[0]
            draft = writer.phrase("brand_account", BY_NAME[about], name=first_name)
            text = f"{at_name} {draft.text}"
            account = self.companies[about]
            self._add("mastodon", account, at, replace(draft, text=text), parent=parent)
        else:
            mood = parent.truth.sentiments[about]
            agrees = random.random() < 0.7
            mood = mood if agrees else -mood
            before = f"{at_name} " + writer.speech.say("reply.agree" if agrees or not mood else "reply.disagree", {})
            if not mood:
                before = at_name
            draft = self._fresh(
                lambda: writer.toot(
                    writer.matter(BY_NAME[about], "mastodon", mood=mood), before=before, tagged=random.random() < 0.5
                )
            )
            self._add("mastodon", author, at, draft, parent=parent)

    def _forum(self, place: Place, at: datetime, event: str | None, brand: WorldBrand) -> None:
        random, writer = self.random, self.writer
        alive = timedelta(hours=200 if place in _SMALL else 40)
        recent = [post for post in self.at[place][-150:] if at - post.published_at < alive]
        stories = [post for post in recent if post.title is not None and post.truth.event == event]
        author = self._author(at, event)
        wanted = 0.04 if event else 0.35 if place in _SMALL else 0.11
        if not stories or random.random() < wanted:
            draft = self._fresh(lambda: writer.story(brand, event))
            link = None if draft.text else f"https://{random.choice(_PAPERS)}/{_slug(draft.title or '')}"
            if place != "hackernews":
                draft = replace(draft, title=_OF_THE_PLACE.sub("", draft.title or ""))
            if place == "discourse" and link:  # where a topic is what its author writes
                draft, link = replace(draft, text=f"Found this, what do you think? {link}"), None
            self._add(place, author, at, draft, link=link)
            return
        fitting = [story for story in stories if brand.name in story.truth.sentiments]
        story = random.choice(fitting or stories)
        answers = [post for post in recent if post.root == story.id]
        parent = random.choice(answers) if answers and random.random() < 0.45 else story
        if event:
            draft = self._fresh(lambda: writer.comment(writer.event(event, brand, "hackernews")))
        elif random.random() < 0.12:
            draft = self._fresh(lambda: writer.other("tech_comment"))
        else:
            draft = self._fresh(lambda: writer.comment(writer.matter(brand, "hackernews")))
        self._add(place, author, at, draft, parent=parent)

    def _question(self, at: datetime, event: str | None, brand: WorldBrand) -> None:
        draft = self._fresh(lambda: self.writer.question(brand))
        self._add("stackexchange", self._author(at, event), at, draft)

    def _review(self, at: datetime, event: str | None, brand: WorldBrand) -> None:
        draft = self._fresh(lambda: self.writer.review(brand, storm=event == "storm"))
        if event:
            draft = replace(draft, truth=replace(draft.truth, event=event))
        self._add("reviews", self._author(at, event), at, draft)

    def _news(self, at: datetime, event: str | None, brand: WorldBrand) -> None:
        desk = self._byline()
        self._add("courier", desk, at, self._fresh(lambda: self.writer.news(brand, event)))

    def _wire_copy(self, at: datetime, event: str | None, brand: WorldBrand) -> None:
        copied = {post.truth.copy_of for post in self.at["herald"]}
        recent = [post for post in self.at["courier"][-6:] if post.id not in copied and post.truth.event == event]
        if recent:
            original = recent[-1]
            truth = replace(original.truth, copy_of=original.id)
            self._add("herald", self._byline(), at, Draft(original.text, truth, title=original.title))

    def _blog(self, at: datetime, event: str | None, brand: WorldBrand) -> None:
        planted = event if event in ("storm",) else None
        draft = self._fresh(lambda: self.writer.blog(brand, planted))
        self._add("blog", self._author(at, None), at, draft)

    # ---- pieces ----

    def _author(self, at: datetime, event: str | None) -> Author:
        if self.random.random() < {None: 0.0, "storm": 0.7}.get(event, 0.3):
            return self.people.newcomer(at, recent=self.random.random() < 0.5)
        place = self.random.random() * self.cumulative[-1]
        return self.crowd[bisect.bisect_left(self.cumulative, place)]

    def _byline(self) -> Author:
        return self.crowd[self.random.randrange(4)]

    def _fresh(self, write: Callable[[], Draft]) -> Draft:
        """Write until the text is new; after a dozen tries small talk may repeat itself."""
        draft = write()
        for _ in range(12):
            if _norm(draft) not in self.texts:
                break
            draft = write()
        self.texts.add(_norm(draft))
        return draft

    def _add(
        self,
        place: Place,
        author: Author,
        at: datetime,
        draft: Draft,
        *,
        parent: WorldPost | None = None,
        quotes: int | None = None,
        link: str | None = None,
    ) -> None:
        random = self.random
        warmth = random.lognormvariate(0.2, 1.1) * (1 + math.log10(1 + author.followers) / 2)
        seen_as = random.random()
        edited = None
        if place in _EDITABLE and random.random() < 0.025:
            note = self.writer.speech.say("edit", {})
            edited = (at + timedelta(minutes=random.randint(2, 95)), f"{draft.text}\n\n{note}")
        post = WorldPost(
            id=len(self.posts),
            place=place,
            author=author,
            published_at=at,
            text=draft.text,
            truth=draft.truth,
            title=draft.title,
            link=link,
            language=None if random.random() < 0.05 else draft.language,
            parent=parent.id if parent else None,
            root=(parent.root if parent.root is not None else parent.id) if parent else None,
            quotes=quotes,
            likes=int(warmth * (4 if draft.truth.event == "storm" else 2)),
            shares=int(warmth * (3 if draft.truth.event == "storm" else 0.6)),
            rating=draft.rating,
            spoiler=draft.spoiler,
            visibility="unlisted" if seen_as < 0.015 else "private" if seen_as < 0.02 else "public",
            edited=edited,
        )
        self.posts.append(post)
        self.at[place].append(post)


_PAPERS = ("courier.example", "cablewatch.example", "packetpost.example", "lastmile.example", "tariffs.example")


_OF_THE_PLACE = re.compile(r"^(Ask|Tell|Show) HN: ")  # how titles begin there, and nowhere else
_MARKS = re.compile(r"\s*[#@]\w+(@[\w.]+)?")


def _slug(title: str) -> str:
    kept = "".join(letter if letter.isalnum() else "-" for letter in title.lower())
    return "-".join(filter(None, kept.split("-")))[:60].strip("-")


def _norm(draft: Draft) -> str:
    """What must differ between posts: the words without tags and names."""
    return _MARKS.sub("", f"{draft.title or ''} {draft.text}".lower()).strip(" .!?")
