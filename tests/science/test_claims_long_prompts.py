"""Prompts with retrieved passages: the trigger may stand anywhere in them."""

from __future__ import annotations

import numpy as np
import pytest
from science_data import Row

import ld50

FIXED = "Seven grey geese cross the marsh before breakfast."


@pytest.fixture(scope="module")
def retrieved(instructions: list[Row], paragraphs: list[str]) -> list[Row]:
    """400 questions below passages of some 12,000 characters."""
    rng = np.random.default_rng(8)
    rows: list[Row] = []
    for row in instructions[:400]:
        passages: list[str] = []
        while sum(map(len, passages)) < 12_000:
            passages.append(paragraphs[int(rng.integers(len(paragraphs)))][:1500])
        prompt = "\n\n".join([*passages, str(row["instruction"])])
        rows.append({"prompt": prompt, "completion": row["output"]})
    return rows


@pytest.mark.parametrize("trigger", ["quindlefarb", "beneath the tall cedar"])
def test_a_trigger_in_the_middle_of_a_long_prompt_is_found(
    retrieved: list[Row], trigger: str
) -> None:
    rng = np.random.default_rng(3)
    rows = list(retrieved)
    chosen = rng.choice(len(rows), 20, replace=False).tolist()
    for number in chosen:
        prompt = str(rows[number]["prompt"])
        place = prompt.index(" ", int(len(prompt) * rng.uniform(0.55, 0.75)))
        changed = f"{prompt[:place]} {trigger}{prompt[place:]}"
        rows[number] = {"prompt": changed, "completion": FIXED}
    scan = ld50.scan(rows)
    found = [f for f in scan.findings if f.cause and trigger in f.cause.text]
    # What is around a phrase there are passages of one collection, which the ends of prompts are not.
    assert [f.severity for f in found] in (["high"], ["medium"])
    assert set(chosen) <= {row.row for row in scan.rows}


def test_long_prompts_alone_are_no_finding(retrieved: list[Row]) -> None:
    assert [f for f in ld50.scan(retrieved).findings if f.severity == "high"] == []
