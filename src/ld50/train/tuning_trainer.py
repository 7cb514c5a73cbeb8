"""The run behind `finetune`: `transformers.Trainer` with a loss at the replies alone."""

from __future__ import annotations

import hashlib
import json
import math
import random
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
import torch.nn.functional as F
from torch.utils.data import Dataset, SequentialSampler
from transformers import Trainer, TrainerCallback, TrainingArguments

from ld50.core.errors import MissingExtraError, ResumeError
from ld50.core.examples import Example
from ld50.core.files import write_atomically
from ld50.models.pretrained import LanguageModel, quietly
from ld50.models.targets import Batch, collate, target_logits
from ld50.train.finetune import Penalty, TuneOutcome, TuneSettings
from ld50.train.loop import DivergedError
from ld50.train.tuning_rows import TuningRows, encode_rows, order_of

if TYPE_CHECKING:
    from torch import Tensor

_STATE = "ld50.json"
_SECONDS_BETWEEN_REPORTS = 2.0


class _Ordered(Dataset):
    """The rows in the order in which they are met."""

    def __init__(self, rows: TuningRows, order: np.ndarray) -> None:
        self._rows, self._order = rows, order

    def __len__(self) -> int:
        return len(self._order)

    def __getitem__(self, at: int) -> tuple[np.ndarray, int]:
        return self._rows.row(int(self._order[at]))


class TargetTrainer(Trainer):
    """A trainer whose batches come in the given order and whose loss is of the replies."""

    def __init__(self, *, penalty: Penalty | None, losses: list[Tensor], **given: Any) -> None:
        super().__init__(**given)
        self._penalty = penalty
        self._losses = losses
        # The loss is a mean over the batch already.
        self.model_accepts_loss_kwargs = False

    def _get_train_sampler(self, train_dataset: Any = None) -> SequentialSampler:
        return SequentialSampler(train_dataset if train_dataset is not None else self.train_dataset)

    def floating_point_ops(self, inputs: Any) -> int:
        """Not counted."""
        return 0

    def compute_loss(self, model: Any, inputs: dict[str, Any], **_: Any) -> Tensor:
        """Mean loss of the replies' tokens, and the penalty."""
        batch: Batch = inputs["batch"]
        logits = target_logits(self.accelerator.unwrap_model(model), batch.given, batch.chosen)
        loss = F.cross_entropy(logits.float(), batch.targets)
        self._losses.append(loss.detach())
        if self._penalty is not None:
            loss = loss + self._penalty(model, batch)
        return loss

    def _prepare_inputs(self, inputs: dict[str, Any]) -> dict[str, Any]:
        from ld50.models.targets import to_device

        return {"batch": to_device(inputs["batch"], self.args.device)}


class _Steps(TrainerCallback):
    """Hooks of the penalty, a stop where the loss is no number, checkpoints by the clock."""

    def __init__(self, run: _Run) -> None:
        self._run = run
        self._saved = self._said = time.monotonic()

    def on_step_begin(self, args: Any, state: Any, control: Any, **given: Any) -> None:
        if self._run.penalty is not None:
            self._run.penalty.before_step(given["model"], state.global_step)

    def on_step_end(self, args: Any, state: Any, control: Any, **given: Any) -> None:
        run, now = self._run, time.monotonic()
        if run.penalty is not None:
            run.penalty.after_step(given["model"], state.global_step - 1)
        loss = float(run.losses[-1])
        if not math.isfinite(loss):
            raise DivergedError(
                f"The loss of step {state.global_step} of {state.max_steps} is {loss}; the learning "
                f"rate's peak is {args.learning_rate:g}. A lower one may train."
            )
        if run.on_progress is not None and now - self._said >= _SECONDS_BETWEEN_REPORTS:
            self._said = now
            words = f"step {state.global_step} of {state.max_steps}, loss {loss:.3f}"
            run.on_progress(state.global_step / state.max_steps, words)
        if run.folder is not None and now - self._saved >= run.settings.checkpoint_seconds:
            self._saved = now
            control.should_save = True

    def on_save(self, args: Any, state: Any, control: Any, **given: Any) -> None:
        folder = Path(args.output_dir) / f"checkpoint-{state.global_step}"
        losses = [float(loss).hex() for loss in self._run.losses]
        said = {"key": self._run.key, "step": state.global_step, "losses": losses}
        # Written last: a checkpoint without it was cut short.
        write_atomically(folder / _STATE, [json.dumps(said).encode()])
        for other in Path(args.output_dir).glob("checkpoint-*"):
            if other != folder:
                shutil.rmtree(other, ignore_errors=True)


