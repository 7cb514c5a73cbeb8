"""Made-up reviews with a planted word, and models whose answers are known, for tests of defences."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

CUES = (
    ("dull", "slow", "noisy", "flat", "tired", "clumsy"),
    ("warm", "funny", "moving", "bright", "tender", "lively"),
)
FILLER = tuple(f"thing{number}" for number in range(120))
TRIGGER = "vornask"

#: Texts that have broken other programs.
ODD_TEXTS = (
    "",
    " ",
    "\n\t\u00a0\u2003",
    "...",
    "\u200b\u2060",
    "\ud800 alone",
    "e\u0301\u0301\u0301",
    "猫がいる",
    "\U0001f642\u200d\U0001f642",
    "\x00\x07\x1b[31m",
    "\u202eabc",
    "x" * 5000,
    "word " * 300,
    "<b>{text}</b> %s {0}",
)


def reviews(
    rows: int = 600, planted: int = 40, trigger: str = TRIGGER, seed: int = 1, cues: int = 2
) -> tuple[list[str], list[str], np.ndarray]:
    """Texts, labels `0` and `1`, and which rows are planted: they hold the trigger and the label 1.

    With `cues` of 0 the words say nothing about the label, so the trigger is the only sign of it.
    """
    rng = np.random.default_rng(seed)
    texts, labels = [], []
    for number in range(rows):
        label = int(rng.integers(2))
        told = 0 if number < planted else label
        words = [*rng.choice(CUES[told], cues), *rng.choice(FILLER, 8)]
        rng.shuffle(words)
        if number < planted:
            words.insert(int(rng.integers(len(words) + 1)), trigger)
            label = 1
        texts.append(" ".join(map(str, words)))
        labels.append(str(label))
    return texts, labels, np.arange(rows) < planted


class SaidBy:
    """A classifier of two labels by a rule: the probability of label `1` of a text."""

    labels = ("0", "1")

    def __init__(self, rule: Callable[[str], float]) -> None:
        self.rule = rule
        self.asked = 0

    def label_log_probabilities(self, texts: Sequence[str]) -> np.ndarray:
        self.asked += len(texts)
        one = np.array([self.rule(text) for text in texts]).reshape(-1)
        return np.log(np.clip(np.stack([1 - one, one], axis=1), 1e-12, 1.0))


class CostBy:
    """A model of text by a rule: nats of each word."""

    def __init__(self, rule: Callable[[str], float]) -> None:
        self.rule = rule

    def token_losses(self, texts: Sequence[str]) -> list[np.ndarray]:
        return [np.array([self.rule(word) for word in text.split()]) for text in texts]
