"""Files that appear whole or not at all."""

from __future__ import annotations

import bz2
import contextlib
import glob
import hashlib
import lzma
import os
import tempfile
import zlib
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any, BinaryIO, Protocol, cast

from ld50.core.errors import OutputError
from ld50.core.files import new_file_mode, sync_folder
from ld50.corpus.sources import SourceFile
from ld50.corpus.streams import BrokenStreamError, chunks


class _Engine(Protocol):
    def compress(self, data: Any, /) -> bytes: ...
    def flush(self) -> bytes: ...


class OutputFile:
    """A file under a temporary name beside its target, compressed as it is written.

    Nothing stands at the target until `Outputs.commit`.
    """

    def __init__(self, target: Path, compression: str | None) -> None:
        self.target = target
        self.compression = compression
        self.content_bytes = 0
        """Bytes written, before compression."""
        self._digest = hashlib.blake2b(digest_size=16)
        self._verbatim = False
        handle, name = tempfile.mkstemp(
            dir=target.parent, prefix=f".{target.name[:64]}.", suffix=".tmp"
        )
        self.temporary = Path(name)
        _lock(handle)
        self.raw: BinaryIO = os.fdopen(handle, "wb")
        self._engine = _engine(compression)
        self._zstd: Any = None
        if compression == "zst":
            import pyarrow as pa

            self._zstd = pa.CompressedOutputStream(pa.PythonFile(self.raw, mode="w"), "zstd")

    def write(self, data: bytes | memoryview) -> None:
        """Appends content."""
        self.content_bytes += len(data)
        self._digest.update(data)
        with self._named():
            if self._zstd is not None:
                self._zstd.write(data)
            elif self._engine is not None:
                self.raw.write(self._engine.compress(data))
            else:
                self.raw.write(data)

    @contextlib.contextmanager
    def _named(self) -> Iterator[None]:
        """Gives what goes wrong in writing the name of the file that it went wrong in."""
        try:
            yield
        except OSError as error:
            if error.filename is None:
                error.filename = str(self.target)
            raise

    def write_verbatim(self, data: bytes) -> None:
        """Appends bytes that are compressed already, to a file that holds nothing else."""
        self._verbatim = True
        self._engine = self._zstd = None
        self.content_bytes += len(data)
        self._digest.update(data)
        with self._named():
            self.raw.write(data)

    def finish(self) -> None:
        """Everything on disk, under the temporary name."""
        if self.raw.closed:
            return
        with self._named():
            if self._zstd is not None:
                # Arrow closes what lies below it too, so the file is opened again to be synced.
                self._zstd.close()
            elif self._engine is not None:
                self.raw.write(self._engine.flush())
            self.raw.close()
        with self.temporary.open("rb") as again:
            os.fsync(again.fileno())

    def check(self) -> None:
        """Reads the file back.

        Raises:
            OutputError: Its content is not what was written.
        """
        compression = None if self._verbatim else self.compression
        file = SourceFile(source=str(self.temporary), format="", compression=compression)
        digest = hashlib.blake2b(digest_size=16)
        try:
            for chunk in chunks(file):
                digest.update(chunk)
        except BrokenStreamError as error:
            raise OutputError(f"{str(self.target)!r} cannot be read back: {error}.") from error
        if digest.digest() != self._digest.digest():
            raise OutputError(
                f"{str(self.target)!r} reads back other than it was written; the disk may be bad."
            )

    def discard(self) -> None:
        """Removes the temporary file, if it is still there."""
        with contextlib.suppress(Exception):
            if self._zstd is not None:
                self._zstd.close()
        with contextlib.suppress(Exception):
            self.raw.close()
        with contextlib.suppress(OSError):
            self.temporary.unlink(missing_ok=True)


def _engine(compression: str | None) -> _Engine | None:
    if compression == "gz":
        return cast(_Engine, zlib.compressobj(6, zlib.DEFLATED, 31))
    if compression == "bz2":
        return bz2.BZ2Compressor()
    if compression == "xz":
        return lzma.LZMACompressor()
    return None


