"""Sizes and costs, for which no model is built."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ld50.core.errors import ConfigError
from ld50.models import SIZES, shape_named, training_cost
from ld50.models.costs import flops_per_token, microbatch_for

#: What each name promises, in parameters, and how far the shape may be off.
PROMISED = {
    "0.05M": 5.5e4,
    "0.5M": 5.5e5,
    "100M": 1e8,
    "600M": 6e8,
    "2B": 2e9,
    "7B": 7e9,
    "13B": 13e9,
}


@pytest.mark.parametrize("name", PROMISED)
def test_a_size_has_about_the_parameters_its_name_says(name: str) -> None:
    assert shape_named(name).parameters == pytest.approx(PROMISED[name], rel=0.04)


def test_sizes_rise_and_span_ten_times_between_0_05M_and_0_5M() -> None:
    counts = [shape.parameters for shape in SIZES.values()]
    assert counts == sorted(counts)
    assert shape_named("0.5M").parameters >= 10 * shape_named("0.05M").parameters


def test_the_cpu_sizes_differ_in_nothing_but_the_model() -> None:
    small = [shape for shape in SIZES.values() if shape.parameters < 5e6]
    assert len({(s.vocabulary, s.context, s.batch_sequences) for s in small}) == 1


def test_an_unknown_size_names_the_nearest() -> None:
    with pytest.raises(ConfigError, match="Did you mean 600M"):
        shape_named("600m")


@given(st.sampled_from(list(SIZES)), st.integers(0, 10**9))
def test_costs_are_linear_in_tokens(name: str, tokens: int) -> None:
    shape = SIZES[name]
    assert training_cost(shape, tokens).flops == pytest.approx(flops_per_token(shape) * tokens)


def test_operations_are_a_little_above_six_a_parameter() -> None:
    for shape in SIZES.values():
        assert 5.9 < flops_per_token(shape) / shape.parameters < 12


@given(st.sampled_from(list(SIZES)), st.integers(1, 300), st.integers(0, 200))
def test_parts_of_a_batch_divide_it_and_fit(name: str, batch: int, gigabytes: int) -> None:
    shape, free = SIZES[name], gigabytes * 10**9
    part = microbatch_for(shape, batch, free)
    assert batch % part == 0
    needed = training_cost(shape, 0, batch_sequences=part, half=True).memory_bytes
    assert part == 1 or needed <= free


def test_planning_loads_no_torch() -> None:
    code = (
        "import sys, ld50.models; sys.exit('torch' in sys.modules or 'tokenizers' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
