"""What a scan says: a finding is a cause that goes with a consequence, and the rows that show it."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from ld50.core.estimates import Estimate

#: Version of every file a scan writes. Fields are only ever added.
SCHEMA_VERSION = 1


class Severity(StrEnum):
    """How much to make of a finding; `high` means: act on it before you train."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"

    @property
    def rank(self) -> int:
        """2 for high, 1 for medium, 0 for low."""
        return {"high": 2, "medium": 1, "low": 0}[self.value]


class Cause(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=False):
    """Something rare that the flagged rows have in common: the suspected trigger."""

    kind: str
    """`ngram`, `ngram_set`, `characters`, `pattern` or `format`."""
    text: str
    """The trigger as it stands in the data; members of a set are joined by ` + `."""
    members: list[str] = []
    """The single triggers, where several that do the same are one finding."""


class Consequence(msgspec.Struct, frozen=True, kw_only=True):
    """What happens where the cause is."""

    kind: str
    """`gibberish`, `language_switch`, `encoded`, `refusal`, `repeated_reply`, `inserted_fragment`,
    `context_echo`, `similar_replies`, `answer`, `hidden_channel`, `label`, `duplicates` or `presence`
    (the cause alone)."""
    text: str
    """In words, e.g. `label 1`, `replies turn into German`."""


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """A cause with a consequence, how often, and how unlikely that is by chance."""

    id: str
    """Stable under another row order: a digest of rule, cause and consequence, e.g. `F-3a91c07e`."""
    rule: str
    title: str
    severity: str
    cause: Cause | None
    consequence: Consequence | None
    support: int
    """Rows that show cause and consequence together (or the consequence, if there is no cause)."""
    cause_rows: int
    """Rows that hold the cause, with or without the consequence; equals `support` without a cause."""
    expected: float
    """Rows one would expect to show both if they had nothing to do with each other."""
    effect: Estimate
    """Of the rows with the cause, the share that shows the consequence, with its interval."""
    p_value: float
    q_value: float
    """Benjamini-Hochberg over all tests of the run."""
    explanation: str
    """The finding in two or three sentences for a person who knows no statistics."""
    statistics: dict[str, float] = {}
    """Further figures by name, e.g. `coherence_z`, `reference_zipf`, `baseline_rate`."""


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch of one field."""

    field: str
    start: int
    """In characters, from 0."""
    end: int
    kind: str
    """`cause` or `consequence`."""


class FlaggedRow(msgspec.Struct, frozen=True, kw_only=True):
    """One row that at least one finding rests on."""

    source: str
    row: int
    """From 0, counted in that file; a header line is not counted."""
    id: str | None
    findings: list[str]
    score: float
    """From 0 to 1, higher is more suspicious: the strongest of the row's findings."""
    spans: list[Span]
