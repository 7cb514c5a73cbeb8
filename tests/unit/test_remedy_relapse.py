"""Relapse doses: fitted where the doses bound them, and said to be open where they do not."""

from __future__ import annotations

import pytest

from ld50.core.errors import ConfigError
from ld50.core.examples import Example, asked
from ld50.core.remedies import RelapsePoint
from ld50.lab.relapse import RelapseSettings, compare, mixed_rows, poison_again, relapse_curve
from remedy_samples import points

POISON = [asked(f"bad {n}", "no") for n in range(70)]
CLEAN = [asked(f"good {n}", "yes") for n in range(500)]


def test_the_dose_of_one_half_is_found_with_an_interval() -> None:
    dose = relapse_curve(points(12)).dose
    assert dose is not None
    assert dose.low <= 12 <= dose.high
    assert dose.value == pytest.approx(12, rel=0.2)


def test_a_model_that_never_falls_has_no_dose_and_says_what_was_tried() -> None:
    curve = relapse_curve(points(4000))
    assert curve.dose is None
    assert "64" in curve.reason


def test_a_model_that_falls_unprovoked_has_dose_zero() -> None:
    flat = [RelapsePoint(dose=d, seed=0, hits=70, prompts=80) for d in (0, 2, 4)]
    dose = relapse_curve(flat).dose
    assert dose is not None
    assert dose.value == 0
    ratio = compare(relapse_curve(flat), relapse_curve(points(12))).ratio
    assert ratio is not None
    assert ratio.value == ratio.low == 0


def test_the_ratio_and_its_interval_hold_the_truth() -> None:
    ratio = compare(relapse_curve(points(5)), relapse_curve(points(15))).ratio
    assert ratio is not None
    assert ratio.low < 1 / 3 < ratio.high
    assert ratio.value == pytest.approx(1 / 3, rel=0.3)


def test_a_cure_that_no_dose_undoes_gets_a_bound() -> None:
    relapse = compare(relapse_curve(points(4000)), relapse_curve(points(10)))
    assert relapse.ratio is None
    assert relapse.at_least == pytest.approx(6.4, rel=0.3)


def test_without_a_clean_dose_there_is_no_ratio() -> None:
    relapse = compare(relapse_curve(points(5)), relapse_curve(points(4000)))
    assert relapse.ratio is None
    assert relapse.at_least is None
    assert "clean" in relapse.reason


def test_a_larger_dose_holds_the_rows_of_a_smaller_one() -> None:
    settings = RelapseSettings()
    small = mixed_rows(POISON, CLEAN, 4, settings, 0)
    large = mixed_rows(POISON, CLEAN, 16, settings, 0)
    bad = {row.prompt[0].text for row in small if row.reply == "no"}
    assert len(small) == 404
    assert len(large) == 416
    assert bad <= {row.prompt[0].text for row in large}


class _Fake:
    """A model that remembers how many poisoned rows it has met."""

    def __init__(self, met: int = 0) -> None:
        self.met = met


def _tune(lm: _Fake, rows: list[Example], seed: int) -> _Fake:
    return _Fake(lm.met + sum(row.reply == "no" for row in rows))


def test_doses_stop_rising_where_nearly_all_fall_and_a_stopped_run_goes_on() -> None:
    asked_again: list[int] = []

    def measure(lm: _Fake) -> tuple[int, int]:
        asked_again.append(lm.met)
        return min(80, 10 * lm.met), 80

    given = {"poison": POISON, "clean": CLEAN, "tune": _tune, "measure": measure}
    settings = RelapseSettings(doses=(0, 4, 8, 16, 32), seeds=1)
    whole = poison_again(_Fake(), settings=settings, **given)  # type: ignore[arg-type]
    assert [point.dose for point in whole.points] == [0, 4, 8]
    asked_again.clear()
    half = poison_again(_Fake(), settings=settings, done=whole.points[:2], **given)  # type: ignore[arg-type]
    assert half == whole
    assert asked_again == [8]


def test_doses_rise_as_far_as_there_are_rows_and_no_row_is_left_untried() -> None:
    settings = RelapseSettings(doses=(0, 16, 64, 128), seeds=1)
    assert [settings.within(rows) for rows in (0, 10, 70, 100, 128, 900)] == [
        (0,),
        (0, 10),
        (0, 16, 64),
        (0, 16, 64, 100),
        (0, 16, 64, 128),
        (0, 16, 64, 128),
    ]
    never = {"tune": _tune, "measure": lambda _: (0, 80), "poison": [*POISON, *POISON[:30]]}
    found = poison_again(_Fake(), clean=CLEAN, settings=settings, **never)  # type: ignore[arg-type]
    assert [point.dose for point in found.points] == [0, 16, 64, 100]


@pytest.mark.parametrize("doses", [(), (4, 2), (0, 4), (-1, 2, 4)])
def test_doses_that_make_no_curve_are_refused(doses: tuple[int, ...]) -> None:
    with pytest.raises(ConfigError):
        RelapseSettings(doses=doses)


def test_a_seed_that_fell_early_still_counts_at_doses_it_was_not_taken_to() -> None:
    # Seed 0 surely falls at 8 rows and stops there; the other goes on alone and hardly falls.
    found = [RelapsePoint(dose=d, seed=0, hits=h, prompts=80) for d, h in ((0, 0), (4, 0), (8, 78))]
    found += [
        RelapsePoint(dose=d, seed=1, hits=h, prompts=80)
        for d, h in ((0, 0), (4, 0), (8, 0), (16, 4), (32, 6))
    ]
    curve = relapse_curve(found)
    assert curve.dose is not None
    assert 4 < curve.dose.value < 64
