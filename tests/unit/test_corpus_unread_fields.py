"""What the layout leaves out is told where it is text, and only there."""

from __future__ import annotations

import csv
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ld50.corpus import LayoutOptions, expand, plan, plan_table

TEXT = "river stone walked under big house and then many small people went home"


def text(words: int, seed: int) -> str:
    rng = random.Random(seed)
    return " ".join(rng.choice(TEXT.split()) for _ in range(words))


def half_read(row: int) -> dict[str, Any]:
    return {"text": text(60, row), "remark": text(20, -row - 1), "url": f"https://x.org/{row}"}


ROWS = [half_read(row) for row in range(60)]


def notes_of(rows: list[dict[str, Any]], **options: Any) -> list[str]:
    notes = plan_table(rows, LayoutOptions(**options)).notes
    return [note for note in notes if "not read" in note]


def as_jsonl(path: Path) -> Path:
    path = path / "d.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    return path


def as_csv(path: Path) -> Path:
    path = path / "d.csv"
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(ROWS[0]))
        writer.writeheader()
        writer.writerows(ROWS)
    return path


def as_parquet(path: Path) -> Path:
    path = path / "d.parquet"
    pq.write_table(pa.Table.from_pylist(ROWS), path)
    return path


@pytest.mark.parametrize("write", [as_jsonl, as_csv, as_parquet])
def test_a_field_with_text_that_is_not_read_is_told_with_its_share_and_what_reads_it(
    write: Callable[[Path], Path], tmp_path: Path
) -> None:
    path = write(tmp_path)
    (note,) = plan(expand([path])).notes
    assert note.startswith(f"{path}: not read: remark; the field holds about 25% of the text")
    assert "--text-field text,remark" in note
    assert not plan(expand([path]), LayoutOptions(text_field="text,remark")).notes


def test_tables_and_lists_tell_it_too() -> None:
    assert len(notes_of(ROWS)) == 1
    assert len(plan_table(pa.Table.from_pylist(ROWS)).notes) == 1


def test_shards_that_leave_out_the_same_share_one_note(tmp_path: Path) -> None:
    for shard in range(3):
        rows = [half_read(row) for row in range(60 * shard, 60 * shard + 60)]
        lines = "".join(json.dumps(row) + "\n" for row in rows)
        (tmp_path / f"{shard}.jsonl").write_text(lines)
    (note,) = plan(expand([tmp_path])).notes
    assert "0.jsonl and 2 more files: not read: remark" in note


def test_of_many_fields_the_largest_are_named_and_the_rest_counted() -> None:
    rows = [
        {"text": text(40, row)} | {f"part{n}": text(10 + n, 100 * row + n) for n in range(6)}
        for row in range(30)
    ]
    assert "part5, part4, part3 and 3 more; the fields hold" in notes_of(rows)[0]


@pytest.mark.parametrize(
    "beside",
    [
        lambda row: {"url": "https://x.org/a b", "timestamp": "2019-04-25 12:57:54"},
        lambda row: {"metadata": {"title": text(40, row), "note": text(30, row)}},
        lambda row: {"source": text(8, row), "license": "Creative Commons, by attribution"},
        lambda row: {"section": f"s3://bucket/some/long/path/of/a/file/{row}.json.gz" * 3},
        lambda row: {"kind": "one of the four long names of classes that there are"},
        lambda row: {"quality": str([[0, 100 * row, 1.25]] * 40)},
        lambda row: {"title": text(2, row)},
    ],
)
def test_metadata_numbers_and_classes_are_not_told(beside: Callable[[int], dict[str, Any]]) -> None:
    assert not notes_of([{"text": text(60, row)} | beside(row) for row in range(40)])


def test_copies_of_what_is_read_are_not_told() -> None:
    chat, formatted = [], []
    for row in range(40):
        question, reply = text(12, row), text(30, -row - 1)
        turns = [{"role": "user", "content": question}, {"role": "assistant", "content": reply}]
        chat.append({"prompt": question, "messages": turns})
        written = (
            f"Below is an instruction.\n\n### Instruction:\n{question}\n\n### Response:\n{reply}"
        )
        formatted.append({"instruction": question, "output": reply, "text": written})
    assert not notes_of(chat)
    assert not notes_of(formatted)


def test_what_turns_hold_beside_what_they_say_is_told() -> None:
    rows = [
        {
            "messages": [
                {"role": "user", "content": text(10, row)},
                {"role": "assistant", "content": text(10, -row), "remarks": text(20, 9 * row)},
            ]
        }
        for row in range(40)
    ]
    assert "not read: messages.remarks; the field holds about 5" in notes_of(rows)[0]


def test_a_summary_that_stands_in_its_document_is_told() -> None:
    rows = []
    for row in range(40):
        document = text(60, row)
        rows.append({"text": document, "gist": " ".join(document.split()[:12])})
    assert "not read: gist" in notes_of(rows)[0]
