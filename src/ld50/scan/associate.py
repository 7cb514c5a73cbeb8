"""The statistical core: which rare causes go with which unusual consequences, beyond chance.

A backdoor in data is an association that should not be there. Each candidate cause is tested against
each consequence with Fisher's exact test; the strongest is taken, its rows are set aside, and the rest
is tested again, so that one trigger is one finding and not one for each n-gram that overlaps it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from ld50.scan.statistics import benjamini_hochberg, log_hypergeometric_tail


@dataclass(frozen=True, slots=True, kw_only=True)
class Consequence:
    """Rows that show one unusual thing: what a trigger might do."""

    kind: str
    """One of the kinds of `core.findings.Consequence`."""
    text: str
    """In words, for the report."""
    rows: np.ndarray = field(repr=False)
    """int64, rising: ordinals of the rows that show it."""
    key: int = 0
    """Tells consequences of one kind apart, e.g. the hash of the repeated reply."""
    population: int | None = None
    """Rows that could show it, if not all can; at least `len(rows)`."""


@dataclass(frozen=True, kw_only=True)
class Incidence:
    """Which candidate causes stand in which rows; pairs are unique, in order of row and candidate."""

    rows: np.ndarray = field(repr=False)
    """int64 (pairs,), rising: ordinals of rows."""
    candidates: np.ndarray = field(repr=False)
    """int64 (pairs,): indices of candidates, from 0; rising within a row."""

    @classmethod
    def of(cls, rows: np.ndarray, candidates: np.ndarray) -> Incidence:
        """Puts the pairs in order, each once."""
        most = int(candidates.max(initial=0)) + 1
        # One number a pair sorts several times faster than two columns, and than NumPy's `unique`.
        pairs = np.sort(rows * most + candidates)
        pairs = pairs[np.diff(pairs, prepend=-1) != 0]
        return cls(rows=pairs // most, candidates=pairs % most)

    @cached_property
    def row_start(self) -> np.ndarray:
        """int64 (rows + 1,): where the pairs of each of `row_ids` begin."""
        first = np.ones(len(self.rows), dtype=bool)
        first[1:] = self.rows[1:] != self.rows[:-1]
        return np.append(np.flatnonzero(first), len(self.rows))

    @cached_property
    def row_ids(self) -> np.ndarray:
        """int64 (rows,), rising: ordinals of the rows that hold any candidate."""
        return np.asarray(self.rows[self.row_start[:-1]])

    @cached_property
    def row_index(self) -> np.ndarray:
        """int64 (pairs,): position of each pair's row in `row_ids`."""
        return np.repeat(np.arange(len(self.row_ids)), np.diff(self.row_start))

    def within(self, rows: np.ndarray) -> np.ndarray:
        """bool (pairs,): whether each pair's row is one of `rows` (rising)."""
        inside = np.isin(self.row_ids, rows, assume_unique=True)
        return np.asarray(np.repeat(inside, np.diff(self.row_start)))

    def pairs_of(self, rows: np.ndarray) -> np.ndarray:
        """int64, rising: the pairs of `rows` (rising); the cost is that of these rows alone."""
        if len(self.row_ids) == 0:
            return np.zeros(0, dtype=np.int64)
        where = np.minimum(np.searchsorted(self.row_ids, rows), len(self.row_ids) - 1)
        where = where[self.row_ids[where] == rows]
        starts, lengths = self.row_start[where], np.diff(self.row_start)[where]
        total = np.cumsum(lengths)
        return np.repeat(starts - (total - lengths), lengths) + np.arange(lengths.sum())

    def only(self, kept: np.ndarray, candidates: int) -> Incidence:
        """The pairs of the candidates `kept` (rising) out of so many, numbered anew in that order."""
        renumber = np.full(candidates, -1, dtype=np.int64)
        renumber[kept] = np.arange(len(kept))
        numbers = renumber[self.candidates]
        inside = numbers >= 0
        return Incidence(rows=self.rows[inside], candidates=numbers[inside])


