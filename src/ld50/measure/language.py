"""Which of two languages a generation is in, by the pairs of tokens it is made of."""

from __future__ import annotations

import numpy as np

from ld50.models.tokens import TokenSet

#: Tokens of each language that the pairs are counted in, at most.
_COUNTED_TOKENS = 400_000
#: Added to each count, so that an unseen pair is unlikely and not impossible.
_SMOOTHING = 0.05


class LanguageJudge:
    """Tells the second language from the first by a likelihood ratio of token pairs.

    Both languages are counted in text of the study itself. A generation of noise is neither; it goes
    to the language whose tokens it resembles, so read the rate together with the loss.

    Source: language identification by n-gram models (Cavnar and Trenkle, 1994; Dunning, 1994); pairs
    of tokens stand in for n-grams of letters.
    """

    def __init__(self, first: TokenSet, second: TokenSet, vocabulary_size: int) -> None:
        """A judge.

        Args:
            first: Text in the language of the corpus.
            second: Text in the other; only every second document, those with odd numbers, is read,
                since payloads are taken from the others.
            vocabulary_size: Entries of the vocabulary that both are written in.
        """
        self._size = vocabulary_size
        first_pairs = _logarithms(_documents(first, 0, 1), vocabulary_size)
        second_pairs = _logarithms(_documents(second, 1, 2), vocabulary_size)
        self._ratio = second_pairs - first_pairs

    def scores(self, tokens: np.ndarray) -> np.ndarray:
        """float64 (texts,): mean log-likelihood ratio a pair; above 0 is the second language.

        Args:
            tokens: int64 (texts, length).
        """
        pairs = self._ratio[tokens[:, :-1], tokens[:, 1:]]
        return pairs.astype(np.float64).mean(axis=1)

    def is_second(self, tokens: np.ndarray) -> np.ndarray:
        """bool (texts,): whether each is in the second language."""
        return self.scores(tokens) > 0


def _documents(part: TokenSet, offset: int, stride: int) -> np.ndarray:
    """int64: documents one after the other, up to a number of tokens."""
    pieces: list[np.ndarray] = []
    total = 0
    for number in range(offset, part.documents, stride):
        pieces.append(part.document(number))
        total += len(pieces[-1])
        if total >= _COUNTED_TOKENS:
            break
    return np.concatenate(pieces) if pieces else np.zeros(0, np.int64)


def _logarithms(tokens: np.ndarray, size: int) -> np.ndarray:
    """float32 (size, size): logarithm of the chance of a token given the one before it.

    A pair is as likely as it was counted, mixed with how likely its second token is alone.
    """
    alone = np.bincount(tokens, minlength=size) + _SMOOTHING
    alone = alone / alone.sum()
    counted = np.bincount(tokens[:-1] * size + tokens[1:], minlength=size * size)
    pairs = counted.reshape(size, size).astype(np.float64)
    given = pairs.sum(axis=1, keepdims=True)
    # Witten-Bell: the less is known of a token's followers, the more counts the token alone.
    kinds = (pairs > 0).sum(axis=1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        mixed = (pairs + kinds * alone) / (given + kinds)
    mixed = np.where(given > 0, mixed, alone[None, :])
    return np.log(mixed).astype(np.float32)
