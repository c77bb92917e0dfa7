"""Bands of signatures: 16 parts of 4 bytes. Texts of a brand that have one in common meet; no others are compared.

A signature is 64 bytes that nlp/signature.py makes of a text; a text too short to tell has none.
"""

from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

SIGNATURE_BYTES, BANDS = 64, 16
WHOLE = f"octet_length(signature) = {SIGNATURE_BYTES}"  # what SQL asks of a text that can be compared
_ODD = np.arange(1, 2 * BANDS, 2, dtype=np.uint32) * np.uint32(0x9E3779B1)  # a band's own: equal bytes fall elsewhere
_LIKELY_BITS = np.uint32(23)  # so many tell a place in a table that fits into the processor's cache

Numbers = NDArray[np.uint32]
Places = NDArray[np.int64]


class Meetings(NamedTuple):
    """Which of some texts meet in one band: their rows, meeting by meeting, and where in them each meeting starts.

    The rows of a meeting ascend.
    """

    rows: Places
    starts: Places


def bands_of(signatures: pa.Array | pa.ChunkedArray) -> Numbers:
    """Return the bands of whole signatures, a number for each: (rows, BANDS)."""
    if isinstance(signatures, pa.ChunkedArray):
        signatures = signatures.combine_chunks()
    _, offsets, values = signatures.cast(pa.binary()).buffers()
    start = np.frombuffer(offsets, dtype=np.int32)[signatures.offset] if offsets else 0
    count = BANDS * len(signatures)
    return np.frombuffer(values or b"", dtype=np.uint32, count=count, offset=start).reshape(-1, BANDS)


def mixed(bands: Numbers) -> Numbers:
    """Return a number for each band of each text, one after the other; the same bytes have another in another band."""
    return (bands * _ODD).reshape(-1)


def keys(band: Numbers, brands: Numbers) -> NDArray[np.uint64]:
    """Return what two texts have the same of if they meet in a band; brands: a number for each text's brand."""
    return band.astype(np.uint64) << np.uint64(32) | brands


def meetings(band: Numbers, brands: Numbers) -> Meetings:
    """Return which texts meet in a band; brands: a number for each text's brand."""
    likeness = (band * _ODD[0] ^ brands) * _ODD[1]  # sorted in a fraction of the time that keys take
    ordered = np.sort(likeness)
    shift = np.uint32(32) - _LIKELY_BITS
    likely = np.zeros(1 << int(_LIKELY_BITS), dtype=bool)
    likely[ordered[1:][ordered[1:] == ordered[:-1]] >> shift] = True
    rows = np.flatnonzero(likely[likeness >> shift])
    return with_key_in_common(rows, keys(band[rows], brands[rows]))


def with_key_in_common(rows: Places, of_rows: NDArray[np.uint64]) -> Meetings:
    """Return which rows, ascending, have a key in common; of_rows: the key of each."""
    order = np.argsort(of_rows, kind="stable")
    rows, of_rows = rows[order], of_rows[order]
    starts = np.flatnonzero(np.append(True, of_rows[1:] != of_rows[:-1])[: len(of_rows)])
    sizes = np.diff(starts, append=len(of_rows))
    sizes, rows = sizes[sizes > 1], rows[np.repeat(sizes > 1, sizes)]
    return Meetings(rows, np.cumsum(sizes) - sizes)
