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


LAST = {
    0: ("Be brief.\nOne?\nTwo?\nThree?", "First.\nSecond.", "Third."),
    2: ("Four?\nFive?", "Fourth.", "Fifth."),
    4: ("Seven?", "Hello.", "Seventh."),
}


def of_exchanges(whole: Plan, *, last: bool = False) -> Plan:
    sources = []
    for source in whole.sources:
        layout = source.layout.last_replies if last else source.layout.exchanges
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


@pytest.mark.parametrize("number", range(3))
def test_the_last_reply_stands_against_all_that_others_said_before_it(
    tmp_path: Path, number: int
) -> None:
    job = of_exchanges(plans(tmp_path)[number], last=True)
    reader = read(job, 0)
    found, last_turns = {}, {}
    for batch in reader:
        assert batch.last_turn is not None
        rows = zip(batch.prompt.to_pylist(), batch.response.to_pylist(), strict=True)
        found |= dict(zip(batch.rows.tolist(), rows, strict=True))
        last_turns |= dict(zip(batch.rows.tolist(), batch.last_turn.tolist(), strict=True))
    assert found == {row: (asked, said) for row, (asked, _, said) in LAST.items()}
    assert last_turns == {0: len("Three?"), 2: len("Five?"), 4: len("Seven?")}
    assert (reader.tally.rows, sum(reader.tally.skipped.values())) == (5, 2)
    records = fetch(job, [(0, row) for row in range(5)], [5])
    single = {
        row: (record.prompt, record.joined("earlier"), record.response)
        for (_, row), record in records.items()
    }
    assert single == LAST


def test_what_a_field_of_the_prompt_says_comes_before_last_replies_and_makes_no_conversation(
    tmp_path: Path,
) -> None:
    rows = [
        {"system": "Be kind.", **ROWS[0]},
        {"system": "Be kind.", **ROWS[1]},
        {"system": "Be kind."},
    ]
    file = tmp_path / "talks.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    for whole in (plan(expand([str(file)])), plan_table(rows)):
        job = of_exchanges(whole, last=True)
        found = [prompt for batch in read(job, 0) for prompt in batch.prompt.to_pylist()]
        assert found == ["Be kind.\nBe brief.\nOne?\nTwo?\nThree?"]
        records = fetch(job, [(0, row) for row in range(3)], [3])
        assert [record.prompt for record in records.values()] == found


def test_what_is_asked_in_a_field_of_its_own_is_not_asked_again_in_the_turns_of_its_reply() -> None:
    said = ROWS[0]["messages"]
    rows = [{"prompt": "One?", "chosen": said, "rejected": said[:3]}]
    job = of_exchanges(plan_table(rows), last=True)
    (batch,) = read(job, 0)
    assert (batch.prompt.to_pylist(), batch.response.to_pylist()) == (["One?"], ["Third."])
    ((_, record),) = fetch(job, [(0, 0)], [1]).items()
    assert (record.prompt, record.response) == ("One?", "Third.")


def test_earlier_replies_that_stand_in_the_prompt_make_no_conversation_to_be_read_again() -> None:
    said = ROWS[0]["messages"]
    reader = read(plan_table([{"prompt": said[:-1], "chosen": said[-1:], "rejected": said[:1]}]), 0)
    assert sum(len(batch) for batch in reader) == 1
    assert reader.tally.exchanges == 0


def test_rows_in_which_the_model_speaks_more_than_once_are_counted(tmp_path: Path) -> None:
    reader = read(plans(tmp_path)[0], 0)
    assert sum(len(batch) for batch in reader) == 5
    assert reader.tally.exchanges == 3


def test_examples_of_one_prompt_and_one_reply_have_no_exchanges() -> None:
    job = plan_table([{"instruction": "Say one.", "output": "One."}])
    assert job.sources[0].layout.exchanges is None
    assert job.sources[0].layout.last_replies is None
