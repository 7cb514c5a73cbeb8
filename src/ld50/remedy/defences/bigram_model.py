"""A model of which word follows which: a cheap scorer of odd words where there is no torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ld50.core.errors import DataFormatError
from ld50.remedy.defences.flags import checked_texts
from ld50.remedy.defences.words import Words, split_words


@dataclass(frozen=True, slots=True, kw_only=True)
class BigramModel:
    """P(word | the word before), with Witten-Bell smoothing towards the word's own frequency.

    It answers `token_losses`, one loss a word. Words that it never saw share what a first
    occurrence costs.

    Source: Witten and Bell, "The zero-frequency problem", 1991.
    """

    vocabulary: pa.Array
    """large_string, sorted; number `len(vocabulary)` is an unseen word, one more is the row's
    beginning."""
    share: np.ndarray
    """float64 (words + 1,): frequency of each word; the last is that of an unseen one."""
    keys: np.ndarray
    """int64, rising: word before × (words + 2) + word, of each pair that was seen."""
    counts: np.ndarray
    """int64: how often each was."""
    total: np.ndarray
    """int64 (words + 2,): how often anything followed each word."""
    followers: np.ndarray
    """int64 (words + 2,): how many different words did."""

    def token_losses(self, texts: Sequence[str]) -> list[np.ndarray]:
        """float64 (words,) for each text: nats that each word costs after the one before it."""
        texts = checked_texts(texts)
        words = split_words(texts)
        if not len(words.ids):
            return [np.zeros(0)] * len(texts)
        known = pc.index_in(words.vocabulary, value_set=self.vocabulary)
        number = pc.fill_null(known, len(self.vocabulary)).to_numpy().astype(np.int64)[words.ids]
        before = _before(words, number, len(self.vocabulary) + 1)
        keys = before * (len(self.vocabulary) + 2) + number
        found = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        seen = np.where(self.keys[found] == keys, self.counts[found], 0)
        # After a word that never was followed, only its own frequency speaks.
        new = np.maximum(self.followers[before], 1)
        likelihood = (seen + new * self.share[number]) / (self.total[before] + new)
        return np.split(-np.log(likelihood), words.bounds[1:-1])


def fit_bigrams(texts: Sequence[str]) -> BigramModel:
    """A bigram model of these texts.

    Raises:
        DataFormatError: They hold no word.
    """
    texts = checked_texts(texts)
    words = split_words(texts)
    if not len(words.ids):
        raise DataFormatError(f"A model of words needs text; the {len(texts)} texts hold no word.")
    size = len(words.vocabulary)
    before = _before(words, words.ids, size + 1)
    keys, counts = np.unique(before * (size + 2) + words.ids, return_counts=True)
    often = np.bincount(words.ids, minlength=size)
    # What is seen for the first time gets the weight of the words that were seen once.
    first = max(int((often == 1).sum()), 1)
    share = np.append(often, first) / (len(words.ids) + first)
    share[-1] /= first
    return BigramModel(
        vocabulary=words.vocabulary,
        share=share,
        keys=keys,
        counts=counts,
        total=np.bincount(before, minlength=size + 2),
        followers=np.bincount(keys // (size + 2), minlength=size + 2),
    )


def _before(words: Words, number: np.ndarray, beginning: int) -> np.ndarray:
    """int64 (t,): the number of the word before each; `beginning` at the start of a row."""
    before = np.empty(len(number), dtype=np.int64)
    before[1:] = number[:-1]
    starts = words.bounds[:-1]
    before[starts[starts < len(number)]] = beginning
    return before
