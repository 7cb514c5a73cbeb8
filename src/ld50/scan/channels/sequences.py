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
#: A pair in more than this share of the texts that count is a template's; most must be in fewer.
_MOST_HOLDERS, _LEAST_FRESH = 0.2, 0.6


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
    different = len(np.unique(text.hash[words]))
    if different < _LEAST_DIFFERENT * n or text.pairs.known_share(words) < _LEAST_KNOWN:
        return 1.0
    first, second = np.repeat(words, n), np.tile(words, n)
    score = text.pairs.surplus(first, second).reshape(n, n)
    apart = (text.hash[first] != text.hash[second]).reshape(n, n)
    mean, spread = float(score[apart].mean()), float(score[apart].std())
    inside = np.diagonal(apart, 1)
    sums = float(np.diagonal(score, 1)[inside].sum())
    count = max(int(inside.sum()), 1)
    z = (sums - count * mean) / (max(spread, 0.1) * count**0.5)
    return float(upper_tail(np.array([z]))[0])


def fresh(text: TextWords, index: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """bool (rows,): texts whose words follow each other as in few of the others that count.

    A template (`Options: A, B, C, D`) says the same in each of its rows; messages differ.

    Args:
        text: All words.
        index: int64: words of these texts and of others, by text.
        rows: int64, rising: the texts.
    """
    if len(rows) == 0:
        return np.zeros(0, dtype=bool)
    own = text.row[index]
    follows = np.flatnonzero((own[:-1] == own[1:]) & np.isin(own[:-1], rows))
    at = np.searchsorted(rows, own[follows])
    mixed = text.hash[index[follows]] * np.uint64(0x9E3779B97F4A7C15)
    mixed ^= text.hash[index[follows + 1]]
    pairs, inverse = np.unique(mixed, return_inverse=True)
    # Each pair once a text.
    each = np.unique(inverse * len(rows) + at) // len(rows)
    holders = np.bincount(each, minlength=len(pairs))
    fresh = holders[inverse] <= max(_MOST_HOLDERS * len(rows), 2)
    count = np.bincount(at, minlength=len(rows))
    out: np.ndarray = np.bincount(at, weights=fresh, minlength=len(rows)) >= _LEAST_FRESH * count
    return out


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
