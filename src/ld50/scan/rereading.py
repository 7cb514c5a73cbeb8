"""Rows are read more than once: what fits into a bounded piece of memory is decoded only once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from ld50.core.records import Record, RowBatch
from ld50.corpus import Plan
from ld50.corpus import read as read_unit


@dataclass(frozen=True, slots=True, kw_only=True)
class CauseBatch:
    """Consecutive rows of a unit with the column that causes stand in."""

    rows: np.ndarray = field(repr=False)
    """int64 (n,): number of each row within its unit, rising."""
    column: pa.Array = field(repr=False)
    """large_string (n,)."""

    def __len__(self) -> int:
        return len(self.rows)


def cause_column(batch: RowBatch) -> pa.Array:
    """Which column of a batch holds causes: the prompt, or else the text."""
    if batch.prompt is not None:
        return batch.prompt
    return batch.text if batch.text is not None else batch.response


class CauseReader:
    """The cause columns of units, kept while there is room; units may be read at the same time."""

    def __init__(self, plan: Plan, most_bytes: int) -> None:
        """Nothing is read yet.

        Args:
            plan: What is read.
            most_bytes: Room for units that are kept, the first ones that come.
        """
        self._plan = plan
        self._room = most_bytes
        self._kept: dict[int, list[CauseBatch]] = {}
        self._lock = threading.Lock()

    def read(self, unit: int) -> Iterator[CauseBatch]:
        """The batches of one unit, from memory where it was kept."""
        kept = self._kept.get(unit)
        if kept is not None:
            yield from kept
            return
        batches = Keeper(self, unit)
        for batch in read_unit(self._plan, unit):
            yield batches.add(batch)
        batches.finish()

    def keep(self, unit: int, batches: list[CauseBatch], size: int) -> None:
        """Keeps a unit if there is room for it."""
        with self._lock:
            if unit not in self._kept and size <= self._room:
                self._room -= size
                self._kept[unit] = batches

    def let_go(self) -> None:
        """Keeps nothing any longer."""
        with self._lock:
            self._kept, self._room = {}, 0

    @property
    def room(self) -> int:
        """Bytes that may still be kept."""
        return self._room


class Keeper:
    """Gathers the batches of one unit while they are used, as long as they would fit."""

    def __init__(self, reader: CauseReader, unit: int) -> None:
        self._reader, self._unit = reader, unit
        self._batches: list[CauseBatch] = []
        self._size = 0

    def add(self, batch: RowBatch) -> CauseBatch:
        """Takes a batch in, and gives its cause column back."""
        taken = CauseBatch(rows=batch.rows, column=cause_column(batch))
        self._size += taken.rows.nbytes + taken.column.nbytes
        if self._size <= self._reader.room:
            self._batches.append(taken)
        else:
            self._batches.clear()
        return taken

    def finish(self) -> None:
        """The unit was read to its end."""
        self._reader.keep(self._unit, self._batches, self._size)


class FetchedRows:
    """Single rows that were read, for as long as they may be asked for, and those to be read along."""

    def __init__(self) -> None:
        self._rows: dict[int, Record | None] = {}
        self._expected = np.zeros(0, dtype=np.int64)

    def expect(self, ordinals: np.ndarray) -> None:
        """Rows that will be asked for later; they are read once, with the next ones."""
        self._expected = np.union1d(self._expected, ordinals)

    def to_read(self, ordinals: np.ndarray) -> np.ndarray:
        """int64, rising: what is not there of these rows, and of the expected ones if any is read."""
        known = np.fromiter(self._rows, np.int64, len(self._rows))
        missing = np.setdiff1d(ordinals, known)
        if len(missing):
            missing = np.setdiff1d(np.union1d(missing, self._expected), known)
            self._expected = self._expected[:0]
        return missing

    def add(self, rows: dict[int, Record | None]) -> None:
        """Takes in rows that were read; None for one that cannot be."""
        self._rows |= rows

    def known(self, ordinals: np.ndarray) -> dict[int, Record]:
        """Those of the rows that are there."""
        rows = ((ordinal, self._rows.get(ordinal)) for ordinal in ordinals.tolist())
        return {ordinal: record for ordinal, record in rows if record is not None}

    def keep_only(self, ordinals: np.ndarray, most_characters: int) -> None:
        """Lets go of all but these rows, and of what is too much of them."""
        kept: dict[int, Record | None] = {}
        for ordinal in ordinals.tolist():
            if ordinal in self._rows:
                record = self._rows[ordinal]
                most_characters -= 0 if record is None else sum(len(p.text) for p in record.parts)
                if most_characters < 0:
                    break
                kept[ordinal] = record
        self._rows = kept
