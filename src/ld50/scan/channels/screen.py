"""A cheap look at every text, in columns: its words, its lines, and where it stops being words.

Everything after it looks at candidates only.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ld50.scan import kernels
from ld50.scan.channels.texts import Side
from ld50.scan.replies.rarity import in_a_dictionary

_SINGLE_WORD = 1
_MOST_WORDS = 4000
#: Bytes of unknown words that outweigh each byte of a known one, and what a digit counts for.
_KNOWN_WEIGHT, _DIGIT_WEIGHT = 1.5, 0.4
#: Rows for which each kind of oddness is followed up, the oddest first.
MOST_CANDIDATES = 1500
_STRETCH_BYTES = 20
_SIGNS, _SIGN_SHARE = 24, 0.3
_LETTER, _DIGIT, _SPACE, _MARK, _WIDE, _HIGH = range(6)
_CLASSES = 6


def _classes() -> np.ndarray:
    table = np.full(256, _SPACE, np.uint8)
    table[33:127] = _MARK
    for low, high, kind in (("0", "9", _DIGIT), ("A", "Z", _LETTER), ("a", "z", _LETTER)):
        table[ord(low) : ord(high) + 1] = kind
    table[0x80:] = _WIDE
    table[0xF0:] = _HIGH
    return table


_CLASS = _classes()


@dataclass(frozen=True, slots=True, kw_only=True)
class Screened:
    """One side with its words."""

    side: Side
    row: np.ndarray = field(repr=False)
    """int32 (words,): the text that each word stands in."""
    start: np.ndarray = field(repr=False)
    """int32 (words,): its first byte within the text."""
    end: np.ndarray = field(repr=False)
    hash: np.ndarray = field(repr=False)
    """uint64 (words,)."""
    known: np.ndarray = field(repr=False)
    """bool (words,): some language knows it."""
    begin: np.ndarray = field(repr=False)
    """int64 (texts + 1,): first word of each text."""
    offsets: np.ndarray = field(repr=False)
    """int64 (texts + 1,): first byte of each text."""
    data: np.ndarray = field(repr=False)
    """uint8: the bytes of all texts."""
    classes: np.ndarray = field(repr=False)
    """int64 (texts, 6): bytes that are letters, digits, white, marks, outside ASCII, of which 4-byte."""

    def __len__(self) -> int:
        return len(self.side)


def screen(side: Side) -> Screened:
    """The words and kinds of characters of every text of a side."""
    offsets, data = kernels.text_buffers(side.column)
    found = kernels.ngrams(side.column, kinds=_SINGLE_WORD, max_per_row=_MOST_WORDS)
    # There are millions of words, and what is kept of each is all that this takes.
    row = found.row.astype(np.int32)
    counts = np.bincount(row, minlength=len(side))
    return Screened(
        side=side,
        row=row,
        start=found.start.astype(np.int32),
        end=found.end.astype(np.int32),
        hash=found.hash,
        known=in_a_dictionary(found.hash),
        begin=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        offsets=offsets.astype(np.int64),
        data=data,
        classes=kernels.byte_classes(side.column, _CLASS)[:, :_CLASSES],
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretches:
    """For each text, the run of words that is least like language."""

    score: np.ndarray = field(repr=False)
    """float64 (texts,): bytes of unknown words in it, less those of known ones; 0 if none."""
    start: np.ndarray = field(repr=False)
    """int64 (texts,): first byte."""
    end: np.ndarray = field(repr=False)


def unknown_stretches(screened: Screened) -> Stretches:
    """The run of words with the most bytes that no language knows, by text.

    A maximal sum of consecutive values, for all texts at once: the sums run on over all words, and a
    fall between texts, larger than any sum, keeps a run from reaching across.
    """
    length = (screened.end - screened.start).astype(np.float64)
    first = screened.data[screened.offsets[screened.row] + screened.start]
    single = (length == 1) & ~np.isin(first, np.frombuffer(b"aAiI", np.uint8))
    digit = (first >= ord("0")) & (first <= ord("9"))
    value = np.where(screened.known & ~single, -_KNOWN_WEIGHT * length, length)
    value[digit & screened.known] = _DIGIT_WEIGHT * length[digit & screened.known]
    score, first_word, last_word = best_runs(value, screened.row, screened.begin)
    some = score > 0
    start, end = np.zeros((2, len(screened)), np.int64)
    start[some] = screened.start[first_word[some]]
    end[some] = screened.end[last_word[some]]
    return Stretches(score=score, start=start, end=end)


def best_runs(
    value: np.ndarray, row: np.ndarray, begin: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The run of consecutive values with the largest sum in each text, for all texts at once.

    The sums run on over all values, and a fall between texts, larger than any sum, keeps a run from
    reaching across.

    Args:
        value: float64 (n,).
        row: int64 (n,), rising: the text of each value.
        begin: int64 (texts + 1,): first value of each text.

    Returns:
        Sum (float64, 0 where no value is above 0), first and last value of each run (int64).
    """
    texts = len(begin) - 1
    score = np.zeros(texts)
    first, last = np.zeros((2, texts), np.int64)
    if len(value) == 0:
        return score, first, last
    fall = 10.0 * np.abs(value).sum() + 1.0
    sums = np.cumsum(value) - fall * row
    before = np.concatenate([[0.0], sums[:-1]])
    new = np.flatnonzero(np.diff(row, prepend=-1))
    before[new] = sums[new] - value[new]
    # Sums fall from text to text, so the lowest so far is of the same text.
    lowest = np.minimum.accumulate(before)
    gain = sums - lowest
    some = np.flatnonzero(np.diff(begin) > 0)
    best = np.zeros(texts)
    best[some] = np.maximum.reduceat(gain, begin[:-1][some])
    # Sums of many rows are large beside the values of one: equality is up to rounding.
    score = np.where(best > 1e-6 * (1.0 + np.abs(value).max()), best, 0.0)
    last = _first_where(gain >= best[row], row, texts)
    start = np.maximum.accumulate(np.where(before == lowest, np.arange(len(value)), 0))
    first[some] = start[last[some]]
    return score, first, last


