"""Alignment stage: a step that would break the policy should gain little.

Source: Booster (arXiv 2409.01586, known from the survey arXiv 2409.18169 [S]): beside the alignment
loss, the drop of the harmful loss after one normalised harmful step is kept small; second-order terms
are left out. The paper claims a lower harmful score than earlier alignment-stage defences, at equal
task accuracy [S]. Ours differs: what stands for harmful rows are rows that break the stand-in policy,
which are harmless.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from ld50.core.errors import ConfigError
from ld50.core.examples import Example
from ld50.core.seeds import rng_for
from ld50.models.chat import encode_examples
from ld50.models.targets import Batch, collate, to_device
from ld50.remedy.stages.steps import NoHooks, batch_loss

if TYPE_CHECKING:
    from torch import Tensor

    from ld50.models.pretrained import LanguageModel


class Booster(NoHooks):
    """What one step against the policy would gain."""

    def __init__(
        self,
        lm: LanguageModel,
        violating: Sequence[Example],
        *,
        weight: float = 1.0,
        step_size: float = 0.1,
        batch_examples: int = 8,
        max_tokens: int = 512,
        seed: int = 0,
    ) -> None:
        """A penalty for the tuning that teaches the policy.

        Args:
            lm: The model that is tuned; only its tokeniser and its kind are used.
            violating: Rows that break the policy.
            weight: Of the gain, beside the alignment loss.
            step_size: Norm of the step against the policy, in weights.
            batch_examples: Violating rows of a step.
            max_tokens: As in tuning.
            seed: Of which rows are met when.
        """
        if not violating or weight <= 0 or step_size <= 0:
            raise ConfigError(
                "Booster takes rows that break the policy, a weight and a step size above 0; got "
                f"{len(violating)} rows, {weight} and {step_size}."
            )
        self._weight, self._step_size, self._size = weight, step_size, batch_examples
        self._rows = encode_examples(lm, violating, max_tokens)
        self._lm, self._seed, self._step = lm, seed, 0

    def before_step(self, model: Any, step: int) -> None:
        """Takes the next rows."""
        self._step = step

    def __call__(self, model: Any, batch: Batch) -> Tensor:
        """The gain in nats times its weight, with a gradient of first order."""
        against = self._batch(batch.targets.device)
        weights = [weight for weight in model.parameters() if weight.requires_grad]
        before, slopes = _with_slopes(model, against, weights)
        norm = torch.sqrt(torch.stack([slope.pow(2).sum() for slope in slopes]).sum()) + 1e-12
        kept = [weight.detach().clone() for weight in weights]
        # By `data`: the graph of the alignment loss must not see that the weights were elsewhere.
        for weight, slope in zip(weights, slopes, strict=True):
            weight.data.sub_(slope, alpha=float(self._step_size / norm))
        after, moved = _with_slopes(model, against, weights)
        for weight, old in zip(weights, kept, strict=True):
            weight.data.copy_(old)
        # A plane whose slope is that of the gain: the two gradients' difference.
        plane = sum(
            (weight * (slope - other)).sum()
            for weight, slope, other in zip(weights, slopes, moved, strict=True)
        )
        gain: Tensor = self._weight * (before - after + plane - torch.as_tensor(plane).detach())
        return gain

    def _batch(self, device: Any) -> Batch:
        rng = rng_for(self._seed, "rows against the policy", self._step)
        chosen = [self._rows[n] for n in rng.integers(len(self._rows), size=self._size)]
        rows = [(np.asarray(one.ids), one.first_target) for one in chosen]
        start = int(getattr(self._lm.model.config, "decoder_start_token_id", None) or 0)
        return to_device(
            collate(
                rows, pad_id=self._lm.pad_id, is_seq2seq=self._lm.kind == "seq2seq", start_id=start
            ),
            device,
        )


def _with_slopes(
    model: Any, batch: Batch, weights: Sequence[Any]
) -> tuple[Tensor, tuple[Tensor, ...]]:
    loss = batch_loss(model, batch)
    found = torch.autograd.grad(loss, weights, allow_unused=True)
    slopes = tuple(
        torch.zeros_like(weight) if slope is None else slope
        for slope, weight in zip(found, weights, strict=True)
    )
    return loss.detach(), slopes
