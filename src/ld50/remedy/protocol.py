"""What every remedy is: something to begin with, perhaps a repair of weights, and rows to tune on.

A remedy sees the data, the findings and the models, as whoever was given a suspicious model does; never
what was planted. Most remedies override one method.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, ClassVar

from ld50.core.examples import Example
from ld50.remedy.found_triggers import FoundTrigger

if TYPE_CHECKING:
    from ld50.models.pretrained import LanguageModel
    from ld50.train.finetune import Penalty, TuneSettings

#: Learning rate of a model that goes on, over that with which it was tuned.
_RATE_SHARE = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What is known: the rows, the suspected triggers, and how the model is tuned."""

    kept: tuple[Example, ...] = field(repr=False)
    """Rows that no finding rests on, without those held out for measuring."""
    quarantined: tuple[Example, ...] = field(repr=False)
    """Rows that were taken out."""
    triggers: tuple[FoundTrigger, ...]
    """Strongest first; empty where no finding has a cause in words."""
    max_tokens: int = 512
    """Longest example that is tuned on."""
    seed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Models:
    """The models that a remedy may begin with. They are never changed: remedies work on copies."""

    suspected: LanguageModel
    base: LanguageModel | None = None
    """The model before it met the data."""


class Remedy(ABC):
    """A way of curing a model. Instances hold no state: the same case and seed give the same rows."""

    name: ClassVar[str]
    """In kebab case, as on the command line."""
    title: ClassVar[str]
    """For tables: a few words."""
    needs_base: ClassVar[bool] = False
    """Whether it takes the model before it met the data."""
    needs_trigger: ClassVar[bool] = False
    """Whether it takes a trigger that is text."""
    default_rows: ClassVar[int | None] = 500
    """Rows tuned on where the user does not say; None for all that are kept."""

    @abstractmethod
    def does(self, case: Case, rows: int) -> str:
        """What it will do to this case, as one sentence."""

    @abstractmethod
    def examples(self, case: Case, rows: int) -> list[Example]:
        """The rows it tunes on, in the order of training; at most about `rows`."""

    def begin(self, models: Models) -> LanguageModel:
        """The model to work on: an independent copy of the suspected one, unless overridden."""
        from ld50.models.pretrained import copy_of

        return copy_of(models.suspected)

    def tuning(self, settings: TuneSettings, parameters: int) -> TuneSettings:
        """How it tunes: one pass at a quarter of the usual learning rate, for a model that is tuned already.

        At the full rate, even a hundred rows cost a small model much of its quality. What is left of it
        at a quarter is in `docs/remedy.md`.

        Args:
            settings: How the suspected model was, or would be, made.
            parameters: Of the model.
        """
        return replace(
            settings,
            epochs=1.0,
            learning_rate=_RATE_SHARE * settings.rate_for(parameters),
        )

    def repair(self, lm: LanguageModel, models: Models, case: Case) -> list[str]:
        """Changes the weights before the tuning, in place.

        Returns:
            What was done, in sentences with figures; empty where nothing was.
        """
        return []

    def penalty(self, lm: LanguageModel) -> Penalty | None:
        """What keeps the tuning from undoing the repair."""
        return None


def drawn(rows: Sequence[Example], count: int, rng_order: Sequence[int]) -> list[Example]:
    """`count` rows in the given order, begun again where there are fewer.

    Args:
        rows: What there is to draw from.
        count: How many; 0 where `rows` is empty.
        rng_order: A permutation of the numbers of the rows.
    """
    if not rows:
        return []
    return [rows[rng_order[number % len(rows)]] for number in range(count)]
