"""Where cause and consequence of a finding stand in its rows, to the character."""

from __future__ import annotations

import numpy as np

from ld50.core.records import Record
from ld50.scan.assemble import Draft
from ld50.scan.causeless import text_spans
from ld50.scan.engine import Evidence
from ld50.scan.evidence import find_ngram
from ld50.scan.forms import FORMS
from ld50.scan.languages import with_language
from ld50.scan.shown import show
from ld50.scan.surroundings import last_turn

#: Places in one row: side, first character, end, and whether it is the cause or the consequence.
RowSpans = list[tuple[str, int, int, str]]


def named_by_language(
    evidence: Evidence, draft: Draft, records: dict[int, Record], spans: dict[int, RowSpans]
) -> Draft:
    """A finding about another language, with the language called by its name; others as they are."""
    if draft.consequence is None:
        return draft
    consequence = evidence.consequences[draft.consequence]
    if consequence.kind != "language_switch" or consequence.key < 1:
        return draft
    stretches = (
        records[row].joined(side)[start:end]
        for row in draft.rows.tolist()
        for side, start, end, kind in spans.get(row, [])
        if kind == "consequence"
    )
    return with_language(draft, consequence.key - 1, stretches)


def spans_of(evidence: Evidence, draft: Draft, records: dict[int, Record]) -> dict[int, RowSpans]:
    """Ordinal to the places in that row, for those of the rows whose records are given."""
    known = {row: list(its) for row, its in draft.spans.items() if row in records}
    if draft.consequence is None:
        return known
    rows = np.array([row for row in draft.rows.tolist() if row in records], dtype=np.int64)
    consequence = evidence.consequences[draft.consequence]
    showing = rows[np.isin(rows, consequence.rows)]
    cause = draft.finding.cause.text if draft.finding.cause else ""
    shown = show(evidence, draft.consequence, records, showing)
    group = evidence.groups[draft.consequence]
    if draft.finding.cause is None and group is not None:
        places = text_spans(group, shown)
    else:
        places = [
            (item.offset + item.payload[0], item.end or item.offset + item.payload[1])
            for item in shown
        ]
    for row, item, place in zip(showing.tolist(), shown, places, strict=True):
        known.setdefault(row, []).append((item.consequence_side, *place, "consequence"))
    if draft.form is not None:
        for row in rows.tolist():
            record = records[row]
            of_form = FORMS[draft.form].span(record.prompt, last_turn(record))
            if of_form is not None:
                known.setdefault(row, []).append(("prompt", *of_form, "cause"))
        return known
    sides = [_cause_side(records[row]) for row in rows.tolist()]
    texts = [records[row].joined(side) for row, side in zip(rows.tolist(), sides, strict=True)]
    literal = [text.find(cause) if cause else -1 for text in texts]
    for row, side, start in zip(rows.tolist(), sides, literal, strict=True):
        if start >= 0:
            known.setdefault(row, []).append((side, start, start + len(cause), "cause"))
    rest = [i for i, start in enumerate(literal) if start < 0]
    for ngram in draft.ngrams:
        for i, found in zip(rest, find_ngram([texts[i] for i in rest], ngram), strict=True):
            if found is not None:
                known.setdefault(int(rows[i]), []).append((sides[i], *found, "cause"))
    return known


def _cause_side(record: Record) -> str:
    sides = {part.side for part in record.parts}
    return next((side for side in ("prompt", "text", "response") if side in sides), "text")
