"""How the LD50 moves with the data: the exponent, and documents against optimiser steps."""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec
import numpy as np

from ld50.core.dose_response import DoseUnit, Exponent
from ld50.core.trials import Cell, TrialResult
from ld50.lab.curve_fit import CurveFit, best_curve, crossings, deviance_cutoff, effective_trials
from ld50.lab.fits import GroupFit
from ld50.lab.groups import condition_name, family_of, multiple
from ld50.lab.response_model import Link, observations, prompts_of

_EXPONENTS = np.round(np.arange(-3.0, 4.0001, 0.01), 2)
#: Degrees of freedom at which a scatter of 1 is believed beforehand.
_PRIOR_FREEDOM = 3
_WEIGHTS = np.round(np.arange(-1.0, 2.0001, 0.1), 2)


def exponents(fits: Sequence[GroupFit]) -> list[Exponent]:
    """The exponent of LD50 against clean tokens for each family, the widest range first.

    A family is what differs in nothing but size and data: models at the same number of tokens a
    parameter, and one size at several.
    """
    usable = [one for one in fits if one.curve is not None and not one.fit.cell.continued_tokens]
    families: dict[tuple[Cell, str], list[GroupFit]] = {}
    for one in usable:
        cell, family = one.fit.cell, family_of(one.fit.cell)
        along = f"{multiple(cell):g} tokens a parameter"
        families.setdefault((family, along), []).append(one)
        families.setdefault((family, f"{cell.size} alone"), []).append(one)
    found = []
    for (family, along), members in families.items():
        if len({one.fit.cell.clean_tokens for one in members}) < 2:
            continue
        made = fit_exponent(f"{condition_name(family)}, {along}", members)
        if made is not None:
            found.append(made)
    return sorted(found, key=lambda e: (-e.groups, -(e.largest / e.smallest)))


def fit_exponent(name: str, members: Sequence[GroupFit]) -> Exponent | None:
    """LD50 = a x tokens^exponent, by the joint likelihood of the groups; None if nothing bounds it.

    Each group brings the whole likelihood profile of its LD50, so that a group whose curve never
    rises counts as well, as a bound. Where the groups lie further from the line than their own
    intervals allow, the deviance is divided by that scatter before the interval is read off. A few
    groups say little of their scatter, so it is drawn towards 1, as variances are in Smyth 2004.
    """
    curves = [(one.curve, one.fit.cell.clean_tokens) for one in members if one.curve is not None]
    if sum(one.fit.ld50 is not None for one in members) < 2:
        return None
    logs = np.log10([tokens for _, tokens in curves])
    centred = logs - logs.mean()
    best = sum(curve.log_likelihood for curve, _ in curves)
    profile = np.array([_line(curves, centred, exponent) for exponent in _EXPONENTS])
    top = float(profile.max())
    trials = sum(len(one.data) for one in members)
    free = len(curves) - 2
    scatter = (_PRIOR_FREEDOM + 2 * (best - top)) / (_PRIOR_FREEDOM + free)
    widened = max(scatter, 1.0)
    # Each group knows its own scatter as badly as it does alone, so their freedom is not added up.
    freedom = float(np.mean([curve.effective / 2 for curve, _ in curves]))
    cutoff = deviance_cutoff(freedom) * widened
    low, high = crossings(_EXPONENTS, profile, top, cutoff)
    if low is None and high is None:
        return None
    at = {value: float(profile[np.argmin(abs(_EXPONENTS - value))]) for value in (0.0, 1.0)}
    tokens = [int(count) for _, count in curves]
    return Exponent(
        family=name, value=float(_EXPONENTS[np.argmax(profile)]), low=low, high=high,
        members=[one.fit.group for one in members], groups=len(curves), n=trials,
        against="clean_tokens", smallest=min(tokens),
        largest=max(tokens), log_likelihood=top, constant_log_likelihood=at[0.0],
        share_log_likelihood=at[1.0], constant_p=_p_value(top, at[0.0], widened, freedom),
        share_p=_p_value(top, at[1.0], widened, freedom), scatter=scatter,
        method="joint profile likelihood over the groups' curves, F, widened by scatter",
    )  # fmt: skip


