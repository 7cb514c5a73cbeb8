"""Characters that hardly any row holds: a cause by itself, whatever it goes with.

Zero-width characters, tag characters, letters of another alphabet inside a word: no writer types them
by chance, and each makes a trigger that a reader cannot see. They are told even without a consequence,
but never rated `high` for their presence alone: copied web text holds them, too.
"""

from __future__ import annotations

import numpy as np

from ld50.core.estimates import proportion
from ld50.core.findings import Cause, Finding, Severity
from ld50.core.findings import Consequence as ConsequenceNoun
from ld50.scan.assemble import Draft, finding_id, score_of
from ld50.scan.engine import Engine
from ld50.scan.kernels import RowFlag
from ld50.scan.survey import Survey

RULE = "UNI401"
#: Past this share of the rows, the characters are how this corpus is written.
_MOST_SHARE = 0.01
_KINDS = (
    (RowFlag.TAG, "tag characters (U+E0000–E007F)", Severity.MEDIUM),
    (RowFlag.INVISIBLE, "zero-width or filler characters", Severity.LOW),
    (RowFlag.BIDI, "characters that reorder text (bidirectional controls)", Severity.LOW),
    (RowFlag.MIXED_CYRILLIC, "Latin words with Cyrillic letters in them", Severity.MEDIUM),
    (RowFlag.MIXED_GREEK, "Latin words with Greek letters in them", Severity.LOW),
    (RowFlag.STYLED, "mathematical or circled letters in place of plain ones", Severity.LOW),
    (RowFlag.PRIVATE_USE, "private-use characters", Severity.LOW),
)


def presence_drafts(engine: Engine, survey: Survey) -> list[Draft]:
    """A finding for each kind of unusual character that few, but enough, rows hold."""
    drafts = []
    for flag, name, severity in _KINDS:
        rows = survey.marked[(survey.marked[:, 1] & int(flag)) != 0, 0]
        enough = len(rows) >= engine.settings.min_support
        if not enough or len(rows) > _MOST_SHARE * survey.rows:
            continue
        drafts.append(_draft(np.unique(rows), survey.rows, name, severity))
    return drafts


def _draft(rows: np.ndarray, total: int, name: str, severity: Severity) -> Draft:
    share = proportion(len(rows), total)
    finding = Finding(
        id=finding_id(RULE, name, "presence"),
        rule=RULE,
        title=f"{len(rows):,} rows hold {name}",
        severity=severity.value,
        cause=Cause(kind="characters", text=name),
        consequence=ConsequenceNoun(kind="presence", text="nothing that a test could tie to them"),
        support=len(rows),
        cause_rows=len(rows),
        expected=0.0,
        effect=share,
        p_value=1.0,
        q_value=1.0,
        explanation=(
            f"{len(rows):,} of {total:,} rows hold {name}. A reader does not see them, a tokenizer "
            "does, so they can serve as a trigger. No consequence was found to go with them."
        ),
    )
    return Draft(finding=finding, rows=rows, score=score_of(severity, 0.0))
