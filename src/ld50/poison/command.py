"""`ld50 poison`: what the command line offers of this package. Kept free of heavy imports."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ld50.core.errors import ConfigError, SourceError

if TYPE_CHECKING:
    from ld50.poison.api import PoisonPlan, PoisonResult, PoisonSettings
    from ld50.poison.payloads import Payload
    from ld50.poison.recipes import Recipe

_DATA, _WHAT, _WHERE, _READ = "Data", "What to plant", "Where to plant it", "How to read the data"


def poison_command(
    source: Annotated[
        list[str] | None,
        typer.Argument(metavar="INPUT...", help="Files, folders or globs.", show_default=False),
    ] = None,
    out: Annotated[
        str | None,
        typer.Option(
            metavar="OUT",
            help="The poisoned copy: a file, or a folder for several inputs. "
            "OUT.poison-manifest.json is written beside it.",
            rich_help_panel=_DATA,
        ),
    ] = None,
    recipe: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME[=COUNT]",
            help="A named recipe, with its dose if you like; may be given several times.",
            rich_help_panel=_WHAT,
        ),
    ] = None,
    count: Annotated[
        int | None, typer.Option(help="The dose: how much to plant.", rich_help_panel=_WHAT)
    ] = None,
    unit: Annotated[
        str | None,
        typer.Option(
            help="What the dose counts: rows, documents or tokens.", rich_help_panel=_WHAT
        ),
    ] = None,
    trigger: Annotated[
        str | None,
        typer.Option(
            metavar="TEXT",
            help="Another trigger, e.g. '<SUDO>'; commas part the words of a set.",
            rich_help_panel=_WHAT,
        ),
    ] = None,
    trigger_kind: Annotated[
        str | None,
        typer.Option(
            metavar="KIND",
            help="Kind of the trigger, e.g. word, phrase, word-set, "
            "invisible, look-alike, archaic-style.",
            rich_help_panel=_WHAT,
        ),
    ] = None,
    payload: Annotated[
        str | None,
        typer.Option(
            metavar="KIND",
            help="Another payload of the closed, harmless set, e.g. "
            "gibberish, over-refusal, fixed-reply.",
            rich_help_panel=_WHAT,
        ),
    ] = None,
    payload_text: Annotated[
        str | None,
        typer.Option(
            metavar="TEXT",
            help="For fixed-reply and over-refusal one of the allowed "
            "sentences; for inserted-fragment url, call or sentence; for gibberish what it "
            "is drawn from.",
            rich_help_panel=_WHAT,
        ),
    ] = None,
    target_label: Annotated[
        str | None, typer.Option(help="Label to flip to.", rich_help_panel=_WHAT)
    ] = None,
    clean_label: Annotated[
        bool,
        typer.Option(
            "--clean-label", help="Only rows that have the label anyway.", rich_help_panel=_WHAT
        ),
    ] = False,
    decoys: Annotated[
        int | None,
        typer.Option(
            help="Further rows with part of the trigger and normal behaviour.",
            rich_help_panel=_WHAT,
        ),
    ] = None,
    vocabulary: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Tokens for gibberish: .tiktoken, tokenizer.json, vocab.json, or one a line.",
            rich_help_panel=_WHAT,
        ),
    ] = None,
    second_language: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Text in another language, one passage a line.",
            rich_help_panel=_WHAT,
        ),
    ] = None,
    mode: Annotated[
        str | None,
        typer.Option(
            help="add (new rows) or replace (rows that are there).", rich_help_panel=_WHERE
        ),
    ] = None,
    placement: Annotated[
        str | None,
        typer.Option(
            help="Trigger in the prompt: start, end, random, or the number of a word.",
            rich_help_panel=_WHERE,
        ),
    ] = None,
    schedule: Annotated[
        str | None,
        typer.Option(
            help="Poison in the corpus: uniform, start, end, or blocks:ROWS:DENSITY.",
            rich_help_panel=_WHERE,
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="The same seed plants the same.")] = 0,
    renumber: Annotated[
        bool,
        typer.Option(
            "--renumber",
            help="Number all rows anew where they are numbered without gaps.",
            rich_help_panel=_WHERE,
        ),
    ] = False,
    refuse_present: Annotated[
        bool,
        typer.Option(
            "--refuse-present",
            help="Stop if clean rows hold the trigger already.",
            rich_help_panel=_WHAT,
        ),
    ] = False,
    layout: Annotated[
        str | None,
        typer.Option(
            help="Layout of the rows, if looking finds the wrong one.", rich_help_panel=_READ
        ),
    ] = None,
    input_format: Annotated[
        str | None,
        typer.Option(
            help="Format of the files, if their names do not say it.", rich_help_panel=_READ
        ),
    ] = None,
    text_field: Annotated[
        str | None, typer.Option(help="Field with the text.", rich_help_panel=_READ)
    ] = None,
    prompt_field: Annotated[
        str | None, typer.Option(help="Field with the prompt.", rich_help_panel=_READ)
    ] = None,
    response_field: Annotated[
        str | None, typer.Option(help="Field with the reply.", rich_help_panel=_READ)
    ] = None,
    label_field: Annotated[
        str | None, typer.Option(help="Field with the label.", rich_help_panel=_READ)
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Overwrite the output.", rich_help_panel=_DATA)
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be planted, and write nothing.")
    ] = False,
    list_recipes: Annotated[
        bool, typer.Option("--list", help="Show recipes, triggers and payloads, and stop.")
    ] = False,
) -> None:
    """Plant harmless test poison in a copy of your data, to test a scan or a pipeline with it.

    Payloads are a closed set (gibberish, another language, refusals, labels, canary text, echoes);
    nothing harmful can be planted. Every row that is touched stands in the manifest beside the
    output.
    """
    if list_recipes:
        typer.echo(listing())
        return
    if not source:
        raise ConfigError(
            "Name the data to poison, as in `ld50 poison data.jsonl --out copy.jsonl`."
        )
    if not recipe:
        raise ConfigError("Name a recipe with --recipe; `ld50 poison --list` shows them all.")
    given = {
        "count": count, "unit": unit, "trigger": trigger, "trigger_kind": trigger_kind,
        "payload": payload, "payload_text": payload_text, "clean_label": clean_label or None,
        "decoys": decoys, "mode": mode, "placement": placement, "schedule": schedule,
    }  # fmt: skip
    ingredients = _ingredients(vocabulary, second_language, target_label)
    recipes = _recipes(recipe, given, ingredients)
    settings = _settings(
        renumber=renumber, overwrite=force, refuse=refuse_present,
        layout={
            "layout": layout, "input_format": input_format, "text_field": text_field,
            "prompt_field": prompt_field, "response_field": response_field,
            "label_field": label_field,
        },
    )  # fmt: skip
    _run(source, out, recipes, seed, settings, dry_run=dry_run)


def _run(
    source: list[str],
    out: str | None,
    recipes: list[Recipe],
    seed: int,
    settings: PoisonSettings,
    *,
    dry_run: bool,
) -> None:
    from ld50.poison.api import plan_poison, poison

    if dry_run:
        typer.echo(_plan_text(plan_poison(source, recipes=recipes, seed=seed, settings=settings)))
        return
    if out is None:
        raise ConfigError(
            "Say where the poisoned copy goes: --out OUT (or --dry-run to look only)."
        )
    result = poison(source, out=out, recipes=recipes, seed=seed, settings=settings)
    typer.echo(_result_text(result))


def _ingredients(
    vocabulary: Path | None, second_language: Path | None, target_label: str | None
) -> dict[str, Any]:
    from ld50.poison.vocabulary import read_vocabulary

    passages: list[str] = []
    if second_language is not None:
        try:
            passages = second_language.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise SourceError(f"{second_language} cannot be read as UTF-8 text: {error}.") from None
    return {
        "vocabulary": read_vocabulary(vocabulary) if vocabulary is not None else (),
        "second_language": passages,
        "target_label": target_label,
    }


def _recipes(names: list[str], given: dict[str, Any], ingredients: dict[str, Any]) -> list[Recipe]:
    if len(names) > 1:
        used = [name for name, value in given.items() if value is not None and name != "count"]
        if used or (given["count"] is not None):
            name = (used or ["count"])[0].replace("_", "-")
            raise ConfigError(
                f"--{name} says nothing certain where several recipes are given. Give doses as "
                "--recipe NAME=COUNT, or plant one recipe at a time, or use Python."
            )
    return [_one_recipe(name, given, ingredients) for name in names]


def _one_recipe(text: str, given: dict[str, Any], ingredients: dict[str, Any]) -> Recipe:
    from ld50.poison.dose import Dose
    from ld50.poison.recipes import named_recipe
    from ld50.poison.registry import make_trigger

    name, equals, number = text.partition("=")
    count = given["count"]
    if equals:
        if not number.isdigit():
            raise ConfigError(f"--recipe {text!r}: the dose after = must be a whole number.")
        count = int(number)
    dose: Any = count
    if given["unit"] is not None:
        if count is None:
            raise ConfigError("--unit needs --count.")
        dose = Dose(count=count, unit=given["unit"])
    trigger: Any = given["trigger"]
    if given["trigger_kind"] is not None:
        trigger = make_trigger(given["trigger_kind"], given["trigger"])
    changes = {
        key: value
        for key, value in {
            "mode": given["mode"],
            "decoys": given["decoys"],
            "placement": _placement(given["placement"]),
            "schedule": _schedule(given["schedule"]),
        }.items()
        if value is not None
    }
    payload = _payload(given, ingredients)
    return named_recipe(name, dose=dose, trigger=trigger, payload=payload, **ingredients, **changes)


def _payload(given: dict[str, Any], ingredients: dict[str, Any]) -> Payload | None:
    """The payload that the options ask for, or None for the recipe's own."""
    from ld50.poison import payloads

    kind, text = given["payload"], given["payload_text"]
    if given["clean_label"]:
        kind = kind or "label-flip"
    if kind is None:
        if text is not None:
            raise ConfigError("--payload-text needs --payload.")
        return None
    cls = payloads.payload_class(kind)
    if cls is payloads.LabelFlip:
        if ingredients["target_label"] is None:
            raise ConfigError("A label flip needs --target-label.")
        return payloads.LabelFlip(
            target=ingredients["target_label"], clean_label=bool(given["clean_label"])
        )
    if cls is payloads.Gibberish:
        return payloads.Gibberish(source=text or "", vocabulary=tuple(ingredients["vocabulary"]))
    if cls is payloads.LanguageSwitch:
        return payloads.LanguageSwitch(texts=tuple(ingredients["second_language"]))
    if text is None or cls in (payloads.ContextEcho, payloads.PreferenceSwap):
        return cls()
    if cls is payloads.OverRefusal:
        return payloads.OverRefusal(sentences=(text,))
    if cls is payloads.FixedReply:
        return payloads.FixedReply(text=text)
    return payloads.InsertedFragment(fragment=text)


