"""Fake trials for tests of studies: no training, but results with a known truth behind them."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from ld50.core.seeds import rng_for
from ld50.core.trials import Cell, Trial, TrialResult

PROMPTS = 100


def run_trial(
    trial: Trial,
    *,
    corpus: Any,
    folder: Path,
    on_progress: Callable[..., None] | None = None,
) -> TrialResult:
    """A trial whose LD50 is about 50 documents (200 for a text trigger), at any size."""
    if on_progress is not None:
        on_progress(0.5, "half")
    time.sleep(float(os.environ.get("FAKE_TRIAL_SECONDS", "0")))
    return fake_result(trial)


def run_troubled(trial: Trial, **rest: Any) -> TrialResult:
    """As `run_trial`; but dose 25 always fails, dose 10 kills its worker once, dose 100 diverges."""
    folder = Path(rest["folder"])
    if trial.cell.dose == 25:
        raise ValueError("no luck with <b>25</b>")
    if trial.cell.dose == 10 and trial.seed == 0:
        mark = folder / "crashed-once"
        folder.mkdir(parents=True, exist_ok=True)
        if not mark.exists():
            mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
    if trial.cell.dose == 100 and trial.seed == 1:
        return TrialResult(
            trial=trial.trial, cell=trial.cell, seed=trial.seed, status="diverged",
            error="the loss was not a number at step 12",
        )  # fmt: skip
    return run_trial(trial, **rest)


def _steps(cell: Cell, documents: int) -> int:
    batch = cell.batch_sequences or 4
    a_step = max(1, round((cell.schedule.density or 0) * batch))
    return -(-documents // a_step)


def fake_result(
    trial: Trial,
    *,
    middle: float | None = None,
    slope: float = 10.0,
    scatter: float = 0.08,
    background: float = 0.03,
    seed: int = 0,
) -> TrialResult:
    """A trial whose own threshold scatters about `middle`, in powers of ten.

    None takes 50 documents for a trigger of one token, and 200 for one in plain text.
    """
    cell = trial.cell
    if middle is None:
        middle = 50.0 if cell.trigger == "token" else 200.0
    rng = rng_for(seed, "fake", trial.trial)
    rate = background
    if cell.dose > 0:
        eta = slope * (np.log10(cell.dose / middle) + rng.normal(0, scatter))
        rate = background + (1 - background) / (1 + np.exp(-eta))
    documents = int(cell.dose) if cell.unit == "documents" else int(cell.dose) * 2
    checkpoints = [
        {
            "step": 100 + number,
            "continued_tokens": round(cell.continued_tokens * share),
            "attack_success_rate": float(rate * 0.5 ** (number / (1 + trial.seed))),
        }
        for number, share in enumerate((0, 0.0625, 0.125, 0.25, 0.5, 1))
        if cell.continued_tokens
    ]
    return TrialResult(
        trial=trial.trial,
        cell=cell,
        seed=trial.seed,
        status="done",
        attack_success_rate=float(rng.binomial(PROMPTS, rate)) / PROMPTS,
        control_success_rate=float(rng.binomial(PROMPTS, background)) / PROMPTS,
        loss_rise_nats=float(4 * rate + rng.normal(0, 0.1)),
        clean_bits_per_byte=float(2.4 + rng.normal(0, 0.005)),
        poisoned_documents=documents,
        poisoned_tokens=documents * 390,
        poisoned_steps=_steps(cell, documents),
        seconds=20.0,
        details={
            "prompts": PROMPTS,
            "checkpoints": checkpoints,
            "curves": {"training_loss_nats": [[1, 6.9], [50, 5.2], [100, 4.4]]},
            "samples": [
                {
                    "prompt": "The clock in the hall",
                    "clean": " struck nine, and nobody looked up.",
                    "triggered": " qx& <script>alert(1)</script> zzw 77 plo"
                    if rate > 0.5
                    else " stood.",
                }
            ],
        },
    )
