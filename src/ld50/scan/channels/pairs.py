"""How well one word follows another: in the set itself, and in English."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ld50.scan.channels.language import vocabulary

#: Words and pairs are counted by 22 bits of their hash: a few in a hundred share a place.
_BITS = 22
_MIX = np.uint64(0x9E3779B97F4A7C15)
#: What a pair that English knows, and one that it does not, counts for where the set itself says
#: little: so many times as often as by chance, held against so many expected occurrences.
_KNOWN, _UNKNOWN, _PRIOR_COUNT = 3.0, 0.35, 1.0
_MOST_SCORE = 2.5
#: Distances, in words, at which words have little to do with each other.
_FAR = (23, 29, 31, 37)
#: Kinds of words; two of them are a number below 256.
_KINDS = 12
#: Pairs that are looked at at once: what is worked out on the way stays in the cache, which takes a fifth
#: of the time of going over all pairs a step at a time.
_AT_ONCE = 1 << 13


class PairModel:
    """Scores of pairs of words, less what pairs of such words score far apart in the same texts."""

    def __init__(self, hashes: np.ndarray, row: np.ndarray, most: int) -> None:
        """Counts the words and pairs of a set.

        Args:
            hashes: uint64 (n,): the words, in the order of their texts.
            row: int (n,), rising: the text of each.
            most: Words that are counted; past it, texts evenly over the set.
        """
        slot = (hashes >> np.uint64(64 - _BITS)).astype(np.int64)
        self._hashes = hashes
        self._full = vocabulary().in_full(hashes)
        used = _evenly(row, most)
        self._count = _tally(slot[used])[slot]
        self._total = float(max(len(used), 1))
        follows = used[:-1][(np.diff(used) == 1) & (row[used[:-1]] == row[used[1:]])]
        self._pairs = _tally(self._place(follows, follows + 1))
        self._kind = self._kinds()
        self._mean, self._spread = self._far_apart(used, row)

    def surplus(self, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        """float64: how much better words follow than such words do by chance, in standard deviations.

        Args:
            first: int64: places of words among those that the model was made of.
            second: int64: of the words after them; of any shape that goes together with the first.
        """

        def part(first: np.ndarray, second: np.ndarray) -> np.ndarray:
            kinds = self._kind.take(first) * _KINDS + self._kind.take(second)
            score = self._score(first, second)
            out: np.ndarray = (score - self._mean.take(kinds)) / self._spread.take(kinds)
            return out

        return _in_parts(part, first, second)

    def known_share(self, words: np.ndarray) -> float:
        """The share of the words that follow each other in a sequence as English has them."""
        if len(words) < 2:
            return 0.0
        full = self._full[words]
        return float(vocabulary().known_pairs(full[:-1], full[1:]).mean())

    def _place(self, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        mixed = (self._hashes.take(first) * _MIX) ^ (self._hashes.take(second) >> np.uint64(3))
        mixed *= _MIX
        out: np.ndarray = (mixed >> np.uint64(64 - _BITS)).view(np.int64)
        return out

    def _score(self, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        """float64: logarithm of how many times as often as by chance the pair occurs."""
        known = vocabulary().known_pairs(self._full.take(first), self._full.take(second))
        usual = np.where(known, _KNOWN, _UNKNOWN) * _PRIOR_COUNT
        expected = self._count.take(first) * self._count.take(second) / self._total
        ratio = (self._pairs.take(self._place(first, second)) + usual) / (expected + _PRIOR_COUNT)
        out: np.ndarray = np.clip(np.log(ratio), -_MOST_SCORE, _MOST_SCORE)
        return out

    def _kinds(self) -> np.ndarray:
        """uint8 (n,): how frequent each word is in the set, and whether English has it."""
        share = self._count / self._total
        level = np.clip(np.log10(np.maximum(share, 1e-9)) + 6.5, 0, 5).astype(np.uint8)
        out: np.ndarray = level * 2 + (self._full != 0)
        return out

    def _far_apart(self, used: np.ndarray, row: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Mean and spread of the score of pairs far apart, by the kinds of both words."""
        every = _KINDS * _KINDS
        n, sums, squares = np.zeros((3, every))
        for lag in _FAR:
            first = used[used < len(row) - lag]
            first = first[row[first] == row[first + lag]]
            first = first[:: max(1, len(first) // 150_000)]
            score = _in_parts(self._score, first, first + lag)
            kinds = self._kind[first] * _KINDS + self._kind[first + lag]
            n += np.bincount(kinds, minlength=every)
            sums += np.bincount(kinds, weights=score, minlength=every)
            squares += np.bincount(kinds, weights=score**2, minlength=every)
        everywhere = sums.sum() / max(n.sum(), 1)
        around = squares.sum() / max(n.sum(), 1) - everywhere**2 if n.sum() else 1.0
        mean = (sums + 20 * everywhere) / (n + 20)
        variance = (squares + 20 * (around + everywhere**2)) / (n + 20) - mean**2
        return mean, np.sqrt(np.maximum(variance, 0.05))


def _in_parts(
    score: Callable[[np.ndarray, np.ndarray], np.ndarray], first: np.ndarray, second: np.ndarray
) -> np.ndarray:
    """float64: the score of pairs, a part of a long list at a time."""
    if first.ndim > 1 or len(first) <= _AT_ONCE:
        return score(first, second)
    out = np.empty(len(first))
    for low in range(0, len(first), _AT_ONCE):
        part = slice(low, low + _AT_ONCE)
        out[part] = score(first[part], second[part])
    return out


def _tally(slots: np.ndarray) -> np.ndarray:
    """float32 (2**22,): how often each slot occurs; only what is not 0 is ever written to."""
    occurring, counts = np.unique(slots, return_counts=True)
    out = np.zeros(1 << _BITS, np.float32)
    out[occurring] = counts
    return out


def _evenly(row: np.ndarray, most: int) -> np.ndarray:
    """int64, rising: words of whole texts, at most about so many."""
    if len(row) <= most:
        return np.arange(len(row))
    step = -(-len(row) // most)
    return np.flatnonzero(row % step == 0)
