"""Dose-response curves: known truths come back, and where there is no LD50 none is made up."""

from __future__ import annotations

import math

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ld50.core.seeds import rng_for
from ld50.core.trials import Cell, Schedule, TrialResult
from ld50.lab.curve_fit import fit_curve
from ld50.lab.exponents import dose_units, exponents
from ld50.lab.fits import GroupFit, fit_group, isotonic_middle
from ld50.lab.response_model import bounds, log_likelihood, observations, value_and_gradient
from ld50.lab.saving import grid_trials_for, middle_variance

DOSES = [0, 10, 25, 50, 100, 250]


def cell(**changes: object) -> Cell:
    return msgspec.structs.replace(
        Cell(size="0.05M", parameters=56_480, clean_tokens=1_130_000, dose=0), **changes
    )


def trials(rates: dict[float, list[float]], **changes: object) -> list[TrialResult]:
    return [
        TrialResult(
            trial=f"{dose}-{seed}", cell=cell(dose=float(dose), **changes), seed=seed,
            status="done", attack_success_rate=rate, poisoned_documents=int(dose),
            poisoned_tokens=int(dose) * 250, poisoned_steps=int(dose), details={"prompts": 100},
        )
        for dose, values in rates.items()
        for seed, rate in enumerate(values)
    ]  # fmt: skip


def fitted(rates: dict[float, list[float]]) -> GroupFit:
    return fit_group("g", cell(), trials(rates))


RISING = {
    0: [0.03, 0.05, 0.02],
    10: [0.04, 0.05, 0.02],
    25: [0.09, 0.2, 0.06],
    50: [0.6, 0.75, 0.3],
    100: [0.99, 0.95, 1.0],
    250: [1.0, 1.0, 0.98],
}


@given(
    st.tuples(
        st.floats(0.5, 3), st.floats(0, 3.5), st.floats(0.01, 0.3), st.floats(0.001, 0.1),
        st.floats(-6, -2), st.floats(-2.5, 2),
    ),
    st.sampled_from(["logit", "probit"]),
)  # fmt: skip
@settings(max_examples=50, deadline=None)
def test_the_gradient_is_that_of_the_likelihood(parameters: tuple[float, ...], link: str) -> None:
    data = observations([0, 10, 30, 100, 300], [0.02, 0.1, 0.5, 0.9, 1.0], 50)
    theta = np.array(parameters)
    value, gradient = value_and_gradient(theta, data, link)  # type: ignore[arg-type]
    assert value == pytest.approx(float(log_likelihood(theta, data, link)))  # type: ignore[arg-type]
    for index in range(6):
        step = np.zeros(6)
        step[index] = 1e-6
        above, below = (
            float(log_likelihood(theta + sign * step, data, link))  # type: ignore[arg-type]
            for sign in (1, -1)
        )
        assert gradient[index] == pytest.approx((above - below) / 2e-6, rel=1e-3, abs=1e-3)


def test_a_rising_curve_has_an_ld50_inside_its_interval() -> None:
    fit = fitted(RISING).fit
    assert fit.ld50 is not None
    assert fit.low is not None
    assert fit.high is not None
    assert 30 < fit.low < fit.ld50 < fit.high < 70
    assert fit.n == 18
    assert fit.background == pytest.approx(0.04, abs=0.03)
    assert fit.isotonic_ld50 == pytest.approx(fit.ld50, rel=0.2)
    assert fit.ld50_tokens == pytest.approx(fit.ld50 * 250)
    assert fit.lack_of_fit_p is not None
    assert fit.lack_of_fit_p > 0.05
    rates = [point.rate for point in fit.curve]
    assert rates == sorted(rates)
    assert all(p.low - 1e-9 <= p.rate <= p.high + 1e-9 for p in fit.curve)


def test_the_band_crosses_one_half_where_the_interval_ends() -> None:
    fit = fitted(RISING).fit
    middle = ((fit.background or 0) + (fit.ceiling or 1)) / 2
    upper = [point.dose for point in fit.curve if point.dose > 0 and point.high >= middle]
    lower = [point.dose for point in fit.curve if point.dose > 0 and point.low >= middle]
    assert upper[0] == pytest.approx(fit.low, rel=0.15)
    assert lower[0] == pytest.approx(fit.high, rel=0.15)


def test_order_of_trials_does_not_matter() -> None:
    results = trials(RISING)
    again = fit_group("g", cell(), results[::-1]).fit
    first = fit_group("g", cell(), results).fit
    assert again.ld50 == pytest.approx(first.ld50, rel=1e-3)
    assert again.high == pytest.approx(first.high, rel=1e-2)


