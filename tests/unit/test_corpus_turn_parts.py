"""Thoughts are part of what the assistant says, in every format; calls of tools are told as not read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ld50.corpus import Plan, expand, fetch, plan, plan_table, read


def call(number: int) -> dict[str, Any]:
    given = json.dumps({"n": number, "place": "Ripon"})
    return {"id": "c7", "type": "function", "function": {"name": "find", "arguments": given}}


def row(number: int, **more: Any) -> dict[str, Any]:
    reply = {"role": "assistant", "content": f"It is {number}.", "tool_calls": None}
    return {"messages": [{"role": "user", "content": "How many?"}, reply | more]}


ROWS = [
    row(0, tool_calls=[call(1)]),
    row(1, reasoning_content="I count."),
    row(2, content=None, tool_calls=[call(2), call(3)]),
    row(3, content="", tool_calls=[]),
    row(4, reasoning_content="So.", tool_calls=[call(4)]),
]
REPLIES = ["It is 0.", "I count.\nIt is 1.", "", "", "So.\nIt is 4."]


def as_jsonl(path: Path) -> Plan:
    (path / "d.jsonl").write_text("".join(json.dumps(one) + "\n" for one in ROWS))
    return plan(expand([path / "d.jsonl"]))


def as_odd_jsonl(path: Path) -> Plan:
    """A content of parts is read row by row."""
    odd = row(9, content=[{"type": "text", "text": "It is"}, {"type": "text", "text": "9."}])
    (path / "d.jsonl").write_text("".join(json.dumps(one) + "\n" for one in [*ROWS, odd]))
    return plan(expand([path / "d.jsonl"]))


def as_parquet(path: Path) -> Plan:
    pq.write_table(pa.Table.from_pylist(ROWS), path / "d.parquet")
    return plan(expand([path / "d.parquet"]))


def as_list(path: Path) -> Plan:
    return plan_table(ROWS)


@pytest.mark.parametrize("make", [as_jsonl, as_odd_jsonl, as_parquet, as_list])
def test_thoughts_are_read_as_part_of_the_reply_and_calls_are_told(
    make: Any, tmp_path: Path
) -> None:
    whole = make(tmp_path)
    (batch,) = list(read(whole, 0))
    assert batch.response is not None
    assert batch.response.to_pylist()[:5] == REPLIES
    records = fetch(whole, [(0, number) for number in range(5)], [len(batch)])
    assert [records[0, number].response for number in range(5)] == REPLIES
    assert "not read: messages.tool_calls" in whole.notes[0]


def test_spans_name_the_key_that_holds_them() -> None:
    record = fetch(plan_table(ROWS), [(0, 4)], [5])[0, 4]
    assert record.locate("response", 0, 2) == [("messages[1].reasoning_content", 0, 2)]
    assert record.locate("response", 4, 6) == [("messages[1].content", 0, 2)]


def test_a_switch_beside_what_is_said_is_no_thought() -> None:
    rows = [row(number, thinking=bool(number % 2)) for number in range(4)]
    (batch,) = list(read(plan_table(rows), 0))
    assert batch.response is not None
    assert batch.response.to_pylist() == [f"It is {number}." for number in range(4)]
