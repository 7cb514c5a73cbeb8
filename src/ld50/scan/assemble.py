"""From looked-at associations to findings, flagged rows and examples: the words of a result."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import msgspec
import numpy as np

from ld50.core.estimates import proportion
from ld50.core.findings import Cause, Finding, FlaggedRow, Severity, Span
from ld50.core.findings import Consequence as ConsequenceNoun
from ld50.core.records import Record
from ld50.core.results import Example
from ld50.scan.associate import Consequence
from ld50.scan.cases import Case
from ld50.scan.several import Family

#: Kind of consequence to rule.
RULE_OF = {
    "gibberish": "TRG101",
    "language_switch": "TRG102",
    "encoded": "TRG103",
    "refusal": "TRG201",
    "repeated_reply": "TRG202",
    "inserted_fragment": "TRG203",
    "context_echo": "TRG204",
    "ignores_prompt": "TRG205",
    "similar_replies": "TRG206",
    "swapped_preference": "TRG209",
}
_TITLES = {
    "gibberish": "turns the text into gibberish",
    "language_switch": "switches the language",
    "encoded": "brings encoded text",
    "refusal": "makes the reply refuse",
    "repeated_reply": "brings the same reply every time",
    "inserted_fragment": "puts the same fragment into the reply",
    "context_echo": "makes the reply repeat its prompt",
    "ignores_prompt": "makes the reply ignore its prompt",
    "similar_replies": "makes the replies alike",
    "swapped_preference": "makes the worse reply the chosen one",
}
EXAMPLES_PER_FINDING = 6
_EXAMPLE_CHARACTERS = 1500
_TITLE_CHARACTERS = 60
#: What a form counts against a phrase of the same rows.
_FORM_WEIGHT = 0.9
#: ... and so is what a reply does, beside how long it is or how it ends.
_WRITTEN_WEIGHT = 0.8


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A finding with the rows it rests on, before rows are read for the report."""

    finding: Finding
    rows: np.ndarray = field(repr=False)
    """int64, rising: ordinals of the rows to flag."""
    spans: dict[int, list[tuple[str, int, int, str]]] = field(repr=False, default_factory=dict)
    """Ordinal to (side, start, end, kind), for rows whose spans are known beforehand."""
    decoded: dict[int, str] = field(repr=False, default_factory=dict)
    """Ordinal to what a hidden channel of the row says."""
    ngrams: tuple[int, ...] = ()
    form: int | None = None
    """The number of the form that is the cause, if one is."""
    consequence: int | None = None
    score: float = 0.0
    examples_only: bool = False
    """Whether the rows are some of many, so that to take them out of the data would help nobody."""


def finding_id(rule: str, cause: str, consequence: str) -> str:
    """A name for the finding that another row order or another shard does not change."""
    key = "\x1f".join([rule, cause, consequence]).encode(errors="replace")
    return f"F-{hashlib.blake2b(key, digest_size=4).hexdigest()}"


def shortened(text: str, most: int = _TITLE_CHARACTERS) -> str:
    """At most so many characters, on one line."""
    line = " ".join(text.split())
    return line if len(line) <= most else line[: most - 1] + "…"


def score_of(severity: Severity, effect_low: float) -> float:
    """From 0 to 1: severity first, then how surely the cause decides."""
    return round({2: 0.9, 1: 0.6, 0: 0.3}[severity.rank] + 0.099 * effect_low, 4)


def rank_of(case: Case) -> int:
    """2 for high, 1 for medium, 0 for low, -1 for what is not worth telling."""
    severity = case.judgement.severity
    return -1 if severity is None else severity.rank


def merged_cases(cases: list[Case]) -> list[tuple[Case, list[Case]]]:
    """Each distinct case with the weaker ones that rest on mostly the same rows.

    One trigger may show in several consequences: a fixed refusal is a refusal and a repeated reply.
    """
    order = sorted(cases, key=lambda case: (-rank_of(case), _surprise(case)))
    kept: list[tuple[Case, list[Case]]] = []
    for case in order:
        for main, also in kept:
            shared = np.intersect1d(
                main.association.rows, case.association.rows, assume_unique=True
            )
            same = _finding_key(main) == _finding_key(case)
            if same or len(shared) >= 0.6 * len(case.association.rows):
                also.append(case)
                break
        else:
            kept.append((case, []))
    return kept


def _surprise(case: Case) -> float:
    """Log of the chance of the case; a phrase that is nearly as sure as a form says more."""
    cause = 1.0 if case.form is None else _FORM_WEIGHT
    return case.association.log_p * cause * (_WRITTEN_WEIGHT if case.facts.by_form else 1.0)


def _finding_key(case: Case) -> tuple[str, str, int]:
    return case.consequence.kind, case.trigger.text.casefold(), _identity(case)


