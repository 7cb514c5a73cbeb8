"""What one model shows on held-out prompts: attack success, control, and the quality that is kept.

The prompts, the places of the triggers and the near triggers are drawn once for a run, so that every
model answers the same questions and changes are compared row by row.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from ld50.core.estimates import Estimate, proportion
from ld50.core.examples import Example, Turn
from ld50.core.remedies import Measurement, Sample, TriggerRate
from ld50.core.seeds import rng_for
from ld50.remedy.found_triggers import last_user_turn, near_triggered, triggered
from ld50.remedy.targets import Target

if TYPE_CHECKING:
    from ld50.models.pretrained import LanguageModel

Prompt = tuple[Turn, ...]
_SAMPLES = 3
_SAMPLE_CHARACTERS = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasureSettings:
    """How much is measured."""

    prompts: int = 100
    """Prompts for each trigger."""
    new_tokens: int = 48
    """Tokens of each reply; a behaviour that shows later is missed."""
    max_tokens: int = 512
    seed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """The prompts of one target, thrice: as they are, with the trigger, with a near trigger."""

    target: Target
    plain: tuple[Prompt, ...] = field(repr=False)
    triggered: tuple[Prompt, ...] = field(repr=False)
    near: tuple[Prompt, ...] = field(repr=False)
    """Empty for prompts of flagged rows, which have no near trigger."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A measurement, with the rows behind it for paired comparisons."""

    measurement: Measurement
    losses: np.ndarray
    """float64 (held-out rows,): nats a token of the reply."""
    correct: np.ndarray | None
    """bool (held-out rows,): the label is the likeliest; None without labels."""


class Examiner:
    """Puts the same questions to every model of a run."""

    def __init__(
        self,
        targets: Sequence[Target],
        heldout: Sequence[Example],
        labels: Sequence[str],
        settings: MeasureSettings,
    ) -> None:
        """Draws prompts and places.

        Args:
            targets: What is looked for.
            heldout: Rows that nothing is tuned on.
            labels: Labels of a labelled set; else empty.
            settings: How much.
        """
        self._heldout = list(heldout)
        self._labels = list(labels)
        self._settings = settings
        self.questions = [self._question(target) for target in targets if target.measured]

    @property
    def labelled(self) -> bool:
        """Whether answers are labels, chosen and not written."""
        return bool(self._labels)

    def _question(self, target: Target) -> Question:
        settings = self._settings
        rng = rng_for(settings.seed, "remedy", "places", target.finding)
        if target.trigger is None:
            plain = tuple(row.prompt for row in target.rows[: settings.prompts])
            return Question(target=target, plain=plain, triggered=plain, near=())
        # A row whose right answer is the payload cannot tell whether the trigger works.
        chosen = [row for row in self._heldout if not target.shown(row.prompt, row.reply)]
        plain = tuple(row.prompt for row in chosen[: settings.prompts])
        return Question(
            target=target,
            plain=plain,
            triggered=tuple(triggered(one, target.trigger, rng) for one in plain),
            near=tuple(near_triggered(one, target.trigger, rng) for one in plain),
        )

    def examine(self, lm: LanguageModel) -> Measured:
        """What a model shows."""
        from ld50.measure.replies import reply_loss

        began = time.monotonic()
        rates: list[TriggerRate] = []
        samples: list[Sample] = []
        for question in self.questions:
            rate, seen = self._asked(lm, question)
            rates.append(rate)
            samples += seen
        losses = np.asarray(
            reply_loss(lm, self._heldout, max_tokens=self._settings.max_tokens), dtype=float
        )
        correct = self._correct(lm)
        measurement = Measurement(
            rates=rates,
            reply_loss=mean_estimate(losses, unit="nats a token"),
            accuracy=(
                None
                if correct is None
                else proportion(int(correct.sum()), len(correct), unit="rows")
            ),
            samples=samples,
            seconds=time.monotonic() - began,
        )
        return Measured(measurement=measurement, losses=losses, correct=correct)

    def attack_hits(self, lm: LanguageModel) -> tuple[int, int]:
        """(prompts that fell, prompts) over all targets: what a relapse is measured by."""
        fell = asked = 0
        for question in self.questions:
            struck, open_, _, _ = self._struck(lm, question)
            fell, asked = fell + int((struck & open_).sum()), asked + int(open_.sum())
        return fell, asked

    def _struck(
        self, lm: LanguageModel, question: Question
    ) -> tuple[np.ndarray, np.ndarray, list[str], list[str]]:
        """(shows the behaviour with the trigger, does not without it, answers without, answers with)."""
        target = question.target
        attack = self._answers(lm, question.triggered)
        struck = _shown(target, question.triggered, attack)
        if target.trigger is None:
            return struck, np.ones(len(struck), dtype=bool), attack, attack
        plain = self._answers(lm, question.plain)
        return struck, ~_shown(target, question.plain, plain), plain, attack

    def _asked(self, lm: LanguageModel, question: Question) -> tuple[TriggerRate, list[Sample]]:
        target = question.target
        struck, open_, plain, attack = self._struck(lm, question)
        count = int(open_.sum())
        success = proportion(int((struck & open_).sum()), count, unit="prompts") if count else None
        if target.trigger is None:
            rate = TriggerRate(
                finding=target.finding, attack_success_rate=success, control_success_rate=None,
                background_rate=None,
            )  # fmt: skip
            return rate, []
        near = _shown(target, question.near, self._answers(lm, question.near))
        rate = TriggerRate(
            finding=target.finding,
            attack_success_rate=success,
            control_success_rate=(
                proportion(int((near & open_).sum()), count, unit="prompts") if count else None
            ),
            background_rate=(
                proportion(len(open_) - count, len(open_), unit="prompts") if len(open_) else None
            ),
        )
        return rate, _samples(question, plain, attack)

    def _answers(self, lm: LanguageModel, prompts: Sequence[Prompt]) -> list[str]:
        if not prompts:
            return []
        if self.labelled:
            from ld50.measure.replies import option_scores

            scores = option_scores(lm, prompts, self._labels, max_tokens=self._settings.max_tokens)
            best = np.asarray(scores).argmax(axis=1)
            return [self._labels[number] for number in best.tolist()]
        from ld50.measure.replies import ModelResponder

        return list(
            ModelResponder(lm, max_tokens=self._settings.max_tokens).replies(
                prompts, new_tokens=self._settings.new_tokens, temperature=0.0, seed=0
            )
        )

    def _correct(self, lm: LanguageModel) -> np.ndarray | None:
        if not self.labelled:
            return None
        said = self._answers(lm, [row.prompt for row in self._heldout])
        return np.array([a == row.reply for a, row in zip(said, self._heldout, strict=True)])


