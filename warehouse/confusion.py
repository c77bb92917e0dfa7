"""How nlp errs about sentiment, as a small table from which SQL takes the errors back out of a share.

What nlp says follows q = C' p: C[true][given] is how often a mention of one side is given another, measured on held-out
data; p are the true shares. The table holds C and the inverse of C', so that p is a sum of products. Where noise
would make a share negative, SQL takes 0 for it; the others keep their ratio.
"""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

SIDES = (-1, 0, 1)  # against, neither, for: the order of the matrix
LEAST_DETERMINANT = 0.01  # of C; nearer to 0, sides are told apart too badly for anything to be taken back

SCHEMA = pa.schema(
    [
        pa.field("true_sentiment", pa.int8(), metadata={"doc": "what the writer conveys: -1, 0 or 1"}),
        pa.field("given_sentiment", pa.int8(), metadata={"doc": "what nlp says of it: -1, 0 or 1"}),
        pa.field("share", pa.float64(), metadata={"doc": "how often it says so, of what is truly this"}),
        pa.field("weight", pa.float64(), metadata={"doc": "by which a given share counts toward the true one"}),
    ]
)


class ConfusionUnusable(ValueError):
    """A matrix that corrects nothing: of another shape, with an empty row, or with sides that are not told apart."""


def table(matrix: Sequence[Sequence[float]] | None) -> pa.Table:
    """Return a row per true and given side; none where there is no matrix.

    matrix: counts or shares, rows true, columns given, both in the order of SIDES. Raises ConfusionUnusable.
    """
    if matrix is None:
        return SCHEMA.empty_table()
    counts = (
        np.array([list(row) for row in matrix], np.float64) if len({len(row) for row in matrix}) == 1 else np.zeros(0)
    )
    if counts.shape != (3, 3) or not (counts >= 0).all() or not (counts.sum(axis=1) > 0).all():
        raise ConfusionUnusable(f"expected 3 rows of 3 counts, none below 0 and no row of zeros, found {matrix}")
    shares = counts / counts.sum(axis=1, keepdims=True)
    if abs(np.linalg.det(shares)) < LEAST_DETERMINANT:
        raise ConfusionUnusable(f"the sides are not told apart well enough to correct by it: {matrix}")
    weights = np.linalg.inv(shares.T)  # [true, given]
    places = [(true, given) for true in range(3) for given in range(3)]
    return pa.Table.from_pydict(
        {
            "true_sentiment": [SIDES[true] for true, _ in places],
            "given_sentiment": [SIDES[given] for _, given in places],
            "share": [shares[place] for place in places],
            "weight": [weights[place] for place in places],
        },
        schema=SCHEMA,
    )
