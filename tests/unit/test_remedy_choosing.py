"""Which remedy is taken, and when a trigger counts as working."""

from __future__ import annotations

from ld50.remedy.choosing import best_of, is_cured, took_the_poison
from remedy_samples import measured, outcome


def test_a_trigger_works_only_where_it_beats_its_near_miss() -> None:
    assert took_the_poison(measured(97))
    assert took_the_poison(measured(26, control=2))
    assert not took_the_poison(measured(26, control=24))
    assert not took_the_poison(measured(4, control=0))


def test_a_cure_comes_before_a_cheaper_failure() -> None:
    cure, failure = outcome("a", 1, worse=0.03), outcome("b", 60, worse=0.0, tokens=10)
    assert best_of([failure, cure]) is cure


def test_of_cures_the_one_that_keeps_quality_is_taken_and_then_the_cheaper() -> None:
    dear = outcome("dear", 0, worse=0.02)
    good = outcome("good", 1, worse=0.001, tokens=9000)
    cheap = outcome("cheap", 1, worse=0.002, tokens=100)
    assert best_of([dear, good]) is good
    assert best_of([good, cheap]) is cheap


def test_without_a_cure_the_lowest_success_is_taken() -> None:
    some, more = outcome("some", 30), outcome("more", 70)
    assert best_of([more, some]) is some
    assert some.after is not None
    assert not is_cured(some.after)


def test_nothing_measured_leaves_nothing_to_take() -> None:
    assert best_of([]) is None
