"""What is planted in the world is there, and nothing else stands out."""

import re
from collections import Counter
from datetime import UTC, datetime, timedelta, timezone
from random import Random
from statistics import mean, quantiles

import pytest

from listeners.feed_server import World, make_world
from listeners.feed_server.brands import BRANDS
from listeners.feed_server.language import Speech, lists
from listeners.feed_server.markup import hashtags
from listeners.feed_server.seasons import moments
from listeners.feed_server.world import STORM_LASTS

LABELS = {
    "product", "reliability", "price", "billing", "delivery", "support", "staff", "place", "app", "returns", "privacy",
    "employer", "ethics",
}  # fmt: skip


def storm(world: World):
    return [post for post in world.posts if post.truth.event == "storm"]


def test_the_same_seed_and_end_make_the_same_world(world: World):
    assert make_world(seed=7, until=world.until).posts == world.posts


def test_the_end_may_be_given_in_any_time_zone(world: World):
    elsewhere = world.until.astimezone(timezone(timedelta(hours=-5)))
    assert [post.text for post in make_world(seed=7, until=elsewhere).posts[:50]] == [
        post.text for post in world.posts[:50]
    ]


def test_another_seed_makes_another_world(world: World):
    other = make_world(seed=8, until=world.until, days=3, posts=200)
    told = {post.text for post in world.posts}
    assert sum(post.text in told for post in other.posts) < 0.1 * len(other.posts)


def test_an_end_without_a_time_zone_is_refused():
    with pytest.raises(ValueError, match="time zone"):
        make_world(seed=7, until=datetime(2026, 11, 20))  # noqa: DTZ001


@pytest.mark.parametrize("days", [1, 2, 10])
def test_a_short_world_works_and_still_ends_in_the_storm(days: int):
    small = make_world(seed=1, until=datetime(2026, 3, 1, 3, tzinfo=UTC), days=days, posts=60)
    assert len(storm(small)) > 120
    assert all(post.published_at <= small.until for post in small.posts)


def test_it_is_as_large_as_promised(world: World):
    places = Counter(post.place for post in world.posts)
    assert 2_800 < len(world.posts) < 3_300
    assert 0.50 < places["mastodon"] / len(world.posts) < 0.60
    assert 0.22 < places["hackernews"] / len(world.posts) < 0.30
    assert len({post.author.name for post in world.posts}) > 400
    assert world.until - timedelta(days=35) <= world.posts[0].published_at


def test_ids_are_positions_in_time(world: World):
    assert [post.id for post in world.posts] == list(range(len(world.posts)))
    assert all(a.published_at <= b.published_at for a, b in zip(world.posts, world.posts[1:], strict=False))


def test_answers_and_quotes_come_after_what_they_answer(world: World):
    for post in world.posts:
        if post.parent is not None:
            parent = world.posts[post.parent]
            assert parent.published_at <= post.published_at
            assert parent.place == post.place
            assert post.root == (parent.root if parent.root is not None else parent.id)
        if post.quotes is not None:
            assert world.posts[post.quotes].published_at <= post.published_at


def test_every_named_brand_is_judged_and_no_unnamed_one(world: World):
    for post in world.posts:
        text = f"{post.title or ''} {post.text}".lower()
        named = {brand.name for brand in BRANDS if brand.name.lower() in text}
        assert set(post.truth.sentiments) <= named, post
        if not named <= set(post.truth.sentiments):
            assert not post.truth.sentiments, post  # the fish and the flower


def test_truths_use_the_words_of_the_labels(world: World):
    for post in world.posts:
        assert set(post.truth.sentiments.values()) <= {-1, 0, 1}
        assert set(post.truth.aspects) <= LABELS
        assert post.truth.experience in {"first_hand", "second_hand", "opinion", "unknown"}


def test_no_mention_repeats_another_unless_it_is_meant_to(world: World):
    own = [post for post in world.posts if post.truth.copy_of is None and post.truth.sentiments]
    told = Counter(f"{post.title or ''} {post.text}".lower() for post in own)
    assert [text for text, times in told.items() if times > 1] == []


def test_texts_differ_in_more_than_their_tags(world: World):
    own = [post for post in world.posts if post.truth.copy_of is None and post.truth.sentiments and post.text]
    bare = Counter(re.sub(r"\W+|#\w+", " ", re.sub(r"#\w+|@\w+", "", post.text.lower())).strip() for post in own)
    repeated = sum(times for times in bare.values() if times > 1)
    assert repeated / len(own) < 0.04


def test_copies_carry_the_text_of_what_they_copy(world: World):
    copies = [post for post in world.posts if post.truth.copy_of is not None]
    assert len(copies) > 20
    assert all(post.text.endswith(world.posts[post.truth.copy_of or 0].text) for post in copies)


def test_no_slot_or_choice_is_left_open(world: World):
    assert [post.text for post in world.posts if re.search(r"[{}|\[\]]", f"{post.title or ''} {post.text}")] == []


def test_a_toot_has_at_most_500_characters(world: World):
    assert max(len(post.text) for post in world.posts if post.place == "mastodon") <= 500


def test_the_brands_differ_in_how_they_are_spoken_of(world: World):
    def net(brand: str) -> float:
        return mean(
            post.truth.sentiments[brand]
            for post in world.posts
            if brand in post.truth.sentiments and post.truth.event is None
        )

    assert net("Larkspur") > 0.2 > net("Northlink") > net("Telvane") - 0.02
    assert net("Telvane") < 0


