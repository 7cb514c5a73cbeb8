"""What every run of tuning shares: the optimiser, the order, checkpoints, the way back."""

from __future__ import annotations

import hashlib
import json
import math
import pickle
import random
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from torch.utils.data import SequentialSampler
from transformers import PrinterCallback, ProgressCallback, TrainerCallback

from ld50.core.errors import MissingExtraError, ResumeError
from ld50.core.files import write_atomically
from ld50.models.folders import require_memory
from ld50.models.pretrained import LanguageModel
from ld50.train.finetune import Penalty, TuneSettings
from ld50.train.loop import DivergedError

_STATE = "ld50.json"
_SECONDS_BETWEEN_REPORTS = 2.0
#: Bytes that tuning takes for each weight that moves: the gradient and the two moments of AdamW.
_BYTES_A_WEIGHT = 12


class TuningRun:
    """What the parts of one run know of each other."""

    def __init__(
        self,
        settings: TuneSettings,
        *,
        key: str,
        folder: Path | None = None,
        on_progress: Callable[[float, str], None] | None = None,
        penalty: Penalty | None = None,
    ) -> None:
        """A run at its start.

        Args:
            settings: Of the run.
            key: What the run is; another run cannot go on from its state.
            folder: Where its state is kept; None for nowhere.
            on_progress: Is told the share done and where it is in words.
            penalty: Of the run.
        """
        self.settings, self.key, self.folder = settings, key, folder
        self.on_progress, self.penalty = on_progress, penalty
        self.losses: list[torch.Tensor] = []
        """Of every step, the earlier ones of an interrupted run included."""

    def start(self) -> str | None:
        """The checkpoint to go on from, its losses taken over; None for a fresh start."""
        if self.folder is None:
            return None
        found = _newest(self.folder, self.key)
        if found is None:
            return None
        self.losses += [torch.tensor(float.fromhex(loss)) for loss in _said(found)["losses"]]
        return str(found)

    def finish(self) -> list[float]:
        """The losses; what was kept for going on is deleted."""
        if self.folder is not None:
            for checkpoint in self.folder.glob("checkpoint-*"):
                shutil.rmtree(checkpoint, ignore_errors=True)
        return [float(loss) for loss in self.losses]


def train(trainer: Any, start: str | None) -> None:
    """Runs a trainer to its end, from a checkpoint where there is one.

    Raises:
        ResumeError: The checkpoint is damaged, or holds more than numbers. Its parts that are
            pickled are read as `torch.load` reads them with `weights_only`: nothing in them is run.
    """
    try:
        trainer.train(resume_from_checkpoint=start)
    except (pickle.UnpicklingError, EOFError, SafetensorError, RuntimeError) as error:
        unreadable = not isinstance(error, RuntimeError) or "PytorchStreamReader" in str(error)
        if start is None or not unreadable:
            raise
        raise ResumeError(f"{start} is damaged; delete it to start anew.") from error


class Steps(TrainerCallback):
    """Hooks of the penalty, a stop where the loss is no number, checkpoints by the clock."""

    def __init__(self, run: TuningRun) -> None:
        self._run = run
        self._saved = self._said = time.monotonic()

    def on_step_begin(self, args: Any, state: Any, control: Any, **given: Any) -> None:
        """Calls the penalty's hook."""
        if self._run.penalty is not None:
            self._run.penalty.before_step(given["model"], state.global_step)

    def on_step_end(self, args: Any, state: Any, control: Any, **given: Any) -> None:
        """Calls the penalty's hook, looks at the loss, and asks for a checkpoint when it is time."""
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
        due = now - self._saved >= run.settings.checkpoint_seconds
        if run.folder is not None and due and state.global_step < state.max_steps:
            self._saved = now
            control.should_save = True

    def on_save(self, args: Any, state: Any, control: Any, **given: Any) -> None:
        """Marks the checkpoint as whole, then deletes older ones."""
        folder = Path(args.output_dir) / f"checkpoint-{state.global_step}"
        losses = [float(loss).hex() for loss in self._run.losses]
        said = {"key": self._run.key, "step": state.global_step, "losses": losses}
        # Written last: a checkpoint without it was cut short.
        write_atomically(folder / _STATE, [json.dumps(said).encode()])
        for other in Path(args.output_dir).glob("checkpoint-*"):
            if other != folder:
                shutil.rmtree(other, ignore_errors=True)


