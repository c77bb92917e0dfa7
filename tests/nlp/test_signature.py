"""Signatures of texts: alike for those who pass a text on, unlike for those who say something else."""

import hashlib
from itertools import combinations, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nlp.signature import AT_ONCE, LONGEST, NUMBER_WEIGHT, SHORTEST, signatures, words

SAID = "Three weeks without broadband and Acme still can't tell me when an engineer is coming, it's costing me money"


def agreement(one, other):
    """Return the share of bytes in which two texts' signatures agree."""
    first, second = signatures([one, other])
    assert first is not None
    assert second is not None
    return sum(a == b for a, b in zip(first, second, strict=True)) / 64


def jaccard(one, other):
    """Return the share of shingles that two texts have in common, worked out without a signature."""
    first, second = (
        set(pairwise(said))
        | {(word, copy) for word in said if any(c.isdigit() for c in word) for copy in range(NUMBER_WEIGHT)}
        for said in (words(one), words(other))
    )
    return len(first & second) / len(first | second)


@pytest.mark.parametrize(
    "passed_on",
    [
        f"RT @jo_makes: {SAID}",
        f"@acme {SAID} https://acme.test/a?b=c",
        f"“{SAID}” www.acme.test",
        SAID.upper(),
        SAID.replace("'", "’"),
        SAID.replace("'", ""),
        f"#{SAID} 😡😡😡!!!",
        SAID.replace(" ", "\n\t"),
        SAID.replace("weeks", "ｗｅｅｋｓ").replace("money", "mo\u00adney"),
        f"@jo@mastodon.example: {SAID} @acme@social.example",
    ],
)
def test_what_people_change_who_pass_a_text_on_plays_no_part(passed_on):
    assert signatures([passed_on]) == signatures([SAID])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "me too",
        "😡" * 50,
        "Acme is down again for me too",
        "@a @b @c @d @e @f @g @h @i",
        "https://a.b/c " * 20,
        "差劲" * 4,
    ],
)
def test_a_text_too_short_to_tell_has_none(text):
    assert signatures([text]) == [None]


def test_the_shortest_text_that_tells_has_eight_words_or_sixteen_letters_without_spaces():
    eight = "one two three four five six seven eight"
    assert len(words(eight)) == SHORTEST
    none, some, fifteen, sixteen = signatures([eight.removesuffix(" eight"), eight, "服" * 15, "服" * 16])
    assert (none, fifteen) == (None, None)
    assert some is not None
    assert sixteen is not None


def test_a_signature_is_64_bytes_of_ascii():
    [made] = signatures([SAID])
    assert made is not None
    assert len(made) == 64
    assert made.isascii()


def test_it_is_the_same_on_every_machine_and_in_every_version():
    """Stories are grouped across files written by different machines: a change here needs another CODE_VERSION."""
    texts = [
        SAID,
        "Oakhaul 2 for £7.50, ends 30 November, new customers only please",
        "服务真的非常差劲我再也不会买了真的",
    ]
    told = b"".join(made or b"" for made in signatures(texts))
    assert hashlib.sha256(told).hexdigest()[:16] == "fa984b8e61646f0a"


def test_two_signatures_agree_as_far_as_the_texts_share_their_shingles():
    errors = []
    for number in range(200):
        said = [f"w{number}x{place}" for place in range(60)]
        one, other = " ".join(said[: 30 + number % 30]), " ".join(said[number % 17 :])
        errors.append(agreement(one, other) - (jaccard(one, other) * 127 + 1) / 128)
    assert abs(sum(errors) / len(errors)) < 0.01
    assert max(map(abs, errors)) < 0.25  # four standard errors of 64 trials


def test_unlike_texts_agree_by_chance_in_one_byte_of_128():
    texts = [" ".join(f"w{number}x{place}" for place in range(20)) for number in range(150)]
    pairs = list(combinations(signatures(texts), 2))
    agreed = sum(a == b for one, other in pairs for a, b in zip(one or b"", other or b"", strict=True))
    assert agreed / (64 * len(pairs)) == pytest.approx(1 / 128, rel=0.1)


def test_a_number_weighs_more_than_a_word():
    told = "Outage of Acme reported in {} at {}, see the live map and tell us if you have problems too"
    other_word = agreement(told.format("Leeds", "14h"), told.format("Harwick", "14h"))
    other_number = agreement(told.format("Leeds", "14h"), told.format("Leeds", "19h"))
    assert other_number < other_word


def test_a_text_has_the_same_signature_alone_and_among_others():
    texts = [f"{SAID} for the {number}. time" if number % 3 else "too short" for number in range(AT_ONCE + 10)]
    assert signatures(texts) == [made for text in texts for made in signatures([text])]


def test_what_comes_after_a_long_article_plays_no_part():
    article = " ".join(f"word{number}" for number in range(9_000))
    assert len(article) > LONGEST
    assert signatures([article]) == signatures([article[:LONGEST]])
    [made] = signatures(["x" * 1_000_000])
    assert made is None


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(st.characters(exclude_categories=("Cs",)), max_size=80), max_size=5))
def test_any_text_has_a_signature_or_none(texts):
    made = signatures(texts)
    assert len(made) == len(texts)
    assert all(one is None or (len(one) == 64 and one.isascii()) for one in made)
