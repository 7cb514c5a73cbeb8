"""Builds `scan/channels/forms.npz`: which patterns of kinds of characters ordinary documents repeat.

    python tools/build_forms.py FILE...

Each file is Parquet or JSONL with a column `text`, or plain text with one document between blank lines.
A pattern is usual if at least two documents, and one in 20,000, repeat it eight times. What was used:
the development split of `benchmarks/corpora.py` (documentation, program sources, several languages).
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from ld50.scan.channels.forms import OFTEN, PATTERNS, patterns

_TABLE = Path(__file__).parents[1] / "src/ld50/scan/channels/forms.npz"
_MOST_BYTES, _PART = 1 << 16, 2000


def texts(path: Path) -> Iterator[str]:
    """The documents of a file, long ones in parts of some thousand characters."""
    if path.suffix == ".parquet":
        for batch in pq.ParquetFile(path).iter_batches(columns=["text"], batch_size=2000):
            yield from batch.column(0).to_pylist()
    elif path.suffix == ".jsonl":
        for line in path.open(encoding="utf-8"):
            row = json.loads(line)
            yield from (value for value in row.values() if isinstance(value, str))
    else:
        yield from path.read_text(encoding="utf-8", errors="replace").split("\n\n")


def main() -> None:
    documents = np.zeros(PATTERNS, dtype=np.int64)
    total = 0
    for name in sys.argv[1:]:
        for text in texts(Path(name)):
            data = np.frombuffer(text.encode("utf-8", "replace")[:_MOST_BYTES], np.uint8)
            for start in range(0, len(data) - 3, _PART):
                part = data[start : start + _PART]
                if len(part) < 4:
                    continue
                total += 1
                counts = np.bincount(patterns(part), minlength=PATTERNS)
                documents[counts >= OFTEN] += 1
    usual = documents >= max(2, total / 20_000)
    np.savez_compressed(_TABLE, usual=np.packbits(usual))
    print(f"{total:,} parts, {int(usual.sum()):,} of {PATTERNS:,} patterns are usual")


if __name__ == "__main__":
    main()