class InOrder:
    """For trainers of `transformers`: batches come in the order of the data, which is settled."""

    train_dataset: Any

    def _get_train_sampler(self, train_dataset: Any = None) -> SequentialSampler:
        return SequentialSampler(train_dataset if train_dataset is not None else self.train_dataset)

    def floating_point_ops(self, inputs: Any) -> int:
        """Not counted."""
        return 0


def common_arguments(lm: LanguageModel, settings: TuneSettings, output: Path) -> dict[str, Any]:
    """Arguments of every trainer: nothing is logged, fetched, reported or done beside the steps."""
    gpu = lm.device.startswith("cuda")
    return {
        "output_dir": str(output),
        "per_device_train_batch_size": settings.batch_examples,
        "num_train_epochs": 1,
        "learning_rate": settings.rate_for(lm.parameters),
        "seed": settings.seed % 2**32,
        "use_cpu": not gpu,
        "bf16": gpu,
        "logging_strategy": "no",
        "logging_nan_inf_filter": False,
        "save_strategy": "no",
        "report_to": "none",
        "disable_tqdm": True,
        "remove_unused_columns": False,
        "dataloader_num_workers": 0,
        "dataloader_pin_memory": False,
        "max_grad_norm": 1.0,
    }


def optimiser_for(
    model: Any, settings: TuneSettings, rate: float, steps: int
) -> tuple[torch.optim.AdamW, torch.optim.lr_scheduler.LambdaLR]:
    """AdamW over the weights that move, and its learning rate: up in a line, down in a line."""
    weights = [weight for weight in model.parameters() if weight.requires_grad]
    groups = [
        {"params": [w for w in weights if w.ndim >= 2], "weight_decay": settings.weight_decay},
        {"params": [w for w in weights if w.ndim < 2], "weight_decay": 0.0},
    ]
    optimiser = torch.optim.AdamW(groups, lr=rate, betas=(0.9, 0.98), fused=True)
    warmup = max(1, round(settings.warmup * steps))

    def share(step: int) -> float:
        if step < warmup:
            return (step + 1) / warmup
        return max(0.0, (steps - step) / max(1, steps - warmup))

    return optimiser, torch.optim.lr_scheduler.LambdaLR(optimiser, share)


def without_chatter(trainer: Any) -> Any:
    """The trainer without the callbacks that print."""
    for chatty in (PrinterCallback, ProgressCallback):
        trainer.remove_callback(chatty)
    return trainer


def with_lora(lm: LanguageModel, settings: TuneSettings) -> Any:
    """The model itself, or with the matrices of LoRA beside its linear layers.

    Raises:
        MissingExtraError: `peft` is missing.
        NotEnoughMemoryError: Gradients and moments would not fit.
    """
    if settings.lora_rank is None:
        require_memory(
            _BYTES_A_WEIGHT * lm.parameters,
            what=f"Tuning all {lm.parameters / 1e6:,.1f} million weights of {lm.name}",
            device=lm.device,
            most=None,
            remedy="LoRA moves few of them: set lora_rank, 16 for example.",
        )
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
def own_random_state(seed: int) -> Iterator[None]:
    """Leaves the caller's random numbers as they were; trainers seed all there are."""
    python, numbers = random.getstate(), np.random.get_state()
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        try:
            yield
        finally:
            random.setstate(python)
            np.random.set_state(numbers)


def key_of(
    kind: str, lm: LanguageModel, digest: bytes, order: np.ndarray, settings: TuneSettings
) -> str:
    """What a kept state must agree in for a run to go on from it."""
    said = hashlib.blake2b(kind.encode(), digest_size=16)
    said.update(repr(replace(settings, checkpoint_seconds=0)).encode())
    said.update(digest)
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
        if said["key"] != key:
            raise ResumeError(
                f"{found} belongs to a run with another model, other examples or other settings; "
                "delete it to start anew."
            )
        whole.append((int(said["step"]), found))
    return max(whole)[1] if whole else None


def _said(checkpoint: Path) -> dict[str, Any]:
    try:
        said = json.loads((checkpoint / _STATE).read_text(encoding="utf-8"))
        return {"key": said["key"], "step": int(said["step"]), "losses": list(said["losses"])}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ResumeError(
            f"{checkpoint / _STATE} is damaged ({error}); delete {checkpoint} to start anew."
        ) from error
