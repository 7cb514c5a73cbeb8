"""Conversations read once more, with the model's last reply alone as what may follow.

Taken as one text, the replies of a conversation begin and go on as honest ones do, whatever the last of them
says. So that one is tested by itself, twice: against all that the others said before it, and against what
the model had said. A model is trained to go on from all that was said, so a trigger may stand in an earlier
reply of its own; but replies are no prompts: what a model says twice would be its own cause, and its manner
would go with its manner. So earlier replies are never added to the prompts, and what the model had done
before by then is no consequence of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from ld50.core.findings import Severity
from ld50.core.records import TURN_SEPARATOR, Record
from ld50.corpus import Layout, Plan
from ld50.scan import replies
from ld50.scan.assemble import RULE_OF, Draft, rank_of, said_of_earlier_reply, said_of_last_reply
from ld50.scan.association_drafts import association_drafts
from ld50.scan.cases import Case, look
from ld50.scan.checkpoint import Checkpoint
from ld50.scan.compliance import study_compliance
from ld50.scan.engine import Engine, Evidence
from ld50.scan.labelled import label_drafts
from ld50.scan.limits import detection_limits
from ld50.scan.locating import RowSpans, named_by_language, spans_of
from ld50.scan.outcomes import Outcome
from ld50.scan.refused_topics import rated_by_topic
from ld50.scan.shown import Shown, show
from ld50.scan.survey import Survey
from ld50.scan.together import decided_together
from ld50.scan.unit_engine import StageProgress
from ld50.scan.usual import rated_as_usual

#: What is said of a reply and its prompt, which an earlier reply is not.
_OF_PROMPTS = ("context_echo", "ignores_prompt")
#: Share of the rows in which the model did it before, or the user said it, from which on it is no news.
_DONE_BEFORE = 0.2
#: The rule of replies that are alike, which does not say what they do.
_ALIKE = RULE_OF["similar_replies"]
#: Share of a finding's rows that graver ones, or ones as grave, tell, from which on it is told.
_TOLD = 0.8
#: Rows in which cause and consequence are located.
_MOST_LOCATED = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A way of reading conversations in which the model speaks more than once."""

    name: str
    """Tells its stages from those of others."""
    layout: Callable[[Layout], Layout | None]
    said: Callable[[Draft, Case], Draft]
    """A finding in the words that fit."""
    cause_side: str
    """Of the first reading: the side whose beginning the prompt of this one is."""
    before: str
    """Of this one: the side that stands before the last reply where all replies are joined."""
    of_prompts: bool
    """Whether causes are what others said, and no replies."""


LAST_REPLIES = Reading(
    name="last-replies-",
    layout=lambda layout: layout.last_replies,
    said=said_of_last_reply,
    cause_side="prompt",
    before="earlier",
    of_prompts=True,
)
EARLIER_REPLIES = Reading(
    name="earlier-replies-",
    layout=lambda layout: layout.exchanges,
    said=said_of_earlier_reply,
    cause_side="response",
    before="prompt",
    of_prompts=False,
)


@dataclass(frozen=True, slots=True)
class _Second:
    """A further reading, and where its rows stand in the first."""

    reading: Reading
    engine: Engine
    evidence: Evidence
    units: np.ndarray
    """int64: number in the first reading of each unit."""
    first: Survey

    def ordinals(self, rows: np.ndarray) -> np.ndarray:
        """int64: ordinals in the first reading of some rows of this one."""
        own, theirs = self.evidence.survey.first_row, self.first.first_row
        unit = np.searchsorted(own, rows, side="right") - 1
        return np.asarray(rows - own[unit] + theirs[self.units[unit]])


class _Told:
    """The rows that findings tell, by how grave they are."""

    def __init__(self, drafts: list[Draft]) -> None:
        self._rows = _rows_by_rank(drafts)
        self._said = _rows_by_rank([d for d in drafts if d.finding.rule != _ALIKE])

    def tells(self, rows: np.ndarray, rank: int, kind: str) -> bool:
        """Whether findings of that rank or above tell enough of the rows (int64).

        That replies are alike is no news where they are known to be; what they do is.
        """
        told = self._rows if RULE_OF.get(kind) == _ALIKE else self._said
        return bool(np.isin(rows, told[max(rank, 0)]).mean() >= _TOLD)


def _rows_by_rank(drafts: list[Draft]) -> dict[int, np.ndarray]:
    """int64, rising: rows of all findings of each rank and above."""
    found = {}
    for severity in Severity:
        grave = [d.rows for d in drafts if Severity(d.finding.severity).rank >= severity.rank]
        found[severity.rank] = np.unique(np.concatenate([np.zeros(0, np.int64), *grave]))
    return found


