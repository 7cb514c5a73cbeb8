"""Fine-tuning stage: the hidden states stay near those of the aligned model.

Source: LDIFS (arXiv 2308.13320, known from the survey arXiv 2409.18169 [S]): the squared distance in
feature space between the tuned and the original model is added to the loss; made against forgetting in
general, the survey lists it as a defence. Its claim: knowledge of other tasks stays, at equal accuracy
on the new one [S]. Ours differs: features are the hidden states after every layer at the replies'
tokens, and the mean square is taken, so that the weight does not depend on the width.
"""

from __future__ import annotations

import copy
import math
from typing import TYPE_CHECKING, Any

import torch

from ld50.core.errors import ConfigError
from ld50.models.targets import Batch
from ld50.remedy.stages.steps import NoHooks

if TYPE_CHECKING:
    from torch import Tensor

    from ld50.models.pretrained import LanguageModel


class FeatureDistance(NoHooks):
    """Mean squared distance of hidden states from the aligned model's."""

    def __init__(self, aligned: LanguageModel, *, weight: float = 1.0) -> None:
        """A penalty for the tuning on a user's rows.

        Args:
            aligned: The model as it was; a copy of its weights is kept.
            weight: Of the distance, beside the loss in nats.
        """
        if not (math.isfinite(weight) and weight > 0):
            raise ConfigError(f"weight is above 0, got {weight}.")
        self._aligned = copy.deepcopy(aligned.model).eval()
        self._weight = weight

    def __call__(self, model: Any, batch: Batch) -> Tensor:
        """The distance times its weight."""
        with torch.no_grad():
            before = _states(self._aligned, batch)
        parts = [
            (now - old).pow(2).mean()
            for now, old in zip(_states(model, batch), before, strict=True)
        ]
        return self._weight * torch.stack(parts).mean()


def _states(model: Any, batch: Batch) -> list[Tensor]:
    """The hidden states after every layer, at the positions that replies are read off."""
    body = model.get_decoder() if "decoder_input_ids" not in batch.given else model
    output = body(**batch.given, use_cache=False, output_hidden_states=True)
    states = getattr(output, "decoder_hidden_states", None) or output.hidden_states
    return [state[batch.chosen] for state in states[1:]]
