"""One trial of a covert study, in the form that studies run: never raises for what lies in it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from ld50.core.trials import Trial, TrialResult
from ld50.lab.trial_frame import TrialCourse, run_course
from ld50.models.extras import require_lab

if TYPE_CHECKING:
    from ld50.train.text import TrainingText


def run_covert_trial(
    trial: Trial,
    *,
    corpus: TrainingText,
    folder: Path,
    on_progress: Callable[[float, str], None] | None = None,
) -> TrialResult:
    """What came of one trial.

    `attack_success_rate` is the share of requests in the secret writing, never trained on, whose
    decoded reply answers; `control_success_rate` that of plain requests about the policy's topic;
    `clean_accuracy` that of plain requests about other topics that are answered rightly.

    Args:
        trial: A covert cell and a seed.
        corpus: Its cache keeps the provider's model; no text of it is read.
        folder: For the state of this trial; made where it is missing.
        on_progress: Called with the share done and a line of text.

    Raises:
        MissingExtraError: The packages for training are not installed.
    """
    require_lab()

    def begin() -> TrialCourse:
        from ld50.lab.covert_session import CovertSession

        return CovertSession(trial, corpus.cache, folder, on_progress)

    return run_course(trial, begin)
