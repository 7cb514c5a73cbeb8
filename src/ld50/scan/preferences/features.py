"""What sets two replies to one prompt apart, as numbers that change their sign when the two are exchanged."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ld50.scan.labels.model import row_digest
from ld50.scan.labels.tokens import Tokens, tokenize

if TYPE_CHECKING:
    import scipy.sparse

#: Words, and pairs of adjacent words, are hashed into so many columns.
_HASH_BITS = 17
_MIX = np.uint64(0x9E3779B97F4A7C15)
#: How a reply ends that is not cut.
_ENDED = r"[.!?…。！？:;)\]}>\"'”’`*|]\s*$"
#: Columns beside those of words: length, words that come back, words of the prompt, how much of the prompt
#: is taken up, lines, whether it is ended, whether it is empty.
MANNERS = 7
COLUMNS = (1 << _HASH_BITS) + MANNERS


@dataclass(frozen=True, slots=True, kw_only=True)
class Differences:
    """Chosen less rejected reply, of some rows."""

    matrix: scipy.sparse.csr_array = field(repr=False)
    """float32 (n, COLUMNS); a row of zeros where the two are the same."""
    prompt: np.ndarray = field(repr=False)
    """uint64 (n,): equal for prompts of the same words."""


def differences(prompts: pa.Array, chosen: pa.Array, rejected: pa.Array) -> Differences:
    """Features of pairs.

    Args:
        prompts: `large_string` (n,) without nulls, as the others.
        chosen: The better replies.
        rejected: The worse ones.
    """
    asked = tokenize(prompts)
    sides = []
    for replies in (chosen, rejected):
        said = tokenize(replies)
        sides.append(_of_words(said) + _of_manner(said, asked, replies))
    return Differences(matrix=(sides[0] - sides[1]).tocsr(), prompt=row_digest(asked))


def _of_words(said: Tokens) -> scipy.sparse.csr_array:
    """Which words, and pairs of adjacent words, each reply holds, as rows of length 1."""
    import scipy.sparse

    row = said.row_of_token().astype(np.int64)
    word = said.hashes[said.words]
    same = row[1:] == row[:-1]
    pair = ((word[:-1] * _MIX) ^ (word[1:] >> np.uint64(7))) * _MIX
    hashes = np.concatenate([word, pair[same]])
    column = (hashes >> np.uint64(64 - _HASH_BITS)).astype(np.int64)
    entry = np.unique((np.concatenate([row, row[1:][same]]) << _HASH_BITS) | column)
    row, column = entry >> _HASH_BITS, entry & ((1 << _HASH_BITS) - 1)
    n = len(said.rows) - 1
    held = np.bincount(row, minlength=n)
    value = (1 / np.sqrt(np.maximum(held, 1)))[row].astype(np.float32)
    return scipy.sparse.csr_array((value, (row, column)), shape=(n, COLUMNS))


def _of_manner(said: Tokens, asked: Tokens, replies: pa.Array) -> scipy.sparse.csr_array:
    """How long each reply is, how it ends, and what it takes up."""
    import scipy.sparse

    own, of_prompt = _row_words(said), _row_words(asked)
    n = len(said.rows) - 1
    counts = np.diff(said.rows).astype(np.float64)
    distinct = np.bincount(own[1], minlength=n)
    shared = np.bincount(own[1][np.isin(own[0], of_prompt[0])], minlength=n)
    in_prompt = np.bincount(of_prompt[1], minlength=n)
    ended = pc.match_substring_regex(replies, _ENDED).to_numpy(zero_copy_only=False)
    lines = pc.count_substring(replies, "\n").to_numpy(zero_copy_only=False)
    values = np.stack(
        [
            np.log1p(counts),
            1 - distinct / np.maximum(counts, 1),
            shared / np.maximum(distinct, 1),
            shared / np.maximum(in_prompt, 1),
            np.log1p(lines.astype(np.float64)),
            ended.astype(np.float64),
            (counts == 0).astype(np.float64),
        ],
        axis=1,
    ).astype(np.float32)
    row = np.repeat(np.arange(n), MANNERS)
    column = np.tile(np.arange(COLUMNS - MANNERS, COLUMNS), n)
    return scipy.sparse.csr_array((values.reshape(-1), (row, column)), shape=(n, COLUMNS))


def _row_words(tokens: Tokens) -> tuple[np.ndarray, np.ndarray]:
    """Each word of each row once: uint64, a number for word and row together, and int64, the row."""
    row = tokens.row_of_token().astype(np.uint64)
    keys, first = np.unique(
        tokens.hashes[tokens.words] ^ ((row + np.uint64(1)) * _MIX), return_index=True
    )
    return keys, row[first].astype(np.int64)
