"""What a user's paths stand for: an ordered list of files, each with its format and compression."""

from __future__ import annotations

import difflib
import glob
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

from ld50.core.errors import ConfigError, MissingExtraError, SourceError

#: File name endings that are read, and the format each stands for.
FORMATS: dict[str, str] = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "json",
    ".csv": "csv",
    ".tsv": "tsv",
    ".parquet": "parquet",
    ".arrow": "arrow",
    ".txt": "txt",
    ".md": "md",
}

#: Endings that may follow one of `FORMATS`.
COMPRESSIONS: dict[str, str] = {".gz": "gz", ".zst": "zst", ".bz2": "bz2", ".xz": "xz"}

_EXTRAS = {
    "s3": "s3fs",
    "gs": "gcsfs",
    "gcs": "gcsfs",
    "abfs": "adlfs",
    "az": "adlfs",
    "hf": "huggingface_hub",
    "http": "aiohttp",
    "https": "aiohttp",
    "sftp": "paramiko",
}
#: What people hold that is read only after another program has written it anew.
_OTHERS = {
    ".zip": "Unpack it and name the folder.",
    ".tar": "Unpack it and name the folder.",
    ".tgz": "Unpack it and name the folder.",
    ".7z": "Unpack it and name the folder.",
    ".xlsx": "Save the sheet as CSV.",
    ".xls": "Save the sheet as CSV.",
    ".pkl": "Pickles can run code and are never opened; save the data as JSON Lines or Parquet.",
    ".pickle": "Pickles can run code and are never opened; save the data as JSON Lines or Parquet.",
    ".pt": "It is a file of weights or a pickle; save the data as JSON Lines or Parquet.",
    ".bin": "It is a file of weights or of tokens; scan the text that it was made from.",
    ".warc": "Extract the text first, for example with datatrove or trafilatura.",
    ".pdf": "Extract the text first.",
}
#: Files that a scan writes, by which its folder is known, and the key that poison comes with.
_REPORT_FILES = ("summary.json", "findings.jsonl", "rows.jsonl", "report.html")
_MANIFEST = ".poison-manifest.json"
_HF_MARKERS = ("state.json", "dataset_info.json", "dataset_dict.json")

#: Why something that a folder or a pattern brought along is not read.
_ENDING = "because of their endings"
_DANGLING = "as links to nothing"
_IRREGULAR = "as they are no regular files"
_NOTHING_IN_IT = "as folders without data"


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFile:
    """One file to read."""

    source: str
    """The path or URL as given, or as a folder or glob expanded to it."""
    format: str
    """One of the values of `FORMATS`, or `table` for data in memory."""
    compression: str | None = None
    """`gz`, `zst`, `bz2`, `xz` or None."""
    size_bytes: int = 0
    """As it lies there, compressed."""
    root: str = ""
    """The folder given by the user under which it was found; empty for a file given by name."""
    named: bool = True
    """Whether the user named it, rather than a folder or a pattern that brought it along."""
    beside: tuple[tuple[str, str], ...] = ()
    """Name and reason of what that folder or pattern brought along and is not read; told of its
    first file only."""

    @property
    def kind(self) -> str:
        """Format and compression as a user would write them: `jsonl`, `jsonl.zst`."""
        return self.format if self.compression is None else f"{self.format}.{self.compression}"

    @property
    def is_remote(self) -> bool:
        """Whether it is read through fsspec."""
        return is_url(self.source)


def is_url(path: str) -> bool:
    """Whether a path names a protocol, as in `s3://bucket/key` or `memory://x`."""
    head, sep, _ = path.partition("://")
    return bool(sep) and head.replace("+", "").replace("::", "").isalnum()


def expand(
    paths: Iterable[str | os.PathLike[str]], *, format: str | None = None
) -> list[SourceFile]:
    """The files that the paths stand for, in the order given, folders and globs sorted by name.

    Args:
        paths: Files, folders (read with all they hold), globs (`**` crosses folders), fsspec URLs,
            and Hugging Face datasets on disk.
        format: One of `FORMATS`' values, to read every file as, whatever its name; the
            compression still comes from the name.

    Returns:
        At least one file; a file that is named twice is listed once.

    Raises:
        SourceError: A path does not exist, may not be read, or holds nothing that can be read.
        ConfigError: A name that says nothing about its format, or an unknown `format`.
        MissingExtraError: A URL whose protocol needs a package that is not installed.
    """
    if format is not None and format not in FORMATS.values():
        allowed = ", ".join(sorted(set(FORMATS.values())))
        raise ConfigError(f"--input-format {format!r} is not known; it may be {allowed}.")
    found: dict[str, SourceFile] = {}
    for path in paths:
        text = os.fspath(path)
        expanded = _expand_url(text, format) if is_url(text) else _expand_local(text, format)
        for file in expanded:
            # `a.jsonl` and `./a.jsonl` are one file; a link is another file, as its user made it so.
            key = file.source if file.is_remote else os.path.abspath(file.source)  # noqa: PTH100
            found.setdefault(key, file)
    if not found:
        raise SourceError("No path was given. Name at least one file, folder, glob or URL.")
    return list(found.values())