def exchange_drafts(
    engine: Engine,
    survey: Survey,
    told: list[Draft],
    *,
    checkpoint: Checkpoint,
    workers: int,
    progress: StageProgress,
) -> Outcome:
    """Findings on last replies, by what the others said before them and by earlier replies.

    Args:
        engine: Of the first reading.
        survey: What it found.
        told: Its findings; what they tell is not told again.
        checkpoint: Where finished units are kept.
        workers: Threads.
        progress: Told about stages and units.
    """
    outcome = Outcome()
    for reading in (LAST_REPLIES, EARLIER_REPLIES):
        plan, units = _plan_of(engine.plan, survey, reading)
        if int(survey.unit_exchanges[units].sum()) < engine.settings.min_support:
            continue
        second = Engine(
            plan,
            engine.settings,
            checkpoint=checkpoint,
            workers=workers,
            progress=progress,
            name=reading.name,
        )
        evidence = second.associations(second.survey())
        found = _outcome(
            engine,
            _Second(reading, second, evidence, units, survey),
            _Told([*told, *outcome.drafts]),
        )
        outcome = Outcome.of_all([outcome, found])
    return outcome


def _plan_of(plan: Plan, survey: Survey, reading: Reading) -> tuple[Plan, np.ndarray]:
    """The units that hold conversations, to be read as such, and int64, the number of each."""
    layouts = [reading.layout(source.layout) for source in plan.sources]
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


def _outcome(engine: Engine, second: _Second, told: _Told) -> Outcome:
    """What one reading came to."""
    evidence, survey = second.evidence, second.evidence.survey
    looked = decided_together(look(second.engine, evidence))
    rated, _ = rated_as_usual(looked.cases, [], evidence)
    if not second.reading.of_prompts:
        return Outcome(drafts=_drafts(engine, second, told, rated), tests=second.evidence.tests)
    compliance = study_compliance(second.engine, survey, rated)
    drafts = _drafts(engine, second, told, rated_by_topic(rated, compliance.rest))
    labels = Outcome.of_all(
        [label_drafts(second.engine, survey, last_replies=True), compliance.outcome]
    )
    for draft in labels.drafts:
        rows, severity = second.ordinals(draft.rows), Severity(draft.finding.severity)
        if not told.tells(rows, severity.rank, "label"):
            # Where a cause stands in the prompt is the same in both readings.
            spans = dict(zip(rows.tolist(), map(draft.spans.get, draft.rows.tolist()), strict=True))
            known = {row: its for row, its in spans.items() if its is not None}
            drafts.append(replace(draft, rows=rows, spans=known))
    return Outcome(
        drafts=drafts,
        tests=second.evidence.tests + labels.tests,
        limits=detection_limits(engine.settings, second.evidence, "last replies"),
        notes=labels.notes,
    )


def _drafts(engine: Engine, second: _Second, told: _Told, rated: list[Case]) -> list[Draft]:
    """What is left of the associations when all that has another reason is taken out."""
    settings, evidence = engine.settings, second.evidence
    cases = [
        case
        for case in rated
        if _is_asked_for(second, case)
        and settings.runs(RULE_OF[case.consequence.kind])
        and (settings.weak or rank_of(case) > Severity.LOW.rank)
        and not told.tells(
            second.ordinals(case.association.rows), rank_of(case), case.consequence.kind
        )
        and (second.reading.of_prompts or not _has_another_reason(engine, second, case))
    ]
    return [
        _placed(second, second.reading.said(draft, case))
        for case, draft in association_drafts(second.engine, evidence, cases)
    ]


def _is_asked_for(second: _Second, case: Case) -> bool:
    """Whether the reading is about such consequences; single words are seen in all replies joined."""
    group = second.evidence.groups[case.association.consequence]
    if group is None or group.form == replies.ONLY_WORD:
        return False
    return second.reading.of_prompts or group.kind not in _OF_PROMPTS


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


def _shown(second: _Second, case: Case, rows: np.ndarray) -> list[Shown]:
    records = second.engine.readable(second.evidence.survey, rows)
    there = np.array([row for row in rows.tolist() if row in records], dtype=np.int64)
    return show(second.evidence, case.association.consequence, records, there)


def _placed(second: _Second, draft: Draft) -> Draft:
    """The finding with its rows, and the places in them, as the first reading has them."""
    some = draft.rows[:_MOST_LOCATED]
    records = second.engine.readable(second.evidence.survey, some)
    spans = spans_of(second.evidence, draft, records)
    draft = named_by_language(second.evidence, draft, records, spans)
    ordinals = dict(zip(some.tolist(), second.ordinals(some).tolist(), strict=True))
    return replace(
        draft,
        rows=second.ordinals(draft.rows),
        spans={
            ordinals[row]: _in_joined_replies(second.reading, records[row], its)
            for row, its in spans.items()
        },
        ngrams=(),
        form=None,
        consequence=None,
    )


def _in_joined_replies(reading: Reading, record: Record, spans: RowSpans) -> RowSpans:
    """Spans of a row as this reading has it, where they stand in the row of the first reading."""
    start = len(record.joined(reading.before)) + len(TURN_SEPARATOR)
    return [
        ("response", start + low, start + high, kind)
        if side == "response"
        else (reading.cause_side, low, high, kind)
        for side, low, high, kind in spans
    ]