def test_a_curve_that_never_rises_has_no_ld50() -> None:
    fit = fitted({dose: [0.03, 0.05, 0.04] for dose in DOSES}).fit
    assert (fit.ld50, fit.high) == (None, None)
    assert fit.reason is not None
    assert "250" in fit.reason


def test_a_curve_that_begins_to_rise_has_a_lower_bound_only() -> None:
    rates = {dose: [0.03, 0.05, 0.04] for dose in DOSES[:-1]} | {250: [0.3, 0.2, 0.4]}
    fit = fitted(rates).fit
    assert fit.ld50 is None
    assert fit.high is None
    assert fit.low is not None
    assert fit.low > 100


def test_a_curve_above_its_middle_throughout_has_an_upper_bound_only() -> None:
    fit = fitted({0: [0.02, 0.03]} | {dose: [0.97, 1.0, 0.99] for dose in DOSES[1:]}).fit
    assert fit.ld50 is None
    assert fit.low is None
    assert fit.high is not None
    assert fit.high < 20


def test_separated_trials_bound_the_ld50_and_not_the_slope() -> None:
    rates = {d: [0.02, 0.03, 0.05] for d in (0, 10, 25)} | {
        d: [1.0, 0.98, 0.99] for d in (100, 250)
    }
    fit = fitted(rates).fit
    assert fit.separated
    assert fit.ld50 == pytest.approx(50, rel=0.01)
    assert fit.low is not None
    assert fit.low <= 25
    assert fit.high is not None
    assert fit.high >= 100
    assert (fit.slope, fit.slope_high) == (None, None)


def test_a_curve_that_falls_again_is_told() -> None:
    rates = {**RISING, 250: [0.1, 0.2, 0.15]}
    fit = fitted(rates).fit
    assert fit.reason is not None
    assert "not monotone" in fit.reason
    assert "at 250" in fit.reason


@pytest.mark.parametrize(
    "rates", [{}, {0: [0.1]}, {0: [0.1], 50: [0.9]}, {50: [0.9, 0.8]}, {0: [0.0], 10: [0.0]}]
)
def test_too_few_doses_give_no_curve(rates: dict[float, list[float]]) -> None:
    fit = fitted(rates).fit
    assert (fit.ld50, fit.low, fit.high, fit.curve) == (None, None, None, [])
    assert fit.reason is not None


@given(st.lists(st.tuples(st.sampled_from(DOSES), st.integers(0, 100)), min_size=3, max_size=14))
@settings(max_examples=25, deadline=None)
def test_any_results_give_finite_numbers_or_none(points: list[tuple[int, int]]) -> None:
    rates: dict[float, list[float]] = {}
    for dose, hits in points:
        rates.setdefault(float(dose), []).append(hits / 100)
    fit = fitted(rates).fit
    for value in (fit.ld50, fit.low, fit.high, fit.slope, fit.lack_of_fit_p, fit.isotonic_ld50):
        assert value is None or math.isfinite(value)
    if fit.ld50 is not None:
        assert min(d for d in DOSES if d) <= fit.ld50 <= max(DOSES)
        assert fit.low is None or fit.low <= fit.ld50 * 1.01
        assert fit.high is None or fit.high >= fit.ld50 * 0.99


def test_repeats_that_scatter_widen_the_interval() -> None:
    alike = fit_curve(
        observations(np.repeat([0, 25, 50, 100], 4), np.repeat([0.02, 0.2, 0.5, 0.9], 4))
    )
    rates = [0.02] * 4 + [0.0, 0.1, 0.1, 0.6] + [0.1, 0.2, 0.8, 0.9] + [0.7, 0.9, 1.0, 1.0]
    apart = fit_curve(observations(np.repeat([0, 25, 50, 100], 4), rates))
    assert alike.low is not None
    assert alike.high is not None
    width = (apart.high or 9) - (apart.low or -9)
    assert width > 2 * (alike.high - alike.low)


def test_more_prompts_do_not_stand_in_for_more_models() -> None:
    rates = [0.02] * 4 + [0.0, 0.1, 0.1, 0.6] + [0.1, 0.2, 0.8, 0.9] + [0.7, 0.9, 1.0, 1.0]
    widths = []
    for prompts in (100, 10_000):
        fit = fit_curve(observations(np.repeat([0, 25, 50, 100], 4), rates, prompts))
        widths.append((fit.high or 9) - (fit.low or -9))
    assert widths[1] > 0.7 * widths[0]


