"""The kernels in plain Python: the oracle of the C ones, and what runs where no compiler was.

Written to be read. Each function takes and gives what its namesake in `_kernels` does; `kernels`
checks arguments and names the columns for both.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from ld50.scan.kernels_py_fragments import fragments_of
from ld50.scan.kernels_py_incidence import gather, gathered, gatherer, renumber, tally
from ld50.scan.kernels_py_profile import profile, tail_salads
from ld50.scan.kernels_py_tokens import (
    ASCII_PUNCT,
    CAPITAL,
    PUNCT,
    SINGLE,
    WORD,
    Token,
    bytes_hash,
    combine,
    sequence_hash,
    tokens,
)
from ld50.scan.kernels_types import I64, MAX_SURFACE_N, MAX_WORDS_N, SURFACE, U8, U32, U64, WORDS

__all__ = [
    "bytes_hashes",
    "count_candidates",
    "fragments",
    "gather",
    "gathered",
    "gatherer",
    "ngrams",
    "phrase_hashes",
    "profile",
    "renumber",
    "sentences",
    "slices",
    "tail_salads",
    "tally",
]


class Ngram(NamedTuple):
    """One n-gram of a row; the low three bits of its hash say its length and stream."""

    hash: int
    start: int
    end: int
    n: int
    stream: int


def _row(offsets: I64, data: U8, row: int) -> bytes:
    return data[offsets[row] : offsets[row + 1]].tobytes()


def _columns(rows: list[tuple[int, ...]], *dtypes: str) -> tuple[bytes, ...]:
    columns = list(zip(*rows, strict=True)) or [()] * len(dtypes)
    return tuple(
        np.array(column, dtype).tobytes() for column, dtype in zip(columns, dtypes, strict=True)
    )


def _placed(columns: tuple[bytes, ...], placed: bool) -> tuple[bytes, ...]:
    """Four columns, the last two of which say where something stands; empty, if that is not wanted."""
    return columns if placed else (*columns[:2], b"", b"")


def _admissible(run: list[Token]) -> bool:
    """Whether a surface n-gram says more than the words do; of ASCII marks alone, several side by side.

    A table is full of marks with space between them, and would hide `|||`.
    """
    if all(token.kind & ASCII_PUNCT for token in run):
        return len(run) > 1 and run[-1].end - run[0].start == len(run)
    return any(token.kind & (PUNCT | CAPITAL) for token in run)


def row_ngrams(row: bytes, start: int, end: int) -> Iterator[Ngram]:
    """The n-grams whose tokens lie in the zone; by last token, words first, short ones first."""
    words: deque[Token] = deque(maxlen=MAX_WORDS_N)
    surface: deque[Token] = deque(maxlen=MAX_SURFACE_N)
    for token in tokens(row):
        if token.start < start or token.end > end:
            continue
        if token.kind & (WORD | SINGLE):
            words.append(token)
            for n in range(1, len(words) + 1):
                run = list(words)[-n:]
                value = combine([each.folded for each in run], n - 1)
                yield Ngram(value, run[0].start, token.end, n, WORDS)
        surface.append(token)
        for n in range(1, len(surface) + 1):
            run = list(surface)[-n:]
            if _admissible(run):
                value = combine([each.exact for each in run], n - 1 + MAX_WORDS_N)
                yield Ngram(value, run[0].start, token.end, n, SURFACE)


def ngrams(
    offsets: I64,
    data: U8,
    rows: U32,
    starts: U32,
    ends: U32,
    kinds: int,
    max_per_row: int,
    distinct: bool,
    buckets: U8 | None,
    least: int,
    tally: bool,
    placed: bool,
) -> tuple[bytes, ...]:
    """Columns row, hash, start, end of the n-grams of zones of rows; the last two empty, if not placed."""
    shift = 0 if buckets is None else 65 - buckets.size.bit_length()
    found: list[tuple[int, ...]] = []
    for row, start, end in zip(rows.tolist(), starts.tolist(), ends.tolist(), strict=True):
        seen: set[int] = set()
        taken = 0
        for gram in row_ngrams(_row(offsets, data, row), start, end):
            if not kinds >> (gram.hash & 7) & 1 or (distinct and gram.hash in seen):
                continue
            bucket = gram.hash >> shift
            if buckets is not None and not tally and buckets[bucket] < least:
                continue
            if taken == max_per_row:
                break
            taken += 1
            seen.add(gram.hash)
            if buckets is not None and tally:
                buckets[bucket] += buckets[bucket] < 255
                continue
            found.append((row, gram.hash, gram.start, gram.end))
    return _placed(_columns(found, "u4", "u8", "u4", "u4"), placed)


def phrase_hashes(offsets: I64, data: U8, stream: int, out: U64) -> None:
    """Fills ``out`` with each row's hash as one n-gram, 0 where it is none."""
    for row in range(offsets.size - 1):
        run = list(tokens(_row(offsets, data, row)))
        if stream == WORDS:
            run = [token for token in run if not token.kind & PUNCT]
        most, base = (MAX_WORDS_N, 0) if stream == WORDS else (MAX_SURFACE_N, MAX_WORDS_N)
        hashes = [token.folded if stream == WORDS else token.exact for token in run]
        out[row] = combine(hashes, base + len(run) - 1) if 0 < len(run) <= most else 0


