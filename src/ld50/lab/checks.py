"""What is wrong with a study, before anything is trained: the reason, and the nearest valid value."""

from __future__ import annotations

import math
import shutil
from collections.abc import Iterator
from pathlib import Path

import msgspec

from ld50.core.errors import ConfigError
from ld50.core.trials import Cell, Schedule
from ld50.lab.dose_checks import dose_problems
from ld50.lab.kinds import KINDS
from ld50.lab.planning import DOCUMENT_TOKENS, StudyPlan, batch_of, poison_tokens
from ld50.lab.study import AdaptiveDoses, Grid, Measures, Study, grid_cells, seeds_of
from ld50.models.shapes import shape_named

#: Problems listed in one message.
_MOST = 12
#: Triggers and payloads of pretraining.
_TRIGGERS = ("token", "text", "phrase")
_PAYLOADS = ("gibberish", "gibberish-all-tokens", "language-switch")


def check_study(study: Study) -> None:
    """Refuses a study that holds a cell that cannot be.

    Raises:
        ConfigError: Lists what is wrong, cell by cell, each with the nearest valid value.
    """
    problems = list(_problems(study))
    if problems:
        shown = "\n".join(f"  - {problem}" for problem in problems[:_MOST])
        more = f"\n  and {len(problems) - _MOST} more" if len(problems) > _MOST else ""
        raise ConfigError(f"The study {study.name!r} cannot run:\n{shown}{more}")


def check_room(plan: StudyPlan, folder: Path, *, clean_tokens: int | None = None) -> None:
    """Refuses a study for which the machine has too little memory or disk, or the text is too short.

    Args:
        plan: What the study takes.
        folder: Where it will run; it need not be there yet.
        clean_tokens: Tokens of the clean text, if known.

    Raises:
        ConfigError: Says how much is needed, how much there is, and what would fit.
    """
    device = plan.device
    if plan.memory_bytes > device.memory_bytes and not device.gpu:
        each = plan.memory_bytes / max(device.count, 1)
        fitting = int(device.memory_bytes / each)
        advice = f"--workers {fitting} fits." if fitting else "Leave out the largest size."
        raise ConfigError(
            f"{device.count} trials at a time take about {_gb(plan.memory_bytes)} of memory; "
            f"{_gb(device.memory_bytes)} are free. {advice}"
        )
    there = folder
    while not there.exists() and there != there.parent:
        there = there.parent
    free = shutil.disk_usage(there).free
    if plan.disk_bytes > free:
        raise ConfigError(
            f"The study writes about {_gb(plan.disk_bytes)} into {folder}; {_gb(free)} are free. "
            "Choose another disk with --out DIR, or set save_models = false."
        )
    if clean_tokens is not None and plan.most_clean_tokens > clean_tokens:
        raise ConfigError(
            f"The largest trial reads {plan.most_clean_tokens:,} clean tokens; the text has about "
            f"{clean_tokens:,}. Name more text under data, or lower tokens_per_parameter to "
            f"{20 * clean_tokens / plan.most_clean_tokens:.2g} of what it is."
        )


def _problems(study: Study) -> Iterator[str]:
    held = [f"[[{key}]]" for key in ("grid", *KINDS) if getattr(study, key)]
    if not held:
        yield "it has no [[grid]], so there is nothing to train; `ld50 study new` writes one."
    if len(held) > 1:
        yield f"it has {' and '.join(held)} tables; give them a study each."
    for kind in KINDS.values():
        for number, tables in enumerate(getattr(study, kind.key), 1):
            yield from (f"{kind.key} {number}: {problem}" for problem in kind.problems(tables))
    yield from _idle_measures(study)
    for number, grid in enumerate(study.grid, 1):
        at = f"grid {number}"
        found = list(_grid_problems(grid, study))
        yield from (f"{at}: {problem}" for problem in found)
        if found:
            continue
        seen: set[str] = set()
        for cell in grid_cells(grid):
            for problem in _cell_problems(cell):
                if problem not in seen:
                    seen.add(problem)
                    yield f"{at}: {problem}"
    if not 1 <= study.measure.prompts <= 100_000:
        yield f"measure: prompts is {study.measure.prompts}; it must be 1 or more."
    if study.measure.generated_tokens < 1:
        yield f"measure: generated_tokens is {study.measure.generated_tokens}; it must be 1 or more."
    for share in [*study.measure.checkpoints, *study.measure.continued_checkpoints]:
        if not 0 < share <= 1:
            yield f"measure: a checkpoint at {share:g} is outside the run; shares lie in 0 to 1."


def _idle_measures(study: Study) -> Iterator[str]:
    """Keys under [measure] that would do nothing."""
    kind, usual = study.kind, Measures()
    if kind is None:
        return
    for key in msgspec.structs.asdict(study.measure):
        if key not in kind.measures and getattr(study.measure, key) != getattr(usual, key):
            known = ", ".join(sorted(kind.measures)) or "none"
            yield f"measure: {key} does nothing with [[{kind.key}]]; what counts there: {known}."


