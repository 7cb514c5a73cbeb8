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
    found = []
    for start in range(_STARTS):
        key = first.copy()
        if start:
            _disturb(key, places, rng, swaps=3 * (1 + start % 6))
        found.append(_climb_pairs(key, pairs, model, free))
    found.sort(key=lambda item: -item[0])
    best = max(
        (_climb_triples(key, triples, weights, model, places) for _, key in found[:_POLISHED]),
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
    key: np.ndarray, pairs: np.ndarray, model: LetterModel, free: np.ndarray
) -> tuple[float, np.ndarray]:
    """Steepest ascent by swaps; all 351 are weighed at once with three products of matrices."""
    allowed = np.triu(np.outer(free, free), 1)
    for _ in range(_MOST_SWAPS):
        cost = model.double[np.ix_(key, key)]
        gains = np.where(allowed, _swap_gains(pairs, cost), -np.inf)
        one, two = np.unravel_index(int(gains.argmax()), gains.shape)
        if gains[one, two] <= 1e-9:
            break
        key[one], key[two] = key[two], key[one]
    return float((pairs * model.double[np.ix_(key, key)]).sum()), key


def _swap_gains(n: np.ndarray, m: np.ndarray) -> np.ndarray:
    """float64 (27, 27): what the sum of n * m gains when two letters of m change places."""
    rows, columns = n @ m.T, n.T @ m
    d_rows, d_columns = np.diag(rows), np.diag(columns)
    gains = rows + rows.T - d_rows[:, None] - d_rows[None, :]
    gains += columns + columns.T - d_columns[:, None] - d_columns[None, :]
    # The four entries that both letters share were counted as if only one had moved.
    ndiag, mdiag = np.diag(n), np.diag(m)
    naa, nbb, maa, mbb = ndiag[:, None], ndiag[None, :], mdiag[:, None], mdiag[None, :]
    nab, nba, mab, mba = n, n.T, m, m.T
    true = naa * (mbb - maa) + nbb * (maa - mbb) + (nab - nba) * (mba - mab)
    naive = (naa - nba) * (mba - maa) + (nab - nbb) * (mbb - mab)
    naive += (naa - nab) * (mab - maa) + (nba - nbb) * (mbb - mba)
    out: np.ndarray = gains + true - naive
    return out


def _climb_triples(
    key: np.ndarray,
    triples: np.ndarray,
    weights: np.ndarray,
    model: LetterModel,
    places: np.ndarray,
) -> tuple[float, np.ndarray]:
    swaps = np.array([(a, b) for i, a in enumerate(places) for b in places[i + 1 :]])
    flat = model.triple.reshape(-1)

    def total(keys: np.ndarray) -> np.ndarray:
        one, two, three = (keys[:, triples[:, step]] for step in range(3))
        out: np.ndarray = flat[(one * 27 + two) * 27 + three] @ weights
        return out

    score = float(total(key[None])[0])
    for _ in range(_MOST_SWAPS):
        keys = np.repeat(key[None], len(swaps), axis=0)
        row = np.arange(len(swaps))
        keys[row, swaps[:, 0]] = key[swaps[:, 1]]
        keys[row, swaps[:, 1]] = key[swaps[:, 0]]
        scores = total(keys)
        best = int(scores.argmax())
        if scores[best] <= score + 1e-9:
            break
        score, key = float(scores[best]), keys[best]
    return score, key
