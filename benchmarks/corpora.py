"""Builds large clean text corpora from a distribution's documentation packages.

Needs `apt-get` and `dpkg-deb` (Debian or a descendant; run `apt-get update` first). Packages and
what is read out of them stay in a cache folder outside the repository; nothing of it is committed.

    python benchmarks/corpora.py --split dev

writes `dev.parquet`, `dev.jsonl.zst`, `dev.jsonl` and `dev.json` (documents, bytes, packages) into
`~/.cache/ld50-benchmarks/corpora`. The splits `dev` and `test` share no package; `code_dev` and
`code_test` hold program sources. The splits `many_*` share no package with those, `fresh_*` none with
all of these, and `late_*` none with any before: each is one kind of text (entries of dictionaries,
messages of programs, paragraphs, change logs), a unit a document. The splits `trees_*` are source trees
whole, every file that is text a document.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import os
import subprocess
import sys
import tarfile
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from text_units import UNITS, Unit, descriptions

CACHE = Path(os.environ.get("LD50_BENCHMARK_CACHE", "~/.cache/ld50-benchmarks")).expanduser()
_LISTS = ("corpora", "corpora_many", "corpora_fresh", "corpora_late", "corpora_trees")
PACKAGES = {
    split: settings
    for name in _LISTS
    for split, settings in tomllib.loads(
        Path(__file__).with_name(f"{name}.toml").read_text()
    ).items()
}
SCHEMA = pa.schema([("id", pa.string()), ("text", pa.large_string())])
MIN_CHARACTERS = 200
#: Of units that are short by nature: an entry of a dictionary, a message of a program.
MIN_UNIT_CHARACTERS = 40
MAX_CHARACTERS = 8_000_000
#: Sources of a whole program lie in one archive.
MAX_ARCHIVE_BYTES = 400_000_000
ROW_GROUP_ROWS = 2_000
#: One call of `apt-get` reads the lists of all packages, which takes longer than a small package.
DOWNLOADS_PER_CALL = 50


def download(package: str, folder: Path) -> Path | None:
    """The package file in `folder`, fetched unless it is there; None if there is none."""
    found = sorted(folder.glob(f"{package}_*.deb"))
    if not found:
        folder.mkdir(parents=True, exist_ok=True)
        command = ["apt-get", "download", "-q", package]
        subprocess.run(command, cwd=folder, check=False, capture_output=True)
        found = sorted(folder.glob(f"{package}_*.deb"))
    return found[-1] if found else None


def download_all(packages: list[str], folder: Path) -> None:
    """Fetches those that are not in `folder`, many at a time; what is missing then is left out."""
    wanted = [package for package in packages if not any(folder.glob(f"{package}_*.deb"))]
    folder.mkdir(parents=True, exist_ok=True)
    for start in range(0, len(wanted), DOWNLOADS_PER_CALL):
        command = ["apt-get", "download", "-q", *wanted[start : start + DOWNLOADS_PER_CALL]]
        subprocess.run(command, cwd=folder, check=False, capture_output=True)


def package_files(
    package_file: Path, *, largest: int = MAX_CHARACTERS
) -> Iterator[tuple[str, bytes]]:
    """Path and content of every regular file of a package, without unpacking it to disk."""
    command = ["dpkg-deb", "--fsys-tarfile", str(package_file)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        with tarfile.open(fileobj=process.stdout, mode="r|") as archive:
            for member in archive:
                if member.isfile() and 0 < member.size <= largest:
                    content = archive.extractfile(member)
                    if content is not None:
                        yield member.name.removeprefix("."), content.read()


def shard_path(package: str, *, unit: str, cap_bytes: int, cache: Path) -> Path:
    """Where the texts of one package are kept."""
    kind = {"file": "", "source": ".code"}.get(unit, f".{unit}")
    return cache / "shards" / f"{package}{kind}.{cap_bytes}.parquet"


def package_shard(package: str, *, unit: str = "file", cap_bytes: int, cache: Path) -> Path | None:
    """The texts of one package as a Parquet file in the cache; None if it holds none.

    A package with more than `cap_bytes` of text gives about that much, chosen by the digest of each
    text, so that no single package dominates a corpus.
    """
    shard = shard_path(package, unit=unit, cap_bytes=cap_bytes, cache=cache)
    if shard.exists():
        return shard
    package_file = download(package, cache / "packages")
    if package_file is None:
        print(f"{package}: no such package, left out", file=sys.stderr)
        return None
    largest = MAX_ARCHIVE_BYTES if unit == "tree" else MAX_CHARACTERS
    units = UNITS[unit](package_files(package_file, largest=largest))
    shortest = MIN_CHARACTERS if unit in ("file", "source", "tree") else MIN_UNIT_CHARACTERS
    return write_shard(shard, package, units, shortest=shortest, cap_bytes=cap_bytes)


def description_shard(language: str, *, cap_bytes: int, cache: Path) -> Path:
    """The descriptions of the distribution's packages in one language, as a Parquet file.

    `apt-get update` fetches them into lists of their own in the cache; those of this machine stay
    as they are.
    """
    shard = shard_path(language, unit="description", cap_bytes=cap_bytes, cache=cache)
    if shard.exists():
        return shard
    lists = cache / "apt" / "lists"
    if not any(lists.glob(f"*_Translation-{language.replace('_', '%5f')}*")):
        (lists / "partial").mkdir(parents=True, exist_ok=True)
        languages = ",".join(
            each for settings in PACKAGES.values() for each in settings.get("languages", ())
        )
        places = {"Dir::State::lists": lists, "Dir::Cache": cache / "apt"}
        options = [f"-o{name}={value}" for name, value in places.items()]
        command = ["apt-get", "update", "-q", *options, f"-oAcquire::Languages={languages}"]
        subprocess.run(command, check=True, capture_output=True)
    units: list[Unit] = []
    for path in sorted(lists.glob(f"*_Translation-{language.replace('_', '%5f')}*")):
        command = ["/usr/lib/apt/apt-helper", "cat-file", str(path)]
        listed = subprocess.run(command, check=True, capture_output=True)
        units += descriptions(language, listed.stdout)
    return write_shard(
        shard, "descriptions", units, shortest=MIN_UNIT_CHARACTERS, cap_bytes=cap_bytes
    )


def write_shard(
    shard: Path, package: str, units: Iterable[Unit], *, shortest: int, cap_bytes: int
) -> Path:
    """Each text once and no more than the cap, chosen and ordered by digest."""
    texts: dict[bytes, tuple[str, str]] = {}
    for name, text in units:
        if shortest <= len(text) <= MAX_CHARACTERS:
            digest = hashlib.blake2b(text.encode(), digest_size=16).digest()
            texts.setdefault(digest, (f"{package}:{name}", text))
    kept: list[tuple[str, str]] = []
    room = cap_bytes
    for digest in sorted(texts):
        room -= len(texts[digest][1].encode())
        if room >= 0 or not kept:
            kept.append(texts[digest])
    shard.parent.mkdir(parents=True, exist_ok=True)
    columns = {"id": [row[0] for row in kept], "text": [row[1] for row in kept]}
    partial = shard.with_suffix(".partial")
    pq.write_table(pa.table(columns, schema=SCHEMA), partial, compression="zstd")
    partial.replace(shard)
    return shard


def digests(texts: pa.ChunkedArray) -> np.ndarray:
    """A 64-bit digest per text, to drop what two packages share."""
    values = (hashlib.blake2b(text.as_buffer(), digest_size=8).digest() for text in texts)
    return np.frombuffer(b"".join(values), dtype=np.uint64)


def shards(
    packages: list[str], *, unit: str, cap_bytes: int, cache: Path
) -> Iterator[tuple[str, Path]]:
    """Name and shard of every package, or of every language where the unit is a description."""
    if unit == "description":
        for language in packages:
            yield language, description_shard(language, cap_bytes=cap_bytes, cache=cache)
        return
    for start in range(0, len(packages), DOWNLOADS_PER_CALL):
        some = packages[start : start + DOWNLOADS_PER_CALL]
        places = [
            shard_path(package, unit=unit, cap_bytes=cap_bytes, cache=cache) for package in some
        ]
        missing = [
            package for package, place in zip(some, places, strict=True) if not place.exists()
        ]
        download_all(missing, cache / "packages")
        for package in some:
            shard = package_shard(package, unit=unit, cap_bytes=cap_bytes, cache=cache)
            if shard is not None:
                yield package, shard


def assemble(
    packages: list[str],
    *,
    unit: str,
    cap_bytes: int,
    cache: Path,
    seed: int,
    without: np.ndarray | None = None,
) -> pa.Table:
    """All texts of the packages in a random but fixed order, each once; none of these digests."""
    tables = []
    for package, shard in shards(packages, unit=unit, cap_bytes=cap_bytes, cache=cache):
        tables.append(pq.read_table(shard))
        nbytes, rows = tables[-1].nbytes, tables[-1].num_rows
        print(f"{package}: {rows} documents, {nbytes / 1e6:.1f} MB", file=sys.stderr, flush=True)
    table = pa.concat_tables(tables).combine_chunks()
    values, first = np.unique(digests(table["text"]), return_index=True)
    if without is not None:
        first = first[~np.isin(values, without)]
        print(f"{len(values) - len(first)} texts left out, as others have them", file=sys.stderr)
    order = np.random.default_rng(seed).permutation(np.sort(first))
    return table.take(pa.array(order))


def write_parquet(table: pa.Table, path: Path) -> None:
    """Zstandard, small row groups, plain pages: what a scan would meet on a disk."""
    pq.write_table(
        table, path, compression="zstd", row_group_size=ROW_GROUP_ROWS, use_dictionary=False
    )


def write_jsonl(table: pa.Table, path: Path) -> None:
    """One object a line; compressed if the path ends in `.zst`."""
    raw = pa.OSFile(str(path), "wb")
    stream = pa.CompressedOutputStream(raw, "zstd") if path.suffix == ".zst" else raw
    with raw, stream:
        for batch in table.to_batches(max_chunksize=ROW_GROUP_ROWS):
            lines = io.StringIO()
            for row in batch.to_pylist():
                lines.write(json.dumps(row, ensure_ascii=False) + "\n")
            stream.write(lines.getvalue().encode())


def text_bytes(table: pa.Table) -> int:
    """UTF-8 bytes of all texts."""
    return int(pc.sum(pc.binary_length(table["text"])).as_py() or 0)


def describe(table: pa.Table, split: str) -> dict[str, object]:
    """Documents, bytes, and both by package."""
    packages = pc.list_element(pc.split_pattern(table["id"], ":", max_splits=1), 0)
    sizes = pa.table({"package": packages, "bytes": pc.binary_length(table["text"])})
    grouped = sizes.group_by("package").aggregate([("bytes", "sum"), ("bytes", "count")])
    by_package = {
        row["package"]: {"documents": row["bytes_count"], "bytes": row["bytes_sum"]}
        for row in sorted(grouped.to_pylist(), key=lambda row: str(row["package"]))
    }
    return {
        "split": split,
        "documents": table.num_rows,
        "text_bytes": text_bytes(table),
        "packages": by_package,
    }


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    splits = sorted(set(PACKAGES) - {"second_language"})
    parser.add_argument("--split", default="dev", choices=splits)
    parser.add_argument("--out", type=Path, default=CACHE / "corpora")
    parser.add_argument("--name", help="of the files; default: the split")
    parser.add_argument("--cache", type=Path, default=CACHE)
    parser.add_argument("--packages", nargs="*", help="instead of the split's own list")
    parser.add_argument("--without", type=Path, help="digests of texts to leave out (.npy)")
    parser.add_argument("--package-cap-mb", type=float, help="default: the split's own, or 25")
    parser.add_argument("--max-mb", type=float, help="stop at that much text")
    parser.add_argument("--seed", type=int, default=0, help="of the order of documents")
    parser.add_argument("--formats", default="parquet,jsonl.zst,jsonl", help="to write")
    parser.add_argument("--fresh", action="store_true", help="build even if it is there")
    return parser.parse_args()


def main() -> None:
    options = arguments()
    name = options.name or options.split
    if not options.fresh and (options.out / f"{name}.json").exists():
        print(f"{options.out / name}.*: there already; --fresh builds it again")
        return
    settings = PACKAGES[options.split]
    packages = options.packages or settings.get("packages") or settings["languages"]
    cap = options.package_cap_mb or settings.get("package_cap_mb", 25)
    default = "source" if options.split.startswith("code") else "file"
    table = assemble(
        list(packages),
        unit=settings.get("unit", default),
        cap_bytes=int(cap * 1e6),
        cache=options.cache,
        seed=options.seed,
        without=None if options.without is None else np.load(options.without),
    )
    if options.max_mb is not None:
        sizes = np.cumsum(pc.binary_length(table["text"]).to_numpy())
        table = table.slice(0, int(np.searchsorted(sizes, options.max_mb * 1e6)))
    options.out.mkdir(parents=True, exist_ok=True)
    for ending in options.formats.split(","):
        writer = write_parquet if ending == "parquet" else write_jsonl
        partial = options.out / f"partial-{name}.{ending}"
        writer(table, partial)
        partial.replace(options.out / f"{name}.{ending}")
    summary = describe(table, options.split)
    (options.out / f"{name}.json").write_text(json.dumps(summary, indent=1) + "\n")
    print(f"{name}: {table.num_rows} documents, {text_bytes(table) / 1e6:.1f} MB of text")


if __name__ == "__main__":
    main()
