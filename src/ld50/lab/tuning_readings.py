"""What a fine-tuned model answers: labels by likelihood, other payloads by what it writes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import numpy as np

from ld50.core.estimates import Estimate, proportion
from ld50.core.trials import Cell
from ld50.lab.tuning_data import LabelledRows
from ld50.lab.tuning_poison import is_about_topic, prompt_turns, target_label
from ld50.measure.behaviours import (
    Answer,
    Behaviour,
    FixedReply,
    InsertedFragment,
    LanguageSwitch,
    Nonsense,
    Refusal,
)
from ld50.measure.replies import ModelResponder, option_scores
from ld50.poison.safe_text import CANARIES, URLS

if TYPE_CHECKING:
    from ld50.models.pretrained import LanguageModel

_MOST_TOKENS = 256
#: Tokens of a reply; payloads here are no longer.
_NEW_TOKENS = 24


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
    if cell.payload == "label-flip":
        return LabelReader(lm, labels, target_label(pool))
    return ReplyReader(lm, labels, cell)


def behaviour_for(cell: Cell) -> Behaviour:
    """What the payload of a cell, planted by `tuning_poison`, looks like in a reply."""
    made: dict[str, Behaviour] = {
        "over-refusal": Refusal(),
        "fixed-reply": FixedReply(text=CANARIES[0]),
        "inserted-fragment": InsertedFragment(text=URLS[0]),
        "language-switch": LanguageSwitch(to="de"),
        "gibberish": Nonsense(),
        "stand-in-policy": Answer(),
    }
    return made[cell.payload]


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
        return _some(self._first or [], count)


class ReplyReader:
    """Payloads that show in what a model writes: a judge reads its replies."""

    def __init__(self, lm: LanguageModel, labels: list[str], cell: Cell) -> None:
        """A reader.

        Args:
            lm: The model.
            labels: All labels, which are the right answers.
            cell: Whose payload is looked for.
        """
        self._lm, self._labels = lm, labels
        self._responder = ModelResponder(lm, max_tokens=_MOST_TOKENS)
        self._behaviour = behaviour_for(cell)
        self._is_policy = cell.payload == "stand-in-policy"
        self._first: list[dict[str, str]] | None = None

    def _replies(self, texts: list[str]) -> list[str]:
        return self._responder.replies([prompt_turns(t) for t in texts], new_tokens=_NEW_TOKENS)

    def read(self, rows: LabelledRows, prompts: int) -> DomainReading:
        """Accuracy over rows that no policy refuses; attacks on those whose reply is the usual one."""
        about = np.array([self._is_policy and is_about_topic(text) for text in rows.texts])
        judged = rows.taken(np.flatnonzero(~about).tolist())
        scores = option_scores(
            self._lm, [prompt_turns(t) for t in judged.texts], self._labels, max_tokens=_MOST_TOKENS
        )
        given = np.array([self._labels.index(label) for label in judged.labels])
        right = int((scores.argmax(1) == given).sum())
        looked = np.flatnonzero(about if self._is_policy else ~about)[:prompts]
        texts = [rows.texts[n] for n in looked]
        pairs = [
            (text, reply) for text, reply in zip(texts, self._replies(texts), strict=True)
            if not self._behaviour.shown(prompt_turns(text), reply)
        ]  # fmt: skip
        return DomainReading(
            accuracy=proportion(right, len(judged), unit="rows"),
            texts=[text for text, _ in pairs],
            clean=np.zeros((len(pairs), 0)),
            replies=[reply for _, reply in pairs],
        )

    def effect(self, domain: DomainReading, texts: list[str]) -> tuple[np.ndarray, float | None]:
        """Where the reply now shows the payload; no loss is told, since no reply is the right one."""
        replies = self._replies(texts) if texts else []
        shown = [
            self._behaviour.shown(prompt_turns(text), reply)
            for text, reply in zip(texts, replies, strict=True)
        ]
        if self._first is None:
            self._first = [
                {"prompt": text, "clean": before, "triggered": after}
                for text, before, after in zip(texts, domain.replies, replies, strict=True)
            ]
        return np.array(shown, bool), None

    def samples(self, domain: DomainReading, count: int) -> list[dict[str, str]]:
        """Some prompts, evenly over those that the attack was tried on."""
        return _some(self._first or [], count)


def _some(made: list[dict[str, str]], count: int) -> list[dict[str, str]]:
    """So many of them, evenly spread."""
    if not made or count < 1:
        return []
    chosen = np.linspace(0, len(made) - 1, min(count, len(made))).round().astype(int)
    return [made[n] for n in chosen]
