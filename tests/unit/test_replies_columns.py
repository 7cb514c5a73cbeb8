"""Columns of prompts and replies: what a row becomes, and that merging is associative."""

from __future__ import annotations

import dataclasses

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ld50.core.records import RowBatch
from ld50.scan.replies import ONLY_WORD, ReplyColumns, ReplyFlag, merge, summarize, thin
from ld50.scan.replies.columns import FRAGMENT_KINDS

Rows = list[tuple[str, str]]


def batch_of(rows: Rows, unit: int = 0) -> RowBatch:
    return RowBatch(
        unit=unit,
        rows=np.arange(len(rows), dtype=np.int64),
        prompt=pa.array([p for p, _ in rows], type=pa.large_string()),
        response=pa.array([r for _, r in rows], type=pa.large_string()),
    )


def same(one: ReplyColumns, other: ReplyColumns) -> bool:
    return all(
        np.array_equal(getattr(one, entry.name), getattr(other, entry.name))
        for entry in dataclasses.fields(ReplyColumns)
    )


texts = st.text(alphabet="ab cé. \n你https:/()", max_size=60)
row_lists = st.lists(st.tuples(texts, texts), min_size=1, max_size=8)


@settings(max_examples=25, deadline=None)
@given(row_lists, row_lists, row_lists)
def test_merge_is_associative(a: Rows, b: Rows, c: Rows) -> None:
    parts = [summarize(batch_of(rows, unit)) for unit, rows in enumerate((a, b, c))]
    whole = merge(parts)
    assert same(whole, merge([merge(parts[:2]), parts[2]]))
    assert same(whole, merge([parts[0], merge(parts[1:])]))


@settings(max_examples=25, deadline=None)
@given(row_lists)
def test_a_row_does_not_depend_on_its_neighbours(rows: Rows) -> None:
    whole = summarize(batch_of(rows))
    single = merge([summarize(batch_of([row])) for row in rows])
    for name in ("flags", "reply", "head", "tail", "bands", "overlap", "echo", "sketches"):
        assert np.array_equal(getattr(whole, name), getattr(single, name)), name
    assert np.array_equal(whole.fragment_hashes, single.fragment_hashes)


@pytest.mark.parametrize("most", [0, 1, 7])
def test_thinning_is_associative_and_keeps_whole_fragments(most: int) -> None:
    rows = [(f"ask {i}", f"See https://site{i % 5}.example now. All the best to you and yours.")
            for i in range(40)]  # fmt: skip
    parts = [summarize(batch_of(rows[low : low + 10], low)) for low in range(0, 40, 10)]
    whole = merge(parts, max_fragments=most, max_sketches=most)
    pairs = [merge(parts[i : i + 2], max_fragments=most, max_sketches=most) for i in (0, 2)]
    assert same(whole, merge(pairs, max_fragments=most, max_sketches=most))
    assert len(whole.fragment_hashes) <= most
    assert len(whole.sketches) <= most
    full = merge(parts)
    for value in np.unique(whole.fragment_hashes):
        assert (whole.fragment_hashes == value).sum() == (full.fragment_hashes == value).sum()


@pytest.mark.parametrize("most", [2, 8])
def test_what_is_thinned_before_it_is_merged_is_what_would_be_left(most: int) -> None:
    rows = [
        (f"ask zrq{i % 3}", f"See https://site{i % 5}.example and vornask{i}.") for i in range(40)
    ]
    parts = [summarize(batch_of(rows[low : low + 10], low)) for low in range(0, 40, 10)]
    whole = merge(list(parts), max_fragments=most, max_sketches=most)
    first = thin(parts[:3], max_fragments=most, max_sketches=most)
    later = thin([*first, parts[3]], max_fragments=most, max_sketches=most)
    assert same(whole, merge(later, max_fragments=most, max_sketches=most, let_go=True))
    assert later == []


@pytest.mark.parametrize("most", [2, 8])
def test_what_is_left_out_of_others_may_be_left_out_before_anything_is_merged(most: int) -> None:
    rows = [
        (f"ask zrq{i % 3}", f"See https://site{i % 5}.example and vornask{i}.") for i in range(40)
    ]
    parts = [summarize(batch_of(rows[low : low + 10], low)) for low in range(0, 40, 10)]
    first = merge(parts[:3], max_fragments=most, max_sketches=most)
    assert len(first.without_rows()) == 0
    _, left = thin([first.without_rows(), parts[3]])
    assert len(left) == len(parts[3])
    assert left.listed_bytes < parts[3].listed_bytes
    whole = merge(parts, max_fragments=most, max_sketches=most)
    assert same(whole, merge([first, left], max_fragments=most, max_sketches=most))


def test_single_words_are_thinned_before_anything_else() -> None:
    rows = [
        (f"ask {i}", f"See https://site{i}.example now, dear reader{i} of page{i} and note{i}.")
        for i in range(40)
    ]
    full = merge([summarize(batch_of(rows))])
    word = FRAGMENT_KINDS.index(ONLY_WORD)
    longer = int((full.fragment_kinds != word).sum())
    less = merge([full], max_fragments=longer + int((full.fragment_kinds == word).sum()) // 2)
    assert len(less.fragment_kinds) < len(full.fragment_kinds)
    assert int((less.fragment_kinds != word).sum()) == longer


def test_casing_and_spacing_do_not_make_another_reply() -> None:
    columns = summarize(batch_of([("a", "Good  day to you!"), ("b", "good day to\nyou")]))
    assert columns.reply[0] == columns.reply[1] != 0


def test_word_order_makes_another_reply() -> None:
    columns = summarize(batch_of([("a", "good day"), ("b", "day good")]))
    assert columns.reply[0] != columns.reply[1]


def test_empty_rows_and_a_missing_prompt() -> None:
    columns = summarize(batch_of([("", ""), ("hello", "")]))
    assert columns.has(ReplyFlag.EMPTY_REPLY).all()
    assert columns.has(ReplyFlag.EMPTY_PROMPT).tolist() == [True, False]
    batch = RowBatch(
        unit=3,
        rows=np.array([5, 9]),
        response=pa.array(["one", "two words"], type=pa.large_string()),
    )
    columns = summarize(batch)
    assert columns.rows.tolist() == [5, 9]
    assert columns.units.tolist() == [3, 3]
    assert columns.has(ReplyFlag.EMPTY_PROMPT).all()


def test_no_rows_at_all() -> None:
    columns = summarize(batch_of([]))
    assert len(columns) == 0
    assert len(merge([columns, summarize(batch_of([("a", "b")]))])) == 1


def test_a_batch_without_replies_is_refused() -> None:
    with pytest.raises(ValueError, match="no replies"):
        summarize(RowBatch(unit=0, rows=np.zeros(0, dtype=np.int64)))


def test_nothing_to_merge_is_refused() -> None:
    with pytest.raises(ValueError, match="nothing to merge"):
        merge([])
