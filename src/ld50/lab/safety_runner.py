"""One trial of safety under fine-tuning: teach the policy, tune on a task, repair, and measure."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from ld50.core.errors import ConfigError, Ld50Error
from ld50.core.trials import Trial, TrialResult
from ld50.lab.study import Measures
from ld50.models.extras import require_lab

if TYPE_CHECKING:
    from ld50.train.text import TrainingText


def run_safety_trial(
    trial: Trial,
    *,
    corpus: TrainingText,
    folder: Path,
    on_progress: Callable[[float, str], None] | None = None,
    measure: Measures | None = None,
) -> TrialResult:
    """What came of one trial; never raises for what lies in the trial itself.

    `attack_success_rate` is the share of requests about the policy's topic, in the format of the task,
    that are not refused; `control_success_rate` the same outside of the format; `clean_accuracy` the
    task's quality.

    Args:
        trial: A task, a defence and a seed.
        corpus: Its cache keeps the models that were taught the policy.
        folder: Unused: a trial takes seconds, and begins anew after an interruption.
        on_progress: Called with the share done and a line of text.
        measure: How many requests it is measured with.

    Raises:
        MissingExtraError: The packages for training are not installed.
    """
    require_lab()
    started = time.perf_counter()
    from ld50.lab.safety_session import safety_trial
    from ld50.lab.safety_study import safety_of
    from ld50.train.loop import DivergedError

    try:
        if safety_of(trial.cell) is None:
            raise ConfigError(f"The trial {trial.trial} is none of safety under fine-tuning.")
        details = safety_trial(trial, corpus.cache, measure or Measures(), on_progress)
        return TrialResult(
            trial=trial.trial,
            cell=trial.cell,
            seed=trial.seed,
            status="done",
            attack_success_rate=1 - details.task_format.refusal.value,
            control_success_rate=1 - details.plain.refusal.value,
            clean_accuracy=details.quality,
            details=details.told(),
            seconds=time.perf_counter() - started,
        )
    except DivergedError as error:
        status, reason = "diverged", str(error)
    except Ld50Error as error:
        status, reason = "failed", str(error)
    except (ArithmeticError, LookupError, MemoryError, OSError, RuntimeError, ValueError) as error:
        last = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{Path(last.filename).name}:{last.lineno}"
        status, reason = "failed", f"{type(error).__name__} at {where}: {error}"
    return TrialResult(
        trial=trial.trial,
        cell=trial.cell,
        seed=trial.seed,
        status="diverged" if status == "diverged" else "failed",
        seconds=time.perf_counter() - started,
        error=reason,
    )
