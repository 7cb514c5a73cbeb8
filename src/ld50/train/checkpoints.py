"""Training state on disk, from which a run goes on to the same bits: safetensors and JSON only."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import torch

from ld50.core.errors import ResumeError
from ld50.models.llama import read_weights, save_model
from ld50.train.loop import Progress, Trainer
from ld50.train.sharding import like, put, whole

_FORMAT = 1


def save_checkpoint(trainer: Trainer, folder: Path, *, key: str, notes: dict[str, Any]) -> None:
    """Writes the whole state of a run into a folder, in the place of an earlier one at once.

    Processes that share the weights must all call this; one of them writes.

    Args:
        trainer: Weights, optimiser and progress.
        folder: Made new; what was there is replaced when everything is written.
        key: What the run is; another run cannot go on from it.
        notes: JSON values that the caller needs again.
    """
    from safetensors.torch import save_file

    weights, moments = model_tensors(trainer), _optimiser_tensors(trainer)
    if not trainer.hardware.leads:
        return
    temporary = folder.with_name(f".{folder.name}.{os.getpid()}")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    save_model(trainer.model, temporary, weights=weights)
    save_file(moments, str(temporary / "optimiser.safetensors"))
    progress = trainer.progress
    state = {
        "format": _FORMAT,
        "key": key,
        "step": progress.step,
        "tokens": progress.tokens,
        "seconds": progress.seconds,
        # As hexadecimal, so that not a bit is lost.
        "losses": [loss.hex() for loss in progress.losses],
        "notes": notes,
    }
    (temporary / "training.json").write_text(json.dumps(state) + "\n", encoding="utf-8")
    for written in temporary.iterdir():
        with written.open("rb") as file:
            os.fsync(file.fileno())
    _replace(temporary, folder)


def _replace(temporary: Path, folder: Path) -> None:
    """Puts a finished folder in the place of an old one; killed between, the old one is left."""
    old = folder.with_name(f".{folder.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if folder.exists():
        folder.rename(old)
    temporary.rename(folder)
    shutil.rmtree(old, ignore_errors=True)


def model_tensors(trainer: Trainer) -> dict[str, torch.Tensor]:
    """The weights by name, whole and on the CPU; all processes that share them must call this."""
    return {name: whole(weight) for name, weight in trainer.model.named_parameters()}


def _optimiser_tensors(trainer: Trainer) -> dict[str, torch.Tensor]:
    tensors: dict[str, torch.Tensor] = {}
    for name, weight in trainer.model.named_parameters():
        for kind, value in trainer.optimiser.state.get(weight, {}).items():
            tensors[f"{kind}.{name}"] = whole(value).clone()
    return tensors


def read_state(folder: Path) -> dict[str, Any] | None:
    """The JSON part of a checkpoint; None where there is none.

    Raises:
        ResumeError: It is damaged, or another version's.
    """
    old = folder.with_name(f".{folder.name}.old")
    if not folder.exists() and old.exists():
        old.rename(folder)
    path = folder / "training.json"
    if not path.exists():
        return None
    try:
        state = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ResumeError(f"{path} is damaged ({error}); delete {folder} to start anew.") from error
    if not isinstance(state, dict) or state.get("format") != _FORMAT:
        raise ResumeError(f"{path} is of another version; delete {folder} to start anew.")
    return state


def resume(trainer: Trainer, folder: Path, *, key: str) -> dict[str, Any] | None:
    """Puts a trainer into the state that was saved: the notes, or None where nothing was saved.

    On a CPU, with as many threads, training goes on to bit-identical losses.

    Raises:
        ResumeError: The checkpoint is another run's, or damaged.
    """
    state = read_state(folder)
    if state is None:
        return None
    if state.get("key") != key:
        raise ResumeError(
            f"The checkpoint in {folder} belongs to another trial, or to one with other settings "
            "or other text; delete it to start anew."
        )
    weights = read_weights(folder)
    for name, weight in trainer.model.named_parameters():
        put(weight, weights[name])
    _load_optimiser(trainer, folder)
    trainer.progress = Progress(
        step=int(state["step"]),
        losses=[float.fromhex(loss) for loss in state["losses"]],
        seconds=float(state["seconds"]),
        tokens=int(state["tokens"]),
    )
    notes: dict[str, Any] = state["notes"]
    return notes


def _load_optimiser(trainer: Trainer, folder: Path) -> None:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    path = folder / "optimiser.safetensors"
    try:
        tensors = load_file(str(path))
    except (SafetensorError, OSError) as error:
        raise ResumeError(f"{path} is damaged ({error}); delete {folder}.") from error
    for name, weight in trainer.model.named_parameters():
        kinds = {key.partition(".")[0] for key in tensors if key.partition(".")[2] == name}
        trainer.optimiser.state[weight] = {
            # The counter of steps stays on the CPU in fp32, as the optimiser makes it, unless it is
            # fused on a GPU; moments live with their weight.
            kind: _placed(tensors[f"{kind}.{name}"], weight)
            for kind in sorted(kinds)
        }


def _placed(value: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """A part of the optimiser's state where its weight is; only moments have the weight's shape."""
    return like(weight, value) if value.shape == weight.shape else value.to(weight.device)
