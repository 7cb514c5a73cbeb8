"""What one kind of test came to, beside the search for causes: of labels, preferences, channels and so on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import chain

from ld50.core.results import DetectionLimit
from ld50.scan.assemble import Draft


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Findings, and what is to be said of the tests that were made; nothing where none was."""

    drafts: list[Draft] = field(default_factory=list)
    tests: int = 0
    limits: list[DetectionLimit] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @classmethod
    def of_all(cls, outcomes: Iterable[Outcome]) -> Outcome:
        """All of them together, in their order."""
        every = list(outcomes)
        return cls(
            drafts=list(chain.from_iterable(one.drafts for one in every)),
            tests=sum(one.tests for one in every),
            limits=list(chain.from_iterable(one.limits for one in every)),
            notes=list(chain.from_iterable(one.notes for one in every)),
        )