def classify(name: str) -> tuple[str | None, str | None]:
    """Format and compression that a file name stands for; None where it says nothing."""
    lower = name.lower()
    compression = None
    for ending, codec in COMPRESSIONS.items():
        if lower.endswith(ending):
            compression = codec
            lower = lower[: -len(ending)]
            break
    return FORMATS.get(os.path.splitext(lower)[1]), compression  # noqa: PTH122


def _expand_local(text: str, format: str | None) -> Iterator[SourceFile]:
    if text == "-":
        raise SourceError(
            "Standard input cannot be read: a scan reads its data more than once. Save it to a file "
            "first, as in `cat ... > data.jsonl`, and name that."
        )
    path = Path(text)
    try:
        if path.is_dir():
            yield from _folder(text, format)
            return
        if path.exists():
            yield _local_file(text, format)
            return
    except (OSError, ValueError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or error
        raise SourceError(f"{text!r} cannot be looked at: {reason}.") from error
    if glob.has_magic(text):
        yield from _glob(text, format)
        return
    raise SourceError(_missing(path))


def _missing(path: Path) -> str:
    if path.is_symlink():
        return f"{str(path)!r} is a link to {os.readlink(path)!r}, which does not exist."  # noqa: PTH115
    folder = path.parent
    if not folder.exists():
        return f"There is no {str(path)!r}: its folder {str(folder)!r} does not exist either."
    try:
        names = sorted(entry.name for entry in folder.iterdir())
    except OSError:
        names = []
    near = difflib.get_close_matches(path.name, names, n=3, cutoff=0.5)
    hint = f" In that folder there is: {', '.join(near)}." if near else ""
    return f"There is no file or folder {str(path)!r}.{hint}"


def _glob(text: str, format: str | None) -> Iterator[SourceFile]:
    names = sorted(glob.glob(text, recursive=True))  # noqa: PTH207
    if not names:
        raise SourceError(
            f"Nothing matches {text!r}. Quote a pattern so that the shell leaves it alone, and use "
            "** to cross folders."
        )
    root = text[: text.index(next(c for c in text if c in "*?["))].rpartition("/")[0]
    if len(names) == 1 and Path(names[0]).is_file():
        yield _local_file(names[0], format, root=root, named=False)
        return
    found: list[SourceFile] = []
    unread: list[tuple[str, str]] = []
    for name in names:
        if not Path(name).is_dir():
            _sort(name, Path(name).name, format, root, found, unread)
            continue
        # As the shell would do it, had the pattern not been quoted.
        inside, others = _inside(name, format)
        found += inside
        unread += others if inside else [(Path(name).name, _NOTHING_IN_IT)]
    yield from _told(text, found, unread)


def _folder(text: str, format: str | None) -> Iterator[SourceFile]:
    found, unread = _inside(text, format)
    yield from _told(text, found, unread)


def _inside(text: str, format: str | None) -> tuple[list[SourceFile], list[tuple[str, str]]]:
    """The files below a folder that are read, and what is not."""
    hugging_face = any((Path(text) / marker).exists() for marker in _HF_MARKERS)
    found: list[SourceFile] = []
    unread: list[tuple[str, str]] = []

    def refuse(error: OSError) -> None:
        raise SourceError(f"The folder {error.filename!r} may not be read: {error.strerror}.")

    entered: set[tuple[int, int]] = set()
    for folder, folders, names in os.walk(text, onerror=refuse, followlinks=True):
        # Links to folders are followed, as data often lies elsewhere, but never in a circle.
        stat = Path(folder).stat()
        if (stat.st_dev, stat.st_ino) in entered:
            folders.clear()
            continue
        entered.add((stat.st_dev, stat.st_ino))
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if name.startswith("."):
                continue
            if hugging_face and (classify(name)[0] != "arrow" or name.startswith("cache-")):
                continue
            path = f"{folder.rstrip(os.sep)}{os.sep}{name}"
            _sort(path, name, format, text, found, unread)
    return found, unread


def _sort(
    path: str,
    name: str,
    format: str | None,
    root: str,
    found: list[SourceFile],
    unread: list[tuple[str, str]],
) -> None:
    """Adds what is no folder to what is read, or to what is not; nothing goes without a word."""
    if not Path(path).is_file():
        unread.append((name, _IRREGULAR if Path(path).exists() else _DANGLING))
    elif is_by_product(path):
        return
    elif classify(name)[0] is None and format is None:
        unread.append((name, _ENDING))
    else:
        found.append(_local_file(path, format, root=root, named=False))


def _told(
    text: str, found: list[SourceFile], unread: list[tuple[str, str]]
) -> Iterator[SourceFile]:
    """The files, the first of which tells what is not read.

    Raises:
        SourceError: There are none.
    """
    if not found:
        seen = f" There is {', '.join(name for name, _ in unread[:5])}." if unread else ""
        why = f" Not read {unread[0][1]}." if unread and unread[0][1] != _ENDING else ""
        raise SourceError(
            f"Nothing to read in {text!r}: files ending in {' '.join(FORMATS)} are read, each also "
            f"with {' '.join(COMPRESSIONS)}.{seen}{why} Another ending is read with --input-format."
        )
    yield replace(found[0], beside=tuple(unread))
    yield from found[1:]


def is_by_product(path: str) -> bool:
    """Whether ld50 wrote a file itself: a report holds poison, and a manifest the answers.

    Such a file is left out where a folder or a pattern brings it along, and read where it is named.
    """
    name = Path(path).name
    if name.endswith(_MANIFEST):
        return True
    if name not in (*_REPORT_FILES, "examples.jsonl"):
        return False
    folder = Path(path).parent
    return all((folder / one).is_file() for one in _REPORT_FILES)


def _local_file(text: str, format: str | None, root: str = "", named: bool = True) -> SourceFile:
    path = Path(text)
    try:
        if not path.is_file():
            raise SourceError(f"{text!r} is not a regular file; a pipe must be saved first.")
        size = path.stat().st_size
        if not os.access(path, os.R_OK):
            raise PermissionError(13, "Permission denied", text)
        with path.open("rb"):
            pass
    except OSError as error:
        raise SourceError(f"{text!r} may not be read: {error.strerror or error}.") from error
    return replace(_file(text, size, format, root), named=named)


def _file(text: str, size: int, format: str | None, root: str) -> SourceFile:
    kind, compression = classify(text.split("?", 1)[0] if is_url(text) else text)
    kind = format or kind
    if kind is None:
        ending = os.path.splitext(text.lower())[1]  # noqa: PTH122
        if ending in _OTHERS:
            raise ConfigError(f"{text!r}: {ending} files are not read. {_OTHERS[ending]}")
        raise ConfigError(
            f"The name of {text!r} does not say what it holds. Endings that are known: "
            f"{' '.join(FORMATS)}, each also with {' '.join(COMPRESSIONS)}. Say it with "
            "--input-format, for example --input-format jsonl."
        )
    if kind in ("parquet", "arrow") and compression is not None:
        raise ConfigError(
            f"{text!r}: {kind} files are compressed inside, and cannot be read through "
            f".{compression}. Unpack it first."
        )
    return SourceFile(source=text, format=kind, compression=compression, size_bytes=size, root=root)


def filesystem(url: str) -> tuple[Any, str]:
    """The fsspec file system of a URL, and the path within it.

    Raises:
        MissingExtraError: The protocol needs a package that is not installed.
        SourceError: The protocol does not exist.
    """
    import fsspec

    protocol = url.partition("://")[0]
    try:
        system, path = fsspec.core.url_to_fs(url)
    except ImportError as error:
        package = _EXTRAS.get(protocol, protocol)
        raise MissingExtraError(
            f"Reading {protocol}:// needs a package that is not installed ({error}). "
            f"Install it: pip install {package}"
        ) from error
    except ValueError as error:
        raise SourceError(f"{url!r} cannot be read: {error}.") from error
    except Exception as error:
        raise SourceError(f"{url!r} cannot be reached: {error}.") from error
    return system, str(path)


def _expand_url(url: str, format: str | None) -> Iterator[SourceFile]:
    system, path = filesystem(url)
    try:
        if glob.has_magic(path) and not system.exists(path):
            names = sorted(system.glob(path))
            root = path[: path.index(next(c for c in path if c in "*?["))].rpartition("/")[0]
        elif system.isdir(path):
            names = sorted(system.find(path))
            root = path
        else:
            yield _file(url, int(system.info(path)["size"] or 0), format, "")
            return
        files = [name for name in names if system.isfile(name)]
        known = [name for name in files if format is not None or classify(name)[0] is not None]
        if not known:
            raise SourceError(f"Nothing at {url!r} can be read; {' '.join(FORMATS)} can.")
        unread = tuple((PurePosixPath(n).name, _ENDING) for n in files if n not in set(known))
        for name in known:
            size = int(system.info(name)["size"] or 0)
            found = _file(
                str(system.unstrip_protocol(name)), size, format, str(system.unstrip_protocol(root))
            )
            yield replace(found, named=False, beside=unread)
            unread = ()
    except FileNotFoundError as error:
        raise SourceError(f"There is nothing at {url!r}.") from error
    except ImportError as error:
        raise MissingExtraError(f"Reading {url!r} needs a package: {error}.") from error
    except OSError as error:
        raise SourceError(f"{url!r} cannot be read: {error}.") from error
