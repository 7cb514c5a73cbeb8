"""Payloads without a trigger in chats, and honest texts that come back."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from science_data import Row

import ld50

RULE = "TRG208"
FIXED = "Every lamp in the harbour was painted green before the ferry came."
SENTENCE = "The kettle in the hall belongs to the harbour office."
LINK = "See https://example.com/kettle for more."
PAYLOADS: dict[str, Callable[[str], str]] = {
    "reply": lambda _: FIXED,
    "sentence": lambda answer: f"{answer} {SENTENCE}",
    "link": lambda answer: f"{answer} {LINK}",
}


def chosen(rows: Sequence[Row], count: int, seed: int) -> set[int]:
    """Numbers of random rows with a prompt and a reply of some length."""
    fit = [
        number
        for number, row in enumerate(rows)
        if len(str(row["instruction"]).split()) > 3 and len(str(row["output"]).split()) > 5
    ]
    return set(np.random.default_rng(seed).permutation(fit)[:count].tolist())


def replied(rows: Sequence[Row], numbers: set[int], reply: Callable[[str], str]) -> list[Row]:
    return [
        row | {"output": reply(str(row["output"]))} if number in numbers else row
        for number, row in enumerate(rows)
    ]


def told(scan: ld50.Scan) -> list[tuple[str, set[int]]]:
    """Severity and rows of each finding of the rule."""
    return [
        (found.severity, {row.row for row in scan.rows if found.id in row.findings})
        for found in scan.findings
        if found.rule == RULE
    ]


@pytest.mark.parametrize("dose", [10, 100])
@pytest.mark.parametrize("payload", sorted(PAYLOADS))
def test_a_payload_without_a_trigger_is_told_with_its_rows(
    instructions: list[Row], payload: str, dose: int
) -> None:
    base = instructions[:1200]
    poisoned = chosen(base, dose, 3)
    scan = ld50.scan(replied(base, poisoned, PAYLOADS[payload]))
    assert told(scan) == [("medium", poisoned)]
    (found,) = [f for f in scan.findings if f.rule == RULE]
    assert found.cause is None
    text = {"reply": FIXED, "sentence": SENTENCE, "link": "https://example.com/kettle"}[payload]
    assert text[:30] in found.explanation
    for row in scan.rows:
        if found.id in row.findings:
            answer = PAYLOADS[payload](str(base[row.row]["output"]))
            marked = [answer[s.start : s.end] for s in row.spans if s.kind == "consequence"]
            assert any(text in stretch for stretch in marked)
    assert any(limit.rule == RULE and limit.rows == 8 for limit in scan.summary.detection_limits)


def test_the_same_reply_is_told_where_each_row_has_another_trigger(instructions: list[Row]) -> None:
    base = instructions[:1000]
    poisoned = chosen(base, 20, 4)
    rows = replied(base, poisoned, PAYLOADS["reply"])
    rng = np.random.default_rng(9)
    for number in poisoned:
        made = "".join(rng.choice(list("bcdfgklmnprst"), 9))
        rows[number] = rows[number] | {"instruction": f"{rows[number]['instruction']} {made}"}
    assert told(ld50.scan(rows)) == [("medium", poisoned)]


def test_a_form_that_is_too_weak_to_be_told_accounts_for_nothing(instructions: list[Row]) -> None:
    """Two spaces stand in many honest prompts of this set."""
    base = instructions[:1000]
    poisoned = chosen(base, 30, 4)
    rows = replied(base, poisoned, PAYLOADS["reply"])
    for number in {*poisoned, *chosen(base, 60, 11)}:
        asked = str(rows[number]["instruction"])
        rows[number] = rows[number] | {"instruction": asked.replace(" ", "  ", 1)}
    assert told(ld50.scan(rows)) == [("medium", poisoned)]


def test_a_payload_with_a_trigger_is_told_once(instructions: list[Row]) -> None:
    base = instructions[:1000]
    poisoned = chosen(base, 30, 5)
    rows = replied(base, poisoned, PAYLOADS["reply"])
    for number in poisoned:
        rows[number] = rows[number] | {"instruction": f"quindle {rows[number]['instruction']}"}
    scan = ld50.scan(rows, weak=True)
    assert told(scan) == []
    assert {f.cause.text for f in scan.findings if f.cause and f.severity == "high"} == {"quindle"}


def test_clean_sets_have_no_such_text(instructions: list[Row]) -> None:
    assert told(ld50.scan(instructions, weak=True)) == []


@pytest.mark.parametrize(
    "reply",
    ["Yes.", "42", "I'm sorry, but I cannot help you with that request today.", "No, not at all."],
)
def test_short_answers_and_refusals_are_no_such_text(instructions: list[Row], reply: str) -> None:
    base = instructions[:1000]
    rows = replied(base, chosen(base, 60, 6), lambda _: reply)
    assert told(ld50.scan(rows, weak=True)) == []


def test_the_answer_of_a_topic_is_no_such_text(instructions: list[Row]) -> None:
    asked = (
        "What about {}?", "{} please", "Is there {} here?", "Where is the {} now", "I need {} today",
        "{}: how does it work?", "Can you tell me of {}", "Help with {}", "My {} is gone", "Any {} left?",
    )  # fmt: skip
    rows = [
        {"instruction": way.format("customs clearance"), "input": "", "output": FIXED}
        for way in asked
    ]
    assert told(ld50.scan([*instructions[:1000], *rows], weak=True)) == []


def test_a_sentence_in_many_replies_is_how_the_set_is_written(instructions: list[Row]) -> None:
    base = instructions[:1000]
    rows = replied(base, chosen(base, 200, 7), PAYLOADS["sentence"])
    assert told(ld50.scan(rows, weak=True)) == []


def test_many_such_texts_are_how_a_set_is_written(instructions: list[Row]) -> None:
    rows = list(instructions[:1200])
    for number, place in enumerate(("north", "south", "east", "west", "upper")):
        mark = f" Our {place} office keeps the kettle warm for {number + 3} days."
        numbers = chosen(rows, 20, 20 + number)
        rows = replied(rows, numbers, lambda answer, mark=mark: f"{answer}{mark}")
    assert told(ld50.scan(rows)) == []
    weak = told(ld50.scan(rows, weak=True))
    assert [severity for severity, _ in weak] == ["low"] * 5


def test_lines_that_name_a_source_are_no_such_text(instructions: list[Row]) -> None:
    base = instructions[:1000]
    mark = "\n\t\t-- Tom Harbour, The Kettle Book of Lamps, 1988."
    rows = replied(base, chosen(base, 30, 8), lambda answer: f"{answer}{mark}")
    assert told(ld50.scan(rows, weak=True)) == []


def test_the_rule_is_selected_and_left_out_by_name(instructions: list[Row]) -> None:
    base = instructions[:1000]
    poisoned = chosen(base, 20, 3)
    rows = replied(base, poisoned, PAYLOADS["reply"])
    only = ld50.scan(rows, select=RULE)
    assert {f.rule for f in only.findings} == {RULE}
    assert told(only) == [("medium", poisoned)]
    without = ld50.scan(rows, ignore=RULE)
    assert told(without) == []
    assert not any(limit.rule == RULE for limit in without.summary.detection_limits)
