"""Counts candidate causes over the corpus, no further than a test could need, and keeps their rows.

A candidate in more rows than its consequence could be a fair share of decides nothing, and how many
more makes no difference: counting it ends there, for most candidates early in the corpus. Those that
are counted to the end stand in few rows, which are kept, so that no later pass looks for them again.
"""

from __future__ import annotations

import numpy as np

from ld50.scan import kernels
from ld50.scan.associate import AssociationSettings, Consequence, Incidence, Tally
from ld50.scan.checkpoint import Columns
from ld50.scan.pairs import most_rows_of_word
from ld50.scan.rereading import CauseReader

#: Pairs of row and candidate that are kept, 8 bytes each.
_MOST_KEPT = 12_000_000
#: Bits of a row's ordinal beside the number of a candidate.
_ROW_BITS = 38
#: So often within a unit, what needs no more counting is sorted out.
_SORTED_OUT_BYTES = 32 << 20
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
    best = Tally(incidence, len(hashes)).most(consequences)
    # Two more than the quotient, whichever way it was rounded.
    enough = np.floor(best / AssociationSettings().min_effect).astype(np.int64) + 2
    # What is in fewer rows than it was seen in is no n-gram, and has to be told apart.
    np.maximum(enough, np.bincount(incidence.candidates, minlength=len(hashes)), out=enough)
    n, stream = kernels.ngram_kind(hashes)
    paired = (n == 1) & (stream == kernels.WORDS) & (best >= pair_support)
    most = int(most_rows_of_word(rows, pair_support)) + 2
    return np.where(paired, np.maximum(enough, most), enough)


class _Left:
    """The candidates that are still counted."""

    def __init__(self, hashes: np.ndarray, listed: np.ndarray, numbers: np.ndarray) -> None:
        self.numbers = numbers
        self.set = kernels.build_candidates(hashes[numbers], listed[numbers])


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
        self._listed = enough.copy()
        self._total = np.zeros(len(hashes), dtype=np.int64)
        self._left = _Left(hashes, self._listed, np.arange(len(hashes)))
        self._parts: list[tuple[int, np.ndarray, np.ndarray]] = []
        self._kept = 0

    def count(self, causes: CauseReader, unit: int) -> Columns:
        """In how many rows of a unit each candidate that is still counted stands, and in which."""
        left = self._left
        total = np.zeros(len(self._hashes), dtype=np.uint32)
        rows, candidates = [np.zeros(0, dtype=np.uint32)], [np.zeros(0, dtype=np.uint32)]
        counts, size = np.zeros(len(left.numbers), dtype=np.uint32), 0
        for batch in causes.read(unit):
            found = kernels.count_candidates(batch.column, left.set, counts, by_id=False)
            rows.append(batch.rows.astype(np.uint32)[found.row])
            candidates.append(left.numbers.astype(np.uint32)[found.candidate])
            size += batch.column.nbytes
            if size >= _SORTED_OUT_BYTES:
                total[left.numbers] = counts
                left, size = self._without_done(left, total), 0
                counts = total[left.numbers]
        total[left.numbers] = counts
        return {
            "counts": total,
            "rows": np.concatenate(rows),
            "candidates": np.concatenate(candidates),
        }

    def merge(self, first_row: int, columns: Columns) -> None:
        """Takes in the next unit, whose first row has this ordinal."""
        self._total += columns["counts"]
        self._parts.append((first_row, columns["rows"], columns["candidates"]))
        self._kept += len(columns["rows"])
        if self._kept > _MOST_KEPT:
            self._make_room()
        self._left = self._without_done(self._left, self._total)

    def _without_done(self, left: _Left, counts: np.ndarray) -> _Left:
        """The same, or what remains if a good part needs no more counting."""
        going = counts[left.numbers] < self._enough[left.numbers]
        if np.count_nonzero(going) >= (1 - _DONE_SHARE) * len(going):
            return left
        return _Left(self._hashes, self._listed, left.numbers[going])

    def _make_room(self) -> None:
        """Gives up rows that will not be asked for, and then those of what is in the most rows."""
        going = (self._total < self._enough) & (self._listed > 0)
        order = np.argsort(self._total, kind="stable")
        taken = np.cumsum(np.where(going, self._total, 0)[order])
        going[order[taken > _MOST_KEPT // 2]] = False
        self._listed[~going] = 0
        inside = [going[candidates] for _, _, candidates in self._parts]
        self._parts = [
            (first, rows[kept], candidates[kept])
            for (first, rows, candidates), kept in zip(self._parts, inside, strict=True)
        ]
        self._kept = sum(len(rows) for _, rows, _ in self._parts)
        self._left = _Left(self._hashes, self._listed, self._left.numbers)

    @property
    def frequency(self) -> np.ndarray:
        """int64 (candidates,): rows of the corpus that hold each, at most its enough."""
        return np.asarray(np.minimum(self._total, self._enough))

    def known_rows(self) -> KnownRows:
        """The rows of the candidates that were counted to the end, as far as there was room."""
        nothing = np.zeros(0, dtype=np.uint32)
        candidates = np.concatenate([nothing, *(numbers for _, _, numbers in self._parts)])
        # Which rows a unit left out depends on what was known when it was counted.
        kept = np.bincount(candidates, minlength=len(self._total))
        whole = (self._total < self._enough) & (kept == self._total)
        # One number a pair sorts many times faster than an order of one column by another.
        pairs = [np.zeros(0, np.uint64)]
        for first, rows, numbers in self._parts:
            inside = whole[numbers]
            key = numbers[inside].astype(np.uint64) << np.uint64(_ROW_BITS)
            pairs.append(key | (rows[inside] + np.uint64(first)))
        sorted_pairs = np.sort(np.concatenate(pairs))
        lengths = self._total[whole]
        rows = (sorted_pairs & np.uint64((1 << _ROW_BITS) - 1)).view(np.int64)
        return KnownRows(self._hashes[whole], np.cumsum(lengths) - lengths, rows)


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
        none = np.zeros(0, dtype=np.int64)
        self._bounds = np.append(none if starts is None else starts, len(self._rows))

    def of(self, ngram: int) -> np.ndarray | None:
        """int64, rising: the rows of an n-gram, if they are known."""
        place = int(np.searchsorted(self._hashes, np.uint64(ngram)))
        if place == len(self._hashes) or int(self._hashes[place]) != ngram:
            return None
        return self._rows[int(self._bounds[place]) : int(self._bounds[place + 1])]