def bytes_hashes(offsets: I64, data: U8, out: U64) -> None:
    """Fills ``out`` with the hash of each row's bytes."""
    for row in range(offsets.size - 1):
        out[row] = bytes_hash(_row(offsets, data, row))


def byte_classes(offsets: I64, data: U8, classes: U8, out: I64) -> None:
    """Fills ``out`` (rows, 8) with how many bytes of each row are of each class."""
    for row in range(offsets.size - 1):
        found = classes[data[offsets[row] : offsets[row + 1]]] & np.uint8(7)
        out[row] = np.bincount(found, minlength=8)


def slices(data: U8, starts: I64, ends: I64, out: U8) -> None:
    """Fills ``out`` with pieces of the data, one after the other."""
    pieces = (data[low:high] for low, high in zip(starts.tolist(), ends.tolist(), strict=True))
    out[:] = np.concatenate([np.zeros(0, np.uint8), *pieces])


def count_candidates(
    offsets: I64,
    data: U8,
    hashes: U64,
    listed: U32,
    _filter: U32,
    _slots: U32,
    _kinds: int,
    counts: U32,
    placed: bool,
) -> tuple[bytes, ...]:
    """Counts rows per candidate in place; columns row, candidate, start, end of the listed."""
    ids = {int(value): at for at, value in enumerate(hashes.tolist())}
    found: list[tuple[int, ...]] = []
    for row in range(offsets.size - 1):
        text = _row(offsets, data, row)
        seen: set[int] = set()
        for gram in row_ngrams(text, 0, len(text)):
            candidate = ids.get(gram.hash)
            if candidate is None or candidate in seen:
                continue
            seen.add(candidate)
            counts[candidate] += 1
            if counts[candidate] <= listed[candidate]:
                found.append((row, candidate, gram.start, gram.end))
    return _placed(_columns(found, "u4", "u4", "u4", "u4"), placed)


_TERMINATORS = {".", "!", "?", "…"}
_HARD_TERMINATORS = {"。", "！", "？"}
_CLOSERS = {*"\"')]}*_`”’»）」』】》", "›"}
_LINE_ENDS = ("\n", "\r", "\u2028", "\u2029")


def sentences(offsets: I64, data: U8, min_words: int, max_words: int) -> tuple[bytes, ...]:
    """Columns row, hash, start, end, words of the sentences with so many words."""
    found: list[tuple[int, ...]] = []
    for row in range(offsets.size - 1):
        for run in _sentences_of(_row(offsets, data, row)):
            words = [token.folded for token in run if not token.kind & PUNCT]
            if min_words <= len(words) <= max_words:
                value = sequence_hash(words)
                found.append((row, value, run[0].start, run[-1].end, len(words)))
    return _columns(found, "u4", "u8", "u4", "u4", "u4")


def _sentences_of(row: bytes) -> Iterator[list[Token]]:
    run: list[Token] = []
    soft = hard = False
    for token in tokens(row):
        text = row[token.start : token.end].decode("utf-8", "surrogateescape")
        ends = text in _TERMINATORS or text in _HARD_TERMINATORS
        closes = text in _CLOSERS
        if run:
            gap = row[run[-1].end : token.start].decode()
            new_line = any(end in gap for end in _LINE_ENDS)
            if new_line or (gap and (soft or hard)) or (hard and not ends and not closes):
                yield run
                run, soft, hard = [], False, False
        run.append(token)
        if ends:
            soft, hard = True, hard or text in _HARD_TERMINATORS
        elif not closes:
            soft = hard = False
    if run:
        yield run


def fragments(offsets: I64, data: U8) -> tuple[bytes, ...]:
    """Columns row, hash, start, end, kind of addresses, links, tags and calls."""
    found: list[tuple[int, ...]] = []
    for row in range(offsets.size - 1):
        text = _row(offsets, data, row)
        for start, end, kind in fragments_of(text):
            found.append((row, bytes_hash(text[start:end]), start, end, kind))
    return _columns(found, "u4", "u8", "u4", "u4", "u1")