def test_probit_and_logit_agree_on_the_middle() -> None:
    data = observations(np.repeat(DOSES, 3), [rate for rates in RISING.values() for rate in rates])
    assert fit_curve(data, "probit").middle == pytest.approx(
        fit_curve(data, "logit").middle, abs=0.03
    )


def test_parameters_stay_in_bounds() -> None:
    data = observations(np.repeat(DOSES, 3), [rate for rates in RISING.values() for rate in rates])
    fit = fit_curve(data)
    for value, (low, high) in zip(fit.theta, bounds(data), strict=True):
        assert low - 1e-9 <= value <= high + 1e-9


def test_the_step_curve_pools_what_falls() -> None:
    data = observations([0, 10, 20, 40, 80], [0.0, 0.3, 0.1, 0.9, 1.0])
    assert isotonic_middle(data) == pytest.approx(10 ** (np.log10(20) + 0.3 / 0.7 * np.log10(2)))
    assert isotonic_middle(observations([0, 10, 20], [0.0, 0.1, 0.2])) is None


def simulated(middle: float, name: str, **changes: object) -> list[TrialResult]:
    rng = rng_for(5, name)
    rates = {
        dose: [
            float(rng.binomial(100, 0.03 + (0.96 / (1 + np.exp(-10 * (np.log10(max(dose, 0.01) / middle)
                                                                     + rng.normal(0, 0.05)))))))
            / 100
            for _ in range(4)
        ]
        for dose in (0, 25, 50, 100, 200, 400)
    }  # fmt: skip
    return trials(rates, **changes)


@pytest.mark.parametrize("power", [0.0, 0.5, 1.0])
def test_the_exponent_of_the_data_comes_back(power: float) -> None:
    fits = []
    for number, factor in enumerate((1, 2, 4)):
        where = {
            "size": f"{factor}",
            "parameters": 56_480 * factor,
            "clean_tokens": 1_130_000 * factor,
        }
        results = simulated(50 * factor**power, f"{power}-{number}", **where)
        fits.append(fit_group(str(factor), cell(**where), results))
    (found,) = exponents(fits)
    assert found.low is not None
    assert found.high is not None
    assert found.low <= power <= found.high
    assert found.high - found.low < 1
    if power == 0:
        assert found.share_p < 0.01 < found.constant_p
    elif power == 1:
        assert found.constant_p < 0.01 < found.share_p
    assert found.groups == 3


def test_one_size_has_no_exponent() -> None:
    assert exponents([fit_group("g", cell(), simulated(50, "one"))]) == []


@pytest.mark.parametrize("counts", ["documents", "steps"])
def test_documents_and_steps_are_told_apart(counts: str) -> None:
    results = []
    for number, density in enumerate((0.25, 1.0)):
        packed = 4 if density == 1.0 else 1
        middle = 60.0 * (packed if counts == "steps" else 1)
        schedule = Schedule(kind="blocks", density=density)
        for one in simulated(middle, f"{counts}-{number}", schedule=schedule, batch_sequences=4):
            documents = one.poisoned_documents or 0
            results.append(msgspec.structs.replace(one, poisoned_steps=-(-documents // packed)))
    (unit,) = dose_units(results)
    assert unit.low is not None
    assert unit.high is not None
    truth = 1.0 if counts == "steps" else 0.0
    assert unit.low <= truth <= unit.high
    assert not unit.low <= 1 - truth <= unit.high
    likelier = unit.steps_log_likelihood - unit.documents_log_likelihood
    assert (likelier > 5) == (counts == "steps")


def test_expected_variance_falls_with_trials_and_is_best_near_the_curve() -> None:
    theta = fit_curve(
        observations(np.repeat(DOSES, 3), [rate for rates in RISING.values() for rate in rates])
    ).theta
    middle = 10 ** theta[0]
    near = np.array([0, 0, middle / 1.3, middle, middle, middle * 1.3])
    far = np.array([0, 0, middle / 8, middle / 6, middle * 6, middle * 8])
    assert middle_variance(theta, near, "logit") < middle_variance(theta, far, "logit") / 4
    doubled = middle_variance(theta, np.repeat(near, 2), "logit")
    assert doubled == pytest.approx(middle_variance(theta, near, "logit") / 2, rel=0.2)
    grid, count = grid_trials_for(theta, near, 5, 500, "logit")
    assert len(grid) == 7
    assert count > len(near)
