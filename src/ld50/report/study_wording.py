"""The words around a study's numbers: the verdict, and what an exponent means."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ld50.core.dose_response import DoseResponse, DoseUnit, Exponent, Fit
from ld50.report.frame import FrameVerdict
from ld50.report.wording import counted


@dataclass(frozen=True, slots=True, kw_only=True)
class DecayRow:
    """What is left after so many clean tokens."""

    arm: str
    tokens: int
    rate: float
    """Mean success rate over models."""
    spread: str
    n: int


def study_verdict(response: DoseResponse, decay: Sequence[DecayRow] = ()) -> FrameVerdict:
    """The verdict: constant or not where there are several sizes, else the count that is enough."""
    known = [fit for fit in response.fits if fit.ld50 is not None]
    doubt = "look" if response.notes or response.failed or response.diverged else "minor"
    if not response.trials:
        return FrameVerdict(
            level="nothing", headline="No trial has ended yet", found="",
            meaning=["Figures and tables fill up as trials end."],
        )  # fmt: skip
    if decay:
        return _with_decay(decay, doubt)
    if response.dose_units:
        return _with_units(response.dose_units, known, doubt)
    if not known:
        return FrameVerdict(
            level="look",
            headline="No dose-response curve reaches its middle",
            found=f"{counted(response.trials, 'trial')} in {counted(len(response.fits), 'group')}",
            meaning=[f"{fit.group}: {fit.reason}." for fit in response.fits[:4] if fit.reason],
        )
    exponent = response.size_exponent
    if exponent is not None:
        return _with_exponent(response, exponent, known, doubt)
    fit = known[0]
    return FrameVerdict(
        level=doubt,
        headline=f"About {rounded(fit.ld50 or 0.0)} poisoned {fit.cell.unit} make half of the "
        "triggered prompts fail",
        found=f"95% interval {number(fit.low)} to {number(fit.high)}, {counted(fit.n, 'trial')}, "
        f"{fit.cell.size} parameters",
        meaning=_meaning(known),
    )


def _with_exponent(
    response: DoseResponse, exponent: Exponent, known: list[Fit], doubt: str
) -> FrameVerdict:
    low = -math.inf if exponent.low is None else exponent.low
    high = math.inf if exponent.high is None else exponent.high
    constant, share = low <= 0 <= high, low <= 1 <= high
    if constant and not share:
        headline = "The dose that works is a count, and not a share of the data"
    elif share and not constant:
        headline = "The dose that works grows with the data, like a share of it"
    elif constant and share:
        headline = "These trials cannot tell a constant count from a fixed share"
    else:
        headline = "The dose that works grows with the data, but less than a share of it would"
        if low > 1:
            headline = "The dose that works grows faster than the data"
        elif high < 0:
            headline = "The dose that works falls as the data grow"
    values = [fit.ld50 or 0.0 for fit in known]
    ratio = exponent.largest / exponent.smallest
    return FrameVerdict(
        level=doubt,
        headline=headline,
        found=f"exponent {signed(exponent.value)}, 95% interval {signed(exponent.low)} to "
        f"{signed(exponent.high)}, over {ratio:.3g} times the data",
        meaning=[
            f"LD50s lie between {number(min(values))} and {number(max(values))} in "
            f"{counted(len(known), 'group')}; {counted(response.trials, 'trial')} in all.",
            *_meaning(known)[1:],
        ],
    )


def _with_decay(decay: Sequence[DecayRow], doubt: str) -> FrameVerdict:
    arms = {row.arm: [other for other in decay if other.arm == row.arm] for row in decay}
    first = next(iter(arms.values()))
    left, most = max(rows[-1].rate for rows in arms.values()), max(row.tokens for row in decay)
    kept = "removes" if left < 0.1 else "weakens" if left < first[0].rate - 0.1 else "leaves"
    return FrameVerdict(
        level=doubt,
        headline=f"Clean training afterwards {kept} the backdoor",
        found=f"at most {percent(left)} of triggered prompts fire after {most:,} clean tokens",
        meaning=[
            f"{arm}: from {percent(rows[0].rate)} to {percent(rows[-1].rate)} over {most:,} clean "
            f"tokens; {counted(rows[-1].n, 'model')}."
            for arm, rows in list(arms.items())[:4]
        ],
    )


def _with_units(units: Sequence[DoseUnit], known: list[Fit], doubt: str) -> FrameVerdict:
    unit = units[0]
    return FrameVerdict(
        level=doubt,
        headline=unit_answer(unit),
        found=f"weight of steps {signed(unit.weight)}, 95% interval {signed(unit.low)} to "
        f"{signed(unit.high)}, {counted(unit.n, 'trial')}",
        meaning=[
            "With a dose of documents^(1-w) × steps^w, w is 0 if only documents count and 1 if only "
            "optimiser steps do.",
            *(_meaning(known)[1:] if known else []),
        ],
    )


def _meaning(known: list[Fit]) -> list[str]:
    fit = known[0]
    text = [
        f"The LD50 is the dose at which the success rate is halfway between no poison and its "
        f"ceiling. Below {number(fit.low)} {fit.cell.unit} most attacks failed here, above "
        f"{number(fit.high)} most worked."
    ]
    if fit.ld50_share is not None:
        text.append(
            f"In {fit.cell.clean_tokens:,} clean tokens that is {fit.ld50_share:.2%} of the text. The "
            "same count in more text is a smaller share: compare counts, not shares."
        )
    return text


def exponent_sentences(exponent: Exponent) -> list[str]:
    """What the exponent says, and how the two simple hypotheses fare."""
    gap = exponent.constant_log_likelihood - exponent.share_log_likelihood
    better = "a constant count" if gap > 0 else "a fixed share"
    worse = "a fixed share" if gap > 0 else "a constant count"
    return [
        f"LD50 grows with the data to the power {signed(exponent.value)} (95% interval "
        f"{signed(exponent.low)} to {signed(exponent.high)}; {counted(exponent.n, 'trial')} in "
        f"{counted(exponent.groups, 'group')}, {exponent.smallest:,} to {exponent.largest:,} clean "
        "tokens). A constant count would be 0, a fixed share 1.",
        f"The data are {odds(abs(gap))} likelier under {better} than under {worse} "
        f"(misfit by chance: constant {chance(exponent.constant_p)}, "
        f"share {chance(exponent.share_p)}).",
    ] + (
        [
            f"The groups lie further from one line than their intervals allow (scatter "
            f"{exponent.scatter:.1f}), so the interval is widened by it."
        ]
        if exponent.scatter > 1
        else []
    )


def unit_answer(unit: DoseUnit) -> str:
    """Whether documents or optimiser steps are what counts, as a sentence without its full stop."""
    low = -math.inf if unit.low is None else unit.low
    high = math.inf if unit.high is None else unit.high
    if low <= 0 <= high and not low <= 1 <= high:
        return "Documents are what counts; steps alone do not explain the curves"
    if low <= 1 <= high and not low <= 0 <= high:
        return "Optimiser steps are what counts; documents alone do not explain the curves"
    if low <= 0 <= high:
        return "These trials do not tell documents from steps"
    if low > 0 and high < 1:
        return "Both count: documents packed into fewer steps do less, but more than nothing"
    return "Neither documents nor steps alone explain the curves"


def unit_sentences(unit: DoseUnit) -> list[str]:
    """The answer, and the numbers behind it."""
    gap = unit.documents_log_likelihood - unit.steps_log_likelihood
    better, worse = ("documents", "steps") if gap > 0 else ("steps", "documents")
    return [
        f"{unit.family}: {unit_answer(unit)}.",
        f"With a dose of documents^(1-w) × steps^w, w is {signed(unit.weight)} (95% interval "
        f"{signed(unit.low)} to {signed(unit.high)}; 0 is documents, 1 is steps; "
        f"{counted(unit.n, 'trial')}, up to {unit.contrast:.1f} times as many documents a step). The "
        f"data are {odds(abs(gap))} likelier under {better} than under {worse}.",
    ]


def number(value: float | None, *, none: str = "open") -> str:
    """Three digits, thousands parted; `open` for a bound that is not reached."""
    if value is None:
        return none
    return f"{float(f'{value:.3g}'):,.0f}" if value >= 100 else f"{value:.3g}"


def rounded(value: float) -> str:
    """Two digits, for a headline."""
    shown = float(f"{value:.2g}")
    return f"{shown:,.0f}" if shown >= 10 else f"{shown:g}"


def signed(value: float | None) -> str:
    """An exponent to two digits, with a true minus; `open` for a bound that is not reached."""
    if value is None:
        return "open"
    return f"{value + 0.0:.2f}".replace("-0.00", "0.00").replace("-", "−")


def percent(value: float | None) -> str:
    """A rate in percent; a dash where it was not measured."""
    return "–" if value is None else f"{value:.0%}"


def odds(log_ratio: float) -> str:
    """A likelihood ratio in words: `3.2 times`, `10^6 times`."""
    if log_ratio > math.log(1e4):
        return f"10^{math.floor(log_ratio / math.log(10))} times"
    return f"{math.exp(log_ratio):.2g} times"


def chance(p: float) -> str:
    """A p-value, never as 0."""
    return "p < 0.001" if p < 0.001 else f"p = {p:.2g}"
