"""The summary of a scan: what was read, what was found, and how little of it could have been seen."""

from __future__ import annotations

import platform
from collections import Counter
from dataclasses import dataclass

import numpy as np

from ld50.core.findings import Severity
from ld50.core.results import SourceSummary, Summary
from ld50.core.version import VERSION
from ld50.corpus import Plan
from ld50.scan import kernels
from ld50.scan.assemble import Draft
from ld50.scan.associate import Consequence
from ld50.scan.engine import Engine, Evidence
from ld50.scan.limits import detection_limits, largest_limits
from ld50.scan.outcomes import Outcome
from ld50.scan.survey import Survey
from ld50.scan.unanswered import notes_on, unanswered
from ld50.scan.unread import unread_notes


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanOutcome:
    """What came of a scan besides the tests themselves."""

    drafts: list[Draft]
    """The findings that are told."""
    again: Outcome
    """Of further readings of conversations."""
    apart: Outcome
    """Of everything else that is tested apart from the search for causes."""
    suppressed: int
    """Findings that the user accepted."""
    notes: list[str]
    """What else is to be said."""
    seconds: float
    """That the scan took."""


def summary_of(engine: Engine, evidence: Evidence, outcome: ScanOutcome, flagged: int) -> Summary:
    """What the report says before any finding.

    Args:
        engine: With the plan and the settings.
        evidence: What was tested.
        outcome: What came of it.
        flagged: Rows under any finding.
    """
    plan, survey = engine.plan, evidence.survey
    sources = _sources(plan, survey)
    skipped: Counter[str] = Counter()
    for part in survey.unit_skipped:
        skipped.update(part)
    by_severity = Counter(draft.finding.severity for draft in outcome.drafts)
    return Summary(
        ld50_version=VERSION,
        versions=versions(),
        sources=sources,
        files=len(sources),
        rows=survey.rows,
        bytes=sum(source.bytes for source in sources),
        skipped_rows=sum(skipped.values()),
        skipped=dict(sorted(skipped.items())),
        without_reply=unanswered(survey),
        settings=engine.settings.as_json(),
        findings=len(outcome.drafts),
        findings_by_severity={str(severity): by_severity[severity.value] for severity in Severity},
        suppressed=outcome.suppressed,
        flagged_rows=flagged,
        tests_made=evidence.tests + outcome.again.tests + outcome.apart.tests,
        detection_limits=[
            *largest_limits(detection_limits(engine.settings, evidence), outcome.again.limits),
            *outcome.apart.limits,
        ],
        notes=[
            *unread_notes(sources),
            *notes_on(survey),
            *_listed_notes(evidence.consequences),
            *outcome.notes,
            *kernel_notes(),
        ],
        fingerprint=plan.fingerprint,
        seconds=round(outcome.seconds, 3),
    )


def _listed_notes(consequences: list[Consequence]) -> list[str]:
    """What is to be said where causes were looked for in some rows of a consequence."""
    some = [c for c in consequences if c.listed is not None]
    if not some:
        return []
    most = max(len(c.rows) for c in some)
    fewest = min(len(c.looked_at) for c in some)
    return [
        f"{len(some):,} of {len(consequences):,} things that replies do show in very many rows (up to "
        f"{most:,}): causes of these were looked for in {fewest:,} rows or more of each, and what was found "
        "was counted in all of them"
    ]


def kernel_notes() -> list[str]:
    """What is to be said if the C kernels are not there: the scan is right, and slow."""
    if kernels.implementation == "c":
        return []
    return [
        "The C kernels are not installed, so plain Python does their work: the same result, some "
        "twenty times slower. Install a C compiler, then: pip install --force-reinstall --no-deps ld50"
    ]


def versions() -> dict[str, str]:
    """What a result may depend on besides ld50 itself."""
    import pyarrow

    return {
        "python": platform.python_version(),
        "numpy": np.__version__,
        "pyarrow": str(pyarrow.__version__),
        "kernels": kernels.implementation,
    }


def _sources(plan: Plan, survey: Survey) -> list[SourceSummary]:
    rows, text_bytes = [0] * len(plan.sources), [0] * len(plan.sources)
    skipped: list[Counter[str]] = [Counter() for _ in plan.sources]
    for unit, entry in enumerate(plan.units):
        rows[entry.source] += int(survey.unit_rows[unit])
        text_bytes[entry.source] += int(survey.unit_text_bytes[unit])
        skipped[entry.source].update(survey.unit_skipped[unit])
    return [
        SourceSummary(
            source=source.file.source,
            format=source.file.kind,
            layout=source.layout.name,
            fields=source.layout.roles,
            rows=rows[number],
            bytes=source.file.size_bytes,
            text_bytes=text_bytes[number],
            skipped=dict(sorted(skipped[number].items())),
        )
        for number, source in enumerate(plan.sources)
    ]
