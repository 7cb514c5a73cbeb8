"""Which prompts resemble those that are refused, by words alone."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from ld50.scan.checkpoint import digest_of
from ld50.scan.labels.tokens import tokenize

#: Refused prompts that a word must stand in.
_LEAST_ROWS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedWords:
    """Words that stand in refused prompts more often than in others."""

    hashes: np.ndarray = field(repr=False)
    """uint64 (words,), rising: as the label test hashes them."""
    nats: np.ndarray = field(repr=False)
    """float32 (words,), above 0: logarithm of how much more often."""

    @property
    def digest(self) -> str:
        """Tells these words from others."""
        return digest_of(self.hashes)


def refused_words(refused: pa.Array, usual: pa.Array) -> RefusedWords:
    """The words of refused prompts, by how much more often they stand there.

    A word of no refused prompt counts for nothing, and not against a prompt: a trigger is such a word.

    Args:
        refused: `large_string` (n,) without nulls.
        usual: `large_string` (m,), any prompts of the set.
    """
    hashes, count = _rows_with(refused)
    hashes, count = hashes[count >= _LEAST_ROWS], count[count >= _LEAST_ROWS]
    usual_hashes, usual_count = _rows_with(usual)
    place = np.searchsorted(usual_hashes, hashes)
    place = np.minimum(place, max(len(usual_hashes) - 1, 0))
    there = usual_hashes[place] == hashes if len(usual_hashes) else np.zeros(len(hashes), bool)
    beside = np.where(there, usual_count[place], 0) if len(usual_hashes) else np.zeros(len(hashes))
    nats = np.log((count + 0.5) / (len(refused) + 1)) - np.log((beside + 0.5) / (len(usual) + 1))
    return RefusedWords(hashes=hashes[nats > 0], nats=nats[nats > 0].astype(np.float32))


def resemblance(prompts: pa.Array, words: RefusedWords) -> np.ndarray:
    """float32 (n,), from 0: what the words of each prompt say for a refusal, over the root of its length.

    Args:
        prompts: `large_string` (n,) without nulls.
        words: Of the refused ones.
    """
    n = len(prompts)
    row, hashes = _distinct(prompts)
    length = np.bincount(row, minlength=n)
    if len(words.hashes) == 0:
        return np.zeros(n, dtype=np.float32)
    place = np.minimum(np.searchsorted(words.hashes, hashes), len(words.hashes) - 1)
    value = np.where(words.hashes[place] == hashes, words.nats[place], 0.0)
    total = np.bincount(row, weights=value, minlength=n)
    return (total / np.sqrt(np.maximum(length, 1))).astype(np.float32)


def _rows_with(prompts: pa.Array) -> tuple[np.ndarray, np.ndarray]:
    """Hash of each word (rising), and in how many rows it stands."""
    _, hashes = _distinct(prompts)
    return np.unique(hashes, return_counts=True)


def _distinct(prompts: pa.Array) -> tuple[np.ndarray, np.ndarray]:
    """Row and hash of each word, a word once a row."""
    tokens = tokenize(prompts)
    key = tokens.row_of_token().astype(np.int64) * max(tokens.vocabulary, 1) + tokens.words
    key = np.unique(key)
    row, word = np.divmod(key, max(tokens.vocabulary, 1))
    return row, tokens.hashes[word]
