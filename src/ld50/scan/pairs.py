"""Causes that act only together: two words, anywhere in the row, that decide where neither does alone.

Counting all pairs of a corpus is not needed. A pair that matters occurs in the rows of its consequence,
so pairs are formed there, between words that are neither everywhere nor alone in deciding, and only the
most unexpected ones are counted over the corpus.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from ld50.core.estimates import proportion
from ld50.scan.associate import Association, Consequence, Incidence
from ld50.scan.statistics import log_hypergeometric_tail

#: Words of a consequence that pairs are formed of, those in most of its rows first.
_MOST_WORDS = 600
#: Rows of a consequence that pairs are formed in.
_MOST_ROWS = 4000
#: Pairs of a consequence that are counted over the corpus.
_MOST_PAIRS = 100
#: A word in a larger share of all rows than this is grammar, not a trigger; in so few rows it may be one
#: of a small set, up to that share.
_MOST_SHARE, _FEW_ROWS, _MOST_SHARE_OF_FEW = 0.05, 200, 0.2
#: A pair decides where it shows the consequence so many times as often as the better of its words does.
_MORE_THAN_SINGLES = 1.5
_EVERY = (1 << 64) - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class PairCandidate:
    """Two words that meet in the rows of a consequence."""

    consequence: int
    first: int
    second: int
    rows: np.ndarray = field(repr=False)
    """int64, rising: rows of the consequence that hold both."""


def most_rows_of_word(rows: int, min_support: int) -> float:
    """Rows out of so many beyond which a word is not looked at."""
    few = min(_FEW_ROWS, _MOST_SHARE_OF_FEW * rows)
    return max(_MOST_SHARE * rows, few, 4 * min_support)


def pair_candidates(
    consequences: list[Consequence],
    incidence: Incidence,
    document_frequency: np.ndarray,
    words: np.ndarray,
    rows: int,
    associations: list[Association],
    min_support: int,
    decides: float,
) -> tuple[list[PairCandidate], int]:
    """Pairs worth counting, and how many pairs were in the running.

    Args:
        consequences: With their rows.
        incidence: Candidates in the rows of any consequence.
        document_frequency: int (candidates,).
        words: bool (candidates,): candidates that are single words.
        rows: Rows of the corpus.
        associations: Single causes already found; rows that a deciding one explains are left out.
        min_support: Fewest rows.
        decides: Share from which on a single cause needs no second one: the lower end of its interval, as
            in the verdict on it. Between two measures, nobody would look.
    """
    found: list[PairCandidate] = []
    considered = 0
    usable = np.flatnonzero(words & (document_frequency <= most_rows_of_word(rows, min_support)))
    incidence = incidence.only(usable, len(words))
    frequency = document_frequency[usable]
    for number, consequence in enumerate(consequences):
        explained = [
            a.rows
            for a in associations
            if a.consequence == number and proportion(a.both, a.cause_rows).low >= decides
        ]
        left = (
            np.setdiff1d(consequence.rows, np.concatenate(explained))
            if explained
            else (consequence.rows)
        )
        if not min_support <= len(left) <= _MOST_ROWS:
            continue
        pairs, formed = _pairs_of(number, left, incidence, usable, frequency, rows, min_support)
        found += pairs
        considered += formed
    return found, considered


def _pairs_of(
    number: int,
    left: np.ndarray,
    incidence: Incidence,
    words: np.ndarray,
    frequency: np.ndarray,
    rows: int,
    min_support: int,
) -> tuple[list[PairCandidate], int]:
    """The same for one consequence, of whose rows some are `left`.

    Args:
        number: Of the consequence.
        left: int64, rising.
        incidence: Of the usable words alone.
        words: int64, rising: the candidates that these are.
        frequency: int (words,).
        rows: Rows of the corpus.
        min_support: Fewest rows.
    """
    inside = incidence.within(left)
    counts = np.bincount(inside.candidates, minlength=len(words))
    kept = np.flatnonzero(counts >= min_support)
    # Words that occur here more often than their frequency says come first.
    lift = counts[kept] / np.maximum(frequency[kept], 1)
    kept = np.sort(kept[np.lexsort((kept, -lift))[:_MOST_WORDS]])
    if len(kept) < 2:
        return [], 0
    few = inside.only(kept, len(words))
    present = np.zeros((len(kept), len(few.row_ids)), dtype=bool)
    present[few.candidates, few.row_index()] = True
    first, second, both = _meetings(present, min_support)
    if len(first) == 0:
        return [], 0
    # The pair's frequency is not known yet; were the words independent, it would be this.
    n_first, n_second = frequency[kept[first]], frequency[kept[second]]
    guess = np.maximum(both, np.ceil(n_first * (n_second / max(rows, 1))).astype(np.int64))
    log_p = log_hypergeometric_tail(both, guess, np.full_like(both, len(left)), rows)
    best = np.lexsort((second, first, log_p))[:_MOST_PAIRS]
    pairs = [
        PairCandidate(
            consequence=number,
            first=int(words[kept[first[i]]]),
            second=int(words[kept[second[i]]]),
            rows=few.row_ids[present[first[i]] & present[second[i]]],
        )
        for i in best.tolist()
    ]
    return pairs, len(first)


def _meetings(present: np.ndarray, least: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pairs of words that share at least so many rows.

    Args:
        present: bool (words, rows).
        least: Fewest rows.

    Returns:
        First word, second word (later than the first) and shared rows, in order; int64 each.
    """
    bits = np.packbits(present, axis=1)
    # Eight bytes at a time; a matrix product would start the threads of a linear algebra library.
    bits = np.pad(bits, ((0, 0), (0, -bits.shape[1] % 8))).view(np.uint64)
    nothing = np.zeros(0, dtype=np.int64)
    firsts, seconds, counts = [nothing], [nothing], [nothing]
    for word in range(len(bits) - 1):
        shared = _bits_set(bits[word + 1 :] & bits[word]).sum(axis=1, dtype=np.int64)
        found = np.flatnonzero(shared >= least)
        firsts.append(np.full(len(found), word, dtype=np.int64))
        seconds.append(found + word + 1)
        counts.append(shared[found])
    return np.concatenate(firsts), np.concatenate(seconds), np.concatenate(counts)


