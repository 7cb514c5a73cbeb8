"""Samples of rows that any worker agrees on."""

from __future__ import annotations

import numpy as np


def uniform(ordinals: np.ndarray) -> np.ndarray:
    """float64 in [0, 1): a number for each row, from its ordinal alone."""
    mixed = ordinals.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    mixed ^= mixed >> np.uint64(29)
    mixed *= np.uint64(0xBF58476D1CE4E5B9)
    return (mixed >> np.uint64(11)).astype(np.float64) / 2**53


def some_of(ordinals: np.ndarray, most: int) -> np.ndarray:
    """int64, rising: at most so many of the rows (rising), drawn by `uniform`."""
    if len(ordinals) <= most:
        return ordinals
    chosen = np.argpartition(uniform(ordinals), most)[:most]
    return np.asarray(ordinals[np.sort(chosen)])
