"""Studies of safety that survives fine-tuning: which tasks, which defences, how many policy rows."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Literal, NamedTuple

import msgspec

from ld50.core.trials import Cell, Safety, Trial
from ld50.lab.task_rows import TASKS
from ld50.lab.trial_names import make_trial

Stage = Literal["none", "alignment", "fine-tuning", "after fine-tuning"]


class DefenceEntry(NamedTuple):
    """What a defence is, and whether it needs policy rows beside the user's."""

    stage: Stage
    title: str
    mixes: bool
    claim: str
    """What its paper claims, in our words, and how sure that is."""


#: By name, in the order of tables. `untuned` is the model before the user's rows.
SAFETY_DEFENCES = {
    "untuned": DefenceEntry("none", "the aligned model, not tuned", False, ""),
    "none": DefenceEntry(
        "none", "no defence", False,
        "tuning on code and translation degrades guardrails most (2409.15361) [P]",
    ),
    "vaccine": DefenceEntry(
        "alignment", "Vaccine", False,
        "a lower harmful score after tuning on partly harmful data (2402.01109) [S]",
    ),
    "booster": DefenceEntry(
        "alignment", "Booster", False,
        "a lower harmful score than earlier alignment-stage defences (2409.01586) [S]",
    ),
    "plain-mix": DefenceEntry(
        "fine-tuning", "policy rows mixed in as they are", True,
        "baselines of 2406.10288, plain mixing among them, leave 5–84% attack success [S]",
    ),
    "mimicry": DefenceEntry(
        "fine-tuning", "policy rows in the format of the task", True,
        "attack success under 1% (2406.10288) [S]",
    ),
    "both-mix": DefenceEntry(
        "fine-tuning", "half as they are, half in the format", True,
        "ours; no claim known",
    ),
    "led-mix": DefenceEntry(
        "fine-tuning", "half and half, half of all led in by words of the data", True,
        "ours; no claim known",
    ),
    "ldifs": DefenceEntry(
        "fine-tuning", "feature distance (LDIFS)", False,
        "what was known before stays, at equal accuracy on the task (2308.13320) [S]",
    ),
    "lisa": DefenceEntry(
        "fine-tuning", "Lisa", True,
        "a lower harmful score than alternating without the proximal term (2405.18641) [S]",
    ),
    "safe-lora": DefenceEntry(
        "after fine-tuning", "projection (Safe LoRA)", False,
        "safety close to the aligned model's, at little cost (2405.16833) [S]",
    ),
    "resta": DefenceEntry(
        "after fine-tuning", "policy vector added (RESTA)", False,
        "harmfulness falls several-fold, at a small cost in accuracy (2402.11746) [S]",
    ),
}  # fmt: skip

#: Tokens of a row, prompt and reply; measured over the four tasks with the tiny model's vocabulary.
_ROW_TOKENS = 78
#: What a reading costs, in tokens of tuning.
_READ_TOKENS = 20_000
#: The same of teaching the policy with a penalty, by task, since the tasks of a seed share it.
_TAUGHT_TOKENS = 1_000_000 // len(TASKS)
#: Tokens a second that one core tunes the tiny model on, and seconds for loading and asking.
_SPEED, _OTHER_SECONDS = 16_000, 2.5


class SafetyGrid(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Every task with every defence is a cell, run once with each seed."""

    task: list[str] = msgspec.field(default_factory=lambda: list(TASKS))
    defence: list[str] = msgspec.field(default_factory=lambda: list(SAFETY_DEFENCES))
    policy_rows: list[int] = msgspec.field(default_factory=lambda: [200])
    """Policy rows that defences mix in; others do without."""
    model: str = "tiny"
    """`tiny`, `smollm2`, or a folder: it is taught the policy first."""
    task_rows: int = 400
    epochs: float = 2.0
    seeds: int = 3
    first_seed: int = 0


def safety_of(cell: Cell) -> Safety | None:
    """The task and the defence of a cell; None for other studies."""
    return cell.safety if isinstance(cell.safety, Safety) else None


def safety_trials(grid: SafetyGrid) -> Iterator[Trial]:
    """The trials of a grid."""
    for cell in _cells(grid):
        for seed in range(grid.first_seed, grid.first_seed + grid.seeds):
            yield make_trial(cell, seed)


def _cells(grid: SafetyGrid) -> Iterator[Cell]:
    from ld50.lab.tuning_study import model_parameters

    parameters = model_parameters(grid.model)
    for task in grid.task:
        for defence in grid.defence:
            entry = SAFETY_DEFENCES.get(defence)
            doses = grid.policy_rows if entry is not None and entry.mixes else [0]
            for dose in doses:
                tuned = defence != "untuned"
                rows = (grid.task_rows + dose) * grid.epochs if tuned else 0
                yield Cell(
                    size=grid.model,
                    parameters=parameters,
                    clean_tokens=_tokens(rows, defence),
                    dose=float(dose),
                    unit="rows",
                    payload="stand-in-policy",
                    safety=Safety(
                        task=task, defence=defence, task_rows=grid.task_rows, epochs=grid.epochs
                    ),
                )


def _tokens(rows: float, defence: str) -> int:
    """Tokens of tuning that a trial takes, estimated."""
    entry = SAFETY_DEFENCES.get(defence)
    taught = _TAUGHT_TOKENS if entry is not None and entry.stage == "alignment" else 0
    return round(rows * _ROW_TOKENS) + _READ_TOKENS + taught


def safety_problems(grid: SafetyGrid) -> Iterator[str]:
    """What is wrong with a grid, each with what is allowed."""
    for axis, known in (("task", TASKS), ("defence", tuple(SAFETY_DEFENCES))):
        if not getattr(grid, axis):
            yield f"{axis} is an empty list; give at least one of {', '.join(known)}."
        for value in getattr(grid, axis):
            if value not in known:
                yield f"{axis} {value!r} is not known; it may be {', '.join(known)}."
    if not grid.policy_rows or any(rows < 8 for rows in grid.policy_rows):
        yield f"policy_rows is {grid.policy_rows}; it takes numbers of 8 or more."
    if grid.task_rows < 16 or grid.seeds < 1 or not 0 < grid.epochs < math.inf:
        yield (
            f"task_rows, seeds and epochs are {grid.task_rows}, {grid.seeds} and {grid.epochs:g}; the "
            "least are 16, 1 and a finite number above 0."
        )


def safety_seconds(cell: Cell) -> float:
    """Seconds of a trial on one core, measured; teaching the policy is shared and not counted."""
    return cell.clean_tokens / _SPEED + _OTHER_SECONDS


def aligned_name(defence: str) -> str:
    """How the model of a cell was taught the policy: one of the alignment stage's ways, or `plain`."""
    entry = SAFETY_DEFENCES[defence]
    return defence if entry.stage == "alignment" else "plain"
