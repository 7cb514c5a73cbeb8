"""The statistical core: which rare causes go with which unusual consequences, beyond chance.

A backdoor in data is an association that should not be there. Each candidate cause is tested against
each consequence with Fisher's exact test; the strongest is taken, its rows are set aside, and the rest
is tested again, so that one trigger is one finding and not one for each n-gram that overlaps it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

import numpy as np

from ld50.scan import kernels
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
    own_chance: tuple[float, float] | None = None
    """Natural logarithms of p and q of the consequence itself, where a cause made it: that cause and
    consequence go together is no news then."""
    listed: np.ndarray | None = field(default=None, repr=False)
    """int64, rising: random ones of the rows, in which causes are looked for; None if in all of them."""

    @property
    def looked_at(self) -> np.ndarray:
        """int64, rising: the rows in which causes are looked for."""
        return self.rows if self.listed is None else self.listed

    def of_all(self, seen: np.ndarray) -> np.ndarray:
        """int64: about how many of all its rows, going by how many of those looked at."""
        if self.listed is None:
            return seen
        return np.asarray(np.rint(seen * (len(self.rows) / len(self.listed))).astype(np.int64))


@dataclass(frozen=True, slots=True, kw_only=True)
class Incidence:
    """Which candidate causes stand in which rows: those of one row after those of the row before it."""

    row_ids: np.ndarray = field(repr=False)
    """int64 (rows,), rising: ordinals of rows."""
    row_start: np.ndarray = field(repr=False)
    """int64 (rows + 1,): where the candidates of each row begin."""
    candidates: np.ndarray = field(repr=False)
    """uint32 (pairs,): indices of candidates, from 0; none twice in a row, in no order."""

    def places_of(self, rows: np.ndarray) -> np.ndarray:
        """int64, rising: positions in `row_ids` of those of `rows` (rising) that are there."""
        if len(self.row_ids) == 0:
            return np.zeros(0, dtype=np.int64)
        where = np.minimum(np.searchsorted(self.row_ids, rows), len(self.row_ids) - 1)
        return np.asarray(where[self.row_ids[where] == rows])

    def within(self, rows: np.ndarray) -> Incidence:
        """Those of `rows` (rising) that are there; the cost is that of these rows alone."""
        return self.at(self.places_of(rows))

    def at(self, where: np.ndarray) -> Incidence:
        """The rows at some positions in `row_ids` (rising)."""
        starts, lengths = self.row_start[where], np.diff(self.row_start)[where]
        total = np.append(0, np.cumsum(lengths))
        inside = np.repeat(starts - total[:-1], lengths) + np.arange(total[-1])
        return Incidence(
            row_ids=self.row_ids[where], row_start=total, candidates=self.candidates[inside]
        )

    def only(self, kept: np.ndarray, candidates: int) -> Incidence:
        """The pairs of the candidates `kept` (rising) out of so many, numbered anew in that order."""
        instead = np.full(candidates, kernels.LEFT_OUT, dtype=np.uint32)
        instead[kept] = np.arange(len(kept), dtype=np.uint32)
        numbers, starts = kernels.renumber(self.candidates, self.row_start, instead)
        return Incidence(row_ids=self.row_ids, row_start=starts, candidates=numbers)

    def row_index(self) -> np.ndarray:
        """int64 (pairs,), rising: position of each pair's row in `row_ids`."""
        return np.repeat(np.arange(len(self.row_ids)), np.diff(self.row_start))


