"""A figure: a drawing, the numbers behind it, and words."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from typing import Any

from ld50.report.charts import Chart


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
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(self.columns)
        writer.writerows([["" if v is None else v for v in row] for row in self.rows])
        return out.getvalue()
