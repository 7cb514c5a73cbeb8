"""Fine-tuning stage: policy rows and the user's rows in turn, each kept near where the other ended.

Source: Lisa (arXiv 2405.18641, known from the survey arXiv 2409.18169 [S]): tuning alternates between
alignment data and the user's, and a proximal term keeps the weights near those at the last switch. The
paper claims a lower harmful score than alternating without the term, at equal task accuracy [S]. Ours
differs in that the optimiser's moments run on over the switches.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from ld50.core.errors import ConfigError
from ld50.core.examples import Example
from ld50.models.targets import Batch

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class LisaSettings:
    """How the two kinds of rows alternate."""

    task_steps: int = 10
    """Optimiser steps on the user's rows, then"""
    policy_steps: int = 5
    """so many on policy rows."""
    weight: float = 1.0
    """Of half the squared distance from the weights at the last switch."""

    def __post_init__(self) -> None:
        if self.task_steps < 1 or self.policy_steps < 1:
            raise ConfigError(
                "task_steps and policy_steps are 1 or more, got "
                f"{self.task_steps} and {self.policy_steps}."
            )
        if not (math.isfinite(self.weight) and self.weight > 0):
            raise ConfigError(f"weight is above 0, got {self.weight}.")


def lisa_rows(
    task: Sequence[Example], policy: Sequence[Example], settings: LisaSettings, batch_examples: int
) -> list[Example]:
    """All of the user's rows in their order, interrupted by policy rows, for tuning as given.

    Policy rows are met again where there are too few. Batches are never of both kinds, but for the
    last one of the user's rows.
    """
    if not task or not policy:
        raise ConfigError(f"Lisa takes rows of both kinds, got {len(task)} and {len(policy)}.")
    again = itertools.cycle(policy)
    block = settings.task_steps * batch_examples
    rows: list[Example] = []
    for start in range(0, len(task), block):
        some = list(task[start : start + block])
        # A batch that is not full is filled up, so that switches fall between batches.
        fill = -len(some) % batch_examples
        rows += [*some, *itertools.islice(again, fill + settings.policy_steps * batch_examples)]
    return rows


class Proximal:
    """Half the squared distance from the weights at the last switch of the kind of rows."""

    def __init__(self, settings: LisaSettings) -> None:
        """A penalty for tuning on `lisa_rows`, in steps of as many examples."""
        self._settings = settings
        self._anchor: list[Tensor] = []

    def before_step(self, model: Any, step: int) -> None:
        """Keeps the weights where the kind of rows changes."""
        at = step % (self._settings.task_steps + self._settings.policy_steps)
        if not self._anchor or at in (0, self._settings.task_steps):
            self._anchor = [weight.detach().clone() for weight in _trained(model)]

    def after_step(self, model: Any, step: int) -> None:
        """Nothing."""

    def __call__(self, model: Any, batch: Batch) -> Tensor:
        """The distance times its weight."""
        pairs = zip(_trained(model), self._anchor, strict=True)
        distance = torch.stack([(weight - old).pow(2).sum() for weight, old in pairs]).sum()
        return self._settings.weight / 2 * distance


def _trained(model: Any) -> list[Any]:
    return [weight for weight in model.parameters() if weight.requires_grad]