def dose_units(results: Sequence[TrialResult], link: Link = "logit") -> list[DoseUnit]:
    """Documents against poisoned steps, for every family whose schedules tell them apart."""
    families: dict[Cell, list[TrialResult]] = {}
    for one in results:
        if one.attack_success_rate is None or one.cell.continued_tokens:
            continue
        alike = msgspec.structs.replace(
            family_of(one.cell), size=one.cell.size, parameters=one.cell.parameters,
            clean_tokens=one.cell.clean_tokens, batch_sequences=None,
            schedule=type(one.cell.schedule)(), unit="documents",
        )  # fmt: skip
        families.setdefault(alike, []).append(one)
    found = []
    for family, members in families.items():
        made = fit_dose_unit(f"{family.size}, {condition_name(family)}", members, link)
        if made is not None:
            found.append(made)
    return found


def fit_dose_unit(
    name: str, results: Sequence[TrialResult], link: Link = "logit"
) -> DoseUnit | None:
    """Whether one curve in documents, in poisoned steps, or in between fits all schedules best.

    The dose is documents^(1-w) x steps^w, with one curve for all; w is fitted. None where documents
    a step do not differ between schedules at like doses.
    """
    good = [
        one for one in results
        if one.attack_success_rate is not None
        and (one.cell.dose == 0 or (one.poisoned_documents and one.poisoned_steps))
    ]  # fmt: skip
    dosed = [one for one in good if one.cell.dose > 0]
    arms = {(one.cell.schedule, one.cell.batch_sequences) for one in dosed}
    if len(arms) < 2 or len(dosed) < 6:
        return None
    documents = np.array([one.poisoned_documents or 0 for one in good], dtype=float)
    steps = np.array([one.poisoned_steps or 0 for one in good], dtype=float)
    tokens = np.array([one.poisoned_tokens or 0 for one in good], dtype=float)
    used = documents > 0
    ratio = documents[used] / steps[used]
    contrast = float(ratio.max() / ratio.min())
    if contrast < 1.5:
        return None
    rate = [one.attack_success_rate or 0.0 for one in good]
    prompts = [prompts_of(one) for one in good]

    def value(dose: np.ndarray) -> float:
        return best_curve(observations(dose, rate, prompts), link)[1]

    def mixed(weight: float) -> np.ndarray:
        dose = np.zeros(len(good))
        dose[used] = documents[used] ** (1 - weight) * steps[used] ** weight
        return dose

    profile = np.array([value(mixed(float(weight))) for weight in _WEIGHTS])
    top = float(profile.max())
    at_best = observations(mixed(float(_WEIGHTS[np.argmax(profile)])), rate, prompts)
    freedom = effective_trials(best_curve(at_best, link)[0], at_best, link) / 2
    low, high = crossings(_WEIGHTS, profile, top, deviance_cutoff(freedom))
    return DoseUnit(
        family=name, weight=float(_WEIGHTS[np.argmax(profile)]), low=low, high=high, n=len(good),
        documents_log_likelihood=float(profile[np.argmin(abs(_WEIGHTS))]),
        steps_log_likelihood=float(profile[np.argmin(abs(_WEIGHTS - 1))]),
        tokens_log_likelihood=value(tokens) if (tokens[used] > 0).all() else None,
        log_likelihood=top, contrast=contrast,
        method="one curve over documents^(1-w) x steps^w; 95% profile likelihood, F",
    )  # fmt: skip


def _line(curves: Sequence[tuple[CurveFit, int]], centred: np.ndarray, exponent: float) -> float:
    """The greatest joint log-likelihood of a line with this slope."""
    middles = [curve.profile_at for curve, _ in curves]
    low = max(at[0] - exponent * x for at, x in zip(middles, centred, strict=True))
    high = min(at[-1] - exponent * x for at, x in zip(middles, centred, strict=True))
    if low >= high:
        return -math.inf
    intercepts = np.linspace(low, high, 400)
    total = np.zeros(len(intercepts))
    for (curve, _), x in zip(curves, centred, strict=True):
        total += np.interp(
            intercepts + exponent * x,
            curve.profile_at,
            curve.profile,
        )
    return float(total.max())


def _p_value(top: float, held: float, widened: float, freedom: float) -> float:
    from scipy.stats import f

    return float(f.sf(2 * (top - held) / widened, 1, freedom)) if math.isfinite(held) else 0.0
