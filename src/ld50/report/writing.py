"""The folder of a scan on disk: written whole or not at all, and read back into a result."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from ld50.core.errors import DataFormatError, SourceError
from ld50.core.files import cannot_write, write_all_atomically
from ld50.core.findings import SCHEMA_VERSION, Finding, FlaggedRow
from ld50.core.results import Example, ScanResult, Summary
from ld50.core.rules import Rule
from ld50.report.json_output import encoded
from ld50.report.safe_text import plain

_Struct = TypeVar("_Struct", bound=msgspec.Struct)


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """Where the files of a scan are."""

    summary: Path
    findings: Path
    rows: Path
    examples: Path
    report: Path

    def __iter__(self) -> Iterator[Path]:
        """All of them."""
        return (getattr(self, name) for name in self.__slots__)


def result_files(directory: str | os.PathLike[str]) -> Written:
    """The paths that `write_result` writes in that folder, whether they exist or not."""
    folder = Path(directory)
    return Written(
        summary=folder / "summary.json",
        findings=folder / "findings.jsonl",
        rows=folder / "rows.jsonl",
        examples=folder / "examples.jsonl",
        report=folder / "report.html",
    )


def write_result(
    result: ScanResult,
    directory: str | os.PathLike[str],
    *,
    rules: Iterable[Rule] | None = None,
) -> Written:
    """Writes summary, findings, rows, examples and the HTML report; the folder is made if need be.

    All files are complete on disk before the first one gets its name, and `summary.json` gets its
    name last: whoever finds a summary finds the files that belong to it.

    Raises:
        OutputError: No permission, no space, or something in the way. Files of an earlier scan stay
            as they were.
    """
    from ld50.report.html import render_html

    files = result_files(directory)
    try:
        Path(directory).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise cannot_write(Path(directory), error) from error
    page = render_html(result, rules=rules)
    write_all_atomically(
        [
            (files.findings, _lines(result.findings)),
            (files.rows, _lines(result.rows)),
            (files.examples, _lines(result.examples)),
            (files.report, [page.encode()]),
            (files.summary, [msgspec.json.format(encoded(result.summary), indent=2), b"\n"]),
        ]
    )
    return files


def read_result(directory: str | os.PathLike[str]) -> ScanResult:
    """The result that `write_result` wrote, so that a report can be drawn again from the folder.

    Raises:
        SourceError: A file is missing or may not be read.
        DataFormatError: A file is not what a scan writes; names the file and the line.
    """
    files = result_files(directory)
    return ScanResult(
        summary=_convert(files.summary, None, _read(files.summary), Summary),
        findings=list(_read_lines(files.findings, Finding)),
        rows=list(_read_lines(files.rows, FlaggedRow)),
        examples=list(_read_lines(files.examples, Example)),
    )


def _lines(structs: Iterable[msgspec.Struct]) -> Iterator[bytes]:
    for struct in structs:
        yield encoded(struct) + b"\n"


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise SourceError(
            f"There is no {plain(str(path), 300)}. "
            "Name the folder that `ld50 scan ... --out DIR` wrote."
        ) from error
    except OSError as error:
        raise SourceError(
            f"Could not read {plain(str(path), 300)}: {error.strerror or error}."
        ) from error


def _read_lines(path: Path, kind: type[_Struct]) -> Iterator[_Struct]:
    for number, line in enumerate(_read(path).split(b"\n"), 1):
        if line.strip():
            yield _convert(path, number, line, kind)


def _convert(path: Path, line: int | None, content: bytes, kind: type[_Struct]) -> _Struct:
    try:
        value = msgspec.json.decode(content)
        if kind is Finding:
            _numbers_again(value)
        version = value.get("schema_version", 1) if isinstance(value, dict) else 1
        if isinstance(version, int) and version > SCHEMA_VERSION:
            raise DataFormatError(
                f"{plain(str(path), 300)} has schema_version {version}; this ld50 reads up to "
                f"{SCHEMA_VERSION}. Update ld50: pip install --upgrade ld50."
            )
        return msgspec.convert(value, kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        where = f"{plain(str(path), 300)}{f', line {line}' if line else ''}"
        raise DataFormatError(
            f"{where}: not what a scan writes: {plain(str(error), 200)}. "
            "Scan again with `ld50 scan ... --out DIR`."
        ) from error


def _numbers_again(value: Any) -> None:
    """Gives `null` back its meaning in a finding: JSON has no way to write a figure of nothing."""
    if not isinstance(value, dict):
        return
    for holder, names in (
        (value, ("expected", "p_value", "q_value")),
        (value.get("effect"), ("value", "low", "high")),
    ):
        if isinstance(holder, dict):
            for name in names:
                if name in holder and holder[name] is None:
                    holder[name] = float("nan")
    statistics = value.get("statistics")
    if isinstance(statistics, dict):
        for name, figure in statistics.items():
            statistics[name] = float("nan") if figure is None else figure
