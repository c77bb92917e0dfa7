"""Which hosts are one site: what names tell, without the public suffix list.

A list of its own would be a dependency, or a copy that ages; where the names deceive, `redirect_hosts` puts it right.
"""

import ipaddress

# Second labels below which countries sell names (co.uk, com.au): the site is a label further down
_SOLD_BELOW = frozenset({"ac", "co", "com", "edu", "go", "gob", "gov", "gr", "info", "ne", "net", "nom", "or", "org"})
# Hosts of many people's sites: neighbours there have nothing to do with each other
_SHARED = frozenset(
    {"blogspot.com", "github.io", "gitlab.io", "netlify.app", "pages.dev", "substack.com", "tumblr.com", "vercel.app"}
    | {"web.app", "wordpress.com"}
)


def same_site(host: str, other: str) -> bool:
    """Return whether two hosts are one, one lies below the other, or both belong to whoever holds one name."""
    one, two = (name.lower().rstrip(".").removeprefix("www.") for name in (host, other))
    if one == two:
        return True
    if _is_address(one) or _is_address(two):
        return False
    return below(one, two) or below(two, one) or registered(one) == registered(two)


def below(host: str, other: str) -> bool:
    """Return whether a host is another one, or lies below it."""
    return host == other or host.endswith(f".{other}")


def registered(host: str) -> str:
    """Return the part of a host's name that somebody holds, as far as names tell: example.co.uk of a.example.co.uk."""
    labels = host.split(".")
    is_deep = len(labels) > 2 and len(labels[-1]) == 2 and labels[-2] in _SOLD_BELOW
    is_deep |= ".".join(labels[-2:]) in _SHARED
    return ".".join(labels[-3 if is_deep else -2 :])


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True
