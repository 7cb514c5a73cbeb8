"""What is ordinary in this corpus, from a sample of its rows: common n-grams, and pairs of words.

The reference knows the pairs of general English. A corpus of manuals has its own, and a manual full of
them looked like a salad of words; what two of its documents share is ordinary here.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field

import numpy as np

from ld50.corpus import Plan
from ld50.corpus import read as read_unit
from ld50.scan import kernels
from ld50.scan.checkpoint import Columns
from ld50.scan.rereading import cause_column

#: Units that are sampled, evenly over all; rows of the first batch of each; bytes of each row.
_MOST_UNITS, _MOST_ROWS, _MOST_BYTES = 32, 256, 8192
#: Of every so manieth of these rows, the n-grams of so many bytes.
_NGRAM_STEP, _NGRAM_BYTES = 2, 2048
_PAIRS = 1 << 1
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

    def ordinary(self, tables: kernels.ProfileTables) -> kernels.ProfileTables:
        """The reference tables, with the pairs of this corpus known as well."""
        if len(self.pairs) == 0 or tables.bigrams.size == 0:
            return tables
        known = kernels.build_bigram_table(self.pairs, (tables.bigrams.size * 64).bit_length() - 1)
        return dataclasses.replace(tables, bigrams=tables.bigrams | known)


def sampled_units(units: int) -> list[int]:
    """Numbers of the units that are sampled, rising."""
    if units <= _MOST_UNITS:
        return list(range(units))
    return sorted(set(np.linspace(0, units - 1, _MOST_UNITS).round().astype(int).tolist()))


def sample_unit(plan: Plan, unit: int) -> Columns:
    """N-grams and pairs of words of rows at the beginning of one unit, each once a row."""
    nothing = np.zeros(0, dtype=np.uint64)
    batch = next(iter(read_unit(plan, unit)), None)
    if batch is None:
        return {"ngrams": nothing, "pairs": nothing, "rows": np.zeros(1, dtype=np.int64)}
    column = cause_column(batch)
    count = min(len(batch), _MOST_ROWS)
    rows = np.linspace(0, len(batch) - 1, count).round().astype(np.uint32)
    some = rows[::_NGRAM_STEP]
    document = batch.response is None and batch.text is not None
    return {
        "ngrams": _listed(column, some, _NGRAM_BYTES, kernels.ALL_KINDS),
        "pairs": _listed(column, rows, _MOST_BYTES, _PAIRS) if document else nothing,
        "rows": np.array([len(some)], dtype=np.int64),
    }


def _listed(column: kernels.TextColumn, rows: np.ndarray, most: int, kinds: int) -> np.ndarray:
    ends = np.full(len(rows), most, dtype=np.uint32)
    starts = np.zeros(len(rows), dtype=np.uint32)
    return kernels.ngrams(column, rows, starts, ends, kinds=kinds, distinct=True).hash


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
    )
