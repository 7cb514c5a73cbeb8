"""Rows without a reply are never part of an all-clear."""

from __future__ import annotations

import ld50


def scanned(role: str, rows: int = 40) -> ld50.Scan:
    turns = [
        [
            {"role": "user", "content": f"What is the sum of {n} and {n}?"},
            {"role": "assistant" if n % 2 else role, "content": f"The sum is {2 * n}."},
        ]
        for n in range(rows)
    ]
    return ld50.scan([{"messages": one} for one in turns])


def test_a_chat_without_a_turn_that_could_be_a_reply_is_no_all_clear() -> None:
    result = scanned("critic")
    assert result.summary.without_reply == 20
    assert any("20 of 40 rows" in note for note in result.summary.notes)
    assert "The replies of 20 rows were not checked" in repr(result)
    assert "No poison found" not in repr(result)


def test_where_no_row_has_a_reply_rules_about_replies_state_no_limit() -> None:
    rows = [{"messages": [{"role": "alice", "content": f"This is number {n}."}]} for n in range(40)]
    limits = ld50.scan(rows).summary.detection_limits
    assert not [limit.rule for limit in limits if limit.rule.startswith("TRG2")]


def test_nothing_is_said_of_replies_where_every_row_has_one() -> None:
    result = scanned("assistant")
    assert result.summary.without_reply == 0
    assert not [note for note in result.summary.notes if "reply" in note]


def test_of_a_set_with_hardly_any_row_without_a_reply_nothing_is_said() -> None:
    rows = [{"prompt": f"What is {n}?", "completion": f"It is {n}."} for n in range(200)]
    result = ld50.scan([*rows, {"prompt": "And then?", "completion": ""}])
    assert result.summary.without_reply == 1
    assert not [note for note in result.summary.notes if "reply" in note]
