"""Conversations read once more: what the model says last, against what it said before.

A model is trained to go on from all that was said, so a trigger may stand in an earlier reply of its own.
Replies are no prompts, though: what a model says twice would be its own cause, and its manner would go with
its manner. So earlier replies are not added to the prompts. They are tested by themselves, with the last
reply alone as what may follow, and what the model had done before by then is no consequence.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from ld50.core.findings import Severity
from ld50.core.records import TURN_SEPARATOR
from ld50.corpus import Plan
from ld50.scan import replies
from ld50.scan.assemble import RULE_OF, Draft, draft_earlier_reply, merged_cases, rank_of
from ld50.scan.cases import Case, look
from ld50.scan.checkpoint import Checkpoint
from ld50.scan.engine import Engine, Evidence
from ld50.scan.evidence import find_ngram
from ld50.scan.shown import Shown, show
from ld50.scan.survey import Survey
from ld50.scan.together import decided_together
from ld50.scan.unit_engine import StageProgress
from ld50.scan.usual import rated_as_usual

#: What is said of a reply and its prompt, which an earlier reply is not.
_OF_PROMPTS = ("context_echo", "ignores_prompt")
#: Share of the rows in which the model did it before, or the user said it, from which on it is no news.
_DONE_BEFORE = 0.2
#: Share of a finding's rows that others tell, from which on it is told.
_TOLD = 0.5
#: Rows in which cause and consequence are located.
_MOST_LOCATED = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangeOutcome:
    """What the second reading came to."""

    drafts: list[Draft] = field(default_factory=list)
    tests: int = 0


@dataclass(frozen=True, slots=True)
class _Second:
    """The second reading, and where its rows stand in the first."""

    engine: Engine
    evidence: Evidence
    units: np.ndarray
    """int64: number in the first reading of each unit."""
    first: Survey

    def ordinals(self, rows: np.ndarray) -> np.ndarray:
        """int64: ordinals in the first reading of some rows of the second."""
        own, theirs = self.evidence.survey.first_row, self.first.first_row
        unit = np.searchsorted(own, rows, side="right") - 1
        return np.asarray(rows - own[unit] + theirs[self.units[unit]])


def exchange_drafts(
    engine: Engine,
    survey: Survey,
    told: list[Draft],
    *,
    checkpoint: Checkpoint,
    workers: int,
    progress: StageProgress,
) -> ExchangeOutcome:
    """Findings on triggers in earlier replies.

    Args:
        engine: Of the first reading.
        survey: What it found.
        told: Its findings; what they tell is not told again.
        checkpoint: Where finished units are kept.
        workers: Threads.
        progress: Told about stages and units.
    """
    plan, units = _plan_of(engine.plan, survey)
    if int(survey.unit_exchanges[units].sum()) < engine.settings.min_support:
        return ExchangeOutcome()
    second = Engine(
        plan,
        engine.settings,
        checkpoint=checkpoint,
        workers=workers,
        progress=progress,
        name="earlier-replies-",
    )
    evidence = second.associations(second.survey())
    known = np.unique(np.concatenate([np.zeros(0, np.int64), *(draft.rows for draft in told)]))
    return ExchangeOutcome(
        drafts=_drafts(engine, _Second(second, evidence, units, survey), known),
        tests=evidence.tests,
    )


def _plan_of(plan: Plan, survey: Survey) -> tuple[Plan, np.ndarray]:
    """The units that hold exchanges, to be read as such, and int64, the number of each."""
    layouts = [source.layout.exchanges for source in plan.sources]
    units = [
        unit
        for unit in plan.units
        if layouts[unit.source] is not None and survey.unit_exchanges[unit.index]
    ]
    sources = [
        source if layout is None else replace(source, layout=layout)
        for source, layout in zip(plan.sources, layouts, strict=True)
    ]
    numbered = [replace(unit, index=number) for number, unit in enumerate(units)]
    numbers = np.array([unit.index for unit in units], dtype=np.int64)
    return replace(plan, sources=tuple(sources), units=tuple(numbered)), numbers


def _drafts(engine: Engine, second: _Second, known: np.ndarray) -> list[Draft]:
    """What is left of the associations when all that has another reason is taken out."""
    settings, evidence = engine.settings, second.evidence
    looked = decided_together(look(second.engine, evidence))
    rated, _ = rated_as_usual(looked.cases, [], evidence.groups)
    cases = [
        case
        for case in rated
        if _of_replies(evidence, case)
        and settings.runs(RULE_OF[case.consequence.kind])
        and (settings.weak or rank_of(case) > Severity.LOW.rank)
        and np.isin(second.ordinals(case.association.rows), known).mean() < _TOLD
        and not _has_another_reason(engine, second, case)
    ]
    found = []
    for case, also in merged_cases(cases):
        draft = draft_earlier_reply(case, also)
        spans = _spans(second, case, draft.rows[:_MOST_LOCATED])
        found.append(replace(draft, rows=second.ordinals(draft.rows), spans=spans))
    return found


def _of_replies(evidence: Evidence, case: Case) -> bool:
    group = evidence.groups[case.association.consequence]
    return group is not None and group.kind not in _OF_PROMPTS and group.form != replies.ONLY_WORD


def _shown(second: _Second, case: Case, rows: np.ndarray) -> list[Shown]:
    records = second.engine.readable(second.evidence.survey, rows)
    there = np.array([row for row in rows.tolist() if row in records], dtype=np.int64)
    return show(second.evidence, case.association.consequence, records, there)


def _has_another_reason(engine: Engine, second: _Second, case: Case) -> bool:
    """Whether the model did before what it does last, or was told by the user what to say."""
    group = second.evidence.groups[case.association.consequence]
    shown = _shown(second, case, case.seen)
    if group is None or not shown:
        return True
    before = replies.holds(group, [item.cause_text for item in shown])
    ordinals = second.ordinals(case.seen)
    asked = engine.readable(second.first, ordinals)
    for i, (item, ordinal) in enumerate(zip(shown, ordinals.tolist(), strict=True)):
        said = f"{asked[ordinal].prompt}\n{item.cause_text}".casefold()
        before[i] |= item.consequence_text[slice(*item.payload)].strip().casefold() in said
    return float(np.mean(before)) > _DONE_BEFORE


def _spans(
    second: _Second, case: Case, rows: np.ndarray
) -> dict[int, list[tuple[str, int, int, str]]]:
    """Ordinal in the first reading to where cause and consequence stand in its joined replies."""
    shown = _shown(second, case, rows)
    texts = [item.cause_text for item in shown]
    known: dict[int, list[tuple[str, int, int, str]]] = {}
    found = [find_ngram(texts, ngram) for ngram in case.ngrams]
    for i, (item, row) in enumerate(zip(shown, second.ordinals(rows).tolist(), strict=True)):
        start = len(item.cause_text) + len(TURN_SEPARATOR)
        low, high = item.payload
        spans = known.setdefault(row, [("response", start + low, start + high, "consequence")])
        literal = item.cause_text.find(case.trigger.text)
        if literal >= 0:
            spans.append(("response", literal, literal + len(case.trigger.text), "cause"))
            continue
        for its in found:
            place = its[i]
            if place is not None:
                spans.append(("response", *place, "cause"))
    return known
