from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from ld50.scan import kernels
from ld50.scan.candidates import RowNgrams, _representative

pairs = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 12)), max_size=200)


@settings(max_examples=100, deadline=None)
@given(pairs, st.integers(1, 4), st.lists(st.integers(0, 2), min_size=10, max_size=10))
def test_candidates_are_the_ngrams_of_enough_rows_in_order(
    some: list[tuple[int, int]], least: int, part: list[int]
) -> None:
    rows = np.array([row * 1000 for row, _ in some], dtype=np.int64)
    hashes = np.array([value << 60 | value for _, value in some], dtype=np.uint64)
    found = RowNgrams()
    for number in range(3):
        inside = np.array([part[row] == number for row, _ in some], dtype=bool)
        found.add(rows[inside], hashes[inside])
    incidence, unique, alike = found.of_enough_rows(least)
    assert (np.diff(incidence.row_ids) > 0).all()
    where: dict[int, set[int]] = {}
    for row, value in zip(rows.tolist(), hashes.tolist(), strict=True):
        where.setdefault(value, set()).add(row)
    expected = {value: held for value, held in sorted(where.items()) if len(held) >= least}
    assert unique.tolist() == list(expected)
    listed = incidence.row_ids[incidence.row_index()]
    assert [set(listed[incidence.candidates == at].tolist()) for at in range(len(unique))] == list(
        expected.values()
    )
    assert len(listed) == sum(map(len, expected.values()))
    sets = {frozenset(held) for held in expected.values()}
    assert len(set(alike.tolist())) == len(sets)


def test_of_ngrams_in_the_same_rows_the_longest_three_stand_for_all() -> None:
    def ngram(number: int, kind: int) -> int:
        return number << 3 | kind

    pair, three, five, surface = 1, 2, 4, 6
    same = [ngram(1, 0), ngram(2, pair), ngram(3, three), ngram(4, five), ngram(5, five)]
    other = [ngram(6, pair), ngram(7, surface), ngram(8, surface)]
    hashes = np.array(same + other, dtype=np.uint64)
    alike = np.array([8] * 5 + [16] + [8] * 2, dtype=np.uint64)
    kept = set(hashes[_representative(hashes, alike)].tolist())
    # Single words are kept beside them: pairs of causes are formed of those.
    assert kept == {*same[2:], same[0], *other}
    assert not _representative(np.zeros(0, np.uint64), np.zeros(0, np.uint64)).size
    assert kernels.ngram_kind(hashes)[0].tolist() == [1, 2, 3, 5, 5, 2, 2, 2]
