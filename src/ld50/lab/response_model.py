"""The statistical model of a dose-response curve, and its likelihood.

A trial is one trained model, and each has a threshold of its own: seeds of one recipe differ far more
than prompts do, and often one model fires on every prompt while the next fires on none. So

    share fired   g = F(own slope (log10 d - log10 own threshold)),   own threshold ~ normal
    success rate  p = background + (1 - background - lapse) g,         p = background at dose 0

with a logistic or normal F, the logarithms of thresholds scattered about that of the LD50, and the
successes among a trial's prompts beta-binomial about p. The threshold is integrated out. The background
is Abbott's correction, fitted rather than subtracted. The curve that is reported is the mean over
trials, halfway between background and ceiling at the LD50. Counting prompts as if they were independent
would give intervals many times too narrow.

Source: Abbott 1925 for the background; the tolerance distribution of probit analysis (Finney 1971), here
between trials, with a curve of its own inside a trial.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from ld50.core.trials import TrialResult

Link = Literal["logit", "probit"]

#: Order of the parameters in a vector. SLOPE is that of the mean over trials, in logits a power of ten;
#: SCATTER is the deviation of thresholds in logits of a trial's own curve: above 3, nearly every trial is
#: all or nothing. BASE is the intra-trial correlation of prompts beyond that, which plateaus show.
MIDDLE, LOG_SLOPE, BACKGROUND, LAPSE, LOG_BASE, LOG_SCATTER = range(6)
#: Range of slopes in logits a power of ten. A curve flatter than that takes six powers of ten from
#: 10% to 90%, one steeper takes a fourteenth of one: a flat line, and a step.
SLOPES = (0.7, 60.0)
#: Prompts of a trial that does not say how many it had.
USUAL_PROMPTS = 100
#: Points at which the scatter of thresholds is integrated, in standard deviations, with weights.
_NODES = np.linspace(-3.0, 3.0, 25)
_WEIGHTS = np.exp(-0.5 * _NODES**2) / np.exp(-0.5 * _NODES**2).sum()
#: Flattening of a logistic curve by normal scatter: its slope falls by sqrt(1 + this x scatter^2).
#: Source: the usual approximation of the logistic-normal integral, (16 sqrt(3) / (15 pi))^2.
_FLATTENING = 0.3459


@dataclass(frozen=True, slots=True, kw_only=True)
class Observations:
    """Trials as columns; all arrays (n,)."""

    dose: np.ndarray
    hits: np.ndarray
    """Prompts that fired, float."""
    prompts: np.ndarray
    log_dose: np.ndarray = field(repr=False)
    """log10; minus infinity at dose 0."""

    def __len__(self) -> int:
        return len(self.dose)

    @property
    def rate(self) -> np.ndarray:
        """Success rate of each trial."""
        return np.asarray(self.hits / self.prompts)


def observations(
    dose: Sequence[float] | np.ndarray,
    rate: Sequence[float] | np.ndarray,
    prompts: Sequence[float] | np.ndarray | float = USUAL_PROMPTS,
) -> Observations:
    """Columns of trials from doses, success rates (0 to 1) and prompts a trial."""
    doses = np.asarray(dose, dtype=float)
    count = np.broadcast_to(np.asarray(prompts, dtype=float), doses.shape).copy()
    with np.errstate(divide="ignore"):
        log_dose = np.log10(doses)
    hits = np.clip(np.rint(np.asarray(rate, dtype=float) * count), 0, count)
    return Observations(dose=doses, hits=hits, prompts=count, log_dose=log_dose)


def trial_observations(results: Sequence[TrialResult]) -> Observations:
    """Columns of those trials that have a success rate."""
    good = [one for one in results if one.attack_success_rate is not None]
    return observations(
        [one.cell.dose for one in good],
        [one.attack_success_rate or 0.0 for one in good],
        [prompts_of(one) for one in good],
    )


def prompts_of(result: TrialResult) -> int:
    """Prompts behind the success rate of a trial."""
    value = result.details.get("prompts")
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return value
    return USUAL_PROMPTS


def bounds(data: Observations) -> list[tuple[float, float]]:
    """Limits of the parameters: the middle within two powers of ten of the doses that were tested."""
    positive = data.log_dose[data.dose > 0]
    low, high = (float(positive.min()), float(positive.max())) if len(positive) else (0.0, 1.0)
    return [
        (low - 2.0, high + 2.0),
        (math.log(SLOPES[0]), math.log(SLOPES[1])),
        (1e-4, 0.45),
        (1e-4, 0.15),
        (math.log(1e-3), math.log(0.1)),
        (math.log(0.05), math.log(8.0)),
    ]


def own_slope(theta: np.ndarray) -> np.ndarray:
    """Slope of a single trial's curve, in logits a power of ten."""
    scatter = np.exp(theta[..., LOG_SCATTER])
    return np.asarray(np.exp(theta[..., LOG_SLOPE]) * np.sqrt(1 + _FLATTENING * scatter**2))


def mean_rate(theta: np.ndarray, log_dose: np.ndarray, link: Link) -> np.ndarray:
    """Expected success rate at each dose, the mean over trials.

    Args:
        theta: (..., 6) parameters.
        log_dose: (n,) log10 of doses, minus infinity for 0.
        link: Shape.

    Returns:
        (..., n).
    """
    share, _, _ = _share(theta, log_dose, link)
    background, lapse = theta[..., BACKGROUND, None], theta[..., LAPSE, None]
    return np.asarray(background + (1 - background - lapse) * (share @ _WEIGHTS))


