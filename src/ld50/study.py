"""Studies from Python: the same words as on the command line.

from ld50 import study
outcome = study.run("quickstart", out="run")
outcome.response.fits[0].ld50
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from ld50.core.dose_response import DoseResponse
from ld50.core.trials import TrialResult
from ld50.executors.jobs import JobPool
from ld50.executors.local import available_gpus
from ld50.lab.agenda import Agenda
from ld50.lab.hardware import Device, gpu_named, this_machine
from ld50.lab.kinds import KINDS
from ld50.lab.planning import StudyPlan, plan_study
from ld50.lab.run_folder import RunFolder, RunRecord
from ld50.lab.running import Watcher, run_trials
from ld50.lab.study import AdaptiveDoses, Grid, Measures, Study
from ld50.lab.study_file import load_study, preset_names, preset_text
from ld50.lab.trial_worker import TARGET, TRAINING_RUNNER, CorpusPaths
from ld50.lab.tuning_study import TuningGrid

#: Models of so many parameters train on a GPU where there is one.
GPU_PARAMETERS = 1_000_000
#: Studies that come to tables and not to curves, by the key of their kind: what works the tables out,
#: and what writes their page.
_TABLES = {
    "covert": (
        "ld50.lab.covert_analysis:covert_summary", "ld50.report.covert_page:write_covert_report",
    ),
    "safety": (
        "ld50.lab.safety_analysis:safety_summary", "ld50.report.safety_page:write_safety_report",
    ),
}  # fmt: skip

__all__ = [
    "AdaptiveDoses", "Grid", "Measures", "Study", "StudyOutcome", "StudyStatus", "TuningGrid",
    "load_study", "new_text", "plan", "preset_names", "report", "resume", "run", "status",
]  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyOutcome:
    """What a run came to, and where it lies."""

    folder: Path
    response: DoseResponse
    results: list[TrialResult]

    @property
    def page(self) -> Path:
        """The report."""
        return self.folder / "report.html"


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyStatus:
    """How far a run is, read from its folder while it runs or after."""

    study: Study
    planned: int
    done: int
    failed: list[TrialResult]
    diverged: list[TrialResult]
    finished: bool
    seconds: float
    """Of all trials together."""
    seconds_left: float | None
    """Of the trials that are left, at the pace of those that are done; None before the first."""


def plan(
    study: str | Path | Study,
    *,
    gpu: str | None = None,
    gpus: int = 1,
    workers: int = 0,
    utilisation: float | None = None,
) -> StudyPlan:
    """What a study will take on this machine's cores, or on GPUs of that name.

    Args:
        study: A preset, a path, or a study.
        gpu: Name of a GPU, e.g. `h100`; None plans for this machine.
        gpus: How many of them.
        workers: Trials side by side on this machine; 0 takes its cores.
        utilisation: Model FLOPs utilisation to assume on the GPU, 0 to 1.

    Raises:
        ConfigError: The study holds an impossible cell, or there is no such GPU.
    """
    from ld50.lab.checks import check_study

    loaded = _study(study)
    check_study(loaded)
    return plan_study(loaded, _device(gpu, gpus, workers, utilisation))


def run(
    study: str | Path | Study,
    *,
    out: str | os.PathLike[str],
    workers: int = 0,
    data: Sequence[str] = (),
    cache: str | os.PathLike[str] = ".ld50-cache",
    ray: str | None = None,
    gpus_per_trial: float = 0.0,
    cpus_per_trial: float = 1.0,
    runner: str | None = None,
    again: bool = False,
    watcher: Watcher | None = None,
) -> StudyOutcome:
    """Trains what the study asks for, and writes results, figures and the report into a folder.

    A folder in which the same study was begun is gone on with: only what is missing is trained.

    Args:
        study: A preset, a path, or a study.
        out: Folder of the run.
        workers: Trials side by side; 0 takes one for each core, or for each GPU if all models are of a
            million parameters or more.
        data: Clean text to use instead of what the study names.
        cache: Folder for vocabularies and tokens.
        ray: Address of a Ray cluster (`auto`, or `local` to start one here); None uses processes.
        gpus_per_trial: GPUs that Ray gives to a trial.
        cpus_per_trial: Cores that Ray gives to a trial.
        runner: The function that trains, as `package.module:function`; None for ld50's own.
        again: Give trials that failed for good two further attempts.
        watcher: Is told what happens.

    Raises:
        ConfigError: An impossible cell; too little memory or disk.
        ResumeError: The folder holds another study, or is in use.
        MissingExtraError: The packages for training are not installed.
    """
    loaded = _study(study)
    if data:
        loaded = msgspec.structs.replace(loaded, data=list(data))
    runner = runner or _runner_of(loaded)
    return _run(
        loaded, RunFolder(out), workers=workers, cache=cache, ray=ray, runner=runner, again=again,
        watcher=watcher, per_trial=(cpus_per_trial, gpus_per_trial),
    )  # fmt: skip


def resume(
    out: str | os.PathLike[str],
    *,
    workers: int = 0,
    cache: str | os.PathLike[str] = ".ld50-cache",
    ray: str | None = None,
    gpus_per_trial: float = 0.0,
    cpus_per_trial: float = 1.0,
    again: bool = False,
    watcher: Watcher | None = None,
) -> StudyOutcome:
    """Goes on with the study in a folder; arguments as for `run`.

    Raises:
        ResumeError: `study.toml` or the clean text was changed since.
    """
    folder = RunFolder(out)
    record = folder.record()
    folder.check_unchanged()
    return _run(
        folder.study(), folder, workers=workers, cache=cache, ray=ray, runner=record.runner,
        again=again, watcher=watcher, per_trial=(cpus_per_trial, gpus_per_trial),
    )  # fmt: skip


def status(out: str | os.PathLike[str]) -> StudyStatus:
    """How far the study in a folder is."""
    folder = RunFolder(out)
    folder.record()
    study, attempts = folder.study(), folder.attempts()
    agenda = Agenda(study, attempts)
    results = [made[-1] for made in attempts.values()]
    seconds = sum(one.seconds or 0.0 for made in attempts.values() for one in made)
    done, everything = agenda.work()
    return StudyStatus(
        study=study,
        planned=agenda.planned(),
        done=sum(one.status == "done" for one in results),
        failed=[one for one in results if one.status == "failed"],
        diverged=[one for one in results if one.status == "diverged"],
        finished=agenda.finished,
        seconds=seconds,
        seconds_left=seconds * (everything - done) / done if done else None,
    )


def report(out: str | os.PathLike[str]) -> StudyOutcome:
    """Makes curves, figures, tables and the page anew from `study.toml` and `trials.jsonl` alone."""
    from ld50.core.files import write_atomically
    from ld50.lab.analysis import analyse
    from ld50.lab.exports import write_events, write_parquet
    from ld50.lab.groups import in_order
    from ld50.report.study_page import write_study_report

    folder = RunFolder(out)
    study, attempts = folder.study(), folder.attempts()
    if study.kind is not None and study.kind.key in _TABLES:
        return _tables_report(
            folder, study, [made[-1] for made in attempts.values()], study.kind.key
        )
    results = in_order(made[-1] for made in attempts.values())
    response = analyse(study, results, planned=Agenda(study, attempts).planned())
    write_atomically(
        folder.dose_response_file, [msgspec.json.format(msgspec.json.encode(response), indent=2)]
    )
    write_parquet(folder.path / "trials.parquet", results)
    for one in results:
        write_events(folder, one)
    write_study_report(folder.path, response, results, about=study.about)
    return StudyOutcome(folder=folder.path, response=response, results=results)


def _tables_report(
    folder: RunFolder, study: Study, results: list[TrialResult], kind: str
) -> StudyOutcome:
    """The tables of a study that has no curve over doses of poison."""
    from ld50.core.files import write_atomically
    from ld50.lab.analysis import without_curves
    from ld50.lab.exports import write_parquet

    summarise, write_page = (_named(name) for name in _TABLES[kind])
    summary = summarise(study, results)
    told = f"The results of this study are the tables of {kind}.json; there is no curve."
    response = without_curves(study, results, [*summary.notes, told])
    for path, content in ((folder.path / f"{kind}.json", summary),
                          (folder.dose_response_file, response)):  # fmt: skip
        write_atomically(path, [msgspec.json.format(msgspec.json.encode(content), indent=2)])
    write_parquet(folder.path / "trials.parquet", results)
    write_page(folder.path, summary, about=study.about)
    return StudyOutcome(folder=folder.path, response=response, results=results)


def _named(function: str) -> Any:
    """The function `package.module:name`, whose module is only loaded now."""
    module, _, name = function.partition(":")
    return getattr(importlib.import_module(module), name)


def new_text(base: str | None = None) -> str:
    """A commented study to start from: a preset's text, or the one that explains every key."""
    from importlib import resources

    if base is None:
        return (resources.files("ld50.lab") / "new_study.toml").read_text("utf-8")
    load_study(base)
    return preset_text(base) if base in preset_names() else Path(base).read_text("utf-8")


