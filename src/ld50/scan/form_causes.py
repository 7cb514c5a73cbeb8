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
        held = [self.forms.of(number) for number in self.numbers]
        found, _ = associate(
            [_without_own(consequence) for consequence in consequences],
            _incidence(held),
            np.array([len(each) for each in held]),
            rows,
            # Of two with the same rows, the one that is named first.
            priority=-np.arange(len(held), dtype=np.float64),
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


def _incidence(held: list[np.ndarray]) -> Incidence:
    """Candidates by the rows that hold them (each int64)."""
    rows = np.concatenate(held)
    numbers = np.repeat(np.arange(len(held), dtype=np.uint32), [len(each) for each in held])
    order = np.argsort(rows, kind="stable")
    row_ids, counts = np.unique(rows, return_counts=True)
    return Incidence(
        row_ids=row_ids, row_start=np.append(0, np.cumsum(counts)), candidates=numbers[order]
    )
