"""Authors as pseudonyms: the same account always gets the same one, and nobody without the key can tell whose it is."""

import hashlib
import hmac

from listeners.feed import Pseudonym


def pseudonym(key: bytes, network: str) -> Pseudonym:
    """Return the function from an account of the network to its author's pseudonym: 32 hex digits.

    It is HMAC-SHA256 under the key, the first 16 bytes; a new key makes all authors new ones. Accounts are told
    apart as given, so a listener hands them over in one spelling (its docstring says which).
    Raises ValueError if the key is empty.
    """
    if not key:
        raise ValueError("the key for pseudonyms is empty")

    def of(account: str) -> str:
        message = f"{network}\0{account}".encode("utf-8", "surrogatepass")
        return hmac.new(key, message, hashlib.sha256).digest()[:16].hex()

    return of
