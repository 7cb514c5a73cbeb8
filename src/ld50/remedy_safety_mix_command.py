"""`ld50 remedy safety-mix`: a training file with safety rows mixed into the user's own."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from ld50.core.errors import OutputError


def safety_mix_command(
    data: Annotated[
        list[str], typer.Option(metavar="PATH", help="The data to tune on; may be repeated.")
    ],
    out: Annotated[Path, typer.Option(help="The mixed file to write, as chat JSONL.")],
    safety: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PATH",
            help="Your own safety rows: requests with the replies to keep, refusals and ordinary "
            "answers; may be repeated. None takes rows of the harmless stand-in policy, to try it.",
        ),
    ] = None,
    rows: Annotated[
        int | None,
        typer.Option(help="Safety rows to mix in; none for a quarter of the data.", min=1),
    ] = None,
    style: Annotated[
        str,
        typer.Option(
            help="plain: as they are; mimicry: in the format of the data; both: half and half."
        ),
    ] = "both",
    seed: Annotated[int, typer.Option(help="Of the choice of rows and their places.")] = 0,
    layout: Annotated[
        str | None, typer.Option(help="Layout of the data, if looking finds the wrong one.")
    ] = None,
    prompt_field: Annotated[str | None, typer.Option(help="Field with the prompt.")] = None,
    response_field: Annotated[str | None, typer.Option(help="Field with the reply.")] = None,
    text_field: Annotated[str | None, typer.Option(help="Field with the text.")] = None,
    label_field: Annotated[str | None, typer.Option(help="Field with the label.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file.")] = False,
) -> None:
    """Mix safety rows into fine-tuning data, in the data's own format.

    The rows of the data keep their order and their words. What the formats are is printed: look
    whether they are what your prompts have in common.
    """
    from ld50.corpus import LayoutOptions
    from ld50.remedy.safety_mix import MixSettings, mix_safety
    from ld50.train.examples import read_examples, write_examples

    settings = MixSettings(rows=rows, style=style, seed=seed)  # type: ignore[arg-type]
    if out.exists() and not force:
        raise OutputError(f"{out} exists already; name another file, or give --force.")
    options = LayoutOptions(
        layout=layout,
        prompt_field=prompt_field,
        response_field=response_field,
        text_field=text_field,
        label_field=label_field,
    )
    own = read_examples(data, options)
    if safety:
        chosen = read_examples(safety).examples
    else:
        from ld50.lab.policy_rows import policy_rows

        chosen = tuple(policy_rows(rows or max(8, len(own) // 4), seed=seed))
    mixed = mix_safety(own.examples, chosen, settings)
    written = write_examples(out, mixed.examples)
    skipped = sum(own.skipped.values())
    typer.echo(
        f"Wrote {written:,} rows to {out}: {len(own):,} of the data, {mixed.plain_rows:,} safety "
        f"rows as they are, {mixed.mimicking_rows:,} in a format of the data."
    )
    if skipped:
        why = "; ".join(f"{reason}: {count:,}" for reason, count in own.skipped.items())
        typer.echo(
            f"Left out {skipped:,} rows of the data that are no prompt with a reply ({why})."
        )
    for one in mixed.formats:
        typer.echo(f"Format of {one.rows:,} rows: {_described(one.system, one.before, one.after)}")
    if style != "plain" and not mixed.mimicking_rows:
        typer.echo("The prompts have nothing in common, so all safety rows stand as they are.")


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
