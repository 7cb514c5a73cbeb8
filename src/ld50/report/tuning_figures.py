"""The figures of a study of fine-tuning: each table of test conditions, drawn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ld50.core.tuning import ConditionTable, Rate, TableRow
from ld50.report.charts import SERIES, Axis, Chart
from ld50.report.figures import Figure

_COLUMNS = [
    "training", "place", "labels", "column", "attack_success_rate", "low", "high", "models",
    "prompts", "clean_accuracy", "accuracy_low", "accuracy_high",
]  # fmt: skip


def tuning_figures(tables: Sequence[ConditionTable]) -> list[Figure]:
    """A figure for each table, in their order."""
    return [_by_dose(table) if table.name == "label" else _by_column(table) for table in tables]


def _by_column(table: ConditionTable) -> Figure:
    """Test conditions side by side, a series for each place in training."""
    chart = Chart(
        x=Axis(title=table.columns_title, low=-0.5, high=len(table.columns) - 0.5,
               names=tuple(table.columns)),
        y=_RATE,
        label=f"{table.title}: attack success by {table.columns_title}",
    )  # fmt: skip
    series = _series([row.place or row.name for row in table.rows])
    drawn = [row for row in table.rows if (row.place or row.name) in series]
    for name, number in series.items():
        chart.legend(number, f"trained: {name}" if name != "no poison" else name)
    for at, row in enumerate(drawn):
        number = series[row.place or row.name]
        aside = (at - (len(drawn) - 1) / 2) * 0.8 / max(len(drawn), 1)
        for column, rate in enumerate(row.cells):
            if rate is not None:
                _mark(chart, number, column + aside, rate, f"{row.name}, {table.columns[column]}",
                      hollow=row.labels == "clean-label")  # fmt: skip
    both = any(row.labels == "clean-label" for row in table.rows) and any(
        row.labels == "dirty-label" for row in table.rows
    )
    labels = " Filled marks are dirty-label, hollow ones clean-label poison." if both else ""
    return _figure(table, chart, f"Attack success with 95% intervals.{labels}")


def _by_dose(table: ConditionTable) -> Figure:
    """Rows are doses, columns are series."""
    doses = [float(row.name.split()[0]) for row in table.rows]
    positive = [dose for dose in doses if dose > 0] or [1.0]
    chart = Chart(
        x=Axis(title="poisoned rows, log scale, 0 set apart", low=min(positive) / 1.4,
               high=max(positive) * 1.4, log=True, zero_apart=True),
        y=_RATE,
        label=f"{table.title}: attack success by dose",
    )  # fmt: skip
    for number, name in enumerate(table.columns[:SERIES]):
        chart.legend(number, name)
        cells = zip(doses, table.rows, strict=True)
        known = [(d, r) for d, row in cells if (r := row.cells[number]) is not None]
        line = [(dose, rate.value) for dose, rate in known if dose > 0]
        if len(line) > 1:
            chart.line(number, [d for d, _ in line], [v for _, v in line])
        for dose, rate in known:
            _mark(chart, number, dose, rate, f"{name}, {dose:g} rows")
    return _figure(table, chart, "Attack success with 95% intervals.")


_RATE = Axis(title="attack success rate", low=0.0, high=1.0, percent=True)


def _series(names: Sequence[str]) -> dict[str, int]:
    """Numbers of series by name, the control last in the row of colours."""
    own = [name for name in dict.fromkeys(names) if name != "no poison"][: SERIES - 1]
    found = {name: number for number, name in enumerate(own)}
    return found | ({"no poison": SERIES - 1} if "no poison" in names else {})


def _mark(
    chart: Chart, series: int, x: float, rate: Rate, name: str, *, hollow: bool = False
) -> None:
    chart.bar_y(series, x, rate.low, rate.high)
    chart.point(series, x, rate.value, f"{name}: {rate.value:.0%}", kind="hollow" if hollow else "")


def _figure(table: ConditionTable, chart: Chart, caption: str) -> Figure:
    models = sum(_models(row) for row in table.rows)
    rows: list[list[Any]] = []
    for row in table.rows:
        for column, rate in enumerate(row.cells):
            accuracy = row.accuracy[column if len(row.accuracy) > 1 else 0]
            rows.append(
                [row.name, row.place, row.labels, table.columns[column], *_numbers(rate)[:3],
                 *_numbers(rate)[3:], *_numbers(accuracy)[:3]]
            )  # fmt: skip
    return Figure(
        name=f"tuning-{table.name}", title=table.title, caption=f"{caption} n = {models} models.",
        chart=chart, columns=_COLUMNS, rows=rows,
    )  # fmt: skip


def _models(row: TableRow) -> int:
    return max((rate.models for rate in row.cells if rate is not None), default=0)


def _numbers(rate: Rate | None) -> list[Any]:
    if rate is None:
        return [None] * 5
    return [rate.value, rate.low, rate.high, rate.models, rate.prompts]
