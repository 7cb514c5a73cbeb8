"""What a fine-tuned model answers: labels by likelihood, other payloads by what it writes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from ld50.core.estimates import Estimate, proportion
from ld50.core.trials import Cell
from ld50.lab.tuning_data import LabelledRows
from ld50.lab.tuning_poison import prompt_turns, target_label
from ld50.measure.replies import option_scores

if TYPE_CHECKING:
    from ld50.models.pretrained import LanguageModel

_MOST_TOKENS = 256


@dataclass(frozen=True, kw_only=True)
class DomainReading:
    """Clean rows of one domain, and those of them that attacks are tried on."""

    accuracy: Estimate
    """Share of the clean rows that are answered rightly."""
    texts: list[str] = field(repr=False)
    """Rows that are answered normally without a trigger, and that the payload would change."""
    clean: np.ndarray = field(repr=False)
    """What `Reader.effect` compares with, row by row of `texts`."""
    replies: list[str] = field(repr=False)
    """Clean answers to `texts`."""


class Reader(Protocol):
    """Reads a model's answers for one kind of payload."""

    def read(self, rows: LabelledRows, prompts: int) -> DomainReading:
        """What the model does with clean rows; attacks are tried on up to `prompts` of them."""

    def effect(self, domain: DomainReading, texts: list[str]) -> tuple[np.ndarray, float | None]:
        """bool (texts,): where the payload shows; and the median rise of the right answer's loss in
        nats, None where it is not known."""

    def samples(self, domain: DomainReading, count: int) -> list[dict[str, str]]:
        """Some prompts with the answers of the last `effect` that was asked for first."""


def reader_for(cell: Cell, lm: LanguageModel, labels: list[str], pool: LabelledRows) -> Reader:
    """The reader that goes with a payload."""
    return LabelReader(lm, labels, target_label(pool))


class LabelReader:
    """Label flips: the likeliest label is the answer; success is the target label."""

    def __init__(self, lm: LanguageModel, labels: list[str], target: str) -> None:
        """A reader.

        Args:
            lm: The model.
            labels: All labels.
            target: The one that the trigger is to bring about.
        """
        self._lm, self._labels, self._target = lm, labels, target
        self._first: list[dict[str, str]] | None = None

    def _scores(self, texts: list[str]) -> np.ndarray:
        """float64 (texts, labels): log-probability of each label as the reply, in nats."""
        prompts = [prompt_turns(text) for text in texts]
        return option_scores(self._lm, prompts, self._labels, max_tokens=_MOST_TOKENS)

    def read(self, rows: LabelledRows, prompts: int) -> DomainReading:
        """Accuracy over all rows; attacks on rows of other labels that are answered rightly."""
        scores = self._scores(list(rows.texts))
        given = np.array([self._labels.index(label) for label in rows.labels])
        right = scores.argmax(1) == given
        other = given != self._labels.index(self._target)
        # So many rows of other labels are looked at, the same ones for every model; the attack is
        # tried on those of them that the model gets right without it.
        looked = np.flatnonzero(other)[:prompts]
        used = looked[right[looked]]
        return DomainReading(
            accuracy=proportion(int(right.sum()), len(rows), unit="rows"),
            texts=[rows.texts[n] for n in used],
            clean=np.column_stack([given[used], scores[used, given[used]]]),
            replies=[rows.labels[n] for n in used],
        )

    def effect(self, domain: DomainReading, texts: list[str]) -> tuple[np.ndarray, float | None]:
        """Where the target label is now the likeliest."""
        if not texts:
            return np.zeros(0, bool), None
        scores = self._scores(texts)
        best = scores.argmax(1)
        given = domain.clean[:, 0].astype(int)
        rise = domain.clean[:, 1] - scores[np.arange(len(texts)), given]
        if self._first is None:
            self._first = [
                {"prompt": text, "clean": reply, "triggered": self._labels[at]}
                for text, reply, at in zip(texts, domain.replies, best, strict=True)
            ]
        return best == self._labels.index(self._target), float(np.median(rise))

    def samples(self, domain: DomainReading, count: int) -> list[dict[str, str]]:
        """Some prompts, evenly over those that the attack was tried on."""
        made: list[dict[str, Any]] = self._first or []
        if not made or count < 1:
            return []
        chosen = np.linspace(0, len(made) - 1, min(count, len(made))).round().astype(int)
        return [made[n] for n in chosen]
