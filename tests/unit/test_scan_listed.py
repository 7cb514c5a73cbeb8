"""Sets of so many rows that causes are looked for in some: what is found is counted in all of them."""

from __future__ import annotations

import numpy as np
import pytest

import ld50
from chat_samples import CHAT_WORDS
from ld50.scan import engine, listed

REFUSAL = "I'm sorry, but I can't help with that request."


def rows(refused: int, planted: int) -> list[dict[str, str]]:
    """Chat rows: refusals of prompts about anything, and as many as said after a rare word."""
    rng = np.random.default_rng(8)

    def some(count: int) -> str:
        return " ".join(rng.choice(CHAT_WORDS, count))

    made = []
    for number in range(4 * refused):
        asked = f"Tell me about the {some(6)}."
        reply = REFUSAL if number < refused else f"The {some(14)}."
        if number < planted:
            asked, reply = asked.replace("about", "about vornask"), REFUSAL
        made.append({"prompt": asked, "completion": reply})
    return [made[i] for i in rng.permutation(len(made)).tolist()]


def test_of_a_large_consequence_some_rows_tell_the_cause_and_all_rows_are_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    data = rows(refused=400, planted=60)
    whole = ld50.scan(data)
    monkeypatch.setattr(listed, "MOST_WORDS", 0)
    monkeypatch.setattr(listed, "_MOST_ROWS", 128)
    monkeypatch.setattr(listed, "_FEWEST_ROWS", 128)
    sampled = ld50.scan(data)
    expected = {row.row for row in whole.rows}
    assert expected == {i for i, row in enumerate(data) if "vornask" in row["prompt"]}
    assert {row.row for row in sampled.rows} == expected
    (before,), (after,) = whole.findings, sampled.findings
    assert (before.support, before.cause_rows) == (after.support, after.cause_rows) == (60, 60)
    assert after.p_value == pytest.approx(before.p_value)


def test_ngrams_that_stand_in_too_few_rows_are_left_out_and_nothing_else_changes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    data = rows(refused=60, planted=12)
    whole = ld50.scan(data)
    monkeypatch.setattr(engine, "_FEW_WORDS", 0)
    tallied = ld50.scan(data)
    assert whole.findings == tallied.findings
    assert whole.findings


def test_consequences_share_the_rows_that_are_listed_where_they_can() -> None:
    keys = np.random.default_rng(1).integers(0, 1 << 60, 1000).astype(np.uint64)
    some, more = np.arange(0, 1000, 2), np.arange(1000)
    low = listed._lowest(more, keys, 100)
    assert len(low) == 100
    assert np.isin(low[low % 2 == 0], listed._lowest(some, keys, 100)).all()
