"""Accepted causes as findings: their names, figures, and where they stand in each row."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa

from ld50.core.estimates import proportion
from ld50.scan.labels.causes import Evidence, Index, Phrase
from ld50.scan.labels.families import Conclusion
from ld50.scan.labels.findings import LabelFinding
from ld50.scan.labels.judging import Study
from ld50.scan.statistics import benjamini_hochberg

#: Rows of a style are flagged from here on. The turns by which they are found leave the odds too
#: low: of the rows between this and one half, most are planted.
_FLAG = 0.2
_KINDS = {"ngram": "ngram", "association": "ngram", "pattern": "pattern"}
#: Between the members of a cause: all of them together, any one of them, or one manner of writing.
_JOINTS = {"family": " or ", "pattern": " | "}


def describe(
    study: Study,
    texts: pa.Array,
    conclusions: list[Conclusion],
    tests: int,
    codes: np.ndarray,
    names: Sequence[str],
) -> list[LabelFinding]:
    """Findings, strongest first.

    Args:
        study: The rows.
        texts: The same as text.
        conclusions: Causes; those below `least_suspicion` are left out.
        tests: Tests made.
        codes: The caller's code of each label.
        names: Name of each label.
    """
    tests = max(tests, len(conclusions))
    log_p = np.array([min(0.0, -one.judged.nats) for one in conclusions])
    log_q = benjamini_hochberg(log_p, tests) if conclusions else log_p
    findings = []
    for one, p, q in zip(conclusions, log_p, log_q, strict=True):
        if one.suspicion >= study.settings.least_suspicion:
            label = one.judged.suspect.label
            finding = finding_of(study.index, texts, one, int(codes[label]), names[label])
            finding = replace(finding, tests=tests, log_p=float(p))
            findings.append(replace(finding, p_value=math.exp(p), q_value=math.exp(q)))
    return sorted(findings, key=lambda one: (-one.suspicion, one.log_p, one.text))


def finding_of(
    index: Index, texts: pa.Array, one: Conclusion, code: int, name: str
) -> LabelFinding:
    """The finding, its p-value left open."""
    suspect, evidence = one.judged.suspect, one.judged.evidence
    members = suspect.patterns or tuple(index.spell(phrase) for phrase in suspect.phrases)
    rows, scores = _flagged(one)
    cause_rows = np.union1d(evidence.cause_rows, rows)
    return LabelFinding(
        kind=_KINDS.get(suspect.kind, "ngram_set"),
        text=_JOINTS.get(suspect.kind, " + ").join(members),
        members=members if len(members) > 1 else (),
        label=code,
        label_name=name,
        rows=rows,
        cause_rows=cause_rows,
        row_scores=scores,
        spans=_spans(index, texts, suspect.phrases, rows) if suspect.phrases else (),
        expected=evidence.expected,
        effect=proportion(len(rows), len(cause_rows), unit="rows"),
        log_p=0.0,
        p_value=1.0,
        tests=0,
        q_value=1.0,
        suspicion=one.suspicion,
        statistics=_statistics(one),
    )


def _flagged(one: Conclusion) -> tuple[np.ndarray, np.ndarray]:
    """Rows of the finding, and how sure it is of each."""
    judged = one.judged
    if judged.planted is not None:
        rows = np.flatnonzero(judged.planted > _FLAG).astype(np.int64)
        return rows, one.suspicion * judged.planted[rows]
    rows = judged.evidence.rows
    sure = one.suspicion if one.share is None else one.share[rows]
    return rows, sure * _planted(judged.evidence)


def _planted(evidence: Evidence) -> np.ndarray:
    """For each row, how likely it is that the cause was put in, as against written there."""
    odds = (1 - evidence.other) / max(evidence.other, 1e-9)
    natural = min(evidence.contrary * odds, len(evidence.rows) - 0.5)
    ratio = math.log((len(evidence.rows) - natural) / max(natural, 0.5))
    return np.asarray(1 / (1 + np.exp(-(evidence.ratio + ratio))))


def _statistics(one: Conclusion) -> dict[str, float]:
    evidence, about = one.judged.evidence, one.about
    figures = {
        "contradiction_nats": evidence.contradiction,
        "mixture_nats": evidence.mixture,
        "effective_rows": float(evidence.weight.sum()),
        "contrary_rows": float(evidence.contrary),
        "baseline_rate": 1 - evidence.other,
        "insertedness_nats": about.inserted,
        "rows_alike_ratio": about.alike,
        "label_coverage": about.coverage,
        "trigger_log_odds": about.log_odds,
        "label_contradicted": 0.0 if _uncontradicted(one) else 1.0,
        "members_fire_alone": 1.0 if one.judged.suspect.kind == "family" else math.nan,
    }
    return {name: value for name, value in figures.items() if not math.isnan(value)}


def _uncontradicted(one: Conclusion) -> bool:
    suspect = one.judged.suspect
    return suspect.kind == "association" or suspect.most < 1


def _spans(
    index: Index, texts: pa.Array, phrases: tuple[Phrase, ...], rows: np.ndarray
) -> tuple[tuple[tuple[int, int], ...], ...]:
    """Where the phrases stand in each of the rows, in characters."""
    found: dict[int, list[tuple[int, int]]] = {int(row): [] for row in rows}
    for phrase in phrases:
        place = index.find(phrase)
        row = index.row_of_token[place]
        wanted = np.isin(row, rows)
        for first, where in zip(place[wanted].tolist(), row[wanted].tolist(), strict=True):
            start = int(index.tokens.start[first])
            found[where].append((start, int(index.tokens.end[first + len(phrase) - 1])))
    spans = []
    for number, places in found.items():
        raw = texts[number].as_py().encode("utf-8", "replace")
        begin = _row_begin(index, texts, number)
        spans.append(
            tuple(
                (_characters(raw, start - begin), _characters(raw, end - begin))
                for start, end in sorted(places)
            )
        )
    return tuple(spans)


def _row_begin(index: Index, texts: pa.Array, row: int) -> int:
    """First byte of a row in `Tokens.data`."""
    offsets = np.frombuffer(texts.buffers()[1], dtype=np.int64)
    return int(offsets[texts.offset + row] - offsets[texts.offset])


def _characters(raw: bytes, end: int) -> int:
    return len(raw[:end].decode("utf-8", "ignore"))
