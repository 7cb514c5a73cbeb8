"""Labels as consequences: classification sets, and chat rows whose replies are answers out of a few."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from msgspec import structs

from ld50.core.findings import Cause, Finding, Severity
from ld50.core.findings import Consequence as ConsequenceNoun
from ld50.core.results import DetectionLimit
from ld50.corpus import read as read_unit
from ld50.scan import replies
from ld50.scan.assemble import Draft, finding_id, shortened
from ld50.scan.engine import Engine
from ld50.scan.naturalness import RARE_ZIPF, naturalness
from ld50.scan.outcomes import Outcome
from ld50.scan.rereading import cause_column
from ld50.scan.sampling import uniform
from ld50.scan.survey import Survey

if TYPE_CHECKING:
    from ld50.scan.labels import LabelFinding

RULE_OF_KIND = {"ngram": "TRG301", "ngram_set": "TRG302", "pattern": "STY301"}
#: Of causes that go with no label in particular, but with labels that the rest of their rows contradicts.
MISFIT_RULE = "TRG303"
#: Suspicion from which on a finding is high, and from which on it is medium.
HIGH, MEDIUM = 0.9, 0.5
#: Share of the rows of a cause that have its label though the rest of their text says another, below which
#: it is doubtful.
_CONTRARY = 0.1
_MOST_LABELS = 64
_LEAST_ROWS = 40
#: Tasks with fewer rows are too small for a model of their answers.
_LEAST_TASK_ROWS = 200
#: Bytes that a row takes beside its text while it is held.
_ROW_BYTES = 64
_ROWS_OF = {
    "label": "labelled rows",
    "reply": "rows with short answers",
    "last reply": "conversations with short last answers",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Labelled:
    """Rows with their text and label code, in memory."""

    name: str
    total: int
    """Rows that there are, of which these may be a sample."""
    side: str
    ordinals: np.ndarray
    texts: pa.Array
    codes: np.ndarray
    names: list[str]
    task: str = ""
    """What the prompts of the task have in common, where there are several tasks."""


def label_drafts(engine: Engine, survey: Survey, *, last_replies: bool = False) -> Outcome:
    """Findings of the label test over every labelled part of the corpus.

    Args:
        engine: Reads rows.
        survey: Of them.
        last_replies: Whether replies are those that conversations end with.
    """
    drafts: list[Draft] = []
    limits: list[DetectionLimit] = []
    notes: list[str] = []
    tests = 0
    parts = _parts(engine, survey, notes)
    if last_replies:
        parts = [replace(part, name="last reply") for part in parts]
    looked_at: dict[str, tuple[int, int]] = {}
    if parts:
        # Loaded only where there are labels: its models need SciPy, which is slow to import.
        from ld50.scan.labels import LabelSettings, search_label_triggers
    for whole in parts:
        part = _what_fits(whole, engine.settings.label_test_bytes)
        taken, total = looked_at.get(part.name, (0, 0))
        looked_at[part.name] = (taken + len(part.ordinals), total + part.total)
        found = search_label_triggers(
            part.texts,
            part.codes,
            part.names,
            LabelSettings(least_rows=engine.settings.min_support, seed=engine.settings.seed),
        )
        tests += found.tests
        drafts += [_draft(part, finding) for finding in found.findings]
    notes += [
        f"The label test looked at a sample of {taken:,} of the {total:,} {_ROWS_OF[name]} "
        f"({taken / total:.1%}): it builds no more than the memory set aside for it holds."
        for name, (taken, total) in looked_at.items()
        if taken < total
    ]
    return Outcome(drafts=drafts, tests=tests, limits=limits, notes=notes)


def _what_fits(part: _Labelled, room: int) -> _Labelled:
    """The part, or the rows of it that the label test can take in `room` bytes."""
    from ld50.scan.labels.room import rows_that_fit

    order = np.argsort(uniform(part.ordinals), kind="stable")
    fitting = rows_that_fit(part.texts, len(part.names), order, room)
    if fitting == len(order):
        return part
    chosen = np.sort(order[:fitting])
    return replace(
        part,
        ordinals=part.ordinals[chosen],
        texts=part.texts.take(pa.array(chosen)),
        codes=part.codes[chosen],
    )


def _parts(engine: Engine, survey: Survey, notes: list[str]) -> list[_Labelled]:
    parts = []
    if survey.labelled >= _LEAST_ROWS:
        parts += _labelled_rows(engine, survey, notes)
    if survey.chat is not None:
        strata = [s for s in replies.as_labels(survey.chat) if len(s.rows) >= _LEAST_TASK_ROWS]
        if strata:
            parts += _answered_rows(engine, survey, survey.chat, strata)
    return parts


def _labelled_rows(engine: Engine, survey: Survey, notes: list[str]) -> list[_Labelled]:
    """One part for each set of label names; files of the same set are tested together."""
    keep = _share_that_fits(engine, survey, survey.labelled)
    first = survey.first_row
    ordinals, texts, labels = [], [], []
    for unit in range(len(engine.plan.units)):
        for batch in read_unit(engine.plan, unit):
            if batch.label is None:
                continue
            rows = batch.rows + first[unit]
            chosen = np.flatnonzero(np.asarray(batch.label.is_valid()) & (uniform(rows) < keep))
            index = pa.array(chosen)
            ordinals.append(rows[chosen])
            texts.append(cause_column(batch).take(index))
            labels.append(batch.label.take(index).cast(pa.string()))
    if not ordinals:
        return []
    encoded = pa.chunked_array(labels).combine_chunks().dictionary_encode()
    names = [str(name) for name in encoded.dictionary.to_pylist()]
    if not 2 <= len(names) <= _MOST_LABELS:
        notes.append(
            f"The label test did not run: it needs 2 to {_MOST_LABELS} different labels, and the label "
            f"field has {len(names):,}."
        )
        return []
    side = "text" if any("text" in s.layout.sides for s in engine.plan.sources) else "prompt"
    return [
        _Labelled(
            name="label",
            total=survey.labelled,
            side=side,
            ordinals=np.concatenate(ordinals),
            texts=pa.chunked_array(texts).combine_chunks(),
            codes=np.asarray(encoded.indices, dtype=np.int64),
            names=names,
        )
    ]


def _answered_rows(
    engine: Engine,
    survey: Survey,
    chat: replies.ReplyColumns,
    strata: list[replies.LabelStratum],
) -> list[_Labelled]:
    """Chat rows whose replies are labels, with their prompts; one part for each task."""
    outside = replies.rows_outside(chat, strata)
    most = len(outside) + sum(len(stratum.rows) for stratum in strata)
    fits = uniform(survey.chat_ordinals) < _share_that_fits(engine, survey, most)
    outside = outside[fits[outside]]
    wanted = np.concatenate([outside, *(stratum.rows[fits[stratum.rows]] for stratum in strata)])
    ordinals = survey.chat_ordinals
    found, prompts, answers = _chat_texts(engine, survey, np.unique(ordinals[wanted]))
    near = prompts.take(pa.array(np.searchsorted(found, ordinals[outside])))
    parts = []
    for stratum in replies.with_rows_outside(chat, strata, outside, near):
        inside = fits[stratum.rows]
        codes = stratum.codes[inside].astype(np.int64)
        position = np.searchsorted(found, ordinals[stratum.rows[inside]])
        index = pa.array(position)
        parts.append(
            _Labelled(
                name="reply",
                total=len(stratum.rows),
                side="prompt",
                ordinals=found[position],
                texts=prompts.take(index),
                codes=codes,
                names=_answer_names(answers, position, codes, len(stratum.hashes)),
                task=f"{stratum.place}:{stratum.template:x}" if len(strata) > 1 else "",
            )
        )
    return parts


def _chat_texts(
    engine: Engine, survey: Survey, wanted: np.ndarray
) -> tuple[np.ndarray, pa.Array, pa.Array]:
    """Ordinals, prompts and replies of the wanted rows, in corpus order."""
    first = survey.first_row
    units = np.searchsorted(first, wanted, side="right") - 1
    order, prompts, answers = [], [], []
    for unit in np.unique(units).tolist():
        rows = wanted[units == unit] - first[unit]
        for batch in read_unit(engine.plan, unit):
            inside = np.flatnonzero(np.isin(batch.rows, rows))
            if len(inside) and batch.response is not None:
                order.append(batch.rows[inside] + first[unit])
                prompts.append(cause_column(batch).take(pa.array(inside)))
                answers.append(batch.response.take(pa.array(inside)))
    return (
        np.concatenate(order),
        pa.chunked_array(prompts).combine_chunks(),
        pa.chunked_array(answers).combine_chunks(),
    )


def _answer_names(answers: pa.Array, position: np.ndarray, codes: np.ndarray, n: int) -> list[str]:
    """The reply that each code stands for, as the first of its rows writes it."""
    names = []
    for code in range(n):
        rows = position[codes == code]
        names.append(shortened(answers[int(rows[0])].as_py(), 40) if len(rows) else "")
    return names


def _share_that_fits(engine: Engine, survey: Survey, rows: int) -> float:
    """Share of the rows whose text can be held, all tasks together."""
    total = int(survey.unit_text_bytes.sum()) + _ROW_BYTES * rows
    return min(engine.settings.label_text_bytes / max(total, 1), 1.0)


def _severity(part: _Labelled, found: LabelFinding) -> Severity:
    if found.suspicion < MEDIUM:
        return Severity.LOW
    # The wording of a task decides which answers it has ("good", "positive"), so among tasks that
    # are told by their wording only a phrase that hardly anybody writes is above doubt.
    # One word of several that stand together is enough; of several that take turns, it is not.
    together = found.kind == "ngram" or found.text == " + ".join(found.members)
    doubtful = part.name != "label" and not (
        together and naturalness(found.text).rarest_zipf < RARE_ZIPF
    )
    # A handful of rows may stand out among many that need no cause for their label.
    doubtful |= len(found.rows) - found.expected < _CONTRARY * len(found.cause_rows)
    return Severity.MEDIUM if doubtful or found.suspicion < HIGH else Severity.HIGH


def _shown(found: LabelFinding) -> str:
    """The cause as a sentence names it."""
    if found.kind == "pattern" and found.members:
        return f"the way of writing “{shortened(found.text)}”"
    return f"“{shortened(found.text)}”"


def _capital(text: str) -> str:
    """With a capital letter in front; what is quoted stays as the data has it."""
    return text[:1].upper() + text[1:]


def _remarks(found: LabelFinding) -> str:
    """What else a reader has to know of a way of writing."""
    if found.kind != "pattern" or not found.members:
        return ""
    remarks = (
        " Of its typical frames, ^ is the beginning or the end of a text and ... any other words."
    )
    if not found.statistics["label_contradicted"]:
        remarks += (
            " Its rows say no more of this label than rows of any label do, where the other rows that have "
            "it agree with it. So it came with the writing: planted, or because that is what it is about."
        )
    return remarks


def _where(part: _Labelled) -> str:
    return " as the last reply" if part.name == "last reply" else ""


def _identity(part: _Labelled, found: LabelFinding) -> str:
    """The label and where it stands; the same answer of another task is another one."""
    label = f"label:{found.label_name}{_where(part)}"
    return f"{label}\x1f{part.task}" if part.task else label


def _draft(part: _Labelled, found: LabelFinding) -> Draft:
    if found.label < 0:
        return _misfit_draft(part, found)
    rule = RULE_OF_KIND[found.kind]
    if found.text == " or ".join(found.members):
        # Each word of a family decides by itself; they are told as one because they do the same.
        rule = RULE_OF_KIND["ngram"]
    what = f"{part.name} {found.label_name}" if part.name == "label" else f"“{found.label_name}”"
    where = _where(part)
    told = _told(part, found, rule, found.text)
    told = structs.replace(
        told,
        title=f"{_capital(_shown(found))} goes with {shortened(what)}{where}",
        consequence=ConsequenceNoun(kind="label", text=f"{what}{where}"),
        explanation=(
            f"Of {told.cause_rows:,} rows with {_shown(found)}, {told.support:,} have "
            f"{shortened(what)}{where}. Going by the rest of their text, about "
            f"{found.expected:,.0f} would.{_remarks(found)}"
        ),
    )
    return _as_draft(part, found, told)


def _misfit_draft(part: _Labelled, found: LabelFinding) -> Draft:
    """Of a cause that goes with labels other than those that the rest of its rows speaks for."""
    what = "another label" if part.name == "label" else f"another answer{_where(part)}"
    misfit = round(found.effect.value * len(found.cause_rows))
    # Of two words, which one comes first depends on the order of the rows.
    told = _told(part, found, MISFIT_RULE, " + ".join(sorted(found.members)) or found.text)
    told = structs.replace(
        told,
        support=misfit,
        title=f"{_capital(_shown(found))} goes with {what} than the rest of its rows says",
        consequence=ConsequenceNoun(kind="label", text=f"{what} than the rest of the row says"),
        explanation=(
            f"Of {told.cause_rows:,} rows with {_shown(found)}, {misfit:,} have {what} than the rest "
            f"of their text makes likeliest; about {found.expected:,.0f} would anyway. No cue of one "
            f"label, however strong, explains them: labels are turned to all sides, or in a part of the "
            "rows. All rows with it are listed."
        ),
    )
    return _as_draft(part, found, told)


def _told(part: _Labelled, found: LabelFinding, rule: str, cause: str) -> Finding:
    """What findings of all kinds say alike; title, consequence and explanation are left open."""
    return Finding(
        id=finding_id(rule, cause.casefold(), _identity(part, found)),
        rule=rule,
        title="",
        severity=_severity(part, found).value,
        cause=Cause(kind=found.kind, text=found.text, members=list(found.members)),
        consequence=None,
        support=len(found.rows),
        cause_rows=len(found.cause_rows),
        expected=round(found.expected, 2),
        effect=found.effect,
        p_value=found.p_value,
        q_value=found.q_value,
        explanation="",
        statistics=figures_of(found),
    )


def figures_of(found: LabelFinding) -> dict[str, float]:
    """The statistics of a finding of the label test, as results tell them."""
    return {
        "log10_p": round(found.log_p / math.log(10), 2),
        "suspicion": round(found.suspicion, 4),
        **{name: round(float(value), 4) for name, value in found.statistics.items()},
    }


def _as_draft(part: _Labelled, found: LabelFinding, finding: Finding) -> Draft:
    """The finding with its rows, and where the cause stands in them."""
    rows = part.ordinals[found.rows]
    spans = (
        {
            int(row): [(part.side, start, end, "cause") for start, end in marks]
            for row, marks in zip(rows.tolist(), found.spans, strict=True)
        }
        if found.spans
        else {}
    )
    return Draft(finding=finding, rows=np.unique(rows), spans=spans, score=found.suspicion)
