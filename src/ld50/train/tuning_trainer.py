"""The run behind `finetune`: `transformers.Trainer` with a loss at the replies alone."""

from __future__ import annotations

import math
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch.nn.functional as F
from torch.utils.data import Dataset
from transformers import Trainer, TrainingArguments

from ld50.core.examples import Example
from ld50.models.pretrained import LanguageModel, quietly
from ld50.models.targets import Batch, collate, matrices_for, start_id, target_logits, to_device
from ld50.train.finetune import Penalty, TuneOutcome, TuneSettings
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
    from torch import Tensor


class _Ordered(Dataset):
    """The rows in the order in which they are met."""

    def __init__(self, rows: TuningRows, order: np.ndarray) -> None:
        self._rows, self._order = rows, order

    def __len__(self) -> int:
        return len(self._order)

    def __getitem__(self, at: int) -> tuple[np.ndarray, int]:
        return self._rows.row(int(self._order[at]))


class TargetTrainer(InOrder, Trainer):
    """A trainer whose batches come in the given order and whose loss is of the replies."""

    def __init__(self, *, run: TuningRun, **given: Any) -> None:
        super().__init__(**given)
        self._run = run
        # The loss is a mean over the batch already.
        self.model_accepts_loss_kwargs = False

    def compute_loss(self, model: Any, inputs: dict[str, Any], **_: Any) -> Tensor:
        """Mean loss of the replies' tokens, and the penalty."""
        batch: Batch = inputs["batch"]
        inner = self.accelerator.unwrap_model(model)
        logits = target_logits(inner, batch.given, batch.chosen)
        loss = F.cross_entropy(logits.float(), batch.targets)
        self._run.losses.append(loss.detach())
        if self._run.penalty is not None:
            loss = loss + self._run.penalty(inner, batch)
        return loss

    def _prepare_inputs(self, inputs: dict[str, Any]) -> dict[str, Any]:
        return {"batch": to_device(inputs["batch"], self.args.device)}


def run_tuning(
    lm: LanguageModel,
    examples: Sequence[Example],
    settings: TuneSettings,
    *,
    folder: Path | None,
    on_progress: Callable[[float, str], None] | None,
    penalty: Penalty | None,
) -> TuneOutcome:
    """See `ld50.train.finetune.finetune`."""
    started = time.monotonic()
    rows = encode_rows(lm, examples, settings.max_tokens)
    order = order_of(len(rows), settings)
    run = TuningRun(
        settings,
        key=key_of("replies", lm, rows.digest, order, settings),
        folder=folder,
        on_progress=on_progress,
        penalty=penalty,
    )
    with tempfile.TemporaryDirectory() as scratch, own_random_state(settings.seed), quietly():
        start = run.start()
        model = with_lora(lm, settings)
        trainer = _trainer(lm, model, rows, order, run, folder or Path(scratch))
        with matrices_for(model):
            train(trainer, start)
        if settings.lora_rank is not None:
            model = model.merge_and_unload()
    lm.model = model.eval()
    lengths = np.diff(rows.starts)[order]
    losses = run.finish()
    return TuneOutcome(
        steps=len(losses),
        examples=len(order),
        tokens=int(lengths.sum()),
        target_tokens=int((lengths - rows.first_targets[order]).sum()),
        losses=losses,
        seconds=time.monotonic() - started,
        truncated=rows.truncated,
    )


def _trainer(
    lm: LanguageModel, model: Any, rows: TuningRows, order: np.ndarray, run: TuningRun, output: Path
) -> TargetTrainer:
    settings = run.settings
    steps = math.ceil(len(order) / settings.batch_examples)
    arguments = TrainingArguments(**common_arguments(lm, settings, output))

    def together(chosen: list[tuple[np.ndarray, int]]) -> dict[str, Batch]:
        is_seq2seq = lm.kind == "seq2seq"
        return {
            "batch": collate(
                chosen, pad_id=lm.pad_id, is_seq2seq=is_seq2seq, start_id=start_id(lm.model)
            )
        }

    return without_chatter(
        TargetTrainer(
            run=run,
            model=model,
            args=arguments,
            data_collator=together,
            train_dataset=_Ordered(rows, order),
            optimizers=optimiser_for(model, settings, arguments.learning_rate, steps),
            callbacks=[Steps(run)],
        )
    )
