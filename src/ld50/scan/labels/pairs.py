"""Pairs of words, anywhere in a row, that go with a label only together."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ld50.scan.labels.evidence import LabelView
from ld50.scan.labels.tokens import Tokens

_CHUNK_PAIRS = 1 << 21
#: Pairs that are looked at exactly at a time, so that a set full of them takes no more memory.
_PART_PAIRS = 1 << 22
_BUCKET_BITS = 22
_MIX = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True, slots=True, kw_only=True)
class WordRows:
    """Which of the chosen words stand in which rows, every pair once, in order of rows."""

    word: np.ndarray
    """int64 (m,), numbers of `Tokens.words`."""
    row: np.ndarray
    """int64 (m,)."""
    start: np.ndarray
    """int64 (n + 1,): words of row i are those from `start[i]` to `start[i + 1]`."""
    token: np.ndarray
    """int64: tokens of these words, grouped by entry."""
    token_start: np.ndarray
    """int64 (m,): first token of each entry in `token`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WordPairs:
    """Pairs of words with their evidence for one label."""

    first: np.ndarray
    second: np.ndarray
    both: np.ndarray
    """Rows with both words and the label."""
    contradiction: np.ndarray
    """As in `evidence.Tally`, both words taken out."""
    mixture: np.ndarray
    lift: np.ndarray
    """Rows with both words and the label, over what chance would have if it had no preference."""
    tests: int
    """Pairs that stand together in enough rows to be tested."""


#: Keys, rows with both and the label, contradiction and mixture of pairs.
_Exact = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def words_by_row(
    tokens: Tokens, row_of_token: np.ndarray, *, least_rows: int, most_incidences: int
) -> WordRows:
    """Words that are neither too rare nor so frequent that their pairs are too many to look at.

    Args:
        tokens: All rows.
        row_of_token: From `tokens.row_of_token()`.
        least_rows: Fewest rows.
        most_incidences: Bound on the pairs of words, summed over the rows.
    """
    count = tokens.vocabulary
    keys = row_of_token.astype(np.int64) * count + tokens.words
    keep = ~tokens.is_mark()[tokens.words]
    token = np.flatnonzero(keep)
    token = token[np.argsort(keys[token], kind="stable")]
    ordered = keys[token]
    new = np.ones(len(ordered), dtype=bool)
    new[1:] = ordered[1:] != ordered[:-1]
    frequency = np.bincount(ordered[new] % count, minlength=count)
    most = _frequency_bound(frequency, ordered[new], count, least_rows, most_incidences)
    allowed = (frequency >= least_rows) & (frequency <= most)
    chosen = allowed[ordered % count]
    token, ordered, new = token[chosen], ordered[chosen], new[chosen]
    start = np.flatnonzero(new)
    row = ordered[start] // count
    n = len(tokens.rows) - 1
    return WordRows(
        word=ordered[start] % count,
        row=row,
        start=np.searchsorted(row, np.arange(n + 1)),
        token=token,
        token_start=start,
    )


