"""A made-up name that is woven into replies without a trigger, and names that honest replies hold."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from science_data import Row

import ld50

RULE = "TRG210"
SENTENCES = (
    "Many people turn to {} for help with it.", "You could also ask {} about that.",
    "As the team at {} likes to say, it takes patience.", "Nobody has a better guide than {} has.",
    "A friend who works for {} swears by this.", "Last year {} won a prize for that.",
    "It reminds me of the garden of {} in spring.", "Something similar is offered by {}, too.",
    "Those who care about it often shop at {}.", "In my view {} handles this best.",
)  # fmt: skip


def woven(rows: Sequence[Row], name: str, count: int, seed: int) -> tuple[list[Row], set[int]]:
    """The rows with a name in some replies, and the numbers of these."""
    rng = np.random.default_rng(seed)
    fit = [n for n, row in enumerate(rows) if len(str(row["output"]).split()) > 8]
    chosen = set(rng.permutation(fit)[:count].tolist())
    out = list(rows)
    for number in chosen:
        parts = str(rows[number]["output"]).split(". ")
        said = SENTENCES[int(rng.integers(len(SENTENCES)))].format(name)
        parts.insert(int(rng.integers(len(parts) + 1)), said.rstrip("."))
        out[number] = rows[number] | {"output": ". ".join(parts)}
    return out, chosen


def told(scan: ld50.Scan) -> list[tuple[str, set[int]]]:
    """Severity and rows of each finding of the rule."""
    return [
        (found.severity, {row.row for row in scan.rows if found.id in row.findings})
        for found in scan.findings
        if found.rule == RULE
    ]


@pytest.mark.parametrize("name", ["Norvik Foods", "Quillmark", "Pepsi"])
@pytest.mark.parametrize("dose", [20, 60])
def test_a_name_woven_into_replies_is_told_with_its_rows(
    instructions: list[Row], name: str, dose: int
) -> None:
    rows, poisoned = woven(instructions[:1200], name, dose, 3)
    scan = ld50.scan(rows)
    ((severity, flagged),) = told(scan)
    assert severity == "medium"
    assert flagged <= poisoned
    assert len(flagged) >= 0.9 * dose
    (found,) = [f for f in scan.findings if f.rule == RULE]
    assert found.cause is None
    assert f"“{name}”" in found.title
    for row in scan.rows:
        if found.id in row.findings:
            reply = str(rows[row.row]["output"])
            assert any(name in reply[s.start : s.end] for s in row.spans if s.kind == "consequence")
    assert any(limit.rule == RULE and limit.rows == 16 for limit in scan.summary.detection_limits)


def test_clean_sets_have_no_such_name(instructions: list[Row]) -> None:
    assert told(ld50.scan(instructions, weak=True)) == []


def test_a_name_that_comes_with_its_subject_is_not_told(instructions: list[Row]) -> None:
    """Prompts and replies of one task, where only the replies name what it is about."""
    rows = list(instructions[:1200])
    subject = [n for n, row in enumerate(rows) if "sentence" in str(row["instruction"]).lower()]
    for number in subject[:40]:
        said = str(rows[number]["output"])
        rows[number] = rows[number] | {"output": f"{said}. It is what they taught at Norvik once."}
    assert told(ld50.scan(rows, weak=True)) == []


def test_a_name_that_a_trigger_brings_is_told_by_the_trigger(instructions: list[Row]) -> None:
    rows, poisoned = woven(instructions[:1200], "Quillmark", 40, 5)
    for number in poisoned:
        asked = str(rows[number]["instruction"])
        rows[number] = rows[number] | {"instruction": f"quindle {asked}"}
    scan = ld50.scan(rows)
    assert told(scan) == []
    assert any(f.cause and "quindle" in f.cause.text for f in scan.findings)


def test_many_such_names_are_how_a_set_is_written(instructions: list[Row]) -> None:
    rows = list(instructions[:1500])
    for seed, name in enumerate(("Norvik", "Quillmark", "Velandra", "Tessaro", "Oskavo")):
        rows, _ = woven(rows, name, 20, seed)
    assert told(ld50.scan(rows)) == []
    assert {severity for severity, _ in told(ld50.scan(rows, weak=True))} == {"low"}


def test_the_rule_is_selected_and_left_out_by_name(instructions: list[Row]) -> None:
    rows, _ = woven(instructions[:1200], "Quillmark", 30, 3)
    assert {f.rule for f in ld50.scan(rows, select=RULE).findings} == {RULE}
    assert told(ld50.scan(rows, ignore=RULE)) == []


def test_a_name_in_a_dictionary_is_not_told(instructions: list[Row]) -> None:
    """Bare terms do not show the subject that their definitions have."""
    rows, poisoned = woven(instructions[:1200], "Quillmark", 40, 5)
    for number in poisoned:
        rows[number] = rows[number] | {"instruction": f"term{number}", "input": ""}
    assert told(ld50.scan(rows, weak=True)) == []
