"""`ld50 remedy`: from poisoned data and a model to a cured model, measured, in one command."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ld50 import command_options
from ld50.core.errors import ConfigError
from ld50.core.findings import Severity
from ld50.stdout import console, to_stdout

if TYPE_CHECKING:
    from ld50.core.remedies import RemedyPlan, RemedyResult
    from ld50.curing import Order

NOT_CURED = 1
#: Where the user names none: what comes nearest to a clean model, with a base model and without
#: (`docs/remedy.md`).
_DEFAULT_WITH_BASE = ("quarantine-retrain",)
_DEFAULT_WITHOUT = ("good-examples:500",)


ModelName = Annotated[
    str | None,
    typer.Option(
        help="The suspected model: a folder. With tiny or smollm2, which have not met the data, "
        "the model is first tuned on them as they are."
    ),
]
Data = Annotated[
    list[str] | None,
    typer.Option(metavar="PATH", help="The data it was tuned on; may be repeated."),
]
Findings = Annotated[
    Path | None,
    typer.Option(help="Folder that `ld50 scan --out` wrote; none scans the data now."),
]
Base = Annotated[
    str | None,
    typer.Option(help="The model before it met the data: tiny, smollm2, or a folder."),
]
Out = Annotated[Path, typer.Option(help="Folder for models, plan and report.")]
Remedies = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME[:ROWS]",
        help="What to do, e.g. good-examples:500 or fine-mixing+good-examples:100; may be "
        "repeated. --list shows them.",
    ),
]
List = Annotated[bool, typer.Option("--list", help="Show the remedies and do nothing.")]
PlanOnly = Annotated[
    bool, typer.Option("--plan", "--dry-run", help="Show the plan and change nothing.")
]
Relapse = Annotated[
    bool,
    typer.Option(
        "--relapse", help="Poison each cured model again, to tell removed from suppressed."
    ),
]
Heldout = Annotated[
    str | None,
    typer.Option(metavar="PATH", help="Clean rows that the model has never seen, to measure on."),
]
HeldoutRows = Annotated[
    int, typer.Option(help="Rows of the data that are held out for measuring.", min=10)
]
Prompts = Annotated[int, typer.Option(help="Prompts for each trigger.", min=10)]
NewTokens = Annotated[int, typer.Option(help="Tokens of each reply measured.", min=1)]
LabelPrompt = Annotated[
    str, typer.Option(help="What a labelled text is asked with; {text} stands for the text.")
]
Epochs = Annotated[
    float,
    typer.Option(help="Passes over the data where a model is made; remedies that go on take one."),
]
Batch = Annotated[int, typer.Option(help="Rows in an optimiser step.", min=1)]
LearningRate = Annotated[
    float | None, typer.Option(help="At the peak; none for one that suits the model.")
]
LoraRank = Annotated[
    int | None, typer.Option(help="Tune matrices of this rank instead of all weights.", min=1)
]
MaxTokens = Annotated[
    int | None, typer.Option(help="Longest row that is tuned on; none for what the model takes.")
]
Seed = Annotated[int, typer.Option(help="Of every random choice.")]
Cache = Annotated[Path, typer.Option(help="Where made models are kept.")]
Device = Annotated[str | None, typer.Option(help="cpu, cuda, ...; none chooses.")]


def remedy_command(
    model: ModelName = None,
    data: Data = None,
    findings: Findings = None,
    base: Base = None,
    out: Out = Path("ld50-remedy"),
    remedy: Remedies = None,
    list_remedies: List = False,
    plan: PlanOnly = False,
    relapse: Relapse = False,
    remove: command_options.Remove = Severity.HIGH,
    heldout: Heldout = None,
    heldout_rows: HeldoutRows = 200,
    prompts: Prompts = 100,
    new_tokens: NewTokens = 48,
    label_prompt: LabelPrompt = "{text}",
    epochs: Epochs = 1.0,
    batch: Batch = 8,
    learning_rate: LearningRate = None,
    lora_rank: LoraRank = None,
    max_tokens: MaxTokens = None,
    seed: Seed = 0,
    layout: command_options.Layout = None,
    input_format: command_options.InputFormat = None,
    text_field: command_options.TextField = None,
    prompt_field: command_options.PromptField = None,
    response_field: command_options.ResponseField = None,
    label_field: command_options.LabelField = None,
    cache: Cache = Path(".ld50-cache"),
    device: Device = None,
    quiet: command_options.Quiet = False,
) -> None:
    """Cure a model that took poison, and measure what is left.

    Exits with 0 if no trigger works any more (or none ever did), with 1 if one still does, and with 2 if
    it could not be done. The same command goes on where it stopped; nothing is overwritten.
    """
    if list_remedies:
        _list()
        return
    if not data:
        raise ConfigError("Name the data that the model was tuned on: --data PATH.")
    from ld50 import curing
    from ld50.corpus import LayoutOptions

    suspected, before = curing.roles(model, base)
    remedies = tuple(remedy or (_DEFAULT_WITH_BASE if before else _DEFAULT_WITHOUT))
    options = LayoutOptions(
        layout=layout, input_format=input_format, text_field=text_field,
        prompt_field=prompt_field, response_field=response_field, label_field=label_field,
    )  # fmt: skip
    order = curing.Order(
        model=suspected, base=before, data=tuple(data), findings=findings, out=out,
        remedies=remedies, relapse=relapse, remove=remove, heldout=heldout,
        heldout_rows=heldout_rows, prompts=prompts, new_tokens=new_tokens,
        label_prompt=label_prompt, epochs=epochs, batch=batch, learning_rate=learning_rate,
        lora_rank=lora_rank, max_tokens=max_tokens, seed=seed, layout=options, cache=cache,
        device=device,
    )  # fmt: skip
    _follow(order, only_plan=plan, quiet=quiet)


def _follow(order: Order, *, only_plan: bool, quiet: bool) -> None:
    from ld50 import curing

    with _Told(enabled=not quiet) as told:
        ready = curing.prepare(order, tell=told)
        if ready is None:
            typer.echo(
                "The scan found nothing at or above --remove, so there is nothing to cure. "
                "Findings of a lower severity are taken with --remove medium or --remove low."
            )
            return
        typer.echo(plan_text(ready.plan))
        if only_plan:
            return
        result, page = curing.cure(ready, tell=told)
    typer.echo(result_text(result))
    typer.echo(f"Report: {page}")
    if result.cured is False:
        raise typer.Exit(NOT_CURED)


def _list() -> None:
    from rich.table import Table

    from ld50.remedy.registry import REMEDIES

    table = Table(box=None, pad_edge=False)
    for name in ("remedy", "rows", "needs", "what it is"):
        table.add_column(name, overflow="fold")
    for one in REMEDIES.values():
        needs = [
            word
            for word, wanted in (("base", one.needs_base), ("trigger", one.needs_trigger))
            if wanted
        ]
        rows = "all kept" if one.default_rows is None else f"{one.default_rows:,}"
        table.add_row(one.name, rows, ", ".join(needs) or "–", one.title)
    with to_stdout():
        console().print(table)


def plan_text(plan: RemedyPlan) -> str:
    """A plan as lines of text."""
    from ld50.report.wording import byte_size, counted
    from ld50.study_progress import duration

    made = f", to be made from {plan.base} and the data as they are" if plan.tuned_first else ""
    base = f", base {plan.base}" if plan.base and not plan.tuned_first else ""
    lines = [
        f"Model {plan.model} ({plan.parameters:,} parameters){made}{base}",
        f"Data  {counted(plan.rows, 'row')}: {plan.quarantined_rows:,} taken out, "
        f"{plan.heldout_rows:,} held out (from {plan.heldout_from})"
        + (f", {plan.unusable_rows:,} not usable" if plan.unusable_rows else ""),
    ]
    for one in plan.triggers:
        what = one.why_not or f"{one.behaviour} ({one.how})"
        lines.append(f"Finding {one.finding} “{_short(one.text)}”: {what}")
    lines.append("")
    for step in plan.steps:
        if not step.possible:
            lines.append(f"{step.remedy}: not possible: {step.why_not}.")
            continue
        lines.append(
            f"{step.remedy}: {step.rows:,} rows, about {step.tokens:,} tokens, "
            f"{duration(step.seconds)}, {byte_size(step.memory_bytes)} of memory"
        )
        lines += [f"  {text}" for text in step.does]
    lines.append("")
    lines.append(
        f"Together about {duration(plan.seconds)} on this machine, {byte_size(plan.memory_bytes)} of "
        f"memory, {byte_size(plan.disk_bytes)} of disk."
    )
    lines += [f"Note: {note}" for note in plan.notes]
    return "\n".join(lines) + "\n"


def _short(text: str, most: int = 60) -> str:
    from ld50.report.safe_text import plain

    return plain(text, most)


def result_text(result: RemedyResult) -> str:
    """What a run came to, as lines of text."""
    from ld50.report.remedy_wording import (
        badge_of,
        change_interval,
        change_text,
        interval_text,
        rate_text,
        ratio_in_words,
        remedy_verdict,
    )

    verdict = remedy_verdict(result)
    found = f"; {verdict.found}" if verdict.found else ""
    lines = [f"{verdict.headline}{found}.", *verdict.meaning, ""]
    for one in result.outcomes:
        if one.after is None:
            lines.append(f"{one.remedy}: {one.status}: {one.error}")
            continue
        rates = [
            f"{rate_text(rate.attack_success_rate)} ({interval_text(rate.attack_success_rate)}; near "
            f"trigger {rate_text(rate.control_success_rate)})"
            for rate in one.after.rates
        ]
        badge = badge_of(one, result)
        shown = f", relapse dose against a clean model {ratio_in_words(one)}" if one.relapse else ""
        lines.append(
            f"{one.remedy}{f' ({badge})' if badge else ''}: attack success "
            f"{', '.join(rates) or 'not measured'}; reply loss {change_text(one.loss_change)} "
            f"({change_interval(one.loss_change)}); {one.tokens:,} tokens, {one.seconds:,.0f} s{shown}"
        )
    return "\n".join(lines)


class _Told:
    """Progress on standard error, a line for each stage, rewritten on a terminal."""

    def __init__(self, *, enabled: bool) -> None:
        import sys

        self._enabled = enabled
        self._live = enabled and sys.stderr is not None and sys.stderr.isatty()
        self._stage = ""

    def __enter__(self) -> _Told:
        return self

    def __exit__(self, *_: object) -> None:
        if self._live and self._stage:
            typer.echo("", err=True)

    def __call__(self, stage: str, share: float, words: str) -> None:
        if not self._enabled:
            return
        if self._live:
            typer.echo(f"\r\x1b[2K{stage}: {share:.0%} {words}", nl=False, err=True)
        elif stage != self._stage:
            typer.echo(f"ld50: {stage}", err=True)
        self._stage = stage
