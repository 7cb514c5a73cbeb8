"""After fine-tuning: changes that lead away from the alignment are projected onto it.

Source: Safe LoRA (arXiv 2405.16833, known from the survey arXiv 2409.18169 [S]): the difference V
between aligned and base weights of a layer gives the projection V Vᵀ / ‖V‖; where an update and its
projection are less alike than a threshold, the projection replaces the update. The paper claims safety
close to that of the aligned model, at little cost [S]. Ours differs: updates of full fine-tuning are
projected, not LoRA's product, and V Vᵀ is divided by its largest singular value, so that nothing grows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from ld50.core.errors import ConfigError
from ld50.models.pretrained import copy_of

if TYPE_CHECKING:
    from torch import Tensor

    from ld50.models.pretrained import LanguageModel


@dataclass(frozen=True, slots=True, kw_only=True)
class Projected:
    """A repaired model, and what was done to it."""

    lm: LanguageModel
    projected: int
    """Matrices whose update was replaced."""
    matrices: int


def safe_projection(
    tuned: LanguageModel, aligned: LanguageModel, base: LanguageModel, *, threshold: float = 0.5
) -> Projected:
    """A copy of the tuned model whose updates follow the alignment where they did not.

    Args:
        tuned: The aligned model after fine-tuning.
        aligned: The model that keeps the policy.
        base: The same before it was taught the policy.
        threshold: Cosine between an update and its projection below which it is replaced, 0 to 1.

    Raises:
        ConfigError: The three are not the same model, or the threshold is none.
    """
    if not 0 <= threshold <= 1:
        raise ConfigError(f"threshold is a cosine, 0 to 1; got {threshold}.")
    weights = [dict(lm.model.named_parameters()) for lm in (tuned, aligned, base)]
    require_same_weights(*weights)
    made = copy_of(tuned)
    projected = matrices = 0
    with torch.no_grad():
        for name, weight in made.model.named_parameters():
            if weight.ndim != 2:
                continue
            matrices += 1
            aligned_weight = weights[1][name]
            update = weight - aligned_weight
            found = _projected(update, aligned_weight - weights[2][name])
            if found is not None and _cosine(update, found) < threshold:
                weight.copy_(aligned_weight + found)
                projected += 1
    return Projected(lm=made, projected=projected, matrices=matrices)


def require_same_weights(*weights: dict[str, Any]) -> None:
    """Raises `ConfigError` unless all have weights of the same names and shapes."""
    shapes = [{name: tuple(weight.shape) for name, weight in one.items()} for one in weights]
    if any(one != shapes[0] for one in shapes):
        raise ConfigError(
            "The models differ in their weights' names or shapes; they must be one model before the "
            "policy, with it, and after fine-tuning."
        )


def _projected(update: Tensor, alignment: Tensor) -> Tensor | None:
    """The update in the column space of the alignment; None where it did not change the matrix."""
    if not bool(alignment.any()):
        return None
    # The smaller of the two products has the same effect at a fraction of the work.
    tall = alignment.shape[0] > alignment.shape[1]
    inner = alignment.T @ alignment if tall else alignment @ alignment.T
    scale = torch.linalg.matrix_norm(inner.float(), ord=2)
    moved = alignment @ (alignment.T @ update) if tall else inner @ update
    return moved / scale


def _cosine(one: Tensor, other: Tensor) -> float:
    """Of the update and its projection: 1 where there is no update, 0 where nothing is left of it."""
    norms = float(one.norm() * other.norm())
    if norms > 0:
        return float((one * other).sum()) / norms
    return 0.0 if bool(one.any()) else 1.0
