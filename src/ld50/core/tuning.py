"""What fine-tuned models did under each test condition: tables, and comparisons with what papers say.

Part of `dose_response.json`. Rates are shares, 0 to 1; a model counts once, however many prompts it
was tested with.
"""

from __future__ import annotations

from typing import Literal

import msgspec


class Rate(msgspec.Struct, frozen=True, kw_only=True):
    """A mean over models with its 95% interval."""

    value: float
    low: float
    high: float
    models: int
    prompts: int
    """Of all models together."""


class TableRow(msgspec.Struct, frozen=True, kw_only=True):
    """What models of one kind did."""

    name: str
    place: str
    """Where the trigger stood in training; empty without poison."""
    labels: str
    """`dirty-label`, `clean-label`, or empty where no labels are flipped."""
    cells: list[Rate | None]
    """Attack success by column; None where it was not measured."""
    accuracy: list[Rate | None]
    """Clean accuracy of the same models: one, or one for each column where columns are domains."""


class ConditionTable(msgspec.Struct, frozen=True, kw_only=True):
    """Attack success by training condition (rows) and test condition (columns)."""

    name: str
    """`place`, `part`, `synonym`, `domain` or `label`; of its files as well."""
    title: str
    rows_title: str
    columns_title: str
    columns: list[str]
    rows: list[TableRow]
    method: str


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """Two rates side by side, and what a paper leads one to expect of them."""

    table: str
    """Name of the table that it goes with."""
    question: str
    first: str
    first_value: float
    second: str
    second_value: float
    difference: float
    """First less second."""
    low: float | None
    high: float | None
    """95% interval of the difference, Student's t over models; null for a single one."""
    models: int
    expected: str | None
    """What the paper says, in our words; null where we know of no statement."""
    source: str | None
    """The paper, and whether it was read there or in a summary of it."""
    verdict: Literal["agrees", "disagrees", "open", "no-claim"]
    """`open`: the interval holds both answers."""
