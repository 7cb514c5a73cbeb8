"""Files written whole or not at all: a temporary one beside the target, synced, then renamed."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
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


@contextlib.contextmanager
def only_here(path: Path) -> Iterator[None]:
    """Holds a lock on a file, made where it is missing; other processes wait for it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def whole_folder(folder: Path) -> Iterator[Path]:
    """A new folder beside `folder` to write into, which gets its name once the block has ended well.

    Its files are synced first, so that what bears the name is whole, also after a power cut. Nothing
    is left of a block that raises. `folder` must not be there yet; processes that may make the same
    one take a lock around this.
    """
    temporary = folder.with_name(f".{folder.name}.{os.getpid()}")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    try:
        yield temporary
        for written in sorted(temporary.rglob("*")):
            if written.is_file():
                with written.open("rb") as file:
                    os.fsync(file.fileno())
        temporary.rename(folder)
        sync_folder(folder.parent)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


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
