"""Doses chosen while a study runs, as acute toxicity tests do, so that trials go where the curve is.

Two designs. *Bayesian*: a posterior over the LD50, the slope and the scatter of seeds; each round
takes doses at quantiles of the posterior of the LD50, which brackets it while little is known and
closes in on it later. *Up-and-down* (OECD Test Guideline 425, 2022): one trial at a time, up a step
after a failure and down a step after a success, until one of the guideline's three rules stops it.

Both are functions of the results so far and of nothing else.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from ld50.core.trials import TrialResult
from ld50.lab.response_model import log_likelihood, observations, prompts_of
from ld50.lab.study import AdaptiveDoses

#: Step of the up-and-down design in powers of ten. The guideline takes 0.5 where nothing is known of
#: the slope; curves of backdoors are known to be steep, and half of it is still a factor of 1.8.
UP_AND_DOWN_STEP = 0.25
#: Least distance of a round's doses from the middle: trials all at one dose say nothing of the slope.
_LEAST_SPREAD = 0.06

_Seen = tuple[float, float, int]
"""Dose, success rate, prompts."""


def next_doses(design: AdaptiveDoses, history: Sequence[TrialResult], *, taken: int) -> list[float]:
    """The doses of the next round; empty where the design is through.

    Args:
        design: What is allowed.
        history: Results so far; those without a success rate are passed over.
        taken: Trials spent, those without a result included.
    """
    if taken < design.controls:
        return [0.0] * design.controls
    left = design.trials - taken
    if left <= 0:
        return []
    seen = tuple(
        (one.cell.dose, float(one.attack_success_rate), prompts_of(one))
        for one in history
        if one.attack_success_rate is not None
    )
    if design.design == "up-and-down":
        return _up_and_down(design, tuple(one for one in seen if one[0] > 0))
    return list(_bayesian(design, seen, min(design.round, left)))


def start_of(design: AdaptiveDoses) -> float:
    """The first dose above 0."""
    return design.start or math.sqrt(design.low * design.high)


@lru_cache(maxsize=256)
def _bayesian(design: AdaptiveDoses, seen: tuple[_Seen, ...], count: int) -> tuple[float, ...]:
    grid, weight = posterior(design, seen)
    middles = np.unique(grid[:, 0])
    mass = np.array([weight[grid[:, 0] == middle].sum() for middle in middles])
    heaped = np.cumsum(mass)
    wanted = (np.arange(count) + 0.5) / count
    if not any(dose > 0 for dose, _, _ in seen) and count == 1:
        return (_allowed(start_of(design), design),)
    logs = np.array([float(np.interp(share, heaped, middles)) for share in wanted])
    centre = float(np.interp(0.5, heaped, middles))
    if count == 1:
        # Alternating sides, so that the slope is seen too.
        logs = np.array([centre + (_LEAST_SPREAD if len(seen) % 2 else -_LEAST_SPREAD)])
    side = np.where(wanted < 0.5, -1.0, np.where(wanted > 0.5, 1.0, 0.0))
    logs = np.where(abs(logs - centre) < _LEAST_SPREAD, centre + side * _LEAST_SPREAD, logs)
    return tuple(_allowed(10**log, design) for log in logs)


def posterior(design: AdaptiveDoses, seen: Sequence[_Seen]) -> tuple[np.ndarray, np.ndarray]:
    """Parameter vectors (k, 6) on a grid, and their probabilities (k,)."""
    low, high = math.log10(design.low), math.log10(design.high)
    controls = [rate for dose, rate, _ in seen if dose == 0]
    background = float(np.clip(np.mean(controls) if controls else 0.03, 0.01, 0.4))
    grid = np.array(
        [
            [middle, math.log(slope), background, 0.02, math.log(0.02), math.log(scatter)]
            for middle, slope, scatter in itertools.product(
                np.linspace(low, high, 61), (4.0, 8.0, 16.0), (0.3, 1.2, 4.0)
            )
        ]
    )
    if not seen:
        return grid, np.full(len(grid), 1 / len(grid))
    dose, rate, prompts = (np.array(column, dtype=float) for column in zip(*seen, strict=True))
    value = log_likelihood(grid, observations(dose, rate, prompts), "logit")
    weight = np.exp(value - value.max())
    return grid, weight / weight.sum()


def _allowed(dose: float, design: AdaptiveDoses) -> float:
    """A dose within the range, whole where doses are counts of more than a few."""
    dose = min(max(dose, design.low), design.high)
    return float(max(round(dose), 1)) if dose >= 1 else dose


def _up_and_down(design: AdaptiveDoses, seen: tuple[_Seen, ...]) -> list[float]:
    """The next dose, or none where a stopping rule of the guideline holds."""
    if not seen:
        return [_allowed(start_of(design), design)]
    fired = [rate >= 0.5 for _, rate, _ in seen]
    doses = [dose for dose, _, _ in seen]
    if _stops(doses, fired, design):
        return []
    step = 10**UP_AND_DOWN_STEP
    return [_allowed(doses[-1] / step if fired[-1] else doses[-1] * step, design)]


def _stops(doses: list[float], fired: list[bool], design: AdaptiveDoses) -> bool:
    last = list(zip(doses, fired, strict=True))[-3:]
    if len(last) == 3 and (
        all(dose >= design.high and not hit for dose, hit in last)
        or all(dose <= design.low and hit for dose, hit in last)
    ):
        return True
    turns = [number for number in range(1, len(fired)) if fired[number] != fired[number - 1]]
    if len(fired) >= 6 and sum(number >= len(fired) - 5 for number in turns) >= 5:
        return True
    if not turns or len(fired) - turns[0] < 4:
        return False
    return _likelihood_ratio(doses, fired) > 2.5


def _likelihood_ratio(doses: list[float], fired: list[bool]) -> float:
    """Of the geometric mean dose since the first turn, against the better of 2.5 times up and down.

    Source: OECD 425, paragraph 33 and its appendix 2, with the step as the assumed sigma.
    """
    from scipy.special import log_ndtr

    turn = next(number for number in range(1, len(fired)) if fired[number] != fired[number - 1])
    logs, hits = np.log10(doses), np.array(fired)
    middle = float(logs[turn - 1 :].mean())

    def value(at: float) -> float:
        z = (logs - at) / UP_AND_DOWN_STEP
        return float(np.where(hits, log_ndtr(z), log_ndtr(-z)).sum())

    beside = max(value(middle + math.log10(2.5)), value(middle - math.log10(2.5)))
    return math.exp(min(value(middle) - beside, 50.0))