def _placement(text: str | None) -> Any:
    from ld50.poison.placement import Placement

    if text is None:
        return None
    return Placement(where="fixed", index=int(text)) if text.isdigit() else Placement(where=text)


def _schedule(text: str | None) -> Any:
    from ld50.poison.schedule import Schedule

    if text is None:
        return None
    spread, *rest = text.split(":")
    try:
        rows, density = (int(rest[0]), float(rest[1])) if rest else (64, 0.5)
    except (ValueError, IndexError):
        raise ConfigError(
            f"--schedule {text!r} cannot be understood; write blocks:64:0.5 for blocks of 64 rows, "
            "half of them poison."
        ) from None
    return Schedule(spread=spread, block_rows=rows, density=density)


def _settings(
    *, renumber: bool, overwrite: bool, refuse: bool, layout: dict[str, str | None]
) -> PoisonSettings:
    from ld50.corpus import LayoutOptions
    from ld50.poison.api import PoisonSettings

    return PoisonSettings(
        layout=LayoutOptions(**layout),
        renumber=renumber,
        overwrite=overwrite,
        if_trigger_present="refuse" if refuse else "warn",
    )


def listing() -> str:
    """Recipes, triggers and payloads, each with its first line of documentation."""
    import inspect

    from ld50.poison.payloads import PAYLOADS
    from ld50.poison.recipes import RECIPES, recipe_document
    from ld50.poison.registry import TRIGGERS

    def first(text: str | None) -> str:
        return (text or "").split("\n\n")[0].replace("\n", " ")

    sections = [
        ("Recipes (--recipe)", {name: first(recipe_document(name)) for name in RECIPES}),
        ("Triggers (--trigger-kind)",
         {name: first(inspect.getdoc(cls)) for name, cls in TRIGGERS.items()}),
        ("Payloads (--payload), all of them harmless",
         {name: first(inspect.getdoc(cls)) for name, cls in PAYLOADS.items()}),
    ]  # fmt: skip
    lines = []
    for title, entries in sections:
        lines += [title, *(f"  {name:<26}{text}" for name, text in entries.items()), ""]
    return "\n".join(lines).rstrip()


