"""The macros against figures worked out by hand."""

from datetime import date, datetime, timedelta
from math import sqrt

import pytest
from together import together
from warehouse_rows import NOW, batch, brands, event, hours_ago, mention, post, store_pairs

from warehouse import tables


def utc(*parts):
    """A time as the snapshot gives it: UTC without a zone."""
    return datetime(*parts, tzinfo=NOW.tzinfo).replace(tzinfo=None)


def told(brand, feelings, hours=1.0, source="rss"):
    """Return a post for each feeling about a brand, all some hours before NOW, and its mention."""
    name = f"{brand}-{hours}-{source}"
    said = [post(f"{name}-{i}", published_at=hours_ago(hours), source=source) for i in range(len(feelings))]
    return [(one, mention(one, brand, side)) for one, side in zip(said, feelings, strict=True)]


def say(lake, brand, feelings, **how):
    """Store that."""
    pairs = told(brand, feelings, **how)
    store_pairs(lake, pairs, brand, pairs[0][0]["post_id"])


def wilson(hits, trials):
    """The textbook's centre and half width."""
    p, z = hits / trials, 1.96
    centre = (p + z * z / (2 * trials)) / (1 + z * z / trials)
    half = z / (1 + z * z / trials) * sqrt(p * (1 - p) / trials + z * z / (4 * trials * trials))
    return centre - half, centre + half


@together
def test_trend_counts_each_day_and_gives_net_sentiment_with_its_interval(brand):
    ask = yield told(brand, [1, 1, 1, 1, 1, 1, -1, -1, 0, None], hours=26) + told(brand, [-1], hours=2)
    yesterday, today = ask("FROM trend(?)", brand)
    low, high = wilson(6, 8)
    assert yesterday == {
        "brand": brand,
        "period": utc(2026, 11, 19),
        "n": 10,
        "positives": 6,
        "negatives": 2,
        "neutrals": 1,
        "unknown_share": pytest.approx(0.1),
        "net_sentiment": pytest.approx(0.5),
        "net_sentiment_low": pytest.approx(2 * low - 1),
        "net_sentiment_high": pytest.approx(2 * high - 1),
        "corrected": None,
        "corrected_low": None,
        "corrected_high": None,
        "coverage": None,
        "reason": "no confusion matrix",
    }
    assert (today["n"], today["net_sentiment"], today["net_sentiment_low"]) == (1, None, None)
    assert today["reason"] == "fewer than 5"


@together
def test_a_period_without_a_side_has_no_net_sentiment(brand):
    ask = yield told(brand, [0, 0, 0, None, None])
    [row] = ask("FROM trend(?)", brand)
    assert (row["n"], row["net_sentiment"], row["net_sentiment_high"]) == (5, None, None)
    assert row["reason"] == "nobody takes a side"


@together
def test_quiet_periods_are_rows_of_zeros(brand):
    ask = yield told(brand, [1], hours=4)
    rows = ask("SELECT n, unknown_share FROM trend(?, grain := 'hour')", brand)
    assert rows == [{"n": 1, "unknown_share": 0.0}] + [{"n": 0, "unknown_share": None}] * 4


@together
def test_since_bounds_the_period_and_is_30_days_unless_given(brand):
    ask = yield [pair for days in (1, 29, 31) for pair in told(brand, [1], hours=24 * days)]
    counted = "SELECT sum(n)::INT AS n FROM trend(?{})"
    assert ask(counted.format(""), brand) == [{"n": 2}]
    assert ask(counted.format(", since := DATE '2026-10-01'"), brand) == [{"n": 3}]
    assert ask(counted.format(", since := ?"), brand, NOW.replace(tzinfo=None) - timedelta(days=2)) == [{"n": 1}]


@together
def test_a_trend_without_a_grain_is_one_row_of_all_since_then(brand):
    ask = yield told(brand, [1, 1, -1, -1], hours=26) + told(brand, [1, 1], hours=2)
    [row] = ask("FROM trend(?, grain := NULL)", brand)
    assert (row["period"], row["n"], row["net_sentiment"]) == (None, 6, pytest.approx(2 / 6))


@together
def test_mentions_and_their_authors_are_counted_over_the_same_whole_hours(brand):
    at_a_quarter_past_7 = told(brand, [1, 1], hours=5.25)
    ask = yield at_a_quarter_past_7 + told(brand, [1], hours=2)
    for since, n in ((utc(2026, 11, 20, 7), 3), (utc(2026, 11, 20, 7, 5), 1)):
        assert ask("SELECT n, authors FROM word_of_mouse(?, since := ?)", brand, since) == [{"n": n, "authors": n}]


