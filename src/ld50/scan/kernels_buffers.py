"""Arrow's buffers as the kernels read them, and what they give back as arrays; nothing is copied."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias, Union

import numpy as np
from numpy.typing import NDArray

from ld50.scan.kernels_types import I64, U8

if TYPE_CHECKING:
    import pyarrow as pa

TextColumn: TypeAlias = Union["pa.Array[Any]", tuple[I64, U8]]
"""A column of texts: an Arrow array of strings, or its offsets (rows + 1) and its bytes."""

_LARGE = ("large_string", "large_binary")


def text_buffers(column: TextColumn) -> tuple[I64, U8]:
    """The offsets (int64, rows + 1) and the bytes of a text column, without copying them.

    Arrow `large_string` and `large_binary` are taken as they are; `string` and `binary` have their
    offsets widened. Nulls become empty rows, which copies.

    Raises:
        TypeError: for anything else, such as a chunked array.
    """
    if isinstance(column, tuple):
        offsets, data = column
        if np.asarray(offsets).size == 0:
            raise ValueError("offsets: expected rows + 1 values, got none")
        return (
            np.require(offsets, np.int64, ["C", "A"]),
            np.require(data, np.uint8, ["C", "A"]),
        )
    kind = str(getattr(column, "type", ""))
    if not hasattr(column, "buffers") or kind not in ("string", "binary", *_LARGE):
        raise TypeError(f"text column: expected an Arrow array of strings, got {type(column)}")
    if column.null_count:
        column = column.fill_null("" if kind.endswith("string") else b"")
    if kind not in _LARGE:
        column = column.cast(f"large_{kind}")
    if len(column) == 0:
        return np.zeros(1, np.int64), np.zeros(0, np.uint8)
    _, offset_buffer, data_buffer = column.buffers()
    offsets = np.frombuffer(offset_buffer, np.int64, len(column) + 1, column.offset * 8)
    data = np.zeros(0, np.uint8) if data_buffer is None else np.frombuffer(data_buffer, np.uint8)
    return np.require(offsets, requirements=["C", "A"]), data


def checked_buffers(column: TextColumn) -> tuple[I64, U8]:
    """The same, made sure that no offset leads out of the bytes: the kernels trust them.

    Raises:
        TypeError: for anything else than `text_buffers` takes.
        ValueError: Offsets that fall or leave the bytes, or a row of 4 GiB and more.
    """
    offsets, data = text_buffers(column)
    sizes = np.diff(offsets)
    if offsets[0] < 0 or offsets[-1] > data.size or (sizes < 0).any():
        raise ValueError(
            f"offsets: expected a rising sequence within 0..{data.size}, "
            f"got {int(offsets.min())}..{int(offsets.max())}"
        )
    if (sizes >= 1 << 32).any():
        raise ValueError(f"row {int(sizes.argmax())}: {int(sizes.max())} bytes; at most 4 GiB - 1")
    return offsets, data


def as_array(buffer: Any, dtype: Any) -> NDArray[Any]:
    """What a kernel gave back, as an array that shares its memory."""
    return np.frombuffer(buffer, dtype) if len(buffer) else np.zeros(0, dtype)
