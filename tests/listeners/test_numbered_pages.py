"""Lists by page number are read whole, however items come and go between visits."""

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from listeners.numbered_pages import STRETCHES, Progress, Stretch, walk


class Numbers:
    """A list of times, the newest first, in pages of `size`; it is asked `budget` times."""

    def __init__(self, times: list[int], size: int = 3, budget: int = 10**6) -> None:
        self.times, self.size, self.budget = sorted(times, reverse=True), size, budget
        self.pages: list[int] = []

    async def fetch(self, page: int) -> list[int] | None:
        if len(self.pages) >= self.budget:
            return None
        self.pages.append(page)
        return self.times[(page - 1) * self.size : page * self.size]


async def read(numbers: Numbers, stretch: Stretch) -> list[int]:
    found = []
    async for items in walk(stretch, numbers.fetch, lambda at: at):
        found += items
        stretch.end = min([stretch.end, *items])
    return found


async def test_a_stretch_is_read_down_to_its_start_and_no_further():
    numbers, stretch = Numbers(list(range(100))), Stretch(90, 97)
    assert await read(numbers, stretch) == [97, 96, 95, 94, 93, 92, 91, 90]
    assert stretch.all_read
    assert numbers.pages == [1, 2, 3, 4]


async def test_an_empty_first_page_is_not_believed_and_an_empty_further_one_is_the_end():
    nothing, some = Stretch(0, 9), Stretch(0, 9)
    assert await read(Numbers([]), nothing) == []
    assert not nothing.all_read
    assert await read(Numbers([3, 2, 1]), some) == [3, 2, 1]
    assert some.all_read


async def test_a_list_that_knows_one_page_only_does_not_keep_us_for_ever():
    stretch = Stretch(0, 9)

    async def fetch(_: int) -> list[int]:
        return [5, 4]

    assert [items async for items in walk(stretch, fetch, lambda at: at)] == [[5, 4]]
    assert stretch.all_read


async def test_what_moved_up_since_is_found_on_an_earlier_page():
    stretch = Stretch(0, 10, page=4)
    assert sorted(await read(Numbers([20, 9, 8, 7, 6, 5, 4]), stretch)) == [4, 5, 6, 7, 8, 9]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(1, 60), max_size=40, unique=True),
    st.integers(1, 5),
    st.lists(st.tuples(st.integers(2, 6), st.integers(0, 9), st.integers(0, 3)), max_size=6),
)
async def test_nothing_is_missed_while_items_come_and_go_between_visits(times, size, visits):
    numbers, stretch, found, unused = Numbers(times, size), Stretch(0, 60), set(), itertools.count(61)
    for budget, arriving, gone in [*visits, (10**6, 0, 0)]:
        new = list(itertools.islice(unused, arriving))
        left = numbers.times[gone:]  # taken down above what is still to be read
        removed = {at for at in numbers.times[:gone] if at not in found}
        numbers = Numbers([*left, *removed, *new], size, budget)
        found |= set(await read(numbers, stretch))
        if stretch.all_read:
            break
    assert set(times) <= found | {at for at in times if at not in numbers.times}


def test_the_number_of_stretches_is_bounded_and_none_is_lost():
    done = Progress()
    for at in range(0, 1000, 10):
        done.note(Stretch(at, at + 9, 5), at + 5)
    assert len(done.stretches) == STRETCHES
    assert (min(stretch.start for stretch in done.stretches), done.read_to) == (0, 995)
    again = Progress.read(done.written())
    assert again.written() == done.written()