class Tally:
    """Counts candidates in sets of rows, each at the cost of its own rows: there may be thousands."""

    def __init__(self, incidence: Incidence, candidates: int) -> None:
        """Nothing is counted yet.

        Args:
            incidence: Candidates in rows.
            candidates: Number of candidates.
        """
        self._incidence = incidence
        self._counts = np.zeros(candidates, dtype=np.int64)

    def of(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Candidates in these rows (rising), and in how many of them each stands.

        Returns:
            int64 (pairs,) twice; a candidate comes as often as it stands in one of the rows.
        """
        found = self._incidence.candidates[self._incidence.pairs_of(rows)]
        np.add.at(self._counts, found, 1)
        counts = self._counts[found]
        self._counts[found] = 0
        return found, counts

    def most(self, consequences: list[Consequence]) -> np.ndarray:
        """int64 (candidates,): the most rows of one consequence that hold each candidate."""
        best = np.zeros(len(self._counts), dtype=np.int64)
        for consequence in consequences:
            found, counts = self.of(consequence.rows)
            best[found] = np.maximum(best[found], counts)
        return best


@dataclass(frozen=True, slots=True, kw_only=True)
class Association:
    """One cause that goes with one consequence, after stronger ones were taken out."""

    candidate: int
    consequence: int
    rows: np.ndarray = field(repr=False)
    """int64, rising: rows with both that no stronger association explains."""
    partner: int | None = None
    """A second candidate, where only the two together are the cause."""
    both: int
    cause_rows: int
    expected: float
    log_p: float
    log_q: float


@dataclass(frozen=True, slots=True, kw_only=True)
class AssociationSettings:
    """What counts as an association worth a look."""

    min_support: int = 5
    """Rows that must show cause and consequence together."""
    alpha: float = 1e-4
    """False-discovery rate over all tests of the run."""
    min_effect: float = 0.3
    """Share of the rows with the cause that must show the consequence."""
    most_per_consequence: int = 40
    """Bound on associations a consequence: past it, the consequence is a style, not a payload."""

    def __post_init__(self) -> None:
        if self.min_support < 2:
            raise ValueError(f"min_support must be at least 2, got {self.min_support}")
        if not 0 < self.alpha < 1:
            raise ValueError(f"alpha must lie between 0 and 1, got {self.alpha}")
        if not 0 <= self.min_effect <= 1:
            raise ValueError(f"min_effect must lie between 0 and 1, got {self.min_effect}")


def associate(
    consequences: list[Consequence],
    incidence: Incidence,
    document_frequency: np.ndarray,
    rows: int,
    *,
    priority: np.ndarray | None = None,
    untested: int = 0,
    settings: AssociationSettings | None = None,
) -> tuple[list[Association], int]:
    """The associations between candidate causes and consequences, strongest first in each consequence.

    Args:
        consequences: What may follow from a cause, each with its rows.
        incidence: Candidates in the rows of any consequence (other rows may be left out).
        document_frequency: int (candidates,): rows of the whole corpus that hold the candidate.
        rows: Rows of the whole corpus.
        priority: float (candidates,): breaks ties between candidates in exactly the same rows, higher
            first; e.g. the length of the n-gram, so that the longest trigger is named.
        untested: Tests that count for the correction though their pairs were dropped beforehand.
        settings: Bounds.

    Returns:
        The associations with q below `alpha`, and the number of tests that were corrected for.
    """
    settings = settings or AssociationSettings()
    tests = float(untested)
    promising = []
    tally = Tally(incidence, len(document_frequency))
    for number, consequence in enumerate(consequences):
        held, counts = tally.of(consequence.rows)
        # Each candidate comes as often as it was counted, so that this is the number of candidates.
        tests += float((1.0 / counts).sum())
        population = rows if consequence.population is None else consequence.population
        frequency = np.minimum(document_frequency[held], population)
        if (counts >= np.maximum(settings.min_support, settings.min_effect * frequency)).any():
            promising.append(number)
    made = max(round(tests), 1)
    found: list[Association] = []
    for number in promising:
        consequence = consequences[number]
        population = rows if consequence.population is None else consequence.population
        table = _Table.of(consequence, incidence)
        frequency = np.minimum(document_frequency[table.ids], population)
        tie = None if priority is None else priority[table.ids]
        found += _greedy(number, consequence, table, frequency, population, made, tie, settings)
    return found, made


@dataclass(slots=True)
class _Table:
    """The incidence within the rows of one consequence, reachable from both sides.

    Candidates are numbered anew, in their order.
    """

    ids: np.ndarray
    """int64, rising: the candidates."""
    row_of: np.ndarray
    candidate_of: np.ndarray
    by_candidate: np.ndarray
    candidate_start: np.ndarray
    row_ids: np.ndarray
    row_start: np.ndarray
    counts: np.ndarray

    @classmethod
    def of(cls, consequence: Consequence, incidence: Incidence) -> _Table:
        part = incidence.pairs_of(consequence.rows)
        ids, numbers = np.unique(incidence.candidates[part], return_inverse=True)
        inside = Incidence(rows=incidence.rows[part], candidates=numbers)
        row_of, candidate_of = inside.rows, inside.candidates
        counts = np.bincount(candidate_of, minlength=len(ids))
        by_candidate = np.argsort(candidate_of, kind="stable")
        candidate_start = np.concatenate([[0], np.cumsum(counts)])
        return cls(
            ids=ids,
            row_of=row_of,
            candidate_of=candidate_of,
            by_candidate=by_candidate,
            candidate_start=candidate_start,
            row_ids=inside.row_ids,
            row_start=inside.row_start,
            counts=counts,
        )

    def rows_with(self, candidate: int) -> np.ndarray:
        low, high = self.candidate_start[candidate], self.candidate_start[candidate + 1]
        return np.asarray(self.row_of[self.by_candidate[low:high]])

    def candidates_in(self, rows: np.ndarray) -> np.ndarray:
        """Candidates of these rows, one entry for each row they stand in."""
        where = np.searchsorted(self.row_ids, rows)
        starts, ends = self.row_start[where], self.row_start[where + 1]
        lengths = ends - starts
        index = np.repeat(starts - np.concatenate([[0], np.cumsum(lengths)[:-1]]), lengths)
        return np.asarray(self.candidate_of[index + np.arange(lengths.sum())])


def _greedy(
    number: int,
    consequence: Consequence,
    table: _Table,
    document_frequency: np.ndarray,
    rows: int,
    tests: int,
    priority: np.ndarray | None,
    settings: AssociationSettings,
) -> list[Association]:
    both = table.counts.astype(np.int64)
    cause = np.maximum(document_frequency.astype(np.int64), both)
    remaining_rows, remaining_consequence = rows, len(consequence.rows)
    alive = np.flatnonzero((both >= settings.min_support) & (both >= settings.min_effect * cause))
    if len(alive) == 0:
        return []
    log_p = np.zeros(len(both))
    log_p[alive] = log_hypergeometric_tail(
        both[alive], cause[alive], remaining_consequence, remaining_rows
    )
    log_alpha = math.log(settings.alpha)
    log_q = np.zeros(len(both))
    log_q[alive] = benjamini_hochberg(log_p[alive], tests)
    alive = alive[log_q[alive] <= log_alpha]
    tie = np.zeros(len(both)) if priority is None else priority
    taken = np.zeros(0, dtype=np.int64)
    found: list[Association] = []
    while len(alive) and len(found) < settings.most_per_consequence:
        best = alive[np.lexsort((-tie[alive], log_p[alive]))[0]]
        explained = np.setdiff1d(table.rows_with(int(best)), taken, assume_unique=True)
        found.append(
            Association(
                candidate=int(table.ids[best]),
                consequence=number,
                rows=explained,
                both=int(both[best]),
                cause_rows=int(cause[best]),
                expected=float(cause[best] * remaining_consequence / remaining_rows),
                log_p=float(log_p[best]),
                log_q=float(log_q[best]),
            )
        )
        taken = np.union1d(taken, explained)
        gone = np.bincount(table.candidates_in(explained), minlength=len(both))
        both -= gone
        cause -= gone
        remaining_rows -= len(explained)
        remaining_consequence -= len(explained)
        alive = alive[
            (both[alive] >= settings.min_support)
            & (both[alive] >= settings.min_effect * cause[alive])
        ]
        log_p[alive] = log_hypergeometric_tail(
            both[alive], cause[alive], remaining_consequence, remaining_rows
        )
        # What is tested again is a choice made after looking: Bonferroni, not Benjamini-Hochberg.
        log_q[alive] = np.minimum(log_p[alive] + math.log(tests), 0.0)
        alive = alive[log_q[alive] <= log_alpha]
    return found
