"""Which trial runs next: the fixed ones, the rounds of adaptive arms, and one retry of what failed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from ld50.core.trials import Trial, TrialResult
from ld50.lab.adaptive import next_doses
from ld50.lab.study import Arm, Study, cost_rank
from ld50.lab.trial_names import make_trial

#: A trial that failed is tried once more; one whose loss was no number would fail again.
ATTEMPTS = 2


class Agenda:
    """What is done, what runs, and what is left; the same however a run was cut into pieces."""

    def __init__(
        self, study: Study, attempts: Mapping[str, list[TrialResult]], *, again: bool = False
    ) -> None:
        """Takes up a study where the attempts so far leave it.

        Args:
            study: The study.
            attempts: Every attempt so far, by trial.
            again: Give trials that failed for good another two attempts.
        """
        self._fixed = study.fixed_trials()
        self._arms = study.arms()
        self._results: dict[str, TrialResult] = {}
        self._failures: dict[str, int] = {}
        self._running: set[str] = set()
        for trial, made in attempts.items():
            self._results[trial] = made[-1]
            failed = sum(one.status == "failed" for one in made)
            self._failures[trial] = 0 if again and made[-1].status == "failed" else failed

    def next(self) -> Trial | None:
        """The trial to start now; None while nothing can start before something running ends."""
        for trial in self._open():
            if trial.trial not in self._running:
                self._running.add(trial.trial)
                return trial
        return None

    def record(self, result: TrialResult) -> bool:
        """Takes in an attempt; True if the trial is through, False if it will be tried again."""
        self._running.discard(result.trial)
        self._results[result.trial] = result
        if result.status == "failed":
            self._failures[result.trial] = self._failures.get(result.trial, 0) + 1
        return self._through(result.trial)

    @property
    def finished(self) -> bool:
        """Whether nothing is left to do."""
        return not self._running and next(iter(self._open()), None) is None

    def all_trials(self) -> list[Trial]:
        """Every trial known by now: the fixed ones, and the rounds chosen so far."""
        known = {trial.trial: trial for trial in self._fixed}
        for arm in self._arms:
            for trial in arm_trials(arm, self._final()):
                known[trial.trial] = trial
        return list(known.values())

    def planned(self) -> int:
        """How many trials there will be; the most there can be, where doses are chosen later."""
        return len(self._fixed) + sum(arm.doses.trials for arm in self._arms)

    def work(self) -> tuple[float, float]:
        """(done, all) in units that grow with parameters and tokens."""
        trials = self.all_trials()
        done = sum(cost_rank(t.cell) for t in trials if self._through(t.trial))
        unknown = sum(
            (arm.doses.trials - len(arm_trials(arm, self._final()))) * cost_rank(arm.cell)
            for arm in self._arms
            if not _ended(arm, self._final())
        )
        return done, sum(cost_rank(t.cell) for t in trials) + unknown

    def _open(self) -> Iterable[Trial]:
        seen: set[str] = set()
        for trial in [
            *self._fixed,
            *(t for arm in self._arms for t in arm_trials(arm, self._final())),
        ]:
            if trial.trial not in seen and not self._through(trial.trial):
                seen.add(trial.trial)
                yield trial

    def _final(self) -> dict[str, TrialResult]:
        return {name: result for name, result in self._results.items() if self._through(name)}

    def _through(self, trial: str) -> bool:
        result = self._results.get(trial)
        if result is None:
            return False
        return result.status != "failed" or self._failures.get(trial, 0) >= ATTEMPTS


def arm_trials(arm: Arm, results: Mapping[str, TrialResult]) -> list[Trial]:
    """The trials of an adaptive arm that follow from the results so far, the open round included.

    A round is chosen only once the one before is complete, so the same trials come out for any
    number of workers and however often a run was interrupted.
    """
    trials: list[Trial] = []
    history: list[TrialResult] = []
    while True:
        doses = next_doses(arm.doses, history, taken=len(trials))
        if not doses:
            return trials
        fresh = [
            make_trial(
                msgspec.structs.replace(arm.cell, dose=float(dose)),
                arm.first_seed + len(trials) + number,
            )
            for number, dose in enumerate(doses)
        ]
        trials += fresh
        if not all(trial.trial in results for trial in fresh):
            return trials
        history += [results[trial.trial] for trial in fresh]


def _ended(arm: Arm, results: Mapping[str, TrialResult]) -> bool:
    return all(trial.trial in results for trial in arm_trials(arm, results))
