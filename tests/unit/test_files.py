"""Folders that are written whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from ld50.core.files import only_here, whole_folder


def test_a_folder_has_its_name_once_it_is_whole(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "model"
    with whole_folder(folder) as made:
        (made / "inner").mkdir()
        (made / "inner" / "weights").write_bytes(b"1")
        assert not folder.exists()
    assert (folder / "inner" / "weights").read_bytes() == b"1"
    assert [path.name for path in folder.parent.iterdir()] == ["model"]


def test_nothing_is_left_of_a_folder_whose_making_failed(tmp_path: Path) -> None:
    def half() -> None:
        with whole_folder(tmp_path / "model") as made:
            (made / "config.json").write_text("{}")
            raise RuntimeError("half way")

    with pytest.raises(RuntimeError, match="half way"):
        half()
    assert list(tmp_path.iterdir()) == []


def test_what_an_earlier_try_left_is_no_part_of_it(tmp_path: Path) -> None:
    with whole_folder(tmp_path / "first") as made:
        name = made.name.replace("first", "model")
    (tmp_path / name).mkdir()
    (tmp_path / name / "torn").write_bytes(b"x")
    with whole_folder(tmp_path / "model") as made:
        (made / "whole").write_bytes(b"y")
    assert [path.name for path in (tmp_path / "model").iterdir()] == ["whole"]


def test_a_lock_is_made_where_its_folder_is_missing_and_let_go(tmp_path: Path) -> None:
    path = tmp_path / "cache" / ".lock"
    for _ in range(2):
        with only_here(path):
            assert path.exists()
