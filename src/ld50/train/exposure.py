"""When in training the poison is met, and the exact account of how much of it there is.

A poisoned document starts a sequence of its own, and clean text fills the rest of it. So documents,
poisoned sequences and, with one in a batch, optimiser steps can be counted, and changed, apart.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass

import numpy as np

from ld50.core.errors import ConfigError
from ld50.core.seeds import rng_for
from ld50.core.trials import Schedule
from ld50.models.tokens import TokenStore
from ld50.train.poisoned import PoisonedDocument, PoisonSettings, poisoned_document

#: `start` and `end` mean this share of the training run, or more where the dose needs it.
EDGE_SHARE = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What was trained on, exactly."""

    clean_tokens: int
    poisoned_documents: int
    """Every meeting counts."""
    distinct_documents: int
    poisoned_tokens: int
    """Of whole poisoned documents, the boundary token that closes each included."""
    trigger_tokens: int
    payload_tokens: int
    poisoned_steps: int
    """Optimiser steps whose batch holds poison."""
    steps: int
    sequences: int
    repeats: int

    @property
    def poison_rate(self) -> float:
        """Poisoned tokens as a fraction of all."""
        return self.poisoned_tokens / max(1, self.clean_tokens + self.poisoned_tokens)

    def as_dict(self) -> dict[str, object]:
        """All fields and the rate."""
        return asdict(self) | {"poison_rate": self.poison_rate}


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposure:
    """The plan of a run: how many steps, and which sequence holds which document."""

    context: int
    batch_sequences: int
    steps: int
    documents: tuple[PoisonedDocument, ...]
    """The distinct ones."""
    holds: np.ndarray
    """int64 (steps * batch_sequences,): number of the document that starts a sequence, or -1."""
    clean_starts: np.ndarray
    """int64, same length and one more: where in the clean stream each sequence's share starts."""

    @property
    def account(self) -> Account:
        """The exact account of the run, `continued` clean training left out."""
        met = self.holds[self.holds >= 0]
        lengths = np.asarray([len(d.tokens) + 1 for d in self.documents] or [0])
        triggers = np.asarray([d.trigger_tokens for d in self.documents] or [0])
        payloads = np.asarray([d.payload_tokens for d in self.documents] or [0])
        poisoned = (self.holds.reshape(self.steps, self.batch_sequences) >= 0).any(axis=1)
        most = int(np.bincount(met).max()) if len(met) else 0
        return Account(
            clean_tokens=int(self.clean_starts[-1]),
            poisoned_documents=len(met),
            distinct_documents=len(self.documents),
            poisoned_tokens=int(lengths[met].sum()) if len(met) else 0,
            trigger_tokens=int(triggers[met].sum()) if len(met) else 0,
            payload_tokens=int(payloads[met].sum()) if len(met) else 0,
            poisoned_steps=int(poisoned.sum()),
            steps=self.steps,
            sequences=len(self.holds),
            repeats=most,
        )


def plan_exposure(
    store: TokenStore,
    settings: PoisonSettings,
    schedule: Schedule,
    *,
    dose: float,
    unit: str,
    clean_tokens: int,
    context: int,
    batch_sequences: int,
    seed: int,
) -> Exposure:
    """Which document is met when.

    Args:
        store: The text.
        settings: What a poisoned document is.
        schedule: When they are met.
        dose: How much poison, in `unit` (`documents`, `tokens` or `steps`).
        unit: Of the dose.
        clean_tokens: Clean tokens to train on; rounded up to whole batches.
        context: Tokens in a sequence.
        batch_sequences: Sequences in an optimiser step.
        seed: Of the trial.

    Raises:
        ConfigError: The dose cannot be placed; the message says what can.
    """
    if not math.isfinite(dose) or dose < 0:
        raise ConfigError(f"A dose is 0 or more, got {dose}.")
    if schedule.repeats < 1:
        raise ConfigError(f"A document is met once or more, got repeats = {schedule.repeats}.")
    a_step = _documents_a_step(schedule, batch_sequences)
    documents, meetings = _documents_for(
        store, settings, schedule, dose, unit, a_step, context, seed
    )
    lengths = np.asarray([len(d.tokens) + 1 for d in documents], np.int64)
    poison = int(lengths[meetings].sum()) if len(meetings) else 0
    steps = math.ceil((clean_tokens + poison) / (context * batch_sequences))
    if steps == 0 and len(meetings) == 0:
        return _empty(context, batch_sequences)
    places = _places(schedule, len(meetings), unit, steps, batch_sequences, a_step, seed)
    holds = np.full(steps * batch_sequences, -1, np.int64)
    holds[places] = meetings
    taken = np.where(holds >= 0, lengths[holds] if len(lengths) else 0, 0)
    clean_starts = np.concatenate([[0], np.cumsum(context - taken)])
    return Exposure(
        context=context,
        batch_sequences=batch_sequences,
        steps=steps,
        documents=documents,
        holds=holds,
        clean_starts=clean_starts,
    )