class Outputs:
    """Output files that appear together: `commit` gives all their names, `discard` removes all."""

    def __init__(self, *, force: bool = False, replaceable: Collection[Path] = ()) -> None:
        self._force = force
        self._replaceable = {path.absolute() for path in replaceable}
        self._files: list[OutputFile] = []
        self._folders: list[Path] = []
        self.left: list[Path] = []
        """Targets that a commit had replaced when it failed; what stood there has gone."""

    @property
    def files(self) -> list[OutputFile]:
        """The files that were opened, in order."""
        return self._files

    def open(self, target: Path, compression: str | None = None) -> OutputFile:
        """A new output file; folders above it are made."""
        self._make_folder(target.parent)
        self.check(target)
        own = {file.temporary for file in self._files}
        if any(same_place(target, file.target) for file in self._files):
            raise OutputError(f"Two outputs would both be {str(target)!r}; name another place.")
        _remove_leftovers(target, own)
        file = OutputFile(target, compression)
        self._files.append(file)
        return file

    def check(self, target: Path) -> None:
        """Refuses a target that stands already, or whose folder may not be written.

        Raises:
            OutputError: One or the other.
        """
        if target.is_dir():
            raise OutputError(f"{str(target)!r} is a folder; name a file.")
        free = self._force or target.absolute() in self._replaceable
        if target.exists() and not free:
            raise OutputError(f"{str(target)!r} exists already; --force replaces it.")
        above = next((folder for folder in target.absolute().parents if folder.exists()), None)
        if above is not None and not above.is_dir():
            raise OutputError(f"{str(target)!r} cannot be written: {str(above)!r} is a file.")
        if above is not None and not os.access(above, os.W_OK | os.X_OK):
            raise OutputError(
                f"{str(target)!r} cannot be written: no permission in {str(above)!r}."
            )

    def _make_folder(self, folder: Path) -> None:
        missing = [path for path in (folder, *folder.parents) if not path.exists()]
        folder.mkdir(parents=True, exist_ok=True)
        self._folders += missing

    def commit(self) -> None:
        """Every file gets its name, or, where one cannot, those that are new lose theirs again."""
        for file in self._files:
            file.finish()
        folders = dict.fromkeys(file.target.parent for file in self._files)
        for file in self._files:
            file.temporary.chmod(new_file_mode())
        named: list[tuple[Path, bool]] = []
        try:
            for file in self._files:
                stood = os.path.lexists(file.target)
                file.temporary.replace(file.target)
                named.append((file.target, stood))
        except OSError:
            for target, stood in named:
                if stood:
                    self.left.append(target)
                else:
                    target.unlink(missing_ok=True)
            raise
        for folder in folders:
            sync_folder(folder)

    def discard(self) -> None:
        """Removes what was written, and the folders that were made for it."""
        for file in self._files:
            file.discard()
        for folder in self._folders:
            with contextlib.suppress(OSError):
                folder.rmdir()


def same_place(one: Path, other: Path) -> bool:
    """Whether two paths are one file, however they are written; neither need exist."""
    return os.path.realpath(one) == os.path.realpath(other)


def _remove_leftovers(target: Path, own: Collection[Path]) -> None:
    """Removes temporary files of this target that a killed run left; those in use stay, and our own."""
    prefix = f".{target.name[:64]}."
    for path in target.parent.glob(f"{glob.escape(prefix)}*.tmp"):
        # Those of `x.jsonl.gz` begin like those of `x.jsonl`.
        if path in own or path.name.removeprefix(prefix).count(".") > 1:
            continue
        with contextlib.suppress(OSError), path.open("rb") as file:
            if _lock(file.fileno()):
                path.unlink()


def _lock(handle: int) -> bool:
    """Marks an open file as in use until it is closed; False if another has marked it."""
    try:
        import fcntl

        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (ImportError, OSError):
        # Some file systems know no locks; there, nothing is taken for a leftover.
        return False
    return True


@contextlib.contextmanager
def written_together(
    *, force: bool = False, replaceable: Collection[Path] = ()
) -> Iterator[Outputs]:
    """Outputs that are committed at the end of the block, or discarded if it fails.

    Args:
        force: Whether existing files are replaced.
        replaceable: Existing files that are replaced in any case.

    Raises:
        OutputError: The disk is full, a folder may not be written, a file exists already.
    """
    outputs = Outputs(force=force, replaceable=replaceable)
    try:
        yield outputs
        outputs.commit()
    except BaseException as error:
        outputs.discard()
        if isinstance(error, OSError):
            name = error.filename or next((str(one.target) for one in outputs.files), "")
            where = f" {name!r}" if name else ""
            left = ", ".join(repr(str(path)) for path in outputs.left[:5])
            rest = f"Replaced before that: {left}." if left else "No output was left behind."
            raise OutputError(
                f"Could not write{where}: {error.strerror or error}. {rest}"
            ) from error
        raise
