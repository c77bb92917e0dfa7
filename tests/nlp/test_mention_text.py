"""What the mention model reads of a text."""

import pytest
from tokenizers import Tokenizer, models, pre_tokenizers

from nlp.mention_text import (
    CAPITALISED,
    CAPITALS,
    CLS,
    MIXED,
    NAME,
    SEP,
    WINDOW,
    cleaned,
    place,
    read,
    windows,
)


def words(count):
    """Return a tokenizer that knows w0, w1, ... and acme, one piece a word; everything else is one unknown piece."""
    vocabulary = {"?": 0, "acme": 1, "globex": 2, "http": 3} | {f"w{i}": 1000 + i for i in range(count)}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="?"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    return tokenizer


@pytest.mark.parametrize(
    ("text", "read_as"),
    [
        ("@bob see https://acme.com/x?y=1", "@user see http"),
        ("@bob@mastodon.social hi", "@user hi"),
        ("mail bob@acme.com", "mail bob@acme.com"),
        ("so #BestDayEver", "so # Best Day Ever"),
        ("#acme_fail", "# acme fail"),
        ("noooooo!!!!!!", "nooo!!!"),
        ("Tom &amp;amp; Jerry\\u2019s", "Tom & Jerry's"),
        ("", ""),
    ],
)
def test_accounts_links_tags_and_elongations_take_one_form(text, read_as):
    assert cleaned(text) == read_as


def test_emoji_are_spelled_out():
    assert cleaned("late again 😡").split() == ["late", "again", "pouting", "face"]
    assert cleaned("👍🏽 🇬🇧").split() == ["thumbs", "up", "sign"]


def test_the_name_is_found_as_a_whole_word_before_it_is_found_inside_another():
    assert place("acmeology of ACME", "Acme") == (13, 17)
    assert place("#acmefail", "Acme") == (1, 5)
    assert place("acme is fine", "@Acme") == (0, 4)
    assert place("nothing here", "Acme") is None
    assert place("a+b (c", "(c") == (4, 6)


def test_two_segments_are_read_the_second_empty_without_a_name():
    tokenizer = words(10)
    with_name = read(tokenizer, "w1 acme w2", "acme")
    assert with_name.ids == [CLS, 1001, 1, 1002, SEP, 1, SEP]
    assert with_name.kinds == [0, 0, 0, 0, 0, 1, 1]
    without = read(tokenizer, "w1 acme w2")
    assert without.ids == [CLS, 1001, 1, 1002, SEP, SEP]
    assert without.kinds == [0, 0, 0, 0, 0, 1]


def test_each_word_that_is_read_is_known_by_its_characters():
    text = "w1 @bob #BigDay soooooon &amp; acme 😡 https://acme.com w2"
    shown = [text[word.start : word.end] for word in read(words(3), text, "acme").words]
    assert shown == [
        "w1", "@bob", "@bob", "#BigDay", "#BigDay", "#BigDay", "soooooon", "&amp;", "acme", "😡", "😡",
        "https://acme.com", "w2",
    ]  # fmt: skip


def test_the_kind_of_a_piece_tells_how_its_word_is_capitalised():
    kinds = read(words(0), "one Two THREE fOUR I").kinds
    assert kinds[1:6] == [0, CAPITALISED, CAPITALS, MIXED, CAPITALISED]


def test_a_text_is_whole_where_all_of_it_is_read():
    tokenizer = words(WINDOW + 1)
    told = [f"w{i}" for i in range(WINDOW + 1)]
    assert read(tokenizer, " ".join(told[1:])).whole
    assert not read(tokenizer, " ".join(told)).whole
    assert read(tokenizer, " ".join(told[1:]), "w5").whole
    assert not read(tokenizer, " ".join(told), "w5").whole
    assert not read(tokenizer, "acme" + " " * 100_000 + "w1", "acme").whole


def test_windows_read_all_of_a_text_once():
    tokenizer = words(3 * WINDOW)
    text = " ".join(f"w{i}" for i in range(3 * WINDOW - 5))
    shown = [text[word.start : word.end] for one in windows(tokenizer, text) for word in one.words]
    assert shown == text.split()


def test_the_name_keeps_its_characters_where_it_is_an_account():
    tokenizer = words(10)
    assert 1 in read(tokenizer, "@ acme w1 @w2", "acme").ids[:4]


def test_a_window_around_the_name_is_read_of_a_long_text():
    tokenizer = words(1000)
    text = " ".join(f"w{i}" for i in range(1000))
    for where in (0, 500, 1000):
        made = text.split()
        made.insert(where, "acme")
        ids = read(tokenizer, " ".join(made), "acme").ids
        assert 1 in ids[: ids.index(SEP)]
        assert len(ids) == WINDOW + 4
    assert read(tokenizer, text).ids[1] == 1000


def test_the_place_told_wins_over_the_first_occurrence():
    tokenizer = words(1000)
    text = "acme " + " ".join(f"w{i}" for i in range(500)) + " acme"
    assert 1499 in read(tokenizer, text, "acme", (len(text) - 4, len(text))).ids
    assert 1499 not in read(tokenizer, text, "acme").ids


def test_a_name_that_the_text_lacks_and_one_of_a_thousand_words_are_read():
    tokenizer = words(1000)
    assert read(tokenizer, "w1", "globex").ids == [CLS, 1001, SEP, 2, SEP]
    assert len(read(tokenizer, "w1", "w2 " * 1000).ids) == 4 + NAME
