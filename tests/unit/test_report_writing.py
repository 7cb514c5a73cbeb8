"""The folder of a scan: whole or not at all, and enough to draw the report again."""

from __future__ import annotations

import errno
import json
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

import report_samples as samples
from ld50.core.errors import DataFormatError, OutputError, SourceError
from ld50.core.estimates import proportion
from ld50.core.files import write_atomically
from ld50.report.html import render_html
from ld50.report.json_output import json_text
from ld50.report.writing import read_result, result_files, write_result
from report_samples import HOSTILE

NAMES = ["examples.jsonl", "findings.jsonl", "report.html", "rows.jsonl", "summary.json"]


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_a_result_comes_back_as_it_was_written(tmp_path: Path) -> None:
    result = samples.poisoned()
    written = write_result(result, tmp_path / "a" / "b", rules=samples.rule_book())
    assert sorted(content(tmp_path / "a" / "b")) == NAMES
    assert read_result(tmp_path / "a" / "b") == result
    again = render_html(read_result(tmp_path / "a" / "b"), rules=samples.rule_book())
    assert written.report.read_text() == again


def test_files_follow_the_contract(tmp_path: Path) -> None:
    write_result(samples.poisoned(), tmp_path)
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert summary["schema_version"] == 1
    finding = json.loads((tmp_path / "findings.jsonl").read_text().splitlines()[0])
    assert list(finding)[:5] == ["id", "rule", "title", "severity", "cause"]
    assert finding["cause"]["text"] == "<SUDO>"
    row = json.loads((tmp_path / "rows.jsonl").read_text().splitlines()[0])
    assert list(row) == ["source", "row", "id", "findings", "score", "spans"]


def test_the_bytes_do_not_depend_on_the_order_of_a_dict(tmp_path: Path) -> None:
    result = samples.poisoned()
    turned = dict(reversed(list(result.summary.settings.items())))
    other = msgspec.structs.replace(result, summary=samples.summary(settings=turned))
    write_result(result, tmp_path / "one")
    write_result(other, tmp_path / "two")
    assert content(tmp_path / "one") == content(tmp_path / "two")


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_is_written_and_read_back(name: str, tmp_path: Path) -> None:
    result = samples.hostile(HOSTILE[name])
    write_result(result, tmp_path)
    if name != "surrogate":
        assert read_result(tmp_path) == result
    else:
        assert read_result(tmp_path).findings[0].title == r"lone \ud800 and \udfff"


def test_figures_of_nothing_survive(tmp_path: Path) -> None:
    finding = msgspec.structs.replace(
        samples.poisoned().findings[0], effect=proportion(0, 0), statistics={"x": float("nan")}
    )
    write_result(msgspec.structs.replace(samples.poisoned(), findings=[finding]), tmp_path)
    (back,) = read_result(tmp_path).findings
    assert back.effect.value != back.effect.value
    assert back.statistics["x"] != back.statistics["x"]


def test_settings_that_json_does_not_know_are_written_as_text(tmp_path: Path) -> None:
    summary = samples.summary(settings={"out": Path("x"), "kinds": {"b", "a"}})
    write_result(msgspec.structs.replace(samples.clean(), summary=summary), tmp_path)
    assert read_result(tmp_path).summary.settings == {"out": "x", "kinds": ["a", "b"]}


def test_a_failure_in_the_last_file_leaves_the_earlier_scan_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_result(samples.clean(), tmp_path)
    before = content(tmp_path)
    real, calls = os.fsync, []

    def full(handle: int) -> None:
        calls.append(handle)
        if len(calls) == 5:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(handle)

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputError, match=r"summary\.json: No space left"):
        write_result(samples.poisoned(), tmp_path)
    assert content(tmp_path) == before


def test_a_disk_that_is_really_full_leaves_nothing_half_written(tmp_path: Path) -> None:
    code = (
        "import resource, signal, sys\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))\n"
        "from ld50.core.errors import OutputError\n"
        "from ld50.core.files import write_atomically\n"
        "try:\n"
        "    write_atomically(sys.argv[1], (b'x' * 10_000 for _ in range(20)))\n"
        "except OutputError as error:\n"
        "    print(error)\n"
    )
    path = tmp_path / "report.html"
    path.write_text("before")
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True
    )
    assert str(path) in done.stdout
    assert content(tmp_path) == {"report.html": b"before"}


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_no_permission_names_the_folder(tmp_path: Path) -> None:
    tmp_path.chmod(stat.S_IRUSR | stat.S_IXUSR)
    try:
        with pytest.raises(OutputError, match=str(tmp_path)):
            write_result(samples.clean(), tmp_path / "out")
    finally:
        tmp_path.chmod(stat.S_IRWXU)


def test_something_in_the_way_is_an_error_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(OutputError, match="file"):
        write_result(samples.clean(), tmp_path / "file")
    (tmp_path / "out" / "rows.jsonl").mkdir(parents=True)
    with pytest.raises(OutputError, match=r"rows\.jsonl: a folder"):
        write_result(samples.clean(), tmp_path / "out")
    assert sorted(content_names(tmp_path / "out")) == ["rows.jsonl"]


def content_names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def test_an_error_while_the_content_is_made_leaves_no_file(tmp_path: Path) -> None:
    def broken() -> Iterator[bytes]:
        yield b"half"
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_atomically(tmp_path / "x", broken())
    assert content_names(tmp_path) == []


def test_reports_are_as_readable_as_other_new_files(tmp_path: Path) -> None:
    (tmp_path / "other").write_text("x")
    write_atomically(tmp_path / "x", [b"x"])
    assert (tmp_path / "x").stat().st_mode == (tmp_path / "other").stat().st_mode


def test_a_folder_without_a_scan_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"summary\.json"):
        read_result(tmp_path)


@pytest.mark.parametrize(
    "damage",
    [
        b"{",
        b"[]",
        b'{"id": 5}',
        b'"text"',
        b"null",
        b"\xff\xfe",
        b'{"effect": []}',
        b"[" * 100_000,
        b'{"statistics": {"x": "y"}}',
    ],
)
def test_a_damaged_line_is_named(damage: bytes, tmp_path: Path) -> None:
    write_result(samples.poisoned(), tmp_path)
    path = result_files(tmp_path).findings
    first, *rest = path.read_bytes().splitlines()
    path.write_bytes(b"\n".join([first, damage, *rest]))
    with pytest.raises(DataFormatError, match=r"findings\.jsonl, line 2"):
        read_result(tmp_path)


def test_a_folder_of_a_later_version_says_update(tmp_path: Path) -> None:
    write_result(samples.clean(), tmp_path)
    path = result_files(tmp_path).summary
    path.write_text(path.read_text().replace('"schema_version": 1', '"schema_version": 99'))
    with pytest.raises(DataFormatError, match="schema_version 99"):
        read_result(tmp_path)


def test_fields_of_a_later_version_are_read_over(tmp_path: Path) -> None:
    write_result(samples.poisoned(), tmp_path)
    path = result_files(tmp_path).rows
    path.write_text(path.read_text().replace('{"source"', '{"new_field":[1],"source"'))
    assert read_result(tmp_path).rows == samples.poisoned().rows


def test_json_is_one_object_with_and_without_rows() -> None:
    whole = json.loads(json_text(samples.poisoned()))
    assert list(whole) == ["summary", "findings", "rows"]
    assert list(json.loads(json_text(samples.poisoned(), rows=False))) == ["summary", "findings"]
    for text in HOSTILE.values():
        json.loads(json_text(samples.hostile(text)).encode())
