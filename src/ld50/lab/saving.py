"""What choosing doses on the way saves: the trials that a fixed grid needs for the same width."""

from __future__ import annotations

import math

import numpy as np

from ld50.lab.response_model import (
    BACKGROUND,
    LAPSE,
    LOG_SLOPE,
    MIDDLE,
    USUAL_PROMPTS,
    Link,
    mean_rate,
    rate_variance,
)

#: Doses above 0 of the grid that is compared with.
GRID_DOSES = 6


def grid_over(low: float, high: float, count: int = GRID_DOSES) -> list[float]:
    """Doses for somebody who knows the range and nothing else: 0, and steps of equal ratio."""
    return [0.0, *(float(round(dose)) for dose in np.geomspace(low, high, count))]


def middle_variance(
    theta: np.ndarray, doses: np.ndarray, link: Link, prompts: int = USUAL_PROMPTS
) -> float:
    """Expected variance of log10 LD50 from one trial at each of these doses.

    From the quasi-likelihood information: how the mean moves with each parameter, over the variance
    of a trial. Infinite where the doses do not bound the parameters.
    """
    with np.errstate(divide="ignore"):
        logs = np.log10(np.asarray(doses, dtype=float))
    variance = rate_variance(theta, logs, prompts, link)
    columns = []
    for index in (MIDDLE, LOG_SLOPE, BACKGROUND, LAPSE):
        step = np.zeros(6)
        step[index] = 1e-5
        rise = mean_rate(theta + step, logs, link) - mean_rate(theta - step, logs, link)
        columns.append(rise / 2e-5)
    jacobian = np.array(columns)
    information = (jacobian / variance) @ jacobian.T
    # Plateaus are known to about 0.03 beforehand; without it, a design without controls has no end.
    information += np.diag([1e-9, 1e-2, 1e3, 1e3])
    try:
        return float(np.linalg.inv(information)[0, 0])
    except np.linalg.LinAlgError:
        return math.inf


def grid_trials_for(
    theta: np.ndarray, doses: np.ndarray, low: float, high: float, link: Link
) -> tuple[list[float], int]:
    """(grid doses, trials) of the smallest fixed grid that expects at most the same variance.

    Args:
        theta: The curve that holds, e.g. as fitted.
        doses: Doses of the trials that were spent.
        low: Smallest dose of the grid above 0.
        high: Largest.
        link: Shape of the curve.
    """
    grid = grid_over(low, high)
    spent = middle_variance(theta, doses, link)
    for repeats in range(1, 1001):
        if middle_variance(theta, np.repeat(grid, repeats), link) <= spent * (1 + 1e-9):
            break
    return grid, repeats * len(grid)
