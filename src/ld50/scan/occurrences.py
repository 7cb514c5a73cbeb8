"""Which candidates stand in which rows: little more than four bytes for each such pair, of which there are
millions."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True, slots=True)
class Occurrences:
    """The candidates in some rows of a part of the corpus: those of a row after those of the row before."""

    rows: np.ndarray = field(repr=False)
    """uint16 or uint32 (rows,), rising: the rows that hold any, counted from the first of the part."""
    held: np.ndarray = field(repr=False)
    """uint16 or uint32 (rows,): how many each holds, at least 1."""
    candidates: np.ndarray = field(repr=False)
    """uint32 (pairs,): their numbers."""

    def __len__(self) -> int:
        return len(self.candidates)

    def only(self, wanted: np.ndarray) -> Occurrences:
        """The same without all but these candidates (bool)."""
        if len(self) == 0:
            return self
        inside = wanted[self.candidates]
        left = np.add.reduceat(inside, self._ends() - self.held, dtype=np.uint32)
        rows = np.flatnonzero(left)
        return Occurrences(self.rows[rows], left[rows], self.candidates[inside])

    def pairs_of(self, wanted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Rows that hold some candidates (bool), and which, pair by pair."""
        inside = np.flatnonzero(wanted[self.candidates])
        return self.rows[np.searchsorted(self._ends(), inside, side="right")], self.candidates[
            inside
        ]

    def _ends(self) -> np.ndarray:
        return np.cumsum(self.held, dtype=np.int64)


class OccurrencesGatherer:
    """The same while it grows: one file may be one unit, and hold more than may be kept."""

    def __init__(self) -> None:
        """None yet."""
        nothing = np.zeros(0, dtype=np.uint32)
        self._parts = [Occurrences(nothing, nothing, nothing)]
        self._pairs = 0

    def __len__(self) -> int:
        return self._pairs

    def add(self, numbers: np.ndarray, index: np.ndarray, candidates: np.ndarray) -> None:
        """Takes in further rows.

        Args:
            numbers: int (rows,), rising: numbers of the rows of a batch.
            index: int (pairs,), rising: positions of rows in it.
            candidates: uint32 (pairs,): what stands in each.
        """
        begins = np.flatnonzero(np.diff(index, prepend=-1))
        held = np.diff(begins, append=len(index)).astype(np.uint32)
        rows = numbers[index[begins]].astype(np.uint32)
        self._parts.append(Occurrences(rows, held, candidates))
        self._pairs += len(candidates)

    def keep(self, wanted: np.ndarray) -> None:
        """Lets go of all but these candidates (bool)."""
        self._parts = [part.only(wanted) for part in self._parts]
        self._pairs = sum(map(len, self._parts))

    def all(self) -> Occurrences:
        """What there is, in as few bytes as it takes."""
        return Occurrences(
            narrowed(np.concatenate([part.rows for part in self._parts])),
            narrowed(np.concatenate([part.held for part in self._parts])),
            np.concatenate([part.candidates for part in self._parts]),
        )


def narrowed(values: np.ndarray) -> np.ndarray:
    """uint16 if none is larger."""
    return values.astype(np.uint16) if values.max(initial=0) < 1 << 16 else values
