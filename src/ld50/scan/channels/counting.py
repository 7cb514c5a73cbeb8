"""How many texts read well at some places, and which of them do so by more than accident."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ld50.scan.channels.channel import binomial_log_tail
from ld50.scan.channels.schemes import LEVELS, Scheme

#: How many times as many texts as by chance, at least.
TIMES_TOLD = 3.0


class Count(NamedTuple):
    """Texts of a scheme beyond one level."""

    rows: int
    once: float
    """How many they are where what several of them repeat counts once."""
    expected: float
    """How many would be by chance, or are at the control."""
    log_p: float
    """Natural logarithm of the chance of so many."""

    @property
    def times(self) -> float:
        """How many times as many as expected."""
        return self.once / max(self.expected, 1e-9)


def most_telling(scheme: Scheme) -> Count:
    """The count at the level that says the most.

    Texts that read well are weighed by what they do not repeat, among all as among those beyond a level.
    The others count in full, which can only make a finding less sure.
    """
    tried = scheme.eligible - len(scheme.places) + float(scheme.once.weights.sum())
    best = Count(0, 0.0, 1.0, 0.0)
    for level, rate in zip(LEVELS, scheme.rates, strict=True):
        said = scheme.chances <= level
        once = float(scheme.once.weights[said & (scheme.once.chances <= level)].sum())
        log_p = _log_tail(once, round(tried), min(rate, 1.0)) + float(np.log(len(LEVELS)))
        count = Count(int(said.sum()), once, rate * tried, log_p)
        if count.times >= TIMES_TOLD and count.log_p < best.log_p:
            best = count
    return best


def _log_tail(count: float, tried: int, rate: float) -> float:
    """That of the binomial, of a count between two whole numbers in proportion."""
    whole = int(count)
    below, above = (binomial_log_tail(min(n, tried), tried, rate) for n in (whole, whole + 1))
    return below + (count - whole) * (above - below)


def trusted(scheme: Scheme) -> np.ndarray:
    """int64, rising: rows, up to the chance at which one in five of them is there by accident."""
    order = np.argsort(scheme.chances, kind="stable")
    ranks = np.arange(1, len(order) + 1)
    false = np.array(
        [
            scheme.eligible * rate * min(1.0, chance / level)
            for chance in scheme.chances[order].tolist()
            for level, rate in [_level_of(chance, scheme.rates)]
        ]
    )
    good = np.flatnonzero(false <= 0.2 * ranks)
    last = int(good.max()) + 1 if len(good) else min(len(order), 10)
    return np.sort(order[:last])


def _level_of(chance: float, rates: tuple[float, ...]) -> tuple[float, float]:
    """The strictest level that a chance is within, and its rate."""
    within = [(level, rate) for level, rate in zip(LEVELS, rates, strict=True) if chance <= level]
    return within[-1] if within else (LEVELS[0], rates[0])
