from pathlib import Path

import numpy as np
import pytest

from ld50.core.errors import OutputError, ResumeError
from ld50.scan import checkpoint
from ld50.scan.checkpoint import Checkpoint


def test_what_was_saved_is_there_after_a_restart(tmp_path: Path) -> None:
    first = Checkpoint(tmp_path / "w", {"data": "a"}, restart=False)
    first.save("survey", 3, {"x": np.arange(5), "y": np.zeros((0, 2))})
    second = Checkpoint(tmp_path / "w", {"data": "a"}, restart=False)
    assert second.has("survey", 3)
    assert not second.has("survey", 2)
    loaded = second.load("survey", 3)
    np.testing.assert_array_equal(loaded["x"], np.arange(5))
    assert loaded["y"].shape == (0, 2)


def test_work_of_another_run_is_refused_by_name_of_what_changed(tmp_path: Path) -> None:
    Checkpoint(tmp_path / "w", {"data": "a", "settings": 1}, restart=False)
    with pytest.raises(ResumeError, match="other data"):
        Checkpoint(tmp_path / "w", {"data": "b", "settings": 1}, restart=False)


def test_restart_drops_the_work_of_another_run(tmp_path: Path) -> None:
    first = Checkpoint(tmp_path / "w", {"data": "a"}, restart=False)
    first.save("survey", 0, {"x": np.arange(2)})
    second = Checkpoint(tmp_path / "w", {"data": "b"}, restart=True)
    assert not second.has("survey", 0)


def test_a_half_written_unit_does_not_count(tmp_path: Path) -> None:
    checkpoint = Checkpoint(tmp_path / "w", {}, restart=False)
    (tmp_path / "w" / "survey-0000000.npz.part").write_bytes(b"half")
    assert not checkpoint.has("survey", 0)


def test_a_damaged_unit_is_named_and_removed(tmp_path: Path) -> None:
    checkpoint = Checkpoint(tmp_path / "w", {}, restart=False)
    checkpoint.save("survey", 0, {"x": np.arange(1000)})
    path = tmp_path / "w" / "survey-0000000.npz"
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(OutputError, match="damaged"):
        checkpoint.load("survey", 0)
    assert not checkpoint.has("survey", 0)


def test_without_a_folder_it_keeps_nothing() -> None:
    checkpoint = Checkpoint(None, {}, restart=False)
    checkpoint.save("count", 1, {"x": np.ones(2)})
    assert not checkpoint.has("count", 1)


def test_work_kept_in_another_format_is_refused_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Checkpoint(tmp_path / "w", {"data": "a"}, restart=False)
    monkeypatch.setattr(checkpoint, "FORMAT", checkpoint.FORMAT + 1)
    with pytest.raises(ResumeError, match="other format"):
        Checkpoint(tmp_path / "w", {"data": "a"}, restart=False)
