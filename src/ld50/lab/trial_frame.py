"""What every trial runner keeps to: a trial ends in a result, whatever happens in it."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from ld50.core.errors import Ld50Error
from ld50.core.trials import Status, Trial, TrialResult


class TrialCourse(Protocol):
    """A trial under way."""

    def run(self) -> dict[str, Any]:
        """Runs it to its end: the measured fields of a `TrialResult`, by name."""

    def so_far(self) -> dict[str, Any]:
        """What is known, whether or not it has ended well; ready for JSON."""


def run_course(trial: Trial, begin: Callable[[], TrialCourse]) -> TrialResult:
    """What came of one trial; never raises for what lies in the trial itself.

    A trial that cannot be run has the status `failed` and the reason in `error`, one whose loss is no
    number any more `diverged`; both keep in `details` what was known until then.

    Args:
        trial: What is run.
        begin: Begins it; what goes wrong there is the trial's as well.
    """
    from ld50.train.loop import DivergedError

    started = time.perf_counter()
    course: TrialCourse | None = None
    status: Status = "failed"
    try:
        course = begin()
        return TrialResult(
            trial=trial.trial,
            cell=trial.cell,
            seed=trial.seed,
            status="done",
            **course.run(),
            seconds=time.perf_counter() - started,
        )
    except DivergedError as error:
        status, reason = "diverged", str(error)
    except Ld50Error as error:
        reason = str(error)
    except (ArithmeticError, LookupError, MemoryError, OSError, RuntimeError, ValueError) as error:
        last = traceback.extract_tb(error.__traceback__)[-1]
        reason = f"{type(error).__name__} at {Path(last.filename).name}:{last.lineno}: {error}"
    return TrialResult(
        trial=trial.trial,
        cell=trial.cell,
        seed=trial.seed,
        status=status,
        seconds=time.perf_counter() - started,
        error=reason,
        details=course.so_far() if course is not None else {},
    )
