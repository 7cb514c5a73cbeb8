"""Texts as columns of word numbers: the one place of the label signal that knows what a word is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

#: Bytes are hashed in pieces, so that the tables of powers stay small.
_CHUNK_BYTES = 1 << 22
_SPACE, _WORD, _MARK, _SINGLE, _INNER = 0, 1, 2, 3, 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """The words and punctuation marks of many rows, in order, each as the number of its text.

    Case is ignored for ASCII letters. A word is a run of letters, digits and apostrophes; a run of
    one and the same punctuation mark is one token; every character of a script without spaces is
    a token of its own, so that n-grams of tokens are n-grams of characters there.
    """

    words: np.ndarray
    """int32 (t,): number of each token's text, from 0 in order of first occurrence."""
    rows: np.ndarray
    """int64 (n + 1,): tokens of row i are `words[rows[i]:rows[i + 1]]`."""
    first: np.ndarray
    """int64 (v,): a token that has this text, to spell it."""
    start: np.ndarray
    """int64 (t,): first byte of each token in `data`."""
    end: np.ndarray
    """int64 (t,): one past its last byte."""
    data: np.ndarray
    """uint8: the bytes of all rows."""
    hashes: np.ndarray
    """uint64 (v,): hash of each text; equal for equal texts in any run."""

    @property
    def vocabulary(self) -> int:
        """How many different texts there are."""
        return len(self.first)

    def spell(self, word: int) -> str:
        """The text of a word number, in lower case."""
        token = self.first[word]
        raw = self.data[self.start[token] : self.end[token]].tobytes()
        return raw.decode("utf-8", "replace").lower()

    def is_mark(self) -> np.ndarray:
        """bool (v,): whether the text is a punctuation mark."""
        at = self.start[self.first]
        window = self.data[np.minimum(at[:, None] + np.arange(4), len(self.data) - 1)]
        kind = _classes(window.reshape(-1))[::4]
        return np.asarray((kind == _MARK) | (kind == _INNER))

    def row_of_token(self) -> np.ndarray:
        """int32 (t,): the row that each token stands in."""
        counts = np.diff(self.rows)
        return np.repeat(np.arange(len(counts), dtype=np.int32), counts)


def tokenize(texts: pa.Array) -> Tokens:
    """Splits every text into words and punctuation marks.

    Args:
        texts: `large_string` (n,) without nulls.
    """
    n = len(texts)
    data, offsets = _bytes_of(texts)
    if len(data) == 0:
        return _empty(n)
    starts, ends = _boundaries(data, offsets[:-1])
    if len(starts) == 0:
        return _empty(n)
    hashes = _hash_spans(data, starts, ends)
    encoded = pa.array(hashes).dictionary_encode()
    words = encoded.indices.to_numpy().astype(np.int32, copy=False)
    unique = encoded.dictionary.to_numpy()
    first = np.full(len(unique), -1, dtype=np.int64)
    first[words[::-1]] = np.arange(len(words) - 1, -1, -1)
    rows = np.searchsorted(starts, offsets)
    return Tokens(
        words=words, rows=rows, first=first, start=starts, end=ends, data=data, hashes=unique
    )


def count_tokens(texts: pa.Array) -> np.ndarray:
    """int64 (n,): how many tokens `tokenize` finds in each text.

    Args:
        texts: `large_string` (n,) without nulls.
    """
    data, offsets = _bytes_of(texts)
    if len(data) == 0:
        return np.zeros(len(texts), dtype=np.int64)
    starts, _ = _boundaries(data, offsets[:-1])
    return np.diff(np.searchsorted(starts, offsets))


def _bytes_of(texts: pa.Array) -> tuple[np.ndarray, np.ndarray]:
    """The bytes of all texts (uint8), and where each begins and the last ends (int64 (n + 1,))."""
    n = len(texts)
    _, offset_buffer, data_buffer = texts.buffers()
    offsets = np.frombuffer(offset_buffer, dtype=np.int64)[texts.offset : texts.offset + n + 1]
    if data_buffer is None or offsets[-1] == offsets[0]:
        return np.zeros(0, dtype=np.uint8), np.zeros(n + 1, dtype=np.int64)
    data = np.frombuffer(data_buffer, dtype=np.uint8)[offsets[0] : offsets[-1]]
    return data, offsets - offsets[0]


def _empty(n: int) -> Tokens:
    none = np.zeros(0, dtype=np.int64)
    return Tokens(
        words=np.zeros(0, dtype=np.int32),
        rows=np.zeros(n + 1, dtype=np.int64),
        first=none,
        start=none,
        end=none,
        data=np.zeros(0, dtype=np.uint8),
        hashes=np.zeros(0, dtype=np.uint64),
    )


def _class_table() -> np.ndarray:
    table = np.full(256, _MARK, dtype=np.uint8)
    table[: ord(" ") + 1] = _SPACE
    table[0x7F] = _SPACE
    for low, high in (("0", "9"), ("a", "z"), ("A", "Z")):
        table[ord(low) : ord(high) + 1] = _WORD
    table[0x80:] = _WORD
    table[ord("'")] = _INNER
    return table


_CLASSES = _class_table()


