"""What is asked of all rows of a chat set takes little more room than the columns that it is asked of."""

from __future__ import annotations

import dataclasses
import tracemalloc
from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pytest

from ld50.core.records import RowBatch
from ld50.scan.replies import ReplyColumns, as_labels, contexts, summarize

ROWS = 300_000


@pytest.fixture(scope="module")
def columns() -> ReplyColumns:
    """Many rows of long replies, with nothing in common."""
    texts = pa.array(["one row"], pa.large_string())
    one = summarize(RowBatch(unit=0, rows=np.arange(1), prompt=texts, response=texts))
    rng = np.random.default_rng(7)
    every = {
        entry.name: np.repeat(column, ROWS, axis=0)
        for entry in dataclasses.fields(one)
        if isinstance(column := getattr(one, entry.name), np.ndarray) and len(column) == 1
    }
    every["reply"] = rng.integers(1, 1 << 63, ROWS, dtype=np.uint64)
    every["bands"] = rng.integers(0, 1 << 32, (ROWS, 4), dtype=np.uint32)
    every["reply_words"] = rng.integers(20, 60, ROWS).astype(np.uint16)
    return dataclasses.replace(one, **every)


def bytes_a_row(asked: Callable[[], object]) -> float:
    tracemalloc.start()
    asked()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak / ROWS


def test_replies_too_long_for_labels_are_not_put_in_order(columns: ReplyColumns) -> None:
    assert bytes_a_row(lambda: as_labels(columns)) < 36


def test_rows_that_share_nothing_are_let_go_of_while_contexts_are_looked_for(
    columns: ReplyColumns,
) -> None:
    assert bytes_a_row(lambda: contexts(columns, np.arange(ROWS))) < 80
