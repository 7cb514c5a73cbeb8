"""The statistical model of a dose-response curve, and its likelihood.

A trial is one trained model. At dose d its success rate has the mean

    p(d) = background + (1 - background - lapse) F(slope (log10 d - log10 LD50)),    p(0) = background

with a logistic or normal F; the background is Abbott's correction, fitted rather than subtracted.
Repeats of one recipe scatter far more than prompts drawn at random would: most of all in the middle
of the curve, where one seed's backdoor has formed and another's has not, and little on the plateaus.
So successes among a trial's prompts are beta-binomial with the intra-trial correlation

    rho(d) = base + (1 - base) (1 - exp(-excess 4 F (1 - F)))

which is what a threshold that differs from seed to seed comes to: small scatter gives a correlation
in proportion to F (1 - F), and where a seed's own curve is far steeper than the scatter of seeds,
nearly every trial is all or nothing and rho is close to 1 along the whole rise. Counting prompts as if
they were independent would give intervals several times too narrow.

Source: Abbott 1925 for the background; Williams 1975 for beta-binomial litters in toxicology. The
correlation that follows the curve is ours.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from ld50.core.trials import TrialResult

Link = Literal["logit", "probit"]

#: Order of the parameters in a vector.
MIDDLE, LOG_SLOPE, BACKGROUND, LAPSE, LOG_BASE, LOG_EXCESS = range(6)
#: Range of slopes in logits a power of ten. A curve flatter than that takes six powers of ten from
#: 10% to 90%, one steeper takes a fourteenth of one: a flat line, and a step.
SLOPES = (0.7, 60.0)
#: Correlation that is not exceeded; at 1 the likelihood has no value.
_MOST = 0.98
#: Prompts of a trial that does not say how many it had.
USUAL_PROMPTS = 100


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
        (math.log(0.02), math.log(40.0)),
    ]


def curve_share(theta: np.ndarray, log_dose: np.ndarray, link: Link) -> np.ndarray:
    """F at each dose: how far the curve has risen between background and ceiling, 0 to 1.

    Args:
        theta: (..., 6) parameters.
        log_dose: (n,) log10 of doses, minus infinity for 0.
        link: Shape.

    Returns:
        (..., n).
    """
    share, _ = _share_and_density(theta, log_dose, link)
    return share


def mean_rate(theta: np.ndarray, log_dose: np.ndarray, link: Link) -> np.ndarray:
    """Expected success rate at each dose, (..., n); arguments as in `curve_share`."""
    background, lapse = theta[..., BACKGROUND, None], theta[..., LAPSE, None]
    return np.asarray(background + (1 - background - lapse) * curve_share(theta, log_dose, link))


def correlation(theta: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Intra-trial correlation where the curve has risen by `share`."""
    base, excess = np.exp(theta[..., LOG_BASE, None]), np.exp(theta[..., LOG_EXCESS, None])
    rise = 1 - np.exp(-excess * 4 * share * (1 - share))
    return np.asarray(base + (_MOST - base) * rise)


def log_likelihood(theta: np.ndarray, data: Observations, link: Link) -> np.ndarray:
    """Log-likelihood of each parameter vector, (...,), without the binomial coefficients."""
    from scipy.special import gammaln

    share = curve_share(theta, data.log_dose, link)
    background, lapse = theta[..., BACKGROUND, None], theta[..., LAPSE, None]
    rate = background + (1 - background - lapse) * share
    rho = correlation(theta, share)
    total = (1 - rho) / rho
    a, b = rate * total, (1 - rate) * total
    terms = (
        gammaln(data.hits + a) - gammaln(a)
        + gammaln(data.prompts - data.hits + b) - gammaln(b)
        - gammaln(data.prompts + total) + gammaln(total)
    )  # fmt: skip
    return np.asarray(terms.sum(axis=-1))


def value_and_gradient(
    theta: np.ndarray, data: Observations, link: Link
) -> tuple[float, np.ndarray]:
    """Log-likelihood of one parameter vector (6,), and its gradient (6,)."""
    from scipy.special import gammaln, psi

    share, density = _share_and_density(theta, data.log_dose, link)
    slope = math.exp(theta[LOG_SLOPE])
    background, lapse = theta[BACKGROUND], theta[LAPSE]
    base, excess = math.exp(theta[LOG_BASE]), math.exp(theta[LOG_EXCESS])
    rate = background + (1 - background - lapse) * share
    hump = 4 * share * (1 - share)
    left = np.exp(-excess * hump)
    rho = base + (_MOST - base) * (1 - left)
    total = (1 - rho) / rho
    a, b = rate * total, (1 - rate) * total
    hits, misses = data.hits, data.prompts - data.hits
    value = (
        gammaln(hits + a) - gammaln(a) + gammaln(misses + b) - gammaln(b)
        - gammaln(data.prompts + total) + gammaln(total)
    ).sum()  # fmt: skip
    by_a, by_b = psi(hits + a) - psi(a), psi(misses + b) - psi(b)
    by_rate = total * (by_a - by_b)
    by_total = rate * by_a + (1 - rate) * by_b - psi(data.prompts + total) + psi(total)
    by_rho = -by_total / rho**2
    by_hump = (_MOST - base) * excess * left
    by_share = by_rate * (1 - background - lapse) + by_rho * by_hump * 4 * (1 - 2 * share)
    by_eta = by_share * density
    # Dose 0 has no place on the logarithmic axis: nothing of it depends on middle or slope.
    distance = np.where(data.dose > 0, data.log_dose - theta[MIDDLE], 0.0)
    gradient = np.array(
        [
            -slope * by_eta.sum(),
            slope * (by_eta * distance).sum(),
            (by_rate * (1 - share)).sum(),
            -(by_rate * share).sum(),
            base * (by_rho * left).sum(),
            (by_rho * by_hump * hump).sum(),
        ]
    )
    return float(value), gradient


def _share_and_density(
    theta: np.ndarray, log_dose: np.ndarray, link: Link
) -> tuple[np.ndarray, np.ndarray]:
    from scipy.special import expit, ndtr

    positive = np.isfinite(log_dose)
    distance = np.where(positive, log_dose, 0.0) - theta[..., MIDDLE, None]
    eta = np.where(positive, np.exp(theta[..., LOG_SLOPE, None]) * distance, 0.0)
    if link == "logit":
        share = expit(eta)
        density = share * (1 - share)
    else:
        # The slope stays in logits for both links, so that bounds and starts are the same.
        scaled = eta * _PROBIT
        share = ndtr(scaled)
        density = _PROBIT * np.exp(-0.5 * scaled**2) / math.sqrt(2 * math.pi)
    return np.where(positive, share, 0.0), np.where(positive, density, 0.0)


#: A normal curve with this slope rises from 10% to 90% over the same range as a logistic of slope 1.
_PROBIT = 1.2815515655 / 2.1972245773
