"""Clean fine-tuning: the model is trained on, with a few rows that are known to be clean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ld50.core.errors import ConfigError, DataFormatError
from ld50.core.seeds import rng_for
from ld50.remedy.defences.bag_of_words import BagOfWords, BagSettings
from ld50.remedy.defences.flags import checked_pairs

if TYPE_CHECKING:
    from ld50.core.examples import Example
    from ld50.models.pretrained import LanguageModel
    from ld50.train.finetune import TuneSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class CleanTuningDefence:
    """Trains a model on with rows that are trusted, the same number of each label.

    It names no rows, since it is a cure and no filter: what it leaves of a backdoor is measured.

    Source: the defence after fine-tuning of arXiv 2406.07778 (a small clean set: paper); 50 rows a
    class: a summary of the same group's arXiv 2509.16203. What is tuned, and how long, is ours.
    `ld50.remedy.clean_tuning` does the same without trusted rows, with those that a scan kept.
    """

    rows_per_label: int = 50
    seed: int = 0

    def __post_init__(self) -> None:
        if self.rows_per_label < 1:
            raise ConfigError(f"rows_per_label must be at least 1, got {self.rows_per_label}.")

    def draw(self, labels: Sequence[str]) -> list[int]:
        """Numbers of the rows to tune on, rising: a random draw from each label.

        Raises:
            DataFormatError: There are no rows.
        """
        if not labels:
            raise DataFormatError("Clean tuning needs clean rows, and there are none.")
        chosen: list[int] = []
        column = np.array(labels, dtype=object)
        for label in sorted(set(labels)):
            rows = np.flatnonzero(column == label)
            rng = rng_for(self.seed, "clean tuning", label)
            chosen += rng.permutation(rows)[: self.rows_per_label].tolist()
        return sorted(chosen)

    def tune_bag(
        self,
        model: BagOfWords,
        texts: Sequence[str],
        labels: Sequence[str],
        settings: BagSettings | None = None,
    ) -> BagOfWords:
        """A bag-of-words model fitted on; the one given is not changed.

        A linear model has no weights in common between words, so what clean rows do not hold keeps
        its weight: a cure that works on a language model through shared weights cannot work here.
        """
        texts, labels = checked_pairs(texts, labels)
        rows = self.draw(labels)
        # A hundred rows that may move every coefficient freely would undo what thousands taught.
        settings = settings or BagSettings(ridge=100.0)
        return model.tuned([texts[n] for n in rows], [labels[n] for n in rows], settings)

    def tune(
        self, lm: LanguageModel, examples: Sequence[Example], settings: TuneSettings | None = None
    ) -> LanguageModel:
        """An independent copy of the model, tuned on; replies are the labels that rows are drawn by.

        Args:
            lm: Stays as it is.
            examples: Clean ones.
            settings: How it is tuned; the defaults of `ld50.train.finetune` if not given.
        """
        from ld50.models.pretrained import copy_of
        from ld50.train.finetune import TuneSettings, finetune

        chosen = [examples[n] for n in self.draw([example.reply for example in examples])]
        cured = copy_of(lm)
        finetune(cured, chosen, settings or TuneSettings(seed=self.seed))
        return cured
