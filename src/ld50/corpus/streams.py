"""Bytes of a file, decompressed, in chunks of bounded size; broken streams end with a reason."""

from __future__ import annotations

import bz2
import lzma
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, Protocol, cast

from ld50.core.errors import SourceError
from ld50.corpus.sources import SourceFile, filesystem

#: Decompressed bytes per chunk. A chunk never grows with what the file claims to hold.
CHUNK_BYTES = 1 << 20

#: Most memory that an `.xz` dictionary may ask for.
_XZ_MEMORY_BYTES = 1 << 29


class BrokenStreamError(Exception):
    """A compressed stream that ends early or is damaged; what came before it has been given."""


class _Decompressor(Protocol):
    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...


def open_raw(file: SourceFile) -> BinaryIO:
    """The bytes of a file as they lie there, open for reading from the start.

    Raises:
        SourceError: The file has gone, or may not be read.
    """
    try:
        if file.is_remote:
            system, path = filesystem(file.source)
            return cast(BinaryIO, system.open(path, "rb"))
        return Path(file.source).open("rb", buffering=0)
    except OSError as error:
        reason = error.strerror or error
        raise SourceError(f"{file.source!r} cannot be read: {reason}.") from error


def chunks(file: SourceFile, start: int = 0) -> Iterator[bytes]:
    """Decompressed chunks of at most `CHUNK_BYTES`, in order.

    Args:
        file: What to read.
        start: First byte; only for files that are not compressed.

    Raises:
        BrokenStreamError: After the last good chunk of a broken compressed stream.
        SourceError: The file cannot be read.
    """
    if file.compression is None:
        yield from _plain(file, start)
    elif start:
        raise ValueError("a compressed file can only be read from its start")
    elif file.compression == "zst":
        yield from _zstd(file)
    else:
        yield from _decompressed(file)


def _plain(file: SourceFile, start: int) -> Iterator[bytes]:
    with open_raw(file) as raw:
        raw.seek(start)
        while chunk := _read(raw, CHUNK_BYTES, file):
            yield chunk


def _read(raw: BinaryIO, size: int, file: SourceFile) -> bytes:
    try:
        return raw.read(size)
    except OSError as error:
        raise SourceError(f"{file.source!r} cannot be read further: {error}.") from error


def _zlib_step(engine: Any, data: bytes) -> tuple[bytes, bytes]:
    out = engine.decompress(data, CHUNK_BYTES)
    return out, engine.unconsumed_tail


def _other_step(engine: Any, data: bytes) -> tuple[bytes, bytes]:
    return engine.decompress(data, CHUNK_BYTES), b""


def _decompressed(file: SourceFile) -> Iterator[bytes]:
    """Chunks of `.gz`, `.bz2` and `.xz`, which may be several streams one after another."""
    make: Any
    if file.compression == "gz":
        make, step = (lambda: zlib.decompressobj(wbits=31)), _zlib_step
    elif file.compression == "bz2":
        make, step = bz2.BZ2Decompressor, _other_step
    else:
        make = lambda: lzma.LZMADecompressor(memlimit=_XZ_MEMORY_BYTES)  # noqa: E731
        step = _other_step
    with open_raw(file) as raw:
        engine: Any = make()
        pending = _read(raw, CHUNK_BYTES, file)
        started = bool(pending)
        while True:
            try:
                out, pending = step(engine, pending)
            except (zlib.error, OSError, lzma.LZMAError, EOFError, ValueError) as error:
                raise BrokenStreamError(f"damaged: {error}") from error
            if out:
                yield out
            if engine.eof:
                pending = engine.unused_data or _read(raw, CHUNK_BYTES, file)
                # Zero bytes may pad the end of a stream, as tar and tape tools leave them.
                while pending and not pending.strip(b"\0"):
                    pending = _read(raw, CHUNK_BYTES, file)
                if not pending:
                    return
                pending = pending.lstrip(b"\0")
                engine, started = make(), True
                continue
            if not pending and getattr(engine, "needs_input", True) and len(out) < CHUNK_BYTES:
                pending = _read(raw, CHUNK_BYTES, file)
                if not pending:
                    if started:
                        raise BrokenStreamError("ends early")
                    return


def _zstd(file: SourceFile) -> Iterator[bytes]:
    """Chunks of `.zst`. Arrow gives up a whole read when the stream breaks inside it, so the last
    stretch is read once more in small steps: every byte before the break counts."""
    good = 0
    for step in (CHUNK_BYTES, 4096, 1):
        try:
            for chunk in _zstd_from(file, good, step):
                yield chunk
                good += len(chunk)
            return
        except OSError as error:
            broken = error
    reason = "ends early" if "runcated" in str(broken) else f"damaged: {broken}"
    if "too much memory" in str(broken):
        reason = "was packed with a window of over 128 MiB; unpack it first, with zstd -d --long=31"
    raise BrokenStreamError(reason) from broken


def _zstd_from(file: SourceFile, start: int, step: int) -> Iterator[bytes]:
    import pyarrow as pa

    raw = open_raw(file)
    with raw, pa.CompressedInputStream(pa.PythonFile(raw, mode="r"), "zstd") as stream:
        skipped = 0
        while skipped < start:
            skipped += len(stream.read(min(CHUNK_BYTES, start - skipped)))
        while chunk := stream.read(step):
            yield chunk
