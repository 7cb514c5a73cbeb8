"""Forms of prompts as causes: counted over all rows, and tested as n-grams are, but apart from them.

A trigger may be seen as a phrase and as a form: prompts that end in a word have lost their mark. Both are
found then, and looked at, and the finding is told of the one that says more.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ld50.scan.associate import (
    Association,
    AssociationSettings,
    Consequence,
    Incidence,
    associate,
)
from ld50.scan.forms import FORMS
from ld50.scan.judge import DECIDES
from ld50.scan.prompt_forms import PromptForms

#: Rows whose forms are looked at together: what is noted of all would be many times what is kept.
_BLOCK = 1 << 16


@dataclass(frozen=True, slots=True, kw_only=True)
class FormCandidates:
    """The forms that enough prompts of a corpus have; as candidates they come after all n-grams."""

    forms: PromptForms
    numbers: list[int]
    """Of the forms, in their order as candidates."""
    first: int
    """Number of the first of them as a candidate."""

    @classmethod
    def of(cls, forms: PromptForms, first: int, least: int) -> FormCandidates:
        """Those that at least so many prompts have."""
        return cls(forms=forms, numbers=forms.numbers(least), first=first)

    def form_of(self, candidate: int) -> int | None:
        """The number of the form that a candidate is; None if it is an n-gram."""
        place = candidate - self.first
        return self.numbers[place] if place >= 0 else None

    def associations(
        self,
        consequences: list[Consequence],
        rows: int,
        tests: int,
        settings: AssociationSettings,
    ) -> list[Association]:
        """Those that go with a consequence, and decide it.

        Args:
            consequences: With their rows.
            rows: Of the corpus.
            tests: All tests of the run, these among them, for the correction.
            settings: Bounds.
        """
        if not self.numbers:
            return []
        shown = [_without_own(consequence) for consequence in consequences]
        wanted = np.zeros(rows, dtype=bool)
        for consequence in shown:
            wanted[consequence.rows] = True
        found, _ = associate(
            shown,
            *_incidence(self.forms, self.numbers, wanted),
            rows,
            # Of two with the same rows, the one that is named first.
            priority=-np.arange(len(self.numbers), dtype=np.float64),
            untested=tests,
            settings=replace(settings, min_effect=DECIDES),
        )
        return [replace(one, candidate=one.candidate + self.first) for one in found]


def _without_own(consequence: Consequence) -> Consequence:
    """All rows of a consequence, for forms are known of all; none of what a word put together: it is its."""
    rows = consequence.rows if consequence.own_chance is None else consequence.rows[:0]
    return replace(consequence, rows=rows, listed=None)


def most_tests(consequences: list[Consequence]) -> int:
    """A bound on the tests of forms."""
    return len(FORMS) * len(consequences)


def _incidence(
    forms: PromptForms, numbers: list[int], wanted: np.ndarray
) -> tuple[Incidence, np.ndarray]:
    """The forms of these numbers as candidates, in their order.

    Args:
        forms: Of all prompts.
        numbers: At least one.
        wanted: bool (rows of the corpus,): those in which it is noted which forms they have.

    Returns:
        Which of the wanted rows have which forms; and int64 (numbers,), rows of the corpus that have each.
    """
    row_ids, held, candidates = [], [], []
    every = np.zeros(len(numbers), dtype=np.int64)
    for part in forms.parts(_BLOCK):
        has = np.column_stack([part.has(number) for number in numbers])
        every += np.count_nonzero(has, axis=0)
        has &= wanted[part.rows][:, None]
        own = np.count_nonzero(has, axis=1)
        row_ids.append(part.rows[own > 0])
        held.append(own[own > 0])
        candidates.append(np.nonzero(has)[1].astype(np.uint32))
    incidence = Incidence(
        row_ids=np.concatenate(row_ids),
        row_start=np.append(0, np.cumsum(np.concatenate(held))),
        candidates=np.concatenate(candidates),
    )
    return incidence, every
