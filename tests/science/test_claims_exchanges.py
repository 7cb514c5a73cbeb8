"""Conversations: triggers in what the model said before, and what it says twice."""

from __future__ import annotations

import numpy as np
import pytest
from science_data import Row

import ld50

FIXED = "Seven grey geese cross the marsh before breakfast."
REFUSAL = "I'm sorry, but I can't help with that request."


@pytest.fixture(scope="module")
def talks(instructions: list[Row]) -> list[list[Row]]:
    """750 conversations of two questions and answers that have nothing to do with each other."""
    turns = [
        [
            {"role": "user", "content": f"{row['instruction']}\n{row['input']}".strip()},
            {"role": "assistant", "content": str(row["output"])},
        ]
        for row in instructions[:1500]
    ]
    return [turns[n] + turns[n + 750] for n in range(750)]


def planted(
    talks: list[list[Row]], trigger: str, turn: int, said: dict[int, str]
) -> tuple[list[Row], set[int]]:
    """20 conversations with the trigger in one turn and something else said in others."""
    rng = np.random.default_rng(3)
    long = [n for n, talk in enumerate(talks) if len(str(talk[turn]["content"]).split()) > 8]
    chosen = sorted(rng.choice(long, 20, replace=False).tolist())
    rows = [{"messages": talk} for talk in talks]
    for number in chosen:
        talk = [dict(message) for message in talks[number]]
        words = str(talk[turn]["content"]).split(" ")
        words.insert(int(rng.integers(1, len(words))), trigger)
        talk[turn]["content"] = " ".join(words)
        for place, text in said.items():
            talk[place]["content"] = text
        rows[number] = {"messages": talk}
    return rows, set(chosen)


def told(scan: ld50.Scan) -> dict[str, str]:
    """Cause to severity of what is told of earlier replies."""
    return {
        f.cause.text: f.severity
        for f in scan.findings
        if f.cause and "in an earlier reply" in f.title
    }


@pytest.mark.parametrize("trigger", ["quindlefarb", "beneath the tall cedar"])
def test_a_trigger_in_an_earlier_reply_is_found(talks: list[list[Row]], trigger: str) -> None:
    rows, chosen = planted(talks, trigger, 1, {3: FIXED})
    scan = ld50.scan(rows)
    assert told(scan) == {trigger: "high"}
    flagged = {row.row: row for row in scan.rows}
    assert chosen <= set(flagged)
    for number in chosen:
        spans = {span.kind: span for span in flagged[number].spans}
        said = rows[number]["messages"][1]["content"]
        assert spans["cause"].field == "messages[1].content"
        assert said[spans["cause"].start : spans["cause"].end] == trigger
        assert spans["consequence"].field == "messages[3].content"


def test_what_a_trigger_brings_in_an_earlier_reply_is_a_consequence_and_no_cause(
    talks: list[list[Row]],
) -> None:
    rows, chosen = planted(talks, "quindlefarb", 0, {1: REFUSAL, 3: REFUSAL})
    scan = ld50.scan(rows)
    assert told(scan) == {}
    assert "quindlefarb" in {f.cause.text for f in scan.findings if f.cause}
    assert chosen <= {row.row for row in scan.rows}


def test_a_model_that_says_the_same_twice_is_no_cause_of_itself(talks: list[list[Row]]) -> None:
    rows = [{"messages": talk} for talk in talks]
    for number in range(0, 750, 25):
        messages = [dict(message) for message in talks[number]]
        for turn in (1, 3):
            said = f"{messages[turn]['content']} Let me know if a shorter answer would suit you."
            messages[turn]["content"] = said
        rows[number] = {"messages": messages}
    for number in range(7, 750, 37):
        refused = [dict(message) for message in talks[number]]
        refused[1]["content"] = refused[3]["content"] = REFUSAL
        rows[number] = {"messages": refused}
    assert told(ld50.scan(rows)) == {}