def test_trend_of_null_is_every_brand_and_of_a_stranger_none(lake, publish, ask):
    say(lake, "Quillon", [1])
    say(lake, "Telvo", [1, 1])
    publish()
    assert ask("SELECT brand, n FROM trend(NULL)") == [{"brand": "Quillon", "n": 1}, {"brand": "Telvo", "n": 2}]
    assert ask("FROM trend('Nobody')") == []


def test_share_of_voice_is_among_competitors_or_all_where_none_are_named(lake, publish, ask):
    say(lake, "Quillon", [1] * 6)
    say(lake, "Telvo", [0] * 2)
    say(lake, "Marrow", [0] * 2)
    publish(brands("Marrow", "Silent", Quillon=["Telvo", "Unlisted"], Telvo=["Quillon"]))
    rows = {row["brand"]: row for row in ask("FROM share_of_voice()")}
    assert list(rows) == ["Quillon", "Marrow", "Telvo", "Silent"]
    told = {brand: (row["n"], row["market_n"], row["share_of_voice"]) for brand, row in rows.items()}
    assert told == {
        "Quillon": (6, 8, 0.75), "Telvo": (2, 8, 0.25), "Marrow": (2, 10, 0.2), "Silent": (0, 10, 0.0),
    }  # fmt: skip
    ends = (rows["Quillon"]["share_of_voice_low"], rows["Quillon"]["share_of_voice_high"])
    assert ends == pytest.approx(wilson(6, 8))


def test_a_market_with_too_few_mentions_has_no_shares(lake, publish, ask):
    say(lake, "Quillon", [1] * 4)
    publish()
    assert ask("SELECT n, share_of_voice FROM share_of_voice()") == [{"n": 4, "share_of_voice": None}]


def test_word_of_mouse_is_one_line_a_brand(lake, publish, ask):
    say(lake, "Quillon", [1, 1, 1, -1, 0, 0], hours=24)  # in the 2 days asked for
    say(lake, "Quillon", [-1, -1], hours=30, source="mastodon")
    say(lake, "Quillon", [1, -1, -1, -1, 0], hours=80)  # in the 2 days before
    say(lake, "Quillon", [0], hours=24 * 9)  # heard since long before
    say(lake, "Telvo", [1] * 2, hours=24)
    lake.append(batch(tables.ALERTS, event("x", "opened", 5), event("y", "opened", 9), event("y", "resolved", 3)),
                tables.ALERTS, "alerts")  # fmt: skip
    publish(brands("Quillon", "Telvo", "Silent"))
    rows = ask("FROM word_of_mouse(NULL, since := ?)", utc(2026, 11, 18, 12))
    assert [row["brand"] for row in rows] == ["Quillon", "Telvo", "Silent"]
    low, high = wilson(3, 6)
    assert rows[0] == {
        "brand": "Quillon",
        "n": 8,
        "authors": 8,
        "positives": 3,
        "negatives": 3,
        "neutrals": 2,
        "unknown_share": 0.0,
        "net_sentiment": 0.0,
        "net_sentiment_low": pytest.approx(2 * low - 1),
        "net_sentiment_high": pytest.approx(2 * high - 1),
        "corrected": None,
        "corrected_low": None,
        "corrected_high": None,
        "share_of_voice": pytest.approx(0.8),
        "n_before": 5,
        "n_change": pytest.approx(8 / 5 - 1),
        "net_sentiment_change": pytest.approx(0.0 - (1 - 3) / 4),
        "negative_reach": None,  # nobody's reach is told
        "negative_reach_low": None,
        "negative_reach_high": None,
        "negative_level": 0.0,
        "imputed_share": 1.0,
        "top_source": "rss",
        "open_alerts": 1,
        "coverage": None,
        "reason": "no confusion matrix",
    }
    assert (rows[1]["n"], rows[1]["n_before"], rows[1]["net_sentiment"]) == (2, None, None)
    assert (rows[2]["n"], rows[2]["top_source"], rows[2]["share_of_voice"]) == (0, None, 0.0)
    assert ask("FROM word_of_mouse('Telvo', since := ?)", utc(2026, 11, 18, 12)) == [rows[1]]


@together
def test_dates_and_text_are_times_too(brand):
    ask = yield told(brand, [1])
    for since in (date(2026, 11, 20), "2026-11-20", utc(2026, 11, 20)):
        assert [row["n"] for row in ask("FROM word_of_mouse(?, since := ?)", brand, since)] == [1]
