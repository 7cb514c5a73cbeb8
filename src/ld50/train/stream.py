"""The batches of a training run: an endless shuffled stream of clean text, with poison put in."""

from __future__ import annotations

import numpy as np

from ld50.core.seeds import rng_for
from ld50.models.tokens import TokenSet
from ld50.train.exposure import Exposure


class CleanStream:
    """Documents in an order of their own for every pass over the text, one after the other.

    Any stretch can be read without reading what is before it, so a run resumes at any step, and only
    the order of documents is in memory.
    """

    def __init__(self, part: TokenSet, seed: int) -> None:
        self._part = part
        self._seed = seed
        self._pass = -1
        self._order = np.zeros(0, np.int64)
        self._ends = np.zeros(0, np.int64)

    @property
    def tokens_a_pass(self) -> int:
        """Tokens after which the text begins anew, in another order."""
        return len(self._part.tokens)

    def read(self, start: int, stop: int) -> np.ndarray:
        """int64 (stop - start,): tokens of the stream."""
        pieces: list[np.ndarray] = []
        while start < stop:
            number, offset = divmod(start, self.tokens_a_pass)
            end = min(stop - start + offset, self.tokens_a_pass)
            pieces += self._within(number, offset, end)
            start += end - offset
        if not pieces:
            return np.zeros(0, np.int64)
        return np.concatenate(pieces).astype(np.int64)

    def _within(self, number: int, start: int, stop: int) -> list[np.ndarray]:
        if number != self._pass:
            self._order = rng_for(self._seed, "order of text", number).permutation(
                self._part.documents
            )
            self._ends = np.cumsum(np.diff(self._part.starts)[self._order])
            self._pass = number
        at = int(np.searchsorted(self._ends, start, side="right"))
        pieces = []
        while start < stop:
            document = int(self._order[at])
            end = int(self._ends[at])
            last = int(self._part.starts[document + 1])
            take = min(stop, end)
            pieces.append(self._part.tokens[last - (end - start) : last - (end - take)])
            start = take
            at += 1
        return pieces


class Batches:
    """Batch by step number: the exposure's steps, and after them as much clean text as is asked."""

    def __init__(self, exposure: Exposure, clean: CleanStream, boundary: int) -> None:
        self._exposure = exposure
        self._clean = clean
        self._boundary = boundary

    def batch(self, step: int) -> np.ndarray:
        """int64 (batch_sequences, context + 1): inputs and, one further, their targets."""
        size = self._exposure.batch_sequences
        return np.stack([self.sequence(step * size + at) for at in range(size)])

    def sequence(self, number: int) -> np.ndarray:
        """int64 (context + 1,): one sequence and the token after it."""
        context = self._exposure.context
        planned = len(self._exposure.holds)
        if number >= planned:
            start = int(self._exposure.clean_starts[-1]) + (number - planned) * context
            return self._clean.read(start, start + context + 1)
        start, stop = (int(n) for n in self._exposure.clean_starts[number : number + 2])
        clean = self._clean.read(start, stop + 1)
        held = int(self._exposure.holds[number])
        if held < 0:
            return clean
        document = self._exposure.documents[held].tokens
        return np.concatenate([document, [self._boundary], clean])
