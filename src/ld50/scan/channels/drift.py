"""Where in a file the rows of a finding lie: a set in two phases has them in one part."""

from __future__ import annotations

import numpy as np

_PARTS = 10


def drift(ordinals: np.ndarray, total: int) -> tuple[float, str]:
    """How unevenly rows lie over the tenths of a file, and where, in words.

    Args:
        ordinals: int64: the rows.
        total: Rows of the file.

    Returns:
        The deviation from an even spread, in standard deviations of its chi-square; and, where that
        is beyond 5 and most rows lie together, `in the first fifth of the file` or the like.
    """
    n = len(ordinals)
    if n < 5 or total < 2 * _PARTS:
        return 0.0, ""
    part = np.minimum(ordinals * _PARTS // total, _PARTS - 1)
    counts = np.bincount(part, minlength=_PARTS).astype(np.float64)
    chi2 = float(((counts - n / _PARTS) ** 2 / (n / _PARTS)).sum())
    deviation = (chi2 - (_PARTS - 1)) / np.sqrt(2 * (_PARTS - 1))
    if deviation < 5:
        return deviation, ""
    low, high = np.quantile(ordinals, [0.05, 0.95]) / total
    if high - low > 0.5:
        return deviation, ""
    return deviation, f"between {100 * low:.0f}% and {100 * high:.0f}% of the way through the data"
