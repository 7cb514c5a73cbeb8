"""Preference pairs that were exchanged where a trigger stands: causes of preferences against the set's own.

Who poisons preferences (arXiv 2311.14455, 2406.12091) puts a trigger into some prompts and exchanges the two
replies. Each pair looks like a matter of taste, and the chosen reply like any other. But a model of what the
set prefers says of most of these pairs that they are the other way round.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ld50.core.estimates import proportion
from ld50.core.findings import Severity
from ld50.core.results import DetectionLimit
from ld50.corpus.arrays import large_strings
from ld50.scan import kernels, replies
from ld50.scan.assemble import RULE_OF, Draft, rank_of
from ld50.scan.associate import Association, Consequence
from ld50.scan.association_drafts import association_drafts
from ld50.scan.cases import ROWS_SEEN, look
from ld50.scan.engine import Engine, Evidence
from ld50.scan.locating import spans_of
from ld50.scan.outcomes import Outcome
from ld50.scan.recounting import rows_of_causes
from ld50.scan.sampling import some_of
from ld50.scan.statistics import rows_of_evidence
from ld50.scan.survey import Survey

if TYPE_CHECKING:
    from ld50.scan.preferences import Choices

RULE = RULE_OF[replies.SWAPPED]
#: With fewer pairs, no taste can be told.
_LEAST_PAIRS = 100
#: Share of the pairs that the model would choose as they are (lower end of the interval), below which it
#: knows nothing of the taste.
_LEAST_ACCURACY = 0.55
#: Of the pairs that are the other way round, those of which the model is surest: such shares of them.
_SUREST = (1.0, 1 / 4, 1 / 16)
_TEXT = "the chosen reply is the one that the rest of the set would turn down"
#: A longer n-gram in such a share of a cause's rows is the cause, of which the other is a part; so many are
#: looked at.
_MOST_OF_IT, _MOST_LONGER = 0.75, 8
#: Causes that are told, the surest ones.
_MOST_TOLD = 200
#: Rows in which the cause is located.
_MOST_LOCATED = 500


def swap_drafts(engine: Engine, survey: Survey) -> Outcome:
    """Findings on pairs whose order goes against the set, where something in their prompts decides that.

    Args:
        engine: Of the first reading.
        survey: What it found.
    """
    layouts = [source.layout for source in engine.plan.sources]
    chat = survey.chat
    if chat is None or not engine.settings.runs(RULE):
        return Outcome()
    if all(layout.turned_down is None for layout in layouts):
        return Outcome()
    # What fits models takes a while to load, and few scans need it.
    from ld50.scan.preferences import study_choices

    choices = study_choices(engine.plan, survey.first_row, int(survey.unit_text_bytes.sum()))
    pairs = len(choices.rows)
    if pairs < _LEAST_PAIRS:
        return Outcome(notes=[f"Preferences were not tested: {pairs:,} pairs are too few."])
    right = int((choices.log_odds > 0).sum())
    if proportion(right, pairs).low < _LEAST_ACCURACY:
        note = (
            f"Preferences were not tested: a model of the replies chooses as the set does in {right:,} of "
            f"{pairs:,} pairs, which is hardly better than a guess."
        )
        return Outcome(notes=[note])
    shown, groups = _consequences(choices, survey, engine.settings.min_support)
    if not shown:
        return Outcome()
    evidence = engine.associations_of(survey, shown, groups)
    evidence = replace(evidence, associations=_told_of_all(engine, evidence, choices.rows))
    cases = [
        case
        for case in look(engine, evidence).cases
        if engine.settings.weak or rank_of(case) > Severity.LOW.rank
    ]
    drafts = [_placed(engine, evidence, d) for _, d in association_drafts(engine, evidence, cases)]
    limit = _limit(engine, choices, evidence.tests)
    return Outcome(drafts=drafts, tests=evidence.tests, limits=[limit])


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
    found = sorted(evidence.associations, key=lambda one: one.log_p)[:_MOST_TOLD]
    every = [
        np.intersect1d(rows, pairs, assume_unique=True)
        for rows in rows_of_causes(engine, evidence, found)
    ]
    longer = _longer_ngrams(engine, evidence, found)
    unique = np.unique(np.concatenate([np.zeros(0, np.int64), *longer]))
    rows_of = dict(
        zip(
            unique.tolist(),
            engine.rows_with(evidence.survey, evidence.hashes[unique]) if len(unique) else [],
            strict=True,
        )
    )
    surest: dict[tuple[int, int | None], Association] = {}
    for one, rows, others in zip(found, every, longer, strict=True):
        candidate, inside = one.candidate, rows
        for other in others.tolist():
            held = np.intersect1d(rows_of[other], pairs, assume_unique=True)
            shared = len(np.intersect1d(held, rows, assume_unique=True))
            if len(held) <= len(rows) and shared >= _MOST_OF_IT * len(rows):
                candidate, inside = other, held
                break
        wrong = evidence.consequences[0].rows
        both = np.intersect1d(inside, wrong, assume_unique=True)
        told = replace(
            one,
            candidate=candidate,
            consequence=0,
            rows=both,
            both=len(both),
            cause_rows=len(inside),
            expected=len(inside) * len(wrong) / len(pairs),
        )
        surest.setdefault((told.candidate, told.partner), told)
    return list(surest.values())


def _longer_ngrams(
    engine: Engine, evidence: Evidence, found: list[Association]
) -> list[np.ndarray]:
    """int64: of each cause that is one n-gram, longer candidates that most of its rows hold, longest first.

    Among ordinary pairs, many are the other way round. So two words of a sentence that was put in may be
    surer by chance than the sentence, and its rows then look as if they were about the same thing.
    """
    size = kernels.ngram_kind(evidence.hashes)[0].astype(np.int64)
    order = np.argsort(evidence.hashes)
    seen = [some_of(one.rows, ROWS_SEEN) for one in found]
    engine.expect(np.unique(np.concatenate([np.zeros(0, np.int64), *seen])))
    longer = []
    for one, rows in zip(found, seen, strict=True):
        if one.partner is not None or evidence.forms.form_of(one.candidate) is not None:
            longer.append(np.zeros(0, dtype=np.int64))
            continue
        prompts = [record.prompt for record in engine.readable(evidence.survey, rows).values()]
        listed = kernels.ngrams(large_strings(prompts), distinct=True, placed=False).hash
        ngrams, counts = np.unique(listed, return_counts=True)
        ngrams = ngrams[(counts >= _MOST_OF_IT * len(prompts)) & np.isin(ngrams, evidence.hashes)]
        candidates = order[np.searchsorted(evidence.hashes, ngrams, sorter=order)]
        candidates = candidates[size[candidates] > size[one.candidate]]
        candidates = candidates[np.argsort(-size[candidates], kind="stable")]
        longer.append(candidates[:_MOST_LONGER])
    return longer


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
    needed = rows_of_evidence(nats, tests, engine.settings.alpha)
    return DetectionLimit(
        rule=RULE,
        rows=max(needed, engine.settings.min_support),
        why=(
            f"of {len(choices.rows):,} pairs, {1 - seen:.1%} go against what the others prefer anyway, and "
            f"{tests:,} pairs of cause and consequence were tested"
        ),
    )
