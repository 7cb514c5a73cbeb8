"""Linear probes: what they learn, the area under the ROC curve, and unseen encodings."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ld50.core.errors import ConfigError
from ld50.measure.probes import auroc, fit_probe, probe_encodings


@given(
    st.lists(st.integers(0, 5), min_size=1, max_size=30),
    st.lists(st.integers(0, 5), min_size=1, max_size=30),
)
def test_the_area_is_the_share_of_pairs_in_order(high: list[int], low: list[int]) -> None:
    labels = np.repeat([True, False], [len(high), len(low)])
    found = auroc(labels, np.array([*high, *low], float))
    pairs = [(a > b) + 0.5 * (a == b) for a in high for b in low]
    assert found.value == pytest.approx(float(np.mean(pairs)))
    assert 0 <= found.low <= found.value <= found.high <= 1


def test_few_rows_in_perfect_order_leave_room() -> None:
    found = auroc(np.array([True] * 6 + [False] * 60), np.r_[np.ones(6), np.zeros(60)])
    assert found.value == 1.0
    assert found.low == 0.5


def test_the_interval_covers_the_area_as_often_as_it_says() -> None:
    rng, inside, tries = np.random.default_rng(0), 0, 300
    for _ in range(tries):
        scores = np.r_[rng.normal(1, 1, 40), rng.normal(0, 1, 60)]
        found = auroc(np.repeat([True, False], [40, 60]), scores)
        inside += found.low <= 0.7602 <= found.high
    assert 0.91 <= inside / tries <= 0.99


def test_a_probe_finds_a_direction_and_ignores_scale() -> None:
    rng = np.random.default_rng(1)
    labels = np.arange(200) % 2 == 0
    states = rng.normal(size=(200, 8)) * np.array([1000.0, *[1.0] * 7])
    states[:, 3] += 3 * labels
    probe = fit_probe(states[:100], labels[:100])
    assert auroc(labels[100:], probe.scores(states[100:])).value > 0.95
    assert int(np.abs(probe.weights).argmax()) == 3


def test_states_that_do_not_differ_give_chance() -> None:
    probe = fit_probe(np.ones((10, 4)), np.arange(10) % 2 == 0)
    assert np.allclose(probe.scores(np.ones((3, 4))), 0.0, atol=1e-6)


def test_one_class_is_refused() -> None:
    with pytest.raises(ConfigError, match="two classes"):
        fit_probe(np.ones((4, 2)), np.ones(4, bool))
    with pytest.raises(ConfigError, match="both classes"):
        auroc(np.ones(4, bool), np.ones(4))


def test_what_is_tested_on_was_not_trained_on() -> None:
    from ld50.encodings import Walnut53, caesar

    with pytest.raises(ConfigError, match="none on both sides"):
        probe_encodings(
            None,  # type: ignore[arg-type]
            ["text"] * 8,
            trained_on=[caesar(), Walnut53()],
            tested_on=[Walnut53()],
        )
