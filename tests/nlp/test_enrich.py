"""Posts in, mentions out: one row per post and brand, whatever the post looks like."""

from datetime import UTC, datetime

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nlp.brands import Brand
from nlp.enrich import READ, Enricher
from warehouse.tables import MENTIONS, POSTS, conform, faults

BRANDS = [Brand(name="Acme", handles=("@acme",), domains=("acme.com",)), Brand(name="Globex")]
ABOUTS = {"acme-reviews": "Acme"}
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def enricher():
    return Enricher(BRANDS, ABOUTS, "rules-test")


def posts(*texts, **columns):
    """Return a POSTS batch of these texts, other columns alike."""
    usual = {
        "version": "v", "feed": "f", "source": "rss", "kind": "post", "published_at": NOW, "fetched_at": NOW,
        "deleted": False, "consent": "none_stated",
    }  # fmt: skip
    rows = [usual | {"post_id": str(place), "text": text} | columns for place, text in enumerate(texts)]
    return conform(pa.RecordBatch.from_pylist(rows, schema=POSTS), POSTS)


def test_a_post_that_names_two_brands_is_two_mentions(enricher):
    rows = enricher.enrich(posts("Globex beats Acme again")).to_pylist()
    assert [(row["brand"], row["sentiment"]) for row in rows] == [("Globex", 1), ("Acme", -1)]


def test_a_post_that_names_none_is_no_mention(enricher):
    assert enricher.enrich(posts("nice weather", "")).num_rows == 0


def test_a_brand_named_thrice_is_one_mention_by_its_surest_name(enricher):
    [row] = enricher.enrich(posts("Acme, oh Acme! @acme please")).to_pylist()
    assert (row["matched_text"], row["matched_as"]) == ("@acme", "handle")


def test_a_deleted_post_is_no_mention(enricher):
    assert enricher.enrich(posts("", deleted=True, title="Acme")).num_rows == 0
    assert enricher.enrich(posts("", deleted=True, feed="acme-reviews")).num_rows == 0


def test_every_post_of_a_feed_about_a_brand_is_a_mention_of_it(enricher):
    unnamed, named = enricher.enrich(posts("I love it so much", "Acme is awful", feed="acme-reviews")).to_pylist()
    assert (unnamed["brand"], unnamed["matched_as"], unnamed["matched_text"]) == ("Acme", "feed", None)
    assert (named["brand"], named["matched_as"], named["matched_text"]) == ("Acme", "feed", "Acme")
    assert (unnamed["sentiment"], named["sentiment"]) == (1, -1)


def test_a_name_in_the_title_counts_but_entities_lie_in_the_text(enricher):
    [row] = enricher.enrich(posts("It broke in Paris, says Globex", title="Acme router")).to_pylist()[:1]
    assert row["brand"] == "Acme"
    assert [(e["text"], e["label"]) for e in row["entities"]] == [("Paris", "LOC"), ("Globex", "BRAND")]
    assert [e["start"] for e in row["entities"]] == [12, 24]


def test_a_text_passed_on_has_the_same_signature_and_one_too_short_has_none(enricher):
    said = "Acme raised the price again and told nobody, neither by mail nor in the shop"
    first, again, short = enricher.enrich(posts(said, f"RT @jo: {said} https://a.test", "Acme, me too")).to_pylist()
    assert first["signature"] == again["signature"]
    assert len(first["signature"]) == 64
    assert short["signature"] is None


def test_another_language_is_matched_and_not_judged(enricher):
    [row] = enricher.enrich(posts("Le service d'Acme est nul, je vais partir bientôt")).to_pylist()
    assert (row["language"], row["sentiment"], row["p_negative"]) == ("fr", None, None)
    assert row["entities"] == [{"text": "Acme", "label": "BRAND", "start": 13, "end": 17}]


def test_a_move_between_brands_stands_on_both_mentions(enricher):
    rows = enricher.enrich(posts("Left Acme for Globex last week")).to_pylist()
    told = [(row["switched_from"], row["switched_to"], row["switch_status"]) for row in rows]
    assert told == [("Acme", "Globex", "done")] * 2


@pytest.mark.parametrize(
    "text",
    ["Acme " + "x" * 1_000_000, "Acme is bad. " * 80_000, "x" * (READ + 5) + " Acme", "😡" * 5_000 + " Acme",
     "Acme\u202e\u0301\x01", "acme<br>&nbsp;<p", "(" * 5_000 + "Acme", "Acme " + "and Globex " * 900],
    ids=["one long word", "a megabyte", "named late", "emoji", "controls", "html", "brackets", "many names"],
)  # fmt: skip
def test_no_text_is_too_strange(enricher, text):
    mentions = enricher.enrich(posts(text, "Acme is great"))
    assert {row["post_id"] for row in mentions.to_pylist()} == {"0", "1"}


def test_a_brand_named_only_after_what_is_read_is_counted_and_not_judged(enricher):
    [row] = enricher.enrich(posts("word " * READ + "Acme")).to_pylist()
    assert (row["brand"], row["sentiment"]) == ("Acme", None)


def test_five_hundred_brands_in_one_post_are_five_hundred_mentions():
    many = [Brand(name=f"Brand{number}") for number in range(500)]
    text = " ".join(brand.name for brand in many)
    assert Enricher(many, {}, "v").enrich(posts(text)).num_rows == 500


WORDS = st.sampled_from(
    ["Acme", "@acme", "Globex", "beats", "left", "for", "unlike", "not", "but", "love", "hate", "!!!", "?", "\n", "😡",
     ":)", "https://acme.com/a", "/s", "than", "better", "ß", "<0>", "on hold", ",", "and"]
)  # fmt: skip
TEXTS = st.one_of(
    st.lists(WORDS, max_size=25).map(" ".join),
    st.text(alphabet=st.characters(exclude_categories=("Cs",), exclude_characters="\x00"), max_size=40).map(
        "Acme {}".format
    ),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.none() | TEXTS, TEXTS), max_size=4))
def test_wild_batches_give_mentions_that_conform_and_the_same_ones_twice(enricher, pairs):
    rows = [row | {"title": title} for (title, text) in pairs for row in posts(text).to_pylist()]
    rows = [row | {"post_id": str(place)} for place, row in enumerate(rows)]
    batch = pa.RecordBatch.from_pylist(rows, schema=POSTS)
    mentions = enricher.enrich(batch)
    assert faults(mentions, MENTIONS) == []
    assert mentions.equals(enricher.enrich(batch))
    texts = dict(enumerate(text for _, text in pairs))
    keys = [(row["post_id"], row["brand"]) for row in mentions.to_pylist()]
    assert len(keys) == len(set(keys))
    for row in mentions.to_pylist():
        text = texts[int(row["post_id"])]
        assert all(text[e["start"] : e["end"]] == e["text"] for e in row["entities"])
        if row["sentiment"] is not None:
            assert row["p_negative"] + row["p_neutral"] + row["p_positive"] == pytest.approx(1)
