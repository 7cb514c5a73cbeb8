from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ld50.core.records import Part, Record
from ld50.corpus import Plan, expand, plan
from ld50.scan import rereading
from ld50.scan.rereading import CauseReader, FetchedRows


@pytest.fixture
def corpus(tmp_path: Path) -> Plan:
    path = tmp_path / "corpus.jsonl"
    path.write_text("".join(f'{{"text": "document number {i}"}}\n' for i in range(2000)))
    return plan(expand([path]))


def texts(reader: CauseReader, unit: int) -> list[tuple[int, str]]:
    return [
        pair
        for batch in reader.read(unit)
        for pair in zip(batch.rows.tolist(), batch.column.to_pylist(), strict=True)
    ]


def test_what_is_kept_is_what_was_read(corpus: Plan) -> None:
    read, kept = CauseReader(corpus, 0), CauseReader(corpus, 1 << 20)
    assert texts(kept, 0) == texts(kept, 0) == texts(read, 0)
    assert len(texts(read, 0)) == 2000


def test_a_unit_that_fits_is_decoded_once(corpus: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    kept, full = CauseReader(corpus, 1 << 20), CauseReader(corpus, 1000)
    first = texts(kept, 0)
    texts(full, 0)

    def refuse(*_: object) -> None:
        raise AssertionError("read again")

    monkeypatch.setattr(rereading, "read_unit", refuse)
    assert texts(kept, 0) == first
    with pytest.raises(AssertionError, match="read again"):
        texts(full, 0)


def record(row: int, text: str = "some text") -> Record:
    return Record(source="rows", row=row, parts=(Part(field="text", side="text", text=text),))


def rows(*ordinals: int) -> np.ndarray:
    return np.array(ordinals, dtype=np.int64)


def test_expected_rows_are_read_once_and_only_along_with_others() -> None:
    fetched = FetchedRows()
    fetched.expect(rows(7, 3))
    fetched.add({3: record(3)})
    assert fetched.to_read(rows(3)).tolist() == []
    assert fetched.to_read(rows(5, 3)).tolist() == [5, 7]
    # Whether or not the reading found it, it is not asked for without need.
    assert fetched.to_read(rows(9)).tolist() == [9]


def test_a_row_that_cannot_be_read_is_not_tried_again() -> None:
    fetched = FetchedRows()
    fetched.add({1: None, 2: record(2)})
    assert fetched.to_read(rows(1, 2)).tolist() == []
    assert list(fetched.known(rows(2, 1))) == [2]


def test_rows_are_kept_as_far_as_there_is_room() -> None:
    fetched = FetchedRows()
    fetched.add({row: record(row, "x" * 100) for row in range(5)})
    fetched.keep_only(rows(1, 2, 4, 9), 250)
    assert list(fetched.known(rows(0, 1, 2, 3, 4, 9))) == [1, 2]
    assert fetched.to_read(rows(1, 4)).tolist() == [4]
