"""Profiles rows in plain Python: the twin of the C kernel, one plain function per column."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ld50.scan.kernels_py_tokens import (
    PUNCT,
    SINGLE,
    WORD,
    Token,
    bytes_hash,
    combine,
    decode,
    sequence_hash,
    tokens,
)
from ld50.scan.kernels_tables import trigram_index
from ld50.scan.kernels_types import (
    FREQUENT,
    I64,
    LANES,
    NO_LANE,
    U8,
    U32,
    U64,
    RowFlag,
    profile_columns,
)

WINDOW_MIN, WINDOW_MAX = 96, 128
HEAD_WORDS = 8
SWITCH_LIMIT = 1 << 30
_WHITESPACE = b" \t\n\r\x0b\x0c"

Segment = tuple[int, int, int]
"""Score, first item, last item."""


def profile(
    offsets: I64,
    data: U8,
    trigrams: U8,
    languages: int,
    words: U32,
    bigrams: U64,
    points: NDArray[np.int16],
    slots: U64,
    numbers: U8,
    pair_points: NDArray[np.int8],
    threshold: int,
    lead_bytes: int,
    out: bytearray,
) -> None:
    """Fills the columns of a profile; see `ld50.scan.kernels.profile`."""
    rows = offsets.size - 1
    columns = profile_columns(out, rows)
    table = trigrams.reshape(-1, LANES)
    frequent = _frequent(slots, numbers)
    for at in range(rows):
        row = data[offsets[at] : offsets[at + 1]].tobytes()
        found = list(tokens(row))
        values = _text_columns(row, found)
        salad = salad_of(row, found, words, bigrams, points.tolist(), frequent, pair_points)
        values |= zip(("salad_score", "salad_start", "salad_end"), salad, strict=True)
        values |= _window_columns(row, table, languages, threshold, lead_bytes)
        for name, value in values.items():
            columns[name][at] = value


def tail_salads(
    offsets: I64,
    data: U8,
    most: int,
    words: U32,
    bigrams: U64,
    points: NDArray[np.int16],
    slots: U64,
    numbers: U8,
    pair_points: NDArray[np.int8],
    out: U32,
) -> None:
    """Fills the columns of `ld50.scan.kernels.tail_salads`, one weighing after the other."""
    weighings = points.reshape(-1, _SINGLE_POINTS + 1)
    columns = out.reshape(len(weighings), 3, offsets.size - 1)
    frequent = _frequent(slots, numbers)
    for at in range(offsets.size - 1):
        row = data[offsets[at] : offsets[at + 1]].tobytes()
        cut = max(0, len(row) - most)
        found = list(tokens(row[cut:]))
        for column, weighing in zip(columns, weighings.tolist(), strict=True):
            score, start, end = salad_of(
                row[cut:], found, words, bigrams, weighing, frequent, pair_points
            )
            if score:
                column[0].view(np.float32)[at] = score
                column[1:, at] = start + cut, end + cut


def _frequent(slots: U64, numbers: U8) -> dict[int, int]:
    used = np.flatnonzero(slots)
    return dict(zip(slots[used].tolist(), numbers[used].tolist(), strict=True))


def _text_columns(row: bytes, found: list[Token]) -> dict[str, float]:
    words = [token for token in found if not token.kind & PUNCT]
    return {
        "hash": bytes_hash(b" ".join(row.split()).lower()),
        "head_hash": sequence_hash(token.folded for token in words[:HEAD_WORDS]),
        "words": len(words),
        "flags": int(row_flags(row, found)),
    }


def best_segment(items: Sequence[int], limit: int = 1 << 62) -> Segment:
    """The first run of items with the largest sum (Kadane); score 0 when none is positive."""
    best: Segment = (0, 0, 0)
    running, start = 0, 0
    for at, item in enumerate(items):
        if running <= 0:
            running, start = 0, at
        running = min(running + item, limit)
        if running > best[0]:
            best = (running, start, at)
    return best


# Word salad


def word_zipf(value: int, table: U32) -> int:
    """A word's zipf frequency in 1/16ths; 0 when the table does not have it."""
    if not table.size:
        return 0
    slot = (value >> (64 - (table.size.bit_length() - 3))) * 4
    for _ in range(table.size):
        entry = int(table[slot])
        if not entry:
            return 0
        if entry >> 8 == value >> 8 & 0xFFFFFF:
            return entry & 0xFF
        slot = (slot + 1) % table.size
    return 0


