"""The training loop: one step after the other, stopped by a loss that is no number."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch

from ld50.core.errors import Ld50Error
from ld50.models.forward import Body
from ld50.models.loss import next_token_loss
from ld50.train.optimiser import OptimiserSettings, make_optimiser
from ld50.train.stream import Batches

if TYPE_CHECKING:
    from transformers import LlamaForCausalLM


class DivergedError(Ld50Error):
    """The loss is no number any more, so that training on is of no use."""


@dataclass(slots=True, kw_only=True)
class Progress:
    """How far a run has come."""

    step: int = 0
    """Steps done."""
    losses: list[float] = field(default_factory=list)
    """Training loss of every step, in nats a token."""
    seconds: float = 0.0
    """Spent in steps."""
    tokens: int = 0


class Trainer:
    """Trains a model on the batches of a plan; can stop and go on at any step."""

    def __init__(
        self,
        model: LlamaForCausalLM,
        batches: Batches,
        settings: OptimiserSettings,
        *,
        steps: int,
        compiled: bool = False,
    ) -> None:
        """A trainer at step 0.

        Args:
            model: Trained in place.
            batches: What it is trained on.
            settings: Of the optimiser.
            steps: Of the planned run, which the learning rate follows; steps after it keep its end.
            compiled: Whether `torch.compile` is used, which pays for long runs only.
        """
        self.model = model
        self.body = Body(model)
        self.batches = batches
        self.settings = settings
        self.steps = steps
        self.optimiser = make_optimiser(model, settings)
        self.progress = Progress()
        self._weights = [w for group in self.optimiser.param_groups for w in group["params"]]
        self._forward = torch.compile(self.body) if compiled else self.body

    def train_to(self, step: int, on_step: Callable[[Progress], None] | None = None) -> None:
        """Trains until so many steps are done.

        Raises:
            DivergedError: The loss is not finite.
        """
        progress = self.progress
        while progress.step < step:
            started = time.perf_counter()
            batch = torch.from_numpy(self.batches.batch(progress.step))
            loss = self.one_step(batch, self.settings.rate(progress.step, self.steps))
            progress.seconds += time.perf_counter() - started
            progress.tokens += batch.shape[0] * (batch.shape[1] - 1)
            progress.step += 1
            progress.losses.append(loss)
            if not math.isfinite(loss):
                raise DivergedError(
                    f"The loss of step {progress.step} of {self.steps} is {loss}; the learning "
                    f"rate's peak is {self.settings.learning_rate:g}. A lower one may train."
                )
            if on_step is not None:
                on_step(progress)

    def one_step(self, batch: torch.Tensor, rate: float) -> float:
        """The loss of one batch (sequences, context + 1), after which the weights are updated."""
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        hidden = self._forward(batch[:, :-1])
        targets = batch[:, 1:].reshape(-1)
        loss = next_token_loss(hidden.flatten(0, 1), self.body.embedding, targets)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self._weights, self.settings.clip, foreach=True)
        self.optimiser.step()
        self.optimiser.zero_grad(set_to_none=True)
        return float(loss.detach())
