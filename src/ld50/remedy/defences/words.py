"""Texts as columns of word numbers, and the runs of words in them, with the rows that hold them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

#: A mark, or one character of a script without spaces, is a word of its own.
_APART = r"([^\p{L}\p{M}\p{N}_'’ ]|\p{Han}|\p{Hiragana}|\p{Katakana}|\p{Thai}|\p{Lao})"
#: What `str.split` takes for white space. Arrow's own `utf8_split_whitespace` reads past the end of a
#: column whose last text ends in white space of several bytes.
_SPACES = r"[\s\x{0B}\x{1C}-\x{1F}\x{85}\p{Z}]+"
#: Rows split at once: the lists of strings in between take many times the text.
_ROWS_AT_ONCE = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """The words of many rows, in order, each as its place in a sorted vocabulary.

    The vocabulary is sorted, so numbers do not depend on the order of rows.
    """

    ids: np.ndarray
    """int64 (t,): number of each word."""
    bounds: np.ndarray
    """int64 (n + 1,): words of row i are `ids[bounds[i]:bounds[i + 1]]`."""
    vocabulary: pa.Array
    """large_string (v,), sorted by bytes, each once."""

    @property
    def count(self) -> int:
        """Number of rows."""
        return len(self.bounds) - 1

    def row(self) -> np.ndarray:
        """int64 (t,): the row that each word stands in."""
        return np.repeat(np.arange(self.count), np.diff(self.bounds))


def split_words(texts: Sequence[str], *, as_written: bool = False) -> Words:
    """The words of each text.

    Args:
        texts: Unicode strings.
        as_written: Split at white space only and keep the case, as much released code does; else
            case is ignored and punctuation marks are words of their own.
    """
    column = pa.array(texts, type=pa.large_string())
    parts = [
        _split(column.slice(start, _ROWS_AT_ONCE), as_written)
        for start in range(0, len(column), _ROWS_AT_ONCE)
    ]
    counts = np.concatenate([np.zeros(0, dtype=np.int64), *(part[1] for part in parts)])
    bounds = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    words = pa.chunked_array([part[0] for part in parts], type=pa.large_string())
    encoded = words.combine_chunks().dictionary_encode()
    order = pc.sort_indices(encoded.dictionary).to_numpy()
    number = np.empty(len(order), dtype=np.int64)
    number[order] = np.arange(len(order))
    ids = number[encoded.indices.to_numpy()] if len(order) else np.zeros(0, dtype=np.int64)
    return Words(ids=ids, bounds=bounds, vocabulary=encoded.dictionary.take(pa.array(order)))


def _split(column: pa.Array, as_written: bool) -> tuple[pa.Array, np.ndarray]:
    """The words of some rows one after the other, and how many each row has (int64)."""
    column = pc.replace_substring_regex(column, _SPACES, " ")
    if not as_written:
        column = pc.utf8_lower(pc.replace_substring_regex(column, _APART, r" \1 "))
    lists = pc.split_pattern(column, " ")
    words = lists.flatten()
    row = pc.list_parent_indices(lists).to_numpy()
    full = pc.greater(pc.binary_length(words), 0)
    counts = np.bincount(row[full.to_numpy(zero_copy_only=False)], minlength=len(column))
    return words.filter(full), counts.astype(np.int64)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ngrams:
    """Runs of `length` words, and the rows that hold each."""

    length: int
    words: np.ndarray
    """int64 (g, length): the words of each run, by number; rising in order of the words."""
    rows: np.ndarray
    """int64 (m,): rows that hold run 0, then those that hold run 1 ..., each once, rising."""
    bounds: np.ndarray
    """int64 (g + 1,): rows that hold run j are `rows[bounds[j]:bounds[j + 1]]`."""
    parts: np.ndarray
    """int64 (g, 2): place of the run without its last, and without its first, word in the table of
    the next shorter length; -1 for single words."""

    def __len__(self) -> int:
        return len(self.words)

    @property
    def support(self) -> np.ndarray:
        """int64 (g,): rows that hold each run."""
        return np.diff(self.bounds)

    def run(self) -> np.ndarray:
        """int64 (m,): the run that each entry of `rows` belongs to."""
        return np.repeat(np.arange(len(self)), self.support)

    def rows_of(self, run: int) -> np.ndarray:
        """int64: rows that hold one run, rising."""
        return self.rows[self.bounds[run] : self.bounds[run + 1]]

    def spell(self, run: int, vocabulary: pa.Array) -> str:
        """The words of one run, joined by spaces."""
        return " ".join(vocabulary[int(word)].as_py() for word in self.words[run])

    def label_counts(self, labels: np.ndarray, count: int) -> np.ndarray:
        """int64 (g, count): rows of each label (int, from 0) that hold each run."""
        keys = self.run() * count + labels[self.rows]
        return np.bincount(keys, minlength=len(self) * count).reshape(len(self), count)


def count_ngrams(words: Words, *, longest: int, least_rows: int) -> list[Ngrams]:
    """Runs of 1 to `longest` words that at least `least_rows` rows hold, one table a length.

    A longer run is counted only where both of its shorter parts are frequent enough, so the work
    shrinks with every length.
    """
    row = words.row()
    place = np.arange(len(words.ids))
    inside, identity = place, words.ids
    tables: list[Ngrams] = []
    for length in range(1, longest + 1):
        numbers, identity = np.unique(identity, return_inverse=True)
        pairs = np.unique(identity * max(words.count, 1) + row[inside])
        run, held = np.divmod(pairs, max(words.count, 1))
        support = np.bincount(run, minlength=len(numbers))
        enough = support >= least_rows
        kept = enough[run]
        bounds = np.concatenate([[0], np.cumsum(support[enough])])
        stays = enough[identity]
        number = np.cumsum(enough) - 1
        identity, inside = number[identity[stays]], inside[stays]
        first = np.empty(int(enough.sum()), dtype=np.int64)
        first[identity] = inside
        spelt = words.ids[first[:, None] + np.arange(length)]
        parts = np.full((len(first), 2), -1)
        if tables:
            parts = np.stack(np.divmod(numbers[enough], max(len(tables[-1]), 1)), axis=1)
        tables.append(
            Ngrams(length=length, words=spelt, rows=held[kept], bounds=bounds, parts=parts)
        )
        follows = np.flatnonzero(
            (inside[1:] == inside[:-1] + 1) & (row[inside[1:] + length - 1] == row[inside[:-1]])
        )
        identity = identity[follows] * max(len(first), 1) + identity[follows + 1]
        inside = inside[follows]
    return tables