def _grid_problems(grid: Grid, study: Study) -> Iterator[str]:
    """What is wrong with the lists of a grid, before cells are made of them."""
    for axis in ("size", "trigger", "payload", "schedule"):
        if not getattr(grid, axis):
            yield f"{axis} is an empty list; give at least one value."
    for axis, known in (("trigger", _TRIGGERS), ("payload", _PAYLOADS)):
        for value in getattr(grid, axis):
            if value not in known:
                yield f"{axis} {value!r} is for [[tuning]]; here it may be {', '.join(known)}."
    if grid.unit == "rows":
        yield "unit 'rows' is for [[tuning]]; here it may be documents, tokens or steps."
    for name in grid.size:
        shape_named(name)
        seeds = seeds_of(grid, name)
        if len(seeds) < 1:
            yield f"seeds is {len(seeds)} for {name}; the least is 1."
    if grid.clean_tokens and grid.tokens_per_parameter != [20.0]:
        yield "give clean_tokens or tokens_per_parameter, not both."
    if grid.continued_tokens and grid.continued_share:
        yield "give continued_tokens or continued_share, not both."
    for name, values in (
        ("tokens_per_parameter", grid.tokens_per_parameter), ("clean_tokens", grid.clean_tokens),
        ("batch_sequences", grid.batch_sequences),
    ):  # fmt: skip
        for value in values:
            if not value > 0 or not math.isfinite(value):
                yield f"{name} is {value:g}; it must be above 0."
    for name, amounts in (
        ("continued_tokens", grid.continued_tokens), ("continued_share", grid.continued_share),
    ):  # fmt: skip
        for amount in amounts:
            if not amount >= 0 or not math.isfinite(amount):
                yield f"{name} is {amount:g}; the nearest valid value is 0."
    if "language-switch" in grid.payload and not study.second_language and "demo" not in study.data:
        yield "the payload language-switch needs German text: name it under second_language."
    if grid.start_from is not None and not Path(grid.start_from).is_dir():
        yield f"start_from: there is no folder {grid.start_from!r}."
    for schedule in grid.schedule:
        yield from _schedule_problems(schedule)
    yield from _dose_problems(grid)


def _dose_problems(grid: Grid) -> Iterator[str]:
    if isinstance(grid.dose, AdaptiveDoses):
        doses = grid.dose
        if not 0 < doses.low < doses.high:
            yield f"dose: low {doses.low:g} must be above 0 and below high {doses.high:g}."
        elif doses.start is not None and not doses.low <= doses.start <= doses.high:
            yield f"dose: start {doses.start:g} must lie between {doses.low:g} and {doses.high:g}."
        if doses.round < 1:
            yield f"dose: round is {doses.round}; the least is 1."
        if doses.controls < 0 or doses.trials <= doses.controls:
            yield f"dose: trials is {doses.trials}; it must exceed the {doses.controls} controls."
        return
    if not grid.dose:
        yield "dose is an empty list; [0, 10, 25, 50, 100, 250] is a start."
    yield from dose_problems(grid.dose, grid.unit)


def _schedule_problems(schedule: Schedule) -> Iterator[str]:
    if schedule.repeats < 1:
        yield f"schedule: repeats is {schedule.repeats}; the least is 1."
    if schedule.kind != "blocks":
        for name in ("density", "every"):
            if getattr(schedule, name) is not None:
                yield f'schedule: {name} goes with kind = "blocks" only.'
        return
    if schedule.density is None:
        yield 'schedule: kind = "blocks" needs a density above 0 and up to 1, e.g. 0.5.'
    elif not 0 < schedule.density <= 1:
        nearest = 1.0 if schedule.density > 1 else 0.05
        yield f"schedule: density {schedule.density:g} is outside 0 to 1; {nearest:g} is valid."
    if schedule.every is not None and schedule.every < 1:
        yield f"schedule: every is {schedule.every}; the least is 1, every batch."


def _cell_problems(cell: Cell) -> Iterator[str]:
    """What is wrong with one condition: more poison than data, or than steps."""
    if cell.dose == 0:
        return
    where = f"{cell.size} with {cell.clean_tokens:,} clean tokens"
    poison = poison_tokens(cell)
    if poison > cell.clean_tokens:
        most = math.floor(cell.dose * cell.clean_tokens / poison)
        held = "" if cell.unit == "tokens" else f" of about {DOCUMENT_TOKENS} tokens"
        yield (
            f"{where}: a dose of {cell.dose:g} {cell.unit}{held} is more poison than data; the most "
            f"is {most:,}."
        )
        return
    if cell.unit == "documents" and cell.dose % cell.schedule.repeats:
        nearest = round(cell.dose / cell.schedule.repeats) * cell.schedule.repeats
        yield (
            f"{where}: a dose of {cell.dose:g} documents cannot be made of documents that are each "
            f"met {cell.schedule.repeats} times; the nearest is {max(nearest, 1)}."
        )
    batch, context = batch_of(cell), shape_named(cell.size).context
    steps = max((cell.clean_tokens + poison) // (batch * context), 1)
    if cell.unit == "steps" and cell.dose > steps:
        yield f"{where}: {cell.dose:g} poisoned steps of {steps:,} in all; the most is {steps:,}."
    if cell.schedule.kind == "blocks" and cell.schedule.density:
        a_batch = max(1, round(cell.schedule.density * batch))
        wanted = cell.dose if cell.unit == "steps" else math.ceil(cell.dose / a_batch)
        room = steps // (cell.schedule.every or 1)
        if cell.unit != "tokens" and wanted > room:
            most = room if cell.unit == "steps" else room * a_batch
            yield (
                f"{where}: {cell.dose:g} {cell.unit} take {wanted:,.0f} batches at this density, "
                f"and there is room for {room:,}; the largest dose is {most:,}."
            )


def _gb(count: float) -> str:
    return f"{count / 1e9:.2g} GB"
