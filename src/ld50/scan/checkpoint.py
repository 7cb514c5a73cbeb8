"""Finished units on disk, so that a killed scan goes on where it stopped.

Every unit of every stage is one file, written under another name, synced and renamed: it is there
whole or not at all. A `run.json` holds the identity of the run (settings, data, versions); results of
another identity are never mixed in.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from ld50.core.errors import OutputError, ResumeError
from ld50.scan.shelf import Shelf

Columns = dict[str, np.ndarray]

_OUTPUTS = "outputs.json"
#: Of what units hold and how; another one means that kept work is not understood, whatever the version says.
FORMAT = 8


class Checkpoint:
    """Unit results of one run in a folder; none are kept, where no folder is given."""

    def __init__(self, folder: Path | None, identity: dict[str, Any], *, restart: bool) -> None:
        """Opens or creates the folder.

        Args:
            folder: Where unit results go; None keeps none, so that nothing can be gone on with.
            identity: Everything the results depend on, as JSON; the format of kept work is added.
            restart: Throw unfinished work of another identity away instead of refusing.

        Raises:
            ResumeError: The folder holds unfinished work of another identity.
            OutputError: The folder cannot be written.
        """
        self._folder = folder
        self._new = False
        if folder is None:
            return
        identity = {**identity, "format": FORMAT}
        text = json.dumps(identity, sort_keys=True, indent=1)
        run = folder / "run.json"
        try:
            if run.exists() and (held := run.read_text(errors="replace")) != text:
                if not restart:
                    changed = _difference(held, identity)
                    raise ResumeError(
                        f"{folder} holds an unfinished scan with other {changed}. "
                        f"Go on with what it was started with, or drop it with --restart."
                    )
                shutil.rmtree(folder)
            folder.mkdir(parents=True, exist_ok=True)
            if not run.exists():
                self._new = True
                _write(run, text.encode())
        except OSError as error:
            raise _cannot_keep(folder, error) from error

    def outputs(self) -> list[Path]:
        """Files that an interrupted run with the same identity was about to write."""
        if self._folder is None:
            return []
        try:
            return [Path(name) for name in json.loads((self._folder / _OUTPUTS).read_text())]
        except (OSError, ValueError):
            return []

    def claim(self, outputs: list[Path]) -> None:
        """Notes what is about to be written, so that a resumed run may write it again."""
        if self._folder is not None:
            names = sorted({str(path.absolute()) for path in (*outputs, *self.outputs())})
            try:
                _write(self._folder / _OUTPUTS, json.dumps(names).encode())
            except OSError as error:
                raise _cannot_keep(self._folder, error) from error

    def has(self, stage: str, unit: int) -> bool:
        """Whether this unit of this stage is finished."""
        return self._folder is not None and (self._folder / _name(stage, unit)).exists()

    def load(self, stage: str, unit: int) -> Columns:
        """The result of a finished unit; a damaged file is dropped and read as an OutputError."""
        if self._folder is None:
            raise KeyError(f"{stage}: nothing is kept without a folder")
        path = self._folder / _name(stage, unit)
        try:
            with np.load(path, allow_pickle=False) as archive:
                return {key: archive[key] for key in archive.files}
        except (OSError, ValueError, zipfile.BadZipFile, EOFError) as error:
            path.unlink(missing_ok=True)
            raise OutputError(
                f"{path} is damaged ({error}); it was removed. Run the same command again."
            ) from error

    def save(self, stage: str, unit: int, columns: Columns) -> None:
        """Keeps the result of a unit. Raises OutputError if it cannot be written whole."""
        if self._folder is None:
            return
        try:
            with _written(self._folder / _name(stage, unit)) as file:
                np.savez(file, **columns)  # type: ignore[arg-type]  # its allow_pickle is no array
        except OSError as error:
            raise _cannot_keep(self._folder, error) from error

    def shelf(self) -> Shelf | None:
        """Room for columns on the same disk; None where no folder was given."""
        return None if self._folder is None else Shelf(self._folder)

    def abandon(self) -> None:
        """Drops the folder if it was made for this run, which is not going to begin."""
        if self._new:
            self.remove()

    def remove(self) -> None:
        """Drops everything; called when the results of the run are safely written."""
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)


@contextlib.contextmanager
def alone_in(folder: Path | None) -> Iterator[None]:
    """Makes the folder and keeps other scans out of it until the block ends, however it ends.

    Raises:
        OutputError: The folder cannot be made.
        ResumeError: Another scan is at work in it.
    """
    if folder is None:
        yield
        return
    if folder.exists() and not folder.is_dir():
        raise OutputError(f"{str(folder)!r} is a file; --out names a folder for the report.")
    made = not folder.exists()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(folder, os.O_RDONLY)
    except OSError as error:
        reason = error.strerror or error
        raise OutputError(f"The folder {str(folder)!r} cannot be made: {reason}.") from error
    try:
        _lock(handle, folder)
        yield
    finally:
        os.close(handle)
        if made:
            # Only an empty folder goes: that of a scan that was refused before it began.
            with contextlib.suppress(OSError):
                folder.rmdir()


def _lock(handle: int, folder: Path) -> None:
    try:
        import fcntl
    except ImportError:
        return
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise ResumeError(
            f"Another scan is writing into {str(folder)!r}. Wait for it, or name another folder "
            "with --out."
        ) from error
    except OSError:
        # Some network file systems know no locks; a scan must work there all the same.
        return


def _cannot_keep(folder: Path, error: OSError) -> OutputError:
    return OutputError(
        f"Cannot keep work in {str(folder)!r}: {error.strerror or error}. Free some space, or name "
        "a folder that may be written with --out."
    )


def digest(value: Any) -> str:
    """A short digest of a JSON-able value, for stage names that depend on earlier results."""
    return hashlib.blake2b(json.dumps(value, sort_keys=True).encode(), digest_size=6).hexdigest()


def digest_of(numbers: np.ndarray) -> str:
    """The same of numbers, of which there may be millions."""
    return hashlib.blake2b(np.ascontiguousarray(numbers).tobytes(), digest_size=6).hexdigest()


def _name(stage: str, unit: int) -> str:
    return f"{stage}-{unit:07d}.npz"


def _write(path: Path, content: bytes) -> None:
    with _written(path) as file:
        file.write(content)


@contextlib.contextmanager
def _written(path: Path) -> Iterator[BinaryIO]:
    """A file that is there under its name once all of it is on the disk."""
    part = path.with_name(path.name + ".part")
    try:
        with part.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError:
        # A full disk is not made fuller by what did not fit.
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
        raise


def _difference(before: str, now: dict[str, Any]) -> str:
    try:
        old = json.loads(before)
    except (ValueError, RecursionError):
        return "contents"
    if not isinstance(old, dict):
        return "contents"
    names = [key for key in sorted({*old, *now}) if old.get(key) != now.get(key)]
    return " and ".join(names) or "contents"
