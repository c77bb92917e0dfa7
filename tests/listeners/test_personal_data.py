"""Personal data is masked before a post is stored; what helps to help people stays."""

from collections import Counter

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from personal_texts import personal_texts

from listeners.personal_data import CARD, IBAN, MAIL, PHONE, masked

OF_EACH = 600
FLOORS = {"mail": 0.88, "phone": 0.93, "card": 0.88, "iban": 0.98, "kept": 0.96}  # shares of what is told rightly
PIECES = [
    "@", ".", " ", "  ", "\n", "+", "00", "07", "0", "(", ")", "[at]", " at ", " dot ", "-", "/", "ann", "com", "GB82",
    "DE", "WEST", "1234", "4111 1111", "5698 7654 32", "call ", "order ", "https://", "www.", "u/",
    "415-555-", "é", "𝔸", "#",
]  # fmt: skip


def test_recall_and_precision_on_made_up_texts(capsys):
    right, wrong = Counter(), {}
    for seed in (1, 2):
        for kind, what, text in personal_texts(seed, OF_EACH // 2):
            is_right = (what in masked(text)) == (kind == "kept")
            right[kind] += is_right
            if not is_right:
                wrong.setdefault(kind, []).append(text)
    with capsys.disabled():
        for kind, floor in FLOORS.items():
            example = f"   such as {wrong[kind][0]!r}" if kind in wrong else ""
            verb = "kept" if kind == "kept" else "masked"
            print(f"\n{kind:6} {verb:6} {right[kind] / OF_EACH:6.1%} (at least {floor:.0%}){example}", end="")
        print()
    assert all(right[kind] >= floor * OF_EACH for kind, floor in FLOORS.items()), wrong


@pytest.mark.parametrize(
    ("text", "left"),
    [
        (
            "Write to jane.doe@acme.example, not to support@acme.example",
            f"Write to {MAIL}, not to support@acme.example",
        ),
        ("meet us @ acme.example", "meet us @ acme.example"),
        ("ask @acme@mastodon.example", "ask @acme@mastodon.example"),
        ("https://x.example/?to=ann@mail.example&n=1", f"https://x.example/?to={MAIL}&n=1"),
        ("https://x.example/status/4111111111111111", "https://x.example/status/4111111111111111"),
        ("call 07700 900123 about order 07700900123", f"call {PHONE} about order 07700900123"),
        ("paid with 4111 1111 1111 1111", f"paid with {CARD}"),
        ("paid with 4111 1111 1111 1112", "paid with 4111 1111 1111 1112"),
        ("to BE68 5390 0754 7034 this week", f"to {IBAN} this week"),
        ("to BE69 5390 0754 7034 this week", "to BE69 5390 0754 7034 this week"),
        ("+44 7700 900123 @ 4111 1111", f"{PHONE} @ 4111 1111"),
        (f"{PHONE} @ 4111 1111", f"{PHONE} @ 4111 1111"),
        ("from 2010-2015, on 28/11/2026 10:30", "from 2010-2015, on 28/11/2026 10:30"),
    ],
)
def test_what_is_personal_goes_and_what_helps_stays(text, left):
    assert masked(text) == left


@example("+4111 1111@4111 1111")
@given(st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=3)), max_size=30).map("".join))
def test_masking_twice_changes_nothing_more(text):
    once = masked(text)
    assert masked(once) == once


@given(st.text(st.characters(exclude_characters="@([{", exclude_categories=["Nd", "Cs"]), max_size=200))
def test_a_text_without_numbers_and_at_signs_is_left_as_it_is(text):
    assert masked(text) == text or " dot " in text.lower()


@pytest.mark.parametrize(
    "piece", ["a", "1", "1 ", "a.", "a@", "a@b.", "(at) ", "GB82 ", "+1", "(1", "a@b-", "0 (", "at a dot "]
)
def test_no_text_takes_long(piece):
    from listeners.post import MAX_TEXT

    assert len(masked(piece * (MAX_TEXT // len(piece)))) > 0  # a pattern that backtracks would not end