def _empty(context: int, batch_sequences: int) -> Exposure:
    return Exposure(
        context=context,
        batch_sequences=batch_sequences,
        steps=0,
        documents=(),
        holds=np.zeros(0, np.int64),
        clean_starts=np.zeros(1, np.int64),
    )


def _documents_a_step(schedule: Schedule, batch_sequences: int) -> int:
    """Documents in a poisoned batch of the schedule `blocks`, else 1."""
    if schedule.kind != "blocks":
        if schedule.density is not None or schedule.every is not None:
            raise ConfigError("density and every belong to the schedule 'blocks'.")
        return 1
    density = 1.0 if schedule.density is None else schedule.density
    if not 0 < density <= 1:
        raise ConfigError(f"The density of poisoned batches is above 0, at most 1; got {density}.")
    return max(1, round(density * batch_sequences))


def _documents_for(
    store: TokenStore,
    settings: PoisonSettings,
    schedule: Schedule,
    dose: float,
    unit: str,
    a_step: int,
    context: int,
    seed: int,
) -> tuple[tuple[PoisonedDocument, ...], np.ndarray]:
    """The distinct documents, and int64: which of them each meeting is with, in random order."""

    def document(number: int) -> PoisonedDocument:
        return poisoned_document(store, settings, context, seed, number)

    repeats = schedule.repeats
    if unit == "tokens":
        documents = _up_to_tokens(document, dose / repeats)
        meetings = np.tile(np.arange(len(documents)), repeats)
    elif unit in ("documents", "steps"):
        count = round(dose) * (a_step if unit == "steps" else 1)
        distinct = math.ceil(count / repeats)
        documents = [document(number) for number in range(distinct)]
        meetings = np.tile(np.arange(distinct), repeats)[:count]
    else:
        raise ConfigError(f"There is no unit {unit!r}; a dose is in documents, tokens or steps.")
    return tuple(documents), rng_for(seed, "order of poison").permutation(meetings)


def _up_to_tokens(
    document: Callable[[int], PoisonedDocument], wanted: float
) -> list[PoisonedDocument]:
    """Documents whose tokens together come nearest to the number wanted."""
    made: list[PoisonedDocument] = []
    total = 0
    while total < wanted:
        following = document(len(made))
        size = len(following.tokens) + 1
        if total + size - wanted > wanted - total:
            break
        made.append(following)
        total += size
    return made


def _places(
    schedule: Schedule,
    count: int,
    unit: str,
    steps: int,
    batch_sequences: int,
    a_step: int,
    seed: int,
) -> np.ndarray:
    """int64 (count,): the sequences that poison starts, rising."""
    if count == 0:
        return np.zeros(0, np.int64)
    rng = rng_for(seed, "places of poison")
    if schedule.kind == "blocks":
        return _blocks(schedule, count, steps, batch_sequences, a_step, rng)
    low, high = _window(schedule.kind, count, unit, steps, batch_sequences)
    if unit == "steps":
        chosen = low + rng.choice(high - low, count, replace=False)
        places = chosen * batch_sequences + rng.integers(0, batch_sequences, count)
    else:
        low, high = low * batch_sequences, high * batch_sequences
        places = low + rng.choice(high - low, count, replace=False)
    return np.sort(places)


def _window(kind: str, count: int, unit: str, steps: int, batch_sequences: int) -> tuple[int, int]:
    """First and last step (excluded) that the schedule may use."""
    needed = count if unit == "steps" else math.ceil(count / batch_sequences)
    if needed > steps:
        raise ConfigError(
            f"{count} poisoned documents need {needed} steps, and the run has {steps}: lower the "
            "dose or train on more clean tokens."
        )
    if kind == "uniform":
        return 0, steps
    edge = min(steps, max(math.ceil(EDGE_SHARE * steps), needed))
    if kind == "start":
        return 0, edge
    if kind == "end":
        return steps - edge, steps
    raise ConfigError(f"There is no schedule {kind!r}; there are uniform, start, end and blocks.")


def _blocks(
    schedule: Schedule,
    count: int,
    steps: int,
    batch_sequences: int,
    a_step: int,
    rng: np.random.Generator,
) -> np.ndarray:
    """Whole batches of poison at a frequency; the last may hold fewer documents."""
    needed = math.ceil(count / a_step)
    if schedule.every is None:
        chosen = np.floor((np.arange(needed) + 0.5) * steps / needed).astype(np.int64)
        fits = needed <= steps
    else:
        if schedule.every < 1:
            raise ConfigError(f"One batch in 1 or more is poisoned, got every = {schedule.every}.")
        chosen = np.arange(1, needed + 1) * schedule.every - 1
        fits = int(chosen[-1]) < steps
    if not fits:
        most = steps // (schedule.every or 1)
        raise ConfigError(
            f"{count} documents at {a_step} a poisoned batch need {needed} poisoned batches; of "
            f"{steps} steps {most} can be poisoned: a dose of {most * a_step} is the most."
        )
    places = [
        at * batch_sequences
        + rng.choice(batch_sequences, min(a_step, count - number * a_step), replace=False)
        for number, at in enumerate(chosen)
    ]
    return np.sort(np.concatenate(places))
