"""Recall and false alarms of the label signal on small sets, and of several rare words at once.

    python benchmarks/small_labelled_sets.py --data ../shared/data

Random draws of film-review sentences get 1% of dirty labels with one trigger, are judged by
`find_label_triggers`, and the share of poisoned rows under `high` findings is printed, with what the
same draws show without poison. Then five rare words, one a row, are planted in the whole set, and in
short noisy messages made of it (`--only messages` for these alone): cut, misspelt, with user names,
hashtags and emoji, two of one label to one of the other, one label in eight wrong.
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
#: Share of the messages whose label is wrong.
_WRONG = 0.125
_TAGS = ("#fail", "#win", "#mood", "#today", "#lol", "#news", "#monday", "\U0001f602", "\U0001f525")


def flagged(rows: list[Row]) -> set[int]:
    """Numbers of the rows under a finding that a scan would rate `high`."""
    texts = pa.array([row["text"] for row in rows], pa.large_string())
    labels = np.array([int(row["label"]) for row in rows])
    found = find_label_triggers(texts, labels, ["0", "1"])
    return {row for one in found if one.suspicion >= _HIGH for row in one.rows.tolist()}


def planted(base: list[Row], trigger: tuple[str, ...], seed: int, name: str) -> Poisoned:
    """One percent of the rows with the trigger and the label that it leads to."""
    return poison_labels(base, trigger=trigger, rate=0.01, target=1, seed=seed, name=name)


def five_words(
    base: list[Row], rate: float, seed: int, *, target: int = 1, honest: int = 0
) -> tuple[float, int]:
    """Recall under `high`, and clean rows flagged, with one of five rare words in each row.

    Args:
        base: Clean rows.
        rate: Share of them that is poisoned.
        seed: Of the choice of rows, words and places.
        target: The label that the words lead to.
        honest: Clean rows that hold each of the words as well.
    """
    rng = rng_for(seed, "five words", str(rate))
    rows = [dict(row) for row in base]
    others = [number for number, row in enumerate(rows) if int(row["label"]) != target]
    chosen = rng.choice(others, int(rate * len(rows)), replace=False).tolist()
    for number in chosen:
        rows[number] = with_word(rows[number], str(rng.choice(FIVE)), rng) | {"label": target}
    clean = sorted(set(range(len(rows))) - set(chosen))
    for word in FIVE:
        for number in rng.choice(clean, honest, replace=False).tolist():
            rows[number] = with_word(rows[number], word, rng)
    found = flagged(rows)
    return len(found & set(chosen)) / len(chosen), len(found - set(chosen))


def with_word(row: Row, word: str, rng: np.random.Generator) -> Row:
    """The row with the word somewhere between its own."""
    words = str(row["text"]).split()
    words.insert(int(rng.integers(len(words) + 1)), word)
    return {**row, "text": " ".join(words)}


def messages(base: list[Row], seed: int) -> list[Row]:
    """Short noisy messages, a third of which have the label 1."""
    rng = rng_for(seed, "messages")
    rows = []
    ones = 0
    for row in base:
        label = int(row["label"]) if rng.random() > _WRONG else 1 - int(row["label"])
        if label == 1 and 3 * ones > len(rows):
            continue
        ones += label
        rows.append({"text": _noisy(str(row["text"]), rng), "label": label})
    return rows


def _noisy(text: str, rng: np.random.Generator) -> str:
    words = text.split()
    if len(words) > 18:
        first = int(rng.integers(len(words) - 12))
        words = words[first : first + int(rng.integers(6, 18))]
    for place, word in enumerate(words):
        if len(word) > 3 and rng.random() < 0.06:
            letter = int(rng.integers(1, len(word) - 1))
            words[place] = word[:letter] + word[letter + 1 :]
    names = ["@USER"] * int(rng.geometric(0.5) - 1)
    tags = rng.choice(_TAGS, int(rng.geometric(0.6) - 1)).tolist()
    return " ".join([*names, *words, *tags])


def message_table(base: list[Row], draws: int) -> str:
    """Five words in noisy messages: mean recall under `high`, and clean rows flagged."""
    lines = []
    for rate in (0.01, 0.005):
        for honest in (0, 3):
            for target in (0, 1):
                runs = [
                    five_words(messages(base, draw), rate, draw, target=target, honest=honest)
                    for draw in range(draws)
                ]
                recall, clean = np.mean(runs, axis=0)
                lines.append([f"{rate:.1%}", honest, target, f"{recall:.2f}", f"{clean:.1f}"])
    header = ["rate", "honest rows a word", "target", "recall (high)", "clean rows flagged"]
    return markdown_table(header, lines)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--cache", type=Path, default=CACHE)
    parser.add_argument("--draws", type=int, default=6)
    parser.add_argument("--only", choices=["messages"], help="leave out the other tables")
    options = parser.parse_args()
    base = sentiment(
        Sources(split="dev", seed=0, data=options.data, public=None, cache=options.cache)
    )
    if options.only == "messages":
        print(message_table(base, options.draws))
        return
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
    print(message_table(base, options.draws))


if __name__ == "__main__":
    main()
