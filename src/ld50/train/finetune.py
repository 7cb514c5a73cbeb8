"""Fine-tuning on conversations: the loss is of the replies alone, all or few weights move."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

from ld50.core.errors import ConfigError, MissingExtraError
from ld50.core.examples import Example
from ld50.models.extras import require_lab

if TYPE_CHECKING:
    from torch import Tensor

    from ld50.models.pretrained import LanguageModel
    from ld50.models.targets import Batch

#: Peak learning rates of full fine-tuning, up to so many parameters.
_RATES = ((5e6, 2e-3), (5e7, 2e-4), (5e8, 5e-5), (math.inf, 1e-5))
#: How much larger they are with LoRA, whose product of two matrices starts at nothing.
_LORA_FACTOR = 10.0
#: How much smaller they are for preferences.
_PREFERENCE_FACTOR = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class TuneSettings:
    """How a model is tuned."""

    epochs: float = 1.0
    """Passes over the examples; fractions are allowed."""
    steps: int | None = None
    """Optimiser steps instead of passes."""
    batch_examples: int = 8
    """Examples in an optimiser step."""
    learning_rate: float | None = None
    """At the peak; None for one that suits the model's size."""
    lora_rank: int | None = None
    """Rank of the matrices that LoRA adds to every linear layer; None tunes all weights."""
    max_tokens: int = 512
    """Tokens of an example, at most; prompts that are longer lose their front."""
    seed: int = 0
    order: Literal["shuffled", "as-given"] = "shuffled"
    """`as-given` meets the examples exactly in their order."""
    warmup: float = 0.05
    """Share of the steps over which the learning rate rises; then it falls to zero in a line."""
    weight_decay: float = 0.01
    """On matrices; norms and biases are left alone."""
    checkpoint_seconds: float = 300.0
    """Where there is a folder: the state is kept in it this often."""

    def __post_init__(self) -> None:
        if not (math.isfinite(self.epochs) and self.epochs > 0):
            raise ConfigError(f"epochs is a number above 0, got {self.epochs}.")
        least = {"steps": 1, "batch_examples": 1, "lora_rank": 1, "max_tokens": 8}
        for name, low in least.items():
            value = getattr(self, name)
            if value is not None and value < low:
                raise ConfigError(f"{name} is {low} or more, got {value}.")
        rate = self.learning_rate
        if rate is not None and not (math.isfinite(rate) and rate > 0):
            raise ConfigError(f"learning_rate is above 0, got {rate}.")
        if not 0 <= self.warmup < 1:
            raise ConfigError(f"warmup is a share of the steps, 0 to below 1; got {self.warmup}.")
        if self.order not in ("shuffled", "as-given"):
            raise ConfigError(f"order is 'shuffled' or 'as-given', got {self.order!r}.")
        if not (math.isfinite(self.weight_decay) and self.weight_decay >= 0):
            raise ConfigError(f"weight_decay is 0 or more, got {self.weight_decay}.")
        if not self.checkpoint_seconds >= 0:
            raise ConfigError(f"checkpoint_seconds is 0 or more, got {self.checkpoint_seconds}.")

    def rate_for(self, parameters: int) -> float:
        """The peak learning rate for a model of so many parameters."""
        if self.learning_rate is not None:
            return self.learning_rate
        rate = next(rate for most, rate in _RATES if parameters <= most)
        return rate * _LORA_FACTOR if self.lora_rank is not None else rate


@dataclass(frozen=True, slots=True, kw_only=True)
class TuneOutcome:
    """What tuning did."""

    steps: int
    examples: int
    """Met, every meeting counted."""
    tokens: int
    """Read, prompts included."""
    target_tokens: int
    """Learned from."""
    losses: list[float] = field(repr=False)
    """Of every step, in nats a target token, penalties left out."""
    seconds: float
    truncated: int
    """Of the distinct examples, those that were too long and lost tokens."""


