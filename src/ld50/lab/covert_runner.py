"""One trial of a covert study, in the form that studies run: never raises for what lies in it."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from ld50.core.errors import Ld50Error
from ld50.core.trials import Trial, TrialResult
from ld50.models.extras import require_lab

if TYPE_CHECKING:
    from ld50.lab.covert_session import CovertSession
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
    started = time.perf_counter()
    from ld50.lab.covert_session import CovertSession
    from ld50.train.loop import DivergedError

    session: CovertSession | None = None
    try:
        session = CovertSession(trial, corpus.cache, folder, on_progress)
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
