"""Which rows have nearly the same prompt: support is counted in contexts, not in rows."""

from __future__ import annotations

import itertools

import numpy as np
import pyarrow as pa

from ld50.scan.replies.columns import ReplyColumns
from ld50.scan.replies.recurring import recurring
from ld50.scan.replies.words import Words, runs, words_of

BANDS = 4
#: Rows from which on those that share nothing are sorted out first; of fewer, that takes longer.
_MANY = 1 << 16
_SEEDS = (
    0x9E3779B97F4A7C15,
    0xC2B2AE3D27D4EB4F,
    0x165667B19E3779F9,
    0xD6E8FEB86659FD93,
    0xFF51AFD7ED558CCD,
    0xC4CEB9FE1A85EC53,
    0x2545F4914F6CDD1D,
    0x9FB21C651E98DF25,
)


def minhash_bands(words: Words) -> np.ndarray:
    """uint32 (rows, 4): two minimum hashes a band, of the runs of three words of each text.

    Two texts whose runs overlap by a share J (Jaccard) agree in a band with the chance J², and in
    two bands of four, which makes them one context, with 0.99 at J = 0.9, 0.94 at 0.8, 0.26 at 0.5
    and 0.01 at 0.2. Of texts under three words, the single words are taken.

    Source: Broder, "On the resemblance and containment of documents", 1997.
    """
    out = np.zeros((words.rows, BANDS), dtype=np.uint32)
    for part, rows in _shingled(words):
        begin = part.begin[:-1][rows]
        for band in range(BANDS):
            low = np.minimum.reduceat(_permuted(part.hash, 2 * band), begin)
            other = np.minimum.reduceat(_permuted(part.hash, 2 * band + 1), begin)
            mixed = (low * np.uint64(_SEEDS[0])) ^ other
            out[rows, band] = (mixed >> np.uint64(32)).astype(np.uint32)
    return out


def contexts(columns: ReplyColumns, rows: np.ndarray) -> np.ndarray:
    """int64, a code for each of the rows: rows with nearly the same prompt share one.

    Args:
        columns: All rows.
        rows: Ordinals of the group; only these are compared.
    """
    return _components(columns.bands, rows)


def context_codes(prompts: pa.Array) -> np.ndarray:
    """int64, a code for each text: as `contexts`, from texts whose cause was cut out."""
    return _components(minhash_bands(words_of(prompts)), np.arange(len(prompts)))


def _shingled(words: Words) -> list[tuple[Words, np.ndarray]]:
    long = runs(words, 3)
    parts = [(long, np.flatnonzero(long.counts > 0))]
    short = np.flatnonzero((long.counts == 0) & (words.counts > 0))
    if len(short):
        keep = np.isin(words.row, short)
        counts = np.where(long.counts == 0, words.counts, 0)
        begin = np.concatenate([[0], np.cumsum(counts)])
        parts.append((Words(words.rows, words.row[keep], words.hash[keep], begin), short))
    return [(part, rows) for part, rows in parts if len(rows)]


def _permuted(hashes: np.ndarray, number: int) -> np.ndarray:
    mixed = hashes ^ (hashes >> np.uint64(33))
    mixed = mixed * np.uint64(_SEEDS[number])
    out: np.ndarray = mixed ^ (mixed >> np.uint64(29))
    return out


def _components(bands: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Labels of the components of some rows that share two bands, by passing the lowest label round."""
    labels = np.arange(len(rows), dtype=np.int64)
    groups = []
    # Of millions of rows, all bands at once take more room than all else.
    held = bands[rows] if len(rows) < _MANY else None
    for one, other in itertools.combinations(range(BANDS if len(rows) else 0), 2):
        first, second = (
            bands[:, band][rows] if held is None else held[:, band] for band in (one, other)
        )
        keys = first.astype(np.uint64)
        keys <<= np.uint64(32)
        keys |= second
        some, group = _shared(keys)
        if len(some):
            groups.append((some, group))
    changed = True
    while changed:
        changed = False
        for some, group in groups:
            low = np.full(group.max() + 1, len(labels), dtype=np.int64)
            np.minimum.at(low, group, labels[some])
            changed |= bool((low[group] != labels[some]).any())
            labels[some] = low[group]
    return labels


def _shared(keys: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Places of the keys that come more than once, and for each of these a number for its key (int64)."""
    # Most rows share nothing with any other: of millions, only those that may are put in order.
    some = recurring(keys, 2) if len(keys) >= _MANY else np.arange(len(keys))
    _, group, counts = np.unique(keys[some], return_inverse=True, return_counts=True)
    again = counts[group] > 1
    return some[again], group[again]
