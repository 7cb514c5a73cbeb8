"""The chance that words in a sequence follow each other so well."""

from __future__ import annotations

import numpy as np

from ld50.scan.channels.schemes import LEVELS
from ld50.scan.channels.text_words import LEAST_UNITS, TextWords

#: Share of the words at the places that differ: `man, woman, man, woman` follows itself, no message.
_LEAST_DIFFERENT = 0.6
#: Share of the pairs that English has: of the last words of sentences in verses and quotations a third,
#: of messages three quarters.
_LEAST_KNOWN = 0.5
_MOST_ORDERED = 80


def sequence_chances(
    text: TextWords, index: np.ndarray, key: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """For each sequence of words (rising keys), the chance that they follow each other so well.

    Args:
        text: All words.
        index: int64: words, in the order of their sequence.
        key: int64, rising: which sequence each belongs to.
    """
    begin = np.flatnonzero(np.diff(key, prepend=-1) != 0)
    counts = np.diff(np.append(begin, len(key)))
    at = np.repeat(np.arange(len(begin)), counts)
    z, n = pair_sums(text, index[:-1], index[1:], at[:-1], at[1:], len(begin))
    usable = np.flatnonzero(n >= LEAST_UNITS - 1)
    chances = upper_tail(z[usable])
    for i in np.flatnonzero(chances <= LEVELS[0]).tolist():
        start = begin[usable[i]]
        words = index[start : start + counts[usable[i]]]
        chances[i] = max(chances[i], order_chance(text, words))
    return key[begin][usable], chances


def order_chance(text: TextWords, words: np.ndarray) -> float:
    """The chance that words follow each other so well in their order, over all their orders.

    1 where they are mostly the same, or do not follow each other as English has them.
    """
    words = words[:_MOST_ORDERED]
    n = len(words)
    hashes = text.hash[words]
    different = len(set(hashes.tolist()))
    if different < _LEAST_DIFFERENT * n or text.pairs.known_share(words) < _LEAST_KNOWN:
        return 1.0
    score = text.pairs.surplus(words[:, None], words[None, :])
    apart = hashes[:, None] != hashes[None, :]
    mean, spread = float(score[apart].mean()), float(score[apart].std())
    inside = np.diagonal(apart, 1)
    sums = float(np.diagonal(score, 1)[inside].sum())
    count = max(int(inside.sum()), 1)
    z = (sums - count * mean) / (max(spread, 0.1) * count**0.5)
    return float(upper_tail(np.array([z]))[0])


def pair_sums(
    text: TextWords,
    first: np.ndarray,
    second: np.ndarray,
    sequence: np.ndarray,
    other: np.ndarray,
    sequences: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Surplus of the pairs of each sequence in standard deviations, and how many pairs those are.

    Args:
        text: All words.
        first: int64: first words of pairs.
        second: int64: their second words.
        sequence: int64: the sequence of each first word.
        other: int64: that of each second word; pairs of two sequences are left out.
        sequences: How many there are.
    """
    inside = (sequence == other) & (text.hash[first] != text.hash[second])
    score = text.pairs.surplus(first[inside], second[inside])
    n = np.bincount(sequence[inside], minlength=sequences)
    sums = np.bincount(sequence[inside], weights=score, minlength=sequences)
    return sums / np.sqrt(np.maximum(n, 1)), n


def upper_tail(z: np.ndarray) -> np.ndarray:
    """float64: chance that a standard normal value is at least so large (Abramowitz, Stegun 26.2.17)."""
    t = 1.0 / (1.0 + 0.2316419 * np.abs(z))
    poly = t * (
        0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429)))
    )
    tail = poly * np.exp(-np.minimum(z * z, 1400.0) / 2) / np.sqrt(2 * np.pi)
    out: np.ndarray = np.where(z >= 0, tail, 1 - tail)
    return out
