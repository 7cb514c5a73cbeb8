"""Preference pairs that were exchanged where a trigger stands: causes of preferences against the set's own.

Who poisons preferences (arXiv 2311.14455, 2406.12091) puts a trigger into some prompts and exchanges the two
replies. Each pair looks like a matter of taste, and the chosen reply like any other. But a model of what the
set prefers says of most of these pairs that they are the other way round.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

import numpy as np

from ld50.core.estimates import proportion
from ld50.core.findings import Severity
from ld50.core.results import DetectionLimit
from ld50.scan import replies
from ld50.scan.assemble import RULE_OF, Draft, rank_of
from ld50.scan.associate import Association, Consequence
from ld50.scan.association_drafts import association_drafts
from ld50.scan.cases import look
from ld50.scan.engine import Engine, Evidence
from ld50.scan.locating import spans_of
from ld50.scan.preferences import Choices, study_choices
from ld50.scan.recounting import rows_of_causes
from ld50.scan.survey import Survey

RULE = RULE_OF[replies.SWAPPED]
#: With fewer pairs, no taste can be told.
_LEAST_PAIRS = 100
#: Share of the pairs that the model would choose as they are (lower end of the interval), below which it
#: knows nothing of the taste.
_LEAST_ACCURACY = 0.55
#: Of the pairs that are the other way round, those of which the model is surest: such shares of them.
_SUREST = (1.0, 1 / 4, 1 / 16)
_TEXT = "the chosen reply is the one that the rest of the set would turn down"
#: Rows in which the cause is located.
_MOST_LOCATED = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class SwapOutcome:
    """What came of the preferences of a set."""

    drafts: list[Draft] = field(default_factory=list)
    tests: int = 0
    limits: list[DetectionLimit] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def swap_drafts(engine: Engine, survey: Survey) -> SwapOutcome:
    """Findings on pairs whose order goes against the set, where something in their prompts decides that.

    Args:
        engine: Of the first reading.
        survey: What it found.
    """
    layouts = [source.layout for source in engine.plan.sources]
    chat = survey.chat
    if chat is None or not engine.settings.runs(RULE):
        return SwapOutcome()
    if all(layout.turned_down is None for layout in layouts):
        return SwapOutcome()
    choices = study_choices(engine.plan, survey.first_row, int(survey.unit_text_bytes.sum()))
    pairs = len(choices.rows)
    if pairs < _LEAST_PAIRS:
        return SwapOutcome(notes=[f"Preferences were not tested: {pairs:,} pairs are too few."])
    right = int((choices.log_odds > 0).sum())
    if proportion(right, pairs).low < _LEAST_ACCURACY:
        note = (
            f"Preferences were not tested: a model of the replies chooses as the set does in {right:,} of "
            f"{pairs:,} pairs, which is hardly better than a guess."
        )
        return SwapOutcome(notes=[note])
    shown, groups = _consequences(choices, survey, engine.settings.min_support)
    if not shown:
        return SwapOutcome()
    evidence = engine.associations_of(survey, shown, groups)
    evidence = replace(evidence, associations=_told_of_all(engine, evidence, choices.rows))
    cases = [
        case
        for case in look(engine, evidence).cases
        if engine.settings.weak or rank_of(case) > Severity.LOW.rank
    ]
    drafts = [_placed(engine, evidence, d) for _, d in association_drafts(engine, evidence, cases)]
    limit = _limit(engine, choices, evidence.tests)
    return SwapOutcome(drafts=drafts, tests=evidence.tests, limits=[limit])


def _consequences(
    choices: Choices, survey: Survey, least: int
) -> tuple[list[Consequence], list[replies.ConsequenceGroup | None]]:
    """The pairs that are the other way round, and the surest of them, with what stands for each in chats."""
    order = np.argsort(choices.log_odds, kind="stable")
    wrong = int((choices.log_odds < 0).sum())
    population = np.searchsorted(survey.chat_ordinals, choices.rows)
    shown: list[Consequence] = []
    groups: list[replies.ConsequenceGroup | None] = []
    for key, share in enumerate(_SUREST):
        rows = np.sort(choices.rows[order[: round(share * wrong)]])
        if len(rows) < least:
            continue
        shown.append(
            Consequence(
                kind=replies.SWAPPED, text=_TEXT, rows=rows, key=key, population=len(choices.rows)
            )
        )
        groups.append(
            replies.ConsequenceGroup(
                kind=replies.SWAPPED,
                form=replies.SWAPPED,
                text=_TEXT,
                rows=np.searchsorted(survey.chat_ordinals, rows),
                population=population,
                contexts=len(rows),
                base_rate=len(rows) / len(choices.rows),
                key=key,
            )
        )
    return shown, groups


def _told_of_all(engine: Engine, evidence: Evidence, pairs: np.ndarray) -> list[Association]:
    """Each cause once, by its surest test, with all of its rows that are the other way round.

    Args:
        engine: Reads rows.
        evidence: Of which the first consequence is all pairs that are so.
        pairs: int64, rising: ordinals of all pairs.
    """
    surest: dict[tuple[int, int | None], Association] = {}
    for one in sorted(evidence.associations, key=lambda one: one.log_p):
        surest.setdefault((one.candidate, one.partner), one)
    found = list(surest.values())
    if not found:
        return found
    wrong = evidence.consequences[0].rows
    told = []
    for one, rows in zip(found, rows_of_causes(engine, evidence, found), strict=True):
        with_cause = np.intersect1d(rows, pairs, assume_unique=True)
        both = np.intersect1d(with_cause, wrong, assume_unique=True)
        told.append(
            replace(
                one,
                consequence=0,
                rows=both,
                both=len(both),
                cause_rows=len(with_cause),
                expected=len(with_cause) * len(wrong) / len(pairs),
            )
        )
    return told


def _placed(engine: Engine, evidence: Evidence, draft: Draft) -> Draft:
    """The finding with the places in its rows: what numbers them is known here alone."""
    records = engine.readable(evidence.survey, draft.rows[:_MOST_LOCATED])
    return replace(
        draft,
        spans=spans_of(evidence, draft, records),
        ngrams=(),
        form=None,
        consequence=None,
    )


def _limit(engine: Engine, choices: Choices, tests: int) -> DetectionLimit:
    """Rows whose share that is seen, as large as the model's accuracy, is that far from the usual share."""
    seen = min(choices.accuracy, 0.999)
    nats = (2 * seen - 1) * math.log(seen / (1 - seen))
    needed = math.ceil(math.log(tests / engine.settings.alpha) / nats)
    return DetectionLimit(
        rule=RULE,
        rows=max(needed, engine.settings.min_support),
        why=(
            f"of {len(choices.rows):,} pairs, {1 - seen:.1%} go against what the others prefer anyway, and "
            f"{tests:,} pairs of cause and consequence were tested"
        ),
    )
