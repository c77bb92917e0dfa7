"""Stories: which posts carry the same text. Signatures are made by hand here, except for the labelled texts."""

import json
import random
from collections import Counter
from math import comb
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from warehouse_rows import hours_ago, mention, post, store

from nlp.signature import signatures
from warehouse.reckoned import reckoned
from warehouse.spike_rules import DEFAULT
from warehouse.statements import statement

DATA = Path(__file__).parent / "data/stories.jsonl"  # texts of ours; those of one group a person would call one story
LABELLED = [json.loads(line) for line in DATA.read_text(encoding="utf-8").splitlines()]
BYTES = 64


def signature(seed: int, *changed: int) -> bytes:
    """Return a signature by chance; with other bytes in these places."""
    made = bytearray(random.Random(seed).choices(range(128), k=BYTES))
    for place in changed:
        made[place] = (made[place] + 1) % 128
    return bytes(made)


def saying(row: dict[str, Any], made: bytes | None, *brands: str) -> list[dict[str, Any]]:
    """Return the mentions in a post with this signature, of Quillon unless told otherwise."""
    return [mention(row, brand, signature=made) for brand in brands or ("Quillon",)]


def stories_of(*mentions: dict[str, Any]) -> dict[str, str]:
    """Return the story of each post, by the statement alone."""
    with duckdb.connect() as connection:
        connection.execute("CREATE SCHEMA lake")
        connection.register("arrived", pa.Table.from_pylist([dict(row) for row in mentions]))
        connection.execute(
            "CREATE TABLE lake.mentions AS SELECT post_id, version, brand, signature::BLOB AS signature FROM arrived"
        )
        connection.execute(
            "CREATE TABLE lake.posts AS SELECT DISTINCT post_id, published_at, true AS is_current FROM arrived"
        )
        story_posts = statement("tables", "story_posts")
        with reckoned(connection, story_posts, DEFAULT):
            found = connection.execute(story_posts.text).fetchall()
    assert len(found) == len({post_id for post_id, _, _ in found})
    return {row["post_id"]: row["post_id"] for row in mentions} | {post_id: story for post_id, _, story in found}


def test_of_two_at_one_moment_the_lesser_name_is_the_storys():
    assert stories_of(*saying(post("b"), signature(1)), *saying(post("a"), signature(1))) == dict.fromkeys("ab", "a")


def test_what_nobody_else_says_and_what_is_too_short_are_stories_of_their_own():
    told = {"a": signature(1), "b": signature(2), "c": None, "d": None}
    mentions = [mention for name, made in told.items() for mention in saying(post(name), made)]
    assert stories_of(*mentions) == {name: name for name in told}


def test_the_same_words_about_another_brand_are_another_story():
    about = {"a": "Quillon", "b": "Telvo", "c": "Telvo"}
    mentions = [mention for name, brand in about.items() for mention in saying(post(name), signature(1), brand)]
    assert stories_of(*mentions) == {"a": "a", "b": "b", "c": "b"}


def test_one_text_that_names_two_brands_is_one_story():
    both = saying(post("a"), signature(1), "Quillon", "Telvo")
    others = [*saying(post("b"), signature(1)), *saying(post("c"), signature(1), "Telvo")]
    assert stories_of(*both, *others) == dict.fromkeys("abc", "a")


@pytest.mark.parametrize(("changed", "stories"), [(22, 1), (23, 2)])
def test_the_estimated_share_of_shingles_decides(changed, stories):
    """42 equal bytes of 64, less those of chance, are 0.654; 41 are 0.638."""
    nearly = signature(1, *range(BYTES - changed, BYTES))
    told = stories_of(*saying(post("a"), signature(1)), *saying(post("b"), nearly))
    assert len(set(told.values())) == stories


def test_a_story_goes_on_from_each_to_the_next():
    """The first and the last of a chain have nothing in common."""
    chain = [signature(1, *range(changed)) for changed in range(0, 65, 16)]
    said = [post(f"p{place}", published_at=hours_ago(90 - place)) for place in range(len(chain))]
    random.Random(3).shuffle(order := list(range(len(chain))))
    assert set(stories_of(*(saying(said[n], chain[n])[0] for n in order)).values()) == {"p0"}


@pytest.mark.parametrize("posts", [20, 3_000])
def test_boilerplate_makes_no_story_and_hides_none(posts):
    """A footer under every article gives many texts some bands in common, and nothing else."""
    footer = signature(0)[:12]
    rows = [post(f"p{n:04}", published_at=hours_ago(4_000 - n)) for n in range(posts)]
    said = [saying(row, footer + signature(n + 1)[12:])[0] for n, row in enumerate(rows)]
    copies = [saying(post(f"copy{n}"), said[n * 7]["signature"])[0] for n in range(3)]
    [nearly] = saying(post("nearly"), footer + signature(posts, 20, 33, 50)[12:])
    told = stories_of(*said, *copies, nearly)
    assert [told[f"copy{n}"] for n in range(3)] == ["p0000", "p0007", "p0014"]
    assert told["nearly"] == f"p{posts - 1:04}"
    assert len(set(told.values())) == posts


def test_signatures_that_are_none_stop_nothing():
    strange = [b"", b"short", b"\xff" * 64, "é".encode() * 32, b"x" * 65, b"\x00" * 64]
    told = stories_of(*(saying(post(f"{n}{copy}"), made)[0] for n, made in enumerate(strange) for copy in "ab"))
    assert told.pop("5b") == "5a"  # zeros are a signature like any other
    assert all(name == story for name, story in told.items())


