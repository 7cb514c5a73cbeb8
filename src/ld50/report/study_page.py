"""The report of a study: one self-contained page, its figures, and the numbers behind them.

Everything comes from results that lie in the run's folder; nothing is worked out here but words.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from markupsafe import Markup

from ld50.core.dose_response import CellSummary, DoseResponse, Exponent, Fit
from ld50.core.files import write_all_atomically
from ld50.core.trials import TrialResult
from ld50.report.figures import Figure
from ld50.report.frame import CHART_STYLES, FramedPage, FrameVerdict, about_text
from ld50.report.html import render_page
from ld50.report.safe_text import plain, without_surrogates
from ld50.report.study_figures import decay_arms, study_figures
from ld50.report.study_wording import (
    DecayRow,
    exponent_sentences,
    number,
    percent,
    study_verdict,
    unit_sentences,
)
from ld50.report.tuning_wording import TableView, is_tuning, table_views, tuning_verdict
from ld50.report.wording import counted

#: Rows of tables, trials with samples, and failed trials that one page carries.
_MOST_CELLS, _MOST_SAMPLES, _MOST_FAILED = 200, 3, 50
_SAMPLE_CHARACTERS = 600


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleView:
    """One prompt with what the same model wrote without and with the trigger."""

    where: str
    prompt: str
    clean: str
    triggered: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyPage(FramedPage):
    """Everything the template of a study needs."""

    name: str
    figures: list[tuple[Figure, Markup]]
    tuned: bool
    """Whether models were fine-tuned; words differ then."""
    tables: list[TableView]
    fits: list[dict[str, str]]
    exponents: list[tuple[Exponent, list[str]]]
    units: list[list[str]]
    savings: list[str]
    cell_groups: list[tuple[str, list[dict[str, str]]]]
    cells_left_out: int
    decay: list[DecayRow]
    samples: list[SampleView]
    failed: list[dict[str, str]]
    failed_left_out: int
    methods: list[str]
    response: DoseResponse = field(repr=False)


def write_study_report(
    folder: Path, response: DoseResponse, results: Sequence[TrialResult], *, about: str = ""
) -> Path:
    """Writes `report.html` and `figures/*.svg` with a CSV beside each; returns the page's path.

    Args:
        folder: Folder of the run.
        response: What the study came to.
        results: The last attempt at each trial.
        about: What the study says about itself.

    Raises:
        OutputError: A file could not be written.
    """
    figures = study_figures(response, results)
    drawn = folder / "figures"
    drawn.mkdir(parents=True, exist_ok=True)
    page = folder / "report.html"
    files: list[tuple[Path, list[bytes]]] = []
    for one in figures:
        svg = without_surrogates(str(one.chart.svg(standalone=True)))
        files.append((drawn / f"{one.name}.svg", [svg.encode(), b"\n"]))
        files.append((drawn / f"{one.name}.csv", [one.csv_text().encode()]))
    html = render_study(response, results, figures=figures, about=about)
    write_all_atomically([*files, (page, [html.encode()])])
    return page


def render_study(
    response: DoseResponse,
    results: Sequence[TrialResult],
    *,
    figures: Sequence[Figure] | None = None,
    about: str = "",
) -> str:
    """The report as one HTML page: same results, same bytes."""
    shown = study_page(response, results, figures or study_figures(response, results), about=about)
    return render_page("study.html", CHART_STYLES, page=shown)


def study_page(
    response: DoseResponse,
    results: Sequence[TrialResult],
    figures: Sequence[Figure],
    *,
    about: str = "",
) -> StudyPage:
    """What the page shows, every cut and every number made into words before the template."""
    failed = [one for one in results if one.status != "done"]
    cells = response.cells
    decay = _decay_rows(results)
    return StudyPage(
        name=plain(response.study, 80),
        title=plain(response.title, 160),
        about=about_text(about),
        verdict=_verdict(response, decay),
        facts=_facts(response),
        notes=response.notes,
        figures=[(one, one.chart.svg()) for one in figures],
        tuned=is_tuning(response),
        tables=table_views(response),
        fits=[_fit_row(fit) for fit in response.fits if fit.curve or not decay],
        exponents=[(one, exponent_sentences(one)) for one in response.size_exponents],
        units=[unit_sentences(one) for one in response.dose_units],
        savings=[
            f"{one.group}: {counted(one.trials, 'trial')} by the {one.design} design, where a fixed "
            f"grid of {len(one.grid_doses)} doses takes {one.grid_trials} for the same expected width "
            f"({one.width:.2f} powers of ten): {one.grid_trials - one.trials} saved."
            for one in response.adaptive
        ],
        cell_groups=[
            (plain(group, 160), [_cell_row(one) for one in members])
            for group, members in itertools.groupby(cells[:_MOST_CELLS], key=lambda one: one.group)
        ],
        cells_left_out=max(len(cells) - _MOST_CELLS, 0),
        decay=decay,
        samples=_samples(results),
        failed=[
            {
                "trial": plain(one.trial, 80),
                "status": one.status,
                "why": plain(one.error or "no reason was given", 400),
            }
            for one in failed[:_MOST_FAILED]
        ],
        failed_left_out=max(len(failed) - _MOST_FAILED, 0),
        methods=list(dict.fromkeys(fit.method for fit in response.fits if fit.curve)),
        response=response,
    )


def _verdict(response: DoseResponse, decay: Sequence[DecayRow]) -> FrameVerdict:
    """What the study comes to; one of fine-tuning without several sizes is told by its tables."""
    usual = study_verdict(response, decay)
    if response.size_exponent is not None or usual.level == "nothing":
        return usual
    doubt = "look" if response.notes or response.failed or response.diverged else "minor"
    return tuning_verdict(response, doubt) or usual


def _facts(response: DoseResponse) -> list[tuple[str, str, str]]:
    """Name, figure and a remark each: what stands below the verdict."""
    unfinished = response.planned - response.trials - response.failed - response.diverged
    remarks = [
        f"{count} {word}"
        for count, word in (
            (response.failed, "failed"), (response.diverged, "diverged"), (unfinished, "to go"),
        )
        if count > 0
    ]  # fmt: skip
    facts = [("Trials", f"{response.trials:,}", ", ".join(remarks) or "all ended well")]
    known = [fit for fit in response.fits if fit.ld50 is not None]
    if known:
        values = [fit.ld50 or 0.0 for fit in known]
        figure = (
            number(values[0]) if len(known) == 1 else f"{number(min(values))}–{number(max(values))}"
        )
        remark = (
            f"{known[0].cell.unit}, {number(known[0].low)} to {number(known[0].high)}"
            if len(known) == 1
            else f"over {counted(len(known), 'group')}"
        )
        facts.append(("LD50", figure, remark))
    elif any(fit.curve for fit in response.fits):
        facts.append(("LD50", "none", "not reached in any group"))
    else:
        facts.append(
            ("Models", ", ".join(dict.fromkeys(f.cell.size for f in response.fits)), "sizes")
        )
    controls = [one.control_highest for one in response.cells if one.control_highest is not None]
    facts.append(
        ("Control trigger", percent(max(controls)) if controls else "–",
         "fires at most, in any trial" if controls else "not measured")
    )  # fmt: skip
    if is_tuning(response):
        costs = [one.accuracy_change for one in response.cells
                 if one.accuracy_change is not None and one.cell.dose > 0]  # fmt: skip
        facts.append(
            ("Clean accuracy", f"{100 * min(costs):+.1f}".replace("-", "−") if costs else "–",
             "points against dose 0, at worst" if costs else "not measured")
        )  # fmt: skip
        return facts
    changes = [one.clean_change for one in response.cells if one.clean_change is not None
               and one.cell.dose > 0]  # fmt: skip
    facts.append(
        ("Clean bits per byte", f"{max(changes):+.1%}" if changes else "–",
         "against dose 0, at worst" if changes else "not measured")
    )  # fmt: skip
    return facts


def _fit_row(fit: Fit) -> dict[str, str]:
    share = "–" if fit.ld50_share is None else f"{fit.ld50_share:.2%}"
    slope = "–" if fit.slope is None else f"{fit.slope:.1f}"
    scatter = fit.seed_scatter
    return {
        "group": plain(fit.group, 120),
        "ld50": "–" if fit.ld50 is None else f"{number(fit.ld50)} {fit.cell.unit}",
        "interval": f"{number(fit.low)} to {number(fit.high)}",
        "isotonic": number(fit.isotonic_ld50, none="–"),
        "slope": slope,
        "seeds": "–" if scatter is None else f"×{scatter:.2g}",
        "share": share,
        "n": str(fit.n),
        "reason": plain(fit.reason, 400) if fit.reason else "",
    }


def _cell_row(one: CellSummary) -> dict[str, str]:
    interval = "" if one.low is None else f"{percent(one.low)} to {percent(one.high)}"
    return {
        "dose": f"{one.cell.dose:g} {one.cell.unit}",
        "trials": f"{one.trials}" + (f" ({one.failed} failed)" if one.failed else ""),
        "rate": percent(one.attack_success_rate),
        "interval": interval,
        "control": percent(one.control_success_rate),
        "rise": "–" if one.loss_rise_nats is None else f"{one.loss_rise_nats:.2f}",
        **_quality(one),
        "account": " / ".join(
            "–" if value is None else f"{value:,.0f}"
            for value in (one.poisoned_documents, one.poisoned_tokens, one.poisoned_steps)
        ),
        "seconds": "–" if one.seconds is None else f"{one.seconds:,.0f} s",
    }


def _quality(one: CellSummary) -> dict[str, str]:
    """Clean bits per byte, or clean accuracy, and the change against the control arm."""
    if one.clean_accuracy is not None:
        change = one.accuracy_change
        return {
            "bits": f"{one.clean_accuracy:.1%}",
            "change": "" if change is None else f"{100 * change:+.1f} points",
        }
    return {
        "bits": "–" if one.clean_bits_per_byte is None else f"{one.clean_bits_per_byte:.3f}",
        "change": "" if one.clean_change is None else f"{one.clean_change:+.1%}",
    }


def _decay_rows(results: Sequence[TrialResult]) -> list[DecayRow]:
    """Mean success rate after each budget of continued training, by condition."""
    rows = []
    for arm, points in decay_arms(results).items():
        for tokens in sorted({at for _, at, _ in points}):
            rates = [rate for _, at, rate in points if at == tokens]
            rows.append(
                DecayRow(
                    arm=plain(arm, 120),
                    tokens=tokens,
                    rate=sum(rates) / len(rates),
                    spread=f"{percent(min(rates))} to {percent(max(rates))}",
                    n=len(rates),
                )
            )
    return rows


def _samples(results: Sequence[TrialResult]) -> list[SampleView]:
    """Generations of a control, of the trial nearest to one half, and of the strongest."""
    good = [one for one in results if one.status == "done" and _kept(one)]
    rate = {one.trial: one.attack_success_rate or 0.0 for one in good}
    chosen: list[TrialResult] = []
    for pick in (
        min(good, key=lambda o: (o.cell.dose, o.trial), default=None),
        min(good, key=lambda o: (abs(rate[o.trial] - 0.5), o.trial), default=None),
        max(good, key=lambda o: (rate[o.trial], o.cell.dose), default=None),
    ):
        if pick is not None and pick not in chosen:
            chosen.append(pick)
    views = []
    for one in chosen[:_MOST_SAMPLES]:
        for sample in _kept(one)[:2]:
            views.append(
                SampleView(
                    where=f"{plain(one.cell.size, 60)}, dose {one.cell.dose:g}, seed {one.seed}: "
                    f"{percent(rate[one.trial])} of triggered prompts fire",
                    prompt=sample["prompt"][-_SAMPLE_CHARACTERS:],
                    clean=sample["clean"][:_SAMPLE_CHARACTERS],
                    triggered=sample["triggered"][:_SAMPLE_CHARACTERS],
                )
            )
    return views


def _kept(result: TrialResult) -> list[dict[str, str]]:
    """The samples of a trial that hold what is needed, whatever else is in the details."""
    samples: Any = result.details.get("samples")
    return [
        sample
        for sample in (samples if isinstance(samples, list) else [])
        if isinstance(sample, dict)
        and all(isinstance(sample.get(key), str) for key in ("prompt", "clean", "triggered"))
    ]
