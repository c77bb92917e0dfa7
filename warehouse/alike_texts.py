"""Which texts are alike: reposts, wire copies, a quote with two words added. lake.story_posts rests on it.

Two texts are alike if they name one brand and their signatures (nlp/signature.py) agree in so many of their 64 bytes
that they share an estimated 0.65 of their shingles, bytes of chance taken off. Compared are those that agree in one of
16 bands of 4 bytes: of two texts that share 0.65, 0.7 and 0.8 of their shingles, that meets 95, 99 and 100 in 100.
Boilerplate makes bands that thousands of texts have: in those each is compared with the first and with its neighbour,
in the order of signatures, where equals lie side by side.

Nearly all of the work is sorting, and numpy sorts numbers far faster than DuckDB groups them. Brands are
taken a few at a time, so that a long history takes no more memory than its loudest brand.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute
from numpy.typing import NDArray

from warehouse.few_brands import few_brands
from warehouse.signature_bands import BANDS, SIGNATURE_BYTES, meetings
from warehouse.statements import statement

pc: Any = pyarrow.compute  # its functions are made at import, where no type checker sees them

ALIKE_AT_LEAST = 0.65  # chosen on half of tests/warehouse/data/stories.jsonl
CROWD_AT_LEAST = 25  # so many texts with one band are not all compared with one another
BY_CHANCE = SIGNATURE_BYTES / 128  # bytes in which two signatures agree that have nothing in common
PAIRS_AT_ONCE = 200_000  # each takes two signatures, and what they are compared in
THREADS_AT_MOST = 4  # each takes several numbers a text
_LOW, _HALF = np.uint64(0xFFFF_FFFF), np.uint64(32)
_COLUMNS = pa.schema(
    {"node": pa.int64(), "brand": pa.string(), "signature": pa.binary(), "alike": pa.list_(pa.int64())}
)

Numbers = NDArray[np.uint64]
Flags = NDArray[np.bool_]


def alike_texts(connection: duckdb.DuckDBPyConnection) -> pa.Table:
    """Return a row for each text that several mentions in lake.mentions have, or that is like another one.

    node: a number for the text; brand and signature, which make the text; alike: nodes of the texts like it.
    """
    found, nodes = [_COLUMNS.empty_table()], 0
    with ThreadPoolExecutor(min(os.cpu_count() or 1, THREADS_AT_MOST)) as threads:
        for brands in few_brands(connection, "lake.mentions"):
            words, number, is_repeated = _texts(connection, brands)
            pairs = np.empty(0, dtype=np.uint64)
            for met in threads.map(partial(_proposed, words, number), range(BANDS)):
                pairs = _once(pairs, met)
            pairs = pairs[_are_alike(words, pairs)]
            found.append(_told(words, number, is_repeated, pairs, brands, nodes))
            nodes += len(words)
    return pa.concat_tables(found)


def _texts(connection: duckdb.DuckDBPyConnection, brands: list[str]) -> tuple[Numbers, Numbers, Flags]:
    """Return the texts of brands, each once, in order of signatures.

    (texts, 8) words, numbers in order as the signatures' bytes are; the brand's number; whether it is repeated.
    """
    asked = {"first": brands[0], "last": brands[-1]}
    read = connection.sql(statement("queries", "signatures_of_brands").text, params=asked).to_arrow_reader(100_000)
    batches = [(_words(batch["signature"]), _numbers(batch["brand"], brands)) for batch in read]
    words = np.concatenate([of_batch for of_batch, _ in batches] or [_words(pa.array([], pa.binary()))])
    number = np.concatenate([of_batch for _, of_batch in batches] or [np.empty(0, dtype=np.uint64)])
    del batches
    order = np.argsort(words[:, 0])
    tied = _beside_equal(words[order, 0])
    within = order[tied]
    order[tied] = within[np.lexsort((number[within], *words[within].T[::-1]))]
    is_again = np.zeros(len(order), dtype=bool)  # the same text as the one before
    [at] = np.nonzero(tied[1:] & tied[:-1])
    one, other = order[at], order[at + 1]
    is_again[at + 1] = (words[one] == words[other]).all(axis=1) & (number[one] == number[other])
    is_repeated = np.append(is_again[1:], False)[~is_again] if len(is_again) else is_again
    kept = order[~is_again]
    return words[kept], number[kept], is_repeated


def _numbers(brand: pa.Array, brands: list[str]) -> Numbers:
    return pc.index_in(brand, value_set=pa.array(brands, brand.type)).to_numpy().astype(np.uint64)


def _words(signatures: pa.Array) -> Numbers:
    _, offsets, values = signatures.cast(pa.binary()).buffers()
    start = np.frombuffer(offsets, dtype=np.int32)[signatures.offset] if offsets else 0
    count = len(signatures) * SIGNATURE_BYTES // 8
    return np.frombuffer(values or b"", dtype=">u8", count=count, offset=start).reshape(-1, 8).astype(np.uint64)


def _proposed(words: Numbers, number: Numbers, band: int) -> Numbers:
    """Return the pairs of texts that are to be compared because of a band, the lesser in the upper 32 bits; sorted."""
    of_band = words[:, band // 2] & _LOW if band % 2 else words[:, band // 2] >> _HALF
    text, starts = meetings(of_band.astype(np.uint32), number.astype(np.uint32))
    text, size = text.astype(np.uint64), np.diff(starts, append=len(text))
    group, is_crowd = np.repeat(np.arange(len(size)), size), np.repeat(size >= CROWD_AT_LEAST, size)
    [crowd] = np.nonzero(is_crowd)
    first = np.repeat(starts, size)[crowd]
    met = [_pairs(text[first], text[crowd])[first < crowd], _pairs(text[crowd - 1], text[crowd])[first < crowd]]
    for step in range(1, int(size[size < CROWD_AT_LEAST].max(initial=0))):
        [one] = np.nonzero((group[:-step] == group[step:]) & ~is_crowd[step:])
        met.append(_pairs(text[one], text[one + step]))
    return _once(*met)


def _pairs(lesser: Numbers, greater: Numbers) -> Numbers:
    return lesser << _HALF | greater


def _are_alike(words: Numbers, pairs: Numbers) -> Flags:
    agreed = np.empty(len(pairs), dtype=np.int64)
    for start in range(0, len(pairs), PAIRS_AT_ONCE):
        some = slice(start, start + PAIRS_AT_ONCE)
        differing = words[pairs[some] >> _HALF] ^ words[pairs[some] & _LOW]
        agreed[some] = np.count_nonzero(differing.view(np.uint8).reshape(-1, SIGNATURE_BYTES) == 0, axis=1)
    return (agreed - BY_CHANCE) / (SIGNATURE_BYTES - BY_CHANCE) >= ALIKE_AT_LEAST


def _told(
    words: Numbers, number: Numbers, is_repeated: Flags, pairs: Numbers, brands: list[str], first_node: int
) -> pa.Table:
    one, other = pairs >> _HALF, pairs & _LOW
    both = _once(pairs, _pairs(other, one))
    text = _once(both >> _HALF, np.flatnonzero(is_repeated).astype(np.uint64))
    offsets = np.searchsorted(both >> _HALF, np.append(text, len(words)))
    signature = words[text].astype(">u8").tobytes()
    return pa.Table.from_arrays(
        [
            pa.array(text.astype(np.int64) + first_node),
            pa.array(brands, pa.string()).take(pa.array(number[text].astype(np.int64))),
            pa.FixedSizeBinaryArray.from_buffers(
                pa.binary(SIGNATURE_BYTES), len(text), [None, pa.py_buffer(signature)]
            ).cast(pa.binary()),
            pa.ListArray.from_arrays(
                pa.array(offsets.astype(np.int32)), pa.array((both & _LOW).astype(np.int64) + first_node)
            ),
        ],
        schema=_COLUMNS,
    )


def _beside_equal(numbers: Numbers) -> Flags:
    """Return which of numbers in order are the same as the one before or after."""
    is_same = numbers[1:] == numbers[:-1]
    return np.append(is_same, False) | np.append(False, is_same) if len(numbers) else np.empty(0, dtype=bool)


def _once(*numbers: Numbers) -> Numbers:
    """Return all numbers in order, each once; np.unique takes far longer."""
    every = np.concatenate(numbers)
    every.sort()
    return every[np.append(True, every[1:] != every[:-1])] if len(every) else every
