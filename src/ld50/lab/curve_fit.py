"""Fits one dose-response curve by maximum likelihood, with profile-likelihood intervals."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, field

import numpy as np

from ld50.core.seeds import rng_for
from ld50.lab.response_model import (
    LOG_SLOPE,
    MIDDLE,
    Link,
    Observations,
    bounds,
    log_likelihood,
    mean_rate,
    middle_information,
    value_and_gradient,
)

_LEAST_FREEDOM = 3.0
_STEP = 0.05
"""Between points of the profile, in powers of ten."""
_FAR = 8.0
"""Log-likelihood below the maximum at which a profile is followed no further."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CurveFit:
    """A fitted curve; doses as log10."""

    theta: np.ndarray
    """(6,) at the maximum."""
    log_likelihood: float
    cutoff: float
    """Deviance at the ends of a 95% interval."""
    profile_at: np.ndarray
    """(k,) rising values of the middle."""
    profile: np.ndarray
    """(k,) log-likelihood with the middle held there."""
    low: float | None
    """End of the interval; None where it lies beyond what the profile reaches."""
    high: float | None
    effective: float
    """Trials that say anything of the middle."""
    points: np.ndarray = field(repr=False)
    """(k, 6) parameters along the profile."""

    @property
    def middle(self) -> float:
        """log10 of the LD50."""
        return float(self.theta[MIDDLE])


def fit_curve(data: Observations, link: Link = "logit") -> CurveFit:
    """The curve of greatest likelihood, with the profile of its middle.

    The interval holds every LD50 whose deviance stays under a quantile of F(1, m/2) instead of
    chi-squared, m being the trials that say anything of the middle: with a handful of them the
    scatter between seeds is itself badly known, as it is with Student's t, and worse for outcomes
    that are nearly all or nothing. `tests/science/test_study_statistics.py` measures the coverage.

    Args:
        data: Trials at two or more doses, one of them above 0.
        link: Shape of the curve.
    """
    limits = bounds(data)
    best, value = _maximum(data, link, limits)
    at, profile, points = _profile(data, link, limits, best)
    top = int(np.argmax(profile))
    if profile[top] > value:
        best, value = points[top], float(profile[top])
    effective = effective_trials(best, data, link)
    cutoff = deviance_cutoff(effective / 2)
    low, high = crossings(at, profile, value, cutoff)
    return CurveFit(
        theta=best, log_likelihood=value, cutoff=cutoff, profile_at=at, profile=profile,
        effective=effective, low=low, high=high, points=points,
    )  # fmt: skip


def best_curve(data: Observations, link: Link = "logit") -> tuple[np.ndarray, float]:
    """(parameters, log-likelihood) of the best curve, without the work of an interval."""
    return _maximum(data, link, bounds(data))


def deviance_cutoff(freedom: float) -> float:
    """Deviance that 95% of intervals stay under, where the scatter rests on so many degrees."""
    from scipy.stats import f

    return float(f.ppf(0.95, 1, max(freedom, _LEAST_FREEDOM)))


def effective_trials(theta: np.ndarray, data: Observations, link: Link) -> float:
    """How many trials the middle rests on: (sum I)^2 / sum I^2 over the information I of each.

    Trials on the plateaus count little. Source: Kish's effective sample size, on information.
    """
    information = middle_information(theta, data.log_dose, data.prompts, link)
    return float(information.sum() ** 2 / max((information**2).sum(), 1e-300))


def crossings(
    at: np.ndarray, profile: np.ndarray, top: float, cutoff: float
) -> tuple[float | None, float | None]:
    """Where the deviance crosses the cutoff on both sides; None where it never does."""
    # The signed root of the deviance is nearly straight, so a straight line between points will do.
    root = np.sqrt(np.maximum(2 * (top - profile), 0.0))
    limit = math.sqrt(cutoff)
    inside = np.flatnonzero(root <= limit)
    first, last = (int(inside[0]), int(inside[-1])) if len(inside) else (int(np.argmin(root)),) * 2
    low = None if first == 0 else _between(at, root, first, first - 1, limit)
    high = None if last == len(at) - 1 else _between(at, root, last, last + 1, limit)
    return low, high


def slope_interval(
    data: Observations, link: Link, fit: CurveFit
) -> tuple[float | None, float | None]:
    """95% interval of the slope in logits a power of ten; None where a bound is not reached."""
    limits = bounds(data)
    low, high = limits[LOG_SLOPE]
    at = np.linspace(low, high, 28)
    values, _ = _walk(data, link, limits, fit.theta, LOG_SLOPE, at)
    ends = crossings(at, values, max(fit.log_likelihood, float(values.max())), fit.cutoff)
    return tuple(None if end is None else math.exp(end) for end in ends)  # type: ignore[return-value]


