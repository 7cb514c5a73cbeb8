"""One source cut in two, record by record, each record's bytes as they came."""

from __future__ import annotations

import codecs
import hashlib
from collections import deque
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ld50.core.errors import OutputError
from ld50.corpus.encodings import encoded_newline
from ld50.corpus.lines import Block, blank_lines, line_bounds
from ld50.corpus.outputs import OutputFile
from ld50.corpus.streams import BrokenStreamError, chunks
from ld50.corpus.textio import LineStream
from ld50.corpus.textreaders import json_pieces, numbered_records
from ld50.corpus.units import SourcePlan, Unit

_MARKS = {
    "utf-8": codecs.BOM_UTF8,
    "utf-16-le": codecs.BOM_UTF16_LE,
    "utf-16-be": codecs.BOM_UTF16_BE,
    "utf-32-le": codecs.BOM_UTF32_LE,
    "utf-32-be": codecs.BOM_UTF32_BE,
}


@dataclass(slots=True)
class Sinks:
    """Where the two parts go; one of them may not be wanted."""

    clean: OutputFile | None
    quarantine: OutputFile | None
    rows: int = 0
    quarantined: int = 0
    broken: str | None = None
    """Why the source's compressed stream ended early, if it did."""
    _digest: Any = field(default_factory=lambda: hashlib.blake2b(digest_size=16))

    def write(self, data: bytes | memoryview, flagged: bool) -> None:
        """Appends a stretch to one part."""
        self._digest.update(data)
        self._append(data, flagged)

    def both(self, data: bytes) -> None:
        """Appends what belongs to the file and not to a row: a header, a byte order mark."""
        self._digest.update(data)
        self._append(data, True)
        self._append(data, False)

    def neither(self, data: bytes) -> None:
        """Notes what stands between two rows that no longer follow each other."""
        self._digest.update(data)

    def extra(self, data: bytes, flagged: bool) -> None:
        """Appends what stood elsewhere in the source, and has been noted there."""
        self._append(data, flagged)

    def _append(self, data: bytes | memoryview, flagged: bool) -> None:
        file = self.quarantine if flagged else self.clean
        if file is not None and len(data):
            file.write(data)

    def seen(self) -> bytes:
        """Digest of all that came by, each byte of the source once, in order."""
        return bytes(self._digest.digest())


def whole(source: SourcePlan) -> Unit:
    """A unit that is the whole source."""
    return Unit(index=0, source=0, kind="file", start=0, stop=source.file.size_bytes, bytes=0)


def split_lines(source: SourcePlan, flagged: Collection[int], sinks: Sinks) -> None:
    """JSONL and plain text: a line a row, blank lines of JSONL left in the clean part."""
    stream = LineStream(source, whole(source))
    rows = np.fromiter(sorted(flagged), np.int64, len(flagged))
    blank_is_row = source.file.format in ("txt", "md")
    for raw, utf8 in _marked(stream, source, sinks):
        if raw.oversize:
            sinks.write(raw.data, False)
            sinks.rows += raw.first_piece
            continue
        starts, ends = line_bounds(raw.data, encoded_newline(source.newline, source.encoding))
        if len(starts) == 0:
            continue
        is_row = np.ones(len(starts), bool)
        if not blank_is_row:
            plain_starts, plain_ends = line_bounds(utf8.data)
            is_row = ~blank_lines(utf8.data, plain_starts, plain_ends)
            is_row = np.append(is_row, np.zeros(len(starts) - len(is_row), bool))
        numbers = sinks.rows + np.cumsum(is_row) - 1
        chosen = np.isin(numbers, rows) & is_row
        sinks.rows += int(is_row.sum())
        sinks.quarantined += int(chosen.sum())
        _write_runs(raw.data, ends, chosen, sinks)
    sinks.broken = stream.broken


def _write_runs(data: bytes, ends: np.ndarray, chosen: np.ndarray, sinks: Sinks) -> None:
    """Neighbouring lines that go the same way in one piece."""
    view = memoryview(data)
    turns = np.flatnonzero(np.diff(chosen.astype(np.int8)))
    start = 0
    for last in [*turns.tolist(), len(chosen) - 1]:
        stop = int(ends[last])
        sinks.write(view[start:stop], bool(chosen[last]))
        start = stop


