"""From a finding to what is looked for in a model: the trigger, and the behaviour that it calls forth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ld50.core.examples import Example, Turn
from ld50.core.findings import Finding
from ld50.core.remedies import TriggerSummary
from ld50.remedy.found_triggers import FoundTrigger
from ld50.remedy.judging import behaviour_of
from ld50.remedy.reading import Rows

if TYPE_CHECKING:
    from ld50.measure.behaviours import Behaviour

#: Characters of a token, fewer than most vocabularies have.
_TOKEN_CHARACTERS = 3
#: Kept rows that a behaviour is told from.
_MOST_COMPARED = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A finding, as it is looked for in a model."""

    finding: str
    trigger: FoundTrigger | None
    """None where the cause is no text; then the flagged rows' own prompts are asked."""
    behaviour: Behaviour | None
    """None where the consequence cannot be judged."""
    rows: tuple[Example, ...] = field(repr=False)
    summary: TriggerSummary

    @property
    def measured(self) -> bool:
        """Whether it can be looked for."""
        return self.behaviour is not None

    def shown(self, prompt: Sequence[Turn], reply: str) -> bool:
        """Whether a reply shows the behaviour."""
        return self.behaviour is not None and self.behaviour.shown(prompt, reply)


def targets_of(rows: Rows, *, new_tokens: int | None = None) -> list[Target]:
    """What to look for, a target for each finding whose rows were taken out.

    Args:
        rows: The data, divided.
        new_tokens: Tokens of the replies that will be judged: a rule must fit the start of the rows'
            replies, about as long; None judges whole ones.
    """
    triggers = {one.finding: one for one in rows.triggers}
    most = None if new_tokens is None else _TOKEN_CHARACTERS * new_tokens
    return [_target(one, triggers.get(one.id), rows, most) for one in rows.findings]


def _begun(rows: Sequence[Example], most: int | None) -> list[Example]:
    """The rows with replies of so many characters at most."""
    return [
        Example(turns=(*row.prompt, Turn("assistant", row.reply[:most])), id=row.id) for row in rows
    ]


def _target(
    finding: Finding, trigger: FoundTrigger | None, given: Rows, most: int | None
) -> Target:
    rows = given.quarantined_by.get(finding.id, ())
    marked = given.consequences.get(finding.id, ())
    found = behaviour_of(
        finding, _begun(rows, most), _begun(given.kept[:_MOST_COMPARED], most), marked
    )
    behaviour, why_not = (None, found) if isinstance(found, str) else (found, "")
    how = "not" if behaviour is None else "inserted" if trigger is not None else "flagged rows"
    return Target(
        finding=finding.id,
        trigger=trigger,
        behaviour=behaviour,
        rows=rows,
        summary=TriggerSummary(
            finding=finding.id,
            text=finding.cause.text if finding.cause is not None else "",
            consequence=finding.consequence.kind if finding.consequence is not None else "",
            behaviour=behaviour.name if behaviour is not None else "",
            how=how,
            rows=len(rows),
            why_not=why_not,
        ),
    )
