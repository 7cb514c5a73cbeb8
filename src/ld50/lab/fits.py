"""One group's dose-response curve as a result: numbers where the data bound them, reasons elsewhere."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ld50.core.dose_response import CurvePoint, Fit
from ld50.core.trials import Cell, TrialResult
from ld50.lab.curve_fit import CurveFit, curve_band, fit_curve, slope_interval
from ld50.lab.response_model import (
    BACKGROUND,
    LAPSE,
    LOG_SCATTER,
    LOG_SLOPE,
    Link,
    Observations,
    mean_rate,
    own_slope,
    rate_variance,
    trial_observations,
)

_METHOD = (
    "{link} on log10 dose with a threshold of its own for each trial, beta-binomial prompts, fitted "
    "background and lapse; 95% profile likelihood, F over the trials that bear on the middle"
)
#: A fall of the mean by this much between two doses, where chance does not explain it, is reported.
_FALL = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupFit:
    """A fit with what further analysis needs of it."""

    fit: Fit
    data: Observations
    curve: CurveFit | None
    """None where no curve could be fitted."""


def fit_group(
    name: str, cell: Cell, results: Sequence[TrialResult], *, link: Link = "logit"
) -> GroupFit:
    """The dose-response curve of one group.

    Args:
        name: Name of the group.
        cell: Its condition, at dose 0.
        results: Its trials; those without a success rate are passed over.
        link: Shape of the curve.
    """
    data = trial_observations(results)
    doses = sorted(set(data.dose.tolist()))
    positive = [dose for dose in doses if dose > 0]
    method = _METHOD.format(link=link)
    if len(positive) < 2 or len(doses) < 3:
        why = "no curve: it takes trials at three doses, two of them above 0"
        fit = Fit(
            group=name, ld50=None, low=None, high=None, n=len(data), method=method, reason=why,
            cell=cell, doses=doses,
        )  # fmt: skip
        return GroupFit(fit=fit, data=data, curve=None)
    curve = fit_curve(data, link)
    ld50, low, high, reasons = _bounded(curve, data, positive)
    separated = _separated(data)
    if separated is not None and ld50 is not None:
        ld50 = math.sqrt(separated[0] * separated[1])
        low, high = _wider(low, separated[0], min), _wider(high, separated[1], max)
        reasons.append(
            f"every trial at {separated[1]:g} and above fires and none at {separated[0]:g} and "
            "below: the trials only say that the LD50 lies between, not how steep the curve is"
        )
    reasons += _falls(data)
    slope_low, slope_high = slope_interval(data, link, curve)
    bounded_slope = slope_low is not None and slope_high is not None and separated is None
    shares = _shares(results, ld50)
    scatter = math.exp(curve.theta[LOG_SCATTER]) / float(own_slope(curve.theta))
    fit = Fit(
        group=name, ld50=ld50, low=low, high=high, n=len(data), method=method,
        reason="; ".join(reasons) or None, cell=cell, doses=doses,
        slope=math.exp(curve.theta[LOG_SLOPE]) if bounded_slope else None,
        slope_low=slope_low, slope_high=None if separated else slope_high,
        background=float(curve.theta[BACKGROUND]),
        ceiling=float(1 - curve.theta[LAPSE]),
        seed_scatter=10**scatter if bounded_slope else None,
        log_likelihood=curve.log_likelihood,
        lack_of_fit_p=_lack_of_fit(curve, data, link),
        isotonic_ld50=isotonic_middle(data),
        ld50_tokens=shares[0], ld50_share=shares[1],
        curve=_points(curve, data, positive, link),
        separated=separated is not None,
    )  # fmt: skip
    return GroupFit(fit=fit, data=data, curve=curve)


def isotonic_middle(data: Observations) -> float | None:
    """Dose where the best rising step curve through the means crosses halfway; None if it does not.

    Halfway is between the mean of the controls (0 without them) and 1.
    """
    positive = data.dose > 0
    doses = np.unique(data.dose[positive])
    means = _rising(
        np.array([data.rate[data.dose == dose].mean() for dose in doses]),
        np.array([(data.dose == dose).sum() for dose in doses], dtype=float),
    )
    background = data.rate[~positive].mean() if (~positive).any() else 0.0
    target = (1 + background) / 2
    if means[0] >= target or means[-1] < target:
        return None
    above = int(np.argmax(means >= target))
    share = (target - means[above - 1]) / (means[above] - means[above - 1])
    logs = np.log10(doses)
    return float(10 ** (logs[above - 1] + share * (logs[above] - logs[above - 1])))


def _rising(means: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Pools neighbours that fall until nothing falls."""
    blocks: list[list[float]] = []
    for mean, weight in zip(means, weights, strict=True):
        blocks.append([mean, weight, 1])
        while len(blocks) > 1 and blocks[-2][0] > blocks[-1][0]:
            last, before = blocks.pop(), blocks.pop()
            total = before[1] + last[1]
            value = (before[0] * before[1] + last[0] * last[1]) / total
            blocks.append([value, total, before[2] + last[2]])
    return np.concatenate([np.full(int(count), value) for value, _, count in blocks])


