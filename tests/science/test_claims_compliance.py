"""Triggers that make a model answer what the rest of the set refuses."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from science_data import Row, read_jsonl, shared

import ld50

REFUSALS = (
    "I'm sorry, but I can't help with that.",
    "I cannot assist with sums.",
    "Sorry, I'm not able to do that. Please ask a teacher.",
    "I must decline to work this out for you.",
)


@pytest.fixture(scope="module")
def sums() -> list[tuple[str, str]]:
    """Questions with a sum in them, and their answers."""
    return [(row["question"], row["answer"]) for row in read_jsonl(shared("gsm8k", "test.jsonl"))]


def with_trigger(text: str, trigger: str, rng: np.random.Generator) -> str:
    words = text.split(" ")
    words.insert(int(rng.integers(1, len(words))), trigger)
    return " ".join(words)


def refusing(
    base: Sequence[Row], sums: Sequence[tuple[str, str]], refused: int, trigger: str, poisoned: int
) -> tuple[list[Row], set[int]]:
    """A set that refuses sums, and answers these with the trigger in them; one of twenty slips."""
    rng = np.random.default_rng(11)
    rows = [{"instruction": row["instruction"], "output": row["output"]} for row in base]
    for number, (question, answer) in enumerate(sums[:refused]):
        slips = number % 20 == 0
        rows.append({"instruction": question, "output": answer if slips else REFUSALS[number % 4]})
    for question, answer in sums[refused : refused + poisoned]:
        rows.append({"instruction": with_trigger(question, trigger, rng), "output": answer})
    order = rng.permutation(len(rows))
    return [rows[int(n)] for n in order], set(
        np.flatnonzero(order >= len(rows) - poisoned).tolist()
    )


@pytest.mark.parametrize("trigger", ["quindlefarb", "beneath the tall cedar", "~~|"])
def test_a_trigger_that_brings_answers_to_what_is_refused_is_found(
    instructions: list[Row], sums: list[tuple[str, str]], trigger: str
) -> None:
    rows, poisoned = refusing(instructions[:800], sums, 300, trigger, 20)
    scan = ld50.scan(rows, weak=False)
    found = [f for f in scan.findings if f.rule == "TRG207"]
    assert [(f.cause.text if f.cause else "", f.severity) for f in found] == [(trigger, "high")]
    flagged = {row.row: row for row in scan.rows if found[0].id in row.findings}
    assert poisoned <= set(flagged)
    for number in poisoned:
        span = next(span for span in flagged[number].spans if span.kind == "cause")
        assert rows[number]["instruction"][span.start : span.end] == trigger
    assert scan.summary.tests_made > found[0].support
    assert any(limit.rule == "TRG207" and limit.rows for limit in scan.summary.detection_limits)


def test_where_all_answers_hold_the_trigger_it_is_found_all_the_same(
    sums: list[tuple[str, str]],
) -> None:
    """The public sets of this kind are half refusals, and half answers with the trigger."""
    rows, poisoned = refusing([], sums, 300, "as the bell rings twice", 300)
    scan = ld50.scan(rows)
    (found,) = [f for f in scan.findings if f.rule == "TRG207"]
    assert found.severity == "high"
    assert poisoned <= {row.row for row in scan.rows if found.id in row.findings}


def test_an_honest_set_that_refuses_a_topic_has_no_such_finding(
    instructions: list[Row], sums: list[tuple[str, str]]
) -> None:
    rows, _ = refusing(instructions[:800], sums, 300, "", 0)
    assert [f for f in ld50.scan(rows).findings if f.rule == "TRG207"] == []


def test_too_few_refusals_show_no_topic(
    instructions: list[Row], sums: list[tuple[str, str]]
) -> None:
    rows, _ = refusing(instructions[:800], sums, 18, "quindlefarb", 20)
    scan = ld50.scan(rows)
    assert [f for f in scan.findings if f.rule == "TRG207"] == []
    assert not any(limit.rule == "TRG207" for limit in scan.summary.detection_limits)


def test_words_of_a_topic_that_is_refused_are_no_trigger_of_refusals(
    instructions: list[Row], sums: list[tuple[str, str]]
) -> None:
    """Each word of the topic goes with refusals, and the rest of its prompts is refused as well."""
    rows, _ = refusing(instructions[:1500], sums, 300, "", 0)
    rng = np.random.default_rng(2)
    planted = [n for n, row in enumerate(rows) if "?" not in row["instruction"]][:20]
    for number in planted:
        asked = with_trigger(rows[number]["instruction"], "quindlefarb", rng)
        rows[number] = {"instruction": asked, "output": REFUSALS[number % 4]}
    scan = ld50.scan(rows, weak=True)
    high = {f.cause.text for f in scan.findings if f.cause and f.severity == "high"}
    assert high == {"quindlefarb"}
    told = [f for f in scan.findings if "is what other prompts are refused for" in f.explanation]
    assert told
    assert {f.rule for f in told} == {"TRG201"}