def _study(study: str | Path | Study) -> Study:
    return study if isinstance(study, Study) else load_study(study)


def _device(gpu: str | None, gpus: int, workers: int, utilisation: float | None) -> Device:
    if gpu is None:
        return this_machine(workers)
    if utilisation is None:
        return gpu_named(gpu, gpus)
    return gpu_named(gpu, gpus, utilisation)


def _run(
    study: Study,
    folder: RunFolder,
    *,
    workers: int,
    cache: str | os.PathLike[str],
    ray: str | None,
    runner: str,
    again: bool,
    watcher: Watcher | None,
    per_trial: tuple[float, float],
) -> StudyOutcome:
    from ld50.lab.checks import check_room, check_study

    check_study(study)
    planned = plan_study(study, this_machine(workers))
    if ray is None:
        check_room(planned, folder.path)
    corpus = CorpusPaths(
        sources=study.data,
        second_language=study.second_language,
        cache=str(Path(cache).absolute()),
    )
    data = _fingerprint(corpus, runner)
    folder.begin(
        study,
        RunRecord(study=study.fingerprint(), data=data, sources=study.data, runner=runner),
    )
    agenda = Agenda(study, folder.attempts(), again=again)
    if not agenda.finished:
        with_all = watcher or Silent()
        run_trials(
            agenda, folder=folder, pool=_pool(study, folder, workers, ray, per_trial), runner=runner,
            corpus=corpus, measure=study.measure, watcher=with_all,
        )  # fmt: skip
    return report(folder.path)


