from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ld50.scan.occurrences import Occurrences, OccurrencesGatherer

BATCHES = st.lists(
    st.lists(st.lists(st.integers(0, 9), max_size=4, unique=True), max_size=6), max_size=4
)
Pair = tuple[int, int]


def gathered(batches: list[list[list[int]]]) -> tuple[OccurrencesGatherer, list[Pair]]:
    """Batches of rows of candidates; every second row of a unit was skipped."""
    gatherer, pairs, first = OccurrencesGatherer(), [], 0
    for batch in batches:
        numbers = first + 2 * np.arange(len(batch))
        index = [row for row, held in enumerate(batch) for _ in held]
        candidates = [candidate for held in batch for candidate in held]
        gatherer.add(numbers, np.array(index, np.int64), np.array(candidates, np.uint32))
        pairs += [(int(numbers[row]), c) for row, c in zip(index, candidates, strict=True)]
        first += 2 * len(batch)
    return gatherer, pairs


def pairs_in(found: Occurrences, wanted: np.ndarray) -> list[Pair]:
    rows, candidates = found.pairs_of(wanted)
    return list(zip(rows.tolist(), candidates.tolist(), strict=True))


@given(BATCHES, st.sets(st.integers(0, 9)), st.sets(st.integers(0, 9)))
def test_pairs_are_those_that_were_taken_in(
    batches: list[list[list[int]]], kept: set[int], asked: set[int]
) -> None:
    gatherer, pairs = gathered(batches)
    wanted = np.isin(np.arange(10), list(kept))
    looked_for = np.isin(np.arange(10), list(asked))
    found = gatherer.all()
    assert len(found) == len(gatherer) == len(pairs)
    assert pairs_in(found, looked_for) == [pair for pair in pairs if pair[1] in asked]
    left = [pair for pair in pairs if pair[1] in kept]
    gatherer.keep(wanted)
    for fewer in (found.only(wanted), gatherer.all()):
        assert len(fewer) == len(left)
        assert pairs_in(fewer, looked_for) == [pair for pair in left if pair[1] in asked]
        assert (fewer.held > 0).all()
    assert len(gatherer) == len(left)


@pytest.mark.parametrize(("number", "wide"), [(1 << 16, np.uint32), ((1 << 16) - 1, np.uint16)])
def test_numbers_take_no_more_bytes_than_they_need(number: int, wide: type) -> None:
    gatherer = OccurrencesGatherer()
    gatherer.add(np.array([7, number]), np.array([0, 1, 1]), np.array([5, 2, 3], np.uint32))
    found = gatherer.all()
    assert found.rows.dtype == wide
    assert found.held.dtype == np.uint16
    assert found.rows.tolist() == [7, number]
    assert found.held.tolist() == [1, 2]
