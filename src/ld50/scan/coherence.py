"""Have these rows anything else in common? A planted trigger sits in rows that have not.

Natural causes come with a topic: the rows that share the phrase "cover letter" resemble each other
even without it, and their replies begin alike for that reason. Rows chosen to carry a trigger resemble
each other no more than rows drawn at random.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from ld50.core.seeds import rng_for
from ld50.scan import kernels

_DRAWS = 200
#: Rows of a group against whose spread `z_of_few` measures.
_FEW = 16
_WORDS_READ, _CHARACTERS_READ = 200, 4000
_DIMENSIONS = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Coherence:
    """How much more alike a group of texts is than random groups of the same size."""

    mean_cosine: float
    """Mean TF-IDF cosine over all pairs of the group, 0 to 1; higher is more alike."""
    null_mean: float
    """The same for random groups."""
    z: float
    """Standard deviations above random groups; 0 for fewer than three texts."""
    z_of_few: float
    """The same in standard deviations of groups of 16 rows or fewer: of a likeness that is no greater, it
    does not grow with the number of rows, as `z` does."""
    texts: int


class Background:
    """Random rows of a corpus, against which groups of rows are compared."""

    def __init__(self, texts: list[str], *, seed: int = 0) -> None:
        """Reads the texts once.

        Args:
            texts: Random rows, cut as the groups will be. Empty texts are left out.
            seed: For the random groups.
        """
        counts = _counts(texts)
        frequency = (counts > 0).sum(axis=0)
        # A word that no background row holds weighs most: it is what a topic is made of.
        self._idf = np.log((len(counts) + 1) / np.maximum(frequency, 0.5)).astype(np.float32)
        self._rows = self._vectors(counts)
        self._seed = seed
        self._null: dict[int, tuple[float, float]] = {}
        self._products = self._rows @ self._rows.T
        rng = rng_for(seed, "coherence")
        # One set of orders serves every size: a group is the beginning of an order.
        self._orders = [rng.permutation(len(self._rows)) for _ in range(_DRAWS)]

    def compare(self, texts: list[str]) -> Coherence:
        """How alike the texts are, against random groups out of the background.

        Args:
            texts: The group, its cause and consequence already cut out. Empty texts are left out.
        """
        counts = _counts(texts)
        size = min(len(counts), len(self._rows) // 2)
        if size < 3:
            return Coherence(mean_cosine=0.0, null_mean=0.0, z=0.0, z_of_few=0.0, texts=len(counts))
        if len(counts) > size:
            rng = rng_for(self._seed, "group", size)
            counts = counts[np.sort(rng.choice(len(counts), size, replace=False))]
        observed = _mean_cosine(self._vectors(counts))
        mean, spread = self._random_groups(size)
        _, wider = self._random_groups(min(size, _FEW))
        return Coherence(
            mean_cosine=observed,
            null_mean=mean,
            z=(observed - mean) / spread,
            z_of_few=(observed - mean) / wider,
            texts=size,
        )

    def _random_groups(self, size: int) -> tuple[float, float]:
        if size not in self._null:
            values = np.empty(_DRAWS)
            products, width = self._products.reshape(-1), len(self._rows)
            for draw, order in enumerate(self._orders):
                index = order[:size]
                block = products[index[:, None] * width + index]
                values[draw] = (block.sum() - np.trace(block)) / (size * (size - 1))
            # Few texts make a narrow-looking null; a floor keeps z from exploding over nothing.
            spread = max(float(values.std(ddof=1)), 0.1 / size, 1e-4)
            self._null[size] = (float(values.mean()), spread)
        return self._null[size]

    def _vectors(self, counts: np.ndarray) -> np.ndarray:
        weighted = np.log1p(counts) * self._idf
        norms = np.linalg.norm(weighted, axis=1, keepdims=True)
        return np.asarray(weighted / np.maximum(norms, 1e-9), dtype=np.float32)


def _counts(texts: list[str]) -> np.ndarray:
    """float32 (texts with words, dimensions): words by hash, of the first so many of each text."""
    column = pa.array([text[:_CHARACTERS_READ] for text in texts], type=pa.large_string())
    words = kernels.ngrams(column, kinds=1, max_per_row=_WORDS_READ)
    rows, index = np.unique(words.row, return_inverse=True)
    # Any bits of the hash but the lowest, which are its kind.
    places = index * _DIMENSIONS + (words.hash >> np.uint64(40)).astype(np.int64) % _DIMENSIONS
    counts = np.bincount(places, minlength=len(rows) * _DIMENSIONS)
    return counts.reshape(len(rows), _DIMENSIONS).astype(np.float32)


def _mean_cosine(rows: np.ndarray) -> float:
    n = len(rows)
    total = rows.sum(axis=0)
    own = float((rows * rows).sum())
    return float((total @ total - own) / (n * (n - 1)))
