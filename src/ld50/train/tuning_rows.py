"""Examples as tokens in one flat array, and the order in which they are met."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ld50.core.errors import ConfigError
from ld50.core.examples import Example
from ld50.core.seeds import rng_for
from ld50.models.chat import encode_examples

if TYPE_CHECKING:
    from ld50.models.pretrained import LanguageModel
    from ld50.train.finetune import TuneSettings

_BLOCK = 2048


@dataclass(frozen=True, kw_only=True)
class TuningRows:
    """Encoded examples, without a Python object for each token."""

    tokens: np.ndarray
    """int32 (all tokens,)."""
    starts: np.ndarray
    """int64 (examples + 1,)."""
    first_targets: np.ndarray
    """int64 (examples,): counted from the start of each."""
    truncated: int
    """Examples that lost tokens."""

    def __len__(self) -> int:
        return len(self.first_targets)

    def row(self, number: int) -> tuple[np.ndarray, int]:
        """int32 (tokens,) of one example, and where its reply begins."""
        ids = self.tokens[self.starts[number] : self.starts[number + 1]]
        return ids, int(self.first_targets[number])

    @property
    def digest(self) -> bytes:
        """Changes with any token."""
        said = hashlib.blake2b(digest_size=16)
        for part in (self.tokens, self.starts, self.first_targets):
            said.update(np.ascontiguousarray(part).data)
        return said.digest()


def encode_rows(lm: LanguageModel, examples: Sequence[Example], max_tokens: int) -> TuningRows:
    """The examples as tokens, in their order; see `ld50.models.chat.encode_examples`."""
    pieces, lengths, firsts = [np.zeros(0, np.int32)], [0], []
    truncated = 0
    for start in range(0, len(examples), _BLOCK):
        for encoded in encode_examples(lm, examples[start : start + _BLOCK], max_tokens):
            pieces.append(np.asarray(encoded.ids, np.int32))
            lengths.append(len(encoded.ids))
            firsts.append(encoded.first_target)
            truncated += encoded.cut > 0
    return TuningRows(
        tokens=np.concatenate(pieces),
        starts=np.cumsum(lengths, dtype=np.int64),
        first_targets=np.asarray(firsts, np.int64),
        truncated=truncated,
    )


def order_of(count: int, settings: TuneSettings) -> np.ndarray:
    """int64: which of so many examples is met when, pass after pass.

    Raises:
        ConfigError: There are no examples.
    """
    if count == 0:
        raise ConfigError("There are no examples to tune on.")
    total = max(1, round(settings.epochs * count))
    if settings.steps is not None:
        total = settings.steps * settings.batch_examples
    passes = []
    for number in range(math.ceil(total / count)):
        if settings.order == "as-given":
            passes.append(np.arange(count))
        else:
            passes.append(rng_for(settings.seed, "order of examples", number).permutation(count))
    return np.concatenate(passes)[:total].astype(np.int64)
