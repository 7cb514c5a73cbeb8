"""How many rows the label test can take at once, by the memory that it makes of them."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from ld50.scan.labels.tokens import count_tokens

#: Bytes that a token, a token and label, a row, and a row and label take at the peak, as measured on
#: sets of 2 to 64 labels; of short rows, hardly an n-gram is that of another. What does not grow with
#: the set (the buckets of pairs) is not among them.
_TOKEN, _TOKEN_LABEL = 180, 32
_ROW, _ROW_LABEL = 3000, 150
_ROWS_AT_ONCE = 1 << 15


def rows_that_fit(texts: pa.Array, labels: int, order: np.ndarray, room: int) -> int:
    """How many rows, taken in a given order, the label test holds in `room` bytes.

    Text alone does not tell: short rows make of each byte sixty times as much.

    Args:
        texts: `large_string` (n,) without nulls.
        labels: Number of different labels.
        order: int64 (n,), the rows in the order in which they are taken.
        room: Bytes.

    Returns:
        From 0 to n.
    """
    fitting, used = 0, 0
    for begin in range(0, len(order), _ROWS_AT_ONCE):
        some = order[begin : begin + _ROWS_AT_ONCE]
        tokens = count_tokens(texts.take(pa.array(some)))
        cost = tokens * (_TOKEN + _TOKEN_LABEL * labels) + (_ROW + _ROW_LABEL * labels)
        total = used + np.cumsum(cost)
        inside = int(np.searchsorted(total, room, side="right"))
        fitting += inside
        if inside < len(some):
            break
        used = int(total[-1])
    return fitting
