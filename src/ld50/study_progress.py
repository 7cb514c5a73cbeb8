"""What is seen of a study while it runs: a bar on a terminal, a line for each trial elsewhere."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING

from ld50.core.trials import Trial, TrialResult
from ld50.lab.agenda import Agenda

if TYPE_CHECKING:
    import rich.progress

_LINES_EVERY_SECONDS = 5.0


class StudyProgress:
    """A `Watcher` that shows trials, time left, and what just came out, on standard error."""

    def __init__(self, *, enabled: bool = True, planned: int = 0) -> None:
        self._enabled = enabled
        self._planned = planned
        self._bar: rich.progress.Progress | None = None
        self._task: rich.progress.TaskID | None = None
        self._shares: dict[str, float] = {}
        self._done_before = 0.0
        self._began = 0.0
        self._trials = 0

    def __enter__(self) -> StudyProgress:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def began(self, agenda: Agenda) -> None:
        """The run starts or goes on."""
        self._agenda = agenda
        self._began = time.monotonic()
        self._done_before, _ = agenda.work()
        if self._enabled and sys.stderr is not None and sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, Progress, TextColumn

            self._bar = Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                TextColumn("{task.percentage:>3.0f}%  {task.fields[left]}"),
                console=Console(stderr=True),
                transient=True,
            )
            self._task = self._bar.add_task("training", total=1.0, left="")
            self._bar.start()
        self._show()

    def started(self, trial: Trial) -> None:
        """A trial was given to a worker."""
        self._shares[trial.trial] = 0.0
        self._show()

    def moved(self, trial: str, done: float, text: str) -> None:
        """A running trial is at `done`."""
        self._shares[trial] = min(max(done, 0.0), 1.0)
        self._show()

    def ended(self, result: TrialResult, agenda: Agenda, *, final: bool) -> None:
        """An attempt ended."""
        self._shares.pop(result.trial, None)
        self._trials += final
        self._say(result_line(result, final=final))
        self._show()

    def tick(self) -> None:
        """Time passed."""
        self._show()

    def seconds_left(self) -> float | None:
        """Time until the last trial ends, at the pace so far; None before there is a pace."""
        done, everything = self._work()
        fresh = done - self._done_before
        seconds = time.monotonic() - self._began
        if fresh <= 0 or seconds < 2:
            return None
        return seconds * max(everything - done, 0.0) / fresh

    def _work(self) -> tuple[float, float]:
        done, everything = self._agenda.work()
        if self._shares:
            from ld50.lab.study import cost_rank

            ranks = {t.trial: cost_rank(t.cell) for t in self._agenda.all_trials()}
            done += sum(share * ranks.get(name, 0) for name, share in self._shares.items())
        return done, everything

    def _show(self) -> None:
        if self._bar is None or self._task is None:
            return
        done, everything = self._work()
        left = self.seconds_left()
        self._bar.update(
            self._task,
            completed=done / everything if everything else 1.0,
            description=f"{len(self._shares)} training, {self._trials} done",
            left="" if left is None else f"{duration(left)} left",
        )

    def _say(self, line: str) -> None:
        if self._bar is not None:
            self._bar.console.print(line, highlight=False, markup=False)
        elif self._enabled:
            left = self.seconds_left()
            more = "" if left is None else f"  ({duration(left)} left)"
            print(line + more, file=sys.stderr, flush=True)


def result_line(result: TrialResult, *, final: bool = True) -> str:
    """One trial as one line of text."""
    cell = result.cell
    head = f"{cell.size} dose {cell.dose:g} {cell.unit} seed {result.seed}"
    if result.status != "done":
        again = "" if final or result.status == "diverged" else ", will be tried again"
        return f"{head}: {result.status}{again}: {(result.error or '')[:200]}"
    control = result.control_success_rate
    return (
        f"{head}: attack success {_rate(result.attack_success_rate)}, control {_rate(control)}, "
        f"{duration(result.seconds or 0.0)}"
    )


def duration(seconds: float) -> str:
    """`42 s`, `3 min`, `2.4 h`, `11 days`."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 90 * 60:
        return f"{seconds / 60:.0f} min"
    if seconds < 48 * 3600:
        return f"{seconds / 3600:.2g} h" if seconds < 9.95 * 3600 else f"{seconds / 3600:.0f} h"
    return f"{seconds / 86400:,.0f} days"


def _rate(value: float | None) -> str:
    return "not measured" if value is None else f"{value:.2f}"
