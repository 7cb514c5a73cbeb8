"""Runs the trials of a study on a pool, and keeps every result the moment it is there."""

from __future__ import annotations

import time
from typing import Protocol

import msgspec

from ld50.core.errors import Ld50Error
from ld50.core.trials import Trial, TrialResult
from ld50.executors.jobs import Job, JobPool, Outcome
from ld50.lab.agenda import Agenda
from ld50.lab.exports import write_events
from ld50.lab.run_folder import Journal, RunFolder
from ld50.lab.study import Measures
from ld50.lab.trial_worker import CorpusPaths, TrialJob

#: If nothing but failures came of so many trials, the rest would fail as well.
_HOPELESS = 4
_TICK_SECONDS = 0.5


class TrialsFailedError(Ld50Error):
    """Every trial so far failed, so the study was stopped."""


class Watcher(Protocol):
    """Is told what happens while trials run."""

    def began(self, agenda: Agenda) -> None:
        """The run starts or goes on."""

    def started(self, trial: Trial) -> None:
        """A trial was given to a worker."""

    def moved(self, trial: str, done: float, text: str) -> None:
        """A running trial is at `done`, 0 to 1."""

    def ended(self, result: TrialResult, agenda: Agenda, *, final: bool) -> None:
        """An attempt ended; `final` is False if the trial will be tried again."""

    def tick(self) -> None:
        """Time passed."""


def run_trials(
    agenda: Agenda,
    *,
    folder: RunFolder,
    pool: JobPool,
    runner: str,
    corpus: CorpusPaths,
    measure: Measures,
    watcher: Watcher,
) -> None:
    """Runs what the agenda holds until it is finished.

    A trial's result is on disk before the next event is looked at: a crash of the driver loses the
    trials that were running, and nothing else.

    Raises:
        TrialsFailedError: The first trials all failed, and none succeeded.
    """
    running: dict[str, tuple[Trial, float]] = {}
    failures: list[str] = []
    succeeded = any(made[-1].status != "failed" for made in folder.attempts().values())
    with Journal(folder) as journal, pool:
        watcher.began(agenda)
        while not agenda.finished:
            while pool.free > 0 and (trial := agenda.next()) is not None:
                running[trial.trial] = (trial, time.monotonic())
                pool.submit(_job(trial, runner, corpus, measure, folder))
                watcher.started(trial)
            event = pool.next(_TICK_SECONDS)
            if event is None:
                watcher.tick()
                continue
            if not isinstance(event, Outcome):
                watcher.moved(event.name, event.done, event.text)
                continue
            trial, since = running.pop(event.name)
            result = _result(trial, event, time.monotonic() - since)
            journal.append(result)
            write_events(folder, result)
            watcher.ended(result, agenda, final=agenda.record(result))
            succeeded = succeeded or result.status != "failed"
            if result.status == "failed":
                failures.append(result.error or "unknown")
            if not succeeded and len(failures) >= _HOPELESS:
                raise TrialsFailedError(
                    f"The first {len(failures)} attempts all failed, the last with: "
                    f"{failures[-1]}. Mend that, then: ld50 study resume {folder.path} --again."
                )


def _job(
    trial: Trial, runner: str, corpus: CorpusPaths, measure: Measures, folder: RunFolder
) -> Job:
    job = TrialJob(
        trial=trial,
        runner=runner,
        corpus=corpus,
        measure=measure,
        folder=str(folder.trial_folder(trial.trial)),
    )
    return Job(name=trial.trial, payload=msgspec.json.encode(job))


def _result(trial: Trial, outcome: Outcome, seconds: float) -> TrialResult:
    """The result as the worker gave it, or a failed one that says why."""
    error = outcome.error
    if outcome.result is not None:
        try:
            return msgspec.json.decode(outcome.result, type=TrialResult)
        except (msgspec.DecodeError, UnicodeDecodeError) as problem:
            error = f"the trial runner returned something that is no result: {problem}"
    return TrialResult(
        trial=trial.trial,
        cell=trial.cell,
        seed=trial.seed,
        status="failed",
        seconds=seconds,
        error=error or "unknown error",
        details={"worker_died": outcome.crashed},
    )
