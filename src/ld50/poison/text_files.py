"""Rows of text files as stretches of their bytes, so that what is not touched is copied as it is.

A file is seen as `lead row gap row gap ... row tail`. An edit exchanges one row; a new row comes
with a gap like the others. Everything between stays, byte for byte.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path as Path_
from typing import Any

import numpy as np

from ld50.core.errors import DataFormatError
from ld50.corpus.lines import blank_lines, line_blocks, line_bounds
from ld50.corpus.sources import SourceFile
from ld50.corpus.streams import BrokenStreamError, chunks
from ld50.corpus.units import SourcePlan
from ld50.poison.compressed import TextWriter
from ld50.poison.row_text import Path


@dataclass(frozen=True, slots=True)
class TextBlock:
    """Some consecutive bytes of a file, and where its rows lie in them."""

    data: bytes
    starts: np.ndarray
    """int64 (rows,): first byte of each row."""
    ends: np.ndarray
    """int64 (rows,): one past the last byte of each row, without what parts it from the next."""

    def __len__(self) -> int:
        return len(self.starts)

    def raw(self, index: int) -> bytes:
        """The bytes of one row."""
        return self.data[self.starts[index] : self.ends[index]]

    def rows_with(self, needles: tuple[bytes, ...]) -> list[int]:
        """Rows in which one of the byte strings occurs, rising."""
        rows: set[int] = set()
        for needle in needles:
            at = self.data.find(needle)
            while at >= 0:
                row = int(np.searchsorted(self.starts, at, side="right")) - 1
                if row >= 0:
                    rows.add(row)
                    at = self.data.find(needle, max(at + 1, int(self.ends[row])))
                else:
                    at = self.data.find(needle, at + 1)
        return sorted(rows)


def composed(
    block: TextBlock,
    edits: Mapping[int, bytes],
    inserts: Mapping[int, list[bytes]],
    gap: bytes,
) -> bytes:
    """The block with rows exchanged and rows put in.

    Args:
        block: As it was read.
        edits: Row of the block to its new bytes.
        inserts: Row of the block to the rows that come before it; its length stands for the end.
        gap: What parts a row from the next.
    """
    pieces: list[bytes] = []
    done = 0
    for index in sorted({*edits, *inserts}):
        last = index == len(block)
        at = int(block.ends[-1]) if last else int(block.starts[index])
        pieces.append(block.data[done:at])
        done = at
        for new in inserts.get(index, []):
            pieces += [gap, new] if last else [new, gap]
        if index in edits:
            pieces.append(edits[index])
            done = int(block.ends[index])
    pieces.append(block.data[done:])
    return b"".join(pieces)


class TextRows(ABC):
    """A file of one text format: how it is cut into rows, and how a row is read and changed."""

    def __init__(self, plan: SourcePlan) -> None:
        if plan.encoding not in ("utf-8", "latin-1"):
            raise DataFormatError(
                f"{plan.file.source}: poison can be planted in UTF-8 and Latin-1 files; this is "
                f"{plan.encoding}. Convert it first, for example with "
                f"`iconv -f {plan.encoding} -t utf-8`."
            )
        if plan.newline != "\n" or (
            plan.dialect and (plan.dialect.spaced or plan.dialect.announced)
        ):
            raise DataFormatError(
                f"{plan.file.source}: poison can be planted in files whose lines end with line feeds, "
                "and in tables without a line such as sep=; or blanks before quotes. Convert it first."
            )
        self.plan = plan
        self.layout = plan.layout
        self.encoding = plan.encoding
        self.gap = b"\n"

    @abstractmethod
    def blocks(self) -> Iterator[TextBlock]:
        """The whole file in order; `gap` is known once the first block is."""

    @abstractmethod
    def row_values(self, raw: bytes) -> Mapping[str, Any] | None:
        """The fields of a row; None if it cannot be read."""

    @abstractmethod
    def edited(self, raw: bytes, changes: Mapping[Path, Any]) -> bytes:
        """The row with other values at some paths."""

    @abstractmethod
    def needles(self, text: str) -> tuple[bytes, ...]:
        """Byte strings by one of which a row that holds the text can be known."""

    def clean(self, text: str) -> str:
        """The text, as long as it was, without characters that the file cannot hold."""
        if self.encoding == "utf-8":
            return text
        return text.encode(self.encoding, "replace").decode(self.encoding)

    def raw(self, block: TextBlock, index: int) -> bytes:
        """One row of a block, as `edited` takes it."""
        return block.raw(index)

    def raw_values(self, raw: bytes) -> Mapping[str, Any] | None:
        """The fields of a row."""
        return self.row_values(raw)

    def values(self, block: TextBlock, rows: Sequence[int]) -> list[Mapping[str, Any] | None]:
        """The fields of some rows of a block."""
        return [self.row_values(block.raw(row)) for row in rows]

    def rows_with(self, block: TextBlock, text: str) -> list[int]:
        """Rows of a block that may hold a text; no row that holds it is missing."""
        return block.rows_with(self.needles(text))

    def composed(
        self, block: TextBlock, edits: Mapping[int, bytes], inserts: Mapping[int, list[bytes]]
    ) -> bytes:
        """The bytes of a block with rows exchanged and rows put in, see `composed`."""
        return composed(block, edits, inserts, self.gap)

    def writer(self, path: Path_, marker: str) -> TextWriter:
        """A writer of files like this one."""
        return TextWriter(path, self.plan.file.compression)


def broken(file: SourceFile, error: BrokenStreamError) -> DataFormatError:
    """The error for a compressed stream that ends early: poison needs the whole file."""
    return DataFormatError(f"{file.source}: the compressed stream is broken ({error}).")


def file_blocks(file: SourceFile) -> Iterator[bytes]:
    """Bytes of the file in blocks that end with a line, in order.

    Raises:
        DataFormatError: A line is too long, or the compressed stream is broken.
    """
    try:
        for block in line_blocks(chunks(file)):
            if block.oversize:
                raise DataFormatError(
                    f"{file.source}: a line is longer than 64 MiB; poison cannot be planted here."
                )
            yield block.data
    except BrokenStreamError as error:
        raise broken(file, error) from None


def whole_file(file: SourceFile) -> bytes:
    """All bytes of the file, decompressed."""
    try:
        return b"".join(chunks(file))
    except BrokenStreamError as error:
        raise broken(file, error) from None


def line_rows(data: bytes, *, keep_blank: bool) -> TextBlock:
    """The lines of a block as rows, without their line ends."""
    starts, ends = line_bounds(data)
    if not keep_blank:
        full = ~blank_lines(data, starts, ends)
        starts, ends = starts[full], ends[full]
    bytes_at = np.frombuffer(data, np.uint8)
    ends = ends.copy()
    for char in (10, 13):
        trim = (ends > starts) & (bytes_at[np.maximum(ends - 1, 0)] == char)
        ends[trim] -= 1
    return TextBlock(data, starts, ends)


def encoded(text: str, encoding: str) -> bytes:
    """The text in the file's encoding.

    Raises:
        DataFormatError: The encoding cannot hold it.
    """
    try:
        return text.encode(encoding)
    except UnicodeEncodeError as error:
        raise DataFormatError(
            f"The file is {encoding} and cannot hold {error.object[error.start]!r}. Convert it to "
            "UTF-8 first, or choose another trigger and payload."
        ) from None
