"""Which runs of one and more words occur in how many rows, and where."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from ld50.scan.labels.tokens import Tokens

#: An n-gram is left out where a longer one holds this share of its rows: they are one cause.
_SAME_CAUSE = 0.9
#: A word in this share of all rows is no part of a cause that it stands beside.
_COMMON_SHARE = 0.3


@dataclass(frozen=True, slots=True, kw_only=True)
class NgramTable:
    """Every n-gram of one length that enough rows hold, with all places where it stands."""

    length: int
    """Words in each n-gram."""
    place: np.ndarray
    """int64 (m,): first token of each occurrence; grouped by n-gram, in order of place within."""
    bounds: np.ndarray
    """int64 (g + 1,): occurrences of n-gram j are `place[bounds[j]:bounds[j + 1]]`."""
    support: np.ndarray
    """int64 (g,): rows that hold it."""

    def __len__(self) -> int:
        return len(self.support)

    def occurrences(self, ngram: int) -> np.ndarray:
        """int64: first tokens of all occurrences of one n-gram, rising."""
        return self.place[self.bounds[ngram] : self.bounds[ngram + 1]]

    def group(self) -> np.ndarray:
        """int64 (m,): n-gram of each occurrence."""
        return np.repeat(np.arange(len(self), dtype=np.int64), np.diff(self.bounds))

    def only(self, keep: np.ndarray) -> NgramTable:
        """The n-grams for which `keep` (bool (g,)) holds."""
        sizes = np.diff(self.bounds)
        bounds = np.concatenate([[0], np.cumsum(sizes[keep])])
        return NgramTable(
            length=self.length,
            place=self.place[np.repeat(keep, sizes)],
            bounds=bounds,
            support=self.support[keep],
        )


def count_ngrams(
    tokens: Tokens, row_of_token: np.ndarray, *, longest: int, least_rows: int
) -> list[NgramTable]:
    """All n-grams of 1 to `longest` words in at least `least_rows` rows that no longer one covers.

    Lengths are counted one after the other, and a longer n-gram only where both of its shorter
    parts are frequent enough, so that the work shrinks with every length.

    Args:
        tokens: All rows.
        row_of_token: From `tokens.row_of_token()`.
        longest: Most words in an n-gram.
        least_rows: Fewest rows.
    """
    tables = []
    empty = tokens.is_mark() | _common(tokens, row_of_token)
    identity = tokens.words.astype(np.int64)
    count = tokens.vocabulary
    places = np.arange(len(identity), dtype=np.int64)
    before: tuple[NgramTable, np.ndarray] | None = None
    for length in range(1, longest + 1):
        table, identity, count, places = _one_length(
            length, identity, count, places, row_of_token, least_rows
        )
        if before is not None:
            tables.append(_uncovered(*before, table, empty[tokens.words]))
        if length == longest or len(places) < 2:
            tables.append(table)
            break
        before = table, _spread(identity, places, len(row_of_token))
        follows = np.flatnonzero(
            (places[1:] == places[:-1] + 1)
            & (row_of_token[places[1:] + length - 1] == row_of_token[places[:-1]])
        )
        keys = identity[follows] * count + identity[follows + 1]
        encoded = pa.array(keys).dictionary_encode()
        identity = encoded.indices.to_numpy().astype(np.int64)
        count = len(encoded.dictionary)
        places = places[follows]
    return tables


def _common(tokens: Tokens, row_of_token: np.ndarray) -> np.ndarray:
    """bool (v,): words that stand in a large share of all rows."""
    first = np.ones(len(row_of_token), dtype=bool)
    order = np.lexsort((row_of_token, tokens.words))
    words, rows = tokens.words[order], row_of_token[order]
    first[1:] = (words[1:] != words[:-1]) | (rows[1:] != rows[:-1])
    counts = np.bincount(words[first], minlength=tokens.vocabulary)
    return np.asarray(counts > _COMMON_SHARE * max(len(tokens.rows) - 1, 1))


def _spread(identity: np.ndarray, places: np.ndarray, length: int) -> np.ndarray:
    """int32 (t,): n-gram that begins at each token, or -1."""
    at = np.full(length, -1, dtype=np.int32)
    at[places] = identity
    return at


def _uncovered(
    table: NgramTable, at: np.ndarray, longer: NgramTable, empty: np.ndarray
) -> NgramTable:
    """Those n-grams of which no longer one holds nearly all rows.

    A punctuation mark at the edge, or a word that most rows hold, does not make a longer cause: a
    word that was put at the end of every text follows a full stop.
    """
    covered = np.zeros(len(table), dtype=bool)
    first = longer.place[longer.bounds[:-1]]
    for part, edge in ((at[first], first + table.length), (at[first + 1], first)):
        same = (longer.support >= _SAME_CAUSE * table.support[part]) & ~empty[edge]
        covered[part[same]] = True
    return table.only(~covered)


def _one_length(
    length: int,
    identity: np.ndarray,
    count: int,
    places: np.ndarray,
    rows: np.ndarray,
    least_rows: int,
) -> tuple[NgramTable, np.ndarray, int, np.ndarray]:
    """The table of one length, and (identity, count, places) of the occurrences that are in it."""
    often = np.bincount(identity, minlength=count) >= least_rows
    kept = often[identity]
    identity, places = identity[kept], places[kept]
    order = np.argsort(identity, kind="stable")
    ordered, there = identity[order], places[order]
    new = np.ones(len(ordered), dtype=bool)
    new[1:] = ordered[1:] != ordered[:-1]
    row = rows[there]
    new[1:] |= row[1:] != row[:-1]
    support = np.bincount(ordered[new], minlength=count)
    enough = support >= least_rows
    number = np.cumsum(enough) - 1
    chosen = enough[ordered]
    ordered, there = number[ordered[chosen]], there[chosen]
    groups = int(enough.sum())
    bounds = np.searchsorted(ordered, np.arange(groups + 1))
    table = NgramTable(length=length, place=there, bounds=bounds, support=support[enough])
    stays = enough[identity]
    return table, number[identity[stays]], groups, places[stays]