def has_bigram(value: int, table: U64) -> bool:
    """Whether both bits of a bigram are set, in one line of 512."""
    lines = table.size // 8
    line = value >> (64 - (lines.bit_length() - 1)) if lines > 1 else 0
    probes = (value >> 3 & 511, value >> 12 & 511)
    return all(int(table[line * 8 + probe // 64]) >> probe % 64 & 1 for probe in probes)


_FIRST_POINTS, _NUMBER_POINTS, _SINGLE_POINTS = 128, 136, 137


def salad_of(
    row: bytes,
    found: list[Token],
    words: U32,
    bigrams: U64,
    points: list[int],
    frequent: dict[int, int],
    pair_points: NDArray[np.int8],
) -> Segment:
    """Score, start and end (bytes) of the run of words with the most points; 0, 0, 0 where none has any."""
    items: list[int] = []
    places: list[Token] = []
    before: tuple[Token, int, int | None] | None = None
    for token in found:
        if token.kind & PUNCT:
            continue
        if token.kind & SINGLE:
            item, before = points[_SINGLE_POINTS], None
        elif any(0x30 <= byte <= 0x39 for byte in row[token.start : token.end]):
            item, before = points[_NUMBER_POINTS], None
        else:
            value = combine([token.folded], 0)
            word, number = word_zipf(value, words) >> 4 & 7, frequent.get(value)
            item = points[_FIRST_POINTS + word]
            if before:
                pair = combine([before[0].folded, token.folded], 1)
                known = bool(bigrams.size) and has_bigram(pair, bigrams)
                item = points[before[1] << 4 | word << 1 | known]
                if before[2] is not None and number is not None:
                    item = int(pair_points[before[2] * FREQUENT + number])
            before = (token, word, number)
        items.append(item)
        places.append(token)
    score, first, last = best_segment(items)
    return (score, places[first].start, places[last].end) if score else (0, 0, 0)


# Noise by characters, and language switch


def normalised_positions(row: bytes) -> tuple[bytes, list[int]]:
    """The normalised row, and where each of its bytes stands in the row."""
    text, places = bytearray(), list[int]()
    for at, byte in enumerate(row.lower()):
        if byte not in _WHITESPACE:
            text.append(byte)
        elif text and text[-1] != 0x20:
            text.append(0x20)
        else:
            continue
        places.append(at)
    if text and text[-1] == 0x20:
        text.pop()
        places.pop()
    return bytes(text), places


def windows_of(text: bytes) -> list[tuple[int, int]]:
    """Windows of 96 to 128 bytes that end after a space where one comes in time."""
    windows, start = [], 0
    while start < len(text):
        space = text.find(b" ", start + WINDOW_MIN - 1, start + WINDOW_MAX)
        end = space + 1 if space >= 0 else min(start + WINDOW_MAX, len(text))
        windows.append((start, end))
        start = end
    return windows


def _window_columns(
    row: bytes, table: U8, languages: int, threshold: int, lead_bytes: int
) -> dict[str, float]:
    text, places = normalised_positions(row)
    if len(text) < 3:
        return {"lead_lane": NO_LANE, "document_lane": NO_LANE, "switch_lane": NO_LANE}
    raw = np.frombuffer(text, np.uint8)
    costs = np.zeros((len(text), LANES), np.int64)
    index = trigram_index(raw[:-2], raw[1:-1], raw[2:], table.shape[0].bit_length() - 1)
    costs[2:] = table[index]
    windows = windows_of(text)
    sums = np.add.reduceat(costs, [start for start, _ in windows], axis=0)
    sizes = np.array([end - max(start, 2) for start, end in windows])

    def span(segment: Segment) -> tuple[int, int]:
        start, end = places[windows[segment[1]][0]], places[windows[segment[2]][1] - 1] + 1
        return (*_whole_characters(row, start, end),) if segment[0] else (0, 0)

    noise = best_segment((sums.min(axis=1) - threshold * sizes).tolist())
    ends = np.array([end for _, end in windows])
    lead_windows = min(int(np.searchsorted(ends, lead_bytes)) + 1, len(windows))
    lead = int(sums[:lead_windows, :languages].sum(axis=0).argmin())
    switch_lane, switch = NO_LANE, (0, 0, 0)
    for lane in range(languages):
        segment = best_segment((sums[:, lead] - sums[:, lane]).tolist(), SWITCH_LIMIT)
        if segment[0] > switch[0]:
            switch_lane, switch = lane, segment
    noise_span, switch_span = span(noise), span(switch)
    return {
        "bits_per_byte": int(sums.min(axis=1).sum()) / 16 / int(sizes.sum()),
        "noise_score": noise[0] / 16,
        "noise_start": noise_span[0],
        "noise_end": noise_span[1],
        "lead_lane": lead,
        "document_lane": int(sums[:, :languages].sum(axis=0).argmin()),
        "switch_lane": switch_lane,
        "switch_score": switch[0] / 16,
        "switch_start": switch_span[0],
        "switch_end": switch_span[1],
    }


def _whole_characters(row: bytes, start: int, end: int) -> tuple[int, int]:
    """The span widened so that no UTF-8 sequence is cut; by three bytes at most."""
    for _ in range(3):
        if start > 0 and row[start] & 0xC0 == 0x80:
            start -= 1
        if end < len(row) and row[end] & 0xC0 == 0x80:
            end += 1
    return start, end


# Marks of characters and format

_INVISIBLE = (
    (0xAD, 0xAD), (0x34F, 0x34F), (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F),
    (0x200B, 0x200B), (0x2060, 0x2064), (0x206A, 0x206F), (0x2800, 0x2800), (0x3164, 0x3164),
    (0xFEFF, 0xFEFF), (0xFFA0, 0xFFA0), (0xFFF9, 0xFFFB), (0x1D173, 0x1D17A),
)  # fmt: skip
CHARACTERS: tuple[tuple[RowFlag, tuple[tuple[int, int], ...]], ...] = (
    (RowFlag.INVALID_UTF8, ((0xDC80, 0xDCFF),)),
    (RowFlag.INVISIBLE, _INVISIBLE),
    (RowFlag.JOINER, ((0x200C, 0x200D),)),
    (RowFlag.BIDI, ((0x61C, 0x61C), (0x200E, 0x200F), (0x202A, 0x202E), (0x2066, 0x2069))),
    (RowFlag.TAG, ((0xE0000, 0xE007F),)),
    (RowFlag.VARIATION_SELECTOR, ((0xFE00, 0xFE0F), (0xE0100, 0xE01EF))),
    (RowFlag.PRIVATE_USE, ((0xE000, 0xF8FF), (0xF0000, 0x10FFFF))),
    (RowFlag.REPLACEMENT, ((0xFFFD, 0xFFFD),)),
    (RowFlag.CONTROL, ((0x80, 0x84), (0x86, 0x9F))),
    (RowFlag.FULLWIDTH, ((0xFF10, 0xFF19), (0xFF21, 0xFF3A), (0xFF41, 0xFF5A))),
    (RowFlag.STYLED, ((0x24B6, 0x24E9), (0x1D400, 0x1D7FF), (0x1F130, 0x1F189))),
    (RowFlag.COMBINING, ((0x300, 0x34E), (0x350, 0x36F))),
    (RowFlag.CURLY_QUOTES, ((0x2018, 0x2019), (0x201C, 0x201D))),
)
LATIN = ((0xAA, 0xAA), (0xBA, 0xBA), (0xC0, 0xD6), (0xD8, 0xF6), (0xF8, 0x24F), (0x1E00, 0x1EFF),
          (0xFF21, 0xFF3A), (0xFF41, 0xFF5A))  # fmt: skip
CYRILLIC = ((0x400, 0x52F), (0x1C80, 0x1C8F), (0x2DE0, 0x2DFF), (0xA640, 0xA69F))
GREEK = ((0x370, 0x3FF), (0x1F00, 0x1FFF))
_TERMINAL = tuple(mark.encode() for mark in ".!?:;)]}>\"'…”’»。！？；：）】」』")
_SPACED = tuple(b" " + bytes([mark]) for mark in b".,;:!?")


def _within(code: int, ranges: tuple[tuple[int, int], ...]) -> bool:
    return any(low <= code <= high for low, high in ranges)


def row_flags(row: bytes, found: list[Token]) -> RowFlag:
    """The marks of a row."""
    flags = _ascii_flags(row)
    if row.isascii():
        return flags
    flags |= RowFlag.NON_ASCII
    for code in {ord(char) for char in decode(row) if char >= "\x80"}:
        for flag, ranges in CHARACTERS:
            if _within(code, ranges):
                flags |= flag
    for token in found:
        if token.kind & WORD:
            flags |= _mixed_scripts(decode(row[token.start : token.end]))
    return flags


def _mixed_scripts(word: str) -> RowFlag:
    codes = [ord(char) for char in word]
    if word.isascii() or not any(
        _within(code, LATIN) or (code < 0x80 and chr(code).isalpha()) for code in codes
    ):
        return RowFlag(0)
    flags = RowFlag(0)
    if any(_within(code, CYRILLIC) for code in codes):
        flags |= RowFlag.MIXED_CYRILLIC
    if any(_within(code, GREEK) for code in codes):
        flags |= RowFlag.MIXED_GREEK
    return flags


def _ascii_flags(row: bytes) -> RowFlag:
    upper = any(0x41 <= byte <= 0x5A for byte in row)
    lower = any(0x61 <= byte <= 0x7A for byte in row)
    body = row.strip(_WHITESPACE)
    controls = set(range(0x20)) - set(_WHITESPACE) | {0x7F}
    tests = (
        (RowFlag.CONTROL, bool(controls & set(row))),
        (RowFlag.NO_UPPERCASE, lower and not upper),
        (RowFlag.ALL_UPPERCASE, upper and not lower),
        (RowFlag.STARTS_LOWERCASE, 0x61 <= body[0] <= 0x7A if body else False),
        (RowFlag.LEADING_SPACE, row[:1] in _WHITESPACE if row else False),
        (RowFlag.TRAILING_SPACE, row[-1:] in _WHITESPACE if row else False),
        (RowFlag.DOUBLE_SPACE, b"  " in row),
        (RowFlag.TAB, b"\t" in row),
        (RowFlag.CRLF, b"\r\n" in row),
        (RowFlag.NEWLINE, b"\n" in row),
        (RowFlag.STRAIGHT_QUOTES, b'"' in row or b"'" in row),
        (RowFlag.SPACE_BEFORE_PUNCTUATION, any(mark in row for mark in _SPACED)),
        (RowFlag.NO_TERMINAL, bool(body) and not body.endswith(_TERMINAL)),
    )
    flags = RowFlag(0)
    for flag, holds in tests:
        if holds:
            flags |= flag
    return flags
