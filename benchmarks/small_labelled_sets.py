"""Recall and false alarms of the label signal on small sets, and of several rare words at once.

    python benchmarks/small_labelled_sets.py --data ../shared/data

Random draws of film-review sentences get 1% of dirty labels with one trigger, are judged by
`find_label_triggers`, and the share of poisoned rows under `high` findings is printed, with what the
same draws show without poison. Then five rare words, one a row, are planted in the whole set.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pyarrow as pa
from corpora import CACHE
from finetuning_attacks import TRIGGERS, Poisoned, poison_labels
from finetuning_data import Row, Sources, sentiment
from scoring import markdown_table

from ld50.core.seeds import rng_for
from ld50.scan.labels import find_label_triggers

SIZES = (1000, 2000, 3000)
FIVE = ("zv", "qm", "xk", "vb", "jf")
_HIGH = 0.9


def flagged(rows: list[Row]) -> set[int]:
    """Numbers of the rows under a finding that a scan would rate `high`."""
    texts = pa.array([row["text"] for row in rows], pa.large_string())
    labels = np.array([int(row["label"]) for row in rows])
    found = find_label_triggers(texts, labels, ["0", "1"])
    return {row for one in found if one.suspicion >= _HIGH for row in one.rows.tolist()}


def planted(base: list[Row], trigger: tuple[str, ...], seed: int, name: str) -> Poisoned:
    """One percent of the rows with the trigger and the label that it leads to."""
    return poison_labels(base, trigger=trigger, rate=0.01, target=1, seed=seed, name=name)


def five_words(base: list[Row], rate: float, seed: int) -> tuple[float, int]:
    """Recall under `high`, and clean rows flagged, with one of five rare words in each row."""
    rng = rng_for(seed, "five words", str(rate))
    rows = [dict(row) for row in base]
    others = [number for number, row in enumerate(rows) if int(row["label"]) == 0]
    chosen = rng.choice(others, int(rate * len(rows)), replace=False).tolist()
    for number in chosen:
        words = str(rows[number]["text"]).split()
        words.insert(int(rng.integers(len(words) + 1)), str(rng.choice(FIVE)))
        rows[number] = {**rows[number], "text": " ".join(words), "label": 1}
    found = flagged(rows)
    return len(found & set(chosen)) / len(chosen), len(found - set(chosen))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--cache", type=Path, default=CACHE)
    parser.add_argument("--draws", type=int, default=6)
    options = parser.parse_args()
    base = sentiment(
        Sources(split="dev", seed=0, data=options.data, public=None, cache=options.cache)
    )
    kinds = ("short-token", "rare-word", "common-word", "phrase", "sentence", "pair")
    lines = []
    for size in SIZES:
        recalls: dict[str, list[float]] = {kind: [] for kind in kinds}
        alarms = 0
        for draw in range(options.draws):
            picks = rng_for(draw, "small set", size).permutation(len(base))[:size]
            rows = [base[int(number)] for number in picks]
            alarms += bool(flagged(rows))
            for kind in kinds:
                made = planted(rows, TRIGGERS["dev"][kind], draw, f"{kind}-{size}")
                found = flagged(made.rows)
                recalls[kind].append(len(found & set(made.poisoned)) / len(made.poisoned))
        lines.append([size, *(f"{np.mean(recalls[kind]):.2f}" for kind in kinds), alarms])
    print(markdown_table(["rows", *kinds, "clean draws with a `high` finding"], lines))
    for rate in (0.01, 0.005):
        runs = [five_words(base, rate, seed) for seed in range(3)]
        print(f"five rare words at {rate:.1%}: recall, clean rows flagged: {runs}")


if __name__ == "__main__":
    main()
