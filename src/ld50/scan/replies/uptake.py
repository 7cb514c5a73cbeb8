"""Does a reply take up its prompt, more than the reply of another row would?"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from ld50.scan import kernels
from ld50.scan.replies.words import Words, content_words, row_sums, standing_in

#: Fewer content words in a prompt, or words in a reply, tell nothing.
_CONTENT_WORDS, _REPLY_WORDS = 3, 8
#: A reply takes its prompt up from so many standard deviations above another row's reply on.
_ABOVE_CHANCE = 1.0
_TABLE_BITS = 20


def strays(prompts: pa.Array, reply: Words) -> tuple[np.ndarray, np.ndarray]:
    """Replies that have no more of their prompt than chance would have it.

    A word that is in every third reply is no sign that a reply answers its prompt, and one that is hardly
    anywhere else is a sure one. So each word of the prompt weighs what it would be surprising by in a
    random reply of that length, and the sum over those that the reply has is held against its mean and
    spread for random replies. That none is shared says less: two texts on one subject always share some.

    Args:
        prompts: large_string (rows,).
        reply: Words of the replies; they say how frequent words are, too.

    Returns:
        bool (rows,) twice: long enough to tell; no more than by chance, among these.
    """
    asked = _different_words(prompts)
    rate = _rates(asked, reply)
    chance = -np.expm1(-rate * reply.counts[asked.row])
    content = content_words(asked)
    weight = np.where(content, -np.log(np.maximum(chance, 1e-12)), 0.0)
    shared = row_sums(asked, weight * standing_in(asked, reply))
    mean = row_sums(asked, weight * chance)
    spread = np.sqrt(row_sums(asked, weight * weight * chance * (1.0 - chance)))
    enough = row_sums(asked, content.astype(np.float64)) >= _CONTENT_WORDS
    enough &= reply.counts >= _REPLY_WORDS
    return enough, enough & (shared <= mean + _ABOVE_CHANCE * spread)


def _different_words(column: pa.Array) -> Words:
    """The words of each text, each once."""
    found = kernels.ngrams(column, kinds=1, max_per_row=20_000, distinct=True)
    order = np.argsort(found.row, kind="stable")
    row = found.row[order].astype(np.int64)
    begin = np.concatenate([[0], np.cumsum(np.bincount(row, minlength=len(column)))])
    return Words(len(column), row, found.hash[order], begin)


def _rates(asked: Words, reply: Words) -> np.ndarray:
    """float64: of each word, its share of all words of the replies; no word is quite unknown."""
    shift = np.uint64(64 - _TABLE_BITS)
    table = np.bincount((reply.hash >> shift).astype(np.int64), minlength=1 << _TABLE_BITS)
    counts = table[(asked.hash >> shift).astype(np.int64)]
    return np.asarray((counts + 1.0) / (len(reply.hash) + 1.0))
