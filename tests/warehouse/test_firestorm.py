"""The firestorm score: six parts, each worked out by hand, and their mean."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from warehouse.firestorm import TOO_LITTLE, Incident, firestorm

STORM = Incident(
    negatives=63,
    expected=3.0,
    share=0.75,
    usual_share=0.5,
    last=31,
    before=7,
    authors=(2, 1, 1),
    new_authors_share=0.8,
    first_hand_share=0.6,
    usual_first_hand_share=0.8,
)


def test_each_part_is_what_its_formula_gives():
    assert firestorm(STORM).parts == {
        "size": pytest.approx(4 / 5),  # (63 + 1) / (3 + 1) is 16, which is four doublings
        "excess_share": pytest.approx(0.25 / 0.5),
        "growth": pytest.approx(2 / 3),  # 32 / 8
        "spread": pytest.approx(1 - (4 + 1 + 1) / 16),
        "new_authors": 0.8,
        "first_hand_fall": pytest.approx(0.25),
    }


def test_the_score_is_the_mean_of_the_parts_times_100():
    assert firestorm(STORM).score == pytest.approx(100 * (0.8 + 0.5 + 2 / 3 + 0.625 + 0.8 + 0.25) / 6)


def test_a_part_that_is_not_known_does_not_count():
    found = firestorm(replace(STORM, expected=None, authors=()))
    assert (found.parts["size"], found.parts["spread"]) == (None, None)
    assert found.score == pytest.approx(100 * (0.5 + 2 / 3 + 0.8 + 0.25) / 4)


def test_with_fewer_than_four_parts_there_is_no_score_and_a_reason():
    found = firestorm(replace(STORM, expected=None, authors=(), new_authors_share=None))
    assert (found.score, found.reason) == (None, TOO_LITTLE)


def test_a_brand_of_which_only_bad_is_said_cannot_get_more_one_sided():
    assert firestorm(replace(STORM, share=1.0, usual_share=1.0)).parts["excess_share"] == 0


def test_where_nobody_speaks_of_his_own_there_is_nothing_to_fall():
    assert firestorm(replace(STORM, usual_first_hand_share=0.0)).parts["first_hand_fall"] is None


counts = st.integers(0, 10**7)
shares = st.floats(0, 1)
incidents = st.builds(
    Incident,
    negatives=counts,
    expected=st.none() | st.floats(0, 1e6),
    share=st.none() | shares,
    usual_share=st.none() | shares,
    last=counts,
    before=counts,
    authors=st.lists(st.integers(1, 1000), max_size=9).map(tuple),
    new_authors_share=st.none() | shares,
    first_hand_share=st.none() | shares,
    usual_first_hand_share=st.none() | shares,
)


@given(incidents)
def test_score_and_parts_stay_within_their_bounds(incident):
    found = firestorm(incident)
    assert all(0 <= part <= 1 for part in found.parts.values() if part is not None)
    assert found.score is None or 0 <= found.score <= 100
    assert (found.score is None) == (found.reason is not None)


@given(incidents, counts, shares)
def test_worse_news_never_lower_the_score(incident, more, share):
    before = firestorm(incident).score
    worse = [
        replace(incident, negatives=incident.negatives + more),
        replace(incident, last=incident.last + more),
        replace(incident, share=None if incident.share is None else max(share, incident.share)),
        replace(
            incident,
            new_authors_share=None if incident.new_authors_share is None else max(share, incident.new_authors_share),
        ),
        replace(
            incident,
            first_hand_share=None if incident.first_hand_share is None else min(share, incident.first_hand_share),
        ),
    ]
    assert all(before is None or (firestorm(one).score or 0) >= before - 1e-9 for one in worse)