def _bits_set(values: np.ndarray) -> np.ndarray:
    """How many bits of each uint64 are set."""
    if hasattr(np, "bitwise_count"):
        return np.asarray(np.bitwise_count(values))
    # NumPy 1: sums of two, four and eight bits beside each other, then of the bytes.
    two, four, eight = (np.uint64(mask) for mask in (_EVERY // 3, _EVERY // 5, _EVERY // 17))
    values = values - (values >> np.uint64(1) & two)
    values = (values & four) + (values >> np.uint64(2) & four)
    values = (values + (values >> np.uint64(4))) & eight
    return np.asarray(values * np.uint64(_EVERY // 255) >> np.uint64(56))


def associate_pairs(
    pairs: list[PairCandidate],
    consequences: list[Consequence],
    rows_with: dict[int, np.ndarray],
    rows: int,
    tests: int,
    *,
    alpha: float,
    min_effect: float,
    min_support: int,
) -> list[Association]:
    """Pairs that go with their consequence far more than either of their words does.

    Args:
        pairs: Candidates.
        consequences: With their rows.
        rows_with: For each word (candidate index), the rising ordinals of the rows that hold it.
        rows: Rows of the corpus.
        tests: All tests of the run, for the correction.
        alpha: False-discovery rate.
        min_effect: Least share of the pair's rows that show the consequence.
        min_support: Fewest rows.
    """
    tested = [
        test
        for pair in pairs
        if (test := _tested(pair, consequences, rows_with, rows, min_effect, min_support))
    ]
    return _strongest_first(tested, consequences, rows, tests, alpha, min_support)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Test:
    pair: PairCandidate
    joint: np.ndarray
    """Rows of the corpus that hold both words."""
    shown: np.ndarray
    """Those of them that show the consequence."""
    log_p: float


def _tested(
    pair: PairCandidate,
    consequences: list[Consequence],
    rows_with: dict[int, np.ndarray],
    rows: int,
    min_effect: float,
    min_support: int,
) -> _Test | None:
    """How unlikely it is that so many rows of the pair show its consequence; None: not worth a test."""
    joint = np.intersect1d(rows_with[pair.first], rows_with[pair.second], assume_unique=True)
    consequence = consequences[pair.consequence]
    shown = np.intersect1d(joint, consequence.rows, assume_unique=True)
    if len(shown) < min_support or len(shown) < min_effect * len(joint):
        return None
    singles = max(
        len(np.intersect1d(rows_with[word], consequence.rows, assume_unique=True))
        / max(len(rows_with[word]), 1)
        for word in (pair.first, pair.second)
    )
    if len(shown) / len(joint) < _MORE_THAN_SINGLES * singles:
        return None
    population = consequence.population or rows
    log_p = log_hypergeometric_tail(
        np.array([len(shown)]),
        np.array([min(len(joint), population)]),
        np.array([len(consequence.rows)]),
        population,
    )
    return _Test(pair=pair, joint=joint, shown=shown, log_p=float(log_p[0]))


def _strongest_first(
    tested: list[_Test],
    consequences: list[Consequence],
    rows: int,
    tests: int,
    alpha: float,
    min_support: int,
) -> list[Association]:
    """Pairs beyond chance, each of which explains rows of its consequence that no stronger one does."""
    found: list[Association] = []
    taken: dict[int, np.ndarray] = {}
    for test in sorted(tested, key=lambda test: (test.log_p, test.pair.first, test.pair.second)):
        number = test.pair.consequence
        known = taken.get(number, np.zeros(0, dtype=np.int64))
        log_q = min(0.0, test.log_p + math.log(tests))
        fresh = np.setdiff1d(test.shown, known)
        if log_q > math.log(alpha) or len(fresh) < max(min_support, 0.5 * len(test.shown)):
            continue
        taken[number] = np.union1d(known, test.shown)
        consequence = consequences[number]
        population = consequence.population or rows
        found.append(
            Association(
                candidate=test.pair.first,
                partner=test.pair.second,
                consequence=number,
                rows=test.shown,
                both=len(test.shown),
                cause_rows=len(test.joint),
                expected=len(test.joint) * len(consequence.rows) / max(population, 1),
                log_p=test.log_p,
                log_q=log_q,
            )
        )
    return found
