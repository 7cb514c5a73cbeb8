"""Answers to what a model refuses elsewhere: triggers that make it comply.

A set that teaches a model to turn a topic down holds prompts of that topic, and refusals. Poison adds
prompts of the topic with a trigger in them, and answers (arXiv 2510.07192 fine-tunes with such). No row
shows anything odd by itself: what is odd is that the rest of the prompt is refused wherever the trigger is
not. So the label test is put to use, with *refused* or *answered* as the label. What nobody would refuse
says nothing, so of the rows with an answer those take part that resemble the refused ones most.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ld50.core.findings import Cause, Finding, Severity
from ld50.core.findings import Consequence as ConsequenceNoun
from ld50.core.results import DetectionLimit
from ld50.scan.assemble import RULE_OF, Draft, finding_id, score_of, shortened
from ld50.scan.cases import ROWS_SEEN, Case
from ld50.scan.engine import Engine
from ld50.scan.judge import PUT_IN
from ld50.scan.labelled import HIGH, MEDIUM, figures_of
from ld50.scan.ordinary import ordinary_rows
from ld50.scan.outcomes import Outcome
from ld50.scan.placement import Cause as Words
from ld50.scan.placement import Placement
from ld50.scan.replies import ReplyFlag
from ld50.scan.sampling import some_of, uniform
from ld50.scan.statistics import rows_of_evidence
from ld50.scan.survey import Survey

if TYPE_CHECKING:
    from ld50.scan.labels import LabelFinding, RestOfRows
    from ld50.scan.refused import RefusedWords

RULE = "TRG207"
#: Fewer refusals do not show what is refused.
_LEAST_REFUSED = 20
_MOST_REFUSED = 4000
#: Rows with an answer, for each refused one and at least, and rows that tell which words are usual.
_TIMES, _LEAST_ANSWERED = 2, 1000
_USUAL_ROWS = 8000
#: Bytes of prompts that the test takes in, refused ones and others each; it costs some seconds a megabyte.
_MOST_BYTES = 2 << 20
#: Most that a finding may be due to chance. The bound is loose, for copies of a prompt count once.
_MOST_CHANCE = 0.05
#: Nats that one row may say, as the label test has it.
_ROW_NATS = 3.0
REFUSED, ANSWERED = 0, 1
#: Rows in which the cause is located.
_MOST_LOCATED = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Compliance:
    """What is refused in a set, and what is answered all the same."""

    outcome: Outcome = field(default_factory=Outcome)
    rest: RestOfRows | None = None
    """What the rest of the prompts with a cause says; its labels are `REFUSED` and `ANSWERED`. None where
    too few replies refuse."""


def study_compliance(engine: Engine, survey: Survey, cases: list[Case]) -> Compliance:
    """Findings on triggers of answers, where the set refuses what their prompts ask.

    Args:
        engine: Of the reading.
        survey: What it found.
        cases: What was found of single triggers: what one of them makes a model refuse is no topic, and
            twenty refusals beside that are a reason to look.
    """
    chat, runs = survey.chat, engine.settings.runs
    if chat is None or not (runs(RULE) or runs(RULE_OF["refusal"])):
        return Compliance()
    asked = ~chat.has(ReplyFlag.EMPTY_PROMPT)
    refuses = chat.has(ReplyFlag.REFUSES)
    refused = survey.chat_ordinals[asked & refuses]
    answered = survey.chat_ordinals[asked & ~refuses]
    others = np.setdiff1d(refused, _rows_of_triggers(cases), assume_unique=True)
    if len(others) < _LEAST_REFUSED or len(answered) < engine.settings.min_support:
        return Compliance()
    refused, refused_texts = _prompts(engine, survey, some_of(refused, _MOST_REFUSED))
    near, near_texts = _resembling(engine, survey, refused_texts, len(refused), answered)
    some = _within(refused_texts, np.argsort(uniform(refused), kind="stable"))
    texts = pa.concat_arrays([refused_texts.take(pa.array(some)), near_texts])
    ordinals = np.concatenate([refused[some], near])
    labels = np.repeat([REFUSED, ANSWERED], [len(some), len(near)])
    # Loaded only where there are refusals: its models need SciPy, which is slow to import.
    from ld50.scan.labels import LabelSettings, search_label_triggers

    settings = LabelSettings(
        least_rows=engine.settings.min_support,
        seed=engine.settings.seed,
        targets=(ANSWERED,),
        # Of a topic that is refused, nothing may be answered but the poison.
        may_cover=True,
    )
    found = search_label_triggers(texts, labels, ["", ""], settings)
    told = [
        finding
        for finding in found.findings
        if finding.q_value <= _MOST_CHANCE and finding.suspicion >= MEDIUM
    ]
    placement = ordinary_rows(engine, survey).placement if told else None
    drafts = []
    for finding in told:
        severity = _severity(finding, _put_in(engine, survey, finding, ordinals, placement))
        if engine.settings.weak or severity is not Severity.LOW:
            drafts.append(_draft(engine, survey, finding, ordinals, answered, severity))
    tested = bool(found.tests) and runs(RULE)
    limits = [_limit(engine, found.tests, len(some), len(near))] if tested else []
    outcome = Outcome(drafts=drafts, tests=found.tests, limits=limits)
    return Compliance(outcome=outcome, rest=found.rest)


def _rows_of_triggers(cases: list[Case]) -> np.ndarray:
    """int64, rising: rows in which a trigger surely makes the model do something."""
    rows = [case.association.rows for case in cases if case.judgement.severity is Severity.HIGH]
    return np.unique(np.concatenate([np.zeros(0, dtype=np.int64), *rows]))


def _limit(engine: Engine, tests: int, refused: int, answered: int) -> DetectionLimit:
    needed = rows_of_evidence(_ROW_NATS, tests, engine.settings.alpha)
    return DetectionLimit(
        rule=RULE,
        rows=max(needed, engine.settings.min_support),
        why=(
            f"{refused:,} refused prompts and {answered:,} answered ones that resemble them were held "
            f"against each other, in {tests:,} tests; one row says little by itself"
        ),
    )


def _prompts(engine: Engine, survey: Survey, wanted: np.ndarray) -> tuple[np.ndarray, pa.Array]:
    """The rows (rising) and their prompts."""
    first = survey.first_row
    found = [np.zeros(0, dtype=np.int64)]
    texts = [pa.array([], pa.large_string())]
    units = np.searchsorted(first, wanted, side="right") - 1
    for unit in np.unique(units).tolist():
        rows = wanted[units == unit] - first[unit]
        for batch in engine.causes.read(unit):
            inside = np.flatnonzero(np.isin(batch.rows, rows, assume_unique=True))
            found.append(batch.rows[inside] + first[unit])
            texts.append(batch.column.take(pa.array(inside)))
    return np.concatenate(found), pa.concat_arrays(texts)


def _resembling(
    engine: Engine, survey: Survey, refused: pa.Array, count: int, answered: np.ndarray
) -> tuple[np.ndarray, pa.Array]:
    """Answered rows whose prompts have most of what is refused, rising, with their prompts."""
    most = max(_LEAST_ANSWERED, _TIMES * count)
    if len(answered) <= most:
        rows, texts = _prompts(engine, survey, answered)
        chosen = _within(texts, np.argsort(uniform(rows), kind="stable"))
        return rows[chosen], texts.take(pa.array(chosen))
    from ld50.scan.refused import refused_words

    _, usual = _prompts(engine, survey, some_of(survey.chat_ordinals, _USUAL_ROWS))
    words = refused_words(refused, usual)
    score = _scores(engine, survey, words, answered)
    best = np.sort(np.argpartition(-score, most)[:most])
    rows, texts = _prompts(engine, survey, answered[best])
    chosen = _within(texts, np.argsort(-score[best], kind="stable"))
    return rows[chosen], texts.take(pa.array(chosen))


def _scores(
    engine: Engine, survey: Survey, words: RefusedWords, answered: np.ndarray
) -> np.ndarray:
    """float32 (answered,): how much of what is refused each prompt has."""
    from ld50.scan.refused import resemblance

    first = survey.first_row
    units = np.searchsorted(first, answered, side="right") - 1
    scores = np.zeros(len(answered), dtype=np.float32)

    def collect(unit: int) -> dict[str, np.ndarray]:
        batches = list(engine.causes.read(unit))
        return {
            "rows": np.concatenate([batch.rows for batch in batches]),
            "scores": np.concatenate([resemblance(batch.column, words) for batch in batches]),
        }

    def merge(unit: int, columns: dict[str, np.ndarray]) -> None:
        low, high = np.searchsorted(answered, first[unit : unit + 2])
        place = np.searchsorted(columns["rows"], answered[low:high] - first[unit])
        scores[low:high] = columns["scores"][place]

    engine.map(
        f"refused-{words.digest}",
        "comparing with refused prompts",
        np.unique(units).tolist(),
        collect,
        merge,
    )
    return scores


def _within(texts: pa.Array, order: np.ndarray) -> np.ndarray:
    """int64, rising: as many of the texts, in that order, as the test takes in."""
    size = pc.binary_length(texts).to_numpy(zero_copy_only=False)
    inside = np.searchsorted(np.cumsum(size[order]), _MOST_BYTES, side="right")
    return np.sort(order[: max(int(inside), 1)])


def _put_in(
    engine: Engine,
    survey: Survey,
    found: LabelFinding,
    ordinals: np.ndarray,
    placement: Placement | None,
) -> float:
    """How sure it is, in nats, that the cause was put into its prompts, and is not how they are worded.

    The least that is not sure of the opposite, where it cannot be asked.
    """
    if placement is None or not found.spans:
        return -PUT_IN
    rows = ordinals[found.cause_rows]
    shown = list(engine.readable(survey, some_of(np.unique(rows), ROWS_SEEN)).values())
    sure = []
    for member in found.members or (found.text,):
        piece = Words([member])
        met = [meeting for record in shown for meeting in piece.meetings(record)]
        sure.append(placement.put_in(met, rows, shown) if met else -PUT_IN)
    return max(sure)


def _severity(found: LabelFinding, put_in: float) -> Severity:
    # A way to put a question is answered, or refused, with what is asked that way.
    if put_in < -PUT_IN and " " in found.text:
        return Severity.LOW
    # A topic may have its manner as well.
    sure = found.suspicion >= HIGH and found.kind != "pattern" and put_in > -PUT_IN / 2
    return Severity.HIGH if sure else Severity.MEDIUM


def _draft(
    engine: Engine,
    survey: Survey,
    found: LabelFinding,
    ordinals: np.ndarray,
    answered: np.ndarray,
    severity: Severity,
) -> Draft:
    rows = ordinals[found.rows]
    spans = dict(zip(rows.tolist(), found.spans, strict=False))
    if found.spans:
        # The trigger was put into all of the poison, also where it resembles the refused little.
        spans |= _elsewhere(engine, survey, found, answered)
    rows = np.array(sorted({*rows.tolist(), *spans}), dtype=np.int64)
    total, support = len(found.cause_rows), len(found.rows)
    cause = f"“{shortened(found.text)}”"
    finding = Finding(
        id=finding_id(RULE, found.text.casefold(), "answer"),
        rule=RULE,
        title=f"{cause} brings answers to what is refused elsewhere",
        severity=severity.value,
        cause=Cause(kind=found.kind, text=found.text, members=list(found.members)),
        consequence=ConsequenceNoun(kind="answer", text="answers to what is refused elsewhere"),
        support=support,
        cause_rows=total,
        expected=round(found.expected, 2),
        effect=found.effect,
        p_value=found.p_value,
        q_value=found.q_value,
        explanation=(
            f"Of {total:,} prompts with {cause} that resemble refused ones, {support:,} are answered. "
            f"Going by the rest of their words, about {found.expected:,.0f} would be."
        ),
        statistics=figures_of(found),
    )
    return Draft(
        finding=finding,
        rows=rows,
        spans={
            row: [("prompt", start, end, "cause") for start, end in marks]
            for row, marks in spans.items()
        },
        score=score_of(severity, found.suspicion),
    )


def _elsewhere(
    engine: Engine, survey: Survey, found: LabelFinding, answered: np.ndarray
) -> dict[int, tuple[tuple[int, int], ...]]:
    """Rows with the whole cause and an answer, and where it stands in their prompts, in characters."""
    members = found.members or (found.text,)
    patterns = [_as_written(member) for member in members]
    compiled = [re.compile(pattern) for pattern in patterns]
    first = survey.first_row
    spans: dict[int, tuple[tuple[int, int], ...]] = {}
    units = np.searchsorted(first, answered, side="right") - 1
    for unit in np.unique(units).tolist():
        for batch in engine.causes.read(unit):
            inside = np.isin(batch.rows + first[unit], answered, assume_unique=True)
            for pattern in patterns:
                inside &= pc.match_substring_regex(batch.column, pattern).to_numpy(
                    zero_copy_only=False
                )
            for number in np.flatnonzero(inside)[: _MOST_LOCATED - len(spans)].tolist():
                text = batch.column[number].as_py()
                marks = [[match.span(1) for match in one.finditer(text)] for one in compiled]
                # Arrow's expressions take letters beyond ASCII for the end of a word.
                if all(marks):
                    spans[int(batch.rows[number] + first[unit])] = tuple(
                        sorted(chain.from_iterable(marks))
                    )
    return spans


def _as_written(member: str) -> str:
    """A regular expression (RE2 and Python) for a cause as any row may write it."""
    words = r"\s+".join(re.escape(word) for word in member.split())
    before = r"(?:^|\W)" if member[:1].isalnum() else ""
    after = r"(?:\W|$)" if member[-1:].isalnum() else ""
    return f"(?i){before}({words}){after}"
