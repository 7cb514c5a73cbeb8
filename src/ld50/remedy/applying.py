"""A treatment applied to copies of the models, part after part; what it took is counted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ld50.core.errors import ConfigError
from ld50.core.examples import Example
from ld50.remedy.protocol import Case, Models, Remedy
from ld50.remedy.registry import Treatment

if TYPE_CHECKING:
    from ld50.models.pretrained import LanguageModel
    from ld50.train.finetune import TuneOutcome, TuneSettings

Progress = Callable[[float, str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """A treated model, and what the treatment took."""

    lm: LanguageModel = field(repr=False)
    rows: int
    tokens: int
    steps: int
    seconds: float
    notes: tuple[str, ...]


def apply_treatment(
    treatment: Treatment,
    models: Models,
    case: Case,
    settings: TuneSettings,
    *,
    folder: Path | None = None,
    on_progress: Progress | None = None,
) -> Applied:
    """The model that a treatment makes; the models that were given stay as they are.

    Args:
        treatment: What is done.
        models: What it may begin with.
        case: Rows and triggers.
        settings: How the suspected model was made; each remedy says how it tunes itself.
        folder: Where the state of a tuning is kept, so that an interrupted one goes on.
        on_progress: Is told the share of the treatment that is done, and where it is in words.

    Raises:
        ConfigError: A part needs a base model or a trigger, and there is none.
    """
    _require(treatment, models, case)
    rows = tokens = steps = 0
    seconds, notes = 0.0, []
    for number, part in enumerate(treatment):
        lm = part.remedy.begin(models)
        notes += part.remedy.repair(lm, models, case)
        examples = part.remedy.examples(case, part.count(case))
        if not examples:
            raise ConfigError(f"{treatment.name}: no row is left to tune on.")
        state = None if folder is None else folder / f"{number}-{part.remedy.name}"
        outcome = _tuned(
            part.remedy, lm, examples, settings, state, _within(on_progress, number, treatment)
        )
        rows, tokens = rows + outcome.examples, tokens + outcome.tokens
        steps, seconds = steps + outcome.steps, seconds + outcome.seconds
        if outcome.truncated:
            notes.append(
                f"{outcome.truncated:,} of {len(examples):,} rows were longer than "
                f"{settings.max_tokens} tokens and lost the front of their prompt."
            )
        models = replace(models, suspected=lm)
    return Applied(
        lm=models.suspected, rows=rows, tokens=tokens, steps=steps, seconds=seconds,
        notes=tuple(notes),
    )  # fmt: skip


def _tuned(
    remedy: Remedy,
    lm: LanguageModel,
    examples: Sequence[Example],
    settings: TuneSettings,
    state: Path | None,
    on_progress: Progress | None,
) -> TuneOutcome:
    from ld50.train.finetune import finetune

    penalty = remedy.penalty(lm)
    outcome = finetune(
        lm,
        examples,
        remedy.tuning(settings, lm.parameters),
        folder=state,
        on_progress=on_progress,
        penalty=penalty,
    )
    if penalty is not None:
        # Matrices that LoRA added are merged after the last step.
        penalty.after_step(lm.model, outcome.steps)
    return outcome


def _require(treatment: Treatment, models: Models, case: Case) -> None:
    why = why_not(treatment, has_base=models.base is not None, case=case)
    if why:
        raise ConfigError(f"{treatment.name}: {why}")


def why_not(treatment: Treatment, *, has_base: bool, case: Case) -> str:
    """What a treatment lacks in this case; empty where it can be applied."""
    if treatment.needs_base and not has_base:
        return "it needs the model before it met the data; name it with --base"
    if treatment.needs_trigger and not case.triggers:
        return (
            "no finding has a cause in words, so there is no trigger to show with a normal reply; "
            "guessed-triggers needs none"
        )
    return ""


def _within(on_progress: Progress | None, number: int, treatment: Treatment) -> Progress | None:
    if on_progress is None:
        return None
    tell, parts = on_progress, len(treatment.parts)
    return lambda share, words: tell((number + share) / parts, words)
