"""Sentence frames: what is left of a text when its content words are blanks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ld50.scan.labels.judging import Study
from ld50.scan.labels.tokens import Tokens

if TYPE_CHECKING:
    import scipy.sparse

#: The most frequent words and marks carry style; all others carry content.
_FRAME_WORDS = 150
#: In a set of so few words that its frequent ones carry the content, fewer are taken.
_WORDS_A_FRAME_WORD = 20
#: Of a long text only the beginning and the end are looked at.
_FIRST_TOKENS = 36
_LAST_TOKENS = 24
_LONGEST = 4
_LEAST_ROWS = 5


@dataclass(frozen=True, kw_only=True)
class Frames:
    """Sentence frames: runs of one to four frequent words, with all other words left blank."""

    matrix: scipy.sparse.csr_array
    """float32 (n, patterns), unit rows."""
    top: np.ndarray
    """int64: the frequent words, by number."""
    keys: np.ndarray
    """int64 (patterns,): each pattern, as a number in base `len(top) + 3`; 0 stands for none."""
    frequent: np.ndarray
    """bool (t,): whether each token is a frequent word."""

    @property
    def frequent_pair(self) -> np.ndarray:
        """bool (t,): whether each token, or the next one, is a frequent word."""
        pair = self.frequent.copy()
        pair[:-1] |= self.frequent[1:]
        return pair

    def spell(self, tokens: Tokens, pattern: int) -> str:
        """The pattern with `...` for other words and `^` for the beginning or end of the text."""
        base = len(self.top) + 3
        key, parts = int(self.keys[pattern]), []
        while key:
            symbol = key % base - 1
            key //= base
            if symbol == len(self.top):
                parts.append("...")
            elif symbol == len(self.top) + 1:
                parts.append("^")
            else:
                parts.append(tokens.spell(int(self.top[symbol])))
        return " ".join(reversed(parts))


def build_frames(study: Study) -> Frames | None:
    """The sentence frames of all rows, or None if there are too few."""
    import scipy.sparse

    tokens, row_of_token = study.tokens, study.row_of_token
    n = len(tokens.rows) - 1
    frequency = np.bincount(tokens.words, minlength=tokens.vocabulary)
    most = min(_FRAME_WORDS, tokens.vocabulary // _WORDS_A_FRAME_WORD)
    top = np.argsort(-frequency, kind="stable")[:most]
    symbol = np.full(tokens.vocabulary, len(top), dtype=np.int64)
    symbol[top] = np.arange(len(top))
    frequent = symbol[tokens.words] < len(top)
    stream, row = _frame_stream(tokens, row_of_token, symbol, len(top))
    base = len(top) + 3
    columns, where, keys_of = [], [], []
    patterns = 0
    key = np.zeros(len(stream), dtype=np.int64)
    for length in range(1, _LONGEST + 1):
        size = len(stream) - length + 1
        key = key[:size] * base + stream[length - 1 :] + 1
        inside = row[:size] == row[length - 1 :]
        keys, number, counts = _distinct(key[inside], row[:size][inside])
        keep = counts >= _LEAST_ROWS
        renumber = np.cumsum(keep) - 1 + patterns
        chosen = keep[number[0]]
        columns.append(renumber[number[0][chosen]])
        where.append(number[1][chosen])
        keys_of.append(keys[keep])
        patterns += int(keep.sum())
    if patterns == 0:
        return None
    column, line = np.concatenate(columns), np.concatenate(where)
    matrix = _unit_rows(scipy.sparse.csr_array, line, column, (n, patterns))
    return Frames(matrix=matrix, top=top, keys=np.concatenate(keys_of), frequent=frequent)


def _frame_stream(
    tokens: Tokens, row_of_token: np.ndarray, symbol: np.ndarray, blank: int
) -> tuple[np.ndarray, np.ndarray]:
    """Symbols of all rows, each row between end marks, runs of blanks made one; and their rows."""
    n = len(tokens.rows) - 1
    token = np.arange(len(tokens.words))
    kept = token - tokens.rows[:-1][row_of_token] < _FIRST_TOKENS
    kept |= tokens.rows[1:][row_of_token] - token <= _LAST_TOKENS
    words, row = tokens.words[kept], row_of_token[kept].astype(np.int64)
    counts = np.bincount(row, minlength=n)
    stream = np.full(len(words) + 2 * n, blank + 1, dtype=np.int64)
    stream[np.arange(len(words)) + 2 * row + 1] = symbol[words]
    rows = np.repeat(np.arange(n), counts + 2)
    keep = np.ones(len(stream), dtype=bool)
    keep[1:] = (stream[1:] != blank) | (stream[:-1] != blank)
    return stream[keep], rows[keep]


def _distinct(
    key: np.ndarray, row: np.ndarray
) -> tuple[np.ndarray, tuple[np.ndarray, np.ndarray], np.ndarray]:
    """Distinct keys, (key number, row) of every distinct pair of both, and rows of each key."""
    keys, number = np.unique(key, return_inverse=True)
    both = np.unique(row * len(keys) + number)
    pair = both % max(len(keys), 1), both // max(len(keys), 1)
    return keys, pair, np.bincount(pair[0], minlength=len(keys))


def _unit_rows(
    make: type[scipy.sparse.csr_array], row: np.ndarray, column: np.ndarray, shape: tuple[int, int]
) -> scipy.sparse.csr_array:
    frequency = np.bincount(column, minlength=shape[1])
    weight = np.log((shape[0] + 1) / (frequency + 1.0))
    norm = np.sqrt(np.bincount(row, weights=weight[column] ** 2, minlength=shape[0]))
    values = weight[column] / np.maximum(norm[row], 1e-9)
    return make((values.astype(np.float32), (row, column)), shape=shape)


def typical_frames(study: Study, frames: Frames, rows: np.ndarray) -> tuple[str, ...]:
    """The few frames that are most typical of the rows, longest form first."""
    if len(rows) == 0:
        return ()
    binary = frames.matrix.copy()
    binary.data = np.ones_like(binary.data)
    inside = np.asarray(binary[rows].sum(axis=0)).reshape(-1)
    total = np.asarray(binary.sum(axis=0)).reshape(-1)
    share = len(rows) / binary.shape[0]
    expected = np.maximum(total * share, 1e-9)
    gain = np.where(inside > expected, inside * np.log(np.maximum(inside, 1) / expected), 0.0)
    chosen: list[str] = []
    for pattern in np.argsort(-gain, kind="stable")[:40]:
        text = frames.spell(study.tokens, int(pattern))
        if gain[pattern] > 0 and not any(text in other or other in text for other in chosen):
            chosen.append(text)
        if len(chosen) == 4:
            break
    return tuple(chosen)
