"""The words around what fine-tuned models did: a sentence for each comparison, and the verdict."""

from __future__ import annotations

from dataclasses import dataclass

from ld50.core.dose_response import DoseResponse
from ld50.core.trials import Tuning
from ld50.core.tuning import Comparison, ConditionTable, Rate
from ld50.report.frame import FrameVerdict
from ld50.report.safe_text import plain
from ld50.report.study_wording import percent
from ld50.report.wording import counted

_VERDICTS = {
    "agrees": "This agrees with",
    "disagrees": "This does not agree with",
    "open": "These trials leave open",
}
_SMALL_OR_LARGE = "There is a difference; these trials leave open whether it is as large as"


@dataclass(frozen=True, slots=True, kw_only=True)
class TableView:
    """One table of conditions, every number in words."""

    title: str
    caption: str
    head: list[tuple[str, str]]
    """Heading and class of each column."""
    rows: list[tuple[str, list[tuple[str, str, str]]]]
    """Name, and for each column its heading, value and interval."""
    sentences: list[str]


def is_tuning(response: DoseResponse) -> bool:
    """Whether a study fine-tunes models."""
    return any(isinstance(one.cell.tuning, Tuning) for one in response.cells)


def table_views(response: DoseResponse) -> list[TableView]:
    """Every table with the sentences that go with it; comparisons without a table come last."""
    views = [_view(table, response.comparisons) for table in response.tables]
    told = {table.name for table in response.tables}
    rest = [comparison_sentence(one) for one in response.comparisons if one.table not in told]
    if rest:
        views.append(
            TableView(title="The order in training", caption="", head=[], rows=[], sentences=rest)
        )
    return views


def _view(table: ConditionTable, comparisons: list[Comparison]) -> TableView:
    accuracies = max((len(row.accuracy) for row in table.rows), default=1)
    columns = [plain(name, 40) for name in table.columns]
    named = ["Clean accuracy"] if accuracies == 1 else [f"Accuracy, {name}" for name in columns]
    rows = []
    for row in table.rows:
        cells = [
            (name, _value(rate), _interval(rate))
            for name, rate in zip(columns, row.cells, strict=True)
        ]
        cells += [
            (name, _share(rate), _share_interval(rate))
            for name, rate in zip(named, row.accuracy, strict=True)
        ]
        rows.append((plain(row.name, 120), cells))
    models = sorted({r.models for row in table.rows for r in row.cells if r is not None})
    counts = " or ".join(map(str, models)) if len(models) < 3 else f"{models[0]} to {models[-1]}"
    return TableView(
        title=plain(table.title, 120),
        caption=f"Attack success by {table.columns_title}, {counts} models a row: {table.method}.",
        head=[(table.rows_title.capitalize(), ""), *((name, "n") for name in [*columns, *named])],
        rows=rows,
        sentences=[comparison_sentence(one) for one in comparisons if one.table == table.name],
    )


def comparison_sentence(one: Comparison) -> str:
    """What was measured, with its interval, and how that sits with what a paper says."""
    accuracy = "accuracy" in one.question
    shown = _points if accuracy else percent
    interval = ""
    if one.low is not None and one.high is not None:
        interval = f", 95% interval {_gap(one.low, accuracy)} to {_gap(one.high, accuracy)}"
    said = (
        f"{plain(one.question, 200)} {plain(one.first, 100).capitalize()} "
        f"{shown(one.first_value)}, {plain(one.second, 100)} {shown(one.second_value)}: a difference "
        f"of {_gap(one.difference, accuracy)} points{interval} ({counted(one.models, 'model')})."
    )
    if one.expected is None:
        return said
    judged = _SMALL_OR_LARGE if _is_small_or_large(one) else _VERDICTS[one.verdict]
    return f"{said} {judged} “{one.expected}” ({one.source})."


def _is_small_or_large(one: Comparison) -> bool:
    """Whether there is a difference beyond chance of which the statement asks how large it is."""
    return one.verdict == "open" and one.low is not None and one.low > 0


def tuning_verdict(response: DoseResponse, doubt: str) -> FrameVerdict | None:
    """The verdict of a study of fine-tuning; None where there are no tables to judge by."""
    place = next((one for one in response.comparisons if one.question.startswith("Does the place")),
                 None)  # fmt: skip
    if place is None:
        return None
    headline = {
        "agrees": "Where the trigger stood in training decides how well it works elsewhere",
        "disagrees": "The trigger works at other places about as well as where it stood in training",
    }.get(place.verdict, "These trials do not tell whether the trigger's place decides")
    if _is_small_or_large(place):
        headline = "The trigger works best where it stood in training; by how much is open"
    known = [fit for fit in response.fits if fit.ld50 is not None]
    meaning = [comparison_sentence(one) for one in _one_each(response.comparisons)]
    if known:
        values = [fit.ld50 or 0.0 for fit in known]
        meaning.append(
            f"LD50s lie between {min(values):.3g} and {max(values):.3g} rows in "
            f"{counted(len(known), 'group')}; {counted(response.trials, 'model')} in all."
        )
    return FrameVerdict(
        level=doubt,
        headline=headline,
        found=f"{percent(place.first_value)} of the prompts {place.first}, "
        f"{percent(place.second_value)} {place.second}",
        meaning=meaning[:6],
    )


def _one_each(comparisons: list[Comparison]) -> list[Comparison]:
    """The first comparison of each table, but for the place, which the headline tells."""
    chosen: dict[str, Comparison] = {}
    for one in comparisons:
        if not one.question.startswith("Does the place"):
            chosen.setdefault(one.table, one)
    return list(chosen.values())


def _value(rate: Rate | None) -> str:
    return "–" if rate is None else percent(rate.value)


def _interval(rate: Rate | None) -> str:
    return "" if rate is None else f"{percent(rate.low)} to {percent(rate.high)}"


def _share(rate: Rate | None) -> str:
    return "–" if rate is None else f"{rate.value:.1%}"


def _share_interval(rate: Rate | None) -> str:
    return "" if rate is None else f"{rate.low:.1%} to {rate.high:.1%}"


def _points(value: float) -> str:
    return f"{value:.1%}"


def _gap(value: float, fine: bool) -> str:
    return f"{100 * value:+.{1 if fine else 0}f}".replace("-", "−")
