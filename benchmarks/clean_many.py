"""False alarms of `ld50 scan` on millions of clean documents of many kinds, most of them short.

    python benchmarks/clean_many.py
    python benchmarks/clean_many.py --set fresh
    python benchmarks/clean_many.py --set late
    python benchmarks/clean_many.py --set trees

builds the third held-out set (the splits `many_*` of `corpora.py`; Debian packages, some gigabytes
of downloads), scans every kind alone with default settings, then all of them in one random order, as
a pretraining corpus has them, and prints a Markdown table: findings by severity, false `high`
findings per million documents, processor time and memory. Every finding that is listed counts as
false: nothing was planted. Scores are kept in `--results`; corpora that are there are skipped.

Four causes of false alarms on that set were mended when it had been measured, so it is no longer held
out. `--set fresh` measures a fourth one, of other packages, that holds no text of any split before
(which are built first where they are missing), and `--set late` a fifth one, likewise, of more kinds
of text: the fourth was looked at, too, when it had been measured. `--set trees` is a sixth one: source
trees of large programs whole, every text file a document, as corpora of code have them.
"""

from __future__ import annotations

import argparse
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from corpora import CACHE, PACKAGES, digests, text_bytes, write_parquet
from runs import DEFAULT_COMMAND, run_scan
from scoring import LEVELS, Score, ScoreLog, Truth, interval, markdown_table, score

from ld50.core.estimates import proportion

MILLION = 1e6
MIXTURE = "all kinds"
SETS = {
    name: sorted(split for split in PACKAGES if split.startswith(f"{name}_"))
    for name in ("many", "fresh", "late", "trees")
}
_FIRST = ["dev", "test", "code_dev", "code_test", *SETS["many"]]
#: What a set must not hold: all that detectors were built on or measured on before it.
EARLIER = {"fresh": _FIRST, "late": [*_FIRST, *SETS["fresh"]], "trees": ["code_dev", "code_test"]}


def built(split: str, options: argparse.Namespace, *, without: Path | None = None) -> Path:
    """The Parquet file of a split, built unless it is there; `without` names texts to drop."""
    path: Path = options.corpora / f"{split}.parquet"
    if not path.exists():
        builder = Path(__file__).with_name("corpora.py")
        command = [sys.executable, str(builder), "--split", split, "--formats", "parquet"]
        command += ["--cache", str(options.cache), "--out", str(options.corpora)]
        command += [] if without is None else ["--without", str(without)]
        subprocess.run(command, check=True)
    return path


def earlier_texts(name: str, options: argparse.Namespace) -> Path | None:
    """Digests of all texts before a set, as an array in a file; None where nothing is left out."""
    if not EARLIER.get(name):
        return None
    path: Path = options.corpora / f"earlier-than-{name}.npy"
    if not path.exists():
        seen = np.empty(0, dtype=np.uint64)
        for split in EARLIER[name]:
            # Batch by batch: a split may be larger than memory.
            without = earlier_texts(split.partition("_")[0], options)
            file = pq.ParquetFile(built(split, options, without=without))
            batches = file.iter_batches(columns=["text"])
            parts = [digests(pa.chunked_array([batch["text"]])) for batch in batches]
            seen = np.unique(np.concatenate([seen, *parts]))
        partial = path.with_suffix(".partial.npy")
        np.save(partial, seen)
        partial.replace(path)
    return path


def mixture(paths: list[Path], out: Path, *, seed: int) -> Path:
    """All documents of the files, each once, in a random but fixed order."""
    if not out.exists():
        table = pa.concat_tables(pq.read_table(path) for path in paths)
        _, first = np.unique(digests(table["text"]), return_index=True)
        order = np.random.default_rng(seed).permutation(np.sort(first))
        # Batch by batch: one array of strings of all texts at once would take twice the memory.
        chosen = [table.take(pa.array(part)) for part in np.array_split(order, 64)]
        partial = out.with_suffix(".partial")
        write_parquet(pa.concat_tables(chosen), partial)
        partial.replace(out)
    return out


