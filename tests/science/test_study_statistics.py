"""Claims about the statistics of a study, each against simulated studies whose truth is known.

The simulated trials are not the model that is fitted: each seed has a threshold of its own, and its
success rate scatters on the plateaus as well.
"""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from ld50.core.seeds import rng_for
from ld50.core.trials import TrialResult
from ld50.lab.agenda import Agenda
from ld50.lab.curve_fit import CurveFit, fit_curve
from ld50.lab.exponents import exponents
from ld50.lab.fits import fit_group
from ld50.lab.groups import by_group
from ld50.lab.response_model import observations, trial_observations
from ld50.lab.saving import grid_trials_for
from ld50.lab.study import AdaptiveDoses, Grid, Study
from study_fakes import fake_result

DOSES = [0, 10, 25, 50, 100, 250]


def rates(
    doses: np.ndarray, rng: np.random.Generator, *, middle: float, slope: float, scatter: float
) -> np.ndarray:
    """Success rates of trials over 100 prompts each."""
    own = np.log10(middle) + rng.normal(0, scatter, len(doses))
    with np.errstate(divide="ignore"):
        mean = 0.04 + 0.94 / (1 + np.exp(-slope * (np.log10(doses) - own)))
    drawn = np.clip(rng.beta(mean * 60, (1 - mean) * 60), 0, 1)
    return np.asarray(rng.binomial(100, drawn) / 100)


def fits(studies: int, seeds: int, **truth: float) -> list[CurveFit]:
    doses = np.repeat(DOSES, seeds).astype(float)
    made = []
    for number in range(studies):
        rng = rng_for(number, "coverage", str(sorted(truth.items())))
        made.append(fit_curve(observations(doses, rates(doses, rng, **truth))))
    return made


@pytest.mark.slow
@pytest.mark.parametrize(
    ("seeds", "slope", "scatter", "middle"),
    [(3, 10, 0.08, 50), (3, 40, 0.2, 50), (3, 25, 0.05, 70), (5, 40, 0.2, 70), (5, 5, 0.1, 70)],
)
def test_intervals_cover_the_truth_and_estimates_are_not_biased(
    seeds: int, slope: float, scatter: float, middle: float
) -> None:
    """Of 95% intervals, at least 95% less two standard errors hold the LD50, with three seeds too."""
    studies = 40
    made = fits(studies, seeds, slope=slope, scatter=scatter, middle=middle)
    truth = np.log10(middle)
    held = [
        (one.low is None or one.low <= truth) and (one.high is None or truth <= one.high)
        for one in made
    ]
    assert np.mean(held) >= 0.95 - 2 * np.sqrt(0.95 * 0.05 / studies)
    middles = np.array([one.middle for one in made])
    assert abs(middles.mean() - truth) < 3 * middles.std() / np.sqrt(studies) + 0.01


@pytest.mark.slow
def test_chi_squared_would_promise_too_much() -> None:
    """The reason for the wider cutoff: with 3.84 too few intervals hold the truth."""
    truth = np.log10(50)
    made = fits(40, 3, slope=40, scatter=0.2, middle=50)
    deviance = [
        2 * (one.log_likelihood - np.interp(truth, one.profile_at, one.profile)) for one in made
    ]
    assert np.mean(np.array(deviance) <= 3.84) < 0.88


@pytest.mark.slow
def test_the_exponent_of_a_constant_count_covers_zero_and_excludes_one() -> None:
    study = Study(
        name="x",
        grid=[
            Grid(size=["0.05M", "0.1M"], dose=[0, 25, 50, 100, 250], seeds=5),
            Grid(size=["0.5M"], dose=[0, 25, 50, 100, 250], seeds=3),
        ],
    )
    held, excluded, studies = 0, 0, 20
    for number in range(studies):
        results = [fake_result(trial, middle=45, seed=number) for trial in study.fixed_trials()]
        made = [fit_group(str(n), c, m) for n, (c, m) in enumerate(by_group(results).items())]
        (found,) = exponents(made)
        low, high = found.low or -9.0, 9.0 if found.high is None else found.high
        held += low <= 0 <= high
        excluded += high < 1
    assert held >= 17
    assert excluded >= 18


def run_adaptive(study: Study, number: int, middle: float) -> list[TrialResult]:
    agenda, done = Agenda(study, {}), []
    while (trial := agenda.next()) is not None:
        done.append(fake_result(trial, middle=middle, seed=number))
        agenda.record(done[-1])
    return done


@pytest.mark.slow
def test_adaptive_doses_give_a_grids_width_in_fewer_trials() -> None:
    """The trials that are said to be saved really are: a grid of that many is no narrower."""
    low, high, truth = 5.0, 500.0, 40.0
    doses = AdaptiveDoses(low=low, high=high, trials=14)
    study = Study(name="a", grid=[Grid(size=["0.05M"], dose=doses)])
    cell = study.arms()[0].cell
    widths, grid_widths, saved, held = [], [], [], 0
    for number in range(20):
        results = run_adaptive(study, number, truth)
        assert len(results) == 14
        data = trial_observations(results)
        fit = fit_curve(data)
        grid, count = grid_trials_for(fit.theta, data.dose, low, high, "logit")
        saved.append(count - len(results))
        trials = Study(name="g", grid=[Grid(size=["0.05M"], dose=grid, seeds=count // len(grid))])
        same = [fake_result(t, middle=truth, seed=1000 + number) for t in trials.fixed_trials()]
        other = fit_group("g", cell, same).curve
        assert other is not None
        widths.append(_width(fit))
        grid_widths.append(_width(other))
        held += (fit.low or -9) <= np.log10(truth) <= (fit.high or 9)
    assert np.median(saved) >= 7
    assert np.median(widths) < 1.3 * np.median(grid_widths)
    assert held >= 17


@pytest.mark.slow
def test_up_and_down_stops_by_itself_near_the_ld50() -> None:
    """OECD 425 with one trial at a time: some ten trials, and the last doses bracket the truth."""
    doses = AdaptiveDoses(design="up-and-down", low=2, high=2000, trials=30, controls=2, start=10)
    study = Study(name="a", grid=[Grid(size=["0.05M"], dose=doses)])
    for number in range(10):
        results = run_adaptive(study, number, 80)
        assert 8 <= len(results) <= 20
        last = [one.cell.dose for one in results[-4:]]
        assert min(last) / 2 < 80 < max(last) * 2


def _width(fit: CurveFit) -> float:
    return (9.0 if fit.high is None else fit.high) - (-9.0 if fit.low is None else fit.low)


def test_a_control_arm_alone_gives_chance() -> None:
    """Dose zero gives no curve and no LD50, whatever its seeds do."""
    study = Study(name="a", grid=[Grid(size=["0.05M"], dose=[0.0, 10.0, 20.0], seeds=4)])
    results = [
        msgspec.structs.replace(fake_result(t), attack_success_rate=0.02 * (t.seed % 3))
        for t in study.fixed_trials()
    ]
    ((cell, members),) = by_group(results).items()
    fit = fit_group("g", cell, members).fit
    assert fit.ld50 is None
    assert fit.reason is not None
