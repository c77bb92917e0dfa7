"""Which names are found in a text, where, and which only look like one."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp.brands import Brand
from nlp.folding import fold
from nlp.matcher import Matcher

ACME = Brand(
    name="Acme",
    aliases=("Acme Corp",),
    handles=("@acme", "@acme@mastodon.social"),
    domains=("acme.com",),
    exclude=("acme cartoons",),
)


def found(text, *brands):
    """Return what is matched as (brand, text, matched_as), in text order."""
    return [(m.brand, m.text, m.matched_as) for m in Matcher(brands or (ACME,)).matches(text)]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("ACME's support", "ACME"),
        ("the acme-branded box", "acme"),
        ("“Acme”", "Acme"),
        ("bought at acme.", "acme"),
        ("I like Acme.But not the price", "Acme"),
        ("Acme\nCorp", "Acme\nCorp"),
        ("l'acme", "acme"),
        ("acme/globex", "acme"),
        ("Acmeの新製品", "Acme"),
        ("İİİ ßß Acme", "Acme"),
    ],
)
def test_a_name_is_found_as_a_word_whatever_its_case(text, name):
    assert found(text) == [("Acme", name, "alias")]


@pytest.mark.parametrize(
    "text",
    ["acmes", "placme", "acme_old", "@acmecorp", "#AcmeFail", "bob@acme.com", "acme@mail.example", "acmé", "", "😡",
     "https://news.example/acme-is-down", "www.fans.example/acme", "acme.co.uk"],
)  # fmt: skip
def test_a_part_of_another_word_or_address_is_no_name(text):
    assert found(text) == []


@pytest.mark.parametrize(
    ("text", "handle"),
    [
        ("@acme fix it", "@acme"),
        (".@Acme fix it", "@Acme"),
        ("thanks @acme!", "@acme"),
        ("@acme@mastodon.social hi", "@acme@mastodon.social"),
        ("@acmeさん", "@acme"),
    ],
)
def test_a_listed_account_is_found(text, handle):
    assert found(text) == [("Acme", handle, "handle")]


@pytest.mark.parametrize(
    "text", ["@acme@elsewhere.example", "@acme.bsky.example", "@acme_help", "x@acme", "@acme-team"]
)
def test_an_account_with_a_longer_name_or_on_another_server_is_another(text):
    assert found(text) == []


def test_an_account_called_like_a_brand_counts_only_while_no_accounts_are_listed():
    assert found("@globex help", Brand(name="Globex")) == [("Globex", "@globex", "handle")]
    assert found("@globex help", Brand(name="Globex", handles=("@globexcares",))) == []


def test_hashtags_match_the_whole_alias_without_its_spaces():
    assert found("#acme #AcmeCorp #acme_corp #AcmeCorpFail") == [
        ("Acme", "#acme", "hashtag"),
        ("Acme", "#AcmeCorp", "hashtag"),
        ("Acme", "#acme_corp", "hashtag"),
    ]


@pytest.mark.parametrize(
    "text",
    ["https://acme.com", "http://shop.acme.com/x?y=1", "see acme.com/path", "(acme.com)", "acme.com.", "www.acme.com",
     "HTTPS://ACME.COM/", "https://acme.com:8080/"],
)  # fmt: skip
def test_a_domain_is_found_in_links_and_bare(text):
    assert [(brand, as_) for brand, _, as_ in found(text)] == [("Acme", "domain")]


@pytest.mark.parametrize(
    "text",
    ["https://notacme.com", "https://acme.com.evil.example/", "https://evil.example/acme.com", "https://acme.com@evil.example",
     "https://evil.example/?next=acme.com", "https://acme.community", "https://not-acme.com", "care@acme.com"],
)  # fmt: skip
def test_a_host_that_only_contains_the_domain_is_another(text):
    assert found(text) == []


def test_the_address_of_a_listed_account_is_a_link_to_the_brand():
    assert found("https://mastodon.social/@acme") == [("Acme", "mastodon.social/@acme", "domain")]


def test_a_name_within_an_excluded_phrase_does_not_count_but_another_does():
    assert found("acme cartoons are fun") == []
    assert found("acme cartoons made me think of Acme") == [("Acme", "Acme", "alias")]


def test_of_overlapping_names_the_longer_counts():
    brands = (Brand(name="Acme"), Brand(name="Acme Air"), Brand(name="Air Globex"))
    assert found("Acme Air lost it", *brands) == [("Acme Air", "Acme Air", "alias")]
    assert found("Acme Air Globex", *brands) == [("Acme", "Acme", "alias"), ("Air Globex", "Air Globex", "alias")]
    assert found("acme and acme air", *brands) == [("Acme", "acme", "alias"), ("Acme Air", "acme air", "alias")]


def test_brands_that_share_a_name_both_get_it():
    assert [m[0] for m in found("Delta again", Brand(name="Delta Air", aliases=("Delta",)), Brand(name="Delta"))] == [
        "Delta",
        "Delta Air",
    ]


def test_a_cased_name_must_be_written_as_it_is():
    target = Brand(name="Target", cased=True, handles=("@target",))
    assert found("Target missed its target. TARGET #Target #target", target) == [
        ("Target", "Target", "alias"),
        ("Target", "#Target", "hashtag"),
    ]
    assert found("@TARGET help", target) == [("Target", "@TARGET", "handle")]


@pytest.mark.parametrize(
    ("name", "text", "matched"),
    [
        ("O'Reilly \"DROP TABLE", "so O’Reilly “DROP TABLE it is", "O’Reilly “DROP TABLE"),
        ("O'Reilly", "an O’Reilly's book", "O’Reilly"),
        (".*", "a .* b", ".*"),
        ("C++ (.*)", "I like c++ (.*)!", "c++ (.*)"),
        ("Yahoo!", "yahoo! is here", "yahoo!"),
        ("Booking.com", "booking.com is down", "booking.com"),
        ("Straße", "die STRASSE dort", "STRASSE"),
        ("STRASSE", "die straße dort", "straße"),
        ("Café Noir", "cafe\u0301 noir", "cafe\u0301 noir"),
        ("アップル", "最高のアップルです", "アップル"),
        ("삼성", "삼성은 좋다", "삼성"),
        ("Coca-Cola", "coca‑cola zero", "coca‑cola"),
    ],
)
def test_names_of_every_kind_are_found(name, text, matched):
    assert found(text, Brand(name=name)) == [(name, matched, "alias")]


def test_there_is_no_reilly_in_o_reilly():
    assert found("O’Reilly", Brand(name="Reilly")) == []


def test_no_brands_match_nothing():
    assert Matcher([]).matches("Acme") == []
    assert not Matcher([]).names_any("Acme", None)


def test_names_any_looks_at_every_text_given():
    matcher = Matcher([ACME])
    assert matcher.names_any(None, "about acme")
    assert not matcher.names_any("", None, "about placme")


WILD = st.text(alphabet=st.characters(exclude_categories=("Cs",), exclude_characters="\x00"), max_size=60)
NEAR_MISSES = st.lists(
    st.sampled_from(["acme", "Acme", "ACME Corp", "@", "#", ".", "com", "/", "://", "https", "ß", "İ", " ", "'s", "-",
                     "’", "evil", "_", "最", "cartoons", "@mastodon.social", "\n"]), max_size=14
).map("".join)  # fmt: skip


@given(st.one_of(WILD, NEAR_MISSES))
def test_a_match_is_the_text_at_its_place(text):
    matches = Matcher([ACME, Brand(name="Acme ß"), Brand(name="İ")]).matches(text)
    assert [text[m.start : m.end] for m in matches] == [m.text for m in matches]
    places = sorted({(m.start, m.end) for m in matches})
    assert all(first[1] <= second[0] for first, second in pairwise(places))


NAMES = st.text("ab ", min_size=1, max_size=4).map(str.strip).filter(bool)


@given(st.text("ab ", max_size=14), st.lists(NAMES, min_size=1, max_size=4, unique=True))
def test_a_small_alphabet_agrees_with_a_search_by_brute_force(text, names):
    words = [(s, s + len(n), n) for n in names for s in range(len(text)) if text[s : s + len(n)] == n]
    whole = [(s, e, n) for s, e, n in words if f" {text} "[s] == " " == f" {text} "[e + 1]]
    kept: list[tuple[int, int, str]] = []
    for start, end, name in sorted(whole, key=lambda span: (span[0] - span[1], span[0])):  # longest first, then first
        if all(end <= other_start or start >= other_end for other_start, other_end, _ in kept):
            kept.append((start, end, name))
    matches = Matcher([Brand(name=name) for name in names]).matches(text)
    assert [(m.start, m.end, m.brand) for m in matches] == sorted(kept)


@given(st.text(st.characters(max_codepoint=127)))
def test_a_text_of_ascii_folds_as_it_would_within_another(text):
    assert fold(text).text + " \u00e9" == fold(text + " \u00e9").text


@given(WILD)
def test_folded_places_lead_back_to_the_original(text):
    folded = fold(text)
    for place, character in enumerate(text):
        if folded.origin is None:
            assert len(folded.text) == len(text)
            break
        inside = [i for i, origin in enumerate(folded.origin) if origin == place]
        assert folded.span(inside[0], inside[-1] + 1) == (place, place + 1), character