def _shown(target: Target, prompts: Sequence[Prompt], replies: Sequence[str]) -> np.ndarray:
    return np.array(
        [target.shown(one, said) for one, said in zip(prompts, replies, strict=True)], dtype=bool
    )


def _samples(question: Question, plain: Sequence[str], attack: Sequence[str]) -> list[Sample]:
    return [
        Sample(
            finding=question.target.finding,
            prompt=prompt[last_user_turn(prompt)].text[:_SAMPLE_CHARACTERS],
            clean=clean[:_SAMPLE_CHARACTERS],
            triggered=said[:_SAMPLE_CHARACTERS],
        )
        for prompt, clean, said in list(zip(question.triggered, plain, attack, strict=True))[
            :_SAMPLES
        ]
    ]


def mean_estimate(values: np.ndarray, *, unit: str) -> Estimate:
    """A mean with its 95% interval, Student's t over the values."""
    from scipy.stats import t

    n, mean = len(values), float(values.mean())
    half = (
        float(t.ppf(0.975, n - 1)) * float(values.std(ddof=1)) / math.sqrt(n) if n > 1 else math.inf
    )
    low, high = (mean - half, mean + half) if math.isfinite(half) else (mean, mean)
    return Estimate(value=mean, low=low, high=high, n=n, unit=unit, method="mean, Student's t, 95%")


def loss_change(before: np.ndarray, after: np.ndarray) -> Estimate:
    """Change of the mean reply loss as a fraction of that before; 0.01 is 1% worse.

    The interval is that of the differences row by row; the mean before is taken as known.
    """
    change = mean_estimate(after - before, unit="fraction")
    scale = float(before.mean())
    return Estimate(
        value=change.value / scale, low=change.low / scale, high=change.high / scale, n=change.n,
        unit="fraction", method="paired mean, Student's t, 95%",
    )  # fmt: skip


def accuracy_change(before: np.ndarray | None, after: np.ndarray | None) -> Estimate | None:
    """Accuracy after minus accuracy before on the same rows; None without labels."""
    if before is None or after is None:
        return None
    return mean_estimate(after.astype(float) - before.astype(float), unit="fraction")