def scan(path: Path, name: str, options: argparse.Namespace) -> Score:
    """Scans one clean file and counts what it finds."""
    rows = pq.read_metadata(path).num_rows
    nbytes = sum(
        text_bytes(pa.Table.from_batches([batch]))
        for batch in pq.ParquetFile(path).iter_batches(columns=["text"])
    )
    out = options.work / f"{path.stem}.scan"
    run = run_scan([path], out, command=options.scan, options=shlex.split(options.scan_options))
    result = score(out, Truth(rows=rows, poisoned=frozenset()), case=name, seconds=run.wall_seconds)
    result.extra.update(
        text_bytes=nbytes, cpu_seconds=run.cpu_seconds, peak_mb=run.peak_bytes / 1e6
    )
    return result


def report(scores: list[Score]) -> str:
    """The table for the log: one line a corpus."""
    header = ["corpus", "documents", "MB of text", *(f"`{level}`" for level in LEVELS)]
    header += ["`high` findings per million documents", "rows under `high`", "rows under any"]
    header += ["CPU s", "MB per CPU s", "peak MB"]
    lines = []
    for result in scores:
        megabytes = result.extra["text_bytes"] / 1e6
        cpu_seconds = result.extra["cpu_seconds"]
        rate = proportion(result.false_findings["high"], result.rows, unit="documents")
        lines.append(
            [
                result.case,
                f"{result.rows:,}",
                f"{megabytes:,.0f}",
                *(result.false_findings[level] for level in LEVELS),
                interval(rate, digits=2, scale=MILLION),
                result.false_rows["high"],
                result.false_rows["low"],
                f"{cpu_seconds:.0f}",
                f"{megabytes / cpu_seconds:.0f}",
                f"{result.extra['peak_mb']:.0f}",
            ]
        )
    return markdown_table(header, lines)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cache", type=Path, default=CACHE)
    parser.add_argument("--corpora", type=Path, help="default: corpora in the cache")
    parser.add_argument("--set", choices=sorted(SETS), default="many", help="default: many")
    parser.add_argument("--work", type=Path, help="default: clean-SET in the cache")
    parser.add_argument("--results", type=Path, help="JSON lines; default: in the work folder")
    parser.add_argument("--fresh", action="store_true", help="forget earlier results")
    parser.add_argument("--kinds", nargs="*", help="splits of the set; default: all")
    parser.add_argument("--no-mixture", action="store_true", help="only each kind alone")
    parser.add_argument("--seed", type=int, default=0, help="of the order of the mixture")
    parser.add_argument("--scan", default=DEFAULT_COMMAND, help="the command that scans")
    parser.add_argument("--scan-options", default="")
    options = parser.parse_args()
    options.corpora = options.corpora or options.cache / "corpora"
    options.work = options.work or options.cache / f"clean-{options.set}"
    options.kinds = options.kinds or SETS[options.set]
    unknown = sorted(set(options.kinds) - set(SETS[options.set]))
    if unknown:
        parser.error(
            f"not of this set: {', '.join(unknown)}; it has {', '.join(SETS[options.set])}"
        )
    return options


def main() -> None:
    options = arguments()
    options.work.mkdir(parents=True, exist_ok=True)
    log = ScoreLog(options.results or options.work / "scores.jsonl", fresh=options.fresh)
    without = earlier_texts(options.set, options)
    paths = {split: built(split, options, without=without) for split in options.kinds}
    if not options.no_mixture:
        files = list(paths.values())
        paths[MIXTURE] = mixture(
            files, options.corpora / f"{options.set}.parquet", seed=options.seed
        )
    for name, path in paths.items():
        if name not in log:
            log.add(scan(path, name, options))
            print(f"{name}: {log.scores[name].false_findings}", file=sys.stderr, flush=True)
    print(report([log.scores[name] for name in paths]))


if __name__ == "__main__":
    main()
