"""Conversations by what the model says in them: its last reply against its earlier ones."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from ld50.corpus import Plan, expand, fetch, plan, plan_table, read

ROLES = {"u": "user", "a": "assistant", "s": "system"}


def talk(*turns: str) -> dict[str, Any]:
    said = [{"role": ROLES[turn[0]], "content": turn[2:]} for turn in turns]
    return {"messages": said}


ROWS = [
    talk("s Be brief.", "u One?", "a First.", "u Two?", "a Second.", "u Three?", "a Third."),
    talk("u Only one?", "a Only."),
    talk("u Four?", "a Fourth.", "u Five?", "a Fifth.", "u Bye."),
    talk("u Six?", "a ", "u Six, please?", "a Sixth."),
    talk("a Hello.", "u Seven?", "a Seventh.", "a "),
]
EXPECTED = {0: ("First.\nSecond.", "Third."), 2: ("Fourth.", "Fifth."), 4: ("Hello.", "Seventh.")}


def of_exchanges(whole: Plan) -> Plan:
    sources = []
    for source in whole.sources:
        layout = source.layout.exchanges
        assert layout is not None
        sources.append(dataclasses.replace(source, layout=layout))
    return dataclasses.replace(whole, sources=tuple(sources))


def plans(folder: Path) -> list[Plan]:
    file = folder / "talks.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    import pyarrow as pa

    return [
        plan(expand([str(file)])),
        plan_table(ROWS),
        plan_table(pa.Table.from_pylist(ROWS)),
    ]


@pytest.mark.parametrize("number", range(3))
def test_the_last_reply_stands_against_the_earlier_ones(tmp_path: Path, number: int) -> None:
    job = of_exchanges(plans(tmp_path)[number])
    reader = read(job, 0)
    found = {}
    for batch in reader:
        rows = zip(batch.prompt.to_pylist(), batch.response.to_pylist(), strict=True)
        found |= dict(zip(batch.rows.tolist(), rows, strict=True))
    assert found == EXPECTED
    assert (reader.tally.rows, sum(reader.tally.skipped.values())) == (5, 2)


@pytest.mark.parametrize("number", range(3))
def test_single_rows_are_read_as_batches_are(tmp_path: Path, number: int) -> None:
    job = of_exchanges(plans(tmp_path)[number])
    records = fetch(job, [(0, row) for row in range(5)], [5])
    found = {row: (record.prompt, record.response) for (_, row), record in records.items()}
    assert found == EXPECTED


def test_rows_in_which_the_model_speaks_more_than_once_are_counted(tmp_path: Path) -> None:
    reader = read(plans(tmp_path)[0], 0)
    assert sum(len(batch) for batch in reader) == 5
    assert reader.tally.exchanges == 3


def test_examples_of_one_prompt_and_one_reply_have_no_exchanges() -> None:
    job = plan_table([{"instruction": "Say one.", "output": "One."}])
    assert job.sources[0].layout.exchanges is None
