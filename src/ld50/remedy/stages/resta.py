"""After fine-tuning: what aligning changed is added once more.

Source: RESTA (arXiv 2402.11746, known from the survey arXiv 2409.18169 [S]): a safety vector, the
difference between an aligned and an unaligned model, is added to the weights of the tuned one. The paper
claims that harmfulness falls several-fold, at a small cost in task accuracy [S]. Ours differs: the
unaligned model is the one before the policy was taught, and updates are not thinned out at random
before (the paper's variant with DARE).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch

from ld50.core.errors import ConfigError
from ld50.models.pretrained import copy_of
from ld50.remedy.stages.safe_lora import require_same_weights

if TYPE_CHECKING:
    from ld50.models.pretrained import LanguageModel


def add_policy_vector(
    tuned: LanguageModel, aligned: LanguageModel, base: LanguageModel, *, scale: float = 0.5
) -> LanguageModel:
    """A copy of the tuned model with `scale` times (aligned - base) added to its weights.

    Raises:
        ConfigError: The three are not the same model, or the scale is no number.
    """
    if not math.isfinite(scale):
        raise ConfigError(f"scale is a number, got {scale}.")
    weights = [dict(lm.model.named_parameters()) for lm in (tuned, aligned, base)]
    require_same_weights(*weights)
    made = copy_of(tuned)
    with torch.no_grad():
        for name, weight in made.model.named_parameters():
            weight.add_(weights[1][name] - weights[2][name], alpha=scale)
    return made
