"""What a run will do and take, worked out before anything is tuned."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ld50.core.examples import Example
from ld50.core.remedies import PlanStep
from ld50.remedy.applying import why_not
from ld50.remedy.protocol import Case
from ld50.remedy.registry import Treatment

if TYPE_CHECKING:
    from ld50.models.pretrained import LanguageModel
    from ld50.train.finetune import TuneSettings

#: A training step reads forwards and twice as much backwards.
_TRAINING_OVER_READING = 3.0
#: Rows that the pace is measured with, and whose tokens stand for all.
_PROBE_ROWS = 24
#: fp32 weights, gradients and the two moments of AdamW.
_TRAINED_BYTES = 16
_KEPT_BYTES = 4
#: Numbers a token that a layer keeps for its backward pass, in widths of the model: see `models.costs`.
_KEPT_WIDTHS = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How fast this machine reads with this model."""

    parameters: int
    tokens_per_second: float
    """Of reading; training takes three times as long."""
    activation_bytes_per_token: int


def pace_of(lm: LanguageModel, rows: Sequence[Example], max_tokens: int) -> Pace:
    """The pace, measured by reading a few rows twice."""
    from ld50.measure.replies import reply_loss

    probe = list(rows[:_PROBE_ROWS])
    tokens = sum(token_counts(lm, probe, max_tokens))
    reply_loss(lm, probe, max_tokens=max_tokens)
    began = time.perf_counter()
    reply_loss(lm, probe, max_tokens=max_tokens)
    seconds = max(time.perf_counter() - began, 1e-6)
    config = lm.model.config
    width = int(getattr(config, "hidden_size", None) or getattr(config, "d_model", None) or 512)
    layers = int(
        getattr(config, "num_hidden_layers", None) or getattr(config, "num_layers", None) or 6
    )
    return Pace(
        parameters=lm.parameters,
        tokens_per_second=tokens / seconds,
        activation_bytes_per_token=4 * width * layers * _KEPT_WIDTHS,
    )


def token_counts(lm: LanguageModel, rows: Sequence[Example], max_tokens: int) -> list[int]:
    """Tokens of each row, prompt and reply, as they are trained on."""
    from ld50.models.chat import encode_examples

    return [len(one.ids) for one in encode_examples(lm, rows, max_tokens)]


def plan_step(
    treatment: Treatment,
    case: Case,
    lm: LanguageModel,
    pace: Pace,
    settings: TuneSettings,
    *,
    has_base: bool,
    measuring_seconds: float,
) -> PlanStep:
    """What one treatment will do; where it cannot be done, why."""
    missing = why_not(treatment, has_base=has_base, case=case)
    if missing:
        return PlanStep(
            remedy=treatment.name, does=[], rows=0, tokens=0, seconds=0.0, memory_bytes=0,
            possible=False, why_not=missing,
        )  # fmt: skip
    rows = tokens = 0
    longest = 1
    for part in treatment:
        examples = part.remedy.examples(case, part.count(case))
        counts = token_counts(lm, examples[:2000], settings.max_tokens) or [0]
        met = _met(len(examples), part.remedy.tuning(settings, pace.parameters))
        rows += met
        tokens += round(met * sum(counts) / len(counts))
        longest = max(longest, *counts)
    return PlanStep(
        remedy=treatment.name,
        does=[part.remedy.does(case, part.count(case)) for part in treatment],
        rows=rows,
        tokens=tokens,
        seconds=_TRAINING_OVER_READING * tokens / pace.tokens_per_second + measuring_seconds,
        memory_bytes=memory_bytes(pace, settings.batch_examples * longest, has_base=has_base),
    )


def tuning_seconds(
    lm: LanguageModel, rows: Sequence[Example], pace: Pace, settings: TuneSettings
) -> float:
    """Seconds that tuning on the rows takes, from the tokens of the first of them."""
    counts = token_counts(lm, rows[:2000], settings.max_tokens)
    tokens = _met(len(rows), settings) * sum(counts) / max(1, len(counts))
    return _TRAINING_OVER_READING * tokens / pace.tokens_per_second


def _met(examples: int, settings: TuneSettings) -> int:
    """Examples that are met while tuning, repeats counted."""
    if settings.steps is not None:
        return settings.steps * settings.batch_examples
    return round(examples * settings.epochs)


def memory_bytes(pace: Pace, batch_tokens: int, *, has_base: bool) -> int:
    """Memory at the peak: the model that is tuned, those it is made from, and one step."""
    models = pace.parameters * (_TRAINED_BYTES + _KEPT_BYTES * (1 + has_base))
    return models + batch_tokens * pace.activation_bytes_per_token
