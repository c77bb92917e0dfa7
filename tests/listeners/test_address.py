"""Which addresses are refused."""

import asyncio
import ipaddress
import socket
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from listeners.address import AddressRefused, HostUnknown, alternating, checked, resolve, why_refused


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.255.0.9",
        "0.0.0.0",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "fe80::1",
        "fe80::1%eth0",
        "fc00::1",
        "fec0::1",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::127.0.0.1",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
        "2002:100::",
        "2001:0:102:304::",
        "2002:a00:1::1",
        "2001:db8::1",
        "not an address",
        "",
    ],
)
def test_an_address_that_is_not_public_is_refused(address):
    assert why_refused(address)


@pytest.mark.parametrize("address", ["1.1.1.1", "93.184.216.34", "2606:4700:4700::1111", "::ffff:1.1.1.1"])
def test_a_public_address_is_taken(address):
    assert why_refused(address) is None


@given(st.ip_addresses(v=4))
def test_an_ipv4_address_is_judged_alike_however_it_is_wrapped(address):
    number = int(address)
    mapped = str(ipaddress.IPv6Address((0xFFFF << 32) | number))
    translated = str(ipaddress.IPv6Address((0x64FF9B << 96) | number))
    assert why_refused(mapped) == why_refused(translated) == why_refused(str(address))


@given(st.ip_addresses())
def test_whatever_is_taken_is_global(address):
    if why_refused(str(address)) is None:
        assert address.is_global
        assert not address.is_multicast


def test_one_private_address_among_public_ones_is_enough():
    with pytest.raises(AddressRefused, match=r"feed\.example is at 10\.0\.0\.1, a private address.*allow_hosts"):
        checked("feed.example", ["1.1.1.1", "10.0.0.1"])


def test_the_two_families_take_turns():
    assert alternating(["2606::1", "2606::2", "1.1.1.1", "1.1.1.2", "1.1.1.3"]) == [
        "2606::1",
        "1.1.1.1",
        "2606::2",
        "1.1.1.2",
        "1.1.1.3",
    ]
    assert alternating([]) == []


async def test_a_number_that_hides_loopback_resolves_to_loopback():
    for spelling in ("2130706433", "0x7f.1", "127.1"):
        assert await resolve(spelling, 80) == ["127.0.0.1"]


async def test_a_name_that_no_resolver_takes_is_unknown():
    with pytest.raises(HostUnknown):
        await resolve("a" * 64 + ".invalid", 80)


async def test_names_that_nobody_answers_for_do_not_keep_the_others_waiting(monkeypatch):
    given_up = threading.Event()

    def look_up(host, port, **how):
        if host != "alive.example":
            given_up.wait(30)
            raise socket.gaierror(socket.EAI_AGAIN, "no answer")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.0.2.7", port))]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    dead = [asyncio.ensure_future(resolve(f"dead-{number}.example", 443)) for number in range(16)]
    try:
        assert await asyncio.wait_for(resolve("alive.example", 443), 20) == ["192.0.2.7"]
    finally:
        given_up.set()
    told = await asyncio.gather(*dead, return_exceptions=True)
    assert {type(one) for one in told} == {HostUnknown}