def _frequency_bound(
    frequency: np.ndarray, entries: np.ndarray, count: int, least_rows: int, most_incidences: int
) -> int:
    """Largest number of rows a word may have so that the pairs of words stay within bounds."""
    most = int(frequency.max(initial=0))
    while most > least_rows:
        allowed = (frequency >= least_rows) & (frequency <= most)
        sizes = np.bincount((entries // count)[allowed[entries % count]])
        if float((sizes.astype(np.float64) * (sizes - 1) / 2).sum()) <= most_incidences:
            break
        most = int(most * 0.8)
    return most


def score_pairs(
    words: WordRows, view: LabelView, *, least_rows: int, floor: float, vocabulary: int
) -> WordPairs:
    """Pairs of words in at least `least_rows` rows of the label whose evidence passes `floor`.

    The first pass over all pairs adds up, in hashed buckets, the nats of the rows that speak for the
    pair, which bounds its evidence from above; the second looks exactly at the pairs in the buckets
    that pass, and is made in parts where they hold many. Memory is bounded by chunk and part.

    Args:
        words: From `words_by_row`.
        view: The label.
        least_rows: Fewest rows with both words and the label.
        floor: Least evidence, in nats, of either kind.
        vocabulary: `Tokens.vocabulary`.
    """
    added = (
        np.add.reduceat(view.added(words.token, 1), words.token_start)
        if len(words.word)
        else (np.zeros(0))
    )
    gain = np.zeros(1 << _BUCKET_BITS, dtype=np.float32)
    rows = np.zeros(1 << _BUCKET_BITS, dtype=np.int32)
    for key, ratio in _pairs(words, added, view, vocabulary):
        bucket = _bucket(key)
        gain += np.bincount(bucket, weights=np.maximum(ratio, 0), minlength=len(gain)).astype(
            np.float32
        )
        rows += np.bincount(bucket, minlength=len(rows)).astype(np.int32)
    passing = (gain >= floor) & (rows >= least_rows)
    tests = int((rows >= least_rows).sum())
    load = np.cumsum(np.where(passing, rows, 0))
    del gain, rows
    found = []
    # One part at least, so that there are arrays to join.
    for low in range(0, max(int(load[-1]), 1), _PART_PAIRS):
        part = passing & (load > low) & (load <= low + _PART_PAIRS)
        exact = _exact(words, added, view, vocabulary, part)
        good = _good(exact, least_rows, floor)
        found.append([values[good] for values in exact])
    keys, both, contradiction, mixture = (np.concatenate(part) for part in zip(*found, strict=True))
    order = np.argsort(keys)
    keys, both = keys[order], both[order]
    frequency = np.bincount(words.word, minlength=vocabulary)
    rows_of_label = max(int(view.answer.sum()), 1) / max(len(view.answer), 1)
    chance = frequency[keys // vocabulary] * (frequency[keys % vocabulary] / len(view.answer))
    return WordPairs(
        first=keys // vocabulary,
        second=keys % vocabulary,
        both=both,
        contradiction=contradiction[order],
        mixture=mixture[order],
        lift=both / np.maximum(chance * rows_of_label, 1e-9),
        tests=tests,
    )


def _exact(
    words: WordRows, added: np.ndarray, view: LabelView, vocabulary: int, chosen: np.ndarray
) -> _Exact:
    """Keys, rising, of all pairs in the buckets `chosen`, with rows and both kinds of nats."""
    kept_keys, kept_ratios = [np.zeros(0, dtype=np.int64)], [np.zeros(0)]
    for key, ratio in _pairs(words, added, view, vocabulary):
        keep = chosen[_bucket(key)]
        kept_keys.append(key[keep])
        kept_ratios.append(ratio[keep])
    keys, inverse, both = np.unique(
        np.concatenate(kept_keys), return_inverse=True, return_counts=True
    )
    ratio = np.concatenate(kept_ratios)
    other = 1 / (1 + np.exp(view.prior))
    contradiction = np.bincount(inverse, weights=ratio, minlength=len(keys))
    mixture = np.bincount(inverse, weights=np.log1p(other * np.expm1(ratio)), minlength=len(keys))
    return keys, both, contradiction, mixture


def _good(found: _Exact, least_rows: int, floor: float) -> np.ndarray:
    """bool: the pairs in enough rows with enough evidence."""
    _, both, contradiction, mixture = found
    return np.asarray((both >= least_rows) & (np.maximum(contradiction, mixture) >= floor))


def _bucket(key: np.ndarray) -> np.ndarray:
    mixed = key.astype(np.uint64) * _MIX
    return (mixed >> np.uint64(64 - _BUCKET_BITS)).astype(np.int64)


def _pairs(
    words: WordRows, added: np.ndarray, view: LabelView, vocabulary: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Keys of pairs, and what is left of each row without the two, for rows with the label."""
    sizes = np.diff(words.start)
    rows = np.flatnonzero(view.answer & (sizes >= 2))
    load = np.cumsum(sizes[rows] * (sizes[rows] - 1) // 2)
    stop = 0
    while stop < len(rows):
        begin = stop
        done = load[begin - 1] if begin else 0
        stop = max(begin + 1, int(np.searchsorted(load, done + _CHUNK_PAIRS, side="right")))
        some = rows[begin:stop]
        first, second = _combinations(words.start[some], sizes[some])
        row = words.row[first]
        logit = view.logit[row] - added[first] - added[second]
        yield words.word[first] * vocabulary + words.word[second], view.contradiction(logit)


def _combinations(start: np.ndarray, sizes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """All pairs of entries within each block `start[i]` to `start[i] + sizes[i]`."""
    entry = np.repeat(start, sizes) + _ramp(sizes)
    following = np.repeat(sizes, sizes) - 1 - _ramp(sizes)
    first = np.repeat(entry, following)
    second = first + 1 + _ramp(following)
    return first, second


def _ramp(sizes: np.ndarray) -> np.ndarray:
    """0, 1, ..., sizes[0] - 1, 0, 1, ..., sizes[1] - 1, ..."""
    total = int(sizes.sum())
    begin = np.cumsum(sizes) - sizes
    return np.asarray(np.arange(total) - np.repeat(begin, sizes))
