"""AdamW and its learning rate, as the studies of small models use them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ld50.core.errors import ConfigError

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, slots=True, kw_only=True)
class OptimiserSettings:
    """AdamW with a linear warm-up and a cosine down to a floor, gradients clipped."""

    learning_rate: float
    """At the peak."""
    betas: tuple[float, float] = (0.9, 0.95)
    weight_decay: float = 0.1
    """On matrices; norms are left alone."""
    clip: float = 1.0
    """Largest norm of the gradient."""
    warmup_share: float = 0.05
    floor_share: float = 0.1
    """The last learning rate, as a share of the peak; clean training goes on with it."""

    def __post_init__(self) -> None:
        if not (math.isfinite(self.learning_rate) and self.learning_rate > 0):
            raise ConfigError(f"A learning rate is above 0, got {self.learning_rate}.")

    def rate(self, step: int, steps: int) -> float:
        """The learning rate of a step (from 0) in a run of `steps`; the floor after its end."""
        floor = self.learning_rate * self.floor_share
        if step >= steps:
            return floor
        warmup = max(1, round(self.warmup_share * steps))
        if step < warmup:
            return self.learning_rate * (step + 1) / warmup
        share = (step - warmup) / max(1, steps - warmup)
        return floor + (self.learning_rate - floor) * 0.5 * (1 + math.cos(math.pi * share))


def make_optimiser(model: Any, settings: OptimiserSettings) -> torch.optim.AdamW:
    """Fused AdamW over all parameters of a model; matrices decay, norms do not."""
    import torch

    weights = [weight for _, weight in sorted(model.named_parameters())]
    groups = [
        {"params": [w for w in weights if w.ndim >= 2], "weight_decay": settings.weight_decay},
        {"params": [w for w in weights if w.ndim < 2], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=settings.learning_rate, betas=settings.betas, fused=True)
