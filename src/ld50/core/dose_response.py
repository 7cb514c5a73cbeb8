"""What a study comes to: dose-response curves, and how their middle moves with the size of the data.

This is the content of `dose_response.json`. Doses are counts in the unit of the group, never shares.
A bound that is null lies outside what was tested; `reason` says why.
"""

from __future__ import annotations

import msgspec

from ld50.core.trials import Cell
from ld50.core.tuning import Comparison, ConditionTable

SCHEMA_VERSION = 1


class CurvePoint(msgspec.Struct, frozen=True, kw_only=True):
    """The fitted curve at one dose."""

    dose: float
    rate: float
    """Expected attack success rate, 0 to 1."""
    low: float
    high: float
    """Pointwise 95% band: what parameters inside the likelihood region give."""


class Fit(msgspec.Struct, frozen=True, kw_only=True):
    """The dose-response curve of one group: cells that differ in nothing but the dose."""

    group: str
    """What sets the group apart, e.g. `0.05M, token`."""
    ld50: float | None
    """Dose at which the success rate is halfway between background and ceiling; null if not reached."""
    low: float | None
    high: float | None
    """95% interval; null where it is open to that side."""
    n: int
    """Trials behind it; a trial counts once, however many prompts it was measured with."""
    method: str
    reason: str | None = None
    """Why `ld50`, `low` or `high` is null, or what else a reader must know; null if all is well."""
    cell: Cell
    """The group's condition, at dose 0."""
    doses: list[float]
    """Doses tested."""
    slope: float | None = None
    """Rise of the link (logits or probits) for a tenfold dose; null where the data do not bound it."""
    slope_low: float | None = None
    slope_high: float | None = None
    background: float | None = None
    """Fitted success rate without poison."""
    ceiling: float | None = None
    """Fitted success rate at a very large dose."""
    seed_scatter: float | None = None
    """Factor by which repeats of one recipe differ in the dose they need: two of three lie within it,
    up or down; null where the data do not bound the slope."""
    log_likelihood: float | None = None
    lack_of_fit_p: float | None = None
    """Against a free mean for each dose; small where the curve is not the shape of the data."""
    isotonic_ld50: float | None = None
    """Dose where the rising step curve through the means crosses one half: no shape assumed."""
    ld50_tokens: float | None = None
    """The LD50 in poisoned tokens, by the tokens a unit of dose had in these trials."""
    ld50_share: float | None = None
    """The LD50 as a share of all training tokens, 0 to 1: what a share would have to be here."""
    curve: list[CurvePoint] = []
    separated: bool = False
    """All trials fire above some dose and none below it: only the two doses bound the LD50."""


class Exponent(msgspec.Struct, frozen=True, kw_only=True):
    """Power with which the LD50 grows with the data: 0 is a constant count, 1 a fixed share."""

    family: str
    """The groups it was fitted over, e.g. `token, 20 tokens a parameter`."""
    value: float
    low: float | None
    high: float | None
    members: list[str]
    """Names of the groups."""
    groups: int
    n: int
    """Trials."""
    against: str
    """What the LD50 is regressed on: `clean_tokens`."""
    smallest: float
    largest: float
    """Range of clean tokens covered."""
    log_likelihood: float
    constant_log_likelihood: float
    """With the exponent held at 0."""
    share_log_likelihood: float
    """With the exponent held at 1."""
    constant_p: float
    share_p: float
    """Probability of a misfit this large if the exponent were 0, or 1."""
    scatter: float
    """Deviance of the groups from the line over its degrees of freedom; the interval is widened by
    it where it is above 1."""
    method: str


class DoseUnit(msgspec.Struct, frozen=True, kw_only=True):
    """Whether documents or poisoned steps are what counts, where schedules tell them apart."""

    family: str
    weight: float
    """0: only documents count; 1: only optimiser steps with poison; fitted in between and beyond."""
    low: float | None
    high: float | None
    n: int
    documents_log_likelihood: float
    steps_log_likelihood: float
    tokens_log_likelihood: float | None
    log_likelihood: float
    contrast: float
    """Ratio of the most to the fewest documents a poisoned step among the trials."""
    method: str


class AdaptiveSaving(msgspec.Struct, frozen=True, kw_only=True):
    """What choosing doses on the way saved against a fixed grid."""

    group: str
    design: str
    trials: int
    grid_doses: list[float]
    grid_trials: int
    """Trials a fixed grid over the same range would need for the same expected width."""
    width: float
    """Width of the interval in powers of ten."""
    method: str


class CellSummary(msgspec.Struct, frozen=True, kw_only=True):
    """The trials of one cell together."""

    cell: Cell
    group: str
    trials: int
    failed: int
    attack_success_rate: float | None
    low: float | None
    high: float | None
    """95% interval of the mean over trials (Student's t on the trials, cut at 0 and 1); null for one."""
    control_success_rate: float | None
    control_highest: float | None
    loss_rise_nats: float | None
    clean_bits_per_byte: float | None
    clean_change: float | None
    """Clean bits per byte against the control arm of the group, as a fraction; 0.01 is 1% worse."""
    poisoned_documents: float | None
    poisoned_tokens: float | None
    poisoned_steps: float | None
    seconds: float | None
    clean_accuracy: float | None = None
    """Fine-tuning."""
    accuracy_change: float | None = None
    """Clean accuracy less that of the control arm; -0.01 is one point worse."""


class DoseResponse(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that was worked out from the trials of one study."""

    study: str
    title: str
    fits: list[Fit]
    size_exponent: Exponent | None
    """The family with the widest range of data; null where there are not two sizes with an LD50."""
    size_exponents: list[Exponent] = []
    """All families."""
    dose_units: list[DoseUnit] = []
    adaptive: list[AdaptiveSaving] = []
    cells: list[CellSummary] = []
    tables: list[ConditionTable] = []
    """Fine-tuning: attack success by training and test condition."""
    comparisons: list[Comparison] = []
    """Fine-tuning: two rates side by side, and what a paper says of them."""
    trials: int
    """Trials that ended well."""
    failed: int
    diverged: int
    planned: int
    """Trials the study asks for."""
    notes: list[str] = []
    seconds: float = 0.0
    """Time of all trials together, as if one after the other."""
    schema_version: int = SCHEMA_VERSION
