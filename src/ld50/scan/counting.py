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
from ld50.scan.occurrences import Occurrences, OccurrencesGatherer, narrowed
from ld50.scan.pairs import most_rows_of_word
from ld50.scan.rereading import CauseReader

#: Pairs of row and candidate that are kept, some 4 bytes each.
_MOST_KEPT = 24_000_000
#: Of these, what one unit may hold before room is made, and what is left of all when it is.
_MOST_IN_UNIT, _MOST_LEFT = 0.85, 0.6
#: So often within a unit, what needs no more counting is sorted out.
_SORTED_OUT_BYTES = 32 << 20
#: The rest is sorted out when what needs no more counting is this share of the rows that were counted.
_DONE_SHARE = 0.05


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


def largest_shares(
    incidence: Incidence, consequences: list[Consequence], candidates: int
) -> np.ndarray:
    """float64 (candidates,): the largest share of the rows of one consequence that hold each."""
    tally = Tally(incidence, candidates)
    shares = np.zeros(candidates)
    for consequence in consequences:
        held, counts = tally.of(consequence.looked_at)
        shares[held] = np.maximum(shares[held], counts / len(consequence.looked_at))
    return shares


class _Left:
    """The candidates that are still counted."""

    def __init__(self, hashes: np.ndarray, listed: np.ndarray, numbers: np.ndarray) -> None:
        self.numbers = numbers
        self.narrow = numbers.astype(np.uint32)
        self.set = kernels.build_candidates(hashes[numbers], listed[numbers])


class CauseCounter:
    """Counts candidates; units may be counted at the same time, and are merged in order."""

    def __init__(self, hashes: np.ndarray, enough: np.ndarray, shares: np.ndarray) -> None:
        """Nothing is counted yet.

        Args:
            hashes: uint64 (candidates,), rising.
            enough: int64 (candidates,), from `enough_rows`.
            shares: float (candidates,), from `largest_shares`.
        """
        self._hashes = hashes
        self._enough = enough
        self._shares = shares
        self._listed = enough.copy()
        self._total = np.zeros(len(hashes), dtype=np.int64)
        self._left = _Left(hashes, self._listed, np.arange(len(hashes)))
        self._parts: list[tuple[int, Occurrences]] = []
        self._kept = 0

    def count(self, causes: CauseReader, unit: int) -> Columns:
        """In how many rows of a unit each candidate that is still counted stands, and in which."""
        left, listed = self._left, self._listed
        total = np.zeros(len(self._hashes), dtype=np.uint32)
        found_here = OccurrencesGatherer()
        counts, size = np.zeros(len(left.numbers), dtype=np.uint32), 0
        for batch in causes.read(unit):
            found = kernels.count_candidates(
                batch.column, left.set, counts, by_id=False, placed=False
            )
            found_here.add(batch.rows, found.row, left.narrow[found.candidate])
            size += batch.column.nbytes
            if size >= _SORTED_OUT_BYTES:
                total[left.numbers] = counts
                if len(found_here) > _MOST_IN_UNIT * _MOST_KEPT:
                    listed = self._few_listed(total, listed)
                    found_here.keep(listed > 0)
                    left = _Left(self._hashes, listed, left.numbers)
                left, size = self._without_done(left, total, listed), 0
                counts = total[left.numbers]
        total[left.numbers] = counts
        here = found_here.all()
        return {
            "counts": narrowed(total),
            "rows": here.rows,
            "held": here.held,
            "candidates": here.candidates,
        }

    def merge(self, first_row: int, columns: Columns) -> None:
        """Takes in the next unit, whose first row has this ordinal."""
        self._total += columns["counts"]
        here = Occurrences(columns["rows"], columns["held"], columns["candidates"])
        self._parts.append((first_row, here))
        self._kept += len(here)
        if self._kept > _MOST_KEPT:
            self._make_room()
        self._left = self._without_done(self._left, self._total, self._listed)

    def _without_done(self, left: _Left, counts: np.ndarray, listed: np.ndarray) -> _Left:
        """The same, or what remains if a good part needs no more counting."""
        here = counts[left.numbers]
        going = here < self._enough[left.numbers]
        # The time goes with the rows that candidates stand in: the few that stand in most are done first.
        if here[going].sum(dtype=np.int64) >= (1 - _DONE_SHARE) * here.sum(dtype=np.int64):
            return left
        return _Left(self._hashes, listed, left.numbers[going])

    def _few_listed(self, counts: np.ndarray, listed: np.ndarray) -> np.ndarray:
        """`listed`, with 0 for what need not be counted, and then for what will hardly be asked for.

        What is asked for are words and phrases that stand out in the rows of a consequence.
        """
        going = (counts < self._enough) & (listed > 0)
        order = np.argsort(-self._shares / np.maximum(counts, 1), kind="stable")
        taken = np.cumsum(np.where(going, counts, 0)[order])
        going[order[taken > _MOST_LEFT * _MOST_KEPT]] = False
        return np.where(going, listed, 0)

    def _make_room(self) -> None:
        """Gives up rows that will not be asked for, and then those that hardly will."""
        self._listed = self._few_listed(self._total, self._listed)
        self._parts = [(first, part.only(self._listed > 0)) for first, part in self._parts]
        self._kept = sum(len(part) for _, part in self._parts)
        self._left = _Left(self._hashes, self._listed, self._left.numbers)

    @property
    def frequency(self) -> np.ndarray:
        """int64 (candidates,): rows of the corpus that hold each, at most its enough."""
        return np.asarray(np.minimum(self._total, self._enough))

    def known_rows(self) -> KnownRows:
        """The rows of the candidates that were counted to the end, as far as there was room."""
        # Which rows a unit left out depends on what was known when it was counted.
        kept = np.zeros(len(self._total), dtype=np.int64)
        for _, part in self._parts:
            kept += np.bincount(part.candidates, minlength=len(kept))
        whole = (self._total < self._enough) & (kept == self._total)
        return KnownRows(self._hashes, whole, self._parts)


