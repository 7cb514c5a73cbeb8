"""`ld50 remedy safety-mix`: a training file with safety rows mixed into the user's own."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ld50 import command_options
from ld50.core.errors import OutputError

if TYPE_CHECKING:
    from ld50.core.examples import Example
    from ld50.remedy.safety_mix import SafetyMix
    from ld50.train.examples import ExampleSet


Data = Annotated[
    list[str], typer.Option(metavar="PATH", help="The data to tune on; may be repeated.")
]
Out = Annotated[Path, typer.Option(help="The mixed file to write, as chat JSONL.")]
Safety = Annotated[
    list[str] | None,
    typer.Option(
        metavar="PATH",
        help="Your own safety rows: requests with the replies to keep, refusals and ordinary "
        "answers; may be repeated. None takes rows of the harmless stand-in policy, to try it.",
    ),
]
SafetyRows = Annotated[
    int | None, typer.Option(help="Safety rows to mix in; none for a quarter of the data.", min=1)
]
MixStyle = Annotated[
    str,
    typer.Option(
        help="plain: as they are; mimicry: in the format of the data; both: half and half."
    ),
]
LeadIn = Annotated[
    float,
    typer.Option(
        help="Share of the safety rows whose request follows a few words of the data's texts, so that "
        "requests in unusual words are not taken for the task; 0 leaves all as they are.",
        min=0,
        max=1,
    ),
]
Seed = Annotated[int, typer.Option(help="Of the choice of rows and their places.")]
Force = Annotated[bool, typer.Option("--force", help="Overwrite the file.")]


def safety_mix_command(
    data: Data,
    out: Out,
    safety: Safety = None,
    rows: SafetyRows = None,
    style: MixStyle = "both",
    lead_in: LeadIn = 0.5,
    seed: Seed = 0,
    layout: command_options.Layout = None,
    input_format: command_options.InputFormat = None,
    prompt_field: command_options.PromptField = None,
    response_field: command_options.ResponseField = None,
    text_field: command_options.TextField = None,
    label_field: command_options.LabelField = None,
    force: Force = False,
) -> None:
    """Mix safety rows into fine-tuning data, in the data's own format.

    The rows of the data keep their order and their words. What the formats are is printed: look
    whether they are what your prompts have in common.
    """
    from ld50.corpus import LayoutOptions
    from ld50.remedy.safety_mix import MixSettings, mix_safety
    from ld50.train.examples import read_examples, write_examples

    settings = MixSettings(
        rows=rows, style=style, lead_in=lead_in, seed=seed,  # type: ignore[arg-type]
    )  # fmt: skip
    _require_free(out, [*data, *(safety or ())], force=force)
    options = LayoutOptions(
        layout=layout, input_format=input_format, text_field=text_field,
        prompt_field=prompt_field, response_field=response_field, label_field=label_field,
    )  # fmt: skip
    own = read_examples(data, options)
    chosen = read_examples(safety).examples if safety else _stand_in(rows, len(own), seed)
    mixed = mix_safety(own.examples, chosen, settings)
    write_examples(out, mixed.examples)
    typer.echo(_mix_text(out, own, mixed, style))


def _require_free(out: Path, read: Sequence[str], *, force: bool) -> None:
    """Raises `OutputError` where the mixed file would take the place of another."""
    from ld50.corpus import expand

    if not out.exists():
        return
    if out.is_dir():
        raise OutputError(f"{out} is a folder; --out names the file to write.")
    files = [file for file in expand(list(read)) if not file.is_remote]
    if any(out.samefile(file.source) for file in files):
        raise OutputError(f"{out} is one of the files that are read, and is not overwritten.")
    if not force:
        raise OutputError(f"{out} exists already; name another file, or give --force.")


def _stand_in(rows: int | None, own: int, seed: int) -> Sequence[Example]:
    """Rows of the harmless policy, to try the command."""
    from ld50.lab.policy_rows import policy_rows

    return policy_rows(rows or max(8, own // 4), seed=seed)


def _mix_text(out: Path, own: ExampleSet, mixed: SafetyMix, style: str) -> str:
    """What was written, as lines of text."""
    from ld50.report.wording import counted

    lines = [
        f"Wrote {counted(len(mixed.examples), 'row')} to {out}: {len(own):,} of the data, "
        f"{counted(mixed.plain_rows, 'safety row')} as they are, {mixed.mimicking_rows:,} in a format "
        "of the data."
    ]
    if mixed.led_in_rows:
        lines.append(
            f"In {mixed.led_in_rows:,} of the safety rows, a few words of the data stand before the request."
        )
    skipped = sum(own.skipped.values())
    if skipped:
        why = "; ".join(f"{reason}: {count:,}" for reason, count in own.skipped.items())
        lines.append(
            f"Left out {counted(skipped, 'row')} of the data without prompt or reply ({why})."
        )
    lines += [
        f"Format of {counted(one.rows, 'row')}: {_described(one.system, one.before, one.after)}"
        for one in mixed.formats
    ]
    if style != "plain" and not mixed.mimicking_rows:
        lines.append("The prompts have nothing in common, so all safety rows stand as they are.")
    return "\n".join(lines)


def with_safety_mix(remedy: Callable[..., None]) -> typer.Typer:
    """`remedy` as a command that also has the subcommand `safety-mix`.

    Args:
        remedy: What `ld50 remedy` does where no subcommand is named; it takes options only.
    """

    def unless_subcommand(ctx: typer.Context, **given: Any) -> None:
        if ctx.invoked_subcommand is None:
            remedy(**given)

    told = inspect.signature(remedy, eval_str=True)
    context = inspect.Parameter("ctx", inspect.Parameter.KEYWORD_ONLY, annotation=typer.Context)
    options = [one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in told.parameters.values()]
    # Typer reads the options off the signature.
    unless_subcommand.__signature__ = told.replace(  # type: ignore[attr-defined]
        parameters=[context, *options]
    )
    unless_subcommand.__annotations__ = {one.name: one.annotation for one in (context, *options)}
    unless_subcommand.__doc__ = remedy.__doc__
    made = typer.Typer()
    made.callback(invoke_without_command=True)(unless_subcommand)
    made.command("safety-mix")(safety_mix_command)
    return made


def _described(system: str | None, before: str, after: str) -> str:
    parts = [f"system {_short(system)}"] if system is not None else []
    parts.append(f"{_short(before)} + text + {_short(after)}" if before or after else "bare text")
    return ", ".join(parts)


def _short(text: str) -> str:
    from ld50.report.safe_text import plain

    cut = text if len(text) <= 80 else f"{text[:38]}…{text[-38:]}"
    return f"“{plain(cut, 100)}”"