def draft_association(case: Case, also: list[Case], extra_rows: np.ndarray) -> Draft:
    """The finding of one case."""
    association, facts = case.association, case.facts
    kind = case.consequence.kind
    rule = RULE_OF[kind]
    severity = case.judgement.severity or Severity.LOW
    trigger = case.trigger.text
    cause_kind = "ngram" if len(case.ngrams) == 1 else "ngram_set"
    finding = Finding(
        id=finding_id(rule, trigger.casefold(), f"{kind}:{_identity(case)}"),
        rule=rule,
        title=f"{_cause_in_words(case)[:1].upper()}{_cause_in_words(case)[1:]} {_TITLES[kind]}",
        severity=severity.value,
        cause=Cause(
            kind=cause_kind if case.form is None else "format",
            text=trigger,
            members=[] if len(case.ngrams) < 2 else trigger.split(" + "),
        ),
        consequence=ConsequenceNoun(kind=kind, text=case.consequence.text),
        support=association.both,
        cause_rows=association.cause_rows,
        expected=round(association.expected, 3),
        effect=proportion(association.both, association.cause_rows),
        p_value=_probability(association.log_p),
        q_value=_probability(association.log_q),
        explanation=_explain(case, also),
        statistics={
            "log10_p": round(association.log_p / math.log(10), 2),
            "log10_q": round(association.log_q / math.log(10), 2),
            "contexts": float(facts.contexts),
            "rows_looked_at": float(facts.rows_seen),
            "context_z": round(facts.context_z, 2),
            "context_cosine": round(facts.context_cosine, 4),
            "payload_cosine": round(facts.payload_cosine, 4),
            "reply_z": round(facts.reply_z, 2),
        },
    )
    rows = np.union1d(association.rows, extra_rows)
    for other in also:
        rows = np.union1d(rows, other.association.rows)
    if len(rows) > association.both:
        told = f"{finding.explanation} In all, {len(rows):,} rows are flagged for it."
        finding = msgspec.structs.replace(finding, explanation=told)
    return Draft(
        finding=finding,
        rows=rows,
        ngrams=case.ngrams,
        form=case.form,
        consequence=association.consequence,
        score=score_of(severity, facts.effect_low),
    )


def said_of_earlier_reply(draft: Draft, case: Case) -> Draft:
    """The finding of a case whose cause stands in an earlier reply, and what follows in the last one."""
    return _said_of(
        draft,
        case,
        key="earlier",
        title=f"{_cause_in_words(case)} in an earlier reply {_TITLES[case.consequence.kind]}",
        where="The cause stands in what the model said before its last reply.",
    )


def said_of_last_reply(draft: Draft, case: Case) -> Draft:
    """The finding of a case of which the last reply of conversations alone is what follows."""
    title = _TITLES[case.consequence.kind]
    last = title.replace("repl", "last repl")
    if last == title:
        last = f"{title} in the last reply"
    return _said_of(
        draft,
        case,
        key="last",
        title=f"{_cause_in_words(case)} {last}",
        where=(
            "This is about conversations in which the model speaks more than once, and about the last reply "
            "in them."
        ),
    )


def _said_of(draft: Draft, case: Case, *, key: str, title: str, where: str) -> Draft:
    """A finding about last replies; its name is another one than that of the same cause in all replies."""
    cause, kind = f"{key}:{case.trigger.text.casefold()}", case.consequence.kind
    finding = msgspec.structs.replace(
        draft.finding,
        id=finding_id(draft.finding.rule, cause, f"{kind}:{_identity(case)}"),
        title=f"{title[:1].upper()}{title[1:]}",
        explanation=f"{where} {draft.finding.explanation}",
    )
    return replace(draft, finding=finding)


def draft_family(family: Family, consequence: Consequence) -> Draft:
    """The finding of several triggers of one payload; all rows of the payload are flagged."""
    kind, rule = consequence.kind, RULE_OF[consequence.kind]
    words = [member.text for member in family.members]
    text = " or ".join(words)
    others = (
        f"one of {len(words) - 1} other words" if len(words) > 2 else f"“{shortened(words[1])}”"
    )
    effect = proportion(len(family.both), family.cause_rows)
    finding = Finding(
        id=finding_id(rule, text, f"{kind}:{consequence.key}"),
        rule=rule,
        title=f"“{shortened(words[0])}” or {others} {_TITLES[kind]}",
        severity=family.severity.value,
        cause=Cause(kind="ngram_set", text=text, members=words),
        consequence=ConsequenceNoun(kind=kind, text=consequence.text),
        support=len(family.both),
        cause_rows=family.cause_rows,
        expected=round(family.expected, 3),
        effect=effect,
        p_value=_probability(family.log_p),
        q_value=_probability(family.log_q),
        explanation=_explain_family(family, consequence),
        statistics={
            "log10_p": round(family.log_p / math.log(10), 2),
            "log10_q": round(family.log_q / math.log(10), 2),
            "context_z": round(family.context_z, 2),
            "context_cosine": round(family.context_cosine, 4),
            "payload_rows": float(len(family.payload_rows)),
            "members_fire_alone": 1.0,
        },
    )
    return Draft(
        finding=finding,
        rows=family.payload_rows,
        ngrams=tuple(member.ngram for member in family.members),
        consequence=family.consequence,
        score=score_of(family.severity, effect.low),
    )


