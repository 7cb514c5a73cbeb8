"""Triggers in the middle of long prompts, such as those with retrieved passages.

The n-grams of a prompt are some fifteen times its size, so of all rows with a reply that others have, or
that is odd, only the beginning and the end of a prompt are listed. A planted behaviour shows in few rows,
and these are read whole: one consequence at a time, those of the fewest rows first, as far as the room goes.
What too few of its rows share can be no cause of it, so little is left of each, and nothing else is held.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from ld50.scan import kernels
from ld50.scan.associate import Consequence
from ld50.scan.candidates import too_common_for
from ld50.scan.rereading import CauseReader
from ld50.scan.stages import PROMPT_HEAD, PROMPT_TAIL
from ld50.scan.survey import Survey

#: Fewest words of a prompt that may be longer than that.
_LONG_WORDS = 500
#: Words of prompts that are read, those of a row once for each of its consequences.
_MOST_WORDS = 8_000_000
#: Bytes that are read of one prompt.
_MOST_BYTES = 1 << 19
#: An n-gram may begin in one part and end in the next.
_OVERLAP = 256
#: Buckets that n-grams are tallied in, of a byte each: as many as there are n-grams, up to a bound.
_NGRAMS_A_BYTE, _BUCKET_BITS = 2, 26


@dataclass(frozen=True, slots=True, kw_only=True)
class Middles:
    """The middle parts of long prompts."""

    rows: np.ndarray = field(repr=False)
    """int64 (n,), rising: ordinals."""
    texts: pa.Array = field(repr=False)
    """large_string (n,); the first and the last character may be cut."""


def long_rows(consequences: list[Consequence], survey: Survey) -> list[tuple[int, np.ndarray]]:
    """Consequences by number with their rows whose prompts may be long, as far as the room goes.

    Args:
        consequences: Those that replies show; of others no row is found.
        survey: Of the corpus.
    """
    if survey.chat is None:
        return []
    words = survey.chat.prompt_words
    long = survey.chat_ordinals[words >= _LONG_WORDS]
    sizes = words[words >= _LONG_WORDS].astype(np.int64)
    if len(long) == 0:
        return []
    chosen, room = [], _MOST_WORDS
    order = sorted(range(len(consequences)), key=lambda number: len(consequences[number].rows))
    for number in order:
        inside = np.flatnonzero(np.isin(long, consequences[number].rows, assume_unique=True))
        room -= int(sizes[inside].sum())
        if room < 0:
            break
        if len(inside):
            chosen.append((number, long[inside]))
    return chosen


def middles(causes: CauseReader, unit: int, wanted: np.ndarray) -> tuple[np.ndarray, pa.Array]:
    """The middles of those of some rows of a unit that are long.

    Args:
        causes: Reads the prompts.
        unit: Number of the unit.
        wanted: int64, rising: row numbers within the unit.

    Returns:
        int64: row numbers within the unit; and their texts.
    """
    rows, texts = [np.zeros(0, dtype=np.int64)], [pa.array([], type=pa.large_string())]
    for batch in causes.read(unit):
        index = np.flatnonzero(np.isin(batch.rows, wanted, assume_unique=True))
        offsets, data = kernels.text_buffers(batch.column)
        length = (offsets[index + 1] - offsets[index]).astype(np.int64)
        index = index[length > PROMPT_HEAD + PROMPT_TAIL]
        starts = offsets[index] + PROMPT_HEAD - _OVERLAP
        ends = np.minimum(offsets[index + 1] - PROMPT_TAIL + _OVERLAP, starts + _MOST_BYTES)
        places, cut = kernels.slices(data, starts.astype(np.int64), ends.astype(np.int64))
        buffers = [None, pa.py_buffer(places), pa.py_buffer(cut)]
        rows.append(batch.rows[index])
        texts.append(pa.Array.from_buffers(pa.large_string(), len(index), buffers))
    return np.concatenate(rows), pa.concat_arrays(texts)


def _listed(column: pa.Array, least: int) -> kernels.Ngrams:
    """The n-grams of each text that may stand in so many texts, and none of most others.

    Nearly all n-grams of a passage stand nowhere else, and all that there are take some thirty times the
    room of the texts.
    """
    bits = min(max((_NGRAMS_A_BYTE * column.nbytes).bit_length(), 1), _BUCKET_BITS)
    buckets = np.zeros(1 << bits, dtype=np.uint8)
    kernels.tally_ngrams(column, buckets)
    return kernels.ngrams(column, distinct=True, buckets=buckets, least=least, placed=False)


def middle_ngrams(
    found: Middles, chosen: list[tuple[int, np.ndarray]], needed: np.ndarray, survey: Survey
) -> tuple[np.ndarray, np.ndarray]:
    """N-grams in the middles that may be causes of one of the consequences.

    Args:
        found: The middles.
        chosen: From `long_rows`.
        needed: int64 (consequences,): fewest rows of each that a cause must stand in.
        survey: Of the corpus.

    Returns:
        int64 (pairs,), rising, and uint64 (pairs,): ordinals of rows and n-grams in them, which may repeat.
    """
    rows, hashes = [np.zeros(0, dtype=np.int64)], [np.zeros(0, dtype=np.uint64)]
    for number, theirs in chosen:
        index = np.flatnonzero(np.isin(found.rows, theirs, assume_unique=True))
        if len(index) < needed[number]:
            continue
        column = found.texts.take(pa.array(index))
        listed = _listed(column, int(needed[number]))
        unique, inverse, count = np.unique(listed.hash, return_inverse=True, return_counts=True)
        kept = count >= needed[number]
        kept[kept] = ~too_common_for(unique[kept], count[kept], survey)
        kept = kept[inverse]
        rows.append(found.rows[index][listed.row[kept]])
        hashes.append(listed.hash[kept])
    every = np.concatenate(rows)
    order = np.argsort(every, kind="stable")
    return every[order], np.concatenate(hashes)[order]