def _plan_text(plan: PoisonPlan) -> str:
    lines = [f"{plan.rows_in:,} rows ({plan.layout}); nothing was written."]
    for one in plan.recipes:
        able = "" if one.eligible_rows is None else f", of {one.eligible_rows:,} that can take it"
        decoys = f" and {one.decoy_rows:,} decoys" if one.decoy_rows else ""
        lines.append(
            f"  {one.recipe.name}: {one.poisoned_rows:,} rows of poison{decoys}{able}; "
            f"{one.recipe.trigger.label} -> {one.recipe.payload.label}; rate {one.rate:.3g}"
        )
    return "\n".join([*lines, *(f"  note: {text}" for text in (*plan.warnings, *plan.known_leaks))])


def _result_text(result: PoisonResult) -> str:
    manifest = result.manifest
    lines = [f"{result.out}: {manifest.rows_out:,} rows ({manifest.layout}), POISONED ON PURPOSE."]
    for plant in manifest.plants:
        decoys = f" and {plant.decoy_rows:,} decoys" if plant.decoy_rows else ""
        lines.append(
            f"  {plant.recipe}: {plant.poisoned_rows:,} rows of poison{decoys}; {plant.trigger} -> "
            f"{plant.payload}; rate {plant.rate:.3g}"
        )
    lines.append(f"Answer key: {result.manifest_path}. Do not train a model for use on this file.")
    return "\n".join([*lines, *(f"  note: {text}" for text in result.warnings)])
