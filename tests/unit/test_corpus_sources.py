"""Paths become files, or an error that says what to do."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ld50.core.errors import ConfigError, MissingExtraError, SourceError
from ld50.corpus import LayoutOptions, expand, plan


def touch(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("x\n")


def names(folder: Path, *paths: str, **options: str) -> list[str]:
    found = expand([folder / path for path in paths], **options)  # type: ignore[arg-type]
    return [str(Path(file.source).relative_to(folder)) for file in found]


def test_folders_are_read_in_order_with_all_that_can_be_read(tmp_path: Path) -> None:
    touch(tmp_path, "b/2.jsonl.zst", "b/1.parquet", "a.csv", "README", "b/c/x.MD", ".hidden.txt")
    assert names(tmp_path, ".") == ["a.csv", "b/1.parquet", "b/2.jsonl.zst", "b/c/x.MD"]
    kinds = [file.kind for file in expand([tmp_path])]
    assert kinds == ["csv", "parquet", "jsonl.zst", "md"]


def test_globs_cross_folders_and_a_file_counts_once(tmp_path: Path) -> None:
    touch(tmp_path, "a/1.jsonl", "a/b/2.jsonl", "a/b/3.log")
    assert names(tmp_path, "a/**/*.jsonl", "a/1.jsonl") == ["a/1.jsonl", "a/b/2.jsonl"]
    assert names(tmp_path, "a/b/*") == ["a/b/2.jsonl"]


def test_a_quoted_pattern_brings_what_the_shell_would(tmp_path: Path) -> None:
    touch(tmp_path, "a.jsonl", "notes.dat", "more.dat", "sub/b.jsonl", "sub/c.log", "empty/x.log")
    (tmp_path / "gone.jsonl").symlink_to("/no/such/place.jsonl")
    os.mkfifo(tmp_path / "pipe.jsonl")
    unquoted = names(tmp_path, "a.jsonl", "sub")
    assert names(tmp_path, "*") == unquoted == ["a.jsonl", "sub/b.jsonl"]
    assert dict(expand([tmp_path / "*"])[0].beside) == {
        "more.dat": "because of their endings",
        "notes.dat": "because of their endings",
        "c.log": "because of their endings",
        "empty": "as folders without data",
        "gone.jsonl": "as links to nothing",
        "pipe.jsonl": "as they are no regular files",
    }
    with pytest.raises(SourceError, match=r"Nothing to read in .*There is .*\.dat"):
        expand([tmp_path / "*.dat"])


def test_what_a_folder_holds_and_is_not_read_is_noted_by_its_reason(tmp_path: Path) -> None:
    touch(tmp_path, "a.txt", "notes.dat")
    (tmp_path / "gone.jsonl").symlink_to("/no/such/place.jsonl")
    os.mkfifo(tmp_path / "pipe.jsonl")
    notes = plan(expand([tmp_path]), LayoutOptions()).sources[0].notes
    told = [note for note in notes if note.startswith("not read beside it")]
    assert told == [
        "not read beside it, as links to nothing: gone.jsonl",
        "not read beside it, because of their endings: notes.dat",
        "not read beside it, as they are no regular files: pipe.jsonl",
    ]


def test_a_pattern_judges_files_alike_however_it_is_spelled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "m1.jsonl").write_text('{"text": "some words"}\n')
    (tmp_path / "m2.jsonl").write_text('{"width": 3}\n')
    monkeypatch.chdir(tmp_path)
    for pattern in ("m?.jsonl", "./m?.jsonl"):
        layouts = [source.layout.name for source in plan(expand([pattern])).sources]
        assert layouts == ["text", "unreadable"]


def test_names_that_look_like_globs_are_files_first(tmp_path: Path) -> None:
    touch(tmp_path, "a[1].jsonl")
    assert names(tmp_path, "a[1].jsonl") == ["a[1].jsonl"]


def test_links_to_folders_are_followed_and_circles_are_not(tmp_path: Path) -> None:
    touch(tmp_path, "store/x.jsonl")
    (tmp_path / "in").mkdir()
    (tmp_path / "in/link").symlink_to(tmp_path / "store")
    (tmp_path / "store/back").symlink_to(tmp_path / "in")
    assert names(tmp_path, "in") == ["in/link/x.jsonl"]


def test_hugging_face_folders_give_their_data_only(tmp_path: Path) -> None:
    touch(
        tmp_path,
        "d/state.json",
        "d/dataset_info.json",
        "d/data-00000-of-00001.arrow",
        "d/cache-1.arrow",
    )
    assert names(tmp_path, "d") == ["d/data-00000-of-00001.arrow"]


def test_a_missing_file_is_answered_with_its_neighbours(tmp_path: Path) -> None:
    touch(tmp_path, "train.jsonl")
    with pytest.raises(SourceError, match=r"In that folder there is: train\.jsonl"):
        expand([tmp_path / "trian.jsonl"])
    with pytest.raises(SourceError, match="does not exist either"):
        expand([tmp_path / "no/such.jsonl"])
    with pytest.raises(SourceError, match="Nothing matches"):
        expand([tmp_path / "*.parquet"])
    with pytest.raises(SourceError, match="No path"):
        expand([])


def test_what_cannot_be_read_says_how_it_could(tmp_path: Path) -> None:
    touch(tmp_path, "d/a.dat")
    with pytest.raises(SourceError, match=r"There is a\.dat.*--input-format"):
        expand([tmp_path / "d"])
    with pytest.raises(ConfigError, match="--input-format"):
        expand([tmp_path / "d/a.dat"])
    assert expand([tmp_path / "d/a.dat"], format="jsonl")[0].format == "jsonl"
    with pytest.raises(ConfigError, match="it may be"):
        expand([tmp_path], format="xml")
    touch(tmp_path, "p.parquet.gz")
    with pytest.raises(ConfigError, match="compressed inside"):
        expand([tmp_path / "p.parquet.gz"])


def test_pipes_and_devices_are_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jsonl")
    with pytest.raises(SourceError, match="not a regular file"):
        expand([tmp_path / "pipe.jsonl"])


def test_a_file_that_may_not_be_opened_is_a_source_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    touch(tmp_path, "a.jsonl")
    monkeypatch.setattr(os, "access", lambda *_: False)  # the tests may run as root
    with pytest.raises(SourceError, match="may not be read: Permission denied"):
        expand([tmp_path / "a.jsonl"])


def test_urls_without_a_driver_name_the_package() -> None:
    pytest.importorskip("fsspec")
    try:
        import s3fs  # noqa: F401

        pytest.skip("the driver for s3 is installed")
    except ImportError:
        pass
    with pytest.raises(MissingExtraError, match="pip install s3fs"):
        expand(["s3://bucket/a.jsonl"])
    with pytest.raises(SourceError, match="Protocol not known"):
        expand(["nosuch://bucket/a.jsonl"])


def test_urls_are_listed_like_folders() -> None:
    import fsspec

    memory = fsspec.filesystem("memory")
    for name in ("/set/b.jsonl", "/set/a.parquet", "/set/notes"):
        memory.pipe(name, b'{"text":"x"}\n')
    assert [file.source for file in expand(["memory://set"])] == [
        "memory:///set/a.parquet",
        "memory:///set/b.jsonl",
    ]
    assert expand(["memory://set/*.jsonl"])[0].size_bytes == 13
    with pytest.raises(SourceError, match="nothing at"):
        expand(["memory://set/none.jsonl"])
