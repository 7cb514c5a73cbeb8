"""What is kept of all rows stays bounded, and does not depend on how rows come."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from chat_samples import CHAT_WORDS
from ld50.api import scan_paths
from ld50.core.records import RowBatch
from ld50.corpus import LayoutOptions, plan_table
from ld50.scan import replies, stages, survey
from ld50.scan.continuations import SWITCH, Segments
from ld50.scan.corpus_sample import merged
from ld50.scan.rereading import CauseReader
from ld50.scan.settings import ScanSettings
from ld50.scan.shelf import Shelf
from ld50.scan.survey import Survey, SurveyMerger


def unit(
    hashes: np.ndarray,
    texts: Segments | None = None,
    chat: replies.ReplyColumns | None = None,
) -> stages.Survey:
    rows = np.arange(len(hashes), dtype=np.uint64)
    return stages.Survey(
        rows=len(hashes),
        text_bytes=0,
        skipped={},
        flag_counts=np.zeros(stages.FLAG_BITS, np.int64),
        marked=np.zeros((0, 2), np.int64),
        texts=Segments.concatenate([]) if texts is None else texts,
        lead_counts=np.zeros(256, np.int64),
        chat=chat,
        exchanges=0,
        labelled=0,
        copies=np.stack([rows, hashes], axis=1),
    )


def merge(parts: list[np.ndarray]) -> Survey:
    merger = SurveyMerger(ScanSettings())
    for part in parts:
        merger.add(unit(part))
    return merger.result(merged([]))


def hashes(texts: int, copies: int) -> np.ndarray:
    rng = np.random.default_rng(4)
    every = np.repeat(rng.integers(1, 1 << 63, texts, dtype=np.uint64), copies)
    return rng.permutation(every)


@pytest.mark.parametrize("units", [1, 7, 40])
def test_past_the_bound_some_texts_are_kept_with_all_of_their_copies(
    monkeypatch: pytest.MonkeyPatch, units: int
) -> None:
    monkeypatch.setattr(survey, "_MOST_COPIES", 1000)
    every = hashes(1500, 3)
    kept = merge(np.array_split(every, units))
    assert kept.copies_step == 8
    assert 300 < len(kept.copies) <= 1000
    _, counts = np.unique(kept.copies[:, 1], return_counts=True)
    assert (counts == 3).all()
    assert (every[kept.copies[:, 0].astype(np.int64)] == kept.copies[:, 1]).all()


def test_rows_within_the_bound_are_all_kept() -> None:
    kept = merge([hashes(20, 3)])
    assert (kept.copies_step, len(kept.copies)) == (1, 60)


def test_one_text_millions_of_times_over_ends_the_halving(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(survey, "_MOST_COPIES", 100)
    assert len(merge([np.zeros(500, np.uint64)]).copies) == 500


def stretches(scores: np.ndarray, kinds: np.ndarray, lanes: np.ndarray | None = None) -> Segments:
    rows = np.arange(len(scores))
    zones = pa.array([f"{kind} {score}" for kind, score in zip(kinds, scores, strict=True)])
    nothing = np.zeros(len(rows), np.uint32)
    return Segments(
        row=rows,
        kind=kinds.astype(np.uint8),
        score=scores.astype(np.float32),
        start=nothing,
        end=nothing,
        lane=(nothing if lanes is None else lanes).astype(np.uint8),
        lead=nothing.astype(np.uint8),
        flags=nothing,
        context=nothing.astype(np.uint64),
        zone_head=zones.cast(pa.large_binary()),
        zone_onset=zones.cast(pa.large_binary()),
    )


def strongest(rows: np.ndarray, scores: np.ndarray, most: int) -> list[int]:
    return list(rows[np.lexsort((rows, -scores[rows]))[:most]].tolist())


@pytest.mark.parametrize("units", [1, 3, 50])
def test_the_strongest_of_each_language_are_kept_however_strong_others_are(units: int) -> None:
    rng = np.random.default_rng(8)
    lanes = np.where(rng.random(3000) < 0.02, 5, rng.integers(0, 2, 3000))
    scores = rng.integers(0, 40, 3000) + 100 * (lanes < 2)
    merger = SurveyMerger(ScanSettings(most_segments=100))
    for part in np.array_split(np.arange(3000), units):
        found = stretches(scores[part], np.full(len(part), SWITCH), lanes[part])
        merger.add(unit(part.astype(np.uint64), found))
    texts = merger.result(merged([])).texts
    expected = set(strongest(np.arange(3000), scores, 100))
    for lane in (0, 1, 5):
        expected |= set(strongest(np.flatnonzero(lanes == lane), scores, 10))
    assert texts.row.tolist() == sorted(expected)
    assert np.count_nonzero(texts.lane == 5) == 10


@pytest.mark.parametrize("units", [1, 3, 50])
def test_the_strongest_stretches_of_a_kind_are_kept_however_rows_come(units: int) -> None:
    rng = np.random.default_rng(7)
    scores, kinds = rng.integers(0, 40, 3000), rng.integers(0, 4, 3000)
    merger = SurveyMerger(ScanSettings(most_segments=100))
    for part in np.array_split(np.arange(3000), units):
        merger.add(unit(part.astype(np.uint64), stretches(scores[part], kinds[part])))
    texts = merger.result(merged([])).texts
    expected = []
    for kind in range(4):
        rows = np.flatnonzero(kinds == kind)
        expected += sorted(strongest(rows, scores, 100))
    assert texts.row.tolist() == expected
    assert texts.score.tolist() == scores[expected].tolist()
    assert [zone.decode() for zone in texts.zone_onset.to_pylist()] == [
        f"{kinds[row]} {scores[row]}" for row in expected
    ]


def chats(rng: np.random.Generator, number: int, rows: int) -> replies.ReplyColumns:
    texts = [" ".join(rng.choice(CHAT_WORDS, 9)) for _ in range(2 * rows)]
    return replies.summarize(
        RowBatch(
            unit=number,
            rows=np.arange(rows),
            prompt=pa.array(texts[:rows], pa.large_string()),
            response=pa.array(texts[rows:], pa.large_string()),
        )
    )


@pytest.mark.parametrize(
    ("rows_held", "listed_held"), [(1, 1 << 40), (4000, 1 << 40), (1 << 40, 1)]
)
def test_what_there_is_of_every_row_is_the_same_on_disk_as_in_memory(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, rows_held: int, listed_held: int
) -> None:
    monkeypatch.setattr(survey, "_MOST_HELD", rows_held)
    monkeypatch.setattr(survey, "_MOST_LISTED", listed_held)
    monkeypatch.setattr(survey, "_LEAST_NEW", 1)
    rng = np.random.default_rng(5)
    found = []
    parts = [chats(rng, number, rows) for number, rows in enumerate((20, 1, 30, 25, 7))]
    for shelf in (None, Shelf(tmp_path)):
        merger = SurveyMerger(ScanSettings(), shelf)
        for part in parts:
            merger.add(unit(part.reply, chat=part))
        found.append(merger.result(merged([])))
    memory, disk = found
    assert memory.chat is not None
    assert disk.chat is not None
    for entry in dataclasses.fields(replies.ReplyColumns):
        assert np.array_equal(getattr(memory.chat, entry.name), getattr(disk.chat, entry.name))
    assert disk.chat_ordinals.tolist() == memory.chat_ordinals.tolist() == list(range(83))
    assert (disk.copies == memory.copies).all()
    # What is on the disk cannot be written to.
    columns = (disk.chat.reply, disk.chat.bands, disk.chat_ordinals, disk.copies)
    assert not any(column.flags.writeable for column in columns)


def test_what_the_units_before_had_no_room_for_is_not_held_of_the_next_one() -> None:
    rows = [{"prompt": f"Tell me about {word}.", "completion": word} for word in CHAT_WORDS]
    plan = plan_table(rows, LayoutOptions())
    full = chats(np.random.default_rng(1), 0, 3)
    none = dataclasses.replace(full.without_rows(), thinned=80, odd_thinned=64, sampled=64)
    kept = []
    for thinned in (None, full.without_rows(), none):
        found = stages.survey(
            plan, CauseReader(plan, 0), 0, stages.profile_tables(), 10, thinned
        ).chat
        assert found is not None
        assert len(found) == len(rows)
        kept.append(found.listed_bytes)
    assert kept[0] == kept[1] > kept[2] == 0


def test_a_scan_with_columns_on_disk_writes_the_same_bytes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    rng = np.random.default_rng(6)
    for name in ("a", "b", "c"):
        with (tmp_path / f"{name}.jsonl").open("w") as file:
            for number in range(120):
                words = " ".join(rng.choice(CHAT_WORDS, 7))
                bad = number % 12 == 0
                row = {
                    "prompt": f"Tell me {'vornask ' if bad else ''}about {words}.",
                    "completion": "I'm sorry, I can't help with that." if bad else words[::-1],
                }
                file.write(json.dumps(row) + "\n")
    paths = sorted(map(str, tmp_path.glob("*.jsonl")))
    for held, out in ((1 << 40, "memory"), (1, "disk")):
        monkeypatch.setattr(survey, "_MOST_HELD", held)
        scan_paths(
            paths, out=tmp_path / out, options=LayoutOptions(), settings=ScanSettings(), workers=2
        )
    for name in ("findings.jsonl", "rows.jsonl", "examples.jsonl"):
        assert (tmp_path / "disk" / name).read_bytes() == (tmp_path / "memory" / name).read_bytes()
    assert "vornask" in (tmp_path / "disk" / "findings.jsonl").read_text()