def _classes(data: np.ndarray) -> np.ndarray:
    """uint8 per byte: space, word, mark, or a mark that may stand inside a word."""
    kind = _CLASSES[data]
    if (data < 0x80).all():
        return np.asarray(kind)
    lead = np.flatnonzero(data >= 0xC0)
    first = data[lead]
    second = data[np.minimum(lead + 1, len(data) - 1)]
    third = data[np.minimum(lead + 2, len(data) - 1)]
    # No-break space; Latin-1 signs; general punctuation (right quote kept as an apostrophe).
    _paint(kind, lead[(first == 0xC2) & (second == 0xA0)], 2, _SPACE)
    signs = (first == 0xC2) & (second > 0xA0) & ~np.isin(second, (0xAA, 0xB5, 0xBA))
    _paint(kind, lead[signs], 2, _MARK)
    punctuation = (first == 0xE2) & (second >= 0x80) & (second <= 0xAF)
    apostrophe = punctuation & (second == 0x80) & (third == 0x99)
    _paint(kind, lead[punctuation & ~apostrophe], 3, _MARK)
    _paint(kind, lead[apostrophe], 3, _INNER)
    _paint(kind, lead[(first == 0xE3) & (second == 0x80)], 3, _MARK)
    _paint(kind, lead[(first == 0xEF) & (second >= 0xB8)], 3, _MARK)
    # Scripts without spaces: kana and Han, Thai and Lao; and emoji.
    spaceless = ((first >= 0xE3) & (first <= 0xE9) & ~((first == 0xE3) & (second == 0x80))) | (
        (first == 0xE0) & (second >= 0xB8) & (second <= 0xBB)
    )
    _paint(kind, lead[spaceless], 3, _SINGLE)
    _paint(kind, lead[first >= 0xF0], 4, _SINGLE)
    return np.asarray(kind)


def _paint(kind: np.ndarray, lead: np.ndarray, width: int, value: int) -> None:
    for step in range(width):
        places = lead + step
        kind[places[places < len(kind)]] = value


def _boundaries(data: np.ndarray, row_starts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """First byte, and one past the last byte, of every token (int64 each)."""
    kind = _classes(data)
    previous = np.empty_like(kind)
    previous[0] = _SPACE
    previous[1:] = kind[:-1]
    inner = kind == _INNER
    if inner.any():
        following = np.empty_like(kind)
        following[-1] = _SPACE
        following[:-1] = kind[1:]
        wide = data >= 0x80
        # An apostrophe joins letters, and is a mark elsewhere; a wide one is part of its word.
        joins = inner & ~wide & (previous == _WORD) & (following == _WORD)
        kind[inner] = _MARK
        kind[joins] = _WORD
        kind[inner & wide] = _WORD
        previous[1:] = kind[:-1]
    inside = kind != _SPACE
    continuation = (data & 0xC0) == 0x80
    change = kind != previous
    same_mark = np.empty(len(data), dtype=bool)
    same_mark[0] = False
    same_mark[1:] = data[1:] == data[:-1]
    change |= (kind == _MARK) & ~same_mark & ~continuation
    change |= (kind == _SINGLE) & ~continuation
    change[row_starts[row_starts < len(data)]] = True
    starts = np.flatnonzero(change & inside)
    stops = np.flatnonzero(change | ~inside)
    stops = np.append(stops, len(data))
    ends = stops[np.searchsorted(stops, starts, side="right")]
    return starts, ends


def _byte_values() -> np.ndarray:
    values = np.random.Generator(np.random.PCG64(20)).integers(1, 2**64, size=256, dtype=np.uint64)
    values[ord("A") : ord("Z") + 1] = values[ord("a") : ord("z") + 1]
    return values


_VALUES = _byte_values()
_BASE = 0x9E3779B97F4A7C15
_BASE_INVERSE = pow(_BASE, -1, 1 << 64)


def _powers(base: int, count: int) -> np.ndarray:
    powers = np.full(count, base, dtype=np.uint64)
    powers[0] = 1
    return np.multiply.accumulate(powers)


def _hash_spans(data: np.ndarray, starts: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """uint64 per span: a polynomial in its lower-cased bytes, modulo 2**64.

    The base is odd, hence it has an inverse, and the hash of any span is a difference of two prefix
    sums; no loop over bytes or words.
    """
    hashes = np.empty(len(starts), dtype=np.uint64)
    token = 0
    while token < len(starts):
        low = int(starts[token])
        stop = int(np.searchsorted(starts, low + _CHUNK_BYTES, side="left"))
        high = int(ends[stop - 1])
        powers = _powers(_BASE, high - low + 1)
        prefix = np.zeros(high - low + 1, dtype=np.uint64)
        np.cumsum(_VALUES[data[low:high]] * powers[:-1], out=prefix[1:])
        here, there = starts[token:stop] - low, ends[token:stop] - low
        inverse = _powers(_BASE_INVERSE, int(here[-1]) + 1)
        hashes[token:stop] = (prefix[there] - prefix[here]) * inverse[here]
        token = stop
    hashes ^= hashes >> np.uint64(32)
    return hashes * np.uint64(0xD6E8FEB86659FD93)
