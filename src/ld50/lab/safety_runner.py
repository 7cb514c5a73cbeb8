"""One trial of safety under fine-tuning: teach the policy, tune on a task, repair, and measure."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from ld50.core.trials import Trial, TrialResult
from ld50.lab.study import Measures
from ld50.lab.trial_frame import TrialCourse, run_course
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

    def begin() -> TrialCourse:
        from ld50.lab.safety_session import SafetySession

        return SafetySession(trial, corpus.cache, measure or Measures(), on_progress)

    return run_course(trial, begin)
