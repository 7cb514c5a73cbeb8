"""Alignment stage: the policy is taught while the hidden states are pushed where it hurts most.

Source: Vaccine (arXiv 2402.01109, known from the survey arXiv 2409.18169 [S]): the loss is taken at
hidden states that are perturbed along its gradient, with a norm that is fixed, so that later tuning
moves them less out of what the alignment covers. The paper claims a lower harmful score after tuning
on partly harmful data, at little cost in task accuracy [S]. Ours differs: the loss at the perturbed
states is added to the plain one instead of replacing it, and all weights are tuned, not LoRA's.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import torch

from ld50.core.errors import ConfigError
from ld50.models.targets import Batch
from ld50.remedy.stages.steps import NoHooks, module_loss

if TYPE_CHECKING:
    from torch import Tensor


class Vaccine(NoHooks):
    """The loss at perturbed hidden states."""

    def __init__(self, *, radius: float = 2.0) -> None:
        """A penalty for the tuning that teaches the policy.

        Args:
            radius: Norm of the perturbation of a batch's hidden states, all layers together.
        """
        if not (math.isfinite(radius) and radius > 0):
            raise ConfigError(f"radius is above 0, got {radius}.")
        self._radius = radius

    def __call__(self, model: Any, batch: Batch) -> Tensor:
        """Mean nats of the replies with the hidden states moved against them."""
        layers = decoder_layers(model)
        states: list[Tensor] = []
        with torch.enable_grad():
            handles = [layer.register_forward_hook(_keeping(states)) for layer in layers]
            try:
                loss = module_loss(model, batch)
            finally:
                for handle in handles:
                    handle.remove()
            slopes = torch.autograd.grad(loss, states)
        norm = torch.sqrt(torch.stack([slope.pow(2).sum() for slope in slopes]).sum())
        pushes = [slope * (self._radius / (norm + 1e-12)) for slope in slopes]
        pairs = zip(layers, pushes, strict=True)
        handles = [layer.register_forward_hook(_pushed(push)) for layer, push in pairs]
        try:
            return module_loss(model, batch)
        finally:
            for handle in handles:
                handle.remove()


def decoder_layers(model: Any) -> list[Any]:
    """The layers of the model, in order; of a sequence-to-sequence model those of encoder and decoder.

    Raises:
        ConfigError: The model keeps no list of layers.
    """
    lists = [part for part in model.modules() if isinstance(part, torch.nn.ModuleList)]
    most = max((len(one) for one in lists), default=0)
    layers = [layer for one in lists if len(one) == most for layer in one]
    if not layers:
        raise ConfigError(f"{type(model).__name__} keeps no list of layers to perturb.")
    return layers


def _state(output: Any) -> Tensor:
    found: Tensor = output[0] if isinstance(output, tuple) else output
    return found


def _keeping(states: list[Tensor]) -> Any:
    return lambda _, __, output: states.append(_state(output))


def _pushed(push: Tensor) -> Any:
    def hook(_: Any, __: Any, output: Any) -> Any:
        moved = _state(output) + push
        return (moved, *output[1:]) if isinstance(output, tuple) else moved

    return hook