def test_there_are_other_languages_fish_and_flowers(world: World):
    languages = Counter(post.language for post in world.posts)
    assert 0.04 < sum(languages[code] for code in ("de", "fr", "es", "pt", "it", "nl")) / len(world.posts) < 0.08
    others = [post.text.lower() for post in world.posts if not post.truth.sentiments]
    assert sum("bluefin" in text for text in others) > 10
    assert sum("larkspur" in text for text in others) > 10


def test_people_sleep_at_night_and_newsrooms_on_sundays(world: World):
    hours = Counter(post.published_at.hour for post in world.posts if post.truth.event is None)
    assert sum(hours[hour] for hour in (18, 19, 20)) > 5 * sum(hours[hour] for hour in (2, 3, 4))
    news = Counter(
        post.published_at.weekday() for post in world.posts if post.place == "courier" and not post.truth.event
    )
    assert news[6] <= 4


class TestStorm:
    def test_it_fills_the_last_six_hours_and_grows_to_the_end(self, world: World):
        posts = storm(world)
        assert 120 <= len(posts) <= 200
        assert all(world.until - STORM_LASTS <= post.published_at <= world.until for post in posts)
        age = [(world.until - post.published_at) / timedelta(hours=1) for post in posts]
        thirds = [sum(low <= hours < low + 2 for hours in age) for low in (4, 2, 0)]
        assert thirds[0] < thirds[1] < thirds[2]
        assert max(age) > 4.5

    def test_it_is_negative_of_one_brand_in_many_places(self, world: World):
        posts = storm(world)
        assert {post.truth.sentiments.get("Telvane") for post in posts} == {-1}
        assert {post.place for post in posts} >= {"mastodon", "hackernews", "reviews", "courier"}
        assert sum("billing" in post.truth.aspects for post in posts) > 0.8 * len(posts)

    def test_much_of_it_is_hearsay_copies_and_newcomers(self, world: World):
        posts = storm(world)
        assert sum(post.truth.experience == "second_hand" for post in posts) > 0.4 * len(posts)
        assert sum(post.truth.copy_of is not None for post in posts) > 0.05 * len(posts)
        before = {post.author.name for post in world.posts if post.truth.event != "storm"}
        assert sum(post.author.name not in before for post in posts) > 0.5 * len(posts)

    def test_no_other_hour_has_so_many_complaints(self, world: World):
        negatives: Counter[tuple[str, datetime]] = Counter()
        for post in world.posts:
            for brand, sentiment in post.truth.sentiments.items():
                if sentiment < 0:
                    negatives[brand, post.published_at.replace(minute=0, second=0)] += 1
        stormy = max(times for (_, at), times in negatives.items() if at > world.until - STORM_LASTS)
        calm = max(times for (_, at), times in negatives.items() if at < world.until - timedelta(hours=7))
        assert stormy > 3 * calm


@pytest.mark.parametrize(
    ("event", "brand", "days"), [("giveaway", "Larkspur", 20), ("auction", "Bluefin", 14), ("launch", "Northlink", 9)]
)
def test_bursts_are_loud_and_benign(world: World, event: str, brand: str, days: int):
    posts = [post for post in world.posts if post.truth.event == event and brand in post.truth.sentiments]
    assert len(posts) >= 30
    assert all(timedelta(days=days - 2) < world.until - post.published_at <= timedelta(days=days) for post in posts)
    negative = sum(post.truth.sentiments[brand] < 0 for post in posts) / len(posts)
    assert negative < 0.2
    per_day = Counter(post.published_at.date() for post in world.posts if brand in post.truth.sentiments)
    assert max(per_day.values()) > quantiles(per_day.values(), n=10)[7] * 1.4


def test_some_people_ask_to_be_left_alone(world: World):
    refused = [post for post in world.posts if not post.is_for_listeners and post.place == "mastodon"]
    assert 0.03 < len(refused) / sum(post.place == "mastodon" for post in world.posts) < 0.2
    assert any("#nobot" in post.author.note for post in refused)
    assert any(post.author.noindex for post in refused)
    assert any(post.visibility == "unlisted" for post in refused)


def test_most_toots_can_be_found_by_a_tag(world: World):
    toots = [post for post in world.posts if post.place == "mastodon" and post.truth.sentiments]
    assert sum(bool(hashtags(post.text)) for post in toots) / len(toots) > 0.8


class TestLanguage:
    def test_every_line_can_be_said(self):
        speech = Speech(Random(1))
        given = {"brand": "Acme", "rival": "Globex", "handle": "acme", "link": "https://acme.example", "name": "Ana"}
        for name, lines in lists().items():
            if name in ("person", "relative"):
                continue  # each line begins with a gender
            for line in lines:
                said = speech.fill(line, dict(given))
                assert said, (name, line)
                assert not re.search(r"[{}\[\]|]|  ", said), (name, said)

    def test_lines_about_a_brand_name_it(self):
        about = re.compile(
            r"\.(negative|positive)\.(first_hand|second_hand|opinion)$|^(compare|switch|leaving|sarcasm|storm\.[fso])|^(de|fr|es|pt|it|nl)\."
        )
        for name, lines in lists().items():
            if about.search(name):
                assert [line for line in lines if "{brand}" not in line] == [], name

    def test_a_line_comes_back_only_after_all_others(self):
        speech = Speech(Random(3), {"greeting": ("a", "b", "c")})
        assert sorted(speech.draw("greeting") for _ in range(3)) == ["a", "b", "c"]

    def test_a_slot_says_the_same_throughout_a_text(self):
        speech = Speech(Random(3), {"n": tuple("abcdefgh")})
        first, again, other = speech.fill("{n} {n} {n2}", {}).split()
        assert first == again
        assert other != first


def test_moments_of_an_empty_span_are_none():
    now = datetime(2026, 1, 1, tzinfo=UTC)
    assert moments(Random(1), 5, now, now) == []
