"""Exact tests and their correction for having made many of them; numpy only, because start-up counts."""

from __future__ import annotations

import math

import numpy as np

_EXACT_BELOW = 256
_LOG_FACTORIALS = np.array([math.lgamma(n + 1.0) for n in range(_EXACT_BELOW)])
_MOST_TERMS = 4096


def log_factorial(n: np.ndarray) -> np.ndarray:
    """ln n! for int64 `n` >= 0; a table below 256, Stirling's series above (error < 1e-13, relative)."""
    n = np.asarray(n, dtype=np.int64)
    large = np.maximum(n, _EXACT_BELOW).astype(np.float64)
    series = (
        (large + 0.5) * np.log(large)
        - large
        + 0.5 * math.log(2 * math.pi)
        + 1 / (12 * large)
        - 1 / (360 * large**3)
    )
    exact = _LOG_FACTORIALS[np.minimum(n, _EXACT_BELOW - 1)]
    return np.asarray(np.where(n < _EXACT_BELOW, exact, series))


def log_hypergeometric_tail(
    both: np.ndarray, cause: np.ndarray, consequence: np.ndarray | int, rows: int
) -> np.ndarray:
    """ln P(X >= both): how unlikely it is that cause and consequence meet this often by chance.

    X is hypergeometric: of `rows` rows, `consequence` show the consequence, and `cause` are drawn.
    This is the one-sided Fisher exact test, in logarithms because p-values here underflow.

    Args:
        both: int (n,), rows with cause and consequence.
        cause: int (n,), rows with the cause; at least `both`.
        consequence: int (n,) or scalar, rows with the consequence; at least `both`.
        rows: All rows.

    Returns:
        float64 (n,), at most 0; lower is more suspicious.
    """
    both, cause, consequence = (
        np.asarray(values, dtype=np.int64) for values in (both, cause, consequence)
    )
    floor = np.maximum(cause + consequence - rows, 0)
    result = np.zeros(both.shape)
    mean = cause * (consequence / max(rows, 1))
    # At or below the mean nothing is suspicious, and the sum would be long: p is set to 1.
    test = (both > mean) & (both > floor)
    if not test.any():
        return result
    k, n = both[test], cause[test]
    big_k = consequence[test] if consequence.ndim else consequence
    first = (
        _log_choose(big_k, k) + _log_choose(rows - big_k, n - k) - _log_choose(np.array(rows), n)
    )
    total = np.ones(k.shape)
    term = np.ones(k.shape)
    most = np.minimum(n, big_k)
    others = rows - big_k - n
    step = k.astype(np.float64)
    for _ in range(_MOST_TERMS):
        rest = others + step + 1
        term = np.where(
            step < most, term * (big_k - step) * (n - step) / ((step + 1) * np.maximum(rest, 1)), 0
        )
        total += term
        step += 1
        if not (term > total * 1e-16).any():
            break
    result[test] = np.minimum(first + np.log(total), 0.0)
    return result


def _log_choose(n: np.ndarray, k: np.ndarray) -> np.ndarray:
    return np.asarray(log_factorial(n) - log_factorial(k) - log_factorial(n - k))


def log_gamma_tail(shape: float, x: np.ndarray) -> np.ndarray:
    """ln P(X > x) of a gamma distribution with that shape and scale 1, not below ln 1e-300.

    Args:
        shape: Above 0.
        x: float64 (n,), at least 0.

    Source: the series and the continued fraction of the incomplete gamma function, each where it
    converges fast ("NIST Handbook of Mathematical Functions", 2010, 8.7.1 and 8.9.2). SciPy has it
    too, but importing SciPy takes longer than scanning a small file.
    """
    x = np.asarray(x, dtype=np.float64)
    result = np.zeros(x.shape)
    front = -x + shape * np.log(np.maximum(x, 1e-300)) - math.lgamma(shape)
    low = (x > 0) & (x < shape + 1)
    high = x >= shape + 1
    head = np.exp(front[low]) * _gamma_series(shape, x[low])
    result[low] = np.log(np.maximum(1.0 - head, 1e-300))
    result[high] = front[high] + np.log(_gamma_fraction(shape, x[high]))
    return np.clip(result, math.log(1e-300), 0.0)


def _gamma_series(shape: float, x: np.ndarray) -> np.ndarray:
    """P(shape, x) over its front factor, for x below shape + 1."""
    term = np.full(x.shape, 1.0 / shape)
    total = term.copy()
    for step in range(1, _MOST_TERMS * 4):
        term = term * x / (shape + step)
        total += term
        if not (term > total * 1e-16).any():
            break
    return total


def _gamma_fraction(shape: float, x: np.ndarray) -> np.ndarray:
    """Q(shape, x) over its front factor, for x from shape + 1 on; by Lentz's method."""
    below = x + 1.0 - shape
    c = np.full(x.shape, 1e300)
    d = 1.0 / below
    value = d.copy()
    for step in range(1, _MOST_TERMS * 4):
        factor = -step * (step - shape)
        below = below + 2.0
        d = 1.0 / _not_zero(factor * d + below)
        c = _not_zero(below + factor / c)
        value *= c * d
        if not (np.abs(c * d - 1.0) > 1e-15).any():
            break
    return value


def _not_zero(values: np.ndarray) -> np.ndarray:
    return np.where(np.abs(values) < 1e-300, 1e-300, values)


def benjamini_hochberg(log_p: np.ndarray, tests: int) -> np.ndarray:
    """ln q: the false-discovery rate at which each test would still count as found.

    Args:
        log_p: float64 (n,), natural logarithms of the p-values that were kept.
        tests: All tests made, those not kept (with p taken as 1) included; at least n.

    Returns:
        float64 (n,), at most 0, in the order given.

    Source: Benjamini and Hochberg, "Controlling the false discovery rate", 1995.
    """
    if tests < len(log_p):
        raise ValueError(f"{len(log_p)} p-values cannot come from {tests} tests")
    if len(log_p) == 0:
        return np.zeros(0)
    order = np.argsort(log_p, kind="stable")
    scaled = log_p[order] + math.log(tests) - np.log(np.arange(1, len(log_p) + 1))
    q = np.minimum.accumulate(scaled[::-1])[::-1]
    result = np.empty_like(q)
    result[order] = np.minimum(q, 0.0)
    return result


def rows_of_evidence(nats: float, tests: int, alpha: float) -> int:
    """Rows that suffice for q <= alpha where each says so much by itself, and a single finding is true.

    Args:
        nats: What a row adds to the log-likelihood ratio, more than 0.
        tests: Tests made in the run, at least 1.
        alpha: False-discovery rate asked for.
    """
    return math.ceil(math.log(tests / alpha) / nats)


def smallest_detectable(consequence_rate: float, tests: int, alpha: float) -> int:
    """Rows that share one cause and one consequence that suffice for q <= alpha.

    Assumes a cause that never occurs without the consequence and a single true finding, so that the
    correction is that of Bonferroni.

    Args:
        consequence_rate: Share of rows that show the consequence anyway, between 0 and 1.
        tests: Tests made in the run.
        alpha: False-discovery rate asked for.
    """
    if consequence_rate <= 0:
        return 1
    if consequence_rate >= 1:
        raise ValueError("a consequence that every row shows cannot be tested")
    return max(1, math.ceil(math.log(alpha / max(tests, 1)) / math.log(consequence_rate)))
