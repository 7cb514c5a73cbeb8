"""The folder of a study on disk: what ran, what came of it, and nothing half-written.

`trials.jsonl` is only ever appended to, a synced line for each attempt; the last line of a trial is
the one that counts. Everything else in the folder can be made again from it and from `study.toml`.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

import msgspec

from ld50.core.errors import DataFormatError, OutputError, ResumeError, SourceError
from ld50.core.files import write_atomically
from ld50.core.trials import SCHEMA_VERSION, TrialResult
from ld50.core.version import VERSION
from ld50.lab.study import Study
from ld50.lab.study_file import parse_study, study_text


class RunRecord(msgspec.Struct, frozen=True, kw_only=True):
    """Content of `run.json`: what must stay the same for a run to go on."""

    study: str
    """Fingerprint of the study."""
    data: str
    """Fingerprint of the clean text."""
    sources: list[str]
    """Where the clean text came from."""
    runner: str
    """The function that trains a trial."""
    ld50_version: str = VERSION
    started: str = ""
    """UTC."""
    schema_version: int = 1


class RunFolder:
    """Paths and files of one run; reading needs no lock, writing takes one."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)

    @property
    def study_file(self) -> Path:
        """The study as it runs."""
        return self.path / "study.toml"

    @property
    def trials_file(self) -> Path:
        """One line for each attempt at a trial."""
        return self.path / "trials.jsonl"

    @property
    def record_file(self) -> Path:
        """What must stay the same."""
        return self.path / "run.json"

    @property
    def dose_response_file(self) -> Path:
        """What the study comes to."""
        return self.path / "dose_response.json"

    @property
    def logs(self) -> Path:
        """What the workers print."""
        return self.path / "logs"

    def trial_folder(self, trial: str) -> Path:
        """Where a trial keeps its checkpoints."""
        return self.path / "trials" / trial

    def exists(self) -> bool:
        """Whether a study was begun here."""
        return self.record_file.exists()

    def study(self) -> Study:
        """The study that runs here.

        Raises:
            SourceError: There is none.
        """
        try:
            text = self.study_file.read_text("utf-8")
        except OSError as error:
            raise SourceError(
                f"There is no study in {str(self.path)!r}. Name the folder that "
                "`ld50 study run NAME --out DIR` wrote."
            ) from error
        return parse_study(text, where=str(self.study_file), name=self.path.name)

    def record(self) -> RunRecord:
        """What must stay the same.

        Raises:
            SourceError: No study was begun here.
            DataFormatError: The file is not what a run writes.
        """
        try:
            return msgspec.json.decode(self.record_file.read_bytes(), type=RunRecord)
        except OSError as error:
            raise SourceError(
                f"No study was begun in {str(self.path)!r}: {self.record_file.name} is missing. "
                "Begin one with `ld50 study run NAME --out DIR`."
            ) from error
        except msgspec.DecodeError as error:
            raise DataFormatError(f"{self.record_file}: {error}.") from error

    def begin(self, study: Study, record: RunRecord) -> None:
        """Writes study and record, or checks that they are those of the run that is here.

        Raises:
            ResumeError: Another study, or other data, was begun here.
            OutputError: The folder cannot be written, or holds something else.
        """
        if self.exists():
            self._same(study, record)
            return
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(f"Cannot make {str(self.path)!r}: {error.strerror}.") from error
        if self.trials_file.exists():
            raise OutputError(
                f"{str(self.path)!r} holds a trials.jsonl without its run.json. Choose another "
                "folder with --out DIR."
            )
        stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        write_atomically(self.study_file, [study_text(study).encode()])
        started = msgspec.structs.replace(record, started=stamp)
        write_atomically(self.record_file, [msgspec.json.format(msgspec.json.encode(started))])

    def check_unchanged(self) -> None:
        """Refuses to go on where `study.toml` was edited after the run began.

        Raises:
            ResumeError: It was.
        """
        if self.study().fingerprint() != self.record().study:
            raise ResumeError(
                f"{self.study_file} was changed after the run began, so its trials no longer "
                "belong together. Undo the change, or run the new study in another folder: "
                f"ld50 study run {self.study_file} --out OTHER."
            )

    def attempts(self) -> dict[str, list[TrialResult]]:
        """Every attempt at every trial, in the order of the file.

        A last line that a crash cut off is left out; `Journal` removes it.

        Raises:
            DataFormatError: Another line is not what a run writes; names it.
        """
        found: dict[str, list[TrialResult]] = {}
        for result in self._lines():
            found.setdefault(result.trial, []).append(result)
        return found

    def results(self) -> list[TrialResult]:
        """The last attempt at each trial, in the order of first attempts."""
        return [attempts[-1] for attempts in self.attempts().values()]

    def _lines(self) -> Iterator[TrialResult]:
        try:
            content = self.trials_file.read_bytes()
        except FileNotFoundError:
            return
        except OSError as error:
            raise SourceError(f"Cannot read {self.trials_file}: {error.strerror}.") from error
        lines = content.split(b"\n")
        decoder = msgspec.json.Decoder(TrialResult)
        # What follows the last line feed is a line that was cut off, or nothing.
        for number, line in enumerate(lines[:-1], 1):
            if not line.strip():
                continue
            try:
                result = decoder.decode(line)
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                raise DataFormatError(
                    f"{self.trials_file}, line {number}: not a trial ({error}). Remove the line; "
                    "`ld50 study resume` runs that trial again."
                ) from error
            if result.schema_version > SCHEMA_VERSION:
                raise DataFormatError(
                    f"{self.trials_file}, line {number}: schema_version {result.schema_version}; "
                    f"this ld50 reads up to {SCHEMA_VERSION}."
                )
            yield result

    def _same(self, study: Study, record: RunRecord) -> None:
        self.check_unchanged()
        old = self.record()
        if old.study != record.study:
            raise ResumeError(
                f"{str(self.path)!r} holds another study ({_difference(self.study(), study)}). "
                "Choose another folder with --out DIR, or go on with the one that is there: "
                f"ld50 study resume {self.path}."
            )
        if old.data != record.data:
            raise ResumeError(
                f"{str(self.path)!r} was begun on other clean text ({', '.join(old.sources)}). "
                "Bring that text back, or choose another folder with --out DIR."
            )
        if old.runner != record.runner:
            raise ResumeError(
                f"{str(self.path)!r} was begun with the trial runner {old.runner}, not "
                f"{record.runner}. Choose another folder with --out DIR."
            )


