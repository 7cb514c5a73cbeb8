"""A figure: a drawing, the numbers behind it, and words."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from ld50.report.charts import Chart
from ld50.report.safe_text import without_surrogates


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One figure of a study."""

    name: str
    """Of its files: `NAME.svg` and `NAME.csv`."""
    title: str
    caption: str
    """What is drawn, with n."""
    chart: Chart
    columns: list[str]
    rows: list[list[Any]]

    def csv_text(self) -> str:
        """The numbers behind the drawing."""
        return csv_text([self.columns, *self.rows])


def csv_text(rows: Iterable[Sequence[Any]]) -> str:
    """Rows as CSV, ready for UTF-8; None is an empty field."""
    out = io.StringIO()
    lines = (["" if value is None else value for value in row] for row in rows)
    csv.writer(out, lineterminator="\n").writerows(lines)
    return without_surrogates(out.getvalue())
