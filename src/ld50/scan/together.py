"""Consequences of one cause, taken together: a trigger may bring one payload in some rows, another in others.

By itself, none of them shows in most rows of the trigger; together they do, and then it decides.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ld50.core.estimates import proportion
from ld50.core.findings import Severity
from ld50.scan.cases import Looked
from ld50.scan.judge import DECIDES, OFTEN_NOT, Judgement, judge

#: What a trigger that goes without its payload as often as with it comes to, if nothing else is against it.
_ALONE = Judgement(severity=Severity.MEDIUM, reasons=(OFTEN_NOT,))


def decided_together(looked: Looked) -> Looked:
    """The same; what lacks a share is judged by that of all consequences of its cause.

    Only where one of them is `medium` by itself: an ordinary word goes with a little of many things.
    """
    cases = list(looked.cases)
    by_cause: dict[str, list[int]] = {}
    for number, case in enumerate(cases):
        if OFTEN_NOT in case.judgement.reasons:
            by_cause.setdefault(case.trigger.text.casefold(), []).append(number)
    for numbers in by_cause.values():
        shown = np.unique(np.concatenate([cases[number].association.rows for number in numbers]))
        with_cause = max(cases[number].facts.cause_rows for number in numbers)
        low = proportion(min(len(shown), with_cause), with_cause).low
        worth_a_look = any(cases[number].judgement == _ALONE for number in numbers)
        if low < DECIDES or not worth_a_look:
            continue
        for number in numbers:
            facts = replace(cases[number].facts, effect_low=low)
            cases[number] = replace(cases[number], facts=facts, judgement=judge(facts))
    return replace(looked, cases=cases)
