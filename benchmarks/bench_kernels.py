"""Speed of the text kernels on one thread, next to a copy of the bytes, zstd, and their twins.

    python benchmarks/bench_kernels.py [--file TEXT_OR_PARQUET] [--megabytes 32] [--twins]

The text is Python's own reference documentation (`pydoc_data`), or a file: each blank-line separated
block, or each value of a Parquet file's `text` column, is a row. MB are 10^6 bytes of raw UTF-8, the
best of several runs in CPU seconds. Read the ratios; the figures depend on the machine.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ld50.corpus import reference
from ld50.scan import kernels, kernels_py


def texts(path: Path | None) -> list[str]:
    if path is None:
        from pydoc_data.topics import topics

        return [str(topic) for topic in topics.values()]
    if path.suffix == ".parquet":
        return [str(text) for text in pq.read_table(path, columns=["text"])["text"].to_pylist()]
    return [block for block in path.read_text("utf-8", "replace").split("\n\n") if block]


def column_of(rows: list[str], megabytes: int) -> pa.Array:
    size = sum(len(row.encode()) for row in rows)
    times = max(1, round(megabytes * 1_000_000 / max(size, 1)))
    return pa.array(rows * times, pa.large_string())


def reference_tables() -> kernels.ProfileTables:
    words = reference.word_table()
    column = (words.offsets.astype(np.int64), np.frombuffer(words.blob, np.uint8))
    hashes = kernels.phrase_hashes(column)
    known = hashes != 0
    return kernels.ProfileTables(
        trigrams=reference.trigram_table().cost,
        languages=30,
        words=kernels.build_word_table(hashes[known], words.salad_zipf16[known]),
        bigrams=reference.bigram_filter().words,
    )


def seconds(work: Callable[[], object], runs: int) -> float:
    best = float("inf")
    for _ in range(runs):
        start = time.thread_time()
        work()
        best = min(best, time.thread_time() - start)
    return best


def some_candidates(column: pa.Array, count: int) -> kernels.CandidateSet:
    """A tenth are n-grams of few rows, as real candidates are; the others occur nowhere."""
    rng = np.random.default_rng(0)
    found = kernels.ngrams(column.slice(0, len(column) // 4 + 1), distinct=True)
    distinct, rows = np.unique(found.hash, return_counts=True)
    rare = rng.permutation(distinct[rows <= max(5, int(rows.min()))])[: count // 10]
    others = rng.integers(0, 1 << 64, count, dtype=np.uint64)[: count - rare.size]
    return kernels.build_candidates(np.unique(np.concatenate([rare, others])))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--file", type=Path)
    parser.add_argument("--megabytes", type=int, default=32)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--twins", action="store_true", help="time the plain-Python twins too")
    options = parser.parse_args()
    rows = texts(options.file)
    column = column_of(rows, options.megabytes)
    _, data = kernels.text_buffers(column)
    size = data.size / 1e6
    once = "\n".join(rows).encode()
    packed = pa.compress(once, codec="zstd", asbytes=True)
    tables = reference_tables()
    few, many = some_candidates(column, 1000), some_candidates(column, 200_000)
    words_only = kernels.build_candidates(many.hashes[(many.hashes & np.uint64(7)) < np.uint64(5)])

    def count(candidates: kernels.CandidateSet) -> Callable[[pa.Array], object]:
        counts = np.zeros(len(candidates), np.uint32)
        return partial(kernels.count_candidates, candidates=candidates, counts=counts, placed=False)

    work: dict[str, Callable[[pa.Array], object]] = {
        "profile": lambda part: kernels.profile(part, tables),
        f"count {len(few):,} candidates": count(few),
        f"count {len(many):,} candidates": count(many),
        f"count {len(words_only):,} of words": count(words_only),
        "ngrams of the last 256 bytes": lambda part: kernels.ngrams(
            part, starts=np.maximum(np.diff(kernels.text_buffers(part)[0]) - 256, 0), placed=False
        ),
        "sentences": kernels.sentences,
        "fragments": kernels.fragments,
    }
    copy = seconds(lambda: data.copy(), options.runs)
    unpack = seconds(lambda: pa.decompress(packed, len(once), codec="zstd"), options.runs)
    unpack *= data.size / len(once)
    print(
        f"{len(column):,} rows, {size:.1f} MB; {kernels.implementation} kernels, pid {os.getpid()}"
    )
    print(f"{'':40} {'MB/s':>8} {'of zstd':>8} {'x twin':>8}")
    for name, taken in (("copy", copy), ("zstd, decompressing", unpack)):
        print(f"{name:40} {size / taken:8,.0f} {unpack / taken:8.2f}")
    small = column_of(rows[:40], 0)
    for name, run in work.items():
        taken = seconds(partial(run, column), options.runs)
        line = f"{name:40} {size / taken:8,.0f} {unpack / taken:8.2f}"
        if options.twins:
            chosen, kernels._run = kernels._run, kernels_py
            twin = seconds(partial(run, small), 1)
            kernels._run = chosen
            twin_speed = kernels.text_buffers(small)[1].size / 1e6 / twin
            line += f" {size / taken / twin_speed:8,.0f}"
        print(line)


if __name__ == "__main__":
    main()
