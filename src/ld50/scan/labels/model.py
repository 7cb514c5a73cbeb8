"""What the words of a row say about its label: a linear model that can be taken apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from ld50.scan.labels.tokens import Tokens

if TYPE_CHECKING:
    import scipy.sparse

_NEWTON_STEPS = 5
_CONJUGATE_STEPS = 6
#: Least log-ratio of a feature that counts.
_FAINTEST = 0.1
#: Less than any score that makes a difference: the exponential of more has no float32.
_LEAST_SCORE = -80.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Features:
    """Where the features of the model (words, and pairs of adjacent words) stand in the tokens."""

    word: np.ndarray
    """int32 (t,): feature of each token where its word stands first in its row, else -1."""
    pair: np.ndarray
    """int32 (t,): feature of the pair that begins at each token, likewise."""
    weight: np.ndarray
    """float32 (features,): inverse document frequency."""
    norm: np.ndarray
    """float32 (n,): what the values of a row are multiplied by, so that their squares sum to 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutOfFold:
    """Linear models, one a label and fold, none of which saw the rows that it judges."""

    features: Features
    fold: np.ndarray
    """int8 (n,): rows of equal text share a fold."""
    coefficients: np.ndarray
    """float32 (features, labels, folds)."""
    bias: np.ndarray
    """float32 (labels, folds)."""

    def contributions(self, label: int, row_of_token: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """What each token's word, and each pair that begins there, adds to the log-odds of `label`.

        Returns:
            Two float32 (t,), not yet calibrated.
        """
        table = self.coefficients[:, label, :] * self.features.weight[:, None]
        norm = self.features.norm[row_of_token]
        fold = self.fold[row_of_token]
        added = []
        for feature in (self.features.word, self.features.pair):
            value = np.zeros(len(feature), dtype=np.float32)
            known = feature >= 0
            value[known] = table[feature[known], fold[known]] * norm[known]
            added.append(value)
        return added[0], added[1]


def first_in_row(keys: np.ndarray, rows: np.ndarray, count: int) -> np.ndarray:
    """bool (t,): whether this is the first time that the key occurs in its row.

    Args:
        keys: int (t,), below `count`; negative ones are never first.
        rows: int (t,), not falling.
        count: Number of keys.
    """
    first = np.zeros(len(keys), dtype=bool)
    chosen = np.flatnonzero(keys >= 0)
    both = rows[chosen].astype(np.int64) * count + keys[chosen]
    order = np.argsort(both, kind="stable")
    ordered = both[order]
    new = np.ones(len(ordered), dtype=bool)
    new[1:] = ordered[1:] != ordered[:-1]
    first[chosen[order[new]]] = True
    return first


def build_features(tokens: Tokens, *, least_rows: int, most: int) -> Features:
    """The words, and pairs of adjacent words, that stand in at least `least_rows` rows.

    Args:
        tokens: All rows.
        least_rows: Rarer features are left out: they say nothing about other rows.
        most: Bound on the number of features of either kind; the most frequent are kept.
    """
    rows = tokens.row_of_token()
    word, word_df = _number(tokens.words, rows, tokens.vocabulary, least_rows, most)
    same = np.zeros(len(rows), dtype=bool)
    same[:-1] = rows[1:] == rows[:-1]
    both_known = same.copy()
    known = word_df_of(tokens.words, rows, tokens.vocabulary) >= least_rows
    is_known = known[tokens.words]
    both_known[:-1] &= is_known[:-1] & is_known[1:]
    places = np.flatnonzero(both_known)
    keys = tokens.words[places].astype(np.int64) * tokens.vocabulary + tokens.words[places + 1]
    encoded = pa.array(keys).dictionary_encode()
    pair_ids = encoded.indices.to_numpy()
    pair_here, pair_df = _number(pair_ids, rows[places], len(encoded.dictionary), least_rows, most)
    pair = np.full(len(rows), -1, dtype=np.int32)
    pair[places] = np.where(pair_here >= 0, pair_here + len(word_df), -1)
    n = len(tokens.rows) - 1
    df = np.concatenate([word_df, pair_df])
    weight = np.log((n + 1) / (df + 1.0)).astype(np.float32)
    squares = np.zeros(n)
    for feature in (word, pair):
        there = feature >= 0
        squares += np.bincount(rows[there], weights=weight[feature[there]] ** 2, minlength=n)
    norm = (1.0 / np.sqrt(np.maximum(squares, 1e-12))).astype(np.float32)
    return Features(word=word, pair=pair, weight=weight, norm=norm)


def word_df_of(words: np.ndarray, rows: np.ndarray, count: int) -> np.ndarray:
    """int64 (count,): in how many rows each word occurs."""
    return np.bincount(words[first_in_row(words, rows, count)], minlength=count)


def _number(
    keys: np.ndarray, rows: np.ndarray, count: int, least_rows: int, most: int
) -> tuple[np.ndarray, np.ndarray]:
    """Feature numbers of first occurrences (int32, -1 elsewhere), and rows of each feature."""
    first = first_in_row(keys, rows, count)
    df = np.bincount(keys[first], minlength=count)
    threshold = least_rows
    if (df >= threshold).sum() > most:
        threshold = int(np.sort(df)[-most]) + 1
    keep = df >= threshold
    number = np.where(keep, np.cumsum(keep) - 1, -1).astype(np.int32)
    return np.where(first, number[keys], -1).astype(np.int32), df[keep]


def feature_matrix(
    features: Features, rows: np.ndarray, chosen: np.ndarray
) -> scipy.sparse.csr_array:
    """The features of chosen rows as a sparse matrix of unit rows.

    Args:
        features: Of all rows.
        rows: int32 (t,), the row of each token.
        chosen: bool (n,), rows to take.
    """
    import scipy.sparse

    where, what = [], []
    for feature in (features.word, features.pair):
        there = (feature >= 0) & chosen[rows]
        where.append(rows[there])
        what.append(feature[there])
    place = np.cumsum(chosen) - 1
    old = np.concatenate(where)
    row, column = place[old], np.concatenate(what)
    values = features.weight[column] * features.norm[old]
    shape = (int(chosen.sum()), len(features.weight))
    return scipy.sparse.csr_array((values, (row, column)), shape=shape)


def fit_out_of_fold(
    tokens: Tokens,
    labels: np.ndarray,
    *,
    folds: int,
    ridge: float,
    sample: np.ndarray,
    features: Features,
) -> OutOfFold:
    """Fits one logistic model a label and fold, all at once.

    Args:
        tokens: All rows.
        labels: int (n,), the label of each row, from 0; negative labels are left out of the fit.
        folds: Number of folds, at least 2.
        ridge: Weight of the squared coefficients.
        sample: bool (n,), rows to fit on; every row is judged.
        features: From `build_features`.
    """
    rows = tokens.row_of_token()
    fold = fold_of_rows(tokens, folds)
    count = int(labels.max()) + 1
    chosen = sample & (labels >= 0)
    matrix = feature_matrix(features, rows, chosen)
    if count == 2:
        answer = (labels[chosen] == 1).astype(np.float32)[:, None]
    else:
        answer = (labels[chosen][:, None] == np.arange(count)[None, :]).astype(np.float32)
    outside = (fold[chosen][:, None] != np.arange(folds)[None, :]).astype(np.float32)
    target = np.repeat(answer, folds, axis=1)
    mask = np.tile(outside, (1, answer.shape[1]))
    stretch = association(matrix, target, mask)
    solution, bias = fit_logistic(matrix, target, mask, ridge, free_bias=False, stretch=stretch)
    shape = (len(features.weight), answer.shape[1], folds)
    coefficients, bias = solution.reshape(shape), bias.reshape(shape[1:])
    if count == 2:
        coefficients = np.concatenate([-coefficients, coefficients], axis=1)
        bias = np.concatenate([-bias, bias], axis=0)
    return OutOfFold(features=features, fold=fold, coefficients=coefficients, bias=bias)


def fold_of_rows(tokens: Tokens, folds: int) -> np.ndarray:
    """int8 (n,): a fold that depends on the words of the row alone, not on where the row stands."""
    return (row_digest(tokens) % np.uint64(folds)).astype(np.int8)


def row_digest(tokens: Tokens) -> np.ndarray:
    """uint64 (n,): equal for rows of the same words in the same order."""
    position = np.arange(len(tokens.words), dtype=np.uint64)
    start = tokens.rows[:-1][tokens.row_of_token()].astype(np.uint64)
    place = (position - start + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    mixed = (tokens.hashes[tokens.words] ^ place) * np.uint64(0xD6E8FEB86659FD93)
    mixed ^= mixed >> np.uint64(29)
    total = np.zeros(len(mixed) + 1, dtype=np.uint64)
    np.cumsum(mixed, out=total[1:])
    digest = (total[tokens.rows[1:]] - total[tokens.rows[:-1]]) * np.uint64(0xFF51AFD7ED558CCD)
    return np.asarray(digest ^ (digest >> np.uint64(33)))


def association(matrix: scipy.sparse.csr_array, target: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """How closely each feature goes with each target (float32 (features, m)), up to 1.

    From the absolute log-ratio of its shares inside and outside the target. Words that go with
    nothing would otherwise take up what the model has to say about all rows.

    Source: Wang and Manning, "Baselines and bigrams", 2012 (NBSVM). There the ratio is not
    bounded, which is worse on small sets of short texts; and it carries its sign, which makes no
    difference to a squared penalty.
    """
    import scipy.sparse

    ones = np.ones(len(matrix.data), dtype=np.float32)
    there = scipy.sparse.csr_array((ones, matrix.indices, matrix.indptr), shape=matrix.shape)
    transposed = there.T.tocsr()
    inside, outside = target * mask, (1 - target) * mask
    hits, misses = transposed @ inside + 1, transposed @ outside + 1
    ratio = np.log(hits / (inside.sum(axis=0) + 2)) - np.log(misses / (outside.sum(axis=0) + 2))
    return np.asarray(np.clip(np.abs(ratio), _FAINTEST, 1.0), dtype=np.float32)


def _logistic(score: np.ndarray) -> np.ndarray:
    """Probabilities, of scores of any size: a step may overshoot in a set that few words decide."""
    return np.asarray(1 / (1 + np.exp(-np.maximum(score, _LEAST_SCORE))))


def fit_logistic(
    matrix: scipy.sparse.csr_array,
    target: np.ndarray,
    mask: np.ndarray,
    ridge: float,
    *,
    free_bias: bool = True,
    stretch: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Coefficients (float32 (features, m)) and biases (m,) of m logistic models over the same rows.

    Newton steps, each solved by a few conjugate gradients, for all models in one pass over the
    matrix. The number of steps is fixed, so the result depends on nothing but the input.

    Args:
        matrix: (n, features).
        target: float32 (n, m) of 0 and 1.
        mask: float32 (n, m): weight of each row in each model.
        ridge: Weight of the squared coefficients; the bias has none.
        free_bias: Fit the biases; else they stay at the log-odds of the target's share, so that a
            row without any feature is as likely as any.
        stretch: float32 (features, m): what each feature is multiplied by in each model before its
            coefficient is penalised; all ones by default. Returned coefficients are for `matrix`.
    """
    transposed = matrix.T.tocsr()
    if stretch is None:
        stretch = np.ones((1, 1), dtype=np.float32)
    models = target.shape[1]
    share = (target * mask).sum(axis=0) / np.maximum(mask.sum(axis=0), 1)
    share = np.clip(share, 1e-4, 1 - 1e-4)
    bias = np.log(share / (1 - share)).astype(np.float32)
    coefficients = np.zeros((matrix.shape[1], models), dtype=np.float32)
    score = np.broadcast_to(bias, target.shape).astype(np.float32)
    for _ in range(_NEWTON_STEPS):
        probability = _logistic(score)
        residual = (target - probability) * mask
        curvature = np.maximum(probability * (1 - probability), 1e-4) * mask
        gradient = stretch * (transposed @ residual) - ridge * coefficients
        step = np.zeros_like(coefficients)
        left = gradient.copy()
        direction = left.copy()
        size = (left * left).sum(axis=0)
        step_score = np.zeros_like(score)
        for _ in range(_CONJUGATE_STEPS):
            along = matrix @ (stretch * direction)
            curved = stretch * (transposed @ (along * curvature)) + ridge * direction
            length = size / np.maximum((direction * curved).sum(axis=0), 1e-12)
            step += length * direction
            step_score += length * along
            left -= length * curved
            after = (left * left).sum(axis=0)
            direction = left + (after / np.maximum(size, 1e-30)) * direction
            size = after
        coefficients += step
        score = score + step_score
        if not free_bias:
            continue
        probability = _logistic(score)
        curvature = np.maximum(probability * (1 - probability), 1e-4) * mask
        shift = ((target - probability) * mask).sum(axis=0) / np.maximum(
            curvature.sum(axis=0), 1e-6
        )
        bias = bias + shift
        score = score + shift
    return coefficients * stretch, bias
