"""What is ordinary in this corpus, from a sample of its rows: common n-grams, pairs of words, grammar.

The reference knows the pairs of general English. A corpus of manuals has its own, and a manual full of
them looked like a salad of words; what two of its documents share is ordinary here. Words that stand as
often as in prose, but in no order, are told by the order of the most frequent ones: "of the" is frequent
in a language, and "the of" is not, whatever the language is.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from ld50.corpus import Plan
from ld50.corpus import read as read_unit
from ld50.scan import kernels
from ld50.scan.checkpoint import Columns
from ld50.scan.rereading import cause_column

#: Blocks that are sampled: the first of so many units, evenly over all, or more of fewer; rows of each;
#: bytes of each row.
_MOST_BLOCKS, _MOST_ROWS, _MOST_BYTES = 32, 256, 8192
#: A block has so many bytes or more: that of a batch, or of some small ones.
_BLOCK_BYTES = 1 << 20
#: Of every so manieth of these rows, the n-grams of so many bytes.
_NGRAM_STEP, _NGRAM_BYTES = 2, 2048
_SINGLE_WORDS, _PAIRS = 1 << 0, 1 << 1
#: The words of so many bytes of so many rows of all units together, of one unit at least so many.
_WORD_ROWS, _LEAST_WORD_ROWS, _WORD_BYTES = 2048, 64, 4096
#: Fewest words of a sample that say in which order the frequent ones stand.
_LEAST_WORDS = 30_000
#: Fewest words of a text in the mean: sentences by themselves ("what time is it there ?") are too short to
#: have an order, and a pair of words would be the cause of its own oddness.
_LEAST_MEAN = 60
#: Points a nat (those of the reference), and the most and the fewest of a pair: no pair is odd by itself.
_SCALE, _MOST_POINTS, _FEWEST_POINTS = 10.0, 20, -30
#: What is added to counts of pairs, and the share of a corpus that may be words in no order.
_PSEUDO_COUNT, _NO_ORDER = 1.0, 0.02
#: Sampled rows that hold an n-gram before anything is made of how common it is.
_OFTEN = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class CorpusSample:
    """The sample, merged."""

    ngrams: np.ndarray = field(repr=False)
    """uint64, rising: n-grams of the cause column in at least eight of `rows` rows."""
    counts: np.ndarray = field(repr=False)
    """int64: in how many of them."""
    rows: int
    """Rows whose n-grams were listed."""
    pairs: np.ndarray = field(repr=False)
    """uint64, rising: pairs of words in the documents of at least two sampled rows."""
    frequent: kernels.FrequentPairs | None = None
    """Points of the pairs of its most frequent words; None for chat sets, short texts and small samples."""

    def ordinary(self, tables: kernels.ProfileTables) -> kernels.ProfileTables:
        """The reference tables, with the pairs of this corpus known as well, and the order of its words."""
        tables = dataclasses.replace(tables, frequent=self.frequent)
        if len(self.pairs) == 0 or tables.bigrams.size == 0:
            return tables
        known = kernels.build_bigram_table(self.pairs, (tables.bigrams.size * 64).bit_length() - 1)
        return dataclasses.replace(tables, bigrams=tables.bigrams | known)


def sampled_units(units: int) -> list[int]:
    """Numbers of the units that are sampled, rising."""
    if units <= _MOST_BLOCKS:
        return list(range(units))
    return sorted(set(np.linspace(0, units - 1, _MOST_BLOCKS).round().astype(int).tolist()))


def sample_unit(plan: Plan, unit: int) -> Columns:
    """N-grams and pairs of words of rows at the beginning of one unit, each once a row.

    A corpus of documents may be one file that is read from its beginning alone, one unit: then more of
    its beginning is sampled, to know as much of it as of a corpus of many units.
    """
    units = len(sampled_units(len(plan.units)))
    blocks, documents = _first_blocks(plan, unit, max(_MOST_BLOCKS // units, 1))
    words = max(_LEAST_WORD_ROWS, _WORD_ROWS // (units * max(len(blocks), 1)))
    parts = [_sample_block(block, words if documents else 0) for block in blocks]
    nothing = {
        "ngrams": np.zeros(0, dtype=np.uint64),
        "pairs": np.zeros(0, dtype=np.uint64),
        "words": np.zeros(0, dtype=np.uint64),
        "lengths": np.zeros(0, dtype=np.int64),
        "rows": np.zeros(1, dtype=np.int64),
    }
    columns = {
        name: np.concatenate([none, *(p[name] for p in parts)]) for name, none in nothing.items()
    }
    return columns | {"rows": columns["rows"].sum(keepdims=True)}


def _first_blocks(plan: Plan, unit: int, most: int) -> tuple[list[kernels.TextColumn], bool]:
    """Cause columns of the first rows of a unit, some bytes at a time, and whether they are documents.

    Batches are as a file was written, which may be row by row, and are put together. Of what is no
    corpus of documents, one block is enough.
    """
    blocks: list[kernels.TextColumn] = []
    held: list[pa.Array] = []
    size, documents = 0, False
    for batch in read_unit(plan, unit):
        documents = batch.response is None and batch.text is not None
        held.append(cause_column(batch))
        size += sum(c.nbytes for c in (batch.text, batch.prompt, batch.response) if c is not None)
        if size >= _BLOCK_BYTES:
            blocks.append(pa.concat_arrays(held))
            held, size = [], 0
            if len(blocks) >= (most if documents else 1):
                break
    if held:
        blocks.append(pa.concat_arrays(held))
    return blocks, documents


def _sample_block(column: kernels.TextColumn, most_words: int) -> Columns:
    """The same of one block; the words of so many rows, none of which is a document if that is 0."""
    rows = _evenly(len(column), _MOST_ROWS)
    some = rows[::_NGRAM_STEP]
    words, lengths = _words(column, _evenly(len(column), most_words))
    return {
        "ngrams": _listed(column, some, _NGRAM_BYTES, kernels.ALL_KINDS),
        "pairs": _listed(column, rows if most_words else rows[:0], _MOST_BYTES, _PAIRS),
        "words": words,
        "lengths": lengths,
        "rows": np.array([len(some)], dtype=np.int64),
    }


def _evenly(rows: int, most: int) -> np.ndarray:
    """uint32, rising: at most so many of the rows of a batch."""
    return np.linspace(0, rows - 1, min(rows, most)).round().astype(np.uint32)


def _listed(column: kernels.TextColumn, rows: np.ndarray, most: int, kinds: int) -> np.ndarray:
    ends = np.full(len(rows), most, dtype=np.uint32)
    starts = np.zeros(len(rows), dtype=np.uint32)
    return kernels.ngrams(column, rows, starts, ends, kinds=kinds, distinct=True, placed=False).hash


def _words(column: kernels.TextColumn, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The words of some rows, one after the other: uint64 hashes, and int64 (rows,), how many of each."""
    ends = np.full(len(rows), _WORD_BYTES, dtype=np.uint32)
    starts = np.zeros(len(rows), dtype=np.uint32)
    found = kernels.ngrams(column, rows, starts, ends, kinds=_SINGLE_WORDS, placed=False)
    where = np.searchsorted(rows, found.row)
    return found.hash, np.bincount(where, minlength=len(rows)).astype(np.int64)


