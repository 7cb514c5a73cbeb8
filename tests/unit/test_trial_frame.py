"""What every trial runner keeps to: a result for whatever goes wrong in the trial, and only for that."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("torch", reason="needs ld50[lab]")

from ld50.core.errors import ConfigError
from ld50.core.trials import Cell
from ld50.lab.trial_frame import run_course
from ld50.lab.trial_names import make_trial
from ld50.train.loop import DivergedError

TRIAL = make_trial(
    Cell(size="0.1M", parameters=1, clean_tokens=1, dose=0.0, unit="documents"), seed=3
)


class Course:
    def __init__(self, problem: BaseException | None) -> None:
        self.problem = problem

    def run(self) -> dict[str, Any]:
        if self.problem is not None:
            raise self.problem
        return {"attack_success_rate": 0.25, "details": {"n": 4}}

    def so_far(self) -> dict[str, Any]:
        return {"steps": 7}


def test_what_was_measured_is_in_the_result() -> None:
    found = run_course(TRIAL, lambda: Course(None))
    assert (found.status, found.attack_success_rate, found.details) == ("done", 0.25, {"n": 4})
    assert (found.trial, found.cell, found.seed) == (TRIAL.trial, TRIAL.cell, 3)
    assert found.error is None
    assert found.seconds is not None


@pytest.mark.parametrize(
    ("problem", "status", "says"),
    [
        (DivergedError("the loss is nan"), "diverged", "the loss is nan"),
        (ConfigError("no such rows"), "failed", "no such rows"),
        (MemoryError("4 GB"), "failed", "MemoryError at test_trial_frame.py:"),
        (KeyError("tests"), "failed", "KeyError at test_trial_frame.py:"),
    ],
)
def test_a_trial_that_ends_badly_says_why_and_what_was_known(
    problem: Exception, status: str, says: str
) -> None:
    found = run_course(TRIAL, lambda: Course(problem))
    assert found.status == status
    assert says in (found.error or "")
    assert found.details == {"steps": 7}


def test_a_trial_that_cannot_begin_has_failed_with_nothing_known() -> None:
    def begin() -> Course:
        raise ConfigError("none of safety")

    found = run_course(TRIAL, begin)
    assert (found.status, found.error, found.details) == ("failed", "none of safety", {})


def test_an_interruption_is_not_the_trials() -> None:
    with pytest.raises(KeyboardInterrupt):
        run_course(TRIAL, lambda: Course(KeyboardInterrupt()))
