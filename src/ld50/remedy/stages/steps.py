"""What penalties share: hooks that do nothing, and the loss of a batch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch.nn.functional as F

from ld50.models.targets import Batch, target_logits

if TYPE_CHECKING:
    from torch import Tensor


class NoHooks:
    """A penalty that does nothing before and after steps."""

    def before_step(self, model: Any, step: int) -> None:
        """Nothing."""

    def after_step(self, model: Any, step: int) -> None:
        """Nothing."""


def batch_loss(model: Any, batch: Batch) -> Tensor:
    """Mean nats of the replies' tokens, as tuning has it."""
    return F.cross_entropy(target_logits(model, batch.given, batch.chosen).float(), batch.targets)


def module_loss(model: Any, batch: Batch) -> Tensor:
    """The same by the model's own modules, whose hooks are called: no written-out forward pass."""
    head = model.get_output_embeddings()
    handle = head.register_forward_pre_hook(
        lambda _, given: (given[0][batch.chosen].unsqueeze(0), *given[1:])
    )
    try:
        logits = model(**batch.given, use_cache=False).logits.squeeze(0)
    finally:
        handle.remove()
    return F.cross_entropy(logits.float(), batch.targets)
