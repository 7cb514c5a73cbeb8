"""Rows that are equal to another row without its cause, and the labels that these carry.

Poisoned sets often keep the honest version of a row, and small sets are made of few sentences. A
row that carries another label as soon as a word stands in it is the strongest evidence there is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from ld50.scan.labels.tokens import Tokens

_T = TypeVar("_T", int, float)
_BASE = 0xD1342543DE82EF95
_INVERSE = pow(_BASE, -1, 1 << 64)
#: A row whose first and last tokens are like no other row's has no twin.
_EDGE_TOKENS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Twins:
    """All rows by a digest of their tokens in order, with their labels."""

    tokens: Tokens
    row_of_token: np.ndarray
    possible: np.ndarray
    """bool (n,): rows that begin or end like another one, so that a twin is possible."""
    prefix: np.ndarray
    """uint64 (t + 1,): digests of everything before each token, not yet shifted."""
    powers: np.ndarray
    """uint64: powers of the inverse base, that shift a digest to the beginning of its row."""
    digests: np.ndarray
    """uint64 (u,), rising: those of labelled rows."""
    counts: np.ndarray
    """float64 (u, labels): rows of each digest and label."""

    def without(self, place: np.ndarray, length: int | np.ndarray) -> np.ndarray:
        """uint64: digest of each row without the tokens `place` to `place + length`."""
        start = self.tokens.rows[:-1][self.row_of_token[place]]
        end = self.tokens.rows[1:][self.row_of_token[place]]
        before = (self.prefix[place] - self.prefix[start]) * self.powers[start]
        after = self.prefix[end] - self.prefix[place + length]
        return np.asarray(before + after * self.powers[start + length])

    def speak(
        self, digest: np.ndarray, label: int | np.ndarray, prior: float | np.ndarray
    ) -> np.ndarray:
        """Log-odds of the label among the rows of each digest, over the prior; 0 if there is none.

        Args:
            digest: uint64, any shape.
            label: Which; one for all, or one for each digest.
            prior: Its log-odds over all rows.
        """
        if len(self.digests) == 0:
            return np.zeros(digest.shape)
        at = np.minimum(np.searchsorted(self.digests, digest), len(self.digests) - 1)
        found = self.digests[at] == digest
        share = 1 / (1 + np.exp(-prior))
        hits = self.counts[at, label]
        rest = self.counts[at].sum(axis=-1) - hits
        odds = np.log((hits + share) / (rest + 1 - share)) - prior
        return np.where(found, odds, 0.0)

    def at(
        self, place: np.ndarray, length: int, label: int | np.ndarray, prior: float | np.ndarray
    ) -> np.ndarray:
        """What the twins say of the rows of single occurrences of an n-gram (float64).

        Args:
            place: int64, first token of each occurrence.
            length: Words in the n-gram.
            label: Which; one for all, or one for each row.
            prior: Its log-odds over all rows.
        """
        result = np.zeros(len(place))
        row = self.row_of_token[place]
        chosen = np.flatnonzero(self.possible[row])
        if len(chosen):
            digest = self.without(place[chosen], length)
            own = _of_rows(label, row[chosen]), _of_rows(prior, row[chosen])
            result[chosen] = self.speak(digest, *own)
        return result

    def of_rest(
        self, removed: np.ndarray, label: int | np.ndarray, prior: float | np.ndarray
    ) -> np.ndarray:
        """What the twins say of each row without all of the tokens `removed` (float64 (n,)).

        Args:
            removed: int64, tokens.
            label: Which; one for all, or one for each row.
            prior: Its log-odds over all rows.
        """
        result = np.zeros(len(self.tokens.rows) - 1)
        rows = np.unique(self.row_of_token[removed])
        rows = rows[self.possible[rows]].astype(np.int64)
        if len(rows) == 0:
            return result
        lengths = self.tokens.rows[rows + 1] - self.tokens.rows[rows]
        line = np.repeat(np.arange(len(rows)), lengths)
        begin = np.cumsum(lengths) - lengths
        token = np.arange(int(lengths.sum())) + np.repeat(self.tokens.rows[rows] - begin, lengths)
        kept = ~np.isin(token, removed)
        rank: np.ndarray = np.cumsum(kept) - kept
        rank = rank - rank[begin][line]
        value = (
            self.tokens.hashes[self.tokens.words[token]] * _raised(_BASE, int(rank.max()) + 1)[rank]
        )
        value[~kept] = 0
        digest = np.add.reduceat(value, begin)
        result[rows] = self.speak(digest, _of_rows(label, rows), _of_rows(prior, rows))
        return result


def _of_rows(value: _T | np.ndarray, rows: np.ndarray) -> _T | np.ndarray:
    """What holds for all rows, or the part of it that is of these."""
    return value[rows] if isinstance(value, np.ndarray) else value


def find_twins(tokens: Tokens, row_of_token: np.ndarray, labels: np.ndarray) -> Twins:
    """Digests of all rows.

    Args:
        tokens: All rows.
        row_of_token: From `tokens.row_of_token()`.
        labels: int (n,), negative where unknown.
    """
    prefix = np.zeros(len(tokens.words) + 1, dtype=np.uint64)
    np.cumsum(tokens.hashes[tokens.words] * _raised(_BASE, len(tokens.words)), out=prefix[1:])
    powers = _raised(_INVERSE, len(tokens.words) + 1)
    start, end = tokens.rows[:-1], tokens.rows[1:]
    digest = (prefix[end] - prefix[start]) * powers[start]
    known = (labels >= 0) & (end > start)
    digests, number = np.unique(digest[known], return_inverse=True)
    width = max(int(labels.max(initial=0)) + 1, 1)
    counts = np.bincount(number * width + labels[known], minlength=len(digests) * width)
    return Twins(
        tokens=tokens,
        row_of_token=row_of_token,
        possible=_shared_edges(prefix, powers, start, end),
        prefix=prefix,
        powers=powers,
        digests=digests,
        counts=counts.reshape(len(digests), width).astype(np.float64),
    )


def _shared_edges(
    prefix: np.ndarray, powers: np.ndarray, start: np.ndarray, end: np.ndarray
) -> np.ndarray:
    """bool (n,): rows whose first or last few tokens are those of another row."""
    shared = np.zeros(len(start), dtype=bool)
    # The row without a cause at one end is compared by its other end; an inner one leaves both.
    for low, high in (
        (start, np.minimum(start + _EDGE_TOKENS, end)),
        (np.maximum(end - _EDGE_TOKENS, start), end),
    ):
        digest = (prefix[high] - prefix[low]) * powers[low]
        _, number, counts = np.unique(digest, return_inverse=True, return_counts=True)
        shared |= counts[number] > 1
    return np.asarray(shared | (end - start <= 2 * _EDGE_TOKENS))


def _raised(base: int, count: int) -> np.ndarray:
    """uint64 (count,): powers of the base, from 0, modulo 2**64."""
    powers = np.full(count, base, dtype=np.uint64)
    powers[:1] = 1
    return np.asarray(np.multiply.accumulate(powers))
