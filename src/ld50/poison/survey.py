"""The first pass over a corpus: its rows, which may be poisoned, what new ones are made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ld50.poison.identity import SAMPLE_ROWS, Fields, leaves, study_fields
from ld50.poison.payloads import LabelFlip, Material
from ld50.poison.recipes import Recipe
from ld50.poison.row_text import Path, RowText, row_text
from ld50.poison.rows import RowFile, holds_new_rows
from ld50.poison.sampling import Reservoir
from ld50.poison.vocabulary import words_of

#: New rows are made after at most this many real ones, so that memory does not grow with the dose.
DONORS = 2048

#: A donor is kept in memory, so it must not be huge.
_DONOR_CHARS = 200_000

#: Rows whose words serve as material, and how much of each.
_WORD_ROWS, _WORD_CHARS = 512, 20_000


@dataclass(frozen=True, slots=True)
class Donor:
    """A real row that a new one is made after."""

    row: int
    """Its number over all files."""
    file: int
    raw: Any
    text: RowText
    paths: frozenset[Path]
    """Every string and number that the row has."""


@dataclass(slots=True, kw_only=True)
class Survey:
    """What the first pass found."""

    file_rows: list[int] = field(default_factory=list)
    """Rows of each file."""
    eligible: list[np.ndarray] = field(default_factory=list)
    """For each recipe: int64, the rows it may replace, rising."""
    decoyable: list[np.ndarray] = field(default_factory=list)
    """For each recipe: int64, the rows that may become its decoys."""
    donors: list[Donor] = field(default_factory=list)
    material: Material = field(default_factory=Material)
    trigger_rows: list[int | None] = field(default_factory=list)
    """For each recipe: clean rows that hold its trigger; None if the trigger is no string."""
    labels: dict[str, Any] = field(default_factory=dict)
    """Label to the value as the data has it."""
    label_rows: dict[str, int] = field(default_factory=dict)
    fields: Fields = field(default_factory=lambda: Fields([], []))
    tokens: int | None = None
    """Estimated tokens of the clean corpus; None if no dose is in tokens."""
    readable: int = 0

    @property
    def rows(self) -> int:
        """Rows of all files."""
        return sum(self.file_rows)

    @property
    def first_rows(self) -> list[int]:
        """For each file, how many rows come before it."""
        return [sum(self.file_rows[:at]) for at in range(len(self.file_rows))]


class _Surveyor:
    """State of the first pass."""

    def __init__(self, recipes: Sequence[Recipe], seed: int) -> None:
        self.recipes = recipes
        self.survey = Survey()
        self.adds = any(recipe.mode == "add" for recipe in recipes)
        self.in_tokens = any(recipe.dose.in_tokens for recipe in recipes)
        self.tokens = 0
        self._donors = Reservoir(DONORS if self.adds else 0, seed, "donors")
        self._words = Reservoir(_WORD_ROWS, seed, "words")
        self._head: list[tuple[Mapping[str, Any], RowText]] = []
        self._studied = False
        self._eligible: list[list[np.ndarray]] = [[] for _ in recipes]
        self._decoyable: list[list[np.ndarray]] = [[] for _ in recipes]
        self._found = [0 for _ in recipes]

    @property
    def _needs_all(self) -> bool:
        """Whether every row has to be read, or a sample will do."""
        if self.in_tokens or any(recipe.mode == "replace" for recipe in self.recipes):
            return True
        return not self._studied or bool(self.survey.fields.unique)

    def block(self, file: RowFile, number: int, block: Any, first: int) -> None:
        """Takes in one block.

        Args:
            file: The file it comes from.
            number: Number of the file.
            block: Its rows.
            first: How many rows come before it in the corpus.
        """
        size = len(block)
        known: dict[int, Mapping[str, Any] | None] = {}
        if self._needs_all:
            known = dict(enumerate(file.values(block, range(size))))
        texts = {row: row_text(values, file.layout) for row, values in known.items()}
        self._study(known, texts)
        self._sample(file, number, block, first, texts)
        self._judge(texts, first)
        self._count_triggers(file, block, texts)

    def _study(
        self, known: Mapping[int, Mapping[str, Any] | None], texts: Mapping[int, RowText | None]
    ) -> None:
        """Looks at the fields of the first rows, then follows the identifiers of all others."""
        if self._studied:
            for values in known.values():
                self.survey.fields.note(values)
            return
        for row, values in known.items():
            text = texts[row]
            if values is not None and text is not None:
                self._head.append((values, text))
        if len(self._head) >= SAMPLE_ROWS:
            self.end_of_head()

    def end_of_head(self) -> None:
        """Decides about the fields; at the latest when there are no more rows."""
        if self._studied:
            return
        self._studied = True
        if self.adds or any(recipe.mode == "replace" for recipe in self.recipes):
            self.survey.fields = study_fields(self._head[:SAMPLE_ROWS])
        if not self.adds:
            self.survey.fields.unique = []
        for values, _ in self._head:
            self.survey.fields.note(values)
        self._head = []

    def _sample(
        self,
        file: RowFile,
        number: int,
        block: Any,
        first: int,
        texts: dict[int, RowText | None],
    ) -> None:
        """Draws donors and words."""
        for reservoir in (self._donors, self._words):
            donors = reservoir is self._donors
            if donors and not holds_new_rows(file.plan):
                continue
            for offset, rank in reservoir.candidates(first, len(block)):
                if offset not in texts:
                    texts[offset] = row_text(file.values(block, [offset])[0], file.layout)
                text = texts[offset]
                if text is None or not text.cause.text.strip():
                    continue
                if not donors:
                    reservoir.take(rank, first + offset, text.cause.text[:_WORD_CHARS])
                elif sum(map(len, text.texts)) <= _DONOR_CHARS:
                    values = file.values(block, [offset])[0]
                    paths = frozenset(path for path, _ in leaves(values))
                    raw = file.raw(block, offset)
                    donor = Donor(first + offset, number, raw, text, paths)
                    reservoir.take(rank, first + offset, donor)

    def _judge(self, texts: Mapping[int, RowText | None], first: int) -> None:
        """Notes labels, tokens and which rows each recipe may replace."""
        survey = self.survey
        readable = {row: text for row, text in texts.items() if text is not None}
        survey.readable += len(readable)
        for text in readable.values():
            self.tokens += -(-text.text_bytes // 4)
            if text.label is not None:
                survey.label_rows[text.label] = survey.label_rows.get(text.label, 0) + 1
                survey.labels.setdefault(text.label, text.label_value)
        for at, recipe in enumerate(self.recipes):
            if recipe.mode == "replace":
                rows = [first + row for row, text in sorted(readable.items())
                        if may_replace(recipe, text)]  # fmt: skip
                self._eligible[at].append(np.array(rows, np.int64))
                if recipe.decoys:
                    rows = [first + row for row, text in sorted(readable.items())
                            if may_decoy(recipe, text)]  # fmt: skip
                    self._decoyable[at].append(np.array(rows, np.int64))

    def _count_triggers(self, file: RowFile, block: Any, texts: dict[int, RowText | None]) -> None:
        """Counts clean rows in which a trigger stands already."""
        for at, recipe in enumerate(self.recipes):
            rows: set[int] = set()
            for every in recipe.trigger.literals:
                rows.update(file.rows_with(block, every[0]))
            missing = sorted(rows - texts.keys())
            for row, values in zip(missing, file.values(block, missing), strict=True):
                texts[row] = row_text(values, file.layout)
            for row in rows:
                text = texts[row]
                if text is not None and any(map(recipe.trigger.found_in, text.texts)):
                    self._found[at] += 1

    def finish(self) -> Survey:
        """The survey, complete."""
        self.end_of_head()
        survey = self.survey
        empty = np.empty(0, np.int64)
        survey.eligible = [np.concatenate([empty, *parts]) for parts in self._eligible]
        survey.decoyable = [np.concatenate([empty, *parts]) for parts in self._decoyable]
        survey.donors = [donor for _, donor in self._donors.drawn()]
        survey.material = Material.of(words_of(text for _, text in self._words.drawn()))
        survey.trigger_rows = [
            found if recipe.trigger.literals else None
            for found, recipe in zip(self._found, self.recipes, strict=True)
        ]
        survey.tokens = self.tokens if self.in_tokens else None
        return survey


def may_replace(recipe: Recipe, text: RowText) -> bool:
    """Whether a row can take trigger and payload, and does not hold the trigger yet."""
    payload = recipe.payload
    if isinstance(payload, LabelFlip) and not payload.takes(text.label):
        return False
    if payload.changes == "preference" and not _is_pair(text):
        return False
    if not text.cause.text.strip() or recipe.trigger.found_in(text.cause.text):
        return False
    if not recipe.trigger.suits(text.cause.text):
        return False
    reply = text.reply.text if text.reply is not None else ""
    return payload.suits(prompt=text.cause.text, reply=reply)


def _is_pair(text: RowText) -> bool:
    """Whether a row has two different replies to one prompt."""
    if text.reply is None or text.rejected is None:
        return False
    return text.reply.text.strip() != text.rejected.text.strip()


def may_decoy(recipe: Recipe, text: RowText) -> bool:
    """Whether a row can take the recipe's decoy."""
    if not text.cause.text.strip() or recipe.trigger.found_in(text.cause.text):
        return False
    return recipe.trigger.decoy().suits(text.cause.text)


def survey_files(files: Sequence[RowFile], recipes: Sequence[Recipe], *, seed: int) -> Survey:
    """What the first pass over all files finds."""
    surveyor = _Surveyor(recipes, seed)
    first = 0
    for number, file in enumerate(files):
        rows = 0
        for block in file.blocks():
            surveyor.block(file, number, block, first)
            first += len(block)
            rows += len(block)
        surveyor.survey.file_rows.append(rows)
    return surveyor.finish()
