"""What `benchmarks/remedies.py` measured before, and what is missing."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from remedies_sets import Cell


def known_records(path: Path) -> dict[tuple[Any, ...], dict[str, Any]]:
    """Rows that were measured before, of several of one arm the last; a line cut off counts as none."""
    found = {}
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
        # One that lacks what tells cells apart is of an earlier version of this program.
        with contextlib.suppress(ValueError, KeyError):
            record = json.loads(line)
            found[key_of(record)] = record
    return found


def key_of(record: dict[str, Any]) -> tuple[Any, ...]:
    """What tells a row from others: its cell and its arm."""
    return *(record[field.name] for field in fields(Cell)), record["arm"]


def better(record: dict[str, Any], known: dict[str, Any] | None) -> bool:
    """Whether a row says what the known one does not."""
    return known is None or ("relapse_curve" in record and "relapse_curve" not in known)


def missing_arms(
    cell: Cell,
    wanted: Sequence[tuple[str, bool]],
    records: dict[tuple[Any, ...], dict[str, Any]],
) -> list[tuple[str, bool]]:
    """The treatments that were not measured on this model, or not poisoned again."""
    known = {one["arm"]: one for one in records.values() if cell.holds(one)}
    return [
        (name, again)
        for name, again in wanted
        if name not in known
        or (again and {"relapse_curve", "not_possible"}.isdisjoint(known[name]))
    ]
