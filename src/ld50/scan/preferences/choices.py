"""Which reply of a pair the rest of the set would choose: a linear model that never saw the pair.

A set of preferences is made by some taste: longer or shorter, polite, to the point, not cut. Pairs whose
order was exchanged go against it. No single pair shows that, for taste is loose; those of one cause together
do.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from ld50.corpus import Plan
from ld50.scan.labels.evidence import calibrated_slope
from ld50.scan.labels.model import fit_logistic
from ld50.scan.preferences.features import COLUMNS, MANNERS, Differences, differences
from ld50.scan.preferences.reading import read_pairs
from ld50.scan.sampling import uniform

if TYPE_CHECKING:
    import scipy.sparse

_FOLDS = 4
_RIDGE = 0.3
#: Bytes of text that the model is fitted to, about; of more, pairs are sampled.
_FIT_BYTES = 16 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """Pairs, and how the rest of the set sees them."""

    rows: np.ndarray = field(repr=False)
    """int64 (n,), rising: ordinals of the pairs of two different replies."""
    log_odds: np.ndarray = field(repr=False)
    """float64 (n,): that the chosen reply is the one to choose, by a model that did not see the pair."""

    @property
    def accuracy(self) -> float:
        """Share of the pairs that the model would have chosen as they were; one half is a guess."""
        return float((self.log_odds > 0).mean()) if len(self.rows) else 0.5


def study_choices(plan: Plan, first_row: np.ndarray, text_bytes: int) -> Choices:
    """All pairs of a plan, each judged by a model that was fitted to others.

    Args:
        plan: What is read.
        first_row: int64 (units + 1,): ordinal of each unit's first row.
        text_bytes: Of all prompts and chosen replies; tells whether pairs have to be sampled.
    """
    share = min(_FIT_BYTES / max(2 * text_bytes, 1), 1.0)
    held = list(_all_differences(plan, first_row, share))
    if not held:
        return Choices(rows=np.zeros(0, dtype=np.int64), log_odds=np.zeros(0))
    model = _Model.of([some for _, some in held])
    if share < 1:
        held.clear()
    pairs = held or _all_differences(plan, first_row, 1.0)
    judged = [(rows, *model.judge(some)) for rows, some in pairs]
    rows, score, differ = (np.concatenate(part) for part in zip(*judged, strict=True))
    turns = np.where(np.arange(len(score)) % 2, -1.0, 1.0)
    slope = calibrated_slope((score * turns)[differ], turns[differ] > 0, 0.0)
    return Choices(rows=rows[differ], log_odds=slope * score[differ])


def _all_differences(
    plan: Plan, first_row: np.ndarray, share: float
) -> Iterator[tuple[np.ndarray, Differences]]:
    """Rows (int64) and features of about such a share of all pairs."""
    for batch in read_pairs(plan, first_row):
        chosen = batch if share == 1 else batch.only(uniform(batch.rows) < share)
        if len(chosen):
            yield chosen.rows, differences(chosen.prompts, chosen.chosen, chosen.rejected)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Model:
    """One linear model a fold, none of which saw the prompts of that fold."""

    weight: np.ndarray
    """float32 (COLUMNS,): what features are multiplied by."""
    coefficients: np.ndarray
    """float32 (COLUMNS, folds)."""

    @classmethod
    def of(cls, parts: list[Differences]) -> _Model:
        """Fitted to these pairs, each taken the right way round and the other way by turns."""
        import scipy.sparse

        matrix = scipy.sparse.vstack([part.matrix for part in parts], format="csr")
        fold = _folds(np.concatenate([part.prompt for part in parts]))
        weight = _weights(matrix)
        turns = np.where(np.arange(len(fold)) % 2, -1.0, 1.0).astype(np.float32)
        matrix = _scaled(matrix, weight, turns)
        target = np.repeat((turns > 0).astype(np.float32)[:, None], _FOLDS, axis=1)
        outside = (fold[:, None] != np.arange(_FOLDS)[None, :]).astype(np.float32)
        coefficients, _ = fit_logistic(matrix, target, outside, _RIDGE, free_bias=False)
        return cls(weight=weight, coefficients=coefficients)

    def judge(self, some: Differences) -> tuple[np.ndarray, np.ndarray]:
        """Score of each pair (float64), and whether its replies differ at all (bool)."""
        scores = _scaled(some.matrix, self.weight) @ self.coefficients
        own = scores[np.arange(len(scores)), _folds(some.prompt)].astype(np.float64)
        return own, own != 0


def _folds(prompt: np.ndarray) -> np.ndarray:
    return np.asarray(((prompt >> np.uint64(32)) % np.uint64(_FOLDS)).astype(np.int64))


def _weights(matrix: scipy.sparse.csr_array) -> np.ndarray:
    """float32 (COLUMNS,): more for what is rare, so that words of grammar do not drown the others."""
    rows = matrix.shape[0]
    held = np.bincount(matrix.indices, minlength=COLUMNS)
    weight = np.log((rows + 1) / (held + 1.0)) + 1.0
    dense = np.arange(COLUMNS - MANNERS, COLUMNS)
    spread = np.sqrt(np.asarray(matrix[:, dense].multiply(matrix[:, dense]).mean(axis=0))).reshape(
        -1
    )
    weight[dense] = 1 / np.maximum(spread, 1e-6)
    # What stands in one pair says nothing of others.
    weight[held < 2] = 0
    return np.asarray(weight.astype(np.float32))


def _scaled(
    matrix: scipy.sparse.csr_array, weight: np.ndarray, turns: np.ndarray | None = None
) -> scipy.sparse.csr_array:
    import scipy.sparse

    data = matrix.data * weight[matrix.indices]
    if turns is not None:
        data = data * np.repeat(turns, np.diff(matrix.indptr))
    return scipy.sparse.csr_array((data, matrix.indices, matrix.indptr), shape=matrix.shape)
