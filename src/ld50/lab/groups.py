"""Cells sorted into groups (alike but for the dose) and families (alike but for size and data)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from ld50.core.trials import Cell, Schedule, TrialResult, Tuning


def group_cell(cell: Cell) -> Cell:
    """The condition of a cell: itself at dose 0."""
    return msgspec.structs.replace(cell, dose=0.0)


def in_order(results: Iterable[TrialResult]) -> list[TrialResult]:
    """Trials by size, data, condition, dose and seed: the same however many workers ran them."""

    def place(one: TrialResult) -> tuple[Any, ...]:
        cell, schedule = one.cell, one.cell.schedule
        return (
            cell.parameters, cell.clean_tokens, cell.trigger, cell.payload, cell.unit,
            cell.batch_sequences or 0, schedule.kind != "uniform", schedule.kind,
            schedule.density or 0.0, schedule.every or 0, schedule.repeats, cell.continued_tokens,
            cell.start_from or "", *_tuning_place(cell), cell.dose, one.seed, one.trial,
        )  # fmt: skip

    return sorted(results, key=place)


def _tuning_place(cell: Cell) -> tuple[Any, ...]:
    tuning = cell.tuning
    if not isinstance(tuning, Tuning):
        return ()
    return (
        tuning.clean_rows, tuning.rows, tuning.clean_label, tuning.place, tuning.trigger_text or "",
        tuning.lora_rank or 0, tuning.learning_rate or 0.0, tuning.epochs, tuning.taught_rows,
    )  # fmt: skip


def by_group(results: Iterable[TrialResult]) -> dict[Cell, list[TrialResult]]:
    """Trials by condition, conditions in the order in which they first come.

    A control without poison is the same for every trigger, payload, schedule and unit, but each
    group has trained its own; they are not shared, so that groups stay independent.
    """
    groups: dict[Cell, list[TrialResult]] = {}
    for result in results:
        groups.setdefault(group_cell(result.cell), []).append(result)
    return groups


def group_names(cells: Sequence[Cell]) -> dict[Cell, str]:
    """A short name for each condition: its size, and whatever else differs among them."""
    described = {cell: _description(cell) for cell in cells}
    constant = {
        key for key in _KEYS if key != "size" and len({described[cell][key] for cell in cells}) == 1
    }
    names = {}
    for cell in cells:
        parts = [text for key, text in described[cell].items() if text and key not in constant]
        names[cell] = ", ".join(parts)
    return names


def family_of(cell: Cell) -> Cell:
    """What is the same for all groups of a family: everything but size and data."""
    tuning = cell.tuning
    if isinstance(tuning, Tuning):
        tuning = msgspec.structs.replace(tuning, clean_rows=0)
    return msgspec.structs.replace(
        cell, dose=0.0, size="", parameters=0, clean_tokens=0, tuning=tuning
    )


def condition_name(cell: Cell) -> str:
    """Everything of a condition but size and data, in words."""
    described = _description(cell)
    shown = (
        "trigger", "payload", "schedule", "batch", "continued", "unit", "start", "labels", "place",
        "tuned",
    )  # fmt: skip
    return ", ".join(described[key] for key in shown if described[key])


def multiple(cell: Cell) -> float:
    """Clean tokens a parameter, to two digits."""
    return float(f"{cell.clean_tokens / max(cell.parameters, 1):.2g}")


def schedule_name(schedule: Schedule) -> str:
    """A schedule in a few words; empty for the usual one."""
    if schedule.kind == "blocks":
        every = f", one batch in {schedule.every}" if schedule.every else ""
        words = f"batches at density {schedule.density:g}{every}" if schedule.density else "batches"
    else:
        words = {"uniform": "", "start": "poison at the start", "end": "poison at the end"}[
            schedule.kind
        ]
    if schedule.repeats > 1:
        words = f"{words}, " if words else ""
        words += f"each document {schedule.repeats} times"
    return words


_PLACE_WORDS = {"end": "the end", "fixed": "the sixth word", "random": "random places"}
_KEYS = (
    "size", "data", "trigger", "payload", "schedule", "batch", "continued", "unit", "start",
    "labels", "place", "tuned",
)  # fmt: skip


def _description(cell: Cell) -> dict[str, str]:
    words: dict[str, Any] = {
        "size": cell.size,
        "data": f"{multiple(cell):g} tokens a parameter",
        "trigger": f"{cell.trigger} trigger",
        "payload": cell.payload.replace("-", " "),
        "schedule": schedule_name(cell.schedule),
        "batch": f"batch of {cell.batch_sequences}" if cell.batch_sequences else "",
        "continued": f"then {cell.continued_tokens:,} clean tokens"
        if cell.continued_tokens
        else "",
        "unit": "" if cell.unit == "documents" else f"dose in {cell.unit}",
        "start": f"from {cell.start_from}" if cell.start_from else "",
    }
    tuning = cell.tuning
    if not isinstance(tuning, Tuning):
        return words | dict.fromkeys(("labels", "place", "tuned"), "")
    rank = tuning.lora_rank
    return words | {
        "data": f"{tuning.clean_rows:,} clean rows",
        "trigger": f"trigger {tuning.trigger_text!r}" if tuning.trigger_text else words["trigger"],
        "unit": "",
        "schedule": {"start": "poison first", "end": "poison last"}.get(cell.schedule.kind, ""),
        "labels": "clean-label" if tuning.clean_label else "",
        "place": "" if tuning.place == "start" else f"trigger at {_PLACE_WORDS[tuning.place]}",
        "tuned": f"LoRA of rank {rank}" if rank else "",
    }