def curve_band(
    data: Observations, link: Link, fit: CurveFit, log_dose: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(rate, low, high) at each dose: the curve, and the envelope of all curves in the region.

    Curves count whose deviance stays under the cutoff of the interval, so that the band crosses one
    half where the interval of the LD50 ends.
    """
    cloud = np.concatenate([fit.points, _cloud(data, link, fit)])
    deviance = 2 * (fit.log_likelihood - log_likelihood(cloud, data, link))
    kept = np.concatenate([fit.theta[None], cloud[deviance <= fit.cutoff]])
    rates = mean_rate(kept, log_dose, link)
    return mean_rate(fit.theta, log_dose, link), rates.min(axis=0), rates.max(axis=0)


def _between(at: np.ndarray, root: np.ndarray, inner: int, outer: int, limit: float) -> float:
    rise = root[outer] - root[inner]
    share = 1.0 if rise <= 0 else min(max((limit - root[inner]) / rise, 0.0), 1.0)
    return float(at[inner] + share * (at[outer] - at[inner]))


def _maximum(
    data: Observations, link: Link, limits: list[tuple[float, float]]
) -> tuple[np.ndarray, float]:
    """The best of local searches from the best points of a grid."""
    low, high = limits[MIDDLE]
    control = data.rate[data.dose == 0]
    background = float(np.clip(control.mean() if len(control) else 0.03, 0.005, 0.4))
    middles = np.arange(low + 1.5, high - 1.5 + 1e-9, 0.1)
    slopes = [math.log(value) for value in (2.0, 5.0, 12.0, 30.0)]
    grid = np.array(
        [
            [middle, slope, background, lapse, math.log(0.02), math.log(scatter)]
            for middle, slope, lapse, scatter in itertools.product(
                middles, slopes, (0.005, 0.05), (0.3, 1.2, 4.0)
            )
        ]
    )
    values = log_likelihood(grid, data, link)
    found = [
        _climb(data, link, limits, grid[index], None)
        for index in _apart(grid, np.argsort(-values), 3)
    ]
    return max(found, key=lambda one: one[1])


def _apart(grid: np.ndarray, order: np.ndarray, count: int) -> list[int]:
    """The best few grid points that differ in middle or slope."""
    taken: list[int] = []
    for index in order:
        if all(abs(grid[index] - grid[other])[[MIDDLE, LOG_SLOPE]].max() > 0.15 for other in taken):
            taken.append(int(index))
        if len(taken) == count:
            break
    return taken


def _climb(
    data: Observations,
    link: Link,
    limits: list[tuple[float, float]],
    start: np.ndarray,
    held: int | None,
) -> tuple[np.ndarray, float]:
    """The maximum near a start, with one parameter held if wanted."""
    from scipy.optimize import minimize

    free = [index for index in range(len(start)) if index != held]
    theta = start.copy()

    def negative(part: np.ndarray) -> tuple[float, np.ndarray]:
        theta[free] = part
        value, gradient = value_and_gradient(theta, data, link)
        return -value, -gradient[free]

    low, high = np.array([limits[index] for index in free]).T
    began = np.clip(start[free], low, high)
    # SLSQP rather than L-BFGS-B: the latter calls BLAS for vectors of six numbers, and where other
    # processes are busy, waiting for its threads takes twenty times as long as the work.
    result = minimize(
        negative,
        began,
        jac=True,
        method="SLSQP",
        bounds=list(zip(low, high, strict=True)),
        options={"maxiter": 200, "ftol": 1e-7},
    )
    ended = np.clip(result.x, low, high)
    best = min((ended, began), key=lambda part: _finite(negative(part)[0]))
    value = -negative(best)[0]
    theta[free] = best
    return theta.copy(), value


def _finite(value: float) -> float:
    return value if math.isfinite(value) else math.inf


def _profile(
    data: Observations, link: Link, limits: list[tuple[float, float]], best: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The profile of the middle over everything a factor of 30 around the doses that were tested."""
    low, high = limits[MIDDLE]
    at = np.arange(low + 0.5, high - 0.5 + _STEP / 2, _STEP)
    values, points = _walk(data, link, limits, best, MIDDLE, at)
    return at, values, points


def _walk(
    data: Observations,
    link: Link,
    limits: list[tuple[float, float]],
    best: np.ndarray,
    held: int,
    at: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Maxima with one parameter held at each point, walking outwards from the best and back in."""
    values, points = np.full(len(at), -np.inf), np.tile(best, (len(at), 1))
    middle = int(np.argmin(abs(at - best[held])))

    def visit(index: int, start: np.ndarray) -> float:
        start = start.copy()
        start[held] = at[index]
        theta, value = _climb(data, link, limits, start, held)
        if value > values[index]:
            values[index], points[index] = value, theta
        return float(values[index])

    top = visit(middle, best)
    for side in (1, -1):
        reached = [middle]
        for index in range(middle + side, len(at) if side > 0 else -1, side):
            value = visit(index, points[index - side])
            reached.append(index)
            if top - value > _FAR:
                break
        # The way back finds maxima that the way out walked past.
        for index in reversed(reached[:-1]):
            visit(index, points[index + side])
        _fall_off(values, reached[-1], side)
    return values, points


def _fall_off(values: np.ndarray, last: int, side: int) -> None:
    """Points beyond the last one that was visited: ever less likely, and never inside an interval."""
    beyond = range(last + side, len(values) if side > 0 else -1, side)
    for number, index in enumerate(beyond, 1):
        values[index] = values[last] - number


def _cloud(data: Observations, link: Link, fit: CurveFit, size: int = 3000) -> np.ndarray:
    """Parameter vectors about the profile, to look for curves inside the likelihood region."""
    rng = rng_for(0, "band")
    limits = np.array(bounds(data))
    inside = fit.points[2 * (fit.log_likelihood - fit.profile) <= fit.cutoff]
    centres = np.concatenate([fit.theta[None], inside])[rng.integers(0, len(inside) + 1, size)]
    spread = np.array([0.05, 0.35, 0.02, 0.01, 0.5, 0.5])
    noise = rng.normal(size=(size, 6)) * spread * rng.uniform(0, 1.5, (size, 1))
    return np.asarray(np.clip(centres + noise, limits[:, 0], limits[:, 1]))
