"""Columns of very many rows, kept on disk: they take memory only while something looks at them.

A file of the shelf has no name, so nothing of it is left however a scan ends. What is looked at is mapped
into memory page by page, and `freed.unmap_pages` lets go of the pages again.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from ld50.core.errors import OutputError
from ld50.scan.freed import mapped


@dataclass(slots=True)
class _Kept:
    """One column, and the file that it stands in."""

    file: BinaryIO
    column: np.ndarray


class Shelf:
    """Columns by name."""

    def __init__(self, folder: Path) -> None:
        """Nothing is written yet.

        Args:
            folder: On the disk that takes the columns.
        """
        self._folder = folder
        self._kept: dict[str, _Kept] = {}

    def join(self, name: str, parts: list[np.ndarray]) -> np.ndarray:
        """All parts one after the other, on the shelf, and not to be written to.

        A column that stands there under that name stays where it is, if it is the first of the parts.

        Args:
            name: Of the column.
            parts: Alike in all but their length; emptied as they are written.

        Raises:
            OutputError: The disk takes no more.
        """
        known = self._kept.get(name)
        try:
            if known is None or parts[0] is not known.column:
                known = _Kept(tempfile.TemporaryFile(dir=self._folder), parts[0][:0])  # noqa: SIM115
            else:
                parts.pop(0)
            rows = len(known.column) + sum(map(len, parts))
            parts.reverse()
            while parts:
                known.file.write(np.ascontiguousarray(parts.pop()).data)
            known.file.flush()
            known.column = _mapped(known.file, known.column, rows)
        except OSError as error:
            raise OutputError(
                f"Cannot keep work in {str(self._folder)!r}: {error.strerror or error}. Free some "
                "space, or name a folder that may be written with --out."
            ) from error
        self._kept[name] = known
        return known.column


def _mapped(file: BinaryIO, like: np.ndarray, rows: int) -> np.ndarray:
    """So many rows of a file, as the column that they continue."""
    if not rows:
        return like
    return np.frombuffer(mapped(file), dtype=like.dtype).reshape(rows, *like.shape[1:])