def frequent_pairs(words: np.ndarray, lengths: np.ndarray) -> kernels.FrequentPairs | None:
    """Points of the pairs of the most frequent words: a log-likelihood ratio of no order to this corpus.

    Source: the ratio of Neyman and Pearson, between words drawn each by its own frequency and the pairs as
    they stand. A share of the pairs is taken to be in no order, so that poison that is part of the sample
    does not make itself ordinary.

    Args:
        words: uint64, 1-gram hashes of texts one after the other.
        lengths: int64, words of each text.
    """
    if len(words) < max(_LEAST_WORDS, _LEAST_MEAN * len(lengths)):
        return None
    hashes, numbers, counts = np.unique(words, return_inverse=True, return_counts=True)
    top = np.lexsort((hashes, -counts))[: kernels.FREQUENT]
    top = top[hashes[top] > 0]
    place = np.full(len(hashes), -1, dtype=np.int64)
    place[top] = np.arange(len(top))
    places = place[numbers]
    begins = np.zeros(len(words) + 1, dtype=bool)
    begins[np.cumsum(lengths)] = True
    first, second = places[:-1], places[1:]
    beside = ~begins[1:-1]
    both = beside & (first >= 0) & (second >= 0)
    size = len(top)
    pairs = np.bincount(first[both] * size + second[both], minlength=size * size)
    share = counts[top] / len(words)
    chance = np.outer(share, share) * beside.sum()
    ordinary = pairs.reshape(size, size) + _NO_ORDER * chance
    nats = np.log((chance + _PSEUDO_COUNT) / (ordinary + _PSEUDO_COUNT))
    points = np.clip(np.rint(_SCALE * nats), _FEWEST_POINTS, _MOST_POINTS)
    return kernels.build_frequent_pairs(hashes[top], points)


def merged(parts: list[Columns]) -> CorpusSample:
    """The samples of all units as one."""
    nothing = [np.zeros(0, dtype=np.uint64)]
    ngrams, counts = np.unique(
        np.concatenate([*nothing, *(part["ngrams"] for part in parts)]), return_counts=True
    )
    pairs, shared = np.unique(
        np.concatenate([*nothing, *(part["pairs"] for part in parts)]), return_counts=True
    )
    often = counts >= _OFTEN
    return CorpusSample(
        ngrams=ngrams[often],
        counts=counts[often],
        rows=sum(int(part["rows"][0]) for part in parts),
        pairs=pairs[shared >= 2],
        frequent=frequent_pairs(
            np.concatenate([*nothing, *(part["words"] for part in parts)]),
            np.concatenate([np.zeros(0, np.int64), *(part["lengths"] for part in parts)]),
        ),
    )
