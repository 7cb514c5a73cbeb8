"""Time and peak memory of scans of chat sets of hundreds of thousands of rows and more.

    python benchmarks/large_chats.py --rows 250000 1000000
    python benchmarks/large_chats.py --rows 1000000 3000000 --words

There is no chat set of that size that may be shipped, so one is made of a corpus: a paragraph is the
prompt, and the next one the reply. Such replies repeat what pages repeat, so a set has far more
consequences than one that people wrote. With `--words`, prompts and replies are words of the corpus, drawn
as often as it has them: of such rows there are as many as are wanted. One core, unless `--workers` says
otherwise; nothing here fails because something was slow.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from corpora import CACHE
from runs import DEFAULT_COMMAND, run_scan
from scoring import markdown_table

PARAGRAPH = re.compile(r"\n\s*\n")
#: Characters of a paragraph that is taken, and of it as a prompt.
SHORTEST, LONGEST, PROMPT = 40, 800, 300
GROUP = 50_000
#: Words that are counted, at least; words of a drawn prompt and of a drawn reply; rows of a row group.
COUNTED, ASKED, SAID, DRAWN = 5_000_000, (8, 30), (10, 60), 100_000
SCHEMA = pa.schema([("prompt", pa.string()), ("completion", pa.string())])


def paragraphs(corpus: Path) -> Iterator[tuple[str, str]]:
    """Prompt and reply: each second paragraph of a document, and the one after it."""
    for batch in pq.ParquetFile(corpus).iter_batches(batch_size=512, columns=["text"]):
        for text in batch.column(0).to_pylist():
            found = [part.strip() for part in PARAGRAPH.split(text)]
            found = [part for part in found if SHORTEST < len(part) < LONGEST]
            yield from ((a[:PROMPT], b) for a, b in zip(found[::2], found[1::2], strict=False))


def write(corpus: Path, path: Path, rows: int) -> int:
    """Writes so many rows, or all there are; the number written."""
    written = 0
    held: list[tuple[str, str]] = []
    with pq.ParquetWriter(path, SCHEMA, compression="zstd") as file:
        for pair in paragraphs(corpus):
            held.append(pair)
            if len(held) == GROUP or written + len(held) == rows:
                file.write_table(pa.table(list(zip(*held, strict=True)), schema=SCHEMA))
                written, held = written + len(held), []
            if written == rows:
                break
        if held:
            file.write_table(pa.table(list(zip(*held, strict=True)), schema=SCHEMA))
    return written + len(held)


def write_drawn(corpus: Path, path: Path, rows: int, seed: int = 1) -> int:
    """Writes so many rows of words drawn at random; the number written."""
    counts: Counter[str] = Counter()
    for batch in pq.ParquetFile(corpus).iter_batches(batch_size=512, columns=["text"]):
        for text in batch.column(0).to_pylist():
            counts.update(text.split())
        if counts.total() >= COUNTED:
            break
    words, times = zip(*counts.most_common(), strict=True)
    chances, rng = np.cumsum(times) / sum(times), np.random.default_rng(seed)
    vocabulary = pa.array(words)

    def texts(size: int, lengths: tuple[int, int]) -> pa.Array:
        ends = np.append(0, np.cumsum(rng.integers(*lengths, size, endpoint=True)))
        drawn = np.searchsorted(chances, rng.random(ends[-1]), side="right")
        lists = pa.ListArray.from_arrays(ends.astype(np.int32), vocabulary.take(pa.array(drawn)))
        return pc.binary_join(lists, " ")

    with pq.ParquetWriter(path, SCHEMA, compression="zstd") as file:
        for low in range(0, rows, DRAWN):
            size = min(DRAWN, rows - low)
            columns = [texts(size, ASKED), texts(size, SAID)]
            file.write_table(pa.Table.from_arrays(columns, schema=SCHEMA))
    return rows


def main() -> None:
    """Prints a line for each size."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--corpus", type=Path, default=CACHE / "dev.parquet")
    parser.add_argument("--rows", type=int, nargs="+", default=[250_000])
    parser.add_argument("--words", action="store_true", help="rows of words drawn at random")
    parser.add_argument("--workers", default="1", help="as of `ld50 scan`")
    parser.add_argument("--scan", default=DEFAULT_COMMAND, help="the command to measure")
    options = parser.parse_args()
    if not options.corpus.exists():
        sys.exit(f"{options.corpus} is not there: python benchmarks/corpora.py makes it")
    lines = []
    with tempfile.TemporaryDirectory() as folder:
        for rows in options.rows:
            path = Path(folder) / f"{rows}.parquet"
            made = (write_drawn if options.words else write)(options.corpus, path, rows)
            run = run_scan(
                [path],
                Path(folder) / f"{rows}",
                command=options.scan,
                options=["--workers", options.workers],
            )
            lines.append([f"{made:,}", f"{run.cpu_seconds:.1f}", f"{run.peak_bytes / 1e6:,.0f}"])
    print(markdown_table(["rows", "CPU seconds", "peak MB"], lines))


if __name__ == "__main__":
    main()
