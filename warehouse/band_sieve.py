"""A sieve for bands of signatures: of millions of texts it leaves the few that may meet some that are sought."""

import numpy as np
from numpy.typing import NDArray

from warehouse.signature_bands import Numbers

BITS = (23, 28)  # that tell a place: the first sieve fits into the processor's cache, the second lets little through


class Sieve:
    """Made of the mixed bands that are sought, given of texts; see signature_bands.mixed."""

    def __init__(self, sought: Numbers) -> None:
        self._meshes = [_Mesh(bits, sought) for bits in BITS]

    def left(self, mixed: Numbers) -> NDArray[np.intp]:
        """Return which bands, by their number, may be one of those sought."""
        quick, exact = self._meshes
        left = quick.left(mixed)
        return left[exact.left(mixed[left])]


class _Mesh:
    """A bit for each of 2**bits places, set where one of the sought bands belongs. Others may belong there too."""

    def __init__(self, bits: int, mixed: Numbers) -> None:
        self._shift = np.uint32(32 - bits)
        self._bits = np.zeros(1 << (bits - 3), dtype=np.uint8)
        place, bit = self._places(mixed)
        np.bitwise_or.at(self._bits, place, np.uint8(1) << bit)

    def left(self, mixed: Numbers) -> NDArray[np.intp]:
        """Return which bands, by their number, may be one of those."""
        place, bit = self._places(mixed)
        found = self._bits.take(place)
        found >>= bit
        found &= np.uint8(1)
        return np.flatnonzero(found.view(np.bool_))

    def _places(self, mixed: Numbers) -> tuple[Numbers, NDArray[np.uint8]]:
        place = mixed >> self._shift
        bit = place.astype(np.uint8)
        bit &= np.uint8(7)
        place >>= np.uint32(3)
        return place, bit
