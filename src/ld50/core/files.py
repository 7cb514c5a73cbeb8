"""Files written whole or not at all: a temporary one beside the target, synced, then renamed."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from ld50.core.errors import OutputError


def write_atomically(path: str | os.PathLike[str], chunks: Iterable[bytes]) -> None:
    """Writes one file whole or not at all.

    Raises:
        OutputError: The file could not be written; what stood there stays.
    """
    write_all_atomically([(Path(path), chunks)])


def write_all_atomically(files: Iterable[tuple[Path, Iterable[bytes]]]) -> None:
    """Writes several files, all of them complete and synced before the first gets its name.

    Raises:
        OutputError: One of them could not be written; names it. No temporary file is left.
    """
    ready: list[tuple[str, Path]] = []
    try:
        for path, chunks in files:
            with _naming(path):
                ready.append((_reserve(path), path))
                _fill(ready[-1][0], chunks)
        for temporary, path in ready:
            with _naming(path):
                os.replace(temporary, path)  # noqa: PTH105 - a Path may not hold every name
    finally:
        for temporary, _ in ready:
            with contextlib.suppress(OSError):
                os.unlink(temporary)  # noqa: PTH108
    for folder in sorted({path.parent for _, path in ready}):
        sync_folder(folder)


def new_file_mode() -> int:
    """The mode that a new file would have; temporary files are made for their owner only."""
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


def sync_folder(folder: Path) -> None:
    """Makes new names last through a power cut, where the system can do that."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def cannot_write(path: Path, error: OSError) -> OutputError:
    """What to tell of a file that could not be written; what stood there was left."""
    name = "".join(c if c.isprintable() else "\ufffd" for c in str(path))[:300]
    return OutputError(
        f"Could not write {name}: {error.strerror or error}. Nothing there was changed. "
        "Free some space, or choose a folder you may write to with --out DIR."
    )


def _reserve(path: Path) -> str:
    """An empty file beside `path`: a rename is whole only within one file system."""
    if path.is_dir():
        raise IsADirectoryError(21, "a folder of that name is in the way")
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent)
    os.close(handle)
    return name


def _fill(name: str, chunks: Iterable[bytes]) -> None:
    with open(name, "wb", buffering=1 << 20) as file:  # noqa: PTH123
        for chunk in chunks:
            file.write(chunk)
        file.flush()
        os.fsync(file.fileno())
    os.chmod(name, new_file_mode())  # noqa: PTH101


@contextlib.contextmanager
def _naming(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise cannot_write(path, error) from error