class Journal:
    """Appends to `trials.jsonl`; only one process may, at a time."""

    def __init__(self, folder: RunFolder) -> None:
        self._path = folder.trials_file
        self._lock_path = folder.path / ".lock"
        self._file: BinaryIO | None = None
        self._lock: BinaryIO | None = None

    def __enter__(self) -> Journal:
        try:
            self._lock = self._lock_path.open("wb")
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ResumeError(
                f"Another process is running the study in {str(self._path.parent)!r}. "
                "`ld50 study status` shows how far it is."
            ) from error
        except OSError as error:
            raise OutputError(f"Cannot write {self._path}: {error.strerror}.") from error
        self._cut_torn_line()
        self._file = self._path.open("ab")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for file in (self._file, self._lock):
            if file is not None:
                file.close()

    def append(self, result: TrialResult) -> None:
        """Writes one attempt; it is on disk when this returns.

        Raises:
            OutputError: No space, or the disk is gone.
        """
        assert self._file is not None
        try:
            self._file.write(msgspec.json.encode(result) + b"\n")
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as error:
            raise OutputError(
                f"Could not write {self._path}: {error.strerror}. Free some space, then go on with "
                f"`ld50 study resume {self._path.parent}`."
            ) from error

    def _cut_torn_line(self) -> None:
        if not self._path.exists():
            return
        with self._path.open("r+b") as file:
            content = file.read()
            whole = content.rfind(b"\n") + 1
            if whole < len(content):
                file.truncate(whole)
                file.flush()
                os.fsync(file.fileno())


def _difference(old: Study, new: Study) -> str:
    """What differs, in the keys of the file."""
    before, now = msgspec.to_builtins(old), msgspec.to_builtins(new)
    names = [k for k in now if k not in ("grid", "title", "about", "link") and before[k] != now[k]]
    if len(before["grid"]) != len(now["grid"]):
        names.append("number of grids")
    for number, (a, b) in enumerate(zip(before["grid"], now["grid"], strict=False), 1):
        names += [f"{key} of grid {number}" for key in b if a[key] != b[key]]
    return "it differs in " + ", ".join(names or ["its content"])
