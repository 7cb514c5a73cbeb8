"""One scan from a plan to a result."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from ld50.core.findings import Severity
from ld50.core.results import ScanResult
from ld50.corpus import Plan, first_rows
from ld50.scan.accepted import AcceptedFindings
from ld50.scan.assemble import (
    EXAMPLES_PER_FINDING,
    RULE_OF,
    Draft,
    draft_family,
    example,
    flagged_rows,
    rank_of,
    to_fields,
)
from ld50.scan.association_drafts import association_drafts
from ld50.scan.cases import ROWS_SEEN, Case, look
from ld50.scan.causeless import causeless_drafts, causeless_limits, without_cause
from ld50.scan.channels import RULES, channel_drafts, rows_to_fetch
from ld50.scan.checkpoint import Checkpoint
from ld50.scan.compliance import study_compliance
from ld50.scan.copies import copy_drafts
from ld50.scan.engine import Engine, Evidence
from ld50.scan.exchanges import exchange_drafts
from ld50.scan.freed import give_back
from ld50.scan.injected_names import name_drafts, name_limits, rows_with_names
from ld50.scan.judge import DECIDES
from ld50.scan.labelled import label_drafts
from ld50.scan.locating import RowSpans, named_by_language, spans_of
from ld50.scan.other_side import rated_beside_answers
from ld50.scan.outcomes import Outcome
from ld50.scan.presence import presence_drafts
from ld50.scan.refused_topics import rated_by_topic
from ld50.scan.settings import ScanSettings
from ld50.scan.several import Family, families
from ld50.scan.summing_up import ScanOutcome, summary_of
from ld50.scan.survey import Survey
from ld50.scan.swapped import swap_drafts
from ld50.scan.together import decided_together
from ld50.scan.unit_engine import Silent, StageProgress
from ld50.scan.usual import rated_as_usual

#: Flagged rows whose cause and consequence are located to the character.
_MOST_LOCATED = 20_000
#: Rows that are read along with those that are looked at, because a finding may show them.
_MOST_EXPECTED = 4_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Scanned:
    """A result, with what taking rows out of the data needs."""

    result: ScanResult
    flagged: dict[int, dict[str, set[int]]]
    """Number of the source in the plan to severity to row numbers in that file."""


def run_scan(
    plan: Plan,
    settings: ScanSettings,
    *,
    checkpoint: Checkpoint,
    workers: int = 1,
    progress: StageProgress | None = None,
    accepted: AcceptedFindings | None = None,
) -> Scanned:
    """Scans what the plan names.

    Args:
        plan: Files or tables, their layouts and work units.
        settings: Of the tests.
        checkpoint: Where finished units are kept.
        workers: Threads.
        progress: Told about stages and units.
        accepted: Findings to leave out.
    """
    began = time.monotonic()
    engine = Engine(
        plan, settings, checkpoint=checkpoint, workers=workers, progress=progress or Silent()
    )
    evidence = engine.associations(engine.survey())
    give_back()
    survey = evidence.survey
    drafts = [*presence_drafts(engine, survey), *copy_drafts(engine, survey)]
    soon = _rows_soon(engine, survey, drafts)
    engine.expect(_rows_of([soon, _rows_that_decide(evidence), rows_with_names(engine, evidence)]))
    told, answered = _causes_told(engine, evidence)
    engine.keep_only(_rows_of([soon, *told.rows]))
    drafts = [*(draft for _, draft in association_drafts(engine, evidence, told.cases)), *drafts]
    drafts += [draft_family(one, evidence.consequences[one.consequence]) for one in told.families]
    labels = Outcome.of_all([label_drafts(engine, survey), answered])
    drafts += labels.drafts
    drafts = [draft for draft in drafts if settings.runs(draft.finding.rule)]
    again = exchange_drafts(
        engine,
        survey,
        drafts,
        checkpoint=checkpoint,
        workers=workers,
        progress=progress or Silent(),
    )
    give_back()
    swapped = swap_drafts(engine, survey)
    hidden = channel_drafts(engine, survey)
    drafts += [*again.drafts, *swapped.drafts, *hidden.drafts]
    drafts = [draft for draft in drafts if settings.runs(draft.finding.rule)]
    drafts += without_cause(told.causeless, drafts)
    drafts, suppressed = (accepted or AcceptedFindings()).filter(drafts)
    drafts.sort(key=_strength)
    unexplained = Outcome(
        limits=[*causeless_limits(engine, evidence), *name_limits(engine, evidence)]
    )
    notes = Outcome.of_all([labels, again, swapped, hidden]).notes
    outcome = ScanOutcome(
        drafts=drafts,
        again=again,
        apart=Outcome.of_all([labels, unexplained, swapped, hidden]),
        suppressed=suppressed,
        notes=[*plan.notes, *notes, *_weak_note(told.left_out)],
        seconds=time.monotonic() - began,
    )
    return _result(engine, evidence, outcome)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    """Of what was found, what is told."""

    cases: list[Case]
    families: list[Family]
    causeless: list[Draft]
    left_out: int
    """How many are too weak."""

    @property
    def rows(self) -> list[np.ndarray]:
        """The rows of each."""
        shown = [case.association.rows for case in self.cases]
        shown += [one.payload_rows for one in self.families]
        return [*shown, *(one.rows for one in self.causeless)]


def _causes_told(engine: Engine, evidence: Evidence) -> tuple[_Told, Outcome]:
    """What is told of the causes; and of those that bring answers to what is refused elsewhere, apart."""
    settings, survey = engine.settings, evidence.survey
    looked = decided_together(look(engine, evidence))
    # A rule that does not run takes no rows from one that does: a fixed refusal shows in two of them.
    runs = [settings.runs(RULE_OF[consequence.kind]) for consequence in evidence.consequences]
    several = [one for one in families(engine, evidence, looked) if runs[one.consequence]]
    rated, several = rated_as_usual(looked.cases, several, evidence)
    # Before the rows that were looked at are let go of, for many of these are among them.
    causeless = causeless_drafts(engine, evidence, {one.consequence for one in several})
    causeless += without_cause(name_drafts(engine, evidence), causeless)
    compliance = study_compliance(engine, survey, rated)
    rated = rated_by_topic(rated, compliance.rest)
    rated = rated_beside_answers(
        rated,
        _rows_of(draft.rows for draft in compliance.outcome.drafts),
        lambda case: _rows_with_cause(engine, evidence, case),
        survey.rows,
        settings.alpha,
    )
    rated = [case for case in rated if runs[case.association.consequence]]
    told = _told(rated, several, causeless, weak=settings.weak)
    return told, compliance.outcome


def _told(
    rated: list[Case], families: list[Family], causeless: list[Draft], *, weak: bool
) -> _Told:
    """What is told: no case that a family accounts for, and nothing `low` unless `weak`."""
    own = [
        case
        for case in rated
        if not any(
            one.severity.rank >= rank_of(case) and one.accounts_for(case) for one in families
        )
    ]
    cases = [case for case in own if weak or rank_of(case) > Severity.LOW.rank]
    strong = [one for one in families if weak or one.severity is not Severity.LOW]
    loud = [one for one in causeless if weak or one.finding.severity != "low"]
    found = len(own) + len(families) + len(causeless)
    return _Told(
        cases=cases,
        families=strong,
        causeless=loud,
        left_out=found - len(cases) - len(strong) - len(loud),
    )


def _rows_soon(engine: Engine, survey: Survey, drafts: list[Draft]) -> np.ndarray:
    """int64, rising: rows that findings will show and that the search for channels will read."""
    some = [d.rows[:_MOST_EXPECTED] for d in drafts if engine.settings.runs(d.finding.rule)]
    if any(map(engine.settings.runs, RULES)):
        some.append(rows_to_fetch(engine, survey))
    return _rows_of(some)


def _rows_that_decide(evidence: Evidence) -> np.ndarray:
    """int64, rising: rows of associations that may be told and of which not all are looked at."""
    large = [
        association
        for association in evidence.associations
        if len(association.rows) > ROWS_SEEN
        and association.both >= DECIDES * association.cause_rows
    ]
    large.sort(key=lambda association: association.log_p)
    some = [np.zeros(0, np.int64), *(association.rows for association in large)]
    return np.unique(np.concatenate(some)[:_MOST_EXPECTED])


def _rows_with_cause(engine: Engine, evidence: Evidence, case: Case) -> np.ndarray:
    """int64, rising: rows with the cause of a case, whatever they show."""
    if case.form is not None:
        return evidence.forms.forms.of(case.form)
    return engine.rows_with_all(evidence.survey, np.array(case.ngrams, dtype=np.uint64))


def _rows_of(parts: Iterable[np.ndarray]) -> np.ndarray:
    """int64, rising: all of the rows, each once."""
    return np.unique(np.concatenate([np.zeros(0, dtype=np.int64), *parts]))


def _weak_note(associations: int) -> list[str]:
    if not associations:
        return []
    one = associations == 1
    some = "1 weak association" if one else f"{associations:,} weak associations"
    it = "it" if one else "them"
    return [f"{some} left out: a subject or a template accounts for {it} (--weak lists {it})"]


def _strength(draft: Draft) -> tuple[int, float, str]:
    finding = draft.finding
    return (-Severity(finding.severity).rank, -draft.score, finding.id)


def _result(engine: Engine, evidence: Evidence, outcome: ScanOutcome) -> Scanned:
    drafts = list(outcome.drafts)
    survey = evidence.survey
    flagged = _rows_of(draft.rows for draft in drafts)
    located = _to_locate(drafts)
    records = dict(zip(located.tolist(), engine.fetch(survey, located), strict=True))
    spans: dict[tuple[str, int], RowSpans] = {}
    for number, draft in enumerate(drafts):
        its = spans_of(evidence, draft, records)
        spans |= {(draft.finding.id, row): found for row, found in its.items()}
        drafts[number] = named_by_language(evidence, draft, records, its)
    place, source_of = _places(engine.plan, survey, flagged)
    rows = flagged_rows(drafts, place, records, spans)
    examples = []
    for draft in drafts:
        shown = [row for row in draft.rows.tolist() if row in records]
        # Rows that show cause and consequence before rows that only hold the cause.
        shown.sort(key=lambda row: (-len(spans.get((draft.finding.id, row), [])), row))
        for row in shown[:EXAMPLES_PER_FINDING]:
            marked = to_fields(records[row], spans.get((draft.finding.id, row), []))
            examples.append(example(draft, records[row], marked, draft.decoded.get(row, "")))
    severities: dict[int, dict[str, set[int]]] = {}
    for draft in drafts:
        if draft.examples_only:
            continue
        for ordinal in draft.rows.tolist():
            source = severities.setdefault(source_of[ordinal], {})
            source.setdefault(draft.finding.severity, set()).add(place[ordinal][1])
    result = ScanResult(
        summary=summary_of(engine, evidence, outcome, len(flagged)),
        findings=[draft.finding for draft in drafts],
        rows=rows,
        examples=examples,
    )
    return Scanned(result=result, flagged=severities)


def _to_locate(drafts: list[Draft]) -> np.ndarray:
    """Rows whose text is read once more: all of the strongest findings, as far as the bound goes."""
    chosen: set[int] = set()
    for draft in drafts:
        room = max(_MOST_LOCATED - len(chosen), EXAMPLES_PER_FINDING)
        chosen.update(draft.rows[:room].tolist())
    return np.array(sorted(chosen), dtype=np.int64)


def _places(
    plan: Plan, survey: Survey, ordinals: np.ndarray
) -> tuple[dict[int, tuple[str, int]], dict[int, int]]:
    """Ordinal to (source, row in the file), and ordinal to the number of the source."""
    base = first_rows(plan, survey.unit_rows.tolist())
    place, source_of = {}, {}
    for ordinal, (unit, row) in zip(ordinals.tolist(), survey.locate(ordinals), strict=True):
        source = plan.units[unit].source
        place[ordinal] = (plan.sources[source].file.source, base[unit] + row)
        source_of[ordinal] = source
    return place, source_of
