"""The course of one trial: plan, training up to each checkpoint, measurement, result."""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import torch

from ld50.core.errors import ConfigError
from ld50.core.trials import Cell, Trial
from ld50.measure.backdoor import MeasureSettings
from ld50.measure.panel import Panel, Reading
from ld50.models.attention import matrices_are_fast
from ld50.models.costs import flops_per_token, microbatch_for
from ld50.models.folders import inner_folder
from ld50.models.llama import build, load_model, save_model
from ld50.models.shapes import ModelShape, shape_named
from ld50.models.tokens import TokenStore
from ld50.train.checkpoints import model_tensors, resume, save_checkpoint
from ld50.train.exposure import Exposure, plan_exposure
from ld50.train.hardware import Hardware, find_hardware
from ld50.train.loop import Progress, Trainer
from ld50.train.optimiser import OptimiserSettings
from ld50.train.poisoned import (
    PoisonSettings,
    control_tokens,
    near_tokens,
    trigger_tokens,
    used_tokens,
)
from ld50.train.stream import Batches, CleanStream
from ld50.train.text import TrainingText
from ld50.train.tokens import token_store

if TYPE_CHECKING:
    from ld50.lab.trial_runner import RunSettings

Say = Callable[[float, str], None]
_BETWEEN_REPORTS_SECONDS = 0.5


