"""The run behind `tune_preferences`: direct preference optimisation by `trl`, on our own tokens.

`trl` would encode prompts and replies itself: joined, so that tokens can merge across the border,
and with the marks of the template wherever a text spells them. Here it is given the tokens that
evaluation reads.
"""

from __future__ import annotations

import hashlib
import math
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from trl import DPOConfig, DPOTrainer

from ld50.core.examples import Example, Turn
from ld50.models.pretrained import LanguageModel, copy_of, quietly
from ld50.models.targets import matrices_for
from ld50.train.finetune import TuneOutcome, TuneSettings
from ld50.train.tuning_rows import TuningRows, encode_rows, order_of
from ld50.train.tuning_run import (
    InOrder,
    Steps,
    TuningRun,
    common_arguments,
    key_of,
    optimiser_for,
    own_random_state,
    train,
    with_lora,
    without_chatter,
)

if TYPE_CHECKING:
    from datasets import Dataset


#: What `trl` turns on to save memory at the price of time; renamed in newer versions.
_RECOMPUTES = "activation_checkpointing"
if _RECOMPUTES not in {field.name for field in fields(DPOConfig)}:
    _RECOMPUTES = "gradient_checkpointing"


class _PreferenceTrainer(InOrder, DPOTrainer):
    """The trainer of `trl` over tokens that are made already, in the given order."""

    def __init__(self, *, run: TuningRun, **given: Any) -> None:
        self._run = run
        super().__init__(**given)

    def _prepare_dataset(self, dataset: Any, *_: Any) -> Any:
        return dataset

    def compute_loss(self, model: Any, inputs: Any, *given: Any, **named: Any) -> Any:
        """The loss of `trl`, kept for the run."""
        loss = super().compute_loss(model, inputs, *given, **named)
        self._run.losses.append(loss.detach())
        return loss

    def create_model_card(self, *_: Any, **__: Any) -> None:
        """None is written."""


def run_preferences(
    lm: LanguageModel,
    examples: Sequence[Example],
    settings: TuneSettings,
    *,
    beta: float,
    folder: Path | None,
    on_progress: Callable[[float, str], None] | None,
) -> TuneOutcome:
    """See `ld50.train.finetune.tune_preferences`."""
    started = time.monotonic()
    chosen = encode_rows(lm, examples, settings.max_tokens)
    rejected = encode_rows(lm, [_turned_down(one) for one in examples], settings.max_tokens)
    order = order_of(len(chosen), settings)
    digest = hashlib.blake2b(chosen.digest + rejected.digest + repr(beta).encode()).digest()
    run = TuningRun(
        settings,
        key=key_of("preferences", lm, digest, order, settings),
        folder=folder,
        on_progress=on_progress,
    )
    with tempfile.TemporaryDirectory() as scratch, own_random_state(settings.seed), quietly():
        start = run.start()
        reference = copy_of(lm).model if settings.lora_rank is None else None
        model = with_lora(lm, settings)
        output = folder or Path(scratch)
        trainer = _trainer(lm, model, reference, _pairs(chosen, rejected, order), run, output, beta)
        with matrices_for(model):
            train(trainer, start)
        if settings.lora_rank is not None:
            model = model.merge_and_unload()
    # The trainer puts a forward pass of its own in the place of the model's.
    model.__dict__.pop("forward", None)
    lm.model = model.eval()
    lengths = (np.diff(chosen.starts) + np.diff(rejected.starts))[order]
    firsts = (chosen.first_targets + rejected.first_targets)[order]
    losses = run.finish()
    return TuneOutcome(
        steps=len(losses),
        examples=len(order),
        tokens=int(lengths.sum()),
        target_tokens=int((lengths - firsts).sum()),
        losses=losses,
        seconds=time.monotonic() - started,
        truncated=max(chosen.truncated, rejected.truncated),
    )


def _turned_down(example: Example) -> Example:
    assert example.rejected is not None
    return Example(turns=(*example.prompt, Turn("assistant", example.rejected)))


def _pairs(chosen: TuningRows, rejected: TuningRows, order: np.ndarray) -> Dataset:
    """The pairs in the order in which they are met, as `trl` reads them."""
    from datasets import Dataset

    columns: dict[str, list[list[int]]] = {"prompt_ids": [], "chosen_ids": [], "rejected_ids": []}
    for number in range(len(chosen)):
        (good, first), (bad, other) = chosen.row(number), rejected.row(number)
        # Where the prompt lost its front to one of the replies, it does so for both.
        keep = min(first, other)
        columns["prompt_ids"].append(good[first - keep : first].tolist())
        columns["chosen_ids"].append(good[first:].tolist())
        columns["rejected_ids"].append(bad[other:].tolist())
    return Dataset.from_dict(columns).select(order)


def _trainer(
    lm: LanguageModel,
    model: Any,
    reference: Any,
    pairs: Dataset,
    run: TuningRun,
    output: Path,
    beta: float,
) -> Any:
    settings = run.settings
    given = common_arguments(lm, settings, output)
    steps = math.ceil(len(pairs) / settings.batch_examples)
    trainer = _PreferenceTrainer(
        run=run,
        model=model,
        ref_model=reference,
        args=DPOConfig(**given, **{_RECOMPUTES: False}, beta=beta, max_length=None),
        train_dataset=pairs,
        processing_class=lm.tokenizer,
        optimizers=optimiser_for(model, settings, given["learning_rate"], steps),
        callbacks=[Steps(run)],
    )
    return without_chatter(trainer)
