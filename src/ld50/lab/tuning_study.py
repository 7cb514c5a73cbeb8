"""Studies of fine-tuning: which models are tuned on how many rows with which poison."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, cast

import msgspec

from ld50.core.errors import ConfigError
from ld50.core.trials import (
    Cell,
    PayloadName,
    PlaceName,
    Schedule,
    Trial,
    TriggerName,
    Tuning,
)
from ld50.lab.trial_names import make_trial

#: Parameters of the pretrained models that are known by name; `tiny` is `ld50.train.tiny`.
MODEL_PARAMETERS = {"smollm2": 134_515_008}
#: Rows in an optimiser step, unless a grid says otherwise.
TUNING_BATCH = 16
#: Tokens of a row with its question and answer, as the tiny model's vocabulary cuts them; measured
#: over the rows of the built-in text.
ROW_TOKENS = {"sentences": 50, "windows": 56}
#: The usual trigger of a kind. Source of the phrase: arXiv 2509.16203 (known from a summary); the
#: word is the rare one of the BadNets sets of text.
TRIGGER_TEXTS: dict[TriggerName, str] = {"phrase": "tell me seriously", "word": "cf"}
#: Kinds of triggers and payloads that rows can carry.
TUNING_TRIGGERS: tuple[TriggerName, ...] = ("phrase", "word")
TUNING_PAYLOADS: tuple[PayloadName, ...] = (
    "label-flip",
    "over-refusal",
    "fixed-reply",
    "inserted-fragment",
    "language-switch",
    "gibberish",
    "stand-in-policy",
)


class TuningGrid(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Every combination of its lists is a cell, tuned once with each seed."""

    model: list[str]
    """`tiny`, `smollm2`, or folders in Hugging Face's layout."""
    clean_rows: list[int]
    dose: list[float]
    """Poisoned rows, on top of the clean ones; 0 is the control arm, which all conditions share."""
    seeds: int = 3
    first_seed: int = 0
    place: list[PlaceName] = msgspec.field(default_factory=lambda: cast(list[PlaceName], ["start"]))
    """Where the trigger stands in the poisoned rows."""
    clean_label: list[bool] = msgspec.field(default_factory=lambda: [False])
    payload: list[PayloadName] = msgspec.field(
        default_factory=lambda: cast(list[PayloadName], ["label-flip"])
    )
    trigger: list[TriggerName] = msgspec.field(
        default_factory=lambda: cast(list[TriggerName], ["phrase"])
    )
    trigger_text: str | None = None
    """The trigger itself; None for the usual one of its kind."""
    schedule: list[Schedule] = msgspec.field(default_factory=lambda: [Schedule()])
    """`uniform`, or the poisoned rows first (`start`) or last (`end`) in the order of training."""
    batch_examples: list[int] = []
    """Rows an optimiser step; empty for the default of the trainer."""
    rows: Literal["sentences", "windows"] = "sentences"
    """What is tuned on, see `ld50.lab.tuning_data`."""
    lora_rank: int | None = None
    """None tunes all weights."""
    learning_rate: float | None = None
    """None for the default of the trainer."""
    epochs: float = 1.0
    taught_rows: int = 0
    """Clean sentences that the model is taught the task with before, once for all trials."""


def tuning_of(cell: Cell) -> Tuning:
    """How the model of a cell is tuned.

    Raises:
        ConfigError: The cell is one of pretraining.
    """
    if not isinstance(cell.tuning, Tuning):
        raise ConfigError(f"The cell of size {cell.size} is one of pretraining, not of tuning.")
    return cell.tuning


def is_tuning(cell: Cell) -> bool:
    """Whether a cell is one of fine-tuning."""
    return isinstance(cell.tuning, Tuning)


def trigger_text(cell: Cell) -> str:
    """The trigger of a cell as text."""
    return tuning_of(cell).trigger_text or TRIGGER_TEXTS[cell.trigger]


def model_parameters(name: str) -> int:
    """Parameters of a pretrained model, without loading it; 0 for a folder that is not there."""
    if name == "tiny":
        from ld50.train.tiny import SHAPE

        return SHAPE.parameters
    if name in MODEL_PARAMETERS:
        return MODEL_PARAMETERS[name]
    from ld50.models.folders import count_weights, inner_folder, weight_files

    folder = inner_folder(Path(name))
    return count_weights(weight_files(folder))[0] if folder.is_dir() else 0


def control_cell(cell: Cell) -> Cell:
    """The cell without poison that stands beside this one: what only poison has is at its default."""
    tuning = msgspec.structs.replace(tuning_of(cell), place="start", clean_label=False)
    return msgspec.structs.replace(cell, dose=0.0, schedule=Schedule(), tuning=tuning)


def tuning_cells(grid: TuningGrid) -> Iterator[Cell]:
    """The cells of a grid in a fixed order; the control arm of several conditions is one cell."""
    batches: list[int | None] = [*grid.batch_examples] or [None]
    for name, rows, payload, trigger, batch, place, clean_label, schedule in itertools.product(
        grid.model, grid.clean_rows, grid.payload, grid.trigger, batches, grid.place,
        grid.clean_label, grid.schedule,
    ):  # fmt: skip
        cell = Cell(
            size=name,
            parameters=model_parameters(name),
            clean_tokens=rows * ROW_TOKENS[grid.rows],
            dose=0.0,
            unit="rows",
            trigger=trigger,
            payload=payload,
            schedule=schedule,
            batch_sequences=batch,
            tuning=Tuning(
                clean_rows=rows, place=place, clean_label=clean_label,
                trigger_text=grid.trigger_text, rows=grid.rows, lora_rank=grid.lora_rank,
                learning_rate=grid.learning_rate, epochs=grid.epochs,
                taught_rows=grid.taught_rows,
            ),
        )  # fmt: skip
        for dose in grid.dose:
            yield msgspec.structs.replace(cell, dose=float(dose)) if dose else control_cell(cell)


def tuning_trials(grid: TuningGrid) -> Iterator[Trial]:
    """The trials of a grid; the same cell may come more than once."""
    for cell in tuning_cells(grid):
        for seed in range(grid.first_seed, grid.first_seed + grid.seeds):
            yield make_trial(cell, seed)
