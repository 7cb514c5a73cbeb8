"""The tail of the gamma distribution, held against SciPy's."""

import math

import numpy as np
import pytest

from ld50.scan.statistics import log_gamma_tail


@pytest.mark.parametrize("shape", [0.05, 0.5, 1.0, 3.7, 40.0, 4e3])
def test_the_gamma_tail_is_that_of_scipy(shape: float) -> None:
    from scipy.special import gammaincc

    at = np.concatenate([[0.0, 1e-9], shape + math.sqrt(shape) * np.linspace(-1, 30, 200)])
    at = np.maximum(at, 0.0)
    expected = np.log(np.maximum(gammaincc(shape, at), 1e-300))
    np.testing.assert_allclose(log_gamma_tail(shape, at), expected, atol=1e-9, rtol=1e-9)


def test_the_gamma_tail_falls_and_stays_finite_far_out() -> None:
    tail = log_gamma_tail(4.0, np.array([0.0, 5.0, 50.0, 5e3, 1e300]))
    assert tail[0] == 0
    assert (np.diff(tail) <= 0).all()
    assert np.isfinite(tail).all()
