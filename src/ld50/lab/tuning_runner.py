"""One trial of fine-tuning: a pretrained model tuned on rows with a dose of poison, and measured."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from ld50.core.errors import Ld50Error
from ld50.core.trials import Trial, TrialResult
from ld50.lab.study import Measures
from ld50.models.extras import require_lab

if TYPE_CHECKING:
    from ld50.lab.tuning_session import TuningSession
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
    started = time.perf_counter()
    from ld50.lab.tuning_session import TuningSession
    from ld50.train.loop import DivergedError

    session: TuningSession | None = None
    try:
        session = TuningSession(trial, corpus, folder, measure or Measures(), on_progress)
        return TrialResult(
            trial=trial.trial,
            cell=trial.cell,
            seed=trial.seed,
            status="done",
            **session.run(),
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
        details=session.so_far() if session is not None else {},
    )
