"""The kinds of studies beside pretraining, an entry each: their tables, trials, checks and runners."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from ld50.core.trials import Trial
from ld50.lab.covert_study import CovertGrid, covert_problems, covert_trials
from ld50.lab.safety_study import SafetyGrid, safety_problems, safety_trials
from ld50.lab.tuning_checks import tuning_problems
from ld50.lab.tuning_study import TuningGrid, tuning_trials


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyKind:
    """One kind of study."""

    key: str
    """Of its tables in a study's file, and of the field of `Study` that holds them."""
    grid: type[msgspec.Struct]
    usual: msgspec.Struct
    """A grid whose values need not be written down."""
    lists: frozenset[str]
    """Keys that take a list, or one value that stands for a list of it."""
    trials: Callable[[Any], Iterator[Trial]]
    """The trials of a grid; the same cell may come more than once."""
    problems: Callable[[Any], Iterator[str]]
    """What is wrong with a grid, each with what is allowed."""
    measures: frozenset[str]
    """Keys under [measure] that count; the others are of pretraining."""
    runner: str
    """What runs a trial, as `package.module:function`."""


#: By key, in the order of a study's file.
KINDS = {
    kind.key: kind
    for kind in (
        StudyKind(
            key="tuning",
            grid=TuningGrid,
            usual=TuningGrid(model=["?"], clean_rows=[-1], dose=[-1.0]),
            lists=frozenset(
                {
                    "model", "clean_rows", "place", "clean_label", "payload", "trigger", "schedule",
                    "batch_examples",
                }
            ),
            trials=tuning_trials,
            problems=tuning_problems,
            measures=frozenset({"prompts", "samples", "save_models", "device"}),
            runner="ld50.lab.tuning_runner:run_tuning_trial",
        ),
        StudyKind(
            key="covert",
            grid=CovertGrid,
            usual=CovertGrid(),
            lists=frozenset({"attack", "defence"}),
            trials=covert_trials,
            problems=covert_problems,
            measures=frozenset(),
            runner="ld50.lab.covert_runner:run_covert_trial",
        ),
        StudyKind(
            key="safety",
            grid=SafetyGrid,
            usual=SafetyGrid(),
            lists=frozenset({"task", "defence", "policy_rows"}),
            trials=safety_trials,
            problems=safety_problems,
            measures=frozenset({"prompts"}),
            runner="ld50.lab.safety_runner:run_safety_trial",
        ),
    )
}  # fmt: skip
