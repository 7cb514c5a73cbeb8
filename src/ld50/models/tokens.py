"""Text as a model reads it: tokens, document by document, divided into what is trained on and not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from ld50.models.vocabulary import Vocabulary

Part = Literal["train", "validation", "prompts", "poison"]
PARTS: tuple[Part, ...] = ("train", "validation", "prompts", "poison")


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenSet:
    """The documents of one part, one after the other, each closed by the boundary token."""

    tokens: np.ndarray
    """uint16 or uint32 (n,), memory-mapped."""
    starts: np.ndarray
    """int64 (documents + 1,): where each document starts; the last is `n`."""

    @property
    def documents(self) -> int:
        """How many there are."""
        return len(self.starts) - 1

    def document(self, number: int) -> np.ndarray:
        """int64: the tokens of one document, without the boundary token."""
        return self.tokens[self.starts[number] : self.starts[number + 1] - 1].astype(np.int64)


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenStore:
    """A study's text as tokens, divided into parts."""

    vocabulary: Vocabulary
    parts: dict[Part, TokenSet]
    second_language: TokenSet | None
    fingerprint: str
    bytes: dict[str, int]
    """UTF-8 bytes of text in each part."""
    counts: np.ndarray
    """int64 (vocabulary,): how often each token occurs in the part `train`."""