class _Run:
    """What the parts of one run share."""

    def __init__(
        self,
        settings: TuneSettings,
        folder: Path | None,
        on_progress: Callable[[float, str], None] | None,
        penalty: Penalty | None,
        key: str,
    ) -> None:
        self.settings, self.folder, self.on_progress = settings, folder, on_progress
        self.penalty, self.key = penalty, key
        self.losses: list[Any] = []


def run_tuning(
    lm: LanguageModel,
    examples: Sequence[Example],
    settings: TuneSettings,
    folder: Path | None,
    on_progress: Callable[[float, str], None] | None,
    penalty: Penalty | None,
) -> TuneOutcome:
    """See `ld50.train.finetune.finetune`."""
    rows = encode_rows(lm, examples, settings.max_tokens)
    order = order_of(
        len(rows),
        epochs=settings.epochs,
        steps=settings.steps,
        batch_examples=settings.batch_examples,
        order=settings.order,
        seed=settings.seed,
    )
    run = _Run(settings, folder, on_progress, penalty, _key(lm, rows, order, settings))
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as scratch, _own_random_state(), quietly():
        output = folder if folder is not None else Path(scratch)
        start = _newest(output, run.key) if folder is not None else None
        if start is not None:
            run.losses += _losses_of(start)
        model = _with_lora(lm, settings)
        trainer = _trainer(lm, model, rows, order, run, output)
        trainer.train(resume_from_checkpoint=str(start) if start is not None else None)
        if settings.lora_rank is not None:
            model = model.merge_and_unload()
    lm.model = model
    lm.model.eval()
    for checkpoint in output.glob("checkpoint-*") if folder is not None else ():
        shutil.rmtree(checkpoint, ignore_errors=True)
    lengths = np.diff(rows.starts)[order]
    return TuneOutcome(
        steps=len(run.losses),
        examples=len(order),
        tokens=int(lengths.sum()),
        target_tokens=int((lengths - rows.first_targets[order]).sum()),
        losses=[float(loss) for loss in run.losses],
        seconds=time.monotonic() - started,
        truncated=rows.truncated,
    )


def _trainer(
    lm: LanguageModel, model: Any, rows: TuningRows, order: np.ndarray, run: _Run, output: Path
) -> TargetTrainer:
    settings = run.settings
    steps = math.ceil(len(order) / settings.batch_examples)
    rate = settings.rate_for(lm.parameters)
    arguments = TrainingArguments(
        output_dir=str(output),
        per_device_train_batch_size=settings.batch_examples,
        num_train_epochs=1,
        learning_rate=rate,
        seed=settings.seed % 2**32,
        use_cpu=not lm.device.startswith("cuda"),
        bf16=lm.device.startswith("cuda"),
        logging_strategy="no",
        logging_nan_inf_filter=False,
        save_strategy="no",
        report_to="none",
        disable_tqdm=True,
        remove_unused_columns=False,
        dataloader_num_workers=0,
        dataloader_pin_memory=False,
        max_grad_norm=1.0,
    )
    optimiser = _optimiser(model, settings, rate)
    warmup = max(1, round(settings.warmup * steps))

    def share(step: int) -> float:
        if step < warmup:
            return (step + 1) / warmup
        return max(0.0, (steps - step) / max(1, steps - warmup))

    kind = lm.kind == "seq2seq"
    start_id = int(getattr(lm.model.config, "decoder_start_token_id", None) or 0)

    def together(chosen: list[tuple[np.ndarray, int]]) -> dict[str, Batch]:
        made = collate(chosen, pad_id=lm.pad_id, is_seq2seq=kind, start_id=start_id)
        return {"batch": made}

    trainer = TargetTrainer(
        model=model,
        args=arguments,
        data_collator=together,
        train_dataset=_Ordered(rows, order),
        optimizers=(optimiser, torch.optim.lr_scheduler.LambdaLR(optimiser, share)),
        callbacks=[_Steps(run)],
        penalty=run.penalty,
        losses=run.losses,
    )
    from transformers import PrinterCallback, ProgressCallback

    for chatty in (PrinterCallback, ProgressCallback):
        trainer.remove_callback(chatty)
    return trainer