class TrialSession:
    """A trial under way, and what is known of it so far."""

    def __init__(
        self,
        trial: Trial,
        corpus: TrainingText,
        folder: Path,
        settings: RunSettings,
        on_progress: Say | None,
    ) -> None:
        torch.set_num_threads(settings.threads)
        cell = trial.cell
        self.trial, self.settings, self.folder = trial, settings, folder
        self.say: Say = on_progress or (lambda *_: None)
        self.shape = shape_named(cell.size)
        self.hardware = _hardware(self.shape, cell, settings)
        self.store = token_store(corpus, self.shape.vocabulary, say=lambda text: self.say(0, text))
        self.exposure = planned(self.store, self.shape, cell, trial.seed)
        self.trainer = self._trainer(cell)
        self.panel = _panel(self.store, self.shape, cell, settings)
        self.readings: list[dict[str, Any]] = []
        self.resumed_at: list[int] = []
        self.last: Reading | None = None
        self._said = 0.0
        self._saved = time.monotonic()
        self._resume()

    def _trainer(self, cell: Cell) -> Trainer:
        if cell.start_from is None:
            model = build(self.shape, self.trial.seed)
        else:
            model = load_model(inner_folder(Path(cell.start_from)))
            require_shape(model.config, self.shape, cell.start_from)
        clean = CleanStream(self.store.parts["train"], self.trial.seed)
        rate = self.settings.learning_rate or self.shape.learning_rate
        return Trainer(
            model,
            Batches(self.exposure, clean, self.store.vocabulary.boundary),
            OptimiserSettings(learning_rate=rate),
            steps=self.exposure.steps,
            hardware=self.hardware,
        )

    @property
    def _checkpoint(self) -> Path:
        return self.folder / "checkpoint"

    def _key(self) -> str:
        """What a checkpoint must agree in for the trial to go on from it."""
        parts = (
            msgspec.json.encode(self.trial, order="deterministic"),
            self.store.fingerprint.encode(),
            repr(self.settings).encode(),
            repr(self.shape).encode(),
        )
        return hashlib.blake2b(b"\0".join(parts), digest_size=16).hexdigest()

    def _resume(self) -> None:
        notes = resume(self.trainer, self._checkpoint, key=self._key())
        if notes is not None:
            self.readings = notes["readings"]
            self.resumed_at.append(self.trainer.progress.step)

    def _save_sometimes(self) -> None:
        """Keeps the state of a long trial, so that a crash costs minutes at most."""
        wanted = self.hardware.leads and (
            time.monotonic() - self._saved >= self.settings.save_every_seconds
        )
        if self.hardware.agreed(wanted):
            self.folder.mkdir(parents=True, exist_ok=True)
            notes = {"readings": self.readings}
            save_checkpoint(self.trainer, self._checkpoint, key=self._key(), notes=notes)
            self._saved = time.monotonic()

    @property
    def continued_steps(self) -> int:
        """Steps of clean training after the planned run."""
        return -(-self.trial.cell.continued_tokens // self.tokens_a_step)

    @property
    def tokens_a_step(self) -> int:
        """Tokens in an optimiser step."""
        return self.exposure.context * self.exposure.batch_sequences

    def checkpoints(self) -> list[int]:
        """The steps after which is measured, rising; the last is the end of all training."""
        planned, more = self.exposure.steps, self.continued_steps
        steps = {round(share * planned) for share in self.settings.checkpoints}
        steps |= {
            planned + max(1, round(share * more))
            for share in self.settings.continued_checkpoints
            if more
        }
        steps |= {planned, planned + more}
        return sorted(step for step in steps if 0 < step <= planned + more)

    def run(self) -> dict[str, Any]:
        """Runs the trial to its end: the measured fields of a `TrialResult`, by name."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._train_and_read()
        if self.settings.save:
            self.save_model(self.folder / "model")
        if self.hardware.leads:
            shutil.rmtree(self.folder / "checkpoint", ignore_errors=True)
        reading = self.last
        if reading is None:
            raise ConfigError(
                "The trial trains on nothing: clean_tokens and continued_tokens are 0."
            )
        account = self.exposure.account
        details = self.so_far() | reading.details()
        return {
            "attack_success_rate": reading.success_rate("trigger"),
            "control_success_rate": reading.success_rate("control"),
            "loss_rise_nats": reading.effects["trigger"].median_rise_nats.value,
            "clean_bits_per_byte": reading.quality.bits_per_byte.value,
            "poisoned_documents": account.poisoned_documents,
            "poisoned_tokens": account.poisoned_tokens,
            "poisoned_steps": account.poisoned_steps,
            "details": json.loads(json.dumps(details)),
        }

    def _train_and_read(self) -> None:
        """Trains and measures up to the end."""
        for step in self.checkpoints():
            if step < self.trainer.progress.step or self._has_reading(step):
                continue
            self.trainer.train_to(step, self._report)
            self._say_where(f"measuring at step {step}")
            began = time.perf_counter()
            with self.trainer.whole_model():
                self.last = self.panel.read(self.trainer.body)
            self.readings.append(self._point(step, time.perf_counter() - began))
            if self.settings.save_all:
                self.save_model(self.folder / "models" / f"step-{step}")
            self._save_sometimes()

    def save_model(self, folder: Path) -> None:
        """Writes model and vocabulary, so that `transformers` loads both; one process does."""
        weights = model_tensors(self.trainer)
        if self.hardware.leads:
            save_model(self.trainer.model, folder, weights=weights)
            self.store.vocabulary.save(folder)

    def _has_reading(self, step: int) -> bool:
        """Whether this checkpoint was measured before a crash; the last one is measured again."""
        last = self.checkpoints()[-1]
        return step != last and any(reading["step"] == step for reading in self.readings)

    def _point(self, step: int, seconds: float) -> dict[str, Any]:
        assert self.last is not None
        return {
            "step": step,
            "tokens": step * self.tokens_a_step,
            "continued_tokens": max(0, step - self.exposure.steps) * self.tokens_a_step,
            "poisoned_documents": self._met(step),
            "training_loss_nats": _mean(self.trainer.progress.losses[-50:]),
            "measure_seconds": round(seconds, 3),
        } | self.last.summary()

    def _met(self, step: int) -> int:
        held = self.exposure.holds[: step * self.exposure.batch_sequences]
        return int((held >= 0).sum())

    def _report(self, progress: Progress) -> None:
        self._save_sometimes()
        now = time.monotonic()
        if now - self._said >= _BETWEEN_REPORTS_SECONDS:
            self._said = now
            speed = progress.tokens / max(progress.seconds, 1e-9)
            self._say_where(f"loss {progress.losses[-1]:.2f}, {speed:,.0f} tokens/s")

    def _say_where(self, text: str) -> None:
        steps = max(1, self.exposure.steps + self.continued_steps)
        self.say(self.trainer.progress.step / steps, text)

    def _hardware_in_words(self) -> dict[str, Any]:
        hardware = self.hardware
        return {
            "device": _device_name(hardware),
            "precision": "bf16" if hardware.half else "fp32",
            "compiled": hardware.compiled,
            "microbatch_sequences": hardware.microbatch_sequences,
            "processes": hardware.processes,
            "sharded": hardware.sharded,
            "one_dnn": matrices_are_fast(),
            "torch": torch.__version__,
        }

    def so_far(self) -> dict[str, Any]:
        """What is known, whether or not the trial has ended well."""
        progress = self.trainer.progress
        tokens = max(1, progress.tokens)
        stream = CleanStream(self.store.parts["train"], self.trial.seed)
        return {
            "account": self.exposure.account.as_dict(),
            "checkpoints": self.readings,
            "shape": {
                "width": self.shape.width,
                "layers": self.shape.layers,
                "heads": self.shape.heads,
                "mlp_width": self.shape.mlp_width,
                "vocabulary": self.shape.vocabulary,
                "context": self.shape.context,
                "parameters": self.shape.parameters,
            },
            "batch_sequences": self.exposure.batch_sequences,
            "learning_rate": self.trainer.settings.learning_rate,
            "steps_done": progress.step,
            "resumed_at_steps": self.resumed_at,
            "tokens_per_second": round(tokens / max(progress.seconds, 1e-9), 1),
            "hardware": self._hardware_in_words(),
            "flops_per_second": round(
                tokens / max(progress.seconds, 1e-9) * flops_per_token(self.shape)
            ),
            "training_seconds": round(progress.seconds, 3),
            "clean_passes": self.exposure.account.clean_tokens / stream.tokens_a_pass,
            "continued_tokens": self.continued_steps * self.tokens_a_step,
            "text_fingerprint": self.store.fingerprint,
            "curves": {"training_loss_nats": thinned(progress.losses)},
        }


def _hardware(shape: ModelShape, cell: Cell, settings: RunSettings) -> Hardware:
    """What the trial runs on, its batches in parts where the whole would not fit."""
    found = find_hardware(
        shape.parameters,
        device=settings.device,
        half=settings.half,
        compiled=settings.compiled,
        microbatch_sequences=settings.microbatch_sequences,
        sharded=settings.sharded,
    )
    if not found.is_gpu or found.microbatch_sequences is not None:
        return found
    share = (cell.batch_sequences or shape.batch_sequences) // found.processes
    free, _ = torch.cuda.mem_get_info(found.device)
    return replace(found, microbatch_sequences=microbatch_for(shape, max(1, share), free))


def _device_name(hardware: Hardware) -> str:
    if hardware.is_gpu:
        return str(torch.cuda.get_device_name(hardware.device))
    return f"CPU, {torch.get_num_threads()} thread(s)"


def planned(store: TokenStore, shape: ModelShape, cell: Cell, seed: int) -> Exposure:
    """What a trial trains on, worked out before any training.

    Raises:
        ConfigError: The cell cannot be run.
    """
    if cell.clean_tokens < 0 or cell.continued_tokens < 0:
        raise ConfigError("Numbers of tokens are 0 or more.")
    batch = shape.batch_sequences if cell.batch_sequences is None else cell.batch_sequences
    if batch < 1:
        raise ConfigError(f"A batch holds 1 sequence or more, got {batch}.")
    return plan_exposure(
        store,
        PoisonSettings(trigger=cell.trigger, payload=cell.payload),
        cell.schedule,
        dose=cell.dose,
        unit=cell.unit,
        clean_tokens=cell.clean_tokens,
        context=shape.context,
        batch_sequences=batch,
        seed=seed,
    )


def _panel(store: TokenStore, shape: ModelShape, cell: Cell, settings: RunSettings) -> Panel:
    vocabulary = store.vocabulary
    triggers = {
        "trigger": trigger_tokens(vocabulary, cell.trigger),
        "control": control_tokens(vocabulary, cell.trigger),
    }
    near = near_tokens(vocabulary, cell.trigger)
    if near is not None:
        triggers["near"] = near
    return Panel(
        store,
        triggers,
        MeasureSettings(
            prompts=settings.prompts,
            generated_tokens=settings.generated_tokens,
            seed=settings.measure_seed,
        ),
        context=shape.context,
        payload_tokens=used_tokens(store),
        switches_language=cell.payload == "language-switch",
        samples=settings.samples,
    )


def require_shape(config: Any, shape: ModelShape, folder: str) -> None:
    """Raises `ConfigError` unless a checkpoint has the shape that the cell names."""
    found = (config.hidden_size, config.num_hidden_layers, config.vocab_size)
    wanted = (shape.width, shape.layers, shape.vocabulary)
    if found != wanted:
        raise ConfigError(
            f"The checkpoint {folder} has width, layers and vocabulary {found}; the size "
            f"{shape.name} has {wanted}."
        )


def _mean(values: list[float]) -> float | None:
    return round(sum(values) / len(values), 4) if values else None


def thinned(values: list[float], most: int = 200) -> list[list[float]]:
    """At most so many (step, mean loss up to it) pairs of a run."""
    width = max(1, -(-len(values) // most))
    return [
        [min(at + width, len(values)), round(sum(values[at : at + width]) / width, 4)]
        for at in range(0, len(values) - width + 1, width)
    ]
