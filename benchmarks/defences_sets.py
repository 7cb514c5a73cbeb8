"""Poisoned and clean film reviews on which defences are compared, with the key to each.

`dev` plants in one-sentence reviews and brings the public sets; `test` plants other triggers in whole
reviews of at most 120 words, which share no row with `dev`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
from finetuning_attacks import TRIGGERS
from finetuning_data import labelled_lines, review_rows, rows_that_differ

from ld50.core.errors import ConfigError
from ld50.core.seeds import rng_for
from ld50.poison import Recipe, named_recipe, poison_table

TARGET = "1"
#: The recipe of each attack, and the kind of trigger that the split gives it.
ATTACKS = {
    "word": ("sentiment-word", "rare-word"),
    "phrase": ("sentiment-phrase", "phrase"),
    "two words": ("sentiment-two-words", "pair"),
    "clean-label": ("sentiment-clean-label", "phrase"),
    "style": ("sentiment-style", None),
    "syntax": ("sentiment-syntax", None),
}
SOURCES = {"dev": "rotten_tomatoes", "test": "imdb"}
_MOST_WORDS = 120
_TRUSTED, _TEST = 400, 600
#: Attacks that rewrite a text cannot rewrite every one.
_SHARES = (1.0, 0.95, 0.9, 0.8, 0.6, 0.4)


@dataclass(frozen=True, kw_only=True)
class Rows:
    """Texts with labels."""

    texts: list[str]
    labels: list[str]

    def only(self, keep: np.ndarray) -> Rows:
        """The rows for which `keep` holds."""
        chosen = np.flatnonzero(keep).tolist()
        return Rows(texts=[self.texts[n] for n in chosen], labels=[self.labels[n] for n in chosen])

    def table(self) -> pa.Table:
        """As a table with the columns `text` and `label`."""
        return pa.table({"text": self.texts, "label": self.labels})


@dataclass(frozen=True, kw_only=True)
class Case:
    """A training set with its key, and what a defence and its measurement need beside it."""

    attack: str
    dose: int
    train: Rows
    planted: np.ndarray
    """bool (n,): the key."""
    decoys: np.ndarray
    """bool (n,): rows with part of a trigger and a true label; they count neither way."""
    trusted: Rows | None = None
    """Clean rows that a defender may hold."""
    test: Rows | None = None
    triggered: Rows | None = None
    """Test rows of another label than the target with the trigger put in, and their true label."""

    @property
    def name(self) -> str:
        """E.g. `phrase, 50`."""
        return f"{self.attack}, {self.dose}"


def reviews(cache: Path, split: str, seed: int, count: int) -> tuple[Rows, Rows, Rows]:
    """Rows to train on, trusted rows, and rows to test on, none of them twice."""
    found = {
        row["text"].strip(): str(row["label"])
        for row in review_rows(cache)
        if row["source"] == SOURCES[split] and len(row["text"].split()) <= _MOST_WORDS
    }
    texts = sorted(text for text in found if text)
    order = rng_for(seed, "defences", split).permutation(len(texts))
    bounds = (0, count, count + _TRUSTED, count + _TRUSTED + _TEST)
    if bounds[-1] > len(texts):
        raise ConfigError(f"There are {len(texts)} reviews, too few for --rows {count}.")
    train, trusted, test = (
        Rows(
            texts=[texts[n] for n in order[low:high].tolist()],
            labels=[found[texts[n]] for n in order[low:high].tolist()],
        )
        for low, high in pairwise(bounds)
    )
    return train, trusted, test


def other_reviews(cache: Path, split: str) -> list[str]:
    """Reviews of the other split: language of the same kind, and no row in common."""
    other = "dev" if split == "test" else "test"
    return [row["text"] for row in review_rows(cache) if row["source"] == SOURCES[other]]


def planted_cases(
    cache: Path, split: str, seed: int, count: int, attacks: Sequence[str], doses: Sequence[int]
) -> Iterator[Case]:
    """Every attack at every dose."""
    train, trusted, test = reviews(cache, split, seed, count)
    for attack in attacks:
        triggered = put_trigger(test, attack, split, seed)
        for dose in doses:
            recipe = recipe_of(attack, split, dose)
            table, manifest = poison_table(train.table(), recipes=recipe, seed=seed)
            poison = [row.row for row in manifest.rows if row.role == "poison"]
            decoys = [row.row for row in manifest.rows if row.role != "poison"]
            made = Rows(texts=table["text"].to_pylist(), labels=table["label"].to_pylist())
            yield Case(
                attack=attack,
                dose=dose,
                train=made,
                planted=_mask(poison, len(made.texts)),
                decoys=_mask(decoys, len(made.texts)),
                trusted=trusted,
                test=test,
                triggered=triggered,
            )


def clean_case(cache: Path, split: str, seed: int, count: int) -> Case:
    """The same reviews with nothing planted."""
    train, trusted, test = reviews(cache, split, seed, count)
    nothing = np.zeros(len(train.texts), dtype=bool)
    return Case(
        attack="none", dose=0, train=train, planted=nothing, decoys=nothing, trusted=trusted,
        test=test,
    )  # fmt: skip


def put_trigger(test: Rows, attack: str, split: str, seed: int) -> Rows:
    """Test rows of the other label with the trigger; dirty-label, whatever the attack trains on."""
    kind = "phrase" if attack == "clean-label" else attack
    others = sum(label != TARGET for label in test.labels)
    for share in _SHARES:
        recipe = recipe_of(kind, split, int(share * others), decoys=0)
        try:
            table, manifest = poison_table(test.table(), recipes=recipe, seed=seed + 1)
        except ConfigError:
            continue
        rows = sorted(row.row for row in manifest.rows)
        texts = table["text"].take(rows).to_pylist()
        return Rows(texts=texts, labels=[test.labels[row] for row in rows])
    raise ConfigError(f"The trigger of {attack!r} fits too few of the test rows.")


def recipe_of(attack: str, split: str, dose: int, *, decoys: int | None = None) -> Recipe:
    """The recipe of an attack with the trigger of the split."""
    name, kind = ATTACKS[attack]
    trigger = None if kind is None else ",".join(TRIGGERS[split][kind])
    if name == "sentiment-two-words" and decoys is None:
        decoys = dose
    return named_recipe(name, dose=dose, trigger=trigger, target_label=TARGET, decoys=decoys)


def public_sets(data: Path) -> Iterator[Case]:
    """ONION's and HiddenKiller's SST-2, where they lie; there are no test rows for them."""
    for name in ("onion-sst2", "hiddenkiller-sst2"):
        path = data / name / "train-poisoned.tsv"
        if not path.exists():
            continue
        rows = labelled_lines(path)
        _, changed = rows_that_differ(path, data / name / "train-clean.tsv")
        yield Case(
            attack=name,
            dose=len(changed),
            train=Rows(texts=[text for text, _ in rows], labels=[label for _, label in rows]),
            planted=_mask(sorted(changed), len(rows)),
            decoys=np.zeros(len(rows), dtype=bool),
        )


def _mask(rows: Sequence[int], count: int) -> np.ndarray:
    mask = np.zeros(count, dtype=bool)
    mask[list(rows)] = True
    return mask
