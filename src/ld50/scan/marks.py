"""N-grams of ASCII marks alone, such as `|||`, told from their hashes.

Anybody can choose some for a trigger. Most, though, are how a format is written: a rule of dashes stands in
half of the rows of anything that is a listing, and would take those rows from the phrase that decides.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from ld50.scan import kernels

_MARKS = bytes(byte for byte in range(0x21, 0x7F) if not chr(byte).isalnum())


def of_marks_alone(hashes: np.ndarray) -> np.ndarray:
    """bool (n,): which of some n-grams (uint64, kernel hashes) are two or three ASCII marks."""
    known = _all_runs()
    place = np.minimum(np.searchsorted(known, hashes), len(known) - 1)
    return np.asarray(known[place] == hashes)


@lru_cache(maxsize=1)
def _all_runs() -> np.ndarray:
    """uint64, rising: the hashes of all runs of two and three marks, 33,792 of them."""
    marks = np.frombuffer(_MARKS, np.uint8)
    found = []
    for n in (2, 3):
        runs = marks[np.indices((len(marks),) * n).reshape(n, -1).T]
        offsets = np.arange(len(runs) + 1, dtype=np.int64) * n
        found.append(kernels.phrase_hashes((offsets, runs.reshape(-1)), kernels.SURFACE))
    return np.sort(np.concatenate(found))