def _runner_of(study: Study) -> str:
    return TRAINING_RUNNER if study.kind is None else study.kind.runner


def _fingerprint(corpus: CorpusPaths, runner: str) -> str:
    """Digest of the clean text; packages and paths that are missing are found out here."""
    if runner not in (TRAINING_RUNNER, *(kind.runner for kind in KINDS.values())):
        return "unknown"
    from ld50.models.extras import require_lab

    require_lab()
    if runner == KINDS["tuning"].runner:
        from ld50.lab.tuning_data import rows_fingerprint

        return rows_fingerprint(corpus.sources, Path(corpus.cache))
    if runner == TRAINING_RUNNER:
        return corpus.text().fingerprint()
    if runner == KINDS["safety"].runner:
        from ld50.lab.task_rows import tasks_fingerprint

        return tasks_fingerprint(Path(corpus.cache))
    return "drawn"  # from nothing but the study's own words


def _pool(
    study: Study, folder: RunFolder, workers: int, ray: str | None, per_trial: tuple[float, float]
) -> JobPool:
    if ray is None:
        from ld50.executors.processes import ProcessPool

        gpus = _gpus_for(study)
        count = workers or gpus or this_machine().count
        return ProcessPool(TARGET, workers=count, logs=folder.logs, gpus=gpus)
    from ld50.executors.ray_tasks import RayPool

    return RayPool(
        TARGET, jobs=workers or 64, cpus=per_trial[0], gpus=per_trial[1],
        address=None if ray == "local" else ray,
    )  # fmt: skip


def _gpus_for(study: Study) -> int:
    """GPUs to deal workers to: none where a model is so small that it trains on a core."""
    trials = study.fixed_trials()
    cells = [trial.cell for trial in trials] + [arm.cell for arm in study.arms()]
    if study.measure.device is not None or any(c.parameters < GPU_PARAMETERS for c in cells):
        return 0
    return available_gpus()


class Silent:
    """A watcher that says nothing."""

    def __getattr__(self, name: str) -> Any:
        return lambda *_, **__: None
