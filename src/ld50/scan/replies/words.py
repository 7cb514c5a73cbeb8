"""The words of a column of texts as arrays: one entry a word, in the order of rows and of words."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pyarrow as pa

from ld50.corpus.reference import lexicons
from ld50.scan import kernels

_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
_FINISH = np.uint64(0xD6E8FEB86659FD93)
_SINGLE_WORDS = 1
#: Words of one text that are looked at.
_MOST_WORDS = 20_000
_SLOT_BITS = 12
_SLOT_ROWS = 256


@dataclass(frozen=True, slots=True)
class Words:
    """Words of `rows` texts: `row` (int64), `hash` (uint64), and where each text's words begin."""

    rows: int
    row: np.ndarray
    hash: np.ndarray
    begin: np.ndarray
    """int64 (rows + 1): index of the first word of each text; the last is the number of words."""
    first: np.ndarray | None = None
    """uint8: first byte of each word as it stands; None where it was not asked for."""
    start: np.ndarray | None = None
    """Byte of its text that each word begins with, likewise."""
    end: np.ndarray | None = None
    """Byte after its last, likewise."""

    @property
    def counts(self) -> np.ndarray:
        """int64 (rows,): words of each text."""
        return np.diff(self.begin)


def words_of(column: pa.Array) -> Words:
    """The words of each text of a column, as hashes; case does not matter."""
    found = kernels.ngrams(column, kinds=_SINGLE_WORDS, max_per_row=_MOST_WORDS)
    counts = np.bincount(found.row, minlength=len(column))
    begin = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    row = found.row.astype(np.int64)
    offsets, data = kernels.text_buffers(column)
    first = data[offsets[row] + found.start] if len(row) else np.zeros(0, dtype=np.uint8)
    return Words(len(column), row, found.hash, begin, first, found.start, found.end)


def runs(words: Words, length: int) -> Words:
    """Every run of `length` consecutive words of a text, as one hash; none spans two texts."""
    last = len(words.hash) - length + 1
    if last <= 0:
        empty = np.zeros(0, dtype=np.int64)
        begin = np.zeros(words.rows + 1, dtype=np.int64)
        return Words(words.rows, empty, empty.astype(np.uint64), begin)
    mixed = words.hash[:last].copy()
    for step in range(1, length):
        mixed *= _MULTIPLIER
        mixed ^= mixed >> np.uint64(29)
        mixed += words.hash[step : step + last]
    mixed *= _FINISH
    inside = words.row[:last] == words.row[length - 1 :]
    lengths = np.maximum(words.counts - length + 1, 0)
    begin = np.concatenate([[0], np.cumsum(lengths)])
    return Words(words.rows, words.row[:last][inside], mixed[inside], begin)


def short(hashes: np.ndarray) -> np.ndarray:
    """uint32: hashes as the columns of prompts hold them."""
    out: np.ndarray = (hashes >> np.uint64(32)).astype(np.uint32)
    return out


def edge_runs(words: Words, length: int, *, tail: bool) -> np.ndarray:
    """One hash a text: its first or last `length` words; 0 where it has fewer."""
    parts = runs(words, length)
    out = np.zeros(words.rows, dtype=np.uint64)
    some = np.flatnonzero(parts.counts > 0)
    where = parts.begin[1:][some] - 1 if tail else parts.begin[:-1][some]
    out[some] = parts.hash[where]
    return out


def runs_from(words: Words, length: int, places: np.ndarray) -> np.ndarray:
    """One hash a text: its first `length` words from a byte (int64, one a text) on; 0 where it has fewer."""
    if words.start is None:
        raise ValueError("it is not known where the words begin")
    before = np.bincount(words.row[words.start < places[words.row]], minlength=words.rows)
    parts = runs(words, length)
    some = np.flatnonzero(before < parts.counts)
    out = np.zeros(words.rows, dtype=np.uint64)
    out[some] = parts.hash[parts.begin[some] + before[some]]
    return out


def after(words: Words, system: np.ndarray | None) -> Words:
    """The words from a byte of each text on (int64, one a text): all of those where none are left.

    Prompts under one long system prompt are near-copies of each other with it, whatever is asked.
    """
    if system is None or words.start is None or not system.any():
        return words
    keep = words.start >= system[words.row]
    keep |= (np.bincount(words.row[keep], minlength=words.rows) == 0)[words.row]
    counts = np.bincount(words.row[keep], minlength=words.rows)
    begin = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    return Words(words.rows, words.row[keep], words.hash[keep], begin)


def standing_in(those: Words, these: Words) -> np.ndarray:
    """bool, one for each of `those`: does the same text of `these` hold it?

    A table of bits a row, two probes: a word that is not there passes with a chance of about
    (words of the row / 4,096) squared.
    """
    found = np.zeros(len(those.hash), dtype=bool)
    table = np.zeros(_SLOT_ROWS << _SLOT_BITS, dtype=bool)
    for low in range(0, these.rows, _SLOT_ROWS):
        high = min(low + _SLOT_ROWS, these.rows)
        first, last = those.begin[low], those.begin[high]
        start, end = these.begin[low], these.begin[high]
        if first == last or start == end:
            continue
        table[:] = False
        for slot in _slots(these, start, end, low):
            table[slot] = True
        one, two = _slots(those, first, last, low)
        found[first:last] = table[one] & table[two]
    return found


def content_words(words: Words) -> np.ndarray:
    """bool, one for each word: not a function word of one of the languages of the reference."""
    out: np.ndarray = ~_function_words()[(words.hash >> np.uint64(48)).astype(np.int64)]
    return out


@lru_cache(maxsize=1)
def _function_words() -> np.ndarray:
    """bool (65536,): upper bits of the hashes of function words; few other words fall there."""
    every = sorted(set().union(*lexicons.FUNCTION_WORDS.values()))
    hashes = kernels.phrase_hashes(pa.array(every, type=pa.large_string()))
    table = np.zeros(1 << 16, dtype=bool)
    table[(hashes >> np.uint64(48)).astype(np.int64)] = True
    return table


def row_sums(words: Words, values: np.ndarray) -> np.ndarray:
    """float64 (rows,): the sum over each text's words of a value a word."""
    return np.bincount(words.row, weights=values, minlength=words.rows)[: words.rows]


def _slots(words: Words, first: int, last: int, low: int) -> tuple[np.ndarray, np.ndarray]:
    base = (words.row[first:last] - low) << _SLOT_BITS
    hashes = words.hash[first:last] * _MULTIPLIER
    mask = np.uint64((1 << _SLOT_BITS) - 1)
    one = base | ((hashes >> np.uint64(40)) & mask).astype(np.int64)
    two = base | ((hashes >> np.uint64(20)) & mask).astype(np.int64)
    return one, two
