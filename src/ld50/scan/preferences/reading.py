"""Chosen and rejected replies side by side, a batch at a time: no more than two batches are held."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow as pa

from ld50.core.records import RowBatch
from ld50.corpus import Plan
from ld50.corpus import read as read_unit
from ld50.scan.rereading import cause_column


@dataclass(frozen=True, slots=True, kw_only=True)
class PairBatch:
    """Consecutive rows that have both replies."""

    rows: np.ndarray = field(repr=False)
    """int64 (n,), rising: ordinals of the rows."""
    prompts: pa.Array = field(repr=False)
    """large_string (n,), as the two below."""
    chosen: pa.Array = field(repr=False)
    rejected: pa.Array = field(repr=False)

    def __len__(self) -> int:
        return len(self.rows)

    def only(self, kept: np.ndarray) -> PairBatch:
        """Those for which `kept` (bool (n,)) holds."""
        index = pa.array(np.flatnonzero(kept))
        return PairBatch(
            rows=self.rows[kept],
            prompts=self.prompts.take(index),
            chosen=self.chosen.take(index),
            rejected=self.rejected.take(index),
        )


def read_pairs(plan: Plan, first_row: np.ndarray) -> Iterator[PairBatch]:
    """All pairs of a plan, in order; nothing where no layout has rejected replies.

    The rejected replies are read as the replies of a layout of their own, beside the chosen ones, so that no
    other reader needs to know of them.

    Args:
        plan: What is read.
        first_row: int64 (units + 1,): ordinal of each unit's first row.
    """
    layouts = [source.layout.turned_down for source in plan.sources]
    sources = tuple(
        source if layout is None else replace(source, layout=layout)
        for source, layout in zip(plan.sources, layouts, strict=True)
    )
    turned_down = replace(plan, sources=sources)
    for number, unit in enumerate(plan.units):
        if layouts[unit.source] is not None:
            both = _side_by_side(read_unit(plan, number), read_unit(turned_down, number))
            for batch in both:
                yield replace(batch, rows=batch.rows + first_row[number])


def _side_by_side(chosen: Iterable[RowBatch], rejected: Iterable[RowBatch]) -> Iterator[PairBatch]:
    """The rows that both readings have; their batches may be cut in different places."""
    others = iter(rejected)
    rows, texts = np.zeros(0, dtype=np.int64), pa.array([], pa.large_string())
    for batch in chosen:
        last = int(batch.rows[-1]) if len(batch) else -1
        while len(rows) == 0 or rows[-1] < last:
            more = next(others, None)
            if more is None:
                break
            rows = np.concatenate([rows, more.rows])
            texts = pa.concat_arrays([texts, more.response])
        if batch.response is None:
            continue
        both, here, there = np.intersect1d(
            batch.rows, rows, assume_unique=True, return_indices=True
        )
        if len(both):
            yield PairBatch(
                rows=both,
                prompts=cause_column(batch).take(pa.array(here)),
                chosen=batch.response.take(pa.array(here)),
                rejected=texts.take(pa.array(there)),
            )
        left = np.flatnonzero(rows > last)
        rows, texts = rows[left], texts.take(pa.array(left))
