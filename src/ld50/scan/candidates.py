"""Which n-grams may be causes: those near consequences, less what could pass no test anyway.

Every n-gram that is dropped here was looked at, so it counts among the tests that are corrected for.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

import numpy as np
import pyarrow as pa

from ld50.scan import kernels
from ld50.scan.associate import AssociationSettings, Consequence, Incidence, Tally
from ld50.scan.settings import ScanSettings
from ld50.scan.statistics import smallest_detectable
from ld50.scan.survey import Survey

_MOST_CANDIDATES = 4_000_000
#: Buckets that n-grams are tallied in: one byte each.
_BUCKET_BITS = 25
#: Rows whose n-grams are listed at a time: what is listed is some megabytes, and the room is used again.
_CHUNK = 1000
#: Of n-grams that stand in exactly the same rows, so many stand for all.
_ALIKE_KEPT = 3
#: Rows in which a cause must be seen, where not all rows are looked at.
LEAST_LISTED = 5


class RowNgrams:
    """Which n-grams stand in which rows; numbered as they come, which is a quarter of their size."""

    def __init__(self) -> None:
        """None yet."""
        self._gatherer = kernels.Gatherer()
        self._rows = [np.zeros(0, dtype=np.int64)]
        self._parts: list[tuple[np.ndarray, np.ndarray]] = []

    def add(self, rows: np.ndarray, hashes: np.ndarray) -> None:
        """Takes pairs in, which may repeat: all of some rows, that no other call has.

        Args:
            rows: int64 (pairs,), ordinals of rows.
            hashes: uint64 (pairs,), n-grams in them.
        """
        # N-grams are listed by row, so there are few runs of one row, and only those are put in order.
        begins = np.flatnonzero(np.append(True, rows[1:] != rows[:-1])[: len(rows)])
        ends = np.append(begins[1:], len(rows))
        row_ids, numbers = np.unique(rows[begins], return_inverse=True)
        order = np.argsort(numbers, kind="stable")
        self._rows.append(row_ids)
        self._parts.append(
            self._gatherer.add(
                hashes, begins[order], ends[order], numbers[order].astype(np.uint32), len(row_ids)
            )
        )

    def of_enough_rows(self, least: int) -> tuple[Incidence, np.ndarray, np.ndarray]:
        """The n-grams of at least so many rows as candidates, in the order of their hashes; asked once.

        Returns:
            Which candidates stand in which rows; uint64 (candidates,), rising, the n-gram of each; and
            uint64 (candidates,), the same for those in the same rows.
        """
        found = self._gatherer.ngrams()
        kept = np.flatnonzero(found.count >= least)
        kept = kept[np.argsort(found.hash[kept])]
        instead = np.full(len(found.hash), kernels.LEFT_OUT, dtype=np.uint32)
        instead[kept] = np.arange(len(kept), dtype=np.uint32)
        lengths, candidates = [np.zeros(1, np.int64)], [np.zeros(0, np.uint32)]
        # The last thing that is asked: what is numbered anew is let go of.
        self._parts.reverse()
        while self._parts:
            numbers, row_start = self._parts.pop()
            left, left_start = kernels.renumber(numbers, row_start, instead)
            lengths.append(np.diff(left_start))
            candidates.append(left)
        incidence = Incidence(
            row_ids=np.concatenate(self._rows),
            row_start=np.cumsum(np.concatenate(lengths)),
            candidates=np.concatenate(candidates),
        )
        order = np.argsort(incidence.row_ids)
        if (np.diff(order) < 0).any():
            incidence = incidence.at(order)
        return incidence, found.hash[kept], found.row_set[kept]


def onset_ngrams(survey: Survey, least: int) -> RowNgrams:
    """The n-grams around the onsets and at the heads.

    Most n-grams stand in one row and can be no cause. They are told by a tally of hash buckets first,
    so that only what may reach `least` rows is ever listed; so is what is too common to decide.
    """
    texts = survey.texts
    found = RowNgrams()
    if len(texts) == 0:
        return found
    zones = (texts.zone_onset, texts.zone_head)
    buckets = np.zeros(1 << _BUCKET_BITS, dtype=np.uint8)
    for zone in zones:
        kernels.tally_ngrams(zone, buckets)
    buckets[(_too_common(survey) >> np.uint64(64 - _BUCKET_BITS)).astype(np.int64)] = 0
    # A row may have a stretch of each kind; all of them come together.
    order = np.argsort(texts.row, kind="stable")
    bounds = np.flatnonzero(np.diff(texts.row[order], prepend=-1, append=-1))
    bounds = np.append(bounds[:-1:_CHUNK], bounds[-1])
    for low, high in pairwise(bounds.tolist()):
        chosen = order[low:high].astype(np.uint32)
        listed = [
            kernels.ngrams(zone, chosen, distinct=True, buckets=buckets, least=least, placed=False)
            for zone in zones
        ]
        found.add(
            np.concatenate([texts.row[each.row] for each in listed]),
            np.concatenate([each.hash for each in listed]),
        )
    return found


def rows_needed(
    consequences: list[Consequence], survey: Survey, settings: ScanSettings
) -> np.ndarray:
    """int64 (consequences,): fewest rows with which a cause could pass, were it never seen elsewhere."""
    tests = survey.distinct_ngrams(consequences)
    needed = []
    for consequence in consequences:
        share = len(consequence.rows) / max(consequence.population or survey.rows, 1)
        rows = (
            smallest_detectable(share, tests, settings.alpha) if 0 < share < 1 else survey.rows + 1
        )
        needed.append(max(rows, settings.min_support))
    return np.array(needed, dtype=np.int64)


def least_listed(consequences: list[Consequence], needed: Iterable[int]) -> int:
    """Fewest of the rows looked at in which a cause of any of the consequences is listed; at least 1.

    Args:
        consequences: What causes are looked for.
        needed: Of each, fewest of all of its rows that a cause must stand in.
    """
    fewest = [
        # In few of few rows looked at, anything stands by chance.
        max(min(least, LEAST_LISTED), least * len(c.looked_at) // max(len(c.rows), 1))
        for c, least in zip(consequences, needed, strict=True)
    ]
    return max(min(fewest, default=1), 1)


def worth_counting(
    found: RowNgrams,
    consequences: list[Consequence],
    survey: Survey,
    needed: np.ndarray,
) -> tuple[Incidence, np.ndarray]:
    """Candidates that could pass the test of at least one consequence, in bounded number.

    Those with too few rows cannot, whatever their frequency; those that a sample of all rows shows to
    be common cannot be decisive; and of those that stand in the same rows a few stand for all.

    Args:
        found: The n-grams of all rows that show a consequence.
        consequences: What is tested.
        survey: Of the whole corpus.
        needed: From `rows_needed`.

    Returns:
        Which candidates stand in which rows, and uint64 (candidates,), the n-gram of each.
    """
    incidence, unique, alike = found.of_enough_rows(least_listed(consequences, needed))
    best = np.zeros(len(unique), dtype=np.int64)
    enough = np.zeros(len(unique), dtype=bool)
    tally = Tally(incidence, len(unique))
    for consequence, least in zip(consequences, needed.tolist(), strict=True):
        held, seen = tally.of(consequence.looked_at)
        counts = consequence.of_all(seen)
        best[held] = np.maximum(best[held], counts)
        enough[held[(counts >= least) & (seen >= least_listed([consequence], [least]))]] = True
    # Those in the same rows are enough for the same consequences, so this splits none of their groups.
    kept = np.flatnonzero(enough)
    kept = kept[
        _representative(unique[kept], alike[kept])
        & ~too_common_for(unique[kept], best[kept], survey)
    ]
    if len(kept) > _MOST_CANDIDATES:
        kept = np.sort(kept[np.argsort(-best[kept], kind="stable")[:_MOST_CANDIDATES]])
    return incidence.only(kept, len(unique)), unique[kept]


def _too_common(survey: Survey) -> np.ndarray:
    """uint64: n-grams whose rows, going by the sample, are too many for any consequence to decide."""
    texts = survey.texts
    if len(survey.sample.ngrams) == 0:
        return survey.sample.ngrams
    candidates = kernels.build_candidates(survey.sample.ngrams)
    best = np.zeros(len(survey.sample.ngrams), dtype=np.uint32)
    for kind in np.unique(texts.kind).tolist():
        index = pa.array(np.flatnonzero(texts.kind == kind))
        counts = np.zeros(len(survey.sample.ngrams), dtype=np.uint32)
        for zone in (texts.zone_onset, texts.zone_head):
            kernels.count_candidates(zone.take(index), candidates, counts)
        np.maximum(best, counts, out=best)
    return np.asarray(survey.sample.ngrams[_decide_nothing(survey.sample.counts, best, survey)])


def too_common_for(hashes: np.ndarray, best: np.ndarray, survey: Survey) -> np.ndarray:
    """bool (candidates,): those too frequent in the sample to decide anything in so many rows."""
    if len(survey.sample.ngrams) == 0:
        return np.zeros(len(hashes), dtype=bool)
    known = survey.sample.ngrams
    position = np.minimum(np.searchsorted(known, hashes), len(known) - 1)
    seen = np.where(known[position] == hashes, survey.sample.counts[position], 0)
    return _decide_nothing(seen, best, survey)


def _decide_nothing(seen: np.ndarray, best: np.ndarray, survey: Survey) -> np.ndarray:
    """bool: those too common for so many rows with a consequence to be a fair share of their rows.

    Args:
        seen: Rows of the sample that hold each.
        best: At most so many of their rows show a consequence.
        survey: What the sample is of.
    """
    # Three standard deviations less than the sample says, so that its chance takes no cause out.
    fewest = np.maximum(seen - 3 * np.sqrt(seen), 0) * (survey.rows / max(survey.sample.rows, 1))
    return np.asarray((seen >= 12) & (fewest * AssociationSettings().min_effect > best))


def _representative(hashes: np.ndarray, alike: np.ndarray) -> np.ndarray:
    """bool (candidates,): the longest of those that stand in exactly the same rows, and single words.

    Boilerplate is some hundred n-grams in the same rows, and each would be counted and tested. A longer
    n-gram is in no more rows of the corpus than what it is made of, so it has the strongest test.

    Args:
        hashes: uint64 (candidates,).
        alike: uint64 (candidates,), from `RowNgrams.of_enough_rows`.
    """
    n, stream = kernels.ngram_kind(hashes)
    group = alike & ~np.uint64(1) | stream
    order = np.argsort(group)
    first = np.flatnonzero(np.diff(group[order], prepend=~group[order[:1]]) != 0)
    sizes = np.diff(first, append=len(order))
    kept = np.ones(len(hashes), dtype=bool)
    # Most groups are of one or two. Only larger ones are put in order.
    large = np.repeat(sizes > _ALIKE_KEPT, sizes)
    order = order[large]
    order = order[np.lexsort((hashes[order], -n[order].astype(np.int64), group[order]))]
    sizes = sizes[sizes > _ALIKE_KEPT]
    rank = np.arange(len(order)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    kept[order[rank >= _ALIKE_KEPT]] = False
    # Pairs of words are looked for among single words.
    return np.asarray(kept | ((n == 1) & (stream == kernels.WORDS)))
