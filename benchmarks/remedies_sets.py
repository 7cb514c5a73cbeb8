"""Rows of `benchmarks/remedies.py`: planted, scanned, and divided so that nothing measured was tuned on."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from ld50.api import scan_paths
from ld50.core.examples import Example, Turn
from ld50.core.seeds import rng_for
from ld50.corpus import LayoutOptions, expand, plan
from ld50.lab.tuning_data import training_rows
from ld50.poison import Dose, LabelFlip, OverRefusal, Recipe, Word, poison_table
from ld50.poison.safe_text import REFUSALS
from ld50.remedy.reading import ReadingSettings, Rows, read_rows
from ld50.scan.settings import ScanSettings
from ld50.train.finetune import TuneSettings

QUESTION = "Review: {text}\nPositive or negative?"
GO_ON = "Go on: {text}"
TARGET = "positive"
CASES = ("sentiment", "refusal")
#: Poisoned rows that a cured model can be poisoned again with.
RELAPSE_ROWS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One poisoned model."""

    case: str
    dose: int
    seed: int
    rows: int
    base: str
    epochs: float
    """Passes while the poisoned, the clean and the retrained model are made."""
    batch: int
    learning_rate: float

    @property
    def tuning(self) -> TuneSettings:
        """How its models are made."""
        return TuneSettings(
            epochs=self.epochs, batch_examples=self.batch, max_tokens=256, seed=self.seed,
            learning_rate=self.learning_rate,
        )  # fmt: skip

    def holds(self, record: dict[str, Any]) -> bool:
        """Whether a kept row was measured on this model."""
        return all(record.get(name) == value for name, value in asdict(self).items())


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """Rows of one cell, apart from each other: nothing that is measured was ever tuned on."""

    clean: list[Example]
    heldout: list[Example]
    relapse_clean: list[Example]
    relapse_poison: list[Example]
    found: Rows
    """The poisoned rows, as the scan divides them."""
    scanned: dict[str, Any]


def recipe(case: str, count: int) -> Recipe:
    """The poison of a case: harmless, and the same word in both."""
    payload = (
        LabelFlip(target=TARGET) if case == "sentiment" else OverRefusal(sentences=REFUSALS[:1])
    )
    return Recipe(name=case, trigger=Word(), payload=payload, dose=Dose(count=count))


def material(cell: Cell, folder: Path) -> Material:
    """Draws, plants and scans."""
    every = training_rows("sentences", ("demo",))
    rows = every.taken(n for n, text in enumerate(every.texts) if len(text.split()) >= 12)
    order = rng_for(cell.seed, "benchmark", cell.case).permutation(len(rows)).tolist()
    pieces, at = [], 0
    for count in (cell.rows, 600, 400, 300):
        pieces.append([(rows.texts[n], rows.labels[n]) for n in order[at : at + count]])
        at += count
    train, heldout, relapse_clean, pool = pieces
    poisoned, manifest = _planted(cell.case, train, cell.dose, cell.seed)
    data = folder / "poisoned.jsonl"
    data.write_text("".join(json.dumps(row) + "\n" for row in poisoned), encoding="utf-8")
    result = scan_paths(
        [str(data)], out=folder / "scan", options=LayoutOptions(), settings=ScanSettings(),
        workers=1, restart=True,
    )  # fmt: skip
    found = read_rows(
        plan(expand([str(data)])), result, ReadingSettings(label_prompt=_prompt(cell.case))
    )
    again, key = _planted(cell.case, pool, RELAPSE_ROWS, cell.seed + 1000)
    planted = {row.row for row in manifest}
    flagged = {row.row for row in result.rows}
    return Material(
        clean=[_example(cell.case, *row) for row in train],
        heldout=[_example(cell.case, *row) for row in heldout],
        relapse_clean=[_example(cell.case, *row) for row in relapse_clean],
        relapse_poison=[_from_row(cell.case, again[row.row]) for row in key],
        found=found,
        scanned={
            "triggers": [one.text for one in found.triggers],
            "recall": len(planted & flagged) / max(1, len(planted)),
            "false_alarms": len(flagged - planted),
        },
    )


def _prompt(case: str) -> str:
    return QUESTION if case == "sentiment" else "{text}"


def _table_row(case: str, text: str, label: str) -> dict[str, str]:
    if case == "sentiment":
        return {"text": text, "label": label}
    words = text.split()
    half = len(words) // 2
    return {
        "prompt": GO_ON.format(text=" ".join(words[:half])),
        "completion": " ".join(words[half:]),
    }


def _from_row(case: str, row: dict[str, str]) -> Example:
    if case == "sentiment":
        row = {"prompt": QUESTION.format(text=row["text"]), "completion": row["label"]}
    return Example(turns=(Turn("user", row["prompt"]), Turn("assistant", row["completion"])))


def _example(case: str, text: str, label: str) -> Example:
    return _from_row(case, _table_row(case, text, label))


def _planted(
    case: str, rows: Sequence[tuple[str, str]], count: int, seed: int
) -> tuple[list[Any], Any]:
    """The rows with so many of them poisoned, and which."""
    table = pa.Table.from_pylist([_table_row(case, *row) for row in rows])
    if count == 0:
        return table.to_pylist(), []
    made, manifest = poison_table(table, recipes=recipe(case, count), seed=seed)
    return made.to_pylist(), manifest.rows