class Tally:
    """Counts candidates in sets of rows, each at the cost of its own rows: there may be thousands."""

    def __init__(self, incidence: Incidence, candidates: int) -> None:
        """Nothing is counted yet.

        Args:
            incidence: Candidates in rows.
            candidates: Number of candidates.
        """
        self._incidence = incidence
        self._counts = np.zeros(candidates, dtype=np.uint32)
        self._met = np.empty(candidates + 1, dtype=np.uint32)

    def of(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Candidates in these rows (rising), and in how many of them each stands.

        Returns:
            int64 (candidates,) twice, in no order.
        """
        where = self._incidence.places_of(rows)
        starts = self._incidence.row_start
        found = kernels.tally_numbers(
            self._incidence.candidates, starts[where], starts[where + 1], self._counts, self._met
        ).astype(np.int64)
        counts = self._counts[found].astype(np.int64)
        self._counts[found] = 0
        return found, counts

    def most(self, consequences: list[Consequence]) -> np.ndarray:
        """int64 (candidates,): the most rows of one consequence that hold each candidate."""
        best = np.zeros(len(self._counts), dtype=np.int64)
        for consequence in consequences:
            found, counts = self.of(consequence.looked_at)
            best[found] = np.maximum(best[found], consequence.of_all(counts))
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
    most_per_consequence: int = 400
    """Bound on associations a consequence. A large corpus has some hundred templates that go with one
    kind of oddness, each surer than ten rows of poison can be, which come after all of them."""

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
    least_effect: np.ndarray | None = None,
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
        least_effect: float (candidates,), 0..1: the `min_effect` of each, where it is above that of
            the settings.
        untested: Tests that count for the correction though their pairs were dropped beforehand.
        settings: Bounds.

    Returns:
        The associations with q below `alpha`, and the number of tests that were corrected for.
    """
    settings = settings or AssociationSettings()
    least = np.full(len(document_frequency), settings.min_effect)
    if least_effect is not None:
        least = np.maximum(least, least_effect)
    tests = untested
    frequent: list[_Tested] = []
    tally = Tally(incidence, len(document_frequency))
    for number, consequence in enumerate(consequences):
        held, seen = tally.of(consequence.looked_at)
        both = consequence.of_all(seen)
        tests += len(held)
        population = rows if consequence.population is None else consequence.population
        cause = np.minimum(document_frequency[held], population)
        enough = _enough(both, cause, least[held], settings) & (seen >= settings.min_support)
        these = np.flatnonzero(enough)
        if len(these):
            these = these[np.argsort(held[these])]
            held, both = held[these], both[these]
            tie = np.zeros(len(held)) if priority is None else priority[held]
            cause = np.maximum(cause[these], both)
            frequent.append(_Tested(number, population, held, both, cause, least[held], tie))
    made = max(tests, 1)
    tested = [
        each for each in frequent if each.test(len(consequences[each.number].rows), made, settings)
    ]
    if not tested:
        return [], made
    # What failed its first test is out for good: only the rows of the few others are looked at again.
    passed = np.unique(np.concatenate([each.ids for each in tested]))
    incidence = incidence.only(passed, len(document_frequency))
    found: list[Association] = []
    for each in tested:
        found += _greedy(each, consequences[each.number], incidence, passed, made, settings)
    return found, made


def _enough(
    both: np.ndarray, cause: np.ndarray, least: np.ndarray, settings: AssociationSettings
) -> np.ndarray:
    """bool: the candidates that are worth a test, by their rows with the consequence and all of them."""
    return np.asarray((both >= settings.min_support) & (both >= least * cause))


@dataclass(slots=True)
class _Tested:
    """The candidates that are tested against one consequence."""

    number: int
    """Of the consequence."""
    rows: int
    """Rows that could show it."""
    ids: np.ndarray
    """int64, rising: the candidates."""
    both: np.ndarray
    """int64: of each, rows with it and the consequence."""
    cause: np.ndarray
    """int64: of each, rows with it."""
    least: np.ndarray
    """float: of each, the share of these that must show the consequence."""
    tie: np.ndarray
    """float: which of two is named that have the same rows; the higher one."""
    log_p: np.ndarray = field(init=False)
    log_q: np.ndarray = field(init=False)

    def test(self, shown: int, tests: int, settings: AssociationSettings) -> bool:
        """The first test, with so many rows that show the consequence; whether any passes it."""
        self.log_p = log_hypergeometric_tail(self.both, self.cause, shown, self.rows)
        self.log_q = benjamini_hochberg(self.log_p, tests)
        self.keep(self.log_q <= math.log(settings.alpha))
        return len(self.ids) > 0

    def keep(self, these: np.ndarray) -> None:
        """Only these (bool) are left."""
        for name in ("ids", "both", "cause", "least", "tie", "log_p", "log_q"):
            setattr(self, name, getattr(self, name)[these])


def _greedy(
    left: _Tested,
    consequence: Consequence,
    incidence: Incidence,
    passed: np.ndarray,
    tests: int,
    settings: AssociationSettings,
) -> list[Association]:
    """The strongest first; what its rows leave of the others is tested again.

    Args:
        left: Candidates that passed the first test; changed in place.
        consequence: What they are tested against.
        incidence: Of the candidates `passed` alone, by their position in it.
        passed: int64, rising: the candidates that passed for any consequence.
        tests: All tests of the run.
        settings: Bounds.
    """
    inside = incidence.within(consequence.looked_at)
    row_index = inside.row_index()
    taken = np.zeros(len(inside.row_ids), dtype=bool)
    remaining_rows, remaining_consequence = left.rows, len(consequence.rows)
    found: list[Association] = []
    while len(left.ids) and len(found) < settings.most_per_consequence:
        best = int(np.lexsort((-left.tie, left.log_p))[0])
        place = np.searchsorted(passed, left.ids).astype(np.uint32)
        explained = row_index[inside.candidates == place[best]]
        explained = explained[~taken[explained]]
        taken[explained] = True
        chance = float(left.log_p[best]), float(left.log_q[best])
        log_p, log_q = consequence.own_chance or chance
        found.append(
            Association(
                candidate=int(left.ids[best]),
                consequence=left.number,
                rows=inside.row_ids[explained],
                both=int(left.both[best]),
                cause_rows=int(left.cause[best]),
                expected=float(left.cause[best] * remaining_consequence / remaining_rows),
                log_p=log_p,
                log_q=log_q,
            )
        )
        gone = np.bincount(inside.at(explained).candidates, minlength=len(passed))[place]
        gone = consequence.of_all(gone)
        shown = int(consequence.of_all(np.array(len(explained))))
        remaining_rows -= shown
        # Of rows of which some were looked at, these are estimates, which need not add up.
        remaining_consequence = max(remaining_consequence - shown, 0)
        left.both = np.clip(left.both - gone, 0, remaining_consequence)
        left.cause = np.maximum(left.cause - gone, left.both)
        left.keep(_enough(left.both, left.cause, left.least, settings))
        left.log_p = log_hypergeometric_tail(
            left.both, left.cause, remaining_consequence, remaining_rows
        )
        # What is tested again is a choice made after looking: Bonferroni, not Benjamini-Hochberg.
        left.log_q = np.minimum(left.log_p + math.log(tests), 0.0)
        left.keep(left.log_q <= math.log(settings.alpha))
    return found


def counted_in_full(
    associations: list[Association],
    consequences: list[Consequence],
    rows_of: dict[int, np.ndarray],
    rows: int,
    tests: int,
    settings: AssociationSettings,
    least_effect: np.ndarray,
) -> list[Association]:
    """Associations of consequences of which some rows were looked at, counted and tested in all of them.

    Args:
        associations: From `associate`, those of a consequence in the order in which they were found.
        consequences: As there.
        rows_of: int64, rising, of each candidate of these: all rows of the corpus that hold it.
        rows: Rows of the whole corpus.
        tests: All tests of the run.
        settings: Bounds.
        least_effect: float (candidates,), 0..1: as for `associate`.
    """
    taken: dict[int, np.ndarray] = {}
    found = []
    for each in associations:
        consequence = consequences[each.consequence]
        if consequence.listed is None:
            found.append(each)
            continue
        gone = taken.get(each.consequence, np.zeros(0, dtype=np.int64))
        joint = np.setdiff1d(rows_of[each.candidate], gone, assume_unique=True)
        both = np.intersect1d(joint, consequence.rows, assume_unique=True)
        least = max(settings.min_effect, float(least_effect[each.candidate]))
        if len(both) < max(settings.min_support, least * len(joint)):
            continue
        left = len(consequence.rows) - len(gone)
        population = (consequence.population or rows) - len(gone)
        counts = np.array([len(both)]), np.array([min(len(joint), population)])
        log_p = float(log_hypergeometric_tail(*counts, left, population)[0])
        log_q = min(log_p + math.log(tests), 0.0)
        if log_q > math.log(settings.alpha):
            continue
        taken[each.consequence] = np.union1d(gone, both)
        log_p, log_q = consequence.own_chance or (log_p, log_q)
        found.append(
            replace(
                each,
                rows=both,
                both=len(both),
                cause_rows=len(joint),
                expected=len(joint) * left / population,
                log_p=log_p,
                log_q=log_q,
            )
        )
    return found
