"""What is wrong with a grid of fine-tuning, before anything is tuned."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

from ld50.lab.dose_checks import dose_problems
from ld50.lab.tuning_study import (
    MODEL_PARAMETERS,
    TUNING_PAYLOADS,
    TUNING_TRIGGERS,
    TuningGrid,
)


def tuning_problems(grid: TuningGrid) -> Iterator[str]:
    """What is wrong, each with the nearest valid value."""
    for axis in ("model", "clean_rows", "dose", "place", "clean_label", "payload", "trigger",
                 "schedule"):  # fmt: skip
        if not getattr(grid, axis):
            yield f"{axis} is an empty list; give at least one value."
    for name in grid.model:
        if name != "tiny" and name not in MODEL_PARAMETERS and not Path(name).is_dir():
            yield f"there is no model {name!r}: tiny, smollm2, or a folder in Hugging Face's layout."
    for axis, known in (("trigger", TUNING_TRIGGERS), ("payload", TUNING_PAYLOADS)):
        for value in getattr(grid, axis):
            if value not in known:
                yield f"{axis} {value!r} is for pretraining; here it may be {', '.join(known)}."
    if grid.seeds < 1:
        yield f"seeds is {grid.seeds}; the least is 1."
    yield from _count_problems(grid)
    yield from _setting_problems(grid)


def _count_problems(grid: TuningGrid) -> Iterator[str]:
    for rows in grid.clean_rows:
        if rows < 1:
            yield f"clean_rows is {rows}; it must be above 0."
    yield from dose_problems(grid.dose, "rows")
    for dose in grid.dose:
        if grid.clean_rows and min(grid.clean_rows) < dose < math.inf:
            yield (
                f"a dose of {dose:g} rows beside {min(grid.clean_rows):,} clean ones is more poison "
                f"than data; the most is {min(grid.clean_rows):,}."
            )
    for batch in grid.batch_examples:
        if batch < 1:
            yield f"batch_examples is {batch}; the least is 1."


def _setting_problems(grid: TuningGrid) -> Iterator[str]:
    for schedule in grid.schedule:
        if schedule.kind == "blocks" or schedule.repeats != 1:
            yield "schedule: rows are tuned on uniform, at the start or at the end, once each."
    if any(grid.clean_label) and any(one != "label-flip" for one in grid.payload):
        yield "clean_label goes with the payload label-flip only."
    if grid.trigger_text is not None and not grid.trigger_text.strip():
        yield "trigger_text is empty; leave it out for the usual trigger."
    if grid.trigger_text is not None and len(grid.trigger) > 1:
        yield "trigger_text is one text, and there are several kinds of trigger; give one kind."
    if grid.lora_rank is not None and grid.lora_rank < 1:
        yield f"lora_rank is {grid.lora_rank}; the least is 1; leave it out to tune all weights."
    if grid.taught_rows < 0:
        yield f"taught_rows is {grid.taught_rows}; the nearest valid value is 0."
    for name, value in (("learning_rate", grid.learning_rate), ("epochs", grid.epochs)):
        if value is not None and not (math.isfinite(value) and value > 0):
            yield f"{name} is {value:g}; it must be above 0."
