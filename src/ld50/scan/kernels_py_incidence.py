"""Which n-grams stand in which rows, in plain Python: the twin of c/incidence.c."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ld50.scan.kernels_py_tokens import M1, MASK, mix
from ld50.scan.kernels_types import GATHERED, I64, LEFT_OUT, U32, U64


@dataclass(slots=True)
class Gathered:
    """The n-grams so far; entries are hash, row_set, count and last as in `GATHERED`."""

    rows: int = 0
    places: dict[int, int] = field(default_factory=dict)
    entries: list[list[int]] = field(default_factory=list)


def gatherer(_key: int) -> Gathered:
    """What n-grams are gathered in."""
    return Gathered()


def gather(
    into: Gathered, hashes: U64, begins: I64, ends: I64, rows: U32, numbers: U32, starts: I64
) -> None:
    """Fills in the numbers of each row's n-grams, each once, and where those of each row start."""
    listed: list[list[int]] = [[] for _ in range(starts.size - 1)]
    for row, begin, end in zip(rows.tolist(), begins.tolist(), ends.tolist(), strict=True):
        last = into.rows + row + 1
        for value in hashes[begin:end].tolist():
            number = into.places.setdefault(value, len(into.entries))
            if number == len(into.entries):
                into.entries.append([value, 0, 0, 0])
            entry = into.entries[number]
            if entry[3] == last:
                continue
            entry[1:] = (entry[1] + mix(last * M1 & MASK)) & MASK, entry[2] + 1, last
            listed[row].append(number)
    into.rows += len(listed)
    starts[:] = np.cumsum([0, *map(len, listed)])
    numbers[: starts[-1]] = [number for row in listed for number in row]


def gathered(into: Gathered) -> bytes:
    """The n-grams, in the order of their numbers."""
    return np.array([tuple(entry) for entry in into.entries], GATHERED).tobytes()


def _inside(numbers: U32, begins: I64, ends: I64, count: int) -> list[U32]:
    parts = [numbers[low:high] for low, high in zip(begins.tolist(), ends.tolist(), strict=True)]
    if any((part >= count).any() for part in parts):
        raise ValueError("numbers: one that is no candidate's")
    return parts


def renumber(numbers: U32, begins: I64, ends: I64, instead: U32, out: U32, out_starts: I64) -> int:
    """Fills in what stands instead of the numbers of each row and where it starts; how many."""
    rows = [instead[part] for part in _inside(numbers, begins, ends, instead.size)]
    rows = [row[row != LEFT_OUT] for row in rows]
    out_starts[:] = np.cumsum([0, *map(len, rows)])
    out[: out_starts[-1]] = [number for row in rows for number in row.tolist()]
    return int(out_starts[-1])


def tally(numbers: U32, begins: I64, ends: I64, counts: U32, met: U32) -> int:
    """Counts the numbers in place, and fills in those that had no count; how many."""
    found = 0
    for part in _inside(numbers, begins, ends, counts.size):
        for number in part.tolist():
            if counts[number] == 0:
                met[found] = number
                found += 1
            counts[number] += 1
    return found
