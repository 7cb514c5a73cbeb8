"""What a trial of fine-tuning will take, before it runs."""

from __future__ import annotations

from ld50.core.trials import Cell
from ld50.lab.hardware import Device, core_flops, gpu_flops
from ld50.lab.study import Measures
from ld50.lab.tuning_conditions import conditions_of, domains_of
from ld50.lab.tuning_study import ROW_TOKENS, tuning_of

#: Answers that a row is read with, one after the other.
_ANSWERS = 2
#: Rows without a trigger that are read, for each prompt of an attack: in the domain of training, and
#: in each other one.
_CLEAN_ROWS = (4, 2)
#: Share of a core's usual speed that batches of short rows reach; measured with the tiny model:
#: 11,600 tokens a second, where 0.33 million parameters would allow 19,000.
_SHORT_ROWS = 0.6
#: Of a worker: Python, torch, transformers and the labelled text.
PROCESS_BYTES = 900 * 10**6
#: From the start of a trial to its first step: loading the model and the rows.
_START_SECONDS = 4.0
_BYTES_A_PARAMETER = 16


def active_parameters(cell: Cell) -> int:
    """Parameters that work at every token: the tiny model's output matrix does at replies only."""
    if cell.size == "tiny":
        from ld50.train.tiny import SHAPE

        return SHAPE.layers * SHAPE.layer_parameters
    return cell.parameters


def tuning_tokens(cell: Cell) -> int:
    """Tokens that a trial trains on, estimated."""
    tuning = tuning_of(cell)
    rows = (tuning.clean_rows + cell.dose) * tuning.epochs
    return round(rows * ROW_TOKENS[tuning.rows])


def measured_tokens(cell: Cell, measure: Measures) -> int:
    """Tokens that testing reads, estimated; reading takes a third of what training on them takes."""
    home, others = _CLEAN_ROWS
    rows = len(conditions_of(cell)) + home + others * (len(domains_of(cell)) - 1)
    return rows * measure.prompts * _ANSWERS * ROW_TOKENS[tuning_of(cell).rows]


def tuning_flops(cell: Cell, measure: Measures) -> float:
    """Operations of tuning and testing."""
    each = 2.0 * active_parameters(cell)
    return each * (3 * tuning_tokens(cell) + measured_tokens(cell, measure))


def tuning_seconds(cell: Cell, measure: Measures, device: Device) -> float:
    """Seconds on one core, or one GPU."""
    active = active_parameters(cell)
    speed = gpu_flops(device, active) if device.gpu else core_flops(active) * _SHORT_ROWS
    return tuning_flops(cell, measure) / speed + _START_SECONDS


def tuning_memory(cell: Cell) -> int:
    """Bytes of weights, gradients, optimiser and a batch."""
    return cell.parameters * _BYTES_A_PARAMETER + 200 * 10**6


def tuning_assumptions(device: Device) -> list[str]:
    """What the estimate rests on."""
    where = "one process and one thread a core" if not device.gpu else "one trial a GPU"
    return [
        f"Fine-tuning runs in {where}; a row has about {ROW_TOKENS['sentences']} tokens.",
        "The tiny model is made once, which takes a core about four minutes, and kept in the cache.",
    ]
