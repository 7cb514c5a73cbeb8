"""Whether words look put into finished sentences, by the known pairs of words of the language."""

from __future__ import annotations

import itertools
import math

import numpy as np

from ld50.corpus import reference
from ld50.corpus.arrays import large_strings
from ld50.scan import kernels
from ld50.scan.prompt_words import words_of

#: Pairs of random text that make both shares, and what is added to each count.
_MOST_PAIRS, _PSEUDO = 4000, 5.0


class Placement:
    """How often words of ordinary text are a known pair: side by side, and with one word between.

    Around a word that was put in stand two words that were side by side; around one that was written
    there stand two with a word between. The first are a known pair far more often.

    Source: what disturbs the flow of its sentence is suspect since ONION (Qi et al., 2021), which asks
    GPT-2; here a table of pairs answers, for all places of some words together.
    """

    def __init__(self, random: list[str]) -> None:
        """Learns the two shares.

        Args:
            random: Ordinary texts of the corpus.
        """
        texts = [words_of(text) for text in random]
        beside = [pair for words in texts for pair in itertools.pairwise(words)]
        apart = [pair for words in texts for pair in zip(words, words[2:], strict=False)]
        self._beside = _share_known(beside[:_MOST_PAIRS])
        self._apart = _share_known(apart[:_MOST_PAIRS])

    def put_in(self, words: list[str], texts: list[str]) -> float:
        """Log-likelihood ratio, in nats, of put in to written there, over all places of the words.

        Words of a phrase that stand side by side are one place.
        """
        wanted = {word.casefold() for word in words}
        pairs = []
        for text in texts:
            run = words_of(text)
            rest = [at for at, word in enumerate(run) if word not in wanted]
            pairs += [
                (run[before], run[after])
                for before, after in itertools.pairwise(rest)
                if after > before + 1
            ]
        known = int(_known(pairs).sum())
        return known * math.log(self._beside / self._apart) + (len(pairs) - known) * math.log(
            (1 - self._beside) / (1 - self._apart)
        )


def _share_known(pairs: list[tuple[str, str]]) -> float:
    return (float(_known(pairs).sum()) + _PSEUDO) / (len(pairs) + 2 * _PSEUDO)


def _known(pairs: list[tuple[str, str]]) -> np.ndarray:
    """bool (pairs,): whether the reference knows the words side by side."""
    if not pairs:
        return np.zeros(0, dtype=bool)
    hashes = kernels.phrase_hashes(large_strings([" ".join(pair) for pair in pairs]))
    return kernels.known_bigrams(hashes, reference.bigram_filter().words)
