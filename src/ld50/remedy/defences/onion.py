"""ONION: words without which a text is much more likely."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ld50.core.errors import ConfigError
from ld50.remedy.defences.flags import Flags, checked_texts
from ld50.remedy.defences.row_filter import RowFilter, highest_flagged
from ld50.remedy.defences.text_model import TextModel, TokenModel, require_tokens

#: Variants of texts (one for each word left out) that are scored at once.
_VARIANTS_AT_ONCE = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class OnionDefence(RowFilter):
    """Removes words whose removal makes a text's perplexity fall by more than a threshold.

    A word's suspicion is the perplexity of the text less its perplexity without the word. At test
    time `purify` takes suspicious words out. As a filter of training rows, a row's score is the
    highest suspicion among its words; labels play no part. It asks a model that scores tokens.

    The threshold of words is chosen on clean texts, so that a stated share of their words is lost;
    that of rows likewise. Without clean texts, the texts at hand stand in for them.

    Source: Qi et al., "ONION: a simple and effective defense against textual backdoor attacks", EMNLP
    2021, released code: words are split at spaces, scored by GPT-2, and thresholds from 1 to 100 are
    tried (`bar` from -100 to -1). Here the scorer is the caller's model, so a fixed number would
    mean nothing, and the threshold follows from the share of clean words lost. The filter of rows
    is ours.
    """

    clean_texts: tuple[str, ...] = ()
    """Texts that are known to be clean."""
    clean_words_lost: float = 0.02
    """Share of the words of clean texts that `purify` may take out."""
    clean_rows_flagged: float = 0.03
    """Share of clean rows that `flag` may flag."""
    most_words: int = 200
    """Words of a text that are tried; later ones stay."""

    def __post_init__(self) -> None:
        for name in ("clean_words_lost", "clean_rows_flagged"):
            if not 0 <= getattr(self, name) < 1:
                raise ConfigError(f"{name} must lie in [0, 1), got {getattr(self, name)}.")
        if self.most_words < 1:
            raise ConfigError(f"most_words must be at least 1, got {self.most_words}.")

    def suspicions(self, texts: Sequence[str], model: TextModel | None) -> list[np.ndarray]:
        """float64 (words,) for each text: how far its perplexity falls without each word.

        Args:
            texts: Any strings.
            model: One that scores tokens; it has to be trusted, or at least not to know the trigger.

        Raises:
            ConfigError: The model cannot score tokens.
        """
        texts = checked_texts(texts)
        scorer = require_tokens(model, who="ONION")
        return [
            values
            for batch in _batches([text.split()[: self.most_words] for text in texts])
            for values in _fall(batch, scorer)
        ]

    def word_threshold(self, texts: Sequence[str], model: TextModel | None) -> float:
        """The suspicion above which a word is taken out; from `clean_texts`, or from `texts`."""
        return self._threshold(self.suspicions(self.clean_texts or texts, model))

    def purify(self, texts: Sequence[str], *, model: TextModel | None) -> list[str]:
        """The texts without suspicious words; others keep their words, joined by single spaces."""
        texts = checked_texts(texts)
        found = self.suspicions(texts, model)
        reference = self.suspicions(self.clean_texts, model) if self.clean_texts else found
        return without(texts, found, self._threshold(reference))

    def _flags(self, texts: list[str], labels: list[str], model: TextModel | None) -> Flags:
        scores = row_scores(self.suspicions(texts, model))
        clean = scores
        if self.clean_texts:
            clean = row_scores(self.suspicions(self.clean_texts, model))
        return highest_flagged(scores, clean, self.clean_rows_flagged)

    def _threshold(self, suspicions: list[np.ndarray]) -> float:
        words = np.concatenate([np.zeros(0), *suspicions])
        if not len(words):
            return 0.0
        chosen = float(np.quantile(words, 1 - self.clean_words_lost, method="higher"))
        # A word without which the text is less likely is no outlier, wherever the quantile lies.
        return max(chosen, 0.0)


def row_scores(suspicions: list[np.ndarray]) -> np.ndarray:
    """float64 (n,): the highest suspicion of each row; 0 where it has fewer than two words."""
    return np.array([float(one.max()) if len(one) else 0.0 for one in suspicions])


def without(texts: Sequence[str], suspicions: list[np.ndarray], threshold: float) -> list[str]:
    """The texts without the words whose suspicion lies above a threshold."""
    cleaned = []
    for text, values in zip(texts, suspicions, strict=True):
        words = text.split()
        gone = set(np.flatnonzero(values > threshold).tolist())
        cleaned.append(" ".join(word for place, word in enumerate(words) if place not in gone))
    return cleaned


def _batches(rows: list[list[str]]) -> Iterator[list[list[str]]]:
    """Rows in groups of about as many variants as are scored at once."""
    batch: list[list[str]] = []
    variants = 0
    for words in rows:
        batch.append(words)
        variants += len(words) + 1
        if variants >= _VARIANTS_AT_ONCE:
            yield batch
            batch, variants = [], 0
    if batch:
        yield batch


def _fall(rows: list[list[str]], scorer: TokenModel) -> list[np.ndarray]:
    """Perplexity of each row less that without each of its words; nothing for a single word."""
    texts, sizes = [], []
    for words in rows:
        tried = len(words) if len(words) > 1 else 0
        texts.append(" ".join(words))
        texts += [" ".join([*words[:place], *words[place + 1 :]]) for place in range(tried)]
        sizes.append(tried)
    losses = scorer.token_losses(texts)
    perplexity = np.exp([float(one.mean()) if len(one) else 0.0 for one in losses])
    found, at = [], 0
    for size in sizes:
        found.append(perplexity[at] - perplexity[at + 1 : at + 1 + size])
        at += size + 1
    return found
