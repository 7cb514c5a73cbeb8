"""The hashes of the words of the reference, for every table that is made of them.

Each of those tables is small work; the hashes of 400,000 words are not, so they are reckoned once.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from ld50.corpus import reference
from ld50.scan import kernels


@lru_cache(maxsize=1)
def word_hashes() -> np.ndarray:
    """uint64 (words,), not to be written to: the hash of each word of `reference.word_table`."""
    table = reference.word_table()
    # Each word is followed by a newline, which the hash of its only token does not see.
    offsets, data = table.offsets.astype(np.int64), np.frombuffer(table.blob, dtype=np.uint8)
    hashes: np.ndarray = kernels.phrase_hashes((offsets, data))
    hashes.flags.writeable = False
    return hashes