def _first_where(hits: np.ndarray, row: np.ndarray, texts: int) -> np.ndarray:
    """int64 (texts,): place of the first hit of each text."""
    places = np.flatnonzero(hits)
    out = np.zeros(texts, np.int64)
    out[row[places][::-1]] = places[::-1]
    return out


def odd_texts(screened: Screened, stretches: Stretches) -> np.ndarray:
    """int64, rising: places of the texts that may hold something encoded.

    Unknown words in a row; or many marks, digits and characters outside of ASCII, for this set.
    """
    classes = screened.classes
    size = np.maximum(classes.sum(axis=1), 1)
    signs = classes[:, _MARK] + classes[:, _DIGIT] + classes[:, _WIDE] + classes[:, _HIGH]
    share = signs / size
    usual = float(np.quantile(share, 0.5)) if len(share) else 0.0
    signed = (signs >= _SIGNS) & (share >= max(_SIGN_SHARE, 1.5 * usual))
    high = classes[:, _HIGH] >= 16
    kinds = (
        np.where(stretches.score >= _STRETCH_BYTES, stretches.score, 0),
        np.where(signed, signs, 0),
        np.where(high, classes[:, _HIGH], 0),
        _zero_width(screened),
    )
    return np.unique(np.concatenate([_strongest(score) for score in kinds]))


def _strongest(score: np.ndarray) -> np.ndarray:
    some = np.flatnonzero(score > 0)
    if len(some) <= MOST_CANDIDATES:
        return some
    # What is odd in most rows is how the set is written: evenly over the file, not the oddest only.
    half = MOST_CANDIDATES // 2
    order = some[np.argsort(-score[some], kind="stable")]
    rest = np.sort(order[half:])
    return np.concatenate([order[:half], rest[np.linspace(0, len(rest) - 1, half).astype(int)]])


def _zero_width(screened: Screened) -> np.ndarray:
    """int64 (texts,): characters U+200B to U+200D, U+2060 to U+2064 and U+FE00 to U+FE0F of each."""
    data, texts = screened.data, len(screened)
    lead = np.flatnonzero((data == 0xE2) | (data == 0xEF))
    lead = lead[(lead >= screened.offsets[0]) & (lead + 2 < screened.offsets[-1])]
    one, two, three = data[lead], data[lead + 1], data[lead + 2]
    hit = (one == 0xE2) & (two == 0x80) & (three >= 0x8B) & (three <= 0x8D)
    hit |= (one == 0xE2) & (two == 0x81) & (three >= 0xA0) & (three <= 0xA4)
    hit |= (one == 0xEF) & (two == 0xB8) & (three <= 0x8F)
    rows = np.searchsorted(screened.offsets, lead[hit], side="right") - 1
    count = np.bincount(rows, minlength=texts)
    return np.where(count >= 8, count, 0)
