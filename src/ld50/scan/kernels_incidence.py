"""Which n-grams stand in which rows: numbers them, counts them in sets of rows, takes some out."""

from __future__ import annotations

import os

import numpy as np

from ld50.scan import kernels_choice
from ld50.scan.kernels_buffers import as_array
from ld50.scan.kernels_types import GATHERED, I64, U32, U64, GatheredNgrams


class Gatherer:
    """Numbers the different n-grams of rows as they come. One thread at a time."""

    def __init__(self) -> None:
        """No rows yet."""
        self._run = kernels_choice.run
        # Nobody who writes a text can know it, so nobody can write one whose n-grams are looked for long.
        self._state = self._run.gatherer(int.from_bytes(os.urandom(8), "little"))

    def add(
        self, hashes: U64, begins: I64, ends: I64, rows: U32, row_count: int
    ) -> tuple[U32, I64]:
        """Takes in further rows, all of each.

        Args:
            hashes: N-grams of rows; those of a row may lie in several runs, and repeat.
            begins: Where each run begins in `hashes`.
            ends: Where it ends.
            rows: Of each run the row, counted from the first of these, rising.
            row_count: How many these are.

        Returns:
            The numbers of the n-grams of each row, each once, one row after the other; and
            (row_count + 1,) where those of each row start.
        """
        numbers = np.empty(int((ends - begins).sum()), np.uint32)
        starts = np.zeros(row_count + 1, np.int64)
        self._run.gather(
            self._state,
            np.require(hashes, np.uint64, ["C", "A"]),
            np.require(begins, np.int64, ["C", "A"]),
            np.require(ends, np.int64, ["C", "A"]),
            np.require(rows, np.uint32, ["C", "A"]),
            numbers,
            starts,
        )
        return numbers[: int(starts[-1])], starts

    def ngrams(self) -> GatheredNgrams:
        """The n-grams of all rows so far."""
        entries = as_array(self._run.gathered(self._state), GATHERED)
        return GatheredNgrams(
            hash=entries["hash"], row_set=entries["row_set"], count=entries["count"]
        )


def renumber(numbers: U32, starts: I64, instead: U32) -> tuple[U32, I64]:
    """Numbers of rows, each replaced by another, and where those of each row start then.

    Args:
        numbers: As from `Gatherer`.
        starts: Likewise.
        instead: What stands instead of each number, or `LEFT_OUT`.

    Raises:
        ValueError: for a number that has nothing instead.
    """
    out = np.empty(int(starts[-1] - starts[0]), np.uint32)
    out_starts = np.zeros(starts.size, np.int64)
    kept = kernels_choice.run.renumber(numbers, starts[:-1], starts[1:], instead, out, out_starts)
    return out[:kept], out_starts


def tally_numbers(numbers: U32, begins: I64, ends: I64, counts: U32, met: U32) -> U32:
    """Adds the numbers in some ranges to their counts; those that had none, in the order met.

    Args:
        numbers: As from `Gatherer`.
        begins: Where each range begins in `numbers`.
        ends: Where it ends.
        counts: One for each number; changed in place.
        met: Room for one more than `counts` has; what is given back lies in it.

    Raises:
        ValueError: for a number that has no count.
    """
    if counts.dtype != np.uint32 or met.dtype != np.uint32:
        raise ValueError(f"counts, met: expected uint32, got {counts.dtype}, {met.dtype}")
    return met[: kernels_choice.run.tally(numbers, begins, ends, counts, met)]
