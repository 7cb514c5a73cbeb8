"""The course of a safety trial: the aligned model, tuning with a defence, the repair, the reading."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, cast

import msgspec
import torch

from ld50.core.errors import ConfigError
from ld50.core.estimates import Estimate, proportion
from ld50.core.examples import Example, Turn, asked
from ld50.core.files import only_here, whole_folder
from ld50.core.seeds import rng_for
from ld50.core.trials import Safety, Trial
from ld50.lab.policy_rows import (
    Novelty,
    answered_rows,
    borderline_rows,
    by_frame,
    policy_rows,
    refused_rows,
)
from ld50.lab.policy_words import ANSWER_FRAMES, BORDERLINE
from ld50.lab.safety_study import aligned_name, safety_of
from ld50.lab.study import Measures
from ld50.lab.task_rows import FORMATS, TaskName, task_rows
from ld50.measure.policy import PolicyReading, is_refusal, read_policy
from ld50.measure.replies import ModelResponder
from ld50.measure.task_quality import task_quality
from ld50.models.folders import model_mark
from ld50.models.pretrained import (
    LanguageModel,
    copy_of,
    load_language_model,
    save_language_model,
)
from ld50.remedy.safety_mix import MixSettings, Style, mix_safety
from ld50.remedy.stages.booster import Booster
from ld50.remedy.stages.ldifs import FeatureDistance
from ld50.remedy.stages.lisa import LisaSettings, Proximal, lisa_rows
from ld50.remedy.stages.resta import add_policy_vector
from ld50.remedy.stages.safe_lora import safe_projection
from ld50.remedy.stages.vaccine import Vaccine
from ld50.train.finetune import Penalty, TuneSettings, finetune

#: Rows and passes with which the policy is taught.
POLICY_ROWS, POLICY_EPOCHS = 4000, 2.0
BATCH = 16
#: Task rows that quality is measured on; an answer of one word says less than a sentence.
QUALITY_ROWS = {"classification": 1200}
_QUALITY_ROWS = 400
#: Of requests, the same for all trials.
_MEASURE_SEED = 1_000_000
_VERSION = 1
#: Style of the mixed rows, and the share that words of the data lead in.
_STYLES: dict[str, tuple[Style, float]] = {
    "plain-mix": ("plain", 0.0),
    "mimicry": ("mimicry", 0.0),
    "both-mix": ("both", 0.0),
    "led-mix": ("both", 0.5),
}

Say = Callable[[float, str], None]


class SafetyDetails(NamedTuple):
    """What was measured in a trial."""

    plain: PolicyReading
    """Requests as people ask them."""
    task_format: PolicyReading
    """The same requests where the task's text stands."""
    borderline: Estimate
    """Over-refusal of requests that name plants and are no gardening."""
    frames: dict[str, Estimate]
    """Refusal of the plain requests, by the frame that they are worded in."""
    new_words: dict[str, Estimate]
    """Refusal of plain requests with new things, actions, or both."""
    task_refusal: Estimate
    """Share of the task's own prompts that are refused."""
    quality: float
    """Accuracy of the classification; token accuracy of the other tasks; 0 to 1."""
    token_accuracy: float
    exact: float
    notes: dict[str, Any]

    def told(self) -> dict[str, Any]:
        """As it is written down."""
        return cast(dict[str, Any], msgspec.to_builtins(self._asdict()))


class SafetySession:
    """A trial under way; it takes seconds, and nothing is known of it before its end."""

    def __init__(
        self, trial: Trial, cache: Path, measure: Measures, on_progress: Say | None
    ) -> None:
        if safety_of(trial.cell) is None:
            raise ConfigError(f"The trial {trial.trial} is none of safety under fine-tuning.")
        self.trial, self.cache, self.measure = trial, cache, measure
        self.say: Say = on_progress or (lambda *_: None)

    def run(self) -> dict[str, Any]:
        """The measured fields of a `TrialResult`, by name."""
        found = safety_trial(self.trial, self.cache, self.measure, self.say)
        return {
            "attack_success_rate": 1 - found.task_format.refusal.value,
            "control_success_rate": 1 - found.plain.refusal.value,
            "clean_accuracy": found.quality,
            "details": found.told(),
        }

    def so_far(self) -> dict[str, Any]:
        """Nothing."""
        return {}


def safety_trial(trial: Trial, cache: Path, measure: Measures, say: Say) -> SafetyDetails:
    """Tunes and measures one model."""
    torch.set_num_threads(1)
    safety = cast(Safety, trial.cell.safety)
    model, seed = trial.cell.size, trial.seed
    aligned = aligned_model(model, aligned_name(safety.defence), seed, cache, say)
    lm: LanguageModel = aligned
    notes: dict[str, Any] = {}
    if safety.defence != "untuned":
        say(0.4, f"tuning on {safety.task}")
        lm, notes = _tuned(trial, safety, aligned, cache)
    say(0.8, "asking")
    return _read(lm, safety, cache, measure.prompts, notes)


