"""Counts candidate causes over the corpus, no further than a test could need, and keeps their rows.

A candidate in more rows than its consequence could be a fair share of decides nothing, and how many
more makes no difference: counting it ends there, for most candidates early in the corpus. Those that
are counted to the end stand in few rows, which are kept, so that no later pass looks for them again.
"""

from __future__ import annotations

import threading

import numpy as np

from ld50.scan import kernels, stages
from ld50.scan.associate import AssociationSettings, Consequence, Incidence
from ld50.scan.checkpoint import Columns
from ld50.scan.pairs import most_rows_of_word
from ld50.scan.rereading import CauseReader

#: Pairs of row and candidate that are kept, 12 bytes each.
_MOST_KEPT = 8_000_000
#: The rest is sorted out when this share of the candidates need no more counting.
_DONE_SHARE = 0.2


def enough_rows(
    hashes: np.ndarray,
    incidence: Incidence,
    consequences: list[Consequence],
    rows: int,
    pair_support: int,
) -> np.ndarray:
    """int64 (candidates,): from so many rows on, every test of a candidate ends as with any more.

    Args:
        hashes: uint64 (candidates,).
        incidence: Candidates in the rows of consequences.
        consequences: What they are tested against.
        rows: Rows of the corpus.
        pair_support: Rows that a pair of words has to show.
    """
    best = np.zeros(len(hashes), dtype=np.int64)
    for consequence in consequences:
        np.maximum(best, incidence.counts_within(consequence.rows, len(hashes)), out=best)
    # Two more than the quotient, whichever way it was rounded.
    enough = np.floor(best / AssociationSettings().min_effect).astype(np.int64) + 2
    # What is in fewer rows than it was seen in is no n-gram, and has to be told apart.
    np.maximum(enough, np.bincount(incidence.candidates, minlength=len(hashes)), out=enough)
    n, stream = kernels.ngram_kind(hashes)
    paired = (n == 1) & (stream == kernels.WORDS) & (best >= pair_support)
    most = int(most_rows_of_word(rows, pair_support)) + 2
    return np.where(paired, np.maximum(enough, most), enough)


class CauseCounter:
    """Counts candidates; units may be counted at the same time, and are merged in order."""

    def __init__(self, hashes: np.ndarray, enough: np.ndarray) -> None:
        """Nothing is counted yet.

        Args:
            hashes: uint64 (candidates,), rising.
            enough: int64 (candidates,), from `enough_rows`.
        """
        self._hashes = hashes
        self._enough = enough
        self._total = np.zeros(len(hashes), dtype=np.int64)
        self._lock = threading.Lock()
        self._left = np.arange(len(hashes))
        self._set = self._candidates()
        self._parts: list[tuple[np.ndarray, np.ndarray]] | None = []
        self._kept = 0

    def _candidates(self) -> kernels.CandidateSet:
        return kernels.build_candidates(self._hashes[self._left], self._enough[self._left])

    def count(self, causes: CauseReader, unit: int) -> Columns:
        """In how many rows of a unit each candidate that is still counted stands, and in which."""
        with self._lock:
            left, candidates = self._left, self._set
        counts, rows, numbers = stages.count(causes, unit, candidates)
        every = np.zeros(len(self._hashes), dtype=np.uint32)
        every[left] = counts
        return {"counts": every, "rows": rows, "candidates": left[numbers].astype(np.uint32)}

    def merge(self, first_row: int, columns: Columns) -> None:
        """Takes in the next unit, whose first row has this ordinal."""
        self._total += columns["counts"]
        self._keep(columns["rows"] + first_row, columns["candidates"])
        going = self._total[self._left] < self._enough[self._left]
        if np.count_nonzero(going) < (1 - _DONE_SHARE) * len(going):
            left = self._left[going]
            with self._lock:
                self._left = left
                self._set = self._candidates()

    def _keep(self, rows: np.ndarray, candidates: np.ndarray) -> None:
        if self._parts is None:
            return
        self._parts.append((rows, candidates))
        self._kept += len(rows)
        if self._kept <= _MOST_KEPT:
            return
        self._parts = [self._whole()]
        self._kept = len(self._parts[0][0])
        if self._kept > _MOST_KEPT // 2:
            self._parts = None

    def _whole(self) -> tuple[np.ndarray, np.ndarray]:
        """Rows and candidates that are kept, without candidates that stand in enough rows."""
        nothing = np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.uint32)
        rows, candidates = zip(nothing, *(self._parts or ()), strict=True)
        joined = np.concatenate(candidates)
        counted = (self._total < self._enough)[joined]
        return np.concatenate(rows)[counted], joined[counted]

    @property
    def frequency(self) -> np.ndarray:
        """int64 (candidates,): rows of the corpus that hold each, at most its enough."""
        return np.asarray(np.minimum(self._total, self._enough))

    def known_rows(self) -> KnownRows:
        """The rows of the candidates that were counted to the end, if there was room for them."""
        if self._parts is None:
            return KnownRows()
        rows, candidates = self._whole()
        order = np.argsort(candidates, kind="stable")
        counted = self._total < self._enough
        lengths = self._total[counted]
        return KnownRows(self._hashes[counted], np.cumsum(lengths) - lengths, rows[order])


class KnownRows:
    """For some n-grams, the rows of the corpus that hold them."""

    def __init__(
        self,
        hashes: np.ndarray | None = None,
        starts: np.ndarray | None = None,
        rows: np.ndarray | None = None,
    ) -> None:
        """Nothing is known without arguments.

        Args:
            hashes: uint64 (n-grams,), rising.
            starts: int64 (n-grams,), where the rows of each begin in `rows`.
            rows: int64, the rows of each n-gram, rising; one n-gram after the other.
        """
        self._hashes = np.zeros(0, dtype=np.uint64) if hashes is None else hashes
        self._rows = np.zeros(0, dtype=np.int64) if rows is None else rows
        self._bounds = np.append(np.zeros(0) if starts is None else starts, len(self._rows))

    def all_of(self, hashes: np.ndarray) -> list[np.ndarray] | None:
        """int64, rising: the rows of each of these n-grams; None if those of any are not known."""
        if len(self._hashes) == 0:
            return None
        places = np.minimum(np.searchsorted(self._hashes, hashes), len(self._hashes) - 1)
        if (self._hashes[places] != hashes).any():
            return None
        bounds = self._bounds.astype(np.int64)
        return [self._rows[bounds[place] : bounds[place + 1]] for place in places.tolist()]
