"""N-grams in rows: the C kernels and their plain-Python twins give the same for any input."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ld50.scan import kernels_choice, kernels_incidence, kernels_py
from ld50.scan.kernels_types import LEFT_OUT, GatheredNgrams

c_kernels = pytest.importorskip("ld50.scan._kernels", reason="the C kernels are not built")
quick = settings(max_examples=150, deadline=None)


def each_way(function: Callable[..., Any], *args: Any) -> list[Any]:
    """The result of the twin and of C."""
    results = []
    chosen = kernels_choice.run
    try:
        for kernels_choice.run in (kernels_py, c_kernels):
            results.append(function(*args))
    finally:
        kernels_choice.run = chosen
    return results


#: Many values with the same top bits: what somebody may do who knows that they are looked at.
values = st.one_of(
    st.integers(0, (1 << 64) - 1), st.integers(0, 40), st.integers((1 << 64) - 40, (1 << 64) - 1)
)


#: The n-grams of rows, in runs of one row or the same row again.
runs = st.lists(st.tuples(st.integers(0, 5), st.lists(values, max_size=80)), max_size=12)


@quick
@given(runs, runs)
def test_ngrams_are_gathered_by_row_each_once(
    some: list[tuple[int, list[int]]], more: list[tuple[int, list[int]]]
) -> None:
    parts = [sorted(part, key=lambda run: run[0]) for part in (some, more)]
    held: list[dict[int, None]] = [{} for _ in range(14)]

    def gathered() -> tuple[GatheredNgrams, list[Any]]:
        gatherer = kernels_incidence.Gatherer()
        listed = []
        for part in parts:
            ends = np.cumsum([len(hashes) for _, hashes in part], dtype=np.int64)
            begins = ends - np.array([len(hashes) for _, hashes in part], np.int64)
            hashes = np.array([value for _, run in part for value in run], np.uint64)
            rows = np.array([row for row, _ in part], np.uint32)
            listed.append(gatherer.add(hashes, begins, ends, rows, 7))
        return gatherer.ngrams(), listed

    for number, part in enumerate(parts):
        for row, hashes in part:
            held[7 * number + row] |= dict.fromkeys(hashes)
    results = each_way(gathered)
    for found, listed in results:
        assert [
            found.hash[numbers[low:high]].tolist()
            for numbers, starts in listed
            for low, high in pairwise(starts)
        ] == [list(row) for row in held]
        assert found.count.tolist() == [
            sum(value in row for row in held) for value in found.hash.tolist()
        ]
        same_rows = {
            (mark, tuple(value in row for row in held))
            for value, mark in zip(found.hash.tolist(), found.row_set.tolist(), strict=True)
        }
        assert len(same_rows) == len({mark for mark, _ in same_rows})
        assert len(same_rows) == len({rows for _, rows in same_rows})
        assert found.row_set.tolist() == results[0][0].row_set.tolist()


numbered_rows = st.lists(st.lists(st.integers(0, 20), max_size=30), max_size=8)


@quick
@given(numbered_rows, st.lists(st.integers(0, 3), min_size=21, max_size=21))
def test_numbers_are_replaced_or_left_out(rows: list[list[int]], other: list[int]) -> None:
    instead = np.array([value or LEFT_OUT for value in other], np.uint32)
    starts = np.cumsum([0, *map(len, rows)], dtype=np.int64)
    numbers = np.array([number for row in rows for number in row], np.uint32)
    for out, out_starts in each_way(kernels_incidence.renumber, numbers, starts, instead):
        assert [out[low:high].tolist() for low, high in pairwise(out_starts)] == [
            [other[number] for number in row if other[number]] for row in rows
        ]


@quick
@given(numbered_rows)
def test_numbers_are_tallied(rows: list[list[int]]) -> None:
    ends = np.cumsum([len(row) for row in rows], dtype=np.int64)
    begins = ends - np.array([len(row) for row in rows], np.int64)
    numbers = np.array([number for row in rows for number in row], np.uint32)

    def tallied() -> tuple[list[int], list[int]]:
        counts = np.zeros(21, np.uint32)
        met = kernels_incidence.tally_numbers(
            numbers, begins, ends, counts, np.empty(22, np.uint32)
        )
        return met.tolist(), counts.tolist()

    expected = list(dict.fromkeys(numbers.tolist())), np.bincount(numbers, minlength=21).tolist()
    assert each_way(tallied) == [expected] * 2


def test_what_would_lead_out_of_an_array_is_refused() -> None:
    def column(*values: int) -> Any:
        return np.array(values, np.int64)

    numbers, room = np.array([0, 5], np.uint32), np.zeros(3, np.uint32)
    for begins, ends in ((column(0), column(3)), (column(-1), column(1)), (column(1), column(0))):
        with pytest.raises(ValueError, match="within"):
            c_kernels.tally(numbers, begins, ends, np.zeros(6, np.uint32), np.empty(7, "u4"))
        with pytest.raises(ValueError, match="within"):
            c_kernels.slices(np.zeros(2, np.uint8), begins, ends, np.zeros(3, np.uint8))
    for run in (kernels_py, c_kernels):
        with pytest.raises(ValueError, match="no candidate"):
            run.tally(numbers, column(0), column(2), room, np.empty(4, np.uint32))
        with pytest.raises(ValueError, match="no candidate"):
            run.renumber(numbers, column(0), column(2), room, np.empty(2, "u4"), column(0, 0))
    with pytest.raises(ValueError, match="room"):
        c_kernels.renumber(numbers, column(0), column(2), room, np.empty(1, "u4"), column(0, 0))
    into, hashes, starts = c_kernels.gatherer(1), numbers.astype(np.uint64), column(0, 0)
    rows = np.array([1, 0], np.uint32)
    with pytest.raises(ValueError, match="rising"):
        c_kernels.gather(into, hashes, column(0, 1), column(1, 2), rows, room, column(0, 0, 0))
    with pytest.raises(ValueError, match="within"):
        c_kernels.gather(into, hashes, column(0), column(3), rows[1:], room, starts)
    with pytest.raises(ValueError, match="room"):
        c_kernels.gather(into, hashes, column(0), column(2), rows[1:], room[:1], starts)
    with pytest.raises(ValueError, match="PyCapsule"):
        c_kernels.gathered(3)
