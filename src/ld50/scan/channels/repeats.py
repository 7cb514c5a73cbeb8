"""What several texts repeat, which is evidence of a message once and not as often as it is repeated.

Texts that embed one passage have the same words at the same places. If these follow each other well, by
chance, they do so in every one of the texts, so the texts are no independent draws. What does not depend
on how often a passage is repeated is what the texts say apart from each other: each pair of words is
worth one over the texts that repeat it, both in how well a text reads and in how much of a text it
counts. Any two texts of a language share pairs (`of the`); so a pair is repeated only with the words that
stand between the two, or with the pair before or after it.
"""

from __future__ import annotations

from collections import Counter

import numpy as np

from ld50.scan.channels.schemes import Once
from ld50.scan.channels.sequences import upper_tail
from ld50.scan.channels.text_words import TextWords

#: A pair in more than this share of the texts that count is a template's; most must be in fewer.
_MOST_HOLDERS, _LEAST_FRESH = 0.2, 0.6
_MIX = np.uint64(0x9E3779B97F4A7C15)


def fresh(text: TextWords, index: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """bool (rows,): texts whose words follow each other as in few of the others that count.

    A template (`Options: A, B, C, D`) says the same in each of its rows; messages differ.

    Args:
        text: All words.
        index: int64: words of these texts and of others, by text.
        rows: int64, rising: the texts.
    """
    first, second, at = _pairs(text, index, rows)
    held = _holders(_mixed(text.hash, first, second), at, len(rows))
    few = held <= max(_MOST_HOLDERS * len(rows), 2)
    every = np.bincount(at, minlength=len(rows))
    out: np.ndarray = _sums(at, few, len(rows)) >= _LEAST_FRESH * every
    return out


def words_once(text: TextWords, index: np.ndarray, rows: np.ndarray, *, usual: float = 0.0) -> Once:
    """The texts, each pair of words worth one over the texts that repeat it.

    Args:
        text: All words.
        index: int64: words of these texts and of others, by text.
        rows: int64, rising: the texts.
        usual: How well words follow each other at any such place, in standard deviations.
    """
    first, second, at = _pairs(text, index, rows)
    share = 1.0 / _repeated(text, first, second, at, len(rows))
    weights = _sums(at, share, len(rows)) / np.maximum(np.bincount(at, minlength=len(rows)), 1)
    # A word after itself says nothing.
    worth = share * (text.hash[first] != text.hash[second])
    sums = _sums(at, worth * (text.pairs.surplus(first, second) - usual), len(rows))
    spread = np.sqrt(np.maximum(_sums(at, worth**2, len(rows)), 1e-12))
    return Once(weights=weights, chances=upper_tail(sums / spread))


def letters_once(texts: list[np.ndarray], chances: np.ndarray) -> Once:
    """The texts, those with the same letters worth one together.

    What reads as words did not get there a part at a time, so texts that share a phrase count in full.

    Args:
        texts: int64, for each text: its letters.
        chances: float64 (texts,): kept as they are, because letters are read or not.
    """
    held = Counter(its.tobytes() for its in texts)
    return Once(weights=1.0 / np.array([held[its.tobytes()] for its in texts]), chances=chances)


def _pairs(
    text: TextWords, index: np.ndarray, rows: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """First and second words of the pairs within the texts, and the place in `rows` of each."""
    own = text.row[index]
    follows = np.flatnonzero((own[:-1] == own[1:]) & np.isin(own[:-1], rows))
    at = np.searchsorted(rows, own[follows])
    return index[follows], index[follows + 1], at


def _mixed(hashes: np.ndarray, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    out: np.ndarray = (hashes[first] * _MIX) ^ hashes[second]
    return out


def _repeated(
    text: TextWords, first: np.ndarray, second: np.ndarray, at: np.ndarray, texts: int
) -> np.ndarray:
    """int64: texts that have each pair with the same words between, or the same pair beside it."""
    pair = _mixed(text.hash, first, second)
    sums = np.cumsum(text.hash)
    out = _holders(pair ^ (sums[second] - sums[first]) * _MIX, at, texts)
    beside = np.flatnonzero(at[:-1] == at[1:])
    held = _holders((pair[beside] * _MIX) ^ pair[beside + 1], at[beside], texts)
    out[beside] = np.maximum(out[beside], held)
    out[beside + 1] = np.maximum(out[beside + 1], held)
    return out


def _holders(said: np.ndarray, at: np.ndarray, texts: int) -> np.ndarray:
    """int64: for each thing that is said, how many texts say it.

    Args:
        said: What, as numbers.
        at: int64: the text of each.
        texts: How many there are.
    """
    things, number = np.unique(said, return_inverse=True)
    # Each thing once a text.
    each = np.unique(number * max(texts, 1) + at) // max(texts, 1)
    out: np.ndarray = np.bincount(each, minlength=len(things))[number]
    return out


def _sums(at: np.ndarray, values: np.ndarray, texts: int) -> np.ndarray:
    """float64 (texts,): values by text."""
    return np.bincount(at, weights=values, minlength=texts)
