"""What a study will take before any of it runs: trials, tokens, operations, hours, memory, disk."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from ld50.core.trials import Cell, Trial
from ld50.lab.agenda import arm_trials
from ld50.lab.covert_study import covert_of, covert_seconds
from ld50.lab.hardware import Device, core_flops, gpu_flops
from ld50.lab.safety_study import safety_of, safety_seconds
from ld50.lab.study import Study
from ld50.lab.tuning_planning import (
    PROCESS_BYTES,
    tuning_assumptions,
    tuning_flops,
    tuning_memory,
    tuning_seconds,
    tuning_tokens,
)
from ld50.lab.tuning_study import is_tuning
from ld50.models.costs import training_cost
from ld50.models.shapes import shape_named

#: Tokens of a poisoned document: an opening of up to 1,000 characters, the trigger, 100 to 300 tokens
#: of payload. Measured in a context of 256 with the built-in text: 243.
DOCUMENT_TOKENS = 250
#: Generations of a prompt: without a trigger, with it, and with the control trigger.
_GENERATIONS = 3
#: Memory of a process before it holds a model: Python, torch, and a memory-mapped corpus.
_PROCESS_BYTES = 450 * 10**6
#: Generating and scoring one prompt on a core costs this much more than training on its tokens.
_GENERATION_FACTOR = 4.0
_START_SECONDS = 6.0


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialCost:
    """Estimate for one trial."""

    tokens: int
    """Clean, poisoned and continued."""
    flops: float
    seconds: float
    memory_bytes: int
    """Weights, optimiser and activations; the process itself on top where it runs on a core."""
    checkpoint_bytes: int
    devices: int
    """Devices that one trial is spread over; more than one where it does not fit on one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SizePlan:
    """All trials of one size."""

    size: str
    parameters: int
    trials: int
    tokens: int
    flops: float
    device_hours: float
    memory_bytes: int
    """Of one trial."""
    devices: int
    """A trial is spread over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyPlan:
    """What a whole study takes."""

    study: str
    device: Device
    trials: int
    adaptive: int
    """Of these, how many are chosen on the way, at most."""
    sizes: list[SizePlan]
    tokens: int
    most_clean_tokens: int
    """Of one trial: what the clean text must hold."""
    flops: float
    device_hours: float
    wall_hours: float
    memory_bytes: int
    """At one time, on the whole machine for cores, on one device for GPUs."""
    disk_bytes: int
    assumptions: list[str]


def plan_study(study: Study, device: Device) -> StudyPlan:
    """The plan of a study on that device."""
    trials = planned_trials(study)
    costs = {trial.trial: trial_cost(trial.cell, study, device) for trial in trials}
    by_size = {t.cell.size: t.cell.parameters for t in trials}
    sizes = [
        _size_plan(size, [t for t in trials if t.cell.size == size], costs)
        for size in sorted(by_size, key=lambda name: by_size[name])
    ]
    side_by_side = min(device.count, len(trials))
    memory = max((cost.memory_bytes for cost in costs.values()), default=0)
    process = _PROCESS_BYTES if study.kind is None else PROCESS_BYTES
    return StudyPlan(
        study=study.name,
        device=device,
        trials=len(trials),
        adaptive=sum(arm.doses.trials for arm in study.arms()),
        sizes=sizes,
        tokens=sum(cost.tokens for cost in costs.values()),
        most_clean_tokens=max((t.cell.clean_tokens + t.cell.continued_tokens for t in trials),
                              default=0),
        flops=sum(cost.flops for cost in costs.values()),
        device_hours=sum(one.device_hours for one in sizes),
        wall_hours=_wall_seconds([costs[t.trial] for t in trials], device) / 3600,
        memory_bytes=memory if device.gpu else side_by_side * (memory + process),
        disk_bytes=_disk_bytes(study, trials, costs, side_by_side),
        assumptions=(
            _assumptions(device) if study.kind is None else tuning_assumptions(device)
        ),
    )  # fmt: skip


def planned_trials(study: Study) -> list[Trial]:
    """The fixed trials, and for each adaptive arm as many as it may take, at its first doses."""
    trials = study.fixed_trials()
    for arm in study.arms():
        known = arm_trials(arm, {})
        middle = msgspec.structs.replace(arm.cell, dose=arm.doses.high)
        more = [
            Trial(trial=f"adaptive-{number}-{arm.cell.size}", cell=middle, seed=number)
            for number in range(arm.doses.trials - len(known))
        ]
        trials += [*known, *more]
    return trials


def poison_tokens(cell: Cell) -> int:
    """Poisoned tokens of a cell, estimated."""
    if cell.unit == "tokens":
        return round(cell.dose)
    per_unit = DOCUMENT_TOKENS
    if cell.unit == "steps":
        per_unit *= max(1, round((cell.schedule.density or 0.0) * batch_of(cell)))
    return round(cell.dose * per_unit)


def batch_of(cell: Cell) -> int:
    """Sequences in an optimiser step."""
    return cell.batch_sequences or shape_named(cell.size).batch_sequences


def trial_cost(cell: Cell, study: Study, device: Device) -> TrialCost:
    """Estimate for one trial on that device."""
    if covert_of(cell) is not None or safety_of(cell) is not None:
        covert = covert_of(cell) is not None
        return TrialCost(
            tokens=cell.clean_tokens,
            flops=6.0 * cell.parameters * cell.clean_tokens,
            seconds=covert_seconds(cell) if covert else safety_seconds(cell),
            memory_bytes=cell.parameters * 16 + 200 * 10**6,
            checkpoint_bytes=cell.parameters * 12,
            devices=1,
        )
    if is_tuning(cell):
        return TrialCost(
            tokens=tuning_tokens(cell),
            flops=tuning_flops(cell, study.measure),
            seconds=tuning_seconds(cell, study.measure, device),
            memory_bytes=tuning_memory(cell),
            checkpoint_bytes=cell.parameters * 12,
            devices=1,
        )
    shape = shape_named(cell.size)
    tokens = cell.clean_tokens + poison_tokens(cell) + cell.continued_tokens
    cost = training_cost(shape, tokens, batch_sequences=cell.batch_sequences, half=device.gpu)
    points = 1 + len(study.measure.checkpoints)
    if cell.continued_tokens:
        points += 1 + len(study.measure.continued_checkpoints)
    generated = study.measure.prompts * study.measure.generated_tokens * _GENERATIONS * points
    # Forward passes only, two operations a parameter.
    measuring = generated * cost.flops_per_token / 3
    devices, memory = 1, cost.memory_bytes
    if device.gpu:
        # One sequence's activations at a time are enough where memory is short; weights are not cut.
        single = training_cost(shape, tokens, batch_sequences=1, half=True)
        memory = min(memory, max(single.memory_bytes, round(device.memory_bytes * 0.8)))
        while single.weights_bytes / devices + single.activations_bytes > 0.9 * device.memory_bytes:
            devices *= 2
        memory = memory if devices == 1 else round(
            single.weights_bytes / devices + single.activations_bytes
        )  # fmt: skip
        speed = gpu_flops(device, shape.parameters) * devices
        seconds = (cost.flops + measuring * 2) / speed + _START_SECONDS
    else:
        speed = core_flops(shape.parameters)
        seconds = (cost.flops + measuring * _GENERATION_FACTOR) / speed + _START_SECONDS
    return TrialCost(
        tokens=tokens,
        flops=cost.flops + measuring,
        seconds=seconds,
        memory_bytes=memory,
        checkpoint_bytes=cost.checkpoint_bytes,
        devices=devices,
    )


def _size_plan(size: str, trials: Sequence[Trial], costs: dict[str, TrialCost]) -> SizePlan:
    mine = [costs[trial.trial] for trial in trials]
    return SizePlan(
        size=size,
        parameters=trials[0].cell.parameters,
        trials=len(trials),
        tokens=sum(cost.tokens for cost in mine),
        flops=sum(cost.flops for cost in mine),
        device_hours=sum(cost.seconds * cost.devices for cost in mine) / 3600,
        memory_bytes=max(cost.memory_bytes for cost in mine),
        devices=max(cost.devices for cost in mine),
    )


def _wall_seconds(costs: Sequence[TrialCost], device: Device) -> float:
    """When the last trial ends, each starting on the device that is free first, in their order."""
    if not costs:
        return 0.0
    lanes = max(1, device.count // max(cost.devices for cost in costs))
    ends = [0.0] * lanes
    for cost in costs:
        # Fewer devices than a trial is spread over make it that much slower.
        slower = max(1.0, cost.devices / device.count)
        heapq.heapreplace(ends, ends[0] + cost.seconds * slower)
    return max(ends)


def _disk_bytes(
    study: Study, trials: Sequence[Trial], costs: dict[str, TrialCost], side_by_side: int
) -> int:
    """Two checkpoints of each running trial, every model that is kept, the results, the tokens."""
    largest = max((cost.checkpoint_bytes for cost in costs.values()), default=0)
    kept = 0
    if study.measure.save_models:
        kept = sum(costs[trial.trial].checkpoint_bytes // 3 for trial in trials)
    corpus = 3 * max((t.cell.clean_tokens + t.cell.continued_tokens for t in trials), default=0)
    return 2 * largest * side_by_side + kept + 40_000 * len(trials) + corpus


def _assumptions(device: Device) -> list[str]:
    if device.gpu:
        return [
            f"{device.name}: {device.flops / 1e12:,.0f} TFLOP/s dense bf16 at the peak, of which "
            f"{device.utilisation:.0%} are reached at 100M parameters and more, and less in "
            "proportion to the square root of the size below.",
            f"A poisoned document has {DOCUMENT_TOKENS} tokens.",
        ]
    return [
        "One process and one thread a core, at 26 GFLOP/s for 0.05M parameters up to 60 GFLOP/s for "
        "10M and more; a slow or busy machine takes longer.",
        f"A poisoned document has {DOCUMENT_TOKENS} tokens.",
    ]
