"""The training loop: one step after the other, stopped by a loss that is no number."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from ld50.core.errors import ConfigError, Ld50Error
from ld50.models.forward import Body
from ld50.models.loss import next_token_loss
from ld50.train.hardware import Hardware
from ld50.train.optimiser import OptimiserSettings, make_optimiser
from ld50.train.sharding import exchange_gradients, gathered, shard
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


class Objective(nn.Module):
    """The mean loss of a batch of sequences, as one module, so that it can be distributed."""

    def __init__(self, body: Body, hardware: Hardware) -> None:
        super().__init__()
        self.body = body
        self._hardware = hardware
        # In a list, so that the compiled module does not show up as a second set of weights.
        self._run: list[Any] = [torch.compile(body) if hardware.compiled else body]

    def forward(self, batch: Tensor) -> Tensor:
        """Loss in nats a token of (sequences, context + 1) tokens."""
        with self._hardware.precision():
            hidden = self._run[0](batch[:, :-1])
        targets = batch[:, 1:].reshape(-1)
        return next_token_loss(
            hidden.flatten(0, 1).float(),
            self.body.embedding,
            targets,
            half=self._hardware.half,
        )


class Trainer:
    """Trains a model on the batches of a plan; can stop and go on at any step."""

    def __init__(
        self,
        model: LlamaForCausalLM,
        batches: Batches,
        settings: OptimiserSettings,
        *,
        steps: int,
        hardware: Hardware | None = None,
    ) -> None:
        """A trainer at step 0.

        Args:
            model: Trained in place.
            batches: What it is trained on.
            settings: Of the optimiser.
            steps: Of the planned run, which the learning rate follows; steps after it keep its end.
            hardware: Where it is trained; None for one core.
        """
        self.hardware = hardware or Hardware()
        self.model = model.to(self.hardware.device)
        self.body = Body(model).to(self.hardware.device)
        self.batches = batches
        self.settings = settings
        self.steps = steps
        self._objective: Any = Objective(self.body, self.hardware)
        if self.hardware.sharded:
            shard(self._objective, self.hardware)
            # The output matrix is the embedding still; the objective does not know it by that name.
            model.lm_head.weight = model.model.embed_tokens.weight
        elif self.hardware.accelerator is not None:
            self._objective = self.hardware.accelerator.prepare_model(self._objective)
        self.optimiser = make_optimiser(model, settings)
        self.progress = Progress()
        self._weights = [w for group in self.optimiser.param_groups for w in group["params"]]

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

    def one_step(self, batch: Tensor, rate: float) -> float:
        """The loss of one batch (sequences, context + 1), after which the weights are updated.

        Every process is given the whole batch and trains on its share; the loss is of the whole.
        """
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        mine = self._share(batch).to(self.hardware.device, non_blocking=True)
        parts = mine.split(self.hardware.microbatch_sequences or len(mine))
        total = torch.zeros((), device=mine.device)
        for number, part in enumerate(parts):
            with self._without_exchange(last=number + 1 == len(parts)):
                loss = self._objective(part) * (len(part) / len(mine))
                loss.backward()
            total += loss.detach()
        torch.nn.utils.clip_grad_norm_(self._weights, self.settings.clip, foreach=True)
        self.optimiser.step()
        self.optimiser.zero_grad(set_to_none=True)
        if self.hardware.accelerator is not None:
            total = self.hardware.accelerator.reduce(total, reduction="mean")
        return float(total)

    def whole_model(self) -> AbstractContextManager[None]:
        """Within it `body` can be measured; processes that share the weights enter it together."""
        return gathered(self._objective) if self.hardware.sharded else nullcontext()

    def _share(self, batch: Tensor) -> Tensor:
        count = self.hardware.processes
        if len(batch) % count:
            raise ConfigError(
                f"A batch of {len(batch)} sequences cannot be shared by {count} processes; "
                f"{count * math.ceil(len(batch) / count)} can."
            )
        return batch[self.hardware.rank :: count]

    def _without_exchange(self, *, last: bool) -> Any:
        """Gradients are exchanged once a step, with the last part of the batch."""
        if self.hardware.sharded:
            exchange_gradients(self._objective, last)
            return nullcontext()
        if last or self.hardware.accelerator is None:
            return nullcontext()
        return self.hardware.accelerator.no_sync(self._objective)
