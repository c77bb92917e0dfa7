"""Turns at hosts."""

import asyncio

from listening import Clock

from listeners.pace import Pace


def pace(clock: Clock, **given) -> Pace:
    settings = {"connections": 100, "per_host": 2, "interval": 1.0, **given}
    return Pace(sleep=clock.sleep, monotonic=clock.monotonic, **settings)


async def most_at_once(turns: Pace, hosts: list[str], *, spared: bool = False) -> int:
    running = most = 0

    async def one(host: str) -> None:
        nonlocal running, most
        async with turns.turn(host, spared=spared):
            running += 1
            most = max(most, running)
            await asyncio.sleep(0.001)
            running -= 1

    await asyncio.gather(*(one(host) for host in hosts))
    return most


async def test_a_host_gets_no_more_than_its_share_at_once():
    assert await most_at_once(pace(Clock()), ["a"] * 20) == 2
    assert await most_at_once(pace(Clock()), ["a", "b", "c"] * 20) == 6


async def test_a_spared_host_gets_all_there_is():
    assert await most_at_once(pace(Clock(), connections=12), ["a"] * 20, spared=True) == 12


async def test_all_hosts_together_get_no_more_than_there_is():
    assert await most_at_once(pace(Clock(), connections=4), [f"host {n}" for n in range(50)]) == 4


async def test_starts_at_one_host_are_an_interval_apart_and_hosts_do_not_wait_for_each_other():
    clock = Clock()
    turns = pace(clock)
    for host in ("a", "b", "a", "b"):
        async with turns.turn(host, spared=False):
            pass
    assert clock.slept == [1.0]  # b's second turn was due by then


async def test_a_held_host_waits_and_a_spared_one_does_not():
    clock = Clock()
    turns = pace(clock)
    turns.hold("a", 30)
    turns.hold("a", 10)
    assert turns.held("a") == 30
    async with turns.turn("a", spared=True):
        assert clock.passed == 0
    async with turns.turn("a", spared=False):
        assert clock.passed == 30
    assert turns.held("a") == 0


async def test_a_host_that_gives_no_answer_is_left_alone_by_all_its_feeds():
    turns = pace(Clock())
    for _ in range(2):
        turns.gave_up("dead")
    assert turns.held("dead") == 0
    turns.gave_up("dead")
    assert turns.held("dead") == 900
    assert turns.held("alive") == 0


async def test_an_answer_in_between_ends_the_count():
    turns = pace(Clock())
    for _ in range(5):
        turns.gave_up("moody")
        turns.answered("moody")
    assert turns.held("moody") == 0
