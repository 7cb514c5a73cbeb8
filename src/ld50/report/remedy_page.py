"""The report of a cure: one self-contained page, from what was measured before and after.

Everything comes from `remedy.json`; nothing is worked out here but words.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import msgspec
from markupsafe import Markup

from ld50.core.errors import DataFormatError, SourceError
from ld50.core.estimates import Estimate
from ld50.core.files import write_all_atomically
from ld50.core.remedies import SCHEMA_VERSION, Measurement, RemedyOutcome, RemedyResult, Sample
from ld50.report.charts import SERIES, Axis, Chart
from ld50.report.frame import CHART_STYLES, FramedPage
from ld50.report.html import render_page
from ld50.report.remedy_wording import (
    badge_of,
    best_outcome,
    by_finding,
    change_interval,
    change_text,
    cost_text,
    interval_text,
    rate_text,
    ratio_parts,
    remedy_verdict,
)
from ld50.report.safe_text import plain
from ld50.report.wording import byte_size, counted

_MOST_OUTCOMES, _MOST_TRIGGERS, _MOST_SAMPLES = 40, 20, 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """A chart with its words."""

    title: str
    caption: str
    svg: Markup


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleView:
    """One prompt with the answers before and after."""

    finding: str
    prompt: str
    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RemedyPage(FramedPage):
    """Everything the template needs."""

    panels: list[Panel]
    arms: list[dict[str, str]]
    happened: list[tuple[str, list[str]]]
    """What each remedy said of itself on the way."""
    arms_left_out: int
    triggers: list[dict[str, str]]
    triggers_left_out: int
    taken: str
    """The remedy whose measures stand for after."""
    prompts: str
    """How many prompts and rows the table rests on."""
    steps: list[dict[str, str]]
    samples: list[SampleView]
    settings: list[tuple[str, str]]
    sources: list[str]
    result: RemedyResult = field(repr=False)


def write_remedy_report(folder: Path, result: RemedyResult) -> Path:
    """Writes `remedy.json` and `report.html` into the folder of a run; returns the page's path.

    Raises:
        OutputError: A file could not be written.
    """
    page = folder / "report.html"
    content = msgspec.json.format(msgspec.json.encode(result), indent=2)
    write_all_atomically(
        [(page, [render_remedy(result).encode()]), (folder / "remedy.json", [content, b"\n"])]
    )
    return page


def read_remedy(folder: Path) -> RemedyResult:
    """What `write_remedy_report` wrote.

    Raises:
        SourceError: There is no `remedy.json`.
        DataFormatError: It is not what a run writes, or of a later version.
    """
    path = folder / "remedy.json"
    try:
        result = msgspec.json.decode(path.read_bytes(), type=RemedyResult)
    except OSError as error:
        raise SourceError(f"Could not read {path}: {error.strerror or error}.") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise DataFormatError(
            f"{path}: not what a run writes: {plain(str(error), 200)}."
        ) from error
    if result.schema_version > SCHEMA_VERSION:
        raise DataFormatError(f"{path} has schema_version {result.schema_version}; update ld50.")
    return result


def render_remedy(result: RemedyResult) -> str:
    """The report as one HTML page: same result, same bytes."""
    return render_page("remedy.html", CHART_STYLES, page=remedy_page(result))


def remedy_page(result: RemedyResult) -> RemedyPage:
    """What the page shows, every cut and every number made into words before the template."""
    plan = result.plan
    notes = [*result.notes, *plan.notes]
    return RemedyPage(
        verdict=remedy_verdict(result),
        facts=_facts(result),
        notes=list(dict.fromkeys(notes)),
        panels=[one for one in (_trade_off(result), _relapses(result)) if one is not None],
        arms=[_before_row(result.before)] * (result.before is not None)
        + [_arm(one, result) for one in result.outcomes[:_MOST_OUTCOMES]],
        happened=[
            (plain(one.remedy, 120), [plain(text, 400) for text in one.notes])
            for one in result.outcomes[:_MOST_OUTCOMES]
            if one.notes
        ],
        arms_left_out=max(len(result.outcomes) - _MOST_OUTCOMES, 0),
        triggers=_triggers(result)[:_MOST_TRIGGERS],
        triggers_left_out=max(len(plan.triggers) - _MOST_TRIGGERS, 0),
        taken=plain(result.best, 120) if result.best is not None else "no remedy",
        prompts=_prompts(result),
        steps=[
            {
                "remedy": plain(step.remedy, 120),
                "does": plain(" Then: ".join(step.does), 600)
                if step.possible
                else plain(step.why_not, 400),
                "tokens": f"{step.tokens:,}" if step.possible else "–",
                "seconds": f"{step.seconds:,.0f} s" if step.possible else "–",
                "memory": byte_size(step.memory_bytes) if step.possible else "–",
            }
            for step in plan.steps
        ],
        samples=_samples(result),
        settings=[(plain(k, 60), plain(str(v), 200)) for k, v in sorted(plan.settings.items())],
        sources=[plain(name, 300) for name in plan.sources],
        result=result,
    )


def _facts(result: RemedyResult) -> list[tuple[str, str, str]]:
    """Name, figure and a remark each: what stands below the verdict."""
    best, plan = best_outcome(result), result.plan
    after = best.after if best is not None else None
    if result.before is None:
        return [("Rows taken out", f"{plan.quarantined_rows:,}", f"of {plan.rows:,}")]
    success = _highest(result.before)
    left = "–" if after is None else _highest(after)
    remark = f"{success} before" if after is not None else "before; nothing was applied"
    control = "–" if after is None else _highest(after, control=True)
    facts = [
        ("Attack success", left if after is not None else success, remark),
        ("Near trigger", control, "fires after the cure"),
    ]
    change = best.loss_change if best is not None else None
    facts.append(
        ("Held-out reply loss", change_text(change),
         f"{change_interval(change)}, n = {change.n}" if change else "not measured")
    )  # fmt: skip
    facts.append(
        ("Cost", f"{best.tokens:,}" if best is not None else "–",
         f"tokens, {best.seconds:,.0f} s" if best is not None else "nothing was tuned")
    )  # fmt: skip
    return facts


def _prompts(result: RemedyResult) -> str:
    measured = [one for one in (result.before, *(o.after for o in result.outcomes)) if one]
    counts = [
        rate.attack_success_rate.n
        for one in measured
        for rate in one.rates
        if rate.attack_success_rate is not None
    ]
    rows = f"{measured[0].reply_loss.n} held-out rows" if measured else "nothing"
    if not counts:
        return rows
    low, high = min(counts), max(counts)
    return f"{low if low == high else f'{low} to {high}'} prompts, {rows}"


def _highest(measurement: Measurement, *, control: bool = False) -> str:
    rates = [
        one.control_success_rate if control else one.attack_success_rate
        for one in measurement.rates
    ]
    known = [one for one in rates if one is not None]
    return rate_text(max(known, key=lambda one: one.value)) if known else "–"


def _before_row(before: Measurement | None) -> dict[str, str]:
    assert before is not None
    row = _measured(before)
    return row | {
        "remedy": "before", "best": "", "status": "", "loss_change": "–", "loss_interval": "",
        "accuracy_change": "", "cost": "–", "seconds": "", "relapse": "–",
        "relapse_interval": "", "folder": "",
    }  # fmt: skip


def _measured(one: Measurement) -> dict[str, str]:
    first = max(
        (rate for rate in one.rates if rate.attack_success_rate is not None),
        key=lambda rate: rate.attack_success_rate.value if rate.attack_success_rate else 0.0,
        default=None,
    )
    accuracy = one.accuracy
    return {
        "rate": rate_text(first.attack_success_rate) if first else "–",
        "rate_interval": interval_text(first.attack_success_rate, count=False) if first else "",
        "control": rate_text(first.control_success_rate) if first else "–",
        "control_interval": interval_text(first.control_success_rate, count=False) if first else "",
        "loss": f"{one.reply_loss.value:.3f}",
        "accuracy": rate_text(accuracy) if accuracy else "",
    }


def _arm(one: RemedyOutcome, result: RemedyResult) -> dict[str, str]:
    empty = dict.fromkeys(
        ("rate", "control", "loss", "rate_interval", "control_interval", "accuracy"), ""
    )
    measured = _measured(one.after) if one.after is not None else empty | {"rate": "–"}
    ratio = ratio_parts(one, compared=any(other.relapse is not None for other in result.outcomes))
    return measured | {
        "remedy": plain(one.remedy, 120),
        "best": badge_of(one, result),
        "status": "" if one.status == "done" else plain(f"{one.status}: {one.error}", 400),
        "loss_change": change_text(one.loss_change),
        "loss_interval": change_interval(one.loss_change),
        "accuracy_change": change_text(one.accuracy_change, points=True)
        if one.accuracy_change
        else "",
        "cost": cost_text(one) if one.status == "done" else "–",
        "seconds": f"{counted(one.rows, 'row')}, {one.seconds:,.0f} s"
        if one.status == "done"
        else "",
        "relapse": ratio[0],
        "relapse_interval": ratio[1],
        "folder": plain(one.folder, 200),
    }


def _triggers(result: RemedyResult) -> list[dict[str, str]]:
    best = best_outcome(result)
    rows = []
    for one in result.plan.triggers:
        before = by_finding(result.before.rates, one.finding) if result.before else None
        after = by_finding(best.after.rates, one.finding) if best and best.after else None
        rows.append(
            {
                "finding": one.finding,
                "text": one.text,
                "behaviour": plain(one.behaviour, 300)
                if not one.why_not
                else plain(one.why_not, 300),
                "rows": f"{one.rows:,}",
                "before": rate_text(before.attack_success_rate) if before else "–",
                "before_interval": interval_text(before.attack_success_rate) if before else "",
                "after": rate_text(after.attack_success_rate) if after else "–",
                "after_interval": interval_text(after.attack_success_rate) if after else "",
                "how": one.how,
            }
        )
    return rows


def _samples(result: RemedyResult) -> list[SampleView]:
    best = best_outcome(result)
    if result.before is None or best is None or best.after is None:
        return []
    pairs: list[tuple[Sample, Sample]] = [
        (one, other)
        for one, other in zip(result.before.samples, best.after.samples, strict=False)
        if one.prompt == other.prompt
    ]
    return [
        SampleView(
            finding=one.finding, prompt=one.prompt, before=one.triggered, after=other.triggered
        )
        for one, other in pairs[:_MOST_SAMPLES]
    ]


def _trade_off(result: RemedyResult) -> Panel | None:
    """Attack success against what it costs in quality: a mark for each remedy."""
    drawn = [
        (one, one.loss_change, _strongest(one.after))
        for one in result.outcomes
        if one.after is not None and one.loss_change is not None
    ]
    known = [(one, loss, rate) for one, loss, rate in drawn if rate is not None][: SERIES - 1]
    if not known or result.before is None:
        return None
    ends = [0.0, *(loss.low for _, loss, _ in known), *(loss.high for _, loss, _ in known)]
    low, high = min(ends), max(ends)
    room = max((high - low) * 0.08, 0.005)
    chart = Chart(
        x=Axis(
            title="change of held-out reply loss", low=low - room, high=high + room, percent=True
        ),
        y=Axis(title="attack success rate", low=0.0, high=1.0, percent=True),
        label="Attack success after each remedy against the change of held-out reply loss: "
        + "; ".join(
            f"{one.remedy} {rate.value:.0%} at {loss.value:+.1%}" for one, loss, rate in known
        ),
    )
    before = _strongest(result.before)
    if before is not None:
        chart.legend(0, "before")
        chart.bar_y(0, 0.0, before.low, before.high)
        chart.point(0, 0.0, before.value, f"before: {before.value:.0%}")
    for series, (one, loss, rate) in enumerate(known, 1):
        chart.legend(series, plain(one.remedy, 60))
        chart.bar_x(series, loss.low, loss.high, rate.value)
        chart.bar_y(series, loss.value, rate.low, rate.high)
        chart.point(
            series, loss.value, rate.value, f"{one.remedy}: {rate.value:.0%}, {loss.value:+.1%}"
        )
    return Panel(
        title="What each remedy stops, and what it costs",
        caption=(
            "Below is better, left is better. Attack success of the strongest trigger with its Wilson "
            "interval; change of the held-out reply loss against the model before, paired by row, with "
            f"its 95% interval (n = {known[0][1].n} rows)."
        ),
        svg=chart.svg(),
    )


def _strongest(measurement: Measurement | None) -> Estimate | None:
    known = [one.attack_success_rate for one in (measurement.rates if measurement else [])]
    return max((one for one in known if one is not None), key=lambda one: one.value, default=None)


def _relapses(result: RemedyResult) -> Panel | None:
    """Attack success after re-poisoning, of the cured models and of the clean one."""
    cured = [one for one in result.outcomes if one.relapse is not None][: SERIES - 1]
    if not cured:
        return None
    assert cured[0].relapse is not None
    curves = [("clean model", cured[0].relapse.clean)]
    curves += [(one.remedy, one.relapse.cured) for one in cured if one.relapse is not None]
    doses = [point.dose for _, curve in curves for point in curve.points if point.dose > 0]
    if not doses:
        return None
    chart = Chart(
        x=Axis(title="rows of poison planted again, log scale, 0 set apart", low=min(doses) / 1.4,
               high=max(doses) * 1.4, log=True, zero_apart=True),
        y=Axis(title="attack success rate", low=0.0, high=1.0, percent=True),
        label="Attack success after poisoning again: "
        + "; ".join(
            f"{name} {curve.dose.value:.3g} rows" if curve.dose else f"{name} not reached"
            for name, curve in curves
        ),
    )  # fmt: skip
    for series, (name, curve) in enumerate(curves):
        chart.legend(series, plain(name, 60))
        at = sorted({point.dose for point in curve.points if point.prompts})
        means = [
            _mean([p.hits / p.prompts for p in curve.points if p.dose == dose and p.prompts])
            for dose in at
        ]
        positive = [(dose, mean) for dose, mean in zip(at, means, strict=True) if dose > 0]
        chart.line(series, [dose for dose, _ in positive], [mean for _, mean in positive])
        for point in curve.points:
            if point.prompts:
                shift = (series - len(curves) / 2) * 4.0
                chart.point(series, point.dose, point.hits / point.prompts,
                            f"{name}, {point.dose} rows, seed {point.seed}: "
                            f"{point.hits} of {point.prompts}", shift=shift)  # fmt: skip
        if curve.dose is not None and curve.dose.value > 0:
            chart.bar_x(series, curve.dose.low or None, curve.dose.high, 0.5)
    return Panel(
        title="Suppressed or removed: poisoned again",
        caption=(
            "Each mark is one model, tuned again on a few poisoned rows among clean ones. The bar at one "
            "half is the relapse dose with its 95% interval. A model that was cured should take as many "
            "rows as one that never was poisoned."
        ),
        svg=chart.svg(),
    )


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)
