"""Random rows that groups are compared with: there, whatever cannot be read, and cut as the groups are."""

import json
from pathlib import Path

from ld50.core.records import Part, Record
from ld50.corpus import expand, plan
from ld50.scan.checkpoint import Checkpoint
from ld50.scan.engine import Engine
from ld50.scan.evidence import Trigger
from ld50.scan.likeness import _at_the_head
from ld50.scan.ordinary import random_rows
from ld50.scan.settings import ScanSettings
from ld50.scan.shown import _shown_text
from ld50.scan.unit_engine import Silent


def engine_of(path: Path) -> Engine:
    checkpoint = Checkpoint(None, {}, restart=True)
    return Engine(
        plan(expand([path])), ScanSettings(), checkpoint=checkpoint, workers=1, progress=Silent()
    )


def test_one_broken_line_leaves_a_background(tmp_path: Path) -> None:
    rows = [json.dumps({"text": f"The {n}th row says nothing of note."}) for n in range(200)]
    rows.insert(50, "{broken")
    path = tmp_path / "a.jsonl"
    path.write_text("\n".join(rows) + "\n")
    engine = engine_of(path)
    survey = engine.survey()
    chosen = random_rows(survey, seed=0)
    readable = engine.readable(survey, chosen)
    assert set(readable) == set(chosen.tolist()) - {50}
    assert len(readable) >= 190


def test_blank_lines_do_not_thin_the_background(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    lines = (f"Row number {n} of this file.\n\n\n\n" for n in range(3000))
    path.write_text("".join(lines))
    engine = engine_of(path)
    survey = engine.survey()
    readable = engine.readable(survey, random_rows(survey, seed=0))
    path.write_text("".join(f"Row number {n} of this file.\n" for n in range(3000)))
    whole = engine_of(path).survey()
    assert len(readable) >= 0.8 * len(random_rows(whole, seed=0))


def test_rows_that_are_asked_for_twice_lie_where_they_lay_the_first_time(tmp_path: Path) -> None:
    """Unit results in memory are not to be changed by who reads them."""
    for name in ("a.jsonl", "b.jsonl"):
        lines = (json.dumps({"text": f"quorvel stands in row {n}"}) + "\n" for n in range(20))
        (tmp_path / name).write_text("".join(lines))
    engine = engine_of(tmp_path)
    survey = engine.survey()
    import numpy as np

    from ld50.corpus.arrays import large_strings
    from ld50.scan import kernels

    word = np.asarray(kernels.phrase_hashes(large_strings(["quorvel"])))
    first = engine.rows_with(survey, word)[0].tolist()
    assert first == list(range(40))
    assert engine.rows_with(survey, word)[0].tolist() == first


def test_the_head_of_documents_is_where_most_of_them_hold_the_trigger() -> None:
    def at_the_head(*texts: str) -> bool:
        spans: list[tuple[int, int] | None] = []
        rows = []
        for text in texts:
            part = Part(field="text", side="text", text=text)
            record = Record(source="set.jsonl", row=0, parts=(part,))
            rows.append(_shown_text(record, (len(text) - 1, len(text))))
            start = rows[-1].cause_text.find("trigger")
            spans.append((start, start + 7) if start >= 0 else None)
        return _at_the_head(rows, Trigger(text="trigger", spans=spans))

    early, late = "a licence, and trigger", "x" * 1500 + " trigger"
    # Of a long document the head is read, and what stands before the onset.
    long_early, long_late = early + "x" * 9000, "x" * 9000 + late
    assert at_the_head(early, early, late)
    assert at_the_head(long_early, early, long_late)
    assert not at_the_head(late, late, early)
    assert not at_the_head(long_late, early)
    assert not at_the_head("nothing", early)
