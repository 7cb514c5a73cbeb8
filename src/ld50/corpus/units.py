"""What is to be read, cut into units of work that any worker can take in any order."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import Any

from ld50.corpus.fields import Layout
from ld50.corpus.sources import SourceFile
from ld50.corpus.unreadfields import Unread, unread_note

#: Bytes of a file per unit of work.
UNIT_BYTES = 32 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """How a `.csv` or `.tsv` file is written."""

    delimiter: str
    quoted: bool
    """Whether quotes enclose fields; if not, a quote is a character like any other."""
    header: bool
    """Whether the first record names the columns."""
    names: tuple[str, ...]
    """Names of the columns; `column_1` and so on where there is no header."""
    spaced: bool = False
    """Whether blanks may stand between a delimiter and the quote after it."""
    announced: bool = False
    """Whether a first line such as `sep=;` names the delimiter, as Excel has it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourcePlan:
    """How one file is read."""

    file: SourceFile
    layout: Layout
    encoding: str = "utf-8"
    newline: str = "\n"
    """What ends a line: a line feed, or a carriage return in files that have those alone."""
    dialect: Dialect | None = None
    shape: str = ""
    """Of `.json`: `lines`, `array`, `object` (an array within an object) or `values`; of text:
    `lines` or `document`; of `.arrow`: `file` or `stream`."""
    rows: int | None = None
    """Rows in the file, where the format says so."""
    table: Any = field(default=None, repr=False, compare=False)
    """Data in memory, as Arrow; only for the format `table`."""
    notes: tuple[str, ...] = ()
    """What a reader of the result must know about how this file was read."""
    unread: Unread = field(default=Unread(), compare=False)
    """Fields with text that are not read, by the first rows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """Consecutive rows of one source. The units of a source follow each other in row order."""

    index: int
    source: int
    """Number of the source in its plan."""
    kind: str
    """What `start` and `stop` count: `bytes`, `row_groups`, `batches`, `rows`, or `file` (all)."""
    start: int
    stop: int
    bytes: int
    """Bytes of the file that fall to this unit, for showing progress."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Everything to read, in order."""

    sources: tuple[SourcePlan, ...]
    units: tuple[Unit, ...]
    fingerprint: str
    """Changes when the data or the way of reading it does."""

    @property
    def notes(self) -> tuple[str, ...]:
        """Notes of all sources, each once, beginning with the name of the first source it is on."""
        named: dict[str, list[str]] = {}
        unread: dict[frozenset[str], list[SourcePlan]] = {}
        for source in self.sources:
            unread.setdefault(frozenset(source.unread.names), []).append(source)
        for some in unread.values():
            if (note := unread_note(source.unread for source in some)) is not None:
                named[note] = [source.file.source for source in some]
        for source in self.sources:
            for note in (*source.notes, *source.layout.notes):
                named.setdefault(note, []).append(source.file.source)
        return tuple(
            f"{names[0]}{_and_more(len(names) - 1)}: {note}" for note, names in named.items()
        )

    def units_of(self, source: int) -> list[Unit]:
        """The units of one source, in row order."""
        return [unit for unit in self.units if unit.source == source]


def _and_more(files: int) -> str:
    return f" and {files:,} more file{'' if files == 1 else 's'}" if files else ""


def first_rows(plan: Plan, row_counts: list[int] | tuple[int, ...]) -> list[int]:
    """Number, within its file, of the first row of each unit.

    Args:
        plan: What was read.
        row_counts: `tally.rows` of each unit.
    """
    numbers: list[int] = []
    source, position = -1, 0
    for unit in plan.units:
        if unit.source != source:
            source, position = unit.source, 0
        numbers.append(position)
        position += row_counts[unit.index]
    return numbers


def byte_ranges(size: int, unit_bytes: int) -> list[tuple[int, int]]:
    """Ranges that cover `size` bytes, as even as can be, none much larger than `unit_bytes`."""
    count = max(1, -(-size // unit_bytes))
    edges = [size * number // count for number in range(count + 1)]
    return list(itertools.pairwise(edges))


def groups_of(weights: list[int], target: int) -> list[tuple[int, int]]:
    """Runs of consecutive items whose weights sum to about `target`, as `(start, stop)`."""
    runs = []
    start = total = 0
    for index, weight in enumerate(weights):
        if index > start and total + weight > target:
            runs.append((start, index))
            start, total = index, 0
        total += weight
    if weights:
        runs.append((start, len(weights)))
    return runs
