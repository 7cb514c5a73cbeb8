"""Is there a word that some texts have in common? The sharpest sign that they were not chosen at random.

Texts on one subject need not be alike as a whole: of descriptions of programs, some hold `file` and others
`server`. But one such word, at least, stands in many more of them than in other texts.
"""

from __future__ import annotations

import math

import numpy as np
import pyarrow as pa

from ld50.scan import kernels
from ld50.scan.statistics import log_hypergeometric_tail

_MOST_WORDS = 2_000
#: Fewer texts that share a word show nothing.
_FEWEST = 3


def log_chance_of_telling_word(texts: list[str], others: list[str]) -> float:
    """Natural logarithm of the chance that random texts share a word as these do, corrected for all words.

    Args:
        texts: Some texts.
        others: Random texts of about the same length.
    """
    held, number = _words(texts)
    among, of = _words(others)
    words, both = np.unique(held, return_counts=True)
    elsewhere, counts = np.unique(among, return_counts=True)
    some = both >= _FEWEST
    if not some.any() or len(elsewhere) == 0:
        return 0.0
    place = np.minimum(np.searchsorted(elsewhere, words), len(elsewhere) - 1)
    rest = np.where(elsewhere[place] == words, counts[place], 0)
    log_p = log_hypergeometric_tail(both[some], (both + rest)[some], number, number + of)
    return min(float(log_p.min()) + math.log(len(words)), 0.0)


def _words(texts: list[str]) -> tuple[np.ndarray, int]:
    """uint64: the words of each text, each once a text; and how many texts have any."""
    column = pa.array(texts, type=pa.large_string())
    found = kernels.ngrams(column, kinds=1, max_per_row=_MOST_WORDS, distinct=True, placed=False)
    return found.hash, len(np.unique(found.row))
