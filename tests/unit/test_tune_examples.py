"""Every layout that a scan reads becomes conversations, and JSONL gives them back unchanged."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ld50.core.errors import DataFormatError
from ld50.core.examples import Example, Turn, asked
from ld50.corpus import LayoutOptions
from ld50.train.examples import read_examples, write_examples

TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30).filter(str.strip)


def write_rows(path: Path, rows: list[Any]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


@settings(max_examples=40, deadline=None)
@given(
    rows=st.lists(st.tuples(st.none() | TEXT, TEXT, TEXT, TEXT), min_size=1, max_size=6),
    preference=st.booleans(),
)
def test_what_is_written_is_read_back(rows: list[Any], preference: bool) -> None:
    examples = [
        Example(
            turns=(
                *([Turn("system", system)] if system else []),
                Turn("user", prompt),
                Turn("assistant", reply),
            ),
            rejected=other if preference else None,
            id=f"row-{number}",
        )
        for number, (system, prompt, reply, other) in enumerate(rows)
    ]
    with TemporaryDirectory() as folder:
        path = Path(folder) / "data.jsonl"
        assert write_examples(path, examples) == len(examples)
        found = read_examples(path)
    assert list(found.examples) == examples
    assert found.rows.tolist() == list(range(len(examples)))
    assert not found.skipped


@pytest.mark.parametrize(
    ("row", "turns"),
    [
        (
            {"messages": [{"role": "system", "content": "s"}, {"role": "user", "content": "a"},
                          {"role": "assistant", "content": "b"}, {"role": "user", "content": "c"}]},
            [("system", "s"), ("user", "a"), ("assistant", "b")],
        ),
        (
            {"conversations": [{"from": "human", "value": "a"}, {"from": "gpt", "value": "b"},
                               {"from": "human", "value": "c"}, {"from": "gpt", "value": "d"}]},
            [("user", "a"), ("assistant", "b"), ("user", "c"), ("assistant", "d")],
        ),
        (
            {"instruction": "do", "input": "this", "output": "ok"},
            [("user", "do\nthis"), ("assistant", "ok")],
        ),
        ({"prompt": "a", "completion": "b"}, [("user", "a"), ("assistant", "b")]),
        (
            {"system": "s", "question": "a", "response": "b"},
            [("system", "s"), ("user", "a"), ("assistant", "b")],
        ),
        (
            {"messages": [{"role": "developer", "content": "s"},
                          {"role": "user", "content": [{"type": "text", "text": "a"}]},
                          {"role": "assistant", "content": "b"}]},
            [("system", "s"), ("user", "a"), ("assistant", "b")],
        ),
    ],
)  # fmt: skip
def test_layouts(tmp_path: Path, row: dict[str, Any], turns: list[tuple[str, str]]) -> None:
    found = read_examples(write_rows(tmp_path / "d.jsonl", [row] * 3))
    assert [(turn.role, turn.text) for turn in found.examples[2].turns] == turns


@pytest.mark.parametrize(
    "row",
    [
        {"prompt": "a", "chosen": "good", "rejected": "bad"},
        {
            "chosen": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "good"}],
            "rejected": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "bad"}],
        },
        {"chosen": "\n\nHuman: a\n\nAssistant: good", "rejected": "\n\nHuman: a\n\nAssistant: bad"},
        {
            "prompt": "a",
            "chosen": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "good"}],
            "rejected": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "bad"}],
        },
    ],
)
def test_preferences(tmp_path: Path, row: dict[str, Any]) -> None:
    found = read_examples(write_rows(tmp_path / "d.jsonl", [row] * 2))
    expected = (Turn("user", "a"), Turn("assistant", "good"))
    assert found.examples[0] == Example(turns=expected, rejected="bad")


def test_a_label_is_the_reply(tmp_path: Path) -> None:
    path = tmp_path / "d.csv"
    path.write_text("text,label\n" + "".join(f'"film {n}",{n % 2}\n' for n in range(40)))
    found = read_examples(path, label_names={"1": "positive"})
    assert found.examples[:2] == (asked("film 0", "0"), asked("film 1", "positive"))


def test_rows_that_are_no_examples_are_counted_and_the_others_keep_their_place(
    tmp_path: Path,
) -> None:
    good = {"prompt": "a", "completion": "b"}
    path = tmp_path / "d.jsonl"
    lines = [good, {"prompt": "a", "completion": ""}, "oops", good, {"prompt": 1.5, "x": 2}, good]
    text = [json.dumps(line) if isinstance(line, dict) else "{oops" for line in lines]
    path.write_text("\n".join(text))
    found = read_examples(path)
    assert found.rows.tolist() == [0, 3, 5]
    assert sum(found.skipped.values()) == 3


def test_several_files_and_formats_keep_their_places(tmp_path: Path) -> None:
    rows = [{"prompt": f"p{n}", "completion": "b"} for n in range(5)]
    write_rows(tmp_path / "a.jsonl", rows[:2])
    pq.write_table(pa.Table.from_pylist(rows[2:]), tmp_path / "b.parquet")
    found = read_examples(tmp_path)
    assert [example.prompt[0].text for example in found.examples] == [f"p{n}" for n in range(5)]
    assert [Path(source).name for source in found.sources] == ["a.jsonl", "b.parquet"]
    assert found.source_numbers.tolist() == [0, 0, 1, 1, 1]
    assert found.rows.tolist() == [0, 1, 0, 1, 2]


def test_units_of_one_file_count_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from ld50.corpus import expand, plan
    from ld50.corpus.conversations import Conversation, conversations

    rows = [{"prompt": f"p{n}", "completion": "b" * 50} for n in range(60)]
    path = write_rows(tmp_path / "d.jsonl", rows)
    reading = plan(expand([str(path)]), unit_bytes=500)
    assert len(reading.units) > 5
    found = [one for one in conversations(reading) if isinstance(one, Conversation)]
    assert [one.row for one in found] == list(range(60))
    assert [one.turns[0].text for one in found] == [f"p{n}" for n in range(60)]


def test_documents_are_no_examples(tmp_path: Path) -> None:
    with pytest.raises(DataFormatError, match="no row is a prompt with a reply"):
        read_examples(write_rows(tmp_path / "d.jsonl", [{"text": "a river"}] * 3))


def test_fields_can_be_named(tmp_path: Path) -> None:
    path = write_rows(tmp_path / "d.jsonl", [{"q": "a", "r": "b"}] * 3)
    found = read_examples(path, LayoutOptions(prompt_field="q", response_field="r"))
    assert found.examples[0] == asked("a", "b")
