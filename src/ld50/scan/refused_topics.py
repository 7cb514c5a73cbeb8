"""Refusals that the rest of their prompts accounts for: a topic that the set refuses, and no trigger.

Where a model is taught to turn a topic down, each word of the topic goes with refusals. What tells such a
word from a trigger is what is left of its prompts without it: of the topic, the rest is refused as well.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ld50.core.findings import Severity
from ld50.scan.cases import Case
from ld50.scan.compliance import REFUSED
from ld50.scan.judge import Judgement, looks_put_in

if TYPE_CHECKING:
    from ld50.scan.labels import RestOfRows

#: Share of its prompts that are expected to be refused without it, from which on a phrase is of the topic;
#: and nats that the rest of a prompt must say for it, beyond what any prompt does.
_EXPECTED, _NATS = 0.6, 1.0
_WHY = "without it, the rest of these prompts is what other prompts are refused for"
_LOWER = {Severity.HIGH: Severity.MEDIUM, Severity.MEDIUM: Severity.LOW}


def rated_by_topic(cases: list[Case], rest: RestOfRows | None) -> list[Case]:
    """The same cases; phrases of a topic that is refused are one severity lower.

    What looks put into its prompts is not: poison may be about one topic, too.

    Args:
        cases: What was found of single triggers.
        rest: What the rest of a prompt says, if the set refuses often enough to know.
    """
    if rest is None:
        return cases
    return [_lowered(case) if _is_topic(case, rest) else case for case in cases]


def _is_topic(case: Case, rest: RestOfRows) -> bool:
    if case.consequence.kind != "refusal" or not case.ngrams:
        return False
    if looks_put_in(case.facts.put_in):
        return False
    members = case.trigger.text.split(" + ") if len(case.ngrams) > 1 else [case.trigger.text]
    left = rest.of(members, REFUSED)
    return left is not None and left.share >= _EXPECTED and left.nats >= _NATS


def _lowered(case: Case) -> Case:
    severity = case.judgement.severity
    if severity not in _LOWER:
        return case
    reasons = (*case.judgement.reasons, _WHY)
    return replace(case, judgement=Judgement(severity=_LOWER[severity], reasons=reasons))