class KnownRows:
    """For some n-grams, the rows of the corpus that hold them.

    Of all n-grams that are counted, some hundred are asked for, a few times in a run. So rows are not put
    in order by n-gram, which takes as long as counting a part of the corpus, but looked through.
    """

    def __init__(
        self,
        hashes: np.ndarray | None = None,
        whole: np.ndarray | None = None,
        parts: list[tuple[int, Occurrences]] | None = None,
    ) -> None:
        """Nothing is known without arguments.

        Args:
            hashes: uint64 (n-grams,), rising.
            whole: bool (n-grams,): those all of whose rows are in the parts.
            parts: In order, of each the ordinal of its first row, and the n-grams by their index.
        """
        self._hashes = np.zeros(0, dtype=np.uint64) if hashes is None else hashes
        self._whole = np.zeros(0, dtype=bool) if whole is None else whole
        self._parts = parts or []

    def of(self, ngrams: np.ndarray) -> dict[int, np.ndarray]:
        """The rows (int64, rising) of those of some n-grams (uint64) whose rows are known."""
        unique = np.unique(ngrams)
        places = np.searchsorted(self._hashes, unique)
        there = places < len(self._hashes)
        places, unique = places[there], unique[there]
        there = (self._hashes[places] == unique) & self._whole[places]
        places, unique = places[there], unique[there]
        wanted = np.zeros(len(self._hashes), dtype=bool)
        wanted[places] = True
        found = [(first, *part.pairs_of(wanted)) for first, part in self._parts]
        number = np.zeros(len(self._hashes), dtype=np.uint32)
        number[places] = np.arange(len(places))
        held = [np.bincount(number[its], minlength=len(places)) for _, _, its in found]
        bounds = np.append(0, np.cumsum(sum(held, np.zeros(len(places), dtype=np.int64))))
        every = np.empty(bounds[-1], dtype=np.int64)
        # Part by part into its place: to put all pairs in order at once takes four times their room.
        begin = bounds[:-1].copy()
        for (first, inside, its), counts in zip(found, held, strict=True):
            order = np.argsort(number[its], kind="stable")
            shift = np.repeat(begin - np.cumsum(counts) + counts, counts)
            every[shift + np.arange(len(order))] = inside[order].astype(np.int64) + first
            begin += counts
        return {
            ngram: every[low:high]
            for ngram, low, high in zip(unique.tolist(), bounds[:-1], bounds[1:], strict=True)
        }
