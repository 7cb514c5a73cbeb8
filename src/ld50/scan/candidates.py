"""Which n-grams may be causes: those near consequences, less what could pass no test anyway.

Every n-gram that is dropped here was looked at, so it counts among the tests that are corrected for.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from ld50.core.seeds import rng_for
from ld50.scan import kernels
from ld50.scan.associate import AssociationSettings, Consequence, Incidence, Tally
from ld50.scan.settings import ScanSettings
from ld50.scan.statistics import smallest_detectable
from ld50.scan.survey import Survey

_MOST_CANDIDATES = 4_000_000
#: Buckets that n-grams are tallied in: one byte each.
_BUCKET_BITS = 25
_CHUNK = 8000
#: Of n-grams that stand in exactly the same rows, so many stand for all.
_ALIKE_KEPT = 3


def onset_ngrams(survey: Survey, least: int) -> tuple[np.ndarray, np.ndarray]:
    """(Row, n-gram) pairs, with repeats, of the n-grams around the onsets and at the heads.

    Most n-grams stand in one row and can be no cause. They are told by a tally of hash buckets first,
    so that only what may reach `least` rows is ever listed; so is what is too common to decide.
    """
    texts = survey.texts
    rows, hashes = [np.zeros(0, dtype=np.int64)], [np.zeros(0, dtype=np.uint64)]
    if len(texts) == 0:
        return rows[0], hashes[0]
    zones = (texts.zone_onset, texts.zone_head)
    buckets = np.zeros(1 << _BUCKET_BITS, dtype=np.uint8)
    for zone in zones:
        kernels.tally_ngrams(zone, buckets)
    buckets[(_too_common(survey) >> np.uint64(64 - _BUCKET_BITS)).astype(np.int64)] = 0
    for zone in zones:
        for start in range(0, len(zone), _CHUNK):
            found = kernels.ngrams(
                zone.slice(start, _CHUNK), distinct=True, buckets=buckets, least=least
            )
            rows.append(texts.row[start : start + _CHUNK][found.row])
            hashes.append(found.hash)
    return np.concatenate(rows), np.concatenate(hashes)


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


def worth_counting(
    rows: np.ndarray,
    hashes: np.ndarray,
    consequences: list[Consequence],
    survey: Survey,
    needed: np.ndarray,
) -> tuple[Incidence, np.ndarray]:
    """Candidates that could pass the test of at least one consequence, in bounded number.

    Those with too few rows cannot, whatever their frequency; those that a sample of all rows shows to
    be common cannot be decisive; and of those that stand in the same rows a few stand for all.

    Args:
        rows: int64 (pairs,), ordinals of rows.
        hashes: uint64 (pairs,), n-grams in them; pairs may repeat.
        consequences: What is tested.
        survey: Of the whole corpus.
        needed: From `rows_needed`.

    Returns:
        Which candidates stand in which rows, and uint64 (candidates,), the n-gram of each.
    """
    incidence, unique = _numbered(rows, hashes, int(needed.min()) if len(needed) else 1)
    tally = Tally(incidence, len(unique))
    best = tally.most(consequences)
    enough = np.zeros(len(unique), dtype=bool)
    for consequence, least in zip(consequences, needed.tolist(), strict=True):
        held, counts = tally.of(consequence.rows)
        enough[held[counts >= least]] = True
    enough &= ~_common(unique, best, survey)
    enough &= _representative(incidence, unique)
    kept = np.flatnonzero(enough)
    if len(kept) > _MOST_CANDIDATES:
        kept = np.sort(kept[np.argsort(-best[kept], kind="stable")[:_MOST_CANDIDATES]])
    return incidence.only(kept, len(unique)), unique[kept]


def _numbered(rows: np.ndarray, hashes: np.ndarray, least: int) -> tuple[Incidence, np.ndarray]:
    """Candidates numbered by hash, without those in too few rows for any test."""
    unique, inverse = kernels.numbered(hashes)
    incidence = Incidence.of(rows, inverse)
    counts = np.bincount(incidence.candidates, minlength=len(unique))
    kept = np.flatnonzero(counts >= least)
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


def _common(hashes: np.ndarray, best: np.ndarray, survey: Survey) -> np.ndarray:
    """bool (candidates,): those too frequent in the sample to decide anything."""
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


def _representative(incidence: Incidence, hashes: np.ndarray) -> np.ndarray:
    """bool (candidates,): the longest of those that stand in exactly the same rows, and single words.

    Boilerplate is some hundred n-grams in the same rows, and each would be counted and tested. A longer
    n-gram is in no more rows of the corpus than what it is made of, so it has the strongest test.
    """
    n, stream = kernels.ngram_kind(hashes)
    # Rows as random numbers of 26 bits: sums over up to 2**27 rows are exact in float64.
    numbers = rng_for(0, "row sets").integers(1, 1 << 26, size=(2, len(incidence.row_ids)))
    sums = [
        np.bincount(
            incidence.candidates, weights=number[incidence.row_index], minlength=len(hashes)
        )
        for number in numbers.astype(np.float64)
    ]
    keys: list[np.ndarray] = [stream, *sums]
    order = np.lexsort((hashes, -n.astype(np.int64), *keys))
    first = np.ones(len(order), dtype=bool)
    for values in keys:
        first[1:] &= values[order][1:] == values[order][:-1]
    first[1:] = ~first[1:]
    rank = np.arange(len(order)) - np.maximum.accumulate(np.where(first, np.arange(len(order)), 0))
    kept = np.zeros(len(hashes), dtype=bool)
    kept[order[rank < _ALIKE_KEPT]] = True
    # Pairs of words are looked for among single words.
    return np.asarray(kept | ((n == 1) & (stream == kernels.WORDS)))
