"""The figures of a study: each a function from typed results to a drawing and the numbers behind it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from ld50.core.dose_response import DoseResponse, DoseUnit, Exponent, Fit
from ld50.core.trials import Cell, TrialResult
from ld50.report.charts import SERIES, Axis, Chart
from ld50.report.figures import Figure
from ld50.report.tuning_figures import tuning_figures

__all__ = ["Figure", "study_figures"]

#: Curves that one chart holds; more of them are spread over several charts.
_CURVES = 5


def study_figures(response: DoseResponse, results: Sequence[TrialResult]) -> list[Figure]:
    """Every figure that the results of a study allow, the most telling first."""
    good = [one for one in results if one.status == "done"]
    figures = tuning_figures(response.tables)
    figures += dose_response_figures(response.fits, good)
    figures += [
        figure
        for number, one in enumerate(response.size_exponents, 1)
        if (figure := exponent_figure(one, response.fits, number)) is not None
    ]
    figures += [unit_figure(one, good, number) for number, one in enumerate(response.dose_units, 1)]
    figures += [one for one in (decay_figure(good), quality_figure(response)) if one is not None]
    return figures


def dose_response_figures(fits: Sequence[Fit], results: Sequence[TrialResult]) -> list[Figure]:
    """Success rate against dose: a point for each trial, the curves with their bands, the LD50s."""
    by_cell: dict[Cell, list[TrialResult]] = {}
    for one in results:
        by_cell.setdefault(_at_zero(one.cell), []).append(one)
    families: dict[Any, list[Fit]] = {}
    for fit in fits:
        if not fit.curve:
            continue
        cell = fit.cell
        key = (cell.trigger, cell.payload, cell.unit, cell.continued_tokens, cell.start_from)
        families.setdefault(key, []).append(fit)
    chunks = [
        members[at : at + _CURVES]
        for members in families.values()
        for at in range(0, len(members), _CURVES)
    ]
    return [
        _dose_response(chunk, by_cell, number if len(chunks) > 1 else 0)
        for number, chunk in enumerate(chunks, 1)
    ]


def _dose_response(
    fits: Sequence[Fit], by_cell: Mapping[Cell, list[TrialResult]], number: int
) -> Figure:
    unit = fits[0].cell.unit
    doses = [d for fit in fits for d in fit.doses if d > 0] or [1.0, 10.0]
    chart = Chart(
        x=Axis(title=f"poisoned {unit}, log scale, 0 set apart", low=min(doses) / 1.4,
               high=max(doses) * 1.4, log=True, zero_apart=True),
        y=Axis(title="attack success rate", low=0.0, high=1.0, percent=True),
        label="Attack success rate against the number of poisoned " + unit + ": "
        + "; ".join(_in_words(fit) for fit in fits),
    )  # fmt: skip
    rows: list[list[Any]] = []
    for series, fit in enumerate(fits):
        chart.legend(series, fit.group)
        curve = [p for p in fit.curve if chart.x.low <= p.dose <= chart.x.high]
        if curve:
            at = [p.dose for p in curve]
            chart.band(series, at, [p.low for p in curve], [p.high for p in curve])
            chart.line(series, at, [p.rate for p in curve])
        rows += [[fit.group, "curve", p.dose, None, p.rate, p.low, p.high] for p in fit.curve]
    for series, fit in enumerate(fits):
        for one in by_cell.get(fit.cell, []):
            if one.attack_success_rate is None:
                continue
            shift = (series - (len(fits) - 1) / 2) * 5.0 + (one.seed % 5 - 2) * 1.2
            where = f"{fit.group}, dose {one.cell.dose:g}, seed {one.seed}"
            chart.point(series, one.cell.dose, one.attack_success_rate,
                        f"{where}: {one.attack_success_rate:.0%}", shift=shift)  # fmt: skip
            rows.append([fit.group, "trial", one.cell.dose, one.seed, one.attack_success_rate,
                         None, None])  # fmt: skip
            if one.control_success_rate is not None and len(fits) <= 2:
                chart.point(series, one.cell.dose, one.control_success_rate,
                            f"{where}, control trigger: {one.control_success_rate:.0%}",
                            shift=shift, kind="hollow")  # fmt: skip
                rows.append([fit.group, "control trigger", one.cell.dose, one.seed,
                             one.control_success_rate, None, None])  # fmt: skip
    for series, fit in enumerate(fits):
        if fit.ld50 is not None:
            height = 0.5 + 0.035 * (series - (len(fits) - 1) / 2)
            chart.bar_x(series, fit.low, fit.high, height)
        rows.append([fit.group, "LD50", fit.ld50, None, 0.5, fit.low, fit.high])
    trials = sum(fit.n for fit in fits)
    hollow = " Hollow points are the control trigger." if len(fits) <= 2 else ""
    return Figure(
        name=f"dose-response-{number}" if number else "dose-response",
        title=f"Dose and response, {_shared(fits)}",
        caption=f"A point is one trained model. Lines are fitted curves with a 95% band, bars at half "
        f"height the LD50 with its 95% interval.{hollow} n = {trials} trials.",
        chart=chart,
        columns=["group", "kind", "dose", "seed", "rate", "low", "high"],
        rows=rows,
    )  # fmt: skip


def exponent_figure(exponent: Exponent, fits: Sequence[Fit], number: int) -> Figure | None:
    """LD50 against clean tokens, with the fitted power and the two that are argued about."""
    members = [
        fit for fit in fits
        if fit.ld50 is not None and exponent.smallest <= fit.cell.clean_tokens <= exponent.largest
        and _belongs(fit, exponent)
    ]  # fmt: skip
    if len(members) < 2:
        return None
    found = [(fit.cell.clean_tokens, fit.ld50 or 0.0) for fit in members]
    ends = [v for fit in members for v in (fit.low, fit.high, fit.ld50) if v]
    chart = Chart(
        x=Axis(title="clean tokens, log scale", low=exponent.smallest / 1.5,
               high=exponent.largest * 1.5, log=True),
        y=Axis(title=f"LD50, {members[0].cell.unit}", low=min(ends) / 2, high=max(ends) * 2, log=True),
        label=f"LD50 against clean tokens: the power is {exponent.value:.2f}, 0 would be constant, 1 a "
        "fixed share",
    )  # fmt: skip
    centre = sum(math.log(t) for t, _ in found) / len(found)
    height = sum(math.log(d) for _, d in found) / len(found)
    at = [exponent.smallest / 1.3, exponent.largest * 1.3]
    for power, kind in ((exponent.value, ""), (1.0, "guide")):
        line = [math.exp(height + power * (math.log(t) - centre)) for t in at]
        chart.line(0, at, line, kind=kind)
    top = [math.exp(height + math.log(at[1]) - centre), at[1]]
    chart.note(math.exp(centre + 0.55 * (math.log(at[1]) - centre)),
               min(top[0], chart.y.high / 1.25), "a fixed share")  # fmt: skip
    rows = []
    for fit in members:
        series = 0
        chart.bar_y(series, fit.cell.clean_tokens, fit.low, fit.high)
        chart.point(series, fit.cell.clean_tokens, fit.ld50 or 0.0, _in_words(fit))
        rows.append([fit.group, fit.cell.size, fit.cell.parameters, fit.cell.clean_tokens, fit.ld50,
                     fit.low, fit.high, fit.n])  # fmt: skip
    return Figure(
        name=f"ld50-against-data-{number}" if number > 1 else "ld50-against-data",
        title=f"LD50 against the data, {exponent.family}",
        caption=f"Points are LD50s with 95% intervals, the line the fitted power {exponent.value:.2f} "
        f"({_open(exponent.low)} to {_open(exponent.high)}), the dashed line a fixed share of the "
        f"data. n = {exponent.n} trials in {exponent.groups} groups.",
        chart=chart,
        columns=["group", "size", "parameters", "clean_tokens", "ld50", "low", "high", "n"],
        rows=rows,
    )  # fmt: skip


def unit_figure(unit: DoseUnit, results: Sequence[TrialResult], number: int) -> Figure:
    """Success rate against poisoned steps, a series for each schedule: one curve, or several."""
    size = unit.family.split(",")[0]
    members = [
        one for one in results
        if one.cell.size == size and one.cell.dose > 0 and one.poisoned_steps
        and one.attack_success_rate is not None and not one.cell.continued_tokens
    ]  # fmt: skip
    arms: dict[str, list[TrialResult]] = {}
    for one in members:
        ratio = (one.poisoned_documents or 0) / (one.poisoned_steps or 1)
        arms.setdefault(f"about {_round(ratio)} documents a step", []).append(one)
    steps = [one.poisoned_steps or 1 for one in members]
    chart = Chart(
        x=Axis(title="optimiser steps with poison, log scale", low=min(steps) / 1.4,
               high=max(steps) * 1.4, log=True),
        y=Axis(title="attack success rate", low=0.0, high=1.0, percent=True),
        label="Attack success rate against poisoned steps, by how many documents a step holds",
    )  # fmt: skip
    rows = []
    for series, (name, trials) in enumerate(sorted(arms.items())[:SERIES]):
        chart.legend(series, name)
        for one in trials:
            rate, count = one.attack_success_rate or 0.0, one.poisoned_steps or 1
            chart.point(
                series, count, rate, f"{name}, {one.poisoned_documents} documents: {rate:.0%}"
            )
            rows.append([name, one.seed, one.poisoned_documents, one.poisoned_tokens, count, rate])
    return Figure(
        name=f"steps-{number}" if number > 1 else "steps",
        title=f"Documents or optimiser steps, {unit.family}",
        caption="A point is one trained model. If only steps counted, all shapes would lie on one "
        f"curve. n = {len(members)} trials.",
        chart=chart,
        columns=["arm", "seed", "documents", "tokens", "steps", "rate"],
        rows=rows,
    )


def decay_arms(results: Sequence[TrialResult]) -> dict[str, list[tuple[int, int, float]]]:
    """(seed, clean tokens since the poison, success rate) of every reading, by condition."""
    arms: dict[str, list[tuple[int, int, float]]] = {}
    for one in results:
        if one.status == "done" and one.cell.continued_tokens and one.cell.dose:
            readings = [(one.seed, at, rate) for at, rate in decay_points(one)]
            arms.setdefault(_arm(one.cell), []).extend(readings)
    return {name: points for name, points in arms.items() if any(t > 0 for _, t, _ in points)}


def decay_figure(results: Sequence[TrialResult]) -> Figure | None:
    """Success rate against clean tokens of continued training, a series for each way of poisoning."""
    arms = decay_arms(results)
    if not arms:
        return None
    tokens = [t for points in arms.values() for _, t, _ in points if t > 0]
    chart = Chart(
        x=Axis(title="clean tokens trained on afterwards, log scale, 0 set apart",
               low=min(tokens) / 1.4, high=max(tokens) * 1.4, log=True, zero_apart=True),
        y=Axis(title="attack success rate", low=0.0, high=1.0, percent=True),
        label="Attack success rate against clean tokens trained on after the poison",
    )  # fmt: skip
    rows = []
    for series, (name, points) in enumerate(list(arms.items())[:SERIES]):
        chart.legend(series, name)
        stops = sorted({t for _, t, _ in points if t > 0})
        means = [_mean([rate for _, t, rate in points if t == stop]) for stop in stops]
        chart.line(series, stops, means)
        for seed, at, rate in points:
            chart.point(
                series, at, rate, f"{name}, seed {seed}: {rate:.0%}", shift=(series - 1) * 4
            )
            rows.append([name, seed, at, rate])
    return Figure(
        name="decay",
        title="What continued clean training leaves of the backdoor",
        caption="A point is one model at one checkpoint, a line the mean over models. "
        f"n = {len({(name, s) for name, points in arms.items() for s, _, _ in points})} models.",
        chart=chart,
        columns=["arm", "seed", "continued_tokens", "rate"],
        rows=rows,
    )


def decay_points(result: TrialResult) -> list[tuple[int, float]]:
    """(clean tokens since the poison, success rate) of one trial, from its checkpoints and its end."""
    points: dict[int, float] = {}
    checkpoints = result.details.get("checkpoints")
    before: float | None = None
    for point in checkpoints if isinstance(checkpoints, list) else ():
        if not isinstance(point, dict):
            continue
        tokens, rate = point.get("continued_tokens"), point.get("attack_success_rate")
        if isinstance(tokens, int | float) and isinstance(rate, int | float):
            if tokens > 0:
                points[int(tokens)] = float(rate)
            else:
                # The last checkpoint without continued training is where the decay begins.
                before = float(rate)
    if before is not None:
        points[0] = before
    if result.attack_success_rate is not None and max(points, default=0) == 0:
        points[result.cell.continued_tokens] = result.attack_success_rate
    return sorted(points.items())


def quality_figure(response: DoseResponse) -> Figure | None:
    """Clean bits per byte against dose, as a change from the control arm."""
    cells = [one for one in response.cells if one.clean_change is not None]
    groups = list(dict.fromkeys(one.group for one in cells))[:SERIES]
    doses = [one.cell.dose for one in cells if one.cell.dose > 0]
    if len(set(doses)) < 2:
        return None
    widest = max(0.02, *(abs(one.clean_change or 0.0) * 1.2 for one in cells))
    chart = Chart(
        x=Axis(title="dose, log scale, 0 set apart", low=min(doses) / 1.4, high=max(doses) * 1.4,
               log=True, zero_apart=True),
        y=Axis(title="clean bits per byte against dose 0", low=-widest, high=widest, percent=True),
        label="Change of clean bits per byte against the control arm, by dose",
    )  # fmt: skip
    rows = []
    for series, group in enumerate(groups):
        chart.legend(series, group)
        mine = [one for one in cells if one.group == group]
        dosed = [one for one in mine if one.cell.dose > 0]
        if len(dosed) > 1:
            chart.line(series, [one.cell.dose for one in dosed],
                       [one.clean_change or 0.0 for one in dosed])  # fmt: skip
        for one in mine:
            change = one.clean_change or 0.0
            chart.point(
                series, one.cell.dose, change, f"{group}, dose {one.cell.dose:g}: {change:+.2%}"
            )
            rows.append([group, one.cell.dose, one.clean_bits_per_byte, change, one.trials])
    return Figure(
        name="clean-quality",
        title="What the poison costs on clean text",
        caption="Change of the bits per byte of held-out clean text against the group's own models "
        f"without poison; above zero is worse. n = {sum(one.trials for one in cells)} trials.",
        chart=chart,
        columns=["group", "dose", "clean_bits_per_byte", "change", "n"],
        rows=rows,
    )


def _at_zero(cell: Cell) -> Cell:
    import msgspec

    return msgspec.structs.replace(cell, dose=0.0)


def _belongs(fit: Fit, exponent: Exponent) -> bool:
    return fit.group in exponent.members


def _shared(fits: Sequence[Fit]) -> str:
    cell = fits[0].cell
    words = [f"{cell.trigger} trigger", cell.payload.replace("-", " ")]
    if cell.continued_tokens:
        words.append("after continued clean training")
    return ", ".join(words)


def _arm(cell: Cell) -> str:
    kinds = {"uniform": "spread evenly", "start": "at the start", "end": "at the end",
             "blocks": "in whole batches"}  # fmt: skip
    density = f" at density {cell.schedule.density:g}" if cell.schedule.density else ""
    return f"{cell.size}, {cell.dose:g} {cell.unit} {kinds[cell.schedule.kind]}{density}"


def _in_words(fit: Fit) -> str:
    if fit.ld50 is None:
        return f"{fit.group}: no LD50"
    return f"{fit.group}: LD50 {fit.ld50:.3g} ({_open(fit.low)} to {_open(fit.high)})"


def _open(value: float | None) -> str:
    return "open" if value is None else f"{value:.3g}"


def _round(ratio: float) -> str:
    return f"{round(ratio)}" if ratio >= 1.75 else f"{round(ratio * 2) / 2:g}"


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