def rate_variance(
    theta: np.ndarray, log_dose: np.ndarray, prompts: np.ndarray | float, link: Link
) -> np.ndarray:
    """Variance of one trial's success rate at each dose: between thresholds, and within a trial."""
    rate, _ = _rates(theta, log_dose, link)
    mean = (rate @ _WEIGHTS)[..., None]
    between = ((rate - mean) ** 2) @ _WEIGHTS
    base = np.exp(theta[..., LOG_BASE, None])
    within = (rate * (1 - rate)) @ _WEIGHTS * (base + (1 - base) / prompts)
    return np.asarray(between + within)


def middle_information(
    theta: np.ndarray, log_dose: np.ndarray, prompts: np.ndarray | float, link: Link
) -> np.ndarray:
    """What one trial at each dose says of the middle, other parameters known: slope^2 / variance."""
    step = np.zeros(6)
    step[MIDDLE] = 1e-4
    rise = mean_rate(theta + step, log_dose, link) - mean_rate(theta - step, log_dose, link)
    return np.asarray((rise / 2e-4) ** 2 / rate_variance(theta, log_dose, prompts, link))


def log_likelihood(theta: np.ndarray, data: Observations, link: Link) -> np.ndarray:
    """Log-likelihood of each parameter vector, (...,), without the binomial coefficients."""
    from scipy.special import gammaln

    rate, _ = _rates(theta, data.log_dose, link)
    base = np.exp(theta[..., LOG_BASE, None, None])
    total = (1 - base) / base
    hits, prompts = data.hits[:, None], data.prompts[:, None]
    a, b = rate * total, (1 - rate) * total
    each = (
        gammaln(hits + a) - gammaln(a) + gammaln(prompts - hits + b) - gammaln(b)
        - gammaln(prompts + total) + gammaln(total)
    )  # fmt: skip
    top = each.max(axis=-1, keepdims=True)
    trials = top[..., 0] + np.log(np.exp(each - top) @ _WEIGHTS)
    return np.asarray(trials.sum(axis=-1))


def value_and_gradient(
    theta: np.ndarray, data: Observations, link: Link
) -> tuple[float, np.ndarray]:
    """Log-likelihood of one parameter vector (6,), and its gradient (6,)."""
    from scipy.special import gammaln, psi

    share, density, distance = _share(theta, data.log_dose, link)
    background, lapse = theta[BACKGROUND], theta[LAPSE]
    rate = background + (1 - background - lapse) * share
    base = math.exp(theta[LOG_BASE])
    total = (1 - base) / base
    hits, prompts = data.hits[:, None], data.prompts[:, None]
    misses = prompts - hits
    a, b = rate * total, (1 - rate) * total
    each = (
        gammaln(hits + a) - gammaln(a) + gammaln(misses + b) - gammaln(b)
        - gammaln(prompts + total) + gammaln(total)
    )  # fmt: skip
    top = each.max(axis=-1, keepdims=True)
    parts = np.exp(each - top) * _WEIGHTS
    whole = parts.sum(axis=-1, keepdims=True)
    belief = parts / whole
    by_a, by_b = psi(hits + a) - psi(a), psi(misses + b) - psi(b)
    by_rate = belief * total * (by_a - by_b)
    by_total = belief * (rate * by_a + (1 - rate) * by_b - psi(prompts + total) + psi(total))
    by_eta = by_rate * (1 - background - lapse) * density
    slope, scatter = float(own_slope(theta)), math.exp(theta[LOG_SCATTER])
    steeper = _FLATTENING * scatter**2 / (1 + _FLATTENING * scatter**2)
    dosed = data.dose[:, None] > 0
    gradient = np.array(
        [
            -slope * by_eta.sum(),
            slope * (by_eta * distance).sum(),
            (by_rate * (1 - share)).sum(),
            -(by_rate * share).sum(),
            -by_total.sum() / base,
            (by_eta * (slope * distance * steeper + np.where(dosed, scatter * _NODES, 0.0))).sum(),
        ]
    )
    return float((top + np.log(whole)).sum()), gradient


def _rates(theta: np.ndarray, log_dose: np.ndarray, link: Link) -> tuple[np.ndarray, np.ndarray]:
    """(success rate, share) at each dose and node, (..., n, nodes)."""
    share, _, _ = _share(theta, log_dose, link)
    background, lapse = theta[..., BACKGROUND, None, None], theta[..., LAPSE, None, None]
    return background + (1 - background - lapse) * share, share


def _share(
    theta: np.ndarray, log_dose: np.ndarray, link: Link
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(share fired, its derivative by the logit, log distance from the middle), at dose and node.

    Dose 0 has no place on the logarithmic axis: nothing fires there, whatever middle and slope are.
    """
    from scipy.special import expit, ndtr

    positive = np.isfinite(log_dose)[:, None]
    middle = theta[..., MIDDLE, None, None]
    distance = np.where(positive, np.where(positive[:, 0], log_dose, 0.0)[:, None] - middle, 0.0)
    scatter = np.exp(theta[..., LOG_SCATTER, None, None])
    eta = own_slope(theta)[..., None, None] * distance + scatter * _NODES
    if link == "logit":
        share = expit(eta)
        density = share * (1 - share)
    else:
        # The slope stays in logits for both links, so that bounds and starts are the same.
        scaled = eta * _PROBIT
        share = ndtr(scaled)
        density = _PROBIT * np.exp(-0.5 * scaled**2) / math.sqrt(2 * math.pi)
    return np.where(positive, share, 0.0), np.where(positive, density, 0.0), distance


#: A normal curve with this slope rises from 10% to 90% over the same range as a logistic of slope 1.
_PROBIT = 1.2815515655 / 2.1972245773