def test_the_order_in_which_posts_came_plays_no_part():
    said = [saying(post(f"p{n:02}", published_at=hours_ago(n)), signature(n % 4, n))[0] for n in range(16)]
    for seed in range(5):
        random.Random(seed).shuffle(said)
        assert stories_of(*said) == {f"p{n:02}": f"p{n % 4 + 12}" for n in range(16)}


def test_the_same_text_is_one_story_across_sources_and_days_named_by_the_first(lake, publish, ask):
    for source, hours, made in (("rss", 2, signature(1)), ("mastodon", 50, signature(1)), ("hn", 20, signature(1, 9))):
        said = post(source, source=source, published_at=hours_ago(hours))
        store(lake, [said], saying(said, made), source)
    publish()
    told = ask("SELECT post_id, story_id FROM mentions")
    assert {row["post_id"]: row["story_id"] for row in told} == dict.fromkeys(("rss", "mastodon", "hn"), "mastodon")
    older = post("z", published_at=hours_ago(900))
    store(lake, [older], saying(older, signature(1)), "found late")
    publish()
    assert ask("SELECT DISTINCT story_id FROM mentions") == [{"story_id": "z"}]


def test_a_story_keeps_its_name_when_its_first_post_is_taken_down_or_says_something_else(lake, publish, ask):
    dates: dict[str, Any] = {"published_at": hours_ago(9), "fetched_at": hours_ago(8)}
    gone, edited = post("gone", text="Closed for good", **dates), post("edited", text="Great soup", **dates)
    copies = [post("copy 1", text="RT Closed for good"), post("copy 2", text="RT Great soup")]
    mentions = [saying(row, signature(n % 2))[0] for n, row in enumerate([gone, edited, *copies])]
    store(lake, [gone, edited, *copies], mentions)
    now = [post("gone", text="", deleted=True, published_at=hours_ago(9)), post("edited", published_at=hours_ago(9))]
    store(lake, now, saying(now[1], signature(9)), "later")
    publish()
    told = ask("SELECT post_id, story_id FROM mentions ORDER BY ALL")
    assert [tuple(row.values()) for row in told] == [("copy 1", "gone"), ("copy 2", "edited"), ("edited", "edited")]
    assert ask("SELECT story_id, posts, text FROM stories ORDER BY ALL")[1] == {
        "story_id": "gone", "posts": 1, "text": "RT Closed for good"
    }  # fmt: skip


def test_stories_tell_who_told_them_where_and_to_how_many(lake, publish, ask):
    first = post("a", title="Quillon closes", text="It said on Tuesday ...", url="https://news.test/1", author=None,
                 published_at=hours_ago(9))  # fmt: skip
    copies = [
        post("b", author="ann", author_followers=100, source="mastodon", published_at=hours_ago(7)),
        post("c", author="ann", author_followers=120, source="mastodon", published_at=hours_ago(6)),
        post("d", author="ben", author_followers=3, views=50, source="youtube", published_at=hours_ago(3)),
    ]
    alone = post("e", text="nothing of it")
    mentions = [mention for row in (first, *copies) for mention in saying(row, signature(1))]
    mentions += [
        mention(alone, certainty=0.2),
        mention(copies[0], "Telvo"),
        mention(copies[1], "Larkspur", certainty=0.2),
    ]
    store(lake, [first, *copies, alone], mentions)
    publish()
    shared, single = ask("FROM stories ORDER BY posts DESC")
    assert shared == {
        "story_id": "a",
        "first_at": hours_ago(9).replace(tzinfo=None),
        "last_at": hours_ago(3).replace(tzinfo=None),
        "posts": 4,
        "authors": 2,
        "sources": ["mastodon", "rss", "youtube"],
        "brands": ["Quillon", "Telvo"],
        "title": "Quillon closes",
        "text": "It said on Tuesday ...",
        "url": "https://news.test/1",
        "reach": 120 + 50,
    }
    assert (single["story_id"], single["posts"], single["brands"], single["reach"]) == ("e", 1, [], None)


def test_counts_take_a_story_as_their_unit(lake, publish, ask):
    said = [post(f"p{n}", author=f"author-{n % 2}") for n in range(6)]
    store(lake, said, [saying(row, signature(n // 2))[0] for n, row in enumerate(said)])
    publish()
    counted = {
        unit: ask("SELECT n FROM trend('Quillon', grain := NULL, unit := ?)", unit)[0]["n"]
        for unit in ("mention", "story", "author")
    }
    assert counted == {"mention": 6, "story": 3, "author": 2}


def test_labelled_texts_are_grouped_as_a_person_would():
    """Pairwise, over all pairs of texts; how it groups was chosen on the groups of even number (story_posts.sql)."""
    made = signatures([row["text"] for row in LABELLED])
    said = [
        saying(post(f"p{n:03}", published_at=hours_ago(900 - n)), one, row["brand"])[0]
        for n, (row, one) in enumerate(zip(LABELLED, made, strict=True))
    ]
    told = stories_of(*said)
    for half, groups in {"all groups": (0, 1), "chosen on": (0,), "held out": (1,)}.items():
        pairs = [(told[f"p{n:03}"], row["group"]) for n, row in enumerate(LABELLED) if row["group"] % 2 in groups]
        precision, recall, f1 = pairwise(pairs)
        print(f"stories, {half}: precision {precision:.3f}, recall {recall:.3f}, F1 {f1:.3f}")
        assert f1 >= 0.95


def pairwise(placed: list[tuple[str, int]]) -> tuple[float, float, float]:
    """Return precision, recall and F1 over pairs of texts, each given as its story and its group."""
    hits = sum(comb(n, 2) for n in Counter(placed).values())
    said = sum(comb(n, 2) for n in Counter(story for story, _ in placed).values())
    real = sum(comb(n, 2) for n in Counter(group for _, group in placed).values())
    return hits / said, hits / real, 2 * hits / (said + real)
