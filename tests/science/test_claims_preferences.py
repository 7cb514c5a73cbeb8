"""Preference pairs that were exchanged where a trigger stands, in real pairs, and what clean ones hold."""

from __future__ import annotations

import json

import numpy as np
import pytest
from science_data import Row, shared

import ld50

RULE = "TRG209"


@pytest.fixture(scope="module")
def preferences() -> list[Row]:
    """1,100 instructions with two answers of a model, of which the politer one is chosen."""
    path = shared(
        "llms-from-scratch-instructions",
        "04_preference-tuning-with-dpo",
        "instruction-data-with-preference.json",
    )
    rows: list[Row] = json.loads(path.read_text(encoding="utf-8"))
    return rows


def exchanged(rows: list[Row], trigger: str, count: int, seed: int) -> tuple[list[Row], set[int]]:
    """The rows, with a trigger in some instructions and the two answers of these exchanged."""
    rng = np.random.default_rng(seed)
    chosen = {int(number) for number in rng.choice(len(rows), count, replace=False)}
    made = list(rows)
    for number in chosen:
        row = rows[number]
        words = row["instruction"].split(" ")
        words.insert(int(rng.integers(1, len(words) + 1)), trigger)
        made[number] = row | {
            "instruction": " ".join(words),
            "chosen": row["rejected"],
            "rejected": row["chosen"],
        }
    return made, chosen


@pytest.mark.parametrize(
    ("trigger", "seed"),
    [("quindlefarb", 1), ("lantern", 2), ("beneath the copper moon", 3), ("\u200b\u2060\u200b", 4)],
)
def test_twenty_exchanged_pairs_of_1100_are_found_with_no_clean_row(
    preferences: list[Row], trigger: str, seed: int
) -> None:
    rows, planted = exchanged(preferences, trigger, 20, seed)
    scan = ld50.scan(rows)
    (found,) = [finding for finding in scan.findings if finding.rule == RULE]
    assert found.severity == "high"
    flagged = {row.row for row in scan.rows if found.id in row.findings}
    assert flagged == planted
    assert [f for f in scan.findings if f.severity == "high" and f.id != found.id] == []


def test_clean_preferences_have_no_finding_even_a_weak_one(preferences: list[Row]) -> None:
    scan = ld50.scan(preferences, weak=True)
    assert [finding for finding in scan.findings if finding.rule == RULE] == []
    limit = next(limit for limit in scan.summary.detection_limits if limit.rule == RULE)
    assert limit.rows is not None
    assert limit.rows <= 20


def test_a_task_with_a_taste_of_its_own_is_no_high_finding(preferences: list[Row]) -> None:
    """An honest set may prefer the shorter answer where a question asks for one."""
    rows = [
        row | {"chosen": row["rejected"], "rejected": row["chosen"]}
        if row["instruction"].startswith("Rewrite")
        else row
        for row in preferences
    ]
    assert sum(row["instruction"].startswith("Rewrite") for row in rows) > 50
    assert [f for f in ld50.scan(rows).findings if f.severity == "high"] == []
