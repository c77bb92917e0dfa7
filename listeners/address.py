"""Which addresses a feed may lead us to.

A feed's URL, or any redirect, may name a host inside our own network. So a host is looked up once,
every address it has is checked, and the connection goes to a checked address: a second look-up could give another.
Only hosts that the user lists in allow_hosts are spared the check.
"""

import asyncio
import functools
import ipaddress
import socket
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor

Resolve = Callable[[str, int], Awaitable[list[str]]]  # host and port -> its addresses, the preferred first

LOOK_UPS = 32  # at once: they only wait, and the event loop's own four threads would let a dead name hold up others
_NAT64 = ipaddress.ip_network("64:ff9b::/96")  # RFC 6052: an IPv4 address in the last 32 bits


class AddressRefused(Exception):
    """A host has an address that the public must not lead us to; a retry does not help."""


class HostUnknown(Exception):
    """A host's name cannot be resolved now; a retry may help."""


async def resolve(host: str, port: int) -> list[str]:
    """Return a host's addresses as the system's resolver orders them; a literal address is its own.

    Raises HostUnknown where there is none.
    """
    try:
        return [str(ipaddress.ip_address(host))]
    except ValueError:
        pass
    try:
        look_up = functools.partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
        found = await asyncio.get_running_loop().run_in_executor(_look_ups(), look_up)
    except (OSError, UnicodeError) as error:  # gaierror is an OSError; UnicodeError: a label too long for IDNA
        raise HostUnknown(f"cannot find the host {host}: {error}") from error
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


@functools.cache
def _look_ups() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(LOOK_UPS, thread_name_prefix="look-up")


def why_refused(address: str) -> str | None:
    """Return what kind of address it is where the public must not lead us there, or None if it is public."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])  # "fe80::1%eth0": the zone is no part of it
    except ValueError:
        return "invalid"
    inner = _inside(found)
    if inner is not None:
        return why_refused(str(inner))
    kinds = {
        "unspecified": found.is_unspecified,
        "loopback": found.is_loopback,
        "link-local": found.is_link_local,
        "multicast": found.is_multicast,
        "private": found.is_private or (found.version == 6 and found.is_site_local),
        "reserved": found.is_reserved,
        # 6to4 and Teredo lead to an IPv4 address through whoever relays (RFC 7526 gave them up). Pythons disagree
        # whether they are global, so we say so ourselves.
        "tunnel": found.version == 6 and (found.sixtofour is not None or found.teredo is not None),
        "non-public": not found.is_global,  # shared address space (RFC 6598) and the like
    }
    return next((kind for kind, is_so in kinds.items() if is_so), None)


def checked(host: str, addresses: list[str]) -> list[str]:
    """Return the addresses to try, two families alternating so that a dead one costs a single wait.

    Raises AddressRefused if any of them is not public: a name with both kinds is a trap.
    """
    for address in addresses:
        if kind := why_refused(address):
            raise AddressRefused(f"{host} is at {address}, a {kind} address; list {host} in allow_hosts if it is meant")
    return alternating(addresses)


def alternating(addresses: list[str]) -> list[str]:
    """Return the same addresses with IPv6 and IPv4 in turn, the first one's family first."""
    sixes = [address for address in addresses if ":" in address]
    fours = [address for address in addresses if ":" not in address]
    first, second = (sixes, fours) if addresses and ":" in addresses[0] else (fours, sixes)
    paired = [address for pair in zip(first, second, strict=False) for address in pair]
    return paired + first[len(second) :] + second[len(first) :]


def _inside(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address that an IPv6 one leads to, if it does."""
    if isinstance(address, ipaddress.IPv4Address):
        return None
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped
