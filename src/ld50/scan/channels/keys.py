"""Unknown substitutions: which letter each symbol stands for, found by how letters follow each other.

Hill climbing over keys: the swap of two letters that makes the pooled symbols of all rows most like
English, until none does; from several starts; first by pairs of letters, then by triples.

Source: the usual attack on simple substitutions (for instance Jakobsen, "A fast method for the
cryptanalysis of substitution ciphers", 1995), pooled over rows, so that rows of ten letters do.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ld50.core.seeds import rng_for
from ld50.scan.channels.language import SPACE, LetterModel, letter_model

_STARTS, _MOST_SWAPS = 16, 200
_POLISHED = 2
_MOST_TRIPLES = 4000
GAP = 27
"""In a stream: something that is no symbol; no run of letters reaches across."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """What each symbol stands for."""

    letters: np.ndarray = field(repr=False)
    """int64 (28,): symbol to letter (0 to 25), space (26) or nothing (27)."""
    spaced: bool
    """Whether spaces are known or among the symbols."""
    bits: float
    """Mean bits a letter of the decoded streams; lower is more like English (about 2.7 with spaces)."""


def solve(streams: list[np.ndarray], *, spaced: bool, fixed_space: bool, seed: int) -> Key:
    """The key under which the streams are most like English.

    Args:
        streams: int64, symbols 0 to 25 (26 where the space is a symbol or known), `GAP` elsewhere.
        spaced: Whether English with spaces is looked for.
        fixed_space: Whether symbol 26 is known to be the space.
        seed: For the starts.
    """
    model = letter_model(spaced=spaced)
    pairs, triples, weights = _counts(streams)
    free = np.ones(27, dtype=bool)
    free[SPACE] = spaced and not fixed_space
    rng = rng_for(seed, "channels", "solve")
    by_count = np.argsort(-pairs.sum(axis=1)[free], kind="stable")
    by_model = np.argsort(-model.single[free], kind="stable")
    places = np.flatnonzero(free)
    first = np.arange(27)
    first[places[by_count]] = places[by_model]
    keys = np.repeat(first[None], _STARTS, axis=0)
    for start in range(1, _STARTS):
        _disturb(keys[start], places, rng, swaps=3 * (1 + start % 6))
    climbed = _climb_pairs(keys, pairs, model, free)
    found = np.argsort(-climbed, kind="stable")[:_POLISHED]
    swaps = _Swaps(triples, weights, places)
    best = max(
        (_climb_triples(keys[start], swaps, model) for start in found.tolist()),
        key=lambda item: item[0],
    )
    letters = np.append(best[1], GAP)
    return Key(
        letters=letters,
        spaced=spaced,
        bits=-best[0] / max(weights.sum(), 1) / np.log(2),
    )


def stream_bits(streams: list[np.ndarray], key: Key) -> np.ndarray:
    """float64 (streams,): mean bits a letter of each stream once it is decoded; 9 if it is too short."""
    triple = np.full((28, 28, 28), np.nan)
    triple[:27, :27, :27] = letter_model(spaced=key.spaced).triple
    out = np.full(len(streams), 9.0)
    for number, stream in enumerate(streams):
        letters = key.letters[stream]
        costs = triple[letters[:-2], letters[1:-1], letters[2:]]
        costs = costs[~np.isnan(costs)]
        if len(costs) >= 4:
            out[number] = -costs.mean() / np.log(2)
    return out


def _counts(streams: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """float64 (27, 27) pairs; int64 (n, 3) triples and float64 (n,) how often each occurs."""
    every = np.concatenate([np.append(stream, GAP) for stream in streams])
    two = every[:-1] * 28 + every[1:]
    pairs = np.bincount(two, minlength=784).reshape(28, 28)[:27, :27].astype(np.float64)
    three = (every[:-2] * 28 + every[1:-1]) * 28 + every[2:]
    codes, counts = np.unique(three, return_counts=True)
    triples = np.stack([codes // 784, codes // 28 % 28, codes % 28], axis=1)
    inside = (triples < GAP).all(axis=1)
    triples, counts = triples[inside], counts[inside]
    order = np.argsort(-counts, kind="stable")[:_MOST_TRIPLES]
    return pairs, triples[order], counts[order].astype(np.float64)


def _disturb(key: np.ndarray, places: np.ndarray, rng: np.random.Generator, *, swaps: int) -> None:
    for _ in range(swaps):
        one, two = rng.choice(places, size=2, replace=False)
        key[one], key[two] = key[two], key[one]


def _climb_pairs(
    keys: np.ndarray, pairs: np.ndarray, model: LetterModel, free: np.ndarray
) -> np.ndarray:
    """Steepest ascent by swaps; all 351 are weighed at once with three products of matrices.

    Args:
        keys: int64 (keys, 27), changed in place: all of them climb at once, each to its own top.
        pairs: float64 (27, 27): how often one symbol follows another.
        model: Of the letters.
        free: bool (27,): symbols that may be swapped.

    Returns:
        float64 (keys,): how like English the pairs are under each key.
    """
    allowed = np.triu(np.outer(free, free), 1)
    left = np.arange(len(keys))
    for _ in range(_MOST_SWAPS):
        gains = np.where(allowed, _swap_gains(pairs, _under(model.double, keys[left])), -np.inf)
        flat = gains.reshape(len(left), -1)
        best = flat.argmax(axis=1)
        some = np.flatnonzero(flat[np.arange(len(left)), best] > 1e-9)
        if len(some) == 0:
            break
        left = left[some]
        one, two = np.unravel_index(best[some], allowed.shape)
        keys[left, one], keys[left, two] = keys[left, two], keys[left, one]
    return np.array([float((pairs * cost).sum()) for cost in _under(model.double, keys)])


def _under(double: np.ndarray, keys: np.ndarray) -> np.ndarray:
    """float64 (keys, 27, 27): the table of letters as one of symbols, for each key."""
    out: np.ndarray = double[keys[:, :, None], keys[:, None, :]]
    return out


def _swap_gains(n: np.ndarray, m: np.ndarray) -> np.ndarray:
    """float64 (keys, 27, 27): what each sum of n * m gains when two letters of m change places.

    Args:
        n: float64 (27, 27).
        m: float64 (keys, 27, 27).
    """
    turned = m.transpose(0, 2, 1)
    gains = _both_ways(n @ turned) + _both_ways(n.T @ m)
    # The four entries that both letters share were counted as if only one had moved.
    ndiag, mdiag = np.diag(n), np.diagonal(m, axis1=1, axis2=2)
    naa, nbb, maa, mbb = ndiag[:, None], ndiag[None, :], mdiag[:, :, None], mdiag[:, None, :]
    nab, nba, mab, mba = n, n.T, m, turned
    true = naa * (mbb - maa) + nbb * (maa - mbb) + (nab - nba) * (mba - mab)
    naive = (naa - nba) * (mba - maa) + (nab - nbb) * (mbb - mab)
    naive += (naa - nab) * (mab - maa) + (nba - nbb) * (mbb - mba)
    out: np.ndarray = gains + true - naive
    return out


def _both_ways(moved: np.ndarray) -> np.ndarray:
    """float64 (..., 27, 27): gain of a swap, from what symbols (rows) come to as others (columns)."""
    own = np.diagonal(moved, axis1=-2, axis2=-1)
    out: np.ndarray = moved + np.swapaxes(moved, -2, -1) - own[..., :, None] - own[..., None, :]
    return out


def _climb_triples(key: np.ndarray, swaps: _Swaps, model: LetterModel) -> tuple[float, np.ndarray]:
    """The same by triples: how like English they are at the top, and the key there."""
    key = key.copy()
    for _ in range(_MOST_SWAPS):
        gains = swaps.gains(model.triple[np.ix_(key, key, key)])
        best = int(gains.argmax())
        if gains[best] <= 1e-9:
            break
        one, two = swaps.one[best], swaps.two[best]
        key[one], key[two] = key[two], key[one]
    return swaps.total(model.triple, key), key


class _Swaps:
    """What each swap of two symbols does to the sum over all triples.

    Most triples hold neither symbol, and nearly all others hold one of them in one place, for which
    products of matrices say what it comes to. To decode every triple for each swap takes six times as
    long. Where two places change, or three, the sum over single places is put right.
    """

    def __init__(self, triples: np.ndarray, weights: np.ndarray, places: np.ndarray) -> None:
        one, two = np.triu_indices(len(places), 1)
        self.one, self.two = places[one], places[two]
        self._triples, self._weights = triples, weights
        self._counts = np.zeros((27, 27, 27))
        self._counts[tuple(triples.T)] = weights
        symbols = np.arange(27)[:, None]
        held = ((symbols == self.one) | (symbols == self.two)).astype(np.int8)
        at, self._swap = np.nonzero(sum(held[symbol] for symbol in triples.T) >= 2)
        self._several = weights[at]
        old, one, two = triples[at].T, self.one[self._swap], self.two[self._swap]
        both = np.stack([old, np.where(old == one, two, np.where(old == two, one, old))])
        # Neither place changed, all of them, and each by itself.
        choices = ([0, 0, 0], [1, 1, 1], [1, 0, 0], [0, 1, 0], [0, 0, 1])
        self._codes = [(both[i, 0] * 27 + both[j, 1]) * 27 + both[k, 2] for i, j, k in choices]

    def gains(self, cost: np.ndarray) -> np.ndarray:
        """float64 (swaps,): what each adds to the sum, given float64 (27, 27, 27), the cost of triples."""
        flat = cost.reshape(-1)
        before, after, *single = (flat[codes] for codes in self._codes)
        beyond = self._several * (after + 2 * before - sum(single))
        out: np.ndarray = np.bincount(self._swap, weights=beyond, minlength=len(self.one))
        for axis in range(3):
            n, m = (np.moveaxis(table, axis, 0).reshape(27, -1) for table in (self._counts, cost))
            out += _both_ways(n @ m.T)[self.one, self.two]
        return out

    def total(self, triple: np.ndarray, key: np.ndarray) -> float:
        """The sum under a key, given float64 (27, 27, 27), the cost of letters."""
        one, two, three = key[self._triples].T
        return float(triple[one, two, three] @ self._weights)
