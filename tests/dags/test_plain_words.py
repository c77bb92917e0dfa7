"""Other people's words stay words, and their addresses addresses, in every channel."""

import re
import unicodedata

import pytest
from hostile import COMMANDS, HIDDEN, JOINERS, addresses, texts
from hypothesis import given
from hypothesis import strategies as st

from dags.plain_words import ACTIVE, chat_safe, one_line, safe_address

LINK = re.compile(r"https?://[a-z0-9.-]+(:\d+)?[A-Za-z0-9/%=&+,:.?#_-]*")


def is_plain(text):
    """Whether no mail, chat or web page could take the text, or some part of it, for anything but words."""
    return (
        not set(text) & set(ACTIVE)
        and not re.search(r"://|\$\$|:[\w+-]+:|&(#|\w+;|lt|gt)|\w\.[^\W\d_]", text)
        and not any(unicodedata.category(sign) in HIDDEN for sign in set(text) - JOINERS)
    )


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_is_only_words(command):
    assert is_plain(chat_safe(f"so {command} then"))


@given(texts | st.text())
def test_no_text_is_more_than_words(text):
    assert is_plain(chat_safe(text))


def test_what_is_said_can_still_be_read():
    said = "Twice €24 at AT&T, 3.5 % more?! “Sure” – it's 20:30, 👩\u200d👧 say (no); مرحبا"
    assert chat_safe(said) == said
    assert chat_safe("@acme *never* #answers") == "＠acme ∗never∗ ＃answers"
    assert chat_safe("see evil.example") == "see evil․example"


def test_no_emoji_comes_of_what_is_put_behind_a_name():
    assert is_plain(f"{chat_safe('Acme:tada')}: negative word of mouth is spiking")
    assert is_plain(f"{chat_safe(':tada:مرحبا')}: no address")


def test_a_text_becomes_one_line_that_runs_one_way():
    assert one_line("a\r\nBcc: b\u2028\tc\x00 \u202ed\u2066\ufeff") == "a Bcc: b c d"


@given(addresses.filter(bool))
def test_an_address_is_a_plain_link_or_none(address):
    link = safe_address(address)
    assert link is None or LINK.fullmatch(link)


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("https://mouse.example/@ann/117", "https://mouse.example/%40ann/117"),
        ("HTTP://News.Example:8080/a_b/_c_?q=1&r=2#top", "http://news.example:8080/a_b/%5Fc%5F?q=1&r=2#top"),
        ("https://bücher.example/straße", "https://xn--bcher-kva.example/stra%C3%9Fe"),
        ("https://x.example/%20y", "https://x.example/%20y"),
        ("javascript:alert(1)", None),
        ("//evil.example/x", None),
        ("https://ann:secret@x.example/", None),
        ("https://[::1]/", None),
        ("https://x.example/" + "y" * 400, None),
        ("", None),
        (None, None),
    ],
)
def test_an_address_means_the_same_to_its_server(given, shown):
    assert safe_address(given) == shown