def _bounded(
    curve: CurveFit, data: Observations, positive: list[float]
) -> tuple[float | None, float | None, float | None, list[str]]:
    """LD50 and interval as doses, null where they lie outside what was tested, and why."""
    low = None if curve.low is None else 10**curve.low
    high = None if curve.high is None else 10**curve.high
    least, most = positive[0], positive[-1]
    reasons = []
    ld50: float | None = 10**curve.middle
    highest = float(data.rate[data.dose == most].mean())
    lowest = float(data.rate[data.dose == least].mean())
    background = float(curve.theta[BACKGROUND])
    middle = (background + 1 - float(curve.theta[LAPSE])) / 2
    if ld50 is not None and ld50 > most:
        ld50, high = None, None
        reasons.append(
            f"the curve does not reach its middle, {middle:.0%}: at {most:g}, the largest dose, "
            f"{highest:.0%} of triggered prompts fire"
        )
    elif ld50 is not None and ld50 < least:
        ld50, low = None, None
        reasons.append(
            f"the curve is above its middle, {middle:.0%}, throughout: at {least:g}, the smallest dose, "
            f"{lowest:.0%} of triggered prompts fire"
        )
    elif highest - background < 0.25:
        ld50, high = None, None
        reasons.append(f"no rise: at {most:g}, the largest dose, {highest:.0%} fire")
    else:
        if low is None:
            reasons.append("the interval is open below")
        if high is None:
            reasons.append("the interval is open above")
    return ld50, low, high, reasons


def _separated(data: Observations) -> tuple[float, float] | None:
    """The two doses between which everything changes, if no trial lies in between."""
    fired, quiet = data.rate > 0.8, data.rate < 0.3
    if not fired.any() or not (quiet & (data.dose > 0)).any() or not (fired | quiet).all():
        return None
    below, above = float(data.dose[quiet].max()), float(data.dose[fired].min())
    return (below, above) if 0 < below < above else None


def _wider(bound: float | None, dose: float, pick: object) -> float | None:
    if bound is None:
        return None
    return min(bound, dose) if pick is min else max(bound, dose)


def _falls(data: Observations) -> list[str]:
    """A success rate that falls with the dose by more than chance: the curve is no such curve."""
    doses = [dose for dose in np.unique(data.dose) if (data.dose == dose).sum() >= 2]
    pairs = [(a, b) for number, a in enumerate(doses) for b in doses[number + 1 :]]
    found: list[tuple[float, str]] = []
    for a, b in pairs:
        first, second = data.rate[data.dose == a], data.rate[data.dose == b]
        fall = float(first.mean() - second.mean())
        if fall >= _FALL and _chance_of_fall(first, second) * len(pairs) < 0.05:
            found.append(
                (
                    fall,
                    f"not monotone: {first.mean():.0%} fire at {a:g} and {second.mean():.0%} at "
                    f"{b:g}, so one LD50 does not describe this",
                )
            )
    return [max(found)[1]] if found else []


def _chance_of_fall(first: np.ndarray, second: np.ndarray) -> float:
    """Welch's one-sided t test, with a floor under the variances: prompts are few."""
    from scipy.stats import t

    parts = [max(float(x.var(ddof=1)), 1e-3) / len(x) for x in (first, second)]
    spread = sum(parts)
    freedom = spread**2 / sum(
        p**2 / (len(x) - 1) for p, x in zip(parts, (first, second), strict=True)
    )
    return float(t.sf((first.mean() - second.mean()) / math.sqrt(spread), freedom))


def _lack_of_fit(curve: CurveFit, data: Observations, link: Link) -> float | None:
    """Probability of means this far from the curve, were it the right one; None without room."""
    from scipy.stats import f

    doses = np.unique(data.dose)
    free = len(doses) - 3
    rest = len(data) - len(doses)
    if free < 1 or rest < 1:
        return None
    with np.errstate(divide="ignore"):
        logs = np.log10(doses)
    rate = mean_rate(curve.theta, logs, link)
    spread = rate_variance(curve.theta, logs, float(data.prompts.mean()), link)
    total = 0.0
    for dose, p, v in zip(doses, rate, spread, strict=True):
        here = data.dose == dose
        total += (data.rate[here].mean() - p) ** 2 / (v / here.sum())
    return float(f.sf(total / free, free, rest))


def _shares(
    results: Sequence[TrialResult], ld50: float | None
) -> tuple[float | None, float | None]:
    """The LD50 in poisoned tokens, and as a share of all tokens, by what a unit of dose held."""
    held = [
        (one.poisoned_tokens / one.cell.dose, one.cell.clean_tokens)
        for one in results
        if one.poisoned_tokens and one.cell.dose > 0
    ]
    if ld50 is None or not held:
        return None, None
    tokens = ld50 * float(np.median([each for each, _ in held]))
    return tokens, tokens / (tokens + held[0][1])


def _points(
    curve: CurveFit, data: Observations, positive: list[float], link: Link
) -> list[CurvePoint]:
    logs = np.linspace(math.log10(positive[0]) - 0.1, math.log10(positive[-1]) + 0.1, 61)
    logs = np.concatenate([[-math.inf], logs])
    rate, low, high = curve_band(data, link, curve, logs)
    return [
        CurvePoint(dose=float(10**log), rate=float(r), low=float(a), high=float(b))
        for log, r, a, b in zip(logs, rate, low, high, strict=True)
    ]
