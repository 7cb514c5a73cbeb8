"""The models that are attacked, and the models that score words for ONION."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from defences_sets import Rows, other_reviews

from ld50.remedy.defences import (
    BagOfWords,
    CleanTuningDefence,
    LabelModel,
    LanguageTextModel,
    TokenModel,
    fit_bag_of_words,
    fit_bigrams,
)

VICTIMS = ("bag of words", "tiny", "smollm2")
#: What a language model is told for each label, and what it is asked.
ANSWERS = {"0": "negative", "1": "positive"}
QUESTION = "Is this review positive or negative?\n{text}"


class Victim(Protocol):
    """A trained classifier."""

    @property
    def model(self) -> LabelModel:
        """As a defence sees it; its labels are those of the rows."""

    def predict(self, texts: Sequence[str]) -> list[str]:
        """The likeliest label of each text."""

    def tuned(self, trusted: Rows) -> Victim:
        """Clean-tuned on trusted rows."""


@dataclass(frozen=True)
class BagVictim:
    """Logistic regression on words."""

    model: BagOfWords

    def predict(self, texts: Sequence[str]) -> list[str]:
        return self.model.predict(texts)

    def tuned(self, trusted: Rows) -> BagVictim:
        return BagVictim(CleanTuningDefence().tune_bag(self.model, trusted.texts, trusted.labels))


@dataclass(frozen=True)
class Renamed:
    """A language model whose labels are those of the rows instead of its answers."""

    asked: LanguageTextModel

    @property
    def labels(self) -> tuple[str, ...]:
        return tuple(ANSWERS)

    def label_log_probabilities(self, texts: Sequence[str]) -> Any:
        return self.asked.label_log_probabilities(texts)


@dataclass(frozen=True)
class LanguageVictim:
    """A language model that answers with one of two words."""

    lm: Any

    @property
    def model(self) -> Renamed:
        return Renamed(
            LanguageTextModel(lm=self.lm, labels=tuple(ANSWERS.values()), question=QUESTION)
        )

    def predict(self, texts: Sequence[str]) -> list[str]:
        found = self.model.label_log_probabilities(texts).argmax(axis=1)
        return [tuple(ANSWERS)[n] for n in found.tolist()]

    def tuned(self, trusted: Rows) -> LanguageVictim:
        return LanguageVictim(CleanTuningDefence().tune(self.lm, examples_of(trusted)))


def examples_of(rows: Rows) -> list[Any]:
    from ld50.core.examples import asked

    return [
        asked(QUESTION.replace("{text}", text), ANSWERS[label])
        for text, label in zip(rows.texts, rows.labels, strict=True)
    ]


def make_victims(name: str, seed: int) -> Callable[[Rows], Victim]:
    """A function that trains a victim on rows."""
    if name == "bag of words":
        return lambda rows: BagVictim(fit_bag_of_words(rows.texts, rows.labels))
    base = load(name)

    def train(rows: Rows) -> Victim:
        from ld50.models.pretrained import copy_of
        from ld50.train.finetune import TuneSettings, finetune

        lm = copy_of(base)
        finetune(lm, examples_of(rows), TuneSettings(epochs=2, seed=seed))
        return LanguageVictim(lm)

    return train


def make_scorer(name: str, split: str, cache: Path) -> TokenModel:
    """What ONION asks how likely a text is."""
    if name == "bigrams":
        return fit_bigrams(other_reviews(cache, split))
    return LanguageTextModel(lm=load(name))


def load(name: str) -> Any:
    from ld50.models.pretrained import load_language_model

    return load_language_model(name)
