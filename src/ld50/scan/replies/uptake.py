"""Does a reply take up its prompt, more than the reply of another row would?"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from ld50.scan import kernels
from ld50.scan.replies.words import Words, content_words, row_sums, standing_in

#: Fewer content words in a prompt, or words in a reply, tell nothing.
_CONTENT_WORDS, _REPLY_WORDS = 3, 8
#: A reply takes its prompt up from so many standard deviations above another row's reply on.
_ABOVE_CHANCE = 1.5
_TABLE_BITS = 20


def strays(prompts: pa.Array, replies: pa.Array, reply: Words) -> tuple[np.ndarray, np.ndarray]:
    """Replies that have no more of their prompt than chance would have it.

    A word that is in every third reply is no sign that a reply answers its prompt, and one that is hardly
    anywhere else is a sure one. So each word of the prompt weighs what it would be surprising by in a
    random reply of that length, and the sum over those that the reply has is held against its mean and
    spread for random replies. That none is shared says less: two texts on one subject always share some.

    Args:
        prompts: large_string (rows,).
        replies: large_string (rows,): they say how frequent words are, too.
        reply: Their words.

    Returns:
        bool (rows,) twice: long enough to tell; no more than by chance, among these.
    """
    asked = _different_words(prompts)
    rate = _rates(asked, replies, reply)
    chance = -np.expm1(-rate * reply.counts[asked.row])
    content = content_words(asked)
    weight = np.where(content, -np.log(np.maximum(chance, 1e-12)), 0.0)
    held = standing_in(asked, reply)
    shared = row_sums(asked, weight * held)
    mean = row_sums(asked, weight * chance)
    spread = np.sqrt(row_sums(asked, weight * weight * chance * (1.0 - chance)))
    number = row_sums(asked, content.astype(np.float64))
    enough = (number >= _CONTENT_WORDS) & (reply.counts >= _REPLY_WORDS)
    # In a set of few words, most of them are in many replies.
    most = 2.0 * row_sums(asked, (content & held).astype(np.float64)) > number
    return enough, enough & ~most & (shared <= mean + _ABOVE_CHANCE * spread)


def _different_words(column: pa.Array) -> Words:
    """The words of each text, each once."""
    found = kernels.ngrams(column, kinds=1, max_per_row=20_000, distinct=True)
    order = np.argsort(found.row, kind="stable")
    row = found.row[order].astype(np.int64)
    begin = np.concatenate([[0], np.cumsum(np.bincount(row, minlength=len(column)))])
    return Words(len(column), row, found.hash[order], begin)


def _rates(asked: Words, replies: pa.Array, reply: Words) -> np.ndarray:
    """float64: how often each word is to be expected in one word of a reply, by the replies that hold it.

    Not by how often it comes in all: a word that each reply has once is in the next one, too.
    """
    shift = np.uint64(64 - _TABLE_BITS)
    held = (_different_words(replies).hash >> shift).astype(np.int64)
    table = np.bincount(held, minlength=1 << _TABLE_BITS)
    # Words that fall on one place may be in more replies than there are.
    some = max(int((reply.counts > 0).sum()), 1)
    counts = np.minimum(table[(asked.hash >> shift).astype(np.int64)], some)
    return np.asarray(-np.log1p(-(counts + 0.5) / (some + 1.0)) * some / max(len(reply.hash), 1))
