"""Data divided into a clean part and a quarantined part, with nothing lost and nothing changed."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ld50.core.errors import ConfigError, OutputError, SourceError
from ld50.corpus.arrowsplit import same_rows, split_arrow, split_parquet
from ld50.corpus.outputs import OutputFile, Outputs, same_place, written_together
from ld50.corpus.sources import SourceFile, classify, is_url
from ld50.corpus.splitters import (
    Sinks,
    split_csv,
    split_document,
    split_json,
    split_lines,
)
from ld50.corpus.streams import BrokenStreamError, chunks, open_raw
from ld50.corpus.units import Plan, SourcePlan

#: Files beside the data of a Hugging Face dataset, without which it cannot be loaded.
_SIDECARS = ("state.json", "dataset_info.json", "dataset_dict.json")


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitFile:
    """What became of one source."""

    source: str
    clean: str | None
    """The file with the rows that were kept; None if none was asked for or needed."""
    quarantine: str | None
    quarantined_rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitReport:
    """What was written."""

    files: tuple[SplitFile, ...]
    notes: tuple[str, ...] = ()

    @property
    def quarantined_rows(self) -> int:
        """Rows taken out, of all files."""
        return sum(file.quarantined_rows for file in self.files)


def split(
    plan: Plan,
    flagged: Mapping[int, Collection[int]],
    *,
    clean: str | os.PathLike[str] | None = None,
    quarantine: str | os.PathLike[str] | None = None,
    force: bool = False,
    replaceable: Collection[Path] = (),
    verify: bool = True,
) -> SplitReport:
    """Writes every row of the plan's files into one of two places, byte for byte as it came.

    Rows that could not be read are kept in the clean part: what was not understood is not thrown
    away. A CSV header, a byte order mark, and what stands around a JSON array go to both parts.
    Compressed files are compressed again with the same codec; Parquet and Arrow files keep their
    schema, metadata and grouping, and their values. Either all files appear or none.

    Args:
        plan: What was read; its files must not have changed.
        flagged: Source number (into `plan.sources`) to the row numbers, counted in that file, that
            are to be quarantined.
        clean: Where the other rows go: a folder, or a file if there is a single source.
        quarantine: Where the flagged rows go. In a folder, files without such rows are left out.
        force: Whether existing files may be replaced; an input never is.
        replaceable: Files that may be replaced in any case, as an interrupted run of the same kind
            left them.
        verify: Whether what was written is read back and compared before it gets its name.

    Raises:
        OutputError: A place cannot be written to, is an input, or exists already; or a file cannot
            be copied without loss.
        SourceError: A file has changed since the plan was made.
    """
    _check_places(clean, quarantine)
    names = relative_names([source.file for source in plan.sources])
    done: list[SplitFile] = []
    notes: list[str] = []
    with written_together(force=force, replaceable=replaceable) as outputs:
        targets = _targets(plan, clean, quarantine, outputs)
        for number, source in enumerate(plan.sources):
            if source.file.format == "table":
                raise ConfigError("A table in memory is divided by split_table, not by split.")
            rows = flagged.get(number, ())
            file, said = _split_one(source, names[number], rows, targets, verify)
            done.append(file)
            notes += said
        _copy_sidecars(plan.sources, names, targets)
    return SplitReport(files=tuple(done), notes=tuple(notes))


def planned_outputs(
    plan: Plan,
    *,
    clean: str | os.PathLike[str] | None = None,
    quarantine: str | os.PathLike[str] | None = None,
    force: bool = False,
    replaceable: Collection[Path] = (),
) -> list[Path]:
    """The files that `split` may write, after all that can be refused without reading a row.

    Whoever scans for hours learns of a file in the way before, not after.

    Raises:
        ConfigError: Both places are one.
        OutputError: A place is an input, exists already, is that of two outputs, or may not be
            written to.
    """
    _check_places(clean, quarantine)
    outputs = Outputs(force=force, replaceable=replaceable)
    targets = _targets(plan, clean, quarantine, outputs)
    paths: dict[str, Path] = {}
    for source, name in zip(
        plan.sources, relative_names([one.file for one in plan.sources]), strict=True
    ):
        for side in ("clean", "quarantine"):
            path = targets.checked(side, name, source.file)
            if path is not None:
                outputs.check(path)
                if paths.setdefault(os.path.realpath(path), path) is not path:
                    raise OutputError(
                        f"Two outputs would both be {str(path)!r}; name another place."
                    )
    return list(paths.values())


def _check_places(
    clean: str | os.PathLike[str] | None, quarantine: str | os.PathLike[str] | None
) -> None:
    places = [Path(os.fspath(place)) for place in (clean, quarantine) if place is not None]
    for place in (clean, quarantine):
        if place is not None and is_url(os.fspath(place)):
            raise OutputError(f"{os.fspath(place)!r}: outputs are written to local paths only.")
    if len(places) == 2 and same_place(*places):
        raise ConfigError("--write-clean and --quarantine name the same place.")


def _targets(
    plan: Plan,
    clean: str | os.PathLike[str] | None,
    quarantine: str | os.PathLike[str] | None,
    outputs: Outputs,
) -> _Targets:
    single = len(plan.sources) == 1 and not plan.sources[0].file.root
    inputs = {_identity(Path(s.file.source)) for s in plan.sources if not s.file.is_remote}
    return _Targets(clean, quarantine, outputs, inputs - {None}, single)


@dataclass(slots=True)
class _Targets:
    """Opens the output files of one side or the other."""

    clean: str | os.PathLike[str] | None
    quarantine: str | os.PathLike[str] | None
    outputs: Outputs
    inputs: set[tuple[int, int] | None]
    single: bool

    def path(self, side: str, name: str, file: SourceFile | None) -> Path | None:
        """Where a file of that side goes; None if that side is not wanted."""
        place = self.clean if side == "clean" else self.quarantine
        if place is None:
            return None
        text = os.fspath(place)
        if self.single and file is not None and self._is_file(text):
            told = classify(text)
            if (
                told[0] is not None
                and (told != classify(file.source))
                and (classify(file.source)[0] is not None)
            ):
                raise OutputError(
                    f"{text!r} would have another format than {file.source!r}; rows are kept byte "
                    "for byte, so give it the same ending, or name a folder."
                )
            return Path(text)
        if Path(text).exists() and not Path(text).is_dir():
            raise OutputError(f"{text!r} is a file; several files need a folder to be written to.")
        return Path(text) / name

    @staticmethod
    def _is_file(text: str) -> bool:
        if text.endswith(os.sep) or Path(text).is_dir():
            return False
        return classify(text)[0] is not None or bool(Path(text).suffix)

    def checked(self, side: str, name: str, file: SourceFile) -> Path | None:
        path = self.path(side, name, file)
        if path is not None and _identity(path) in self.inputs:
            raise OutputError(f"{str(path)!r} is one of the inputs; they are never written to.")
        return path

    def open(self, side: str, name: str, file: SourceFile) -> OutputFile | None:
        path = self.checked(side, name, file)
        return None if path is None else self.outputs.open(path, file.compression)


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        stat = path.stat()
    except OSError:
        return None
    return stat.st_dev, stat.st_ino


def _split_one(
    source: SourcePlan,
    name: str,
    flagged: Collection[int],
    targets: _Targets,
    verify: bool,
) -> tuple[SplitFile, list[str]]:
    """One file divided, and what is to be said about it."""
    _check_unchanged(source)
    document = source.shape == "document"
    # Where one file is expected, or a data set would not load without it, it is there if empty.
    always = not document and (targets.single or _is_hugging_face(source.file))
    sinks = Sinks(
        clean=targets.open("clean", name, source.file) if not (document and flagged) else None,
        quarantine=targets.open("quarantine", name, source.file) if flagged or always else None,
    )
    if flagged or sinks.quarantine is not None:
        _divide(source, flagged, sinks)
    elif sinks.clean is not None:
        _copy(source.file, sinks.clean)
    if sinks.quarantined != len(set(flagged)):
        raise SourceError(
            f"{source.file.source!r} has changed since it was read: of {len(set(flagged))} flagged "
            f"rows, {sinks.quarantined} were found. Scan it again."
        )
    for sink in (sinks.clean, sinks.quarantine):
        if sink is not None:
            sink.finish()
    if verify:
        _verify(source, flagged, sinks)
    notes = []
    if sinks.broken is not None:
        notes.append(
            f"{source.file.source}: its compressed stream {sinks.broken}; what could be unpacked "
            "was divided, the rest is in the source only"
        )
    return SplitFile(
        source=source.file.source,
        clean=str(sinks.clean.target) if sinks.clean else None,
        quarantine=str(sinks.quarantine.target) if sinks.quarantine else None,
        quarantined_rows=sinks.quarantined,
    ), notes


def _divide(source: SourcePlan, flagged: Collection[int], sinks: Sinks) -> None:
    format = source.file.format
    rows = frozenset(flagged)
    if format == "parquet":
        split_parquet(source, rows, sinks)
    elif format == "arrow":
        split_arrow(source, rows, sinks)
    elif format in ("csv", "tsv") and source.dialect is not None:
        split_csv(source, rows, sinks)
    elif source.shape == "lines":
        split_lines(source, rows, sinks)
    elif source.shape == "document":
        split_document(source, rows, sinks)
    else:
        split_json(source, rows, sinks)


def _copy(file: SourceFile, sink: OutputFile) -> None:
    """The file as it lies there, compressed or not."""
    with open_raw(file) as raw:
        while data := raw.read(1 << 20):
            sink.write_verbatim(data)


def _check_unchanged(source: SourcePlan) -> None:
    """Refuses a file whose size is not what it was."""
    file = source.file
    if file.is_remote:
        return
    try:
        size = Path(file.source).stat().st_size
    except OSError as error:
        raise SourceError(f"{file.source!r} has gone since it was read: {error}.") from error
    if size != file.size_bytes:
        raise SourceError(
            f"{file.source!r} has changed since it was read: it had {file.size_bytes:,} bytes and "
            f"has {size:,} now. Scan it again."
        )


def _verify(source: SourcePlan, flagged: Collection[int], sinks: Sinks) -> None:
    """Reads back what was written; both parts together must be the source.

    Raises:
        OutputError: They are not.
    """
    divided = bool(flagged) or sinks.quarantine is not None
    if source.file.format in ("parquet", "arrow") and divided:
        if not same_rows(source, flagged, sinks):
            raise OutputError(
                f"The parts of {source.file.source!r} do not read back as its rows. Nothing was "
                "written; please report this file."
            )
        return
    for sink in (sinks.clean, sinks.quarantine):
        if sink is not None:
            sink.check()
    if divided and sinks.seen() != _content_digest(source.file):
        raise OutputError(
            f"The parts of {source.file.source!r} do not add up to its bytes: it changed while it "
            "was read, or this is a defect of ld50. Nothing was written."
        )


def _content_digest(file: SourceFile) -> bytes:
    digest = hashlib.blake2b(digest_size=16)
    with contextlib.suppress(BrokenStreamError):
        for chunk in chunks(file):
            digest.update(chunk)
    return digest.digest()


def _is_hugging_face(file: SourceFile) -> bool:
    folder = Path(file.source).parent
    return file.format == "arrow" and any((folder / name).exists() for name in _SIDECARS)


def _copy_sidecars(sources: Sequence[SourcePlan], names: Sequence[str], targets: _Targets) -> None:
    """The files without which a Hugging Face dataset cannot be loaded, beside its data."""
    copied = set()
    for source, name in zip(sources, names, strict=True):
        if not _is_hugging_face(source.file) or source.file.is_remote:
            continue
        folder, place = Path(source.file.source).parent, Path(name).parent
        while True:
            for sidecar in _SIDECARS:
                origin = folder / sidecar
                if origin.is_file() and origin not in copied:
                    copied.add(origin)
                    file = SourceFile(source=str(origin), format="json")
                    for side in ("clean", "quarantine"):
                        sink = targets.open(side, str(place / sidecar), file)
                        if sink is not None:
                            _copy(file, sink)
            if place == Path():
                break
            folder, place = folder.parent, place.parent


def relative_names(files: Sequence[SourceFile]) -> list[str]:
    """The path of each file below an output folder: as it lies below the folder that was given.

    Files from different folders that would get the same name are told apart by the folders above
    them, up to the one that all share.
    """
    paths = [PurePosixPath(file.source.partition("://")[2] or file.source) for file in files]
    names = []
    for file, path in zip(files, paths, strict=True):
        root = PurePosixPath(file.root.partition("://")[2] or file.root)
        inside = file.root and path.is_relative_to(root)
        names.append(str(path.relative_to(root)) if inside else path.name)
    if len(set(names)) == len(names):
        return names
    full = [PurePosixPath(os.path.abspath(path)) for path in paths]  # noqa: PTH100
    shared = PurePosixPath(os.path.commonpath([path.parent for path in full]))
    return [str(path.relative_to(shared)) for path in full]