def _marked(stream: LineStream, source: SourcePlan, sinks: Sinks) -> Iterator[tuple[Block, Block]]:
    """Raw and UTF-8 blocks, the byte order mark taken off and written to both parts."""
    mark = _MARKS.get(source.encoding, b"")
    first = True
    for raw, utf8 in stream.both():
        if first and mark and raw.data.startswith(mark):
            sinks.both(mark)
            raw = Block(raw.data[len(mark) :], raw.oversize, raw.first_piece)
        first = False
        yield raw, utf8


def split_csv(source: SourcePlan, flagged: Collection[int], sinks: Sinks) -> None:
    """Records of any number of lines; the header goes to both parts."""
    stream = LineStream(source, whole(source))
    waiting: deque[bytes] = deque()

    def blocks() -> Iterator[Block]:
        newline = encoded_newline(source.newline, source.encoding)
        for raw, utf8 in _marked(stream, source, sinks):
            if raw.oversize and not raw.first_piece:
                # The parser has passed the start of this line, and so has what waits.
                sinks.write(raw.data, False)
                continue
            if raw.oversize:
                waiting.append(raw.data)
            else:
                starts, ends = line_bounds(raw.data, newline)
                spans = zip(starts.tolist(), ends.tolist(), strict=True)
                waiting.extend(raw.data[start:end] for start, end in spans)
            yield utf8

    for number, record in numbered_records(source, whole(source), blocks()):
        data = b"".join(waiting.popleft() for _ in range(min(record.lines, len(waiting))))
        if number is None and record.fields is not None:
            sinks.both(data)
            continue
        chosen = number is not None and number in flagged
        sinks.write(data, chosen)
        sinks.rows += number is not None
        sinks.quarantined += chosen
    sinks.write(b"".join(waiting), False)
    sinks.broken = stream.broken


def split_json(source: SourcePlan, flagged: Collection[int], sinks: Sinks) -> None:
    """Elements of arrays; what stands around the arrays goes to both parts."""
    stream = LineStream(source, whole(source))
    encoding = source.encoding
    if encoding != "utf-8":
        _check_reversible(source)
    mark = _MARKS.get(encoding, b"")
    if mark and next(chunks(source.file), b"").startswith(mark):
        sinks.both(mark)
    started = {True: False, False: False}
    separator = b""
    within = chosen = False
    for piece in json_pieces(source, stream):
        data = piece.data if encoding == "utf-8" else piece.data.decode().encode(encoding)
        if piece.kind == "separator":
            separator = data
            sinks.neither(data)
        elif piece.kind in ("head", "tail"):
            # A comma that no element follows is an oddity of the file, and stays in it.
            sinks.extra(separator, False)
            separator = b""
            started = {True: False, False: False}
            sinks.both(data)
        else:
            if not within:
                chosen = sinks.rows in flagged
                sinks.extra(separator if started[chosen] else b"", chosen)
                separator = b""
                started[chosen] = True
            sinks.write(data, chosen)
            within = piece.kind == "part" and not piece.last
            sinks.rows += not within
            sinks.quarantined += chosen and not within
    sinks.broken = stream.broken


def _check_reversible(source: SourcePlan) -> None:
    """Refuses a file whose bytes would not come back from its characters."""
    decoder = codecs.getincrementaldecoder(source.encoding)()
    try:
        for chunk in chunks(source.file):
            decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except (UnicodeDecodeError, BrokenStreamError) as error:
        raise OutputError(
            f"{source.file.source!r} cannot be split byte for byte: it is not sound "
            f"{source.encoding} ({error}). Convert it to UTF-8 first."
        ) from error


def split_document(source: SourcePlan, flagged: Collection[int], sinks: Sinks) -> None:
    """A file that is one row goes one way as it is."""
    sinks.rows = 1
    chosen = 0 in flagged
    sinks.quarantined = int(chosen)
    try:
        for chunk in chunks(source.file):
            sinks.write(chunk, chosen)
    except BrokenStreamError as error:
        sinks.broken = str(error)
