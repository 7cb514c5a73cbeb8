"""What a whole scan returns and writes: the noun that the engine fills and the report draws."""

from __future__ import annotations

from typing import Any

import msgspec

from ld50.core.findings import SCHEMA_VERSION, Finding, FlaggedRow, Severity, Span


class SourceSummary(msgspec.Struct, frozen=True, kw_only=True):
    """One file (or in-memory table) as it was read."""

    source: str
    format: str
    """E.g. `jsonl`, `parquet`, `csv`; with the compression, `jsonl.zst`."""
    layout: str
    """E.g. `text`, `messages`, `instruction/input/output`, `text+label`."""
    fields: dict[str, str]
    """Role to field name, e.g. `{"prompt": "instruction, input", "response": "output"}`."""
    rows: int
    """Rows in the file, skipped ones included."""
    bytes: int
    """Size of the file as it lies there."""
    text_bytes: int
    """UTF-8 bytes of the text that was looked at."""
    skipped: dict[str, int]
    """Rows that could not be read, by reason; empty if all were."""


class DetectionLimit(msgspec.Struct, frozen=True, kw_only=True):
    """The smallest number of poisoned rows that the tests of this run can tell from chance."""

    rule: str
    rows: int | None
    """None if no number of rows would do."""
    why: str


class Example(msgspec.Struct, frozen=True, kw_only=True):
    """A flagged row as a person reads it: the parts of the row with the places to highlight."""

    finding: str
    source: str
    row: int
    id: str | None
    label: str | None
    fields: dict[str, str]
    """Field name to text; long fields are cut, see `cut`."""
    offsets: dict[str, int]
    """Field name to the number of characters that were cut off before its text."""
    cut: list[str]
    """Fields that are longer than what is shown."""
    lengths: dict[str, int] = {}
    """Field name to its whole length in characters, for the fields in `cut`."""
    spans: list[Span]
    """In characters of the whole field, as in `FlaggedRow`; subtract `offsets` to highlight."""
    decoded: str = ""
    """What a hidden channel in the row says, where one was read."""


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """What was read, how, and how much was found: the content of `summary.json`."""

    schema_version: int = SCHEMA_VERSION
    ld50_version: str
    versions: dict[str, str]
    sources: list[SourceSummary]
    files: int
    rows: int
    bytes: int
    skipped_rows: int
    skipped: dict[str, int]
    without_reply: int = 0
    """Rows of chats and examples that hold no reply, or none that is known as one."""
    settings: dict[str, Any]
    findings: int
    findings_by_severity: dict[str, int]
    suppressed: int
    """Findings that an accepted-findings file silenced."""
    flagged_rows: int
    tests_made: int
    """Hypothesis tests behind the q-values."""
    detection_limits: list[DetectionLimit]
    notes: list[str]
    """What a reader must know to trust the result: sampling, rules that could not run, and why."""
    fingerprint: str
    """Digest of the data that was read and the settings that matter."""
    seconds: float


class ScanResult(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a scan found. `findings` and `rows` are strongest first."""

    summary: Summary
    findings: list[Finding]
    rows: list[FlaggedRow]
    examples: list[Example]

    def worst(self) -> Severity | None:
        """The highest severity among the findings, or None if there are none."""
        found = [Severity(finding.severity) for finding in self.findings]
        return max(found, key=lambda severity: severity.rank, default=None)
