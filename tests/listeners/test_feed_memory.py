"""Which entry is which from visit to visit: guids that change, are missing, are shared, or are used again."""

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from listeners import feed_memory
from listeners.entry import Entry

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def entry(guid: str | None = None, link: str | None = None, title: str | None = None, **more: Any) -> Entry:
    given = {"text": "", "author": None, "published_at": None, "updated_at": None, **more}
    return Entry(guid, link, title, title_is_html=False, text_is_html=False, **given)


def visits(*documents: list[Entry]) -> list[list[str]]:
    """What the posts of each document are called, one visit after the other; the memory travels as text."""
    memory, called = "", []
    for number, document in enumerate(documents):
        placed, after = feed_memory.place(document, feed_memory.read(memory), NOW + number * DAY)
        memory = feed_memory.written(after)
        called.append([place.post for place in placed])
    return called


def test_an_entry_keeps_its_post_whatever_else_changes():
    [[first], [second]] = visits(
        [entry("g", "https://a.example/1", "Old")], [entry("g", "https://a.example/2", "New", text="more")]
    )
    assert first == second == feed_memory.identity(entry("g"))


def test_a_new_guid_at_the_same_link_with_the_same_title_or_date_is_the_same_entry():
    old = entry("http://www.a.example/?p=1", "http://www.a.example/one/", "One", published_at=NOW - DAY)
    for new in (
        entry("urn:uuid:1", "https://a.example/one", "One"),
        entry("urn:uuid:1", "https://a.example/one/", "One, edited", published_at=NOW - DAY),
        entry(None, "https://b.example/one", "One"),
        entry("urn:uuid:1", "https://a.example/one/?utm_source=rss", "One"),
    ):
        [[first], [second], [third]] = visits([old], [new], [new])
        assert first == second == third


def test_a_new_guid_is_a_new_entry_where_the_old_one_is_still_there_or_nothing_else_is_the_same():
    old = entry("1", "https://a.example/one", "One", published_at=NOW - DAY)
    [[first], second] = visits([old], [old, entry("2", "https://a.example/one", "One", published_at=NOW - DAY)])
    assert second[0] == first
    assert len(set(second)) == 2
    [[first], [second]] = visits([old], [entry("2", "https://a.example/one", "Two", published_at=NOW)])
    assert first != second


def test_a_link_that_many_entries_have_tells_nothing():
    home = "https://a.example/episodes"
    before = [entry("1", home, "One"), entry("2", home, "Two")]
    after = [entry("3", home, "Three"), entry("2", home, "Two")]
    [first, second] = visits(before, after)
    assert second[1] == first[1]
    assert second[0] not in first


def test_a_guid_used_again_for_another_entry_is_a_new_post_from_then_on():
    old = entry("latest", "https://a.example/1", "One", published_at=NOW - DAY)
    new = entry("latest", "https://a.example/2", "Two", published_at=NOW)
    newest = entry("latest", "https://a.example/3", "Three", published_at=NOW + DAY)
    called = visits([old], [new], [new], [newest])
    assert called[1] == called[2]
    assert len({*called[0], *called[1], *called[3]}) == 3


def test_a_guid_that_comes_to_be_shared_leaves_its_first_entry_where_it_was():
    one = entry("same", "https://a.example/1", "One", published_at=NOW - DAY)
    two = entry("same", "https://a.example/2", "Two", published_at=NOW - DAY / 2)
    [[first], both, [left], [alone]] = visits([one], [two, one], [one], [two])
    assert first == both[1] == left
    assert alone == both[0] != first


def test_entries_that_share_guid_and_link_are_told_apart_by_what_they_say():
    home = "https://a.example/"
    document = [entry(home, home, f"Episode {number}", published_at=NOW - number * DAY) for number in range(5)]
    first, second = visits(document, document[1:])
    assert len(set(first)) == 5
    assert second == first[1:]


def test_an_entry_listed_twice_is_there_once_as_it_was_edited_last():
    older = entry("g", "https://a.example/1", "Title", updated_at=NOW - DAY, text="old")
    newer = entry("g", "https://a.example/1", "Title", updated_at=NOW, text="new")
    for document in ([older, newer], [newer, older]):
        [place], _ = feed_memory.place(document, {}, NOW)
        assert document[place.index] is newer


def test_entries_without_guid_and_link_are_known_by_all_they_say():
    document = [entry(title="Status", text="up"), entry(title="Status", text="down"), entry(title="Status", text="up")]
    assert [len(set(called)) for called in visits(document)] == [2]
    assert visits(document)[0] == visits(document, document)[1]


def test_an_edit_of_an_entry_without_guid_and_link_is_found_by_date_or_title():
    dated = entry(title="One", text="old", published_at=NOW - DAY)
    [[first], [second]] = visits([dated], [entry(title="One, edited", text="new", published_at=NOW - DAY)])
    assert first == second
    [[first], [second]] = visits([entry(title="One", text="old")], [entry(title="One", text="new")])
    assert first == second
    [[first], [second]] = visits([dated], [entry(title="One", text="new", published_at=NOW)])
    assert first != second  # a column of the same name, a day later


def test_an_undated_entry_keeps_the_time_at_which_it_was_first_seen():
    memory: dict = {}
    for days in range(3):
        [place], memory = feed_memory.place([entry("g", text=str(days))], memory, NOW + days * DAY)
        assert place.first_seen == NOW


def test_a_date_that_cannot_be_true_is_no_date():
    for at in (None, datetime(1970, 1, 1, tzinfo=UTC), NOW + DAY):
        assert feed_memory.told_date(entry(published_at=at), NOW) is None
    assert feed_memory.told_date(entry(published_at=NOW - DAY), NOW) == NOW - DAY


def test_the_memory_is_bounded_and_what_is_in_the_window_stays_in_it():
    documents = [[entry(f"{visit}-{number}") for number in range(200)] for visit in range(5)]
    placed: list[feed_memory.Placed] = []
    memory: dict[str, feed_memory.Known] = {}
    for document in documents:
        placed, memory = feed_memory.place(document, memory, NOW)
    assert len(memory) == feed_memory.REMEMBERED
    assert {place.post for place in placed} <= set(memory)


def test_a_memory_that_cannot_be_read_is_forgotten():
    for text in (None, "", "a b", "1,2,3", ",,,,", "x" * 1000):
        assert feed_memory.read(text) == {}


FEW = st.sampled_from([None, "1", "2", "https://a.example/1", "http://a.example/1/", "https://a.example/"])
ENTRIES = st.builds(
    entry, FEW, FEW, FEW, text=st.sampled_from(["", "x", "y"]), published_at=st.sampled_from([None, NOW, NOW - DAY])
)


@given(st.lists(ENTRIES, max_size=5), st.lists(ENTRIES, max_size=5))
def test_no_two_entries_get_one_post_and_a_second_reading_changes_nothing(before, after):
    first, second, third = visits(before, after, after)
    assert all(len(set(called)) == len(called) for called in (first, second, third))
    assert second == third
    assert visits(before, before)[1] == first