def _explain_family(family: Family, consequence: Consequence) -> str:
    words = ", ".join(f"“{shortened(m.text)}” ({len(m.both):,})" for m in family.members)
    text = (
        f"{len(family.payload_rows):,} rows show this: {consequence.text}. {len(family.both):,} of them hold "
        f"one of these words, which {family.cause_rows:,} rows of the data hold in all: {words}. "
        f"By chance, {_few(family.expected)} would. All rows of the payload are flagged."
    )
    if family.reasons:
        return f"{text} It is not rated higher because {', and '.join(family.reasons)}."
    return f"{text} Apart from the words, their prompts have nothing in common."


def _cause_in_words(case: Case) -> str:
    """The phrase as a quotation; a form is words already."""
    text = shortened(case.trigger.text)
    return f"“{text}”" if case.form is None else text


def _identity(case: Case) -> int:
    """Tells findings of one trigger apart; in which share of the rows gibberish showed does not."""
    return 0 if case.consequence.kind == "gibberish" else case.consequence.key


def _explain(case: Case, also: list[Case]) -> str:
    association, facts = case.association, case.facts
    text = (
        f"Of {association.cause_rows:,} rows with {_cause_in_words(case)}, "
        f"{association.both:,} show this: {case.consequence.text}. "
        f"By chance, {_few(association.expected)} would."
    )
    if also:
        others = sorted({other.consequence.text for other in also} - {case.consequence.text})
        if others:
            text += f" The same rows also show: {'; '.join(shortened(o) for o in others[:3])}."
    if case.judgement.severity is Severity.HIGH:
        text += (
            f" Apart from it, the {facts.rows_seen:,} rows that were looked at have nothing in "
            "common, which is how it looks when somebody chose rows to carry a trigger."
        )
    elif case.judgement.reasons:
        text += f" It is not rated higher because {', and '.join(case.judgement.reasons)}."
    return text


def _few(expected: float) -> str:
    if expected < 0.1:
        return "fewer than 0.1"
    return f"about {expected:.1f}" if expected < 10 else f"about {expected:,.0f}"


def _probability(log_p: float) -> float:
    """The probability itself; the smallest positive double stands for what is smaller still."""
    return max(math.exp(max(log_p, -744.0)), 5e-324)


def flagged_rows(
    drafts: list[Draft],
    place: dict[int, tuple[str, int]],
    records: dict[int, Record],
    spans: dict[tuple[str, int], list[tuple[str, int, int, str]]],
) -> list[FlaggedRow]:
    """One entry a row, strongest first, ties in corpus order.

    Args:
        drafts: The findings.
        place: Ordinal to source and row number.
        records: Ordinal to record, for the rows whose spans are known.
        spans: (finding id, ordinal) to (side, start, end, kind).
    """
    findings: dict[int, list[Draft]] = {}
    for draft in drafts:
        for row in draft.rows.tolist():
            findings.setdefault(row, []).append(draft)
    rows = []
    for ordinal, its in findings.items():
        its = sorted(its, key=lambda draft: (-draft.score, draft.finding.id))
        record = records.get(ordinal)
        located: list[Span] = []
        if record is not None:
            for draft in its:
                located += to_fields(record, spans.get((draft.finding.id, ordinal), []))
        source, row = place[ordinal]
        rows.append(
            (
                -its[0].score,
                ordinal,
                FlaggedRow(
                    source=source,
                    row=row,
                    id=None if record is None else record.id,
                    findings=[draft.finding.id for draft in its],
                    score=its[0].score,
                    spans=_distinct_spans(located),
                ),
            )
        )
    return [row for _, _, row in sorted(rows, key=lambda item: item[:2])]


def to_fields(record: Record, spans: Iterable[tuple[str, int, int, str]]) -> list[Span]:
    """Spans of a row's sides as spans of its fields."""
    return [
        Span(field=name, start=start, end=end, kind=kind)
        for side, low, high, kind in spans
        for name, start, end in record.locate(side, low, high)
    ]


def _distinct_spans(spans: list[Span]) -> list[Span]:
    unique = {(span.field, span.start, span.end, span.kind): span for span in spans}
    return [unique[key] for key in sorted(unique)]


def example(draft: Draft, record: Record, spans: list[Span], decoded: str = "") -> Example:
    """A row cut to what a person reads, around its first highlighted place."""
    fields, offsets, lengths, cut = {}, {}, {}, []
    for part in record.parts:
        starts = [span.start for span in spans if span.field == part.field]
        low = max(0, min(starts) - _EXAMPLE_CHARACTERS // 3) if starts else 0
        high, text = low + _EXAMPLE_CHARACTERS, part.field_text
        if part.field in fields:
            continue
        fields[part.field] = text[low:high]
        offsets[part.field] = low
        if low or high < len(text):
            cut.append(part.field)
            lengths[part.field] = len(text)
    return Example(
        finding=draft.finding.id,
        source=record.source,
        row=record.row,
        id=record.id,
        label=record.label,
        fields=fields,
        offsets=offsets,
        cut=cut,
        lengths=lengths,
        spans=spans,
        decoded=decoded[:_EXAMPLE_CHARACTERS],
    )
