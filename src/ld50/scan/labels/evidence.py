"""How strongly the rest of each row speaks against its label, with a cause taken out of the row."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from ld50.scan.labels.model import OutOfFold
from ld50.scan.labels.ngrams import NgramTable
from ld50.scan.labels.tokens import Tokens
from ld50.scan.labels.twins import Twins

#: No single row may say more than this, in nats: the model is never that sure of one row.
ROW_CAP = 3.0
#: Stands for the label of a cause whose rows have any label but the one that they should have.
ANY_LABEL = -1
_CALIBRATION_STEPS = 12
#: Where words tell the label without fail, the scale would grow without bound.
_STEEPEST = 8.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelView:
    """One label as the model sees it: the log-odds of all rows, and what each word adds to them."""

    label: int
    answer: np.ndarray
    """bool (n,): whether the row has the label."""
    logit: np.ndarray
    """float64 (n,): calibrated out-of-fold log-odds of the label."""
    prior: float
    """Log-odds of the label over all rows."""
    word_sum: np.ndarray
    """float64 (t + 1,): what the words before each token add to the log-odds, summed up."""
    pair_sum: np.ndarray
    """float64 (t + 1,): the same of pairs, by their first word."""
    row_of_token: np.ndarray
    row_start: np.ndarray
    """int64 (n,): first token of each row."""
    twins: Twins
    twin_label: int | np.ndarray
    """The label that twins are asked for: one, or one for each row."""
    twin_prior: float | np.ndarray
    """Its log-odds over all rows."""

    def added(self, place: np.ndarray, length: int | np.ndarray) -> np.ndarray:
        """What the tokens `place` to `place + length`, and all pairs they are in, add (float64)."""
        before = np.maximum(place - 1, self.row_start[self.row_of_token[place]])
        stop = place + length
        words = self.word_sum[stop] - self.word_sum[place]
        return np.asarray(words + self.pair_sum[stop] - self.pair_sum[before])

    def added_with_twins(self, place: np.ndarray, length: int) -> np.ndarray:
        """The same, with what rows that are equal but for these tokens say against it (float64)."""
        twins = self.twins.at(place, length, self.twin_label, self.twin_prior)
        return np.asarray(self.added(place, length) - twins)

    def said_by_twins(self, token: np.ndarray) -> np.ndarray:
        """What rows that are equal to a row without these tokens say for its label (float64 (n,))."""
        return self.twins.of_rest(token, self.twin_label, self.twin_prior)

    def contradiction(self, logit: np.ndarray) -> np.ndarray:
        """Log-likelihood ratio of "this row had another label" to "it has this one", capped."""
        return np.clip(self.prior - logit, -ROW_CAP, ROW_CAP)


def view_label(
    tokens: Tokens,
    model: OutOfFold,
    labels: np.ndarray,
    label: int,
    row_of_token: np.ndarray,
    twins: Twins,
) -> LabelView:
    """The view of one label.

    Args:
        tokens: All rows.
        model: Fitted on them.
        labels: int (n,); rows with a negative label are not used for calibration.
        label: Which.
        row_of_token: From `tokens.row_of_token()`.
        twins: From `find_twins`.
    """
    word, pair = model.contributions(label, row_of_token)
    n = len(labels)
    raw = np.bincount(row_of_token, weights=word, minlength=n)
    raw += np.bincount(row_of_token, weights=pair, minlength=n)
    answer = labels == label
    known = labels >= 0
    share = min(max(answer.sum() / max(known.sum(), 1), 1e-6), 1 - 1e-6)
    prior = float(np.log(share / (1 - share)))
    scale = calibrated_slope(raw[known], answer[known], prior)
    return LabelView(
        label=label,
        answer=answer,
        logit=prior + scale * raw,
        prior=prior,
        word_sum=np.concatenate([[0.0], np.cumsum(scale * word.astype(np.float64))]),
        pair_sum=np.concatenate([[0.0], np.cumsum(scale * pair.astype(np.float64))]),
        row_of_token=row_of_token,
        row_start=tokens.rows[:-1],
        twins=twins,
        twin_label=label,
        twin_prior=prior,
    )


def view_own_label(views: list[LabelView], labels: np.ndarray) -> LabelView:
    """Of each row, the label that it has: as if that were one label, which all rows carry.

    What contradicts it is any other label, all of them alike likely: the likelihood ratio of a row
    is (1 - p) / (p * (labels - 1)), which has the mean 1 where the model is right.

    Args:
        views: One a label.
        labels: int (n,), the label of each row; negative where there is none.
    """
    first = views[0]
    own = np.maximum(labels, 0)
    own_of_token = own[first.row_of_token]
    word, pair = np.zeros(len(first.word_sum)), np.zeros(len(first.pair_sum))
    logit = np.zeros(len(labels))
    for view in views:
        token, row = np.flatnonzero(own_of_token == view.label), own == view.label
        word[token + 1] = view.word_sum[token + 1] - view.word_sum[token]
        pair[token + 1] = view.pair_sum[token + 1] - view.pair_sum[token]
        logit[row] = view.logit[row]
    return replace(
        first,
        label=ANY_LABEL,
        answer=labels >= 0,
        logit=logit,
        prior=-math.log(max(len(views) - 1, 1)),
        word_sum=np.cumsum(word, out=word),
        pair_sum=np.cumsum(pair, out=pair),
        twin_label=own,
        twin_prior=np.array([view.prior for view in views])[own],
    )


def calibrate(score: np.ndarray, answer: np.ndarray) -> tuple[float, float]:
    """Scale and shift that make scores log-odds: logistic regression on the out-of-fold score.

    Source: Platt, "Probabilistic outputs for support vector machines", 1999.
    """
    design = np.stack([score, np.ones(len(score))])
    spread = max(float(score.std()), 1e-9)
    share = min(max(float(answer.mean()), 1e-6), 1 - 1e-6)
    theta = np.array([1 / spread, np.log(share / (1 - share)) - float(score.mean()) / spread])
    for _ in range(_CALIBRATION_STEPS):
        probability = 1 / (1 + np.exp(-np.clip(theta @ design, -30, 30)))
        curvature = (design * (probability * (1 - probability))) @ design.T
        curvature += np.diag([1e-6 * len(score) * spread**2 + 1e-12, 1e-9 * len(score) + 1e-12])
        theta = theta + np.linalg.solve(curvature, design @ (answer - probability))
    # A model that knows nothing must not be turned round.
    return max(float(theta[0]), 0.0), float(theta[1])


def calibrated_slope(score: np.ndarray, answer: np.ndarray, prior: float) -> float:
    """Scale that makes scores log-odds beside the prior; a score of 0 stays the prior.

    What is no longer in a row says nothing: with a free intercept, a row that has lost all words
    of its label would speak for the others.
    """
    if len(score) == 0:
        return 0.0
    spread = max(float(score.std()), 1e-9)
    slope = 1 / spread
    for _ in range(_CALIBRATION_STEPS):
        probability = 1 / (1 + np.exp(-np.clip(prior + slope * score, -30, 30)))
        curvature = float((score**2 * probability * (1 - probability)).sum())
        curvature += 1e-6 * len(score) * spread**2 + 1e-12
        slope += float((score * (answer - probability)).sum()) / curvature
        slope = min(max(slope, 0.0), _STEEPEST / spread)
    return slope


@dataclass(frozen=True, slots=True, kw_only=True)
class Incidence:
    """One entry a candidate and row: what is left of the row without the candidate."""

    candidate: np.ndarray
    """int64 (m,), not falling."""
    row: np.ndarray
    """int64 (m,)."""
    added: np.ndarray
    """float64 (m,): what the candidate adds to the log-odds."""


def incidence(table: NgramTable, view: LabelView) -> Incidence:
    """Candidates and rows of a table of n-grams, every pair once."""
    group = table.group()
    row = view.row_of_token[table.place].astype(np.int64)
    if len(group) == 0:
        return Incidence(candidate=group, row=row, added=np.zeros(0))
    new = np.ones(len(group), dtype=bool)
    new[1:] = (group[1:] != group[:-1]) | (row[1:] != row[:-1])
    start = np.flatnonzero(new)
    added = np.add.reduceat(view.added_with_twins(table.place, table.length), start)
    return Incidence(candidate=group[start], row=row[start], added=added)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """Figures of many candidates for one label, all of shape (g,)."""

    rows: np.ndarray
    """Rows with the candidate (labelled ones)."""
    both: np.ndarray
    """Rows with candidate and label."""
    expected: np.ndarray
    """Of these, as many as the rest of the rows lets expect."""
    contradiction: np.ndarray
    """Nats by which the rest of the rows with both speaks for another label."""
    mixture: np.ndarray
    """The same where only a part of the rows had another label before."""


def tally(entries: Incidence, view: LabelView, known: np.ndarray, count: int) -> Tally:
    """Sums the evidence of every candidate over its rows.

    Args:
        entries: Candidates and rows.
        view: The label.
        known: bool (n,): rows that have any label.
        count: Number of candidates.
    """

    def total(values: np.ndarray) -> np.ndarray:
        return np.bincount(entries.candidate, weights=values, minlength=count)

    logit = view.logit[entries.row] - entries.added
    hit = view.answer[entries.row].astype(np.float64)
    ratio = view.contradiction(logit)
    other = 1 / (1 + np.exp(view.prior))
    mixed = np.log1p(other * np.expm1(ratio))
    probability = 1 / (1 + np.exp(-np.clip(logit, -30, 30)))
    labelled = known[entries.row].astype(np.float64)
    return Tally(
        rows=total(labelled),
        both=total(hit),
        expected=total(probability * labelled),
        contradiction=total(ratio * hit),
        mixture=total(mixed * hit),
    )
