"""Reading training data: files found, layouts told, work cut into units, rows as columns.

`expand` turns what a user typed into files, `plan` looks at them and cuts them into units, `read`
gives the rows of a unit as batches of columns, `fetch` the few rows that a report shows, and
`split` writes the data divided in two. For data in memory, `plan_table` and `split_table` do the
same.
"""

from ld50.corpus.fields import LAYOUT_NAMES, Field, Layout, LayoutOptions
from ld50.corpus.planning import plan
from ld50.corpus.reader import UnitReader, fetch, read
from ld50.corpus.sources import COMPRESSIONS, FORMATS, SourceFile, expand
from ld50.corpus.split import SplitFile, SplitReport, planned_outputs, split
from ld50.corpus.tables import as_arrow, plan_table, split_table
from ld50.corpus.tally import UnitTally
from ld50.corpus.units import UNIT_BYTES, Plan, SourcePlan, Unit, first_rows

__all__ = [
    "COMPRESSIONS",
    "FORMATS",
    "LAYOUT_NAMES",
    "UNIT_BYTES",
    "Field",
    "Layout",
    "LayoutOptions",
    "Plan",
    "SourceFile",
    "SourcePlan",
    "SplitFile",
    "SplitReport",
    "Unit",
    "UnitReader",
    "UnitTally",
    "as_arrow",
    "expand",
    "fetch",
    "first_rows",
    "plan",
    "plan_table",
    "planned_outputs",
    "read",
    "split",
    "split_table",
]