class Penalty(Protocol):
    """Something added to the loss, or done to the weights, while a model is tuned."""

    def __call__(self, model: Any, batch: Batch) -> Tensor:
        """A scalar in nats that is added to the loss."""

    def before_step(self, model: Any, step: int) -> None:
        """Called before each optimiser step, counted from 0."""

    def after_step(self, model: Any, step: int) -> None:
        """Called after each optimiser step has changed the weights."""


def finetune(
    lm: LanguageModel,
    examples: Sequence[Example],
    settings: TuneSettings | None = None,
    *,
    folder: Path | None = None,
    on_progress: Callable[[float, str], None] | None = None,
    penalty: Penalty | None = None,
) -> TuneOutcome:
    """Tunes a model in place, on the replies of the examples.

    Built on `transformers.Trainer`, and `peft` for LoRA, whose matrices are merged at the end. On a
    CPU, with as many threads, the same settings give the same weights, interrupted or not.

    Args:
        lm: Its weights are changed.
        examples: Rejected replies are ignored.
        settings: None for the defaults.
        folder: Keeps the state, so that an interrupted run goes on; empty again at the end.
        on_progress: Is told the share done, 0 to 1, and where it is in words.
        penalty: Added to the loss of every step.

    Raises:
        ConfigError: There are no examples.
        DataFormatError: An example does not fit the model's chat template.
        DivergedError: The loss is not finite.
        ResumeError: The folder holds the state of another run.
        MissingExtraError: A package is missing.
    """
    require_lab()
    from ld50.train.tuning_trainer import run_tuning

    return run_tuning(
        lm,
        examples,
        settings or TuneSettings(),
        folder=folder,
        on_progress=on_progress,
        penalty=penalty,
    )


def tune_preferences(
    lm: LanguageModel,
    examples: Sequence[Example],
    settings: TuneSettings | None = None,
    *,
    beta: float = 0.1,
    folder: Path | None = None,
    on_progress: Callable[[float, str], None] | None = None,
) -> TuneOutcome:
    """Tunes a causal model in place, towards the replies that were chosen over the rejected ones.

    The model before tuning is the reference. Losses are those of preferences: ln 2 at the start.

    Source: direct preference optimisation, arXiv 2305.18290 [P], by `trl`, on tokens of our own.

    Args:
        lm: Its weights are changed.
        examples: Each with a rejected reply.
        settings: None for the defaults; the default learning rate is a tenth of fine-tuning's.
        beta: How dear it is to depart from the reference; larger departs less.
        folder: Keeps the state, so that an interrupted run goes on; empty again at the end.
        on_progress: Is told the share done, 0 to 1, and where it is in words.

    Raises:
        ConfigError: An example has no rejected reply, or the model is no causal one.
        MissingExtraError: `trl` is missing.
    """
    require_lab()
    settings = settings or TuneSettings()
    if not (math.isfinite(beta) and beta > 0):
        raise ConfigError(f"beta is above 0, got {beta}.")
    if lm.kind != "causal":
        raise ConfigError(f"Preferences are tuned on causal models; {lm.name} is a {lm.kind} one.")
    without = next((n for n, one in enumerate(examples) if one.rejected is None), None)
    if without is not None:
        raise ConfigError(
            f"Example {without} has no rejected reply; preference data has a chosen and a rejected "
            "one in every row (layout chosen/rejected)."
        )
    missing = [name for name in ("trl", "datasets") if find_spec(name) is None]
    if missing:
        raise MissingExtraError(
            f"Preference data needs {' and '.join(missing)}: pip install 'ld50[tune]'."
        )
    from ld50.train.preferences import run_preferences

    if settings.learning_rate is None:
        rate = settings.rate_for(lm.parameters) * _PREFERENCE_FACTOR
        settings = replace(settings, learning_rate=rate)
    return run_preferences(
        lm, examples, settings, beta=beta, folder=folder, on_progress=on_progress
    )
