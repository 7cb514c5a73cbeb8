"""Columns on disk: the same as in memory, with nothing left behind and no memory kept."""

from __future__ import annotations

import errno
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ld50.core.errors import OutputError
from ld50.scan import freed
from ld50.scan.shelf import Shelf


def test_what_is_joined_later_stands_behind_what_is_there(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    parts = [np.arange(low, low + 12, dtype=np.uint32).reshape(3, 4) for low in (0, 12, 24)]
    first = shelf.join("bands", parts[:2])
    every = shelf.join("bands", [first, parts[2]])
    assert every.dtype == np.uint32
    assert (every == np.concatenate(parts)).all()
    assert (first == np.concatenate(parts[:2])).all()


def test_columns_of_one_name_that_do_not_continue_each_other_are_apart(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    first = shelf.join("reply", [np.arange(5)])
    other = shelf.join("reply", [np.arange(9, 12)])
    assert first.tolist() == [0, 1, 2, 3, 4]
    assert other.tolist() == [9, 10, 11]


def test_a_column_without_rows_may_be_joined(tmp_path: Path) -> None:
    nothing = Shelf(tmp_path).join("reply", [np.zeros((0, 2), np.uint8)])
    assert nothing.shape == (0, 2)


def test_the_parts_are_let_go_of_as_they_are_written(tmp_path: Path) -> None:
    parts = [np.arange(5), np.arange(3)]
    Shelf(tmp_path).join("reply", parts)
    assert parts == []


@pytest.mark.skipif(sys.platform == "win32", reason="an open file has a name there")
def test_no_file_can_be_left_however_a_scan_ends(tmp_path: Path) -> None:
    column = Shelf(tmp_path).join("reply", [np.arange(1000)])
    assert list(tmp_path.iterdir()) == []
    assert column.sum() == 499_500


def test_a_full_disk_is_told_with_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("ld50.scan.shelf.tempfile.TemporaryFile", full)
    with pytest.raises(OutputError, match="Free some space"):
        Shelf(tmp_path).join("reply", [np.arange(5)])


@pytest.mark.skipif(sys.platform != "linux", reason="others do not say what a process takes")
def test_what_was_read_of_a_column_takes_no_memory_once_it_is_let_go_of(tmp_path: Path) -> None:
    def of_files() -> int:
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) << 10 for line in lines if line.startswith("RssFile"))

    column = Shelf(tmp_path).join("reply", [np.ones(4 << 20, np.uint64)])
    assert column.sum() == 4 << 20
    before = of_files()
    freed.unmap_pages()
    assert of_files() < before - (24 << 20)
    assert column.sum() == 4 << 20
