from __future__ import annotations

from pathlib import Path

import pytest

from ld50.corpus import Plan, expand, plan
from ld50.scan import rereading
from ld50.scan.rereading import CauseReader


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
