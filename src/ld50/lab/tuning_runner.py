"""One trial of fine-tuning: a pretrained model tuned on rows with a dose of poison, and measured."""

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


def run_tuning_trial(
    trial: Trial,
    *,
    corpus: TrainingText,
    folder: Path,
    on_progress: Callable[[float, str], None] | None = None,
    measure: Measures | None = None,
) -> TrialResult:
    """What came of one trial; never raises for what lies in the trial itself.

    A trial that cannot be run has the status `failed` and the reason in `error`, one whose loss
    is no number any more `diverged`.

    Args:
        trial: A cell of fine-tuning and a seed.
        corpus: Where the labelled rows are, and the cache with the pretrained models.
        folder: For the state of this trial; made where it is missing.
        on_progress: Called with the share done and a line of text.
        measure: How it is measured.

    Raises:
        MissingExtraError: The packages for training are not installed.
    """
    require_lab()

    def begin() -> TrialCourse:
        from ld50.lab.tuning_session import TuningSession

        return TuningSession(trial, corpus, folder, measure or Measures(), on_progress)

    return run_course(trial, begin)
