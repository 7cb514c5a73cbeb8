"""Defences that say which rows to take out: what all of them check, and how they set a threshold."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np

from ld50.remedy.defences.bag_of_words import fit_bag_of_words
from ld50.remedy.defences.classes import Classes
from ld50.remedy.defences.flags import Flags, checked_pairs, nothing_flagged
from ld50.remedy.defences.text_model import LabelModel, TextModel, require_labels


class RowFilter(ABC):
    """A defence that says which rows to take out of a training set."""

    __slots__ = ()

    def flag(
        self,
        texts: Sequence[str],
        labels_or_replies: Sequence[str],
        *,
        model: TextModel | None = None,
    ) -> Flags:
        """Flags and scores of all rows; higher is more suspicious, the unit is the defence's own.

        Args:
            texts: One for each row.
            labels_or_replies: The label of each, or its reply; replies that recur are classes.
            model: What the defence asks; its class says what, and what it does without one.

        Raises:
            DataFormatError: Not one label a text, or one that is no string.
            ConfigError: The model cannot answer what the defence asks.
        """
        texts, labels_or_replies = checked_pairs(texts, labels_or_replies)
        if not texts:
            return nothing_flagged(0)
        return self._flags(texts, labels_or_replies, model)

    @abstractmethod
    def _flags(self, texts: list[str], labels: list[str], model: TextModel | None) -> Flags:
        """The same for one row or more, that are checked."""


def model_of_labels(
    model: TextModel | None, texts: Sequence[str], classes: Classes, *, who: str
) -> LabelModel:
    """The model as one that gives labels; without one, a bag of words of the rows, two classes or more.

    Raises:
        ConfigError: The model gives none.
    """
    if model is None:
        model = fit_bag_of_words(texts, [classes.names[n] for n in classes.codes.tolist()])
    return require_labels(model, who=who)


def highest_flagged(scores: np.ndarray, clean: np.ndarray, share: float) -> Flags:
    """The rows that score higher than all but `share` of the clean ones.

    Args:
        scores: float64 (n,).
        clean: float64 (m,): scores of clean rows, at least one.
        share: Of the clean rows that may be flagged, in [0, 1).
    """
    threshold = np.quantile(clean, 1 - share, method="higher")
    return Flags(rows=scores > threshold, scores=scores)
