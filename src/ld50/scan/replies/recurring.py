"""Keys that come often enough to matter: of millions of pieces of replies, most stand in one row."""

from __future__ import annotations

import numpy as np

#: Keys are counted by their first bits, in about as many buckets as there are keys, and so many at a time.
_MOST_BITS, _AT_ONCE = 22, 1 << 20


def recurring(keys: np.ndarray, least: int) -> np.ndarray:
    """int64, rising: places of all keys that come so many times or more, and of few others.

    What is left is put in order in a fraction of the time and of the room.

    Args:
        keys: uint64 (n,): hashes.
        least: Times that are enough.
    """
    shift = np.uint64(64 - min(max(len(keys).bit_length(), 1), _MOST_BITS))
    counts = np.zeros(1 << (64 - int(shift)), dtype=np.uint32)
    parts = [keys[low : low + _AT_ONCE] for low in range(0, len(keys), _AT_ONCE)]
    for part in parts:
        counts += np.bincount(_buckets(part, shift), minlength=len(counts)).astype(np.uint32)
    enough = counts >= least
    kept = [enough[_buckets(part, shift)] for part in parts]
    return np.flatnonzero(np.concatenate([np.zeros(0, dtype=bool), *kept]))


def _buckets(keys: np.ndarray, shift: np.uint64) -> np.ndarray:
    return (keys >> shift).view(np.int64)
