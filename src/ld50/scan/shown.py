"""Rows of an association with the stretch of text that is the consequence."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from ld50.core.records import Record
from ld50.scan import replies
from ld50.scan.associate import Consequence
from ld50.scan.continuations import SWITCH, Segments, gibberish_kind
from ld50.scan.engine import Evidence
from ld50.scan.evidence import characters

#: Of what stands around a trigger, and of what follows it, so much is read.
CONTEXT_CHARACTERS = 1200
#: Characters of the head of a document: of a long one so many are read, and ...
HEAD = 800
#: ... so many before an onset.
_NEAR = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A row with the texts that cause and consequence stand in."""

    record: Record
    cause_side: str
    cause_text: str
    consequence_side: str
    consequence_text: str
    payload: tuple[int, int]
    """Characters of `consequence_text` that are the consequence."""
    offset: int = 0
    """How much further in its side what follows stands, as what is before may be left out."""
    end: int | None = None
    """Where the consequence ends in its side, if that is beyond the cut."""


def show(
    evidence: Evidence, number: int, records: dict[int, Record], rows: np.ndarray
) -> list[Shown]:
    """Rows of one consequence with the stretch of text that is the consequence."""
    consequence, group = evidence.consequences[number], evidence.groups[number]
    if group is None:
        stretches = _stretches(evidence.survey.texts, consequence, rows)
        return [
            _shown_text(records[row], stretches[row]) for row in rows.tolist() if row in stretches
        ]
    chosen = [records[row] for row in rows.tolist()]
    prompts = pa.array([record.prompt for record in chosen], type=pa.large_string())
    responses = pa.array([record.response for record in chosen], type=pa.large_string())
    starts, ends = replies.locate(group, prompts, responses)
    return [
        Shown(
            record=record,
            cause_side="prompt",
            cause_text=record.prompt,
            consequence_side="response",
            consequence_text=record.response,
            payload=(int(start), int(end)),
        )
        for record, start, end in zip(chosen, starts, ends, strict=True)
    ]


def _stretches(
    texts: Segments, consequence: Consequence, rows: np.ndarray
) -> dict[int, tuple[int, int]]:
    """Byte range of the consequence in each of the rows, the strongest where there are several."""
    if consequence.kind == "language_switch":
        match = (texts.kind == SWITCH) & (texts.lane == consequence.key - 1)
    else:
        match = texts.kind == gibberish_kind(consequence.key)
    match &= np.isin(texts.row, rows)
    index = np.flatnonzero(match)
    index = index[np.argsort(texts.score[index], kind="stable")]
    return {int(texts.row[i]): (int(texts.start[i]), int(texts.end[i])) for i in index.tolist()}


def _shown_text(record: Record, stretch: tuple[int, int]) -> Shown:
    side, text = ("text", record.text)
    if any(part.side == "response" for part in record.parts):
        side, text = "response", record.response
    start, end = characters(text, *stretch)
    # A trigger stands near the onset or at the head; the rest of a long document need not be read.
    near, offset = text[: start + 2 * CONTEXT_CHARACTERS], 0
    if start >= 2 * _NEAR:
        near = f"{near[:HEAD]}\n{near[start - _NEAR :]}"
        offset = start - _NEAR - (HEAD + 1)
    return Shown(
        record=record,
        cause_side=side,
        cause_text=near,
        consequence_side=side,
        consequence_text=near,
        payload=(start - offset, min(end - offset, len(near))),
        offset=offset,
        end=end,
    )
