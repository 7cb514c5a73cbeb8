"""Arrow arrays from and to Python strings and numpy, without waking pandas.

`pyarrow.array` on a list and numpy's view of an Arrow array both import pandas where that is
installed, which takes longer than reading a small file does. On long strings, encoding one by one
is the faster way as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np
import pyarrow as pa

_Rows = TypeVar("_Rows", pa.Table, pa.RecordBatch)
_WITHOUT_VIEWS = {pa.string_view(): pa.large_string(), pa.binary_view(): pa.large_binary()}
#: Above this mean length, encoding string by string beats encoding them joined.
_LONG_CHARACTERS = 64


def large_strings(texts: Sequence[str | None]) -> pa.Array:
    """The strings as `large_string`, None as null; they must hold no lone surrogates."""
    if None not in texts:
        return _filled(texts, None)  # type: ignore[arg-type]
    valid = np.fromiter((text is not None for text in texts), bool, len(texts))
    return _filled(["" if text is None else text for text in texts], valid)


def small_strings(texts: Sequence[str | None]) -> pa.Array:
    """The same as `string`, for columns of short texts."""
    return large_strings(texts).cast(pa.string())


def _filled(texts: Sequence[str], valid: np.ndarray | None) -> pa.Array:
    count = len(texts)
    lengths = np.fromiter(map(len, texts), np.int64, count)
    joined = "".join(texts) if lengths.sum() < _LONG_CHARACTERS * count else ""
    if joined.isascii() and joined:
        data = joined.encode()
    else:
        encoded = [text.encode() for text in texts]
        lengths = np.fromiter(map(len, encoded), np.int64, count)
        data = b"".join(encoded)
    offsets = np.zeros(count + 1, np.int64)
    np.cumsum(lengths, out=offsets[1:])
    bitmap = None
    if valid is not None:
        bitmap = pa.py_buffer(np.packbits(valid, bitorder="little"))
    buffers = [bitmap, pa.py_buffer(offsets), pa.py_buffer(data)]
    return pa.Array.from_buffers(pa.large_string(), count, buffers)


def mask_array(mask: np.ndarray) -> pa.Array:
    """A bool (n,) mask as an Arrow array."""
    bits = pa.py_buffer(np.packbits(mask, bitorder="little"))
    return pa.Array.from_buffers(pa.bool_(), len(mask), [None, bits])


def chosen_rows(data: _Rows, mask: np.ndarray) -> _Rows:
    """The rows of a table or batch where a bool (rows,) mask is set, with the schema that it has.

    Raises:
        pa.ArrowException: Rows of a type that Arrow cannot choose from.
    """
    schema = data.schema
    for number, field in enumerate(schema):
        # Arrow chooses no views; polars writes all strings as such.
        plain = _WITHOUT_VIEWS.get(field.type)
        if plain is not None:
            column = data.column(number).cast(plain)
            data = data.set_column(number, pa.field(field.name, plain, field.nullable), column)
    chosen = data.filter(mask_array(mask))
    return chosen if chosen.schema == schema else chosen.cast(schema)


def bools(array: pa.Array) -> np.ndarray:
    """A boolean array as bool (n,); a null is False."""
    valid, bits = array.buffers()
    if len(array) == 0 or bits is None:
        return np.zeros(len(array), bool)
    held = _bits(bits, array)
    return held & _bits(valid, array) if valid is not None else held


def not_null(array: pa.Array) -> np.ndarray:
    """Which values are not null; bool (n,)."""
    if array.null_count == 0:
        return np.ones(len(array), bool)
    if array.null_count == len(array):
        return np.zeros(len(array), bool)
    return bools(array.is_valid())


def _bits(buffer: pa.Buffer, array: pa.Array) -> np.ndarray:
    stop = array.offset + len(array)
    packed = np.frombuffer(buffer, np.uint8, count=(stop + 7) // 8)
    return np.unpackbits(packed, count=stop, bitorder="little")[array.offset :].astype(bool)


def list_lengths(array: pa.Array) -> np.ndarray:
    """Items in each value of a list array; int64 (n,), 0 for a null."""
    kind = np.int64 if pa.types.is_large_list(array.type) else np.int32
    offsets = np.frombuffer(array.buffers()[1] or b"", kind)
    lengths = np.diff(offsets[array.offset : array.offset + len(array) + 1]).astype(np.int64)
    lengths = lengths if len(lengths) == len(array) else np.zeros(len(array), np.int64)
    return np.where(not_null(array), lengths, 0)


def string_lengths(array: pa.Array) -> np.ndarray:
    """UTF-8 bytes of each value of a `large_string` array; int64 (n,)."""
    if len(array) == 0:
        return np.zeros(0, np.int64)
    offsets = np.frombuffer(array.buffers()[1], np.int64)
    return np.diff(offsets[array.offset : array.offset + len(array) + 1])
