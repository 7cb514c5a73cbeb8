"""Which encoding a text file is in, and its bytes as UTF-8."""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Iterator

_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


def detect_encoding(samples: list[bytes]) -> str:
    """The encoding that fits the samples: a mark's, UTF-8, UTF-16 without a mark, or Latin-1.

    Latin-1 is taken only where bytes above ASCII hardly ever form UTF-8: a UTF-8 file with some
    broken rows stays UTF-8, and those rows are mended one by one.

    Args:
        samples: Pieces of the file; the first is its start.
    """
    head = samples[0] if samples else b""
    for mark, name in _MARKS:
        if head.startswith(mark):
            return name
    for name, offset in (("utf-16-le", 1), ("utf-16-be", 0)):
        if (
            len(head) >= 4
            and _mostly_zero(head[offset::2])
            and not _mostly_zero(head[1 - offset :: 2])
        ):
            return name
    good = bad = 0
    for sample in samples:
        more_good, more_bad = _count_sequences(sample)
        good, bad = good + more_good, bad + more_bad
    return "latin-1" if bad > good else "utf-8"


def _mostly_zero(data: bytes) -> bool:
    return len(data) > 0 and data.count(0) * 10 > 7 * len(data)


def _count_sequences(sample: bytes) -> tuple[int, int]:
    """How many multi-byte characters are well formed, and how many stretches are not."""
    text = sample.decode(errors="replace")
    # A character cut by the sample's edges is no evidence.
    text = text.strip("\ufffd")
    broken = text.count("\ufffd")
    beyond = len(text) - len(text.encode("ascii", "ignore")) - broken
    return beyond, broken - sample.count(b"\xef\xbf\xbd")


def code_unit(encoding: str) -> int:
    """Bytes per code unit: 1, 2 or 4."""
    return {"utf-16": 2, "utf-32": 4}.get(encoding[:6], 1)


def encoded_newline(newline: str, encoding: str) -> bytes:
    """What ends a line, in that encoding."""
    return newline.encode(encoding)


def aligned(chunks: Iterable[bytes], width: int) -> Iterator[bytes]:
    """The chunks, cut anew so that each but the last is a whole number of code units long."""
    if width == 1:
        yield from chunks
        return
    rest = b""
    for chunk in chunks:
        data = rest + chunk
        whole = len(data) - len(data) % width
        rest = data[whole:]
        if whole:
            yield data[:whole]
    if rest:
        yield rest


def to_utf8(data: bytes, encoding: str) -> bytes:
    """The bytes as UTF-8; UTF-8 itself is returned as it is, broken or not."""
    if encoding == "utf-8":
        return data
    return data.decode(encoding, errors="replace").encode(errors="replace")