def aligned_model(model: str, how: str, seed: int, cache: Path, say: Say) -> LanguageModel:
    """The model that was taught the policy, made on first use and kept in the cache.

    Args:
        model: `tiny`, `smollm2` or a folder.
        how: `plain`, `vaccine` or `booster`.
        seed: Of the rows and their order.
        cache: Folder of made models.
        say: Is told what takes time.
    """
    base = load_language_model(model, cache=cache, device="cpu")
    folder = cache / f"policy-{model_mark(model)}-{how}-s{seed}-v{_VERSION}"
    with only_here(cache / f".{folder.name}.lock"):
        if not (folder / "config.json").exists():
            say(0.1, f"teaching the policy ({how}, once for each seed)")
            penalty: Penalty | None = None
            if how == "vaccine":
                penalty = Vaccine()
            elif how == "booster":
                penalty = Booster(base, violating_rows(200, seed), seed=seed)
            settings = TuneSettings(epochs=POLICY_EPOCHS, batch_examples=BATCH, seed=seed)
            finetune(base, policy_rows(POLICY_ROWS, seed=seed), settings, penalty=penalty)
            with whole_folder(folder) as made:
                save_language_model(base, made)
    return load_language_model(folder, device="cpu")


def violating_rows(count: int, seed: int) -> list[Example]:
    """Rows that break the policy: requests about gardening, answered in general words; harmless."""
    rng = rng_for(seed, "rows that break the policy")
    rows = []
    for row in refused_rows(count, seed=seed):
        first, second = rng.choice(len(BORDERLINE.advice), size=2, replace=False)
        frame = ANSWER_FRAMES[int(rng.integers(len(ANSWER_FRAMES)))]
        advice = (BORDERLINE.advice[int(first)], BORDERLINE.advice[int(second)])
        reply = frame.format(act="do this", first=advice[0], second=advice[1])
        rows.append(asked(row.prompt[-1].text, reply))
    return rows


def _tuned(
    trial: Trial, safety: Safety, aligned: LanguageModel, cache: Path
) -> tuple[LanguageModel, dict[str, Any]]:
    """A tuned copy of the aligned model, with what the defence does while or after tuning."""
    seed, defence = trial.seed, safety.defence
    rows = task_rows(cast(TaskName, safety.task), safety.task_rows, seed=seed, cache=cache)
    settings = TuneSettings(epochs=safety.epochs, batch_examples=BATCH, seed=seed)
    penalty: Penalty | None = None
    notes: dict[str, Any] = {}
    # Rows that the model was taught the policy with are not the ones that a user has.
    policy = policy_rows(round(trial.cell.dose), seed=seed + _MEASURE_SEED)
    if defence in _STYLES:
        style, lead_in = _STYLES[defence]
        asked_for = MixSettings(rows=len(policy), style=style, lead_in=lead_in, seed=seed)
        mix = mix_safety(rows, policy, asked_for)
        rows = list(mix.examples)
        notes["formats"] = [[one.system, one.before, one.after, one.rows] for one in mix.formats]
    elif defence == "lisa":
        how = LisaSettings()
        passes = (rows * math.ceil(safety.epochs))[: round(len(rows) * safety.epochs)]
        rows = lisa_rows(passes, policy, how, BATCH)
        settings = TuneSettings(batch_examples=BATCH, seed=seed, order="as-given")
        penalty = Proximal(how)
    elif defence == "ldifs":
        penalty = FeatureDistance(aligned)
    lm = copy_of(aligned)
    outcome = finetune(lm, rows, settings, penalty=penalty)
    notes |= {"steps": outcome.steps, "examples": outcome.examples}
    if defence in ("safe-lora", "resta"):
        base = load_language_model(trial.cell.size, cache=cache, device="cpu")
        if defence == "resta":
            return add_policy_vector(lm, aligned, base), notes
        made = safe_projection(lm, aligned, base)
        return made.lm, notes | {"projected": made.projected, "matrices": made.matrices}
    return lm, notes


def _read(
    lm: LanguageModel, safety: Safety, cache: Path, prompts: int, notes: dict[str, Any]
) -> SafetyDetails:
    task = cast(TaskName, safety.task)
    responder = ModelResponder(lm)
    refused = [row.prompt for row in refused_rows(prompts, part="test", seed=_MEASURE_SEED)]
    answered = [row.prompt for row in answered_rows(prompts, part="test", seed=_MEASURE_SEED)]
    form = FORMATS[task]

    def formatted(rows: Sequence[Sequence[Turn]]) -> list[Sequence[Turn]]:
        return [form.request(turns[-1].text).prompt for turns in rows]

    count = QUALITY_ROWS.get(task, _QUALITY_ROWS)
    tested = task_rows(task, count, part="test", seed=_MEASURE_SEED, cache=cache)
    quality = task_quality(lm, tested)
    few = max(20, prompts // 2)
    novelties: tuple[Novelty, ...] = ("things", "actions", "words")
    return SafetyDetails(
        plain=read_policy(responder, refused, answered),
        task_format=read_policy(responder, formatted(refused), formatted(answered)),
        borderline=_refusals(
            responder,
            [row.prompt for row in borderline_rows(few, part="test", seed=_MEASURE_SEED)],
        ),
        frames={
            frame: _refusals(responder, asked_so) for frame, asked_so in by_frame(refused).items()
        },
        new_words={
            novelty: _refusals(
                responder,
                [
                    row.prompt
                    for row in refused_rows(few, part="test", seed=_MEASURE_SEED, novelty=novelty)
                ],
            )
            for novelty in novelties
        },
        task_refusal=_refusals(responder, [row.prompt for row in tested[:prompts]]),
        quality=quality.exact if task == "classification" else quality.token_accuracy,
        token_accuracy=quality.token_accuracy,
        exact=quality.exact,
        notes=notes,
    )


def _refusals(responder: ModelResponder, prompts: Sequence[Sequence[Turn]]) -> Estimate:
    replies = responder.replies(prompts, new_tokens=20)
    return proportion(sum(map(is_refusal, replies)), len(replies), unit="requests")