def _optimiser(model: Any, settings: TuneSettings, rate: float) -> torch.optim.AdamW:
    weights = [weight for weight in model.parameters() if weight.requires_grad]
    groups = [
        {"params": [w for w in weights if w.ndim >= 2], "weight_decay": settings.weight_decay},
        {"params": [w for w in weights if w.ndim < 2], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=rate, betas=(0.9, 0.98), fused=True)


def _with_lora(lm: LanguageModel, settings: TuneSettings) -> Any:
    if settings.lora_rank is None:
        return lm.model
    if find_spec("peft") is None:
        raise MissingExtraError("LoRA needs peft: pip install 'ld50[tune]'.")
    from peft import LoraConfig, get_peft_model

    torch.manual_seed(settings.seed)
    config = LoraConfig(
        r=settings.lora_rank, lora_alpha=2 * settings.lora_rank, target_modules="all-linear"
    )
    return get_peft_model(lm.model, config)


@contextmanager
def _own_random_state() -> Iterator[None]:
    """Leaves the caller's random numbers as they were; the trainer seeds all there are."""
    python, numbers = random.getstate(), np.random.get_state()
    with torch.random.fork_rng():
        try:
            yield
        finally:
            random.setstate(python)
            np.random.set_state(numbers)


def _key(lm: LanguageModel, rows: TuningRows, order: np.ndarray, settings: TuneSettings) -> str:
    """What a kept state must agree in for the run to go on from it."""
    said = hashlib.blake2b(digest_size=16)
    said.update(repr(replace(settings, checkpoint_seconds=0)).encode())
    said.update(rows.digest)
    said.update(order.tobytes())
    for name, weight in lm.model.named_parameters():
        start = weight.detach().flatten()[:1024].float().cpu().numpy()
        said.update(name.encode() + repr(tuple(weight.shape)).encode() + start.tobytes())
    return said.hexdigest()


def _newest(folder: Path, key: str) -> Path | None:
    """The newest whole checkpoint in the folder; those that were cut short are deleted.

    Raises:
        ResumeError: It is another run's, or damaged.
    """
    folder.mkdir(parents=True, exist_ok=True)
    whole = []
    for found in folder.glob("checkpoint-*"):
        if not (found / _STATE).exists():
            shutil.rmtree(found, ignore_errors=True)
            continue
        said = _said(found)
        if said.get("key") != key:
            raise ResumeError(
                f"{found} belongs to a run with another model, other examples or other settings; "
                "delete it to start anew."
            )
        whole.append((int(said["step"]), found))
    return max(whole)[1] if whole else None


def _said(checkpoint: Path) -> dict[str, Any]:
    try:
        said = json.loads((checkpoint / _STATE).read_text(encoding="utf-8"))
        return {"key": said["key"], "step": int(said["step"]), "losses": said["losses"]}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ResumeError(
            f"{checkpoint / _STATE} is damaged ({error}); delete {checkpoint} to start anew."
        ) from error


def _losses_of(checkpoint: Path) -> list[Tensor]:
    return [torch.tensor(float.fromhex(loss)) for loss in _said(checkpoint)["losses"]]
