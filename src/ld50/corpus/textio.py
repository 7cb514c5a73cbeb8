"""The lines of a unit of a text file as UTF-8 blocks, whatever the file's encoding."""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Iterator

from ld50.corpus.encodings import aligned, code_unit, encoded_newline, to_utf8
from ld50.corpus.lines import Block, line_blocks
from ld50.corpus.streams import BrokenStreamError, chunks
from ld50.corpus.units import SourcePlan, Unit

#: A compressed file that holds a longer record is read no further: it was made to unpack forever.
MAX_PACKED_RECORD_BYTES = 1 << 30

#: No honest text shrinks more than this, and a small file may unpack to the smaller limit anyway.
_MOST_RATIO = 2000
_ALWAYS_ALLOWED_BYTES = 10 << 30

#: Carriage returns that end lines become line feeds, and line feeds within those lines spaces.
_LINES_OF_RETURNS = bytes.maketrans(b"\r\n", b"\n ")

ENDLESS = "unpacks to a record of over 1 GiB"
BOMB = f"unpacks to over {_MOST_RATIO:,} times its size"


def is_bomb(unpacked_bytes: int, packed_bytes: int) -> bool:
    """Whether a file gives so much more than it holds that it must have been made to."""
    return unpacked_bytes > max(_ALWAYS_ALLOWED_BYTES, _MOST_RATIO * packed_bytes)


class LineStream:
    """Raw blocks of whole lines of one unit, and whether the stream broke."""

    def __init__(self, source: SourcePlan, unit: Unit) -> None:
        self._source = source
        self._unit = unit
        self.broken: str | None = None
        """Why the compressed stream ended before its end; None if it did not."""

    def raw(self) -> Iterator[Block]:
        """Blocks in the file's own encoding; joined, they are the unit's bytes."""
        encoding = self._source.encoding
        pieces = self._short_lines(self._guarded(self._chunks()))
        pieces = aligned(pieces, code_unit(encoding))
        return line_blocks(pieces, newline=encoded_newline(self._source.newline, encoding))

    def both(self) -> Iterator[tuple[Block, Block]]:
        """Blocks as `raw` gives them, each with the same lines as UTF-8."""
        first = self._unit.start == 0
        for block in self.raw():
            data = block.data if block.oversize else to_utf8(block.data, self._source.encoding)
            if self._source.newline == "\r":
                data = data.translate(_LINES_OF_RETURNS)
            if first:
                data, first = data.removeprefix(codecs.BOM_UTF8), False
            yield block, Block(data, block.oversize, block.first_piece)

    def utf8(self) -> Iterator[Block]:
        """Blocks as UTF-8 without the mark at the start of the file, line for line as `raw`."""
        return (block for _, block in self.both())

    def utf8_chunks(self) -> Iterator[Block]:
        """The unit as UTF-8 in chunks cut at any character, for formats without lines."""
        encoding = self._source.encoding
        decoder = codecs.getincrementaldecoder(encoding)(errors="replace")
        first = True
        for piece in self._guarded(self._chunks()):
            data = piece if encoding == "utf-8" else decoder.decode(piece).encode(errors="replace")
            if first:
                data, first = data.removeprefix(codecs.BOM_UTF8), False
            yield Block(data)

    def _guarded(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        """The pieces up to the break of the stream, or up to where it turns out to be a bomb."""
        file = self._source.file
        total = 0
        try:
            for piece in pieces:
                yield piece
                total += len(piece)
                if file.compression is not None and is_bomb(total, file.size_bytes):
                    self.broken = BOMB
                    return
        except BrokenStreamError as error:
            self.broken = str(error)

    def _short_lines(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        """The pieces up to where a compressed file holds a line without end."""
        line = 0
        for piece in pieces:
            yield piece
            at = piece.rfind(self._source.newline.encode())
            line = len(piece) - at if at >= 0 else line + len(piece)
            if line > MAX_PACKED_RECORD_BYTES and self._source.file.compression is not None:
                self.broken = ENDLESS
                return

    def _chunks(self) -> Iterator[bytes]:
        unit, file = self._unit, self._source.file
        if unit.kind == "bytes":
            return range_chunks(chunks(file, max(0, unit.start - 1)), unit.start, unit.stop)
        return chunks(file)


def range_chunks(pieces: Iterable[bytes], start: int, stop: int) -> Iterator[bytes]:
    """The lines whose first byte lies in `[start, stop)`, as chunks.

    Args:
        pieces: The file's bytes from `start - 1` on (from 0 if `start` is 0).
        start: First byte of the range.
        stop: One past the last byte of the range.
    """
    position = max(0, start - 1)
    seeking = start > 0
    for piece in pieces:
        base = position
        position += len(piece)
        if seeking:
            at = piece.find(b"\n")
            if at < 0:
                continue
            seeking = False
            piece, base = piece[at + 1 :], base + at + 1
            if base >= stop:
                return
        if position >= stop:
            at = piece.find(b"\n", max(0, stop - 1 - base))
            if at >= 0:
                yield piece[: at + 1]
                return
        if piece:
            yield piece
