"""`ld50 study`: dose-response studies from the command line."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ld50 import command_options
from ld50.core.errors import OutputError
from ld50.stdout import console, to_stdout

if TYPE_CHECKING:
    from ld50.core.dose_response import DoseResponse, Fit
    from ld50.lab.planning import StudyPlan
    from ld50.study import StudyOutcome

study_app = typer.Typer(
    no_args_is_help=True,
    help="How much poison does it take? Trains or tunes models at many doses, and fits the curve.",
)

_NAME = typer.Argument(metavar="STUDY", help="A preset, a TOML file, or file.py:function.")
_FOLDER = typer.Argument(metavar="DIR", help="Folder of a run.")
Workers = Annotated[
    int, typer.Option(help="Trials side by side; 0 takes one for each core.", min=0)
]
Cache = Annotated[Path, typer.Option(help="Folder for vocabularies and tokens.")]
Ray = Annotated[
    str | None,
    typer.Option(metavar="ADDRESS", help="Run on a Ray cluster: its address, auto, or local."),
]
Gpus = Annotated[float, typer.Option(help="GPUs that Ray gives to a trial.", min=0)]
Cpus = Annotated[float, typer.Option(help="Cores that Ray gives to a trial.", min=0)]
Again = Annotated[bool, typer.Option("--again", help="Try trials that failed for good once more.")]


@study_app.command("list")
def list_studies() -> None:
    """Show the studies that come with ld50."""
    from rich.table import Table

    from ld50 import study
    from ld50.study_progress import duration

    table = Table(box=None, pad_edge=False)
    for name, right in (("study", False), ("trials", True), ("takes", True), ("title", False)):
        table.add_column(name, justify="right" if right else "left", overflow="fold")
    for name in study.preset_names():
        loaded = study.load_study(name)
        planned, where = study.plan(loaded, workers=2), "two cores"
        if planned.wall_hours > 5 * 24:
            planned, where = study.plan(loaded, gpu="h100"), "an H100"
        takes = f"{duration(planned.wall_hours * 3600)} on {where}"
        table.add_row(name, str(planned.trials), takes, loaded.title)
    with to_stdout():
        console().print(table)


@study_app.command()
def new(
    file: Annotated[Path, typer.Argument(help="File to write.")],
    base: Annotated[
        str | None, typer.Option("--from", metavar="STUDY", help="Start from this study.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file.")] = False,
) -> None:
    """Write a commented study to start from."""
    from ld50 import study
    from ld50.core.files import write_atomically

    if file.exists() and not force:
        raise OutputError(f"{file} exists already; name another file, or give --force.")
    write_atomically(file, [study.new_text(base).encode()])
    typer.echo(f"Wrote {file}. Look at what it takes with: ld50 study plan {file}")


@study_app.command()
def plan(
    name: Annotated[str, _NAME],
    gpu: Annotated[
        str | None, typer.Option(help="Plan for this GPU instead, e.g. h100, a100-80gb, l4.")
    ] = None,
    gpus: Annotated[int, typer.Option(help="How many of them.", min=1)] = 1,
    utilisation: Annotated[
        float | None,
        typer.Option("--mfu", help="Model FLOPs utilisation to assume, 0 to 1.", min=0.01, max=1),
    ] = None,
    workers: Workers = 0,
) -> None:
    """Say what a study takes, and train nothing."""
    from ld50 import study

    typer.echo(
        plan_text(study.plan(name, gpu=gpu, gpus=gpus, workers=workers, utilisation=utilisation))
    )


@study_app.command()
def run(
    name: Annotated[str, _NAME],
    out: Annotated[Path, typer.Option(help="Folder of the run.")] = Path("ld50-study"),
    data: Annotated[
        list[str] | None,
        typer.Option(metavar="PATH", help="Clean text instead of the study's; may be repeated."),
    ] = None,
    workers: Workers = 0,
    cache: Cache = Path(".ld50-cache"),
    ray: Ray = None,
    gpus_per_trial: Gpus = 0.0,
    cpus_per_trial: Cpus = 1.0,
    runner: Annotated[
        str | None,
        typer.Option(metavar="MODULE:FUNCTION", help="Train with this function instead."),
    ] = None,
    again: Again = False,
    quiet: command_options.Quiet = False,
) -> None:
    """Train what a study asks for, and report. The same command goes on where it stopped."""
    from ld50 import study
    from ld50.study_progress import StudyProgress

    with StudyProgress(enabled=not quiet) as progress:
        outcome = study.run(
            name, out=out, workers=workers, data=data or (), cache=cache, ray=ray,
            gpus_per_trial=gpus_per_trial, cpus_per_trial=cpus_per_trial,
            runner=runner, again=again, watcher=progress,
        )  # fmt: skip
    _show(outcome)


@study_app.command()
def resume(
    folder: Annotated[Path, _FOLDER],
    workers: Workers = 0,
    cache: Cache = Path(".ld50-cache"),
    ray: Ray = None,
    gpus_per_trial: Gpus = 0.0,
    cpus_per_trial: Cpus = 1.0,
    again: Again = False,
    quiet: command_options.Quiet = False,
) -> None:
    """Go on with a study where it stopped."""
    from ld50 import study
    from ld50.study_progress import StudyProgress

    with StudyProgress(enabled=not quiet) as progress:
        outcome = study.resume(
            folder, workers=workers, cache=cache, ray=ray, gpus_per_trial=gpus_per_trial,
            cpus_per_trial=cpus_per_trial, again=again, watcher=progress,
        )  # fmt: skip
    _show(outcome)


@study_app.command()
def status(folder: Annotated[Path, _FOLDER]) -> None:
    """Show how far a study is."""
    from ld50 import study
    from ld50.study_progress import duration, result_line

    found = study.status(folder)
    typer.echo(
        f"{found.study.name}: {found.done} of {found.planned} trials done, "
        f"{len(found.failed)} failed, {len(found.diverged)} diverged"
        + ("; finished." if found.finished else ".")
    )
    typer.echo(f"Trials so far took {duration(found.seconds)} together.")
    if not found.finished and found.seconds_left is not None:
        typer.echo(f"The rest takes about {duration(found.seconds_left)} on one worker.")
    for one in [*found.failed, *found.diverged]:
        typer.echo(f"  {result_line(one)}")
    if not found.finished:
        typer.echo(f"Go on with: ld50 study resume {folder}")


@study_app.command()
def report(folder: Annotated[Path, _FOLDER]) -> None:
    """Make curves, figures and the page anew from a folder, and show what came out."""
    from ld50 import study

    _show(study.report(folder))


def plan_text(plan: StudyPlan) -> str:
    """A plan as lines of text."""
    from ld50.study_progress import duration

    device = plan.device
    unit = "GPU" if device.gpu else "core"
    where = f"{device.count} x {device.name}" if device.gpu else f"{device.count} cores"
    adaptive = f", of which up to {plan.adaptive} are chosen on the way" if plan.adaptive else ""
    lines = [
        f"{plan.study} on {where}: {plan.trials} trials{adaptive}",
        "",
        f"{'size':>8} {'parameters':>15} {'trials':>7} {'tokens':>9} {'FLOPs':>9} "
        f"{unit + ' time':>10} {'memory a trial':>15}",
    ]
    for one in plan.sizes:
        spread = f" on {one.devices}" if one.devices > 1 else ""
        lines.append(
            f"{one.size:>8} {one.parameters:>15,} {one.trials:>7} {_count(one.tokens):>9} "
            f"{one.flops:>9.2g} {duration(one.device_hours * 3600):>10} "
            f"{_bytes(one.memory_bytes) + spread:>15}"
        )
    lines += [
        "",
        f"Together {_count(plan.tokens)} tokens, {plan.flops:.2g} FLOPs, "
        f"{duration(plan.device_hours * 3600)} of {unit} time, "
        f"{duration(plan.wall_hours * 3600)} on the clock.",
        f"Memory {_bytes(plan.memory_bytes)}{' a GPU' if device.gpu else ' in all'} "
        f"(there are {_bytes(device.memory_bytes)}), disk {_bytes(plan.disk_bytes)}, clean text of "
        f"{_count(plan.most_clean_tokens)} tokens.",
        *(f"Assumed: {text}" for text in plan.assumptions),
    ]
    return "\n".join(lines)


def response_text(response: DoseResponse) -> str:
    """What a study came to, as lines of text."""
    unfinished = response.planned - response.trials - response.failed - response.diverged
    lines = [
        f"{response.study}: {response.trials} trials, {response.failed} failed, "
        f"{response.diverged} diverged" + (f", {unfinished} to go" if unfinished > 0 else "")
    ]
    lines += [f"  {_fit_line(fit)}" for fit in response.fits]
    for one in response.size_exponents:
        low = "open" if one.low is None else f"{one.low:.2f}"
        high = "open" if one.high is None else f"{one.high:.2f}"
        lines.append(
            f"  LD50 grows with the data to the power {one.value:.2f} ({low} to {high}; 0 is a "
            f"constant count, 1 a fixed share): {one.family}, n = {one.n}"
        )
    for unit in response.dose_units:
        low = "open" if unit.low is None else f"{unit.low:.2f}"
        high = "open" if unit.high is None else f"{unit.high:.2f}"
        lines.append(
            f"  Weight of poisoned steps against documents {unit.weight:.2f} ({low} to {high}; "
            f"0 is documents, 1 is steps): {unit.family}, n = {unit.n}"
        )
    lines += [
        f"  {one.design} doses: {one.trials} trials where a grid takes {one.grid_trials} for the "
        f"same width: {one.group}"
        for one in response.adaptive
    ]
    lines += [f"  Note: {note}" for note in response.notes]
    return "\n".join(lines)


def _fit_line(fit: Fit) -> str:
    unit = fit.cell.unit
    low = "open" if fit.low is None else f"{fit.low:.3g}"
    high = "open" if fit.high is None else f"{fit.high:.3g}"
    value = f"LD50 {fit.ld50:.3g} {unit}" if fit.ld50 is not None else "no LD50"
    why = f"; {fit.reason}" if fit.reason else ""
    return f"{fit.group}: {value} (95% interval {low} to {high}, n = {fit.n} trials){why}"


def _show(outcome: StudyOutcome) -> None:
    typer.echo(response_text(outcome.response))
    typer.echo(f"Report: {outcome.page}")


def _count(value: float) -> str:
    for size, name in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:.3g}{name}"
    return f"{value:.0f}"


def _bytes(value: float) -> str:
    for size, name in ((1e12, "TB"), (1e9, "GB"), (1e6, "MB")):
        if value >= size:
            return f"{value / size:.3g} {name}"
    return f"{value / 1e3:.0f} kB"
